// The page under a browser's translation, which puts elements in the place of the page's texts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frames, press, says, state, steps, suite, text, tiny, type } from './harness.mjs';

const { visit } = await suite({ query: 'workers=1' });

/** As Chromium's translation does: each text is replaced by two FONTs with the translation, now and whenever the page changes. */
const translate = page => page.evaluate(() => {
  const word = /\p{L}/u;
  const over = node => {
    for (const text of [...texts(node)]) {
      if (!word.test(text.data) || text.parentElement?.closest('[translate=no], font, script, style, svg, option, textarea')) continue;
      const [outer, inner] = [document.createElement('font'), document.createElement('font')];
      inner.textContent = `‹${text.data}›`;
      outer.append(inner);
      text.replaceWith(outer);
    }
  };
  const texts = function* (node) {
    if (node.nodeType === Node.TEXT_NODE) yield node;
    for (const child of node.childNodes) yield* texts(child);
  };
  over(document.body);
  new MutationObserver(records => {
    for (const { type, target, addedNodes } of records) {
      if (type === 'characterData') over(target);
      addedNodes.forEach(over);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
});

test('under translation every text that changes goes on changing', async () => {
  const page = await visit(tiny({ steps: 500_000, every: 50 }));
  await translate(page);
  assert.equal(await text(page, '#train'), '‹Train›');
  await press(page, '#train');
  await steps(page, 5);
  await says(page, '#pause', /^‹Pause›$/);
  await steps(page, 60);
  await says(page, '#status', /^[^‹]*‹[^‹›]*›[^›]*$/);
  await press(page, '#pause');
  await state(page, 'paused');
  await says(page, '#resume', /^‹Resume›$/);
  await press(page, '#stop');
  await state(page, 'finished');
  await says(page, '#train', /^‹Train again›$/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('under translation a fault that was mended is gone, and what comes instead stands alone', async () => {
  const page = await visit(tiny());
  await translate(page);
  await type(page, '#field-lr', 'x');
  await says(page, '#error-lr', /^‹.*“x”.*›$/);
  await type(page, '#field-lr', 'y');
  await says(page, '#error-lr', /^‹.*“y”[^‹]*›$/);
  await type(page, '#field-lr', '0.001');
  await says(page, '#error-lr', /^$/);
  await press(page, '#preset-lstm');
  await frames(page);
  assert.ok(!(await text(page, '#model-words')).includes('›‹'), 'nothing stands twice');
  await press(page, '#train');
  await state(page, 'running', 'finished');
  assert.match(await text(page, '.training-buttons .button-main'), /^‹(Pause|Train( again)?)›$/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});
