// Several JavaScript threads on one runtime.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { attach, start } from '../web/dist/index.js';
import { burrowError, runPeer } from './fixtures/peers.mjs';

const COUNT = 10_000;
const SUM = (COUNT * (COUNT + 1)) / 2;

let rt;
before(async () => (rt = await start({ workers: 2 })));
after(() => rt.stop());

for (const capacity of [0, 1, 128]) {
  const pairs = [['produce', 'consume'], ['produceAsync', 'consumeAsync'], ['produce', 'consumeAsync']];
  for (const [producer, consumer] of pairs) {
    test(`${COUNT} values, capacity ${capacity}: ${producer} to ${consumer}`, async () => {
      const ch = rt.chan('i32', capacity);
      const [result] = await Promise.all([
        runPeer(rt, consumer, { in: ch }),
        runPeer(rt, producer, { out: ch }, { count: COUNT }),
      ]);
      assert.deepEqual(result, { sum: SUM, count: COUNT });
      ch.drop();
    });
  }
}

test('three workers each way: every value arrives once', async () => {
  const ch = rt.chan('i32', 8);
  const consumers = [1, 2, 3].map(() => runPeer(rt, 'consumeAsync', { in: ch }));
  const count = 2000;
  const producers = [1, 2, 3].map(() => {
    const own = rt.chan('i32', 1);
    const worker = runPeer(rt, 'produce', { out: own }, { count });
    const forward = async () => {
      for await (const value of own) await ch.send(value);
      own.drop();
    };
    return Promise.all([worker, forward()]);
  });
  await Promise.all(producers);
  ch.close();
  const results = await Promise.all(consumers);
  assert.equal(results.reduce((total, { count: n }) => total + n, 0), 3 * count);
  assert.equal(results.reduce((total, { sum }) => total + sum, 0), (3 * count * (count + 1)) / 2);
  ch.drop();
});

test('the host asks, a worker answers', async () => {
  const questions = rt.chan('i32');
  const answers = rt.chan('i32');
  const worker = runPeer(rt, 'double', { in: questions, out: answers });
  for (let i = 0; i < 1000; i++) {
    await questions.send(i);
    assert.equal((await answers.recv()).value, 2 * i);
  }
  questions.close();
  assert.equal(await worker, 1000);
  questions.drop();
  answers.drop();
});

test('a worker in recvSync sees close', async () => {
  const ch = rt.chan('i32');
  const worker = runPeer(rt, 'receiveSync', { in: ch });
  ch.close();
  assert.deepEqual(await worker, { value: 0, ok: false });
  ch.drop();
});

test('sendSync on a closed channel', async () => {
  const ch = rt.chan('i32');
  ch.close();
  const closed = burrowError('ECLOSED', 'send on closed channel');
  await assert.rejects(runPeer(rt, 'sendSync', { out: ch }, { value: 1 }), closed);
  await assert.rejects(runPeer(rt, 'sendSync', { out: ch }, { value: 1.5 }), { name: 'RangeError' });
  ch.drop();
});

test('a token is good for one thread', async () => {
  const ch = rt.chan('i32', 1);
  const token = rt.share();
  await runPeer(rt, 'sendSync', { out: ch }, { value: 1 }, token);
  await assert.rejects(runPeer(rt, 'sendSync', { out: ch }, { value: 2 }, token), burrowError('ESTATE'));
  assert.equal(ch.len, 1);
  ch.drop();
});

test('what is no token, and where attach() is refused', async () => {
  for (const token of [null, undefined, 7, 'token', {}]) await assert.rejects(attach(token), TypeError);
  await assert.rejects(attach(rt.share()), burrowError('ENOTSUP'));
});

test('an attached thread sees the same runtime', async () => {
  assert.deepEqual(await runPeer(rt, 'facts'), { workers: 2, closed: false, goroutines: 0 });
});

test('errors of open() on the other side', async () => {
  const ch = rt.chan('i32');
  const handle = ch.handle();
  await assert.rejects(runPeer(rt, 'openTyped', {}, { handle: { ...handle, type: 'f64' } }), { name: 'TypeError' });
  ch.drop();
  await assert.rejects(runPeer(rt, 'openTyped', {}, { handle }), burrowError('EHANDLE'));
});

test('memory that another thread has grown is reached, both ways', async () => {
  const size = 40 << 20;
  const block = rt.alloc(size);
  await runPeer(rt, 'fill', {}, { ptr: block.ptr, size, value: 5 });
  assert.deepEqual([block.bytes()[0], block.bytes()[size - 1]], [5, 5]);
  block.free();
  const ptr = await runPeer(rt, 'grow', {}, { size: 2 * size, value: 6 });
  assert.deepEqual([rt.bytes(ptr, 1)[0], rt.bytes(ptr + 2 * size - 1, 1)[0]], [6, 6]);
});

test('detach() takes back what is pending; the values go to others', async () => {
  const ch = rt.chan('i32');
  const left = await runPeer(rt, 'leave', { in: ch }, { count: 100 });
  assert.deepEqual(left, { codes: ['ESTOPPED'], closed: true });
  assert.equal(ch.trySend(1), false); // nobody waits any more
  const received = ch.recv();
  assert.equal(ch.trySend(2), true);
  assert.deepEqual(await received, { value: 2, ok: true });
  ch.drop();
});

test('threads that came and went leave nothing behind', async () => {
  const ch = rt.chan('i32', 1);
  const round = async () => {
    await runPeer(rt, 'sendSync', { out: ch }, { value: 1 });
    await ch.recv();
    rt.share(); // frees what the threads before have left; this one is not used
    return rt.allocStats();
  };
  const first = await round();
  const second = await round();
  const third = await round();
  assert.equal(third.liveBytes - second.liveBytes, second.liveBytes - first.liveBytes); // the unused token's
  assert.equal(third.caches, first.caches);
  ch.drop();
});

test('a token of a runtime that was stopped leads nowhere', async () => {
  const own = await start({ workers: 1 });
  const token = own.share();
  await own.stop();
  await assert.rejects(runPeer(own, 'facts', {}, {}, token), burrowError('ESTOPPED'));
});

test('a runtime that a worker started: its starter may block', async () => {
  const worker = new Worker(new URL('./fixtures/starter.mjs', import.meta.url));
  const messages = [];
  worker.on('message', (message) => messages.push(message));
  const [status] = await once(worker, 'exit');
  assert.deepEqual([status, messages], [0, [{ sum: 5050, workers: 1, first: { value: 7, ok: true } }]]);
});

test('stop() reaches threads that wait, asleep or not', async () => {
  const own = await start({ workers: 2 });
  const [a, b, c, d] = [own.chan('i32'), own.chan('i32'), own.chan('i32'), own.chan('i32', 1)];
  const peers = [
    runPeer(own, 'receiveSync', { in: a }),
    runPeer(own, 'sendSync', { out: b }, { value: 1 }),
    runPeer(own, 'receive', { in: c }),
    runPeer(own, 'sendSync', { out: d }, { value: 1 }), // says that the threads have got so far
  ];
  await d.recv();
  await peers[3];
  const ends = Promise.allSettled(peers.slice(0, 3));
  await own.stop();
  for (const { reason } of await ends) assert.equal(reason?.code, 'ESTOPPED', String(reason));
});

test('a fatal error on one thread ends the runtime on all', async () => {
  const own = await start({ workers: 2 });
  const ch = own.chan('i32');
  const pending = Promise.allSettled([ch.recv(), ch.recv()]);
  const asleep = runPeer(own, 'receiveSync', { in: ch });
  const sleeper = assert.rejects(asleep, burrowError('EFATAL'));
  await assert.rejects(runPeer(own, 'die'), (error) => {
    assert.deepEqual([error.name, error.code], ['BurrowError', 'EFATAL']);
    assert.match(error.message, /^fatal error: /);
    assert.ok(error.detail.includes(error.message));
    return true;
  });
  for (const { reason } of await pending) {
    assert.equal(reason.code, 'EFATAL');
    assert.match(reason.message, /^fatal error: /);
  }
  await sleeper;
  assert.equal(own.closed, true);
  await assert.rejects(ch.send(1), burrowError('EFATAL'));
  assert.throws(() => own.alloc(8), burrowError('EFATAL'));
  await own.stop();
});

test('a fatal error on the host', async () => {
  const own = await start({ workers: 1 });
  const pending = assert.rejects(own.chan('i32').recv(), burrowError('EFATAL'));
  assert.throws(() => own.raw.exports.bw_js_free(own.alloc(64).ptr + 8), burrowError('EFATAL'));
  await pending;
  assert.throws(() => own.memory(), burrowError('EFATAL'));
  await own.stop();
});

test('a worker detaches while the channel it waits on is closed', async () => {
  const worker = new Worker(new URL('./fixtures/detacher.mjs', import.meta.url));
  const words = new Int32Array(new SharedArrayBuffer(8));
  for (let round = 0; round < 100; round++) {
    const ch = rt.chan('i32');
    words.fill(0);
    worker.postMessage({ token: rt.share(), handle: ch.handle(), words, count: 500 });
    const ready = Atomics.waitAsync(words, 0, 0);
    if (ready.async) await ready.value;
    const detached = once(worker, 'message');
    Atomics.store(words, 1, 1);
    ch.close();
    assert.deepEqual(await detached, ['detached']);
    ch.drop();
  }
  await worker.terminate();
});
