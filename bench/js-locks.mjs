// What JavaScript's locks cost, beside a mutex of nothing but Atomics, in the same process:
//
//   node bench/js-locks.mjs [--rounds 9] [--count 300000]
//
// Each figure is the median over the rounds, in which the two take turns; the ratio is that of each round's pair. The
// package must be built (npm run build).
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { attach, start } from '../web/dist/index.js';

// ---- the peer: 0 unlocked, 1 locked, 2 locked and somebody may sleep ------------------------------

class BareMutex {
  constructor(words) {
    this.words = words;
  }

  lock() {
    if (Atomics.compareExchange(this.words, 0, 0, 1) === 0) return;
    while (Atomics.exchange(this.words, 0, 2) !== 0) Atomics.wait(this.words, 0, 2);
  }

  unlock() {
    if (Atomics.exchange(this.words, 0, 0) === 2) Atomics.notify(this.words, 0, 1);
  }
}

// ---- what is measured, on each thread -----------------------------------------------------------

// A section of `work` steps of arithmetic, and as much outside.
function compute(x, work) {
  for (let i = 0; i < work; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

function loop(lock, unlock, { count, work, shared }) {
  let x = 1;
  for (let i = 0; i < count; i++) {
    lock();
    shared[0] = compute(shared[0], work) | 1;
    shared[1]++;
    unlock();
    x = compute(x, work);
  }
  return x;
}

const kinds = {
  bare: ({ words }, options) => {
    const mu = new BareMutex(words);
    return loop(() => mu.lock(), () => mu.unlock(), options);
  },
  burrow: ({ mu }, options) => loop(() => mu.lockSync(), () => mu.unlock(), options),
};

async function serve() {
  const { token, mu: handle, words, gate, ...options } = workerData;
  const rt = await attach(token);
  const mu = rt.open(handle);
  for (let round = 0; ; ) {
    Atomics.wait(gate, 0, round);
    round = Atomics.load(gate, 0);
    const name = ['bare', 'burrow', undefined][Atomics.load(gate, 1)];
    if (!name) break;
    kinds[name]({ mu, words }, { ...options, work: Atomics.load(gate, 3), count: Atomics.load(gate, 4) });
    Atomics.add(gate, 2, 1);
    Atomics.notify(gate, 2);
  }
  rt.detach();
  parentPort.postMessage('done');
}

// ---- the table ----------------------------------------------------------------------------------

const median = (numbers) => numbers.toSorted?.((a, b) => a - b)[numbers.length >> 1] ?? [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

async function main() {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, count: { type: 'string' } } });
  const rounds = Number(values.rounds ?? 9);
  const count = Number(values.count ?? 300_000);
  const rt = await start({ workers: 1 });
  const mu = rt.mutex();
  const words = new Int32Array(new SharedArrayBuffer(4096));
  const shared = new Int32Array(new SharedArrayBuffer(4096));
  const gate = new Int32Array(new SharedArrayBuffer(4096)); // round, kind, done, work, count
  const threads = [1, 2].map(() => new Worker(new URL(import.meta.url), { workerData: { token: rt.share(), mu: mu.handle(), words, shared, gate } }));

  async function run(kind, work, workers) {
    shared[1] = 0;
    Atomics.store(gate, 1, kind);
    Atomics.store(gate, 2, 0);
    Atomics.store(gate, 3, work);
    Atomics.store(gate, 4, count);
    const begin = performance.now();
    Atomics.add(gate, 0, 1);
    Atomics.notify(gate, 0);
    for (let done; (done = Atomics.load(gate, 2)) < workers; ) await Atomics.waitAsync(gate, 2, done).value;
    const ns = ((performance.now() - begin) * 1e6) / (workers * count);
    if (shared[1] !== workers * count) throw new Error(`${shared[1]} of ${workers * count}`);
    return ns;
  }

  const line = (name, bare, burrow, ratios) =>
    console.log(`${name.padEnd(28)} burrow ${median(burrow).toFixed(1).padStart(8)} ns   bare ${median(bare).toFixed(1).padStart(8)} ns   ratio ${median(ratios).toFixed(2)}`);

  await new Promise((resolve) => setTimeout(resolve, 500)); // until they wait
  for (const work of [0, 10, 100]) {
    const figures = [[], []];
    for (let i = 0; i < rounds + 1; i++) {
      for (const kind of i % 2 ? [0, 1] : [1, 0]) {
        const ns = await run(kind, work, threads.length);
        if (i > 0) figures[kind].push(ns); // the first round is for the compiler
      }
    }
    line(`contended_w${work}`, ...figures, figures[1].map((ns, i) => ns / figures[0][i]));
  }
  Atomics.store(gate, 1, 2);
  Atomics.add(gate, 0, 1);
  Atomics.notify(gate, 0);
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve))));

  // Nobody else there: this thread, without blocking.
  const bare = new BareMutex(words);
  const alone = [[], []];
  for (let i = 0; i < rounds + 1; i++) {
    for (const kind of i % 2 ? [0, 1] : [1, 0]) {
      const begin = performance.now();
      if (kind === 0) for (let k = 0; k < count; k++) bare.lock(), bare.unlock();
      else for (let k = 0; k < count; k++) mu.tryLock(), mu.unlock();
      if (i > 0) alone[kind].push(((performance.now() - begin) * 1e6) / count);
    }
  }
  line('alone_trylock', ...alone, alone[1].map((ns, i) => ns / alone[0][i]));
  mu.drop();
  await rt.stop();
}

if (isMainThread) await main();
else await serve();
