// Where the network looks, on the page: asked of the worker by itself, stepped through by keyboard, on both engines, during a run and after it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WEBGPU, attribute, fits, launch, openPage, press, serveSite, state, steps, text, tiny } from './harness.mjs';

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch(...WEBGPU);
});
after(async () => {
  await browser?.end();
  await site?.close();
});

const link = (changes = {}) => tiny({ horizon: 'one', k: 1, mem: 4, dmem: 8, steps: 40, every: 10, evaln: 16, ...changes });
const words = page => text(page, '#reads-words');
const card = page => page.evaluate(() => document.querySelector('#where').scrollIntoView({ block: 'center' }));
const says = (page, pattern) => page.waitForFunction(source => new RegExp(source).test(document.querySelector('#reads-words').textContent), {}, pattern.source);
const tell = async (page, key, pattern) => {
  await page.keyboard.press(key);
  await says(page, pattern);
};

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
  await page.evaluate(fragment => { location.hash = fragment; }, fragment);
  await page.waitForFunction(fragment => document.querySelector('#link-text').value.includes(fragment.match(/&model=\w+/)[0]) || fragment.includes('&model=neox'), {}, fragment);
  const runs = await page.$$eval('#runs > li', runs => runs.length);
  await press(page, '#train');
  await page.waitForFunction(runs => document.querySelectorAll('#runs > li').length > runs, {}, runs);
  await state(page, 'finished');
  await card(page);
  await says(page, /On the/);
}

test('the card fills by itself during a run, and its cells and heads are stepped through by keyboard', async () => {
  const page = await openPage(browser, `${site.site()}?workers=1#${link({ steps: 100_000 })}`);
  const places = () => page.$$eval('.content .card:not(.sweep)', cards => cards.map(card => [card.getAttribute('aria-label'), card.offsetTop, card.offsetHeight].join(' ')));
  await page.waitForFunction(() => /from 1000 questions/.test(document.querySelector('#depth-chart').textContent));
  const empty = await places();
  assert.match(await words(page), /^Predicting row 4, cell 3 \(k = 1\), mean of 2 heads\. .*known once/);
  assert.deepEqual(await sums(page), [null, null]);
  await press(page, '#train');
  await steps(page, 12);
  // Nothing is asked before it is looked at.
  assert.match(await words(page), /known once/);
  await card(page);
  await says(page, /^Predicting row 4, cell 3 \(k = 1\), mean of 2 heads\. On the 3 cells that it follows from: layer 1 \d.*spread evenly it would be 1\d %\. On signs: layer 1 \d/);
  await press(page, '#pause');
  await state(page, 'paused');
  assert.deepEqual(await places(), empty, 'nothing moves when the answers come');
  await addUp(page, 2, 'the mean of heads');
  await page.focus('#task-picture');
  while (await page.evaluate(() => document.activeElement.id) !== 'reads') await page.keyboard.press('Tab');
  await tell(page, 'ArrowDown', /head 1\. On the/);
  const first = await addUp(page, 2, 'head 1');
  await tell(page, 'ArrowDown', /head 2\. On the/);
  const second = await addUp(page, 2, 'head 2');
  assert.notDeepEqual(first, second, 'heads differ');
  assert.equal(await text(page, '#reads-head'), 'head 2 of 2');
  await tell(page, 'ArrowUp', /head 1\./);
  await tell(page, 'ArrowUp', /mean of 2 heads\./);
  const mean = await sums(page);
  mean.forEach((shares, panel) => shares.forEach((share, part) => assert.ok(Math.abs(share - (first[panel][part] + second[panel][part]) / 2) < 2e-4)));
  // From cell to cell; the outline follows on a ring: the first cell's neighbours are the last cell and the second.
  const outlines = () => page.$eval('#reads .outlined', path => path.getAttribute('d').split('z').length - 1);
  assert.equal(await outlines(), 1);
  await tell(page, 'ArrowRight', /row 4, cell 4 /);
  await tell(page, 'ArrowLeft', /row 4, cell 3 /);
  await tell(page, 'ArrowLeft', /row 4, cell 2 /);
  await tell(page, 'ArrowLeft', /row 4, cell 1 /);
  assert.equal(await outlines(), 2);
  await tell(page, 'ArrowLeft', /row 4, cell 1 /);
  // Cells to the right of the one predicted cannot be read: they and the target itself are drawn without a level.
  const drawn = () => page.$eval('#reads svg', panel => [...panel.querySelectorAll('path.level')].reduce((sum, path) => sum + path.getAttribute('d').split('z').length - 1, 0));
  assert.equal(await drawn(), 15);
  await tell(page, 'ArrowRight', /row 4, cell 2 /);
  assert.equal(await drawn(), 16);
  // The mouse chooses too: the last cell of the answer's row.
  const box = await page.$eval('#reads svg', panel => { const { right, bottom } = panel.getBoundingClientRect(); return { right, bottom }; });
  await page.mouse.move(box.right - 8, box.bottom - 8);
  await says(page, /row 4, cell 5 /);
  await page.mouse.move(box.right - 8, box.bottom - 60);
  await new Promise(resolve => setTimeout(resolve, 200));
  assert.match(await words(page), /row 4, cell 5 /, 'a shown row chooses nothing');
  // The run knows nothing of it, and goes on.
  await press(page, '#resume');
  await state(page, 'running');
  const step = Number(await page.evaluate(() => document.body.dataset.step));
  await steps(page, step + 15);
  await press(page, '#stop');
  await state(page, 'finished');
  // Another question is answered after the end.
  await says(page, /On the/);
  const before = await attribute(page, '#reads', 'data-sums');
  await press(page, '#next');
  await page.waitForFunction(before => { const now = document.querySelector('#reads').dataset.sums; return now !== before && !now.startsWith('-'); }, {}, before);
  await addUp(page, 2, 'another question');
  await fits(page, 'reads', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('every network says what it reads, its loops and its chains included', async () => {
  const page = await openPage(browser, `${site.site()}?workers=1#${link()}`);
  await card(page);
  const short = { steps: 3, every: 3 };
  for (const model of ['neox', 'lstm', 'mamba', 'armt']) {
    for (const loop of ['none', 'layer']) {
      await trained(page, link({ ...short, model, loop, hops: 3 }));
      const found = await addUp(page, model === 'armt' ? 4 : 2, `${model}, ${loop}`);
      assert.deepEqual(found.map(shares => shares === null), model === 'armt' ? [true, false, true, false] : [false, false], model);
      assert.equal(await page.$eval('#where .leaf', leaf => leaf.checkVisibility()), ['neox', 'armt'].includes(model), `${model} has heads or none`);
      assert.equal(/mean over a layer's hops/.test(await text(page, '#where .ask')), loop === 'layer');
    }
  }
  // ARMT, the last one, has memory too: how much from which two rows.
  assert.match(await words(page), /From memory: layer 1 (nothing|\d+(\.\d)? % from rows \d and \d), layer 2 /);
  // A chain of thought: on from the last cell of a row to the first of the next, which is then asked for by itself.
  await trained(page, link({ ...short, layout: 'cot', k: 2 }));
  await page.focus('#reads');
  await tell(page, 'ArrowRight', /row 4, cell 4 \(k = 1\)/);
  await tell(page, 'ArrowRight', /row 4, cell 5 \(k = 1\)/);
  await tell(page, 'ArrowRight', /row 5, cell 1 \(k = 2\), mean of 2 heads\. On the 3 cells/);
  await addUp(page, 2, 'row 5 of a chain');
  // Rules that are shown or asked for are no signs.
  await trained(page, link({ ...short, layout: 'ros' }));
  assert.ok((await addUp(page, 2, 'rule shown'))[0][1] > 0);
  assert.match(await words(page), /On the rule's entries: layer 1 \d/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('on WebGPU it is told all the same, and a model learning from a reward has no such card', async () => {
  const page = await openPage(browser, `${site.site()}?workers=1#${link({ engine: 'webgpu', steps: 6, every: 3, evaln: 8 })}`);
  await press(page, '#train');
  await state(page, 'finished');
  assert.match(await text(page, '#engine-badge'), /WebGPU/);
  await card(page);
  await says(page, /On the/);
  await addUp(page, 2, 'WebGPU');
  await press(page, '#next');
  await says(page, /On the/);
  assert.deepEqual(page.complaints, []);
  await page.close();
  const rewarded = await openPage(browser, `${site.site()}#${link({ learn: 'grpo', k: 2, loss: 'all', from: 'file-0123456789abcdef', group: 4, new: 20 })}`);
  assert.equal(await rewarded.$eval('#where', card => card.checkVisibility()), false);
  await rewarded.close();
});
