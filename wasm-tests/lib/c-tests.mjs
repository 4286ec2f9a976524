// The C tests as tests of Node's test runner: one program holds them all, `--list` names them, and
// each runs in a process of its own. What natively ctest and `burrow-tests --run` do is done here
// for a program that cannot fork: start it, kill it when it hangs, judge its status and its output.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { describe, test } from 'node:test';
import { constants } from 'node:os';
import assert from 'node:assert/strict';

const KILL_AFTER_S = 120; // the program's own watchdog (TEST_SECONDS) is to bark first
const OUTPUT_LIMIT = 4 << 20;
const JOBS = 2;

/**
 * Reads the lines of `--list`: name, kind (test | death), expected status, expected text, in which line
 * ends and tabs are written as \n and \t.
 * Anything else in there is an error: a test must not get lost because its line was not understood.
 */
export function parseList(text) {
  if (text.trim() === '') throw new Error('the list of tests is empty');
  const tests = text.replace(/\n$/, '').split('\n').map((line) => {
    const [, name, kind, status, wanted] = line.match(/^(\w+)\t(test|death)\t(\d+)\t([^\t]*)$/) ?? [];
    if (!name) throw new Error(`not a line of a test list: ${JSON.stringify(line)}`);
    return { name, kind, status: Number(status), text: wanted.replaceAll('\\n', '\n').replaceAll('\\t', '\t') };
  });
  const twice = tests.find((t, i) => tests.findIndex((u) => u.name === t.name) !== i);
  if (twice) throw new Error(`two tests are called ${twice.name}`);
  return tests;
}

/**
 * Runs a program to its end, or kills it. Never throws: a program that cannot be started has the
 * status 127, one that died of a signal 128 + its number, as in a shell.
 */
export function execute(command, args, { cwd, env, seconds = KILL_AFTER_S } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const run = { stdout: '', stderr: '', output: '', status: 127, seconds, timedOut: false };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (chunk) => {
        if (run.output.length > OUTPUT_LIMIT) return; // a test that prints without end
        run[name] += chunk;
        run.output += chunk;
      });
    }
    const timer = setTimeout(() => {
      run.timedOut = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    const finish = (status) => {
      clearTimeout(timer);
      resolve({ ...run, status });
    };
    child.on('error', (error) => {
      run.output += error.message;
      finish(127);
    });
    child.on('close', (code, signal) => finish(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** What is wrong with the run of a test, in words; null when it passed. */
export function judge(test, run) {
  if (!run.timedOut && run.status === 0 && run.stdout.includes('SKIPPED: ')) return null;
  const want = test.kind === 'death' ? test.status : 0;
  if (run.timedOut) return `hangs: killed after ${run.seconds} s`;
  if (run.status !== want) return `exit status ${run.status}, wanted ${want}`;
  // Each stream by itself as well: the two may have been read in turns.
  const said = [run.stdout, run.stderr, run.output].some((text) => text.includes(test.text));
  if (test.kind === 'death' && !said) return `the output lacks: ${test.text}`;
  return null;
}

/**
 * Declares a test for each line of the program's list.
 * @param target   what the program was built for, as the report names it
 * @param program  the file that `command` runs: `command ...args program NAME`
 * @param hint     how to build it
 */
export async function declareTests({ target, program, command = process.execPath, args = [], env = {}, hint }) {
  const options = { cwd: dirname(program), env: { ...process.env, ...env } };
  const start = (name, seconds) => execute(command, [...args, program, name], { ...options, seconds });
  const shown = relative(process.cwd(), program);

  let tests;
  try {
    if (!existsSync(program)) throw new Error(`${shown} is not there; build it: ${hint}`);
    const list = await start('--list', 60);
    if (list.status !== 0) throw new Error(`${shown} --list: status ${list.status}\n${list.output}`);
    tests = parseList(list.stdout);
  } catch (error) {
    test(`C tests, ${target}: the list`, () => {
      throw error;
    });
    return;
  }

  describe(`C tests, ${target} (${tests.length})`, { concurrency: JOBS }, () => {
    for (const t of tests) {
      test(t.name, async () => {
        const run = await start(t.name);
        const wrong = judge(t, run);
        if (wrong) assert.fail(`${target}: ${t.name}: ${wrong}\n${excerpt(run.output)}`);
      });
    }
  });
}

function excerpt(output, limit = 16_000) {
  if (output.length <= limit) return output;
  const half = limit / 2;
  return `${output.slice(0, half)}\n... ${output.length - limit} characters left out ...\n${output.slice(-half)}`;
}
