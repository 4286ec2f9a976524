// Timers without memory: neither a sleep nor a firing is lost.
#include "oom_util.h"

#include "sched/timers.h"
#include "sched/stack.h"

enum { MANY = 300 };

static bw__timer timers[MANY];
static int64_t fired_at[MANY];

static void note(bw__timer *t, int64_t now) {
  CHECK_EQ(fired_at[t - timers], 0);
  fired_at[t - timers] = now;
}

// More timers than the array has room for; the rest waits on the list that needs no memory.
static int heap_cannot_grow(void *arg) {
  (void)arg;
  bw__timers *ts = bw__timers_here();
  int64_t base = bw_now() + 3600 * BW_SECOND;
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  for (int i = 0; i < MANY; i++) {
    bw__timer_init(&timers[i], note);
    CHECK(!bw__timer_start(&timers[i], base + i, 0));
  }
  bool refused = oom_end();
  CHECK(refused && ts->spill);
  CHECK_EQ(bw__timers_next(ts), base);
  oom_begin(1, OOM_FOR_EVER);
  for (int i = 100; i < 150; i++) CHECK(bw__timer_stop(&timers[i]));
  for (int i = 150; i < 200; i++) CHECK(bw__timer_drop(&timers[i]));
  for (int i = 200; i < 250; i++) CHECK(bw__timer_start(&timers[i], base - i, 0));
  CHECK_EQ(bw__timers_run(ts, base - 300), base - 249);
  for (int64_t now = base - 300; now < base + MANY; now++) bw__timers_run(ts, now);
  oom_end();
  CHECK_EQ(bw__timers_next(ts), BW_NEVER);
  for (int i = 0; i < MANY; i++) {
    int64_t due = i < 100 || i >= 250 ? base + i : i < 200 ? 0 : base - i;
    CHECK_EQ(fired_at[i], due);
  }
  oom_free(all);
  return 0;
}
TEST(timer_heap_cannot_grow) { test_run(heap_cannot_grow, NULL, 1); }

// The same, but memory comes back: the list moves into the array.
static int heap_grows_later(void *arg) {
  (void)arg;
  bw__timers *ts = bw__timers_here();
  int64_t base = bw_now() + 3600 * BW_SECOND;
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  for (int i = 0; i < MANY; i++) {
    bw__timer_init(&timers[i], note);
    bw__timer_start(&timers[i], base + i, 0);
  }
  CHECK(oom_end());
  CHECK(ts->spill);
  oom_free(all);
  bw__timers_run(ts, base - 1);
  CHECK(!ts->spill);
  CHECK_EQ(ts->heap.len, MANY);
  bw__timers_run(ts, base + MANY);
  for (int i = 0; i < MANY; i++) CHECK_EQ(fired_at[i], base + MANY);
  return 0;
}
TEST(timer_heap_grows_later) { test_run(heap_grows_later, NULL, 1); }

static int sleep_without_memory(void *arg) {
  (void)arg;
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  for (int i = 0; i < 3; i++) {
    int64_t start = bw_now();
    bw_sleep(BW_MILLISECOND);
    CHECK(bw_now() - start >= BW_MILLISECOND);
  }
  oom_end();
  oom_free(all);
  return 0;
}
TEST(timer_sleep_without_memory) { test_run(sleep_without_memory, NULL, 1); }

// A firing that finds no memory for its goroutine stays pending until there is.
static int ran;

static void count(void *arg) {
  (void)arg;
  ran++;
}

static int no_goroutine(void *arg) {
  (void)arg;
  bw_timer *waits = bw_after_func(BW_MILLISECOND, count, NULL);
  bw_timer *stops = bw_after_func(BW_MILLISECOND, count, NULL);
  bw_timer *resets = bw_after_func(BW_MILLISECOND, count, NULL);
  bw_timer_release(bw_after_func(BW_MILLISECOND, count, NULL));
  bw__store(&bw__stack_refuse, true);
  bw_sleep(5 * BW_MILLISECOND);
  CHECK_EQ(ran, 0);
  CHECK(bw_timer_stop(stops));
  CHECK(bw_timer_reset(resets, 0));
  bw_sleep(5 * BW_MILLISECOND);
  CHECK_EQ(ran, 0);
  bw__store(&bw__stack_refuse, false);
  while (ran < 3) bw_sleep(BW_MILLISECOND);
  bw_sleep(5 * BW_MILLISECOND);
  CHECK_EQ(ran, 3);
  CHECK(!bw_timer_stop(waits));
  bw_timer_release(waits);
  bw_timer_release(stops);
  bw_timer_release(resets);
  return 0;
}
TEST(timer_no_memory_for_its_goroutine) { test_run(no_goroutine, NULL, 1); }
