// The four networks by the page: chosen by keyboard, trained from a link on both engines, replayed bit for bit on the CPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBGPU, attribute, engineOf, press, reload, runsOf, state, steps, suite, text, tiny, type, visible, withQuery } from './harness.mjs';
import { apart, train } from './trained.mjs';

/** Key in the link, name on the page. */
const MODELS = { neox: 'GPT-NeoX', lstm: 'LSTM', mamba: 'Mamba', armt: 'ARMT' };
const STEPS = 20;

const { browser, address, visit } = await suite({ flags: WEBGPU, query: 'workers=1' });

for (const [key, name] of Object.entries(MODELS)) {
  test(`${name} trains from a link on both engines, and its copied link replays bit for bit`, async context => {
    const link = engine => address(tiny({ model: key, mem: 4, dmem: 8, steps: STEPS, every: STEPS, evaln: 8, engine }));
    const cpu = await train(browser, link('cpu'));
    assert.deepEqual(cpu.complaints, []);
    assert.equal(cpu.run.losses.length, STEPS);
    assert.ok(cpu.run.losses.every(loss => Number.isFinite(loss) && loss > 0));
    assert.equal(cpu.counted, cpu.run.parameters, 'the page counts the parameters that the worker has');
    assert.ok(cpu.run.name.includes(name) || key === 'neox', cpu.run.name);
    assert.match(cpu.link, /&fp=/);

    const again = await train(browser, withQuery(cpu.link, 'workers=2'));
    assert.equal(again.verdict, 'identical', again.words);
    assert.deepEqual(again.run.losses, cpu.run.losses);

    const card = await train(browser, link('webgpu'));
    assert.deepEqual(card.complaints, []);
    assert.match(card.badge, /WebGPU/);
    const difference = apart(card.run.losses, cpu.run.losses);
    context.diagnostic(`${cpu.counted} parameters; largest relative difference of the engines ${difference.toExponential(1)}`);
    assert.equal(card.run.losses.length, STEPS);
    assert.ok(difference < 1e-4, `CPU ${cpu.run.losses} and WebGPU ${card.run.losses}`);
  });
}

test('the picker goes by keyboard, and the form, the count and the link follow', async () => {
  const page = await visit(tiny());
  const shown = key => page.$eval(`#field-${key}`, input => input.closest('.field-row').checkVisibility());
  await page.$$eval('#settings details', groups => groups.forEach(group => { group.open = true; }));
  await page.focus('#model-neox');
  const counts = new Set([await attribute(page, '#model-size', 'data-parameters')]);
  const sentences = new Set([await text(page, '#model-words')]);
  for (const key of ['lstm', 'mamba', 'armt', 'deltanet']) {
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(key => document.querySelector('#link-text').value.includes(`model=${key}`), {}, key);
    assert.equal(await page.$eval('#field-model', select => select.value), key, 'the form says the same');
    assert.equal(await page.$$eval('[role=radiogroup][aria-labelledby=models-title] input:checked', inputs => inputs.map(input => input.value).join()), key);
    counts.add(await attribute(page, '#model-size', 'data-parameters'));
    sentences.add(await text(page, '#model-words'));
    assert.equal(await shown('heads'), ['armt', 'deltanet'].includes(key), `heads of ${key}`);
    assert.equal(await shown('beta'), key === 'deltanet', `write strength of ${key}`);
    assert.equal(await visible(page, '#model-engine'), key === 'deltanet', 'why it runs on Burn is told');
    assert.equal(await shown('mem'), key === 'armt', `memory of ${key}`);
    assert.equal(await text(page, '#left-out') === '', key === 'armt', 'what is left out is told');
  }
  assert.equal(counts.size, 5);
  assert.equal(sentences.size, 5);
  for (const words of sentences) assert.equal(words.match(/\.(\s|$)/g).length, 2, `two sentences: ${words}`);

  // What is typed into the form changes the count, and the form's own choice moves the picker.
  const before = await attribute(page, '#model-size', 'data-parameters');
  await type(page, '#field-layers', '5');
  await page.waitForFunction(before => document.querySelector('#model-size').dataset.parameters !== before, {}, before);
  await page.select('#field-model', 'lstm');
  await page.waitForFunction(() => document.querySelector('#model-lstm').checked);
  assert.equal(await page.$eval('#train', button => button.disabled), false);

  // A refused text in a setting that this network has not does not bar the run.
  await page.select('#field-model', 'neox');
  await type(page, '#field-heads', '0');
  await page.waitForFunction(() => document.querySelector('#train').disabled);
  await page.select('#field-model', 'mamba');
  await page.waitForFunction(() => !document.querySelector('#train').disabled);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('from a quick preset the picker goes to the other networks\' quick presets, and each of them trains', async () => {
  const page = await visit('', { query: 'workers=2' });
  await press(page, '#preset-quick');
  for (const [key, preset] of Object.entries({ lstm: 'lstm', mamba: 'mamba', armt: 'armt', neox: 'quick' })) {
    await page.click(`label:has(#model-${key})`);
    await page.waitForFunction(preset => document.querySelector(`#preset-${preset}`).getAttribute('aria-pressed') === 'true', {}, preset);
    await press(page, '#train');
    await steps(page, 3);
    await press(page, '#stop');
    await state(page, 'finished');
  }
  // A form of one's own keeps its settings.
  await type(page, '#field-layers', '2');
  await page.click('label:has(#model-mamba)');
  await page.waitForFunction(() => /model=mamba&layers=2&d=48/.test(document.querySelector('#link-text').value));
  assert.equal((await runsOf(page)).length, 4);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the presets of the four networks make their first steps on WebGPU too', async context => {
  const page = await visit('', { query: '' });
  for (const preset of ['quick', 'lstm', 'mamba', 'armt']) {
    const begun = Date.now();
    await page.click(`#preset-${preset}`);
    await page.select('#field-engine', 'webgpu');
    // The software adapter takes seconds for a sequence.
    await type(page, '#field-batch', '2');
    await press(page, '#train');
    await steps(page, 2);
    assert.equal(await engineOf(page), 'webgpu', preset);
    assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0, preset);
    context.diagnostic(`${preset}: 2 steps after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    // With Stop it would be measured once more, which takes the software adapter long.
    await reload(page);
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});
