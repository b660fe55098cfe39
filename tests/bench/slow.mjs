// What a visitor waits for on a slow machine: Chromium and Firefox, each with the whole processor and with a share of one core, enforced by a control
// group. A first visit in a fresh profile, the first answer, the first fifty steps of the preset that the page opens with.
//   node tests/bench/slow.mjs [--rounds 3] [--share 0.5]
// --share is a share of one core. Writes its table into docs/bench.md. Needs dist/ (./serve --build-only), and to be root for the slow rows.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FIREFOX, close, launchFirefox, launchIn, openPage, press, serveSite, state, steps } from '../browser/harness.mjs';
import { SMALL, median, publish, words } from './shared.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, share: { type: 'string', default: '0.5' } } });
const share = Number(values.share);
const STEPS = SMALL ? 2 : 50;
const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-slow-'));

/** A control group that gets this share of a core; undefined, and said, where there cannot be one. */
function group() {
  const old = existsSync('/sys/fs/cgroup/cpu');
  const place = path.join('/sys/fs/cgroup', old ? 'cpu' : '', `lookahead-slow-${process.pid}`);
  const write = (name, value) => writeFileSync(path.join(place, name), value);
  try {
    mkdirSync(place);
    if (old) {
      write('cpu.cfs_period_us', '100000');
      write('cpu.cfs_quota_us', `${100_000 * share}`);
    } else {
      write('cpu.max', `${100_000 * share} 100000`);
    }
    return place;
  } catch (error) {
    console.error(`→ NOT RUN: the slow rows, because no control group can be made (${error.message})`);
    return undefined;
  }
}

/** A program that enters the group and then is the browser. */
function within(place, program) {
  const script = path.join(folder, `${path.basename(program)}-slow`);
  writeFileSync(script, `#!/bin/sh\necho $$ >'${place}/cgroup.procs'\nexec '${program}' "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const START = {
  Chromium: (profile, program) => {
    process.env.CHROMIUM = program;
    return launchIn(profile);
  },
  Firefox: launchFirefox,
};
const place = group();
const site = await serveSite();
const contenders = [['Chromium', CHROMIUM], ...(FIREFOX ? [['Firefox', FIREFOX]] : [])].flatMap(([browser, program]) => [
  { browser, program, speed: `${availableParallelism()} cores` },
  ...(place ? [{ browser, program: within(place, program), speed: `${share} of a core` }] : []),
]);
for (const contender of contenders) contender.times = [];

/** One visit. @returns { usable, answered, trained }, in milliseconds; the last two since their press */
async function visit({ browser: kind, program }) {
  const browser = await START[kind](mkdtempSync(path.join(folder, 'profile-')), program);
  const version = await browser.version();
  const since = async act => {
    const begun = performance.now();
    await act();
    return performance.now() - begun;
  };
  let page;
  const usable = await since(async () => { page = await openPage(browser, site.site()); });
  const answered = await since(async () => {
    await press(page, '#puzzle-check');
    await page.waitForSelector('#puzzle[data-checked]');
  });
  const trained = await since(async () => {
    await press(page, '#train');
    await steps(page, STEPS);
  });
  await press(page, '#stop');
  await state(page, 'finished', 'idle');
  await close(browser);
  return { version, usable, answered, trained };
}

for (let round = 1; round <= Number(values.rounds); round += 1) {
  for (const contender of round % 2 ? contenders : [...contenders].reverse()) {
    const { version, ...times } = await visit(contender);
    contender.version = version;
    contender.times.push(times);
    console.error(`round ${round}: ${version}, ${contender.speed}: ${Object.values(times).map(time => `${(time / 1000).toFixed(1)} s`).join(', ')}`);
  }
}
await site.close();
// Processes of the last browser may still be ending.
for (let turn = 0; place && existsSync(place) && turn < 50; turn += 1) {
  try {
    rmdirSync(place);
  } catch {
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}
rmSync(folder, { recursive: true, force: true, maxRetries: 20 });

const second = (times, name) => `${(median(times.map(time => time[name])) / 1000).toFixed(1)} s`;
const rows = contenders.map(({ version, speed, times }) => `| ${version} | ${speed} | ${['usable', 'answered', 'trained'].map(name => second(times, name)).join(' | ')} |`);
publish('slow', `A first visit, median of ${values.rounds}; by \`node tests/bench/slow.mjs${words()}\`, ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}.

| | processor | the page can be used | an answer is checked | ${STEPS} steps are trained |
|---|---|---|---|---|
${rows.join('\n')}
`);
process.exit(0);
