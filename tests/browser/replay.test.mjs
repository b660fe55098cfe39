// A link replays: in another profile, bit for bit on the CPU; and a link whose losses are other ones is told where it differs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attribute, launch, openPage, press, serveSite, state, text, tiny } from './harness.mjs';

let site;
before(async () => { site = await serveSite(); });
after(async () => { await site?.close(); });

/** Runs a link to its end in a new profile. @returns { link, verdict, words, fingerprint } */
async function replay(address) {
  const browser = await launch();
  try {
    const page = await openPage(browser, address);
    await press(page, '#train');
    await state(page, 'finished');
    // The charts and verdicts follow within a redrawing.
    await page.waitForFunction(() => document.body.dataset.step === '12' && document.querySelector('#copy-link').dataset.fingerprint);
    return {
      link: await page.$eval('#link-text', box => box.value),
      verdict: await attribute(page, '#replay', 'data-verdict'),
      words: await text(page, '#replay'),
      fingerprint: await attribute(page, '#copy-link', 'data-fingerprint'),
      complaints: page.complaints,
    };
  } finally {
    await browser.end();
  }
}

let first;

test('a run without a fingerprint compares with nothing, and its link carries one', async () => {
  first = await replay(`${site.site()}?workers=1#${tiny({ steps: 12 })}`);
  assert.equal(first.verdict, null);
  assert.match(first.fingerprint, /^(fma|simd)-12-[0-9a-f]{8}-([0-9a-f]{8}\.){4}[0-9a-f]{8}$/);
  assert.ok(first.link.endsWith(`&fp=${first.fingerprint}`));
  assert.deepEqual(first.complaints, []);
});

test('the link is reproduced bit for bit in another profile, with another number of workers', async () => {
  const second = await replay(first.link.replace('workers=1', 'workers=3'));
  assert.equal(second.verdict, 'identical', second.words);
  assert.match(second.words, /reproduced/i);
  assert.equal(second.fingerprint, first.fingerprint);
});

test('one altered loss is found at its step', async () => {
  const parts = first.fingerprint.split('-');
  const losses = parts[3].split('.');
  // The third loss kept is that of step 4; its last bit is turned over.
  losses[2] = ((parseInt(losses[2], 16) ^ 1) >>> 0).toString(16).padStart(8, '0');
  parts[3] = losses.join('.');
  const third = await replay(first.link.replace(first.fingerprint, parts.join('-')));
  assert.equal(third.verdict, 'differs');
  assert.match(third.words, /differs at step 4\b/i);
});

test('a link of another seed differs from the first step on', async () => {
  const other = await replay(first.link.replace('seed=7', 'seed=8'));
  assert.equal(other.verdict, 'differs');
  assert.match(other.words, /differs at step 1\b/i);
});
