// Runs that start from weights: a checkpoint of the site, a finished run, an opened file; and a run that outlives the page.
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

const visit = fragment => openPage(browser, `${site.site()}?workers=2#${fragment}`);
const choose = (page, value) => page.select('#field-from', value);
const exact = page => page.$eval('#depth-table tbody .strong', cell => Number.parseFloat(cell.textContent));

test('GRPO from the checkpoint of the site raises exact match at k = 2, and its link replays bit for bit', async () => {
  const page = await openPage(browser, site.site());
  await press(page, '#preset-grpo');
  await press(page, '#train');
  await steps(page, 10);
  await page.waitForFunction(() => document.querySelector('#depth-table tbody .strong')?.textContent.includes('%'));
  await steps(page, 70);
  await press(page, '#stop');
  await state(page, 'finished');
  // Before: about 35 %. The law is that it rises far beyond what the direct answer ever reaches.
  assert.ok((await exact(page)) > 60, `exact match ${await exact(page)} %`);
  assert.deepEqual(page.complaints, []);
  const link = await page.$eval('#link-text', box => box.value);
  await page.close();
  assert.match(link, /learn=grpo.*from=k1.*fp=/);

  const again = await openPage(browser, link.replace(/&steps=\d+/, '&steps=4').replace('?', '?workers=1&'));
  await press(again, '#train');
  await state(again, 'finished');
  assert.equal(await attribute(again, '#replay', 'data-verdict'), 'agreeing');
  await again.close();
});

const type = (page, selector, value) =>
  page.$eval(
    selector,
    (input, value) => {
      input.value = value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    },
    value,
  );
const runs = page => page.$$eval('#runs strong', all => all.map(name => name.textContent));
const link = page => page.$eval('#link-text', box => box.value);
/** A run's link as it stands inside another's. */
const inner = changes => `(${tiny(changes).replace('&engine=cpu', '')})`;

test('a new run starts from a finished one, after a reload too, and its link brings that run along', async () => {
  const page = await visit(tiny({ horizon: 'one', k: 1, steps: 12, every: 6 }));
  await press(page, '#train');
  await state(page, 'finished');
  await press(page, '#go-on-from');
  await page.waitForFunction(() => document.querySelector('#field-from').value.startsWith('(v=1'));
  const from = await page.$eval('#field-from', field => field.value);
  assert.ok(!from.includes('engine'), from);
  await page.waitForFunction(() => localStorage.getItem('lookahead-weights')?.includes('hash'));
  // The file is written behind the page's back.
  await new Promise(resolve => setTimeout(resolve, 1_000));
  await page.reload();
  await page.waitForFunction(() => document.body.dataset.state === 'idle');
  assert.equal(await page.$eval('#field-from', field => field.value), from);
  await page.select('#field-learn', 'grpo');
  await type(page, '#field-new', '6');
  await press(page, '#train');
  await state(page, 'finished');
  assert.equal((await runs(page)).length, 1, 'the weights are kept here: nothing is trained first');
  const whole = await link(page);
  assert.ok(whole.includes('&learn=grpo&') && whole.includes(`&from=${from}&fp=`), whole);
  assert.deepEqual(page.complaints, []);
  await page.close();

  // Whoever opens the link has no weights: the page makes them, and then the same numbers.
  const fresh = await launch();
  const other = await openPage(fresh, whole.replace('?', '?workers=1&'));
  await press(other, '#train');
  await other.waitForFunction(() => document.querySelector('#sequel')?.textContent.includes('is trained first'));
  await other.waitForFunction(() => document.querySelector('#replay')?.dataset.verdict === 'identical');
  await state(other, 'finished');
  assert.equal(await other.$('#sequel'), null);
  const names = await runs(other);
  assert.equal(names.length, 2, names.join());
  await press(other, '#train');
  await other.waitForFunction(() => document.querySelectorAll('#runs strong').length === 3);
  await state(other, 'finished');
  assert.deepEqual(other.complaints, []);
  await fresh.end();
});

test('weights that no link makes are known by their file; forgotten, the page says what to do', async () => {
  const from = 'file-0123456789abcdef';
  const page = await visit(`${tiny({ horizon: 'one', k: 1, learn: 'grpo', new: 6 })}&from=${from}`);
  await press(page, '#train');
  await state(page, 'failed');
  assert.match(await text(page, '#failure'), /not in this browser: open that model/);
  await page.close();
});

test('runs behind one another are trained in their order; stopped, forgotten or left out, what follows is told', async () => {
  const first = inner({ steps: 8, every: 4 });
  const second = inner({ steps: 9, every: 4, seed: 2 }).replace(/\)$/, `&from=${first})`);
  const page = await visit(`${tiny({ steps: 10, seed: 3 })}&from=${second}`);
  await press(page, '#train');
  await page.waitForFunction(() => document.querySelectorAll('#runs strong').length === 3);
  await state(page, 'finished');
  await steps(page, 10);
  const names = (await runs(page)).reverse();
  assert.ok(!names[0].includes('after') && /after|changes/.test(names[2]), names.join('; '));

  // Kept now: the last alone is trained. Forgotten, the run stays a run that can be made.
  await press(page, '#forget-weights');
  assert.ok((await page.$eval('#field-from', field => field.value)).startsWith('(v=1'));
  assert.match(await page.$eval('#field-from', field => field.selectedOptions[0].textContent), /trained first/);
  await press(page, '#train');
  await page.waitForFunction(() => document.querySelectorAll('#runs strong').length === 5);
  await state(page, 'finished');
  assert.deepEqual(page.complaints, []);
  await page.close();

  // What the browser has cleared behind the page's back is told; after a reload it is no longer counted on.
  const cleared = await visit(`${tiny({ steps: 10, seed: 3 })}&from=${second}`);
  await cleared.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    for await (const name of folder.keys()) if (name.startsWith('weights-')) await folder.removeEntry(name);
  });
  await press(cleared, '#train');
  await state(cleared, 'failed');
  assert.match(await text(cleared, '#failure'), /are gone from this browser: press Train again/);
  await cleared.reload();
  await cleared.waitForFunction(() => document.body.dataset.state === 'idle' && JSON.parse(localStorage.getItem('lookahead-weights')).length === 0);
  await press(cleared, '#train');
  await cleared.waitForFunction(() => document.querySelectorAll('#runs strong').length === 3);
  await state(cleared, 'finished');
  await cleared.close();

  const long = await visit(`${tiny({ steps: 10, seed: 4 })}&from=${inner({ steps: 500_000, every: 100_000, seed: 5 })}`);
  await press(long, '#train');
  await steps(long, 3);
  await press(long, '#stop');
  await long.waitForFunction(() => document.querySelector('#notice').textContent.includes('was not begun'));
  assert.equal((await runs(long)).length, 1);
  await press(long, '#train');
  await steps(long, 3);
  await press(long, '#forget-sequel');
  await press(long, '#stop');
  await state(long, 'finished');
  assert.equal((await runs(long)).length, 2);
  assert.deepEqual(long.complaints, []);
  await long.close();
});

test('a run that the page was closed on is offered again, and goes on from its snapshot', async () => {
  const page = await visit(tiny({ steps: 500_000, every: 20 }));
  await press(page, '#train');
  await steps(page, 60);
  await page.waitForFunction(() => localStorage.getItem('lookahead-run') === 'kept');
  await page.reload();
  await page.waitForSelector('#unfinished');
  const stood = Number((await text(page, '#unfinished')).match(/at step ([^.]+)\./)[1].replace(/\D/g, ''));
  assert.ok(stood >= 20, `it stands at step ${stood}`);
  await press(page, '#go-on');
  await steps(page, stood + 10);
  await press(page, '#stop');
  await state(page, 'finished');
  assert.deepEqual(page.complaints, []);
  await page.reload();
  await page.waitForFunction(() => document.body.dataset.state === 'idle');
  await new Promise(resolve => setTimeout(resolve, 300));
  assert.equal(await page.$('#unfinished'), null, 'what has ended is not offered');
  await page.close();
});

test('the form refuses GRPO without weights, and a network that a checkpoint does not fit', async () => {
  const page = await visit(tiny({ horizon: 'one', k: 1 }));
  await page.select('#field-learn', 'grpo');
  await page.waitForFunction(() => /must start from a trained one/.test(document.querySelector('#error-from').textContent));
  assert.equal(await page.$eval('#train', button => button.disabled), true);
  await choose(page, 'k1');
  await page.waitForFunction(() => document.querySelector('#error-from').textContent === '');
  assert.equal(await page.$eval('#field-d', input => input.value), '48', 'the network follows the checkpoint');
  await page.$eval('#field-d', input => {
    input.value = '40';
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.waitForFunction(() => /set the network to the same sizes/.test(document.querySelector('#error-from').textContent));
  await page.close();
});
