// The types of values in channels and slices: how large they are, which JavaScript values they take, and
// how these get into memory and out again.
import { describe } from './errors.js';

/** The JavaScript type of each element type. */
export interface ElementTypes {
  i8: number;
  u8: number;
  i16: number;
  u16: number;
  i32: number;
  u32: number;
  i64: bigint;
  u64: bigint;
  f32: number;
  f64: number;
  bool: boolean;
}

/** A run of bytes of fixed length, for structs and small messages: `{ bytes: 24 }`. */
export interface BytesType {
  readonly bytes: number;
}

/** The type of a channel's or slice's elements. */
export type ElementType = keyof ElementTypes | BytesType;

/** What comes out. */
export type ValueOf<T extends ElementType> = T extends keyof ElementTypes ? ElementTypes[T] : Uint8Array;

/** What goes in: 64-bit integers may also be given as numbers that are safe integers. */
export type InputOf<T extends ElementType> = T extends 'i64' | 'u64' ? bigint | number : ValueOf<T>;

/** @internal */
export interface Element {
  readonly size: number;
  /** Throws unless `value` fits. */
  check(value: unknown): void;
  /** Writes a value that was checked. */
  write(view: DataView, at: number, value: never): void;
  read(view: DataView, at: number): unknown;
}

const LARGEST = 65535; // bytes; Go's limit for channel elements

function integer(name: string, size: number, low: number, high: number): Pick<Element, 'size' | 'check'> {
  const check = (value: unknown): void => {
    if (typeof value !== 'number') throw new TypeError(`${name} takes a number, not ${describe(value)}`);
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new RangeError(`${value} is no ${name}: an integer from ${low} to ${high}`);
    }
  };
  return { size, check };
}

function bigInteger(name: string, low: bigint, high: bigint): Pick<Element, 'size' | 'check'> {
  const check = (value: unknown): void => {
    if (typeof value !== 'bigint' && typeof value !== 'number') {
      throw new TypeError(`${name} takes a bigint or a number, not ${describe(value)}`);
    }
    const fits = typeof value === 'bigint' || Number.isSafeInteger(value);
    if (!fits || value < low || value > high) {
      throw new RangeError(`${value} is no ${name}: an integer from ${low} to ${high} (as a bigint beyond 2 ** 53)`);
    }
  };
  return { size: 8, check };
}

function float(name: string, size: number): Pick<Element, 'size' | 'check'> {
  const check = (value: unknown): void => {
    if (typeof value !== 'number') throw new TypeError(`${name} takes a number, not ${describe(value)}`);
  };
  return { size, check };
}

const named: Record<keyof ElementTypes, Element> = {
  i8: {
    ...integer('i8', 1, -128, 127),
    write: (view, at, value) => view.setInt8(at, value),
    read: (view, at) => view.getInt8(at),
  },
  u8: {
    ...integer('u8', 1, 0, 255),
    write: (view, at, value) => view.setUint8(at, value),
    read: (view, at) => view.getUint8(at),
  },
  i16: {
    ...integer('i16', 2, -32768, 32767),
    write: (view, at, value) => view.setInt16(at, value, true),
    read: (view, at) => view.getInt16(at, true),
  },
  u16: {
    ...integer('u16', 2, 0, 65535),
    write: (view, at, value) => view.setUint16(at, value, true),
    read: (view, at) => view.getUint16(at, true),
  },
  i32: {
    ...integer('i32', 4, -(2 ** 31), 2 ** 31 - 1),
    write: (view, at, value) => view.setInt32(at, value, true),
    read: (view, at) => view.getInt32(at, true),
  },
  u32: {
    ...integer('u32', 4, 0, 2 ** 32 - 1),
    write: (view, at, value) => view.setUint32(at, value, true),
    read: (view, at) => view.getUint32(at, true),
  },
  i64: {
    ...bigInteger('i64', -(2n ** 63n), 2n ** 63n - 1n),
    write: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
    read: (view, at) => view.getBigInt64(at, true),
  },
  u64: {
    ...bigInteger('u64', 0n, 2n ** 64n - 1n),
    write: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
    read: (view, at) => view.getBigUint64(at, true),
  },
  f32: {
    ...float('f32', 4),
    write: (view, at, value) => view.setFloat32(at, value, true),
    read: (view, at) => view.getFloat32(at, true),
  },
  f64: {
    ...float('f64', 8),
    write: (view, at, value) => view.setFloat64(at, value, true),
    read: (view, at) => view.getFloat64(at, true),
  },
  bool: {
    size: 1,
    check: (value) => {
      if (typeof value !== 'boolean') throw new TypeError(`bool takes a boolean, not ${describe(value)}`);
    },
    write: (view, at, value) => view.setUint8(at, value ? 1 : 0),
    read: (view, at) => view.getUint8(at) !== 0,
  },
};

function bytes(size: number): Element {
  return {
    size,
    check: (value) => {
      if (!(value instanceof Uint8Array)) throw new TypeError(`bytes take a Uint8Array, not ${describe(value)}`);
      if (value.length !== size) throw new RangeError(`${value.length} bytes given where elements have ${size}`);
    },
    write: (view, at, value) => new Uint8Array(view.buffer, at, size).set(value),
    read: (view, at) => new Uint8Array(new Uint8Array(view.buffer, at, size)), // a copy
  };
}

/** @internal The element type of this name, as JavaScript gave it. */
export function elementOf(type: ElementType): Element {
  if (typeof type === 'string' && Object.hasOwn(named, type)) return named[type];
  const size = typeof type === 'object' && type !== null ? type.bytes : undefined;
  if (typeof size !== 'number') {
    const names = Object.keys(named).join(', ');
    throw new TypeError(`${describe(type)} is no element type: use ${names} or { bytes: n }`);
  }
  if (!Number.isInteger(size) || size < 1 || size > LARGEST) {
    throw new RangeError(`an element has 1 to ${LARGEST} bytes, not ${size}`);
  }
  return bytes(size);
}

/** @internal Whether two element types are the same. */
export function sameType(a: ElementType, b: ElementType): boolean {
  return typeof a === 'object' && typeof b === 'object' ? a.bytes === b.bytes : a === b;
}
