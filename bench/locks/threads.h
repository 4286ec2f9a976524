// A crew of plain threads, for mutex.h and its kin: lk_threads runs it, lk_thread_sleep is its
// sleep.
#ifndef BURROW_BENCH_LOCKS_THREADS_H
#define BURROW_BENCH_LOCKS_THREADS_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { LK_THREADS_MOST = 100 };

typedef struct lk_thread {
  struct lk_thread_crew *crew;
  pthread_t id;
  int me;
  int64_t begin, end;
} lk_thread;

typedef struct lk_thread_crew {
  void (*work)(void *arg, int me);
  void *arg;
  pthread_barrier_t ready; // they begin together: on wasm a thread takes some 20 ms to come up
  lk_thread threads[LK_THREADS_MOST];
} lk_thread_crew;

static void *lk_thread_main(void *arg) {
  lk_thread *t = arg;
  pthread_barrier_wait(&t->crew->ready);
  t->begin = bench_now();
  t->crew->work(t->crew->arg, t->me);
  t->end = bench_now();
  return NULL;
}

// lk_crew by threads. Not on a goroutine: blocks the thread.
static inline int64_t lk_threads(int n, void (*work)(void *arg, int me), void *arg) {
  static lk_thread_crew crew; // one at a time
  crew.work = work;
  crew.arg = arg;
  bench_check(n <= LK_THREADS_MOST && pthread_barrier_init(&crew.ready, NULL, (unsigned)n) == 0,
              "a barrier for threads");
  for (int i = 0; i < n; i++) {
    crew.threads[i] = (lk_thread){.crew = &crew, .me = i};
    bench_check(pthread_create(&crew.threads[i].id, NULL, lk_thread_main, &crew.threads[i]) == 0,
                "no thread");
  }
  int64_t begin = INT64_MAX, end = 0;
  for (int i = 0; i < n; i++) {
    pthread_join(crew.threads[i].id, NULL);
    if (crew.threads[i].begin < begin) begin = crew.threads[i].begin;
    if (crew.threads[i].end > end) end = crew.threads[i].end;
  }
  pthread_barrier_destroy(&crew.ready);
  return end - begin;
}

static inline void lk_thread_sleep(int64_t ns) {
  nanosleep(&(struct timespec){ns / 1000000000, (long)(ns % 1000000000)}, NULL);
}

#endif
