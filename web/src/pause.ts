// What a thread does between two looks at a word that another one is about to change.
import { coreCount } from './platform.js';

/** @internal Newer engines have a pause instruction, which leaves the core's other half to its other thread. */
export const pause = (Atomics as { pause?: () => void }).pause;

/** @internal Whether it can help to look on: the other thread may be at work on another core. */
export const looksHelp = coreCount() > 1;

const STEPS = pause ? 20 : 800; // about a microsecond

let sum = 1; // else the loop is nothing, which a compiler may leave out

/** @internal Keeps off the memory for about so long, which is more while the code is cold. */
export function idle(microseconds: number): void {
  let x = sum;
  for (let left = microseconds * STEPS; left > 0; left--) {
    if (pause) pause();
    else x = (Math.imul(x, 1664525) + 1013904223) | 0;
  }
  sum = x;
}
