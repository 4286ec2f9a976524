// Functions that run when a context ends: behaviour 141.
#include "context_util.h"
#include "oom_util.h"

#include "sched/stack.h"

typedef struct {
  atomic_int runs;
  uint64_t goroutine;
  bw_chan *gate; // waits for it, or NULL
} record;

static void note(void *arg) {
  record *r = arg;
  if (r->gate) bw_chan_recv(r->gate, NULL);
  r->goroutine = bw_goid();
  atomic_fetch_add(&r->runs, 1);
}

static void wait_for_run(record *r) {
  while (atomic_load(&r->runs) == 0) bw_gosched();
  context_wait_alone();
  CHECK_EQ(atomic_load(&r->runs), 1);
  CHECK(r->goroutine != bw_goid());
}

CONTEXT_TEST(context_b141_after_cancel) {
  (void)arg;
  record r = {0}, below = {0};
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *child = bw_with_timeout(ctx, 3600 * BW_SECOND, NULL);
  bw_context_call *a = bw_context_after_func(ctx, note, &r);
  bw_context_call *b = bw_context_after_func(child, note, &below);
  settle();
  CHECK_EQ(atomic_load(&r.runs), 0);
  bw_cancel_now(cancel);
  wait_for_run(&r);
  wait_for_run(&below);
  CHECK(!bw_context_call_stop(a));
  CHECK(!bw_context_call_stop(b));
  bw_context_call_release(a);
  bw_context_call_release(b);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  bw_context_release(child);
  return 0;
}

CONTEXT_TEST(context_b141_after_timeout) {
  (void)arg;
  record r = {0};
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
  bw_context_call *a = bw_context_after_func(ctx, note, &r);
  wait_for_run(&r);
  CHECK_EQ(bw_context_err(ctx), BW_EDEADLINE);
  bw_context_call_release(a);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

CONTEXT_TEST(context_b141_at_once) {
  (void)arg;
  record r = {0};
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_cancel_release(cancel);
  bw_context_call *a = bw_context_after_func(ctx, note, &r);
  CHECK(!bw_context_call_stop(a));
  wait_for_run(&r);
  bw_context_call_release(a);
  bw_context_release(ctx);
  return 0;
}

// Cancel does not wait for the function, and a released call runs as any other.
CONTEXT_TEST(context_b141_cancel_does_not_wait) {
  (void)arg;
  record r = {.gate = bw_chan_make(0, 0)};
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_context_call_release(bw_context_after_func(ctx, note, &r));
  bw_context_release(ctx);
  bw_cancel_release(cancel);
  CHECK_EQ(atomic_load(&r.runs), 0);
  bw_chan_send(r.gate, NULL);
  wait_for_run(&r);
  bw_chan_release(r.gate);
  return 0;
}

CONTEXT_TEST(context_b141_stop) {
  (void)arg;
  record r = {0};
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_context_call *a = bw_context_after_func(ctx, note, &r);
  CHECK_EQ(context_watchers(ctx), 1);
  CHECK(bw_context_call_stop(a));
  CHECK_EQ(context_watchers(ctx), 0);
  CHECK(!bw_context_call_stop(a));
  bw_context_call_release(a);
  bw_context_call *forever = bw_context_after_func(bw_context_background(), note, &r);
  CHECK(bw_context_call_stop(forever));
  CHECK(!bw_context_call_stop(forever));
  bw_context_call_release(forever);
  bw_context_call_release(bw_context_after_func(bw_context_todo(), note, &r));
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  settle();
  CHECK_EQ(atomic_load(&r.runs), 0);
  return 0;
}

// Stop against cancel, each time: either it was prevented or it runs once.
typedef struct {
  bw_context_call *call;
  atomic_bool stopped, done;
} stopper;

static void stop_it(void *arg) {
  stopper *s = arg;
  atomic_store(&s->stopped, bw_context_call_stop(s->call));
  atomic_store(&s->done, true);
}

CONTEXT_TEST(context_b141_stop_races_cancel) {
  (void)arg;
  for (int i = 0; i < 200; i++) {
    record r = {0};
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    stopper s = {.call = bw_context_after_func(ctx, note, &r)};
    CHECK_EQ(bw_go(stop_it, &s), 0);
    if (i % 2) bw_gosched();
    bw_cancel_now(cancel);
    while (!atomic_load(&s.done)) bw_gosched();
    context_wait_alone();
    CHECK_EQ(atomic_load(&r.runs), !atomic_load(&s.stopped));
    bw_context_call_release(s.call);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  return 0;
}

// No memory for the goroutine: it is tried again. At the end of the run, no more.
static int no_goroutine(void *arg) {
  record *r = arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  for (int i = 0; i < 3; i++) bw_context_call_release(bw_context_after_func(ctx, note, &r[0]));
  bw__store(&bw__stack_refuse, true);
  bw_cancel_release(cancel);
  bw_sleep(5 * BW_MILLISECOND);
  CHECK_EQ(atomic_load(&r[0].runs), 0);
  bw__store(&bw__stack_refuse, false);
  while (atomic_load(&r[0].runs) < 3) bw_sleep(BW_MILLISECOND);
  bw__store(&bw__stack_refuse, true);
  bw_context_call_release(bw_context_after_func(ctx, note, &r[1]));
  bw_context_release(ctx);
  return 0;
}

TEST(context_call_without_memory) {
  static record r[2];
  uint64_t live = 0;
  for (int i = 0; i < 3; i++) {
    memset((void *)r, 0, sizeof r);
    test_run(no_goroutine, r, 1);
    bw__store(&bw__stack_refuse, false);
    CHECK_EQ(atomic_load(&r[0].runs), 3);
    CHECK_EQ(atomic_load(&r[1].runs), 0);
    if (i == 0) live = context_live_bytes();
  }
  CHECK_EQ(context_live_bytes(), live);
}

// The context ends after the run: nothing can run.
TEST(context_call_without_a_runtime) {
  static record r;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_context_call *a = bw_context_after_func(ctx, note, &r);
  bw_cancel_release(cancel);
  CHECK(!bw_context_call_stop(a));
  bw_context_call_release(a);
  bw_context_release(ctx);
  CHECK_EQ(atomic_load(&r.runs), 0);
}

DEATH_TEST(context_call_of_nil, 2, "fatal error: go of nil func value") {
  bw_context_after_func(bw_context_background(), NULL, NULL);
}
