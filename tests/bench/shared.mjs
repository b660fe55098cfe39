// What the benchmarks share: jax-js's page, visits to it and to our worker, rounds in turn, and places in docs/.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ROOT, open } from '../browser/harness.mjs';

export const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'lookahead');
/** Whether tests/commands.mjs runs this to see that it runs: on sizes that take seconds, so that its numbers mean nothing. */
export const SMALL = process.env.LOOKAHEAD_SMALL === '1';
/** Where the reports are written. tests/commands.mjs gives a copy, so that its runs leave no numbers in docs/. */
export const DOCS = process.env.LOOKAHEAD_DOCS ?? path.join(ROOT, 'docs');
/** The options that a benchmark was called with, as a report repeats them. */
export const words = () => process.argv.slice(2).map(word => ` ${word}`).join('');
/** Headers of cross-origin isolation: they let wasm have threads, and clocks be fine. */
export const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-resource-policy': 'same-origin' };

/** jax-js's page, built in the cache from ../shared/peers-bench; undefined, and said, where that cannot be. */
export function jaxPage() {
  const source = path.join(ROOT, '../shared/peers-bench');
  const without = why => console.error(`→ NOT RUN: jax-js, because ${why}`);
  if (!existsSync(source)) return without('the folder ../shared/peers-bench is not there');
  const folder = path.join(CACHE, 'peers-bench');
  if (!existsSync(path.join(folder, 'www/jax.js'))) {
    console.error('→ fetching and bundling jax-js, once (about half a minute)');
    cpSync(source, folder, { recursive: true, mode: 0 });
    execFileSync('chmod', ['-R', 'u+w', folder]);
    try {
      for (const command of [['install', '--no-audit', '--no-fund'], ['run', 'build']]) execFileSync('npm', command, { cwd: folder, stdio: 'ignore' });
    } catch (error) {
      return without(`npm could not fetch or bundle it (${error.message})`);
    }
  }
  return path.join(folder, 'www');
}

/**
 * Milliseconds of each of `count` steps after the first `warm` of a fresh worker, its engine and number of parameters, and when its
 * first loss came after the start.
 * @param options.program the build of the worker; options.workers (0: all cores); options.during called with the page once the warm steps are made
 */
export async function ours(browser, blank, config, { program, workers = 1, warm = 1, count, prepare, during, after }) {
  const page = await open(browser, blank);
  await prepare?.(page);
  await page.evaluate((program, config, workers) => {
    window.clock = [];
    window.worker = new Worker(program, { type: 'module' });
    window.worker.onmessage = ({ data: [report] }) => {
      if (report === 'Ready') {
        window.start = performance.now();
        window.worker.postMessage([{ Start: { config, workers, bytes: 'None' } }]);
      }
      if (report.Failed) window.failed = report.Failed.sentence;
      if (report.Started) window.started = report.Started;
      if (report.Losses) {
        window.first ??= performance.now() - window.start;
        window.clock.push([report.Losses.first + report.Losses.losses.length - 1, report.Losses.seconds * 1000]);
      }
    };
  }, program, config, workers);
  const made = (steps, reports) => {
    const enough = (steps, reports) => window.failed || (window.clock.at(-1)?.[0] >= steps && window.clock.length >= reports);
    return page.waitForFunction(enough, { timeout: 1_800_000, polling: 50 }, steps, reports);
  };
  await made(warm, 1);
  const begun = await during?.(page);
  // Where steps are quick the first report has them all, and only between two reports is there a time.
  await made(warm + count, 2);
  const seen = await after?.(page, begun);
  const { clock, failed, started, first } = await page.evaluate(() => ({ clock: window.clock, failed: window.failed, started: window.started, first: window.first }));
  await page.close();
  if (failed) throw new Error(failed);
  // A report may cover several steps: each counts with the mean of its report.
  const times = clock.slice(1).flatMap(([step, time], index) => {
    const [before, since] = clock[index];
    return Array.from({ length: step - before }, () => (time - since) / (step - before));
  });
  return { times: times.slice(Math.max(0, warm - clock[0][0])), ...started, first, seen };
}

/** Milliseconds of each step of jax-js after its first. */
export async function jax(browser, address, query) {
  const page = await browser.newPage();
  await page.goto(`${address}jax.html?${query}`);
  await page.waitForFunction(() => window.RESULT, { timeout: 1_800_000, polling: 200 });
  const result = await page.evaluate(() => window.RESULT);
  await page.close();
  if (result.error) throw new Error(result.error);
  return { times: result.times };
}

/** Lets contenders `{ name, go }` take turns; collects `times` (and the last `result`) in each. */
export async function takeTurns(contenders, rounds) {
  for (const contender of contenders) contender.times = [];
  for (let round = 1; round <= rounds; round += 1) {
    // Every other round in the opposite order, so that nobody always goes first.
    for (const contender of round % 2 ? contenders : [...contenders].reverse()) {
      const result = await contender.go();
      contender.times.push(...result.times);
      contender.result = result;
      console.error(`round ${round} of ${rounds}: ${contender.name}: ${result.times.slice(0, 8).map(time => `${(time / 1000).toFixed(3)} s`).join(', ')}`);
    }
  }
}

export const median = numbers => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

/** Self and total milliseconds by function of a sampled profile, and the time sampled. */
export function timesOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id])));
  const name = id => (byId.get(id).callFrame.functionName || '(nameless)').replace(/::h[0-9a-f]{16}$/, '');
  const [self, total] = [new Map(), new Map()];
  let all = 0;
  samples.forEach((id, index) => {
    const time = timeDeltas[index] / 1000;
    all += time;
    self.set(name(id), (self.get(name(id)) ?? 0) + time);
    const names = new Set();
    for (let at = id; at !== undefined; at = parents.get(at)) names.add(name(at));
    for (const each of names) total.set(each, (total.get(each) ?? 0) + time);
  });
  return { self, total, all };
}

/** Puts a report into docs/bench.md, between the marks `<!-- name -->` and `<!-- /name -->`, and prints it. */
export function publish(name, report) {
  const place = path.join(DOCS, 'bench.md');
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  let whole = existsSync(place) ? readFileSync(place, 'utf8') : '# Benchmarks\n';
  if (!whole.includes(begin)) whole = `${whole.trimEnd()}\n\n${begin}\n${end}\n`;
  const [from, to] = [whole.indexOf(begin) + begin.length, whole.indexOf(end)];
  writeFileSync(place, `${whole.slice(0, from)}\n\n${report.trim()}\n\n${whole.slice(to)}`);
  console.log(report);
}
