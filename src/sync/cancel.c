// Cancelling: a list of watches, which fire takes apart one by one.
//
// A watch is WAITING while it is in the list, RUNNING while it is called and DONE afterwards. Fire
// changes the first to the second under the lock, and the second to the third without it:
//
//     fire                                 unwatch
//     F1 lock: off the list, RUNNING       U1 DONE? go
//     F2 w->fire(w)                        U2 lock: on the list? take it off, go
//     F3 w->state = DONE: the last touch   U3 wait for DONE
//
// If U2 comes before F1, fire never sees the watch. If it comes after, U3 ends at F3, and since
// `fire` neither parks nor waits for long, F3 comes soon: never from the thread that waits, which
// would have to be inside F2.
//
// The lock is free while a watch is called, so whatever a fire of 10,000 watches takes, others only
// wait for each other's few instructions; a fire within a fire, of the same source too, finds no
// lock held.
//
// Locks: the source's (BW_RANK_CANCEL).
#include "sync/cancel.h"

#include "port/port.h"

enum { WAITING, RUNNING, DONE };

static bw__cancel_watcher *watch_of(bw__list *link) {
  return BW_CONTAINER(link, bw__cancel_watcher, link);
}

// Watches lie on stacks, which other threads may have got from the system.
static void lock(bw__cancel_source *s) {
  bw__mutex_lock(&s->lock);
  bw__port_mem_sync();
}

void bw__cancel_init(bw__cancel_source *s) {
  bw__mutex_init(&s->lock, BW_RANK_CANCEL);
  bw__store_relaxed(&s->fired, false);
  bw__list_init(&s->watches);
}

// DONE as long as nobody can call it, so that an unwatch at any time does no harm.
void bw__cancel_init_watcher(bw__cancel_watcher *w) {
  w->link.next = NULL;
  bw__store_relaxed(&w->state, DONE);
}

bool bw__cancel_watch(bw__cancel_source *s, bw__cancel_watcher *w,
                      void (*fire)(bw__cancel_watcher *w)) {
  bw__cancel_init_watcher(w);
  w->fire = fire;
  if (bw__cancelled(s)) return false;
  lock(s);
  bool in_time = !bw__load_relaxed(&s->fired);
  if (in_time) {
    bw__store_relaxed(&w->state, WAITING);
    bw__list_push_back(&s->watches, &w->link);
  }
  bw__mutex_unlock(&s->lock);
  return in_time;
}

void bw__cancel_unwatch(bw__cancel_source *s, bw__cancel_watcher *w) {
  if (bw__load_acquire(&w->state) == DONE) return; // pairs with F3
  lock(s);
  bool waited = bw__list_linked(&w->link);
  if (waited) {
    bw__list_remove(&w->link);
    bw__store_relaxed(&w->state, DONE);
  }
  bw__mutex_unlock(&s->lock);
  if (waited) return;
  for (unsigned rounds = 1; bw__load_acquire(&w->state) != DONE; rounds++) // pairs with F3
    bw__port_relax(rounds);
}

static bool fire_first_locked(bw__cancel_source *s) {
  bw__list *link = bw__list_pop_front(&s->watches);
  if (!link) return false;
  bw__cancel_watcher *w = watch_of(link);
  bw__store_relaxed(&w->state, RUNNING);
  bw__mutex_unlock(&s->lock);
  w->fire(w);
  bw__store_release(&w->state, DONE); // F3
  lock(s);
  return true;
}

bool bw__cancel_fire(bw__cancel_source *s) {
  lock(s);
  bool mine = !bw__load_relaxed(&s->fired);
  bw__store_release(&s->fired, true); // pairs with bw__cancelled
  while (mine && fire_first_locked(s)) {}
  bw__mutex_unlock(&s->lock);
  return mine;
}
