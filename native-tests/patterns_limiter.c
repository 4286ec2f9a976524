// Rate limits. Most tests hand in the time themselves, so what they check is exact.
#include "chan_util.h"

#include "base/rand.h"
#include "lib/limiter.h"

static const int64_t hour = 3600 * BW_SECOND;

static const int64_t never = INT64_MAX;

// A time that is certainly later than the limiter's making.
static int64_t some_time(void) { return bw_now() + hour; }

// ---- exact --------------------------------------------------------------------------------------

// Token k comes k / rate after the first, to the nanosecond, for as long as one likes.
static void check_exact(int64_t events, int64_t per, int64_t burst, int64_t k_max) {
  bw_limiter *l = bw_limiter_make(events, per, burst);
  int64_t now = some_time();
  for (int64_t k = 0; k < burst; k++) CHECK_EQ(bw__limiter_take(l, 1, now, now), now);
  CHECK_EQ(bw__limiter_take(l, 1, now, now), BW_LIMITER_TOO_LATE);
  for (int64_t k = 1; k <= k_max; k++) {
    int64_t want = now + (k * per + events - 1) / events;
    CHECK_EQ(bw__limiter_take(l, 1, now, want - 1), BW_LIMITER_TOO_LATE);
    CHECK_EQ(bw__limiter_take(l, 1, now, want), want);
  }
  bw_limiter_free(l);
}

TEST(patterns_limiter_exact) {
  check_exact(3, BW_SECOND, 1, 50000);
  check_exact(7, 10, 3, 50000);
  check_exact(1, BW_SECOND, 5, 1000);
  check_exact(1000, 1, 1, 50000); // a thousand a nanosecond
  check_exact(999983, 1000003, 17, 50000);
  check_exact(1, 1, 1, 100);
}

// The bucket holds `burst` and no more, however long nobody came; and a part of a token that has
// come when it overflows is gone.
TEST(patterns_limiter_burst) {
  bw_limiter *l = bw_limiter_make(1, BW_SECOND, 3);
  int64_t now = some_time();
  for (int round = 0; round < 4; round++, now += 100 * BW_SECOND + 700 * BW_MILLISECOND) {
    CHECK_EQ(bw__limiter_take(l, 3, now, now), now);
    CHECK_EQ(bw__limiter_take(l, 1, now, now + BW_SECOND - 1), BW_LIMITER_TOO_LATE);
    CHECK_EQ(bw__limiter_take(l, 1, now, never), now + BW_SECOND);
    CHECK_EQ(bw__limiter_take(l, 2, now, never), now + 3 * BW_SECOND);
  }
  bw_limiter_free(l);
}

// Against a bucket that counts in parts of a token, 1 / per of it: `events` of these come each
// nanosecond. Who takes more than there is, waits until the debt is paid.
typedef struct {
  int64_t events, per, burst, level, at;
} model;

static int64_t model_take(model *m, int64_t n, int64_t now, int64_t latest) {
  int64_t room = m->burst * m->per - m->level;
  int64_t come = (now - m->at) * m->events;
  m->level += come < room ? come : room;
  m->at = now;
  int64_t left = m->level - n * m->per;
  int64_t when = left >= 0 ? now : now + (-left + m->events - 1) / m->events;
  if (when > latest) return BW_LIMITER_TOO_LATE;
  m->level = left;
  return when;
}

TEST(patterns_limiter_model) {
  bw__rand r = {1};
  for (int round = 0; round < 300; round++) {
    int64_t events = 1 + (int64_t)(bw__rand_next(&r) % 50),
            per = 1 + (int64_t)(bw__rand_next(&r) % 1000);
    int64_t burst = 1 + (int64_t)(bw__rand_next(&r) % 20);
    bw_limiter *l = bw_limiter_make(events, per, burst);
    int64_t now = some_time(), full = burst * per;
    model m = {events, per, burst, full, now};
    for (int i = 0; i < 300; i++) {
      uint64_t what = bw__rand_next(&r);
      now += (int64_t)(what % 3 ? what / 3 % 20 : what / 3 % 1000);
      int64_t n = 1 + (int64_t)(bw__rand_next(&r) % (uint64_t)burst);
      int64_t latest = what & 1024 ? never : now + (int64_t)(what >> 40 & 63);
      CHECK_EQ(bw__limiter_take(l, n, now, latest), model_take(&m, n, now, latest));
    }
    bw_limiter_free(l);
  }
}

// Reservations for longer than time lasts neither overflow nor let anybody through.
TEST(patterns_limiter_far_ahead) {
  int64_t years = hour * 24 * 365 * 50;
  bw_limiter *l = bw_limiter_make(1, years, 1);
  int64_t now = some_time(), last = now;
  for (int i = 0; i < 20; i++) {
    int64_t when = bw__limiter_take(l, 1, now, never);
    CHECK(when >= last);
    last = when;
  }
  CHECK(!bw_limiter_try(l, 1));
  bw_limiter_free(l);
}

// ---- with the clock -----------------------------------------------------------------------------

TEST(patterns_limiter_try) {
  bw_limiter *l = bw_limiter_make(1, hour, 5);
  CHECK(bw_limiter_try(l, 2) && bw_limiter_try(l, 3));
  CHECK(!bw_limiter_try(l, 1));
  CHECK_EQ(bw_limiter_wait_until(l, 1, bw_now() + BW_SECOND), BW_ETIMEDOUT);
  CHECK_EQ(bw_limiter_wait_until(l, 1, 0), BW_ETIMEDOUT);
  int64_t first = bw_limiter_reserve(l, 1);
  CHECK(first > bw_now() + hour / 2); // the failed ones took nothing
  CHECK(first <= bw_now() + hour);
  CHECK_EQ(bw_limiter_reserve(l, 1), first + hour);
  bw_limiter_free(l);
  bw_limiter_free(NULL);
  l = bw_limiter_make(1, BW_SECOND, 1);
  CHECK_EQ(bw_limiter_wait_until(l, 1, 0), 0); // there, so a past deadline is none
  bw_limiter_free(l);
}

enum { WAITERS = 8, EACH = 25 };

typedef struct {
  bw_limiter *limiter;
  int64_t when[WAITERS][EACH];
  atomic_int index;
} waits;

static int reserve_each(void *arg, size_t i) {
  waits *w = arg;
  for (int k = 0; k < EACH; k++) {
    w->when[i][k] = bw_limiter_reserve(w->limiter, 1);
    bw_gosched();
  }
  return 0;
}

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

// Several at once: nobody gets another's time, and no time is left out.
static int reserved_together(void *arg) {
  (void)arg;
  static waits w;
  w.limiter = bw_limiter_make(1, hour, 1); // slower than any machine
  CHECK_EQ(bw_parallel(WAITERS, WAITERS, reserve_each, &w), 0);
  int64_t *all = &w.when[0][0];
  qsort(all, (size_t)WAITERS * EACH, sizeof *all, by_value);
  for (int i = 1; i < WAITERS * EACH; i++) CHECK_EQ(all[i], all[0] + i * hour);
  bw_limiter_free(w.limiter);
  return 0;
}
TEST(patterns_limiter_reserved_together) { test_run(reserved_together, NULL, 0); }

static int wait_each(void *arg, size_t i) {
  waits *w = arg;
  if (i % 2)
    bw_limiter_wait(w->limiter, 1);
  else
    CHECK_EQ(bw_limiter_wait_until(w->limiter, 1, bw_now() + hour), 0);
  return 0;
}

static int waited_together(void *arg) {
  (void)arg;
  static waits w;
  w.limiter = bw_limiter_make(1000, BW_SECOND, 5);
  int64_t start = bw_now();
  CHECK_EQ(bw_parallel(35, 10, wait_each, &w), 0);
  CHECK(bw_now() - start >= 30 * BW_MILLISECOND); // 35 events, of which 5 at once
  bw_limiter_free(w.limiter);
  return 0;
}
TEST(patterns_limiter_waited_together) { test_run(waited_together, NULL, 0); }
TEST(patterns_limiter_waited_on_one_p) { test_run(waited_together, NULL, 1); }
TEST(patterns_limiter_waited_by_thread) { waited_together(NULL); }

// As the header shows it: a wait that a group's stop ends.
static int waits_for_an_hour(void *arg) {
  bw_group *g = arg;
  bw_limiter *l = bw_limiter_make(1, hour, 1);
  bw_limiter_wait(l, 1);
  int64_t when = bw_limiter_reserve(l, 1);
  int what = BW_SELECT_UNTIL(when, bw_on_recv(bw_group_stopped(g), NULL));
  bw_limiter_free(l);
  return what;
}

static int stopped_wait(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  CHECK_EQ(bw_group_go(g, waits_for_an_hour, g), 0);
  settle();
  bw_group_stop(g, 0);
  CHECK_EQ(bw_group_wait(g), 0);
  return 0;
}
TEST(patterns_limiter_wait_is_stopped) { test_run(stopped_wait, NULL, 1); }

// ---- misuse -------------------------------------------------------------------------------------

#define OUT_OF_RANGE(name, events, per, burst)                                                     \
  DEATH_TEST(name, 2, "panic: limiter: rate out of range") { bw_limiter_make(events, per, burst); }
OUT_OF_RANGE(patterns_limiter_no_events, 0, BW_SECOND, 1)
OUT_OF_RANGE(patterns_limiter_no_period, 1, 0, 1)
OUT_OF_RANGE(patterns_limiter_no_burst, 1, BW_SECOND, 0)
OUT_OF_RANGE(patterns_limiter_long_fraction, ((int64_t)1 << 31) + 1, (int64_t)1 << 31, 1)
OUT_OF_RANGE(patterns_limiter_long_burst, 1, BW_SECOND, (int64_t)1 << 32)
DEATH_TEST(patterns_limiter_more_than_burst, 2, "panic: limiter: more tokens than the burst") {
  bw_limiter_try(bw_limiter_make(1, BW_SECOND, 3), 4);
}
DEATH_TEST(patterns_limiter_no_token, 2, "panic: limiter: more tokens than the burst") {
  bw_limiter_reserve(bw_limiter_make(1, BW_SECOND, 3), 0);
}
