// Sweeps: runs queued one after the other, their chart, and what Stop and a failure do to the queue.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute, downloads, frames, linkOf, press, runsAre, runsOf, says, state, stateOf, steps, suite, text, tiny, type, visible,
} from './harness.mjs';

const { visit } = await suite({ query: 'workers=1' });

const waiting = (page, count) => page.waitForFunction(count => document.querySelector('#sweep').dataset.waiting === String(count), {}, count);
const points = (page, count) => page.waitForFunction(count => document.querySelector('#sweep-chart').dataset.points === String(count), {}, count);
const failed = (page, count) => page.waitForFunction(count => document.querySelectorAll('#sweep-failed li').length === count, {}, count);
/** Waits until nothing waits and nothing runs. */
const worked = page => page.waitForFunction(() => document.querySelector('#sweep').dataset.waiting === '0' && ['finished', 'failed'].includes(document.body.dataset.state));
const spoken = page => attribute(page, '#sweep-chart svg', 'aria-label');

test('a sweep of two layer counts and two networks trains them all and draws a line for each k', async () => {
  const page = await visit(tiny({ steps: 8, every: 8 }));
  await type(page, '#sweep-values', '1, 3, 1, 40');
  await says(page, '#sweep', /\b1 .*twice.*\b40 .*left out.*1 to 16/s);
  assert.equal((await page.$$('#sweep ul:not(#sweep-failed) li')).length, 2);
  await press(page, '#sweep-queue');
  await worked(page);
  await points(page, 8);
  assert.match(await spoken(page), /layers.*GPT-NeoX.* k = 1: 1 .*, 3 .*GPT-NeoX.* k = 4: 1 .*, 3 /s);
  assert.equal((await runsOf(page)).length, 2);
  assert.match(await text(page, '#sweep'), /trained on this page already/);
  assert.match(await linkOf(page), /layers=2&/, 'the form is as it was');

  // Another network beside it, over a list that the first has too.
  await press(page, '#model-lstm');
  await press(page, '#sweep-queue');
  await worked(page);
  await points(page, 16);
  assert.match(await spoken(page), /GPT-NeoX.* k = 4.*LSTM.* k = 4|LSTM.* k = 4.*GPT-NeoX.* k = 4/s);
  await says(page, '#sweep-chart figcaption', /\bk = 1: /);

  // The same as CSV.
  const [csv] = Object.values(await downloads(page, 1, () => press(page, '#sweep-csv')));
  const rows = csv.toString().trim().split('\n').map(row => row.split(','));
  assert.equal(rows.length, 17);
  assert.deepEqual(rows[0].slice(0, 3), ['model', 'k', 'layers']);
  assert.ok(rows.every(row => row.length === rows[0].length && row.every(cell => cell !== '')), rows.join('\n'));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a width that the heads cannot share is left out with its reason', async () => {
  const page = await visit(tiny({ steps: 4, every: 4 }));
  await page.select('#sweep-axis', 'd');
  await type(page, '#sweep-values', '8 15 24');
  await says(page, '#sweep', /\b15 .*left out.*heads/);
  await press(page, '#sweep-queue');
  await worked(page);
  await points(page, 8);
  assert.match(await spoken(page), /width.* 8 .*, 24 /s);
  // What stands against many values is told once.
  await page.select('#field-from', 'k1');
  await type(page, '#sweep-values', '8 16 24 48');
  await says(page, '#sweep', /\b8, 16, 24 .*left out.*checkpoint/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('Stop ends the run and holds the queue; it goes on when told to; a run can be taken off', async () => {
  const page = await visit(tiny({ steps: 3_000, every: 3_000 }));
  await type(page, '#sweep-values', '1, 2, 3, 4');
  await press(page, '#sweep-queue');
  await steps(page, 2);
  assert.equal(await attribute(page, '#sweep', 'data-waiting'), '3');
  await press(page, '#sweep-waiting li:nth-child(2) button');
  await waiting(page, 2);
  await press(page, '#stop');
  await state(page, 'finished');
  // A next run would begin in a task of its own right after the end of this one.
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve)));
  await frames(page);
  assert.equal(await stateOf(page), 'finished', 'the next run does not begin by itself');
  assert.equal((await runsOf(page)).length, 1);
  assert.equal(await visible(page, '#sweep-go'), true, 'the queue is held');
  assert.equal(await attribute(page, '#sweep-chart', 'data-points'), '0', 'a run that was stopped is no point of the chart');
  await press(page, '#sweep-go');
  await state(page, 'running', 'preparing');
  await waiting(page, 1);
  await press(page, '#sweep-clear');
  await waiting(page, 0);
  await state(page, 'running');
  await press(page, '#stop');
  await state(page, 'finished');
  assert.equal((await runsOf(page)).length, 2);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a run that fails is told, and the next one is trained', async () => {
  const page = await visit(tiny({ engine: 'webgpu', steps: 4, every: 4 }));
  await type(page, '#sweep-values', '1, 2');
  await press(page, '#sweep-queue');
  // There is no WebGPU here: both fail, the first of them without stopping the queue.
  await failed(page, 2);
  assert.match(await text(page, '#sweep-failed'), /layers=1.* failed.*WebGPU/s);
  assert.equal(await stateOf(page), 'failed');
  // The page is as good as new.
  await page.select('#field-engine', 'cpu');
  await press(page, '#sweep-queue');
  await worked(page);
  await points(page, 8);
  assert.equal(await text(page, '#sweep-failed'), '');
  await page.close();
});

test('the paper in small is queued; the turn of the reward begins with the runs that it starts from', async () => {
  const page = await visit(tiny());
  await press(page, '#small-paper');
  await waiting(page, 9);
  assert.match(await text(page, '#sweep-waiting'), /Two ahead.*Straight, k = 3.*Thinking aloud.*With a memory.*Thinking longer.*reward, k = 2.*reward, k = 3.*reward, k = 4/s);
  assert.match(await linkOf(page), /&W=10&T=4&.*&k=1&/);
  // The first run is stopped; of the others, the reward at k = 2 alone is left.
  for (let left = 8; left > 0; left -= 1) {
    await press(page, `#sweep-waiting li:${left > 2 ? 'first' : 'last'}-child button`);
    await waiting(page, left);
  }
  await steps(page, 1);
  await press(page, '#stop');
  await state(page, 'finished');
  await press(page, '#sweep-go');
  await page.waitForSelector('#sequel');
  assert.match(await text(page, '#sequel'), /reward, k = 2/);
  await press(page, '#stop');
  await state(page, 'finished');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
