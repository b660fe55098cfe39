// What learning from a reward shows, fed with reports as a worker would send them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attribute, fits, launch, openPage, press, serveSite, text, tiny } from './harness.mjs';

const W = 8;
const [GROUP, STEPS] = [8, 60];
/** The ids of the compact vocabulary. */
const [SEP, GEN, EOS] = [2, 3, 4];
const fragment = (changes = {}) => tiny({
  W, horizon: 'one', k: 2, loss: 'all', learn: 'grpo', from: 'file-0123456789abcdef', group: GROUP, new: 40, batch: 4, steps: STEPS, ...changes,
});

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch();
});
after(async () => {
  await browser?.end();
  await site?.close();
});

/** Runs in the page before its program: a worker that says what the test tells it to. */
function standIn() {
  window.Worker = class extends EventTarget {
    constructor() {
      super();
      window.say = report => this.onmessage?.(new MessageEvent('message', { data: [report] }));
      setTimeout(() => window.say('Ready'));
    }
    postMessage([command]) {
      (window.asked ??= []).push(command);
    }
    terminate() {}
  };
}

/** Opens the page with the stand-in for its worker. */
async function opened(link) {
  const newPage = async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(standIn);
    return page;
  };
  const page = await openPage({ newPage }, `${site.site()}?workers=1#${link}`);
  page.say = report => page.evaluate(report => window.say(report), report);
  return page;
}

/** Begins the run and lets it make no step yet. */
async function begun(page) {
  // The weights that the run says it starts from; the stand-in does not look at them.
  await page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const file = await folder.getFileHandle('weights-0123456789abcdef.safetensors', { create: true });
    const stream = await file.createWritable();
    await stream.write(new Uint8Array(8));
    await stream.close();
  });
  await press(page, '#train');
  await page.waitForFunction(() => (window.asked ?? []).some(command => command.Start));
  const hash = await page.evaluate(() => String(window.asked.find(command => command.Start).Start.config.start.File));
  assert.equal(hash, String(0x0123_4567_89ab_cdefn), 'the hash of the file reaches the worker to its last digit');
  const engine = { class: 'Separate', name: 'a stand-in', software: false, workers: 1, note: '' };
  await page.say({ Started: { engine, parameters: 5000, step: 0 } });
  await page.waitForSelector('#reward:not([hidden]) #first-group svg, #reward:not([hidden]) #first-group .hint');
}

/** Completions with these numbers of right tokens; `tokens` makes them. */
function groupOf(rights, tokens) {
  const rewards = rights.map(right => right / (W + 1));
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const deviation = Math.sqrt(rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / (rewards.length - 1));
  return rewards.map((reward, place) => ({ index: 3, tokens: tokens(place), reward, advantage: (reward - mean) / (deviation + 1e-4) }));
}
const cells = (count, seed) => Array.from({ length: count }, (_, place) => ((place * 7 + seed * 5 + ((place * seed) >> 1)) >> 1) & 1);
const bare = place => [...cells(W, place), EOS];
/** Some think first, one for as long as it may; one never ends. */
const thoughtful = place => {
  if (place === 5) return cells(40, 3);
  const thinking = [cells(W, place + 1), [], [SEP, ...cells(W, 1), SEP, ...cells(20, place)], [SEP, ...cells(W, place)]][place % 4];
  return thinking.length ? [...thinking, GEN, ...cells(W, place), EOS] : bare(place);
};
const EARLY = [5, 3, 7, 4, 5, 2, 6, 5];
const LATE = [9, 7, 9, 8, 9, 2, 9, 8];

const report = (first, count, group) => ({
  Rewarded: {
    first,
    steps: Array.from({ length: count }, (_, place) => {
      const done = (first + place) / STEPS;
      const noise = 0.04 * Math.sin(9 * (first + place));
      return { tokens: 320 + first, reward: 0.55 + 0.35 * done + noise, exact: Math.max(0, 0.6 * done + noise), kl: 0.02 * done * done };
    }),
    group,
  },
});
const losses = (first, count) => ({ Losses: { first, losses: Array.from({ length: count }, () => 0.01), seconds: (first + count) / 10 } });

/** Every step of the run, in two reports. */
async function trained(page) {
  await page.say(losses(1, 1));
  await page.say(report(1, 1, groupOf(EARLY, bare)));
  await page.say(losses(2, STEPS - 1));
  await page.say(report(2, STEPS - 1, groupOf(LATE, thoughtful)));
  await page.waitForFunction(steps => document.querySelector('#reward-chart')?.dataset.points === String(steps), {}, STEPS);
  await page.waitForSelector('#newest-group svg');
}

const places = page => page.$$eval('.content .card:not(.sweep)', cards => cards.map(card => [card.getAttribute('aria-label'), card.offsetTop, card.offsetHeight].join(' ')));

test('the card comes with a run that learns from a reward, says what it costs and brings, and nothing moves', async () => {
  const page = await opened(fragment());
  assert.equal(await page.$eval('#reward', card => card.checkVisibility()), false);
  await page.waitForFunction(() => /from 1000 questions/.test(document.querySelector('#depth-chart').textContent));
  await begun(page);
  assert.match(await text(page, '#reward-cost'), /^No tokens have been drawn yet; a step draws 32 answers/);
  await new Promise(resolve => setTimeout(resolve, 500));
  const before = await places(page);
  await trained(page);
  assert.deepEqual(await places(page), before);
  const tokens = 321 + (STEPS - 1) * 322;
  const plain = (await text(page, '#reward-cost')).replaceAll('\u202f', '');
  assert.ok(plain.startsWith(`${tokens} tokens drawn in ${STEPS} steps: 32 answers a step, ${Math.round(tokens / 6.1)} a second of training.`), plain);
  assert.match(plain, /computed to its 40 tokens all the same, 76800 in all/);
  const table = await page.$$eval('#reward-ends tr', rows => rows.map(row => [...row.children].map(cell => cell.textContent)));
  assert.deepEqual(table[0].slice(1), ['first steps1–10', 'last steps51–60']);
  assert.deepEqual(table.slice(1).map(row => row[0]), ['Mean reward', 'Right in every cell', 'KL from the start in millinats']);
  const value = (row, column) => parseFloat(table[row][column]);
  assert.ok(value(1, 2) > value(1, 1) && value(3, 2) > value(3, 1), table.join());
  assert.match(await attribute(page, '#reward-chart svg', 'aria-label'), /^Reward over training steps\. mean reward: 0\.\d+ at step 60; right in every cell: 0\.\d+ at step 60\.$/);
  assert.match(await text(page, '#reward-chart svg'), /mean reward.*right in every cell.*ceiling of whole rows at k = 2/s);
  assert.match(await attribute(page, '#distance-chart svg', 'aria-label'), /KL from the start: 1\d\.\d+ at step 60/);
  await fits(page, 'reward', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the answers are gone through by keyboard, best first, and each says what it earned', async () => {
  const page = await opened(fragment());
  await begun(page);
  assert.equal(await text(page, '#group-words'), 'No answers have been drawn yet.');
  await trained(page);
  const earned = which => page.$$eval(`#${which} .earned`, rows => rows.map(row => [...row.children].map(cell => cell.textContent)));
  assert.deepEqual((await earned('first-group')).map(row => row[0]), ['7 of 9', '6 of 9', '5 of 9', '5 of 9', '5 of 9', '4 of 9', '3 of 9', '2 of 9']);
  const newest = await earned('newest-group');
  assert.equal(newest.length, GROUP);
  for (const [, advantage] of newest) assert.match(advantage, /^[+−]?\d\.\d$/);
  assert.deepEqual([newest[0][1][0], newest[7][1][0]], ['+', '−']);
  assert.match(await text(page, '#newest-group svg'), /The newest group: step 60.*thinking.*▸ answer:/s);
  assert.doesNotMatch(await text(page, '#first-group svg'), /thinking/);
  assert.match(await attribute(page, '#first-group svg', 'aria-label'), /^The first group, drawn at step 1: 8 answers to one question, best first, with 2 to 7 of 9 tokens right\.$/);

  await page.focus('#distance-chart .save');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'groups');
  const told = async (key, pattern) => {
    if (key) await page.keyboard.press(key);
    await page.waitForFunction(source => new RegExp(source).test(document.querySelector('#group-words').textContent), {}, pattern.source);
  };
  await told(null, /^The newest group, step 60\. Answer 1 of 8: 9 of 9 tokens right, better than its group by 0\.\d deviations: it becomes likelier\.$/);
  await told('ArrowUp', /Answer 1 of 8/);
  for (const answer of [2, 3, 4, 5, 6, 7, 8, 8]) await told('ArrowDown', new RegExp(`Answer ${answer} of 8`));
  await told(null, /2 of 9 tokens right, worse than its group by 2\.\d deviations: it becomes less likely\.$/);
  // The answer that never ended is cut off in its row and whole below.
  assert.match(await text(page, '#newest-group svg'), /\+\d+/);
  assert.equal(await page.$$eval('#whole-answer p:not(.ghost) i', cells => cells.length), 40);
  await told('ArrowLeft', /^The first group, step 1\. Answer 8 of 8: 2 of 9 tokens right, worse/);
  assert.equal(await page.$$eval('#first-group .marked', marks => marks.filter(mark => mark.getAttribute('d')).length), 1);
  assert.equal(await page.$$eval('#newest-group .marked', marks => marks.filter(mark => mark.getAttribute('d')).length), 0);
  // By mouse or finger just as well.
  const box = await (await page.$('#newest-group svg')).boundingBox();
  await page.mouse.click(box.x + 60, box.y + 46 + 19 * 3.5);
  await told(null, /^The newest group, step 60\. Answer 3 of 8/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a group whose answers all earned the same teaches nothing, and one that differs from its goal is crossed', async () => {
  const page = await opened(fragment({ new: W + 1 }));
  await begun(page);
  await page.say(losses(1, 1));
  await page.say(report(1, 1, groupOf(Array(GROUP).fill(4), () => bare(2))));
  await page.waitForFunction(() => /nothing is learnt/.test(document.querySelector('#group-words').textContent));
  assert.match(await text(page, '#group-words'), /4 of 9 tokens right, like every other of its group: nothing is learnt from any of them\.$/);
  // Nothing can be longer than its row here.
  assert.equal(await page.$eval('#whole-answer', whole => whole.checkVisibility()), false);
  assert.ok((await attribute(page, '#first-group .wrong', 'd')).length > 0);
  await fits(page, 'reward-bare', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the paper’s width and the longest samples fit', async () => {
  const wide = Array.from({ length: 16 }, (_, place) => place);
  const page = await opened(fragment({ W: 20, T: 10, r: '2', group: 16, new: 256 }));
  await begun(page);
  const group = groupOf(wide.map(place => place % 9), place => (place % 3 ? [...cells(180, place), GEN, ...cells(20, place), EOS] : [...cells(20, place), EOS]));
  await page.say(losses(1, 12));
  await page.say(report(1, 12, group));
  await page.waitForSelector('#newest-group svg');
  await page.focus('#groups');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await fits(page, 'reward-wide', { fullPage: true });
  const spilt = await page.$$eval('#groups svg', pictures => pictures.flatMap(picture => {
    const edge = picture.getBoundingClientRect().right + 1;
    return [...picture.querySelectorAll('text, path')].filter(mark => mark.getBoundingClientRect().right > edge).map(mark => mark.outerHTML.slice(0, 80));
  }));
  assert.deepEqual(spilt, []);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a run that learns from true answers has no such card', async () => {
  const page = await opened(tiny());
  await press(page, '#train');
  await page.waitForFunction(() => (window.asked ?? []).some(command => command.Start));
  await page.say(losses(1, 5));
  await page.waitForFunction(() => document.body.dataset.step === '5');
  assert.equal(await page.$eval('#reward', card => card.checkVisibility()), false);
  assert.equal(await page.$('#reward-cost'), null);
  await page.close();
});
