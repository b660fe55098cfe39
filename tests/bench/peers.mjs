// The training step of a GPT with 4 layers, d 128, 4 heads, MLP 512, 220 positions and 32 sequences, in one headless Chromium:
// ours on one worker and on all, next to jax-js on one thread and on all. The four take turns, round by round, because
// machines are noisy and only ratios from the same minutes mean anything.
//   node tests/bench/peers.mjs [--rounds 3] [--steps 3] [--profile]
// --profile adds where our own step's time goes, by the browser's sampling profiler.
// Needs dist/ (./serve --build-only) and, for jax-js, the folder ../shared/peers-bench; without it only ours is measured.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DIST, ROOT, launch, open, serveSite, tiny } from '../browser/harness.mjs';
import { serve } from '../browser/server.mjs';
import { configOf } from '../browser/worker.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '3' }, profile: { type: 'boolean', default: false } } });
const [rounds, count] = [Number(values.rounds), Number(values.steps)];
const CORES = availableParallelism();
const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'lookahead');

/** 12 rows of 16 cells make 221 tokens, of which a model reads 220. Every row is learned from, as the peer learns from every position. */
const SHAPE = tiny({ r: 2, W: 16, T: 12, horizon: 'one', k: 1, layers: 4, d: 128, heads: 4, ff: 512, rope: 0.25, batch: 32, lr: 0.001, steps: 1000, every: 100_000, evaln: 8 });
/** As the peers count: six operations a weight and token, and attention's two products thrice. */
const GFLOP = (6 * (4 * (4 * 128 * 128 + 2 * 128 * 512) + 2 * 16 * 128) * 32 * 220 + 3 * 4 * 4 * 32 * 220 * 220 * 128) / 1e9;

/** jax-js's page, built in the cache from ../shared/peers-bench; undefined where that is not. */
function jaxPage() {
  const source = path.join(ROOT, '../shared/peers-bench');
  if (!existsSync(source)) return undefined;
  const folder = path.join(CACHE, 'peers-bench');
  if (!existsSync(path.join(folder, 'www/jax.js'))) {
    console.error('→ fetching and bundling jax-js, once (about half a minute)');
    cpSync(source, folder, { recursive: true, mode: 0 });
    execFileSync('chmod', ['-R', 'u+w', folder]);
    for (const command of [['install', '--no-audit', '--no-fund'], ['run', 'build']]) execFileSync('npm', command, { cwd: folder, stdio: 'ignore' });
  }
  return path.join(folder, 'www');
}

/** Milliseconds of each of `count` steps after the first of a fresh worker, and what a profiler saw of them if asked. */
async function ours(browser, blank, config, workers, profile) {
  const page = await open(browser, blank);
  await page.evaluate((config, workers) => {
    window.clock = [];
    window.worker = new Worker('./worker_loader.js', { type: 'module' });
    window.worker.onmessage = ({ data: [text] }) => {
      const report = JSON.parse(text);
      if (report === 'Ready') window.worker.postMessage([JSON.stringify({ Start: { config, workers } })]);
      if (report.Failed) window.failed = report.Failed.sentence;
      if (report.Started) window.shared = report.Started.engine.workers;
      if (report.Losses) window.clock.push([report.Losses.first + report.Losses.losses.length - 1, report.Losses.seconds * 1000]);
    };
  }, config, workers);
  const made = steps => page.waitForFunction(steps => window.failed || window.clock.at(-1)?.[0] >= steps, { timeout: 900_000, polling: 50 }, steps);
  await made(1);
  const client = profile && page.workers()[0].client;
  if (client) {
    await client.send('Profiler.enable');
    await client.send('Profiler.start');
  }
  await made(1 + count);
  const sampled = client ? (await client.send('Profiler.stop')).profile : undefined;
  const { clock, failed, shared } = await page.evaluate(() => ({ clock: window.clock, failed: window.failed, shared: window.shared }));
  await page.close();
  if (failed) throw new Error(failed);
  const times = clock.slice(1).map(([step, time], index) => (time - clock[index][1]) / (step - clock[index][0]));
  return { times: times.slice(0, count), shared, sampled };
}

async function jax(browser, address) {
  const page = await browser.newPage();
  await page.goto(`${address}jax.html?backend=wasm&warm=1&steps=${count}`);
  await page.waitForFunction(() => window.RESULT, { timeout: 900_000, polling: 200 });
  const result = await page.evaluate(() => window.RESULT);
  await page.close();
  if (result.error) throw new Error(result.error);
  return { times: result.times };
}

const median = numbers => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

/** Self time by function, largest first. */
function hottest({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName || '(nameless)']));
  const spent = new Map();
  samples.forEach((id, index) => spent.set(names.get(id), (spent.get(names.get(id)) ?? 0) + timeDeltas[index]));
  const all = [...spent.values()].reduce((sum, time) => sum + time, 0);
  return [...spent].sort((a, b) => b[1] - a[1]).slice(0, 25).map(([name, time]) => [name.replace(/::h[0-9a-f]{16}$/, '').slice(0, 140), (100 * time) / all]);
}

if (!existsSync(path.join(DIST, 'index.html'))) throw new Error('dist/ is not there: run ./serve --build-only first');
const site = await serveSite();
const www = jaxPage();
const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-resource-policy': 'same-origin' };
const peers = www && (await serve([{ at: '/one/', folder: www }, { at: '/all/', folder: www, headers: isolated }]));
const browser = await launch();
const config = await configOf(browser, site.site(), SHAPE);

const contenders = [
  { name: 'Lookahead, one worker', go: () => ours(browser, site.blank(), config, 1) },
  ...(peers ? [{ name: 'jax-js 0.1.25, one thread', go: () => jax(browser, `${peers.origin}/one/`) }] : []),
  { name: `Lookahead, all ${CORES} cores`, go: () => ours(browser, site.blank(), config, 0) },
  ...(peers ? [{ name: `jax-js 0.1.25, all ${CORES} cores`, go: () => jax(browser, `${peers.origin}/all/`) }] : []),
];
for (const contender of contenders) contender.times = [];
for (let round = 1; round <= rounds; round += 1) {
  // Every other round in the opposite order, so that nobody always goes first.
  for (const contender of round % 2 ? contenders : [...contenders].reverse()) {
    const { times } = await contender.go();
    contender.times.push(...times);
    console.error(`round ${round} of ${rounds}: ${contender.name}: ${times.map(time => `${(time / 1000).toFixed(2)} s`).join(', ')}`);
  }
}
const sampled = values.profile ? (await ours(browser, site.blank(), config, 1, true)).sampled : undefined;
const version = await browser.version();
await browser.end();
await site.close();
await peers?.close();

const rows = contenders.map(({ name, times }) => {
  const middle = median(times);
  const rival = contenders.find(other => other.name !== name && other.name.split(', ')[1].replace('worker', 'thread') === name.split(', ')[1].replace('worker', 'thread'));
  const ratio = rival ? (middle / median(rival.times)).toFixed(2) : '';
  return `| ${name} | ${(middle / 1000).toFixed(2)} | ${(Math.min(...times) / 1000).toFixed(2)} | ${((1000 * GFLOP) / middle).toFixed(1)} | ${ratio} | ${times.length} |`;
});
const table = ['| engine | median s | best s | GFLOP/s | times the other | steps |', '|---|---|---|---|---|---|', ...rows].join('\n');
const where = sampled ? `\n## Where the step's time goes\n\nOne worker, the browser's sampling profiler, self time.\n\n| share | function |\n|---|---|\n${hottest(sampled).map(([name, share]) => `| ${share.toFixed(1)} % | \`${name.replaceAll('|', '\\|')}\` |`).join('\n')}\n` : '';
const report = `# The training step next to jax-js

One training step of 4 layers, d 128, 4 heads, MLP 512, batch 32, 220 positions (${GFLOP.toFixed(1)} GFLOP), in headless Chromium on the CPU.
All in one browser, taking turns in ${rounds} rounds of ${count} steps; the first step of each visit is left out.
Ours reads 220 of the 221 tokens of W = 16, T = 12, k = 1 (loss on every row, AdamW, vocabulary of 12, weights not tied).
jax-js runs the same shape in \`../shared/peers-bench\` (vocabulary of 16, Adam); its threads need the special headers of cross-origin isolation, ours do not.

Measured by \`node tests/bench/peers.mjs\` in ${version} on ${CORES} cores of ${cpus()[0]?.model.trim()}.
Only the ratios of one table may be compared: "times the other" is our median over jax-js's with as many cores, and the reverse.

${table}
${where}`;
mkdirSync(path.join(ROOT, 'docs'), { recursive: true });
writeFileSync(path.join(ROOT, 'docs/bench-peers.md'), report);
console.log(table + where);
