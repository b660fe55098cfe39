// Mangled links, and links that ask for what this machine has not: told in a sentence, and the page stays usable.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow, linkOf, press, state, steps, suite, text, tiny } from './harness.mjs';

const { visit } = await suite();

const good = tiny({ steps: 50 });
const MANGLED = {
  'cut off at its end': [good.slice(0, good.indexOf('&lr=') + 3), [/lr/]],
  'cut off at its start': [good.replace('v=1&', ''), [/v=1/]],
  'of a newer version': [good.replace('v=1', 'v=99'), [/newer/]],
  'with a value out of range': [good.replace('W=5', 'W=5000'), [/Cells in a row/, /4 to 64/, /5000/]],
  'with text for a number': [good.replace('batch=4', 'batch=four'), [/batch/i, /four/]],
  'with an unknown setting': [`${good}&colour=red`, [/colour/]],
  'with an unknown choice': [good.replace('opt=adamw', 'opt=sgd'), [/sgd/, /muon/]],
  'with a setting twice': [`${good}&W=6`, [/twice/]],
  'whose settings clash': [good.replace('heads=2', 'heads=3'), [/heads/]],
  'with half a fingerprint': [`${good}&fp=cpu-12-deadbeef-3fb5`, [/fingerprint/]],
  'with a broken percent sign': [good.replace('seed=7', 'seed=%7'), [/seed/]],
  'that is no link at all': ['<script>alert(1)</script>', [/v=1/]],
  'with two faults, both told': [good.replace('W=5', 'W=0').replace('seed=7', 'seed=-1'), [/Cells in a row/, /seed/i]],
};

for (const [what, [fragment, expected]] of Object.entries(MANGLED)) {
  test(`a link ${what}`, async () => {
    const page = await visit(fragment);
    const told = await text(page, '#faults');
    for (const pattern of expected) assert.match(told, pattern);
    assert.ok(await page.$('#task-picture svg'), 'the page still shows a task');
    assert.equal(await page.$eval('#train', button => button.disabled || button.getAttribute('aria-disabled') === 'true'), false, 'Train can be pressed');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}

test('after a mangled link the page still trains', async () => {
  const page = await visit('nonsense');
  assert.notEqual(await text(page, '#faults'), '');
  await press(page, '#train');
  await steps(page, 1);
  await press(page, '#stop');
  await state(page, 'finished');
  await page.close();
});

test('a good link typed into the address bar of an open page is taken over', async () => {
  const page = await visit();
  await follow(page, good);
  assert.match(await linkOf(page), /W=5&/);
  assert.equal(await text(page, '#faults'), '');
  await page.close();
});

test('a link for WebGPU on a machine without it says so and what to do', async () => {
  const page = await visit(tiny({ engine: 'webgpu' }));
  await press(page, '#train');
  await state(page, 'failed');
  assert.match(await text(page, '#failure'), /WebGPU/);
  assert.match(await text(page, '#failure'), /CPU|browser/, 'what to do about it');
  // It can be done: the same run on the CPU.
  await follow(page, tiny({ engine: 'cpu', steps: 5 }));
  assert.match(await linkOf(page), /engine=cpu/);
  await press(page, '#train');
  await state(page, 'finished');
  await page.close();
});

test('a link that was changed on its way is read as it was meant, and says so in a line', async () => {
  const page = await visit();
  await follow(page, good);
  const link = await linkOf(page);
  const sealed = link.slice(link.indexOf('#') + 1);
  assert.match(sealed, /^v=1&sum=[0-9a-f]{8}&/);
  await page.close();
  for (const changed of [sealed.replaceAll('&', '&amp;'), encodeURIComponent(sealed), `${sealed.slice(0, 40)}%E2%80%8B${sealed.slice(40)}`]) {
    const opened = await visit(changed);
    assert.equal(await linkOf(opened), link, changed);
    assert.match(await text(opened, '#link-note'), /changed on its way/);
    assert.equal(await text(opened, '#faults'), '');
    await opened.close();
  }
  const plain = await visit(sealed);
  assert.equal(await text(plain, '#link-note'), '');
  await plain.close();
});

test('a link that is not whole is refused in a banner that fits the window', async () => {
  const page = await visit(good);
  const sealed = (await linkOf(page)).split('#')[1];
  await page.close();
  const broken = [sealed.slice(0, sealed.indexOf('&base=')), sealed.slice(0, -1), `${sealed}#v=1`, `${sealed}${sealed}`, sealed.replaceAll('&', '&amp').replaceAll('=', 'eq')];
  for (const fragment of broken) {
    const opened = await visit(fragment);
    assert.notEqual(await text(opened, '#faults'), '', fragment);
    const size = await opened.evaluate(() => ({ faults: document.querySelectorAll('#faults li').length, wide: document.documentElement.scrollWidth - innerWidth, high: document.querySelector('#faults').offsetHeight }));
    assert.ok(size.faults <= 6 && size.wide <= 0 && size.high < 400, `${JSON.stringify(size)} ${fragment}`);
    await opened.close();
  }
  // A link that names a few settings is a run, and says what it leaves open.
  const few = await visit('v=1&W=8&seed=3');
  assert.match(await text(few, '#link-note'), /names 2 of \d+ settings.*40000 steps/);
  await few.close();
});

test('Copy link passes on no query', async () => {
  const page = await visit(good, { query: 'fbclid=abc&token=secret&workers=1' });
  assert.doesNotMatch(await linkOf(page), /secret|workers|\?/);
  assert.match(await linkOf(page), /\/lookahead\/#v=1&/);
  await page.close();
});

test('a number is typed with a point or a comma, and what is no number is refused with what was typed', async () => {
  const page = await visit(good);
  await page.$$eval('#settings details', groups => groups.forEach(group => { group.open = true; }));
  const typed = async (key, value) => {
    await page.focus(`#field-${key}`);
    await page.$eval(`#field-${key}`, input => input.select());
    await page.keyboard.type(value);
    return text(page, `#error-${key}`);
  };
  for (const [key, value, link] of [['lr', '0,002', /&lr=0\.002&/], ['wd', '0,5', /&wd=0\.5&/], ['lr', '0.003', /&lr=0\.003&/]]) {
    assert.equal(await typed(key, value), '');
    assert.match(await linkOf(page), link);
  }
  for (const [key, value] of [['lr', '0,001,5'], ['seed', '1,5'], ['batch', 'four']]) assert.ok((await typed(key, value)).includes(`not “${value}”`), value);
  assert.equal(await typed('batch', '8'), '');
  await page.keyboard.press('ArrowUp');
  assert.match(await linkOf(page), /&batch=9&/);
  await page.close();
});
