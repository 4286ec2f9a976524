// What may end waits before their time, beside a deadline: a source is cancelled once, and calls
// all who watch it. A context (comm/) has one.
//
// A watch lies on the stack of the one who waits, so the end of watching is a promise: after
// bw__cancel_unwatch its `fire` is not running and will not run.
//
// Invariants
//   C1  a watch is called at most once, by the one bw__cancel_fire that counts, with no lock held
//   C2  bw__cancel_watch returns false => nobody calls it
#ifndef BURROW_SYNC_CANCEL_H
#define BURROW_SYNC_CANCEL_H

#include "base/list.h"
#include "lock/mutex.h"

typedef struct bw__cancel_watcher {
  bw__list link;                              // in the source's list: under its lock
  void (*fire)(struct bw__cancel_watcher *w); // must not park; its own unwatch is not its to call
  _Atomic(uint32_t) state;
} bw__cancel_watcher;

typedef struct bw__cancel_source {
  bw__mutex lock;
  _Atomic(bool) fired;
  bw__list watches; // under lock
} bw__cancel_source;

void bw__cancel_init(bw__cancel_source *s);
// For one that may be unwatched without ever having watched.
void bw__cancel_init_watcher(bw__cancel_watcher *w);

// Has w->fire called when the source is cancelled. False: it is already, and nothing was done.
// Blocks: M, briefly. Locks: the source's.
bool bw__cancel_watch(bw__cancel_source *s, bw__cancel_watcher *w,
                      void (*fire)(bw__cancel_watcher *w));

// After this nobody looks at w any more: waits for a `fire` that is running. For a watch that
// bw__cancel_watch refused too. Blocks: M, briefly. Locks: the source's.
void bw__cancel_unwatch(bw__cancel_source *s, bw__cancel_watcher *w);

// Cancels, and calls all who watch, one after the other, without the lock. True, for one caller;
// who gets false may return before all have been called. The source must live until it returns.
// A watch's `fire` may call it, for the same source or another. Blocks: M, briefly, and what the
// watches do. Locks: the source's, not while a watch is called.
bool bw__cancel_fire(bw__cancel_source *s);

static inline bool bw__cancelled(const bw__cancel_source *s) { return bw__load_acquire(&s->fired); }

#endif
