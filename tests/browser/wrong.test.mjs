// A graphics card that computes wrong is found out before the run begins.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBGPU, attribute, engineOf, press, state, suite, text, tiny } from './harness.mjs';

/** In the worker: what is read from the card is always this number. With `real`, the adapter does not say that it is software. */
const wrong = (number, real) => `(${(number, real) => {
  const read = GPUBuffer.prototype.getMappedRange;
  GPUBuffer.prototype.getMappedRange = function (...range) {
    const bytes = read.apply(this, range);
    if (this.usage & GPUBufferUsage.MAP_READ) new Float32Array(bytes).fill(number);
    return bytes;
  };
  if (real) Object.defineProperty(GPUAdapter.prototype, 'info', { value: { vendor: 'a vendor', architecture: 'an architecture', device: '', description: '' } });
}})(${number}, ${real});`;
const { visit } = await suite({ flags: WEBGPU, preludes: { half: wrong(0.5, false), nan: wrong('NaN', false), real: wrong(0.5, true) }, query: 'workers=1' });

for (const [name, found] of [['half', '0.5'], ['nan', 'NaN']]) {
  test(`a card that gives ${found} everywhere is told as one`, async () => {
    const page = await visit(tiny({ engine: 'webgpu' }), { name });
    await press(page, '#train');
    await state(page, 'failed');
    assert.match(await text(page, '#failure'), new RegExp(`computes wrong.*${found}.*choose the CPU`));
    await page.close();
  });
}

test('automatic leaves a card that computes wrong, and says why', async () => {
  const page = await visit(tiny({ engine: 'auto' }), { name: 'real' });
  await press(page, '#train');
  await state(page, 'finished');
  assert.match(await engineOf(page), /^(fma|simd)$/);
  assert.match(await attribute(page, '#engine-badge', 'title'), /computes wrong/);
  await page.close();
});
