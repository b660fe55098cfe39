// A visit from beginning to end on the quick preset, and whether the page stays quick meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute, follow, linkOf, measured, openPage, press, pressOfRun, runsAre, settled, state, stepOf, steps, suite, text, tiny, verdictOf,
} from './harness.mjs';

const { site, browser, visit } = await suite();

/** Steps made, once their number stands still. */
const made = async page => {
  await settled(page, 12);
  return stepOf(page);
};

test('open, train, watch, pause, step, go on, stop, share, reproduce', async context => {
  const page = await visit();
  assert.ok(await page.$('#task-picture svg'), 'the task is there before anything is trained');
  assert.notEqual(await text(page, '#engine-badge'), '');

  // By keyboard, as everything should go.
  await page.focus('#train');
  await page.keyboard.press('Enter');
  await state(page, 'running');
  await steps(page, 60);
  await page.waitForFunction(() => document.querySelectorAll('#depth-chart svg path, #depth-chart svg circle').length > 0);
  await measured(page);
  assert.ok(Number(await attribute(page, '#loss-chart', 'data-points')) >= 60);
  assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0);

  await press(page, '#pause');
  await state(page, 'paused');
  const paused = await made(page);
  await press(page, '#step');
  await page.waitForFunction(before => Number(document.body.dataset.step) > before, {}, paused);
  assert.equal(await made(page), paused + 1, 'a paused run stands still, and Step makes one step');
  await press(page, '#resume');
  await state(page, 'running');
  await steps(page, paused + 3);
  await press(page, '#stop');
  await state(page, 'finished');

  const count = await made(page);
  await page.waitForFunction(count => document.querySelector('#copy-link').dataset.fingerprint?.includes(`-${count}-`), {}, count);
  await press(page, '#copy-link');
  const link = await linkOf(page);
  assert.match(link, /#v=1&.*&fp=(fma|simd)-/);
  assert.deepEqual(page.complaints, []);
  await page.close();

  const second = await openPage(browser, link);
  assert.equal(await verdictOf(second), 'waiting');
  assert.match(await text(second, '#replay'), new RegExp(`${count}|train`, 'i'));
  await press(second, '#train');
  await second.waitForFunction(() => document.querySelector('#replay')?.dataset.verdict === 'agreeing');
  await steps(second, count);
  await second.waitForFunction(() => document.querySelector('#replay').dataset.verdict !== 'agreeing');
  assert.equal(await verdictOf(second), 'identical', await text(second, '#replay'));
  context.diagnostic(`reproduced ${count} steps of the quick preset: ${(await text(second, '#replay')).trim()}`);
  await press(second, '#stop');
  await state(second, 'finished');
  await second.close();
});

test('the page stays quick while the engine works', async context => {
  const page = await visit();
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
  const page = await visit(tiny({ steps: 5 }));
  await press(page, '#train');
  await state(page, 'finished');
  await follow(page, tiny({ steps: 5, seed: 8 }));
  assert.match(await linkOf(page), /seed=8/);
  await press(page, '#train');
  await state(page, 'finished');
  await runsAre(page, 2);
  await pressOfRun(page, 'Remove', 2);
  await runsAre(page, 1);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('nothing is fetched from anywhere but its own host', async () => {
  const hosts = new Set();
  const listen = page => page.on('request', request => request.url().startsWith('http') && hosts.add(new URL(request.url()).origin));
  const page = await visit(tiny({ steps: 3 }), { prepare: listen });
  await press(page, '#train');
  await state(page, 'finished');
  assert.deepEqual([...hosts], [site.origin]);
  await page.close();
});
