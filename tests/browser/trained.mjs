// A link trained to its end in the page, and what came of it.
import { account, attribute, linkOf, openPage, text, trainToEnd, verdictOf } from './harness.mjs';

/** Trains an address to its end. @returns { run, counted, link, verdict, words, badge, complaints }: run is what the page exports as JSON */
export async function train(browser, address) {
  const page = await openPage(browser, address);
  const counted = Number(await attribute(page, '#model-size', 'data-parameters'));
  await trainToEnd(page);
  const result = {
    run: await account(page), counted,
    link: await linkOf(page),
    verdict: await verdictOf(page),
    words: await text(page, '#replay'),
    badge: await text(page, '#engine-badge'),
    complaints: page.complaints,
  };
  await page.close();
  return result;
}

/** The largest relative difference of two lists of losses. */
export const apart = (found, expected) => Math.max(...expected.map((loss, step) => Math.abs(found[step] - loss) / Math.abs(loss)));
