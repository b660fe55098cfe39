// The WebGPU engine next to jax-js's on Chromium's software adapter, in one browser, taking turns: the training step of 4 layers,
// d 64, 4 heads, MLP 256, 64 positions and 4 sequences; dispatches, pipelines, the first loss, memory over many steps, and where a
// step's time goes by kernel.
//   node tests/bench/webgpu.mjs [--rounds 3] [--steps 20] [--long 2000]
// Writes its table into docs/bench.md. Needs dist/ (./serve --build-only) and, for jax-js, the folder ../shared/peers-bench; without it only ours is measured.
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { WEBGPU, launch, serveSite, tiny } from '../browser/harness.mjs';
import { counts, listen, prelude } from '../browser/gpu.mjs';
import { serve } from '../browser/server.mjs';
import { FUSED, configOf } from '../browser/worker.mjs';
import { listenTiming, timing } from './gpu-timing.mjs';
import { SMALL, jax, jaxPage, median, ours, publish, takeTurns, words } from './shared.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '20' }, long: { type: 'string', default: '2000' } } });
const [rounds, count, long] = [values.rounds, values.steps, values.long].map(Number);

const { L, D, H, F, B } = SMALL ? { L: 1, D: 32, H: 2, F: 64, B: 1 } : { L: 4, D: 64, H: 4, F: 256, B: 4 };
/** 5 rows of 12 cells make 65 tokens, of which a model reads 64; it learns from every row. */
const SHAPE = tiny({ r: 1, W: 12, T: 4, horizon: 'one', k: 1, layers: L, d: D, heads: H, ff: F, rope: 0.25, batch: B, lr: 0.001, steps: 100_000, every: 100_000, evaln: 8, engine: 'webgpu' });
const QUERY = `backend=webgpu&L=${L}&D=${D}&H=${H}&F=${F}&T=64&B=${B}&warm=2&steps=${count}`;

const site = await serveSite({ counted: prelude('as is'), timed: timing() });
const www = jaxPage();
const peers = www && (await serve([{ at: '/one/', folder: www }]));
// Timestamps of passes shorter than a tenth of a millisecond are wanted too.
const browser = await launch(...WEBGPU, '--enable-dawn-features=allow_unsafe_apis');
const config = await configOf(browser, site.site(), SHAPE);

const contenders = [
  { name: 'Lookahead', go: () => ours(browser, site.blank(), config, { program: FUSED, warm: 4, count }) },
  ...(peers ? [{ name: 'jax-js 0.1.25', go: () => jax(browser, `${peers.origin}/one/`, QUERY) }] : []),
];
await takeTurns(contenders, rounds);

/** Bytes of the processes that belong to the browser's graphics and to its pages. */
async function memory() {
  const client = await browser.target().createCDPSession();
  const { processInfo } = await client.send('SystemInfo.getProcessInfo');
  await client.detach();
  const { readFileSync } = await import('node:fs');
  const resident = id => { try { return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) * 1024; } catch { return 0; } };
  const sum = type => processInfo.filter(process => process.type === type).reduce((total, process) => total + resident(process.id), 0);
  return { gpu: sum('GPU'), page: sum('renderer') };
}

// One long run, counted: two marks, and what lies between them.
const marks = [];
const counted = await ours(browser, site.blank('counted'), config, {
  program: FUSED, warm: Math.round(long / 10), count: long - Math.round(long / 10),
  prepare: listen,
  during: async page => marks.push({ ...(await counts(page)), ...(await memory()), step: await page.evaluate(() => window.clock.at(-1)[0]) }),
  after: async page => {
    await new Promise(resolve => setTimeout(resolve, 500));
    marks.push({ ...(await counts(page)), ...(await memory()), step: await page.evaluate(() => window.clock.at(-1)[0]) });
  },
});
// One short run with a timestamp at both ends of every dispatch.
const TIMED = SMALL ? 2 : 12;
const newest = async page => {
  await new Promise(resolve => setTimeout(resolve, 600));
  return page.evaluate(() => ({ sums: window.timing ?? {}, step: window.clock.at(-1)[0] }));
};
const { seen: timed } = await ours(browser, site.blank('timed'), config, { program: FUSED, warm: 3, count: TIMED, prepare: listenTiming, after: newest });
// A kernel that is compiled for several shapes has a hash in each one's name.
const sums = {};
for (const [name, { milliseconds, dispatches }] of Object.entries(timed.sums)) {
  const sum = (sums[name.replace(/_[0-9a-f]{8}$/, '')] ??= [0, 0]);
  sum[0] += milliseconds;
  sum[1] += dispatches;
}
const kernels = Object.entries(sums).map(([name, sum]) => [name, ...sum]).filter(([name]) => name !== 'copy').sort((a, b) => b[1] - a[1]);
const spent = kernels.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
const version = await browser.version();
await browser.end();
await site.close();
await peers?.close();

const [early, late] = marks;
const each = ((late.dispatches - early.dispatches) / (late.step - early.step)).toFixed(1);
const megabytes = bytes => `${(bytes / 1e6).toFixed(0)} MB`;
const [we, they] = contenders;
const seconds = milliseconds => (milliseconds / 1000).toFixed(3);
const row = own => {
  const other = own === we ? they : we;
  return `| ${own.name} | ${seconds(median(own.times))} | ${seconds(Math.min(...own.times))} | ${other ? (median(own.times) / median(other.times)).toFixed(2) : ''} |`;
};
const report = `In ${version} on ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, adapter ${late.adapters[0]}; by \`node tests/bench/webgpu.mjs${words()}\`, ${new Date().toISOString().slice(0, 10)}.
The step of ${L} layers, d ${D}, ${H} heads, MLP ${F}, 64 positions, ${B} sequences; ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn of ${count} steps.

| engine | median s | best s | times the other |
|---|---|---|---|
${contenders.map(row).join('\n')}

- first loss ${(we.result.first / 1000).toFixed(1)} s after the start, compiling included (${(counted.first / 1000).toFixed(1)} s in the counted run);
- ${late.pipelines} compute pipelines in all, ${early.pipelines === late.pipelines ? 'none' : late.pipelines - early.pipelines} of them made after step ${early.step}; ${each} dispatches a step (the reading of losses included);
- memory of the graphics process ${megabytes(early.gpu)} at step ${early.step} and ${megabytes(late.gpu)} at step ${late.step}; of the page's processes ${megabytes(early.page)} and ${megabytes(late.page)}.

### Where a step goes, by kernel

Timestamps around every dispatch of the first ${timed.step} steps; on a software adapter "direct" are the matrix products.

| kernel | share | dispatches a step |
|---|---|---|
${kernels.map(([name, milliseconds, dispatches]) => `| ${name} | ${((100 * milliseconds) / spent).toFixed(1)} % | ${(dispatches / timed.step).toFixed(1)} |`).join('\n')}
`;
publish('webgpu', report);
