// What the tests of contexts share: runs that must give back all memory, and a look at the tree.
#ifndef BURROW_CONTEXT_UTIL_H
#define BURROW_CONTEXT_UTIL_H

#include "chan_util.h"

#include "comm/context.h"

static inline uint64_t context_live_bytes(void) {
  bw_alloc_stats stats;
  bw_alloc_stats_read(&stats);
  return stats.live_bytes;
}

// Runs body twice: the second run must leave as much memory in use as the first one. (On wasm with
// threads the C library frees the stacks of ended ones when it finds time for it.)
static inline void context_run(int (*body)(void *), void *arg, int procs) {
  test_run(body, arg, procs);
  uint64_t live = context_live_bytes();
  test_run(body, arg, procs);
  if (!BW_WASM || procs == 1) CHECK_EQ(context_live_bytes(), live);
}

// On one P, and on as many as there are cores.
#define CONTEXT_TEST(name)                                                                         \
  static int name##_body(void *arg);                                                               \
  TEST(name) { context_run(name##_body, NULL, 1); }                                                \
  TEST(name##_on_all) { context_run(name##_body, NULL, 0); }                                       \
  static int name##_body(void *arg)

// How many the node of ctx would end by itself: nodes and calls.
static inline int context_watchers(bw_context *ctx) {
  bw__cancel_source *s = bw__context_source(ctx);
  int n = 0;
  bw__mutex_lock(&s->lock);
  for (bw__list *l = s->watches.next; l != &s->watches; l = l->next) n++;
  bw__mutex_unlock(&s->lock);
  return n;
}

static inline void context_check_open(bw_context *ctx) {
  CHECK_EQ(bw_context_err(ctx), 0);
  CHECK_EQ(bw_context_cause(ctx), 0);
  CHECK(!bw_context_cause_text(ctx));
  if (bw_context_may_end(ctx)) CHECK_EQ(bw_chan_try_recv(bw_context_done(ctx), NULL), BW_EAGAIN);
}

static inline void context_check_ended(bw_context *ctx, int code) {
  CHECK_EQ(bw_context_err(ctx), code);
  CHECK_EQ(bw_chan_try_recv(bw_context_done(ctx), NULL), BW_ECLOSED);
}

static inline void context_wait(bw_context *ctx) {
  CHECK(!bw_chan_recv(bw_context_done(ctx), NULL));
}

// Those that have done their work may take a moment to be gone.
static inline void context_wait_alone(void) {
  while (bw_num_goroutine() > 1) bw_gosched();
}

// ---- exchanges ----------------------------------------------------------------------------------

// Senders and receivers of one channel, whose context ends at any moment. Each counts what it has
// sent or received, and leaves `running`.
typedef struct {
  bw_chan *chan;
  bw_context *ctx;
  atomic_llong sent, received, sends, receives; // sums, and how many
  atomic_int running;
} context_exchange;

static inline void context_exchange_took(context_exchange *x, int64_t value) {
  atomic_fetch_add(&x->received, value);
  atomic_fetch_add(&x->receives, 1);
}

// x has its channel and how many will run. What was sent is received or left (`drain` takes it
// then), and nothing else is. Gives the channel back.
static inline void context_exchange_round(context_exchange *x, int round,
                                          void (*begin)(context_exchange *x),
                                          void (*drain)(context_exchange *x)) {
  bw_cancel *cancel;
  x->ctx = round % 2 ? bw_with_cancel(bw_context_background(), &cancel)
                     : bw_with_timeout(bw_context_background(), round * BW_MICROSECOND, &cancel);
  begin(x);
  for (int i = 0; i < round % 20; i++) bw_gosched();
  if (round % 2) bw_cancel_now(cancel);
  context_wait(x->ctx);
  while (atomic_load(&x->running) > 0) bw_gosched();
  drain(x);
  CHECK_EQ(atomic_load(&x->sends), atomic_load(&x->receives));
  CHECK_EQ(atomic_load(&x->sent), atomic_load(&x->received));
  context_wait_alone();
  CHECK_EQ(context_watchers(x->ctx), 0);
  bw_cancel_release(cancel);
  bw_context_release(x->ctx);
  bw_chan_release(x->chan);
}

#endif
