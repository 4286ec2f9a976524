// The few differences between Node and browsers that are not about starting workers.
//
// Node's modules come from process.getBuiltinModule: no import, static or dynamic, that a bundler
// could stumble over, and it works synchronously on every thread.

interface NodeProcess {
  versions?: { node?: string };
  getBuiltinModule?(name: string): unknown;
  hrtime?: { bigint?(): bigint };
}

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

/** @internal Whether this is Node (or something that is compatible with it). */
export const inNode = Boolean(nodeProcess?.versions?.node && nodeProcess.getBuiltinModule);

/** @internal */
export function nodeModule(name: 'node:fs'): typeof import('node:fs');
export function nodeModule(name: 'node:os'): typeof import('node:os');
export function nodeModule(name: 'node:worker_threads'): typeof import('node:worker_threads');
export function nodeModule(name: string): unknown {
  return nodeProcess!.getBuiltinModule!(name);
}

/** @internal Number of processor cores. */
export function coreCount(): number {
  const count = inNode ? nodeModule('node:os').availableParallelism() : globalThis.navigator?.hardwareConcurrency;
  return Math.max(1, count || 1);
}

/** @internal Whether this is a worker that may sleep in Atomics.wait. */
export function onBlockingThread(): boolean {
  if (inNode && nodeModule('node:worker_threads').isMainThread) return false;
  try {
    // Answers "not-equal" at once; a thread that must not sleep gets a TypeError before anything is compared.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

const origin = BigInt(Math.floor(performance.timeOrigin * 1e6));

/**
 * @internal Nanoseconds on a clock that is the same on every thread, and that C's bw_now reads, too: in Node the
 * process's own, in browsers the page's.
 */
export const nanoseconds: () => bigint =
  (inNode && nodeProcess!.hrtime?.bigint) || (() => origin + BigInt(Math.floor(performance.now() * 1e6)));

/** @internal The same in milliseconds. */
export function now(): number {
  return Number(nanoseconds()) / 1e6;
}

/**
 * @internal Holds Node's event loop open on demand: a promise that only Atomics.waitAsync will settle does not.
 * Browsers need nothing of the kind.
 */
export class KeepAlive {
  #timer: { ref(): void; unref(): void } | undefined;
  #held = false;

  hold(): void {
    if (!inNode || this.#held) return;
    this.#held = true;
    if (this.#timer) this.#timer.ref();
    else this.#timer = setInterval(() => {}, 0x7fffffff) as unknown as { ref(): void; unref(): void };
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#timer!.unref();
  }

  end(): void {
    this.#held = false;
    if (this.#timer) clearInterval(this.#timer as unknown as ReturnType<typeof setInterval>);
    this.#timer = undefined;
  }
}
