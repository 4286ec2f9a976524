// The tests of lib/c-tests.mjs and lib/wasi-run.mjs: a runner that calls a failing test passed is
// worse than none. The programs are lines of JavaScript and modules of a few bytes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { execute, judge, parseList } from './lib/c-tests.mjs';

const node = (source, options) => execute(process.execPath, ['-e', source], options);
const PLAIN = { name: 'plain', kind: 'test', status: 0, text: '' };
const DEATH = { name: 'death', kind: 'death', status: 2, text: 'all goroutines are asleep' };

test('a list is read line by line', () => {
  assert.deepEqual(parseList('a\ttest\t0\t\nb\tdeath\t7\tpanic: send on closed channel\\n\n'), [
    { name: 'a', kind: 'test', status: 0, text: '' },
    { name: 'b', kind: 'death', status: 7, text: 'panic: send on closed channel\n' },
  ]);
});

test('a list with a line that is not understood is refused', () => {
  for (const bad of ['a\ttest\t0', 'a\tfoo\t0\t', 'a\ttest\tx\t', 'hello', 'a b\ttest\t0\t', '', 'a\ttest\t0\tx\ty']) {
    assert.throws(() => parseList(`ok\ttest\t0\t\n${bad}\n`), /not a line of a test list/, bad);
  }
  assert.throws(() => parseList('a\ttest\t0\t\na\ttest\t0\t\n'), /two tests are called a/);
  assert.throws(() => parseList('\n'), /empty/);
});

test('a plain test passes with status 0 only', async () => {
  assert.equal(judge(PLAIN, await node('')), null);
  assert.match(judge(PLAIN, await node('process.exit(1)')), /exit status 1, wanted 0/);
  assert.match(judge(PLAIN, await node('process.abort()')), /exit status 134, wanted 0/);
  assert.match(judge(PLAIN, await execute('/there/is/no/such/program', [])), /exit status 127/);
});

test('a death test needs its status and its text, on either stream', async () => {
  const die = (stream, text, status) =>
    node(`process.${stream}.write(${JSON.stringify(text)}, () => process.exit(${status}))`);
  assert.equal(judge(DEATH, await die('stdout', 'fatal: all goroutines are asleep!', 2)), null);
  assert.equal(judge(DEATH, await die('stderr', 'fatal: all goroutines are asleep!', 2)), null);
  assert.match(judge(DEATH, await die('stderr', 'all goroutines are asleep', 0)), /exit status 0, wanted 2/);
  assert.match(judge(DEATH, await die('stderr', 'all goroutines are fine', 2)), /lacks: all goroutines are asleep/);
});

test('a test that says it makes no sense in this build passes, if it ends well', async () => {
  const skip = (status) => node(`console.log('SKIPPED: no threads'); process.exitCode = ${status}`);
  assert.equal(judge(PLAIN, await skip(0)), null);
  assert.equal(judge(DEATH, await skip(0)), null);
  assert.match(judge(DEATH, await skip(1)), /exit status 1, wanted 2/);
});

test('a program that hangs is killed', async () => {
  const run = await node('setInterval(() => {}, 1000); console.log("begun")', { seconds: 2 });
  assert.match(judge(PLAIN, run), /hangs: killed after 2 s/);
  assert.match(run.output, /begun/);
});

// ---- WASI: the smallest modules with a memory and one function, _start ------------------------

const dir = mkdtempSync(join(tmpdir(), 'burrow-wasi-'));
after(() => rmSync(dir, { recursive: true }));

const section = (id, ...bytes) => [id, bytes.length, ...bytes];
const name = (text) => [text.length, ...Buffer.from(text)];

/** A module whose _start has the given body; function 0 is proc_exit. */
function wasiProgram(file, ...body) {
  const code = [0, ...body, 0x0b];
  const bytes = [
    ...[0, ...name('asm').slice(1), 1, 0, 0, 0],
    ...section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 0),
    ...section(2, 1, ...name('wasi_snapshot_preview1'), ...name('proc_exit'), 0, 0),
    ...section(3, 1, 1),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...name('memory'), 2, 0, ...name('_start'), 0, 1),
    ...section(10, 1, code.length, ...code),
  ];
  writeFileSync(join(dir, file), new Uint8Array(bytes));
  return join(dir, file);
}

const runner = fileURLToPath(new URL('lib/wasi-run.mjs', import.meta.url));
const wasi = (program) => execute(process.execPath, ['--no-warnings', runner, program], { cwd: dir });

test('a WASI program ends with its own status', async () => {
  assert.equal((await wasi(wasiProgram('returns.wasm'))).status, 0);
  const exits = await wasi(wasiProgram('exits.wasm', 0x41, 7, 0x10, 0));
  assert.equal(exits.status, 7, exits.output);
});

test('a WASI program that traps has a status that is not zero', async () => {
  const run = await wasi(wasiProgram('traps.wasm', 0x00));
  assert.equal(run.status, 134);
  assert.match(run.stderr, /trap: RuntimeError: unreachable/);
});

test('a WASI program that cannot be loaded has a status that is not zero', async () => {
  assert.equal((await wasi(join(dir, 'is-not-there.wasm'))).status, 126);
});
