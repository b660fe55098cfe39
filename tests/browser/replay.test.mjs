// A link replays: in another profile, bit for bit on the CPU; and a link whose losses are other ones is told where it differs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, elsewhere, linkOf, press, suite, text, tiny, trainToEnd, unsealed, verdictOf, withQuery } from './harness.mjs';

const { address } = await suite({ query: 'workers=1' });

/** Runs a link to its end in a new profile. @returns { link, verdict, words, fingerprint, complaints } */
const replay = (address, ...flags) => elsewhere(address, async page => {
  await trainToEnd(page);
  return {
    link: await linkOf(page),
    verdict: await verdictOf(page),
    words: await text(page, '#replay'),
    fingerprint: await attribute(page, '#copy-link', 'data-fingerprint'),
    complaints: page.complaints,
  };
}, flags);

let first;

test('a run without a fingerprint compares with nothing, and its link carries one', async () => {
  first = await replay(address(tiny({ steps: 12 })));
  assert.equal(first.verdict, null);
  assert.match(first.fingerprint, /^(fma|simd)-12-[0-9a-f]{8}-([0-9a-f]{8}\.){4}[0-9a-f]{8}$/);
  assert.match(first.link, new RegExp(`&fp=${first.fingerprint}&em=(\\d+\\.\\d+\\.16-?){4}$`), 'what it tells of its run');
  assert.deepEqual(first.complaints, []);
});

test('the link is reproduced bit for bit in another profile, with another number of workers', async () => {
  const second = await replay(withQuery(first.link, 'workers=3'));
  assert.equal(second.verdict, 'identical', second.words);
  assert.match(second.words, /reproduced/i);
  assert.equal(second.fingerprint, first.fingerprint);
});

test('whoever opens a link sees the scores of its run before training, and beside her own', async () => {
  await elsewhere(withQuery(first.link, 'workers=1'), async page => {
    await page.waitForFunction(() => document.querySelectorAll('#sent-scores circle').length === 4);
    assert.match(await attribute(page, '#depth-chart svg', 'aria-label'), /the link's run: k = 1 \d/);
    await trainToEnd(page);
    const heights = await page.$$eval('#sent-scores circle', rings => rings.map(ring => Number(ring.getAttribute('cy'))));
    assert.equal(heights.length, 4, 'they stay beside the own ones');
    await press(page, '#preset-one');
    await page.waitForFunction(() => !document.querySelector('#sent-scores circle'));
  });
});

test('one altered loss is found at its step', async () => {
  const parts = first.fingerprint.split('-');
  const losses = parts[3].split('.');
  // The third loss kept is that of step 4; its last bit is turned over.
  losses[2] = ((parseInt(losses[2], 16) ^ 1) >>> 0).toString(16).padStart(8, '0');
  parts[3] = losses.join('.');
  const third = await replay(unsealed(first.link).replace(first.fingerprint, parts.join('-')));
  assert.equal(third.verdict, 'differs');
  assert.match(third.words, /step 4\b/);
});

test('a link of another seed differs from the first step on', async () => {
  const other = await replay(unsealed(first.link).replace('seed=7', 'seed=8'));
  assert.equal(other.verdict, 'differs');
  assert.match(other.words, /step 1\b/);
});

test('a machine without fused multiply-add follows a fused link, and says in a neutral tone how far', async context => {
  const fused = await replay(address(tiny({ steps: 60, lr: 0.02 })));
  if (!fused.fingerprint.startsWith('fma')) return context.skip('this machine has no fused multiply-add');
  const other = await replay(fused.link, '--js-flags=--no-enable-fma3');
  assert.match(other.fingerprint, /^simd-/, 'the other arithmetic');
  assert.ok(['reproduced', 'parted'].includes(other.verdict), other.words);
  assert.deepEqual(other.complaints, []);
});

test('a link made for a class gives the same bits with fused multiply-add and without', async () => {
  const made = await elsewhere(address(tiny({ steps: 30 })), async page => {
    await press(page, '#copy-class-link');
    await page.waitForFunction(() => document.querySelector('#link-text').value.includes('engine=portable'));
    await trainToEnd(page);
    return { link: await linkOf(page), fingerprint: await attribute(page, '#copy-link', 'data-fingerprint'), complaints: page.complaints };
  });
  assert.match(made.fingerprint, /^simd-/);
  assert.deepEqual(made.complaints, []);
  const other = await replay(made.link, '--js-flags=--no-enable-fma3');
  assert.equal(other.verdict, 'identical', other.words);
});
