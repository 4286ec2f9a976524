// One thread's instance of the module.
import { BurrowError } from './errors.js';
import { DeathPage } from './death.js';
import { THREAD, type Exports } from './exports.js';
import { makeImports } from './host.js';
import { Heap } from './memory.js';

/** @internal */
export class Instance {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly heap: Heap;
  /** What abi.h declares, guarded: whatever goes wrong inside ends the runtime in an orderly way. */
  exports!: Exports;
  /** All exports as they are. */
  raw!: WebAssembly.Exports;
  death!: DeathPage;
  /** Called on this thread when the runtime died on it. */
  onDeath: (() => void) | undefined;

  private constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    this.module = module;
    this.memory = memory;
    this.heap = new Heap(memory);
  }

  /** The first instance of a runtime: runs the constructors. */
  static async first(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Instance> {
    const instance = new Instance(module, memory);
    await instance.#instantiate();
    instance.exports.__wasm_call_ctors();
    instance.exports.bw_js_boot();
    return instance;
  }

  /**
   * The instance of a further thread, which becomes the bw_js_thread at `thread`. A module is loaded with the
   * first thread's stack pointer: until sp_set nothing may run that uses a stack.
   */
  static async further(module: WebAssembly.Module, memory: WebAssembly.Memory, thread: number): Promise<Instance> {
    const instance = new Instance(module, memory);
    if (!instance.heap.exchangeIf(thread + THREAD.claimed, 0, 1)) {
      throw new BurrowError('ESTATE', 'this token was used before: each thread needs one of its own from share()');
    }
    await instance.#instantiate();
    instance.exports.bw_js_sp_set(instance.heap.u32(thread + THREAD.stackTop));
    instance.exports.bw_js_thread_enter(thread);
    return instance;
  }

  async #instantiate(): Promise<void> {
    const { exports } = await this.#link();
    if (!exports.bw_js_boot) throw new BurrowError('ELOAD', 'this WebAssembly module is not a build of Burrow');
    this.raw = exports;
    this.exports = this.#guard(exports);
    this.death = new DeathPage(this.heap, this.exports.bw_js_death() >>> 0);
  }

  async #link(): Promise<WebAssembly.Instance> {
    try {
      return await WebAssembly.instantiate(this.module, makeImports(this.module, this.memory, this));
    } catch (cause) {
      throw new BurrowError('ELOAD', `the WebAssembly module does not fit: ${(cause as Error).message}`, { cause });
    }
  }

  // A trap leaves locks held and work half done: the runtime is dead, on all threads.
  #guard(exports: WebAssembly.Exports): Exports {
    type Call = (a?: number, b?: number, c?: number, d?: number) => number;
    const guarded: Record<string, Call> = {};
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function') continue;
      const call = value as Call;
      guarded[name] = (a, b, c, d) => {
        try {
          return call(a, b, c, d);
        } catch (error) {
          if (error instanceof BurrowError) throw error;
          throw this.die(`fatal error: ${error instanceof Error ? error.message : error}\n\nin ${name}`);
        }
      };
    }
    return guarded as unknown as Exports;
  }

  /** Ends the runtime on all threads; returns the error that tells about it. */
  die(text: string): BurrowError {
    this.death.died(text);
    try {
      (this.raw.bw_js_wake_agents as () => void)();
    } catch {
      // Whoever sleeps learns it at his next operation.
    }
    const error = this.death.error() ?? new BurrowError('EFATAL', text);
    this.onDeath?.();
    return error;
  }
}
