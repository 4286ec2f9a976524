// The library's mutex between plain threads; beside it the least that a mutex between two threads
// can be, one word and the futex. The number of Ps says nothing here.
#include "locks/burrow.h"

typedef bw_mutex lk_mutex;
#define LK_MUTEX                                                                                   \
  { 0 }
#define lk_lock   bw_mutex_lock
#define lk_unlock bw_mutex_unlock
#define lk_crew   lk_plain_threads
#define lk_sleep  lk_thread_sleep

#include "locks/mutex.h"

#define THREADS_BENCH(fn, ...)                                                                     \
  BENCH(fn) {                                                                                      \
    if (!lk_no_threads()) __VA_ARGS__;                                                             \
  }

THREADS_BENCH(thread_mutex_g1, lk_mutex_g("thread_mutex_g1", 1, 50000000))
THREADS_BENCH(thread_mutex_g2, lk_mutex_g("thread_mutex_g2", 2, 10000000))
THREADS_BENCH(thread_mutex_g16, lk_mutex_g("thread_mutex_g16", 16, 10000000))
THREADS_BENCH(thread_mutex_work50_g2, lk_mutex_work50("thread_mutex_work50_g2", 2, 5000000))
THREADS_BENCH(thread_mutex_fair20us_g16, lk_mutex_fair("thread_mutex_fair20us_g16", 16))
THREADS_BENCH(thread_mutex_hog, lk_mutex_hog("thread_mutex_hog"))

// ---- beside a bare word -------------------------------------------------------------------------

enum { FREE, TAKEN, AWAITED }; // AWAITED: taken, and somebody may sleep

static void bare_lock(_Atomic(uint32_t) *word) {
  uint32_t seen = FREE;
  if (atomic_compare_exchange_strong(word, &seen, TAKEN)) return;
  while (atomic_exchange(word, AWAITED) != FREE) bw__port_futex_wait(word, AWAITED, -1);
}

static void bare_unlock(_Atomic(uint32_t) *word) {
  if (atomic_exchange(word, FREE) == AWAITED) bw__port_futex_wake(word, 1);
}

typedef struct {
  _Atomic(uint32_t) word;
  int64_t each, count; // count: under word
} bare;

static void count_bare(void *arg, int me) {
  (void)me;
  bare *b = arg;
  for (int64_t i = 0, n = b->each; i < n; i++) {
    bare_lock(&b->word);
    b->count++;
    bare_unlock(&b->word);
  }
}

// Two threads lock, add one and unlock, 10,000,000 times in all with each of the two mutexes, in
// ten turns; op = one lock and unlock. `thread_mutex_ratio`: the library's to the bare one.
BENCH(thread_mutex) {
  enum { TURNS = 10 };
  if (lk_no_threads()) return;
  int64_t each = bench_count(10000000 / 2 / TURNS), bare_ns = 0, ns = 0;
  for (int i = 0; i < TURNS; i++) {
    bare b = {.each = each};
    bare_ns += lk_plain_threads(2, count_bare, &b);
    lk_busy l = {.mu = LK_MUTEX, .each = each};
    ns += lk_plain_threads(2, lk_count, &l);
    bench_check(b.count == 2 * each && l.count == 2 * each, "thread_mutex");
  }
  bench_result_as("thread_mutex_futex", 2 * each * TURNS, bare_ns);
  bench_result_as("thread_mutex_bw", 2 * each * TURNS, ns);
  bench_value("thread_mutex_ratio", (double)ns / (double)bare_ns, "times");
}
