// The page on hosts that forbid something, opened as a file, in a frame, and beside the workers of another build.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DIST, ROOT, WORKERS, launch, open, openPage, press, says, siteFile, state, text, tiny } from './harness.mjs';
import { serve } from './server.mjs';

/** The policy that README.md names. */
const POLICY = readFileSync(path.join(ROOT, 'README.md'), 'utf8').match(/^ *Content-Security-Policy: (.*)$/m)[1];
const withPolicy = (at, policy) => ({ at, folder: DIST, headers: { 'content-security-policy': policy } });
const without = words => POLICY.replace(` ${words}`, '');
const { origin, close } = await serve([
  withPolicy('/policy/', POLICY),
  withPolicy('/no-wasm/', without("'wasm-unsafe-eval'")),
  withPolicy('/no-workers/', `${POLICY}; worker-src 'none'`),
  { at: '/', folder: DIST, blank: 'blank.html' },
]);
const browser = await launch();
test.after(async () => {
  await browser.end();
  await close();
});

test('with the policy of the README the page runs, and nothing is forbidden', async () => {
  const page = await openPage(browser, `${origin}/policy/?workers=2#${tiny()}`);
  await press(page, '#train');
  await state(page, 'finished');
  await press(page, '#theme');
  assert.deepEqual(page.complaints, []);
  assert.equal(await page.$eval('body', body => body.dataset.forbidden ?? ''), '');
  await page.close();
});

test('what a policy forbids is named, with what must be allowed', async () => {
  const blind = await open(browser, `${origin}/no-wasm/`);
  await says(blind, '#failure', /Content-Security-Policy.*wasm-unsafe-eval.*Hosting/);
  await blind.close();
  const idle = await open(browser, `${origin}/no-workers/#${tiny()}`);
  await state(idle, 'failed').catch(() => {});
  await says(idle, '#failure', /could not be (loaded|started).*Content-Security-Policy.*worker-src/);
  await idle.close();
});

test('opened as a file, or in a frame without an origin, the page says what to do', async () => {
  const file = await open(browser, pathToFileURL(path.join(DIST, 'index.html')).href);
  await says(file, '#failure', /opened as a file.*\.\/serve/);
  await file.close();
  const outer = await open(browser, `${origin}/blank.html`);
  await outer.evaluate(address => {
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.src = address;
    document.body.append(frame);
  }, `${origin}/`);
  const inner = await outer.waitForFrame(frame => frame.url() === `${origin}/`);
  await says(inner, '#failure', /sandbox without allow-same-origin.*tab of its own/);
  await outer.close();
});

test("the workers' folder is named by what is in it, and index.html holds no script", async () => {
  const folder = path.join(DIST, WORKERS);
  const [scripts, programs] = [/\.js$/, /_bg\.wasm$/].map(kind => readdirSync(folder).filter(name => kind.test(name)).sort());
  assert.equal(scripts.length, 6);
  const hash = createHash('sha256');
  for (const name of [...scripts, ...programs]) hash.update(readFileSync(path.join(folder, name)));
  assert.equal(path.basename(folder), `workers-${hash.digest('hex').slice(0, 16)}`);
  for (const [, script] of siteFile(/^index\.html$/).toString().matchAll(/<script[^>]*>([^]*?)<\/script>/g)) assert.equal(script.trim(), '');
  assert.ok(!/\son\w+=/.test(siteFile(/^index\.html$/).toString()), 'no handler within it');
});

test('a page that is older than the site says so instead of running with other workers', async () => {
  const page = await open(browser, `${origin}/blank.html`);
  // What the service worker has stored would not be asked for.
  await page.setBypassServiceWorker(true);
  await page.setRequestInterception(true);
  page.on('request', request => (request.url().includes('/workers-') ? request.respond({ status: 404 }) : request.continue()));
  await page.goto(`${origin}/#${tiny()}`);
  await says(page, '#failure', /could not be loaded from the site.*Reload/);
  assert.equal(await text(page, '#faults'), '');
  await page.close();
});
