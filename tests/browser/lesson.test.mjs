// Lessons: the list, a lesson from its prediction to its answer, what is kept of it, and what goes on paper.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, fits, frames, press, reload, says, shows, state, suite, text, type, visible } from './harness.mjs';
import { records } from './records.mjs';

const { visit } = await suite({ query: 'workers=1' });
const kept = async page => (await records(page)).filter(({ name }) => name.startsWith('lesson '));

/** A lesson whose run takes a second, in the place of “Two steps ahead”. */
const LESSON = `# Two steps ahead
*35 minutes · Why is the second step so hard?*

Some **words**, and [a lesson](one-ahead.md).

## Predict

\`\`\`predict guess-tiny k=1
How many will be right?
\`\`\`

\`\`\`question k=2 rule=shown
Two steps ahead.
\`\`\`

## Run

\`\`\`run tiny quick&W=5&T=2&layers=1&d=8&heads=1&ff=8&k=1&steps=20&decay=20&every=10&evaln=16&batch=4&engine=portable
Train a **tiny** network
\`\`\`

\`\`\`compare guess-tiny tiny ref:straight
Look at both.
\`\`\`

\`\`\`explain why
Why is that so?
\`\`\`
`;
const prepare = async page => {
  // The site's service worker would answer before the test does.
  await page.setBypassServiceWorker(true);
  await page.setRequestInterception(true);
  page.on('request', request => {
    const answer = request.url().endsWith('/two-ahead.md') ? request.respond({ body: LESSON, contentType: 'text/markdown; charset=utf-8' }) : request.continue();
    // A request that began before the interception ended.
    answer.catch(() => {});
  });
};
/** Lets requests go their own way again: an intercepted worker that the page replaces while it loads may hang. */
const left = async page => {
  await page.waitForSelector('#lesson');
  await page.setRequestInterception(false);
};
const opened = async () => {
  const page = await visit('', { query: 'workers=1&lesson=two-ahead', prepare });
  await left(page);
  return page;
};
const again = async page => {
  await page.setRequestInterception(true);
  await reload(page);
  await left(page);
};
const cells = (page, row) => page.$eval(`[data-live=compare] tbody tr:nth-child(${row})`, row => [...row.cells].map(cell => cell.textContent));

test('the list names all lessons and leads to each, and an unknown name leads to the list', async () => {
  const page = await visit('', { query: 'workers=1&lesson=no-such' });
  await says(page, '#lesson-list', /There is no lesson “no-such”/);
  await says(page, '.lesson-item:nth-child(6)', /6\. Four ways to remember/);
  await says(page, '.lesson-item:nth-child(1)', /35 minutes/);
  assert.equal(await visible(page, '.page-layout'), false);
  await press(page, '.lesson-item:nth-child(1) a');
  await says(page, '#lesson h2', /Guess the rule/);
  assert.equal(await visible(page, '#train'), true);
  await press(page, '.lesson-nav a[data-lesson="guess-the-rule.teacher"]');
  await says(page, '#lesson h2', /for the teacher/i);
  assert.equal(await visible(page, '.page-layout'), false);
  await page.goBack();
  await page.waitForFunction(() => !document.querySelector('.lesson-teacher') && document.querySelector('#lesson'));
  assert.deepEqual(page.complaints, []);
});

test('every page of every lesson can be read', async () => {
  const page = await visit('', { query: 'workers=1&lesson=' });
  const names = await page.$$eval('.lesson-item a', links => links.map(link => link.dataset.lesson));
  assert.equal(names.length, 6);
  for (const name of names.flatMap(name => [name, `${name}.teacher`])) {
    await page.evaluate(name => { history.pushState(null, '', `?lesson=${name}`); dispatchEvent(new PopStateEvent('popstate')); }, name);
    await page.waitForFunction(name => (document.querySelector('.lesson-teacher') ? name.endsWith('.teacher') : !name.endsWith('.teacher')) && document.querySelector('#lesson h3'), {}, name);
  }
  assert.deepEqual(page.complaints, []);
});

test('a lesson from its prediction to its answer; a reload keeps all of it, and it can be cleared', async () => {
  const page = await opened();
  assert.equal(await attribute(page, 'body', 'data-door'), 'lesson');
  assert.match(await text(page, '#lesson-done'), /^0 of 3 done/);
  assert.deepEqual((await cells(page, 1)).slice(0, 4), ['tiny', '1', '–', 'run it']);
  assert.deepEqual((await cells(page, 2)).slice(0, 4), ['Straight', '1', '–', 'predict'], 'a reference is hidden before the prediction');

  await page.focus('#predict-guess-tiny-1');
  await page.keyboard.type('12');
  await says(page, '#lesson-done', /^1 of 3/);
  assert.equal(await page.$eval('[data-live=predict] input[type=range]', input => input.value), '12');
  await page.waitForFunction(() => /%/.test(document.querySelector('[data-live=compare] tbody tr:nth-child(2)').cells[3].textContent));

  const heights = () => page.$eval('[data-live=run]', box => [box.offsetHeight, document.querySelector('[data-live=compare]').offsetHeight]);
  const before = await heights();
  await press(page, '.lesson-run');
  await state(page, 'finished');
  await shows(page, '[data-live=run]', 'data-result', '1');
  assert.deepEqual(await heights(), before, 'a result moves nothing');
  const [name, k, predicted, measured, , difference] = await cells(page, 1);
  assert.deepEqual([name, k], ['tiny', '1']);
  assert.match(predicted, /^12 %/);
  const right = Number.parseFloat(measured);
  // Both are rounded for themselves.
  assert.ok(Math.abs(Number.parseFloat(difference.replace('−', '-')) - (right - 12)) <= 1, `${measured} − 12 % = ${difference}`);

  await type(page, '#explain-why', 'Because\nit is.');
  await says(page, '#lesson-done', /^3 of 3/);
  await page.waitForFunction(() => new Promise(resolve => setTimeout(() => resolve(true), 600)));
  assert.equal((await kept(page)).length, 1);
  await again(page);
  await says(page, '#lesson-done', /^3 of 3/);
  assert.equal(await page.$eval('#explain-why', area => area.value), 'Because\nit is.');
  assert.equal(await page.$eval('#predict-guess-tiny-1', input => input.value), '12');
  assert.equal(Number.parseFloat((await cells(page, 1))[3]), right);

  await page.emulateMediaType('print');
  assert.equal(await visible(page, '[data-live=explain] .text-printed'), true);
  assert.equal(await visible(page, '.page-layout'), false);
  assert.equal(await visible(page, '#explain-why'), false);
  await page.emulateMediaType('screen');

  page.once('dialog', dialog => dialog.accept());
  await press(page, '#lesson-clear');
  await says(page, '#lesson-done', /^0 of 3/);
  assert.equal(await page.$eval('#explain-why', area => area.value), '');
  await page.waitForFunction(() => new Promise(resolve => setTimeout(() => resolve(true), 300)));
  assert.deepEqual(await kept(page), []);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('a question of a lesson is asked at its depth, and there is one puzzle on the page', async () => {
  const page = await opened();
  assert.equal((await page.$$('#puzzle')).length, 0);
  await press(page, '[data-live=question] button');
  await page.waitForSelector('#puzzle');
  assert.equal(await attribute(page, '#steps-2', 'aria-pressed'), 'true');
  assert.equal(await attribute(page, '#puzzle-rule', 'aria-pressed'), 'true');
  await page.waitForFunction(() => document.activeElement.id === 'cell-0');
  await frames(page);
  assert.equal((await page.$$('#cell-0')).length, 1);
  await page.close();
});

test('a lesson fits on every screen', async () => {
  const page = await opened();
  await fits(page, 'lesson', { fullPage: true });
  await page.setViewport({ width: 320, height: 640 });
  await frames(page);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320), 'wider than 320 pixels');
  const small = await page.$$eval('#lesson :is(button, a, input)', parts => parts.filter(part => part.checkVisibility() && !part.closest('.lesson-prose') && part.getBoundingClientRect().height < 24).map(part => part.outerHTML));
  assert.deepEqual(small, []);
  await page.close();
});
