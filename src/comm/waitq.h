// A channel's queues of waiters: first come, first served.
//
// A *sudog* (Go's word) is one place in one queue. Who does a plain operation has one; who selects
// has one in the queue of each case, all for the same waiter. Sudogs lie on the stack of the one
// who waits; a JavaScript operation has its own in the op.
//
// Whoever takes a sudog off the queue, under the channel's lock, ends the wait, unless the waiter
// is *choosing* and somebody else has claimed it already: then the sudog is a left-over of a select
// that another case has won, and is passed over. So a select is ended exactly once, and the
// selector finds its other sudogs either still queued, or off their queues and touched by nobody.
//
// Locks: all fields under the lock of the channel that has the queue, but `first`, which may be
// looked at without it (empty or not), and `queue`: see bw__waitq_left.
#ifndef BURROW_COMM_WAITQ_H
#define BURROW_COMM_WAITQ_H

#include "base/shared.h"
#include "sched/park.h"

typedef struct bw__sudog {
  struct bw__sudog *next, *prev;
  BW_SHARED(struct bw__waitq *) queue; // NULL: in none
  void *elem;                          // the value to send, or where to put the one received
  bw__waiter *waiter;
  struct bw__sudog **winner; // choosing: where who ends the wait leaves the sudog; NULL: plain
} bw__sudog;

typedef struct bw__waitq {
  BW_SHARED(bw__sudog *) first;
  bw__sudog *last;
} bw__waitq;

// Who waits in one queue only.
typedef struct bw__place {
  bw__waiter waiter;
  bw__sudog sudog;
} bw__place;

static inline bw__place *bw__place_of(bw__waiter *w) { return BW_CONTAINER(w, bw__place, waiter); }

// Any thread, without the lock: a hint.
static inline bool bw__waitq_empty(bw__waitq *q) { return !bw__shared_look(&q->first); }

static inline void bw__waitq_push(bw__waitq *q, bw__sudog *s) {
  s->next = NULL;
  s->prev = q->last;
  bw__shared_store(&s->queue, q);
  if (s->prev)
    s->prev->next = s;
  else
    bw__shared_store(&q->first, s);
  q->last = s;
}

// The store to s->queue is the last touch of *s.
static inline void bw__waitq_remove(bw__waitq *q, bw__sudog *s) {
  if (s->prev)
    s->prev->next = s->next;
  else
    bw__shared_store(&q->first, s->next);
  if (s->next)
    s->next->prev = s->prev;
  else
    q->last = s->prev;
  bw__shared_store(&s->queue, NULL);
}

// The first whose wait is ours to end, off the queue; NULL: none.
static inline bw__sudog *bw__waitq_pop(bw__waitq *q) {
  for (bw__sudog *s; (s = bw__shared_load(&q->first));) {
    bw__waiter *w = s->waiter;
    bool ours = BW_LIKELY(!s->winner) || bw__waiter_claim(w);
    if (ours && s->winner) *s->winner = s;
    bw__waitq_remove(q, s);
    if (ours) return s;
  }
  return NULL;
}

// For the owner of a sudog that lost, after its waiter was woken: true when it is off its queue,
// and nobody touches it any more, without taking the lock. (Pairs with the store in remove.)
static inline bool bw__waitq_left(bw__sudog *s) { return !bw__shared_look(&s->queue); }

#endif
