// Saved models: trained, saved, opened again with the same scores; and every wrong file is told while the page stays as it was.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { attribute, launch, openPage, press, serveSite, state, steps, text, tiny } from './harness.mjs';

const MODELS = { neox: 'GPT-NeoX', lstm: 'LSTM', mamba: 'Mamba', armt: 'ARMT' };
const small = (changes = {}) => tiny({ mem: 4, dmem: 8, steps: 12, every: 12, evaln: 24, ...changes });

let site, browser, folder;
/** { model: { 'model.safetensors': Buffer, 'config.json': Buffer, depths } }, filled by the first test */
const saved = {};
before(async () => {
  site = await serveSite();
  browser = await launch();
  folder = mkdtempSync(path.join(tmpdir(), 'lookahead-opening-'));
});
after(async () => {
  await browser?.end();
  await site?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Opens the page so that it keeps what it would download, as bytes by name. */
async function visit(fragment) {
  const page = await openPage(browser, `${site.site()}?workers=1#${fragment}`);
  await page.evaluate(() => {
    const blobs = new Map();
    window.downloads = {};
    URL.createObjectURL = blob => (blobs.set(`blob:${blobs.size}`, blob), `blob:${blobs.size - 1}`);
    HTMLAnchorElement.prototype.click = function () {
      blobs.get(this.href).arrayBuffer().then(buffer => { window.downloads[this.download] = [...new Uint8Array(buffer)]; });
    };
  });
  return page;
}

/** Presses a button and takes the files that it saves. */
async function downloads(page, press, ...names) {
  await page.evaluate(() => { window.downloads = {}; });
  await press();
  await page.waitForFunction(names => names.every(name => window.downloads[name]), {}, names);
  const files = await page.evaluate(() => window.downloads);
  return Object.fromEntries(names.map(name => [name, Buffer.from(files[name])]));
}

/** The newest run's own account. */
async function account(page) {
  const name = () => page.evaluate(() => Object.keys(window.downloads).find(name => name.endsWith('.json')));
  await page.evaluate(() => {
    window.downloads = {};
    [...document.querySelectorAll('#runs > li:first-child button')].find(button => button.textContent === 'JSON').click();
  });
  await page.waitForFunction(() => Object.keys(window.downloads).length === 1);
  return JSON.parse(Buffer.from(await page.evaluate(name => window.downloads[name], await name())).toString());
}

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

/** Where the network looks, in words: asked for once the card is looked at. */
async function reads(page) {
  await page.evaluate(() => document.querySelector('#where').scrollIntoView());
  await page.waitForFunction(() => /On the/.test(document.querySelector('#reads-words').textContent));
  return page.$eval('#reads', panels => panels.dataset.sums);
}

for (const [key, name] of Object.entries(MODELS)) {
  test(`${name}: trained, saved and opened again, it measures the same`, async () => {
    const first = await visit(small({ model: key }));
    await press(first, '#train');
    await state(first, 'finished');
    const files = await downloads(first, () => press(first, '#save-latest'), 'model.safetensors', 'config.json');
    const trained = await account(first);
    saved[key] = { ...files, scores: scores(trained) };
    const read = await reads(first);
    assert.deepEqual(first.complaints, []);
    await first.close();

    // Another page, whose form says another network.
    const page = await visit(small({ model: key === 'neox' ? 'lstm' : 'neox', layers: 3, d: 24 }));
    await choose(page, files);
    await state(page, 'finished');
    await page.waitForFunction(() => /exact/.test(document.querySelector('#runs > li .scores')?.textContent ?? ''));
    const opened = await account(page);
    assert.deepEqual(scores(opened), scores(trained));
    assert.equal(opened.name, `Opened: ${name}, 2 layers`);
    assert.equal(opened.parameters, trained.parameters);
    assert.equal(await reads(page), read, 'and reads the same');
    assert.deepEqual([opened.losses, opened.ending, opened.fingerprint], [[], 'opened', null]);
    // The form has taken the network over, and nothing else.
    assert.equal(await page.$eval(`#model-${key}`, input => input.checked), true);
    assert.equal(await attribute(page, '#model-size', 'data-parameters'), String(trained.parameters));
    assert.match(await page.$eval('#link-text', box => box.value), /layers=2&d=16&/);
    assert.match(await attribute(page, '#depth-chart svg', 'aria-label'), /Opened/);
    const again = await downloads(page, () => press(page, '#save-latest'), 'model.safetensors', 'config.json');
    assert.deepEqual(again, files, 'saved again, the files are the same');
    // What was opened does not stand in the way of a new run.
    await press(page, '#train');
    await state(page, 'finished');
    assert.equal(await page.$$eval('#runs > li', runs => runs.length), 2);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
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
    'weights alone': [{ 'model.safetensors': weights }, /config\.json is missing/],
    'a description alone': [{ 'config.json': description }, /weights are missing/],
    'two of a kind': [{ 'a.safetensors': weights, 'b.safetensors': weights }, /same kind/],
    'something else': [{ 'cat.png': weights, 'config.json': description }, /“cat\.png” is no file of a saved model/],
    'another architecture': [{ 'model.safetensors': weights, 'config.json': changed(json => ({ ...json, model_type: 'llama' })) }, /llama.*lstm/s],
    'another vocabulary': [{ 'model.safetensors': weights, 'config.json': changed(json => ({ ...json, vocab_size: 128 })) }, /128 tokens.*vocabulary/s],
    'other shapes': [{ 'model.safetensors': weights, 'config.json': changed(json => ({ ...json, hidden_size: 32 })) }, /sizes differ/],
    'of another network': [{ 'model.safetensors': saved.mamba['model.safetensors'], 'config.json': description }, /no tensor.*architecture/s],
    'half a description': [{ 'model.safetensors': weights, 'config.json': description.subarray(0, 20) }, /config\.json cannot be read/],
  };
  const before = await account(page);
  for (const [what, [files, sentence]] of Object.entries(wrong)) {
    await choose(page, files);
    await page.waitForFunction(() => document.querySelector('#unopened') && document.body.dataset.state !== 'preparing');
    assert.match(await text(page, '#unopened'), sentence, what);
    assert.equal(await page.evaluate(() => document.body.dataset.state), 'finished', what);
    await page.evaluate(() => document.querySelector('#unopened button').click());
    await page.waitForFunction(() => !document.querySelector('#unopened'));
  }
  assert.deepEqual(await account(page), before);
  // The worker still holds the run: its weights can be saved.
  const files = await downloads(page, () => press(page, '#save-latest'), 'model.safetensors');
  assert.deepEqual(files['model.safetensors'], weights);
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
  assert.match(await text(page, '#drop-hint'), /run is in progress/);
  await drop('drop');
  await hint(false);
  await page.waitForFunction(() => document.querySelector('#unopened'));
  assert.match(await text(page, '#unopened'), /run is in progress: stop it first/);
  const made = Number(await page.evaluate(() => document.body.dataset.step));
  await steps(page, made + 3);
  await press(page, '#stop');
  await state(page, 'finished');
  await drop('dragover');
  await hint(true);
  await drop('drop');
  await page.waitForFunction(() => /Opened: ARMT, 2 layers/.test(document.querySelector('#runs').textContent) && document.body.dataset.state === 'finished');
  await page.waitForFunction(() => /exact/.test(document.querySelector('#runs > li .scores')?.textContent ?? ''));
  assert.deepEqual(scores(await account(page)), saved.armt.scores);
  assert.equal(await text(page, '#unopened'), '');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
