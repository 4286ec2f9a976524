// Every element type, in channels and slices: what it takes, what it gives back, what it refuses.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from '../web/dist/index.js';

let rt;
before(async () => (rt = await start({ workers: 1 })));
after(() => rt.stop());

const notNumbers = ['1', null, undefined, true, {}, [], () => {}, Symbol('s')];
const ints = (low, high) => ({
  good: [low, high, 0, 1].map((value) => [value, value]),
  kinds: [...notNumbers, 1n],
  ranges: [low - 1, high + 1, 0.5, NaN, Infinity, 2 ** 40, -(2 ** 40)],
});

const types = {
  i8: ints(-128, 127),
  u8: ints(0, 255),
  i16: ints(-32768, 32767),
  u16: ints(0, 65535),
  i32: ints(-(2 ** 31), 2 ** 31 - 1),
  u32: ints(0, 2 ** 32 - 1),
  i64: {
    good: [
      [-(2n ** 63n), -(2n ** 63n)],
      [2n ** 63n - 1n, 2n ** 63n - 1n],
      [5, 5n],
      [-(2 ** 53) + 1, -(2n ** 53n) + 1n],
    ],
    kinds: notNumbers,
    ranges: [2n ** 63n, -(2n ** 63n) - 1n, 2 ** 53, 0.5, NaN, Infinity],
  },
  u64: {
    good: [[0n, 0n], [2n ** 64n - 1n, 2n ** 64n - 1n], [7, 7n]],
    kinds: notNumbers,
    ranges: [2n ** 64n, -1n, -1, 2 ** 53, 0.5, NaN],
  },
  f32: {
    good: [[0.5, 0.5], [-0, -0], [Infinity, Infinity], [NaN, NaN], [0.1, Math.fround(0.1)]],
    kinds: [...notNumbers, 1n],
    ranges: [],
  },
  f64: {
    good: [[0.1, 0.1], [-0, -0], [NaN, NaN], [5e-324, 5e-324], [2 ** 60, 2 ** 60]],
    kinds: [...notNumbers, 1n],
    ranges: [],
  },
  bool: { good: [[true, true], [false, false]], kinds: [0, 1, 'true', null, undefined, {}], ranges: [] },
};
const three = new Uint8Array([1, 2, 255]);
const many = new Uint8Array(65535).fill(9);
const threeBytes = {
  good: [[three, three]],
  kinds: [...notNumbers, 1, new Int8Array(3), new ArrayBuffer(3), [1, 2, 3]],
  ranges: [new Uint8Array(2), new Uint8Array(4)],
};
const cases = [
  ...Object.entries(types),
  [{ bytes: 3 }, threeBytes],
  [{ bytes: 65535 }, { good: [[many, many]], kinds: ['x'], ranges: [three] }],
];

for (const [type, { good, kinds, ranges }] of cases) {
  const name = typeof type === 'string' ? type : `{ bytes: ${type.bytes} }`;

  test(`${name} through a channel`, async () => {
    const ch = rt.chan(type, 1);
    const rendezvous = rt.chan(type);
    for (const [value, out] of good) {
      await ch.send(value);
      assert.deepEqual(await ch.recv(), { value: out, ok: true });
      assert.equal(ch.trySend(value), true);
      assert.deepEqual(ch.tryRecv(), { value: out, ok: true });
      const received = rendezvous.recv();
      await rendezvous.send(value);
      assert.deepEqual(await received, { value: out, ok: true });
      const sent = rendezvous.send(value);
      assert.deepEqual(await rendezvous.recv(), { value: out, ok: true });
      await sent;
    }
    for (const value of kinds) {
      await assert.rejects(ch.send(value), TypeError);
      assert.throws(() => ch.trySend(value), TypeError);
    }
    for (const value of ranges) {
      await assert.rejects(ch.send(value), RangeError);
      assert.throws(() => ch.trySend(value), RangeError);
    }
    assert.equal(ch.len, 0);
    ch.drop();
    rendezvous.drop();
  });

  test(`${name} in a slice`, () => {
    let s = rt.slice(type, { len: 2 });
    for (const [value, out] of good) {
      s.set(1, value);
      assert.deepEqual(s.at(1), out);
      s = s.append(value);
      assert.deepEqual(s.at(s.len - 1), out);
    }
    assert.equal(s.len, 2 + good.length);
    for (const value of kinds) {
      assert.throws(() => s.set(0, value), TypeError);
      assert.throws(() => s.append(good[0][0], value), TypeError);
    }
    for (const value of ranges) {
      assert.throws(() => s.set(0, value), RangeError);
      assert.throws(() => s.append(value), RangeError);
    }
    s.drop();
  });
}

test('what is no element type', () => {
  for (const type of ['int', 'I32', '', 'constructor', '__proto__', 7, null, undefined, {}, { bytes: '3' }, ['i32']]) {
    assert.throws(() => rt.chan(type), TypeError, String(type));
    assert.throws(() => rt.slice(type), TypeError, String(type));
  }
  for (const bytes of [0, -1, 1.5, 65536, NaN]) {
    assert.throws(() => rt.chan({ bytes }), RangeError);
    assert.throws(() => rt.slice({ bytes }), RangeError);
  }
});

test('what is no capacity', () => {
  for (const capacity of ['1', null, 1n, {}]) assert.throws(() => rt.chan('i32', capacity), TypeError);
  for (const capacity of [-1, 1.5, NaN, 2 ** 31, 2 ** 40]) {
    assert.throws(() => rt.chan('i32', capacity), { name: 'RangeError', message: 'makechan: size out of range' });
  }
});

test('what is no handle', () => {
  const ch = rt.chan('i32');
  const handle = ch.handle();
  const changed = [{ kind: 'slice' }, { id: '1' }, { type: 'int' }].map((change) => ({ ...handle, ...change }));
  for (const wrong of [null, undefined, 7, 'chan', {}, ...changed]) assert.throws(() => rt.open(wrong), TypeError);
  assert.throws(() => rt.open({ ...handle, type: 'f64' }), { name: 'TypeError', message: /4 bytes.*8/ });
  for (const id of [0, -1, 999, handle.id + 1, 2 ** 31 - 1]) {
    assert.throws(() => rt.open({ ...handle, id }), { name: 'BurrowError', code: 'EHANDLE' });
  }
  assert.throws(() => rt.open({ ...handle, runtime: 'another' }), { name: 'BurrowError', code: 'EHANDLE' });
  assert.deepEqual(structuredClone(handle), handle);
});
