// The CPU engine in a real browser: the worker's handshake, and equal bits whatever the number of workers.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { open, says, standIn, state, suite, text, tiny } from './harness.mjs';
import { FUSED, SEPARATE, configOf, run } from './worker.mjs';

const { site, browser, visit } = await suite();

let config;
before(async () => { config = await configOf(browser, site.site(), tiny()); });

/** A measurement without the clock. */
const numbers = measured => measured.map(({ seconds, ...rest }) => rest);

test('the worker says that it is ready, then runs, measures and ends', async () => {
  const result = await run(browser, site.blank(), config);
  assert.equal(result.failed, null, result.failed?.sentence);
  assert.equal(result.reports[0], 'Ready');
  assert.equal(result.started.engine.class, 'Fused');
  assert.equal(result.started.engine.workers, 1);
  assert.ok(result.started.parameters > 1000);
  assert.equal(result.losses.length, 20);
  assert.ok(result.losses.every(loss => Number.isFinite(loss) && loss > 0));
  assert.deepEqual(result.finished.why, 'Reached');
  assert.equal(result.finished.step, 20);
  const last = result.measured.at(-1);
  assert.equal(last.step, 20);
  assert.deepEqual(last.depths.map(({ depth, samples }) => [depth, samples]), [[1, 16], [2, 16], [3, 16], [4, 16]]);
  assert.ok(last.predictions.every(({ cells }) => cells.length === 5));
  assert.ok(result.snapshots.length > 0 && result.snapshots.every(({ bytes }) => bytes > 0), 'a run keeps something to go on from');
  const clock = result.seconds.map(([, seconds]) => seconds);
  assert.deepEqual(clock, [...clock].sort((a, b) => a - b), 'time does not run backwards');
  assert.deepEqual(result.complaints, []);
});

for (const program of [FUSED, SEPARATE]) test(`one worker and three of ${program} give the same bits, and so does the same link again`, async () => {
  const one = await run(browser, site.blank(), config, { workers: 1, program });
  const three = await run(browser, site.blank(), config, { workers: 3, program });
  const again = await run(browser, site.blank(), config, { workers: 1, program });
  for (const result of [one, three, again]) assert.equal(result.failed, null, result.failed?.sentence);
  assert.equal(three.started.engine.workers, 3, 'three workers really share the batch');
  assert.equal(one.bits.length, 20);
  assert.deepEqual(three.bits, one.bits);
  assert.deepEqual(numbers(three.measured), numbers(one.measured));
  assert.deepEqual(again.bits, one.bits);
  assert.deepEqual(numbers(again.measured), numbers(one.measured));
});

test('another seed gives other losses', async () => {
  const other = await run(browser, site.blank(), { ...config, seed: 8 }, { until: 3 });
  const first = await run(browser, site.blank(), config, { until: 3 });
  assert.equal(other.failed, null, other.failed?.sentence);
  assert.notDeepEqual(other.bits.slice(0, 3), first.bits.slice(0, 3));
});

test('a configuration that cannot run ends in a sentence, not in silence', async () => {
  const result = await run(browser, site.blank(), { ...config, model: { ...config.model, heads: 3 } }, { timeout: 60_000 });
  assert.match(result.failed?.sentence ?? '', /heads/);
});

/** Runs inside the browser: posts messages to a fresh worker, and returns the first report of one of these names with the bytes beside it. */
function ask(program, messages, hash, names) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { type: 'module' });
    worker.onerror = event => reject(new Error(event.message));
    worker.onmessage = ({ data: [report, bytes] }) => {
      if (report === 'Ready') {
        for (const [command, ...rest] of messages) {
          if (hash) command.Start.config.start = { File: hash.toString(16).padStart(16, '0') };
          worker.postMessage([command, ...rest.map(bytes => new Uint8Array(bytes))]);
        }
      }
      const name = names.find(name => report[name]);
      if (!name) return;
      worker.terminate();
      resolve({ name, body: report[name], bytes: bytes && [...bytes] });
    };
  });
}

test('the hash of a file survives to its last bit, which no number of JavaScript could hold', async () => {
  const page = await open(browser, site.blank());
  const begin = (config, bytes) => ({ Start: { config, workers: 1, bytes } });
  const short = { ...config, training: { ...config.training, steps: 1, eval_samples: 4 } };
  const saved = await page.evaluate(ask, FUSED, [[begin(short, 'None')], [{ Save: { which: 'Latest' } }]], null, ['Weights', 'Failed']);
  assert.equal(saved.name, 'Weights', saved.body.sentence);
  const hash = saved.bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n), 0xcbf2_9ce4_8422_2325n);
  const from = hash => page.evaluate(ask, FUSED, [[begin(short, 'Weights'), saved.bytes]], hash, ['Started', 'Failed']);
  const right = await from(hash);
  assert.equal(right.name, 'Started', right.body.sentence);
  const wrong = await from(hash ^ 1n);
  assert.match(wrong.body.sentence ?? '', /not the one/);
  await page.close();
});

test('a message of another build is told in a sentence, by the worker and by the page', async () => {
  const blank = await open(browser, site.blank());
  for (const strange of ['{"Pause":null}', 'Dance', { Reach: { steps: 'many' } }, null]) {
    const { body } = await blank.evaluate(ask, FUSED, [[strange]], null, ['Failed']);
    assert.match(body.sentence, /message.* \(.+\).*reload/, JSON.stringify(strange));
  }
  await blank.close();
  const page = await visit('', { prepare: page => standIn(page, { Ready: { to: 'dance' } }) });
  await state(page, 'failed');
  assert.match(await text(page, '#failure'), /message.* \(.+\).*reload/);
  await page.close();
});

test('a loss that is not a number is told as one, by helpers too', async () => {
  const training = { ...config.training, learning_rate: 1e30, warmup: 0, clip_norm: 0 };
  for (const workers of [1, 3]) {
    const { failed } = await run(browser, site.blank(), { ...config, training }, { workers });
    assert.match(failed?.sentence ?? '', /(not a number|NaN).*learning rate/);
  }
});

test('a worker whose program is missing is told on the page', async () => {
  const withhold = async page => {
    // What the service worker has stored would not be asked for.
    await page.setBypassServiceWorker(true);
    await page.setRequestInterception(true);
    page.on('request', request => (/\/worker(-fused)?_loader\.js$/.test(request.url()) ? request.respond({ status: 404 }) : request.continue()));
  };
  const page = await visit('', { prepare: withhold });
  await state(page, 'failed');
  await says(page, '#failure', /.{20}/);
  await page.close();
});
