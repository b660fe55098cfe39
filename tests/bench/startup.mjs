// How long a visitor waits before anything can be done: the page until it can be used, and the worker until it is ready, each in a
// fresh browser profile (nothing cached), served from this machine.
//   node tests/bench/startup.mjs [--rounds 5]
// Writes its table into docs/bench.md. Needs dist/ (./serve --build-only).
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { launch, open, openPage, serveSite, siteFile } from '../browser/harness.mjs';
import { FUSED } from '../browser/worker.mjs';
import { median, publish, words } from './shared.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const site = await serveSite();
const [pages, workers] = [[], []];
let version;
for (let round = 0; round < Number(values.rounds); round += 1) {
  const browser = await launch();
  version = await browser.version();
  const began = performance.now();
  await openPage(browser, site.site());
  pages.push(performance.now() - began);
  await browser.end();
  const other = await launch();
  const page = await open(other, site.blank());
  workers.push(await page.evaluate(program => new Promise(resolve => {
    const start = performance.now();
    const worker = new Worker(program, { type: 'module' });
    worker.onmessage = () => resolve(performance.now() - start);
  }), FUSED));
  await other.end();
}
await site.close();

const size = pattern => gzipSync(siteFile(pattern), { level: 9 }).length;
const row = (what, times, bytes) => `| ${what} | ${(bytes / 1000).toFixed(0)} kB | ${(median(times) / 1000).toFixed(2)} s |`;
const report = `From nothing cached, served from the same machine, median of ${values.rounds}; by \`node tests/bench/startup.mjs${words()}\`, ${version}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}.

| | wasm, gzipped | ready after |
|---|---|---|
${row('the page can be used', pages, size(/^page.*\.wasm$/))}
${row('the worker is ready (alone)', workers, size(/^worker-fused.*\.wasm$/))}
`;
publish('startup', report);
