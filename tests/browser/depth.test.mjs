// What extends the depth, on the page: every layout and adaptive computation time with every network on both engines; what they
// show; a curriculum that replays bit for bit; and a form that says what does not go together.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WEBGPU, attribute, fits, launch, openPage, press, serveSite, state, text, tiny } from './harness.mjs';

const NETWORKS = ['neox', 'lstm', 'mamba', 'armt'];
/** A link of one depth, or so many; `changes` as in tiny(). */
const deep = (changes = {}) => tiny({ horizon: 'one', k: 2, mem: 4, dmem: 8, steps: 6, every: 6, evaln: 16, ...changes });
const ADAPTIVE = { loop: 'layer', hops: 3 };

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch(...WEBGPU);
});
after(async () => {
  await browser?.end();
  await site?.close();
});

/** Trains a link to its end in a page that stays open. */
async function trained(page, fragment) {
  await page.evaluate(fragment => { location.hash = fragment; }, fragment);
  // The form's own link leaves out what is as it always was.
  const parts = fragment.split('&').filter(part => !['layout=os', 'loop=none'].includes(part));
  const taken = parts => parts.every(part => `&${document.querySelector('#link-text').value.split('#')[1]}&`.includes(`&${part}&`));
  await page.waitForFunction(taken, {}, parts);
  const runs = await page.$$eval('#runs > li', runs => runs.length);
  await press(page, '#train');
  await page.waitForFunction(runs => document.querySelectorAll('#runs > li').length > runs, {}, runs);
  await state(page, 'finished');
  await page.waitForFunction(() => /exact/.test(document.querySelector('#runs > li .scores')?.textContent ?? '') && document.querySelector('#copy-link').dataset.fingerprint);
  assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0);
}

const opened = engine => openPage(browser, `${site.site()}?workers=1#${deep({ engine })}`);
const heads = page => page.$$eval('#depth-table thead th', heads => heads.map(head => head.textContent));
const hidden = (page, selector) => page.$eval(selector, element => !element.checkVisibility());

/** What a run of adaptive computation time has to show: a map of `parts` panels of `rows` rows of 5 cells, and hops from 1 to 3. */
async function showsHops(page, { parts, rows, what }) {
  await page.waitForFunction(parts => document.querySelectorAll('#hops svg').length === parts, {}, parts);
  const panels = await page.$$eval('#hops svg', panels => panels.map(panel => [...panel.querySelectorAll('path.level')].map(hops => hops.getAttribute('d').split('z').length - 1)));
  for (const counts of panels) {
    assert.equal(counts.length, 3, `${what}: 1 … 3 hops`);
    assert.equal(counts.reduce((sum, count) => sum + count, 0), rows * 5, `${what}: every cell has its hops`);
  }
  assert.match(await text(page, '#thinking .ask'), /it takes .*[123]\.\d\d/, what);
  assert.match((await heads(page)).at(-1), /hops/, what);
  const cells = await page.$$eval('#depth-table tbody tr', rows => rows.map(row => Number(row.lastElementChild.textContent)));
  for (const hops of cells) assert.ok(hops >= 1 && hops <= 3, `${what}: ${hops} hops in the table`);
  assert.match(await attribute(page, '#depth-chart svg', 'aria-label'), /with [123]\.\d\d hops/, what);
}

test('every layout trains on the CPU with every network, and only a chain of thought is stepped through', async () => {
  const page = await opened('cpu');
  for (const layout of ['os', 'oo', 'ors', 'ros', 'cot']) {
    await trained(page, deep({ layout }));
    const depths = await page.$$eval('#depth-table tbody th', heads => heads.map(head => head.textContent).join());
    assert.equal(depths, ['oo', 'cot'].includes(layout) ? '1,2' : '2', layout);
    assert.equal(await hidden(page, '.writing'), layout !== 'cot', layout);
    assert.equal(await page.$$eval('#task-picture .thought', rows => rows.length), layout === 'cot' ? 2 : 0, layout);
    assert.equal(await text(page, '#rule-entries') !== '', layout === 'ors', layout);
    assert.equal(await hidden(page, '#thinking'), true, layout);
    assert.doesNotMatch((await heads(page)).join(), /hops/, layout);
    // And with every network, every layer looped: as many rows of hops as there are rows.
    for (const model of NETWORKS) {
      await trained(page, deep({ layout, model, ...ADAPTIVE, steps: 3, every: 3 }));
      await showsHops(page, { parts: 2, rows: 3 + (['oo', 'cot'].includes(layout) ? 2 : 1), what: `${layout}, ${model}` });
    }
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the whole stack loops with every network on the CPU, and its hops are shown; a fixed loop shows none', async () => {
  const page = await opened('cpu');
  for (const model of NETWORKS) {
    await trained(page, deep({ model, loop: 'stack', hops: 3 }));
    await showsHops(page, { parts: 1, rows: 3 + 1, what: `${model}, the whole stack` });
  }
  // With answers of several rows there are as many rows of hops, and a fixed number of hops is nothing to show.
  await trained(page, deep({ layout: 'cot', k: 3, ...ADAPTIVE }));
  await showsHops(page, { parts: 2, rows: 3 + 3, what: 'chain of thought' });
  await trained(page, deep({ horizon: 'multi', ...ADAPTIVE }));
  await showsHops(page, { parts: 2, rows: 3 + 4, what: 'all depths' });
  await trained(page, deep({ loop: 'fixed', hops: 3 }));
  assert.equal(await hidden(page, '#thinking'), true);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('on WebGPU a chain, rows at once with a curriculum, and adaptive computation time with every network', async () => {
  const page = await opened('webgpu');
  const short = { engine: 'webgpu', steps: 4, every: 4, evaln: 8 };
  await trained(page, deep({ ...short, layout: 'cot' }));
  assert.match(await text(page, '#engine-badge'), /WebGPU/);
  assert.equal(await page.$$eval('#task-picture .thought', rows => rows.length), 2);
  await trained(page, deep({ ...short, layout: 'oo', stage: 2 }));
  for (const model of NETWORKS) {
    await trained(page, deep({ ...short, model, ...ADAPTIVE }));
    await showsHops(page, { parts: 2, rows: 3 + 1, what: `${model} on WebGPU` });
  }
  assert.match(await text(page, '#engine-badge'), /WebGPU/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a curriculum in one link replays bit for bit', async () => {
  const fragment = deep({ layout: 'oo', k: 3, stage: 4, steps: 14, every: 5 });
  const first = await openPage(browser, `${site.site()}?workers=1#${fragment}`);
  await trained(first, fragment);
  const link = await first.$eval('#link-text', box => box.value);
  assert.match(link, /&stage=4&.*&fp=/);
  await first.close();
  const second = await openPage(browser, link.replace('workers=1', 'workers=2'));
  await press(second, '#train');
  await state(second, 'finished');
  await second.waitForFunction(() => !['waiting', 'agreeing'].includes(document.querySelector('#replay').dataset.verdict));
  assert.equal(await attribute(second, '#replay', 'data-verdict'), 'identical', await text(second, '#replay'));
  assert.match(await text(second, '#replay'), /reproduced/i);
  assert.deepEqual(second.complaints, []);
  await second.close();
});

test('a chain of thought is stepped through by keyboard, and each row says what it was written from', async () => {
  const page = await openPage(browser, `${site.site()}?workers=1#${deep({ layout: 'cot', k: 3 })}`);
  const height = () => page.$eval('.picture', card => card.offsetHeight);
  const before = await height();
  assert.equal(await page.$eval('#written', slider => slider.disabled), true);
  await trained(page, deep({ layout: 'cot', k: 3 }));
  assert.equal(await height(), before, 'nothing moves when the answers come');
  const said = () => text(page, '#written-from');
  const rows = () => page.$$eval('#task-picture .thought', rows => rows.length);
  const shows = count => page.waitForFunction(count => document.querySelectorAll('#task-picture .thought').length === count, {}, count);
  assert.equal(await rows(), 3);
  assert.match(await said(), /^Row 6 \(k = 3\) was written from rows 1 to 3 and rows 4 to 5, which it wrote itself\./);
  assert.match(await attribute(page, '#task-picture svg', 'aria-label'), /wrote row 4: \d of 5 cells right; row 5: .*; row 6: /);
  await page.focus('#task-picture');
  for (const left of [2, 1, 0, 0]) {
    await page.keyboard.press('ArrowUp');
    await shows(left);
  }
  assert.match(await said(), /^Nothing is written yet/);
  await page.keyboard.press('ArrowDown');
  await shows(1);
  assert.match(await said(), /^Row 4 \(k = 1\) was written from rows 1 to 3\. (All 5 cells are|One cell is|\d cells are) (right|wrong)\./);
  // The slider says the same and does not turn to another question.
  const place = await text(page, '.leaf span');
  await page.keyboard.press('Tab');
  while (await page.evaluate(() => document.activeElement.id) !== 'written') await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await shows(2);
  assert.equal(await attribute(page, '#written', 'aria-valuetext'), await said());
  assert.equal(await text(page, '.leaf span'), place);
  // Marked right or wrong as the cells are.
  const marks = await page.$$eval('#task-picture .thought text[font-weight]', marks => marks.map(mark => mark.textContent));
  for (const mark of marks) assert.match(mark, /^5\/5 ✓$|^[0-4]\/5 ✗$/);
  await fits(page, 'chain', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the hops are reached by Tab and read cell by cell with the arrow keys', async () => {
  const page = await openPage(browser, `${site.site()}?workers=1#${deep({ model: 'armt', ...ADAPTIVE })}`);
  // What is to come has its place before it is there: nothing moves when it comes.
  const places = () => page.$$eval('.content .card:not(.sweep)', cards => cards.map(card => [card.getAttribute('aria-label'), card.offsetTop, card.offsetHeight].join(' ')));
  await page.waitForFunction(() => /from 1000 questions/.test(document.querySelector('#depth-chart').textContent));
  const before = await places();
  assert.match(await text(page, '#thinking .ask'), /it takes – hops/);
  await trained(page, deep({ model: 'armt', ...ADAPTIVE }));
  await showsHops(page, { parts: 2, rows: 4, what: 'armt' });
  assert.deepEqual(await places(), before);
  assert.equal(await page.$$eval('#hops-legend .level-key', keys => keys.map(key => key.textContent).join()), '1,2,3');
  await page.focus('#task-picture');
  while (await page.evaluate(() => document.activeElement.id) !== 'hops') await page.keyboard.press('Tab');
  const told = async (key, pattern) => {
    await page.keyboard.press(key);
    await page.waitForFunction(source => new RegExp(source).test(document.querySelector('#hops-words').textContent), {}, pattern.source);
  };
  await told('ArrowLeft', /^Predicting row 5, cell 1, hops: layer 1: [123], layer 2: [123]\.$/);
  await told('ArrowUp', /^Reading row 3, cell 1, /);
  await told('ArrowRight', /^Reading row 3, cell 2, /);
  await told('ArrowUp', /^Reading row 2, cell 2, /);
  await fits(page, 'hops', { fullPage: true });
  // What is not measured is not made up: hops are kept of the first eight questions.
  await page.focus('#previous');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /Nothing is known of this question/.test(document.querySelector('#hops-words').textContent));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('what does not go together is said beside its field, with a button that mends it', async () => {
  const page = await openPage(browser, `${site.site()}#${tiny({ k: 2 })}`);
  await page.$$eval('#settings details', groups => groups.forEach(group => { group.open = true; }));
  await page.select('#field-layout', 'cot');
  const error = key => text(page, `#error-${key}`);
  const off = wanted => page.waitForFunction(wanted => document.querySelector('#train').disabled === wanted, {}, wanted);
  const mend = async words => {
    await page.evaluate(words => [...document.querySelectorAll('#settings .field button')].find(button => button.textContent === words).click(), words);
    await off(false);
  };
  await off(true);
  assert.match(await error('horizon'), /one depth/);
  assert.equal(await attribute(page, '#field-horizon', 'aria-invalid'), 'true');
  assert.equal(await error('W'), '');
  assert.match(await text(page, '#advice'), /Train is off/);
  await mend('Ask one depth');
  assert.equal(await page.$eval('#field-horizon', select => select.value), 'one');
  await page.select('#field-horizon', 'multi');
  await off(true);
  await mend('Answer with one row');
  assert.equal(await page.$eval('#field-layout', select => select.value), 'os');
  // A curriculum means nothing to all depths at once; a setting that has no say says why.
  assert.equal(await page.$eval('#field-stage', input => input.disabled), true);
  assert.equal(await page.$eval('#field-tau', input => input.disabled), true);
  await page.select('#field-loop', 'stack');
  await page.waitForFunction(() => !document.querySelector('#field-tau').disabled);
  // One row after the other with k = 1 is allowed.
  await page.select('#field-horizon', 'one');
  await page.select('#field-layout', 'cot');
  await page.$eval('#field-k', input => { input.value = '1'; input.dispatchEvent(new Event('input', { bubbles: true })); });
  await off(false);
  assert.equal(await error('horizon'), '');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
