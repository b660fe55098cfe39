// A link trained to its end in the page, and what came of it.
import { attribute, openPage, press, state, text } from './harness.mjs';

/** Trains an address to its end. @returns { run, counted, link, verdict, words, badge, complaints }: run is what the page exports as JSON */
export async function train(browser, address) {
  const page = await openPage(browser, address);
  // What the worker itself says, beside what the page makes of it.
  await page.evaluate(() => {
    window.saved = [];
    URL.createObjectURL = blob => (window.saved.push(blob), 'data:,');
    HTMLAnchorElement.prototype.click = () => {};
  });
  const counted = Number(await attribute(page, '#model-size', 'data-parameters'));
  await press(page, '#train');
  await state(page, 'finished');
  await page.waitForFunction(() => document.body.dataset.step !== '0' && document.querySelector('#copy-link').dataset.fingerprint);
  await page.evaluate(() => [...document.querySelectorAll('#runs > li button')].find(button => button.textContent === 'JSON').click());
  const run = await page.evaluate(() => window.saved[0].text().then(JSON.parse));
  const result = {
    run, counted,
    link: await page.$eval('#link-text', box => box.value),
    verdict: await attribute(page, '#replay', 'data-verdict'),
    words: await text(page, '#replay'),
    badge: await text(page, '#engine-badge'),
    complaints: page.complaints,
  };
  await page.close();
  return result;
}

/** The largest relative difference of two lists of losses. */
export const apart = (found, expected) => Math.max(...expected.map((loss, step) => Math.abs(found[step] - loss) / Math.abs(loss)));
