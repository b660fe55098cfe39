// Runs before the page's own program: the colours, and what prevents that program from starting, by its name and with the way out.

// Before the first paint, so that the page does not flash in the other colours.
try {
  const theme = localStorage.getItem("lookahead-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {}

// A frame for one view, and the projector's view, look so from the start.
for (const name of ["embed", "projector"]) document.documentElement.toggleAttribute(`data-${name}`, new URLSearchParams(location.search).has(name));

let told = false;
/** Shows why the page cannot start. The first reason stays, because what follows comes of it, unless a later one is `sure` to be the cause. */
const unable = (why, sure = false) => {
  if (document.readyState === "loading") return addEventListener("DOMContentLoaded", () => unable(why, sure), { once: true });
  const box = document.getElementById("failure");
  if (!(document.body.dataset.state === "loading" || (told && sure)) || !box) return;
  told = true;
  box.hidden = false;
  box.textContent = why;
  document.body.dataset.state = "failed";
};

if (location.protocol === "file:") {
  unable("This page was opened as a file, and browsers run its programs only from a server. Run ./serve in the project's folder, or copy the folder to any web server, and open that address.", true);
} else if (self.origin === "null") {
  unable(`This page lies in a frame that keeps it from loading its programs (sandbox without allow-same-origin). Open it in a tab of its own: ${location.href}`, true);
} else if (typeof WebAssembly !== "object") {
  unable("This browser has no WebAssembly, which Lookahead needs, or it was switched off. Try a current Chrome, Edge, Firefox or Safari.", true);
}

// A policy that the host sends, or that a school's filter adds. The page itself appends this to what fails later.
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  const wanted = blockedURI.includes("wasm") ? "script-src with 'wasm-unsafe-eval'" : `${effectiveDirective} with 'self'`;
  const why = `The Content-Security-Policy of this site forbids what the page needs (${blockedURI.split("/").pop() || effectiveDirective}). Whoever hosts it must allow ${wanted}: see “Hosting” in its README.`;
  document.body?.setAttribute("data-forbidden", why);
  unable(why, true);
});
const unstarted = "The page's program could not be started. Reload the page, or try a current Chrome, Edge, Firefox or Safari.";
addEventListener("error", ({ target, message }) => unable(message ? unstarted : `The page's program could not be loaded (${target.src ?? target.href}). Check the connection and reload the page.`), true);
addEventListener("unhandledrejection", () => unable(unstarted));

/**
 * A browser's translation puts an element (FONT, with the translation) in a text's place, and the page's program goes on writing into the text
 * that is gone. So the text is put back behind the element, empty. Once the program writes into it or removes it, the element goes: then the
 * program's words are shown, and the browser translates them anew.
 */
const translations = new WeakMap();
const dropTranslation = (text) => {
  translations.get(text)?.remove();
  translations.delete(text);
};
const taken = new WeakSet();
/** Texts that were emptied here: the next change that is told of them is that one. */
const emptied = new WeakSet();
new MutationObserver((records) => {
  for (const { type, target, addedNodes, removedNodes, previousSibling, nextSibling } of records) {
    if (type === "characterData" && !emptied.delete(target)) dropTranslation(target);
    for (const text of removedNodes) {
      if (text.nodeType !== Node.TEXT_NODE || text.isConnected) continue;
      const element = [...addedNodes, previousSibling, nextSibling].find((node) => node?.nodeName === "FONT" && node.isConnected && !taken.has(node));
      dropTranslation(text);
      if (!element) continue;
      taken.add(element);
      translations.set(text, element);
      emptied.add(text);
      text.data = "";
      element.after(text);
    }
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
