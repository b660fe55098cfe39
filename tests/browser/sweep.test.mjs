// Sweeps: runs queued one after the other, their chart, and what Stop and a failure do to the queue.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attribute, launch, openPage, press, serveSite, state, steps, text, tiny } from './harness.mjs';

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch();
});
after(async () => {
  await browser?.end();
  await site?.close();
});

const visit = fragment => openPage(browser, `${site.site()}?workers=1#${fragment}`);
const type = (page, selector, value) => page.$eval(selector, (input, value) => {
  input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}, value);
/** Until nothing waits and nothing runs. */
const worked = page => page.waitForFunction(() => document.querySelector('#sweep').dataset.waiting === '0' && ['finished', 'failed'].includes(document.body.dataset.state));
const spoken = page => attribute(page, '#sweep-chart svg', 'aria-label');
const names = page => page.$$eval('#runs > li strong', names => names.map(name => name.textContent));

test('a sweep of two layer counts and two networks trains them all and draws a line for each k', async () => {
  const page = await visit(tiny({ steps: 8, every: 8 }));
  await type(page, '#sweep-values', '1, 3, 1, 40');
  const notes = () => text(page, '#sweep .notes');
  await page.waitForFunction(() => document.querySelectorAll('#sweep .order .notes li').length === 2);
  assert.match(await notes(), /1 stands twice.*40 is left out: .*1 to 16/s);
  await press(page, '#sweep-queue');
  await worked(page);
  await page.waitForFunction(() => document.querySelector('#sweep-chart').dataset.points === '8');
  assert.match(await spoken(page), /layers.*GPT-NeoX at k = 1: 1 .*, 3 .*; GPT-NeoX at k = 4: 1 .*, 3 /s);
  assert.equal((await names(page)).length, 2);
  assert.match(await text(page, '#sweep .order'), /has been trained on this page already/);
  assert.equal(await page.$eval('#link-text', box => /layers=2&/.test(box.value)), true, 'the form is as it was');

  // Another network beside it, over a list that the first has too.
  await page.evaluate(() => document.querySelector('#model-lstm').click());
  await press(page, '#sweep-queue');
  await worked(page);
  await page.waitForFunction(() => document.querySelector('#sweep-chart').dataset.points === '16');
  assert.match(await spoken(page), /GPT-NeoX at k = 4.*LSTM at k = 4|LSTM at k = 4.*GPT-NeoX at k = 4/s);
  await page.waitForFunction(() => /Ceiling and better floor, k = 1/.test(document.querySelector('#sweep-chart').textContent));

  // The same as CSV.
  await page.evaluate(() => {
    URL.createObjectURL = blob => (blob.text().then(text => { window.csv = text; }), 'data:,');
    HTMLAnchorElement.prototype.click = () => {};
  });
  await press(page, '#sweep-csv');
  await page.waitForFunction(() => window.csv);
  const rows = (await page.evaluate(() => window.csv)).trim().split('\n').map(row => row.split(','));
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
  await page.waitForFunction(() => /15 is left out: .*heads/.test(document.querySelector('#sweep .notes').textContent));
  await press(page, '#sweep-queue');
  await worked(page);
  await page.waitForFunction(() => document.querySelector('#sweep-chart').dataset.points === '8');
  assert.match(await spoken(page), /model width.*8 .*, 24 /s);
  // What stands against many values is told once.
  await page.select('#field-from', 'k1');
  await type(page, '#sweep-values', '8 16 24 48');
  await page.waitForFunction(() => /8, 16, 24 are left out: The checkpoint/.test(document.querySelector('#sweep .notes').textContent));
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
  await page.waitForFunction(() => document.querySelector('#sweep').dataset.waiting === '2');
  await press(page, '#stop');
  await state(page, 'finished');
  await new Promise(resolve => setTimeout(resolve, 500));
  assert.equal(await page.evaluate(() => document.body.dataset.state), 'finished', 'the next run does not begin by itself');
  assert.match(await text(page, '#sweep .queue'), /The queue is held/);
  assert.equal(await attribute(page, '#sweep-chart', 'data-points'), '0', 'a run that was stopped is no point of the chart');
  await press(page, '#sweep-go');
  await state(page, 'running', 'preparing');
  await page.waitForFunction(() => document.querySelector('#sweep').dataset.waiting === '1');
  await press(page, '#sweep-clear');
  await page.waitForFunction(() => document.querySelector('#sweep').dataset.waiting === '0');
  await state(page, 'running');
  await press(page, '#stop');
  await state(page, 'finished');
  assert.equal((await names(page)).length, 2);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a run that fails is told, and the next one is trained', async () => {
  const page = await visit(tiny({ engine: 'webgpu', steps: 4, every: 4 }));
  await type(page, '#sweep-values', '1, 2');
  await press(page, '#sweep-queue');
  // There is no WebGPU here: both fail, the first of them without stopping the queue.
  await page.waitForFunction(() => document.querySelectorAll('#sweep-failed li').length === 2);
  assert.match(await text(page, '#sweep-failed'), /layers=1.* failed: .*WebGPU/s);
  assert.equal(await page.evaluate(() => document.body.dataset.state), 'failed');
  // The page is as good as new.
  await page.select('#field-engine', 'cpu');
  await press(page, '#sweep-queue');
  await worked(page);
  await page.waitForFunction(() => document.querySelector('#sweep-chart').dataset.points === '8');
  assert.equal(await text(page, '#sweep-failed'), '');
  await page.close();
});

test('the paper in small is queued; the reward begins from the weights of the run that was trained before it', async () => {
  const page = await visit(tiny());
  await press(page, '#small-paper');
  await page.waitForFunction(() => document.querySelector('#sweep').dataset.waiting === '9');
  assert.match(await text(page, '#sweep-waiting'), /Straight, k=2.*Thinking aloud.*ARMT.*Thinking longer.*Reward, k=2.*Reward, k=3.*Reward, k=4/s);
  assert.match(await page.$eval('#link-text', box => box.value), /&W=10&T=4&.*&k=1&/);
  for (let left = 8; left > 0; left -= 1) {
    await press(page, `#sweep-waiting li:${left > 2 ? 'first' : 'last'}-child button`);
    await page.waitForFunction(left => document.querySelector('#sweep').dataset.waiting === String(left), {}, left);
  }
  await page.waitForFunction(() => document.querySelectorAll('#runs > li strong').length === 3, { timeout: 600_000 });
  await steps(page, 1);
  await page.waitForFunction(() => Number(document.body.dataset.step) < 100);
  await press(page, '#stop');
  await state(page, 'finished');
  const [reward, everyToken, straight] = await names(page);
  assert.equal(straight, 'Straight, k=1');
  assert.match(everyToken, /Straight, k=1/);
  assert.equal(reward, 'Reward, k=2');
  assert.equal(await attribute(page, '#sweep', 'data-waiting'), '0');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
