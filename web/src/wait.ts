// How an operation on a lock waits: as a promise, which a signal or a timeout ends, or asleep.
//
// `begin` starts the operation: its code is OK, EAGAIN when it is pending under the key, or an error. An operation
// that has ended before it could be taken back has happened: a promise that was aborted too late resolves.
import type { Core } from './core.js';
import { BurrowError, describe, EAGAIN, ECANCELED, errorOf, OK } from './errors.js';
import { now } from './platform.js';

/** For operations that may wait. */
export interface WaitOptions {
  /** Milliseconds until the operation is given up: it rejects with `ETIMEDOUT`. 0: now or never. */
  timeout?: number;
  /** Gives the operation up when it is aborted: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** For operations that may block the thread. */
export interface BlockOptions {
  /** Milliseconds until the operation is given up: it throws `ETIMEDOUT`. 0: now or never. */
  timeout?: number;
}

type Begin = (key: number) => number;

const TIMER_MAX = 2 ** 31 - 1; // of setTimeout, in ms: 24 days

function checkOptions(options: unknown): WaitOptions {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`the options must be an object, not ${describe(options)}`);
  }
  const { timeout, signal } = options as WaitOptions;
  if (timeout !== undefined && typeof timeout !== 'number') {
    throw new TypeError(`timeout must be a number, not ${describe(timeout)}`);
  }
  if (timeout !== undefined && !(timeout >= 0)) throw new RangeError(`timeout must not be negative, and is ${timeout}`);
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError(`signal must be an AbortSignal, not ${describe(signal)}`);
  }
  return options;
}

function timedOut(name: string, timeout: number): BurrowError {
  return new BurrowError('ETIMEDOUT', `${name}: not within ${timeout} ms`);
}

/** @internal */
export function wait(core: Core, name: string, begin: Begin, options?: WaitOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const { timeout = Infinity, signal } = checkOptions(options);
    core.check();
    signal?.throwIfAborted();
    const key = core.key();
    const code = begin(key);
    if (code === OK) return resolve();
    if (code !== EAGAIN) throw errorOf(code, name);

    const op = core.lastOp();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let reason: unknown;
    const forget = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const giveUp = (why: unknown): void => {
      reason = why;
      forget();
      if (core.cancel(key, op)) reject(why);
    };
    const abort = (): void => giveUp(signal!.reason);

    const done = (end: number): void => {
      forget();
      if (end === OK) resolve();
      else reject(end === ECANCELED ? reason : errorOf(end, name));
    };
    const failed = (error: BurrowError): void => {
      forget();
      reject(error);
    };
    core.expect(key, { done, failed });
    signal?.addEventListener('abort', abort);
    if (timeout === 0) giveUp(timedOut(name, timeout));
    else if (timeout <= TIMER_MAX) timer = setTimeout(() => giveUp(timedOut(name, timeout)), timeout);
  });
}

/** @internal `tryAgain`: see Pending. */
export function waitSync(core: Core, name: string, begin: Begin, options?: BlockOptions, tryAgain?: (op: number) => void): void {
  core.checkMayBlock(name);
  const { timeout = Infinity } = checkOptions(options);
  core.check();
  const key = core.key();
  const code = begin(key);
  if (code === OK) return;
  if (code !== EAGAIN) throw errorOf(code, name);
  const came: { end: number | BurrowError } = { end: ECANCELED };
  const done = (end: number): void => void (came.end = end);
  const failed = (error: BurrowError): void => void (came.end = error);
  core.blockUntil(key, { done, failed, tryAgain }, timeout === Infinity ? Infinity : now() + timeout);
  const { end } = came;
  if (end === ECANCELED) throw timedOut(name, timeout);
  if (end !== OK) throw typeof end === 'number' ? errorOf(end, name) : end;
}

/** @internal Calls `fn` and then `release`, on every way out; nothing is to be released when the runtime has ended. */
export async function releasing<R>(core: Core, release: () => void, fn: () => R): Promise<Awaited<R>> {
  try {
    return await fn();
  } finally {
    if (!core.ended()) release();
  }
}

/** @internal */
export function releasingSync<R>(core: Core, release: () => void, fn: () => R): R {
  try {
    return fn();
  } finally {
    if (!core.ended()) release();
  }
}
