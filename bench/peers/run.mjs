// The benchmarks of scheduler, channels and locks beside Go (natively and as wasm), libdill, neco, nsync and the C library's
// threads, in one run; README.md of bench/ says how to get the peers and how to read the table.
//
//   npm run bench:sched -- [--native] [--wasm] [--only GROUP,...] [--rounds N] [--best] [--procs 1,2]
//                          [--go COMMAND] [--go-source FOLDER] [--libdill PROGRAM]
//                          [--neco PROGRAM] [--nsync PROGRAM] [--divide N] [--limit SECONDS] [--no-build] [--json FILE]
//
// The peers are also taken from the environment: GO, GO_SOURCE, LIBDILL, NECO, NSYNC. The exit status is 1 when
// one of Burrow's benchmarks failed. Figures never fail.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root, run } from '../../scripts/lib/run.mjs';
import * as steps from '../../scripts/lib/steps.mjs';
import { compare, comparisonTable, parseResults } from './compare.mjs';

// What runs in one process: Burrow's benchmarks, and by its first argument the peer's. `together`: all
// numbers of Ps in one process, since the result is a ratio between them. `pthread`: burrow-bench has the same for the C
// library's locks, named `pthread_...`. `once`: for one number of Ps, which says nothing there. `goOn`: Go's goroutines are not preempted on wasm, and its program would not end.
const groups = [
  { name: 'gosched', burrow: ['gosched', 'gosched1k'], go: 'gosched', libdill: 'gosched', neco: 'gosched' },
  { name: 'spawn', burrow: ['spawn_join_b10k', 'spawn_join_1'], go: 'spawn', libdill: 'spawn', neco: 'spawn' },
  { name: 'parked', burrow: ['park1M'], go: 'parked', on: 'native' },
  { name: 'parked100k', burrow: ['park100000'], go: 'parked100k' },
  { name: 'skynet', burrow: ['skynet1M'], go: 'skynet' },
  {
    name: 'timers', go: 'timers',
    burrow: ['timer_100k', 'timer_late', 'timer_fire100k_same_instant', 'sleep10ms_x10k_total', 'sleep1ms_overshoot'],
  },
  {
    name: 'ctx', go: 'ctx',
    burrow: ['ctx_10k', 'ctx_chain10k', 'ctx_withcancel_cancel', 'ctx_child_withcancel_cancel',
      'ctx_withtimeout_cancel', 'ctx_value_depth10'],
  },
  { name: 'cpu', burrow: ['cpu_pool'], together: true },
  { name: 'pingpong', burrow: ['chan_pingpong'], go: 'pingpong', libdill: 'pingpong', neco: 'pingpong' },
  { name: 'stream', burrow: ['chan_unbuf_stream', 'chan_spsc_c128'], go: 'stream', libdill: 'stream', neco: 'stream' },
  { name: 'mpmc', burrow: ['chan_mpmc4x4_c128'], go: 'mpmc', neco: 'mpmc' },
  { name: 'select', burrow: ['select4_b0', 'select4_b128'], go: 'select', libdill: 'select', neco: 'select' },
  { name: 'selectdef', burrow: ['select_default1', 'select_default2', 'chan_buf1_sendrecv_same_g'], go: 'selectdef', neco: 'selectdef' },
  { name: 'sieve', burrow: ['sieve2000'], go: 'sieve' },
  { name: 'threads', burrow: ['thread_pingpong'] },
  {
    name: 'mutex', go: 'mutex', neco: 'mutex', nsync: 'mutex', pthread: true,
    burrow: ['mutex_g1', 'mutex_g2', 'mutex_g16', 'mutex_work50_g1', 'mutex_work50_g2', 'mutex_work50_g16'],
  },
  {
    name: 'fair', go: 'fair', goOn: 'native', nsync: 'fair', pthread: true,
    burrow: ['mutex_fair20us_g2', 'mutex_fair20us_g16', 'mutex_hog'],
  },
  {
    name: 'rwmutex', go: 'rwmutex', neco: 'rwmutex', nsync: 'rwmutex', pthread: true,
    burrow: ['rwmutex_r_uncont', 'rwmutex_w_uncont', 'rwmutex_r_g4', 'rwmutex_w10pct_g4'],
  },
  { name: 'cond', burrow: ['cond_pingpong', 'cond_barrier100'], go: 'cond', neco: 'cond', nsync: 'cond', pthread: true },
  { name: 'waitgroup', burrow: ['waitgroup_add_done_wait', 'once_done'], go: 'waitgroup', neco: 'waitgroup', nsync: 'waitgroup' },
  {
    name: 'threadmutex', once: true, nsync: 'mutex', pthread: true,
    burrow: ['thread_mutex_g1', 'thread_mutex_g2', 'thread_mutex_g16', 'thread_mutex_work50_g2'],
  },
  { name: 'threadfair', once: true, nsync: 'fair', pthread: true, burrow: ['thread_mutex_fair20us_g16', 'thread_mutex_hog'] },
  { name: 'threadratio', once: true, burrow: ['thread_mutex'] },
];

// The peers that are programs and know nothing of Ps, natively only: their arguments behind the group's name.
const divided = ({ divide }) => [String(divide)];
const programPeers = { libdill: () => [], neco: divided, nsync: divided };

function readOptions() {
  const text = (value) => ({ type: 'string', default: value });
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    options: {
      native: flag, wasm: flag, 'no-build': flag, best: flag,
      only: text(groups.map((g) => g.name).join(',')),
      rounds: text('3'), procs: text('1,2'), divide: text('1'), limit: text('300'),
      go: text(process.env.GO ?? 'go'),
      'go-source': text(process.env.GO_SOURCE), libdill: text(process.env.LIBDILL),
      neco: text(process.env.NECO), nsync: text(process.env.NSYNC), json: text(undefined),
    },
  });
  const [rounds, limit, divide] = [values.rounds, values.limit, values.divide].map(Number);
  const procs = values.procs.split(',').map(Number);
  const isCount = (n) => Number.isInteger(n) && n > 0;
  if (![rounds, limit, divide, ...procs].every(isCount)) {
    throw new Error('--rounds, --procs, --divide and --limit take numbers from 1 up');
  }
  const only = values.only.split(',');
  const unknown = only.filter((name) => !groups.some((g) => g.name === name));
  if (unknown.length) throw new Error(`no such group: ${unknown.join(', ')} (there are ${groups.map((g) => g.name).join(', ')})`);
  const neither = !values.native && !values.wasm;
  return {
    ...values, rounds, limit, divide, procs, native: values.native || neither, wasm: values.wasm || neither,
    groups: groups.filter((g) => only.includes(g.name)),
  };
}

// ---- the programs -----------------------------------------------------------------------------------

/** Builds Go's program natively and for wasm; { native, wasm } are commands, absent when it cannot. */
function buildGo({ go, 'go-source': source }) {
  if (!source) return {};
  const folder = join(root, 'build/bench-peers');
  mkdirSync(folder, { recursive: true });
  const call = (env, ...args) => {
    const child = spawnSync(go, args, { cwd: resolve(source), encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local', ...env } });
    if (child.error || child.status !== 0) throw new Error(`${go} ${args.join(' ')}: ${child.error?.message ?? child.stderr}`);
    return child.stdout.trim();
  };
  try {
    const native = join(folder, 'go-native');
    const wasm = join(folder, 'go.wasm');
    console.error(`building Go's programs: ${call({}, 'version')}`);
    call({}, 'build', '-o', native, '.');
    call({ GOOS: 'js', GOARCH: 'wasm' }, 'build', '-o', wasm, '.');
    const support = join(call({}, 'env', 'GOROOT'), 'lib/wasm/wasm_exec.js');
    return {
      version: call({}, 'env', 'GOVERSION'), native: [native],
      wasm: [process.execPath, '--stack-size=8192', join(resolve(source), 'wasm_run.js'), support, wasm],
    };
  } catch (error) {
    console.error(`no column for Go: ${error.message}`);
    return {};
  }
}

/** Builds Burrow's program; { native, wasm } are commands. */
async function buildBurrow(options) {
  if (options.native && !options['no-build']) {
    await run('native release: configure', 'cmake', ['--preset', 'release']);
    await run('native release: build', 'cmake', ['--build', '--preset', 'release', '--target', 'burrow-bench']);
  }
  if (options.wasm && !options['no-build']) await steps.wasm('wasm', 'burrow-bench');
  return {
    native: [join(root, 'build/release/bench/burrow-bench')],
    wasm: [process.execPath, join(root, 'build/wasm/bench/burrow-bench.cjs')],
  };
}

/** The peers' programs that the options name: { libdill: PATH, ... }. */
function findPrograms(options) {
  const given = Object.keys(programPeers).filter((peer) => options[peer]);
  const found = Object.fromEntries(given.map((peer) => [peer, resolve(options[peer])]));
  for (const path of Object.values(found)) if (!existsSync(path)) throw new Error(`${path} is not there`);
  return found;
}

function listBenchmarks([command, ...args]) {
  const { stdout, status, error } = spawnSync(command, [...args, '--list'], { encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${command} --list: ${error?.message ?? `exit status ${status}`}`);
  return stdout.trim().split('\n');
}

// ---- runs -------------------------------------------------------------------------------------------

/** One process to its end: { results, skipped }, or { failed }. */
function measure([command, ...args], limit) {
  const child = spawnSync(command, args, { encoding: 'utf8', timeout: limit * 1000, killSignal: 'SIGKILL' });
  const failed = child.error?.code === 'ETIMEDOUT' ? `not done after ${limit} s`
    : child.error ? child.error.message
      : child.signal ? `ended by ${child.signal}`
        : child.status !== 0 ? `exit status ${child.status} ${child.stderr}`.trim() : undefined;
  if (failed) return { failed };
  return { results: parseResults(child.stdout), skipped: child.stderr.match(/^\S+ +skipped: .*$/gm) ?? [] };
}

/** The processes of a group on a target: [{ subject, label, command }]. */
function jobsOf(group, target, programs, options) {
  const jobs = [];
  const names = group.burrow.filter((name) => programs.names.includes(name));
  const divide = ['--divide', String(options.divide)];
  const each = group.together ? [options.procs.join(',')] : options.procs.slice(0, group.once ? 1 : undefined).map(String);
  for (const procs of each) {
    const beside = [];
    if (names.length > 0) beside.push({ subject: 'burrow', command: [...programs.burrow, ...names, '--procs', procs, ...divide] });
    if (group.go && programs.go && (group.goOn ?? target) === target && (target === 'native' || procs === each[0])) {
      beside.push({ subject: 'go', command: [...programs.go, group.go, ...(target === 'native' ? [procs] : [])] });
    }
    for (const [peer, rest] of Object.entries(programPeers)) {
      if (group[peer] && programs[peer] && procs === (peer === 'nsync' ? each[0] : '1')) {
        beside.push({ subject: peer, command: [programs[peer], group[peer], ...rest(options)] });
      }
    }
    const ofThreads = group.burrow.map((name) => `pthread_${name.replace(/^thread_/, '')}`).filter((name) => programs.names.includes(name));
    if (group.pthread && procs === each[0] && ofThreads.length > 0) {
      beside.push({ subject: 'pthread', command: [...programs.burrow, ...ofThreads, '--procs', procs, ...divide] });
    }
    jobs.push({ label: `${target} ${group.name}/p${procs}`, beside });
  }
  return jobs;
}

/**
 * Runs everything on a target. In each round those to be compared run one after the other, in the same
 * minute; who begins changes from round to round. What failed is not tried again.
 */
function runTarget(target, programs, options) {
  const jobs = options.groups.filter((g) => (g.on ?? target) === target).flatMap((g) => jobsOf(g, target, programs, options));
  const samples = [];
  const failures = new Map();
  const skipped = new Set();
  for (let round = 0; round < options.rounds; round++) {
    for (const { label, beside } of jobs) {
      const start = performance.now();
      for (let i = 0; i < beside.length; i++) {
        const { subject, command } = beside[(i + round) % beside.length];
        const key = `${subject}, ${label}`;
        if (failures.has(key)) continue;
        const { results = [], skipped: left = [], failed } = measure(command, options.limit);
        if (failed) failures.set(key, { subject, text: `${key}: ${failed}` });
        samples.push(...results.map((r) => ({ subject, ...r, name: subject === 'pthread' ? r.name.replace(/^pthread_/, '') : r.name })));
        left.forEach((line) => skipped.add(`${target} ${line}`));
      }
      console.error(`round ${round + 1} of ${options.rounds}, ${label}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  }
  // Burrow's results come first, so that the rows stand in the order of its benchmarks.
  samples.sort((a, b) => (b.subject === 'burrow') - (a.subject === 'burrow'));
  return { rows: compare(target, samples, options.best), failures: [...failures.values()], skipped: [...skipped] };
}

try {
  const options = readOptions();
  const burrow = await buildBurrow(options);
  const go = buildGo(options);
  const others = findPrograms(options);
  const report = {
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0].model, cores: cpus().length, kernel: release(), node: process.version, go: go.version },
    options: { rounds: options.rounds, divide: options.divide, procs: options.procs },
  };
  const { machine } = report;
  console.log(`\n${machine.cores} cores of ${machine.cpu}; Linux ${machine.kernel}, Node ${machine.node}, ${go.version ?? 'no Go'}, `
    + `${Object.keys(programPeers).map((peer) => (others[peer] ? peer : `no ${peer}`)).join(', ')}; `
    + `${options.best ? 'best' : 'median'} (spread) of ${options.rounds}, divided by ${options.divide}`);
  for (const target of ['native', 'wasm'].filter((t) => options[t])) {
    const programs = {
      burrow: burrow[target], names: listBenchmarks(burrow[target]), go: go[target], ...(target === 'native' ? others : {}),
    };
    report[target] = runTarget(target, programs, options);
    console.log(`\n## ${target === 'native' ? 'Native' : 'wasm threads (Go: one thread)'}\n\n${comparisonTable(report[target].rows)}`);
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);

  const parts = [report.native, report.wasm].filter(Boolean);
  const skipped = parts.flatMap((p) => p.skipped);
  const failures = parts.flatMap((p) => p.failures);
  const missed = parts.flatMap((p) => p.rows).filter((r) => r.holds === false).length;
  const judged = parts.flatMap((p) => p.rows).filter((r) => r.holds !== undefined).length;
  console.log(`\n${judged - missed} of ${judged} goals hold.`);
  if (skipped.length) console.log(`\nSkipped:\n${skipped.map((line) => `- ${line}`).join('\n')}`);
  if (failures.length) console.log(`\nFailed:\n${failures.map((f) => `- ${f.text}`).join('\n')}`);
  if (failures.some((f) => f.subject === 'burrow')) throw new Error('Burrow failed');
} catch (error) {
  console.error(`bench:sched: ${error.message}`);
  process.exitCode = 1;
}
