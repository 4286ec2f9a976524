// Condition variables on several Ps: who is woken by a broadcast while the mutex is locked waits on
// in the mutex's queue.
#include "sync_util.h"

#include "sync/cond.h"

#include <burrow/sync.h>

enum { MANY = 20 };

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  bw__cancel_source cancel;
  int64_t deadline;             // of those with one
  int have, ended, codes[MANY]; // under mu
  bool go;
  section inside;
  bw_waitgroup all;
} crowd;

static void crowd_init(crowd *c) {
  *c = (crowd){.deadline = BW_SEMA_NO_DEADLINE};
  c->cond = (bw_cond)BW_COND(&c->mu);
  bw__cancel_init(&c->cancel);
}

// A third of them with a deadline, a third with what may cancel them.
static int wait_once(crowd *c, int me) {
  if (me % 3 == 1 && c->deadline != BW_SEMA_NO_DEADLINE)
    return bw__cond_wait_with(&c->cond, c->deadline, NULL);
  if (me % 3 == 2) return bw__cond_wait_with(&c->cond, BW_SEMA_NO_DEADLINE, &c->cancel);
  bw_cond_wait(&c->cond);
  return 0;
}

static void come_and_wait(void *arg) {
  crowd *c = arg;
  bw_mutex_lock(&c->mu);
  int me = c->have++;
  while (!c->go) c->codes[me] = wait_once(c, me);
  section_write(&c->inside);
  c->ended++;
  bw_mutex_unlock(&c->mu);
}

static void until_all_wait(crowd *c, uint32_t n) {
  while (bw__load((_Atomic(uint32_t) *)&c->cond.wait) -
             bw__load((_Atomic(uint32_t) *)&c->cond.notify) !=
         n)
    bw_gosched();
}

// They stand in the mutex's queue right after the broadcast: nobody has run for it. Then what would
// have ended their waits comes too late.
static int moved(void *arg) {
  (void)arg;
  crowd c;
  crowd_init(&c);
  c.deadline = bw_now() + 3600 * BW_SECOND;
  for (int i = 0; i < MANY; i++) CHECK_EQ(bw_waitgroup_go(&c.all, come_and_wait, &c), 0);
  until_all_wait(&c, MANY);
  bw_mutex_lock(&c.mu);
  c.go = true;
  bw_cond_broadcast(&c.cond);
  CHECK_EQ(bw__sema_waiting(), MANY);
  CHECK_EQ(c.mu.state >> 3, MANY);
  CHECK(bw__cancel_fire(&c.cancel));
  CHECK_EQ(bw__sema_waiting(), MANY);
  CHECK_EQ(c.ended, 0);
  bw_mutex_unlock(&c.mu);
  bw_waitgroup_wait(&c.all);
  CHECK_EQ(c.ended, MANY);
  for (int i = 0; i < MANY; i++) CHECK_EQ(c.codes[i], 0);
  CHECK_EQ(c.mu.state, 0);
  sync_check_empty();
  return 0;
}
THREADS_TEST(cond_b108_broadcast_moves_to_the_mutex) { test_run(moved, NULL, 2); }

// Nobody is moved to a mutex that is not locked: they are readied.
static int not_moved(void *arg) {
  (void)arg;
  crowd c;
  crowd_init(&c);
  for (int i = 0; i < MANY; i++) CHECK_EQ(bw_waitgroup_go(&c.all, come_and_wait, &c), 0);
  until_all_wait(&c, MANY);
  bw_mutex_lock(&c.mu);
  c.go = true;
  bw_mutex_unlock(&c.mu);
  bw_cond_broadcast(&c.cond);
  bw_waitgroup_wait(&c.all);
  CHECK_EQ(c.ended, MANY);
  sync_check_empty();
  return 0;
}
THREADS_TEST(cond_b108_broadcast_with_the_mutex_free) { test_run(not_moved, NULL, 2); }

// A deadline that passes while they wait for the mutex is not theirs any more.
static int late_deadline(void *arg) {
  (void)arg;
  for (int tries = 0; tries < 20; tries++) {
    crowd c;
    crowd_init(&c);
    c.deadline = bw_now() + 20 * BW_MILLISECOND;
    for (int i = 0; i < 6; i++) CHECK_EQ(bw_waitgroup_go(&c.all, come_and_wait, &c), 0);
    bool moves = false;
    while (!moves && bw_now() < c.deadline) { // else it came too early: once more
      bw_mutex_lock(&c.mu);
      moves = c.cond.wait - c.cond.notify == 6;
      if (!moves) bw_mutex_unlock(&c.mu);
      if (!moves) bw_gosched();
    }
    if (!moves) bw_mutex_lock(&c.mu);
    c.go = true;
    bw_cond_broadcast(&c.cond);
    moves = moves && bw__sema_waiting() == 6;
    while (moves && bw_now() <= c.deadline + BW_MILLISECOND) bw_gosched();
    bw_mutex_unlock(&c.mu);
    bw_waitgroup_wait(&c.all);
    CHECK_EQ(c.ended, 6);
    sync_check_empty();
    if (!moves) continue;
    for (int i = 0; i < 6; i++) CHECK_EQ(c.codes[i], 0);
    return 0;
  }
  CHECK(false);
  return 0;
}
THREADS_TEST(cond_deadline_after_the_move) { test_run(late_deadline, NULL, 2); }

// Plain threads are moved as well.
static int threads_moved(void *arg) {
  enum { THREADS = 3 };
  (void)arg;
  crowd c;
  chan_thread threads[THREADS];
  crowd_init(&c);
  for (int i = 0; i < THREADS; i++) chan_thread_start(&threads[i], come_and_wait, &c);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(bw_waitgroup_go(&c.all, come_and_wait, &c), 0);
  until_all_wait(&c, 2 * THREADS);
  bw_mutex_lock(&c.mu);
  c.go = true;
  bw_cond_broadcast(&c.cond);
  CHECK_EQ(bw__sema_waiting(), 2 * THREADS);
  bw_mutex_unlock(&c.mu);
  bw_waitgroup_wait(&c.all);
  for (int i = 0; i < THREADS; i++) chan_thread_join(&threads[i]);
  CHECK_EQ(c.ended, 2 * THREADS);
  sync_check_empty();
  return 0;
}
THREADS_TEST(cond_broadcast_moves_threads) { test_run(threads_moved, NULL, 2); }

// The run ends while they are in the mutex's queue: nobody may be left there.
static crowd left; // outlives the run

static int leave_them(void *arg) {
  (void)arg;
  for (int i = 0; i < MANY; i++) CHECK_EQ(bw_go(come_and_wait, &left), 0);
  until_all_wait(&left, MANY);
  bw_mutex_lock(&left.mu);
  left.go = true;
  bw_cond_broadcast(&left.cond);
  CHECK_EQ(bw__sema_waiting(), MANY);
  return 0;
}
THREADS_TEST(cond_run_ends_after_the_move) {
  crowd_init(&left);
  test_run(leave_them, NULL, 2);
  sync_check_empty();
  CHECK_EQ(left.ended, 0);
}

// Barriers on several Ps, one after the other, the mutex locked again by others all the time.
typedef struct {
  bw_mutex mu;
  bw_cond cond;
  int n, rounds, arrived, generation; // under mu
  section inside;
  bw_waitgroup all;
} barrier;

static void meet(void *arg) {
  barrier *b = arg;
  for (int i = 0; i < b->rounds; i++) {
    bw_mutex_lock(&b->mu);
    section_write(&b->inside);
    int mine = b->generation;
    if (++b->arrived == b->n) {
      b->arrived = 0;
      b->generation++;
      bw_cond_broadcast(&b->cond);
    }
    while (b->generation == mine) bw_cond_wait(&b->cond);
    bw_mutex_unlock(&b->mu);
  }
}

static int meetings(void *arg) {
  (void)arg;
  barrier b = {.n = 50, .rounds = test_is_slow_build() ? 50 : 1000};
  b.cond = (bw_cond)BW_COND(&b.mu);
  for (int i = 0; i < b.n; i++) CHECK_EQ(bw_waitgroup_go(&b.all, meet, &b), 0);
  bw_waitgroup_wait(&b.all);
  CHECK_EQ(b.generation, b.rounds);
  CHECK_EQ(b.inside.plain, (int64_t)b.n * b.rounds);
  sync_check_empty();
  return 0;
}
THREADS_TEST(cond_b108_barrier_on_four_ps) { test_run(meetings, NULL, 4); }
