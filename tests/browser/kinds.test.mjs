// Every procedure on every network that it applies to, trained from links as they were once copied: on the CPU bit for bit, on WebGPU within tolerance.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, WEBGPU, follow, press, state, suite, text, verdictOf } from './harness.mjs';

const pinned = readFileSync(path.join(ROOT, 'tests/golden/links.txt'), 'utf8')
  .split('\n')
  .filter(line => line && !line.startsWith('#'))
  .map(line => line.split(' # '));

const plain = await suite({ query: 'workers=2' });
const card = await suite({ flags: WEBGPU });

/** Trains a link in a page that is open already. @returns what its fingerprint comes to */
async function replay(page, link) {
  await follow(page, link);
  assert.equal(await verdictOf(page), 'waiting');
  await press(page, '#train');
  const over = () => document.body.dataset.state === 'failed' || !['waiting', 'agreeing'].includes(document.querySelector('#replay').dataset.verdict);
  await page.waitForFunction(over);
  await state(page, 'finished');
  return { verdict: await verdictOf(page), words: await text(page, '#replay') };
}

test('on the CPU, links of every kind replay bit for bit', async () => {
  let count = 0;
  for (const arithmetic of [', fused', ', separate']) {
    // On one page the run of the one would already answer for the other.
    const page = await plain.visit();
    for (const [link, label] of pinned.filter(([, label]) => label.endsWith(arithmetic))) {
      const { verdict, words } = await replay(page, link);
      assert.equal(verdict, 'identical', `${label}: ${words}`);
      count += 1;
    }
    assert.deepEqual(page.complaints, []);
    await page.close();
  }
  assert.equal(count, pinned.length);
});

test('on WebGPU, they replay within tolerance, and a policy is not compared', async () => {
  const page = await card.visit();
  for (const [link, label] of pinned.filter(([, label]) => label.endsWith(', fused'))) {
    const { verdict, words } = await replay(page, link.replace('&engine=cpu', '&engine=webgpu'));
    const allowed = ['identical', 'reproduced', ...(label.startsWith('GRPO') ? ['drew-others'] : [])];
    assert.ok(allowed.includes(verdict), `${label}: ${words}`);
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});
