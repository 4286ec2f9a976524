// The loops of the readers-writer mutexes' benchmarks, as mutex.h has them for mutexes. Beside what
// that asks for:
//
//   lk_rwmutex, LK_RWMUTEX    one, and its initialiser
//   lk_rlock(m), lk_runlock(m), lk_wlock(m), lk_wunlock(m)
#ifndef BURROW_BENCH_LOCKS_RWMUTEX_H
#define BURROW_BENCH_LOCKS_RWMUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  _Alignas(64) lk_rwmutex mu;
  int64_t each;
  int64_t writes_one_in;       // 0: none
  _Alignas(128) int64_t value; // under mu; in a line of its own, as Go's is
  atomic_int_fast64_t read;
} lk_shared;

static void lk_read_only(void *arg, int me) {
  (void)me;
  lk_shared *s = arg;
  for (int64_t i = 0, n = s->each; i < n; i++) {
    lk_rlock(&s->mu);
    lk_runlock(&s->mu);
  }
}

static void lk_write_only(void *arg, int me) {
  (void)me;
  lk_shared *s = arg;
  for (int64_t i = 0, n = s->each; i < n; i++) {
    lk_wlock(&s->mu);
    lk_wunlock(&s->mu);
  }
}

static void lk_read_and_write(void *arg, int me) {
  (void)me;
  lk_shared *s = arg;
  int64_t sum = 0, one_in = s->writes_one_in;
  for (int64_t i = 0, n = s->each; i < n; i++) {
    if (one_in > 0 && i % one_in == 0) {
      lk_wlock(&s->mu);
      s->value++;
      lk_wunlock(&s->mu);
    } else {
      lk_rlock(&s->mu);
      sum += s->value;
      lk_runlock(&s->mu);
    }
  }
  s->read += sum;
}

// `n` times lock and unlock, by one alone, to read or to write; op = one lock and unlock.
static inline void lk_rwmutex_uncont(const char *name, bool write, int64_t n) {
  lk_shared s = {.mu = LK_RWMUTEX, .each = bench_count(n)};
  bench_result_as(name, s.each, lk_crew(1, write ? lk_write_only : lk_read_only, &s));
}

// Four at once, `each` times: one time in `one_in` lock to write, else to read; 0: never to write.
// op = one lock and unlock.
static inline void lk_rwmutex_g4(const char *name, int64_t each, int64_t one_in) {
  lk_shared s = {.mu = LK_RWMUTEX, .each = bench_count(each), .writes_one_in = one_in};
  int64_t ns = lk_crew(4, lk_read_and_write, &s);
  bench_check(s.value == (one_in ? 4 * ((s.each + one_in - 1) / one_in) : 0), name);
  bench_result_as(name, 4 * s.each, ns);
}

#endif
