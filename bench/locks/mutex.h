// The loops of the mutexes' benchmarks, for whatever kind of mutex and whoever waits for it:
// goroutines, plain threads, the peers' coroutines. A source that includes this file has said
// before what that is:
//
//   lk_mutex, LK_MUTEX        a mutex and its initialiser
//   lk_lock(m), lk_unlock(m)
//   lk_crew(n, work, arg)     runs work(arg, me) n times at once, me from 0 up, and waits until all
//   have returned; gives
//                             the ns from the first one's begin to the last one's end
//   lk_sleep(ns)
//   bench_now, bench_count, bench_result_as, bench_value, bench_check      as in bench.h or
//   peers/peer.h
//
// So what is compared is the same code, inlined alike. Includes nothing that a peer has not. What a
// lock guards begins a line with it: it mostly lies on a stack, whose owner must not write beside
// it.
#ifndef BURROW_BENCH_LOCKS_MUTEX_H
#define BURROW_BENCH_LOCKS_MUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LK_STEP UINT64_C(6364136223846793005)
#define LK_ADD  UINT64_C(1442695040888963407)

// n steps of arithmetic, each of which needs the one before: what the compiler does not know it
// cannot put together with the next step.
__attribute__((noinline)) static uint64_t lk_spin(int64_t n, uint64_t x) {
  for (int64_t i = 0; i < n; i++) {
    x = x * LK_STEP + LK_ADD;
    __asm__("" : "+r"(x));
  }
  return x;
}

// What lk_spin(n, 0) gives, without the way there: the step applied to itself again and again.
static uint64_t lk_spun(int64_t n) {
  uint64_t step = LK_STEP, add = LK_ADD, x = 0;
  for (; n > 0; n >>= 1) {
    if (n & 1) x = x * step + add;
    add = add * step + add;
    step *= step;
  }
  return x;
}

// ---- throughput ---------------------------------------------------------------------------------

typedef struct {
  _Alignas(64) lk_mutex mu;
  int64_t each, count; // count: under mu
  uint64_t shared;     // under mu
  atomic_uint_fast64_t sink;
} lk_busy;

static void lk_count(void *arg, int me) {
  (void)me;
  lk_busy *b = arg;
  for (int64_t i = 0, n = b->each; i < n; i++) {
    lk_lock(&b->mu);
    b->count++;
    lk_unlock(&b->mu);
  }
}

// `total` times in all: lock, add one, unlock; by `g` at once. op = one lock and unlock.
static inline void lk_mutex_g(const char *name, int g, int64_t total) {
  lk_busy b = {.mu = LK_MUTEX, .each = bench_count(total / g)};
  int64_t ns = lk_crew(g, lk_count, &b);
  bench_check(b.count == g * b.each, name);
  bench_result_as(name, b.count, ns);
}

static void lk_work(void *arg, int me) {
  lk_busy *b = arg;
  uint64_t own = (uint64_t)me;
  for (int64_t i = 0, n = b->each; i < n; i++) {
    lk_lock(&b->mu);
    b->shared = lk_spin(50, b->shared);
    lk_unlock(&b->mu);
    own = lk_spin(50, own);
  }
  b->sink ^= own;
}

// The same with 50 steps of arithmetic in the section and 50 outside of it.
static inline void lk_mutex_work50(const char *name, int g, int64_t total) {
  lk_busy b = {.mu = LK_MUTEX, .each = bench_count(total / g)};
  int64_t ns = lk_crew(g, lk_work, &b);
  bench_check(b.shared == lk_spun(50 * (g * b.each)), name);
  bench_result_as(name, g * b.each, ns);
}

// ---- fairness -----------------------------------------------------------------------------------

enum { LK_MOST = 16, LK_HOLD_NS = 20000, LK_HOG_NS = 100000 };

typedef struct {
  _Alignas(64) lk_mutex mu;
  int64_t duration;
  atomic_int_fast64_t end; // of all: the first one's begin and the duration; 0 until then
  int64_t *waits, count, room;
  int64_t taken[LK_MOST]; // each its own
} lk_fair;

static void lk_hold_and_relock(void *arg, int me) {
  lk_fair *f = arg;
  int_fast64_t none = 0;
  atomic_compare_exchange_strong(&f->end, &none, bench_now() + f->duration);
  int64_t end = f->end, begin = bench_now();
  uint64_t x = (uint64_t)me;
  do {
    lk_lock(&f->mu);
    int64_t held = bench_now();
    bench_check(f->count < f->room, "more acquisitions than there is time for");
    f->waits[f->count++] = held - begin;
    f->taken[me]++;
    do x = lk_spin(10, x);
    while (bench_now() - held < LK_HOLD_NS);
    lk_unlock(&f->mu);
    begin = bench_now();
  } while (begin < end);
}

static int lk_ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void lk_put(const char *name, const char *what, double value, const char *unit) {
  char text[80];
  snprintf(text, sizeof text, "%s_%s", name, what);
  bench_value(text, value, unit);
}

// For two seconds `g` at once lock, hold for 20 us, and lock again. How long they waited, how often
// it was had, and the least over the most that one of them had it.
static inline void lk_mutex_fair(const char *name, int g) {
  lk_fair f = {.mu = LK_MUTEX, .duration = bench_count(2000) * 1000000};
  f.room =
      f.duration / LK_HOLD_NS + INT64_C(2) * LK_MOST; // each may have one that ends after the end
  f.waits = malloc((size_t)f.room * sizeof *f.waits);
  bench_check(f.waits != NULL, "no memory");
  lk_crew(g, lk_hold_and_relock, &f);
  int64_t n = f.count, sum = 0, least = n, most = 0;
  for (int i = 0; i < g; i++) {
    sum += f.taken[i];
    if (f.taken[i] < least) least = f.taken[i];
    if (f.taken[i] > most) most = f.taken[i];
  }
  bench_check(sum == n && least > 0, name);
  qsort(f.waits, (size_t)n, sizeof *f.waits, lk_ascending);
  int64_t p99 = n * 99 / 100, p50 = n / 2;
  lk_put(name, "max_wait", (double)f.waits[n - 1] / 1000, "us");
  lk_put(name, "p99_wait", (double)f.waits[p99] / 1000, "us");
  lk_put(name, "p50_wait", (double)f.waits[p50] / 1000, "us");
  lk_put(name, "acq_total", (double)n, "acquisitions");
  lk_put(name, "acq_min_over_max", (double)least / (double)most, "ratio");
  free(f.waits);
}

typedef struct {
  _Alignas(64) lk_mutex mu;
  int64_t duration, longest, sum, count; // of the victim
  atomic_bool done;
} lk_hogged;

static void lk_hog_or_victim(void *arg, int me) {
  lk_hogged *h = arg;
  if (me == 0) {
    while (!h->done) {
      lk_lock(&h->mu);
      for (int64_t held = bench_now(); bench_now() - held < LK_HOG_NS;)
        ;
      lk_unlock(&h->mu);
    }
    return;
  }
  int64_t end = bench_now() + h->duration;
  do {
    lk_sleep(LK_HOG_NS);
    int64_t begin = bench_now();
    lk_lock(&h->mu);
    int64_t wait = bench_now() - begin;
    lk_unlock(&h->mu);
    if (wait > h->longest) h->longest = wait;
    h->sum += wait;
    h->count++;
  } while (bench_now() < end);
  h->done = true;
}

// For two seconds one holds the mutex for 100 us and takes it again at once, the other sleeps for
// 100 us between its turns: how long that one waits, and how many turns it had.
static inline void lk_mutex_hog(const char *name) {
  lk_hogged h = {.mu = LK_MUTEX, .duration = bench_count(2000) * 1000000};
  lk_crew(2, lk_hog_or_victim, &h);
  lk_put(name, "max_wait", (double)h.longest / 1000, "us");
  lk_put(name, "mean_wait", (double)h.sum / (double)h.count / 1000, "us");
  lk_put(name, "acq", (double)h.count, "acquisitions");
}

#endif
