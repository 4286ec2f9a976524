// Contexts without memory: what makes something returns NULL, and everything else goes on.
#include "context_util.h"
#include "oom_util.h"

// ---- all of memory is taken, but for what is meant to be there ----------------------------------

// For each size class up to 1 KB: with as many free objects of it as 0 to SPARE - 1, and enough of
// the others, `body` is called; and once with enough of all.
enum { SPARE = 6, CLASSES = BW_SIZECLASS_COUNT, LARGEST = 1024 };

static void *spare[CLASSES][SPARE];

static void take_spare(unsigned c) {
  for (int i = 0; i < SPARE; i++) CHECK((spare[c][i] = bw__alloc8(bw__sizeclass_sizes[c])));
}

static void leave_spare(unsigned c, int n) {
  for (int i = 0; i < n; i++) {
    bw_free(spare[c][i]);
    spare[c][i] = NULL;
  }
}

static void retake_spare(unsigned c) {
  for (int i = 0; i < SPARE; i++)
    if (!spare[c][i]) CHECK((spare[c][i] = bw__alloc8(bw__sizeclass_sizes[c])));
}

static unsigned classes_up_to_largest(void) {
  unsigned c = 1;
  while (c + 1 < CLASSES && bw__sizeclass_sizes[c + 1] <= LARGEST) c++;
  return c;
}

static void with_each_lack(void (*body)(void *arg, bool enough), void *arg) {
  unsigned last = classes_up_to_largest();
  for (unsigned c = 1; c <= last; c++) take_spare(c);
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  for (unsigned lacks = 1; lacks <= last + 1; lacks++)
    for (int n = 0; n < SPARE; n++) {
      for (unsigned c = 1; c <= last; c++) leave_spare(c, c == lacks ? n : SPARE);
      body(arg, lacks > last);
      for (unsigned c = 1; c <= last; c++) retake_spare(c);
    }
  CHECK(oom_end());
  oom_free(all);
  for (unsigned c = 1; c <= last; c++) leave_spare(c, SPARE);
  oom_check_books();
}

// ---- making -------------------------------------------------------------------------------------

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

static int failures;

static void make_some(void *parent, bool enough) {
  things t;
  bool complete = make_all(parent, &t);
  if (enough) CHECK(complete);
  failures += !complete;
  CHECK_EQ(context_watchers(parent),
           (t.all[0] != NULL) + (t.all[1] != NULL) + (t.all[2] != NULL) + (t.call != NULL));
  give_back(&t);
}

static int every_allocation(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  make_some(parent, true); // the timers' heap is there
  failures = 0;
  with_each_lack(make_some, parent);
  CHECK(failures > 3);
  context_check_open(parent);
  bw_cancel_release(cancel);
  bw_context_release(parent);
  return 0;
}
TEST(context_without_memory) {
  SKIP_IN_ALLOC_DEBUG("which objects are left");
  test_run(every_allocation, NULL, 1);
}

static void make_group(void *unused, bool enough) {
  (void)unused;
  bw_context *ctx = bw_context_todo();
  bw_group *g = bw_group_make_ctx(bw_context_background(), &ctx);
  CHECK(!g == !ctx);
  if (enough) CHECK(g);
  failures += !g;
  if (g) CHECK_EQ(bw_group_wait(g), 0);
}

static int every_allocation_of_a_group(void *arg) {
  (void)arg;
  failures = 0;
  with_each_lack(make_group, NULL);
  CHECK(failures > 2);
  return 0;
}
TEST(context_group_without_memory) {
  SKIP_IN_ALLOC_DEBUG("which objects are left");
  test_run(every_allocation_of_a_group, NULL, 1);
}

// ---- using --------------------------------------------------------------------------------------

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
