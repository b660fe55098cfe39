// Runs every command that README.md and docs/*.md name, in a form that takes seconds, and fails where one of them does not run,
// where a page names a command that is not in the table below, and where the table holds one that no page names.
//   node tests/commands.mjs [WORD] [--card | --no-card]    all, or those that contain WORD; those that use a graphics adapter, or the others
// $LOOKAHEAD_CLI is the command line. Needs dist/ (./serve --build-only).
// What is written goes into a copy of docs/. A command that cannot run here says NOT RUN, and why.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const SECONDS = 240;

/** Stands for LINK. */
const LINK = 'quick&steps=2&every=2&evaln=8';
/** What ./serve does once dist/ is built; the page is fetched once. */
function serving(port) {
  const fetched = `fetch('http://localhost:${port}/').then(answer => answer.text()).then(page => process.exit(page.includes('Lookahead') ? 0 : 1))`;
  return `node '${ROOT}/tests/browser/server.mjs' dist ${port} & trap "kill $!" EXIT; for try in 1 2 3 4 5 6 7 8 9; do sleep 0.3; node -e "${fetched}" && exit 0; done; exit 1`;
}
const cli = words => ({ run: `lookahead ${words}`, program: 'lookahead' });
/** A benchmark: the options that the pages name, then these; it must write into this page of docs/. */
const bench = (options, writes = 'bench.md') => ({ options, writes });
/** The same, on a graphics adapter: two software adapters at once have lost a device, so ./test runs these behind the tests that use one. */
const onCard = options => ({ ...bench(options), card: true });
const itself = 'NOT RUN: this is a part of it';

/** The commands by their names (see `nameOf`), in an order in which each finds what it reads. */
const TABLE = {
  './serve --build-only': existsSync(path.join(ROOT, 'dist/index.html')) ? { not: 'NOT RUN: dist/ is there, built by the same function' } : { run: 'false' },
  './serve': { run: serving(48080) },
  './serve --port 9000': { run: serving(49000) },
  './test': { not: itself },
  'CHROMIUM=/path/to/browser ./test': { not: itself },
  'for f in dist/*.wasm dist/*/*.wasm; do gzip -9c $f | wc -c; done': { run: 'for f in dist/*.wasm dist/*/*.wasm; do gzip -9c $f | wc -c; done' },

  'lookahead train LINK --out run.json --save model/': cli(`train '${LINK}' --out run.json --save model/`),
  'lookahead train runs.links --out results.jsonl': { program: 'lookahead', run: `printf '%s\\n' '${LINK} # one' '${LINK}&seed=2' >runs.links; lookahead train runs.links --out results.jsonl` },
  'lookahead train LINK --from model/': cli(`train '${LINK}' --from model/`),
  "lookahead train 'quick&k=2&from=(quick)'": cli(`train '${LINK}&k=2&from=(${LINK})'`),
  "lookahead sweep 'quick&seed=1..30&k=1,2'": cli(`sweep '${LINK}&seed=1..3&k=1,2'`),
  "lookahead sweep 'quick&seed=1..30&k=1,2' > runs.links": { program: 'lookahead', run: `lookahead sweep '${LINK}&seed=1..2' > runs.links` },
  'lookahead merge results-*.jsonl --list runs.links --out results.jsonl': {
    program: 'lookahead', run: 'for i in 1 2; do lookahead train runs.links --part $i/2 --out results-$i.jsonl; done; lookahead merge results-*.jsonl --list runs.links --out results.jsonl',
  },
  'lookahead sample LINK --count 10 --split test': cli(`sample '${LINK}' --count 10 --split test`),
  'lookahead ceiling LINK': cli(`ceiling '${LINK}' --samples 50`),
  'lookahead bench LINK --steps 20': cli(`bench '${LINK}' --steps 2`),
  "lookahead bench 'LINK&engine=webgpu'": {
    card: true, program: 'lookahead', run: `lookahead bench '${LINK}&batch=1&layers=1&W=4&T=2&engine=webgpu' --steps 1`, unless: /The graphics card could not be opened/,
  },
  'lookahead verify LINK --steps 20': cli(`verify '${LINK}' --steps 2 --on flex`),
  "lookahead train 'deltanet&steps=20'": cli("train 'deltanet&steps=2&every=2&evaln=8&batch=2&engine=burn-flex'"),
  'lookahead train deltanet --out run.json': cli("train 'deltanet&steps=1&every=2&evaln=8&batch=2&engine=burn-flex' --out run.json"),
  'cargo test --release deltanet': { not: `${itself} before: cargo test` },
  'lookahead eval model/ LINK': cli(`eval model/ '${LINK}'`),
  'lookahead fields': cli('fields'),
  'lookahead train k1 --save k1': cli(`train 'k1&steps=2&every=2&evaln=8&from=(${LINK})' --save k1`),
  'lookahead train small-k1 --save small-k1': cli(`train 'small-k1&steps=2&every=2&evaln=8&from=(${LINK})' --save small-k1`),
  "lookahead eval small-k1 'grpo&k=1'": cli(`eval small-k1 '${LINK}&k=1'`),
  'lookahead eval small-k1 grpo': cli(`eval small-k1 '${LINK}&k=2'`),
  "lookahead train 'grpo&W=8&T=6&new=17&every=10&evaln=128&from=k1'": cli("train 'grpo&W=8&T=6&new=17&every=10&evaln=8&from=k1&steps=1&batch=2'"),
  'lookahead train small-cot --save small-cot': cli(`train 'small-cot&steps=2&every=2&evaln=8&batch=2' --save small-cot`),
  'lookahead eval k1 …': cli(`eval k1 '${LINK}&k=2'`),
  'lookahead train grpo --out grpo.json': cli("train 'grpo&steps=1&evaln=8&batch=2' --out grpo.json"),
  "lookahead train 'LINK' --out NAME.json": cli(`train '${LINK}' --out NAME.json`),
  'lookahead train mamba --out mamba.json': cli("train 'mamba&steps=2&every=2&evaln=8' --out mamba.json"),
  'lookahead train small-grpo-4': cli(`train 'small-grpo-4&steps=1&evaln=8&batch=2&from=k1'`),
  // The list's results are all there, so nothing is trained; a link that were read otherwise today would be trained anew.
  'lookahead train docs/small-paper.links --out docs/small-paper.jsonl --thin --workers 1': cli('train docs/small-paper.links --out docs/small-paper.jsonl --thin --workers 1'),
  "lookahead ceiling 'quick&W=10&T=4&layout=cot&k=4' --samples 20000 > docs/small-paper.floors.jsonl": cli("ceiling 'quick&W=10&T=4&layout=cot&k=4' --samples 50 > docs/small-paper.floors.jsonl"),
  "lookahead ceiling 'paper&layout=cot&k=4' --samples 20000 > docs/paper-scale.floors.jsonl": cli("ceiling 'paper&layout=cot&k=4' --samples 50 > docs/paper-scale.floors.jsonl"),
  'python3 docs/small-paper.py': { run: 'python3 docs/small-paper.py', program: 'python3', writes: 'small-paper.md' },
  'python3 docs/quick-preset.py docs/quick-preset.svg': {
    run: "python3 docs/quick-preset.py docs/quick-preset.svg 'one=NAME.json' 'another=run.json' --until 1000 --line 'cycle floor=0.875'", program: 'python3', writes: 'quick-preset.svg',
  },

  'npx lighthouse@12 http://localhost:8080 --form-factor=mobile --throttling-method=devtools': { not: 'NOT RUN: npx would fetch Lighthouse, 190 MB' },

  'node tests/bench/messages.mjs': bench('--rounds 2 --count 2'),
  'node tests/bench/startup.mjs': bench('--rounds 1'),
  'node tests/bench/slow.mjs': bench('--rounds 1 --share 1'),
  'node tests/bench/burn.mjs': onCard('--rounds 1 --steps 1'),
  'node tests/bench/peers.mjs': bench('--rounds 1 --steps 1'),
  'node tests/bench/webgpu.mjs': onCard('--rounds 1 --steps 1 --long 20'),
  'node tests/bench/models.mjs': onCard('--rounds 1 --steps 1 --batch 2 --few 1'),
  'node tests/bench/quick.mjs --preset quick': bench('', 'quick-preset.md'),
  'node tests/bench/quick.mjs --preset mamba': bench('', 'quick-presets.md'),
  'node tests/bench/quick.mjs --preset armt': bench('', 'quick-presets.md'),
  'node tests/bench/quick.mjs --preset lstm': bench('', 'quick-presets.md'),
};

/** What a command on a page begins with. */
const COMMAND = /^(?:[A-Z_]+=\S+ )*(?:\.\/\w+|(?:node|npm|npx|cargo|lookahead|python3?|bash|sh|git|for) \S)/;

/** The commands of a page: in code blocks, where a \ at a line's end joins the next, and in running text. */
function commandsOf(page) {
  const whole = readFileSync(path.join(ROOT, page), 'utf8').replace(/\\\n\s*/g, '');
  const fenced = [...whole.matchAll(/^```.*\n([^]*?)^```/gm)].flatMap(([, block]) => block.split('\n'));
  const indented = [...whole.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line);
  const inline = [...whole.matchAll(/`([^`\n]+)`/g)].map(([, words]) => words);
  return [...fenced, ...indented, ...inline].map(line => line.replace(/\s+#\s.*$/, '').replace(/\s+/g, ' ').trim()).filter(line => COMMAND.test(line));
}

/** A command's name in the table, and the options that it leaves out. */
function nameOf(command) {
  const words = command.replace(/^cargo run --release -- /, 'lookahead ');
  const [, name, options] = /^(node tests\/bench\/quick\.mjs --preset \w+|node \S+|python3 docs\/quick-preset\.py \S+)(.*)$/.exec(words) ?? [undefined, words, ''];
  return { name, options };
}

/** { name: the options that pages name with it }. */
function named() {
  const found = new Map();
  for (const page of ['README.md', ...readdirSync(path.join(ROOT, 'docs')).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]) {
    for (const command of commandsOf(page)) {
      const { name, options } = nameOf(command);
      if (!(name in TABLE)) faults.push(`${page} names “${command}”, which tests/commands.mjs does not know: give it a small form there`);
      found.set(name, `${found.get(name) ?? ''}${options}`);
    }
  }
  for (const name of Object.keys(TABLE)) if (!found.has(name)) faults.push(`no page names “${name}”: take it out of tests/commands.mjs`);
  return found;
}

const faults = [];
const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-commands-'));
const docs = path.join(folder, 'docs');
cpSync(path.join(ROOT, 'docs'), docs, { recursive: true });
mkdirSync(path.join(folder, 'bin'));
if (process.env.LOOKAHEAD_CLI) symlinkSync(path.resolve(process.env.LOOKAHEAD_CLI), path.join(folder, 'bin/lookahead'));
symlinkSync(path.join(ROOT, 'dist'), path.join(folder, 'dist'));
const env = { ...process.env, PATH: `${folder}/bin:${process.env.PATH}`, LOOKAHEAD_SMALL: '1', LOOKAHEAD_DOCS: docs };
const shell = (words, cwd) => spawnSync('bash', ['-euo', 'pipefail', '-c', words], { cwd, env, encoding: 'utf8', timeout: 1000 * SECONDS });
const has = program => shell(`command -v ${program}`, ROOT).status === 0;

/** Runs one command. Returns what went wrong as `fault`, or what could not be run here, and why, as `left`. */
function trial({ run, not, options, program, writes, unless }, name, said) {
  if (not) return { left: not };
  if (program && !has(program)) return { left: `NOT RUN: there is no ${program} here${program === 'lookahead' ? ', LOOKAHEAD_CLI names none' : ''}` };
  const words = run ?? `${name}${said} ${options}`;
  const file = writes && path.join(docs, writes);
  const before = file && statSync(file).mtimeMs;
  const { status, stdout, stderr } = shell(words, options === undefined ? folder : ROOT);
  const told = `${stdout}\n${stderr}`;
  if (unless?.test(told)) return { left: `NOT RUN: ${told.split('\n').find(line => unless.test(line))}` };
  if (status !== 0) return { fault: `${words}\nended with ${status ?? `nothing within ${SECONDS} s`}:\n${told.trim().split('\n').slice(-15).join('\n')}` };
  if (file && statSync(file).mtimeMs === before) return { fault: `${words}\nwrote nothing into docs/${writes}` };
  return { left: told.split('\n').find(line => line.includes('NOT RUN')) };
}

const pages = named();
const { values: asked, positionals: [only = ''] } = parseArgs({ options: { card: { type: 'boolean' }, 'no-card': { type: 'boolean' } }, allowPositionals: true });
for (const [name, entry] of Object.entries(TABLE)) {
  if (!name.includes(only) || !pages.has(name) || (entry.card ? asked['no-card'] : asked.card)) continue;
  const start = performance.now();
  const { fault, left } = trial(entry, name, pages.get(name));
  console.error(`→ ${((performance.now() - start) / 1000).toFixed(1)} s: ${name}${left ? `: ${left.trim()}` : ''}${fault ? ': FAILED' : ''}`);
  if (fault) faults.push(fault);
}
rmSync(folder, { recursive: true, force: true });
if (faults.length > 0) {
  console.error(`\n${faults.join('\n\n')}`);
  process.exit(1);
}
