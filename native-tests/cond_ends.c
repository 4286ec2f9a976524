// Condition variables: waits with an end, other lockers, plain threads, and what is left behind.
#include "chan_util.h"
#include "panic_util.h"

#include "base/rand.h"
#include "sync/cond.h"

// ---- deadlines ----------------------------------------------------------------------------------

static int until(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_cond c = BW_COND(&mu);
  bw_mutex_lock(&mu);
  CHECK_EQ(bw_cond_wait_until(&c, -1), BW_ETIMEDOUT);
  CHECK(!bw_mutex_trylock(&mu));
  int64_t end = bw_now() + 2 * BW_MILLISECOND;
  CHECK_EQ(bw_cond_wait_until(&c, end), BW_ETIMEDOUT);
  CHECK(bw_now() >= end);
  CHECK(!bw_mutex_trylock(&mu)); // it is locked again
  CHECK_EQ(c.wait, c.notify);
  bw_mutex_unlock(&mu);
  return 0;
}
TEST(cond_until) { test_run(until, NULL, 1); }
TEST(cond_until_without_runtime) { CHECK_EQ(until(NULL), 0); }

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  int code;
  int64_t deadline;
  bw__cancel_source *cancel;
  bw_waitgroup all;
} wait;

static void wait_with(void *arg) {
  wait *w = arg;
  bw_mutex_lock(&w->mu);
  if (w->deadline == BW_SEMA_NO_DEADLINE && !w->cancel) {
    bw_cond_wait(&w->cond);
    w->code = 0;
  } else {
    w->code = bw__cond_wait_with(&w->cond, w->deadline, w->cancel);
  }
  CHECK(!bw_mutex_trylock(&w->mu));
  bw_mutex_unlock(&w->mu);
}

// Who has given up, in the middle, has used up no signal: the others get them, in order.
static int gives_up(void *arg) {
  (void)arg;
  bw__cancel_source cancel;
  bw__cancel_init(&cancel);
  wait w = {.deadline = BW_SEMA_NO_DEADLINE};
  w.cond = (bw_cond)BW_COND(&w.mu);
  w.cond.wait = w.cond.notify = UINT32_MAX - 1;
  CHECK_EQ(bw_waitgroup_go(&w.all, wait_with, &w), 0);
  settle();
  w.cancel = &cancel; // of the next
  w.code = 1;
  CHECK_EQ(bw_waitgroup_go(&w.all, wait_with, &w), 0);
  settle();
  w.cancel = NULL;
  CHECK_EQ(w.cond.wait - w.cond.notify, 2);
  CHECK(bw__cancel_fire(&cancel));
  settle();
  CHECK_EQ(w.code, BW_ECANCELED);
  CHECK_EQ(w.cond.wait - w.cond.notify, 1);
  bw_cond_signal(&w.cond);
  bw_waitgroup_wait(&w.all);
  CHECK_EQ(w.code, 0);
  CHECK_EQ(w.cond.wait, w.cond.notify);
  bw_mutex_lock(&w.mu);
  CHECK_EQ(bw__cond_wait_with(&w.cond, BW_SEMA_NO_DEADLINE, &cancel), BW_ECANCELED); // at once
  bw_mutex_unlock(&w.mu);
  return 0;
}
TEST(cond_who_gives_up_uses_no_signal) { test_run(gives_up, NULL, 1); }

// ---- other lockers ------------------------------------------------------------------------------

typedef struct {
  bw_rwmutex rw;
  bw_cond cond;
  bool go_on;
  bw_waitgroup all;
  atomic_int waiting;
} readers;

static void read_and_wait(void *arg) {
  readers *r = arg;
  bw_rwmutex_rlock(&r->rw);
  atomic_fetch_add(&r->waiting, 1);
  while (!r->go_on) bw_cond_wait(&r->cond);
  bw_rwmutex_runlock(&r->rw);
}

static int with_rlocker(void *arg) {
  (void)arg;
  readers r = {.go_on = false};
  r.cond = (bw_cond)BW_COND_LOCKER(bw_rwmutex_rlocker(&r.rw));
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_waitgroup_go(&r.all, read_and_wait, &r), 0);
  while (atomic_load(&r.waiting) < 10) bw_gosched();
  bw_rwmutex_lock(&r.rw);
  r.go_on = true;
  bw_rwmutex_unlock(&r.rw);
  bw_cond_broadcast(&r.cond);
  bw_waitgroup_wait(&r.all);
  return 0;
}
TEST(cond_with_an_rwmutex) { test_run(with_rlocker, NULL, 0); }
TEST(cond_with_an_rwmutex_on_one_p) { test_run(with_rlocker, NULL, 1); }

// A locker whose unlock parks, and lets somebody signal meanwhile; and one whose unlock panics.
typedef struct {
  bw_mutex mu;
  bw_cond *cond;
  enum { PLAIN, SIGNALS, PANICS } unlock;
} strange;

static void strange_lock(void *arg) { bw_mutex_lock(&((strange *)arg)->mu); }

static void signal_it(void *cond) { bw_cond_signal(cond); }

static void strange_unlock(void *arg) {
  strange *s = arg;
  bw_mutex_unlock(&s->mu);
  if (s->unlock == PANICS) bw_panic("strange");
  if (s->unlock != SIGNALS) return;
  bw_waitgroup wg = {0};
  CHECK_EQ(bw_waitgroup_go(&wg, signal_it, s->cond), 0);
  bw_waitgroup_wait(&wg);
}

static void wait_on(void *cond) { bw_cond_wait(cond); }

static int strange_lockers(void *arg) {
  (void)arg;
  strange s = {.unlock = SIGNALS};
  bw_locker l = {strange_lock, strange_unlock, &s};
  bw_cond c = BW_COND_LOCKER(l);
  s.cond = &c;
  strange_lock(&s);
  bw_cond_wait(&c);
  CHECK_EQ(bw_cond_wait_until(&c, bw_now() + 3600 * BW_SECOND), 0);
  CHECK_EQ(c.wait, c.notify);
  s.unlock = PANICS;
  caught words;
  CHECK(panics(wait_on, &c, &words));
  CHECK_STR(words.text, "strange");
  CHECK_EQ(c.wait, c.notify); // nobody is left in the list
  s.unlock = PLAIN;
  strange_lock(&s);
  CHECK_EQ(bw_cond_wait_until(&c, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  strange_unlock(&s);
  return 0;
}
TEST(cond_with_a_strange_locker) { test_run(strange_lockers, NULL, 2); }
TEST(cond_with_a_strange_locker_on_one_p) { test_run(strange_lockers, NULL, 1); }

// ---- watched (locks.h) --------------------------------------------------------------------------

static uint32_t holders_of(const void *lock) {
  bw_lock_info all[8];
  size_t n = bw_locks_read(all, 8);
  for (size_t i = 0; i < n && i < 8; i++)
    if (all[i].lock == lock) return all[i].holders;
  return 0;
}

static void check_watched(bw_cond *c, bw_locker l, void (*fn)(void *), void *arg,
                          const void *lock) {
  bw_waitgroup wg = {0};
  CHECK_EQ(bw_waitgroup_go(&wg, fn, arg), 0);
  settle();
  CHECK_EQ(c->wait - c->notify, 1);
  CHECK_EQ(holders_of(lock), 0); // who waits does not hold it
  bw_locker_lock(l);
  CHECK_EQ(holders_of(lock), 1);
  bw_cond_signal(c);
  bw_locker_unlock(l);
  bw_waitgroup_wait(&wg);
  CHECK_EQ(holders_of(lock), 0);
}

static void wait_locked(void *arg) {
  wait *w = arg;
  bw_mutex_lock(&w->mu);
  bw_cond_wait(&w->cond);
  CHECK_EQ(holders_of(&w->mu), 1);
  bw_mutex_unlock(&w->mu);
}

static void wait_read_locked(void *arg) {
  readers *r = arg;
  bw_rwmutex_rlock(&r->rw);
  bw_cond_wait(&r->cond);
  CHECK_EQ(holders_of(&r->rw), 1);
  bw_rwmutex_runlock(&r->rw);
}

static int watched(void *arg) {
  (void)arg;
  wait w = {.code = 0};
  w.cond = (bw_cond)BW_COND(&w.mu);
  readers r = {.go_on = false};
  r.cond = (bw_cond)BW_COND_LOCKER(bw_rwmutex_rlocker(&r.rw));
  bw_locks_watch(true);
  check_watched(&w.cond, bw_mutex_locker(&w.mu), wait_locked, &w, &w.mu);
  check_watched(&r.cond, bw_rwmutex_rlocker(&r.rw), wait_read_locked, &r, &r.rw);
  bw_locks_watch(false);
  bw_lock_forget(&w.mu);
  bw_lock_forget(&r.rw);
  return 0;
}
TEST(cond_tells_the_watch_of_locks) { test_run(watched, NULL, 1); }

// ---- the end of a run ---------------------------------------------------------------------------

static wait left_behind;
static bw__cancel_source left_source;

static int leave_waiting(void *arg) {
  (void)arg;
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_go(wait_with, &left_behind), 0);
  settle();
  CHECK_EQ(left_behind.cond.wait - left_behind.cond.notify, 3);
  return 0;
}

static int use_again(void *arg) {
  (void)arg;
  bw_cond_broadcast(&left_behind.cond); // nobody
  CHECK_EQ(bw_waitgroup_go(&left_behind.all, wait_with, &left_behind), 0);
  settle();
  bw_cond_signal(&left_behind.cond);
  bw_waitgroup_wait(&left_behind.all);
  CHECK_EQ(left_behind.code, 0);
  return 0;
}

// Woken, and the run ends before it runs.
static int leave_woken(void *arg) {
  leave_waiting(arg);
  bw_cond_broadcast(&left_behind.cond);
  return 0;
}

static void end_and_use_again(int64_t deadline, bw__cancel_source *cancel) {
  left_behind = (wait){.deadline = deadline, .cancel = cancel};
  left_behind.cond = (bw_cond)BW_COND(&left_behind.mu);
  test_run(leave_waiting, NULL, 1);
  CHECK_EQ(left_behind.cond.wait, left_behind.cond.notify);
  test_run(use_again, NULL, 1);
}

TEST(cond_waiters_of_a_run_that_has_ended) {
  end_and_use_again(BW_SEMA_NO_DEADLINE, NULL);
  end_and_use_again(bw_now() + 3600 * BW_SECOND, NULL);
  bw__cancel_init(&left_source);
  end_and_use_again(BW_SEMA_NO_DEADLINE, &left_source);
  CHECK(bw__list_empty(&left_source.watches));
  test_run(leave_woken, NULL, 1);
  CHECK(bw__list_empty(&left_source.watches));
}

// ---- stress -------------------------------------------------------------------------------------

// Permits under a lock. Everybody who has waited takes one or has given up; each permit comes with
// one signal, or all of them with a broadcast: one that is lost leaves a permit untaken and
// somebody waiting for ever.
typedef struct {
  bw_mutex mu;
  bw_cond cond;
  bw_locker locker;
  int permits, taken, given; // under the lock
  bool over;                 // likewise
  bw_waitgroup all;
  uint64_t seed;
} market;

static bw__cancel_source *new_source(void) {
  bw__cancel_source *s = bw_malloc(sizeof *s);
  CHECK(s);
  bw__cancel_init(s);
  return s;
}

static void fire_later(void *source) {
  bw_gosched();
  bw__cancel_fire(source);
}

// One wait; `how` chooses its end.
static void wait_somehow(market *m, uint64_t how) {
  int64_t soon = bw_now() + (int64_t)(how >> 8) % 50 * BW_MICROSECOND;
  int code = 0;
  if (how % 4 == 0) {
    code = bw_cond_wait_until(&m->cond, soon);
    CHECK(code == 0 || code == BW_ETIMEDOUT);
  } else if (how % 4 == 1 && bw_goid() != 0) {
    bw_waitgroup wg = {0};
    bw__cancel_source *s = new_source();
    CHECK_EQ(bw_waitgroup_go(&wg, fire_later, s), 0);
    code = bw__cond_wait_with(&m->cond, how % 8 < 4 ? BW_SEMA_NO_DEADLINE : soon, s);
    CHECK(code == 0 || code == BW_ETIMEDOUT || code == BW_ECANCELED);
    bw_waitgroup_wait(&wg);
    bw_free(s);
  } else {
    bw_cond_wait(&m->cond);
  }
}

static void consume(void *arg) {
  market *m = arg;
  bw__rand r = {m->seed + bw_goid() + (uint64_t)(uintptr_t)&r};
  for (bool over = false; !over;) {
    bw_locker_lock(m->locker);
    while (m->permits == 0 && !m->over) wait_somehow(m, bw__rand_next(&r));
    if (m->permits > 0) {
      m->permits--;
      m->taken++;
    } else {
      over = true;
    }
    bw_locker_unlock(m->locker);
    if (bw__rand_next(&r) % 4 == 0) bw_gosched();
  }
}

static void produce(market *m, int64_t end) {
  bw__rand r = {m->seed};
  while (bw_now() < end) {
    int n = 1 + (int)(bw__rand_next(&r) % 3);
    bw_locker_lock(m->locker);
    m->permits += n;
    m->given += n;
    bw_locker_unlock(m->locker);
    if (bw__rand_next(&r) % 4 == 0)
      bw_cond_broadcast(&m->cond);
    else
      for (int i = 0; i < n; i++) bw_cond_signal(&m->cond);
    for (;; bw_gosched()) { // all of them are taken, without another signal
      bw_locker_lock(m->locker);
      bool none = m->permits == 0;
      bw_locker_unlock(m->locker);
      if (none) break;
    }
  }
}

static int stress(market *m, bool outside) {
  enum { CONSUMERS = 12, OUTSIDE = 2 };
  chan_thread threads[OUTSIDE];
  m->seed = chan_seed();
  for (int i = 0; i < CONSUMERS; i++) CHECK_EQ(bw_waitgroup_go(&m->all, consume, m), 0);
  for (int i = 0; outside && i < OUTSIDE; i++) chan_thread_start(&threads[i], consume, m);
  produce(m, bw_now() + test_stress_ns(1));
  bw_locker_lock(m->locker);
  m->over = true;
  bw_locker_unlock(m->locker);
  bw_cond_broadcast(&m->cond);
  bw_waitgroup_wait(&m->all);
  for (int i = 0; outside && i < OUTSIDE; i++) chan_thread_join(&threads[i]);
  CHECK_EQ(m->given, m->taken);
  CHECK_EQ(m->cond.wait, m->cond.notify);
  return 0;
}

static int stress_mutex(void *outside) {
  market m = {.permits = 0};
  m.locker = bw_mutex_locker(&m.mu);
  m.cond = (bw_cond)BW_COND(&m.mu);
  return stress(&m, outside != NULL);
}

static int stress_locker(void *outside) {
  market m = {.permits = 0};
  bw_rwmutex rw = {0};
  m.locker = bw_rwmutex_locker(&rw);
  m.cond = (bw_cond)BW_COND_LOCKER(m.locker);
  return stress(&m, outside != NULL);
}

TEST(cond_stress_mutex) { test_run(stress_mutex, NULL, 0); }
TEST(cond_stress_mutex_on_one_p) { test_run(stress_mutex, NULL, 1); }
TEST(cond_stress_locker) { test_run(stress_locker, NULL, 0); }
THREADS_TEST(cond_stress_mutex_with_threads) { test_run(stress_mutex, "", 3); }
THREADS_TEST(cond_stress_locker_with_threads) { test_run(stress_locker, "", 3); }
