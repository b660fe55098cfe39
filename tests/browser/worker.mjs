// Drives the training worker itself, without the page around it.
import { WORKERS, open, openPage, press, standIn, text } from './harness.mjs';

/** The worker for browsers whose relaxed SIMD fuses, as every current Chromium's does on a processor that can, and the one for all others. */
export const FUSED = `${WORKERS}worker-fused_loader.js`;
export const SEPARATE = `${WORKERS}worker_loader.js`;

/** What the page would tell the worker for a link: its RunConfig, as the page's own code writes it. */
export async function configOf(browser, site, link) {
  const page = await openPage(browser, `${site}#${link}`, standIn);
  const faults = await text(page, '#faults');
  if (faults) throw new Error(`the link of this test is at fault: ${faults}`);
  await press(page, '#train');
  await page.waitForFunction(() => window.asked.length > 0);
  const { Start } = await page.evaluate(() => window.asked[0]);
  await page.close();
  return Start.config;
}

/** The bits of losses: equal floats, not merely equal texts. */
export const bitsOf = losses => losses.map(loss => new Uint32Array(new Float32Array([loss]).buffer)[0]);

/**
 * Runs a configuration in a worker of an empty page.
 * @param options.workers how many CPU workers (0: one a core)
 * @param options.until end after this many steps, when that is less than the configuration's own
 * @param options.page a page to run in; by default a new one of `browser` at `blank`
 * @param options.timeout milliseconds
 * @param options.program the build of the worker: FUSED or SEPARATE
 * @returns { ready, started, losses, bits, measured, snapshots, finished, failed, seconds: [[step, seconds]], dispatches: [[step, count]], pipelines: [[step, count]], reports, complaints }
 */
export async function run(browser, blank, config, { workers = 1, until = Infinity, timeout = 900_000, page, program = FUSED } = {}) {
  const own = page === undefined;
  page ??= await open(browser, blank);
  const result = await page.evaluate(drive, program, config, workers, Number.isFinite(until) ? until : 1e9, timeout);
  result.complaints = page.complaints;
  result.bits = bitsOf(result.losses);
  if (own) await page.close();
  return result;
}

/** Runs inside the browser. */
function drive(program, config, workers, until, timeout) {
  return new Promise(resolve => {
    const result = { ready: false, started: null, losses: [], measured: [], snapshots: [], finished: null, failed: null, seconds: [], dispatches: [], pipelines: [], reports: [] };
    const worker = new Worker(program, { type: 'module' });
    const end = () => {
      clearTimeout(timer);
      worker.terminate();
      resolve(result);
    };
    const giveUp = sentence => {
      result.failed ??= { sentence, remedy: '' };
      end();
    };
    const timer = setTimeout(() => giveUp(`nothing more within ${timeout / 1000} s; reports so far: ${result.reports.slice(-20).join(', ')}`), timeout);
    worker.onerror = event => giveUp(`the worker raised an error: ${event.message ?? 'it could not be loaded'}`);
    worker.onmessage = ({ data }) => {
      if (!Array.isArray(data) || !data[0]) return giveUp(`the worker sent something that is no report: ${JSON.stringify(data)}`);
      const [report] = data;
      const [name, body] = typeof report === 'string' ? [report, {}] : Object.entries(report)[0];
      result.reports.push(name);
      if (name === 'Ready') {
        result.ready = true;
        worker.postMessage([{ Start: { config, workers, bytes: 'None' } }]);
      }
      if (name === 'Started') result.started = body;
      if (name === 'Measured') result.measured.push(body);
      if (name === 'Snapshot') result.snapshots.push({ step: body.step, bytes: data[1]?.length ?? 0 });
      if (name === 'Losses') {
        if (body.first !== result.losses.length + 1) return giveUp(`losses from step ${body.first} came after step ${result.losses.length}`);
        result.losses.push(...body.losses);
        result.seconds.push([result.losses.length, body.seconds]);
        // Kept by gpu.mjs where the worker is instrumented.
        result.dispatches.push([result.losses.length, window.gpu?.dispatches ?? 0]);
        result.pipelines.push([result.losses.length, window.gpu?.pipelines ?? 0]);
        if (result.losses.length >= until) end();
      }
      if (name === 'Finished') {
        result.finished = body;
        end();
      }
      if (name === 'Failed') giveUp(`${body.sentence} ${body.remedy}`);
    };
  });
}
