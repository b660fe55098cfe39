// The training step of a GPT with 4 layers, d 128, 4 heads, MLP 512, 220 positions and 32 sequences, in one headless Chromium:
// ours on one worker and on all, next to jax-js on one thread and on all. They take turns, round by round, because
// machines are noisy and only ratios from the same minutes mean anything.
//   node tests/bench/peers.mjs [--rounds 3] [--steps 3]
// Writes its tables, and where our own step's time goes by operator, into docs/bench.md.
// Needs dist/ (./serve --build-only) and, for jax-js, the folder ../shared/peers-bench; without it only ours is measured.
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DIST, launch, serveSite, tiny } from '../browser/harness.mjs';
import { serve } from '../browser/server.mjs';
import { FUSED, SEPARATE, configOf } from '../browser/worker.mjs';
import { ISOLATED, SMALL, jax, jaxPage, median, ours, publish, takeTurns, timesOf, words } from './shared.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '3' } } });
const [rounds, count] = [Number(values.rounds), Number(values.steps)];
const CORES = availableParallelism();

/** 12 rows of 16 cells and the answer make 221 tokens, of which a model reads 220. */
const { W, T, L, D, H, F, B } = SMALL ? { W: 8, T: 3, L: 1, D: 64, H: 4, F: 128, B: 4 } : { W: 16, T: 12, L: 4, D: 128, H: 4, F: 512, B: 32 };
const S = (W + 1) * (T + 1) - 1;
/** Every row is learned from, as the peer learns from every position. */
const SHAPE = tiny({ r: 2, W, T, horizon: 'one', k: 1, layers: L, d: D, heads: H, ff: F, rope: 0.25, batch: B, lr: 0.001, steps: 1000, every: 100_000, evaln: 8 });
/** As the peers count: six operations a weight and token, and attention's two products thrice. */
const GFLOP = (6 * (L * (4 * D * D + 2 * D * F) + 2 * 16 * D) * B * S + 3 * 4 * L * B * S * S * D) / 1e9;
const QUERY = `backend=wasm&warm=1&steps=${count}&L=${L}&D=${D}&H=${H}&F=${F}&T=${S}&B=${B}`;

/** What a step is made of: the functions of the CPU engine that a profiler sees, by operator. */
const OPERATORS = [
  ['linear maps forwards (bias, GELU, residual inside)', /products::forward/],
  ['linear maps, gradient of the input (GELU\'s slope inside)', /products::input_gradient/],
  ['linear maps, gradient of the weight', /products::weight_gradient/],
  ['attention forwards (rotary inside)', /attention::forward/],
  ['attention backwards', /attention::backward/],
  ['norms, both ways', /norm::(forward|backward)/],
  ['sums over rows (gradients of biases and gains)', /rows::column_sum/],
  ['embedding, both ways', /rows::(embed|embed_backward|select|select_backward)$/],
  ['cross-entropy and hits', /rows::(cross_entropy|total)$/],
  ['clipping and AdamW', /Updater::apply/],
];

/** Starts the browser's sampling profiler in the page's worker, and stops it. */
const profiler = {
  async during(page) {
    const client = page.workers()[0].client;
    await client.send('Profiler.enable');
    await client.send('Profiler.start');
    return client;
  },
  after: async (page, client) => (await client.send('Profiler.stop')).profile,
};

if (!existsSync(path.join(DIST, 'index.html'))) throw new Error('dist/ is not there: run ./serve --build-only first');
const site = await serveSite();
const www = jaxPage();
const peers = www && (await serve([{ at: '/one/', folder: www }, { at: '/all/', folder: www, headers: ISOLATED }]));
const browser = await launch();
const config = await configOf(browser, site.site(), SHAPE);

const own = (program, workers) => () => ours(browser, site.blank(), config, { program, workers, count });
const contenders = [
  { name: 'Lookahead, one worker', go: own(FUSED, 1) },
  ...(peers ? [{ name: 'jax-js 0.1.25, one thread', go: () => jax(browser, `${peers.origin}/one/`, QUERY) }] : []),
  { name: `Lookahead, all ${CORES} cores`, go: own(FUSED, 0) },
  ...(peers ? [{ name: `jax-js 0.1.25, all ${CORES} cores`, go: () => jax(browser, `${peers.origin}/all/`, QUERY) }] : []),
  { name: 'Lookahead without fused multiply-add, one worker', go: own(SEPARATE, 1) },
];
await takeTurns(contenders, rounds);
const { seen } = await ours(browser, site.blank(), config, { program: FUSED, count: 3 * count, ...profiler });
const version = await browser.version();
await browser.end();
await site.close();
await peers?.close();

const [one, , all] = peers ? contenders : [contenders[0], undefined, contenders[1]];
const rival = { [one.name]: peers && contenders[1], [all.name]: peers && contenders[3], [contenders.at(-1).name]: peers && contenders[1] };
const seconds = milliseconds => (milliseconds / 1000).toFixed(2);
const rows = contenders.map(contender => {
  const { name, times } = contender;
  const middle = median(times);
  const ratio = rival[name] ? (middle / median(rival[name].times)).toFixed(2) : '';
  return `| ${name} | ${seconds(middle)} | ${seconds(Math.min(...times))} | ${((1000 * GFLOP) / middle).toFixed(1)} | ${ratio} | ${times.length} |`;
});
const { total, all: sampled } = timesOf(seen);
const share = pattern => [...total].filter(([name]) => pattern.test(name)).reduce((sum, [, time]) => sum + time, 0) / sampled;
const shares = OPERATORS.map(([name, pattern]) => [name, share(pattern)]);
const rest = 1 - shares.reduce((sum, [, part]) => sum + part, 0);
const report = `One training step of ${L} layers, d ${D}, ${H} heads, MLP ${F}, batch ${B}, ${S} positions (${GFLOP.toFixed(1)} GFLOP), in headless Chromium on the CPU,
all in one browser, taking turns in ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${count} steps; the first step of each visit is left out. Ours reads ${S} of the ${S + 1} tokens of
W = ${W}, T = ${T}, k = 1 (loss on every row, AdamW, vocabulary of 12, weights not tied); jax-js runs the same shape in \`../shared/peers-bench\`
(vocabulary of 16, Adam). Its threads need the special headers of cross-origin isolation, ours do not.

By \`node tests/bench/peers.mjs${words()}\`, ${version}, ${CORES} cores of ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}. Only ratios within one table mean
anything: "times jax-js" is our median over its with as many cores. GFLOP/s count the whole square of attention, of which ours computes half.

| engine | median s | best s | GFLOP/s | times jax-js | steps |
|---|---|---|---|---|---|
${rows.join('\n')}

All ${CORES} cores take ${(median(all.times) / median(one.times)).toFixed(2)} of one worker's time.

### Where one worker's step goes, by operator

The browser's sampling profiler over ${3 * count} steps.

| operator | share |
|---|---|
${shares.map(([name, part]) => `| ${name} | ${(100 * part).toFixed(1)} % |`).join('\n')}
| everything else | ${(100 * rest).toFixed(1)} % |
`;
publish('cpu', report);
