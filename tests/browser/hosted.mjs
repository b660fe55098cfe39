// The site on a host that a test can end, in a browser that ends with the test: what the tests without a network share.
import { FIREFOX, attribute, close, launchFirefox, launchIn, newProfile } from './harness.mjs';
import { serve } from './server.mjs';

/** The browsers that these tests run in: { name: start }. */
export const BROWSERS = { Chromium: launchIn, ...(FIREFOX ? { Firefox: launchFirefox } : {}) };

/** Serves folders by their paths until the test ends. @returns { origin, asked, stop }: asked are the names that the server was asked for */
export async function host(context, folders) {
  const asked = [];
  const { origin, close } = await serve(Object.entries(folders).map(([at, folder]) => ({ at, folder, asked: name => asked.push(name) })));
  let stopped;
  const stop = () => (stopped ??= close());
  context.after(stop);
  return { origin, asked, stop };
}

/** Made here, so that they are removed after the last test: a browser that is being closed still writes into its own. */
const profiles = Array.from({ length: 12 }, newProfile);
/** Starts a browser that ends with the test, however the test ends. */
export const begin = async (context, start, ...flags) => {
  const browser = await start(profiles.pop(), ...flags);
  context.after(() => close(browser));
  return browser;
};
/** Waits for what the page says. By time: a tab in the background draws no frames. */
export const offline = (page, value) => page.waitForFunction(value => document.body?.dataset.offline === value, { polling: 100 }, value).catch(async error => {
  throw new Error(`${error.message}: the page says ${await attribute(page, 'body', 'data-offline')}, not ${value}`);
});
