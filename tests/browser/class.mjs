// The teacher's room of a class, and lines to paste into it.
import { press, shows } from './harness.mjs';

/** The seed in a link. */
export const seedOf = link => Number(/&seed=(\d+)/.exec(link)[1]);

/** The line of another student, as it would look: the same numbers under another seed. */
export function forged(line, seed) {
  const link = line.link.replace(/&sum=[0-9a-f]{8}/, '').replace(/&seed=\d+/, `&seed=${seed}`);
  const measured = structuredClone(line.measured);
  Object.assign(measured.at(-1).depths[0], { exact: seed % 5, bits_teacher_forced: 0.6 });
  return { ...line, link, measured };
}

/** Pastes text into the teacher's room. */
export async function paste(page, pasted, lines) {
  await page.$eval('#class-paste', (area, pasted) => { area.value = pasted; }, pasted);
  await press(page, '#class-add');
  await shows(page, '#class-said', 'data-lines', String(lines));
  await shows(page, '#class-said', 'data-reading', 'false');
}

/** What the teacher's room says of the line with this name. @returns { verdict, words } */
export const verdict = (page, name) => page.evaluate(name => {
  const found = [...document.querySelectorAll('#class-lines li')].find(item => item.textContent.includes(name));
  return found && { verdict: found.dataset.verdict, words: found.querySelector('.class-verdict').textContent };
}, name);

/** Runs a line again and waits for the verdict. */
export async function runAgain(page, name) {
  await page.evaluate(name => [...document.querySelectorAll('#class-lines li')].find(item => item.textContent.includes(name)).querySelector('button').click(), name);
  await page.waitForFunction(name => {
    const item = [...document.querySelectorAll('#class-lines li')].find(item => item.textContent.includes(name));
    return ['same', 'near', 'differs'].includes(item.dataset.verdict);
  }, {}, name);
  return verdict(page, name);
}
