// The same run on our engine and on Burn.
import assert from 'node:assert/strict';
import { linkOf, press, tiny, unsealed } from './harness.mjs';
import { apart, train } from './trained.mjs';

/** LOOKAHEAD_FULL=1 trains every loop and layout on both of Burn's devices, which takes a software adapter half an hour. tests/laws/burn.rs has them natively. */
export const FULL = process.env.LOOKAHEAD_FULL !== undefined;
const ALL = { plain: {}, ACT: { loop: 'layer', hops: 3, tau: 0.05 }, FCT: { loop: 'fixed', hops: 2 } };
export const LOOPS = FULL ? ALL : { ACT: ALL.ACT };

/** ARMT divides by what a query meets in its memory, which magnifies last digits from step to step. */
export const stepsOf = model => (model === 'armt' ? 8 : 20);
export const link = (settings, engine) => tiny({ horizon: 'one', k: 2, mem: 3, dmem: 5, lr: 0.001, evaln: 8, every: 20, ...settings, engine });

export const same = (suite, context, label, settings, engine, badge) =>
  agree(suite, context, `${label} on ${engine}`, [link(settings, 'cpu'), link(settings, engine)], { steps: settings.steps, badge, tolerance: 1e-5 });

/** Trains a link on our engine and one on Burn, and compares their losses, those of the first `from` steps left out. */
export async function agree({ browser, address }, context, label, [own, burn], { steps, badge, tolerance, from = 0 }) {
  const ours = await train(browser, address(own));
  const theirs = await train(browser, address(burn));
  assert.deepEqual(theirs.complaints, []);
  assert.match(theirs.badge, badge);
  assert.equal(theirs.run.losses.length, steps);
  const difference = apart(theirs.run.losses.slice(from), ours.run.losses.slice(from));
  context.diagnostic(`${label}: ${steps} losses, largest relative difference ${difference.toExponential(1)}`);
  assert.ok(difference < tolerance, `${label}: ${theirs.run.losses} and ${ours.run.losses}`);
  assert.notEqual(theirs.run.losses[0], theirs.run.losses.at(-1));
}

/** Trains a few steps of the preset For a reward on our engine and on Burn, and compares their losses. */
export async function rewarded(suite, context, engine, badge) {
  const page = await suite.visit();
  await press(page, '#preset-grpo');
  await page.waitForFunction(() => document.querySelector('#link-text').value.includes('learn=grpo'));
  const preset = unsealed(new URL(await linkOf(page)).hash.slice(1));
  await page.close();
  const settings = { steps: 3, batch: 1, every: 3, evaln: 8, group: 4, lr: 0.001 };
  const changed = engine => {
    const fields = new URLSearchParams(preset);
    for (const [key, value] of Object.entries({ ...settings, engine })) fields.set(key, value);
    return String(fields);
  };
  // Before the first update a policy is its own reference, and its loss is zero but for rounding.
  await agree(suite, context, `GRPO on ${engine}`, [changed('cpu'), changed(engine)], { steps: settings.steps, badge, tolerance: 1e-4, from: 1 });
}
