// The same run on our engine and on Burn.
import assert from 'node:assert/strict';
import { tiny } from './harness.mjs';
import { apart, train } from './trained.mjs';

/** LOOKAHEAD_FULL=1 makes twenty steps of everything, which takes a software adapter half an hour; else tests/laws/burn.rs has them natively. */
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
