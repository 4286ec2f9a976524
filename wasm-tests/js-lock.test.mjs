// Locks as one thread sees them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Cond, Mutex, Once, RWMutex, Semaphore, WaitGroup, start } from '../web/dist/index.js';
import { burrowError } from './fixtures/peers.mjs';

let rt;
before(async () => (rt = await start({ workers: 1 })));
after(() => rt.stop());

/** Which of the promises have settled after everything that was ready has run. */
async function settled(promises) {
  const done = promises.map(() => false);
  promises.forEach((promise, i) => promise.then(() => (done[i] = true), () => (done[i] = true)));
  for (let i = 0; i < 3; i++) await turn();
  return done;
}

const isSettled = async (promise) => (await settled([promise]))[0];

// What waits, each with a lock that it waits for: { wait, free, back }. `free` lets one of the waits have what it waits
// for, which `back` gives back.
const waits = {
  'mutex.lock': () => {
    const mu = rt.mutex();
    assert.equal(mu.tryLock(), true);
    return { lock: mu, wait: (options) => mu.lock(options), free: () => mu.unlock(), back: () => mu.unlock() };
  },
  'rwMutex.lock': () => {
    const rw = rt.rwMutex();
    assert.equal(rw.tryRlock(), true);
    return { lock: rw, wait: (options) => rw.lock(options), free: () => rw.runlock(), back: () => rw.unlock() };
  },
  'rwMutex.rlock': () => {
    const rw = rt.rwMutex();
    assert.equal(rw.tryLock(), true);
    return { lock: rw, wait: (options) => rw.rlock(options), free: () => rw.unlock(), back: () => rw.runlock() };
  },
  'semaphore.acquire': () => {
    const sem = rt.semaphore(0);
    return { lock: sem, wait: (options) => sem.acquire(options), free: () => sem.release(), back: () => {} };
  },
  'waitGroup.wait': () => {
    const wg = rt.waitGroup();
    wg.add();
    return { lock: wg, wait: (options) => wg.wait(options), free: () => wg.done(), back: () => {} };
  },
  'once.do': () => {
    const once = rt.once();
    let free;
    const freed = new Promise((resolve) => (free = resolve));
    const first = once.do(() => freed);
    return { lock: once, wait: (options) => once.do(assert.fail, options), free, back: () => first };
  },
};

for (const [name, make] of Object.entries(waits)) {
  test(`${name} waits, and is not given up when its time is not over`, async () => {
    const { lock, wait, free, back } = make();
    const { signal } = new AbortController();
    const waiting = wait({ timeout: 3600e3, signal });
    assert.equal(await isSettled(waiting), false);
    free();
    await waiting;
    await back();
    lock.drop();
  });

  test(`${name}: a timeout, a signal`, async () => {
    const { lock, wait, free, back } = make();
    await assert.rejects(wait({ timeout: 0 }), burrowError('ETIMEDOUT'));
    await assert.rejects(wait({ timeout: 5 }), burrowError('ETIMEDOUT'));
    const control = new AbortController();
    const waiting = wait({ signal: control.signal });
    assert.equal(await isSettled(waiting), false);
    const reason = new Error('enough');
    control.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await assert.rejects(wait({ signal: control.signal }), (error) => error === reason); // at once
    await assert.rejects(wait({ signal: AbortSignal.timeout(1) }), { name: 'TimeoutError' });
    const last = wait();
    free();
    await last;
    await back();
    lock.drop();
  });

  test(`${name}: what was given up leaves nothing behind`, async () => {
    const { lock, wait, free, back } = make();
    const rounds = async (count) => {
      const control = new AbortController();
      setMaxListeners(count, control.signal);
      const all = Array.from({ length: count }, () => wait({ signal: control.signal }));
      assert.throws(() => lock.drop(), burrowError('ESTATE'));
      control.abort();
      for (const { reason } of await Promise.allSettled(all)) assert.equal(reason.name, 'AbortError');
      return rt.allocStats().liveBytes;
    };
    assert.equal(await rounds(1000), await rounds(1000));
    const last = wait();
    free();
    await last;
    await back();
    lock.drop();
  });

  // The end of a once's first call comes some turns after `free`.
  test(`${name}: an abort that comes too late does nothing`, { skip: name === 'once.do' }, async () => {
    const { lock, wait, free, back } = make();
    const control = new AbortController();
    const waiting = wait({ signal: control.signal });
    free();
    control.abort();
    await waiting;
    await back();
    lock.drop();
  });

  test(`${name}: what is no option`, async () => {
    const { wait } = make();
    for (const options of [null, 5, 'x', { timeout: '5' }, { timeout: null }, { signal: null }, { signal: {} }]) {
      await assert.rejects(wait(options), TypeError);
    }
    for (const timeout of [-1, NaN]) await assert.rejects(wait({ timeout }), RangeError);
  });
}

// ---- mutexes ------------------------------------------------------------------------------------

test('a mutex is one promise’s at a time, in the order of their calls', async () => {
  const mu = rt.mutex();
  assert.ok(mu instanceof Mutex);
  let inside = 0;
  const order = [];
  const use = async (i) => {
    await mu.lock();
    assert.equal(++inside, 1);
    order.push(i);
    await turn();
    inside--;
    mu.unlock();
  };
  await Promise.all(Array.from({ length: 50 }, (_, i) => use(i)));
  assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => i));
  mu.drop();
});

test('tryLock', () => {
  const mu = rt.mutex();
  assert.equal(mu.tryLock(), true);
  assert.equal(mu.tryLock(), false);
  mu.unlock();
  assert.equal(mu.tryLock(), true);
  mu.unlock();
  mu.drop();
});

test('unlocking what is not locked is an error, and nothing more', async () => {
  const mu = rt.mutex();
  const wrong = burrowError('ESTATE', 'sync: unlock of unlocked mutex');
  assert.throws(() => mu.unlock(), wrong);
  await mu.lock();
  const waiting = mu.lock();
  mu.unlock();
  await waiting;
  mu.unlock();
  assert.throws(() => mu.unlock(), wrong);
  assert.equal(mu.tryLock(), true);
  mu.unlock();
  mu.drop();
});

test('run() unlocks on every way out', async () => {
  const mu = rt.mutex();
  assert.equal(await mu.run(() => 1), 1);
  assert.equal(await mu.run(async () => 2), 2);
  const error = new Error('mine');
  const thrown = (e) => e === error;
  await assert.rejects(mu.run(() => { throw error; }), thrown);
  await assert.rejects(mu.run(() => Promise.reject(error)), thrown);
  await mu.lock();
  await assert.rejects(mu.run(assert.fail, { timeout: 0 }), burrowError('ETIMEDOUT'));
  mu.unlock();
  mu.drop();
});

test('what is locked or waited for is not dropped', async () => {
  const mu = rt.mutex();
  const inUse = burrowError('ESTATE', 'drop of a mutex that is in use');
  await mu.lock();
  assert.throws(() => mu.drop(), inUse);
  const waiting = mu.lock();
  assert.throws(() => mu.drop(), inUse);
  mu.unlock();
  await waiting;
  mu.unlock();
  mu.drop();
  assert.throws(() => mu.drop(), burrowError('EHANDLE'));
});

test('a dropped lock is unknown, also when its memory is another lock', async () => {
  const makes = [
    [() => rt.mutex(), [(l) => l.tryLock(), (l) => l.unlock()], (l) => l.lock()],
    [() => rt.rwMutex(), [(l) => l.tryLock(), (l) => l.tryRlock(), (l) => l.unlock(), (l) => l.runlock()], (l) => l.lock()],
    [() => rt.semaphore(1), [(l) => l.tryAcquire(), (l) => l.release()], (l) => l.acquire()],
    [() => rt.waitGroup(), [(l) => l.add(), (l) => l.done()], (l) => l.wait()],
    [() => rt.once(), [(l) => l.done], (l) => l.do(assert.fail)],
    [() => rt.cond(rt.mutex()), [(l) => l.signal(), (l) => l.broadcast()], (l) => l.wait()],
  ];
  for (const [make, uses, wait] of makes) {
    const old = make();
    const handle = old.handle();
    old.drop();
    const unknown = async () => {
      for (const use of uses) assert.throws(() => use(old), burrowError('EHANDLE'), String(use));
      await assert.rejects(wait(old), burrowError('EHANDLE'));
      assert.throws(() => rt.open(handle), burrowError('EHANDLE'));
    };
    await unknown();
    const next = make();
    assert.equal(next.ptr, old.ptr); // the same memory
    assert.notEqual(next.handle().id, handle.id);
    await unknown();
    next.drop();
  }
});

test('a stale unlock does not unlock the lock that is there now', async () => {
  const old = rt.mutex();
  old.drop();
  const mu = rt.mutex();
  assert.equal(mu.ptr, old.ptr);
  await mu.lock();
  assert.throws(() => old.unlock(), burrowError('EHANDLE'));
  assert.equal(mu.tryLock(), false);
  mu.unlock();
  mu.drop();
});

test('locks take no memory that is not used again', () => {
  const round = () => {
    const all = [rt.mutex(), rt.rwMutex(), rt.semaphore(0), rt.waitGroup(), rt.once()];
    all.push(rt.cond(all[0]));
    for (const lock of all) lock.drop();
    return rt.allocStats().liveBytes;
  };
  const first = round();
  for (let i = 0; i < 100; i++) assert.equal(round(), first);
});

// ---- handles ------------------------------------------------------------------------------------

test('open() gives the same lock, of the class that it is of', async () => {
  const mu = rt.mutex();
  const all = [mu, rt.rwMutex(), rt.semaphore(0), rt.waitGroup(), rt.once(), rt.cond(mu)];
  const classes = [Mutex, RWMutex, Semaphore, WaitGroup, Once, Cond];
  all.forEach((lock, i) => {
    const handle = lock.handle();
    assert.deepEqual(structuredClone(handle), handle);
    const other = rt.open(handle);
    assert.equal(other.constructor, classes[i]);
    assert.equal(other.ptr, lock.ptr);
    assert.throws(() => rt.open({ ...handle, runtime: 'another' }), burrowError('EHANDLE'));
    for (const id of [0, -1, 2 ** 31 - 1]) assert.throws(() => rt.open({ ...handle, id }), burrowError('EHANDLE'));
    for (const id of ['1', 1.5, undefined]) assert.throws(() => rt.open({ ...handle, id }), TypeError);
    for (const kind of ['mutexes', 'toString', '__proto__']) assert.throws(() => rt.open({ ...handle, kind }), TypeError);
    const { kind } = all[(i + 1) % all.length].handle();
    assert.throws(() => rt.open({ ...handle, kind }), burrowError('EHANDLE'));
  });
  await rt.open(mu.handle()).lock();
  assert.equal(mu.tryLock(), false);
  rt.open(all[5].handle()).mutex.unlock();
  for (const lock of all.reverse()) lock.drop();
});

test('what is no mutex for a condition', async () => {
  for (const wrong of [undefined, null, {}, rt.rwMutex()]) assert.throws(() => rt.cond(wrong), TypeError);
  const mu = rt.mutex();
  mu.drop();
  assert.throws(() => rt.cond(mu), burrowError('EHANDLE'));
});

// ---- the others ---------------------------------------------------------------------------------

test('many read, one writes; a writer who waits keeps new readers out', async () => {
  const rw = rt.rwMutex();
  await rw.rlock();
  await rw.rlock();
  const writer = rw.lock();
  const reader = rw.rlock();
  assert.equal(rw.tryRlock(), false);
  rw.runlock();
  assert.deepEqual(await settled([writer, reader]), [false, false]);
  rw.runlock();
  await writer;
  assert.equal(await isSettled(reader), false);
  assert.equal(rw.tryLock(), false);
  rw.unlock();
  await reader;
  assert.equal(rw.tryLock(), false);
  rw.runlock();
  assert.equal(await rw.read(() => 1), 1);
  assert.equal(await rw.write(async () => 2), 2);
  rw.drop();
});

test('a writer who gives up lets in the readers that it kept out', async () => {
  const rw = rt.rwMutex();
  await rw.rlock();
  const control = new AbortController();
  const writer = rw.lock({ signal: control.signal });
  const reader = rw.rlock();
  assert.equal(await isSettled(reader), false);
  control.abort();
  await assert.rejects(writer, { name: 'AbortError' });
  await reader;
  rw.runlock();
  rw.runlock();
  rw.drop();
});

test('misuse of a read-write mutex', async () => {
  const rw = rt.rwMutex();
  const unread = burrowError('ESTATE', 'sync: RUnlock of unlocked RWMutex');
  const unwritten = burrowError('ESTATE', 'sync: Unlock of unlocked RWMutex');
  assert.throws(() => rw.runlock(), unread);
  assert.throws(() => rw.unlock(), unwritten);
  await rw.rlock();
  assert.throws(() => rw.unlock(), unwritten);
  assert.throws(() => rw.drop(), burrowError('ESTATE'));
  rw.runlock();
  await rw.lock();
  assert.throws(() => rw.runlock(), unread);
  rw.unlock();
  rw.drop();
});

test('a semaphore: first come, first served', async () => {
  const sem = rt.semaphore(2);
  await sem.acquire();
  assert.deepEqual([sem.tryAcquire(), sem.tryAcquire()], [true, false]);
  const waiting = [sem.acquire(), sem.acquire(), sem.acquire()];
  assert.deepEqual(await settled(waiting), [false, false, false]);
  sem.release();
  assert.deepEqual(await settled(waiting), [true, false, false]);
  sem.release(3);
  await Promise.all(waiting);
  assert.deepEqual([sem.tryAcquire(), sem.tryAcquire()], [true, false]);
  await assert.rejects(sem.run(assert.fail, { timeout: 0 }), burrowError('ETIMEDOUT'));
  sem.release();
  assert.equal(await sem.run(() => sem.tryAcquire()), false);
  assert.equal(sem.tryAcquire(), true);
  sem.drop();
});

test('how many permits there can be', () => {
  for (const permits of [-1, 1.5, 2 ** 31]) assert.throws(() => rt.semaphore(permits), RangeError);
  assert.throws(() => rt.semaphore('1'), TypeError);
  const sem = rt.semaphore(2 ** 31 - 1);
  assert.throws(() => sem.release(), RangeError);
  for (const permits of [-1, 0.5]) assert.throws(() => sem.release(permits), RangeError);
  sem.release(0);
  assert.equal(sem.tryAcquire(), true);
  sem.release();
  sem.drop();
});

test('a wait group', async () => {
  const wg = rt.waitGroup();
  await wg.wait();
  wg.add(2);
  const waiting = [wg.wait(), wg.wait()];
  wg.done();
  assert.deepEqual(await settled(waiting), [false, false]);
  wg.done();
  wg.add(); // the next round
  await Promise.all(waiting);
  wg.done();
  const results = [wg.go(() => 1), wg.go(async () => (await turn(), 2)), wg.go(() => Promise.reject(new Error('three')))];
  const failed = assert.rejects(results[2], /three/);
  await wg.wait();
  assert.deepEqual(await Promise.all(results.slice(0, 2)), [1, 2]);
  await failed;
  wg.drop();
});

test('misuse of a wait group', () => {
  const wg = rt.waitGroup();
  const negative = { name: 'RangeError', message: 'sync: negative WaitGroup counter' };
  assert.throws(() => wg.done(), negative);
  wg.add(3);
  assert.throws(() => wg.add(-4), negative);
  wg.add(2 ** 31 - 4);
  assert.throws(() => wg.add(), RangeError);
  for (const n of [0.5, 2 ** 31, NaN]) assert.throws(() => wg.add(n), RangeError);
  assert.throws(() => wg.add('1'), TypeError);
  wg.add(-(2 ** 31 - 1));
  wg.drop();
});

test('once: the first call’s function, and all wait for it', async () => {
  const once = rt.once();
  let calls = 0;
  let finish;
  const slow = () => new Promise((resolve) => (calls++, (finish = resolve)));
  const all = [once.do(slow), once.do(slow), once.do(slow)];
  assert.deepEqual(await settled(all), [false, false, false]);
  assert.equal(once.done, false);
  finish();
  assert.deepEqual(await Promise.all(all), [true, false, false]);
  assert.equal(once.done, true);
  assert.equal(await once.do(assert.fail), false);
  assert.equal(calls, 1);
  once.drop();
});

test('once: a call that fails is over as well', async () => {
  const once = rt.once();
  const error = new Error('no');
  const first = once.do(() => Promise.reject(error));
  const second = once.do(assert.fail);
  await assert.rejects(first, (e) => e === error);
  assert.equal(await second, false);
  assert.equal(once.done, true);
  once.drop();
});

test('a condition: woken in order, and with the mutex', async () => {
  const mu = rt.mutex();
  const cond = rt.cond(mu);
  assert.equal(cond.mutex, mu);
  await assert.rejects(cond.wait(), burrowError('ESTATE', /mutex is not locked/));
  const order = [];
  const use = async (i) => {
    await mu.lock();
    await cond.wait();
    assert.equal(mu.tryLock(), false);
    order.push(i);
    mu.unlock();
  };
  const all = [0, 1, 2, 3].map(use);
  await turn();
  cond.signal();
  await all[0];
  assert.deepEqual(await settled(all), [true, false, false, false]);
  assert.throws(() => cond.drop(), burrowError('ESTATE'));
  assert.throws(() => mu.drop(), burrowError('ESTATE'));
  cond.broadcast();
  await Promise.all(all);
  assert.deepEqual(order, [0, 1, 2, 3]);
  cond.signal();
  cond.drop();
  mu.drop();
});

test('a condition’s wait that is given up comes back with the mutex', async () => {
  const mu = rt.mutex();
  const cond = rt.cond(mu);
  await mu.lock();
  await assert.rejects(cond.wait({ timeout: 1 }), burrowError('ETIMEDOUT'));
  assert.equal(mu.tryLock(), false);
  await assert.rejects(cond.wait({ timeout: 0 }), burrowError('ETIMEDOUT'));
  const control = new AbortController();
  const waiting = cond.wait({ signal: control.signal });
  await mu.lock();
  const reason = new Error('enough');
  control.abort(reason);
  assert.equal(await isSettled(waiting), false); // for the mutex
  mu.unlock();
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(mu.tryLock(), false);
  mu.unlock();
  cond.drop();
  mu.drop();
});

test('the sync forms are refused on the main thread', () => {
  const mu = rt.mutex();
  const cond = rt.cond(mu);
  const uses = [
    () => mu.lockSync(), () => mu.runSync(assert.fail), () => rt.rwMutex().lockSync(), () => rt.rwMutex().rlockSync(),
    () => rt.semaphore(1).acquireSync(), () => rt.waitGroup().waitSync(), () => rt.once().doSync(assert.fail),
    () => cond.waitSync(),
  ];
  for (const use of uses) assert.throws(use, burrowError('ENOTSUP'), String(use));
  assert.equal(mu.tryLock(), true);
  mu.unlock();
});

// ---- the end ------------------------------------------------------------------------------------

test('stop() ends all waits', async () => {
  const own = await start({ workers: 1 });
  const mu = own.mutex();
  await mu.lock();
  const cond = own.cond(mu);
  const held = cond.wait();
  await mu.lock();
  const running = assert.rejects(own.waitGroup().go(() => Promise.reject(new Error('mine'))), /mine/);
  const all = [mu.lock({ timeout: 1e6 }), held, own.semaphore(0).acquire({ signal: new AbortController().signal })];
  const ends = Promise.allSettled(all);
  await own.stop();
  for (const { reason } of await ends) assert.equal(reason.code, 'ESTOPPED');
  await running;
  assert.throws(() => mu.unlock(), burrowError('ESTOPPED'));
  await assert.rejects(mu.lock(), burrowError('ESTOPPED'));
});

test('a program ends that has given up waiting, and forgets to stop', async () => {
  const program = `
    import { start } from ${JSON.stringify(new URL('../web/dist/index.js', import.meta.url))};
    const rt = await start({ workers: 1 });
    const mu = rt.mutex();
    await mu.lock();
    await mu.lock({ timeout: 20 }).catch((error) => console.log(error.code));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60e3 });
  assert.equal(stdout, 'ETIMEDOUT\n');
});
