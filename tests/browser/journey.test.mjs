// A visit from beginning to end on the quick preset, and whether the page stays quick meanwhile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PATIENCE, attribute, launch, open, openPage, press, serveSite, state, steps, text, tiny } from './harness.mjs';

let site, browser;
before(async () => {
  site = await serveSite();
  browser = await launch();
});
after(async () => {
  await browser?.end();
  await site?.close();
});

/** Steps made, once the page has drawn what it was told last: it draws at most ten times a second. */
const made = async page => {
  await new Promise(resolve => setTimeout(resolve, 500));
  return page.evaluate(() => Number(document.body.dataset.step));
};

test('open, train, watch, pause, step, go on, stop, share, reproduce', async context => {
  const page = await openPage(browser, site.site());
  assert.ok(await page.$('#task-picture svg'), 'the task is there before anything is trained');
  assert.notEqual(await text(page, '#engine-badge'), '');

  // By keyboard, as everything should go.
  await page.focus('#train');
  await page.keyboard.press('Enter');
  await state(page, 'running');
  await steps(page, 60);
  await page.waitForFunction(() => document.querySelectorAll('#depth-chart svg path, #depth-chart svg circle').length > 0);
  await page.waitForFunction(() => /exact/.test(document.querySelector('#runs')?.textContent ?? ''), { timeout: PATIENCE });
  assert.ok(Number(await attribute(page, '#loss-chart', 'data-points')) >= 60);
  assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0);

  await press(page, '#pause');
  await state(page, 'paused');
  const paused = await made(page);
  assert.equal(await made(page), paused, 'a paused run stands still');
  await press(page, '#step');
  await page.waitForFunction(before => Number(document.body.dataset.step) > before, {}, paused);
  assert.equal(await made(page), paused + 1, 'Step makes one step');
  await press(page, '#resume');
  await state(page, 'running');
  await steps(page, paused + 3);
  await press(page, '#stop');
  await state(page, 'finished');

  const count = await made(page);
  await page.waitForFunction(count => document.querySelector('#copy-link').dataset.fingerprint?.includes(`-${count}-`), {}, count);
  await press(page, '#copy-link');
  const link = await page.$eval('#link-text', box => box.value);
  assert.match(link, /#v=1&.*&fp=(fma|simd)-/);
  assert.deepEqual(page.complaints, []);
  await page.close();

  const second = await openPage(browser, link);
  assert.match(await text(second, '#replay'), new RegExp(`${count}|train`, 'i'));
  await press(second, '#train');
  await second.waitForFunction(() => document.querySelector('#replay')?.dataset.verdict === 'agreeing');
  assert.match(await text(second, '#replay'), /agrees/i);
  await steps(second, count);
  await second.waitForFunction(() => document.querySelector('#replay').dataset.verdict !== 'agreeing');
  assert.equal(await attribute(second, '#replay', 'data-verdict'), 'identical', await text(second, '#replay'));
  context.diagnostic(`reproduced ${count} steps of the quick preset: ${(await text(second, '#replay')).trim()}`);
  await press(second, '#stop');
  await state(second, 'finished');
  await second.close();
});

test('the page stays quick while the engine works', async context => {
  const page = await openPage(browser, site.site());
  await page.evaluate(() => {
    window.gaps = { frame: 0, timer: 0 };
    let frame = performance.now(), timer = frame;
    const onFrame = now => { window.gaps.frame = Math.max(window.gaps.frame, now - frame); frame = now; requestAnimationFrame(onFrame); };
    const onTimer = () => { const now = performance.now(); window.gaps.timer = Math.max(window.gaps.timer, now - timer - 50); timer = now; setTimeout(onTimer, 50); };
    requestAnimationFrame(now => { frame = now; requestAnimationFrame(onFrame); });
    setTimeout(onTimer, 50);
  });
  await press(page, '#train');
  await steps(page, 40);
  const gaps = await page.evaluate(() => window.gaps);
  context.diagnostic(`longest gap between two frames ${gaps.frame.toFixed(0)} ms, longest delay of a timer ${gaps.timer.toFixed(0)} ms`);
  assert.ok(Math.max(gaps.frame, gaps.timer) < 1_500, JSON.stringify(gaps));
  await press(page, '#stop');
  await state(page, 'finished');
  await page.close();
});

test('several runs are kept, compared, removed and saved', async () => {
  const page = await openPage(browser, `${site.site()}#${tiny({ steps: 5 })}`);
  await press(page, '#train');
  await state(page, 'finished');
  await page.evaluate(fragment => { location.hash = fragment; }, tiny({ steps: 5, seed: 8 }));
  await page.waitForFunction(() => document.querySelector('#link-text').value.includes('seed=8'));
  await press(page, '#train');
  await state(page, 'finished');
  assert.equal(await page.$$eval('#runs > li', runs => runs.length), 2);
  await page.evaluate(() => [...document.querySelectorAll('#runs > li:last-child button')].find(button => button.textContent === 'Remove').click());
  await page.waitForFunction(() => document.querySelectorAll('#runs > li').length === 1);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('nothing is fetched from anywhere but its own host', async () => {
  const page = await open(browser, 'about:blank');
  const hosts = new Set();
  page.on('request', request => request.url().startsWith('http') && hosts.add(new URL(request.url()).origin));
  await page.goto(`${site.site()}#${tiny({ steps: 3 })}`);
  await press(page, '#train');
  await state(page, 'finished');
  assert.deepEqual([...hosts], [site.origin]);
  await page.close();
});
