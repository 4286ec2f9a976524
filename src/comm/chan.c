// Channels: made and released, one operation at a time, close. chan_state.h has the data and its
// invariants, waitq.h the queues.
//
// A send that finds a waiting receiver copies straight into the receiver's variable and never
// touches the ring; a receiver that finds a waiting sender on an unbuffered channel copies straight
// from the sender's. With a full ring the receiver takes the oldest element and moves the waiting
// sender's value into the freed slot, which keeps FIFO order.
//
// Copying to and from another goroutine's stack is safe: the owner is parked (its context saved,
// see sched/park.h) and cannot run before bw__waiter_ready, which is called after the lock is
// released.
//
// What a message costs is its locked instructions and the calls around the switch. Measured (a
// message through a buffer of 128, P=1; P=2 with four senders and four receivers):
//
//   lock and unlock by a locked instruction each   25 ns; 122
//   unlock by a plain store (lock/mutex.h)         16 ns; 55
//   whoever waits for the lock is patient as well  14 ns; 16, for one core does a hundred
//                                                  operations while the other looks away
//
// A wait adds a switch, and a switch spoils the processor's memory of return addresses: so the
// whole way from bw_chan_send to the switch is one function (sched/parking.h), which made an
// unbuffered message 29 ns instead of 39.
//
// Considered and rejected: a lock that only spins (a descheduled owner costs the others their time
// slices); a ring with a number in each slot (a locked instruction a side as well, and close,
// selectors that wait and the hand-over still want a lock beside it); combining, where the owner
// does the others' operations (saves nothing as long as an operation is as short as handing it on).
//
// Locks: the channel's (BW_RANK_CHAN), never with another channel's here.
#include "comm/chan.h"

#include "comm/chan_state.h"
#include "sched/parking.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>

enum { ELEM_MAX = 65535 };

// ---- life ---------------------------------------------------------------------------------------

bw_chan *bw__chan_make(size_t elem_size, size_t cap, size_t tail) {
  bw_chan *c = bw_malloc(sizeof *c + elem_size * cap + tail);
  if (!c) return NULL;
  *c = (bw_chan){.elem_size = (uint32_t)elem_size, .cap = cap};
  bw__mutex_init(&c->lock, BW_RANK_CHAN);
  bw__store_relaxed(&c->refs, 1);
  return c;
}

bw_chan *bw_chan_make(size_t elem_size, ptrdiff_t capacity) {
  if (elem_size > ELEM_MAX) bw__panic_runtime("makechan: invalid channel element type");
  size_t room = PTRDIFF_MAX - sizeof(bw_chan);
  if (capacity < 0 || (elem_size > 0 && (size_t)capacity > room / elem_size))
    bw__panic_runtime("makechan: size out of range");
  return bw__chan_make(elem_size, (size_t)capacity, 0);
}

bw_chan *bw_chan_retain(bw_chan *c) {
  if (c) bw__add_relaxed(&c->refs, 1);
  return c;
}

// Goroutines that are still parked on a channel that goes (without a reference of their own) never
// run again; the end of the runtime must not look for them in its queues.
static void forget_waiters(bw__waitq *q) {
  for (bw__sudog *s; (s = bw__shared_load(&q->first));) bw__waitq_remove(q, s);
}

void bw_chan_release(bw_chan *c) {
  if (!c || bw__sub(&c->refs, 1) != 1) return;
  if (c->on_free) c->on_free(c, c->owner);
  forget_waiters(&c->receivers);
  forget_waiters(&c->senders);
  bw_free(c);
}

// ---- waiting ------------------------------------------------------------------------------------

void bw__place_abandon(bw__waiter *w) {
  bw__sudog *s = &bw__place_of(w)->sudog;
  bw__waitq *q = bw__shared_load(&s->queue);
  if (q) bw__waitq_remove(q, s);
}

// Unlocks. Returns 0 or BW_ECLOSED.
static BW_INLINE int wait_in(bw_chan *c, bw__waitq *q, void *elem, bw__reason reason) {
  bw__place p;
  bw__m *m = bw__waiter_init_here(&p.waiter);
  bw__place_enter(&p, q, elem);
  bw__wait_here(m, &p.waiter, &c->lock, reason);
  return p.waiter.ok ? 0 : BW_ECLOSED;
}

static BW_INLINE int send(bw_chan *c, const void *value) {
  bw__sudog *wake = NULL;
  bw__chan_lock(c);
  int code = bw__chan_send_locked(c, value, &wake);
  if (code != BW_EAGAIN) return bw__chan_finish(c, code, wake);
  return wait_in(c, &c->senders, (void *)value, BW_REASON_CHAN_SEND);
}

static BW_INLINE int recv(bw_chan *c, void *value) {
  bw__sudog *wake = NULL;
  bw__chan_lock(c);
  int code = bw__chan_recv_locked(c, value, &wake);
  if (code != BW_EAGAIN) return bw__chan_finish(c, code, wake);
  return wait_in(c, &c->receivers, value, BW_REASON_CHAN_RECEIVE);
}

int bw__chan_send(bw_chan *c, const void *value) { return send(c, value); }

int bw__chan_recv(bw_chan *c, void *value) { return recv(c, value); }

// ---- without waiting ----------------------------------------------------------------------------

int bw__chan_try_send(bw_chan *c, const void *value) {
  bw__sudog *wake = NULL;
  if (bw__chan_cannot_send(c)) return BW_EAGAIN;
  bw__chan_lock(c);
  int code = bw__chan_send_locked(c, value, &wake);
  return bw__chan_finish(c, code, wake);
}

int bw__chan_try_recv(bw_chan *c, void *value) {
  bw__sudog *wake = NULL;
  if (bw__chan_cannot_recv(c) && !bw__chan_overdue(c)) return BW_EAGAIN;
  bw__chan_lock(c);
  int code = bw__chan_recv_locked(c, value, &wake);
  return bw__chan_finish(c, code, wake);
}

// Everybody who waits goes home: receivers with a zero value, senders to panic.
int bw__chan_close(bw_chan *c) {
  bw__chain woken = {0};
  bw__chan_lock(c);
  if (bw__chan_closed(c)) return bw__chan_finish(c, BW_ECLOSED, NULL);
  bw__shared_store(&c->flags, bw__shared_load(&c->flags) | BW_CHAN_CLOSED);
  if (BW_WASM) atomic_thread_fence(memory_order_seq_cst); // seen before the queues are seen empty
  for (bw__sudog *s; (s = bw__waitq_pop(&c->receivers)); bw__chain_add(&woken, s)) {
    bw__chan_zero(c, s->elem);
    s->waiter->ok = false;
  }
  for (bw__sudog *s; (s = bw__waitq_pop(&c->senders)); bw__chain_add(&woken, s))
    s->waiter->ok = false;
  bw__chan_unlock(c);
  bw__chain_ready(&woken);
  return 0;
}

// ---- the public face: Go's panics ---------------------------------------------------------------

_Noreturn void bw__chan_panic_closed(const char *func) {
  bw__panic_runtime_in(func, "send on closed channel");
}

static BW_NOINLINE _Noreturn void panic_direction(const char *func, const char *what) {
  bw__panic_runtime_in(func, "%s receive-only channel", what);
}

void bw__chan_check_send(bw_chan *c) {
  if (BW_UNLIKELY(bw__chan_is_timers(c))) panic_direction("bw_chan_send", "send to");
}

void bw_chan_send(bw_chan *c, const void *value) {
  if (!c) bw__wait_forever(BW_REASON_CHAN_SEND_NIL);
  bw__chan_check_send(c);
  if (send(c, value) != 0) bw__chan_panic_closed(__func__);
}

bool bw_chan_recv(bw_chan *c, void *value) {
  if (!c) bw__wait_forever(BW_REASON_CHAN_RECEIVE_NIL);
  return recv(c, value) == 0;
}

int bw_chan_try_send(bw_chan *c, const void *value) {
  if (!c) return BW_EAGAIN;
  bw__chan_check_send(c);
  int code = bw__chan_try_send(c, value);
  if (code == BW_ECLOSED) bw__chan_panic_closed(__func__);
  return code;
}

int bw_chan_try_recv(bw_chan *c, void *value) {
  return c ? bw__chan_try_recv(c, value) : BW_EAGAIN;
}

void bw_chan_close(bw_chan *c) {
  if (!c) bw__panic_runtime("close of nil channel");
  if (bw__chan_is_timers(c)) panic_direction("bw_chan_close", "close of");
  if (bw__chan_close(c) != 0) bw__panic_runtime("close of closed channel");
}

// A timer's channel has a slot, and shows none (Go since 1.23).

ptrdiff_t bw_chan_len(bw_chan *c) {
  return c && !bw__chan_is_timers(c) ? (ptrdiff_t)bw__shared_load(&c->count) : 0;
}

ptrdiff_t bw_chan_cap(bw_chan *c) { return c && !bw__chan_is_timers(c) ? (ptrdiff_t)c->cap : 0; }

size_t bw_chan_elem_size(bw_chan *c) { return c ? c->elem_size : 0; }
