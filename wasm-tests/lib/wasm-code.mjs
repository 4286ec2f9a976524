// The functions of a wasm module: names from the module itself, instructions from llvm-objdump.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Reads the binary format: LEB128 numbers, names, sections. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  u32() {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  name() {
    const length = this.u32();
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }

  list(read) {
    return Array.from({ length: this.u32() }, () => read());
  }
}

/** Sections: { id, start, end }; a custom section has a name, and starts after it. */
function sections(bytes) {
  const all = [];
  for (const r = new Reader(bytes, 8); r.at < bytes.length; ) {
    const id = r.bytes[r.at++];
    const end = r.u32() + r.at;
    const name = id === 0 ? r.name() : undefined;
    all.push({ id, name, start: r.at, end });
    r.at = end;
  }
  return all;
}

function functionNames(bytes, section) {
  const names = new Map();
  for (const r = new Reader(bytes, section.start); r.at < section.end; ) {
    const kind = bytes[r.at++];
    const end = r.u32() + r.at;
    if (kind === 1) r.list(() => names.set(r.u32(), r.name()));
    r.at = end;
  }
  return names;
}

/** Where each function's body lies in the file. */
function bodies(bytes, section) {
  const r = new Reader(bytes, section.start);
  return r.list(() => {
    const end = r.u32() + r.at;
    const body = { start: r.at, end };
    r.at = end;
    return body;
  });
}

/**
 * The functions of the module in `file`, by index: { name, code }, code being instructions
 * { op, arg }. A function that is imported has no code. Exports name those that have no other name.
 */
export function readFunctions(file, objdump) {
  const bytes = readFileSync(file);
  const all = sections(bytes);
  const section = (id, name) => all.find((s) => s.id === id && s.name === name);
  const names = functionNames(bytes, section(0, 'name'));
  const module = new WebAssembly.Module(bytes);
  const imported = WebAssembly.Module.imports(module).filter((i) => i.kind === 'function').length;

  const r = new Reader(bytes, section(7).start);
  r.list(() => {
    const name = r.name();
    const kind = bytes[r.at++];
    const index = r.u32();
    if (kind === 0 && !names.has(index)) names.set(index, name);
  });

  const functions = Array.from({ length: imported }, (_, i) => ({ name: names.get(i) ?? `import ${i}` }));
  const places = bodies(bytes, section(10));
  places.forEach((_, i) => functions.push({ name: names.get(imported + i) ?? `function ${imported + i}`, code: [] }));

  const text = execFileSync(objdump, ['-d', '--no-show-raw-insn', file], { maxBuffer: 1 << 28 }).toString();
  let i = 0;
  for (const [, hex, op, arg] of text.matchAll(/^ *([0-9a-f]+): +\t?([a-z][\w.]*) *\t?([^#\n]*)/gm)) {
    const at = parseInt(hex, 16);
    while (at >= places[i].end) i++;
    functions[imported + i].code.push({ op, arg: arg.trim() });
  }
  return functions;
}

/** Indices of all functions that those in `from` call, directly or not, and they themselves. */
export function reachable(functions, from) {
  const seen = new Set(from);
  for (const index of seen)
    for (const { op, arg } of functions[index].code ?? []) if (/^(return_)?call$/.test(op)) seen.add(Number(arg));
  return seen;
}

/** For each `block`, `loop` and `if`: where its `end` is; and of an `if` its `else`. */
function structure(code) {
  const ends = new Map();
  const elses = new Map();
  const open = [];
  code.forEach(({ op }, i) => {
    if (/^(block|loop|if)$/.test(op)) open.push(i);
    else if (op === 'else') elses.set(open.at(-1), i);
    else if (op === 'end' && open.length > 0) ends.set(open.pop(), i);
  });
  return { ends, elses };
}

const COSTS_NOTHING = /^(block|loop|end|else|nop)$/;

/**
 * The most instructions on a way through the function that makes no call and returns; null when
 * there is none. Of a fast path with calls on its slow sides that is the fast path.
 */
export function longestWithoutCall(code) {
  const { ends, elses } = structure(code);
  const from = (i, labels) => {
    for (let count = 0; ; i++) {
      const { op, arg } = code[i] ?? { op: 'return' };
      if (!COSTS_NOTHING.test(op)) count++;
      const plus = (...ways) => {
        const best = Math.max(...ways.map((way) => way ?? -Infinity));
        return best < 0 ? null : count + best;
      };
      if (/call/.test(op) || op === 'unreachable') return null;
      if (op === 'loop' || op === 'br_table') throw new Error(`${op}: not understood here`);
      if (op === 'block' || op === 'if') {
        const end = ends.get(i);
        const inside = [end + 1, ...labels];
        if (op === 'block') labels = inside;
        else {
          const other = elses.has(i) ? from(elses.get(i) + 1, inside) : from(end + 1, labels);
          return plus(from(i + 1, inside), other);
        }
      } else if (op === 'else') {
        return plus(go(labels[0], labels, 0)); // the end of the first part
      } else if (op === 'end') {
        labels = labels.slice(1);
      } else if (op === 'br') {
        return plus(go(labels[Number(arg)], labels, Number(arg)));
      } else if (op === 'br_if') {
        return plus(go(labels[Number(arg)], labels, Number(arg)), from(i + 1, labels));
      } else if (op === 'return') {
        return count;
      }
    }
  };
  // To a label: what it closes is closed. The outermost is the function's own end.
  const go = (at, labels, depth) => (at === undefined ? 0 : from(at, labels.slice(depth + 1)));
  return from(0, []);
}
