// What axe finds: every door of the page, before, during and after a run, on a phone, a laptop and a projector, in light and dark.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { SIZES, measured, press, settled, shows, state, steps, suite, tiny } from './harness.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const { visit } = await suite({ query: 'workers=1' });

/** Runs axe at every size and in both themes. @returns nothing; fails with the rules that are broken and where */
async function clean(page, when) {
  await page.addScriptTag({ path: AXE });
  for (const [width, height] of SIZES) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.setViewport({ width, height, deviceScaleFactor: 1 });
      await settled(page);
      const broken = await page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(node => node.target.join(' ')).join(' | ')}`);
      });
      assert.deepEqual(broken, [], `${when}, ${width}×${height}, ${scheme}`);
    }
  }
}

test('the first screen, a run and its end', async () => {
  const page = await visit();
  await clean(page, 'opened');
  await press(page, '#puzzle-check');
  await press(page, '#puzzle-rule');
  await clean(page, 'answered');
  await page.close();
  const run = await visit(tiny({ steps: 100_000, every: 10, evaln: 8 }));
  await press(run, '#train');
  await steps(run, 12);
  await measured(run);
  await press(run, '#pause');
  await state(run, 'paused');
  await clean(run, 'paused');
  await press(run, '#stop');
  await state(run, 'finished');
  await clean(run, 'finished');
  await run.close();
});

test('lessons, the class and a student', async () => {
  for (const [query, door] of [['lesson=', 'lessons'], ['lesson=two-ahead', 'lesson'], ['lesson=two-ahead.teacher', 'lesson'], ['class=', 'class'], ['seat=', 'explore']]) {
    const page = await visit(query === 'seat=' ? tiny() : '', { query: `workers=1&${query}` });
    await shows(page, 'body', 'data-door', door);
    await clean(page, query);
    await page.close();
  }
});

test('nothing is wider than 320 pixels, and the page can be used at 400 % zoom', async () => {
  for (const query of ['', 'lesson=', 'lesson=two-ahead', 'class=', 'seat=']) {
    const page = await visit(query === 'seat=' ? tiny() : '', { query: `workers=1&${query}` });
    await page.setViewport({ width: 320, height: 256, deviceScaleFactor: 1 });
    await settled(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 320, `${query || 'explore'} is ${wide} pixels wide in 320`);
    await page.close();
  }
});
