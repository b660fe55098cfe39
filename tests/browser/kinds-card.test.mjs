// Links of every kind, trained as they were once copied: within tolerance on WebGPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBGPU, suite } from './harness.mjs';
import { pinned, replay } from './kinds.mjs';

const { visit } = await suite({ flags: WEBGPU });

test('on WebGPU, they replay within tolerance, and a policy is not compared', async () => {
  const page = await visit();
  for (const [link, label] of pinned.filter(([, label]) => label.endsWith(', fused'))) {
    const { verdict, words } = await replay(page, link.replace('&engine=cpu', '&engine=webgpu'));
    const allowed = ['identical', 'reproduced', ...(label.startsWith('GRPO') ? ['drew-others'] : [])];
    assert.ok(allowed.includes(verdict), `${label}: ${words}`);
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});
