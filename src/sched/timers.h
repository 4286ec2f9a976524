// Timers: functions that the scheduler calls when their time has come. Sleep, deadlines and
// everything of <burrow/time.h> stand on them.
//
// Each P has a heap of timers (bw__timers). A timer (bw__timer) is embedded by its owner, starts in
// the heap of the P it is started on, and runs on the M that finds it due: the P's own, or another
// that looks after the P's timers because it has nothing better to do ("stealing").
//
// One word, `when`, holds the state of a timer; who gets it from pending to something else, by one
// compare-and-swap, has the right to that arming: a stop that returns true, a start that returns
// true, or the run that calls `fn`. So each arming ends in exactly one of the three ways.
//
//   when >= 0   pending: due then                      in a heap
//   STOPPED     not pending                            still in a heap, until that is cleaned
//   FREE        not pending                            in no heap
//   BUSY        a start is about to put it into one    as FREE
//
//   FREE -> BUSY -> pending     start, under the lock of the heap it goes into
//   pending, STOPPED -> pending start, no lock: see `key` and marks below
//   pending -> STOPPED          stop, no lock
//   pending -> FREE             run (its time has come), drop: under the heap's lock
//   pending -> pending          run, of a periodic timer, under the heap's lock
//   STOPPED -> FREE             run, clean, drop: under the heap's lock
//
// Keys. An entry of the heap has a key of its own, which `t->key` repeats. A start does not sort
// the heap: a later time leaves a key that is too early, which run notices when it is at the head.
// An earlier time leaves a key that is too late; the timer is then *marked*, in its heap's `marks`,
// and the heap's `earlier` is lowered to the new time. When `earlier` is due, run looks at the
// marked timers (and at those that share a bit with one) and gives them their true keys.
//
//   T1  for each timer in a heap:  key <= when,  or it is marked and earlier <= when,
//       or the start that made it so has not returned yet
//   T2  min(earlier, next) <= every key and every marked when:  bw__timers_next is never too late
//
// T1 against a start that races with a change of the key, slot or heap:
//
//     start                              run, clean, move (under lock)
//     S1 cas(when, new)                  R1 store(home), store(slot), store(key)
//     S2 load key, home, slot            R2 load when
//     S3 new < key: mark in home
//
// All of these are sequentially consistent. Either S2 comes after R1 and sees the new values, or R1
// comes after S2 and so R2 after S1: then R2 sees the new `when` (or one that came after it, by a
// start that is in S1..S3 itself) and the key is chosen again. Lowering a key needs no R2.
//
// Marks against run: a start sets the bit, then lowers `earlier`. Run takes `earlier` to NEVER (by
// cas, after `next` has been lowered to what it was), then takes the bits, then loads each `when`.
// A start that found the bit set or `earlier` low enough did so before they were taken, and its S1
// before that: run sees its `when`.
//
// Memory. Who may free a timer, and when:
//
//   kept timers (bw__timer_init): after bw__timer_drop, always. It takes the timer out of the heap
//     and waits while `fn` is running. Or bw__timer_let_go, which leaves the memory to a last call.
//     `flights` is odd from before run's cas until after `fn`. A start of a timer in flight puts it
//     into the same heap again, and a heap has one runner at a time: so no two calls of `fn`
//     overlap, and one odd number says all.
//   parting timers (bw__timer_init_parting): `fn` is run's last touch, and it may end the timer's
//     life by waking the goroutine on whose stack it lies. Never started again from outside of
//     `fn`. bw__timer_drop that returns false says nothing about them: wait for what `fn` does.
//
// start, stop and pending are for those who know that nobody frees the timer meanwhile.
#ifndef BURROW_SCHED_TIMERS_H
#define BURROW_SCHED_TIMERS_H

#include "base/atomics.h"
#include "base/heap.h"
#include "lock/mutex.h"
#include "port/port.h"

#define BW_NEVER INT64_MAX

enum { BW_TIMER_FREE = -1, BW_TIMER_STOPPED = -2, BW_TIMER_BUSY = -3 };
enum { BW_TIMERS_MARK_WORDS = 64 };

// One a P. Its memory stays as long as the runtime runs, also when its P goes away.
typedef struct bw__timers {
  _Alignas(BW_CACHE_LINE) _Atomic(int64_t) next; // least key: written under lock
  _Atomic(int64_t) earlier;                      // least `when` of a marked timer, or less
  _Atomic(int32_t) stopped;                      // about how many are STOPPED: a hint, see stop
  _Atomic(bool) running;                         // somebody is in bw__timers_run
  bw__mutex lock;
  bw__heap heap;           // of bw__timer: under lock
  struct bw__timer *spill; // what the array had no room for, when there was no memory: under lock
  _Atomic(uint64_t) marks[BW_TIMERS_MARK_WORDS]; // bit slot % 4096: a timer whose key is too late
} bw__timers;

typedef struct bw__timer {
  _Atomic(int64_t) when;
  _Atomic(int64_t) key; // of its entry. Written under home's lock, as home and slot are
  _Atomic(bw__timers *) home;
  _Atomic(uint32_t) slot;                       // BW_HEAP_NO_SLOT: in `spill`
  _Atomic(uint32_t) extra;                      // the owner's
  void (*fn)(struct bw__timer *t, int64_t now); // r/o while FREE, else under home's lock
  _Atomic(int64_t) period;                      // 0: once
  struct bw__timer *spilled;                    // next in `spill`
  _Atomic(uint32_t) flights;                    // odd: `fn` is called or about to be
  bool parting;                                 // as fn
  bool let_go;                                  // as fn
} bw__timer;

// ---- timers_heap.c: a P's heap ------------------------------------------------------------------

void bw__timers_init(bw__timers *ts);
// At tear-down, with no M running, and before goroutines' stacks are freed: sleepers' timers lie
// there. Timers in the heap become FREE; those that were let go get their last call, with now ==
// BW_NEVER.
void bw__timers_destroy(bw__timers *ts);
// Moves all timers to another P's heap. Blocks: M, while somebody runs them. Not from a timer's fn.
// Locks: timers (both).
void bw__timers_move(bw__timers *from, bw__timers *to);

// ---- timers_run.c -------------------------------------------------------------------------------

// Calls what is due at `now` (bw__port_now's clock), on this thread, without any goroutine and
// without a lock: `fn` must not block. Also takes stopped timers off the head, so that afterwards
// bw__timers_next is exact as long as nobody starts or stops. Returns bw__timers_next. Returns at
// once when another thread is at it: then that may be in the past. Any M, for any P's. Locks:
// timers, and what fn takes.
int64_t bw__timers_run(bw__timers *ts, int64_t now);
// The same, but no more than 16 of them: a hundred thousand that are due at once would start as
// many goroutines, each with a stack, before the first one could run and leave its stack to the
// next.
int64_t bw__timers_run_some(bw__timers *ts, int64_t now);

// When the earliest is due; BW_NEVER: none. Never later than the truth; earlier when the earliest
// was stopped or put off. Any thread, no lock. `earlier` first: run lowers `next` before it takes
// `earlier` away.
static inline int64_t bw__timers_next(const bw__timers *ts) {
  int64_t earlier = bw__load(&ts->earlier), next = bw__load(&ts->next);
  return earlier < next ? earlier : next;
}

// Whether bw__timers_run has something to do: what is due, or what may make bw__timers_next too
// early. For an M that is about to sleep; one with work asks bw__timers_next.
static inline bool bw__timers_want_run(const bw__timers *ts, int64_t now) {
  return bw__load(&ts->next) <= now || bw__load(&ts->earlier) != BW_NEVER ||
         bw__load_relaxed(&ts->stopped) > 0;
}

// ---- timers.c: a timer --------------------------------------------------------------------------

// Makes *t a kept timer, FREE.
void bw__timer_init(bw__timer *t, void (*fn)(bw__timer *t, int64_t now));
// Makes *t a parting timer, FREE.
void bw__timer_init_parting(bw__timer *t, void (*fn)(bw__timer *t, int64_t now));

// Has fn called at `when` (at once if that is past) and, if `period` > 0, every `period` ns from
// then on, skipping what is missed. A pending timer gets the new time instead. True: it was
// pending. A timer is always started with a period or never. There must be a runtime running.
// Blocks: never. Locks: timers, only if it was in no heap.
bool bw__timer_start(bw__timer *t, int64_t when, int64_t period);

// As bw__timer_start(t, when, 0), but leaves a pending timer as it is. True: it was not pending.
bool bw__timer_start_idle(bw__timer *t, int64_t when);

// Starts a parting timer that is FREE and nobody else's yet. Returns the heap's lock, held: as long
// as it is, fn is not called. For bw__wait.
bw__mutex *bw__timer_start_held(bw__timer *t, int64_t when);

// Takes the timer out of its heap for certain, and waits for a running fn. True: it was pending and
// will not run. Afterwards nobody looks at a kept timer any more; nobody else may start it
// meanwhile but its fn. Not from within fn. Blocks: M, briefly. Locks: timers.
bool bw__timer_drop(bw__timer *t);

// The caller gives up a kept timer, which nobody else may start but its fn. True: it is pending,
// and its last call, the last touch, will be `fn` instead of its own (which may be running for an
// earlier arming). False: bw__timer_drop was done. Blocks: M, briefly. Locks: timers.
bool bw__timer_let_go(bw__timer *t, void (*fn)(bw__timer *t, int64_t now));

static inline bool bw__timer_pending(bw__timer *t) { return bw__load(&t->when) >= 0; }

// True: it was pending and this arming will not run. The timer stays in its heap, STOPPED. Blocks:
// never.
//
// `stopped` is counted without an atomic addition, so that a stop costs one locked instruction: a
// count may get lost, or an old one come back, when two threads meet. Then a heap is cleaned too
// late or for nothing, and run counts again.
static inline bool bw__timer_stop(bw__timer *t) {
  int64_t w = bw__load_relaxed(&t->when); // the cas looks again
  do {
    if (w < 0) return false;
  } while (BW_UNLIKELY(!bw__cas(&t->when, &w, BW_TIMER_STOPPED)));
  bw__timers *home = bw__load_relaxed(&t->home); // any heap will do for a hint
  bw__count_own(&home->stopped, 1);
  return true;
}

// True: an arming of a kept timer is pending, or its fn is called or about to be.
static inline bool bw__timer_live(bw__timer *t) {
  // Run makes `flights` odd before it takes the arming away.
  return bw__timer_pending(t) || (bw__load_acquire(&t->flights) & 1);
}

// ---- hooks: the scheduler's ---------------------------------------------------------------------

// The heap of the current P; on a plain thread that of any P. NULL: no runtime is running.
bw__timers *bw__timers_here(void);
// Now, as the beginning of a wait: never too early, perhaps a little late.
int64_t bw__timers_clock(void);
// Some heap's earliest was moved forward to `when`: whoever sleeps until later must look again.
// bw__timers_next says so already. May be called with a lock of rank "timers" held.
void bw__timers_earlier(int64_t when);
// The same from a goroutine that is about to park: its M will look again by itself, unless it has
// other work.
void bw__timers_earlier_parking(int64_t when);

// ---- times --------------------------------------------------------------------------------------

// `ns` from now, or up to BW_PORT_AHEAD_MOST later; at once for ns <= 0, never later than the last
// moment there is.
static inline int64_t bw__timer_from_now(int64_t ns) {
  if (ns <= 0) return bw__port_now();
  int64_t now = bw__timers_clock();
  return ns > BW_NEVER - 1 - now ? BW_NEVER - 1 : now + ns;
}

// When a periodic timer that was due at `when` is due again: the first moment after `now` on its
// grid.
static inline int64_t bw__timer_after_missed(int64_t when, int64_t period, int64_t now) {
  int64_t periods = 1 + (now - when) / period;
  int64_t step;
  if (__builtin_mul_overflow(periods, period, &step) || step >= BW_NEVER - when)
    return BW_NEVER - 1;
  return when + step;
}

#endif
