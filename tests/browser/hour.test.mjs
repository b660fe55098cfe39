// A lesson as a class has it, without a network after the first visit: students open one link on a telephone, predict, train and hand in; the teacher
// gathers thirty lines, one of them false. In Chromium, and in Firefox where it is installed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DIST, FIREFOX, attribute, openPage, press, reload, says, shows, state, tiny, twiceInFirefox, type } from './harness.mjs';
import { forged, paste, runAgain, seedOf } from './class.mjs';
import { keeps } from './records.mjs';
import { BROWSERS, begin, host, offline } from './hosted.mjs';

const STUDENTS = 30;
if (!FIREFOX) console.error('NOT RUN: a lesson in Firefox, which is not installed');

/** A student of the class link, from the first look to the line that is handed in. `answers` the lesson, or finds the answers of the student before. */
async function student(browser, link, number, answers) {
  // Firefox sets the size, and then does not know the orientation that the driver asks for.
  const small = page => page.setViewport({ width: 390, height: 844 }).catch(error => assert.match(error.message, /setScreenOrientationOverride/));
  const page = await openPage(browser, link, small);
  assert.equal(await page.evaluate(() => innerWidth), 390);
  await page.bringToFront();
  await says(page, '#lesson h2', /One step ahead/);
  await type(page, '#seat-number', String(number));
  await press(page, '#seat-take');
  await shows(page, '#seat', 'data-step', 'train');
  if (answers) {
    await page.focus('#predict-guess-short-1');
    await page.keyboard.type('25');
    await says(page, '#lesson-done', /^1 of/);
  }
  await press(page, '#seat-train');
  await state(page, 'finished');
  await shows(page, '#seat', 'data-step', 'hand-in');
  if (answers) await type(page, '#explain-cells-and-rows', 'A row is right only if all its cells are.');
  await says(page, '#lesson-done', /^2 of/);
  const line = JSON.parse(await page.$eval('#seat .hand-in-line', area => area.value));
  assert.equal(seedOf(line.link), number);
  return { page, line };
}

for (const [name, start] of Object.entries(BROWSERS)) {
  test(`${name}: a lesson with a class, from the link to the false line, without a network`, twiceInFirefox(name, async context => {
    const { origin, stop } = await host(context, { '/school/': DIST });
    const browser = await begin(context, start);
    const teacher = await openPage(browser, `${origin}/school/?class=#${tiny({ steps: 4, every: 4, engine: 'portable' })}`);
    await offline(teacher, 'ready');
    await teacher.select('#class-lesson', 'one-ahead');
    await teacher.waitForFunction(() => document.querySelector('#class-link').value.includes('?seat=&lesson=one-ahead#v=1'));
    const link = await teacher.$eval('#class-link', box => box.value);
    // As a teacher would before the lesson.
    await press(teacher, '#offline-all');
    await shows(teacher, 'body', 'data-missing', '');
    await offline(teacher, 'ready');
    await stop();

    const seven = await student(browser, link, 7, true);
    // A letter is stored within a fifth of a second.
    await keeps(seven.page, records => records.some(({ name, description }) => name.startsWith('lesson ') && JSON.stringify(description).includes('all its cells')));
    await reload(seven.page);
    await shows(seven.page, '#seat', 'data-step', 'hand-in');
    await says(seven.page, '#lesson-done', /^2 of/);
    assert.equal(await seven.page.$eval('#predict-guess-short-1', input => input.value), '25');
    const eight = await student(browser, link, 8, false);

    await teacher.bringToFront();
    await reload(teacher);
    const others = Array.from({ length: STUDENTS }, (_, index) => index + 1).filter(seed => seed !== 7 && seed !== 8);
    const score = eight.line.measured.at(-1).depths[0];
    Object.assign(score, { exact: score.exact === 12 ? 11 : 12, bits_teacher_forced: 0.9 });
    const lines = [...others.map(seed => forged(seven.line, seed)), seven.line, eight.line];
    await paste(teacher, lines.map(line => JSON.stringify(line)).join('\n'), STUDENTS);
    assert.equal(await attribute(teacher, '#class-said', 'data-right'), String(STUDENTS));
    assert.equal((await runAgain(teacher, 'Number 7:')).verdict, 'same');
    assert.equal((await runAgain(teacher, 'Number 8:')).verdict, 'differs');
    assert.equal(await attribute(teacher, '#class-table tbody tr', 'data-students'), String(STUDENTS));
    for (const page of [teacher, seven.page, eight.page]) assert.deepEqual(page.complaints, []);
  }));
}
