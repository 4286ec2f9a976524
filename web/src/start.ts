import { BaseRuntime } from './base.js';
import { Core } from './core.js';
import { DIED } from './death.js';
import { BurrowError, checkInteger, describe, errorOf } from './errors.js';
import { Instance } from './instance.js';
import { load, type Loaded, type WasmSource } from './load.js';
import { makeMemory, MAX_PAGES, PAGE, type Limits } from './memory.js';
import { coreCount } from './platform.js';
import { Pool } from './pool.js';

/** How to start a runtime. */
export interface StartOptions {
  /** Workers that run goroutines, 1 to 64. Default: one per processor core. */
  workers?: number;
  /** Bytes of a goroutine's stack. Default: 16384. */
  stackSize?: number;
  /** Another build of the module. Default: the package's own `burrow.wasm`. */
  wasm?: WasmSource;
  /** Limit of the shared memory in bytes. Default: 4 GB, or what the system gives. Address space, not memory. */
  maxMemory?: number;
}

const WORKERS_MAX = 64;

/**
 * A running runtime, on the thread that started it.
 *
 * It ends by `stop()`. A Node program that forgets to stop it can end all the same: the workers do not keep the
 * process alive, only operations that are pending do.
 */
export class Runtime extends BaseRuntime {
  readonly #pool: Pool;
  #stopping: Promise<void> | undefined;

  /** @internal */
  constructor(core: Core, pool: Pool) {
    super(core);
    this.#pool = pool;
  }

  /**
   * Ends the runtime on all threads: goroutines stop at their next blocking call, workers end, and every operation
   * that is pending rejects with `ESTOPPED`, also on attached threads and in `sendSync` and `recvSync`. May be called
   * again; settles when the workers are gone.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { core } = this;
    const dead = core.ended();
    core.end(dead ?? new BurrowError('ESTOPPED', 'the runtime was stopped'));
    if (dead) return this.#pool.terminate();
    const { exports, instance } = core;
    exports.bw_js_stop();
    const allLeft = await this.#pool.finish();
    if (instance.death.state === DIED) return;
    instance.death.stopped();
    exports.bw_js_wake_agents();
    // Else some thread may be in the middle of a call, or was ended there with a lock in its hands.
    if (this.alone && allLeft) exports.bw_js_close();
  }

  /** @internal The runtime died, here or on a worker. */
  died(): void {
    this.core.end(this.core.instance.death.error() ?? new BurrowError('EFATAL', 'the runtime died'));
    void this.#pool.terminate();
  }
}

function checkIsolation(): void {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (typeof SharedArrayBuffer !== 'undefined' && isolated !== false) return;
  throw new BurrowError(
    'EISOLATION',
    'this page may not share memory between threads. Serve it with the headers ' +
      '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp".',
  );
}

function limitMemory(limits: Limits, maxMemory: number | undefined): Limits {
  if (maxMemory === undefined) return limits;
  checkInteger('maxMemory', maxMemory, limits.initial * PAGE, MAX_PAGES * PAGE);
  return { initial: limits.initial, maximum: Math.min(limits.maximum, Math.floor(maxMemory / PAGE)) };
}

function makeThreads(instance: Instance, count: number): number[] {
  return Array.from({ length: count }, () => {
    const thread = instance.exports.bw_js_thread_make() >>> 0;
    if (thread === 0) throw new BurrowError('ENOMEM', 'out of memory for the workers');
    return thread;
  });
}

async function open({ module, limits }: Loaded, workers: number, stackSize: number): Promise<Runtime> {
  const { memory, maxBytes } = makeMemory(limits);
  const instance = await Instance.first(module, memory);
  const code = instance.exports.bw_js_open(workers, stackSize);
  if (code < 0) throw errorOf(code, 'start');
  const core = new Core(instance, { id: crypto.randomUUID(), workers, maxBytes });
  const threads = makeThreads(instance, workers);
  let runtime: Runtime | undefined;
  const died = (text: string): void => {
    instance.death.died(text); // keeps the first message: usually the worker has written it
    runtime?.died();
  };
  const pool = await Pool.start(module, memory, threads, died);
  runtime = new Runtime(core, pool);
  instance.onDeath = () => runtime.died();
  return runtime;
}

/**
 * Starts a runtime: loads the module and a pool of workers. Do it once and keep it; a worker takes 20 to 30 ms to
 * start and some megabytes.
 *
 * In a browser the page must be cross-origin isolated (`EISOLATION` otherwise).
 *
 * @example
 * import { start } from 'burrow-runtime';
 *
 * const rt = await start({ workers: 4 });
 * const ch = rt.chan('i32', 8);
 * await ch.send(42);
 * console.log(await ch.recv()); // { value: 42, ok: true }
 * await rt.stop();
 */
export async function start(options: StartOptions = {}): Promise<Runtime> {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`start() takes an object with options, not ${describe(options)}`);
  }
  const workers = checkInteger('workers', options.workers ?? Math.min(coreCount(), WORKERS_MAX), 1, WORKERS_MAX);
  const stackSize = checkInteger('stackSize', options.stackSize ?? 0, 0, 2 ** 30);
  checkIsolation();
  const { module, limits } = await load(options.wasm);
  return open({ module, limits: limitMemory(limits, options.maxMemory) }, workers, stackSize);
}
