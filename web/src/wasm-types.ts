// WebAssembly's types come with TypeScript's DOM library, which a program for Node need not have. Asked for
// in this way they are what that library says where it is there, and opaque objects elsewhere.

/** `WebAssembly.Module`. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object;

/** `WebAssembly.Memory`. */
export type WasmMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer M } } }
  ? M
  : { readonly buffer: ArrayBufferLike };

/** What a module exports, by name. */
export type WasmExports = Readonly<Record<string, unknown>>;
