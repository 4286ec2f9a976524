// Slices: Go's rules for length, capacity, aliasing and growth, and Go's words when they are broken.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Slice, start } from '../web/dist/index.js';
import { burrowError } from './fixtures/peers.mjs';

let rt;
before(async () => (rt = await start({ workers: 1 })));
after(() => rt.stop());

/** The capacities that a slice goes through when elements are appended one by one. */
function capacities(type, count, value, options) {
  const seen = [];
  let s = rt.slice(type, options);
  for (let i = 0; i < count; i++) {
    const next = s.append(value);
    s.drop();
    s = next;
    if (s.cap !== seen.at(-1)) seen.push(s.cap);
  }
  s.drop();
  return seen.join(' ');
}

test('make: length, capacity, zeros', () => {
  const s = rt.slice('i32', { len: 3, cap: 8 });
  assert.ok(s instanceof Slice);
  assert.deepEqual([s.len, s.cap, s.type], [3, 8, 'i32']);
  assert.deepEqual(s.toArray(), [0, 0, 0]);
  assert.deepEqual([...s], [0, 0, 0]);
  assert.ok(s.ptr > 0);
  const empty = rt.slice('u8');
  assert.deepEqual([empty.len, empty.cap, empty.toArray()], [0, 0, []]);
  assert.equal(rt.slice('f64', { len: 5 }).cap, 5);
});

test('append within the capacity shares the array, beyond it moves', () => {
  const s = rt.slice('i32', { len: 0, cap: 4 });
  const a = s.append(1, 2, 3);
  assert.deepEqual([s.len, a.len, a.cap], [0, 3, 4]);
  assert.equal(a.ptr, s.ptr);
  const b = a.append(4);
  const c = a.append(5); // the same place: Go's well-known surprise
  assert.deepEqual(b.toArray(), [1, 2, 3, 5]);
  const d = c.append(6);
  assert.notEqual(d.ptr, c.ptr);
  d.set(0, 100);
  assert.deepEqual([c.at(0), d.at(0)], [1, 100]);
  assert.deepEqual(d.toArray(), [100, 2, 3, 5, 6]);
});

test('reslicing shares the array', () => {
  const s = rt.slice('u16', { len: 0, cap: 6 }).append(10, 20, 30, 40);
  const t = s.slice(1, 3);
  assert.deepEqual([t.len, t.cap, t.toArray()], [2, 5, [20, 30]]);
  assert.equal(t.ptr, s.ptr + 2);
  t.set(0, 21);
  assert.equal(s.at(1), 21);
  assert.deepEqual(s.slice().toArray(), [10, 21, 30, 40]);
  assert.deepEqual(s.slice(2).toArray(), [30, 40]);
  assert.deepEqual(s.slice(0, 6).toArray(), [10, 21, 30, 40, 0, 0]);
  const full = s.slice(0, 2, 2);
  assert.equal(full.cap, 2);
  const moved = full.append(99);
  assert.notEqual(moved.ptr, full.ptr);
  assert.equal(s.at(2), 30);
});

test('the array lives until its last slice is dropped', () => {
  const before = rt.allocStats().liveBytes;
  const s = rt.slice('i64', { len: 1000 });
  const t = s.slice(500);
  t.set(0, 5n);
  s.drop();
  assert.equal(t.at(0), 5n);
  t.drop();
  assert.equal(rt.allocStats().liveBytes, before);
  const uses = [
    () => t.at(0), () => t.set(0, 1n), () => t.append(1n), () => t.slice(), () => t.drop(), () => [...t],
    () => t.bytes(),
  ];
  for (const use of uses) assert.throws(use, burrowError('EHANDLE'), String(use));
});

test('the capacities are those that Go has', () => {
  assert.equal(capacities('i64', 1281, 7n), '1 2 4 8 16 32 64 128 256 512 848 1280 1792');
  assert.equal(capacities('u8', 4097, 7), '8 16 32 64 128 256 512 896 1408 2048 3072 4096 5376');
  assert.equal(capacities('i32', 1345, 7), '2 4 8 16 32 64 128 256 512 864 1344 2048');
  assert.equal(capacities({ bytes: 5 }, 1000, new Uint8Array(5)), '1 3 6 12 25 51 102 204 409 819 1228');
  assert.equal(capacities('i64', 1281, 7n, { rule: 'classic' }), '1 2 4 8 16 32 64 128 256 512 1024 1280 1696');
});

test('many values at once: the capacity follows the need', () => {
  const of = (cap, more) => rt.slice('i64', { len: cap }).append(...new Array(more).fill(1)).cap;
  const caps = [of(0, 1), of(0, 3), of(0, 5), of(2, 3), of(5, 6), of(256, 257), of(1000, 1001)];
  assert.deepEqual(caps, [1, 3, 6, 6, 12, 608, 2048]);
  const large = rt.slice('u8').append(...Array.from({ length: 20_000 }, (_, i) => i % 251));
  assert.equal(large.len, 20_000);
  assert.ok(large.toArray().every((value, i) => value === i % 251));
  assert.equal(rt.slice('u8').append().len, 0);
});

test('the growth rule: per slice, inherited, per append', () => {
  const full = rt.slice('i64', { len: 512, rule: 'classic' });
  assert.equal(full.append(1).cap, 1024);
  assert.equal(full.slice(0, 512).append(1).cap, 1024);
  assert.equal(full.appendWith({ rule: 'go118' }, 1).cap, 848);
  assert.equal(rt.slice('i64', { len: 512 }).appendWith({ rule: 'classic' }, 1).cap, 1024);
  assert.equal(rt.nextCap('go118', 8, 512, 513), 848);
  assert.equal(rt.nextCap('classic', 8, 512, 513), 1024);
  assert.equal(rt.nextCap('go118', 8, 5, 5), 5);
  assert.throws(() => rt.nextCap('go119', 8, 1, 2), TypeError);
  assert.throws(() => rt.nextCap('go118', 8, 2, 1), RangeError);
  const tooLong = { name: 'RangeError', message: 'growslice: len out of range' };
  assert.throws(() => rt.nextCap('go118', 2 ** 30, 2, 3), tooLong);
  assert.throws(() => rt.slice('i64', { rule: 'fast' }), TypeError);
  assert.throws(() => full.appendWith({ rule: 7 }, 1), TypeError);
});

test('copyFrom: the shorter of both, overlap allowed', () => {
  const s = rt.slice('i32').append(1, 2, 3, 4, 5);
  assert.equal(s.slice(1).copyFrom(s), 4);
  assert.deepEqual(s.toArray(), [1, 1, 2, 3, 4]);
  const two = rt.slice('i32', { len: 2 });
  assert.equal(two.copyFrom(s), 2);
  assert.deepEqual(two.toArray(), [1, 1]);
  assert.throws(() => two.copyFrom([1]), TypeError);
  assert.throws(() => two.copyFrom(rt.slice('u32', { len: 1 })), TypeError);
});

test('bounds are checked, in Go’s words', () => {
  const s = rt.slice('i32', { len: 3, cap: 5 });
  const table = [
    [() => s.at(5), 'index out of range [5] with length 3'],
    [() => s.at(3), 'index out of range [3] with length 3'],
    [() => s.at(-1), 'index out of range [-1]'],
    [() => s.set(3, 1), 'index out of range [3] with length 3'],
    [() => s.at(0.5), 'index must be an integer, not 0.5'],
    [() => s.slice(0, 6), 'slice bounds out of range [:6] with capacity 5'],
    [() => s.slice(2, 1), 'slice bounds out of range [2:1]'],
    [() => s.slice(-1, 1), 'slice bounds out of range [-1:]'],
    [() => s.slice(0, -1), 'slice bounds out of range [:-1]'],
    [() => s.slice(4), 'slice bounds out of range [4:3]'],
    [() => s.slice(0, 1, 6), 'slice bounds out of range [::6] with capacity 5'],
    [() => s.slice(0, 3, 2), 'slice bounds out of range [:3:2]'],
    [() => s.slice(2, 1, 4), 'slice bounds out of range [2:1:]'],
    [() => s.slice(0, 1, -1), 'slice bounds out of range [::-1]'],
    [() => rt.slice('i32', { len: -1 }), 'makeslice: len out of range'],
    [() => rt.slice('i32', { len: 2 ** 40 }), 'makeslice: len out of range'],
    [() => rt.slice('i32', { len: 3, cap: 2 }), 'makeslice: cap out of range'],
    [() => rt.slice('i32', { cap: 2 ** 31 }), 'makeslice: cap out of range'],
  ];
  for (const [use, message] of table) assert.throws(use, { name: 'RangeError', message });
  const kinds = [
    () => s.at('0'), () => s.at(0n), () => s.set(null, 1),
    () => s.slice('0'), () => s.slice(0, '1'), () => s.slice(0, 1, '2'),
    () => rt.slice('i32', { len: '3' }), () => rt.slice('i32', { len: 1, cap: null }),
  ];
  for (const use of kinds) assert.throws(use, TypeError, String(use));
});

test('slices that nobody holds any more are dropped by the collector', { timeout: 30_000 }, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const before = rt.allocStats().liveBytes;
  for (let i = 0; i < 1000; i++) rt.slice('i64', { len: 100 });
  assert.ok(rt.allocStats().liveBytes > before + 800_000);
  while (rt.allocStats().liveBytes > before + 80_000) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
});
