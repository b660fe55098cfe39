// The site without a network: stored by its service worker, in builds that are not mixed; in Chromium, and in Firefox where it is installed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DIST, FIREFOX, ROOT, attribute, launchIn, open, openPage, press, reload, shows, state, tiny, twiceInFirefox } from './harness.mjs';
import { BROWSERS, begin, host, offline } from './hosted.mjs';

/** A file that has the same name in every build. */
const UNNAMED = 'checkpoints/k1.json';
const BURN = /worker-burn/;

/** A copy of the site that a test may change. It is removed after the test. */
function copy(context) {
  const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-site-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(DIST, folder, { recursive: true });
  return folder;
}

/** Puts another build into the folder: another page, other names of the workers, and another file under the same name. */
function update(folder) {
  const workers = readdirSync(folder).find(name => /^workers-/.test(name));
  const renamed = `workers-${'5eed'.repeat(4)}`;
  renameSync(path.join(folder, workers), path.join(folder, renamed));
  const page = path.join(folder, 'index.html');
  writeFileSync(page, readFileSync(page, 'utf8').replaceAll(workers, renamed) + '<!-- another build -->\n');
  appendFileSync(path.join(folder, UNNAMED), '\n\n');
  execFileSync(path.join(ROOT, '.ci/name-build'), [folder]);
}

const buildOf = page => attribute(page, 'body', 'data-build');
/** What a page gets under an address; its status where that is an error, and `refused` where there is no answer at all. */
const fetched = (page, name) => page.evaluate(name => fetch(name).then(answer => (answer.ok ? answer.text() : answer.status), () => 'refused'), name);
const workerOf = page => page.$eval('body', body => `${body.dataset.workers}${body.dataset.program}`);
const isStored = (page, name) => page.evaluate(async name => Boolean(await caches.match(new URL(name, location), { ignoreSearch: true })), name);
const caches = page => page.evaluate(async () => (await caches.keys()).sort());
/** A tab in the background is slow, or draws nothing at all. */
const again = async page => {
  await page.bringToFront();
  await reload(page);
};
const trains = async page => {
  await page.bringToFront();
  await press(page, '#train');
  await state(page, 'finished');
};

if (!FIREFOX) console.error('NOT RUN: the tests without a network in Firefox, which is not installed');

for (const [name, start] of Object.entries(BROWSERS)) {
  test(`${name}: after the first visit the page opens and trains without a server`, twiceInFirefox(name, async context => {
    const { origin, asked, stop } = await host(context, { '/some/where/': DIST });
    const browser = await begin(context, start);
    const page = await openPage(browser, `${origin}/some/where/?workers=1#${tiny({ steps: 6, every: 6 })}`);
    await offline(page, 'ready');
    const program = await workerOf(page);
    assert.deepEqual(asked.filter(name => BURN.test(name)), [], 'Burn is not fetched before it is wanted');
    assert.deepEqual([...new Set(asked.filter(name => /_loader\.js$/.test(name)))].map(name => `./${name}`), [program], 'of the engines only the one in use');
    assert.deepEqual(page.complaints, []);
    for (const name of new Set(asked.filter(name => /-[0-9a-f]{8,}[._/]/.test(name)))) assert.equal(asked.filter(other => other === name).length, 1, `${name} is downloaded once`);
    // The browser's own cache has the engine too, until it is in need of room.
    for (const file of ['_loader.js', '.js', '_bg.wasm']) assert.ok(await isStored(page, program.replace('_loader.js', file)), `${file} is stored`);
    await stop();

    await again(page);
    await trains(page);
    await offline(page, 'ready');
    const other = await openPage(browser, `${origin}/some/where/?lesson=one&show=rows&workers=1#${tiny({ steps: 6, every: 6, seed: 8 })}`);
    assert.notEqual(await fetched(other, UNNAMED), 'refused');
    await trains(other);
  }));

  test(`${name}: a new build is offered, and never mixed with the one that is open`, twiceInFirefox(name, async context => {
    const folder = copy(context);
    const { origin } = await host(context, { '/': folder });
    const browser = await begin(context, start);
    const address = `${origin}/?workers=1#${tiny({ steps: 6, every: 6 })}`;
    const old = await openPage(browser, address);
    await offline(old, 'ready');
    const [build, unnamed, worker] = [await buildOf(old), await fetched(old, UNNAMED), await fetched(old, await workerOf(old))];

    update(folder);
    const tab = await openPage(browser, address);
    await offline(tab, 'update');
    await offline(old, 'update');
    assert.equal(await buildOf(tab), build, 'the new build waits');
    assert.equal(await fetched(tab, UNNAMED), unnamed);
    await again(tab);
    assert.equal(await buildOf(tab), build, 'until Reload is pressed');

    await press(tab, '#offline-reload');
    await tab.waitForFunction(build => document.body && document.body.dataset.build !== build, { polling: 100 }, build);
    await offline(tab, 'ready');
    assert.equal(await fetched(tab, UNNAMED), `${unnamed}\n\n`);
    assert.equal(await buildOf(old), build, 'the other tab is as it was');
    await offline(old, 'update');
    assert.equal(await fetched(old, UNNAMED), unnamed);
    assert.equal(await fetched(old, await workerOf(old)), worker, 'its worker is gone from the host');
    await trains(old);
    await trains(tab);

    await old.bringToFront();
    await press(old, '#offline-reload');
    await old.waitForFunction(build => document.body && document.body.dataset.build !== build, { polling: 100 }, build);
    await offline(old, 'ready');
    // The old build's cache stays for some seconds after its last page.
    for (let tries = 0; (await caches(old)).length > 2 && tries < 20; tries += 1) {
      await new Promise(resolve => setTimeout(resolve, 2_000));
      await again(old);
    }
    assert.deepEqual(await caches(old), [`lookahead / ${await buildOf(old)}`, 'lookahead / pages']);
  }));
}

test('two sites on one host, one within the other, keep their own files', async context => {
  const [outer, inner] = [copy(context), copy(context)];
  const { origin, stop } = await host(context, { '/site/inner/': inner, '/site/': outer });
  const browser = await begin(context, launchIn);
  const first = await openPage(browser, `${origin}/site/`);
  await offline(first, 'ready');
  update(inner);
  const second = await openPage(browser, `${origin}/site/inner/`);
  await offline(second, 'ready');
  await offline(first, 'ready');
  const builds = [await buildOf(first), await buildOf(second)];
  assert.notEqual(...builds);
  const kept = await caches(first);
  assert.deepEqual(kept.filter(name => !name.endsWith('pages')), [`lookahead /site/ ${builds[0]}`, `lookahead /site/inner/ ${builds[1]}`]);
  await again(first);
  await again(second);
  assert.deepEqual(await caches(first), kept, "neither removes the other's");
  await stop();
  await again(first);
  await again(second);
  assert.deepEqual([await buildOf(first), await buildOf(second)], builds);
});

test('everything is stored when the user asks for it, and after an update too', async context => {
  const folder = copy(context);
  const { origin, asked, stop } = await host(context, { '/': folder });
  const browser = await begin(context, launchIn);
  const page = await openPage(browser, `${origin}/`);
  await offline(page, 'ready');
  assert.match(await attribute(page, 'body', 'data-missing'), BURN);
  assert.deepEqual(asked.filter(name => BURN.test(name)), []);
  await press(page, '#offline-all');
  await shows(page, 'body', 'data-missing', '');
  await offline(page, 'ready');
  update(folder);
  await again(page);
  await offline(page, 'update');
  await press(page, '#offline-reload');
  await page.waitForFunction(() => document.body?.dataset.workers?.includes('5eed'), { polling: 100 });
  await offline(page, 'ready');
  await stop();
  await again(page);
  assert.equal(await attribute(page, 'body', 'data-missing') ?? '', '');
  const loader = await fetched(page, `./workers-${'5eed'.repeat(4)}/worker-burn_loader.js`);
  assert.equal(loader, readFileSync(path.join(folder, `workers-${'5eed'.repeat(4)}/worker-burn_loader.js`), 'utf8'));
});

test('where the page cannot be stored, it says why', async context => {
  const folder = copy(context);
  const { origin } = await host(context, { '/altered/': folder, '/': DIST });
  const browser = await begin(context, launchIn, '--host-resolver-rules=MAP school.test 127.0.0.1');
  const reason = async (address, wanted, prepare) => {
    const page = await open(browser, address, prepare);
    await offline(page, `no:${wanted}`);
    assert.ok((await page.$eval('#offline', line => line.textContent)).length > 40);
    await page.close();
  };
  await reason(pathToFileURL(path.join(DIST, 'index.html')).href, 'file');
  await reason(`${origin.replace('localhost', 'school.test')}/`, 'insecure');
  await reason(`${origin}/`, 'private', page => page.evaluateOnNewDocument(() => { delete Navigator.prototype.serviceWorker; }));
  await reason(`${origin}/`, 'refused', page => page.evaluateOnNewDocument(() => {
    ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('not here', 'SecurityError'));
  }));
  // Altered on the host, or copied by halves.
  appendFileSync(path.join(folder, UNNAMED), '\n');
  await reason(`${origin}/altered/`, 'unfetched');
  await reason(`${origin}/`, 'full', async page => {
    const session = await page.createCDPSession();
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000 });
  });
});
