// What extends the depth, on the page, on WebGPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBGPU, engineOf, suite } from './harness.mjs';
import { ADAPTIVE, NETWORKS, deep, showsHops, thoughts, trained } from './depth.mjs';

const { visit } = await suite({ flags: WEBGPU, query: 'workers=1' });

test('on WebGPU a chain, rows at once with a curriculum, and adaptive computation time with every network', async () => {
  const page = await visit(deep({ engine: 'webgpu' }));
  const short = { engine: 'webgpu', steps: 4, every: 4, evaln: 8 };
  await trained(page, deep({ ...short, layout: 'cot' }));
  assert.equal(await engineOf(page), 'webgpu');
  assert.equal(await thoughts(page), 2);
  await trained(page, deep({ ...short, layout: 'oo', stage: 2 }));
  for (const model of NETWORKS) {
    await trained(page, deep({ ...short, model, ...ADAPTIVE }));
    await showsHops(page, { parts: 2, rows: 3 + 1, what: `${model} on WebGPU` });
  }
  assert.equal(await engineOf(page), 'webgpu');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
