// Sleeping: never early, in due order, and no deadlock while somebody sleeps.
#include "chan_util.h"

// behaviour 143
static int sleeps_long_enough(void *arg) {
  (void)arg;
  for (int i = 0; i < 20; i++) {
    int64_t start = bw_now(), ns = (int64_t)i * 100 * BW_MICROSECOND;
    bw_sleep(ns);
    CHECK(bw_now() - start >= ns);
  }
  bw_sleep(0);
  bw_sleep(-1);
  bw_sleep(INT64_MIN);
  return 0;
}
TEST(sched_b143_sleep) { test_run(sleeps_long_enough, NULL, 1); }
TEST(sched_b143_sleep_on_many_procs) { test_run(sleeps_long_enough, NULL, 4); }
TEST(sched_b143_sleep_on_a_plain_thread) { CHECK_EQ(sleeps_long_enough(NULL), 0); }

// behaviour 148: wake in due order whatever the order of going to sleep
typedef struct {
  int slot;
  bw_chan *woken;
} sleeper;

static void sleep_slot(void *arg) {
  sleeper *s = arg;
  bw_sleep((int64_t)s->slot * 20 * BW_MILLISECOND);
  bw_chan_send(s->woken, &s->slot);
}

static int due_order(void *arg) {
  (void)arg;
  static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
  enum { N = sizeof slots / sizeof *slots };
  sleeper s[N];
  bw_chan *c = bw_chan_make(sizeof(int), N);
  for (int i = 0; i < N; i++) {
    s[i] = (sleeper){slots[i], c};
    CHECK_EQ(bw_go(sleep_slot, &s[i]), 0);
  }
  for (int i = 0, last = 0, v; i < N; i++) {
    CHECK(bw_chan_recv(c, &v));
    CHECK(v >= last);
    last = v;
  }
  bw_chan_release(c);
  return 0;
}
TEST(sched_b148_due_order) { test_run(due_order, NULL, 1); }

// behaviour 150: a huge duration neither overflows nor disturbs others
static void sleep_for_ever(void *arg) {
  (void)arg;
  bw_sleep(INT64_MAX);
  test_fail(__FILE__, __LINE__, "slept for 292 years");
}

static int huge_duration(void *arg) {
  (void)arg;
  CHECK_EQ(bw_go(sleep_for_ever, NULL), 0);
  settle();
  return sleeps_long_enough(NULL);
}
TEST(sched_b150_huge_duration) { test_run(huge_duration, NULL, 2); }

// Many sleepers at once, on several Ps.
static void nap(void *arg) {
  group *g = arg;
  bw_sleep((int64_t)(bw_goid() % 7) * BW_MILLISECOND);
  group_done(g);
}

static int many_sleepers(void *arg) {
  (void)arg;
  group g;
  int n = test_is_slow_build() ? 200 : 3000;
  group_init(&g, n);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(nap, &g), 0);
  group_wait(&g);
  return 0;
}
TEST(sched_many_sleepers) { test_run(many_sleepers, NULL, 4); }
