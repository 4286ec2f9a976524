// A worker of the pool: one M, a thread that runs goroutines. It sleeps inside WebAssembly and so never
// gets back to its event loop before the runtime stops.
//
// Imports nothing that starts workers: bundlers take a worker that reaches its own maker for a circle.
import { errorOf } from './errors.js';
import { Instance } from './instance.js';
import type { StartMessage, WorkerMessage } from './messages.js';
import { inNode, nodeModule } from './platform.js';

interface Port {
  send(message: WorkerMessage): void;
  close(): void;
}

async function serve({ module, memory, thread }: StartMessage, port: Port): Promise<void> {
  try {
    const { exports } = await Instance.further(module, memory, thread);
    const code = exports.bw_js_enlist();
    if (code !== 0) throw errorOf(code, 'a thread of the runtime');
    port.send({ kind: 'ready' });
    exports.bw_js_serve();
    exports.bw_js_thread_leave();
    port.send({ kind: 'left' });
  } catch (error) {
    port.send({ kind: 'dead', text: error instanceof Error ? error.message : String(error) });
  }
  port.close();
}

if (inNode) {
  const { parentPort } = nodeModule('node:worker_threads');
  const port: Port = { send: (message) => parentPort!.postMessage(message), close: () => parentPort!.close() };
  parentPort!.once('message', (message: StartMessage) => void serve(message, port));
} else {
  const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
  const port: Port = { send: (message) => scope.postMessage(message), close: () => scope.close() };
  scope.onmessage = (event: MessageEvent<StartMessage>) => void serve(event.data, port);
}

interface DedicatedWorkerGlobalScope {
  postMessage(message: unknown): void;
  close(): void;
  onmessage: ((event: MessageEvent) => void) | null;
}
