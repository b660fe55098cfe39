// What is served: sizes, what the page's program must not contain, and how the page looks from a phone to a projector.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DIST, ROOT, SCREENSHOTS, SIZES, fits, launch, openPage, press, serveSite, state, steps } from './harness.mjs';

let site, browser;
before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  site = await serveSite();
  browser = await launch();
});
after(async () => {
  await browser?.end();
  await site?.close();
});

const file = pattern => readFileSync(path.join(DIST, readdirSync(DIST).find(name => pattern.test(name)) ?? assert.fail(`dist/ has no ${pattern}`)));
const kilobytes = bytes => `${(bytes / 1000).toFixed(0)} kB`;

test("the page's program is small and holds no training engine; the worker's does", context => {
  // A sentence of the CPU engine, and the GPU's runtime.
  const engine = /the program's arrays overlap|cubecl/;
  const page = file(/^page.*\.wasm$/);
  const worker = file(/^worker.*\.wasm$/);
  const [packedPage, packedWorker] = [gzipSync(page, { level: 9 }).length, gzipSync(worker, { level: 9 }).length];
  context.diagnostic(`page ${kilobytes(page.length)}, gzipped ${kilobytes(packedPage)}; worker ${kilobytes(worker.length)}, gzipped ${kilobytes(packedWorker)}`);
  // Without wasm-opt; what thinks, what is read, reward, kept runs and runs behind runs are 90 kB of it.
  assert.ok(packedPage < 500_000, `the page's program has ${packedPage} bytes gzipped`);
  assert.ok(packedWorker < 3_000_000, `the worker's program has ${packedWorker} bytes gzipped`);
  assert.doesNotMatch(page.toString('latin1'), engine);
  assert.match(worker.toString('latin1'), engine, 'or the marks looked for say nothing');
});

test('every address in the page is relative', () => {
  const html = file(/^index\.html$/).toString();
  const addresses = [...html.matchAll(/(?:href|src)="([^"]*)"|from '([^']*)'|module_or_path: '([^']*)'/g)].map(match => match[1] ?? match[2] ?? match[3]);
  assert.ok(addresses.length > 2);
  for (const address of addresses) assert.match(address, /^(\.\/|data:|#)/, address);
});

test('it fits every screen, light and dark', async () => {
  const page = await openPage(browser, `${site.site()}?workers=2`);
  await fits(page, 'opened');
  await page.setViewport({ width: 1366, height: 768 });
  await press(page, '#train');
  // The picture for the README shows a run that has learned something.
  const renew = process.env.UPDATE_SCREENSHOT === '1';
  await steps(page, renew ? 600 : 55);
  await press(page, '#stop');
  await state(page, 'finished');
  await fits(page, 'trained');
  assert.ok(Number(await page.evaluate(() => document.body.dataset.step)) >= 55, 'the run is still on the page');
  for (const [width, height] of SIZES.slice(0, 2)) {
    await page.setViewport({ width, height });
    await page.screenshot({ path: path.join(SCREENSHOTS, `whole-${width}.png`), fullPage: true });
  }
  if (renew) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await page.setViewport({ width: 1366, height: 900 });
    await new Promise(resolve => setTimeout(resolve, 400));
    mkdirSync(path.join(ROOT, 'docs'), { recursive: true });
    await page.screenshot({ path: path.join(ROOT, 'docs/screenshot.png') });
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});
