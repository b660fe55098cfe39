// What the browser tests share: a site served from a sub-path, fresh browsers, and the page's own way of following it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { serve } from './server.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const DIST = path.join(ROOT, 'dist');
export const SCREENSHOTS = process.env.LOOKAHEAD_SCREENSHOTS ?? path.join(ROOT, 'dist-screenshots');
/** Machines are slow and noisy: no test waits for less. */
export const PATIENCE = 240_000;

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

/** Starts a browser with a profile of its own. `browser.end()` ends it and removes the profile. */
export async function launch(...flags) {
  const profile = mkdtempSync(path.join(tmpdir(), 'lookahead-profile-'));
  const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await puppeteer.launch({ executablePath, headless: true, userDataDir: profile, protocolTimeout: 1_800_000, args: [...quiet, ...flags] });
  browser.end = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return browser;
}

/** Opens an address and keeps everything the page complains of in `page.complaints`. */
export async function open(browser, address) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.complaints = [];
  page.on('pageerror', error => page.complaints.push(`uncaught: ${error.message}`));
  page.on('console', message => {
    if (message.type() === 'error') page.complaints.push(`console: ${message.text()} ${message.location().url ?? ''}`);
  });
  page.on('requestfailed', request => page.complaints.push(`request: ${request.url()} ${request.failure()?.errorText}`));
  await page.goto(address, { waitUntil: 'load' });
  return page;
}

/** Opens the page itself and waits until it can be used. */
export async function openPage(browser, address) {
  const page = await open(browser, address);
  await page.waitForFunction(() => ['idle', 'failed'].includes(document.body.dataset.state));
  return page;
}

/** Waits for a state of the page; a failure that was not waited for is told at once, in the page's own words. */
export async function state(page, ...wanted) {
  await page.waitForFunction(wanted => [...wanted, 'failed'].includes(document.body.dataset.state), {}, wanted);
  const found = await page.evaluate(() => document.body.dataset.state);
  assert.ok(wanted.includes(found), `the page is ${found}, not ${wanted}: ${await text(page, '#failure')}`);
}

/** Waits until the page has made so many steps. */
export async function steps(page, count) {
  const reached = count => document.body.dataset.state === 'failed' || Number(document.body.dataset.step) >= count;
  await page.waitForFunction(reached, { timeout: 3 * PATIENCE, polling: 100 }, count);
  assert.notEqual(await page.evaluate(() => document.body.dataset.state), 'failed', await text(page, '#failure'));
}

/** The text of an element, or '' where there is none. */
export const text = (page, selector) => page.evaluate(selector => document.querySelector(selector)?.textContent ?? '', selector);
/** An attribute of an element, or null. */
export const attribute = (page, selector, name) => page.evaluate((selector, name) => document.querySelector(selector)?.getAttribute(name) ?? null, selector, name);
/** Presses a button as a keyboard or mouse would, once it is there and can be pressed. */
export async function press(page, selector) {
  const ready = selector => {
    const button = document.querySelector(selector);
    return button && !button.disabled && button.getAttribute('aria-disabled') !== 'true';
  };
  await page.waitForFunction(ready, {}, selector);
  await page.evaluate(selector => document.querySelector(selector).click(), selector);
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
      await new Promise(resolve => setTimeout(resolve, 400));
      await page.screenshot({ path: path.join(SCREENSHOTS, `${when}-${width}x${height}-${scheme}.png`), fullPage });
      const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth }));
      assert.ok(wide <= room, `${when}, ${width}×${height}: ${wide} pixels wide in ${room}`);
    }
  }
}

/** A small run that every engine ends within seconds; `changes` are other fields by their keys in the link. */
export function tiny(changes = {}) {
  const fields = {
    r: '1', W: 5, T: 3, horizon: 'multi', loss: 'rows', vocab: 'compact', model: 'neox', layers: 2, d: 16, heads: 2, ff: 32, rope: 1,
    opt: 'adamw', lr: 0.003, wd: 0.01, warmup: 2, decay: 0, clipv: 0, clipn: 1, batch: 4, steps: 20, every: 10, evaln: 16, seed: 7, engine: 'cpu',
    ...changes,
  };
  return `v=1&${Object.entries(fields).map(([key, value]) => `${key}=${value}`).join('&')}`;
}
