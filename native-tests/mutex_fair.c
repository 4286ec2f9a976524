// Who waits for a mutex gets it: behaviour 99, and the two modes.
#include "sync_util.h"

#include "sync/mutex.h"

// ---- a hog --------------------------------------------------------------------------------------

typedef struct {
  bw_mutex mu;
  atomic_bool stop;
  group g;
} hogged;

// Holds the mutex nearly all the time.
static void hog(void *arg) {
  hogged *h = arg;
  while (!atomic_load(&h->stop)) {
    bw_mutex_lock(&h->mu);
    bw_sleep(100 * BW_MICROSECOND);
    bw_mutex_unlock(&h->mu);
  }
  group_done(&h->g);
}

static int fairness(void *arg) {
  (void)arg;
  hogged h = {0};
  group_init(&h.g, 1);
  CHECK_EQ(bw_go(hog, &h), 0);
  int64_t deadline = SOON(10 * BW_SECOND);
  for (int i = 0; i < 10; i++) {
    bw_sleep(100 * BW_MICROSECOND);
    CHECK_EQ(bw_mutex_lock_until(&h.mu, deadline), 0);
    bw_mutex_unlock(&h.mu);
  }
  atomic_store(&h.stop, true);
  group_wait(&h.g);
  CHECK_EQ(h.mu.state, 0);
  sync_check_empty();
  return 0;
}
TEST(mutex_b99_fairness) { test_run(fairness, NULL, 1); }
THREADS_TEST(mutex_b99_fairness_on_two_procs) { test_run(fairness, NULL, 2); }

// ---- the modes ----------------------------------------------------------------------------------

// A hog that never lets the mutex be free for a moment in which another could run: only starvation
// mode helps who waits, and the counters say that it did and ended.
static int starvation(void *arg) {
  (void)arg;
  hogged h = {0};
  bw__mutex_starvations before = bw__mutex_starvations_read();
  group_init(&h.g, 1);
  CHECK_EQ(bw_go(hog, &h), 0);
  while (bw_mutex_trylock(&h.mu)) { // until the hog has it
    bw_mutex_unlock(&h.mu);
    bw_gosched();
  }
  int64_t deadline = SOON(20 * BW_SECOND);
  for (int64_t begun = 0; begun == 0;) {
    CHECK_EQ(bw_mutex_lock_until(&h.mu, deadline), 0);
    bw_mutex_unlock(&h.mu);
    begun = (int64_t)(bw__mutex_starvations_read().begun - before.begun);
  }
  atomic_store(&h.stop, true);
  group_wait(&h.g);
  bw__mutex_starvations after = bw__mutex_starvations_read();
  CHECK_EQ(after.begun - before.begun, after.ended - before.ended);
  CHECK(bw_mutex_trylock(&h.mu));
  return 0;
}
TEST(mutex_starvation_begins_and_ends) { test_run(starvation, NULL, 1); }

// In starvation mode nobody gets the mutex past those who wait, and they get it in turn.
typedef struct {
  bw_mutex mu;
  int order[8], n;
  group g;
} queued;

static void queue_up(void *arg) {
  struct {
    queued *q;
    int number;
  } *a = arg;
  bw_mutex_lock(&a->q->mu);
  a->q->order[a->q->n++] = a->number;
  bw_mutex_unlock(&a->q->mu);
  group_done(&a->q->g);
}

static int in_turn(void *arg) {
  (void)arg;
  queued q = {0};
  struct {
    queued *q;
    int number;
  } a[8];
  group_init(&q.g, 8);
  bw_mutex_lock(&q.mu);
  for (int i = 0; i < 8; i++) {
    a[i].q = &q;
    a[i].number = i;
    bw_go_options copy = {.arg_size = sizeof a[i]};
    CHECK_EQ(bw_go_with(&copy, queue_up, &a[i]), 0);
    sync_until_waiting((uint32_t)i + 1);
  }
  bw_mutex_unlock(&q.mu);
  group_wait(&q.g);
  for (int i = 0; i < 8; i++) CHECK_EQ(q.order[i], i);
  return 0;
}
TEST(mutex_first_come_first_served) { test_run(in_turn, NULL, 1); }
