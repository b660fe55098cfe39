// What the browser tests share: a site served from a sub-path, fresh browsers, and what is read from the page and done in it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { serve } from './server.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const DIST = path.join(ROOT, 'dist');
export const SCREENSHOTS = process.env.LOOKAHEAD_SCREENSHOTS ?? path.join(ROOT, 'dist-screenshots');
/** The files of the site, by their paths in it. */
export const siteFiles = () => (existsSync(DIST) ? readdirSync(DIST, { recursive: true }).map(String) : []);
/** The contents of the one file of the site whose name is like this. */
export const siteFile = pattern => readFileSync(path.join(DIST, siteFiles().find(name => pattern.test(path.basename(name))) ?? assert.fail(`dist/ has no ${pattern}`)));
/** The address of the folder with this build's workers, from the page's. */
export const WORKERS = `./${siteFiles().find(name => /^workers-\w+$/.test(name))}/`;
/** Machines are slow and noisy: no test waits for less, in milliseconds. Whoever looks for a fault sets it lower. */
export const PATIENCE = Number(process.env.LOOKAHEAD_PATIENCE ?? 240_000);
/** How long the pages that are opened now are waited for. */
let patience = PATIENCE;

/** Where the tests put the site: not at the root of a host. */
const PATH = '/some/where/';

/**
 * Serves dist/ under a sub-path.
 * @param preludes { name: script }: further copies of the site whose worker runs this script first
 * @returns { site, blank, origin, close }: site(name) and blank(name) are addresses of the page and of an empty page beside it
 */
export async function serveSite(preludes = {}) {
  assert.ok(existsSync(path.join(DIST, 'index.html')), 'dist/ is not there: run ./serve --build-only first');
  const mount = (name, prelude) => ({ at: `${PATH}${name}/`, folder: DIST, blank: 'blank.html', prelude });
  const mounts = [mount('lookahead'), ...Object.entries(preludes).map(([name, prelude]) => mount(name, prelude))];
  const { origin, close } = await serve(mounts);
  const site = (name = 'lookahead') => `${origin}${PATH}${name}/`;
  return { site, blank: name => `${site(name)}blank.html`, origin, close };
}

/** Flags that put a software WebGPU adapter into Chromium. */
export const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** A new folder for a browser's profile, which is removed after the test file. */
export function newProfile() {
  const profile = mkdtempSync(path.join(tmpdir(), 'lookahead-profile-'));
  after(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  return profile;
}

/** Firefox, if it is installed. */
export const FIREFOX = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(program => program && existsSync(program));

/** Starts Firefox with this profile. */
export const launchFirefox = (profile, program = FIREFOX) => puppeteer.launch({ browser: 'firefox', executablePath: program, headless: true, userDataDir: profile, protocolTimeout: 2 * PATIENCE });

/**
 * A test's body that Firefox may begin once more, in another browser: after a worker was ended while it computed, Firefox may never compile the next
 * program (WebAssembly.compileStreaming does not return), and a wait of the test ends in vain. Any other failure stands. The first time a wait may take a
 * minute, which is several times what one takes.
 */
export const twiceInFirefox = (name, body) => async context => {
  if (name !== 'Firefox') return body(context);
  try {
    patience = Math.min(PATIENCE, 60_000);
    return await body(context);
  } catch (error) {
    if (!/^Waiting failed|timed? ?out/i.test(error.message)) throw error;
    const lines = error.stack.split('\n').filter(line => line.includes('.test.mjs'));
    console.error(`Firefox: ${error.message}: begun once more\n${lines.join('\n')}`);
    patience = PATIENCE;
    return await body(context);
  } finally {
    patience = PATIENCE;
  }
};

/** Starts Chromium with this profile. */
export function launchIn(profile, ...flags) {
  const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const start = () => puppeteer.launch({ executablePath, headless: true, userDataDir: profile, protocolTimeout: 1_800_000, args: [...quiet, ...flags] });
  // Chromium crashes before it opens its first page about once in five hundred starts.
  return start().catch(start);
}

/** Closes a browser. One that does not close in time, or at all, is killed: it would keep the tests' program from ending. */
export async function close(browser) {
  let timer;
  const late = new Promise(resolve => { timer = setTimeout(resolve, 10_000); });
  await Promise.race([browser.close().catch(() => {}), late]);
  clearTimeout(timer);
  browser.process()?.kill('SIGKILL');
}

/** Starts Chromium with a profile of its own. `browser.end()` ends it and removes the profile. */
export async function launch(...flags) {
  const profile = mkdtempSync(path.join(tmpdir(), 'lookahead-profile-'));
  const browser = await launchIn(profile, ...flags);
  browser.end = async () => {
    await close(browser);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return browser;
}

/**
 * The site and the browser of a test file: `const { site, browser, visit } = await suite()` before its tests. Both are closed after them.
 * @param options.flags of the browser, WEBGPU for one
 * @param options.preludes as in serveSite()
 * @param options.query of the page's address, where a test gives none
 * @returns { site, browser, address, visit }: address(fragment, options) is an address of the page, visit(fragment, options) opens it.
 *   Their options are { query, name, prepare }: name is a prelude's, prepare is that of open()
 */
export async function suite({ flags = [], preludes = {}, query = '' } = {}) {
  const site = await serveSite(preludes);
  const browser = await launch(...flags);
  after(async () => {
    await browser.end();
    await site.close();
  });
  const usual = query;
  const address = (fragment = '', { query = usual, name } = {}) => `${site.site(name)}${query && `?${query}`}${fragment && `#${fragment}`}`;
  const visit = (fragment, options = {}) => openPage(browser, address(fragment, options), options.prepare);
  return { site, browser, address, visit };
}

/** Opens an address in a browser with a new profile and these flags, which ends when `use(page)` has returned. @returns what `use` returned */
export async function elsewhere(address, use, flags = []) {
  const browser = await launch(...flags);
  try {
    return await use(await openPage(browser, address));
  } finally {
    await browser.end();
  }
}

/** Opens an address and keeps everything the page complains of in `page.complaints`. `prepare(page)` is called before anything is loaded. */
export async function open(browser, address, prepare) {
  const page = await browser.newPage();
  page.setDefaultTimeout(patience);
  page.complaints = [];
  page.on('pageerror', error => page.complaints.push(`uncaught: ${error.message}`));
  page.on('console', message => {
    if (message.type() === 'error') page.complaints.push(`console: ${message.text()} ${message.location().url ?? ''}`);
  });
  page.on('requestfailed', request => {
    const why = request.failure()?.errorText ?? '';
    // What a page that is left, or a worker that is ended, was still loading is no fault.
    if (!/ERR_ABORTED|NS_BINDING_ABORTED|NS_BASE_STREAM_CLOSED/.test(why)) page.complaints.push(`request: ${request.url()} ${why}`);
  });
  await prepare?.(page);
  await page.goto(address, { waitUntil: 'load' });
  return page;
}

/** Waits until the page can be used, has taken up what it stored and has loaded its parts, or says that it cannot. */
export const usable = (page, timeout = patience) => page.waitForFunction(() => {
  const { state, restored } = document.body.dataset;
  // Parts out of sight are built when somebody does something.
  dispatchEvent(new Event('scroll'));
  return state === 'failed' || (state === 'idle' && restored && !document.querySelector('.part-waiting'));
}, { timeout });

/** Does `act()` and waits until this selector has matched, however shortly: what is looked for only afterwards may have come and gone. */
export async function passing(page, selector, act) {
  await page.evaluate(selector => {
    window.passed = false;
    const look = () => { window.passed ||= Boolean(document.querySelector(selector)); };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  }, selector);
  await act();
  await page.waitForFunction(() => window.passed);
}

/** Opens the page itself and waits until it can be used. */
export async function openPage(browser, address, prepare) {
  const page = await open(browser, address, prepare);
  await usable(page);
  return page;
}

/**
 * Loads the page again and waits until it can be used. After a dozen reloads Firefox may never compile the page's program
 * (WebAssembly.compileStreaming does not return); the next load does.
 */
export async function reload(page) {
  await page.reload();
  if (FIREFOX && /firefox/i.test(await page.browser().version())) {
    const loaded = await usable(page, 45_000).then(() => true, () => false);
    if (loaded) return;
    console.error('Firefox did not load the page in 45 s: loaded once more');
    await page.reload();
  }
  await usable(page);
}

/** Opens a link in a page that is open already, as one typed into its address bar. */
export async function follow(page, fragment) {
  await page.evaluate(fragment => new Promise(resolve => {
    if (new URL(`#${fragment}`, location).hash === location.hash) return resolve();
    // The page's own listener was there first.
    window.addEventListener('hashchange', () => resolve(), { once: true });
    location.hash = fragment;
  }), fragment);
  await frames(page);
}

/**
 * Puts a worker into the page's place of one: it tells `greeting` by itself and then what the test has it say. For `prepare`.
 * In the page, `window.asked` are the commands that the worker got, and `window.say(report)` makes it report.
 */
export const standIn = (page, greeting = 'Ready') => page.evaluateOnNewDocument(greeting => {
  window.asked = [];
  window.Worker = class extends EventTarget {
    constructor(_, { name }) {
      super();
      window.say = report => this.onmessage?.(new MessageEvent('message', { data: [report] }));
      // A worker holds the lock of its name before it says that it is ready.
      navigator.locks.request(name, () => {
        setTimeout(() => window.say(greeting));
        return new Promise(() => {});
      });
    }
    postMessage([command]) {
      window.asked.push(command);
    }
    terminate() {}
  };
}, greeting);

/** Waits for a state of the page; a failure that was not waited for is told at once, in the page's own words. */
export async function state(page, ...wanted) {
  await page.waitForFunction(wanted => [...wanted, 'failed'].includes(document.body.dataset.state), {}, wanted);
  const found = await stateOf(page);
  assert.ok(wanted.includes(found), `the page is ${found}, not ${wanted}: ${await text(page, '#failure')}`);
}

/** Waits until the page has made so many steps. */
export async function steps(page, count) {
  const reached = count => document.body.dataset.state === 'failed' || Number(document.body.dataset.step) >= count;
  await page.waitForFunction(reached, { timeout: 3 * PATIENCE, polling: 100 }, count);
  assert.notEqual(await stateOf(page), 'failed', await text(page, '#failure'));
}

/** Waits until the page has drawn what it has been told: two frames. */
export const frames = page => page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));

/**
 * Waits until fonts are loaded, transitions have ended, and all places and the number of steps are the same in `count` frames in a row.
 * The page draws what a worker reports at most ten times a second: twelve frames are longer than that.
 */
export async function settled(page, count = 4) {
  await page.evaluate(() => { window.settling = { seen: '', same: 0 }; });
  await page.waitForFunction(count => {
    const moving = document.getAnimations().some(({ playState, effect }) => playState === 'running' && Number.isFinite(effect.getComputedTiming().endTime));
    const places = [...document.querySelectorAll('main, section, figure, svg')].map(part => part.getBoundingClientRect());
    const seen = [document.fonts.status, moving, document.body.dataset.step, ...places.map(({ x, y, width, height }) => [x, y, width, height])].join(' ');
    const still = document.fonts.status === 'loaded' && !moving && seen === window.settling.seen;
    window.settling = { seen, same: still ? window.settling.same + 1 : 0 };
    return window.settling.same >= count;
  }, { polling: 'raf' }, count);
}

/** The state of the page. */
export const stateOf = page => page.evaluate(() => document.body.dataset.state);
/** How many steps the current run has made. */
export const stepOf = async page => Number(await page.evaluate(() => document.body.dataset.step));
/** The link of the form, or of the run that it describes. */
export const linkOf = page => page.$eval('#link-text', box => box.value);
/** The names of the runs on the page, the newest first. */
export const runsOf = page => page.$$eval('#runs > li strong', names => names.map(name => name.textContent));
/** Waits until so many runs are on the page. */
export const runsAre = (page, count, options = {}) => page.waitForFunction(count => document.querySelectorAll('#runs > li').length === count, options, count);
/** What the current run's newest measurement says of its first depth, in percent; NaN before there is one. */
export const exact = page => page.$eval('#depth-table tbody tr', row => Number.parseFloat(row.cells[1].textContent));
/** Waits until the current run has been measured. */
export const measured = page => page.waitForFunction(() => !Number.isNaN(Number.parseFloat(document.querySelector('#depth-table tbody tr')?.cells[1].textContent)));
/** Waits until ceilings and floors are estimated from all questions: until then charts of depth go on changing. */
export const estimated = page => shows(page, '#depth-chart [data-samples]', 'data-samples', '1000');
/** A link with a query, as one opens it who wants so many workers. */
export const withQuery = (link, query) => link.replace(/(\?[^#]*)?#/, `?${query}#`);
/** A link without its sum, to be changed. */
export const unsealed = link => link.replace(/&sum=[0-9a-f]{8}/, '');
/** The verdict over a replayed link; null where there is nothing to compare with. */
export const verdictOf = page => attribute(page, '#replay', 'data-verdict');

/** The text of an element, or '' where there is none. */
export const text = (page, selector) => page.evaluate(selector => document.querySelector(selector)?.textContent ?? '', selector);
/** An attribute of an element, or null. */
export const attribute = (page, selector, name) => page.evaluate((selector, name) => document.querySelector(selector)?.getAttribute(name) ?? null, selector, name);
/** Whether an element is to be seen. */
export const visible = (page, selector) => page.evaluate(selector => document.querySelector(selector)?.checkVisibility() ?? false, selector);
/** Waits until an element's text matches. */
export const says = (page, selector, pattern) => {
  const matches = (selector, source, flags) => new RegExp(source, flags).test(document.querySelector(selector)?.textContent ?? '');
  return page.waitForFunction(matches, {}, selector, pattern.source, pattern.flags);
};
/** Waits until an attribute of an element has a value. */
export const shows = (page, selector, name, value) =>
  page.waitForFunction((selector, name, value) => document.querySelector(selector)?.getAttribute(name) === value, {}, selector, name, value);
/** The engine that computes the current run, by the name of its arithmetic; null before it has answered. */
export const engineOf = page => attribute(page, '#engine-badge', 'data-engine');
/** Names, places and heights of the cards between controls and settings, but for the sweep's. */
export const places = page => page.$eval('.page-content', content => {
  const cards = [...content.querySelectorAll('section:not(#sweep)')];
  return cards.map(card => [card.getAttribute('aria-label'), card.offsetTop, card.offsetHeight].join(' '));
});

/** Presses a button as a keyboard or mouse would, once it is there and can be pressed. */
export async function press(page, selector) {
  const ready = selector => {
    const button = document.querySelector(selector);
    return button && !button.disabled && button.getAttribute('aria-disabled') !== 'true';
  };
  await page.waitForFunction(ready, {}, selector);
  await page.evaluate(selector => document.querySelector(selector).click(), selector);
}

/** Types into a field: what it holds becomes `value`. */
export const type = (page, selector, value) => page.$eval(selector, (input, value) => {
  input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}, value);

/** Goes by Tab from one element to another, both named by their ids. */
export async function tab(page, from, to) {
  await page.focus(`#${from}`);
  for (let count = 0; count < 100; count += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.id) === to) return;
  }
  assert.fail(`Tab does not come from #${from} to #${to}`);
}

/** Presses a button of a run by its words; the newest run is 1. */
export async function pressOfRun(page, words, position = 1) {
  const found = await page.$$eval(`#runs > li:nth-child(${position}) button`, (buttons, words) => {
    const button = buttons.find(button => button.textContent === words);
    button?.click();
    return Boolean(button);
  }, words);
  assert.ok(found, `run ${position} has no button “${words}”`);
}

/** Trains what the form says to its end, and waits until that run is measured and has its fingerprint. */
export async function trainToEnd(page) {
  const before = (await runsOf(page)).length;
  await press(page, '#train');
  await runsAre(page, before + 1);
  await state(page, 'finished');
  await measured(page);
  await page.waitForFunction(() => document.querySelector('#copy-link').dataset.fingerprint);
}

/** Calls `save`, which makes the page save so many files, and takes them. @returns { name: bytes } */
export async function downloads(page, count, save) {
  await page.evaluate(() => {
    window.downloads = {};
    if (window.blobs) return;
    window.blobs = new Map();
    URL.createObjectURL = blob => (window.blobs.set(`blob:${window.blobs.size}`, blob), `blob:${window.blobs.size - 1}`);
    HTMLAnchorElement.prototype.click = function () {
      window.blobs.get(this.href).arrayBuffer().then(buffer => { window.downloads[this.download] = [...new Uint8Array(buffer)]; });
    };
  });
  await save();
  await page.waitForFunction(count => Object.keys(window.downloads).length === count, {}, count);
  return Object.fromEntries(Object.entries(await page.evaluate(() => window.downloads)).map(([name, bytes]) => [name, Buffer.from(bytes)]));
}

/** The newest run as the page exports it. */
export async function account(page) {
  const [bytes] = Object.values(await downloads(page, 1, () => pressOfRun(page, 'JSON')));
  return JSON.parse(bytes.toString());
}

/** Telephone, laptop and projector. */
export const SIZES = [[1366, 768], [390, 844], [1920, 1080]];
/** Looks at the page on every screen, light and dark: nothing may be wider than it. The pictures are kept under the name `when`. */
export async function fits(page, when, { fullPage = false } = {}) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const [width, height] of SIZES) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.setViewport({ width, height, deviceScaleFactor: 1 });
      await settled(page);
      await page.screenshot({ path: path.join(SCREENSHOTS, `${when}-${width}x${height}-${scheme}.png`), fullPage });
      const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth }));
      assert.ok(wide <= room, `${when}, ${width}×${height}: ${wide} pixels wide in ${room}`);
    }
  }
}

/** A small run that every engine ends within seconds; `changes` are other fields by their keys in the link. */
export function tiny(changes = {}) {
  const fields = {
    r: '1', W: 5, T: 3, horizon: 'multi', loss: 'rows', vocab: 'compact', model: 'neox', layers: 2, d: 16, heads: 2, ff: 32, rope: 1, base: 10000,
    opt: 'adamw', lr: 0.003, wd: 0.01, warmup: 2, decay: 0, clipv: 0, clipn: 1, batch: 4, steps: 20, every: 10, evaln: 16, examples: 950000, stop: 0, seed: 7, engine: 'cpu',
    ...changes,
  };
  return `v=1&${Object.entries(fields).map(([key, value]) => `${key}=${value}`).join('&')}`;
}
