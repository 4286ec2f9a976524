// Locks between JavaScript threads.
import assert from 'node:assert/strict';
import { once as event } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { start } from '../web/dist/index.js';
import { burrowError, runPeer } from './fixtures/peers.mjs';

let rt;
before(async () => (rt = await start({ workers: 1 })));
after(() => rt.stop());

const words = (n = 1) => new Int32Array(new SharedArrayBuffer(4 * n));

/** Until somebody has the lock or waits for it: then it cannot be dropped. */
async function untilItWaits(lock) {
  for (;;) {
    try {
      lock.drop();
      assert.fail('it was dropped');
    } catch (error) {
      if (error.code === 'ESTATE') return;
      throw error;
    }
  }
}

for (const [name, tasks] of Object.entries({
  'two that block': ['count', 'count'],
  'two that await': ['countAsync', 'countAsync'],
  'both kinds': ['count', 'count', 'countAsync', 'countAsync'],
})) {
  for (const timeout of [undefined, 0, 0.02]) {
    test(`a mutex: ${name}${timeout === undefined ? '' : `, giving up after ${timeout} ms`}`, async () => {
      const mu = rt.mutex();
      const word = words();
      const options = { count: 5000, word, timeout };
      const got = await Promise.all(tasks.map((task) => runPeer(rt, task, { mu }, options)));
      assert.equal(word[0], got.reduce((a, b) => a + b));
      assert.equal(mu.tryLock(), true);
      mu.unlock();
      mu.drop();
    });
  }
}

const wordOf = (mu) => Atomics.load(new Int32Array(rt.raw.memory.buffer), mu.ptr >>> 2);
const waitersOf = (mu) => wordOf(mu) >> 3;

async function until(words, index, value) {
  for (let now; (now = Atomics.load(words, index)) !== value; ) {
    const wait = Atomics.waitAsync(words, index, now);
    if (wait.async) await wait.value;
  }
}

function say(words, index, value) {
  Atomics.store(words, index, value);
  Atomics.notify(words, index);
}

for (const asleep of [false, true]) {
  test(`who ${asleep ? 'was asleep' : 'looks on'} and gets the mutex leaves nothing in its word`, async () => {
    const mu = rt.mutex();
    const turns = words(4);
    const count = asleep ? 200 : 1000;
    const thread = runPeer(rt, 'lockInTurn', { mu }, { count, words: turns });
    for (let i = 1; i <= count; i++) {
      await mu.lock();
      say(turns, 0, i);
      if (asleep) while (waitersOf(mu) !== 1);
      mu.unlock();
      await until(turns, 1, i);
      assert.equal(wordOf(mu), 1);
      say(turns, 2, i);
      await until(turns, 3, i);
      assert.equal(wordOf(mu), 0);
    }
    await thread;
    mu.drop();
  });
}

test('a read-write mutex', async () => {
  const rw = rt.rwMutex();
  const both = words(2);
  const tasks = [true, true, false, false].map((sync) => runPeer(rt, 'readWrite', { rw }, { count: 2000, words: both, sync }));
  await Promise.all(tasks);
  assert.deepEqual([...both], [2000, 2000]);
  rw.drop();
});

test('a semaphore', async () => {
  const sem = rt.semaphore(2);
  const word = words();
  const most = await Promise.all([1, 2, 3, 4].map(() => runPeer(rt, 'permits', { sem }, { count: 2000, word })));
  assert.ok(Math.max(...most) <= 2, String(most));
  assert.equal(word[0], 0);
  assert.deepEqual([sem.tryAcquire(), sem.tryAcquire(), sem.tryAcquire()], [true, true, false]);
  sem.drop();
});

test('a wait group; who waits may drop it', async () => {
  for (let round = 0; round < 5; round++) {
    const wg = rt.waitGroup();
    wg.add(2);
    const threads = [runPeer(rt, 'done', { wg }), runPeer(rt, 'done', { wg })];
    await wg.wait();
    wg.drop();
    await Promise.all(threads);
  }
});

test('waitSync sees done()', async () => {
  const wg = rt.waitGroup();
  wg.add();
  const thread = runPeer(rt, 'waitSync', { wg });
  wg.done();
  await thread;
  wg.drop();
});

test('once, on three threads', async () => {
  const once = rt.once();
  const word = words();
  const ran = await Promise.all([1, 2, 3].map(() => runPeer(rt, 'doSync', { once }, { word })));
  assert.deepEqual([...ran.sort()], [false, false, true]);
  assert.equal(word[0], 1);
  assert.equal(once.done, true);
  once.drop();
});

test('a condition: one puts, one takes', async () => {
  const mu = rt.mutex();
  const changed = rt.cond(mu);
  const options = { count: 2000, word: words() };
  const taken = runPeer(rt, 'take', { mu, changed }, options);
  await runPeer(rt, 'put', { mu, changed }, options);
  assert.equal(await taken, 2001000);
  changed.drop();
  mu.drop();
});

test('the sync forms give up', async () => {
  const mu = rt.mutex();
  const cond = rt.cond(mu);
  await assert.rejects(runPeer(rt, 'condWait', { mu, cond }, { timeout: 1 }), burrowError('ETIMEDOUT'));
  await mu.lock();
  for (const timeout of [0, 1]) {
    await assert.rejects(runPeer(rt, 'lockSync', { mu }, { timeout }), burrowError('ETIMEDOUT'));
  }
  await assert.rejects(runPeer(rt, 'lockSync', { mu }, { timeout: 'soon' }), { name: 'TypeError' });
  mu.unlock();
  cond.drop();
  mu.drop();
});

test('what one thread has locked another may unlock', async () => {
  const mu = rt.mutex();
  await runPeer(rt, 'lockSync', { mu });
  assert.equal(mu.tryLock(), false);
  mu.unlock();
  mu.drop();
});

test('stop() reaches threads that wait for locks, asleep or not', async () => {
  const own = await start({ workers: 1 });
  const mu = own.mutex();
  const wg = own.waitGroup();
  wg.add();
  await mu.lock();
  const mine = [mu.lock(), wg.wait()];
  const threads = [
    runPeer(own, 'lockSync', { mu }, { timeout: 1e6 }),
    runPeer(own, 'lockSync', { mu }),
    runPeer(own, 'lock', { mu }),
    runPeer(own, 'waitSync', { wg }),
  ];
  const ends = Promise.allSettled([...mine, ...threads]);
  await runPeer(own, 'facts'); // so late that most of them wait
  await own.stop();
  for (const { reason } of await ends) assert.equal(reason?.code, 'ESTOPPED', String(reason));
});

// ---- threads that leave -------------------------------------------------------------------------

// What is held while the worker begins to wait, how it lets go, and that nothing was kept by who has left.
const leaves = {
  mutex: () => {
    const mu = rt.mutex();
    return { lock: mu, before: () => mu.lock(), release: () => mu.unlock(), after: () => mu.lock().then(() => mu.unlock()) };
  },
  rwmutex: () => {
    const rw = rt.rwMutex();
    return { lock: rw, before: () => rw.lock(), release: () => rw.unlock(), after: () => rw.write(() => {}) };
  },
  semaphore: () => {
    const sem = rt.semaphore(0);
    const after = () => Promise.all([sem.acquire(), sem.acquire(), sem.acquire()]);
    return { lock: sem, before: () => {}, release: () => sem.release(3), after };
  },
  waitgroup: () => {
    const wg = rt.waitGroup();
    return { lock: wg, before: () => wg.add(), release: () => wg.done(), after: () => wg.wait() };
  },
  cond: () => {
    const mu = rt.mutex();
    const cond = rt.cond(mu);
    return { lock: cond, before: () => {}, release: () => cond.broadcast(), after: () => mu.run(() => {}) };
  },
};

for (const [name, make] of Object.entries(leaves)) {
  test(`${name}: a worker detaches while it is let in`, async () => {
    const worker = new Worker(new URL('./fixtures/lock-detacher.mjs', import.meta.url));
    const flags = words(2);
    for (let round = 0; round < 50; round++) {
      const { lock, before: hold, release, after: check } = make();
      await hold();
      flags.fill(0);
      worker.postMessage({ token: rt.share(), handle: lock.handle(), words: flags, count: name === 'cond' ? 20 : 100 });
      const ready = Atomics.waitAsync(flags, 0, 0);
      if (ready.async) await ready.value;
      await untilItWaits(lock);
      const detached = event(worker, 'message');
      Atomics.store(flags, 1, 1);
      release();
      assert.deepEqual(await detached, ['detached']);
      await check();
      lock.drop();
    }
    await worker.terminate();
  });
}

test('a worker that is ended while it waits leaves no one behind, once its record is freed', async () => {
  const mu = rt.mutex();
  await mu.lock();
  const worker = new Worker(new URL('./fixtures/lock-detacher.mjs', import.meta.url));
  const flags = words(2);
  const token = rt.share();
  worker.postMessage({ token, handle: mu.handle(), words: flags, count: 10 });
  const ready = Atomics.waitAsync(flags, 0, 0);
  if (ready.async) await ready.value;
  await worker.terminate();
  rt.raw.exports.bw_js_thread_free(token.thread);
  mu.unlock();
  assert.equal(mu.tryLock(), true);
  mu.unlock();
  mu.drop();
});

// The worker is ended asleep in lockSync; then it is woken, which nobody notices. What is done with its operation is what a
// worker may have done that was ended a moment later.
for (const [how, locks, code] of [['was woken', false], ['has locked', true], ['has locked and said so', true, 1]]) {
  test(`a worker that is ended when it ${how}, once its record is freed`, async () => {
    const mu = rt.mutex();
    await mu.lock();
    const token = rt.share();
    const worker = new Worker(new URL('./fixtures/peer.mjs', import.meta.url), {
      workerData: { task: 'lockSync', token, handles: { mu: mu.handle() }, options: {} },
    });
    const ended = event(worker, 'exit');
    while (waitersOf(mu) !== 1) await new Promise((resolve) => setImmediate(resolve));
    await worker.terminate();
    await ended;
    const next = mu.lock();
    mu.unlock();
    assert.equal(wordOf(mu), (1 << 3) | 2); // one who waits, and one who is awake
    const memory = new Int32Array(rt.raw.memory.buffer);
    const op = memory[(memory[(token.thread + 12) >>> 2] + 4) >>> 2]; // bw_js_thread, bw_js_agent
    assert.equal(memory[(op + 4) >>> 2], -3); // BW_EAGAIN
    if (locks) assert.equal(mu.tryLock(), true);
    if (code) memory[(op + 4) >>> 2] = code;
    rt.raw.exports.bw_js_thread_free(token.thread);
    if (locks && !code) mu.unlock(); // it died with the mutex locked
    await next;
    assert.equal(wordOf(mu), 1);
    mu.unlock();
    mu.drop();
  });
}
