// The engine Burn in the page, on burn-flex: the same losses as our engine's; a network that only Burn computes; and that nobody else
// downloads it. burn-card.test.mjs is its sister on burn-wgpu.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, engineOf, press, state, steps, suite, text, tiny } from './harness.mjs';
import { FULL, LOOPS, rewarded, same, stepsOf } from './burn.mjs';

const BURN = /worker-burn/;

const place = await suite({ query: 'workers=1' });
const { visit } = place;

for (const model of ['neox', 'lstm', 'mamba', 'armt']) {
  test(`${model} learns on burn-flex as on our engine`, async context => {
    for (const [loop, settings] of Object.entries(LOOPS)) {
      await same(place, context, `${model}, ${loop}`, { model, ...settings, steps: stepsOf(model) }, 'burn-flex', /burn-flex/);
    }
  });
}

test('every layout learns on Burn as on our engine', async context => {
  for (const layout of FULL ? ['oo', 'ors', 'ros', 'cot'] : ['ors', 'cot']) {
    await same(place, context, layout, { layout, steps: 20 }, 'burn-flex', /burn-flex/);
  }
});

test('a policy learns from a reward on Burn as on our engine', context => rewarded(place, context, 'burn-flex', /burn-flex/));

test('a network that only Burn computes trains from a link, and the page says why', async () => {
  const page = await visit(tiny({ model: 'deltanet', fade: 'gated', beta: 2, steps: 4, every: 4, evaln: 8, engine: 'auto' }), { query: '' });
  assert.match(await text(page, '#engine-badge'), /^Burn/);
  await press(page, '#train');
  await state(page, 'finished');
  assert.equal(await engineOf(page), 'burnflex');
  assert.match(await attribute(page, '#engine-badge', 'title'), /no kernels/);
  assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0);
  // An engine that has no kernels for it is refused at the setting, before anything runs.
  await page.select('#field-engine', 'cpu');
  await page.waitForFunction(() => document.querySelector('#train').disabled);
  assert.match(await text(page, '#error-engine'), /Burn/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('whoever does not choose Burn downloads none of it', async () => {
  const asked = [];
  const listen = page => page.on('request', request => asked.push(request.url()));
  const page = await visit(tiny({ steps: 4, every: 4, evaln: 8 }), { query: 'workers=2', prepare: listen });
  await press(page, '#train');
  await state(page, 'finished');
  assert.ok(asked.some(address => /worker/.test(address)), 'or nothing was listened to');
  assert.deepEqual(asked.filter(address => BURN.test(address)), []);
  await page.select('#field-engine', 'burn-flex');
  await press(page, '#train');
  await steps(page, 1);
  assert.ok(asked.some(address => BURN.test(address)), 'chosen, it is fetched');
  await page.close();
});
