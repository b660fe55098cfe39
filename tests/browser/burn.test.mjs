// The engine Burn in the page: the same losses as our engine's, on burn-flex and on burn-wgpu; “Check with Burn”; a network that only
// Burn computes; and that nobody else downloads it. LOOKAHEAD_FULL=1 makes twenty steps of everything on burn-wgpu too, which takes a
// software adapter half an hour.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBGPU, attribute, engineOf, linkOf, press, state, stateOf, steps, suite, text, tiny, unsealed } from './harness.mjs';
import { apart, train } from './trained.mjs';

const FULL = process.env.LOOKAHEAD_FULL !== undefined;
const BURN = /worker-burn/;
const LOOPS = { plain: {}, ACT: { loop: 'layer', hops: 3, tau: 0.05 }, FCT: { loop: 'fixed', hops: 2 } };

const { browser, address, visit } = await suite({ flags: WEBGPU, query: 'workers=1' });

/** ARMT divides by what a query meets in its memory, which magnifies last digits from step to step. */
const stepsOf = model => (model === 'armt' ? 8 : 20);
const link = (settings, engine) => tiny({ horizon: 'one', k: 2, mem: 3, dmem: 5, lr: 0.001, evaln: 8, every: 20, ...settings, engine });

const same = (context, label, settings, engine, badge) =>
  agree(context, `${label} on ${engine}`, [link(settings, 'cpu'), link(settings, engine)], { steps: settings.steps, badge, tolerance: 1e-5 });

/** Trains a link on our engine and one on Burn, and compares their losses, those of the first `from` steps left out. */
async function agree(context, label, [own, burn], { steps, badge, tolerance, from = 0 }) {
  const ours = await train(browser, address(own));
  const theirs = await train(browser, address(burn));
  assert.deepEqual(theirs.complaints, []);
  assert.match(theirs.badge, badge);
  assert.equal(theirs.run.losses.length, steps);
  const difference = apart(theirs.run.losses.slice(from), ours.run.losses.slice(from));
  context.diagnostic(`${label}: ${steps} losses, largest relative difference ${difference.toExponential(1)}`);
  assert.ok(difference < tolerance, `${label}: ${theirs.run.losses} and ${ours.run.losses}`);
  assert.notEqual(theirs.run.losses[0], theirs.run.losses.at(-1));
}

for (const model of ['neox', 'lstm', 'mamba', 'armt']) {
  test(`${model} learns on burn-flex as on our engine, plain, with ACT and with FCT`, async context => {
    for (const [loop, settings] of Object.entries(LOOPS)) {
      await same(context, `${model}, ${loop}`, { model, ...settings, steps: stepsOf(model) }, 'burn-flex', /burn-flex/);
    }
  });

  // On Mesa's software adapter ./test has compared all four natively (tests/laws/burn.rs).
  test(`${model} learns on burn-wgpu as on our engine`, { skip: !FULL && ['mamba', 'armt'].includes(model) && 'only with LOOKAHEAD_FULL' }, async context => {
    for (const [loop, settings] of Object.entries(FULL ? LOOPS : { plain: LOOPS.plain })) {
      await same(context, `${model}, ${loop}`, { model, ...settings, steps: FULL ? stepsOf(model) : 3 }, 'burn-wgpu', /burn-wgpu.*software/);
    }
  });
}

test('every layout learns on Burn as on our engine', async context => {
  for (const layout of ['oo', 'ors', 'ros', 'cot']) {
    await same(context, layout, { layout, steps: 20 }, 'burn-flex', /burn-flex/);
    if (FULL) await same(context, layout, { layout, steps: 20 }, 'burn-wgpu', /burn-wgpu/);
  }
});

test('a policy learns from a reward on Burn as on our engine', async context => {
  const page = await visit();
  await press(page, '#preset-grpo');
  await page.waitForFunction(() => document.querySelector('#link-text').value.includes('learn=grpo'));
  const preset = unsealed(new URL(await linkOf(page)).hash.slice(1));
  await page.close();
  const settings = { steps: 3, batch: 1, every: 3, evaln: 8, group: 4, lr: 0.001 };
  const changed = engine => {
    const fields = new URLSearchParams(preset);
    for (const [key, value] of Object.entries({ ...settings, engine })) fields.set(key, value);
    return String(fields);
  };
  for (const [engine, badge] of [['burn-flex', /burn-flex/], ...(FULL ? [['burn-wgpu', /burn-wgpu/]] : [])]) {
    // Before the first update a policy is its own reference, and its loss is zero but for rounding.
    await agree(context, `GRPO on ${engine}`, [changed('cpu'), changed(engine)], { steps: settings.steps, badge, tolerance: 1e-4, from: 1 });
  }
});

test('a run can be checked with Burn, on the CPU and on the graphics adapter', async context => {
  for (const [engine, where] of [['cpu', /burn-flex/], ['webgpu', /burn-wgpu/]]) {
    const page = await visit(link({ model: 'neox', steps: engine === 'cpu' ? 20 : 3 }, engine));
    assert.equal(await page.$('.check-run'), null, 'there is no run to check yet');
    await press(page, '#train');
    await state(page, 'finished');
    await press(page, '.check-run');
    await page.waitForFunction(() => ['same', 'differs', 'failed'].includes(document.querySelector('.run-checked')?.dataset.check));
    const words = await text(page, '.run-checked p');
    assert.equal(await attribute(page, '.run-checked', 'data-check'), 'same', words);
    assert.match(words, /\bsame\b.*\b\d digits|last digit/);
    context.diagnostic(words);
    await page.click('.run-checked summary');
    assert.match(await text(page, '.run-checked .text-hint'), where);
    assert.equal((await page.$$('.run-checked tbody tr')).length, engine === 'cpu' ? 20 : 3);
    // The run itself is as it was, and can go on.
    assert.equal(await stateOf(page), 'finished');
    assert.deepEqual(page.complaints, []);
    await page.close();
  }
});

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
