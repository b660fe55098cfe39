// What learning from a reward shows, fed with reports as a worker would send them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  account, attribute, downloads, estimated, fits, places, press, pressOfRun, says, settled, shows, standIn, suite, text, tiny, visible,
} from './harness.mjs';
import { hashOf, hexOf, keepWeights } from './records.mjs';

const W = 8;
const [GROUP, STEPS] = [8, 60];
/** The weights that the run starts from; the stand-in does not look at them. */
const WEIGHTS = [1, 2, 3, 4, 5, 6, 7, 8];
/** The ids of the compact vocabulary. */
const [SEP, GEN, EOS] = [2, 3, 4];
const fragment = (changes = {}) => tiny({
  W, horizon: 'one', k: 2, loss: 'all', learn: 'grpo', from: `file-${hexOf(hashOf(WEIGHTS))}`, group: GROUP, new: 40, batch: 4, steps: STEPS, ...changes,
});

const { visit } = await suite({ query: 'workers=1' });

/** Opens the page with a stand-in for its worker, which says what the test tells it to. */
async function opened(link) {
  const page = await visit(link, { prepare: standIn });
  page.say = report => page.evaluate(report => window.say(report), report);
  return page;
}

/** Begins the run and lets it make no step yet. */
async function begun(page) {
  await keepWeights(page, WEIGHTS);
  await press(page, '#train');
  await page.waitForFunction(() => window.asked.some(command => command.Start));
  const hash = await page.evaluate(() => String(window.asked.find(command => command.Start).Start.config.start.File));
  assert.equal(hash, hexOf(hashOf(WEIGHTS)), 'the hash of the file reaches the worker to its last digit');
  const engine = { class: 'Separate', name: 'a stand-in', software: false, workers: 1, note: '' };
  await page.say({ Started: { engine, parameters: 5000, step: 0 } });
  await page.waitForSelector('#reward:not([hidden]) #first-group svg, #reward:not([hidden]) #first-group .text-hint');
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

test('the card comes with a run that learns from a reward, says what it costs and brings, and nothing moves', async () => {
  const page = await opened(fragment());
  assert.equal(await visible(page, '#reward'), false);
  await estimated(page);
  await begun(page);
  assert.match(await text(page, '#reward-cost'), /^No tokens.*\b32 answers/);
  await settled(page, 12);
  const before = await places(page);
  await trained(page);
  assert.deepEqual(await places(page), before);
  const tokens = 321 + (STEPS - 1) * 322;
  const plain = (await text(page, '#reward-cost')).replaceAll('\u202f', '');
  // Drawn, in so many steps, answers a step, tokens a second, the longest answer, computed in all.
  const numbers = plain.match(/\d+/g).map(Number);
  for (const number of [tokens, STEPS, 32, Math.round(tokens / 6.1), 40, 76800]) assert.ok(numbers.includes(number), `${number}: ${plain}`);
  const table = await page.$$eval('#reward-ends tr', rows => rows.map(row => [...row.children].map(cell => cell.textContent)));
  assert.deepEqual(table[0].slice(1).map(words => words.match(/\d+/g)), [['1', '10'], ['51', '60']]);
  for (const [row, name] of [/reward/i, /every cell/i, /KL/].entries()) assert.match(table[row + 1][0], name);
  const value = (row, column) => parseFloat(table[row][column]);
  assert.ok(value(1, 2) > value(1, 1) && value(3, 2) > value(3, 1), table.join());
  assert.match(await attribute(page, '#reward-chart svg', 'aria-label'), /mean reward: 0\.\d+ at step 60.*every cell: 0\.\d+ at step 60/);
  assert.match(await text(page, '#reward-chart svg'), /mean reward.*every cell.*ceiling.*k = 2/s);
  assert.match(await attribute(page, '#distance-chart svg', 'aria-label'), /KL.*: 1\d\.\d+ at step 60/);
  const { rewards } = await account(page);
  assert.deepEqual([rewards.length, rewards.reduce((sum, step) => sum + step.tokens, 0)], [STEPS, tokens], 'the JSON holds every step');
  const [csv] = Object.values(await downloads(page, 1, () => pressOfRun(page, 'CSV')));
  const lines = csv.toString().trim().split('\n').map(line => line.split(','));
  assert.ok(lines.every(line => line.length === lines[0].length));
  assert.deepEqual(lines.filter(line => line[0] === 'rewarded').map(line => Number(line[1])), Array.from({ length: STEPS }, (_, step) => step + 1));
  await fits(page, 'reward', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the answers are gone through by keyboard, best first, and each says what it earned', async () => {
  const page = await opened(fragment());
  await begun(page);
  assert.match(await text(page, '#group-words'), /^No answers/);
  await trained(page);
  const earned = which => page.$$eval(`#${which} .answer-earned`, rows => rows.map(row => [...row.children].map(cell => cell.textContent)));
  assert.deepEqual((await earned('first-group')).map(row => row[0].match(/\d+/g).join(' ')), [6, 5, 4, 4, 4, 3, 2, 1].map(right => `${right} 8`));
  const newest = await earned('newest-group');
  assert.equal(newest.length, GROUP);
  for (const [, advantage] of newest) assert.match(advantage, /^[+−]?\d\.\d$/);
  assert.deepEqual([newest[0][1][0], newest[7][1][0]], ['+', '−']);
  assert.match(await text(page, '#newest-group svg'), /step 60(?!\d).*thinking.*▸ answer/s);
  assert.doesNotMatch(await text(page, '#first-group svg'), /thinking/);
  assert.match(await attribute(page, '#first-group svg', 'aria-label'), /step 1\b.*\b8 answers.*\b1 to 6 of 8\b/);

  // From the last button of the figure before it.
  await page.focus('#distance-chart figcaption > button:last-child');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'groups');
  const marked = (group, step, answer) => shows(page, '#groups', 'data-marked', `${group} ${step} ${answer}`);
  const turn = async (key, ...place) => {
    await page.keyboard.press(key);
    await marked(...place);
  };
  const told = async pattern => assert.match(await text(page, '#group-words'), pattern);
  await marked('newest-group', 60, 1);
  await told(/^The newest group, step 60\b.*\b1 of 8\b.*\b8 of 8\b.*better.*\b0\.\d\b.*more likely/);
  await turn('ArrowUp', 'newest-group', 60, 1);
  for (const answer of [2, 3, 4, 5, 6, 7, 8, 8]) await turn('ArrowDown', 'newest-group', 60, answer);
  await told(/\b2 of 8\b.*worse.*\b2\.\d\b.*less likely/);
  // The answer that never ended is cut off in its row and whole below.
  assert.match(await text(page, '#newest-group svg'), /\+\d+/);
  assert.equal(await page.$$eval('#whole-answer p:not(.answer-ghost) i', cells => cells.length), 40);
  await turn('ArrowLeft', 'first-group', 1, 8);
  await told(/^The first group, step 1\b.*\b8 of 8\b.*\b1 of 8\b.*worse/);
  assert.equal(await page.$$eval('#first-group .answer-marked', marks => marks.filter(mark => mark.getAttribute('d')).length), 1);
  assert.equal(await page.$$eval('#newest-group .answer-marked', marks => marks.filter(mark => mark.getAttribute('d')).length), 0);
  // By mouse or finger just as well.
  const box = await (await page.$('#newest-group svg')).boundingBox();
  await page.mouse.click(box.x + 60, box.y + 46 + 19 * 3.5);
  await marked('newest-group', 60, 3);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a group whose answers all earned the same teaches nothing, and one that differs from its goal is crossed', async () => {
  const page = await opened(fragment({ new: W + 1 }));
  await begun(page);
  await page.say(losses(1, 1));
  await page.say(report(1, 1, groupOf(Array(GROUP).fill(4), () => bare(2))));
  await says(page, '#group-words', /\b3 of 8\b.*learns from its other groups/);
  // Nothing can be longer than its row here.
  assert.equal(await visible(page, '#whole-answer'), false);
  assert.ok((await attribute(page, '#first-group .cell-wrong', 'd')).length > 0);
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
  await page.waitForFunction(() => window.asked.some(command => command.Start));
  await page.say(losses(1, 5));
  await page.waitForFunction(() => document.body.dataset.step === '5');
  assert.equal(await visible(page, '#reward'), false);
  assert.equal(await page.$('#reward-cost'), null);
  await page.close();
});
