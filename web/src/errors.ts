// The package's one error class, and the way from the module's codes to it.

/** What went wrong, for programs. The message says it for people. */
export type BurrowErrorCode =
  /** No memory is left under the memory's maximum. Nothing was changed. */
  | 'ENOMEM'
  /** The runtime refused an argument. */
  | 'EINVAL'
  /** Send on, or close of, a closed channel. */
  | 'ECLOSED'
  /** The time given to an operation is over. */
  | 'ETIMEDOUT'
  /** Not possible on this thread. */
  | 'ENOTSUP'
  /** Not possible now: a token used twice, a runtime that was detached, a lock that is not locked. */
  | 'ESTATE'
  /** A handle that was dropped, never was, or belongs to another runtime. */
  | 'EHANDLE'
  /** The runtime was stopped. */
  | 'ESTOPPED'
  /** The runtime died: a fatal error or an unrecovered panic. `detail` holds all it wrote. */
  | 'EFATAL'
  /** The page is not cross-origin isolated and so may not share memory. */
  | 'EISOLATION'
  /** A file of the package could not be loaded, or a worker not be started. */
  | 'ELOAD';

/**
 * Every failure of the runtime itself. Wrong kinds of argument are `TypeError`s and values out of range
 * `RangeError`s, as everywhere in JavaScript.
 *
 * @example
 * try {
 *   await ch.send(1);
 * } catch (error) {
 *   if (error instanceof BurrowError && error.code === 'ECLOSED') return;
 *   throw error;
 * }
 */
export class BurrowError extends Error {
  override readonly name = 'BurrowError';
  /** What went wrong. */
  readonly code: BurrowErrorCode;
  /** For `EFATAL`: all that the runtime wrote before it died, with the dump of its goroutines. */
  readonly detail: string | undefined;

  constructor(code: BurrowErrorCode, message: string, options?: { cause?: unknown; detail?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options?.detail;
  }
}

/** @internal Codes of `<burrow/error.h>`. */
export const OK = 0;
/** @internal */
export const EAGAIN = -3;
/** @internal */
export const ECLOSED = -4;
/** @internal */
export const ESTATE = -7;
/** @internal */
export const ERANGE = -9;
/** @internal */
export const ECANCELED = -10;

const byCode = new Map<number, [BurrowErrorCode, string]>([
  [-1, ['ENOMEM', 'out of memory']],
  [-2, ['EINVAL', 'invalid argument']],
  [-4, ['ECLOSED', 'channel is closed']],
  [-5, ['ETIMEDOUT', 'the time is over']],
  [-6, ['ENOTSUP', 'not supported on this thread']],
  [-7, ['ESTATE', 'not possible in this state']],
  [-8, ['EHANDLE', 'not a live handle of this runtime']],
]);

/** @internal The error for a negative code; `what` names the operation. */
export function errorOf(code: number, what: string): BurrowError {
  const [name, text] = byCode.get(code) ?? (['EINVAL', `unexpected code ${code}`] as const);
  return new BurrowError(name, `${what}: ${text}`);
}

/** @internal A short name for a value in a message. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`;
  return String(value);
}

/** @internal Checks an argument that must be an integer from `low` to `high`. */
export function checkInteger(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${describe(value)}`);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`${name} must be an integer from ${low} to ${high}, not ${value}`);
  }
  return value;
}
