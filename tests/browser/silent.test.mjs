// A graphics card that never answers: automatic goes to the CPU and says why; who asked for WebGPU is told what to do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, engineOf, press, state, suite, text, tiny } from './harness.mjs';

// In the page and in its worker alike.
const silent = () => Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: () => new Promise(() => {}) } });
const { visit } = await suite({ preludes: { silent: `(${silent})();` }, query: 'workers=1' });
const opened = fragment => visit(fragment, { name: 'silent', prepare: page => page.evaluateOnNewDocument(silent) });

test('an adapter that never answers leaves automatic to the CPU, which says why', async () => {
  const automatic = await opened(tiny({ engine: 'auto', steps: 4 }));
  await press(automatic, '#train');
  await state(automatic, 'finished');
  assert.match(await engineOf(automatic), /^(fma|simd)$/);
  assert.match(await attribute(automatic, '#engine-badge', 'title'), /has not answered for 8 seconds/);
  assert.deepEqual(automatic.complaints, []);
  await automatic.close();
});

test('who asked for WebGPU is told so, and what to do', async () => {
  const asked = await opened(tiny({ engine: 'webgpu', steps: 4 }));
  await press(asked, '#train');
  await state(asked, 'failed');
  assert.match(await text(asked, '#failure'), /has not answered for 8 seconds.*choose the CPU/);
  assert.deepEqual(asked.complaints, []);
  await asked.close();
});
