// What leaves the page: on paper and in a chart's file it is light, whatever the theme, and no card lies over another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downloads, press, suite, text, tiny, trainToEnd } from './harness.mjs';

const { visit } = await suite({ query: 'workers=1' });

/** How light a colour is: the mean of its channels, from 0 to 255. */
const light = colour => colour.match(/\d+/g).slice(0, 3).map(Number).reduce((sum, channel) => sum + channel, 0) / 3;

test('in the dark theme paper and files are light', async () => {
  const page = await visit(tiny());
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await press(page, '#theme');
  while (!/Dark/.test(await text(page, '#theme'))) await press(page, '#theme');
  await trainToEnd(page);
  const looks = () => page.evaluate(() => ['body', '.card-box'].map(name => getComputedStyle(document.querySelector(name)).backgroundColor));
  for (const colour of await looks()) assert.ok(light(colour) < 60, `dark on the screen: ${colour}`);
  const [svg] = Object.values(await downloads(page, 1, () => press(page, '#loss-chart .button-save')));
  const inks = [...svg.toString().matchAll(/rgb\((\d+), (\d+), (\d+)\)/g)].map(([colour]) => light(colour));
  assert.ok(inks.length > 3 && Math.min(...inks) < 100, `dark ink for white paper: ${inks}`);
  await page.emulateMediaType('print');
  for (const colour of await looks()) assert.ok(light(colour) > 220, `light on paper: ${colour}`);
  // US Letter and A4, less their margins, at 96 dots an inch.
  for (const [width, height] of [[720, 960], [700, 1020]]) {
    await page.setViewport({ width, height });
    const boxes = await page.$$eval('.card-box', cards => cards.filter(card => card.checkVisibility()).map(card => {
      const { left, top, right, bottom } = card.getBoundingClientRect();
      return { left, top, right, bottom, split: getComputedStyle(card).breakInside };
    }));
    assert.ok(boxes.length > 4);
    for (const [index, one] of boxes.entries()) {
      assert.equal(one.split, 'avoid');
      for (const other of boxes.slice(index + 1)) {
        const apart = one.right <= other.left || other.right <= one.left || one.bottom <= other.top + 1 || other.bottom <= one.top + 1;
        assert.ok(apart, `${JSON.stringify(one)} and ${JSON.stringify(other)}`);
      }
    }
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});
