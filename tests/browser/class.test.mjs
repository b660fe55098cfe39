// A class: students open one link and hand in lines; the teacher pastes them, and a run made again tells a true line from a false one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, downloads, fits, openPage, press, reload, shows, state, suite, text, tiny, type } from './harness.mjs';
import { forged, paste, runAgain, seedOf, verdict } from './class.mjs';
import { keeps } from './records.mjs';

const { browser, site, visit } = await suite();
const STUDENTS = 30;

/** A student opens the class link on a telephone, takes a number, trains, and copies the line. @returns the line as an object */
async function student(link, number) {
  const page = await openPage(browser, link, page => page.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true }));
  await shows(page, '#seat', 'data-step', 'number');
  for (const refused of ['', '0', '100', 'seven']) {
    await type(page, '#seat-number', refused);
    await press(page, '#seat-take');
    await page.waitForFunction(() => document.querySelector('#seat-refused').textContent !== '');
  }
  await type(page, '#seat-number', String(number));
  await press(page, '#seat-take');
  await shows(page, '#seat', 'data-step', 'train');
  assert.match(page.url(), new RegExp(`\\?seat=${number}#v=1&.*&seed=${number}&`), 'the number is in the address');
  // After a reload the student still has the number.
  await reload(page);
  await shows(page, '#seat', 'data-step', 'train');
  await press(page, '#seat-train');
  await state(page, 'finished');
  await shows(page, '#seat', 'data-step', 'hand-in');
  const { wide, small } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    small: [...document.querySelectorAll('#seat button, #seat input, #seat textarea')].map(part => part.getBoundingClientRect().height).filter(height => height < 24),
  }));
  assert.ok(wide <= 0 && small.length === 0, `${wide} ${small}`);
  const plain = JSON.parse(await page.$eval('#seat .hand-in-line', area => area.value));
  assert.ok(!('label' in plain), 'no name unless one is typed');
  // The second student sits at the first one's browser, which keeps what was answered there.
  const before = plain.you?.[0].asked ?? 0;
  assert.equal(before, number === 7 ? 0 : 1);
  await type(page, '#seat .hand-in-name input', 'Zoë');
  await page.waitForFunction(() => document.querySelector('#seat .hand-in-line').value.includes('Zoë'));
  const saved = await downloads(page, 1, () => press(page, '#seat .hand-in-save'));
  // What a student answered herself goes along.
  await press(page, '#open-story');
  await press(page, '#puzzle-check');
  await page.waitForFunction(asked => JSON.parse(document.querySelector('#seat .hand-in-line').value).you?.[0].asked > asked, {}, before);
  const [{ seconds, ...own }] = JSON.parse(await page.$eval('#seat .hand-in-line', area => area.value)).you;
  assert.deepEqual({ ...own, exact: 0 }, { depth: 1, asked: before + 1, exact: 0 });
  assert.ok(seconds >= 0);
  assert.deepEqual({ ...plain, label: 'Zoë' }, JSON.parse(saved[`lookahead-${number}.jsonl`].toString()));
  assert.deepEqual(page.complaints, []);
  await page.close();
  return plain;
}

const teacher = await visit(tiny({ steps: 4, every: 4 }), { query: 'class=' });
let lines;

test('students open the class link, take a number, train and hand in', async () => {
  const link = await teacher.$eval('#class-link', box => box.value);
  assert.ok(link.startsWith(`${site.site()}?seat=#v=1&sum=`) && link.includes('engine=portable'), link);
  await teacher.select('#class-lesson', 'one-ahead');
  await teacher.waitForFunction(() => document.querySelector('#class-link').value.includes('?seat=&lesson=one-ahead#v=1'));
  assert.equal(await attribute(teacher, '#class-qr', 'data-link'), await teacher.$eval('#class-link', box => box.value));
  lines = { true: await student(link, 7), false: await student(link, 8) };
  assert.equal(lines.true.fingerprint.split('-')[0], 'simd');
  assert.deepEqual([lines.true.steps, lines.true.ending, lines.true.measured.at(-1).split], [4, 'Reached', 'Test']);
  assert.ok(lines.true.link.includes(`&fp=${lines.true.fingerprint}&em=1.`));
});

test('the teacher pastes thirty lines, and a false one is caught by running it again', async () => {
  const all = Array.from({ length: STUDENTS }, (_, index) => index + 1).filter(seed => seed !== 7 && seed !== 8).map(seed => forged(lines.true, seed));
  // Another score than the run had, which a measurement could give.
  const score = lines.false.measured.at(-1).depths[0];
  Object.assign(score, { exact: score.exact === 12 ? 11 : 12, bits_teacher_forced: 0.9 });
  const pasted = [...all, lines.true, lines.false].map(line => `> ${JSON.stringify(line)}`);
  await paste(teacher, `\uFEFF${pasted.join('\r\n\r\n')}\nBest regards\n`, STUDENTS + 1);
  assert.equal(await attribute(teacher, '#class-said', 'data-right'), String(STUDENTS));
  assert.equal(await attribute(teacher, '#class-table tbody tr', 'data-students'), String(STUDENTS));
  assert.equal((await teacher.$$('#class-table tbody tr')).length, 5, 'one row for each depth, and what the second student answered herself');
  const mean = [...all, lines.true, lines.false].reduce((sum, line) => sum + line.measured.at(-1).depths[0].exact / 16, 0) / STUDENTS;
  assert.ok(Math.abs(Number(await attribute(teacher, '#class-table tbody tr', 'data-mean')) - mean) < 1e-9);
  assert.equal((await teacher.$$('#class-chart .curve')).length, STUDENTS + 2, 'each student, the mean and the class itself');
  assert.equal(await teacher.$eval('#class-lines li', item => item.dataset.verdict), 'faulty', 'what is not right comes first');

  assert.deepEqual((await verdict(teacher, 'Number 8:')).verdict, 'right');
  const caught = await runAgain(teacher, 'Number 8:');
  assert.equal(caught.verdict, 'differs', caught.words);
  assert.match(caught.words, /k = 1/);
  const held = await runAgain(teacher, 'Number 7:');
  assert.equal(held.verdict, 'same', held.words);
  const stolen = await runAgain(teacher, 'Number 9:');
  assert.equal(stolen.verdict, 'differs', stolen.words);
  assert.match(stolen.words, /step 1(?!\d)/);
  assert.deepEqual(teacher.complaints, []);
});

test('what was pasted survives a reload, is saved as one file, and is gone after Clear', async () => {
  await keeps(teacher, records => records.some(({ name }) => name.startsWith('class ')));
  await reload(teacher);
  await shows(teacher, '#class-said', 'data-right', String(STUDENTS));
  const saved = await downloads(teacher, 1, () => press(teacher, '#class-save'));
  const read = saved['lookahead-class.jsonl'].toString().trim().split('\n').map(line => JSON.parse(line));
  assert.deepEqual(read.map(line => seedOf(line.link)).sort((a, b) => a - b), Array.from({ length: STUDENTS }, (_, index) => index + 1));
  await fits(teacher, 'class', { fullPage: true });
  await teacher.setViewport({ width: 320, height: 700 });
  assert.ok(await teacher.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'fits 320 pixels');
  await press(teacher, '#class-clear');
  await shows(teacher, '#class-said', 'data-lines', '0');
  await reload(teacher);
  await shows(teacher, '#class-said', 'data-lines', '0');
});

test('a file of ten thousand lines is read while the page stays alive', async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => JSON.stringify(forged(lines.true, index + 1))).join('\n');
  await teacher.evaluate(many => {
    window.drawn = 0;
    const frame = () => {
      window.drawn += document.querySelector('#class-said').dataset.reading === 'true';
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    const files = new DataTransfer();
    files.items.add(new File([many], 'results.jsonl'));
    const input = document.querySelector('#class-files');
    input.files = files.files;
    input.dispatchEvent(new Event('change'));
  }, many);
  await shows(teacher, '#class-said', 'data-right', '10000');
  await shows(teacher, '#class-said', 'data-reading', 'false');
  assert.match(await text(teacher, '#class-lines'), /results\.jsonl, line 1(?!\d)/);
  assert.ok((await teacher.$$('#class-lines li')).length <= 200);
  const drawn = await teacher.evaluate(() => window.drawn);
  assert.ok(drawn >= 10, `${drawn} frames were drawn while ten thousand lines were read`);
  assert.deepEqual(teacher.complaints, []);
});
