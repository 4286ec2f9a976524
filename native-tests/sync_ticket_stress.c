// Tickets against goroutines and threads that use the same locks, with cancels at any moment: what
// was got is counted, and must be what was done under the lock.
#include "ticket_util.h"

#include "base/rand.h"

enum { ACTORS = 6, TURNS = 2000 };

typedef struct {
  bw_mutex mu;
  bw_rwmutex rw;
  bw_cond filled;
  section inside;
  int64_t writes; // atomically, by those who got to write
  int items;      // under mu
  uint64_t seed;
  int next;
  group g;
} stress;

static int turns(void) { return test_is_slow_build() ? TURNS / 4 : TURNS; }

static void step_aside(bw__rand *rng) {
  for (uint32_t n = bw__rand_below(rng, 4); n > 0; n--) {
    if (bw_goid())
      bw_gosched();
    else
      bw__cpu_relax();
  }
}

static void wrote(stress *s) {
  section_write(&s->inside);
  __atomic_add_fetch(&s->writes, 1, __ATOMIC_RELAXED);
}

static bool may_cancel(bw__rand *rng) { return bw__rand_below(rng, 3) == 0; }

// ---- who uses the locks -------------------------------------------------------------------------

// It is the ticket's turn to try again: its owner may lock by itself.
static int try_again(stress *s, bw__rand *rng, mutex_call *c) {
  for (uint32_t looks = bw__rand_below(rng, 4); looks > 0; looks--) {
    if (bw_mutex_trylock(&s->mu)) {
      step_aside(rng);
      bw__mutex_taken_ticket(&c->t);
      return 0;
    }
    step_aside(rng);
  }
  return bw__mutex_resume_ticket(&c->t);
}

// 0 or BW_ECANCELED.
static int mutex_ticket(stress *s, bw__rand *rng) {
  mutex_call c;
  int code = mutex_call_begin(&c, &s->mu, bw__rand_below(rng, 2));
  while (code == BW_EAGAIN) {
    step_aside(rng);
    if (may_cancel(rng) && bw__mutex_cancel_ticket(&c.t)) return BW_ECANCELED;
    code = ticket_await(&c.end);
    if (code == BW_EAGAIN) code = try_again(s, rng, &c);
  }
  return code;
}

static void use_mutex(stress *s, bw__rand *rng, int who) {
  int code = 0;
  if (who % 3 == 0)
    bw_mutex_lock(&s->mu);
  else if (who % 3 == 1)
    code = bw_mutex_lock_until(&s->mu, SOON((int64_t)bw__rand_below(rng, 50000)));
  else
    code = mutex_ticket(s, rng);
  if (code != 0) return;
  wrote(s);
  step_aside(rng);
  if (who % 2)
    bw_mutex_unlock(&s->mu);
  else
    CHECK(bw__mutex_try_unlock(&s->mu, true));
}

static int rwmutex_ticket(stress *s, bw__rand *rng, bool writes) {
  rwmutex_call c;
  int code = rwmutex_call_begin(&c, &s->rw, writes);
  if (code != BW_EAGAIN) return code;
  step_aside(rng);
  if (may_cancel(rng) && bw__rwmutex_cancel_ticket(&c.t)) return BW_ECANCELED;
  return ticket_await(&c.end);
}

static void use_rwmutex(stress *s, bw__rand *rng, int who) {
  bool writes = bw__rand_below(rng, 3) == 0;
  int code = 0;
  if (who % 3 == 2)
    code = rwmutex_ticket(s, rng, writes);
  else if (who % 3 == 1 && writes)
    code = bw_rwmutex_lock_until(&s->rw, SOON((int64_t)bw__rand_below(rng, 50000)));
  else if (writes)
    bw_rwmutex_lock(&s->rw);
  else
    bw_rwmutex_rlock(&s->rw);
  if (code != 0) return;
  if (writes)
    wrote(s);
  else
    section_read(&s->inside);
  step_aside(rng);
  if (who % 2)
    CHECK(writes ? bw__rwmutex_try_unlock(&s->rw) : bw__rwmutex_try_runlock(&s->rw));
  else if (writes)
    bw_rwmutex_unlock(&s->rw);
  else
    bw_rwmutex_runlock(&s->rw);
}

// With the mutex in any case; 0 or BW_ECANCELED.
static int cond_ticket(stress *s, bw__rand *rng) {
  cond_call c;
  CHECK_EQ(cond_call_begin(&c, &s->filled), BW_EAGAIN);
  step_aside(rng);
  if (may_cancel(rng)) bw__cond_cancel_ticket(&c.t);
  return ticket_await(&c.end);
}

// Even ones put an item there, odd ones take one or give up, which they do with a last look.
static void use_cond(stress *s, bw__rand *rng, int who) {
  bw_mutex_lock(&s->mu);
  if (who % 2 == 0) {
    s->items++;
    wrote(s);
    bw_cond_signal(&s->filled);
  } else {
    while (s->items == 0) {
      int code = who % 3 == 0 ? bw_cond_wait_until(&s->filled, SOON(100000)) : cond_ticket(s, rng);
      if (code != 0 && s->items == 0) {
        bw_mutex_unlock(&s->mu);
        return;
      }
    }
    s->items--;
    wrote(s);
  }
  bw_mutex_unlock(&s->mu);
}

// ---- the tests ----------------------------------------------------------------------------------

typedef void (*user)(stress *s, bw__rand *rng, int who);

typedef struct {
  stress *s;
  user use;
  int who;
} actor;

static void act(void *arg) {
  actor *a = arg;
  bw__rand rng = {a->s->seed + (uint64_t)a->who};
  for (int i = 0; i < turns(); i++) a->use(a->s, &rng, a->who);
  group_done(&a->s->g);
}

static void run(user use, int threads) {
  stress s = {.filled = BW_COND(&s.mu), .seed = chan_seed()};
  actor actors[2 * ACTORS];
  chan_thread on[2 * ACTORS];
  group_init(&s.g, ACTORS + threads);
  for (int i = 0; i < ACTORS + threads; i++) {
    actors[i] = (actor){&s, use, i};
    if (i < ACTORS)
      CHECK_EQ(bw_go(act, &actors[i]), 0);
    else
      chan_thread_start(&on[i], act, &actors[i]);
  }
  if (use == use_cond) { // whoever still waits when all items are there
    while (atomic_load(&s.g.left) > 0) {
      bw_mutex_lock(&s.mu);
      s.items++;
      bw_mutex_unlock(&s.mu);
      bw_cond_broadcast(&s.filled);
      bw_gosched();
    }
  }
  group_wait(&s.g);
  for (int i = ACTORS; i < ACTORS + threads; i++) chan_thread_join(&on[i]);
  CHECK_EQ(s.inside.plain, s.writes);
  CHECK(s.mu.state == 0 && s.mu.sema == 0);
  CHECK(s.rw.word == 0 && s.rw.writers.state == 0 && s.rw.reader_sema == 0 &&
        s.rw.writer_sema == 0);
  sync_check_empty();
}

static int all(void *threads) {
  run(use_mutex, *(int *)threads);
  run(use_rwmutex, *(int *)threads);
  run(use_cond, *(int *)threads);
  return 0;
}

TEST(sync_ticket_stress_one_proc) {
  int threads = 0;
  test_run(all, &threads, 1);
}

THREADS_TEST(sync_ticket_stress_with_threads) {
  int threads = 3;
  test_run(all, &threads, 2);
}

// ---- wait groups and semaphores -----------------------------------------------------------------

typedef struct {
  bw_waitgroup wg;
  bw_sema sema;
  atomic_int got;
  group g;
} rounds;

static void done_later(void *arg) {
  rounds *r = arg;
  bw_gosched();
  CHECK_EQ(bw__waitgroup_try_add(&r->wg, -1), 0);
  bw_sema_release(&r->sema, 1);
  group_done(&r->g);
}

static void sema_ends(bw__waiter *w) {
  (void)w;
  abort();
}

// In each round two are counted, and are waited for by a ticket, which may be cancelled.
static int in_rounds(void *arg) {
  (void)arg;
  static rounds r;
  bw__rand rng = {chan_seed()};
  bw__sema_waiter never;
  bw__sema_ticket_init(&never, bw__sema_word(&r.sema.permits), sema_ends);
  for (int i = 0; i < turns(); i++) {
    group_init(&r.g, 2);
    CHECK_EQ(bw__waitgroup_try_add(&r.wg, 2), 0);
    for (int k = 0; k < 2; k++) CHECK_EQ(bw_go(done_later, &r), 0);
    waitgroup_call c;
    int code = waitgroup_call_begin(&c, &r.wg);
    step_aside(&rng);
    bool gone = code == BW_EAGAIN && may_cancel(&rng) && bw__waitgroup_cancel_ticket(&c.t);
    if (code == BW_EAGAIN && !gone) CHECK_EQ(ticket_await(&c.end), 0);
    if (!gone) CHECK_EQ(r.wg.state, 0);
    group_wait(&r.g);
    CHECK(r.wg.state == 0 && r.wg.sema == 0);
    for (int k = 0; k < 2; k++) CHECK_EQ(bw__sema_acquire_ticket(&never, BW_SEMA_FIFO), 0);
    CHECK_EQ(r.sema.permits, 0);
  }
  sync_check_empty();
  return 0;
}
TEST(sync_ticket_waitgroup_rounds) { test_run(in_rounds, NULL, 1); }
THREADS_TEST(sync_ticket_waitgroup_rounds_on_two_procs) { test_run(in_rounds, NULL, 2); }
