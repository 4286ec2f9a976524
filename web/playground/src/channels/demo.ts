// The demos' side of the module: start, stop, and a view of the state that C keeps in shared memory
// (native/demos.h). Reading never disturbs the goroutines.
import { host } from '../app/host.ts';

export type DemoName = 'producers' | 'pingpong' | 'sieve' | 'test4';

interface DemoKind {
  name: DemoName;
  number: number;
  title: string;
  about: string;
  // What the form starts with and which fields mean something.
  goroutines?: number;
  capacity?: number;
  count?: { label: string; value: number; max: number };
}

export const demos: DemoKind[] = [
  {
    name: 'producers',
    number: 0,
    title: 'Producers and consumers',
    goroutines: 8,
    capacity: 16,
    count: { label: 'Messages per producer', value: 200_000, max: 5_000_000 },
    about:
      'Half of the goroutines send 1, 2, 3, … on one channel, the others receive and add up. When all is ' +
      'sent the channel is closed, and the sum must be exact.',
  },
  {
    name: 'pingpong',
    number: 1,
    title: 'Ping-pong',
    goroutines: 8,
    capacity: 0,
    count: { label: 'Round trips per pair', value: 50_000, max: 5_000_000 },
    about:
      'Pairs of goroutines hand a ball back and forth. On an unbuffered channel both sides meet: each hit is ' +
      'a switch from one goroutine to the other.',
  },
  {
    name: 'sieve',
    number: 2,
    title: 'Prime sieve',
    capacity: 1,
    count: { label: 'Primes', value: 1000, max: 5000 },
    about:
      'A chain of goroutines, one for each prime found so far. Each passes on only what its prime does not ' +
      'divide; what comes out at the end is the next prime.',
  },
  {
    name: 'test4',
    number: 3,
    title: 'select with default (test4)',
    about:
      'Nobody sends yet, so receiving would wait: the default case runs. A second later the other goroutine ' +
      'tries to send, nobody receives any more: default again. Neither of them ever blocks.',
  },
];

export type EventKind = 'start' | 'end' | 'send' | 'receive' | 'prime' | 'text';
const kinds: EventKind[] = ['start', 'end', 'send', 'receive', 'prime', 'text'];
export const roles = ['producer', 'consumer', 'player', 'filter', 'main'];
export const texts = ['receive default', 'send default', 'send', 'receive'];

export interface DemoEvent {
  kind: EventKind;
  value: number;
  goroutine: number;
  worker: number;
  at: number; // ms since the demo started
}

export interface Snapshot {
  running: boolean;
  stopping: boolean;
  goroutines: number;
  sent: number;
  received: number;
  result: bigint;
  resultParts: [low: number, high: number];
  expected: bigint;
  elapsedMs: number;
  ops: number[];
}

const eventSlots = 4096;
const eventBytes = 24;
const at = {
  running: 0,
  stopping: 1,
  events: 2,
  goroutines: 3,
  sent: 4,
  received: 5,
  resultLow: 6,
  resultHigh: 7,
  expectedLow: 8,
  expectedHigh: 9,
  elapsed: 11,
  ops: 12,
};
const logOffset = 320;
interface DemoExports {
  demo_start(kind: number, goroutines: number, capacity: number, count: number): number;
  demo_stop(): void;
  demo_state_get(): number;
}

const calls = (): DemoExports => host.runtime.raw.exports as unknown as DemoExports;

export function startDemo(name: DemoName, goroutines: number, capacity: number, count: number): void {
  const kind = demos.find((demo) => demo.name === name)!;
  const code = calls().demo_start(kind.number, goroutines, capacity, count);
  if (code !== 0) throw new Error(errorText(code));
}

export function stopDemo(): void {
  calls().demo_stop();
}

// Codes of <burrow/error.h>.
function errorText(code: number): string {
  if (code === -7)
    return readState().stopping
      ? 'the last demo is still ending; try again in a moment'
      : 'a demo is running: stop it first';
  if (code === -1) return 'there was no memory for the demo';
  return `the demo does not take these numbers (code ${code})`;
}

export function readState(): Snapshot {
  const base = calls().demo_state_get() >>> 0;
  const words = new Uint32Array(host.runtime.bytes(base, logOffset).buffer, base, logOffset / 4);
  const word = (index: number) => Atomics.load(words, index);
  const wide = (low: number, high: number) => (BigInt(word(high)) << 32n) | BigInt(word(low));
  return {
    running: word(at.running) === 1,
    stopping: word(at.stopping) === 1,
    goroutines: word(at.goroutines),
    sent: word(at.sent),
    received: word(at.received),
    result: wide(at.resultLow, at.resultHigh),
    resultParts: [word(at.resultLow), word(at.resultHigh)],
    expected: wide(at.expectedLow, at.expectedHigh),
    elapsedMs: word(at.elapsed) / 1000,
    ops: Array.from({ length: host.workers }, (_, worker) => word(at.ops + worker)),
  };
}

// Takes the events out of the ring, in order. A writer takes its number before it writes the slot, so
// while the demo runs the log is read only up to where it was the last time.
export class EventLog {
  #next = 0;
  #settled = 0;
  missed = 0;

  reset(): void {
    this.#next = this.#settled = this.missed = 0;
  }

  read(running: boolean): DemoEvent[] {
    const base = calls().demo_state_get() >>> 0;
    const { buffer } = host.runtime.bytes(base, logOffset + eventSlots * eventBytes);
    const counter = new Uint32Array(buffer, base, 3);
    const total = Atomics.load(counter, at.events);
    let end = running ? this.#settled : total;
    this.#settled = total;
    const first = Math.max(this.#next, total - eventSlots);
    this.missed += Math.max(0, Math.min(first, end) - this.#next);
    const view = new DataView(buffer, base + logOffset, eventSlots * eventBytes);
    const events: DemoEvent[] = [];
    for (let i = first; i < end; i++) {
      const slot = (i % eventSlots) * eventBytes;
      const worker = view.getInt32(slot + 12, true);
      const goroutine = view.getUint32(slot + 8, true);
      if (worker < 0) continue; // the page's own thread, which started the demo
      if (goroutine === 0) {
        end = i; // a slow writer: its slot is still empty, the next look will find it filled
        break;
      }
      events.push({
        kind: kinds[view.getUint32(slot, true)],
        value: view.getInt32(slot + 4, true),
        goroutine,
        worker,
        at: view.getFloat64(slot + 16, true),
      });
    }
    this.#next = Math.max(this.#next, end);
    return events;
  }
}
