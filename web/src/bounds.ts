// Go's bounds checks and Go's words for them.
import { describe } from './errors.js';

function isNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${describe(value)}`);
  if (!Number.isInteger(value)) throw new RangeError(`${name} must be an integer, not ${value}`);
}

/** @internal s[i] */
export function checkIndex(i: number, len: number): void {
  isNumber('index', i);
  if (i < 0) throw new RangeError(`index out of range [${i}]`);
  if (i >= len) throw new RangeError(`index out of range [${i}] with length ${len}`);
}

function outOfRange(what: string): RangeError {
  return new RangeError(`slice bounds out of range ${what}`);
}

/** @internal s[low:high] and s[low:high:max], checked from right to left as Go does. */
export function checkBounds(low: number, high: number, max: number | undefined, cap: number): void {
  isNumber('low', low);
  isNumber('high', high);
  if (max === undefined) {
    if (high < 0) throw outOfRange(`[:${high}]`);
    if (high > cap) throw outOfRange(`[:${high}] with capacity ${cap}`);
    if (low < 0) throw outOfRange(`[${low}:]`);
    if (low > high) throw outOfRange(`[${low}:${high}]`);
    return;
  }
  isNumber('max', max);
  if (max < 0) throw outOfRange(`[::${max}]`);
  if (max > cap) throw outOfRange(`[::${max}] with capacity ${cap}`);
  if (high < 0) throw outOfRange(`[:${high}:]`);
  if (high > max) throw outOfRange(`[:${high}:${max}]`);
  if (low < 0) throw outOfRange(`[${low}::]`);
  if (low > high) throw outOfRange(`[${low}:${high}:]`);
}

/** @internal make([]T, len, cap) */
export function checkMake(len: number, cap: number, size: number): void {
  const largest = Math.floor((2 ** 31 - 1) / size);
  const wrong = (value: number): boolean => !Number.isInteger(value) || value < 0 || value > largest;
  if (typeof len !== 'number') throw new TypeError(`len must be a number, not ${describe(len)}`);
  if (typeof cap !== 'number') throw new TypeError(`cap must be a number, not ${describe(cap)}`);
  if (wrong(len)) throw new RangeError('makeslice: len out of range');
  if (wrong(cap) || cap < len) throw new RangeError('makeslice: cap out of range');
}
