// Saved models: trained, saved, opened again with the same scores; and every wrong file is told while the page stays as it was.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  account, attribute, downloads, linkOf, measured, press, runsAre, runsOf, state, stateOf, stepOf, steps, suite, text, tiny, visible,
} from './harness.mjs';

const MODELS = { neox: 'GPT-NeoX', lstm: 'LSTM', mamba: 'Mamba', armt: 'ARMT', deltanet: 'DeltaNet' };
// Automatic is the CPU here, and Burn on it for DeltaNet.
const small = (changes = {}) => tiny({ mem: 4, dmem: 8, steps: 12, every: 12, evaln: 24, engine: 'auto', ...changes });

const { visit } = await suite({ query: 'workers=1' });
const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-opening-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** { model: { 'model.safetensors': Buffer, 'config.json': Buffer, scores } }, filled by the first tests */
const saved = {};

/** The newest weights of the run on the page, as files. */
const files = async page => ({
  ...(await downloads(page, 1, () => press(page, '#save-latest'))),
  ...(await downloads(page, 1, () => press(page, '#save-config'))),
});

/** Writes files and chooses them as a user would. */
async function choose(page, files) {
  const place = mkdtempSync(path.join(folder, 'files-'));
  const paths = Object.entries(files).map(([name, bytes]) => {
    mkdirSync(path.dirname(path.join(place, name)), { recursive: true });
    writeFileSync(path.join(place, name), bytes);
    return path.join(place, name);
  });
  await (await page.$('#open-files')).uploadFile(...paths);
}

const scores = run => run.measured.at(-1).depths;

/** What the network reads: known once the card is looked at; nothing where there is no such card. */
async function reads(page) {
  if (!(await page.$('#where')) || !(await visible(page, '#where'))) return null;
  await page.evaluate(() => document.querySelector('#where').scrollIntoView());
  await page.waitForFunction(() => /\d/.test(document.querySelector('#reads').dataset.sums));
  return attribute(page, '#reads', 'data-sums');
}

for (const [key, name] of Object.entries(MODELS)) {
  test(`${name}: trained, saved and opened again, it measures the same`, async () => {
    const first = await visit(small({ model: key }));
    await press(first, '#train');
    await state(first, 'finished');
    const written = await files(first);
    assert.deepEqual(Object.keys(written).sort(), ['config.json', 'model.safetensors']);
    const trained = await account(first);
    saved[key] = { ...written, scores: scores(trained) };
    // The last question is one of test rules here and in the opened model.
    await press(first, '#previous');
    const read = await reads(first);
    assert.deepEqual(first.complaints, []);
    await first.close();

    // Another page, whose form says another network.
    const page = await visit(small({ model: key === 'neox' ? 'lstm' : 'neox', layers: 3, d: 24 }));
    await choose(page, written);
    await state(page, 'finished');
    await measured(page);
    const opened = await account(page);
    assert.deepEqual(scores(opened), scores(trained));
    assert.equal(opened.name, `Opened: ${name}, 2 layers`);
    assert.equal(opened.parameters, trained.parameters);
    await press(page, '#previous');
    assert.equal(await reads(page), read, 'and reads the same');
    assert.deepEqual([opened.losses, opened.ending, opened.fingerprint], [[], 'opened', null]);
    // The form has taken the network over, and nothing else.
    assert.equal(await page.$eval(`#model-${key}`, input => input.checked), true);
    assert.equal(await attribute(page, '#model-size', 'data-parameters'), String(trained.parameters));
    assert.match(await linkOf(page), /layers=2&d=16&/);
    assert.match(await attribute(page, '#depth-chart svg', 'aria-label'), /Opened/);
    assert.deepEqual(await files(page), written, 'saved again, the files are the same');
    // What was opened does not stand in the way of a new run.
    await press(page, '#train');
    await state(page, 'finished');
    await runsAre(page, 2);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}

/** A safetensors file without the description in its metadata, as other programs write it. */
function undescribed(file) {
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.subarray(8, 8 + length));
  delete header.__metadata__.config_json;
  const written = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(written.length));
  return Buffer.concat([size, written, file.subarray(8 + length)]);
}

test('every wrong file is told in a sentence, and the run on the page stays', async () => {
  const page = await visit(small({ model: 'lstm' }));
  await press(page, '#train');
  await state(page, 'finished');
  const { 'model.safetensors': weights, 'config.json': description } = saved.lstm;
  const changed = change => Buffer.from(JSON.stringify(change(JSON.parse(description))));
  const wrong = {
    'no safetensors': [{ 'model.safetensors': Buffer.from('PK, a zip archive and no model at all'), 'config.json': description }, /safetensors/],
    'cut off': [{ 'model.safetensors': weights.subarray(0, weights.length - 100), 'config.json': description }, /cut off.*again/s],
    'weights alone': [{ 'model.safetensors': undescribed(weights) }, /config\.json.*missing/],
    'a description alone': [{ 'config.json': description }, /weights.*missing/],
    'two of a kind': [{ 'a.safetensors': weights, 'b.safetensors': weights }, /same kind/],
    'something else': [{ 'cat.png': weights, 'config.json': description }, /cat\.png/],
    'another architecture': [{ 'model.safetensors': weights, 'config.json': changed(json => ({ ...json, model_type: 'llama' })) }, /llama.*lstm/s],
    'another vocabulary': [{ 'model.safetensors': weights, 'config.json': changed(json => ({ ...json, vocab_size: 128 })) }, /128.*vocabulary/s],
    'other shapes': [{ 'model.safetensors': weights, 'config.json': changed(json => ({ ...json, hidden_size: 32 })) }, /sizes/],
    'of another network': [{ 'model.safetensors': saved.mamba['model.safetensors'], 'config.json': description }, /tensor.*architecture/s],
    'a network for Burn, cut off': [
      { 'model.safetensors': saved.deltanet['model.safetensors'].subarray(0, 2000), 'config.json': saved.deltanet['config.json'] }, /cut off.*again/s,
    ],
    'half a description': [{ 'model.safetensors': weights, 'config.json': description.subarray(0, 20) }, /config\.json.*read/],
  };
  const before = await account(page);
  for (const [what, [chosen, sentence]] of Object.entries(wrong)) {
    await choose(page, chosen);
    await page.waitForFunction(() => document.querySelector('#unopened') && document.body.dataset.state !== 'preparing');
    assert.match(await text(page, '#unopened'), sentence, what);
    assert.equal(await stateOf(page), 'finished', what);
    await press(page, '#unopened button');
    await page.waitForFunction(() => !document.querySelector('#unopened'));
  }
  assert.deepEqual(await account(page), before);
  // The worker still holds the run: its weights can be saved.
  assert.deepEqual((await files(page))['model.safetensors'], weights);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('the folder that transformers writes opens, dropped or chosen file by file: what else is in it is set aside', async () => {
  const page = await visit(small({ model: 'lstm' }));
  const others = { 'generation_config.json': '{}', 'tokenizer.json': '{}', 'training_args.bin': 'binary', 'README.md': '# a model' };
  const all = { ...others, 'config.json': saved.lstm['config.json'], 'model.safetensors': saved.lstm['model.safetensors'] };
  await choose(page, all);
  await runsAre(page, 1);
  await state(page, 'finished');
  assert.deepEqual(scores(await account(page)), saved.lstm.scores);
  const place = mkdtempSync(path.join(folder, 'whole-'));
  for (const [name, bytes] of Object.entries(all)) writeFileSync(path.join(place, name), bytes);
  const client = await page.createCDPSession();
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await client.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data: { items: [], files: [place], dragOperationsMask: 1 } });
  }
  await runsAre(page, 2);
  await state(page, 'finished');
  assert.deepEqual(scores(await account(page)), saved.lstm.scores);
  // The page's own file holds the description too.
  await choose(page, { 'model.safetensors': saved.lstm['model.safetensors'] });
  await runsAre(page, 3);
  await state(page, 'finished');
  assert.deepEqual(scores(await account(page)), saved.lstm.scores);
  // A file that no model has is named if a file of the model is missing.
  await choose(page, { 'training_args.bin': 'binary', 'config.json': saved.lstm['config.json'] });
  await page.waitForSelector('#unopened');
  assert.match(await text(page, '#unopened'), /training_args\.bin/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('files can be dropped, with a hint while they are held; a run in progress is not disturbed', async () => {
  const page = await visit(small({ model: 'armt', steps: 100_000, every: 100_000 }));
  const drop = type => page.evaluate((type, files) => {
    const data = new DataTransfer();
    for (const [name, bytes] of Object.entries(files)) data.items.add(new File([new Uint8Array(bytes)], name));
    document.querySelector('main').dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }, type, { 'model.safetensors': [...saved.armt['model.safetensors']], 'config.json': [...saved.armt['config.json']] });
  const hint = shown => page.waitForFunction(shown => document.querySelector('#drop-hint').checkVisibility() === shown, {}, shown);
  await press(page, '#train');
  await steps(page, 3);
  await drop('dragover');
  await hint(true);
  assert.match(await text(page, '#drop-hint'), /in progress/);
  await drop('drop');
  await hint(false);
  await page.waitForFunction(() => document.querySelector('#unopened'));
  assert.match(await text(page, '#unopened'), /in progress.*stop/);
  await steps(page, (await stepOf(page)) + 3);
  await press(page, '#stop');
  await state(page, 'finished');
  await drop('dragover');
  await hint(true);
  await drop('drop');
  await runsAre(page, 2);
  await state(page, 'finished');
  assert.match((await runsOf(page))[0], /Opened: ARMT\b/);
  await measured(page);
  assert.deepEqual(scores(await account(page)), saved.armt.scores);
  assert.equal(await text(page, '#unopened'), '');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
