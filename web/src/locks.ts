// All kinds of locks, by the name that handles have for them.
import { Cond } from './cond.js';
import type { Core } from './core.js';
import { findPlace, kinds, type LockHandle, type LockKind, type Place } from './lock.js';
import { Mutex } from './mutex.js';
import { Once } from './once.js';
import { RWMutex } from './rwmutex.js';
import { Semaphore } from './semaphore.js';
import { WaitGroup } from './waitgroup.js';

/** What `open()` makes of a lock's handle. */
export interface Locks {
  mutex: Mutex;
  rwmutex: RWMutex;
  semaphore: Semaphore;
  waitgroup: WaitGroup;
  once: Once;
  cond: Cond;
}

const classes: { readonly [K in LockKind]: new (place: Place) => Locks[K] } = {
  mutex: Mutex,
  rwmutex: RWMutex,
  semaphore: Semaphore,
  waitgroup: WaitGroup,
  once: Once,
  cond: Cond,
};

/** @internal */
export function isLockHandle(value: unknown): value is LockHandle {
  const kind = (value as LockHandle | null | undefined)?.kind;
  return typeof value === 'object' && typeof kind === 'string' && Object.hasOwn(kinds, kind);
}

/** @internal */
export function openLock(core: Core, handle: LockHandle): Locks[LockKind] {
  return new classes[handle.kind](findPlace(core, handle));
}
