// What the module exports: src/entry/js/abi.h in TypeScript. Addresses come out of WebAssembly as
// signed numbers; the callers make them unsigned with `>>> 0`.

/** @internal */
export interface Exports {
  __wasm_call_ctors(): void;

  bw_js_boot(): void;
  bw_js_thread_make(): number;
  bw_js_sp_set(stackTop: number): void;
  bw_js_thread_enter(thread: number): void;
  bw_js_thread_leave(): void;
  bw_js_thread_free(thread: number): void;
  bw_js_thread_self(): number;
  bw_js_death(): number;
  bw_js_wake_agents(): void;

  bw_js_open(procs: number, stackSize: number): number;
  bw_js_enlist(): number;
  bw_js_serve(): number;
  bw_js_stop(): number;
  bw_js_close(): number;

  bw_js_agent_next(agent: number): number;
  bw_js_op_free(op: number): void;
  bw_js_op_cancel(op: number): number;

  bw_js_alloc(size: number): number;
  bw_js_free(at: number): void;
  bw_js_alloc_stats(out: number): number;
  bw_js_memory(out: number): number;
  bw_js_proc_stats(index: number, out: number): number;
  bw_js_size_class_count(): number;
  bw_js_size_class_of(size: number): number;
  bw_js_size_class(index: number, out: number): number;
  bw_js_where(at: number, out: number): number;
  bw_js_walk(out: number, max: number): number;
  bw_js_objects(at: number, out: number): number;
  bw_js_num_goroutine(): number;

  bw_js_chan_make(elemSize: number, capacity: number): number;
  bw_js_chan_drop(chan: number): number;
  bw_js_chan_send(chan: number, value: number, key: number): number;
  bw_js_chan_recv(chan: number, value: number, key: number): number;
  bw_js_chan_try_send(chan: number, value: number): number;
  bw_js_chan_try_recv(chan: number, value: number): number;
  bw_js_chan_close(chan: number): number;
  bw_js_chan_len(chan: number): number;
  bw_js_chan_cap(chan: number): number;
  bw_js_chan_elem_size(chan: number): number;

  bw_js_lock_make(kind: number, permits: number, mutex: number, mutexId: number): number;
  bw_js_lock_find(lock: number, kind: number): number;
  bw_js_lock_drop(at: number, id: number): number;
  bw_js_mutex_lock(at: number, id: number, key: number, own: number): number;
  bw_js_mutex_try_lock(at: number, id: number): number;
  bw_js_mutex_unlock(at: number, id: number): number;
  bw_js_rwmutex_lock(at: number, id: number, key: number, writes: number): number;
  bw_js_rwmutex_try_lock(at: number, id: number, writes: number): number;
  bw_js_rwmutex_unlock(at: number, id: number, writes: number): number;
  bw_js_sema_acquire(at: number, id: number, key: number): number;
  bw_js_sema_try_acquire(at: number, id: number): number;
  bw_js_sema_release(at: number, id: number, permits: number): number;
  bw_js_waitgroup_wait(at: number, id: number, key: number): number;
  bw_js_waitgroup_add(at: number, id: number, count: number): number;
  bw_js_cond_wait(at: number, id: number, key: number): number;
  bw_js_cond_wake(at: number, id: number, all: number): number;

  bw_js_slice_make(elemSize: number, len: number, cap: number): number;
  bw_js_slice_append(slice: number, values: number, count: number, rule: number): number;
  bw_js_slice_slice(slice: number, low: number, high: number, max: number): number;
  bw_js_slice_copy(to: number, from: number): number;
  bw_js_slice_info(slice: number, out: number): number;
  bw_js_slice_drop(slice: number): number;
  bw_js_slice_next_cap(rule: number, elemSize: number, oldCap: number, needed: number): number;
}

/** @internal Offsets of bw_js_thread. */
export const THREAD = { claimed: 0, stackTop: 4, tls: 8, agent: 12, entered: 16 } as const;
/** @internal Offsets of bw_js_agent. */
export const AGENT = { word: 0, op: 4 } as const;
/** @internal Offsets of bw_js_op. */
export const OP = { key: 0, code: 4, valueSize: 8, value: 12 } as const;
/** @internal BW_JS_TAKEN. */
export const TAKEN = 1;
/** @internal Offsets of bw_js_lock. */
export const LOCK = { id: 0, value: 8, onceDone: 8, onceMutex: 12, condMutex: 8, condMutexId: 12, cond: 16 } as const;
