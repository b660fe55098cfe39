// Runs of what extends the depth, and what the page has to show of them.
import assert from 'node:assert/strict';
import { attribute, follow, says, text, tiny, trainToEnd } from './harness.mjs';

export const NETWORKS = ['neox', 'lstm', 'mamba', 'armt'];
/** A link of one depth, or so many; `changes` as in tiny(). */
export const deep = (changes = {}) => tiny({ horizon: 'one', k: 2, mem: 4, dmem: 8, steps: 6, every: 6, evaln: 16, ...changes });
export const ADAPTIVE = { loop: 'layer', hops: 3 };

/** Trains a link to its end in a page that stays open. */
export async function trained(page, fragment) {
  await follow(page, fragment);
  await trainToEnd(page);
  assert.ok(Number(await attribute(page, '#status', 'data-last-loss')) > 0);
}

export const heads = page => page.$$eval('#depth-table thead th', heads => heads.map(head => head.textContent));
export const thoughts = page => page.$$eval('#task-picture .chain-row', rows => rows.length);

/** What a run of adaptive computation time has to show: a map of `parts` panels of `rows` rows of 5 cells, and hops from 1 to 3. */
export async function showsHops(page, { parts, rows, what }) {
  await page.waitForFunction(parts => document.querySelectorAll('#hops svg').length === parts, {}, parts);
  const panels = await page.$$eval('#hops svg', panels => panels.map(panel => [...panel.querySelectorAll('path.cell-level')].map(hops => hops.getAttribute('d').split('z').length - 1)));
  for (const counts of panels) {
    assert.equal(counts.length, 3, `${what}: 1 … 3 hops`);
    assert.equal(counts.reduce((sum, count) => sum + count, 0), rows * 5, `${what}: every cell has its hops`);
  }
  await says(page, '#thinking', /\b[123]\.\d\d\b/);
  assert.match((await heads(page)).at(-1), /hops/, what);
  const cells = await page.$$eval('#depth-table tbody tr', rows => rows.map(row => Number(row.lastElementChild.textContent)));
  for (const hops of cells) assert.ok(hops >= 1 && hops <= 3, `${what}: ${hops} hops in the table`);
  assert.match(await attribute(page, '#depth-chart svg', 'aria-label'), /with [123]\.\d\d hops/, what);
}
