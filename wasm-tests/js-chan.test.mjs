// Channels as one thread sees them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Chan, start } from '../web/dist/index.js';
import { burrowError } from './fixtures/peers.mjs';

let rt;
before(async () => (rt = await start({ workers: 2 })));
after(() => rt.stop());

/** Whether a promise is still pending after everything that was ready has run. */
async function isPending(promise) {
  const later = new Promise((resolve) => setImmediate(resolve, 'pending'));
  return (await Promise.race([promise.then(() => 'done', () => 'done'), later])) === 'pending';
}

test('an unbuffered channel is a rendezvous', async () => {
  const ch = rt.chan('i32');
  assert.ok(ch instanceof Chan);
  assert.deepEqual([ch.len, ch.cap, ch.type], [0, 0, 'i32']);
  const sent = ch.send(1);
  assert.ok(await isPending(sent));
  assert.deepEqual(await ch.recv(), { value: 1, ok: true });
  await sent;
  const received = ch.recv();
  assert.ok(await isPending(received));
  await ch.send(2);
  assert.deepEqual(await received, { value: 2, ok: true });
  ch.drop();
});

test('a buffered channel takes what fits at once', async () => {
  const ch = rt.chan('u8', 2);
  await ch.send(1);
  await ch.send(2);
  assert.deepEqual([ch.len, ch.cap], [2, 2]);
  const third = ch.send(3);
  assert.ok(await isPending(third));
  assert.deepEqual((await ch.recv()).value, 1);
  await third;
  assert.equal(ch.len, 2);
  assert.deepEqual([ch.tryRecv().value, ch.tryRecv().value], [2, 3]);
  ch.drop();
});

test('trySend and tryRecv never wait', async () => {
  const ch = rt.chan('i32');
  assert.equal(ch.tryRecv(), undefined);
  assert.equal(ch.trySend(1), false);
  const received = ch.recv();
  assert.equal(ch.trySend(5), true);
  assert.deepEqual(await received, { value: 5, ok: true });
  const sent = ch.send(6);
  assert.deepEqual(ch.tryRecv(), { value: 6, ok: true });
  await sent;
  const full = rt.chan('i32', 1);
  assert.equal(full.trySend(1), true);
  assert.equal(full.trySend(2), false);
  assert.deepEqual(full.tryRecv(), { value: 1, ok: true });
  ch.drop();
  full.drop();
});

test('close: the buffer drains, then zero values', async () => {
  const ch = rt.chan('f64', 3);
  await ch.send(1.5);
  await ch.send(2.5);
  ch.close();
  assert.deepEqual(await ch.recv(), { value: 1.5, ok: true });
  assert.deepEqual(ch.tryRecv(), { value: 2.5, ok: true });
  assert.deepEqual(await ch.recv(), { value: 0, ok: false });
  assert.deepEqual(ch.tryRecv(), { value: 0, ok: false });
  ch.drop();
});

test('close wakes pending receivers and fails pending senders', async () => {
  const receivers = rt.chan('i64');
  const pending = Array.from({ length: 20 }, () => receivers.recv());
  receivers.close();
  for (const received of await Promise.all(pending)) assert.deepEqual(received, { value: 0n, ok: false });

  const senders = rt.chan('i64');
  const sends = Promise.allSettled(Array.from({ length: 20 }, (_, i) => senders.send(i)));
  senders.close();
  for (const { reason } of await sends) {
    assert.deepEqual([reason.code, reason.message], ['ECLOSED', 'send on closed channel']);
  }
});

test('misuse of a closed channel, in Go’s words', async () => {
  const ch = rt.chan('i32', 1);
  ch.close();
  await assert.rejects(ch.send(1), burrowError('ECLOSED', 'send on closed channel'));
  assert.throws(() => ch.trySend(1), burrowError('ECLOSED', 'send on closed channel'));
  assert.throws(() => ch.close(), burrowError('ECLOSED', 'close of closed channel'));
  assert.equal(ch.len, 0);
  ch.drop();
});

test('for await takes everything until close', async () => {
  const ch = rt.chan('i32', 4);
  const produce = async () => {
    for (let i = 0; i < 100; i++) await ch.send(i);
    ch.close();
  };
  const done = produce();
  const got = [];
  for await (const value of ch) got.push(value);
  await done;
  assert.deepEqual(got, Array.from({ length: 100 }, (_, i) => i));
});

test('leaving a for await early loses nothing', async () => {
  const ch = rt.chan('i32', 4);
  for (const value of [1, 2, 3]) await ch.send(value);
  for await (const value of ch) if (value === 2) break;
  assert.deepEqual(ch.tryRecv(), { value: 3, ok: true });
  ch.drop();
});

test('waiters are served in order, and an operation counts from its call', async () => {
  const ch = rt.chan('i32');
  const receives = Array.from({ length: 100 }, () => ch.recv());
  for (let i = 0; i < 100; i++) await ch.send(i);
  assert.deepEqual((await Promise.all(receives)).map(({ value }) => value), Array.from({ length: 100 }, (_, i) => i));
  const sends = Array.from({ length: 100 }, (_, i) => ch.send(i));
  for (let i = 0; i < 100; i++) assert.equal((await ch.recv()).value, i);
  await Promise.all(sends);
  ch.drop();
});

test('ten thousand operations may be pending at once', async () => {
  const before = rt.allocStats().liveBytes;
  const ch = rt.chan('u32');
  const receives = Array.from({ length: 10_000 }, () => ch.recv());
  for (let i = 0; i < 10_000; i++) assert.equal(ch.trySend(i), true);
  const sum = (await Promise.all(receives)).reduce((total, { value }) => total + value, 0);
  assert.equal(sum, (9999 * 10_000) / 2);
  ch.drop();
  assert.equal(rt.allocStats().liveBytes, before);
});

test('a dropped channel is unknown; what was pending on it is not lost', async () => {
  const ch = rt.chan('i32');
  const handle = ch.handle();
  const other = rt.open(handle);
  assert.equal(other.cap, 0);
  ch.drop();
  const uses = [
    () => ch.drop(), () => ch.len, () => other.cap, () => ch.close(), () => ch.trySend(1), () => ch.tryRecv(),
    () => rt.open(handle),
  ];
  for (const use of uses) assert.throws(use, burrowError('EHANDLE'), String(use));
  await assert.rejects(ch.send(1), burrowError('EHANDLE'));
  await assert.rejects(ch.recv(), burrowError('EHANDLE'));
  const next = rt.chan('i32'); // takes the same slot under another number
  assert.notEqual(next.handle().id, handle.id);
  assert.throws(() => rt.open(handle), burrowError('EHANDLE'));
  next.drop();
});

test('a dropped handle never comes back', () => {
  const first = rt.chan('i32', 4);
  const { id } = first.handle();
  first.drop();
  for (let i = 0; i < 5000; i++) {
    const ch = rt.chan({ bytes: 60000 });
    assert.notEqual(ch.handle().id, id);
    ch.drop();
  }
  assert.throws(() => first.tryRecv(), burrowError('EHANDLE'));
});

test('sendSync and recvSync are refused on the main thread', () => {
  const ch = rt.chan('i32', 1);
  assert.throws(() => ch.sendSync(1), { code: 'ENOTSUP', message: /block this thread.*await send\(\)/ });
  assert.throws(() => ch.recvSync(), { code: 'ENOTSUP', message: /await recv\(\)/ });
  assert.equal(ch.len, 0);
  ch.drop();
});

test('without Atomics.waitAsync the completions are polled for', async () => {
  const { waitAsync } = Atomics;
  delete Atomics.waitAsync;
  try {
    const ch = rt.chan('i32');
    const receives = [ch.recv(), ch.recv()];
    await ch.send(1);
    await ch.send(2);
    assert.deepEqual((await Promise.all(receives)).map(({ value }) => value), [1, 2]);
    ch.drop();
  } finally {
    Object.defineProperty(Atomics, 'waitAsync', { value: waitAsync, writable: true, configurable: true });
  }
});
