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
  // Burn's own files, as its panics name them.
  const burn = /burn-flex-\d|burn-cubecl-\d/;
  const page = file(/^page.*\.wasm$/);
  const packed = {};
  for (const [name, program] of Object.entries({ page, worker: file(/^worker_bg\.wasm$/), fused: file(/^worker-fused_bg\.wasm$/), burn: file(/^worker-burn_bg\.wasm$/) })) {
    packed[name] = gzipSync(program, { level: 9 }).length;
    context.diagnostic(`${name} ${kilobytes(program.length)}, gzipped ${kilobytes(packed[name])}`);
    const marks = [engine, burn].map(mark => mark.test(program.toString('latin1')));
    assert.deepEqual(marks, { page: [false, false], worker: [true, false], fused: [true, false], burn: [true, true] }[name], `what ${name} holds`);
  }
  // Without wasm-opt; what thinks, what is read, reward, kept runs, runs behind runs and the check with Burn are 100 kB of it.
  assert.ok(packed.page < 520_000, `the page's program has ${packed.page} bytes gzipped`);
  // As before Burn came: whoever does not choose it downloads none of it.
  for (const name of ['worker', 'fused']) assert.ok(packed[name] < 2_790_000, `the worker's program has ${packed[name]} bytes gzipped`);
  assert.ok(packed.burn < 5_500_000, `the worker with Burn has ${packed.burn} bytes gzipped`);
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
