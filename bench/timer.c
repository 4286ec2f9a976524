// Timers in large numbers: making, changing and stopping them, and how late they fire.
#include "bench.h"
#include <burrow/time.h>

enum { TIMERS = 100000 };

typedef struct {
  int64_t when, late; // late: written when it fires
  bench_latch *latch;
} shot;

// 0 <= n < below; the same sequence in every process.
static int64_t random_below(int64_t below) {
  static uint64_t x = 1;
  x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int64_t)((x >> 11) % (uint64_t)below);
}

static void *many(int64_t n, size_t size) {
  void *p = bw_calloc((size_t)n, size);
  if (!p) bw_panic("no memory for %" PRId64 " timers", n);
  return p;
}

static bw_timer *start_timer(int64_t ns, void (*fn)(void *arg), void *arg) {
  bw_timer *t = bw_after_func(ns, fn, arg);
  if (!t) bw_panic("no memory for a timer");
  return t;
}

static void release_all(bw_timer **timers, int64_t n) {
  for (int64_t i = 0; i < n; i++) bw_timer_release(timers[i]);
  bw_free(timers);
}

static void fired_too_early(void *unused) {
  (void)unused;
  bw_panic("a timer fired that had more than a second");
}

// 100,000 timers due in a second to an hour: made, each set to another of these times, stopped,
// given back; op = one call.
BENCH(timer_100k) {
  int64_t n = bench_count(TIMERS);
  int64_t *ns = many(n, sizeof *ns);
  bw_timer **timers = many(n, sizeof *timers);
  for (int64_t i = 0; i < n; i++) ns[i] = BW_SECOND + random_below(3600 * BW_SECOND);

  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) timers[i] = start_timer(ns[i], fired_too_early, NULL);
  bench_result_as("timer_create100k", n, bw_now() - start);

  int64_t pending = 0;
  start = bw_now();
  for (int64_t i = 0; i < n; i++) pending += bw_timer_reset(timers[i], ns[n - 1 - i]);
  bench_result_as("timer_reset100k", n, bw_now() - start);

  start = bw_now();
  for (int64_t i = 0; i < n; i++) pending += bw_timer_stop(timers[i]);
  bench_result_as("timer_stop100k", n, bw_now() - start);
  if (pending != 2 * n) bw_panic("%" PRId64 " of %" PRId64 " were pending", pending, 2 * n);

  start = bw_now();
  release_all(timers, n);
  bench_result_as("timer_release100k", n, bw_now() - start);
  bw_free(ns);
}

static void note_lateness(void *arg) {
  shot *s = arg;
  s->late = bw_now() - s->when;
  bench_latch_done(s->latch);
}

static double in_us(int64_t ns) { return (double)ns / BW_MICROSECOND; }

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

// 100,000 timers due at random moments of a second that begins in 200 ms. timer_create100k_closure:
// making them, each with the clock read for it; the others: how late they fire. Divided, there are
// fewer of them in as much less time.
BENCH(timer_late) {
  int64_t n = bench_count(TIMERS), span = bench_count(BW_SECOND);
  shot *shots = many(n, sizeof *shots);
  bw_timer **timers = many(n, sizeof *timers);
  bench_latch latch = bench_latch_make();
  bench_latch_add(&latch, n);
  int64_t start = bw_now(), base = start + span / 5;
  for (int64_t i = 0; i < n; i++) {
    shots[i] = (shot){.when = base + random_below(span), .latch = &latch};
    timers[i] = start_timer(shots[i].when - bw_now(), note_lateness, &shots[i]);
  }
  bench_result_as("timer_create100k_closure", n, bw_now() - start);
  bench_latch_wait(&latch);

  int64_t *late = many(n, sizeof *late);
  for (int64_t i = 0; i < n; i++) late[i] = shots[i].late;
  qsort(late, (size_t)n, sizeof *late, by_size);
  if (late[0] < 0) bw_panic("a timer fired %" PRId64 " ns too early", -late[0]);
  bench_value("timer_late_p50", in_us(late[n / 2]), "us");
  bench_value("timer_late_p99", in_us(late[n * 99 / 100]), "us");
  bench_value("timer_late_max", in_us(late[n - 1]), "us");
  release_all(timers, n);
  bw_free(late);
  bw_free(shots);
}

static void count_down(void *latch) { bench_latch_done(latch); }

// 100,000 timers due at one moment, half a second away: from that moment until the last has run;
// op = one timer. Divided, as timer_late.
BENCH(timer_fire100k_same_instant) {
  int64_t n = bench_count(TIMERS);
  bw_timer **timers = many(n, sizeof *timers);
  bench_latch latch = bench_latch_make();
  bench_latch_add(&latch, n);
  int64_t when = bw_now() + bench_count(BW_SECOND) / 2;
  for (int64_t i = 0; i < n; i++) timers[i] = start_timer(when - bw_now(), count_down, &latch);
  bench_latch_wait(&latch);
  bench_result(n, bw_now() - when);
  release_all(timers, n);
}

// 500 ticks of a ticker with a period of 1 ms, received as they come; ideally 500 ms. Divided,
// there are fewer of them.
BENCH(ticker1ms_500ticks) {
  int64_t n = bench_count(500), first = 0, last = 0;
  int64_t start = bw_now();
  bw_ticker *t = bw_ticker_make(BW_MILLISECOND);
  if (!t) bw_panic("no memory for a ticker");
  for (int64_t i = 0; i < n; i++) {
    bw_chan_recv(bw_ticker_chan(t), &last);
    if (i == 0) first = last;
  }
  bench_value("ticker1ms_500ticks", (double)(bw_now() - start) / BW_MILLISECOND, "ms");
  bw_ticker_release(t);
  if (last - first < (n - 1) * BW_MILLISECOND || (last - first) % BW_MILLISECOND)
    bw_panic("a ticker lost its grid");
}
