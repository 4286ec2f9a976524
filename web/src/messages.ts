// What passes between the starting thread and the pool's workers by postMessage. Everything else goes
// through shared memory.

/** @internal To a worker, once. */
export interface StartMessage {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the worker's bw_js_thread. */
  readonly thread: number;
  /** Which M it is. */
  readonly index: number;
}

/** @internal From a worker: it is about to serve; it has left its loop; the runtime died on it. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'left' }
  | { readonly kind: 'dead'; readonly text: string };
