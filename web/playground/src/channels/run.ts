// One run of a demo: what is known about it so far, gathered by looking at the shared state now and then.
import type { ProcStats } from 'burrow-runtime';
import { host } from '../app/host.ts';
import { EventLog, readState, startDemo, stopDemo, type DemoEvent, type DemoName, type Snapshot } from './demo.ts';

export interface RunOptions {
  demo: DemoName;
  goroutines: number;
  capacity: number;
  count: number;
}

export interface GoroutineInfo {
  id: number;
  role: number;
  events: number;
  workers: Map<number, number>; // worker -> events seen there
  ended: boolean;
}

const keptEvents = 30_000;

export class Run {
  options: RunOptions | null = null;
  state: Snapshot | null = null;
  events: DemoEvent[] = [];
  goroutines = new Map<number, GoroutineInfo>();
  procs: ProcStats[] = [];
  stopped = false; // by the Stop button
  lines: { words: number; at: number }[] = [];
  readonly log = new EventLog();
  #base: ProcStats[] = [];
  #settled = true;

  get running(): boolean {
    return this.state?.running ?? false;
  }
  get missed(): number {
    return this.log.missed;
  }
  // The time axis ends here.
  get now(): number {
    if (this.state && !this.state.running) return this.state.elapsedMs;
    return this.events.at(-1)?.at ?? 0;
  }

  start(options: RunOptions): void {
    const base = procStats();
    startDemo(options.demo, options.goroutines, options.capacity, options.count);
    this.clear();
    this.options = options;
    this.#base = base;
    this.#settled = false;
    this.look();
  }

  stop(): void {
    this.stopped = true;
    stopDemo();
  }

  clear(): void {
    this.options = this.state = null;
    this.events = [];
    this.goroutines = new Map();
    this.procs = [];
    this.lines = [];
    this.stopped = false;
    this.#settled = true;
    this.log.reset();
  }

  // True when something may have changed since the last look.
  look(): boolean {
    if (this.#settled || !host.ready) return false;
    this.state = readState();
    const events = this.log.read(this.state.running);
    for (const event of events) this.#account(event);
    for (const event of events) this.events.push(event);
    if (this.events.length > keptEvents) this.events.splice(0, this.events.length - keptEvents);
    this.procs = procStats().map((now, i) => difference(now, this.#base[i]));
    this.#settled = !this.state.running;
    return true;
  }

  async ended(): Promise<void> {
    while (this.look() && this.running) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #account(event: DemoEvent): void {
    let g = this.goroutines.get(event.goroutine);
    if (!g)
      this.goroutines.set(
        event.goroutine,
        (g = { id: event.goroutine, role: -1, events: 0, workers: new Map(), ended: false }),
      );
    g.events++;
    g.workers.set(event.worker, (g.workers.get(event.worker) ?? 0) + 1);
    if (event.kind === 'start') g.role = event.value;
    if (event.kind === 'end') g.ended = true;
    if (event.kind === 'text') this.lines.push({ words: event.value, at: event.at });
  }
}

function procStats(): ProcStats[] {
  return Array.from({ length: host.workers }, (_, i) => host.runtime.procStats(i));
}

function difference(now: ProcStats, before: ProcStats): ProcStats {
  const result = { ...now };
  for (const key of Object.keys(now) as (keyof ProcStats)[]) result[key] = now[key] - before[key];
  return result;
}
