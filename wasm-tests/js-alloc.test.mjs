// Blocks, and what can be seen of the allocator.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Block, start } from '../web/dist/index.js';
import { burrowError } from './fixtures/peers.mjs';

let rt;
before(async () => (rt = await start({ workers: 1 })));
after(() => rt.stop());

test('a block has an address, its size, and room up to its size class', () => {
  const block = rt.alloc(100);
  assert.ok(block instanceof Block);
  assert.ok(block.ptr > 0 && block.ptr % 16 === 0, `ptr ${block.ptr}`);
  assert.equal(block.size, 100);
  assert.equal(block.usable, 112);
  const bytes = block.bytes();
  assert.equal(bytes.length, 100);
  assert.equal(bytes.byteOffset, block.ptr);
  bytes.fill(7);
  assert.equal(block.bytes()[99], 7);
  assert.notEqual(block.bytes(), bytes);
  block.free();
});

test('a freed block is of no use', () => {
  const block = rt.alloc(32);
  block.free();
  assert.throws(() => block.free(), burrowError('EHANDLE', 'this block was freed'));
  assert.throws(() => block.bytes(), burrowError('EHANDLE'));
  assert.throws(() => block.usable, burrowError('EHANDLE'));
});

test('small, medium and large blocks do not overlap and keep what was written', () => {
  const sizes = [0, 1, 8, 9, 1000, 32768, 32769, 200_000, 1 << 20, (1 << 20) + 1, 5_000_000];
  const blocks = sizes.map((size) => rt.alloc(size));
  blocks.forEach((block, i) => block.bytes().fill(i + 1));
  blocks.forEach((block, i) => {
    assert.ok(block.usable >= sizes[i]);
    assert.ok(block.bytes().every((byte) => byte === i + 1), `block of ${sizes[i]} bytes`);
  });
  for (const block of blocks) block.free();
});

test('after freeing everything the live bytes are what they were', () => {
  const start = rt.allocStats();
  const blocks = Array.from({ length: 2000 }, (_, i) => rt.alloc((i * 37) % 5000));
  const middle = rt.allocStats();
  assert.equal(middle.mallocs - start.mallocs, 2000);
  assert.ok(middle.liveBytes - start.liveBytes >= blocks.reduce((sum, block) => sum + block.size, 0));
  for (const block of blocks) block.free();
  const end = rt.allocStats();
  assert.equal(end.frees - start.frees, 2000);
  assert.equal(end.liveBytes, start.liveBytes);
  assert.equal(end.largeBytes, start.largeBytes);
});

test('alloc() refuses wrong sizes, and more than there is', () => {
  for (const size of ['1', null, undefined, 1n, {}, true]) assert.throws(() => rt.alloc(size), TypeError);
  for (const size of [-1, 1.5, NaN, Infinity, 2 ** 32, 2 ** 40]) assert.throws(() => rt.alloc(size), RangeError);
  assert.throws(() => rt.alloc(2 ** 32 - 1), burrowError('ENOMEM'));
});

test('where() finds the span of any address in it', () => {
  const block = rt.alloc(100);
  const where = rt.where(block.ptr + 50);
  assert.equal(where.sizeClass, rt.sizeClassOf(100));
  assert.equal(where.objectSize, 112);
  assert.equal(where.spanBytes, 8192);
  assert.equal(where.spanObjects, 73);
  assert.ok(where.spanInUse >= 1);
  assert.equal(where.spanStart + where.objectIndex * where.objectSize, block.ptr);
  block.free();
  assert.equal(rt.where(0), undefined);
  assert.equal(rt.where(2 ** 32 - 1), undefined);
  assert.throws(() => rt.where('8'), TypeError);
  assert.throws(() => rt.where(-8), RangeError);
});

test('the size classes are those of Go', () => {
  const classes = rt.sizeClasses();
  assert.equal(classes.length, 68);
  assert.deepEqual(classes[0], { index: 0, size: 0, spanBytes: 0, objects: 0, tailWaste: 0, maxWaste: 0 });
  assert.deepEqual(classes[1], { index: 1, size: 8, spanBytes: 8192, objects: 1024, tailWaste: 0, maxWaste: 87.5 });
  const sizes = classes.map(({ size }) => size);
  assert.deepEqual(sizes.slice(0, 10), [0, 8, 16, 24, 32, 48, 64, 80, 96, 112]);
  assert.equal(sizes.at(-1), 32768);
  for (const { index, size, spanBytes, objects, tailWaste } of classes.slice(1)) {
    assert.equal(objects * size + tailWaste, spanBytes, `class ${index}`);
    assert.equal(rt.sizeClassOf(size), index);
    assert.equal(rt.sizeClassOf(sizes[index - 1] + 1), index);
  }
  assert.equal(rt.sizeClassOf(32769), 0);
  assert.throws(() => rt.sizeClassOf(-1), RangeError);
  assert.throws(() => rt.sizeClassOf('8'), TypeError);
});

test('statistics are whole numbers under the names of the documentation', () => {
  const stats = rt.allocStats();
  assert.equal(Object.keys(stats).length, 29);
  for (const [name, value] of Object.entries(stats)) {
    assert.ok(Number.isSafeInteger(value) && value >= 0, `${name}: ${value}`);
  }
  assert.ok(stats.caches >= 1);
  assert.ok(stats.systemBytes >= stats.heapFreeBytes + stats.heapUsedBytes);
  assert.ok(stats.peakSystemBytes >= stats.systemBytes && stats.peakUsedBytes >= stats.heapUsedBytes);
  assert.ok(stats.virtualBytes >= stats.residentBytes && stats.residentBytes >= stats.systemBytes);
  assert.equal(stats.maxBytes, 2 ** 32);
  assert.equal(stats.limitBytes, 0);
  assert.deepEqual([stats.heaps, stats.heapsBytes, stats.heapsLiveBytes], [0, 0, 0]);

  const memory = rt.memory();
  assert.deepEqual(Object.keys(memory), ['virtualBytes', 'residentBytes', 'maxBytes']);
  assert.equal(memory.maxBytes, 2 ** 32);
  assert.ok(memory.virtualBytes >= memory.residentBytes && memory.virtualBytes % 65536 === 0);

  const proc = rt.procStats(0);
  assert.deepEqual(Object.keys(proc), ['runs', 'migrations', 'spawns', 'parks', 'yields', 'sleeps']);
  assert.throws(() => rt.procStats(1), RangeError);
  assert.throws(() => rt.procStats(-1), RangeError);
  assert.throws(() => rt.procStats('0'), TypeError);
});

test('spans() lists all spans in order, without gaps inside one', () => {
  const block = rt.alloc(3 << 20);
  const spans = rt.spans();
  const mine = spans.find(({ start, bytes }) => block.ptr >= start && block.ptr < start + bytes);
  assert.equal(mine.sizeClass, 0);
  assert.ok(mine.bytes >= 3 << 20);
  for (let i = 1; i < spans.length; i++) assert.ok(spans[i].start >= spans[i - 1].start + spans[i - 1].bytes);
  for (const { start, bytes } of spans) assert.ok(start % 8192 === 0 && bytes % 8192 === 0 && bytes > 0);
  block.free();
});

test('objects() tells the state of every object of a span', () => {
  const block = rt.alloc(3000);
  const { start, objectSize, states } = rt.objects(block.ptr + 100);
  const index = (block.ptr - start) / objectSize;
  assert.equal(objectSize, 3072);
  assert.equal(states.length, 8);
  assert.equal(states[index], 'inUse');
  assert.ok(states.every((state) => ['unused', 'free', 'inUse'].includes(state)));
  block.free();
  assert.notEqual(rt.objects(start)?.states[index], 'inUse');

  const large = rt.alloc(100_000);
  assert.deepEqual(rt.objects(large.ptr), { start: large.ptr, objectSize: large.usable, states: ['inUse'] });
  large.free();
  assert.equal(rt.objects(0), undefined);
  assert.throws(() => rt.objects('8'), TypeError);
  assert.throws(() => rt.objects(-8), RangeError);
});

test('spans() when there are more than fit into the first buffer', () => {
  const blocks = Array.from({ length: 3000 }, () => rt.alloc(40_000));
  const starts = new Set(rt.spans().map(({ start }) => start));
  for (const { ptr } of blocks) assert.ok(starts.has(ptr));
  for (const block of blocks) block.free();
});

test('views made before memory grew still show it, later ones reach the new part', () => {
  const block = rt.alloc(64);
  const old = block.bytes();
  const large = rt.alloc(64 << 20);
  large.bytes().fill(3);
  old.fill(9);
  assert.equal(block.bytes()[63], 9);
  assert.equal(rt.bytes(large.ptr + large.size - 1, 1)[0], 3);
  assert.throws(() => rt.bytes(2 ** 32 - 8, 8), RangeError);
  large.free();
  block.free();
});
