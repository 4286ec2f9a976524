// Channels.
//
// One lock guards everything. A channel is a ring of `cap` elements with two queues of waiters:
// receivers that found nothing and senders that found no room. Both are first come, first served.
//
// I1: at most one of the two queues is not empty.
// I2: receivers wait => the buffer is empty. Senders wait => the buffer is full (cap 0: always).
// I3: closed => no sender waits, and no receiver waits.
//
// Direct hand-off. A sender that finds a waiting receiver copies straight into the receiver's
// variable and never touches the ring; a receiver that finds a waiting sender on an unbuffered
// channel copies straight from the sender's. With a full ring the receiver takes the oldest element
// and moves the waiting sender's value into the freed slot, which keeps FIFO order.
//
// Copying to and from another goroutine's stack is safe: the owner is parked (its context saved,
// see sched/park.h) and cannot run before bw__waiter_ready, which is called after the lock is
// released.
//
// Locks: the channel's (BW_RANK_CHAN), never with another channel's here.
#include "comm/chan.h"

#include "port/port.h"
#include "sched/sched.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

enum { ELEM_MAX = 65535 };

struct bw_chan {
  bw__mutex lock;
  _Atomic(uint32_t) refs;
  uint32_t elem_size; // r/o after make
  bool closed;        // under lock
  size_t cap;         // r/o after make
  size_t count;       // elements in the ring: under lock
  size_t recv_at;     // index of the oldest element: under lock
  size_t send_at;     // index of the next free slot: under lock
  bw__list receivers; // of bw__waiter: under lock
  bw__list senders;   // of bw__waiter: under lock
  _Alignas(16) char ring[];
};

// ---- life ---------------------------------------------------------------------------------------

bw_chan *bw_chan_make(size_t elem_size, ptrdiff_t capacity) {
  if (elem_size > ELEM_MAX) bw__panic_runtime("makechan: invalid channel element type");
  size_t room = PTRDIFF_MAX - sizeof(bw_chan);
  if (capacity < 0 || (elem_size > 0 && (size_t)capacity > room / elem_size))
    bw__panic_runtime("makechan: size out of range");
  bw_chan *c = bw_malloc(sizeof *c + elem_size * (size_t)capacity);
  if (!c) return NULL;
  *c = (bw_chan){.elem_size = (uint32_t)elem_size, .cap = (size_t)capacity};
  bw__mutex_init(&c->lock, BW_RANK_CHAN);
  bw__store_relaxed(&c->refs, 1);
  bw__list_init(&c->receivers);
  bw__list_init(&c->senders);
  return c;
}

bw_chan *bw_chan_retain(bw_chan *c) {
  if (c) bw__add_relaxed(&c->refs, 1);
  return c;
}

void bw_chan_release(bw_chan *c) {
  if (c && bw__sub(&c->refs, 1) == 1) bw_free(c);
}

// ---- the ring, under the lock -------------------------------------------------------------------

static char *slot(bw_chan *c, size_t i) { return c->ring + i * c->elem_size; }

// `to` or `from` may be NULL for zero-size elements; a NULL `to` drops the value.
static void copy_elem(bw_chan *c, void *to, const void *from) {
  if (!to || !c->elem_size) return;
  if (c->elem_size == 8)
    memcpy(to, from, 8);
  else if (c->elem_size == 4)
    memcpy(to, from, 4);
  else
    memcpy(to, from, c->elem_size);
}

static void ring_put(bw_chan *c, const void *value) {
  copy_elem(c, slot(c, c->send_at), value);
  if (++c->send_at == c->cap) c->send_at = 0;
  c->count++;
}

static void ring_take(bw_chan *c, void *to) {
  copy_elem(c, to, slot(c, c->recv_at));
  if (++c->recv_at == c->cap) c->recv_at = 0;
  c->count--;
}

static void push_waiter(bw__list *queue, bw__waiter *w) {
  w->queued = true;
  bw__list_push_back(queue, &w->link);
}

static bw__waiter *pop_waiter(bw__list *queue) {
  bw__list *l = bw__list_pop_front(queue);
  if (!l) return NULL;
  bw__waiter *w = BW_CONTAINER(l, bw__waiter, link);
  w->queued = false;
  return w;
}

// ---- the two operations, under the lock ---------------------------------------------------------

// Sends if that is possible now: 0, BW_EAGAIN or BW_ECLOSED. *wake: whom to ready after unlocking.
static int send_locked(bw_chan *c, const void *value, bw__waiter **wake) {
  if (c->closed) return BW_ECLOSED;
  bw__waiter *receiver = pop_waiter(&c->receivers);
  if (receiver) {
    copy_elem(c, receiver->elem, value);
    receiver->ok = true;
    *wake = receiver;
    return 0;
  }
  if (c->count == c->cap) return BW_EAGAIN;
  ring_put(c, value);
  return 0;
}

// Receives if that is possible now: 0, BW_EAGAIN, or BW_ECLOSED with `to` zeroed.
static int recv_locked(bw_chan *c, void *to, bw__waiter **wake) {
  if (c->count > 0) {
    ring_take(c, to);
    bw__waiter *sender = pop_waiter(&c->senders);
    if (sender) {
      ring_put(c, sender->elem);
      sender->ok = true;
      *wake = sender;
    }
    return 0;
  }
  bw__waiter *sender = pop_waiter(&c->senders);
  if (sender) {
    copy_elem(c, to, sender->elem);
    sender->ok = true;
    *wake = sender;
    return 0;
  }
  if (!c->closed) return BW_EAGAIN;
  if (to) memset(to, 0, c->elem_size);
  return BW_ECLOSED;
}

static int finish(bw_chan *c, int code, bw__waiter *wake) {
  bw__mutex_unlock(&c->lock);
  if (wake) bw__waiter_ready(wake);
  return code;
}

// Under the lock: pointers come out of the ring, and values are copied to and from the stacks of
// waiters, which may lie in memory that their threads grew before they took the same lock.
static void lock(bw_chan *c) {
  bw__mutex_lock(&c->lock);
  bw__port_mem_sync();
}

// ---- with waiting -------------------------------------------------------------------------------

int bw__chan_send(bw_chan *c, const void *value) {
  bw__waiter w, *wake = NULL;
  lock(c);
  int code = send_locked(c, value, &wake);
  if (code != BW_EAGAIN) return finish(c, code, wake);
  bw__waiter_init(&w, (void *)value);
  push_waiter(&c->senders, &w);
  bw__wait(&w, &c->lock, BW_REASON_CHAN_SEND);
  return w.ok ? 0 : BW_ECLOSED;
}

int bw__chan_recv(bw_chan *c, void *value) {
  bw__waiter w, *wake = NULL;
  lock(c);
  int code = recv_locked(c, value, &wake);
  if (code != BW_EAGAIN) return finish(c, code, wake);
  bw__waiter_init(&w, value);
  push_waiter(&c->receivers, &w);
  bw__wait(&w, &c->lock, BW_REASON_CHAN_RECEIVE);
  return w.ok ? 0 : BW_ECLOSED;
}

int bw__chan_try_send(bw_chan *c, const void *value) {
  bw__waiter *wake = NULL;
  lock(c);
  int code = send_locked(c, value, &wake);
  return finish(c, code, wake);
}

int bw__chan_try_recv(bw_chan *c, void *value) {
  bw__waiter *wake = NULL;
  lock(c);
  int code = recv_locked(c, value, &wake);
  return finish(c, code, wake);
}

int bw__chan_send_ticket(bw_chan *c, bw__waiter *ticket) {
  bw__waiter *wake = NULL;
  lock(c);
  int code = send_locked(c, ticket->elem, &wake);
  if (code == BW_EAGAIN) push_waiter(&c->senders, ticket);
  return finish(c, code, wake);
}

int bw__chan_recv_ticket(bw_chan *c, bw__waiter *ticket) {
  bw__waiter *wake = NULL;
  lock(c);
  int code = recv_locked(c, ticket->elem, &wake);
  if (code == BW_EAGAIN) push_waiter(&c->receivers, ticket);
  return finish(c, code, wake);
}

bool bw__chan_cancel_ticket(bw_chan *c, bw__waiter *ticket) {
  lock(c);
  bool waiting =
      ticket->queued; // not its link: close keeps the waiters it wakes on a list of its own
  if (waiting) bw__list_remove(&ticket->link);
  bw__mutex_unlock(&c->lock);
  return waiting;
}

// Everybody who waits goes home: receivers with a zero value, senders to panic.
int bw__chan_close(bw_chan *c) {
  bw__list woken;
  bw__list_init(&woken);
  lock(c);
  if (c->closed) return finish(c, BW_ECLOSED, NULL);
  c->closed = true;
  for (bw__waiter *w; (w = pop_waiter(&c->receivers));) {
    if (w->elem) memset(w->elem, 0, c->elem_size);
    w->ok = false;
    bw__list_push_back(&woken, &w->link);
  }
  for (bw__waiter *w; (w = pop_waiter(&c->senders));) {
    w->ok = false;
    bw__list_push_back(&woken, &w->link);
  }
  bw__mutex_unlock(&c->lock);
  for (bw__list *l; (l = bw__list_pop_front(&woken));)
    bw__waiter_ready(BW_CONTAINER(l, bw__waiter, link));
  return 0;
}

// ---- the public face: Go's panics ---------------------------------------------------------------

void bw_chan_send(bw_chan *c, const void *value) {
  if (!c) bw__wait_forever(BW_REASON_CHAN_SEND_NIL);
  if (bw__chan_send(c, value) != 0) bw__panic_runtime("send on closed channel");
}

bool bw_chan_recv(bw_chan *c, void *value) {
  if (!c) bw__wait_forever(BW_REASON_CHAN_RECEIVE_NIL);
  return bw__chan_recv(c, value) == 0;
}

int bw_chan_try_send(bw_chan *c, const void *value) {
  if (!c) return BW_EAGAIN;
  int code = bw__chan_try_send(c, value);
  if (code == BW_ECLOSED) bw__panic_runtime("send on closed channel");
  return code;
}

int bw_chan_try_recv(bw_chan *c, void *value) {
  return c ? bw__chan_try_recv(c, value) : BW_EAGAIN;
}

void bw_chan_close(bw_chan *c) {
  if (!c) bw__panic_runtime("close of nil channel");
  if (bw__chan_close(c) != 0) bw__panic_runtime("close of closed channel");
}

ptrdiff_t bw_chan_len(bw_chan *c) {
  if (!c) return 0;
  bw__mutex_lock(&c->lock);
  size_t n = c->count;
  bw__mutex_unlock(&c->lock);
  return (ptrdiff_t)n;
}

ptrdiff_t bw_chan_cap(bw_chan *c) { return c ? (ptrdiff_t)c->cap : 0; }

size_t bw_chan_elem_size(bw_chan *c) { return c ? c->elem_size : 0; }
