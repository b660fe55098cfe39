// The native command line and the browser's CPU engine are one program: the same link, the same losses and the same answers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, serveSite, tiny } from './harness.mjs';
import { configOf, run } from './worker.mjs';

const CLI = process.env.LOOKAHEAD_CLI ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'lookahead/native/release/lookahead');

let site, browser, folder;
before(async () => {
  site = await serveSite();
  browser = await launch();
  folder = mkdtempSync(path.join(tmpdir(), 'lookahead-native-'));
});
after(async () => {
  await browser?.end();
  await site?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

for (const opt of ['adamw', 'muon']) {
  test(`50 steps with ${opt}: native and browser losses agree to 1e-4`, async context => {
    const link = tiny({ opt, steps: 50, every: 25, batch: 8 });
    const out = path.join(folder, `${opt}.json`);
    execFileSync(CLI, ['train', `#${link}`, '--out', out], { stdio: ['ignore', 'ignore', 'inherit'] });
    const { losses } = JSON.parse(readFileSync(out, 'utf8'));
    const inBrowser = await run(browser, site.blank(), await configOf(browser, site.site(), link));
    assert.equal(inBrowser.failed, null, inBrowser.failed?.sentence);
    assert.equal(losses.length, 50);
    const differences = losses.map((loss, step) => Math.abs(loss - inBrowser.losses[step]) / Math.abs(loss));
    context.diagnostic(`largest relative difference ${Math.max(...differences).toExponential(1)}`);
    assert.ok(Math.max(...differences) < 1e-4, `native ${losses} and browser ${inBrowser.losses}`);
  });
}
