// Allocators side by side, natively (LD_PRELOAD) and on wasm (each linked in); README.md of bench/
// says what is measured and how to read it.
//
//   node bench/alloc/run.mjs [--native] [--wasm] [--only small,larson] [--rounds N] [--scale F]
//                            [--threads 1,2] [--seed N] [--json FILE]
//                            [--allocator NAME=LIBRARY.so ...]
//                            [--wasm-allocator NAME=FLAGS ...]   (NAME=... plain, NAME+threads=... -pthread)
//                            [--program FILE] [--burrow FILE]
//                            [--burrow-wasm FILE] [--burrow-wasm-threads FILE] [--wasm-flags FLAGS]
//
// With neither --native nor --wasm it runs both. What failed is listed at the end; the exit status is 1
// when it was Burrow that did. Figures never fail.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/lib/run.mjs';
import { isLaidUnder, nativeAllocators } from './allocators.mjs';
import { benchmarkTable, ratioTable, scalingTable, summarize, table } from './summary.mjs';
import { build, wasmAllocators } from './wasm.mjs';

const runLimit = 300; // seconds

function readOptions() {
  const text = (value) => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: {
      native: { type: 'boolean', default: false },
      wasm: { type: 'boolean', default: false },
      rounds: text('3'),
      scale: text('1'),
      threads: text('1,2'),
      seed: text('1'),
      only: { type: 'string' },
      json: { type: 'string' },
      allocator: { type: 'string', multiple: true, default: [] },
      'wasm-allocator': { type: 'string', multiple: true, default: [] },
      'wasm-flags': text(''),
      program: text(`${root}/build/release/bench/alloc/alloc-bench`),
      burrow: text(`${root}/build/release/src/libburrow_malloc.so`),
      'burrow-wasm': text(`${root}/build/wasm/src/libburrow_malloc.a`),
      'burrow-wasm-threads': text(`${root}/build/wasm/src/libburrow_malloc-mt.a`),
    },
  });
  const threads = values.threads.split(',').map(Number);
  const rounds = Number(values.rounds);
  const isCount = (n) => Number.isInteger(n) && n > 0;
  if (!isCount(rounds) || !threads.every(isCount)) throw new Error('--rounds and --threads take numbers from 1 up');
  if (!(Number(values.scale) > 0)) throw new Error('--scale takes a number above 0');
  const neither = !values.native && !values.wasm;
  return { ...values, native: values.native || neither, wasm: values.wasm || neither, rounds, threads };
}

/** 'name=value' -> [name, value]. */
function splitPair(pair) {
  const at = pair.indexOf('=');
  if (at < 1) throw new Error(`${pair}: NAME=VALUE is wanted`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

const words = (text) => text.split(/\s+/).filter(Boolean);

// ---- runs -----------------------------------------------------------------------------------------

/** One process; its result, or an Error. */
function measure({ command, env }, args) {
  const child = spawnSync(command[0], [...command.slice(1), ...args], {
    encoding: 'utf8', env: { ...process.env, ...env }, timeout: runLimit * 1000, killSignal: 'SIGKILL',
  });
  const how = child.error?.code === 'ETIMEDOUT' ? `not done after ${runLimit} s`
    : child.error ? child.error.message
      : child.signal ? `ended by ${child.signal}`
        : child.status !== 0 ? `exit status ${child.status}` : undefined;
  if (how) return new Error(`${how} ${child.stderr ?? ''}`.trim());
  try {
    return JSON.parse(child.stdout);
  } catch {
    return new Error(`this is no result: ${child.stdout}`);
  }
}

/**
 * Runs everything: in each round each benchmark with each number of threads, and for that each
 * allocator in turn, so that those to be compared run in the same minute. Who begins changes.
 * @param subjects  [{ name, command, env, check }]; check(result) gives a complaint or nothing
 * @returns [{ bench, threads, allocator, runs, ...medians }] and the failures, [{ allocator, text }]
 */
function runAll(title, subjects, benches, options) {
  const jobs = benches.flatMap((bench) => options.threads.map((threads) => ({ bench, threads })));
  const runs = new Map();
  const failed = new Map(); // not tried again
  for (let round = 0; round < options.rounds; round++) {
    for (const { bench, threads } of jobs) {
      const start = performance.now();
      for (let i = 0; i < subjects.length; i++) {
        const subject = subjects[(i + round) % subjects.length];
        const key = JSON.stringify([bench, threads, subject.name]);
        if (failed.has(key)) continue;
        const result = measure(subject, [bench, '--threads', threads, '--scale', options.scale, '--seed', options.seed].map(String));
        const complaint = result instanceof Error ? result.message : subject.check?.(result);
        if (complaint) {
          const failure = { allocator: subject.name, text: `${title}: ${subject.name}, ${bench} with ${threads}: ${complaint}` };
          failed.set(key, failure);
          console.error(failure.text);
        } else {
          runs.set(key, [...(runs.get(key) ?? []), result]);
        }
      }
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.error(`${title}: round ${round + 1} of ${options.rounds}, ${bench} with ${threads}: ${seconds} s`);
    }
  }
  const results = [];
  for (const { bench, threads } of jobs) {
    for (const { name } of subjects) {
      const key = JSON.stringify([bench, threads, name]);
      if (failed.has(key)) continue;
      results.push({ bench, threads, allocator: name, ...summarize(runs.get(key)), runs: runs.get(key) });
    }
  }
  return { results, failures: [...failed.values()] };
}

// ---- native ---------------------------------------------------------------------------------------

function listBenchmarks(command, only) {
  const { stdout, status } = spawnSync(command[0], [...command.slice(1), '--list'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} --list: exit status ${status}`);
  const all = stdout.trim().split('\n');
  const wanted = only ? only.split(',') : all;
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length) throw new Error(`no such benchmark: ${unknown.join(', ')} (there are ${all.join(', ')})`);
  return wanted;
}

function native(options) {
  const program = resolve(options.program);
  if (!existsSync(program)) {
    throw new Error(`${program} is not there: cmake --preset release && cmake --build --preset release --target alloc-bench`);
  }
  const more = Object.fromEntries(options.allocator.map(splitPair).map(([name, path]) => [name, resolve(path)]));
  const allocators = nativeAllocators(resolve(options.burrow), more);
  const subjects = allocators.map((allocator) => ({
    name: allocator.name,
    command: [program],
    env: { LD_PRELOAD: allocator.path ?? '' },
    check: (result) => (isLaidUnder(allocator, result.malloc) ? undefined : `malloc came from ${result.malloc}`),
  }));
  const done = runAll('native', subjects, listBenchmarks([program], options.only), options);
  showBenchmarks('Native', done.results);
  showRatios(done.results, [
    ['CPU time per operation', (r) => r.cpu_ns_per_op],
    ['best wall time per operation', (r) => r.best_ns_per_op],
    ['peak resident set', (r) => r.mem_kib],
  ]);
  showScaling(done.results);
  return { allocators, ...done };
}

// ---- wasm -----------------------------------------------------------------------------------------

function wasm(options) {
  const more = options['wasm-allocator'].map(splitPair).map(([key, flags]) => ({
    name: key.replace(/\+threads$/, ''),
    threaded: key.endsWith('+threads'),
    flags: words(flags),
  }));
  const archives = { plain: resolve(options['burrow-wasm']), threaded: resolve(options['burrow-wasm-threads']) };
  const settings = { threadsMost: Math.max(...options.threads), flags: words(options['wasm-flags']) };
  const done = {};
  const sizes = [];
  const failures = [];
  const builds = wasmAllocators(archives, more).map((allocator) => {
    console.error(`wasm: building ${allocator.name}${allocator.threaded ? ' with threads' : ''}`);
    try {
      return { ...allocator, ...build(allocator, settings) };
    } catch (error) {
      failures.push({ allocator: allocator.name, text: `wasm: ${allocator.name}: ${error.message}` });
      console.error(error.message);
      return undefined;
    }
  }).filter(Boolean);

  for (const threaded of [false, true]) {
    const these = builds.filter((b) => b.threaded === threaded);
    if (these.length === 0) continue;
    const kind = threaded ? 'wasm -pthread' : 'wasm';
    const subjects = these.map(({ name, program }) => ({ name, command: [process.execPath, program] }));
    const benches = listBenchmarks(subjects[0].command, options.only);
    const { results, failures: failed } = runAll(kind, subjects, benches, { ...options, threads: threaded ? options.threads : [1] });
    failures.push(...failed);
    showBenchmarks(threaded ? 'wasm, built with -pthread' : 'wasm, no threads', results);
    showRatios(results, [
      ['time per operation', (r) => 1 / r.mops],
      ['linear memory', (r) => r.mem_kib],
    ]);
    showScaling(results);
    const smallest = Math.min(...these.map((b) => b.size));
    sizes.push(...these.map((b) => ({ allocator: b.name, threaded, bytes: b.size, over_smallest: b.size - smallest })));
    done[threaded ? 'threaded' : 'plain'] = results;
  }
  if (sizes.length) {
    console.log('\n### Code size: the .wasm of a program that only allocates, bytes\n');
    console.log(table(['', 'bytes', 'over the smallest'],
      sizes.map((s) => [`${s.allocator}${s.threaded ? ', -pthread' : ''}`, s.bytes, `+${s.over_smallest}`])));
  }
  return { ...done, sizes, failures };
}

// ---- what is shown --------------------------------------------------------------------------------

function showBenchmarks(title, results) {
  console.log(`\n## ${title}`);
  for (const key of new Set(results.map((r) => `${r.bench}, ${r.threads} thread${r.threads > 1 ? 's' : ''}`))) {
    const [bench, threads] = key.split(', ');
    const of = results.filter((r) => r.bench === bench && r.threads === parseInt(threads, 10));
    console.log(`\n### ${key}\n\n${benchmarkTable(of)}`);
  }
}

function showRatios(results, figures) {
  for (const [title, get] of figures) {
    console.log(`\n### All: ${title}, geometric means (below 1: the row's is less)\n\n${ratioTable(results, get)}`);
  }
}

function showScaling(results) {
  const shown = scalingTable(results, 'larson');
  if (shown) console.log(`\n### larson: more threads\n\n${shown}`);
}

try {
  const options = readOptions();
  const report = {
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0].model, cores: cpus().length, kernel: release(), node: process.version },
    options: { rounds: options.rounds, scale: Number(options.scale), threads: options.threads, seed: Number(options.seed) },
  };
  console.log(`${report.machine.cores} cores of ${report.machine.cpu}; Node ${report.machine.node}; median of ${options.rounds}, scale ${options.scale}`);
  if (options.native) report.native = native(options);
  if (options.wasm) report.wasm = wasm(options);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  const failures = [report.native, report.wasm].flatMap((part) => part?.failures ?? []);
  if (failures.length) console.log(`\n${failures.length} failed:\n${failures.map((f) => `- ${f.text}`).join('\n')}`);
  if (failures.some((f) => f.allocator === 'burrow')) throw new Error('Burrow failed');
} catch (error) {
  console.error(`bench/alloc: ${error.message}`);
  process.exitCode = 1;
}
