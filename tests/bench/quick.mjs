// How soon a preset has learnt to look ahead, in the page itself as a visitor meets it: one headless Chromium, the preset's
// button, Train, and the reports of the page's own worker.
//   node tests/bench/quick.mjs [--preset quick] [--seed 1,2,3] [--seconds 600] [--write]
// --preset is a preset's key in src/config/presets.rs. --seed changes the seed in the preset's link, and makes one run each. --seconds stops a run that takes longer by the clock.
// --write puts the result between the two "measured KEY" marks of the page in docs/ that has them. Needs dist/ (./serve --build-only).
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { launch, open, press, serveSite, text, unsealed, usable } from '../browser/harness.mjs';
import { DOCS, SMALL, words } from './shared.mjs';

const { values } = parseArgs({
  options: { preset: { type: 'string', default: 'quick' }, seed: { type: 'string' }, seconds: { type: 'string', default: '600' }, write: { type: 'boolean', default: false } },
});
const limit = Number(values.seconds);
const seeds = values.seed?.split(',').map(seed => seed.trim()) ?? [undefined];
const [BEGIN, END] = [`<!-- measured ${values.preset} -->`, `<!-- /measured ${values.preset} -->`];
/** Where --write puts the result; looked up first, so that no run is made in vain. */
const PAGE = values.write
  ? ['quick-preset.md', 'quick-presets.md'].map(name => path.join(DOCS, name)).find(page => {
      const whole = readFileSync(page, 'utf8');
      const from = whole.indexOf(BEGIN);
      return from >= 0 && whole.indexOf(END) > from;
    })
  : undefined;
if (values.write && !PAGE) throw new Error(`no page of docs/ has “${BEGIN}” before “${END}”`);
/** How far from a floor to the ceiling counts as having learnt. */
const WAY = 0.9;

/** Before the page's own script: keeps what its worker says, and when, and when Train was pressed. */
function watch() {
  window.seen = { pressed: undefined, started: undefined, measured: [], finished: undefined, failed: undefined };
  addEventListener('click', ({ target }) => {
    if (target.closest?.('#train')) window.seen.pressed = performance.now();
  }, true);
  window.Worker = class extends window.Worker {
    constructor(...details) {
      super(...details);
      this.addEventListener('message', ({ data }) => {
        const wall = (performance.now() - window.seen.pressed) / 1000;
        const { Started, Measured, Finished, Failed } = data[0];
        if (Started) window.seen.started = { ...Started, wall };
        if (Measured) window.seen.measured.push({ step: Measured.step, seconds: Measured.seconds, split: Measured.split, depths: Measured.depths, wall });
        if (Finished) window.seen.finished = { ...Finished, wall };
        if (Failed) window.seen.failed = `${Failed.sentence} ${Failed.remedy}`;
      });
    }
  };
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
const share = ({ exact, samples }) => exact / samples;
const smallest = ({ depths }) => depths.reduce((least, score) => (score.depth < least.depth ? score : least));

/** One run of the preset, with this seed if one is asked for. */
async function trial(browser, address, seed) {
  const page = await open(browser, 'about:blank');
  await page.evaluateOnNewDocument(watch);
  await page.goto(address, { waitUntil: 'load' });
  await usable(page);
  if (!(await page.$(`#preset-${values.preset}`))) throw new Error(`the page has no preset “${values.preset}”`);
  await press(page, `#preset-${values.preset}`);
  await page.waitForFunction(preset => document.querySelector(`#preset-${preset}`).getAttribute('aria-pressed') === 'true', {}, values.preset);
  const link = () => page.$eval('#link-text', box => box.value.split('#')[1] ?? '');
  const changes = { ...(seed === undefined ? {} : { seed }), ...(SMALL ? { steps: 4, every: 2, evaln: 16 } : {}) };
  if (Object.keys(changes).length > 0) {
    const wanted = Object.entries(changes).reduce((link, [key, value]) => link.replace(new RegExp(`(^|&)${key}=[^&]*`), `$1${key}=${value}`), unsealed(await link()));
    await page.evaluate(fragment => { location.hash = fragment; }, wanted);
    const read = wanted => document.querySelector('#faults') || document.querySelector('#link-text').value.split('#')[1].replace(/&sum=[0-9a-f]{8}/, '') === wanted;
    await page.waitForFunction(read, {}, wanted);
    const faults = await text(page, '#faults');
    if (faults) throw new Error(faults);
  }
  const fragment = await link();
  seed = new URLSearchParams(fragment).get('seed');
  await press(page, '#train');

  const begun = Date.now();
  let told = 0;
  let stopped = false;
  for (;;) {
    await pause(300);
    const { state, seen } = await page.evaluate(() => ({ state: document.body.dataset.state, seen: { failed: window.seen.failed, measured: window.seen.measured } }));
    if (state === 'failed') throw new Error(seen.failed ?? (await text(page, '#failure')));
    for (const measured of seen.measured.slice(told)) {
      console.error(`seed ${seed}: step ${measured.step}, ${measured.seconds.toFixed(1)} s of training, ${measured.wall.toFixed(1)} s in all: ${measured.depths.map(score => share(score).toFixed(2)).join(' ')} (${measured.split})`);
    }
    told = seen.measured.length;
    if (state === 'finished') break;
    if (stopped && state === 'idle') throw new Error(`the run had not begun after ${limit} s`);
    if (!stopped && Date.now() - begun > 1000 * limit) {
      stopped = true;
      await press(page, '#stop');
    }
  }
  // The page redraws at most ten times a second, and refines its floors and ceiling for at most twenty seconds.
  await pause(1000);
  await page.waitForFunction(() => ![...document.querySelectorAll('#depth-table tbody tr:first-child td')].some(cell => cell.textContent === '–'));
  const cells = await page.$$eval('#depth-table tbody tr:first-child > *', cells => cells.map(cell => cell.textContent.trim()));
  const seen = await page.evaluate(() => window.seen);
  if (page.complaints.length > 0) console.error(page.complaints.join('\n'));
  await page.close();
  const [depth, , interval, ceiling, copy, cycle] = cells;
  return { seed, fragment, stopped, seen, depth, interval, ...references(ceiling, copy, cycle) };
}

/** The page's percentages as shares. */
function references(...percentages) {
  const [ceiling, copy, cycle] = percentages.map(words => {
    const number = Number.parseFloat(words) / 100;
    if (!Number.isFinite(number)) throw new Error(`the page's table says “${words}” where a percentage should be`);
    return number;
  });
  return { ceiling, copy, cycle };
}

/** Table rows of a run: when it first passed each mark, and how it ended. */
function rows({ seed, stopped, seen, depth, interval, ceiling, copy, cycle }) {
  const onTheWay = seen.measured.filter(({ split }) => split === 'Validation');
  const percent = value => `${(100 * value).toFixed(1).replace(/\.0$/, '')} %`;
  const line = (what, score, at) => `| ${seed} | ${what} | ${score} | ${at ? `${at.step} | ${at.seconds.toFixed(1)} | ${at.wall.toFixed(1)}` : 'not reached | | '} |`;
  const mark = (name, floor) => {
    const goal = floor + WAY * (ceiling - floor);
    const first = onTheWay.find(measured => share(smallest(measured)) >= goal);
    return line(`${100 * WAY} % of the way from ${name} (${percent(floor)}) to the ceiling (${percent(ceiling)}) at k = ${depth}`, `≥ ${percent(goal)}${first ? `: ${percent(share(smallest(first)))}` : ''}`, first);
  };
  const last = seen.measured.findLast(({ split }) => split === 'Test');
  const marks = [mark('the copy floor', copy), mark(cycle > copy ? 'the higher floor, the cycle' : 'the higher floor, the copy', Math.max(copy, cycle))];
  const test = smallest(last);
  return [...marks, line(`${stopped ? `stopped after ${limit} s` : 'the end'}; test rules, k = ${depth}`, `${percent(share(test))} (${test.exact} of ${test.samples}; 95 %: ${interval})`, last)];
}

const site = await serveSite();
const browser = await launch();
const version = await browser.version();
const trials = [];
try {
  for (const seed of seeds) trials.push(await trial(browser, site.site(), seed));
} finally {
  await browser.end();
  await site.close();
}

const { engine, parameters } = trials[0].seen.started;
const questions = smallest(trials[0].seen.measured[0]).samples;
const report = `| seed | what | exact match | step | s of training | s since Train |
|---|---|---|---|---|---|
${trials.flatMap(rows).join('\n')}

Preset \`${values.preset}\` (${parameters} parameters), engine ${engine.class} (${engine.name}) on ${engine.workers} worker(s), ${version}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}.
Each measurement asks ${questions} questions of held-out rules, so a first passing is a little early by luck. "s of training" leaves measurements out;
"s since Train" is what a visitor waits, the loading of the engine included. Floors and ceiling are those of the page's table, of validation rules and rounded.

    node tests/bench/quick.mjs${words()}

${trials.length > 1 ? 'The first run’s link; the others differ in their seed' : 'The run’s link'}: \`#${trials[0].fragment}\`
`;
console.log(report);
if (values.write) {
  const whole = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, `${whole.slice(0, whole.indexOf(BEGIN) + BEGIN.length)}\n\n${report}\n${whole.slice(whole.indexOf(END))}`);
}
