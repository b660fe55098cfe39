// The WebGPU engine, on Chromium's software adapter: right with and without `subgroups`, few pipelines and dispatches, and a lost
// device is told and survived.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { WEBGPU, engineOf, open, press, state, stepOf, steps, suite, text, tiny } from './harness.mjs';
import { apart } from './trained.mjs';
import { configOf, run } from './worker.mjs';
import { counts, destroy, listen, prelude } from './gpu.mjs';

const preludes = { given: prelude('given'), hidden: prelude('hidden'), plain: prelude('as is'), disguised: prelude('disguised') };
const { site, browser, visit } = await suite({ flags: WEBGPU, preludes });

let cpu, config;
before(async () => {
  config = await configOf(browser, site.site(), tiny({ engine: 'webgpu', layers: 4, d: 32, ff: 64, steps: 50, every: 25, evaln: 8 }));
  cpu = await run(browser, site.blank(), { ...config, engine: 'Cpu' });
  assert.equal(cpu.failed, null, cpu.failed?.sentence);
});

/** The kernels with and without `subgroups` are told apart by few steps. */
const ADAPTERS = {
  plain: ['as it comes', 50], given: ['with subgroups', 12], hidden: ['without subgroups', 12], disguised: ['that looks like a graphics card', 50],
};
for (const [name, [words, count]] of Object.entries(ADAPTERS)) {
  test(`on an adapter ${words}, ${count} losses agree with the CPU's to 1e-4`, async context => {
    const page = await open(browser, site.blank(name));
    await listen(page);
    const gpu = await run(browser, site.blank(name), { ...config, training: { ...config.training, steps: count } }, { page });
    assert.equal(gpu.failed, null, gpu.failed?.sentence);
    assert.equal(gpu.started.engine.class, 'WebGpu');
    assert.equal(gpu.started.engine.software, name !== 'disguised');
    const difference = apart(gpu.losses, cpu.losses.slice(0, count));
    const seen = await counts(page);
    const [first, last] = [gpu.dispatches[0], gpu.dispatches.at(-1)];
    const each = Math.round((last[1] - first[1]) / (last[0] - first[0]));
    context.diagnostic(`largest relative difference ${difference.toExponential(1)} over ${gpu.losses.length} steps`);
    context.diagnostic(`${seen.pipelines} pipelines, ${seen.shaders} shader modules, ${seen.dispatches} dispatches, ${seen.submits} submits in all; about ${each} dispatches a step; step ${gpu.seconds[0][0]} after ${gpu.seconds[0][1].toFixed(1)} s`);
    assert.ok(difference < 1e-4, `CPU ${cpu.losses} and WebGPU ${gpu.losses}`);
    assert.deepEqual(seen.uncaptured, [], 'no error of WebGPU goes uncaught');
    assert.equal(gpu.losses.length, count);
    assert.ok(seen.pipelines <= 30, `${seen.pipelines} pipelines`);
    if (name === 'given') assert.ok(seen.granted.every(features => features.includes('subgroups')));
    if (name === 'hidden') assert.ok(seen.granted.every(features => !features.includes('subgroups')));
    // Measured answers agree too: an answer may flip only where two logits all but tie.
    const measured = count === cpu.losses.length ? gpu.measured : [];
    for (const [index, { depths }] of measured.entries()) {
      for (const [row, score] of depths.entries()) {
        const expected = cpu.measured[index].depths[row];
        assert.equal(score.samples, expected.samples);
        assert.ok(Math.abs(score.exact - expected.exact) <= 1, `exact at depth ${score.depth}: ${score.exact} and ${expected.exact}`);
        assert.ok(Math.abs(score.bits_teacher_forced - expected.bits_teacher_forced) < 0.03);
      }
    }
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}

test('a step of four layers is at most 60 dispatches, the reading of losses included, and makes no pipeline after the first', async context => {
  const page = await open(browser, site.blank('plain'));
  await listen(page);
  const alone = { ...config, training: { ...config.training, steps: 100_000, eval_every: 100_000 } };
  const result = await run(browser, site.blank('plain'), alone, { page, until: 150 });
  assert.equal(result.failed, null, result.failed?.sentence);
  const [early, late] = [result.dispatches.find(([, dispatches]) => dispatches > 0), result.dispatches.at(-1)];
  const each = (late[1] - early[1]) / (late[0] - early[0]);
  context.diagnostic(`${each.toFixed(1)} dispatches a step over ${late[0] - early[0]} steps`);
  assert.ok(late[0] - early[0] >= 80, `counted over ${late[0] - early[0]} steps`);
  assert.ok(each <= 60, `${each} dispatches a step`);
  // What the worker counts comes a moment after its losses: with the dispatches of two steps told, the first one is over.
  const [, made] = result.pipelines[result.dispatches.findIndex(([, dispatches]) => dispatches > 2 * 60)];
  assert.ok(made > 0, 'pipelines are counted');
  assert.equal(result.pipelines.at(-1)[1], made, 'every pipeline is made before the first step');
  await page.close();
});

test('Muon on the graphics card: 20 losses agree with the CPU to 1e-4', async () => {
  const muon = { ...config, training: { ...config.training, optimizer: 'Muon', learning_rate: 0.01, clip_value: 0.1, steps: 20 } };
  const [onCpu, onGpu] = [await run(browser, site.blank(), { ...muon, engine: 'Cpu' }), await run(browser, site.blank('plain'), muon)];
  for (const { failed } of [onCpu, onGpu]) assert.equal(failed, null, failed?.sentence);
  assert.equal(onGpu.losses.length, 20);
  assert.ok(apart(onGpu.losses, onCpu.losses) < 1e-4, `CPU ${onCpu.losses} and WebGPU ${onGpu.losses}`);
});

test('a lost device is told in a sentence, and the run goes on from its snapshot', async () => {
  const page = await visit(tiny({ engine: 'webgpu', layers: 1, steps: 100_000, every: 4 }), { name: 'plain' });
  await listen(page);
  await press(page, '#train');
  await steps(page, 9);
  await destroy(page);
  await state(page, 'failed');
  const failure = await text(page, '#failure');
  assert.match(failure, /device|graphics|GPU/i);
  assert.match(failure, /\.\s/, 'a sentence that says what happened and what to do');
  const lost = await stepOf(page);
  await press(page, '#recover');
  await state(page, 'running');
  const resumed = await stepOf(page);
  assert.ok(resumed > 0 && resumed <= lost + 4, `went on at step ${resumed}, lost at ${lost}`);
  await steps(page, lost + 2);
  assert.equal(await text(page, '#failure'), '');
  await press(page, '#stop');
  await state(page, 'finished');
  await press(page, '#train');
  await state(page, 'running');
  await steps(page, 2);
  assert.equal(await engineOf(page), 'webgpu', 'a second run of the same page is on the graphics card too');
  await press(page, '#stop');
  await state(page, 'finished');
  await page.close();
});
