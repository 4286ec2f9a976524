// The loops of the condition variables' benchmarks, as mutex.h has them for mutexes. Beside what
// that asks for:
//
//   lk_cond, LK_COND(m)       one that goes with the mutex at m, and its initialiser
//   lk_wait(c, m), lk_signal(c), lk_broadcast(c)
//
// Signals are given with the mutex held.
#ifndef BURROW_BENCH_LOCKS_COND_H
#define BURROW_BENCH_LOCKS_COND_H

#include <stdint.h>

typedef struct {
  _Alignas(64) lk_mutex mu;
  lk_cond changed;
  int64_t each, crew;
  int64_t turn, generation, arrived; // under mu
} lk_meeting;

static void lk_pass_turn(void *arg, int me) {
  lk_meeting *m = arg;
  lk_lock(&m->mu);
  for (int64_t i = 0; i < m->each; i++) {
    while (m->turn != me) lk_wait(&m->changed, &m->mu);
    m->turn = 1 - me;
    lk_signal(&m->changed);
  }
  lk_unlock(&m->mu);
}

// Two pass a turn to and fro, 1,000,000 times each; op = one round trip.
static inline void lk_cond_pingpong(const char *name) {
  lk_meeting m = {.mu = LK_MUTEX, .each = bench_count(1000000)};
  m.changed = (lk_cond)LK_COND(&m.mu);
  int64_t ns = lk_crew(2, lk_pass_turn, &m);
  bench_check(m.turn == 0, name);
  bench_result_as(name, m.each, ns);
}

static void lk_meet(void *arg, int me) {
  (void)me;
  lk_meeting *m = arg;
  lk_lock(&m->mu);
  for (int64_t i = 0; i < m->each; i++) {
    int64_t mine = m->generation;
    if (++m->arrived < m->crew) {
      while (m->generation == mine) lk_wait(&m->changed, &m->mu);
    } else {
      m->arrived = 0;
      m->generation++;
      lk_broadcast(&m->changed);
    }
  }
  lk_unlock(&m->mu);
}

// 100 meet, 5000 times: the last to come wakes the others by one broadcast; op = one that comes.
static inline void lk_cond_barrier100(const char *name) {
  lk_meeting m = {.mu = LK_MUTEX, .each = bench_count(5000), .crew = 100};
  m.changed = (lk_cond)LK_COND(&m.mu);
  int64_t ns = lk_crew((int)m.crew, lk_meet, &m);
  bench_check(m.generation == m.each && m.arrived == 0, name);
  bench_result_as(name, m.crew * m.each, ns);
}

#endif
