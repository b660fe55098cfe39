// Where the network looks, on the page: asked of the worker by itself, stepped through by keyboard, on both engines, during a run and after it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  WEBGPU, attribute, engineOf, estimated, fits, follow, frames, places, press, says, shows, state, stepOf, steps, suite, tab, text, tiny, trainToEnd, visible,
} from './harness.mjs';

const { visit } = await suite({ flags: WEBGPU, query: 'workers=1' });

const link = (changes = {}) => tiny({ horizon: 'one', k: 1, mem: 4, dmem: 8, steps: 40, every: 10, evaln: 16, ...changes });
const words = page => text(page, '#reads-words');
const card = page => page.evaluate(() => document.querySelector('#where').scrollIntoView({ block: 'center' }));
/** Presses a key, and waits until the row and the cell are the target. */
const turn = async (page, key, target) => {
  await page.keyboard.press(key);
  await shows(page, '#reads', 'data-target', target);
};
/** Waits until the card knows what is read: at least one panel has shares. */
const known = page => page.waitForFunction(() => /\d/.test(document.querySelector('#reads').dataset.sums));
/** Turns to the next question, and waits until the card knows what is read for it. */
async function next(page) {
  await press(page, '#next');
  await frames(page);
  await known(page);
}

/** The shares of every panel, [cells, rule, signs]; null for a memory's, and before there are any. */
async function sums(page) {
  const panels = (await attribute(page, '#reads', 'data-sums')).split(';');
  return panels.map(panel => (panel === '-' ? null : panel.split(' ').map(Number)));
}

/** What every panel says adds up to all that is read. */
async function addUp(page, panels, what) {
  const found = await sums(page);
  assert.equal(found.length, panels, what);
  for (const shares of found.filter(Boolean)) {
    const total = shares.reduce((sum, share) => sum + share, 0);
    assert.ok(Math.abs(total - 1) < 0.01, `${what}: shares of ${shares} add up to ${total}`);
    assert.ok(shares[0] > 0 && shares[0] <= 1.001, `${what}: ${shares}`);
  }
  return found;
}

/** Trains a link to its end, and waits until the card knows what is read. */
async function trained(page, fragment) {
  await follow(page, fragment);
  await trainToEnd(page);
  await card(page);
  await known(page);
}

test('the card fills by itself during a run, and its cells and heads are stepped through by keyboard', async () => {
  const page = await visit(link({ steps: 100_000 }));
  await estimated(page);
  const empty = await places(page);
  assert.match(await words(page), /row 4, cell 3\b.*k = 1\b.*known once/);
  assert.deepEqual(await sums(page), [null, null]);
  await press(page, '#train');
  await steps(page, 12);
  // Nothing is asked before it is looked at.
  assert.deepEqual(await sums(page), [null, null]);
  await card(page);
  await known(page);
  assert.match(await words(page), /row 4, cell 3\b.*\b3 cells\b.*layer 1 \d.*\b1\d %.*signs.*layer 1 \d/);
  await press(page, '#pause');
  await state(page, 'paused');
  assert.deepEqual(await places(page), empty, 'nothing moves when the answers come');
  await addUp(page, 2, 'the mean of heads');
  await tab(page, 'task-picture', 'reads');
  const head = async (key, number) => {
    await page.keyboard.press(key);
    await shows(page, '#reads-head', 'data-head', number);
    await known(page);
  };
  assert.equal(await attribute(page, '#reads-head', 'data-head'), '0', 'the mean at first');
  await head('ArrowDown', '1');
  const first = await addUp(page, 2, 'head 1');
  await head('ArrowDown', '2');
  const second = await addUp(page, 2, 'head 2');
  assert.notDeepEqual(first, second, 'heads differ');
  assert.match(await words(page), /head 2\b/);
  await head('ArrowUp', '1');
  await head('ArrowUp', '0');
  const mean = await sums(page);
  mean.forEach((shares, panel) => shares.forEach((share, part) => assert.ok(Math.abs(share - (first[panel][part] + second[panel][part]) / 2) < 2e-4)));
  // From cell to cell; the outline follows on a ring: the first cell's neighbours are the last cell and the second.
  const outlines = () => page.$eval('#reads .cell-outlined', path => path.getAttribute('d').split('z').length - 1);
  assert.equal(await outlines(), 1);
  await turn(page, 'ArrowRight', '4 4');
  await turn(page, 'ArrowLeft', '4 3');
  await turn(page, 'ArrowLeft', '4 2');
  await turn(page, 'ArrowLeft', '4 1');
  assert.equal(await outlines(), 2);
  await turn(page, 'ArrowLeft', '4 1');
  // Cells to the right of the one predicted cannot be read: they and the target itself are drawn without a level.
  const drawn = () => page.$eval('#reads svg', panel => [...panel.querySelectorAll('path.cell-level')].reduce((sum, path) => sum + path.getAttribute('d').split('z').length - 1, 0));
  assert.equal(await drawn(), 15);
  await turn(page, 'ArrowRight', '4 2');
  assert.equal(await drawn(), 16);
  // The mouse chooses too: the last cell of the answer's row.
  const box = await page.$eval('#reads svg', panel => { const { right, bottom } = panel.getBoundingClientRect(); return { right, bottom }; });
  await page.mouse.move(box.right - 8, box.bottom - 8);
  await shows(page, '#reads', 'data-target', '4 5');
  await page.mouse.move(box.right - 8, box.bottom - 60);
  await frames(page);
  assert.equal(await attribute(page, '#reads', 'data-target'), '4 5', 'a shown row chooses nothing');
  // The run knows nothing of it, and goes on.
  await press(page, '#resume');
  await state(page, 'running');
  await steps(page, (await stepOf(page)) + 15);
  await press(page, '#stop');
  await state(page, 'finished');
  // Another question is answered after the end.
  await known(page);
  const before = await attribute(page, '#reads', 'data-sums');
  await next(page);
  assert.notEqual(await attribute(page, '#reads', 'data-sums'), before, 'something else is read for another question');
  await addUp(page, 2, 'another question');
  await fits(page, 'reads', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('every network says what it reads, its loops and its chains included', async () => {
  const page = await visit(link());
  await card(page);
  const short = { steps: 3, every: 3 };
  for (const model of ['neox', 'lstm', 'mamba', 'armt']) {
    for (const loop of ['none', 'layer']) {
      await trained(page, link({ ...short, model, loop, hops: 3 }));
      const found = await addUp(page, model === 'armt' ? 4 : 2, `${model}, ${loop}`);
      assert.deepEqual(found.map(shares => shares === null), model === 'armt' ? [true, false, true, false] : [false, false], model);
      assert.equal(await visible(page, '#reads-head'), ['neox', 'armt'].includes(model), `${model} has heads or none`);
      assert.equal(/\bhops\b/.test(await text(page, '#where')), loop === 'layer');
    }
  }
  // ARMT, the last one, has memory too: how much from which two rows.
  assert.match(await words(page), /memory: layer 1 (nothing|\d+(\.\d)? %.* \d and \d), layer 2 /);
  // A chain of thought: on from the last cell of a row to the first of the next, which is then asked for by itself.
  await trained(page, link({ ...short, layout: 'cot', k: 2 }));
  await page.focus('#reads');
  await turn(page, 'ArrowRight', '4 4');
  await turn(page, 'ArrowRight', '4 5');
  await turn(page, 'ArrowRight', '5 1');
  await known(page);
  assert.match(await words(page), /\b3 cells\b/);
  await addUp(page, 2, 'row 5 of a chain');
  // Rules that are shown or asked for are no signs.
  await trained(page, link({ ...short, layout: 'ros' }));
  assert.ok((await addUp(page, 2, 'rule shown'))[0][1] > 0);
  assert.match(await words(page), /rule.*: layer 1 \d/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('on WebGPU it is told all the same, and a model learning from a reward has no such card', async () => {
  const page = await visit(link({ engine: 'webgpu', steps: 6, every: 3, evaln: 8 }));
  await press(page, '#train');
  await state(page, 'finished');
  assert.equal(await engineOf(page), 'webgpu');
  await card(page);
  await known(page);
  await addUp(page, 2, 'WebGPU');
  await next(page);
  assert.deepEqual(page.complaints, []);
  await page.close();
  const rewarded = await visit(link({ learn: 'grpo', k: 2, loss: 'all', from: 'file-0123456789abcdef', group: 4, new: 20 }));
  assert.equal(await visible(rewarded, '#where'), false);
  await rewarded.close();
});
