// Mangled links, and links that ask for what this machine has not: told in a sentence, and the page stays usable.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, press, serveSite, state, steps, text, tiny } from './harness.mjs';

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch();
});
after(async () => {
  await browser?.end();
  await site?.close();
});

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
    const page = await openPage(browser, `${site.site()}#${fragment}`);
    const told = await text(page, '#faults');
    for (const pattern of expected) assert.match(told, pattern);
    assert.ok(await page.$('#task-picture svg'), 'the page still shows a task');
    assert.equal(await page.$eval('#train', button => button.disabled || button.getAttribute('aria-disabled') === 'true'), false, 'Train can be pressed');
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}

test('after a mangled link the page still trains', async () => {
  const page = await openPage(browser, `${site.site()}#nonsense`);
  assert.notEqual(await text(page, '#faults'), '');
  await press(page, '#train');
  await steps(page, 1);
  await press(page, '#stop');
  await state(page, 'finished');
  await page.close();
});

test('a good link typed into the address bar of an open page is taken over', async () => {
  const page = await openPage(browser, site.site());
  await page.evaluate(fragment => { location.hash = fragment; }, good);
  await page.waitForFunction(() => document.querySelector('#link-text').value.includes('W=5&'));
  assert.equal(await text(page, '#faults'), '');
  await page.close();
});

test('a link for WebGPU on a machine without it says so and what to do', async () => {
  const page = await openPage(browser, `${site.site()}#${tiny({ engine: 'webgpu' })}`);
  await press(page, '#train');
  await page.waitForFunction(() => document.body.dataset.state === 'failed');
  assert.match(await text(page, '#failure'), /WebGPU/);
  assert.match(await text(page, '#failure'), /CPU|browser/, 'what to do about it');
  // It can be done: the same run on the CPU.
  await page.evaluate(fragment => { location.hash = fragment; }, tiny({ engine: 'cpu', steps: 5 }));
  await page.waitForFunction(() => document.querySelector('#link-text').value.includes('engine=cpu'));
  await press(page, '#train');
  await state(page, 'finished');
  await page.close();
});
