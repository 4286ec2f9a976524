// Contexts that are made, cancelled and run out of time: behaviours 121 to 128 and 132 to 136.
#include "context_util.h"
#include "panic_util.h"

BW_CONTEXT_KEY(first, const char);
BW_CONTEXT_KEY_DEFINE(first);
BW_CONTEXT_KEY(second, const char);
BW_CONTEXT_KEY_DEFINE(second);

enum { TEXT = 400 };

static void check_format(bw_context *ctx, const char *want) {
  char text[TEXT];
  CHECK_EQ(bw_context_format(ctx, text, sizeof text), strlen(want));
  CHECK_STR(text, want);
}

// ---- roots --------------------------------------------------------------------------------------

static void check_root(bw_context *ctx, const char *name) {
  CHECK(!bw_context_may_end(ctx));
  CHECK(!bw_context_done(ctx));
  context_check_open(ctx);
  CHECK(!bw_context_deadline(ctx, NULL));
  CHECK(!first_of(ctx));
  CHECK(bw_context_retain(ctx) == ctx);
  bw_context_release(ctx);
  bw_context_release(ctx); // not counted
  check_format(ctx, name);
}

TEST(context_b121_roots) {
  check_root(bw_context_background(), "context.Background");
  check_root(bw_context_todo(), "context.TODO");
  CHECK(bw_context_background() != bw_context_todo());
}

// ---- cancelling ---------------------------------------------------------------------------------

CONTEXT_TEST(context_b122_cancel) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *c1 = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *o = with_first(c1, "x", NULL), *c2 = bw_with_cancel(o, NULL);
  bw_context *all[] = {c1, o, c2};
  CHECK(c1 && o && c2 && cancel);
  for (int i = 0; i < 3; i++) {
    CHECK(bw_context_done(all[i]));
    CHECK(bw_context_done(all[i]) == bw_context_done(all[i]));
    context_check_open(all[i]);
  }
  CHECK(bw_context_done(c1) == bw_context_done(o));
  CHECK(bw_context_done(c1) != bw_context_done(c2));
  bw_cancel_now(cancel);
  for (int i = 0; i < 3; i++) context_check_ended(all[i], BW_ECANCELED);
  bw_cancel_now(cancel);
  bw_cancel_release(cancel);
  for (int i = 0; i < 3; i++) {
    context_check_ended(all[i], BW_ECANCELED);
    bw_context_release(all[i]);
  }
  return 0;
}

// A channel that is asked for before or after the end, and one that outlives its context.
CONTEXT_TEST(context_b122_done_before_and_after) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_cancel_now(cancel);
  context_check_ended(ctx, BW_ECANCELED);
  bw_cancel_release(cancel);
  bw_context_release(ctx);

  ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_chan *done = bw_chan_retain(bw_context_done(ctx));
  bw_context_release(ctx);
  CHECK_EQ(bw_chan_try_recv(done, NULL), BW_EAGAIN);
  bw_cancel_release(cancel);
  CHECK_EQ(bw_chan_try_recv(done, NULL), BW_ECLOSED);
  bw_chan_release(done);
  return 0;
}

CONTEXT_TEST(context_b123_parent_ends_children) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *child = bw_with_cancel(parent, NULL);
  bw_context *value = with_first(parent, "v", NULL), *below = bw_with_cancel(value, NULL);
  bw_context *timed = bw_with_timeout(value, 3600 * BW_SECOND, NULL);
  bw_context *deep = bw_with_cancel(timed, NULL), *apart = bw_without_cancel(parent);
  bw_context *all[] = {parent, child, value, below, timed, deep};
  CHECK_EQ(context_watchers(parent), 3); // the value is passed over, and `deep` is another's
  CHECK_EQ(context_watchers(timed), 1);
  bw_cancel_now(cancel);
  CHECK_EQ(context_watchers(parent), 0);
  CHECK_EQ(context_watchers(timed), 0);
  for (int i = 0; i < 6; i++) context_check_ended(all[i], BW_ECANCELED);
  context_check_open(apart);
  bw_context *late = with_first(parent, "late", NULL), *later = bw_with_cancel(late, NULL);
  bw_context *timed_late = bw_with_timeout(late, 3600 * BW_SECOND, NULL);
  context_check_ended(late, BW_ECANCELED);
  context_check_ended(later, BW_ECANCELED);
  context_check_ended(timed_late, BW_ECANCELED);
  for (int i = 0; i < 6; i++) bw_context_release(all[i]);
  bw_context_release(late);
  bw_context_release(later);
  bw_context_release(timed_late);
  bw_context_release(apart);
  bw_cancel_release(cancel);
  return 0;
}

CONTEXT_TEST(context_b124_b132_child_ends_first) {
  (void)arg;
  bw_cancel *cancel, *cancel_child, *cancel_timed;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *child = bw_with_cancel(parent, &cancel_child);
  bw_context *timed = bw_with_timeout(parent, 3600 * BW_SECOND, &cancel_timed);
  CHECK_EQ(context_watchers(parent), 2);
  bw_cancel_now(cancel_child);
  CHECK_EQ(context_watchers(parent), 1);
  bw_cancel_now(cancel_timed);
  CHECK_EQ(context_watchers(parent), 0);
  context_check_ended(child, BW_ECANCELED);
  context_check_ended(timed, BW_ECANCELED);
  context_check_open(parent);
  bw_context *soon = bw_with_timeout(parent, BW_MILLISECOND, NULL);
  context_wait(soon);
  while (context_watchers(parent) > 0) bw_gosched(); // `done` comes after that, but does not say so
  context_check_open(parent);
  bw_cancel_release(cancel);
  bw_cancel_release(cancel_child);
  bw_cancel_release(cancel_timed);
  bw_context_release(soon);
  bw_context_release(child);
  bw_context_release(timed);
  bw_context_release(parent);
  return 0;
}

// One that is never cancelled but released takes itself off, too.
CONTEXT_TEST(context_b132_released_child) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *child = bw_with_cancel(parent, NULL);
  CHECK_EQ(context_watchers(parent), 1);
  bw_context_release(child);
  CHECK_EQ(context_watchers(parent), 0);
  bw_cancel_release(cancel);
  bw_context_release(parent);
  return 0;
}

CONTEXT_TEST(context_b133_of_a_cancelled_parent) {
  (void)arg;
  bw_cancel *cancel, *more;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  bw_cancel_now(cancel);
  bw_context *child = bw_with_cancel(parent, &more);
  context_check_ended(child, BW_ECANCELED);
  bw_cancel_release(more);
  bw_cancel_release(cancel);
  bw_context_release(child);
  bw_context_release(parent);
  return 0;
}

// ---- deadlines ----------------------------------------------------------------------------------

static void check_times_out(bw_context *ctx, int64_t deadline) {
  int64_t says;
  CHECK(bw_context_deadline(ctx, &says));
  CHECK_EQ(says, deadline);
  context_wait(ctx);
  CHECK(bw_now() >= deadline);
  context_check_ended(ctx, BW_EDEADLINE);
}

CONTEXT_TEST(context_b125_deadlines) {
  (void)arg;
  bw_cancel *cancel, *nested;
  int64_t soon = bw_now() + 5 * BW_MILLISECOND, far = soon + 3600 * BW_SECOND;
  bw_context *ctx = bw_with_deadline(bw_context_background(), soon, &cancel);
  check_times_out(ctx, soon);
  bw_cancel_release(cancel);
  bw_context_release(ctx);

  soon = bw_now() + 5 * BW_MILLISECOND; // through a context with a value
  ctx = bw_with_deadline(bw_context_background(), soon, &cancel);
  bw_context *value = with_first(ctx, "v", NULL);
  check_times_out(value, soon);
  bw_context_release(value);
  bw_cancel_release(cancel);
  bw_context_release(ctx);

  soon = bw_now() + 5 * BW_MILLISECOND; // a later one below it
  ctx = bw_with_deadline(bw_context_background(), soon, &cancel);
  value = with_first(ctx, "v", NULL);
  bw_context *later = bw_with_deadline(value, far, &nested);
  CHECK_EQ(later->kind, BW_CONTEXT_CANCEL); // has no timer
  check_times_out(later, soon);
  bw_cancel_release(nested);
  bw_cancel_release(cancel);
  bw_context_release(later);
  bw_context_release(value);
  bw_context_release(ctx);

  int64_t past[] = {bw_now() - BW_SECOND, bw_now(), 0, -1};
  for (int i = 0; i < 4; i++) {
    ctx = bw_with_deadline(bw_context_background(), past[i], &cancel);
    context_check_ended(ctx, BW_EDEADLINE);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  return 0;
}

CONTEXT_TEST(context_b125_timeouts) {
  (void)arg;
  bw_cancel *cancel;
  int64_t before = bw_now(), says;
  bw_context *ctx = bw_with_timeout(bw_context_background(), 3 * BW_MILLISECOND, &cancel);
  CHECK(bw_context_deadline(ctx, &says) && says >= before + 3 * BW_MILLISECOND);
  check_times_out(ctx, says);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  ctx = bw_with_timeout(bw_context_background(), INT64_MAX, &cancel); // never, but not by overflow
  context_check_open(ctx);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  ctx = bw_with_timeout(bw_context_background(), -1, &cancel);
  context_check_ended(ctx, BW_EDEADLINE);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

CONTEXT_TEST(context_b126_cancelled_before_its_deadline) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), 3600 * BW_SECOND, &cancel);
  bw_context *child = bw_with_cancel(ctx, NULL);
  context_check_open(child);
  bw_cancel_now(cancel);
  context_check_ended(ctx, BW_ECANCELED);
  context_check_ended(child, BW_ECANCELED);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  bw_context_release(child);
  return 0;
}

// What is left of a run: contexts whose deadlines never come, and are released later.
static bw_context *left[2];
static bw_cancel *left_cancel;

static int leave_timers(void *arg) {
  (void)arg;
  left[0] = bw_with_timeout(bw_context_background(), 3600 * BW_SECOND, &left_cancel);
  left[1] = bw_with_timeout(left[0], 1800 * BW_SECOND, NULL);
  return 0;
}

TEST(context_timers_of_a_run_that_is_over) {
  uint64_t live = 0;
  for (int i = 0; i < 3; i++) {
    test_run(leave_timers, NULL, 1);
    context_check_open(left[1]);
    bw_cancel_release(left_cancel);
    context_check_ended(left[1], BW_ECANCELED);
    bw_context_release(left[0]);
    bw_context_release(left[1]);
    if (i == 0) live = context_live_bytes();
  }
  CHECK_EQ(context_live_bytes(), live);
}

TEST(context_without_a_runtime) {
  bw_cancel *cancel, *none = (bw_cancel *)&cancel;
  CHECK(!bw_with_timeout(bw_context_background(), BW_SECOND, &none) && !none);
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  CHECK_EQ(bw_sleep_ctx(ctx, BW_MILLISECOND), 0);
  bw_cancel_now(cancel);
  context_check_ended(ctx, BW_ECANCELED);
  CHECK_EQ(bw_sleep_ctx(ctx, 3600 * BW_SECOND), BW_ECANCELED);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
}

TEST(context_b135_codes) {
  CHECK(BW_EDEADLINE != BW_ECANCELED && BW_EDEADLINE != BW_ETIMEDOUT);
  CHECK_STR(bw_strerror(BW_EDEADLINE), "context deadline exceeded");
  CHECK_STR(bw_strerror(BW_ECANCELED), "context canceled");
}

// ---- values -------------------------------------------------------------------------------------

static void check_values(bw_context *ctx, const char *a, const char *b) {
  CHECK(first_of(ctx) == a);
  CHECK(second_of(ctx) == b);
}

static int freed;

static void count_free(void *value) {
  CHECK_STR(value, "owned");
  freed++;
}

CONTEXT_TEST(context_b127_values) {
  (void)arg;
  static const char one[] = "one", two[] = "two", three[] = "three";
  static const bw_context_key other = {"first"}; // the same name, another key
  bw_cancel *cancel;
  bw_context *c0 = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *c1 = with_first(c0, one, NULL), *c2 = with_second(c1, two, NULL);
  bw_context *c3 = with_first(c2, three, NULL), *c4 = with_second(c3, NULL, NULL);
  bw_context *c5 = bw_without_cancel(c4), *c6 = bw_with_value(c5, &other, &freed, NULL);
  check_values(c0, NULL, NULL);
  check_values(c1, one, NULL);
  check_values(c2, one, two);
  check_values(c3, three, two);
  check_values(c4, three, NULL); // hidden
  check_values(c6, three, NULL);
  CHECK(bw_context_value(c6, &other) == &freed);
  CHECK(!bw_context_value(c4, &other));
  CHECK(!bw_context_value(c4, NULL));
  bw_context *all[] = {c0, c1, c2, c3, c4, c5, c6};
  bw_cancel_release(cancel);
  check_values(c6, three, NULL);
  for (int i = 0; i < 7; i++) bw_context_release(all[i]);
  return 0;
}

// A value that is owned goes with the last reference to the context, also one from below.
TEST(context_b127_values_are_freed) {
  freed = 0;
  bw_context *v = bw_with_value(bw_context_background(), &first_key, "owned", count_free);
  bw_context *below = with_second(v, "x", NULL);
  bw_context_retain(below);
  bw_context_release(v);
  bw_context_release(below);
  CHECK_STR(first_of(below), "owned");
  CHECK_EQ(freed, 0);
  bw_context_release(below);
  CHECK_EQ(freed, 1);
  bw_context_release(NULL);
  CHECK(!bw_context_retain(NULL));
}

static uint64_t mallocs(void) {
  bw_alloc_stats stats;
  bw_alloc_stats_read(&stats);
  return stats.mallocs;
}

// Fewer than Go's 3, 5, 8 and 12.
static int allocations(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context_release(bw_with_timeout(bw_context_background(), BW_MILLISECOND, NULL));
  bw_sleep(2 * BW_MILLISECOND); // the timers' heap is there
  uint64_t n = mallocs();
  bw_context *ctx = with_first(bw_context_background(), "v", NULL);
  bw_context_release(ctx);
  CHECK_EQ(mallocs() - n, 1);
  n = mallocs();
  ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  CHECK_EQ(mallocs() - n, 1);
  n = mallocs();
  ctx = bw_with_timeout(bw_context_background(), 3600 * BW_SECOND, &cancel);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  CHECK_EQ(mallocs() - n, 1);
  n = mallocs();
  ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
  context_wait(ctx); // whose channel is one more
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  CHECK_EQ(mallocs() - n, 2);
  return 0;
}
TEST(context_b128_allocations) { test_run(allocations, NULL, 1); }

// ---- what must not be passed --------------------------------------------------------------------

static void nil_cancel(void *arg) { bw_with_cancel(NULL, arg); }
static void nil_deadline(void *arg) { bw_with_deadline(NULL, 0, arg); }
static void nil_timeout(void *arg) { bw_with_timeout(NULL, 0, arg); }
static void nil_value(void *arg) { bw_with_value(NULL, &first_key, arg, NULL); }
static void nil_without(void *arg) { CHECK(!arg || !bw_without_cancel(NULL)); }
static void nil_key(void *arg) { bw_with_value(bw_context_todo(), NULL, arg, NULL); }
static void nil_err(void *arg) { CHECK(!arg || bw_context_err(NULL)); }
static void nil_wait(void *arg) { bw_chan_recv_ctx(NULL, NULL, arg); }

static int values_freed;

// A value that owns the right to cancel, given back while that very cancel, or one above it or
// beside it, is under way.
static void give_back(void *cancel) { bw_cancel_release(cancel); }
static void cancel_and_count(void *cancel) {
  bw_cancel_now(cancel);
  values_freed++;
}
BW_CONTEXT_KEY(owner, bw_cancel);
BW_CONTEXT_KEY_DEFINE(owner);

static void owns_its_own_cancel(void) {
  bw_cancel *cancel;
  bw_context *top = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *value = with_owner(top, cancel, give_back);
  bw_context *ctx = bw_with_timeout(value, 3600 * BW_SECOND, NULL);
  bw_context_release(ctx); // it keeps itself until it ends
  bw_context_release(value);
  bw_cancel_now(cancel);
  context_check_ended(top, BW_ECANCELED);
  bw_context_release(top);
}

static void cancels_beside_it(void) {
  bw_cancel *cancel, *beside[2];
  bw_context *top = bw_with_cancel(bw_context_background(), &cancel), *ctx[2], *last[2];
  for (int i = 0; i < 2; i++) ctx[i] = bw_with_cancel(top, &beside[i]);
  for (int i = 0; i < 2; i++) {
    bw_context *value = with_owner(ctx[i], beside[!i], cancel_and_count);
    last[i] = bw_with_timeout(value, 3600 * BW_SECOND, NULL);
    bw_context_release(last[i]);
    bw_context_release(value);
  }
  values_freed = 0;
  bw_cancel_now(cancel);
  CHECK_EQ(values_freed, 2);
  for (int i = 0; i < 2; i++) {
    context_check_ended(ctx[i], BW_ECANCELED);
    bw_cancel_release(beside[i]);
    bw_context_release(ctx[i]);
  }
  bw_cancel_release(cancel);
  bw_context_release(top);
}

CONTEXT_TEST(context_cancelled_by_a_value_that_is_freed) {
  (void)arg;
  owns_its_own_cancel();
  cancels_beside_it();
  return 0;
}

BOTH_TEST(context_b134_nil_panics) {
  static const struct {
    void (*fn)(void *arg);
    const char *text;
  } bad[] = {
      {nil_cancel, "cannot create context from nil parent"},
      {nil_deadline, "cannot create context from nil parent"},
      {nil_timeout, "cannot create context from nil parent"},
      {nil_value, "cannot create context from nil parent"},
      {nil_without, "cannot create context from nil parent"},
      {nil_key, "nil key"},
      {nil_err, "nil context"},
      {nil_wait, "nil context"},
  };
  bw_cancel *none;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    caught c;
    none = (bw_cancel *)&c;
    CHECK(panics(bad[i].fn, &none, &c));
    CHECK_STR(c.text, bad[i].text);
  }
  bw_cancel_now(NULL);
  bw_cancel_cause(NULL, 1, "x");
  bw_cancel_release(NULL);
  bw_context_call_release(NULL);
  CHECK(!bw_context_call_stop(NULL));
}

// ---- no goroutines ------------------------------------------------------------------------------

CONTEXT_TEST(context_b136_no_helpers) {
  (void)arg;
  enum { N = 50 };
  bw_context *all[N + 1] = {bw_context_background()};
  bw_cancel *cancels[N] = {NULL};
  for (int i = 0; i < N; i++) {
    bw_context *above = all[i];
    if (i % 4 == 0) all[i + 1] = bw_with_cancel(above, &cancels[i]);
    if (i % 4 == 1) all[i + 1] = with_first(above, "v", NULL);
    if (i % 4 == 2) all[i + 1] = bw_with_timeout(above, (9000 - i) * BW_SECOND, &cancels[i]);
    if (i % 4 == 3) all[i + 1] = with_second(above, "v", NULL);
    CHECK(bw_context_done(all[i + 1]));
  }
  CHECK_EQ(bw_num_goroutine(), 1);
  bw_cancel_now(cancels[0]);
  context_check_ended(all[N], BW_ECANCELED);
  CHECK_EQ(bw_num_goroutine(), 1);
  for (int i = 0; i < N; i++) {
    bw_cancel_release(cancels[i]);
    bw_context_release(all[i + 1]);
  }
  return 0;
}

// ---- text ---------------------------------------------------------------------------------------

static int formats(void *arg) {
  (void)arg;
  static const bw_context_key unnamed = {NULL};
  char want[TEXT], text[TEXT];
  bw_cancel *cancel;
  bw_context *a = bw_with_cancel(bw_context_todo(), &cancel), *b = with_first(a, "v", NULL);
  bw_context *c = bw_without_cancel(b), *d = bw_with_value(c, &unnamed, NULL, NULL);
  snprintf(want, sizeof want,
           "context.TODO.WithCancel.WithValue(first, 0x%" PRIxPTR
           ").WithoutCancel.WithValue(0x%" PRIxPTR ", <nil>)",
           (uintptr_t)first_of(b), (uintptr_t)&unnamed);
  check_format(d, want);
  for (size_t size = 0; size <= strlen(want) + 2; size++) { // cut, and nothing behind it touched
    memset(text, '#', sizeof text);
    CHECK_EQ(bw_context_format(d, text, size), strlen(want));
    size_t n = size == 0 ? 0 : size - 1 < strlen(want) ? size - 1 : strlen(want);
    CHECK(memcmp(text, want, n) == 0);
    if (size > 0) CHECK_EQ(text[n], 0);
    CHECK_EQ(text[n + (size > 0)], '#');
  }
  bw_context *all[] = {a, b, c, d};
  for (int i = 0; i < 4; i++) bw_context_release(all[i]);
  bw_cancel_release(cancel);

  bw_context *t = bw_with_deadline(bw_context_background(), bw_now() + 90 * BW_SECOND, &cancel);
  int64_t deadline;
  CHECK(bw_context_deadline(t, &deadline));
  bw_context_format(t, text, sizeof text);
  snprintf(want, sizeof want, "context.Background.WithDeadline(%" PRId64 " [1m", deadline);
  CHECK(strncmp(text, want, strlen(want)) == 0);
  CHECK_STR(text + strlen(text) - 3, "s])");
  bw_cancel_release(cancel);
  bw_context_release(t);
  return 0;
}
TEST(context_format) { context_run(formats, NULL, 1); }
