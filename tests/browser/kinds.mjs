// Links of every procedure on every network that it applies to, as they were once copied, and how one is trained again.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, follow, press, state, text, verdictOf } from './harness.mjs';

/** [link, label] each. */
export const pinned = readFileSync(path.join(ROOT, 'tests/golden/links.txt'), 'utf8')
  .split('\n')
  .filter(line => line && !line.startsWith('#'))
  .map(line => line.split(' # '));

/** Trains a link in a page that is open already. @returns what its fingerprint comes to */
export async function replay(page, link) {
  await follow(page, link);
  assert.equal(await verdictOf(page), 'waiting');
  await press(page, '#train');
  const over = () => document.body.dataset.state === 'failed' || !['waiting', 'agreeing'].includes(document.querySelector('#replay').dataset.verdict);
  await page.waitForFunction(over);
  await state(page, 'finished');
  return { verdict: await verdictOf(page), words: await text(page, '#replay') };
}
