// What locks tell the watch, and the watch's records. See burrow/locks.h for what it is good for.
//
// lockwatch.c   records, names, who holds what, times
// lockorder.c   the order of locks: a graph, and the search for circles
// locks.c       what is read out: profile, dumps
// watched.c     the forms of burrow/mutex.h while they are watched
//
// Invariants, under the lock
//   W1  a holder is on two lists: its record's, and its owner's bucket
//   W2  an edge A -> B: somebody has wanted B while it held A. The graph has no two edges between
//       the same two locks
//
// Locks: one for everything (rank LOCK_WATCH), a leaf but for the allocator's. Watching is for
// looking, not for speed.
#ifndef BURROW_SYNC_LOCKWATCH_H
#define BURROW_SYNC_LOCKWATCH_H

#include "base/list.h"
#include "base/text.h"
#include "sync/cancel.h"

#include <burrow/locks.h>

typedef enum { BW_LOCK_UNKNOWN, BW_LOCK_MUTEX, BW_LOCK_RWMUTEX, BW_LOCK_SPIN } bw__lock_kind;

// ---- hooks: any thread or goroutine; a thread's lock may be held, of a lower rank
// -------------------------------

// Before a lock is taken by a form that waits.
void bw__lock_wanted(const void *lock, bw__lock_kind kind, const char *place);
// When it has been taken. waited_ns -1: there was no need to wait.
void bw__lock_got(const void *lock, bw__lock_kind kind, bool reads, const char *place,
                  int64_t waited_ns);
// Before it is given back.
void bw__lock_gave(const void *lock, bool reads);

// At the end of a run: its goroutines hold nothing any more, and their numbers will be others'.
void bw__lock_watch_end_run(void);

// watched.c: bw__watched_lock that a cancelled source ends as well.
int bw__watched_lock_with(void *lock, int form, int64_t deadline, bw__cancel_source *cancel,
                          const char *place);

// ---- records ------------------------------------------------------------------------------------

typedef struct bw__lock_edge {
  struct bw__lock_edge *next;
  struct bw__lock_record *to;
  const char *held_at, *wanted_at;
} bw__lock_edge;

typedef struct bw__lock_record {
  struct bw__lock_record *next; // in its bucket
  bw_lock_info info;            // without the fields about holders
  bw__lock_kind kind;
  bw__list holders;
  bw__lock_edge *edges;
  // A search's.
  uint64_t seen;
  struct bw__lock_record *queued, *from;
  bw__lock_edge *by;
} bw__lock_record;

typedef struct bw__lock_holder {
  bw__list of_lock, of_owner;
  bw__lock_record *record;
  uint64_t owner;
  bool reads;
  const char *place;
  int64_t since;
} bw__lock_holder;

// "goroutine 5" or "a plain thread".
void bw__lock_add_owner(bw__text *t, uint64_t owner);
const char *bw__lock_kind_text(bw__lock_kind kind);
// `mutex "name"`, or its address.
void bw__lock_add_name(bw__text *t, const bw__lock_record *r);

// lockorder.c. `r` is wanted at `place` by who holds h: the edge is laid down. True: it closes a
// circle that had not been closed, and *t says so.
bool bw__lock_order_locked(const bw__lock_holder *h, bw__lock_record *r, const char *place,
                           bw__text *t);
// Takes all edges to and from r away.
void bw__lock_order_forget_locked(bw__lock_record *r);

// For those that walk over all records, under the lock.
bw__lock_record *bw__lock_first_locked(void);
bw__lock_record *bw__lock_after_locked(const bw__lock_record *r);
bw__lock_record *bw__lock_find_locked(const void *lock);
void bw__lock_watch_lock(void);
bool bw__lock_watch_trylock(void);
void bw__lock_watch_unlock(void);

// Dumps (sched/dump.h): a lock's name and who has it; nothing if nothing is known.
void bw__lock_describe(bw__text *t, const void *lock);
// And a line for each that is held.
void bw__lock_dump_held(void);

#endif
