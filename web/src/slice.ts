import { checkBounds, checkIndex, checkMake } from './bounds.js';
import type { Core } from './core.js';
import { elementOf, sameType, type Element, type ElementType, type InputOf, type ValueOf } from './elements.js';
import { checkInteger, describe } from './errors.js';

/**
 * How an append that does not fit chooses the new capacity, before that is rounded up to a size class: `go118` as Go
 * does since 1.18 (double below 256, then smoothly down to 1.25 times), `classic` as before (double below 1024, then
 * 1.25 times).
 */
export type GrowthRule = 'go118' | 'classic';

/** How to make a slice. */
export interface SliceOptions {
  /** Elements, all zero. Default 0. */
  len?: number;
  /** Elements that fit without growing. Default: as many as `len`. */
  cap?: number;
  /** How `append` grows this slice and those made from it. Default `go118`. */
  rule?: GrowthRule;
}

const rules: Record<GrowthRule, number> = { go118: 0, classic: 1 };

/** @internal */
export function ruleNumber(rule: GrowthRule): number {
  if (typeof rule === 'string' && Object.hasOwn(rules, rule)) return rules[rule];
  throw new TypeError(`a growth rule is 'go118' or 'classic', not ${describe(rule)}`);
}

/** @internal */
export function nextCap(core: Core, rule: GrowthRule, elemSize: number, oldCap: number, needed: number): number {
  core.check();
  const number = ruleNumber(rule);
  checkInteger('elemSize', elemSize, 0, 2 ** 31 - 1);
  checkInteger('oldCap', oldCap, 0, 2 ** 31 - 1);
  checkInteger('needed', needed, oldCap, 2 ** 31 - 1);
  const cap = core.exports.bw_js_slice_next_cap(number, elemSize, oldCap, needed);
  if (cap < 0) throw new RangeError('growslice: len out of range');
  return cap;
}

// A slice that nobody can reach any more is dropped. That may come late or never: drop() does it at once.
const forgotten = new FinalizationRegistry<{ core: Core; id: number }>(({ core, id }) => {
  if (!core.ended()) core.exports.bw_js_slice_drop(id);
});

/**
 * A slice as in Go: pointer, length and capacity over a backing array in the shared memory. A Slice object never
 * changes; `append` and `slice` give new ones, which may share the array. A write through one is seen through the
 * others. The array is freed when the last slice over it is dropped, by `drop()` or by JavaScript's collector.
 *
 * @example
 * let s = rt.slice('i32', { len: 0, cap: 4 });
 * s = s.append(1, 2, 3);
 * const tail = s.slice(1);   // shares the array
 * tail.set(0, 20);
 * s.toArray();               // [1, 20, 3]
 */
export class Slice<T extends ElementType> implements Iterable<ValueOf<T>> {
  readonly #core: Core;
  readonly #id: number;
  readonly #type: T;
  readonly #element: Element;
  readonly #rule: GrowthRule;
  readonly #ptr: number;
  readonly #len: number;
  readonly #cap: number;
  #dropped = false;

  private constructor(core: Core, id: number, type: T, element: Element, rule: GrowthRule) {
    this.#core = core;
    this.#id = id;
    this.#type = type;
    this.#element = element;
    this.#rule = rule;
    const [ptr, len, cap] = core.with(24, (at) => {
      core.need(core.exports.bw_js_slice_info(id, at), 'slice');
      return [core.heap.u32(at), core.heap.u32(at + 4), core.heap.u32(at + 8)] as const;
    });
    this.#ptr = ptr;
    this.#len = len;
    this.#cap = cap;
    forgotten.register(this, { core, id }, this);
  }

  /** @internal */
  static make<T extends ElementType>(core: Core, type: T, options: SliceOptions = {}): Slice<T> {
    core.check();
    const element = elementOf(type);
    const { len = 0, cap = len, rule = 'go118' } = options;
    ruleNumber(rule);
    checkMake(len, cap, element.size);
    const id = core.need(core.exports.bw_js_slice_make(element.size, len, cap), 'slice');
    return new Slice(core, id, type, element, rule);
  }

  /** Number of elements. */
  get len(): number {
    return this.#len;
  }

  /** Elements from the beginning of the slice to the end of its array's part. */
  get cap(): number {
    return this.#cap;
  }

  /** Address of element 0. */
  get ptr(): number {
    return this.#ptr;
  }

  /** The type of its elements. */
  get type(): T {
    return this.#type;
  }

  /**
   * Go's append: a new slice with `values` behind the end. They go into the same array while its capacity
   * allows, where other slices may see them, else into a new, larger one.
   */
  append(...values: InputOf<T>[]): Slice<T> {
    return this.#append(this.#rule, values);
  }

  /** `append` with another growth rule, which the new slice keeps. */
  appendWith(options: { rule: GrowthRule }, ...values: InputOf<T>[]): Slice<T> {
    return this.#append(options.rule, values);
  }

  #append(rule: GrowthRule, values: InputOf<T>[]): Slice<T> {
    const core = this.#core;
    const { size } = this.#element;
    core.check();
    const number = ruleNumber(rule);
    for (const value of values) this.#element.check(value);
    if ((this.#len + values.length) * size > 2 ** 31 - 1) throw new RangeError('growslice: len out of range');
    const id = core.with(values.length * size, (at) => {
      const view = core.heap.view(at, values.length * size);
      values.forEach((value, i) => this.#element.write(view, at + i * size, value as never));
      return core.need(core.exports.bw_js_slice_append(this.#id, at, values.length, number), 'append');
    });
    return new Slice(core, id, this.#type, this.#element, rule);
  }

  /**
   * s[low:high], or s[low:high:max] to limit the capacity: a slice that shares the array. `high` may go up to the
   * capacity. Throws a RangeError in Go's words.
   */
  slice(low = 0, high = this.#len, max?: number): Slice<T> {
    const core = this.#core;
    core.check();
    checkBounds(low, high, max, this.#cap);
    const id = core.need(core.exports.bw_js_slice_slice(this.#id, low, high, max ?? -1), 'slice');
    return new Slice(core, id, this.#type, this.#element, this.#rule);
  }

  /** Element `i`. */
  at(i: number): ValueOf<T> {
    checkIndex(i, this.#len);
    return this.#element.read(this.#view(), this.#ptr + i * this.#element.size) as ValueOf<T>;
  }

  /** Sets element `i`. */
  set(i: number, value: InputOf<T>): void {
    checkIndex(i, this.#len);
    this.#element.check(value);
    this.#element.write(this.#view(), this.#ptr + i * this.#element.size, value as never);
  }

  /** A copy of the elements. */
  toArray(): ValueOf<T>[] {
    return [...this];
  }

  /** Go's copy: as many elements as both have, overlap allowed. Returns how many. */
  copyFrom(other: Slice<T>): number {
    if (!(other instanceof Slice)) throw new TypeError(`copyFrom() takes a Slice, not ${describe(other)}`);
    if (!sameType(this.#type, other.#type)) throw new TypeError('copyFrom() takes a slice of the same element type');
    if (other.#core !== this.#core) throw new TypeError('copyFrom() takes a slice of the same runtime');
    this.#core.check();
    return this.#core.need(this.#core.exports.bw_js_slice_copy(this.#id, other.#id), 'copyFrom');
  }

  /** A fresh view of the elements' bytes. Make a new one after each `await`. */
  bytes(): Uint8Array {
    this.#view();
    return this.#core.heap.bytes(this.#ptr, this.#len * this.#element.size);
  }

  *[Symbol.iterator](): Generator<ValueOf<T>, void, undefined> {
    for (let i = 0; i < this.#len; i++) yield this.at(i);
  }

  /** Gives the slice up. The array goes with the last slice over it. */
  drop(): void {
    this.#core.check();
    forgotten.unregister(this);
    this.#core.need(this.#core.exports.bw_js_slice_drop(this.#id), 'drop');
    this.#dropped = true;
  }

  // Memory of a dropped slice may be somebody else's: reads and writes go through here.
  #view(): DataView {
    this.#core.check();
    if (this.#dropped) this.#core.need(-8, 'slice');
    return this.#core.heap.view(this.#ptr, this.#len * this.#element.size);
  }
}
