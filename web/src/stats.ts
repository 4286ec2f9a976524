// The runtime's numbers, as plain objects.
import type { Core } from './core.js';
import { checkInteger, ERANGE } from './errors.js';

/** What the allocator holds, tier by tier; in bytes unless the name says otherwise. */
export interface AllocStats {
  /** Asked of the system so far. */
  systemBytes: number;
  /** Times memory was grown. */
  systemCalls: number;
  /** Given back to the system: nothing on WebAssembly. */
  releasedBytes: number;
  /** Free spans of the page heap. */
  heapFreeBytes: number;
  heapFreeSpans: number;
  /** Spans in use. */
  heapUsedBytes: number;
  heapSplits: number;
  heapCoalesces: number;
  /** Free objects in the central lists. */
  centralFreeBytes: number;
  /** Batches taken from and returned to the central lists. */
  centralFetches: number;
  centralReturns: number;
  /** Free objects in the threads' caches. */
  cacheFreeBytes: number;
  cacheHits: number;
  cacheMisses: number;
  /** Live thread caches. */
  caches: number;
  /** In use by the program, by usable size. */
  liveBytes: number;
  /** Of these, in large objects. */
  largeBytes: number;
  mallocs: number;
  frees: number;
  /** The allocator's own records. */
  metadataBytes: number;
  /** Linear memory: its size, what of it has been handed out, the most that it may become. */
  virtualBytes: number;
  residentBytes: number;
  maxBytes: number;
  /** The soft limit that C code has set; 0: none. */
  limitBytes: number;
  /** The most that `systemBytes - releasedBytes`, and `heapUsedBytes`, ever were. */
  peakSystemBytes: number;
  peakUsedBytes: number;
  /** First-class heaps, which C code makes: how many, what they hold, what of that is in use. */
  heaps: number;
  heapsBytes: number;
  heapsLiveBytes: number;
}

/** Linear memory: its size, what of it has been handed out, and its limit. */
export interface MemoryInfo {
  virtualBytes: number;
  residentBytes: number;
  maxBytes: number;
}

/** What one processor has done since the start. */
export interface ProcStats {
  /** Times it took a goroutine and ran it. */
  runs: number;
  /** Of these, goroutines that had last run elsewhere. */
  migrations: number;
  /** Goroutines started by code that ran here. */
  spawns: number;
  /** Goroutines that blocked here. */
  parks: number;
  yields: number;
  /** Times its thread went to sleep for want of work. */
  sleeps: number;
}

/** A row of the size-class table. Class 0 stands for large objects and is all zeros. */
export interface SizeClass {
  index: number;
  /** Bytes an object. */
  size: number;
  /** Bytes a span. */
  spanBytes: number;
  /** Objects a span. */
  objects: number;
  /** Bytes at a span's end that no object uses. */
  tailWaste: number;
  /** Largest possible waste, in percent of the span. */
  maxWaste: number;
}

/** Where an address lies. */
export interface Where {
  spanStart: number;
  spanBytes: number;
  /** 0: a large object with a span of its own. */
  sizeClass: number;
  /** Usable bytes. */
  objectSize: number;
  /** Place in the span. */
  objectIndex: number;
  /** Objects a span of this class holds. */
  spanObjects: number;
  /** Of these, those that are not in the central free list. */
  spanInUse: number;
}

/** A span: a run of pages that serves one size class or one large object, or is free. */
export interface Span {
  start: number;
  bytes: number;
  /** 0: a large object; -1: free. */
  sizeClass: number;
  objects: number;
  inUse: number;
}

/**
 * The objects of one span, in the order of their addresses. What other threads allocate or free at the same time may
 * be in either state.
 */
export interface SpanObjects {
  start: number;
  /** Bytes an object. */
  objectSize: number;
  /** `unused`: not made yet; `free`: in the span's list or in a cache. */
  states: ('unused' | 'free' | 'inUse')[];
}

const allocStatsNames = [
  'systemBytes', 'systemCalls', 'releasedBytes',
  'heapFreeBytes', 'heapFreeSpans', 'heapUsedBytes', 'heapSplits', 'heapCoalesces',
  'centralFreeBytes', 'centralFetches', 'centralReturns',
  'cacheFreeBytes', 'cacheHits', 'cacheMisses', 'caches',
  'liveBytes', 'largeBytes', 'mallocs', 'frees', 'metadataBytes',
  'virtualBytes', 'residentBytes', 'maxBytes', 'limitBytes',
  'peakSystemBytes', 'peakUsedBytes',
  'heaps', 'heapsBytes', 'heapsLiveBytes',
] as const satisfies readonly (keyof AllocStats)[];
const memoryNames = ['virtualBytes', 'residentBytes', 'maxBytes'] as const;
const procStatsNames = ['runs', 'migrations', 'spawns', 'parks', 'yields', 'sleeps'] as const;
const whereNames = [
  'spanStart', 'spanBytes', 'sizeClass', 'objectSize', 'objectIndex', 'spanObjects', 'spanInUse',
] as const;

function record<N extends string>(names: readonly N[], values: number[]): Record<N, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<N, number>;
}

function words64<N extends string>(core: Core, names: readonly N[], fill: (at: number) => number): Record<N, number> {
  core.check();
  return core.with(names.length * 8, (at) => {
    fill(at);
    return record(names, core.heap.u64s(at, names.length));
  });
}

/** @internal */
export function allocStats(core: Core): AllocStats {
  const stats = words64(core, allocStatsNames, (at) => core.exports.bw_js_alloc_stats(at));
  return { ...stats, maxBytes: core.facts.maxBytes }; // which the module cannot know
}

/** @internal */
export function memoryInfo(core: Core): MemoryInfo {
  const info = words64(core, memoryNames, (at) => core.exports.bw_js_memory(at));
  return { ...info, maxBytes: core.facts.maxBytes }; // which the module cannot know
}

/** @internal */
export function procStats(core: Core, index: number): ProcStats {
  checkInteger('index', index, 0, core.facts.workers - 1);
  return words64(core, procStatsNames, (at) => core.exports.bw_js_proc_stats(index, at));
}

/** @internal */
export function where(core: Core, ptr: number): Where | undefined {
  core.check();
  checkInteger('ptr', ptr, 0, 2 ** 32 - 1);
  return core.with(whereNames.length * 4, (at) => {
    if (core.exports.bw_js_where(ptr, at) === ERANGE) return undefined;
    return record(whereNames, whereNames.map((_, i) => core.heap.u32(at + i * 4)));
  });
}

/** @internal */
export function sizeClasses(core: Core): SizeClass[] {
  core.check();
  const { exports, heap } = core;
  const row = (index: number) => (at: number): SizeClass => {
    core.need(exports.bw_js_size_class(index, at), 'sizeClasses');
    return {
      index,
      size: heap.u32(at),
      spanBytes: heap.u32(at + 4),
      objects: heap.u32(at + 8),
      tailWaste: heap.u32(at + 12),
      maxWaste: heap.u32(at + 16) / 100,
    };
  };
  return Array.from({ length: exports.bw_js_size_class_count() }, (_, index) => core.with(20, row(index)));
}

/** @internal */
export function sizeClassOf(core: Core, size: number): number {
  core.check();
  return core.exports.bw_js_size_class_of(checkInteger('size', size, 0, 2 ** 32 - 1));
}

const SPAN_BYTES = 20;

/** @internal */
export function spans(core: Core): Span[] {
  core.check();
  const { exports, heap } = core;
  for (let max = 1024; ; max *= 4) {
    const found = core.with(max * SPAN_BYTES, (at) => {
      const count = exports.bw_js_walk(at, max);
      if (count === max) return undefined; // perhaps there are more
      return Array.from({ length: count }, (_, i): Span => {
        const base = at + i * SPAN_BYTES;
        return {
          start: heap.u32(base),
          bytes: heap.u32(base + 4),
          sizeClass: heap.i32(base + 8),
          objects: heap.u32(base + 12),
          inUse: heap.u32(base + 16),
        };
      });
    });
    if (found) return found;
  }
}

const objectStates = ['unused', 'free', 'inUse'] as const;
const OBJECTS_HEAD = 12;
const OBJECTS_MOST = 1024;

/** @internal */
export function objects(core: Core, ptr: number): SpanObjects | undefined {
  core.check();
  checkInteger('ptr', ptr, 0, 2 ** 32 - 1);
  const { exports, heap } = core;
  return core.with(OBJECTS_HEAD + OBJECTS_MOST, (at) => {
    if (exports.bw_js_objects(ptr, at) === ERANGE) return undefined;
    const states = heap.bytes(at + OBJECTS_HEAD, heap.u32(at + 8));
    return {
      start: heap.u32(at),
      objectSize: heap.u32(at + 4),
      states: Array.from(states, (state) => objectStates[state]!),
    };
  });
}
