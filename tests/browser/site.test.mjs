// What is served: sizes, what the page's program must not contain, and how the page looks from a phone to a projector.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ROOT, SCREENSHOTS, SIZES, fits, press, settled, siteFile, siteFiles, state, stepOf, steps, suite } from './harness.mjs';

mkdirSync(SCREENSHOTS, { recursive: true });
const { visit } = await suite({ query: 'workers=2' });

const kilobytes = bytes => `${(bytes / 1000).toFixed(0)} kB`;

test("the page's program is small and holds no training engine; the worker's does", context => {
  // A sentence of the CPU engine, and the GPU's runtime.
  const engine = /the program's arrays overlap|cubecl/;
  // Burn's own files, as its panics name them.
  const burn = /burn-flex-\d|burn-cubecl-\d/;
  const page = siteFile(/^page.*\.wasm$/);
  const packed = {};
  for (const [name, program] of Object.entries({ page, worker: siteFile(/^worker_bg\.wasm$/), fused: siteFile(/^worker-fused_bg\.wasm$/), burn: siteFile(/^worker-burn_bg\.wasm$/) })) {
    packed[name] = gzipSync(program, { level: 9 }).length;
    context.diagnostic(`${name} ${kilobytes(program.length)}, gzipped ${kilobytes(packed[name])}`);
    const marks = [engine, burn].map(mark => mark.test(program.toString('latin1')));
    assert.deepEqual(marks, { page: [false, false], worker: [true, false], fused: [true, false], burn: [true, true] }[name], `what ${name} holds`);
  }
  // Without wasm-opt.
  assert.ok(packed.page < 520_000, `the page's program has ${packed.page} bytes gzipped`);
  // As before Burn came: whoever does not choose it downloads none of it.
  for (const name of ['worker', 'fused']) assert.ok(packed[name] < 2_160_000, `the worker's program has ${packed[name]} bytes gzipped`);
  assert.ok(packed.burn < 3_800_000, `the worker with Burn has ${packed.burn} bytes gzipped`);
});

test('only the fused worker needs relaxed SIMD', () => {
  // The linker writes into a program which features its functions use.
  const needs = name => siteFile(name).includes('relaxed-simd');
  assert.deepEqual([/^worker_bg\.wasm$/, /^worker-burn_bg\.wasm$/, /^worker-fused_bg\.wasm$/].map(needs), [false, false, true]);
});

test('what the first screen does not need is in files of its own, fetched with what needs it', async () => {
  const asked = async query => {
    const names = [];
    const page = await visit('', { query, prepare: page => page.on('request', request => names.push(/\/parts-\w+\/(\w+)\.wasm$/.exec(request.url())?.[1])) });
    await page.close();
    return new Set(names.filter(Boolean));
  };
  const opened = await asked('');
  for (const part of ['class', 'lessons', 'methods']) assert.ok(!opened.has(`split_${part}`), `${part} is fetched without need`);
  for (const part of ['class', 'lesson']) assert.ok([...(await asked(`${part}=`))].some(name => name.startsWith(`split_${part}`)), `${part} is fetched by its door`);
  const names = siteFiles().filter(name => /^parts-\w+\/.*\.wasm$/.test(name));
  assert.ok(names.length > 6, `${names}`);
  assert.ok(names.every(name => !siteFile(new RegExp(`^${path.basename(name)}$`)).includes('lookahead4page')), 'without the names of functions');
});

test('a part that cannot be fetched is told, and fetched again on a press', async () => {
  const page = await visit('', { prepare: async page => {
    await page.setBypassServiceWorker(true);
    await page.setRequestInterception(true);
    page.on('request', request => (/split_class/.test(request.url()) && !page.mended ? request.abort() : request.continue()).catch(() => {}));
  } });
  await press(page, '.top-doors a:nth-child(3)');
  await page.waitForSelector('.part-again');
  page.mended = true;
  await press(page, '.part-again');
  await page.waitForSelector('#class-room');
  await page.close();
});

test('every address in the page is relative', () => {
  const html = siteFile(/^index\.html$/).toString();
  const addresses = [...html.matchAll(/(?:href|src)="([^"]*)"|from '([^']*)'|module_or_path: '([^']*)'/g)].map(match => match[1] ?? match[2] ?? match[3]);
  assert.ok(addresses.length > 2);
  for (const address of addresses) assert.match(address, /^(\.\/|data:|#)/, address);
});

test('it fits every screen, light and dark', async () => {
  const page = await visit();
  await fits(page, 'opened');
  await page.setViewport({ width: 1366, height: 768 });
  await press(page, '#train');
  // The picture for the README shows a run that has learned something.
  const renew = process.env.UPDATE_SCREENSHOT === '1';
  await steps(page, renew ? 600 : 55);
  await press(page, '#stop');
  await state(page, 'finished');
  await fits(page, 'trained');
  assert.ok((await stepOf(page)) >= 55, 'the run is still on the page');
  for (const [width, height] of SIZES.slice(0, 2)) {
    await page.setViewport({ width, height });
    await settled(page);
    await page.screenshot({ path: path.join(SCREENSHOTS, `whole-${width}.png`), fullPage: true });
  }
  if (renew) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await page.setViewport({ width: 1366, height: 900 });
    await settled(page);
    mkdirSync(path.join(ROOT, 'docs'), { recursive: true });
    await page.screenshot({ path: path.join(ROOT, 'docs/screenshot.png') });
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});
