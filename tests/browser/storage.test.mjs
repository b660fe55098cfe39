// What outlives the page: a run in progress, finished runs, kept weights; in Chromium, and in Firefox where it is installed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIREFOX, close, launchFirefox, launchIn, newProfile, openPage, press, pressOfRun, reload, runsAre, says, serveSite, state, stateOf, stepOf, text, tiny, twiceInFirefox } from './harness.mjs';
import { describe, keeps, records } from './records.mjs';

const site = await serveSite();
test.after(() => site.close());
/** Long enough to be killed in its middle, several times. */
const LONG = tiny({ steps: 8_000, every: 300, engine: 'portable' });
const SECOND = tiny({ steps: 500_000, every: 100 });
const OTHER = tiny({ steps: 500_000, every: 100, seed: 8 });

const address = fragment => `${site.site()}?workers=1#${fragment}`;
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
const runs = found => found.filter(({ name }) => name.startsWith('run '));
/** The fingerprint of the uninterrupted run, the same in every browser. */
let whole;
const fingerprint = async page => {
  await page.waitForFunction(() => document.querySelector('#copy-link').dataset.fingerprint, { polling: 100 });
  return page.$eval('#copy-link', button => button.dataset.fingerprint);
};
/** Ends a browser as a power cut does. */
const kill = async browser => {
  const gone = new Promise(resolve => browser.process().once('exit', resolve));
  browser.process().kill('SIGKILL');
  await gone;
  // Its children end by themselves, and hold the profile until then.
  await pause(500);
};

/** Made here, so that they are removed after the last test: a browser that is being closed still writes into its own. */
const profiles = Array.from({ length: 15 }, newProfile);
/** Starts a browser that ends with the test, however the test ends. */
const begin = async (context, start, profile) => {
  const browser = await start(profile);
  context.after(() => close(browser));
  return browser;
};

const BROWSERS = { Chromium: launchIn, ...(FIREFOX ? { Firefox: launchFirefox } : {}) };
if (!FIREFOX) console.error('NOT RUN: the tests of storage in Firefox, which is not installed');

for (const [name, start] of Object.entries(BROWSERS)) {
  test(`${name}: killed whenever, a run that is continued ends as the uninterrupted one`, twiceInFirefox(name, async context => {
    const profile = profiles.pop();
    let browser = await begin(context, start, profile);
    let page = await openPage(browser, address(LONG));
    if (!whole) {
      await press(page, '#train');
      await state(page, 'finished');
      whole = await fingerprint(page);
      assert.match(whole, /^simd-8000-/);
      await page.close();
      page = await openPage(browser, address(LONG));
      assert.equal(await page.$('#unfinished'), null, 'what has ended is not offered');
    }
    await press(page, '#train');
    let continued = 0;
    for (let turn = 0; turn < 2; turn += 1) {
      await page.waitForFunction(() => document.body.dataset.stored || document.body.dataset.state === 'finished', { polling: 20 });
      await pause(Math.random() * 2_000);
      await kill(browser);
      browser = await begin(context, start, profile);
      page = await openPage(browser, address(LONG));
      // The record's lock may be free only after a moment.
      await page.waitForSelector('#unfinished', { timeout: 8_000 }).catch(() => {});
      if (await page.$('#unfinished')) {
        continued += 1;
        await press(page, '#go-on');
      } else {
        // Killed after its end, before its record was removed or after: then there is nothing to continue.
        await press(page, '#train');
      }
    }
    await state(page, 'finished');
    assert.equal(await fingerprint(page), whole);
    assert.ok(continued > 0, 'the run was never there to be continued');
    assert.deepEqual(page.complaints, []);
  }));

  test(`${name}: each of two tabs has its own run, and neither takes the other's`, twiceInFirefox(name, async context => {
    const browser = await begin(context, start, profiles.pop());
    const first = await openPage(browser, address(OTHER));
    await press(first, '#train');
    await keeps(first, found => runs(found).length === 1);
    await press(first, '#pause');
    await state(first, 'paused');
    const second = await openPage(browser, address(SECOND));
    assert.equal(await second.$('#unfinished'), null, "another tab's run is not offered");
    await press(second, '#train');
    await keeps(second, found => runs(found).length === 2);
    for (const { description } of runs(await records(second))) {
      assert.ok([7, 8].includes(description.config.seed) && description.losses.length === description.step, 'a description fits its snapshot');
    }
    await press(second, '#stop');
    await state(second, 'finished');
    await keeps(second, found => runs(found).length === 1);
    const left = runs(await records(second));
    assert.deepEqual(left.map(({ description }) => description.config.seed), [8], "a tab that ends leaves the other's run");
    // The first tab is closed: whoever is there is offered its run.
    await first.close();
    const third = await openPage(browser, address(LONG));
    await third.waitForSelector('#unfinished');
    await press(third, '#go-on');
    await third.waitForFunction(step => Number(document.body.dataset.step) > step, { polling: 100 }, left[0].description.step);
    const fourth = await openPage(browser, address(LONG));
    // As long as the page looks.
    await pause(6_500);
    assert.equal(await fourth.$('#unfinished'), null, 'a run that was continued is in use again');
  }));

  test(`${name}: a snapshot that is damaged or of another build is refused`, twiceInFirefox(name, async context => {
    const profile = profiles.pop();
    let browser = await begin(context, start, profile);
    let page = await openPage(browser, address(OTHER));
    /** Loads the page again. In Firefox a reload that ends a computing worker may never compile the page's program: the browser begins anew. */
    const anew = async () => {
      if (name === 'Chromium') return reload(page);
      await close(browser);
      browser = await begin(context, start, profile);
      page = await openPage(browser, address(OTHER));
    };
    /** A run in progress with a stored snapshot. */
    const begun = async () => {
      await press(page, '#train');
      await keeps(page, found => runs(found).length === 1);
    };
    await begun();
    await anew();
    await page.waitForSelector('#unfinished');
    const [damaged] = runs(await records(page));
    await describe(page, damaged.name, { hash: 1 });
    await press(page, '#go-on');
    await says(page, '#notice', /damaged.*again/);
    assert.equal(await stateOf(page), 'idle');

    await begun();
    await anew();
    await page.waitForSelector('#unfinished');
    const [again] = runs(await records(page));
    await describe(page, again.name, { build: './workers-of-yesterday/' });
    await anew();
    await says(page, '#unfinished', /earlier version/);
    assert.equal(await page.$eval('#go-on', button => button.checkVisibility()), false);
    await press(page, '#forget-run');
    await keeps(page, found => runs(found).length === 0);
  }));

  test(`${name}: finished runs survive a reload, in their tab alone`, twiceInFirefox(name, async context => {
    const browser = await begin(context, start, profiles.pop());
    const page = await openPage(browser, address(tiny()));
    await press(page, '#train');
    await state(page, 'finished');
    const before = await text(page, '#depth-table');
    await keeps(page, found => found.some(({ name, description }) => name.startsWith('finished ') && description.runs.length === 1));
    await reload(page);
    await runsAre(page, 1);
    // Ceilings and floors are estimated anew.
    await page.waitForFunction(before => document.querySelector('#depth-table').textContent === before, { polling: 100 }, before);
    assert.equal(await stepOf(page), 20);
    const other = await openPage(browser, address(tiny()));
    await pause(500);
    await runsAre(other, 0, { polling: 100 });
    await other.close();
    await page.bringToFront();
    await pressOfRun(page, 'Remove');
    await keeps(page, found => found.some(({ name, description }) => name.startsWith('finished ') && description.runs.length === 0));
    await reload(page);
    await pause(500);
    await runsAre(page, 0);
  }));

  test(`${name}: a browser that stores nothing is told of once`, twiceInFirefox(name, async context => {
    const browser = await begin(context, start, profiles.pop());
    const page = await openPage(browser, address(OTHER), page => page.evaluateOnNewDocument(() => {
      indexedDB.open = () => { throw new DOMException('not here', 'InvalidStateError'); };
      window.told = [];
      addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
        const notice = document.querySelector('#notice')?.textContent;
        if (notice && notice !== window.told.at(-1)) window.told.push(notice);
      }).observe(document.body, { subtree: true, childList: true, characterData: true }));
    }));
    await press(page, '#train');
    await says(page, '#notice', /does not store.*download/);
    await pause(8_000);
    assert.equal((await page.evaluate(() => window.told)).length, 1);
  }));
}
