// Starting and stopping, options, and what start() refuses.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BurrowError, Runtime, start } from '../web/dist/index.js';
import { burrowError } from './fixtures/peers.mjs';

const wasmUrl = new URL('../web/dist/burrow.wasm', import.meta.url);

test('start and stop', async () => {
  const rt = await start({ workers: 2 });
  assert.ok(rt instanceof Runtime);
  assert.equal(rt.workers, 2);
  assert.equal(rt.closed, false);
  assert.equal(rt.numGoroutine(), 0);
  await rt.stop();
  assert.equal(rt.closed, true);
  await rt.stop(); // again: nothing happens
});

test('by default there is a worker per core', async () => {
  const rt = await start();
  assert.equal(rt.workers, Math.min(64, availableParallelism()));
  await rt.stop();
});

test('the module may come as URL, path, address, bytes, view or compiled', async () => {
  const bytes = await readFile(wasmUrl);
  const sources = {
    url: wasmUrl,
    path: fileURLToPath(wasmUrl),
    address: wasmUrl.href,
    data: `data:application/wasm;base64,${bytes.toString('base64')}`,
    view: bytes,
    buffer: new Uint8Array(bytes).buffer,
    module: await WebAssembly.compile(bytes),
  };
  for (const [name, wasm] of Object.entries(sources)) {
    const rt = await start({ workers: 1, wasm });
    const ch = rt.chan('i32', 1);
    await ch.send(1);
    assert.deepEqual(await ch.recv(), { value: 1, ok: true }, name);
    await rt.stop();
  }
});

test('start() refuses wrong options in plain words', async () => {
  const table = [
    [null, TypeError, /options/],
    [7, TypeError, /options/],
    [{ workers: 0 }, RangeError, /workers must be an integer from 1 to 64, not 0/],
    [{ workers: 65 }, RangeError, /workers/],
    [{ workers: 1.5 }, RangeError, /workers/],
    [{ workers: NaN }, RangeError, /workers/],
    [{ workers: '2' }, TypeError, /workers must be a number, not "2"/],
    [{ stackSize: -1 }, RangeError, /stackSize/],
    [{ stackSize: 'big' }, TypeError, /stackSize/],
    [{ maxMemory: 1 }, RangeError, /maxMemory/],
    [{ maxMemory: 2 ** 33 }, RangeError, /maxMemory/],
    [{ wasm: 7 }, TypeError, /wasm must be/],
    [{ wasm: {} }, TypeError, /wasm must be/],
  ];
  for (const [options, type, words] of table) {
    await assert.rejects(start(options), (error) => {
      assert.ok(error instanceof type, `${JSON.stringify(options)}: ${error}`);
      assert.match(error.message, words);
      return true;
    });
  }
});

test('a module that is none of ours is refused', async () => {
  const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  const missing = new URL('./no-such-file.wasm', import.meta.url);
  await assert.rejects(start({ workers: 1, wasm: missing }), burrowError('ELOAD'));
  await assert.rejects(start({ workers: 1, wasm: new Uint8Array(8) }), burrowError('ELOAD'));
  await assert.rejects(start({ workers: 1, wasm: empty }), burrowError('ELOAD'));
  await assert.rejects(start({ workers: 1, wasm: new WebAssembly.Module(empty) }), burrowError('ELOAD'));
});

test('a page that is not cross-origin isolated is told which headers it lacks', async () => {
  globalThis.crossOriginIsolated = false;
  try {
    await assert.rejects(start({ workers: 1 }), (error) => {
      assert.ok(error instanceof BurrowError);
      assert.equal(error.code, 'EISOLATION');
      assert.match(error.message, /Cross-Origin-Opener-Policy: same-origin/);
      assert.match(error.message, /Cross-Origin-Embedder-Policy: require-corp/);
      return true;
    });
  } finally {
    delete globalThis.crossOriginIsolated;
  }
});

test('maxMemory limits the memory, and running out changes nothing', async () => {
  const maxMemory = 16 << 20;
  const rt = await start({ workers: 1, maxMemory });
  assert.equal(rt.memory().maxBytes, maxMemory);
  const blocks = [];
  assert.throws(() => {
    for (;;) blocks.push(rt.alloc(1 << 20));
  }, burrowError('ENOMEM'));
  assert.ok(blocks.length >= 10, `${blocks.length} blocks of 1 MB in 16 MB`);
  assert.throws(() => rt.slice('f64', { len: 1 << 20 }), burrowError('ENOMEM'));
  assert.throws(() => rt.chan('f64', 1 << 20), burrowError('ENOMEM'));
  const small = rt.alloc(100);
  small.free();
  for (const block of blocks) block.free();
  rt.alloc(8 << 20).free();
  await rt.stop();
});

test('stop() rejects what is pending, and everything later', async () => {
  const rt = await start({ workers: 2 });
  const ch = rt.chan('i32');
  const pending = [ch.recv(), ch.recv(), rt.chan('u8').send(1)];
  const slice = rt.slice('u8', { len: 1 });
  const block = rt.alloc(8);
  const settled = Promise.allSettled(pending);
  await rt.stop();
  for (const { status, reason } of await settled) {
    assert.equal(status, 'rejected');
    assert.equal(reason.code, 'ESTOPPED');
    assert.equal(reason.message, 'the runtime was stopped');
  }
  await assert.rejects(ch.send(1), burrowError('ESTOPPED'));
  await assert.rejects(ch.recv(), burrowError('ESTOPPED'));
  const calls = [
    () => ch.trySend(1), () => ch.tryRecv(), () => ch.close(), () => ch.drop(), () => ch.len, () => ch.cap,
    () => rt.alloc(1), () => rt.chan('i32'), () => rt.slice('i32'), () => rt.open(ch.handle()), () => rt.share(),
    () => rt.where(8), () => rt.sizeClasses(), () => rt.sizeClassOf(8), () => rt.allocStats(), () => rt.memory(),
    () => rt.procStats(0), () => rt.spans(), () => rt.numGoroutine(), () => rt.nextCap('go118', 8, 0, 1),
    () => slice.at(0), () => slice.set(0, 1), () => slice.append(1), () => slice.slice(), () => slice.toArray(),
    () => slice.drop(), () => block.bytes(), () => block.free(), () => block.usable,
  ];
  for (const call of calls) assert.throws(call, burrowError('ESTOPPED'), String(call));
});

test('a stop during the stop of another runtime concerns that one only', async () => {
  const [a, b] = await Promise.all([start({ workers: 1 }), start({ workers: 1 })]);
  const ch = b.chan('i32', 1);
  await a.stop();
  await ch.send(3);
  assert.deepEqual(await ch.recv(), { value: 3, ok: true });
  const foreign = ch.handle();
  const c = await start({ workers: 1 });
  assert.throws(() => c.open(foreign), burrowError('EHANDLE'));
  await Promise.all([b.stop(), c.stop()]);
});

test('start and stop twenty times: no worker stays', async () => {
  const workers = () => process.getActiveResourcesInfo().filter((name) => /worker|messageport/i.test(name)).length;
  const before = workers();
  for (let i = 0; i < 20; i++) {
    const rt = await start({ workers: 2 });
    const ch = rt.chan('i32', 1);
    await ch.send(i);
    assert.equal((await ch.recv()).value, i);
    await rt.stop();
  }
  assert.equal(workers(), before);
});

/** Runs a script in a process of its own; resolves with status and output. */
async function script(text) {
  const index = new URL('../web/dist/index.js', import.meta.url);
  const code = `import * as burrow from ${JSON.stringify(index.href)};\n${text}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (data) => (chunks[name] += data));
  const [status] = await once(child, 'close');
  return { status, ...chunks };
}

test('a script that forgets stop() ends', { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await script(`
    const rt = await burrow.start({ workers: 2 });
    const ch = rt.chan('i32', 1);
    await ch.send(7);
    console.log((await ch.recv()).value);`);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '7\n', stderr: '' });
});

test('a pending operation keeps the process alive, a settled one does not', { timeout: 60_000 }, async () => {
  const peer = new URL('./fixtures/peer.mjs', import.meta.url);
  const { status, stdout, stderr } = await script(`
    import { Worker } from 'node:worker_threads';
    const rt = await burrow.start({ workers: 1 });
    const ch = rt.chan('i32');
    const workerData = { task: 'sendSync', token: rt.share(), handles: { out: ch.handle() }, options: { value: 9 } };
    new Worker(new URL(${JSON.stringify(peer.href)}), { workerData, execArgv: [] }).unref();
    console.log((await ch.recv()).value);`);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '9\n', stderr: '' });
});
