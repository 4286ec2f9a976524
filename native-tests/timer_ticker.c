// Tickers: bw_ticker_make and bw_tick.
#include "chan_util.h"

#define HOUR (3600 * BW_SECOND)

static bw_ticker *ticker(int64_t ns) {
  bw_ticker *t = bw_ticker_make(ns);
  CHECK(t && bw_ticker_chan(t));
  return t;
}

static int64_t tick(bw_ticker *t) {
  int64_t at = -1;
  CHECK(bw_chan_recv(bw_ticker_chan(t), &at));
  CHECK(at >= 0 && at <= bw_now());
  return at;
}

static bool is_empty(bw_chan *c) { return bw_chan_try_recv(c, NULL) == BW_EAGAIN; }

// behaviour 146: the period is kept, also when it is changed half way. It may try again with more
// time: how late the ticks are received depends on what else the machine does.
static bool period_is_kept(int64_t ns) {
  enum { TICKS = 10 };
  int64_t start = bw_now();
  bw_ticker *t = ticker(ns);
  for (int i = 0; i < TICKS; i++) tick(t);
  bw_ticker_reset(t, 2 * ns);
  for (int i = 0; i < TICKS; i++) tick(t);
  int64_t took = bw_now() - start, ideal = ns * TICKS * 3;
  bw_ticker_release(t);
  CHECK(took >= ideal);
  return took < ideal * 13 / 10;
}

static int keeps_its_period(void *arg) {
  (void)arg;
  for (int64_t ns = BW_MILLISECOND; !period_is_kept(ns); ns *= 2) {}
  return 0;
}
TEST(timer_b146_ticker) { test_run(keeps_its_period, NULL, 1); }

// No drift: the times due are the first one plus multiples of the period, however late they come.
static int keeps_its_grid(void *arg) {
  (void)arg;
  int64_t ns = 100 * BW_MICROSECOND, before = bw_now();
  bw_ticker *t = ticker(ns);
  int64_t after = bw_now(), first = tick(t), last = first;
  CHECK(first >= before + ns && first <= after + ns);
  for (int i = 0; i < 200; i++) {
    if (i % 16 == 0) bw_sleep(250 * BW_MICROSECOND); // misses some
    int64_t at = tick(t);
    CHECK(at > last);
    CHECK_EQ((at - first) % ns, 0);
    last = at;
  }
  bw_ticker_release(t);
  return 0;
}
TEST(timer_ticker_keeps_its_grid) { test_run(keeps_its_grid, NULL, 1); }
TEST(timer_ticker_keeps_its_grid_on_many_procs) { test_run(keeps_its_grid, NULL, 4); }

// behaviour 155: a slow receiver finds the oldest tick that it has not received, and those after it
// are dropped. (When the sleeper is woken, its P's timers have got as far as the end of its sleep.)
static int drops_ticks(void *arg) {
  (void)arg;
  enum { PERIODS = 10 };
  int64_t ns = BW_MILLISECOND;
  for (int i = 0; i < 2; i++) {
    bw_ticker *t = ticker(ns);
    bw_sleep(PERIODS * ns);
    int64_t oldest = tick(t);
    CHECK(tick(t) - oldest >= (PERIODS - 1) * ns);
    bw_ticker_release(t);
  }
  return 0;
}
TEST(timer_b155_drops_ticks) { test_run(drops_ticks, NULL, 1); }
TEST(timer_b155_drops_ticks_on_many_procs) { test_run(drops_ticks, NULL, 4); }

// behaviours 155 and 156: no tick after stop; after reset only the new ones
static int stop_and_reset(void *arg) {
  (void)arg;
  bw_ticker *t = ticker(1);
  bw_chan *c = bw_ticker_chan(t);
  for (int i = 0; i < (test_is_slow_build() ? 100 : 1000); i++) {
    if (i % 3 == 0) tick(t);
    if (i % 5 == 0) bw_sleep(20 * BW_MICROSECOND);
    bw_ticker_stop(t);
    CHECK(is_empty(c));
    CHECK_EQ(bw_chan_len(c), 0);
    CHECK_EQ(bw_chan_cap(c), 0);
    if (i % 7 == 0) bw_sleep(20 * BW_MICROSECOND);
    CHECK(is_empty(c));
    bw_ticker_reset(t, HOUR);
    CHECK(is_empty(c));
    int64_t ns = 1 + i % 30 * BW_MICROSECOND, start = bw_now();
    bw_ticker_reset(t, ns);
    int64_t first = tick(t);
    CHECK(first >= start + ns);
    CHECK(tick(t) >= first + ns);
  }
  bw_ticker_release(t);
  bw_ticker_stop(NULL);
  return 0;
}
TEST(timer_b155_b156_stop_and_reset) { test_run(stop_and_reset, NULL, 1); }
TEST(timer_b155_b156_stop_and_reset_on_many_procs) { test_run(stop_and_reset, NULL, 4); }

// behaviour 155: no interval
static int no_interval(void *arg) {
  bw_ticker *t = bw_ticker_make(*(int64_t *)arg);
  bw_ticker_release(t);
  return 0;
}
static int64_t none = 0, negative = -1;
DEATH_TEST(timer_b155_no_interval, 2, "panic: non-positive interval for NewTicker") {
  test_run(no_interval, &none, 1);
}
DEATH_TEST(timer_b155_negative_interval, 2, "panic: non-positive interval for NewTicker") {
  test_run(no_interval, &negative, 1);
}

static int reset_to_none(void *arg) {
  (void)arg;
  bw_ticker_reset(ticker(HOUR), 0);
  return 0;
}
DEATH_TEST(timer_b155_reset_to_none, 2, "panic: non-positive interval for Ticker.Reset") {
  test_run(reset_to_none, NULL, 1);
}

static int reset_nobody(void *arg) {
  (void)arg;
  bw_ticker_reset(NULL, HOUR);
  return 0;
}
DEATH_TEST(timer_b151_reset_of_no_ticker, 2, "panic: time: Reset called on uninitialized Ticker") {
  test_run(reset_nobody, NULL, 1);
}

// behaviour 155: a tick without interval never comes; one with goes on until it is released
static int tick_chan(void *arg) {
  (void)arg;
  CHECK(!bw_tick(0));
  CHECK(!bw_tick(-1));
  bw_chan *c = bw_tick(50 * BW_MICROSECOND);
  for (int i = 0; i < 20; i++) CHECK(bw_chan_recv(c, NULL));
  bw_chan_release(c);
  return 0;
}
TEST(timer_b155_tick) { test_run(tick_chan, NULL, 1); }

// behaviour 155: goes under load, from all sides at once
static void use_for_a_while(void *arg) {
  for (int i = 0; i < (test_is_slow_build() ? 20 : 200); i++) {
    bw_ticker *t = ticker(1 + i % 4);
    if (i % 2) tick(t);
    if (i % 3 == 0) bw_ticker_stop(t);
    if (i % 5 == 0) bw_ticker_reset(t, 1);
    bw_ticker_release(t);
  }
  group_done(arg);
}

static int teardown(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 16);
  for (int i = 0; i < 16; i++) CHECK_EQ(bw_go(use_for_a_while, &g), 0);
  group_wait(&g);
  return 0;
}
TEST(timer_b155_teardown) { test_run(teardown, NULL, 4); }
TEST(timer_b155_teardown_on_one_proc) { test_run(teardown, NULL, 1); }

// behaviour 150: a period that overflows
static int huge_period(void *arg) {
  (void)arg;
  bw_ticker *t = ticker(INT64_MAX);
  bw_ticker_reset(t, INT64_MAX - 1);
  CHECK(is_empty(bw_ticker_chan(t)));
  bw_ticker_reset(t, 1);
  tick(t);
  bw_ticker_release(t);
  return 0;
}
TEST(timer_b150_huge_period) { test_run(huge_period, NULL, 1); }

// behaviour 158: nor does a stopped ticker hide a deadlock
static int stopped(void *arg) {
  (void)arg;
  bw_ticker *t = ticker(BW_MICROSECOND);
  tick(t);
  bw_ticker_stop(t);
  bw_chan_recv(bw_ticker_chan(t), NULL);
  return 0;
}
DEATH_TEST(timer_b158_stopped_ticker_and_deadlock, 2, "all goroutines are asleep - deadlock!") {
  test_run(stopped, NULL, 2);
}

// ---- who keeps the only thread ------------------------------------------------------------------

// Looks, and neither parks nor yields: nobody else can run the timer.
static int looks_only(void *arg) {
  (void)arg;
  bw_chan *c = bw_after(50 * BW_MICROSECOND), *never = bw_chan_make(0, 0);
  while (is_empty(c)) {}
  CHECK(is_empty(c));
  bw_chan_release(c);
  c = bw_after(50 * BW_MICROSECOND);
  while (BW_TRY_SELECT(bw_on_recv(c, NULL), bw_on_recv(never, NULL)) == BW_EAGAIN) {}
  CHECK(is_empty(c));
  bw_chan_release(c);
  bw_chan_release(never);
  int64_t first = 0, at = 0, ns = 20 * BW_MICROSECOND;
  bw_ticker *t = ticker(ns);
  for (int i = 0; i < 20; i++) {
    while (bw_chan_try_recv(bw_ticker_chan(t), &at) == BW_EAGAIN) {}
    if (i == 0) first = at;
    CHECK_EQ((at - first) % ns, 0);
  }
  CHECK(at > first);
  bw_gosched(); // what the timer itself would have sent by now is not sent twice
  bw_ticker_reset(t, HOUR);
  CHECK(is_empty(bw_ticker_chan(t)));
  bw_ticker_release(t);
  return 0;
}
TEST(timer_chan_of_who_only_looks) { test_run(looks_only, NULL, 1); }

// A case that is always ready does not keep the timer from being chosen.
static int among_others(void *arg) {
  (void)arg;
  bw_chan *ready = bw_chan_make(0, 1), *c = bw_after(50 * BW_MICROSECOND);
  int got;
  do {
    bw_chan_try_send(ready, NULL);
    got = BW_TRY_SELECT(bw_on_recv(ready, NULL), bw_on_recv(c, NULL));
  } while (got == 0);
  CHECK_EQ(got, 1);
  bw_chan_release(c);
  bw_chan_release(ready);
  return 0;
}
TEST(timer_chan_among_others) { test_run(among_others, NULL, 1); }

// What a try form has found is received by one only.
static int found_early(void *arg) {
  (void)arg;
  bw_timer *t = bw_timer_make(0);
  bw_chan *c = bw_timer_chan(t);
  for (int i = 0; i < 1000; i++) {
    while (bw_chan_try_recv(c, NULL) == BW_EAGAIN) {}
    if (i % 4 == 0) bw_gosched();
    CHECK(is_empty(c));
    CHECK(!bw_timer_stop(t));
    CHECK(!bw_timer_reset(t, 0));
  }
  bw_timer_release(t);
  return 0;
}
TEST(timer_chan_found_early) { test_run(found_early, NULL, 1); }
TEST(timer_chan_found_early_on_many_procs) { test_run(found_early, NULL, 4); }

// ---- the channel is for receiving ---------------------------------------------------------------

static int send_to_after(void *arg) {
  (void)arg;
  bw_chan_send(bw_after(HOUR), &(int64_t){1});
  return 0;
}
DEATH_TEST(timer_chan_send, 2, "panic: send to receive-only channel") {
  test_run(send_to_after, NULL, 1);
}

static int select_send(void *arg) {
  (void)arg;
  int64_t v = 1;
  bw_chan *c = bw_tick(HOUR);
  BW_TRY_SELECT(bw_on_recv(NULL, &v), bw_on_send(c, &v));
  return 0;
}
DEATH_TEST(timer_chan_select_send, 2, "panic: send to receive-only channel") {
  test_run(select_send, NULL, 1);
}

static int close_after(void *arg) {
  (void)arg;
  bw_chan_close(bw_after(HOUR));
  return 0;
}
DEATH_TEST(timer_chan_close, 2, "panic: close of receive-only channel") {
  test_run(close_after, NULL, 1);
}

// The typed views are the same channels.
static int typed_views(void *arg) {
  (void)arg;
  int64_t start = bw_now(), due = 0;
  bw_timer *t = bw_timer_make(BW_MILLISECOND);
  bw_ticker *k = bw_ticker_make(BW_MILLISECOND);
  CHECK(bw_recv(bw_timer_times(t), &due));
  CHECK(due >= start + BW_MILLISECOND);
  CHECK(bw_recv(bw_ticker_times(k), &due));
  CHECK(due >= start + BW_MILLISECOND);
  CHECK(bw_timer_times(t).chan == bw_timer_chan(t) && bw_ticker_times(k).chan == bw_ticker_chan(k));
  bw_timer_release(t);
  bw_ticker_release(k);
  return 0;
}
TEST(timer_typed_views) { test_run(typed_views, NULL, 1); }
