// A worker that is gone without a word, a run that is to end at once, and an engine that panics.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { press, runsOf, says, shows, state, stateOf, steps, suite, text, tiny } from './harness.mjs';

/** In the lead, before its program: keeps the helpers that it starts, and ends one when the page says so. */
const traitor = () => {
  const { Worker } = self;
  const helpers = [];
  self.Worker = class extends Worker {
    constructor(...details) {
      super(...details);
      helpers.push(this);
    }
  };
  if (self.name.startsWith('lead')) new BroadcastChannel('end').onmessage = () => helpers[0].terminate();
};
const { visit } = await suite({ preludes: { traitor: `(${traitor})();` } });
const endless = changes => tiny({ steps: 500_000, every: 50, ...changes });

/** In the page: keeps the workers that it starts. */
const watched = page => page.evaluateOnNewDocument(() => {
  window.workers = [];
  window.Worker = class extends window.Worker {
    constructor(...details) {
      super(...details);
      window.workers.push(this);
    }
  };
});
const seconds = async act => {
  const begun = Date.now();
  await act();
  return (Date.now() - begun) / 1000;
};

test('a worker that the browser ends is missed within seconds, and the run goes on from its snapshot', async () => {
  const page = await visit(endless(), { query: 'workers=1', prepare: watched });
  await press(page, '#train');
  await steps(page, 60);
  await page.evaluate(() => window.workers.at(-1).terminate());
  const missed = await seconds(() => page.waitForFunction(() => document.body.dataset.state === 'failed'));
  assert.ok(missed < 10, `missed after ${missed} s`);
  assert.match(await text(page, '#failure'), /ended by the browser.*Resume/);
  await press(page, '#recover');
  await state(page, 'running');
  await press(page, '#stop');
  await state(page, 'finished');
  await page.close();
});

test('a helper that the browser ends is missed too', async () => {
  const page = await visit(endless({ batch: 8 }), { query: 'workers=2', name: 'traitor' });
  await press(page, '#train');
  await steps(page, 60);
  await page.evaluate(() => new BroadcastChannel('end').postMessage(''));
  const missed = await seconds(() => page.waitForFunction(() => document.body.dataset.state === 'failed'));
  assert.ok(missed < 10, `missed after ${missed} s`);
  assert.match(await text(page, '#failure'), /helper.*ended by the browser.*Resume/);
  await page.close();
});

test('Stop gives a measurement up, and pressed again ends at once', async () => {
  // A measurement of minutes.
  const page = await visit(endless({ every: 5, evaln: 10_000, layers: 4, d: 64, heads: 4 }), { query: 'workers=1' });
  await press(page, '#train');
  await steps(page, 5);
  await press(page, '#stop');
  await says(page, '#status', /one last measurement/);
  assert.equal(await text(page, '#stop'), 'End now');
  const ended = await seconds(async () => {
    await press(page, '#stop');
    await state(page, 'finished');
  });
  assert.ok(ended < 10, `ended after ${ended} s`);
  assert.equal((await runsOf(page)).length, 1);
  // The page goes on with a new worker.
  await press(page, '#train');
  await steps(page, 2);
  await page.close();
});

test('a run that has not begun is cancelled at once', async () => {
  const page = await visit(endless(), { query: 'workers=1' });
  await press(page, '#train');
  await press(page, '#stop');
  await page.waitForFunction(() => ['idle', 'finished'].includes(document.body.dataset.state));
  assert.notEqual(await stateOf(page), 'failed');
  await page.close();
});

test('a panic is told with what can be done', async () => {
  const page = await visit(endless(), { query: 'workers=1', prepare: watched });
  await press(page, '#train');
  await steps(page, 60);
  await page.evaluate(() => window.workers.at(-1).onmessage(new MessageEvent('message', { data: [{ Failed: { sentence: 'The engine has an internal error and stopped (panicked).', remedy: '' } }] })));
  await state(page, 'failed').catch(() => {});
  await says(page, '#failure', /internal error.*Resume/);
  await shows(page, 'body', 'data-state', 'failed');
  await page.close();
});
