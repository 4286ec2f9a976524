// The workers that run goroutines. This is the only file that makes workers.
import type { StartMessage, WorkerMessage } from './messages.js';
import { BurrowError } from './errors.js';
import { inNode, nodeModule } from './platform.js';

const GRACE_MS = 2000; // for a goroutine that neither blocks nor yields to see that the runtime stops

/** One worker, of Node or of a browser. */
interface Peer {
  start(message: StartMessage): void;
  listen(onMessage: (message: WorkerMessage) => void, onError: (cause: unknown) => void): void;
  /** A script that ends without stop() ends, workers or not. */
  unref(): void;
  /** Ends it by force; settles when it is gone. */
  terminate(): Promise<void>;
}

function nodePeer(index: number): Peer {
  const { Worker } = nodeModule('node:worker_threads');
  const here = import.meta.url; // a variable, so that no bundler packs worker.js a second time for this line
  const worker = new Worker(new URL('./worker.js', here), { name: `burrow-${index}`, execArgv: [] });
  return {
    start: (message) => worker.postMessage(message),
    listen: (onMessage, onError) => {
      worker.on('message', onMessage);
      worker.on('error', onError);
    },
    unref: () => worker.unref(),
    terminate: async () => void (await worker.terminate()),
  };
}

function webPeer(): Peer {
  // Bundlers look for exactly this expression.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'burrow' });
  return {
    start: (message) => worker.postMessage(message),
    listen: (onMessage, onError) => {
      worker.onmessage = (event: MessageEvent<WorkerMessage>) => onMessage(event.data);
      worker.onerror = (event) => {
        event.preventDefault();
        onError(event.message || 'its script could not be loaded');
      };
    },
    unref: () => {},
    terminate: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
}

interface Member {
  peer: Peer;
  /** Settles when the worker left its loop, died or was lost. */
  left: Promise<void>;
}

/** @internal */
export class Pool {
  readonly #members: Member[] = [];

  /** Starts one worker for each thread record; settles when all of them serve. `died` hears of a death later on. */
  static async start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number[],
    died: (text: string) => void,
  ): Promise<Pool> {
    const pool = new Pool();
    try {
      await Promise.all(threads.map((thread, index) => pool.#add({ module, memory, thread, index }, died)));
    } catch (error) {
      await pool.terminate();
      throw error;
    }
    for (const { peer } of pool.#members) peer.unref();
    return pool;
  }

  #add(message: StartMessage, died: (text: string) => void): Promise<void> {
    return new Promise((ready, failed) => {
      const peer = inNode ? nodePeer(message.index) : webPeer();
      const left = new Promise<void>((leave) => {
        const lost = (text: string, cause?: unknown): void => {
          failed(new BurrowError('ELOAD', `a worker did not start: ${text}`, { cause }));
          died(text);
          leave();
        };
        peer.listen(
          (reply) => {
            if (reply.kind === 'ready') ready();
            else if (reply.kind === 'left') leave();
            else lost(reply.text);
          },
          (cause) => lost(cause instanceof Error ? cause.message : String(cause), cause),
        );
      });
      this.#members.push({ peer, left });
      peer.start(message);
    });
  }

  /** Waits for the workers to leave by themselves, then ends what is left of them. */
  async finish(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), GRACE_MS)));
    const allLeft = Promise.all(this.#members.map(({ left }) => left)).then(() => true);
    const left = await Promise.race([allLeft, patience]);
    clearTimeout(timer);
    await this.terminate();
    return left;
  }

  /** Ends the workers where they are. */
  async terminate(): Promise<void> {
    await Promise.all(this.#members.map(({ peer }) => peer.terminate()));
  }
}
