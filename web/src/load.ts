// From what the caller gave to a compiled module and the limits of its memory.
import { BurrowError, describe } from './errors.js';
import { readLimits, usualLimits, type Limits } from './memory.js';
import { inNode, nodeModule } from './platform.js';
import type { WasmModule } from './wasm-types.js';

/** Where a module comes from: its address, a path (Node), its bytes, or the compiled module. */
export type WasmSource = URL | string | ArrayBuffer | ArrayBufferView | WasmModule;

/** @internal */
export interface Loaded {
  module: WebAssembly.Module;
  limits: Limits;
}

async function readFile(path: URL | string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await nodeModule('node:fs').promises.readFile(path));
}

async function fetchFile(url: URL | string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function read(source: URL | string): Promise<Uint8Array<ArrayBuffer>> {
  const url = typeof source === 'string' && /^[a-z][a-z+.-]+:/i.test(source) ? new URL(source) : source;
  try {
    const isFile = inNode && (typeof url === 'string' || url.protocol === 'file:');
    return await (isFile ? readFile(url) : fetchFile(url));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BurrowError('ELOAD', `cannot load ${source}: ${why}`, { cause });
  }
}

async function bytesOf(source: unknown): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof source === 'string' || source instanceof URL) return read(source);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  }
  throw new TypeError(`wasm must be a URL, a path, bytes or a WebAssembly.Module, not ${describe(source)}`);
}

/** @internal */
export async function load(source: WasmSource | undefined): Promise<Loaded> {
  if (source instanceof WebAssembly.Module) return { module: source, limits: usualLimits };
  const bytes = await bytesOf(source ?? new URL('./burrow.wasm', import.meta.url));
  try {
    return { module: await WebAssembly.compile(bytes), limits: readLimits(bytes) };
  } catch (cause) {
    if (cause instanceof BurrowError) throw cause;
    throw new BurrowError('ELOAD', `this is no WebAssembly module: ${(cause as Error).message}`, { cause });
  }
}
