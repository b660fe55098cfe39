// Links of every kind, trained as they were once copied: bit for bit on the CPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness.mjs';
import { pinned, replay } from './kinds.mjs';

const { visit } = await suite({ query: 'workers=2' });

test('on the CPU, links of every kind replay bit for bit', async () => {
  let count = 0;
  for (const arithmetic of [', fused', ', separate']) {
    // On one page the run of the one would already answer for the other.
    const page = await visit();
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
