// How long the messages between page and worker take, as structured values and as the JSON text that they once were: writing in the
// sender's program, carrying (structuredClone, the copy that postMessage makes), reading in the receiver's. Both forms take turns in one page.
//   node tests/bench/messages.mjs [--rounds 40] [--count 50]
// Writes its table into docs/bench.md. Builds examples/messages.rs as the page and as the worker are built (./serve --build-only first).
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, launch, open } from '../browser/harness.mjs';
import { serve } from '../browser/server.mjs';
import { CACHE, ISOLATED, SMALL, median, publish, words } from './shared.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '40' }, count: { type: 'string', default: '50' } } });
const [rounds, count] = [Number(values.rounds), Number(values.count)];

/** The program, built with the page's profile and as the worker is. The page's own features would need its split. */
const BUILD = `
  . .ci/setup.sh && need wasm
  for kind in ${SMALL ? "'worker release page'" : "'browser page page'"} 'worker release worker'; do
    set -- $kind
    env \${WASM_ENV[@]+"\${WASM_ENV[@]}"} CARGO_TARGET_DIR="$WASM_TARGET" cargo build --quiet --target wasm32-unknown-unknown --no-default-features --features "$1" --profile "$2" --example messages \${CI:+--locked}
    wasm-bindgen --target web --out-dir "$CACHE/messages/$3" "$WASM_TARGET/wasm32-unknown-unknown/$2/examples/messages.wasm"
  done`;
/** The messages of examples/messages.rs, and what they are. */
const MESSAGES = [
  ['Start', 'Start: the preset Quick', true],
  ['Losses', 'Losses: 5 steps', false],
  ['Measured', 'Measured: 4 depths, 512 predictions of 8 cells', false],
  ['Attributed', 'Attributed: 3 layers, 8 cells, 4 heads, 55 to 62 positions', false],
];

/** Runs inside the browser: microseconds a message, in each form and round. */
async function measure(names, rounds, count) {
  const programs = {};
  for (const kind of ['page', 'worker']) {
    await (await import(`./${kind}/messages.js`)).default();
    programs[kind] = window.messages;
  }
  const each = (act, samples) => {
    const start = performance.now();
    const made = act();
    samples.push((1000 * (performance.now() - start)) / count);
    return made;
  };
  return names.map(([name, , command]) => {
    const [sender, receiver] = command ? [programs.page, programs.worker] : [programs.worker, programs.page];
    const forms = [true, false].map(text => ({ text, write: [], carry: [], read: [] }));
    // The first round warms the compilers up.
    for (let round = 0; round <= rounds; round += 1) {
      if (round === 1) for (const form of forms) Object.assign(form, { write: [], carry: [], read: [] });
      for (const form of round % 2 ? forms : [...forms].reverse()) {
        const message = each(() => sender.write(name, form.text, count), form.write);
        const copy = each(() => Array.from({ length: count }, () => structuredClone(message)).at(-1), form.carry);
        each(() => receiver.read(new MessageEvent('message', { data: copy }), command, form.text, count), form.read);
        form.bytes = form.text ? message[0].length : undefined;
      }
    }
    return forms;
  });
}

execFileSync('bash', ['-euc', BUILD], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
const server = await serve([{ at: '/', folder: path.join(CACHE, 'messages'), headers: ISOLATED, blank: 'blank.html' }]);
const browser = await launch();
const version = await browser.version();
const page = await open(browser, `${server.origin}/blank.html`);
const measured = await page.evaluate(measure, MESSAGES, rounds, count);
await browser.end();
await server.close();

const rows = measured.map(([text, structured], index) => {
  const parts = form => [form.write, form.carry, form.read].map(median);
  const [before, after] = [parts(text), parts(structured)];
  const sum = numbers => numbers.reduce((total, number) => total + number, 0);
  const told = numbers => [...numbers, sum(numbers)].map(number => number.toFixed(number < 100 ? 1 : 0)).join(' | ');
  return `| ${MESSAGES[index][1]} | ${text.bytes.toLocaleString('en-GB')} | ${told(before)} | ${told(after)} | ${(sum(after) / sum(before)).toFixed(2)} |`;
});
publish('messages', `How long a message takes, in microseconds: written by the sender's program (commands by the page's, reports by the worker's), carried
(\`structuredClone\`, the copy that \`postMessage\` makes) and read by the receiver's, as JSON text and as the structured value that the site posts. By \`node tests/bench/messages.mjs${words()}\`,
${version}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}; medians of ${rounds} rounds in turn of ${count} messages.
A ratio above 1 means that the structured value takes longer.

| message | bytes of text | text: written | carried | read | in all | structured: written | carried | read | in all | times the text's |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`);
