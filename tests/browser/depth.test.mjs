// What extends the depth, on the page: every layout and adaptive computation time with every network on the CPU; what they show; a curriculum
// that replays bit for bit; and a form that says what does not go together. depth-card.test.mjs is its sister on WebGPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute, estimated, fits, linkOf, openPage, places, press, says, shows, state, suite, tab, text, tiny, type, verdictOf, visible, withQuery,
} from './harness.mjs';
import { ADAPTIVE, NETWORKS, deep, heads, showsHops, thoughts, trained } from './depth.mjs';

const { browser, visit } = await suite({ query: 'workers=1' });

const opened = engine => visit(deep({ engine }));

test('every layout trains on the CPU with every network, and only a chain of thought is stepped through', async () => {
  const page = await opened('cpu');
  for (const layout of ['os', 'oo', 'ors', 'ros', 'cot']) {
    await trained(page, deep({ layout }));
    const depths = await page.$$eval('#depth-table tbody th', heads => heads.map(head => head.textContent).join());
    assert.equal(depths, ['oo', 'cot'].includes(layout) ? '1,2' : '2', layout);
    assert.equal(await visible(page, '#written'), layout === 'cot', layout);
    assert.equal(await thoughts(page), layout === 'cot' ? 2 : 0, layout);
    assert.equal(await text(page, '#rule-entries') !== '', layout === 'ors', layout);
    assert.equal(await visible(page, '#thinking'), false, layout);
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
  assert.equal(await visible(page, '#thinking'), false);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a curriculum in one link replays bit for bit', async () => {
  const fragment = deep({ layout: 'oo', k: 3, stage: 4, steps: 14, every: 5 });
  const first = await visit(fragment);
  await trained(first, fragment);
  const link = await linkOf(first);
  assert.match(link, /&stage=4&.*&fp=/);
  await first.close();
  const second = await openPage(browser, withQuery(link, 'workers=2'));
  await press(second, '#train');
  await state(second, 'finished');
  await second.waitForFunction(() => !['waiting', 'agreeing'].includes(document.querySelector('#replay').dataset.verdict));
  assert.equal(await verdictOf(second), 'identical', await text(second, '#replay'));
  assert.deepEqual(second.complaints, []);
  await second.close();
});

test('a chain of thought is stepped through by keyboard, and each row says what it was written from', async () => {
  const page = await visit(deep({ layout: 'cot', k: 3 }));
  const height = () => page.$eval('#task-picture', picture => picture.closest('section').offsetHeight);
  const before = await height();
  assert.equal(await page.$eval('#written', slider => slider.disabled), true);
  await trained(page, deep({ layout: 'cot', k: 3 }));
  assert.equal(await height(), before, 'nothing moves when the answers come');
  const said = () => text(page, '#written-from');
  const shows = count => page.waitForFunction(count => document.querySelectorAll('#task-picture .chain-row').length === count, {}, count);
  assert.equal(await thoughts(page), 3);
  assert.match(await said(), /^Row 6\b.*k = 3\b.*\b1 to 3\b.*\b4 to 5\b/);
  assert.match(await attribute(page, '#task-picture svg', 'aria-label'), /row 4: \d of 5\b.*row 5: .*row 6: /);
  await page.focus('#task-picture');
  for (const left of [2, 1, 0, 0]) {
    await page.keyboard.press('ArrowUp');
    await shows(left);
  }
  assert.match(await said(), /^Nothing/);
  await page.keyboard.press('ArrowDown');
  await shows(1);
  assert.match(await said(), /^Row 4\b.*k = 1\b.*\b1 to 3\. .*(right|wrong)\./);
  // The slider says the same and does not turn to another question.
  const question = () => page.$eval('#previous + span', place => place.textContent);
  const place = await question();
  await tab(page, 'task-picture', 'written');
  await page.keyboard.press('ArrowRight');
  await shows(2);
  assert.equal(await attribute(page, '#written', 'aria-valuetext'), await said());
  assert.equal(await question(), place);
  // Marked right or wrong as the cells are.
  const marks = await page.$$eval('#task-picture .chain-row text[font-weight]', marks => marks.map(mark => mark.textContent));
  for (const mark of marks) assert.match(mark, /^5\/5 ✓$|^[0-4]\/5 ✗$/);
  await fits(page, 'chain', { fullPage: true });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the hops are reached by Tab and read cell by cell with the arrow keys', async () => {
  const page = await visit(deep({ model: 'armt', ...ADAPTIVE }));
  // What is to come has its place before it is there: nothing moves when it comes.
  await estimated(page);
  const before = await places(page);
  assert.match(await text(page, '#thinking'), /– hops/);
  await trained(page, deep({ model: 'armt', ...ADAPTIVE }));
  await showsHops(page, { parts: 2, rows: 4, what: 'armt' });
  assert.deepEqual(await places(page), before);
  assert.equal(await page.$$eval('#hops-legend .level-key', keys => keys.map(key => key.textContent).join()), '1,2,3');
  await tab(page, 'task-picture', 'hops');
  const turn = async (key, cell) => {
    await page.keyboard.press(key);
    await shows(page, '#hops', 'data-cell', cell);
  };
  await turn('ArrowLeft', '5 1');
  assert.match(await text(page, '#hops-words'), /row 5, cell 1,.*layer 1: [123], layer 2: [123]\b/);
  await turn('ArrowUp', '3 1');
  await turn('ArrowRight', '3 2');
  await turn('ArrowUp', '2 2');
  await fits(page, 'hops', { fullPage: true });
  // What is not measured is not made up: hops are kept of the first eight questions.
  await page.focus('#previous');
  await page.keyboard.press('Enter');
  await says(page, '#hops-words', /^Nothing is known/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('what does not go together is said beside its field, with a button that mends it', async () => {
  const page = await visit(tiny({ k: 2 }));
  await page.$$eval('#settings details', groups => groups.forEach(group => { group.open = true; }));
  await page.select('#field-layout', 'cot');
  const error = key => text(page, `#error-${key}`);
  const off = wanted => page.waitForFunction(wanted => document.querySelector('#train').disabled === wanted, {}, wanted);
  const mend = async words => {
    await page.evaluate(words => [...document.querySelectorAll('#settings .field-row button')].find(button => button.textContent === words).click(), words);
    await off(false);
  };
  await off(true);
  assert.match(await error('horizon'), /one depth/);
  assert.equal(await attribute(page, '#field-horizon', 'aria-invalid'), 'true');
  assert.equal(await error('W'), '');
  assert.match(await text(page, '#advice'), /Train/);
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
  await type(page, '#field-k', '1');
  await off(false);
  assert.equal(await error('horizon'), '');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
