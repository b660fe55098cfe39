// The engine Burn in the page: the same losses as our engine's, on burn-flex and on burn-wgpu; “Check with Burn”; a network that only
// Burn computes; and that nobody else downloads it. LOOKAHEAD_FULL=1 makes twenty steps of everything on burn-wgpu too, which takes a
// software adapter half an hour.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WEBGPU, attribute, launch, openPage, press, serveSite, state, steps, text, tiny } from './harness.mjs';
import { apart, train } from './trained.mjs';

const FULL = process.env.LOOKAHEAD_FULL !== undefined;
const BURN = /worker-burn/;
const LOOPS = { plain: {}, ACT: { loop: 'layer', hops: 3, tau: 0.05 }, FCT: { loop: 'fixed', hops: 2 } };

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch(...WEBGPU);
});
after(async () => {
  await browser?.end();
  await site?.close();
});

/** ARMT divides by what a query meets in its memory, which magnifies last digits from step to step. */
const stepsOf = model => (model === 'armt' ? 8 : 20);
const link = (settings, engine) => `${site.site()}?workers=1#${tiny({ horizon: 'one', k: 2, mem: 3, dmem: 5, lr: 0.001, evaln: 8, every: 20, ...settings, engine })}`;

async function same(context, label, settings, engine, badge) {
  const ours = await train(browser, link(settings, 'cpu'));
  const theirs = await train(browser, link(settings, engine));
  assert.deepEqual(theirs.complaints, []);
  assert.match(theirs.badge, badge);
  assert.equal(theirs.run.losses.length, settings.steps);
  const difference = apart(theirs.run.losses, ours.run.losses);
  context.diagnostic(`${label} on ${engine}: ${settings.steps} losses, largest relative difference ${difference.toExponential(1)}`);
  assert.ok(difference < 1e-5, `${label} on ${engine}: ${theirs.run.losses} and ${ours.run.losses}`);
  assert.notEqual(theirs.run.losses[0], theirs.run.losses.at(-1));
}

for (const model of ['neox', 'lstm', 'mamba', 'armt']) {
  test(`${model} learns on burn-flex as on our engine, plain, with ACT and with FCT`, async context => {
    for (const [loop, settings] of Object.entries(LOOPS)) {
      await same(context, `${model}, ${loop}`, { model, ...settings, steps: stepsOf(model) }, 'burn-flex', /Burn · burn-flex/);
    }
  });

  test(`${model} learns on burn-wgpu as on our engine`, async context => {
    for (const [loop, settings] of Object.entries(FULL ? LOOPS : { plain: LOOPS.plain })) {
      await same(context, `${model}, ${loop}`, { model, ...settings, steps: FULL ? stepsOf(model) : 3 }, 'burn-wgpu', /Burn · burn-wgpu.*software/);
    }
  });
}

test('every layout learns on Burn as on our engine', async context => {
  for (const layout of ['oo', 'ors', 'ros', 'cot']) {
    await same(context, layout, { layout, steps: 20 }, 'burn-flex', /burn-flex/);
    if (FULL) await same(context, layout, { layout, steps: 20 }, 'burn-wgpu', /burn-wgpu/);
  }
});

test('a run can be checked with Burn, on the CPU and on the graphics adapter', async context => {
  for (const [engine, where] of [['cpu', /burn-flex/], ['webgpu', /burn-wgpu/]]) {
    const page = await openPage(browser, link({ model: 'neox', steps: engine === 'cpu' ? 20 : 3 }, engine));
    assert.equal(await page.$('.check-run'), null, 'there is no run to check yet');
    await press(page, '#train');
    await state(page, 'finished');
    await press(page, '.check-run');
    await page.waitForFunction(() => ['same', 'differs', 'failed'].includes(document.querySelector('.checked').dataset.check));
    const words = await text(page, '.checked p');
    assert.equal(await attribute(page, '.checked', 'data-check'), 'same', words);
    assert.match(words, /finds the same \d+ losses to \d digits|equal to the last digit/);
    context.diagnostic(words);
    await page.click('.checked summary');
    assert.match(await text(page, '.checked .hint'), where);
    assert.equal((await page.$$('.checked tbody tr')).length, engine === 'cpu' ? 20 : 3);
    // The run itself is as it was, and can go on.
    assert.equal(await page.evaluate(() => document.body.dataset.state), 'finished');
    assert.deepEqual(page.complaints, []);
    await page.close();
  }
});

test('a network that only Burn computes trains from a link, and the page says why', async () => {
  const page = await openPage(browser, `${site.site()}#${tiny({ model: 'deltanet', fade: 'gated', beta: 2, steps: 4, every: 4, evaln: 8, engine: 'auto' })}`);
  assert.match(await text(page, '#engine-badge'), /^Burn/);
  await press(page, '#train');
  await state(page, 'finished');
  assert.match(await text(page, '#engine-badge'), /Burn · burn-flex/);
  assert.match(await attribute(page, '#engine-badge', 'title'), /has no kernels of its own yet/);
  assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0);
  // An engine that has no kernels for it is refused at the setting, before anything runs.
  await page.select('#field-engine', 'cpu');
  await page.waitForFunction(() => document.querySelector('#train').disabled);
  assert.match(await text(page, '#error-engine'), /runs on Burn alone/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('whoever does not choose Burn downloads none of it', async () => {
  const page = await browser.newPage();
  const asked = [];
  page.on('request', request => asked.push(request.url()));
  await page.goto(`${site.site()}?workers=2#${tiny({ steps: 4, every: 4, evaln: 8 })}`);
  await page.waitForFunction(() => document.body.dataset.state === 'idle');
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
