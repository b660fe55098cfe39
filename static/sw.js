// The service worker: it stores the site in the browser, so that it opens without a network. static/offline.js registers it.
//
// A build's files are in a cache of their own, and only files whose hash is the build's get into it. So a site that is being copied to its host
// is never stored by halves. A page gets every file from the cache of its own build, also after a newer service worker took over in another tab.
// Names of caches contain the site's path: two copies of the site on one host do not see each other's.

// .ci/name-build replaces these lines: the build's name, and each file with its hash and its size in bytes.
const BUILD = '';
const FILES = {};

const SITE = new URL('./', location).href;
const PREFIX = `lookahead ${new URL(SITE).pathname} `;
const CACHE = PREFIX + BUILD;
/** Which build each open page is of: a service worker is ended and started again at any time, so this is not in a variable. */
const PAGES = `${PREFIX}pages`;
/** A page that is just being opened is not in the browser's list of pages yet, so its record is left alone for so long, in milliseconds. */
const OPENING = 10_000;

/** Whether a file's name contains a hash: then it is the same file in every build. */
const isNamedByContent = name => /-[0-9a-f]{8,}[./_]/.test(name);
/** The worker's program that a file is part of (`worker`, `worker-fused`, `worker-burn`); undefined for all other files. */
const programOf = name => name.match(/^workers-[^/]+\/([a-z-]+)/)?.[1];
const keyOf = name => `${SITE}${name}?${FILES[name][0]}`;
const inCache = (cacheName, name) => caches.match(SITE + name, { cacheName, ignoreSearch: true, ignoreVary: true });
/** The caches of this site's builds. */
const buildCaches = async () => (await caches.keys()).filter(name => name.startsWith(PREFIX) && name !== PAGES);

async function hashOf(response) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return [...digest].map(byte => byte.toString(16).padStart(2, '0')).join('').slice(0, 32);
}

/** A file of this build from the host. @throws where the host does not answer, or has another file under this name */
async function load(name) {
  // Some hosts redirect index.html to its folder, and a redirected answer cannot open a page.
  const address = SITE + (name === 'index.html' ? '' : name);
  // What the page has just loaded is in the browser's own cache. If that copy is of an older build, the host is asked.
  for (const cache of ['default', 'reload']) {
    const response = await fetch(address, { cache, priority: 'low' });
    if (response.ok && (await hashOf(response.clone())) === FILES[name][0]) return response;
  }
  throw new Error(`${name} is not the file of this build`);
}

/** Puts a file into this build's cache. One that another build has too is copied from there. */
async function put(name) {
  const cache = await caches.open(CACHE);
  const key = keyOf(name);
  if (!(await cache.match(key))) await cache.put(key, (await caches.match(key)) ?? (await load(name)));
}

/** What is being put, by the files' names: two tabs may ask for the same at once. */
const underway = new Map();
const keep = names => Promise.all(names.map(name => {
  if (!underway.has(name)) underway.set(name, put(name).finally(() => underway.delete(name)));
  return underway.get(name);
}));

/** Why files could not be stored, as static/offline.js names it. */
const reasonOf = error => (error.name === 'QuotaExceededError' ? 'full' : 'unfetched');

/** All files but the workers' programs, and the files of these programs. */
const filesWith = programs => Object.keys(FILES).filter(name => !programOf(name) || programs.includes(programOf(name)));

/** The programs of which a build's cache has files. */
async function programsIn(cacheName) {
  const requests = await (await caches.open(cacheName)).keys();
  return requests.map(({ url }) => programOf(url.slice(SITE.length))).filter(Boolean);
}

/** What this build's cache does not have: { programs, bytes }. */
async function missing() {
  const cache = await caches.open(CACHE);
  const kept = new Set((await cache.keys()).map(({ url }) => url));
  const names = Object.keys(FILES).filter(name => !kept.has(keyOf(name)));
  return { programs: [...new Set(names.map(programOf))].filter(Boolean), bytes: names.reduce((sum, name) => sum + FILES[name][1], 0) };
}

const recordOf = id => `${SITE}?page=${id}`;
async function remember(id, build) {
  if (id) await (await caches.open(PAGES)).put(recordOf(id), new Response(JSON.stringify({ build, since: Date.now() })));
}
async function buildOf(id) {
  const record = id && (await caches.match(recordOf(id), { cacheName: PAGES }));
  return record && (await record.json()).build;
}

/** Removes the caches of builds that no open page is of. */
async function tidy() {
  const caching = await buildCaches();
  // The newer build's cache is being filled, or waits.
  if (registration.installing || registration.waiting) return;
  const open = new Set((await clients.matchAll({ includeUncontrolled: true, type: 'all' })).map(({ id }) => recordOf(id)));
  const pages = await caches.open(PAGES);
  const used = new Set([CACHE]);
  for (const request of await pages.keys()) {
    const { build, since } = await (await pages.match(request)).json();
    if (open.has(request.url) || Date.now() - since < OPENING) used.add(PREFIX + build);
    else await pages.delete(request);
  }
  await Promise.all(caching.filter(name => !used.has(name)).map(name => caches.delete(name)));
}

/** Answers the opening of the page, whatever stands behind the question mark. */
async function answerPage({ request, resultingClientId }) {
  const page = await inCache(CACHE, 'index.html');
  if (page) await remember(resultingClientId, BUILD);
  return page ?? fetch(request);
}

async function answerFile(event, name) {
  const { request, clientId } = event;
  if (isNamedByContent(name)) {
    for (const cache of [CACHE, ...(await buildCaches())]) {
      const found = await inCache(cache, name);
      if (found) return found;
    }
    const response = await fetch(request);
    // A program that is used for the first time is stored for the next.
    if (response.ok && name in FILES) event.waitUntil(keepUsed(name, response.clone()));
    return response;
  }
  const build = await buildOf(clientId);
  const found = build && (await inCache(PREFIX + build, name));
  if (found) return found;
  // The host may have another build's file under this name. The page says that the file could not be loaded.
  if (build && name in FILES) return build === BUILD ? load(name).catch(() => Response.error()) : Response.error();
  return fetch(request);
}

async function keepUsed(name, response) {
  if ((await hashOf(response.clone())) !== FILES[name][0]) return;
  // A browser that has no room for it keeps the page going.
  await (await caches.open(CACHE)).put(keyOf(name), response).catch(() => {});
}

/**
 * A page of `build` tells that it is open, and which programs it wants to be stored (`all` for each of them; null while it is still loading).
 * @returns { build, missing } or { build, missing, failed }: this service worker's build, what is not stored, and why
 */
async function serve({ build, programs, all }, id) {
  await remember(id, build);
  let failed;
  try {
    if (build === BUILD && programs) await keep(all ? Object.keys(FILES) : filesWith(programs));
  } catch (error) {
    failed = reasonOf(error);
  }
  return { build: BUILD, missing: await missing(), failed };
}

addEventListener('install', event => {
  // After an update the same programs are stored as before it.
  const before = async () => (await Promise.all((await buildCaches()).map(programsIn))).flat();
  // A service worker that cannot be installed is removed without a word, so it tells why before.
  const tell = async error => {
    for (const page of await clients.matchAll({ includeUncontrolled: true })) page.postMessage({ failed: reasonOf(error) });
    throw error;
  };
  event.waitUntil(before().then(programs => keep(filesWith(programs))).catch(tell));
});

addEventListener('activate', event => event.waitUntil(clients.claim().then(tidy)));

addEventListener('message', event => {
  const { data, source, ports } = event;
  // Only when the user presses Reload: the tabs of the older build go on with its cache.
  if (data.takeOver) event.waitUntil(skipWaiting());
  else event.waitUntil(serve(data, source.id).then(answer => ports[0].postMessage(answer)));
});

addEventListener('fetch', event => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || !(origin + pathname).startsWith(SITE)) return;
  const name = (origin + pathname).slice(SITE.length);
  if (request.mode === 'navigate' && (name === '' || name === 'index.html')) {
    event.respondWith(answerPage(event));
    event.waitUntil(tidy());
  } else {
    event.respondWith(answerFile(event, name));
  }
});
