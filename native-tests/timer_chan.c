// Timers with a channel: bw_timer_make and bw_after. What an int64_t received from them must be.
#include "chan_util.h"

#include "base/config.h"
#include "comm/chan_state.h"

#define HOUR (3600 * BW_SECOND)

static bw_timer *timer(int64_t ns) {
  bw_timer *t = bw_timer_make(ns);
  CHECK(t && bw_timer_chan(t));
  return t;
}

static int64_t receive(bw_chan *c) {
  int64_t at = -1;
  CHECK(bw_chan_recv(c, &at));
  CHECK(at >= 0 && at <= bw_now());
  return at;
}

static bool is_empty(bw_chan *c) { return bw_chan_try_recv(c, NULL) == BW_EAGAIN; }

// behaviours 143 and 145: not before it is due, and the value is not early either
static int not_before(void *arg) {
  (void)arg;
  for (int64_t ns = -BW_MILLISECOND; ns <= 3 * BW_MILLISECOND; ns += 333 * BW_MICROSECOND) {
    int64_t start = bw_now();
    bw_chan *c = bw_after(ns);
    CHECK(receive(c) >= start + ns);
    CHECK(bw_now() >= start + ns);
    CHECK(is_empty(c));
    bw_chan_release(c);
  }
  return 0;
}
TEST(timer_b145_after) { test_run(not_before, NULL, 1); }
TEST(timer_b145_after_on_many_procs) { test_run(not_before, NULL, 4); }

// behaviour 146: ten in a row take ten times as long; how much longer depends on what else the
// machine does, so they may try again, with more time
static bool ten_take_ten_times(int64_t ns) {
  int64_t start = bw_now();
  for (int i = 0; i < 10; i++) {
    bw_chan *c = bw_after(ns);
    receive(c);
    bw_chan_release(c);
  }
  CHECK(bw_now() - start >= 10 * ns);
  return bw_now() - start < 30 * ns;
}

static int ten_in_a_row(void *arg) {
  (void)arg;
  for (int64_t ns = BW_MILLISECOND; !ten_take_ten_times(ns); ns *= 2) {}
  return 0;
}
TEST(timer_b146_after_tick) { test_run(ten_in_a_row, NULL, 1); }

// behaviour 147: true if it stopped something; what is stopped never comes
static int stop(void *arg) {
  (void)arg;
  bw_timer *t = timer(2 * BW_MILLISECOND);
  bw_chan *c = bw_timer_chan(t);
  CHECK(bw_timer_stop(t));
  CHECK(!bw_timer_stop(t));
  bw_sleep(5 * BW_MILLISECOND);
  CHECK(is_empty(c));
  CHECK(!bw_timer_reset(t, 0));
  receive(c);
  CHECK(!bw_timer_stop(t));
  CHECK(is_empty(c));
  bw_timer_release(t);
  return 0;
}
TEST(timer_b147_stop_of_chan) { test_run(stop, NULL, 1); }
TEST(timer_b147_stop_of_chan_on_many_procs) { test_run(stop, NULL, 4); }

// behaviour 148: in due order whatever the order of creation
typedef struct {
  int slot;
  bw_chan *after, *results;
} slotted;

static void await(void *arg) {
  slotted *s = arg;
  receive(s->after);
  bw_chan_send(s->results, &s->slot);
}

// False: the times due were not those of the slots, or some had come before all waited.
static bool in_due_order(void) {
  static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
  enum { N = sizeof slots / sizeof *slots };
  slotted s[N];
  bw_chan *results = bw_chan_make(sizeof(int), N);
  int64_t slot = 20 * BW_MILLISECOND, start = bw_now();
  for (int i = 0; i < N; i++) {
    s[i] = (slotted){slots[i], bw_after((slots[i] + 1) * slot), results};
    CHECK_EQ(bw_go(await, &s[i]), 0);
  }
  settle();
  bool counts = bw_now() - start < slot;
  for (int i = 0, last = 0, v; i < N; i++, last = v) {
    CHECK(bw_chan_recv(results, &v));
    CHECK(v >= last || !counts);
  }
  for (int i = 0; i < N; i++) bw_chan_release(s[i].after);
  bw_chan_release(results);
  return counts;
}

static int due_order(void *arg) {
  (void)arg;
  while (!in_due_order()) {}
  return 0;
}
TEST(timer_b148_after_queuing) { test_run(due_order, NULL, 1); }

// behaviour 149: true while pending; only the new time counts
static int reset(void *arg) {
  (void)arg;
  bw_timer *t = timer(BW_MILLISECOND);
  bw_chan *c = bw_timer_chan(t);
  for (int i = 0; i < 20; i++) {
    CHECK(bw_timer_reset(t, HOUR - i));
    CHECK(bw_timer_reset(t, HOUR + i));
  }
  bw_sleep(2 * BW_MILLISECOND);
  CHECK(is_empty(c));
  int64_t due = bw_now() + 3 * BW_MILLISECOND;
  CHECK(bw_timer_reset(t, 3 * BW_MILLISECOND));
  CHECK(receive(c) >= due);
  CHECK(!bw_timer_reset(t, HOUR)); // received
  CHECK(bw_timer_stop(t));
  CHECK(!bw_timer_reset(t, 0)); // stopped
  receive(c);
  CHECK(is_empty(c));
  bw_timer_release(t);
  return 0;
}
TEST(timer_b149_reset_of_chan) { test_run(reset, NULL, 1); }
TEST(timer_b149_reset_of_chan_on_many_procs) { test_run(reset, NULL, 4); }

// behaviour 150: a huge duration does not overflow, a negative one is over at once
static int extremes(void *arg) {
  (void)arg;
  bw_timer *huge = timer(INT64_MAX), *other = timer(HOUR);
  CHECK(bw_timer_reset(huge, INT64_MAX - 1));
  CHECK(bw_timer_reset(other, INT64_MIN));
  receive(bw_timer_chan(other));
  CHECK(!bw_timer_reset(other, -1));
  receive(bw_timer_chan(other));
  CHECK(is_empty(bw_timer_chan(huge)));
  CHECK(bw_timer_stop(huge));
  bw_timer_release(huge);
  bw_timer_release(other);
  return 0;
}
TEST(timer_b150_extremes_of_chan) { test_run(extremes, NULL, 2); }

// behaviour 151: no timer. The panic holds no lock: the others are looked at on the way out.
static int stop_none(void *arg) {
  (void)arg;
  timer(HOUR);
  bw_timer_stop(NULL);
  return 0;
}
DEATH_TEST(timer_b151_stop_of_none, 2, "panic: time: Stop called on uninitialized Timer") {
  test_run(stop_none, NULL, 1);
}

static int reset_none(void *arg) {
  (void)arg;
  timer(HOUR);
  bw_timer_reset(NULL, 1);
  return 0;
}
DEATH_TEST(timer_b151_reset_of_none, 2, "panic: time: Reset called on uninitialized Timer") {
  test_run(reset_none, NULL, 1);
}

// behaviour 152: zero-duration timers are never missed
static int rounds(void) { return test_is_slow_build() ? 2000 : BW_WASM ? 100000 : 1000000; }

static int zero(void *arg) {
  (void)arg;
  for (int i = 0; i < rounds() / 2; i++) {
    bw_timer *t = bw_timer_make(0);
    CHECK(bw_chan_recv(bw_timer_chan(t), NULL));
    bw_timer_release(t);
  }
  bw_timer *t = timer(0);
  for (int i = 0; i < rounds() / 2; i++) {
    CHECK(bw_chan_recv(bw_timer_chan(t), NULL));
    CHECK(!bw_timer_reset(t, 0));
  }
  bw_timer_release(t);
  return 0;
}
TEST(timer_b152_zero_of_chan) { test_run(zero, NULL, 1); }
TEST(timer_b152_zero_of_chan_on_many_procs) { test_run(zero, NULL, 2); }

// behaviour 153: moved earlier and later again and again, nothing is lost
static int moved(void *arg) {
  (void)arg;
  bw_timer *t = timer(HOUR);
  for (int i = 0; i < 200; i++) {
    for (int k = 10; k > 0; k--) CHECK(bw_timer_reset(t, (int64_t)k * 60 * BW_SECOND));
    for (int k = 1; k < 5; k++) CHECK(bw_timer_reset(t, (int64_t)k * 60 * BW_SECOND));
    int64_t ns = (int64_t)(i % 3) * 20 * BW_MICROSECOND, due = bw_now() + ns;
    CHECK(bw_timer_reset(t, ns));
    CHECK(receive(bw_timer_chan(t)) >= due);
    CHECK(!bw_timer_reset(t, HOUR));
  }
  CHECK(bw_timer_stop(t));
  bw_timer_release(t);
  return 0;
}
TEST(timer_b153_chan_moved) { test_run(moved, NULL, 1); }
TEST(timer_b153_chan_moved_on_many_procs) { test_run(moved, NULL, 4); }

// behaviour 156: what has fired and was not received is taken back, and counts as pending
static int no_stale_value(void *arg) {
  (void)arg;
  bw_timer *t = timer(0);
  bw_chan *c = bw_timer_chan(t);
  for (int i = 0; i < 20; i++) {
    bw_sleep(50 * BW_MICROSECOND); // long enough to fire, mostly; if not, all the same holds
    CHECK_EQ(bw_chan_len(c), 0);
    CHECK_EQ(bw_chan_cap(c), 0);
    if (i % 2) {
      CHECK(bw_timer_stop(t));
      CHECK(is_empty(c));
      CHECK(!bw_timer_reset(t, 0));
      continue;
    }
    int64_t due = bw_now() + BW_MILLISECOND;
    CHECK(bw_timer_reset(t, BW_MILLISECOND));
    CHECK(receive(c) >= due);
    CHECK(is_empty(c));
    CHECK(!bw_timer_reset(t, 0));
  }
  CHECK(bw_timer_stop(t));
  CHECK_EQ(bw_chan_elem_size(c), sizeof(int64_t));
  bw_timer_release(t);
  return 0;
}
TEST(timer_b156_no_stale_value) { test_run(no_stale_value, NULL, 1); }
TEST(timer_b156_no_stale_value_on_many_procs) { test_run(no_stale_value, NULL, 4); }

// The same with the value in the channel for certain.
static int taken_back(void *arg) {
  (void)arg;
  bw_timer *t = timer(0);
  bw_chan *c = bw_timer_chan(t);
  for (int i = 0; i < 100; i++) {
    while (bw__shared_load(&c->count) == 0) bw_sleep(10 * BW_MICROSECOND);
    if (i % 2)
      CHECK(bw_timer_reset(t, HOUR));
    else
      CHECK(bw_timer_stop(t));
    CHECK(is_empty(c));
    CHECK_EQ(bw_timer_reset(t, 0), i % 2);
  }
  bw_timer_release(t);
  return 0;
}
TEST(timer_b156_taken_back) { test_run(taken_back, NULL, 1); }

// behaviour 157: memory goes with the last reference, whatever the timer is at. (Go: what nobody
// refers to is collected.)
static int64_t live_bytes(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return (int64_t)s.live_bytes;
}

static void make_and_leave(int64_t ns, bool stops, bool waits) {
  bw_chan *c[3] = {bw_after(ns), bw_tick(ns + 1), NULL};
  bw_timer *t = timer(ns);
  bw_ticker *k = bw_ticker_make(ns + 1);
  c[2] = bw_chan_retain(bw_timer_chan(t));
  if (stops) bw_timer_stop(t);
  if (waits) bw_sleep(10 * BW_MICROSECOND);
  bw_ticker_release(k);
  bw_timer_release(t);
  for (int i = 0; i < 3; i++) bw_chan_release(c[i]);
}

static int unreferenced(void *arg) {
  (void)arg;
  int64_t before = 0;
  for (int i = 0; i < 300; i++) {
    make_and_leave(i % 2 ? HOUR : (int64_t)i * 100, i % 3 == 0, i % 5 == 0);
    if (i == 100) before = live_bytes(); // the heap of timers has its size by now
  }
  CHECK_EQ(live_bytes(), before);
  bw_timer_release(NULL);
  bw_ticker_release(NULL);
  return 0;
}
TEST(timer_b157_unreferenced) { test_run(unreferenced, NULL, 1); }

// behaviour 158: a pending one is no deadlock, a stopped or released one does not hide one
static int pending_then_none(void *arg) {
  (void)arg;
  bw_chan *c = bw_after(BW_MILLISECOND);
  receive(c);
  bw_chan_release(bw_after(HOUR));
  bw_timer *t = timer(HOUR);
  CHECK(bw_timer_stop(t));
  bw_chan_recv(bw_timer_chan(t), NULL);
  return 0;
}
DEATH_TEST(timer_b158_stopped_chan_and_deadlock, 2, "all goroutines are asleep - deadlock!") {
  test_run(pending_then_none, NULL, 2);
}
