// A channel's inside, for the rooms that work on it: chan.c (one operation), chan_bulk.c (many
// values at once), select.c, ticket.c (JavaScript) and the timers' channels.
//
// Invariants, under the lock:
//   I1  count <= cap; slots recv_at .. recv_at+count-1 (mod cap) of the ring hold values
//   I2  a receiver that waits (and whose wait nobody has claimed) => count == 0 and not closed
//   I3  a sender that waits (likewise) => count == cap and not closed
//   I4  closed is never taken back
//
// `flags`, `count` and the queues' heads may be looked at without the lock. A try form that finds
// nothing to do returns without locking; what it saw was true at one moment: it looks whether there
// is anything to do, then at closed, in this order. A channel that is open at the second look was
// open at the first. (The other order is wrong: a close sends the receivers home, so that a channel
// which was open at a first look may have nobody to send to at a second one, and was never both.)
#ifndef BURROW_COMM_CHAN_STATE_H
#define BURROW_COMM_CHAN_STATE_H

#include "comm/waitq.h"
#include "port/port.h"
#include "sched/sched.h"

#include <burrow/chan.h>
#include <burrow/error.h>
#include <string.h>

enum {
  BW_CHAN_CLOSED = 1,    // set once, under the lock
  BW_CHAN_RECV_ONLY = 2, // the program may only receive: a timer's. r/o after make
};

// Not kept apart from what lies beside it on purpose: senders and receivers share the first line
// anyway, and a program may have a channel a goroutine, for which whole lines are memory lost.
struct bw_chan {
  bw__mutex lock;
  BW_SHARED(uint32_t) flags;
  uint32_t elem_size;      // r/o after make
  size_t cap;              // r/o after make
  BW_SHARED(size_t) count; // elements in the ring
  size_t recv_at;          // index of the oldest element
  size_t send_at;          // index of the next free slot
  bw__waitq receivers, senders;
  _Atomic(uint32_t) refs;
  void (*on_free)(bw_chan *c, void *owner); // called by the last release, or NULL
  void *owner;                              // the timer; r/o after make
  _Alignas(16) char ring[];
};

// The next to the last field of the first cache line: what a send with a waiting receiver touches.
_Static_assert(BW_WASM || offsetof(struct bw_chan, receivers) < BW_CACHE_LINE, "hot fields");

// Without any checks, and with `tail` bytes behind the ring. NULL: no memory.
bw_chan *bw__chan_make(size_t elem_size, size_t cap, size_t tail);

// timer_chan.c: sends what is due and has not been sent. True: there is a value in the channel.
// `c` is a timer's. Blocks: never. Locks: channel.
bool bw__timer_chan_overdue(bw_chan *c);

// Pointers come out of the ring, and values are copied to and from the stacks of waiters, which may
// lie in memory that their threads grew before they took the same lock.
static inline void bw__chan_lock(bw_chan *c) {
  bw__mutex_lock_patient(&c->lock);
  bw__port_mem_sync();
}

static inline void bw__chan_unlock(bw_chan *c) { bw__mutex_unlock(&c->lock); }

static inline bool bw__chan_closed(bw_chan *c) {
  return bw__shared_load(&c->flags) & BW_CHAN_CLOSED;
}

// ---- looks without the lock ---------------------------------------------------------------------

// A receive would not find a value now. (A waiting sender of a buffered channel means a full ring.)
static inline bool bw__chan_seems_empty(bw_chan *c) {
  return c->cap ? bw__shared_look(&c->count) == 0 : bw__waitq_empty(&c->senders);
}

static inline bool bw__chan_seems_full(bw_chan *c) {
  return c->cap ? bw__shared_look(&c->count) == c->cap : bw__waitq_empty(&c->receivers);
}

// True: at some moment in this call a send had to wait.
static inline bool bw__chan_cannot_send(bw_chan *c) {
  return bw__chan_seems_full(c) && !bw__chan_closed(c);
}

// True: at some moment in this call a receive had to wait.
static inline bool bw__chan_cannot_recv(bw_chan *c) {
  return bw__chan_seems_empty(c) && !bw__chan_closed(c);
}

static inline bool bw__chan_is_timers(bw_chan *c) {
  return bw__shared_load(&c->flags) & BW_CHAN_RECV_ONLY;
}

// True: it is a timer's channel whose time had come, and now it has a value. Who only looks and
// never parks may keep everybody from running the timers.
static inline bool bw__chan_overdue(bw_chan *c) {
  return BW_UNLIKELY(bw__chan_is_timers(c)) && bw__timer_chan_overdue(c);
}

// ---- the ring, under the lock -------------------------------------------------------------------

// `to` or `from` may be NULL for zero-size elements; a NULL `to` drops the value.
static inline void bw__chan_copy(bw_chan *c, void *to, const void *from) {
  if (!to) return;
  if (BW_LIKELY(c->elem_size == 8))
    memcpy(to, from, 8);
  else if (c->elem_size == 4)
    memcpy(to, from, 4);
  else if (c->elem_size)
    memcpy(to, from, c->elem_size);
}

static inline void bw__chan_zero(bw_chan *c, void *to) {
  if (to && c->elem_size) memset(to, 0, c->elem_size);
}

static inline char *bw__chan_slot(bw_chan *c, size_t i) { return c->ring + i * c->elem_size; }

static inline void bw__ring_put_value(bw_chan *c, const void *value) {
  bw__chan_copy(c, bw__chan_slot(c, c->send_at), value);
  if (++c->send_at == c->cap) c->send_at = 0;
  bw__shared_store(&c->count, bw__shared_load(&c->count) + 1);
}

static inline void bw__ring_take_value(bw_chan *c, void *to) {
  bw__chan_copy(c, to, bw__chan_slot(c, c->recv_at));
  if (++c->recv_at == c->cap) c->recv_at = 0;
  bw__shared_store(&c->count, bw__shared_load(&c->count) - 1);
}

// On a full ring: takes the oldest value and puts another behind the newest, in one go. `count`
// stays what it is: who looks at it without the lock must not see the ring less than full, not even
// empty, while a sender waits.
static inline void bw__ring_turn(bw_chan *c, void *to, const void *value) {
  char *slot = bw__chan_slot(c, c->recv_at);
  bw__chan_copy(c, to, slot);
  bw__chan_copy(c, slot, value);
  if (++c->recv_at == c->cap) c->recv_at = 0;
  c->send_at = c->recv_at;
}

// ---- the two operations, under the lock ---------------------------------------------------------

// Sends if that is possible now: 0, BW_EAGAIN or BW_ECLOSED. *wake: whose wait has ended; ready its
// waiter after unlocking.
static BW_INLINE int bw__chan_send_locked(bw_chan *c, const void *value, bw__sudog **wake) {
  if (BW_UNLIKELY(bw__chan_closed(c))) return BW_ECLOSED;
  bw__sudog *receiver = bw__waitq_pop(&c->receivers);
  if (receiver) {
    bw__chan_copy(c, receiver->elem, value);
    receiver->waiter->ok = true;
    *wake = receiver;
    return 0;
  }
  if (bw__shared_load(&c->count) == c->cap) return BW_EAGAIN;
  bw__ring_put_value(c, value);
  return 0;
}

// Receives if that is possible now: 0, BW_EAGAIN, or BW_ECLOSED with `to` zeroed.
static BW_INLINE int bw__chan_recv_locked(bw_chan *c, void *to, bw__sudog **wake) {
  bool buffered = bw__shared_load(&c->count) > 0;
  bw__sudog *sender = bw__waitq_pop(&c->senders);
  if (sender) {
    if (buffered)
      bw__ring_turn(c, to, sender->elem);
    else
      bw__chan_copy(c, to, sender->elem);
    sender->waiter->ok = true;
    *wake = sender;
    return 0;
  }
  if (buffered) {
    bw__ring_take_value(c, to);
    return 0;
  }
  if (!bw__chan_closed(c)) return BW_EAGAIN;
  bw__chan_zero(c, to);
  return BW_ECLOSED;
}

// Unlocks, and readies whose wait has ended. Returns `code`.
static inline int bw__chan_finish(bw_chan *c, int code, bw__sudog *wake) {
  bw__waiter *w = wake ? wake->waiter : NULL;
  bw__chan_unlock(c);
  if (w) bw__waiter_ready(w);
  return code;
}

// ---- waiting ------------------------------------------------------------------------------------

// bw__waiter's `abandon` of one with a place.
void bw__place_abandon(bw__waiter *w);

// Puts the waiter, which has been made, into q, whose channel is locked; a wait must follow. After
// that p->waiter.ok says whether the operation happened.
static inline void bw__place_enter(bw__place *p, bw__waitq *q, void *elem) {
  p->waiter.abandon = bw__place_abandon;
  p->sudog.elem = elem;
  p->sudog.waiter = &p->waiter;
  p->sudog.winner = NULL;
  bw__waitq_push(q, &p->sudog);
}

// ---- chains of those whose waits have ended -----------------------------------------------------

// Operations that end many waits make a chain of them under the lock, and ready them after it.
// Goroutines hang together by `next` of their records, all others by that of their sudogs: so what
// a goroutine has on its stack is looked at once, when it is taken off the queue, and not again
// after thousands of others have pushed it out of the caches.
typedef struct {
  bw__g *first, *last;
  bw__sudog *first_other, *last_other;
} bw__chain;

static inline void bw__chain_add_other(bw__chain *chain, bw__sudog *s) {
  s->next = NULL;
  if (chain->first_other)
    chain->last_other->next = s;
  else
    chain->first_other = s;
  chain->last_other = s;
}

// s is off its queue, and so it is ours to end its wait: until it is readied its goroutine is in no
// queue of the scheduler.
static inline void bw__chain_add(bw__chain *chain, bw__sudog *s) {
  bw__waiter *w = s->waiter;
  if (BW_UNLIKELY(w->kind != BW_WAIT_GOROUTINE)) {
    bw__chain_add_other(chain, s);
    return;
  }
  w->g->next = NULL;
  if (chain->first)
    chain->last->next = w->g;
  else
    chain->first = w->g;
  chain->last = w->g;
}

static inline void bw__chain_ready(const bw__chain *chain) {
  for (bw__sudog *next, *s = chain->first_other; s; s = next) {
    next = s->next;
    bw__waiter_ready(s->waiter);
  }
  for (bw__g *next, *g = chain->first; g; g = next) {
    next = g->next;
    bw__sched_ready(g, true);
  }
}

// Go's panics for what must not be done to `c`, and nothing if it may.
_Noreturn void bw__chan_panic_closed(const char *func);
void bw__chan_check_send(bw_chan *c);

#endif
