// Many values at once: as many sends or receives, one after the other, under one lock where they
// need not wait.
//
// Locks: the channel's.
#include "comm/chan.h"
#include "comm/chan_state.h"
#include "sched/sched.h"

// Elements from slot `at` up to the end of the ring, or n if that is less.
static size_t up_to_wrap(bw_chan *c, size_t at, size_t n) {
  return c->cap - at < n ? c->cap - at : n;
}

static size_t advance(bw_chan *c, size_t at, size_t n) { return at + n == c->cap ? 0 : at + n; }

// n <= cap - count
static void ring_put_many(bw_chan *c, const char *from, size_t n) {
  bw__shared_store(&c->count, bw__shared_load(&c->count) + n);
  for (size_t part; n > 0; n -= part) {
    part = up_to_wrap(c, c->send_at, n);
    if (c->elem_size) memcpy(bw__chan_slot(c, c->send_at), from, part * c->elem_size);
    from += part * c->elem_size;
    c->send_at = advance(c, c->send_at, part);
  }
}

// n <= count; a NULL `to` drops the values. `count` is the caller's to change.
static void ring_take_many(bw_chan *c, char *to, size_t n) {
  for (size_t part; n > 0; n -= part) {
    part = up_to_wrap(c, c->recv_at, n);
    if (to && c->elem_size) memcpy(to, bw__chan_slot(c, c->recv_at), part * c->elem_size);
    if (to) to += part * c->elem_size;
    c->recv_at = advance(c, c->recv_at, part);
  }
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// What can be sent now, receivers first: they wait only while the ring is empty.
static size_t send_some_locked(bw_chan *c, const char *values, size_t n, bw__chain *woken) {
  size_t sent = 0;
  for (bw__sudog *s; sent < n && (s = bw__waitq_pop(&c->receivers)); sent++) {
    bw__chan_copy(c, s->elem, values + sent * c->elem_size);
    s->waiter->ok = true;
    bw__chain_add(woken, s);
  }
  size_t room = least(n - sent, c->cap - bw__shared_load(&c->count));
  ring_put_many(c, values + sent * c->elem_size, room);
  return sent + room;
}

// What can be received now: the ring, then those who wait to send, whose values come after it. The
// values of senders that are left move up into the ring. `count` changes once, at the end: who
// looks at it without the lock must not see values missing that a sender had ready.
static size_t recv_some_locked(bw_chan *c, char *to, size_t n, bw__chain *woken) {
  size_t count = bw__shared_load(&c->count);
  size_t got = least(n, count);
  ring_take_many(c, to, got);
  count -= got;
  while (got < n || count < c->cap) {
    bw__sudog *s = bw__waitq_pop(&c->senders);
    if (!s) break;
    if (got < n) {
      bw__chan_copy(c, to ? to + got * c->elem_size : NULL, s->elem);
      got++;
    } else {
      bw__chan_copy(c, bw__chan_slot(c, c->send_at), s->elem);
      c->send_at = advance(c, c->send_at, 1);
      count++;
    }
    s->waiter->ok = true;
    bw__chain_add(woken, s);
  }
  bw__shared_store(&c->count, count);
  return got;
}

// ---- waiting with others to wake ----------------------------------------------------------------

typedef struct {
  bw_chan *c;
  bw__chain woken;
} release;

// Once the lock is released whoever waits may be gone, and *arg with it.
static void unlock_and_ready(void *arg) {
  release r = *(release *)arg;
  bw__chan_unlock(r.c);
  bw__chain_ready(&r.woken);
}

// One value more, in q: unlocks, readies those of the chain, waits. True: it happened.
static bool wait_in(bw_chan *c, bw__waitq *q, void *elem, bw__chain *woken, bw__reason reason) {
  bw__place p;
  release r = {c, *woken};
  bw__waiter_init(&p.waiter);
  bw__place_enter(&p, q, elem);
  bw__wait_commit(&p.waiter, unlock_and_ready, &r, -1, reason);
  bw__wait_over(&p.waiter);
  return p.waiter.ok;
}

static void finish(bw_chan *c, bw__chain *woken) {
  bw__chan_unlock(c);
  bw__chain_ready(woken);
}

// ---- the public face ----------------------------------------------------------------------------

void bw_chan_send_n(bw_chan *c, const void *values, size_t n) {
  if (n == 0) return;
  if (!c) bw__wait_forever(BW_REASON_CHAN_SEND_NIL);
  bw__chan_check_send(c);
  const char *from = values;
  for (size_t sent = 0; sent < n; sent++) { // one more by waiting
    bw__chain woken = {0};
    bw__chan_lock(c);
    bool closed = bw__chan_closed(c);
    if (!closed) sent += send_some_locked(c, from + sent * c->elem_size, n - sent, &woken);
    if (closed || sent == n) {
      finish(c, &woken);
      if (closed) bw__chan_panic_closed("bw_chan_send_n");
      return;
    }
    void *elem = (void *)(from + sent * c->elem_size);
    if (!wait_in(c, &c->senders, elem, &woken, BW_REASON_CHAN_SEND))
      bw__chan_panic_closed("bw_chan_send_n");
  }
}

size_t bw__chan_send_some(bw_chan *c, const void *values, size_t n) {
  bw__chan_check_send(c);
  bw__chain woken = {0};
  bw__chan_lock(c);
  size_t sent = bw__chan_closed(c) ? 0 : send_some_locked(c, values, n, &woken);
  finish(c, &woken);
  return sent;
}

size_t bw__chan_recv_some(bw_chan *c, void *values, size_t n) {
  bw__chain woken = {0};
  bw__chan_lock(c);
  size_t got = recv_some_locked(c, values, n, &woken);
  finish(c, &woken);
  return got;
}

size_t bw_chan_recv_n(bw_chan *c, void *values, size_t n) {
  if (n == 0) return 0;
  if (!c) bw__wait_forever(BW_REASON_CHAN_RECEIVE_NIL);
  bw__chain woken = {0};
  bw__chan_lock(c);
  size_t got = recv_some_locked(c, values, n, &woken);
  if (got > 0 || bw__chan_closed(c)) {
    if (got == 0) bw__chan_zero(c, values);
    finish(c, &woken);
    return got;
  }
  return wait_in(c, &c->receivers, values, &woken, BW_REASON_CHAN_RECEIVE) ? 1 : 0;
}
