// Stores the site for use without a network, by the service worker sw.js, and says below the page whether that worked.
//
// The body's attribute data-offline is `preparing`, `ready`, `update` (a newer build is stored, or has taken over in another tab) or `no:REASON`.
// data-missing names the workers' programs that are not stored.

// A module would not be loaded for a page that was opened as a file, so the names are kept apart from boot.js by a function.
(() => {
  const REASONS = {
    file: "This page was opened as a file. Only a page from a server can be stored for use without a network.",
    frame: `This frame keeps the page from being stored for use without a network. Open it in a tab of its own: ${location.href.split("#")[0]}`,
    insecure: "This page is not stored for use without a network: browsers store only pages with an address that begins with https. Ask the person who hosts it for https.",
    private: "This browser stores no page here for use without a network. In a private window, open the page in a normal window instead.",
    refused: "The browser refused to store this page for use without a network. Allow this site to store data, or open it in a normal window, and reload it.",
    full: "There is no room left to store this page for use without a network. Free some of this device's storage, then reload the page.",
    unfetched: "Some files could not be loaded, so the page may not open without a network. Reload it when you have a connection.",
  };
  const PROGRAMS = {
    "worker-burn": "the engine with Burn",
    worker: "the CPU engine for class links and for machines without fused multiplication",
    "worker-fused": "the CPU engine for links from machines with fused multiplication",
  };

  const box = document.getElementById("offline");
  const build = document.body.dataset.build;
  /** The programs that this page has used. */
  const used = new Set();
  let registration;
  /** Why the service worker could not be installed, as it tells before it is removed. */
  let failure;

  function show(state, sentence, ...buttons) {
    document.body.dataset.offline = state;
    box.replaceChildren(sentence, ...buttons.flatMap((button) => [" ", button]));
  }
  const unable = (reason) => show(`no:${reason}`, REASONS[reason]);

  function button(id, words, press) {
    const made = document.createElement("button");
    made.type = "button";
    made.id = id;
    made.textContent = words;
    made.addEventListener("click", press, { once: true });
    return made;
  }

  /** Sends a message to a service worker. @returns its answer */
  const ask = (worker, message) => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ build, programs: [...used], ...message }, [port2]);
  });

  function offerUpdate() {
    const reload = () => {
      const { waiting } = registration;
      if (!waiting) return location.reload();
      waiting.addEventListener("statechange", () => waiting.state === "activated" && location.reload());
      waiting.postMessage({ takeOver: true });
    };
    show("update", "A new version of this page is there. It cannot continue a run of this version.", button("offline-reload", "Reload", reload));
  }

  function tellReady({ programs, bytes }) {
    document.body.dataset.missing = programs.join(" ");
    if (!programs.length) return show("ready", "This page works without a network: all of it is stored in this browser.");
    const all = button("offline-all", `Keep everything for use without a network (${Math.ceil(bytes / 1e6)} MB)`, () => store({ all: true }));
    show("ready", `This page works without a network, with the engine that you have used. Not stored: ${programs.map((name) => PROGRAMS[name] ?? name).join("; ")}.`, all);
  }

  /** Has the service worker store what this page needs, and shows what became of it. */
  async function store(message) {
    if (!registration.active) return;
    if (registration.waiting) return offerUpdate();
    if (message) show("preparing", "The page is being stored for use without a network…");
    const answer = await ask(registration.active, message);
    if (registration.waiting || answer.build !== build) return offerUpdate();
    // Without the network, what was stored before is enough, if the programs that this page has used are there.
    if ((message && answer.failed) || [...used].some((name) => answer.missing.programs.includes(name))) return unable(answer.failed ?? "unfetched");
    tellReady(answer.missing);
  }

  /** Looks after a service worker that is being installed. */
  function follow(worker) {
    worker?.addEventListener("statechange", () => {
      if (["installed", "activated"].includes(worker.state)) store();
      else tellRefusal();
    });
  }

  /** Says why there is no service worker, if there is none. Its own reason may come before or after the browser's word that it is removed. */
  function tellRefusal() {
    const workers = registration ? [registration.installing, registration.waiting, registration.active] : [{}];
    if (workers.every((worker) => !worker || worker.state === "redundant")) unable(failure ?? "unfetched");
  }

  async function register() {
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      failure = data.failed;
      tellRefusal();
    });
    try {
      registration = await navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" });
    } catch {
      return unable("refused");
    }
    if (!registration.active) show("preparing", "The page is being stored for use without a network…");
    registration.addEventListener("updatefound", () => follow(registration.installing));
    follow(registration.installing);
    navigator.serviceWorker.addEventListener("controllerchange", () => store());
    store();
    tellRefusal();
  }

  /** Calls `then` once the training engine has started, and with each further program. Storing earlier would delay what the user waits for. */
  function whenStarted(then) {
    const look = () => {
      const program = document.body.dataset.program?.replace("_loader.js", "");
      if (!program || used.has(program)) return;
      used.add(program);
      then();
    };
    new MutationObserver(look).observe(document.body, { attributeFilter: ["data-program"] });
    look();
  }

  if (location.protocol === "file:") unable("file");
  else if (self.origin === "null") unable("frame");
  else if (!isSecureContext) unable("insecure");
  else if (!navigator.serviceWorker) unable("private");
  else {
    // A page that was open before its service worker took over tells it at once which build it is of.
    if (navigator.serviceWorker.controller) ask(navigator.serviceWorker.controller, { programs: null });
    const idle = self.requestIdleCallback ?? setTimeout;
    const begin = () => whenStarted(() => (registration ? store() : idle(register)));
    if (document.readyState === "complete") begin();
    else addEventListener("load", begin, { once: true });
  }
})();
