// AfterFunc, Stop, Reset, release: what a program sees of timers.
#include "chan_util.h"

#include "base/config.h"

#define HOUR (3600 * BW_SECOND)

// behaviour 144: a chain of re-armings, each in a goroutine of its own
typedef struct {
  bw_timer *timer;
  bw_chan *done;
  int left;
  uint64_t goids[10];
} chain;

static void link_of_chain(void *arg) {
  chain *c = arg;
  CHECK(bw_goid() > 1);
  if (--c->left > 0)
    CHECK(!bw_timer_reset(c->timer, BW_MILLISECOND));
  else
    bw_chan_send(c->done, NULL);
}

static int chain_of_ten(void *arg) {
  (void)arg;
  chain c = {.done = bw_chan_make(0, 0), .left = 10};
  int64_t start = bw_now();
  c.timer = bw_after_func(HOUR, link_of_chain, &c);
  CHECK(bw_timer_reset(c.timer, BW_MILLISECOND));
  CHECK(bw_chan_recv(c.done, NULL));
  CHECK(bw_now() - start >= 10 * BW_MILLISECOND);
  bw_timer_release(c.timer);
  bw_chan_release(c.done);
  return 0;
}
TEST(timer_b144_chain) { test_run(chain_of_ten, NULL, 1); }
TEST(timer_b144_chain_on_many_procs) { test_run(chain_of_ten, NULL, 4); }

static void done(void *arg) { group_done(arg); }

static int many(void *arg) {
  (void)arg;
  group g;
  int n = test_is_slow_build() ? 100 : 5000;
  group_init(&g, n);
  for (int i = 0; i < n; i++) {
    bw_timer *t = bw_after_func(i % 7 * BW_MILLISECOND, done, &g);
    CHECK(t);
    bw_timer_release(t); // still fires
  }
  group_wait(&g);
  return 0;
}
TEST(timer_b144_many) { test_run(many, NULL, 4); }

// behaviour 147
static atomic_int fired;

static void fire(void *arg) {
  (void)arg;
  atomic_fetch_add(&fired, 1);
}

static int stop(void *arg) {
  (void)arg;
  bw_timer *t = bw_after_func(5 * BW_MILLISECOND, fire, NULL);
  CHECK(bw_timer_stop(t));
  CHECK(!bw_timer_stop(t));
  bw_sleep(10 * BW_MILLISECOND);
  CHECK_EQ(atomic_load(&fired), 0);
  CHECK(!bw_timer_reset(t, 0));
  while (!atomic_load(&fired)) bw_gosched();
  CHECK(!bw_timer_stop(t));
  bw_timer_release(t);
  bw_timer_release(NULL);
  return 0;
}
TEST(timer_b147_stop) { test_run(stop, NULL, 1); }
TEST(timer_b147_stop_on_many_procs) { test_run(stop, NULL, 4); }

// behaviour 148: in due order whatever the order of creation
typedef struct {
  int slot;
  bw_chan *c;
} slotted;

static void send_slot(void *arg) {
  slotted *s = arg;
  bw_chan_send(s->c, &s->slot);
}

// What counts are the times due, and those the slots' only if the timers are set within one slot.
static bool set_in_one_slot(slotted *s, bw_timer **t, int n) {
  int64_t start = bw_now();
  for (int i = 0; i < n; i++)
    t[i] = bw_after_func((int64_t)(s[i].slot + 1) * 20 * BW_MILLISECOND, send_slot, &s[i]);
  if (bw_now() - start < 20 * BW_MILLISECOND) return true;
  for (int i = 0; i < n; i++) {
    CHECK(bw_timer_stop(t[i])); // with one P nothing fires before the goroutine parks
    bw_timer_release(t[i]);
  }
  return false;
}

static int due_order(void *arg) {
  (void)arg;
  static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
  enum { N = sizeof slots / sizeof *slots };
  slotted s[N];
  bw_timer *t[N];
  bw_chan *c = bw_chan_make(sizeof(int), N);
  for (int i = 0; i < N; i++) s[i] = (slotted){slots[i], c};
  while (!set_in_one_slot(s, t, N)) {}
  for (int i = 0, last = 0, v; i < N; i++, last = v) {
    CHECK(bw_chan_recv(c, &v));
    CHECK(v >= last);
  }
  for (int i = 0; i < N; i++) bw_timer_release(t[i]);
  bw_chan_release(c);
  return 0;
}
TEST(timer_b148_due_order) { test_run(due_order, NULL, 1); }

// behaviour 149: true while pending; only the new time counts
static void note_time(void *arg) {
  bw_chan *c = arg;
  int64_t now = bw_now();
  bw_chan_send(c, &now);
}

static int reset(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int64_t), 1);
  int64_t at, due;
  bw_timer *t = bw_after_func(BW_MILLISECOND, note_time, c);
  for (int i = 0; i < 20; i++) { // put off again and again
    CHECK(bw_timer_reset(t, HOUR - i));
    CHECK(bw_timer_reset(t, HOUR + i));
  }
  bw_sleep(2 * BW_MILLISECOND);
  CHECK_EQ(bw_chan_len(c), 0);
  due = bw_now() + 3 * BW_MILLISECOND;
  CHECK(bw_timer_reset(t, 3 * BW_MILLISECOND));
  CHECK(bw_chan_recv(c, &at));
  CHECK(at >= due);
  CHECK(!bw_timer_reset(t, HOUR)); // fired
  CHECK(bw_timer_stop(t));
  CHECK(!bw_timer_reset(t, 0)); // stopped
  CHECK(bw_chan_recv(c, &at));
  bw_timer_release(t);
  bw_chan_release(c);
  return 0;
}
TEST(timer_b149_reset) { test_run(reset, NULL, 1); }
TEST(timer_b149_reset_on_many_procs) { test_run(reset, NULL, 4); }

// behaviour 150: a huge duration does not overflow, a negative one is over at once
static int extremes(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int64_t), 4);
  int64_t at;
  bw_timer *huge = bw_after_func(INT64_MAX, fire, NULL), *other = bw_after_func(HOUR, note_time, c);
  CHECK(bw_timer_reset(huge, INT64_MAX - 1));
  CHECK(bw_timer_reset(other, INT64_MIN));
  CHECK(bw_chan_recv(c, &at));
  CHECK(!bw_timer_reset(other, -1));
  CHECK(bw_chan_recv(c, &at));
  CHECK_EQ(atomic_load(&fired), 0);
  CHECK(bw_timer_stop(huge));
  bw_timer_release(huge);
  bw_timer_release(other);
  bw_chan_release(c);
  return 0;
}
TEST(timer_b150_extremes) { test_run(extremes, NULL, 2); }

// behaviour 152
static void send_event(void *arg) { bw_chan_send(arg, NULL); }

static int zero(void *arg) {
  bw_chan *c = bw_chan_make(0, 1);
  (void)arg;
  for (int i = 0; i < (test_is_slow_build() ? 300 : BW_WASM ? 20000 : 200000); i++) {
    bw_timer *t = bw_after_func(0, send_event, c);
    CHECK(bw_chan_recv(c, NULL));
    bw_timer_release(t);
  }
  bw_chan_release(c);
  return 0;
}
TEST(timer_b152_zero_is_never_missed) { test_run(zero, NULL, 1); }
TEST(timer_b152_zero_is_never_missed_on_many_procs) { test_run(zero, NULL, 2); }

// behaviour 153: moved earlier again and again, while others look after the Ps' sleep
static int moved_earlier(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 1);
  bw_timer *t = bw_after_func(HOUR, send_event, c);
  for (int i = 0; i < 200; i++) {
    for (int k = 10; k > 0; k--) bw_timer_reset(t, (int64_t)k * 60 * BW_SECOND);
    CHECK(bw_timer_reset(t, (int64_t)(i % 3) * 20 * BW_MICROSECOND));
    CHECK(bw_chan_recv(c, NULL)); // lost: hangs
    CHECK(!bw_timer_reset(t, HOUR));
  }
  CHECK(bw_timer_stop(t));
  bw_timer_release(t);
  bw_chan_release(c);
  return 0;
}
TEST(timer_b153_moved_earlier) { test_run(moved_earlier, NULL, 1); }
TEST(timer_b153_moved_earlier_on_many_procs) { test_run(moved_earlier, NULL, 4); }

enum { ADJUSTED = 50 };

static int earlier_and_later(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, ADJUSTED);
  bw_timer *t[ADJUSTED];
  for (int i = 0; i < ADJUSTED; i++) t[i] = bw_after_func(HOUR, send_event, c);
  for (int round = 0; round < 20; round++)
    for (int i = 0; i < ADJUSTED; i++)
      CHECK(bw_timer_reset(t[i], (i * 7 + round * 13) % 40 * BW_SECOND + 10 * BW_SECOND));
  for (int i = 0; i < ADJUSTED; i++) CHECK(bw_timer_reset(t[i], i % 5 * BW_MILLISECOND));
  for (int i = 0; i < ADJUSTED; i++) CHECK(bw_chan_recv(c, NULL));
  for (int i = 0; i < ADJUSTED; i++) {
    CHECK(!bw_timer_stop(t[i]));
    bw_timer_release(t[i]);
  }
  bw_chan_release(c);
  return 0;
}
TEST(timer_b153_earlier_and_later) { test_run(earlier_and_later, NULL, 1); }
TEST(timer_b153_earlier_and_later_on_many_procs) { test_run(earlier_and_later, NULL, 4); }

// behaviour 154: a panic in a timer's function finds no lock in its way
static void panic_in_timer(void *arg) {
  (void)arg;
  bw_timer_release(bw_after_func(HOUR, fire, NULL));
  bw_debug_dump();
  bw_panic("in a timer");
}

static int wait_for_panic(void *arg) {
  (void)arg;
  bw_after_func(BW_MILLISECOND, panic_in_timer, NULL);
  bw_sleep(HOUR);
  return 0;
}
DEATH_TEST(timer_b154_panic, 2, "panic: in a timer") { test_run(wait_for_panic, NULL, 2); }

// behaviour 158: a pending timer is no deadlock, a stopped one does not hide one
static int stop_then_block(void *arg) {
  bw_chan *c = bw_chan_make(0, 0);
  (void)arg;
  bw_timer *t = bw_after_func(BW_MILLISECOND, send_event, c);
  CHECK(bw_chan_recv(c, NULL));
  bw_timer_reset(t, HOUR);
  bw_timer_reset(t, HOUR / 2);
  CHECK(bw_timer_stop(t));
  bw_chan_recv(c, NULL);
  return 0;
}
DEATH_TEST(timer_b158_stopped_timer_and_deadlock, 2, "all goroutines are asleep - deadlock!") {
  test_run(stop_then_block, NULL, 2);
}

DEATH_TEST(timer_nil_func, 2, "go of nil func value") { bw_after_func(0, NULL, NULL); }

// ---- ownership ----------------------------------------------------------------------------------

static bw_timer *left;

// Timers in all states when the run ends.
static int leave_timers(void *arg) {
  (void)arg;
  for (int i = 0; i < 100; i++) {
    bw_timer *t = bw_after_func(HOUR + i, fire, NULL);
    if (i % 2) bw_timer_stop(t);
    if (i % 3 == 0) bw_timer_reset(t, HOUR / 2 + i);
    bw_timer_release(t);
  }
  left = bw_after_func(HOUR, fire, NULL);
  return 0;
}

TEST(timer_outlives_its_run) {
  bw_alloc_stats before, after;
  CHECK(!bw_after_func(0, fire, NULL)); // no runtime
  for (int i = 0; i < 5; i++) {
    test_run(leave_timers, NULL, 1);
    CHECK(!bw_timer_reset(left, 0));
    CHECK(!bw_timer_stop(left));
    bw_timer_release(left);
    if (i == 0) bw_alloc_stats_read(&before);
  }
  bw_alloc_stats_read(&after);
  CHECK_EQ(after.live_bytes, before.live_bytes);
  CHECK_EQ(atomic_load(&fired), 0);
}

// Its own function may release a timer, at any time after it was set.
typedef struct {
  bw_timer *timer;
  bw_chan *done;
} self;

static void release_self(void *arg) {
  self *s = arg;
  bw_timer_release(s->timer);
  bw_chan_send(s->done, NULL);
}

static int released_by_itself(void *arg) {
  (void)arg;
  self s = {.done = bw_chan_make(0, 0)};
  for (int i = 0; i < (test_is_slow_build() ? 100 : 500); i++) {
    s.timer = bw_after_func(HOUR, release_self, &s);
    bw_timer_reset(s.timer, (int64_t)(i % 2) * 10 * BW_MICROSECOND);
    CHECK(bw_chan_recv(s.done, NULL));
  }
  bw_chan_release(s.done);
  return 0;
}
TEST(timer_released_by_its_function) { test_run(released_by_itself, NULL, 1); }
TEST(timer_released_by_its_function_on_many_procs) { test_run(released_by_itself, NULL, 4); }
