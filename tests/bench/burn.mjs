// The engine Burn beside ours, in one headless Chromium, taking turns: what it weighs, when its first loss comes, and how long a step takes,
// on the CPU (burn-flex, one worker) and on Chromium's software WebGPU adapter (burn-wgpu).
//   node tests/bench/burn.mjs [--rounds 2] [--steps 3]
// Writes its table into docs/bench.md. Needs dist/ (./serve --build-only).
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { WEBGPU, WORKERS, launch, serveSite, siteFile, tiny } from '../browser/harness.mjs';
import { FUSED, configOf } from '../browser/worker.mjs';
import { SMALL, median, ours, publish, takeTurns, words } from './shared.mjs';

const BURN = `${WORKERS}worker-burn_loader.js`;
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2' }, steps: { type: 'string', default: '3' } } });
const [rounds, count] = [values.rounds, values.steps].map(Number);

/** Quick's network and task for each architecture, on a smaller batch for the software adapter. */
const settings = (model, batch) => ({
  r: 1, W: 8, T: SMALL ? 2 : 6, horizon: 'one', k: 1, layers: SMALL ? 1 : 3, d: 48, heads: 4, ff: 96, batch: SMALL ? 2 : batch, steps: 100_000, every: 100_000, evaln: 8, model, mem: 8, dmem: 16,
});
const MODELS = SMALL ? { 'GPT-NeoX': 'neox' } : { 'GPT-NeoX': 'neox', LSTM: 'lstm', Mamba: 'mamba', ARMT: 'armt', DeltaNet: 'deltanet' };

const site = await serveSite();
const browser = await launch(...WEBGPU);
const version = await browser.version();
const contenders = [];
for (const [name, model] of Object.entries(MODELS)) {
  const engines = [['burn-flex', BURN, 32], ['burn-wgpu', BURN, 4], ...(model === 'deltanet' ? [] : [['cpu', FUSED, 32], ['webgpu', FUSED, 4]])];
  for (const [engine, program, batch] of engines) {
    const config = await configOf(browser, site.site(), tiny({ ...settings(model, batch), engine }));
    contenders.push({ name: `${name}, ${engine}`, go: () => ours(browser, site.blank(), config, { program, workers: 1, count }) });
  }
}
await takeTurns(contenders, rounds);
await browser.end();
await site.close();

const packed = pattern => gzipSync(siteFile(pattern), { level: 9 }).length;
const megabytes = bytes => (bytes / 1e6).toFixed(2);
const seconds = milliseconds => (milliseconds === undefined ? '' : (milliseconds / 1000).toFixed(3));
const found = name => contenders.find(contender => contender.name === name);
const time = name => (found(name) ? median(found(name).times) : undefined);
const ratio = (name, other) => (found(other) ? (time(name) / time(other)).toFixed(1) : '');
const rows = Object.keys(MODELS).map(name => {
  const of = engine => `${name}, ${engine}`;
  return `| ${name} | ${seconds(time(of('cpu')))} | ${seconds(time(of('burn-flex')))} | ${ratio(of('burn-flex'), of('cpu'))} | ${seconds(time(of('webgpu')))} | ${seconds(time(of('burn-wgpu')))} | ${ratio(of('burn-wgpu'), of('webgpu'))} | ${seconds(found(of('burn-flex')).result.first)} | ${seconds(found(of('burn-wgpu')).result.first)} |`;
});
publish('burn', `Burn beside our engine, in ${version} on ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}; by \`node tests/bench/burn.mjs${words()}\`,
${new Date().toISOString().slice(0, 10)}; ${rounds} ${rounds === 1 ? "round" : "rounds"} in turn of ${count} steps, medians. Quick's task and sizes (3 layers, d 48, 8 cells, 6 rows); batches of 32 on the CPU,
one worker, and of 4 on the software WebGPU adapter.

| model | CPU step, s | burn-flex step, s | times ours | WebGPU step, s | burn-wgpu step, s | times ours | first loss on burn-flex after, s | first loss on burn-wgpu after, s |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

The worker with Burn is ${megabytes(packed(/^worker-burn_bg\.wasm$/))} MB gzipped, and only a run on Burn or a check with it loads it; the worker without is ${megabytes(packed(/^worker_bg\.wasm$/))} MB.
`);
