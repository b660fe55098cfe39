import { openPage, serveSite, launch, settled } from './harness.mjs';
const [,, query, w, h, out, full, scheme] = process.argv;
const site = await serveSite(); const browser = await launch();
const page = await openPage(browser, site.site() + query, page => page.setViewport({ width: +w, height: +h, deviceScaleFactor: 1 }));
if (scheme) await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
await settled(page);
console.log(await page.evaluate(() => [document.documentElement.scrollHeight, document.documentElement.scrollWidth, ...[...document.querySelectorAll('.card-box')].filter(c => c.checkVisibility()).map(c => `${c.getAttribute('aria-label') ?? c.className}: ${c.offsetTop} +${c.offsetHeight}`)].join('\n')), page.complaints);
await page.screenshot({ path: out, fullPage: full === '1' });
await browser.end(); await site.close(); process.exit(0);
