// Contexts without memory: what makes something returns NULL, and everything else goes on.
#include "context_util.h"
#include "oom_util.h"

static const bw_context_key key = {"key"};

static void never(void *arg) { CHECK(!arg); }

typedef struct {
  bw_context *all[6];
  bw_cancel *cancels[3];
  bw_context_call *call;
  bw_chan *done;
} things;

// Makes one of each, of `parent`; false: something could not be made.
static bool make_all(bw_context *parent, things *t) {
  *t = (things){0};
  for (int i = 0; i < 3; i++) t->cancels[i] = (bw_cancel *)t; // must be set
  t->all[0] = bw_with_cancel(parent, &t->cancels[0]);
  t->all[1] = bw_with_timeout(parent, 3600 * BW_SECOND, &t->cancels[1]);
  t->all[2] = bw_with_timeout_cause(parent, 3600 * BW_SECOND, -7, "cause", &t->cancels[2]);
  t->all[3] = bw_with_value(parent, &key, t, NULL);
  t->all[4] = bw_without_cancel(parent);
  t->call = bw_context_after_func(parent, never, t);
  t->done = t->all[0] ? bw_context_done(t->all[0]) : NULL;
  for (int i = 0; i < 3; i++) CHECK(!t->cancels[i] == !t->all[i]);
  bool complete = t->call && t->done;
  for (int i = 0; i < 5; i++) complete = complete && t->all[i];
  return complete;
}

static void give_back(things *t) {
  if (t->call) CHECK(bw_context_call_stop(t->call));
  bw_context_call_release(t->call);
  for (int i = 0; i < 3; i++) {
    bw_cancel_release(t->cancels[i]);
    if (t->all[i]) context_check_ended(t->all[i], BW_ECANCELED);
  }
  for (int i = 0; i < 5; i++) bw_context_release(t->all[i]);
}

// Each number of objects that can be had, up to enough.
static int every_allocation(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  things warm, t;
  CHECK(make_all(parent, &warm)); // the timers' heap, the closed channels
  give_back(&warm);
  bool complete = false;
  for (int have = 0; !complete; have++) {
    CHECK(have < 400);
    oom_block *all = oom_soak(), *some = NULL;
    for (int i = 0; i < have && all; i++) { // of those that were taken first, the smallest last
      oom_block *next = all->next;
      oom_take(&some, all);
      all = next;
    }
    oom_begin(1, OOM_FOR_EVER);
    oom_free(some);
    complete = make_all(parent, &t);
    CHECK_EQ(context_watchers(parent),
             (t.all[0] != NULL) + (t.all[1] != NULL) + (t.all[2] != NULL) + (t.call != NULL));
    give_back(&t);
    oom_end();
    oom_free(all);
  }
  context_check_open(parent);
  oom_check_books();
  bw_cancel_release(cancel);
  bw_context_release(parent);
  return 0;
}
TEST(context_without_memory) {
  SKIP_IN_ALLOC_DEBUG("which objects are left");
  test_run(every_allocation, NULL, 1);
}

// Ending, asking and waiting need none; a cause loses its text.
static void wait_with(void *ctx) { CHECK_EQ(bw_chan_recv_ctx(ctx, NULL, NULL), BW_ECANCELED); }

static int end_without_memory(void *arg) {
  (void)arg;
  bw_cancel *cancel, *below;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *child = bw_with_timeout(ctx, 3600 * BW_SECOND, &below);
  bw_context *asked = bw_with_cancel(ctx, NULL);
  bw_chan *done = bw_context_done(asked);
  CHECK_EQ(bw_go(wait_with, child), 0);
  settle();
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK(!bw_context_done(ctx) && bw_context_may_end(ctx));
  CHECK_EQ(bw_context_err(ctx), 0);
  bw_cancel_cause(cancel, -55, "a text that needs memory");
  context_check_ended(ctx, BW_ECANCELED);
  context_check_ended(child, BW_ECANCELED);
  CHECK_EQ(bw_context_cause(child), -55);
  CHECK_STR(bw_context_cause_text(child), bw_strerror(-55));
  CHECK_EQ(bw_chan_try_recv(done, NULL), BW_ECLOSED);
  CHECK_EQ(bw_sleep_ctx(ctx, BW_SECOND), BW_ECANCELED);
  context_wait_alone();
  oom_end();
  oom_free(all);
  bw_cancel_release(cancel);
  bw_cancel_release(below);
  bw_context_release(ctx);
  bw_context_release(child);
  bw_context_release(asked);
  return 0;
}
TEST(context_ends_without_memory) { test_run(end_without_memory, NULL, 1); }
