// npm test: sets up what is missing, builds everything, runs every test, and ends with a table.
//
//   npm test                    all groups
//   npm test -- wasm browser    only these: native, wasm, js, browser
//
// A group that fails does not stop the others; the exit status is 1 if anything failed.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countCtest, countNode } from './lib/count.mjs';
import { report } from './lib/report.mjs';
import { root, run, secondsSince } from './lib/run.mjs';
import * as steps from './lib/steps.mjs';

const begin = performance.now();
const rows = [];

/** Runs `work`, which resolves with { counts, status }, and adds what came of it to the table. */
async function target(name, work) {
  const start = performance.now();
  const row = { target: name, passed: 0, failed: 0, skipped: 0, names: [], note: '' };
  try {
    const { counts, status } = await work();
    Object.assign(row, counts);
    if (status !== 0 && row.failed === 0) row.note = `all tests passed, yet the runner's exit status is ${status}`;
    else if (row.passed + row.failed === 0) row.note = 'no test ran';
  } catch (error) {
    row.note = error.message;
  }
  if (row.note) row.failed = Math.max(row.failed, 1);
  rows.push({ ...row, seconds: secondsSince(start) });
}

const testFiles = (folder) => {
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  return names.filter((name) => name.endsWith('.test.mjs')).map((name) => `${folder}/${name}`);
};
const isCTest = (file) => /\/c-(threads|stale|malloc|wasi|hotpath|memory)\.test\.mjs$/.test(file);

/** Runs test files; one that takes longer than `seconds` is ended. */
async function nodeTests(name, files, seconds = 300) {
  if (files.length === 0) throw new Error('there is no test file');
  const args = ['--test', '--test-reporter=spec', `--test-timeout=${seconds * 1000}`, ...files];
  const { output, status } = await run(name, 'node', args, { mayFail: true });
  return { counts: countNode(output), status };
}

const groups = {
  async native() {
    for (const preset of steps.nativePresets) {
      await target(`native ${preset}`, async () => {
        const { output, status } = await steps.nativeTests(preset);
        return { counts: countCtest(output), status };
      });
    }
  },
  async wasm() {
    await target('wasm threads', async () => {
      await steps.wasm('wasm');
      return nodeTests('wasm threads: test', ['wasm-tests/c-threads.test.mjs', 'wasm-tests/c-stale.test.mjs'], 1800);
    });
    await target('wasm malloc', async () => {
      await steps.wasm('wasm');
      return nodeTests('wasm malloc: test', ['wasm-tests/c-malloc.test.mjs'], 600);
    });
    await target('wasi', async () => {
      await steps.wasm('wasi');
      return nodeTests('wasi: test', ['wasm-tests/c-wasi.test.mjs'], 1800);
    });
    await target('wasm allocator', async () => {
      await steps.wasm('wasm');
      await steps.wasm('wasi');
      const files = ['wasm-tests/c-hotpath.test.mjs', 'wasm-tests/c-memory.test.mjs'];
      return nodeTests('wasm allocator: test', files);
    });
  },
  async js() {
    await target('npm package', async () => {
      await steps.web();
      await run('npm package: check', 'npm', ['run', 'check', '-w', 'burrow-runtime'], { env: { NO_COLOR: '1' } });
      return { counts: { passed: 1 }, status: 0 };
    });
    await target('js', async () => {
      await steps.web();
      const files = [...testFiles('wasm-tests'), ...testFiles('scripts/lib')].filter((file) => !isCTest(file));
      return nodeTests('js: test', files);
    });
  },
  async browser() {
    await target('browser', async () => {
      await steps.playground();
      await steps.wasm('wasm', 'burrow-page');
      await steps.browsers();
      return nodeTests('browser: test', testFiles('wasm-tests/browser'));
    });
  },
};

const { positionals } = parseArgs({ allowPositionals: true });
const chosen = positionals.length > 0 ? positionals : Object.keys(groups);
const unknown = chosen.find((name) => !Object.hasOwn(groups, name));
if (unknown) {
  console.error(`npm test: there is no group "${unknown}"; the groups: ${Object.keys(groups).join(', ')}`);
  process.exit(1);
}

// The downloads wait for the network, the native builds for the processor: side by side.
const wants = (...names) => names.some((name) => chosen.includes(name));
const beside = [
  wants('wasm', 'js', 'browser') && steps.emsdk({ prefix: 'emsdk    | ' }),
  wants('js', 'browser') && steps.install({ prefix: 'npm ci   | ' }),
  wants('browser') && steps.browsers({ prefix: 'browsers | ' }),
];

for (const name of chosen) await groups[name]();
await Promise.allSettled(beside);
report(rows, secondsSince(begin));
process.exit(rows.some((row) => row.failed > 0) ? 1 : 0);
