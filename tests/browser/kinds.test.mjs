// Every procedure on every network that it applies to, trained from links as they were once copied: on the CPU bit for bit, on WebGPU within tolerance.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { attribute, launch, openPage, press, ROOT, serveSite, state, text, WEBGPU } from './harness.mjs';

const pinned = readFileSync(path.join(ROOT, 'tests/golden/links.txt'), 'utf8')
  .split('\n')
  .filter(line => line && !line.startsWith('#'))
  .map(line => line.split(' # '));

let site;
before(async () => { site = await serveSite(); });
after(async () => { await site?.close(); });

/** Trains a link in a page that is open already. @returns what its fingerprint comes to */
async function replay(page, link) {
  await page.evaluate(link => { location.hash = link; }, link);
  await page.waitForFunction(() => document.querySelector('#replay')?.dataset.verdict === 'waiting');
  await press(page, '#train');
  const over = () => document.body.dataset.state === 'failed' || !['waiting', 'agreeing'].includes(document.querySelector('#replay').dataset.verdict);
  await page.waitForFunction(over);
  await state(page, 'finished');
  return { verdict: await attribute(page, '#replay', 'data-verdict'), words: await text(page, '#replay') };
}

test('on the CPU, links of every kind replay bit for bit', async () => {
  const browser = await launch();
  try {
    let count = 0;
    for (const arithmetic of [', fused', ', separate']) {
      // On one page the run of the one would already answer for the other.
      const page = await openPage(browser, `${site.site()}?workers=2`);
      for (const [link, label] of pinned.filter(([, label]) => label.endsWith(arithmetic))) {
        const { verdict, words } = await replay(page, link);
        assert.equal(verdict, 'identical', `${label}: ${words}`);
        count += 1;
      }
      assert.deepEqual(page.complaints, []);
      await page.close();
    }
    assert.equal(count, pinned.length);
  } finally {
    await browser.end();
  }
});

test('on WebGPU, they replay within tolerance, and a policy is not compared', async () => {
  const browser = await launch(...WEBGPU);
  try {
    const page = await openPage(browser, site.site());
    for (const [link, label] of pinned.filter(([, label]) => label.endsWith(', fused'))) {
      const { verdict, words } = await replay(page, link.replace('&engine=cpu', '&engine=webgpu'));
      const allowed = ['identical', 'reproduced', ...(label.startsWith('GRPO') ? ['drew-others'] : [])];
      assert.ok(allowed.includes(verdict), `${label}: ${words}`);
    }
    assert.deepEqual(page.complaints, []);
  } finally {
    await browser.end();
  }
});
