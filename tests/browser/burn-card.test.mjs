// The engine Burn in the page, on burn-wgpu and the software adapter: the same losses as our engine's; and “Check with Burn” on both of its devices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBGPU, attribute, press, state, stateOf, suite, text } from './harness.mjs';
import { FULL, LOOPS, link, rewarded, same, stepsOf } from './burn.mjs';

const place = await suite({ flags: WEBGPU, query: 'workers=1' });
const { visit } = place;

for (const model of ['neox', 'lstm', 'mamba', 'armt']) {
  // On Mesa's software adapter ./test has compared all four natively (tests/laws/burn.rs).
  test(`${model} learns on burn-wgpu as on our engine`, { skip: !FULL && ['mamba', 'armt'].includes(model) && 'only with LOOKAHEAD_FULL' }, async context => {
    for (const [loop, settings] of Object.entries(FULL ? LOOPS : { plain: {} })) {
      await same(place, context, `${model}, ${loop}`, { model, ...settings, steps: FULL ? stepsOf(model) : 3 }, 'burn-wgpu', /burn-wgpu.*software/);
    }
  });
}

test('every layout learns on burn-wgpu as on our engine', { skip: !FULL && 'only with LOOKAHEAD_FULL' }, async context => {
  for (const layout of ['oo', 'ors', 'ros', 'cot']) await same(place, context, layout, { layout, steps: 20 }, 'burn-wgpu', /burn-wgpu/);
});

test('a policy learns from a reward on burn-wgpu as on our engine', { skip: !FULL && 'only with LOOKAHEAD_FULL' }, context => rewarded(place, context, 'burn-wgpu', /burn-wgpu/));

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
