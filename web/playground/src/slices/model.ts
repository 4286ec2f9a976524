// The panel's slices: named values, as variables in Go are, and what was done with them.
import type { GrowthRule, Slice } from 'burrow-runtime';
import { host } from '../app/host.ts';

export const elementTypes = ['i64', 'i32', 'u8', 'f64'] as const;
export type ElementType = (typeof elementTypes)[number];
export const goNames: Record<ElementType, string> = { i64: 'int64', i32: 'int32', u8: 'uint8', f64: 'float64' };
export const elementBytes: Record<ElementType, number> = { i64: 8, i32: 4, u8: 1, f64: 8 };

type Value = number | bigint;

export interface Variable {
  name: string;
  type: ElementType;
  rule: GrowthRule;
  slice: Slice<ElementType>;
}

export interface LogLine {
  code: string;
  note: string;
}

const maxVariables = 40;
const logLimit = 200;

export class SlicesModel {
  variables: Variable[] = [];
  log: LogLine[] = [];
  #names = 0;

  reset(): void {
    this.variables = [];
    this.log = [];
    this.#names = 0;
  }

  find(name: string): Variable {
    const found = this.variables.find((variable) => variable.name === name);
    if (!found) throw new Error('make a slice first');
    return found;
  }

  make(type: ElementType, len: number, cap: number, rule: GrowthRule): Variable {
    const slice = host.runtime.slice(type, { len, cap, rule });
    const made = this.#declare(type, rule, slice);
    this.#note(`${made.name} := make([]${goNames[type]}, ${len}${cap === len ? '' : `, ${cap}`})`, shape(slice));
    return made;
  }

  // Go's append. Into the same variable (s = append(s, ...)) or into a new one, which may share the array.
  append(to: Variable, values: Value[], oneByOne: boolean, intoNew: boolean): Variable {
    let now = to.slice;
    const caps = [now.cap];
    const batches = oneByOne ? values.map((value) => [value]) : [values];
    for (const batch of batches) {
      const next = append(now, batch);
      if (now !== to.slice) now.drop();
      now = next;
      if (now.cap !== caps.at(-1)) caps.push(now.cap);
    }
    const result = intoNew ? this.#declare(to.type, to.rule, now) : to;
    if (!intoNew && now !== to.slice) {
      to.slice.drop();
      to.slice = now;
    }
    const list = values.length > 6 ? `${values.slice(0, 3).join(', ')}, … ${values.at(-1)}` : values.join(', ');
    const times = oneByOne && values.length > 1 ? 'one at a time; ' : '';
    const steps = caps.length > 1 ? `cap ${caps.join(' → ')}` : 'it fits: same array';
    this.#note(`${result.name} ${intoNew ? ':' : ''}= append(${to.name}, ${list})`, `${times}${shape(now)}; ${steps}`);
    return result;
  }

  slice(of: Variable, low: number, high: number, max?: number): Variable {
    const view = of.slice.slice(low, high, max);
    const made = this.#declare(of.type, of.rule, view);
    this.#note(
      `${made.name} := ${of.name}[${low}:${high}${max === undefined ? '' : `:${max}`}]`,
      `${shape(view)}; the same array`,
    );
    return made;
  }

  set(on: Variable, index: number, value: Value): void {
    on.slice.set(index, value);
    this.#note(`${on.name}[${index}] = ${value}`, '');
  }

  read(from: Variable, index: number): Value {
    const value = from.slice.at(index) as Value;
    this.#note(`${from.name}[${index}]`, `is ${value}`);
    return value;
  }

  drop(variable: Variable): void {
    variable.slice.drop();
    this.variables = this.variables.filter((other) => other !== variable);
    this.#note(`// ${variable.name} is gone`, 'its array is freed when no slice is left on it');
  }

  #declare(type: ElementType, rule: GrowthRule, slice: Slice<ElementType>): Variable {
    if (this.variables.length >= maxVariables) {
      slice.drop();
      throw new RangeError(`there are ${maxVariables} slices already; drop one first`);
    }
    const n = this.#names++;
    const name = String.fromCharCode(97 + (n % 26)) + (n < 26 ? '' : Math.floor(n / 26) + 1);
    const made = { name, type, rule, slice };
    this.variables.push(made);
    return made;
  }

  #note(code: string, note: string): void {
    this.log.push({ code, note });
    if (this.log.length > logLimit) this.log.shift();
  }
}

function append(slice: Slice<ElementType>, values: Value[]): Slice<ElementType> {
  return slice.append(...values);
}

const shape = (slice: Slice<ElementType>): string => `len ${slice.len} cap ${slice.cap}`;

// "1, 2 3" -> values of the element type. i64 takes bigints, everything else numbers.
export function parseValues(words: string, type: ElementType): Value[] {
  const parts = words.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length === 0) throw new SyntaxError('give one value or more, for example 1, 2, 3');
  return parts.map((part) => parseValue(part, type));
}

export function parseValue(part: string, type: ElementType): Value {
  const whole = /^[+-]?\d+$/.test(part.trim());
  if (!whole && (type !== 'f64' || !Number.isFinite(Number(part)) || part.trim() === '')) {
    throw new SyntaxError(`${part || 'nothing'} is not a value of type ${goNames[type]}`);
  }
  return type === 'i64' ? BigInt(part.trim()) : Number(part);
}
