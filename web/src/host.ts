// What the module imports. No JavaScript of Emscripten's is involved: its C library asks for little, and
// what this file does not know throws an error that names it, at the call and not before.
import { BurrowError } from './errors.js';
import type { Heap } from './memory.js';
import { inNode, nanoseconds, nodeModule, now } from './platform.js';

/** @internal What the imports need of the thread they are made for. */
export interface HostThread {
  readonly heap: Heap;
  /** Reports the end of the runtime to all threads and returns the error to throw. */
  die(text: string): BurrowError;
}

type Import = (...args: never[]) => unknown;

const ENOSYS = 52; // WASI's
const REALTIME = 0; // the same: the clock that tells the date
const KEPT = 8192; // bytes of standard error that are kept for the message of a death

// Bytes to the process's own descriptors at once, also from a worker: the words before a crash must get out.
class NodeOutput {
  readonly #fs = nodeModule('node:fs');

  write(fd: number, bytes: Uint8Array): void {
    for (let at = 0, tries = 0; at < bytes.length && tries < 1000;) {
      try {
        at += this.#fs.writeSync(fd, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return; // nobody reads any more
        tries++;
      }
    }
  }

  flush(): void {}
}

// Whole lines to the console.
class ConsoleOutput {
  readonly #open = ['', '', ''];
  readonly #decoders = [1, 1, 1].map(() => new TextDecoder());

  write(fd: number, bytes: Uint8Array): void {
    const lines = (this.#open[fd]! + this.#decoders[fd]!.decode(bytes, { stream: true })).split('\n');
    this.#open[fd] = lines.pop()!;
    for (const line of lines) this.#print(fd, line);
  }

  flush(): void {
    this.#open.forEach((line, fd) => {
      if (line) this.#print(fd, line);
      this.#open[fd] = '';
    });
  }

  #print(fd: number, line: string): void {
    if (fd === 2) console.error(line);
    else console.log(line);
  }
}

/** @internal The import object for one thread's instance of `module`. */
export function makeImports(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  thread: HostThread,
): WebAssembly.Imports {
  const { heap } = thread;
  const output = inNode ? new NodeOutput() : new ConsoleOutput();
  let kept = new Uint8Array(0);

  function write(fd: number, at: number, size: number): void {
    const bytes = heap.copy(at >>> 0, size >>> 0);
    if (fd === 2) {
      const all = new Uint8Array(kept.length + bytes.length);
      all.set(kept);
      all.set(bytes, kept.length);
      kept = all.slice(-KEPT);
    }
    output.write(fd === 2 ? 2 : 1, bytes);
  }

  function exit(status: number): never {
    output.flush();
    const text = new TextDecoder().decode(kept);
    throw thread.die(text || `the runtime ended with status ${status}`);
  }

  const wasi: Record<string, Import> = {
    environ_sizes_get: (count: number, size: number) => {
      heap.store(count >>> 0, 0);
      heap.store(size >>> 0, 0);
      return 0;
    },
    environ_get: () => 0,
    fd_write: (fd: number, vectors: number, count: number, written: number) => {
      let total = 0;
      for (let i = 0, at = vectors >>> 0; i < count; i++, at += 8) {
        write(fd, heap.u32(at), heap.u32(at + 4));
        total += heap.u32(at + 4);
      }
      heap.store(written >>> 0, total);
      return 0;
    },
    fd_close: () => ENOSYS,
    fd_seek: () => ENOSYS,
    fd_read: () => ENOSYS,
    clock_time_get: (clock: number, _precision: bigint, out: number) => {
      const time = clock === REALTIME ? BigInt(Date.now()) * 1000000n : nanoseconds();
      heap.view(out >>> 0, 8).setBigUint64(out >>> 0, time, true);
      return 0;
    },
    random_get: (at: number, size: number) => {
      const bytes = new Uint8Array(size >>> 0);
      for (let i = 0; i < bytes.length; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
      heap.bytes(at >>> 0, bytes.length).set(bytes);
      return 0;
    },
    proc_exit: exit,
  };

  const env: Record<string, Import> = {
    bw_host_write: write,
    bw_host_exit: exit,
    bw_host_now: nanoseconds,
    exit,
    emscripten_get_now: now,
    emscripten_num_logical_cores: () => 1, // the number of processors is given to bw_js_open
    // Emscripten's pthreads look after their own threads with these; ours are none of them.
    emscripten_check_blocking_allowed: () => {},
    _emscripten_init_main_thread_js: () => {},
    _emscripten_thread_mailbox_await: () => {},
    _emscripten_thread_set_strongref: () => {},
    _emscripten_notify_mailbox_postmessage: () => {},
    emscripten_notify_memory_growth: () => {},
  };

  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const unknown = (): never => {
      throw new Error(`the WebAssembly module called ${from}.${name}, which burrow-runtime does not provide`);
    };
    const known = from === 'env' ? env[name] : from === 'wasi_snapshot_preview1' ? wasi[name] : undefined;
    (imports[from] ??= {})[name] = kind === 'memory' ? memory : ((known ?? unknown) as WebAssembly.ImportValue);
  }
  return imports;
}
