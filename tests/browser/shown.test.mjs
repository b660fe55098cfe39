// What the address shows: short links, views by name, one view in a frame, the projector's view, and the panel that makes such links.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, fits, frames, linkOf, open, press, settled, shows, state, suite, text, tiny, type } from './harness.mjs';

const { site, browser, address, visit } = await suite();

/** The views that the page has built. */
const viewsOf = page => page.$eval('body', body => body.dataset.views);
/** A part of each view that stands nowhere else. */
const PARTS = {
  you: '#puzzle', story: '#story-chart', presets: '.page-presets', models: '.page-models', controls: '.page-controls', question: '#task-picture', depth: '#depth-chart',
  thinking: '#thinking', reward: '#reward', progress: '#progress-chart', loss: '#loss-chart', reads: '#where', sweep: '#sweep', settings: '#settings', runs: '#runs',
};
const built = page => page.evaluate(parts => Object.entries(parts).filter(([, selector]) => document.querySelector(selector)).map(([name]) => name), PARTS);
const ticked = (page, name, wanted) => page.$eval(`#share-${name}`, (box, wanted) => { if (box.checked !== wanted) box.click(); }, wanted);

test('a name in the address opens its run, with settings and within parentheses', async () => {
  for (const [short, wanted] of [
    ['quick', /&W=8&T=6&horizon=one&k=1&.*&seed=1&/],
    ['quick&k=2&seed=3', /&k=2&.*&seed=3&/],
    ['two&from=(quick)', /&k=2&.*&from=\(v=1&.*&k=1&.*\)$/],
    ['k1', /&steps=40&.*&from=\(v=1&/],
  ]) {
    const page = await visit(short);
    assert.match(await linkOf(page), wanted, short);
    assert.equal(await page.evaluate(() => location.href), await linkOf(page), 'the address shows the whole link');
    assert.equal(await text(page, '#faults'), '');
    await page.close();
  }
  const page = await visit('quik&k=2');
  assert.match(await text(page, '#faults'), /“quik”.*one, two, cot.*k1/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('on a telephone, what is out of sight is built when something is done, or after a while; what is further down, when it is asked for', async () => {
  const small = page => page.setViewport({ width: 390, height: 844 });
  // Not through visit(), which does something.
  const still = await open(browser, address(''), small);
  await still.waitForSelector('#puzzle');
  assert.equal(await still.$('#train'), null, 'nobody sees it yet');
  const begun = Date.now();
  const used = await open(browser, address(''), small);
  await used.waitForSelector('#puzzle');
  await used.mouse.wheel({ deltaY: 400 });
  await used.waitForSelector('#train');
  assert.ok(Date.now() - begun < 10_000, 'it came before the time was over');
  assert.equal(await used.$('#loss-chart'), null);
  await press(used, '#more-views');
  await used.waitForSelector('#loss-chart svg');
  await used.waitForSelector('#where');
  assert.deepEqual(used.complaints, []);
  await used.close();
  await still.bringToFront();
  await still.waitForSelector('#train');
  assert.deepEqual(still.complaints, []);
  await still.close();
});

test('show= shows only these views, hide= all others', async () => {
  const few = await visit(tiny(), { query: 'show=depth,question' });
  assert.deepEqual(await built(few), ['question', 'depth']);
  assert.equal(await viewsOf(few), 'question,depth');
  assert.match(await linkOf(few).catch(() => few.evaluate(() => location.href)), /\?show=depth,question#v=1&/, 'a run stays a run');
  assert.ok(await few.$('.top-bar') && !(await few.$('footer')));
  await settled(few);
  const [chart, room] = await few.evaluate(() => [document.querySelector('#depth-chart').offsetWidth, document.documentElement.clientWidth]);
  assert.ok(chart > room / 3, 'what is left takes the room');
  await few.close();
  const most = await visit(tiny(), { query: 'hide=settings,sweep' });
  assert.deepEqual((await built(most)).sort(), Object.keys(PARTS).filter(name => !['settings', 'sweep'].includes(name)).sort());
  await press(most, '#train');
  await state(most, 'finished');
  assert.deepEqual(most.complaints, []);
  await most.close();
});

test('each view can stand alone', async () => {
  for (const name of Object.keys(PARTS)) {
    const page = await visit('', { query: `show=${name}` });
    assert.deepEqual(await built(page), [name]);
    assert.deepEqual(page.complaints, [], name);
    await page.close();
  }
});

test('wrong names, and two of show=, hide= and embed=, are refused in a banner, and everything is shown', async () => {
  for (const [query, words] of [['show=depth,colour', /“colour”.*you, story, presets/], ['embed=colour', /“colour”/], ['show=depth&hide=loss', /keep one/], ['show=', /without a view/]]) {
    const page = await visit('', { query });
    assert.match(await text(page, '#views-fault'), words, query);
    assert.equal((await built(page)).length, Object.keys(PARTS).length);
    assert.equal(await page.$eval('html', root => root.hasAttribute('data-embed')), false);
    await press(page, '#views-fault button');
    await page.waitForFunction(() => !document.querySelector('#views-fault'));
    await page.close();
  }
});

test('in a frame of another page, embed= is one view, which trains and leads to the whole', async () => {
  const outer = await open(browser, site.blank());
  await outer.setViewport({ width: 700, height: 700 });
  await outer.evaluate(address => {
    const frame = document.createElement('iframe');
    Object.assign(frame, { src: address, width: '100%', height: 480 });
    document.body.append(frame);
  }, address(tiny(), { query: 'embed=depth' }));
  const inner = await outer.waitForFrame(frame => frame.url().includes('embed=depth'));
  await inner.waitForSelector('[data-embed=depth] #depth-chart');
  assert.deepEqual(await built(inner), ['depth']);
  assert.equal(await inner.$('.top-bar'), null);
  assert.equal(await inner.$eval('body', body => getComputedStyle(body).backgroundColor), 'rgba(0, 0, 0, 0)');
  const link = await inner.$eval('#embed-open', ({ href, target, rel }) => ({ href, target, rel }));
  assert.match(link.href, /\/lookahead\/#v=1&.*&seed=7&/);
  assert.deepEqual([link.target, link.rel], ['_blank', 'noopener']);
  await press(inner, '#train');
  await state(inner, 'finished');
  await inner.waitForFunction(() => document.querySelector('#embed-open').href.includes('&fp='));
  assert.ok(await inner.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  assert.deepEqual(outer.complaints, []);
  await outer.close();
  const controls = await visit(tiny(), { query: 'embed=controls' });
  assert.equal(await controls.$$eval('#train', buttons => buttons.length), 1);
  await controls.close();
  const you = await visit('', { query: 'embed=you' });
  assert.equal(await you.$('#train'), null, 'no button where no run is shown');
  await you.close();
});

test('the projector: by the address, by the button and by P; large letters, no asides; Escape leaves', async () => {
  const page = await visit(tiny(), { query: 'workers=1' });
  await page.setViewport({ width: 1920, height: 1080 });
  await settled(page);
  const look = () => page.evaluate(() => {
    const chart = document.querySelector('#depth-chart svg');
    const letters = [...document.querySelectorAll('#depth-chart svg text, #progress-chart svg text, #story-chart svg text')].map(text =>
      parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width / text.ownerSVGElement.viewBox.baseVal.width);
    return {
      large: document.documentElement.hasAttribute('data-projector'), root: parseFloat(getComputedStyle(document.documentElement).fontSize), drawn: Boolean(chart),
      letter: Math.min(...letters), aside: document.querySelector('#settings').checkVisibility(), foot: document.querySelector('footer').checkVisibility(), search: location.search, hash: location.hash,
    };
  });
  const before = await look();
  assert.deepEqual([before.large, before.aside, before.foot], [false, true, true]);
  await page.keyboard.press('p');
  await settled(page);
  const large = await look();
  assert.deepEqual([large.large, large.drawn, large.aside, large.foot, large.search, large.hash], [true, true, false, false, '?workers=1&projector=', before.hash]);
  assert.ok(Math.abs(large.root / before.root - 1.35) < 0.01, `${large.root}`);
  assert.ok(large.letter >= 16, `letters of ${large.letter} pixels`);
  assert.equal(await attribute(page, '#projector', 'aria-pressed'), 'true');
  await page.keyboard.press('Escape');
  await settled(page);
  assert.deepEqual({ ...(await look()), letter: 0 }, { ...before, letter: 0 });
  await press(page, '#projector');
  await frames(page);
  assert.equal((await look()).search, '?workers=1&projector=');
  await page.keyboard.press('P');
  await frames(page);
  // In a field, P is a letter.
  await page.$$eval('#settings details', groups => groups.forEach(group => { group.open = true; }));
  await page.focus('#field-seed');
  await page.keyboard.type('p');
  assert.equal((await look()).large, false);
  assert.deepEqual(page.complaints, []);
  await page.close();
  const linked = await visit(tiny(), { query: 'projector=' });
  assert.equal(await linked.$eval('html', root => root.hasAttribute('data-projector')), true);
  await fits(linked, 'projector');
  await linked.close();
});

test('Share… makes links and frames that open what was ticked, and draws a QR code', async () => {
  const page = await visit(tiny());
  const made = () => page.$eval('#share-text', box => box.value);
  assert.equal(await attribute(page, '#share', 'aria-expanded'), 'false');
  await press(page, '#share');
  await page.waitForSelector('#share-panel');
  assert.equal(await made(), await linkOf(page));
  await ticked(page, 'settings', false);
  assert.match(await made(), /\?hide=settings#v=1&/);
  await press(page, '#share-none');
  assert.equal(await made(), await linkOf(page));
  await ticked(page, 'depth', true);
  await ticked(page, 'projector', true);
  assert.match(await made(), /\?show=depth&projector=#v=1&/);
  const modules = Number(await attribute(page, '.qr-box', 'data-modules'));
  assert.ok(modules >= 29 && modules <= 185, `${modules}`);
  const drawn = await page.$eval('.qr-small svg', svg => ({ viewBox: svg.getAttribute('viewBox'), path: svg.querySelector('path').getAttribute('d').length, fill: svg.querySelector('rect').getAttribute('fill') }));
  assert.equal(drawn.viewBox, `0 0 ${modules} ${modules}`);
  assert.ok(drawn.path > 1000 && drawn.fill === '#fff');
  await ticked(page, 'projector', false);
  await ticked(page, 'frame', true);
  const frame = await made();
  assert.match(frame, /^<iframe src="[^"]*\?embed=depth#v=1&amp;[^"]*" .*><\/iframe>$/);
  const opened = await page.evaluate(text => Object.assign(document.createElement('template'), { innerHTML: text }).content.firstChild.src, frame);
  assert.equal(opened, (await linkOf(page)).replace('#', '?embed=depth#'));
  await press(page, '.qr-small');
  await page.waitForSelector('dialog[open] svg');
  const side = await page.$eval('dialog[open] svg', svg => [svg.clientWidth, svg.clientHeight, innerWidth, innerHeight]);
  assert.ok(side[0] <= side[2] && side[1] <= side[3] && side[1] > side[3] / 2, `${side}`);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('dialog[open]'));
  // What the QR code shows follows the settings.
  const path = () => page.$eval('.qr-small path', path => path.getAttribute('d'));
  const one = await path();
  await page.$$eval('#settings details', groups => groups.forEach(group => { group.open = true; }));
  await type(page, '#field-seed', '8');
  await page.waitForFunction(one => document.querySelector('.qr-small path').getAttribute('d') !== one, {}, one);
  await fits(page, 'share');
  await page.setViewport({ width: 320, height: 640 });
  await settled(page);
  const small = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, targets: [...document.querySelectorAll('.share-panel :is(label, button)')].filter(target => target.checkVisibility()).map(target => target.getBoundingClientRect().height) }));
  assert.ok(small.wide <= 320 && small.targets.every(height => height >= 24), JSON.stringify(small));
  await press(page, '#share');
  await shows(page, '#share', 'aria-expanded', 'false');
  assert.equal(await page.$('#share-panel'), null);
  assert.deepEqual(page.complaints, []);
  await page.close();
});
