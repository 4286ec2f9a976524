/**
 * Go's runtime for JavaScript: channels and locks that all threads share, slices, and a thread-caching allocator, in one
 * WebAssembly module whose goroutines run on a pool of workers.
 *
 * @packageDocumentation
 */
export { attach, AttachedRuntime } from './attach.js';
export { BaseRuntime, type Token } from './base.js';
export { Block } from './block.js';
export { Chan, type ChanHandle, type Received } from './chan.js';
export { Cond } from './cond.js';
export type { BytesType, ElementType, ElementTypes, InputOf, ValueOf } from './elements.js';
export { BurrowError, type BurrowErrorCode } from './errors.js';
export type { WasmSource } from './load.js';
export { Lock, type LockHandle, type LockKind } from './lock.js';
export type { Locks } from './locks.js';
export { Mutex } from './mutex.js';
export { Once } from './once.js';
export { RWMutex } from './rwmutex.js';
export { Semaphore } from './semaphore.js';
export { Slice, type GrowthRule, type SliceOptions } from './slice.js';
export type { AllocStats, MemoryInfo, ProcStats, SizeClass, Span, SpanObjects, Where } from './stats.js';
export type { BlockOptions, WaitOptions } from './wait.js';
export { WaitGroup } from './waitgroup.js';
export type { WasmExports, WasmMemory, WasmModule } from './wasm-types.js';
export { Runtime, start, type StartOptions } from './start.js';
