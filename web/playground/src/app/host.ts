// The one runtime of the page. Panels ask for it at each use and hear about a new one: changing the
// number of workers stops the runtime and starts another, and nothing of the old one stays valid.
import { start, type Runtime } from 'burrow-runtime';

const wasm = new URL('../wasm/playground.wasm', import.meta.url);

type Listener = (runtime: Runtime) => void;

class Host {
  #runtime: Runtime | null = null;
  #workers = 0;
  #restarting: Promise<void> | null = null;
  readonly #stopping: (() => Promise<void> | void)[] = [];
  readonly #started: Listener[] = [];
  readonly #ticks: (() => void)[] = [];
  #told: Runtime | null = null;
  // Called once for a runtime that died by itself, with the reason.
  onDeath: (why: string) => void = () => {};

  get runtime(): Runtime {
    if (!this.#runtime) throw new Error('the runtime is being restarted; try again in a moment');
    return this.#runtime;
  }
  get ready(): boolean {
    return this.#runtime !== null && !this.#runtime.closed;
  }
  get workers(): number {
    return this.#workers;
  }

  // Runs before the runtime goes: let go of what belongs to it.
  beforeStop(action: () => Promise<void> | void): void {
    this.#stopping.push(action);
  }
  onStart(listener: Listener): void {
    this.#started.push(listener);
    if (this.#runtime) listener(this.#runtime);
  }
  // After each operation of a panel, and twice a second: time to look at the counters again.
  onTick(listener: () => void): void {
    this.#ticks.push(listener);
  }
  tick(): void {
    if (this.ready) for (const listener of this.#ticks) listener();
    else if (this.#runtime && this.#told !== this.#runtime) {
      this.#told = this.#runtime;
      this.onDeath(reason(this.#runtime));
    }
  }

  async start(workers: number): Promise<void> {
    while (this.#restarting) await this.#restarting;
    this.#restarting = this.#replace(workers);
    try {
      await this.#restarting;
    } finally {
      this.#restarting = null;
    }
  }

  async #replace(workers: number): Promise<void> {
    if (this.#runtime) {
      if (this.ready) for (const action of this.#stopping) await action();
      const old = this.#runtime;
      this.#runtime = null;
      await old.stop();
    }
    this.#workers = workers;
    this.#runtime = await start({ workers, wasm });
    for (const listener of this.#started) listener(this.#runtime);
    this.tick();
  }
}

function reason(runtime: Runtime): string {
  try {
    runtime.memory();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const host = new Host();
export const maxWorkers = 8;
export const firstWorkers = 4;
