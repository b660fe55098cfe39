// The native command line and the browser's CPU engine are one program: the same link, the same bits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { suite, tiny } from './harness.mjs';
import { FUSED, SEPARATE, bitsOf, configOf, run } from './worker.mjs';

const CLI = process.env.LOOKAHEAD_CLI ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'lookahead/native/release/lookahead');

const { site, browser } = await suite();
const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-native-'));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const opt of ['adamw', 'muon']) {
  test(`50 steps with ${opt}: native and browser losses and answers are equal to the last bit`, async () => {
    const link = tiny({ opt, steps: 50, every: 25, batch: 8, evaln: 32 });
    const native = train(link, opt);
    assert.equal(native.losses.length, 50);
    // The command line takes the best arithmetic of this machine; the browser's build of the same class must agree.
    const program = native.engine === 'fma' ? FUSED : SEPARATE;
    const inBrowser = await run(browser, site.blank(), await configOf(browser, site.site(), link), { program });
    assert.equal(inBrowser.failed, null, inBrowser.failed?.sentence);
    assert.deepEqual(inBrowser.bits, bitsOf(native.losses));
    assert.deepEqual(inBrowser.measured.map(({ step, depths }) => [step, depths]), native.measured.map(({ step, depths }) => [step, depths]));
  });
}

test('a link of separate rounding is replayed natively in that class, and equals the browser that cannot fuse', async () => {
  const link = tiny({ steps: 20, batch: 8 });
  const inBrowser = await run(browser, site.blank(), await configOf(browser, site.site(), link), { program: SEPARATE });
  assert.equal(inBrowser.failed, null, inBrowser.failed?.sentence);
  assert.equal(inBrowser.started.engine.class, 'Separate');
  // A fingerprint of that class, of one step: enough to ask for it.
  const first = inBrowser.bits[0];
  let hash = 0x811c9dc5;
  for (const shift of [0, 8, 16, 24]) hash = Math.imul(hash ^ ((first >>> shift) & 255), 0x01000193) >>> 0;
  const hexadecimal = number => number.toString(16).padStart(8, '0');
  const native = train(`${link}&fp=simd-1-${hexadecimal(hash)}-${hexadecimal(first)}`, 'separate');
  assert.equal(native.engine, 'simd');
  assert.equal(native.replay, 'reproduced bit for bit');
  assert.deepEqual(bitsOf(native.losses), inBrowser.bits);
});

test('the portable engine rounds separately natively too, whatever this machine can do', async () => {
  const link = tiny({ steps: 20, engine: 'portable' });
  const config = await configOf(browser, site.site(), link);
  const inBrowser = await run(browser, site.blank(), config, { program: SEPARATE });
  const native = train(link, 'portable');
  assert.equal(native.engine, 'simd');
  assert.deepEqual(bitsOf(native.losses), inBrowser.bits);
  // The program that fuses refuses rather than giving other bits.
  assert.match((await run(browser, site.blank(), config, { program: FUSED })).failed?.sentence ?? '', /rounds otherwise/);
});

/** What the command line writes for a link. */
function train(link, name) {
  const out = path.join(folder, `${name}.json`);
  execFileSync(CLI, ['train', `#${link}`, '--out', out], { stdio: ['ignore', 'ignore', 'inherit'] });
  return JSON.parse(readFileSync(out, 'utf8'));
}
