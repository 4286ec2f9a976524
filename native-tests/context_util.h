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

#endif
