// One training step of each architecture at the paper's size (4 layers, d 128, 20 cells, 10 rows: 231 tokens) on both engines, in one
// headless Chromium, taking turns: step time, tokens a second, dispatches a step. On the CPU each stands next to a GPT-NeoX of as many
// parameters; on WebGPU each is counted at half as many rows too, because dispatches must not depend on the sequence's length.
//   node tests/bench/models.mjs [--rounds 3] [--steps 3] [--batch 32] [--few 2]
// Writes its tables into docs/bench.md. Needs dist/ (./serve --build-only). The WebGPU adapter is Chromium's software one: its counts hold
// anywhere, its times say only that nothing is absurd.
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { WEBGPU, launch, serveSite, tiny } from '../browser/harness.mjs';
import { counts, listen, prelude } from '../browser/gpu.mjs';
import { FUSED, configOf } from '../browser/worker.mjs';
import { SMALL, median, ours, publish, takeTurns, words } from './shared.mjs';

const options = { rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '3' }, batch: { type: 'string', default: '32' }, few: { type: 'string', default: '2' } };
const { values } = parseArgs({ options });
const [rounds, count, batch, few] = [values.rounds, values.steps, values.batch, values.few].map(Number);

const [W, T] = SMALL ? [6, 4] : [20, 10];
/** Of T rows and the answer, each with a token behind or before it. */
const TOKENS = (W + 1) * (T + 1);
const paper = changes => tiny({
  r: 2, W, T, horizon: 'one', k: 1, loss: 'target', vocab: 'paper', layers: SMALL ? 1 : 4, d: 128, heads: 4, ff: 128, rope: 0.25, batch, lr: 0.0003,
  steps: 100_000, every: 100_000, evaln: 8, ...changes,
});
/** d_ff gives a GPT-NeoX of this size as many parameters as the model has, to a quarter of a percent. */
const MODELS = [
  { name: 'GPT-NeoX', model: 'neox', ff: 128 },
  { name: 'LSTM', model: 'lstm', ff: 254 },
  { name: 'Mamba', model: 'mamba', ff: 178 },
  { name: 'ARMT', model: 'armt', ff: 226 },
];

const site = await serveSite({ counted: prelude('as is') });
const browser = await launch(...WEBGPU);
const version = await browser.version();
const config = changes => configOf(browser, site.site(), paper(changes));

const onCpu = async (name, changes) => {
  const asked = await config(changes);
  return { name, go: () => ours(browser, site.blank(), asked, { program: FUSED, workers: 1, count }) };
};
const contenders = [];
for (const { name, model, ff } of MODELS) {
  contenders.push(await onCpu(name, { model }));
  if (model !== 'neox') contenders.push(await onCpu(`GPT-NeoX, d_ff ${ff}`, { model: 'neox', ff }));
}
await takeTurns(contenders, rounds);

/** Steps on the graphics engine: their times, and dispatches a step. */
async function onGpu(changes) {
  const marks = [];
  const mark = async page => marks.push({ ...(await counts(page)), step: await page.evaluate(() => window.clock.at(-1)[0]) });
  const settle = async page => {
    await new Promise(resolve => setTimeout(resolve, 600));
    await mark(page);
  };
  const asked = await config({ engine: 'webgpu', batch: few, ...changes });
  const { times, first } = await ours(browser, site.blank('counted'), asked, { program: FUSED, warm: 2, count: 4, prepare: listen, during: settle, after: settle });
  const [early, late] = marks;
  return { times, first, dispatches: (late.dispatches - early.dispatches) / Math.max(1, late.step - early.step), pipelines: late.pipelines, adapter: late.adapters[0] };
}
const gpu = [];
// A software adapter compiles slowly: to see that this runs, two will do.
for (const { name, model } of SMALL ? MODELS.slice(0, 2) : MODELS) gpu.push({ name, long: await onGpu({ model }), short: await onGpu({ model, T: T / 2 }) });
await browser.end();
await site.close();

const seconds = milliseconds => (milliseconds / 1000).toFixed(2);
const thousands = number => number.toLocaleString('en-GB');
/** Milliseconds of a step, and parameters as the worker counts them. */
const found = name => {
  const { times, result } = contenders.find(contender => contender.name === name);
  return { time: median(times), parameters: result.parameters };
};
const cpuRows = MODELS.map(({ name, model, ff }) => {
  const [own, equal] = [found(name), model === 'neox' ? undefined : found(`GPT-NeoX, d_ff ${ff}`)];
  const beside = equal ? `${seconds(equal.time)} (${thousands(equal.parameters)}) | ${(own.time / equal.time).toFixed(2)}` : ' | ';
  return `| ${name} | ${thousands(own.parameters)} | ${seconds(own.time)} | ${thousands(Math.round((batch * TOKENS * 1000) / own.time))} | ${beside} |`;
});
const gpuRows = gpu.map(({ name, long, short }) =>
  `| ${name} | ${seconds(median(long.times))} | ${thousands(Math.round((few * TOKENS * 1000) / median(long.times)))} | ${long.dispatches.toFixed(1)} | ${short.dispatches.toFixed(1)} | ${long.pipelines} | ${seconds(long.first)} |`);
const report = `Each architecture at the paper's size: 4 layers, d 128, vocabulary of 128, 20 cells, 10 rows and the answer, 231 tokens (ARMT reads some twice: it
has 378 tokens, and 16 memory tokens in each of nine segments). By \`node tests/bench/models.mjs${words()}\`, ${version}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim()},
${new Date().toISOString().slice(0, 10)}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn of ${count} steps, medians. Tokens a second count the 231 for all.

On the CPU, one worker, batches of ${batch}:

| model | parameters | step, s | tokens/s | GPT-NeoX of as many parameters, s | times that |
|---|---|---|---|---|---|
${cpuRows.join('\n')}

On WebGPU, ${gpu[0].long.adapter}, batches of ${few} (a software adapter: the counts are what matters):

| model | step, s | tokens/s | dispatches a step | … with 5 rows instead of 10 | pipelines | first loss after, s |
|---|---|---|---|---|---|---|
${gpuRows.join('\n')}
`;
publish('models', report);
