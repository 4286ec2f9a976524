// Locks under contention, with waits that are given up, and exact accounting.
//
// Eight goroutines, and plain threads where there are any, lock one mutex, one read-write mutex and
// one semaphore, in all forms: plain, tries, deadlines so short that they pass while the lock is
// handed over, cancels by others at the same moment, and both. Inside they do nothing, yield,
// sleep, or stay for so long that mutexes go into starvation mode. Now and then one changes the
// number of Ps, is locked to its thread, or blocks that.
//
// Inside, everybody checks that it may be there. At the end everybody has come through (one that
// was not woken is a hang), what was counted inside is what was locked, all words are as they were
// at the beginning, as many starvation modes have ended as began, and nobody is in the table.
//
// Longer, or again: BURROW_STRESS_SECONDS=60 BURROW_STRESS_SEED=7 burrow-tests sync_stress_mix
#include "sync_util.h"

#include "base/rand.h"
#include "sync/rwmutex.h"
#include "sync/semaphore.h"

enum { ACTORS = 8, THREADS = 2, PROCS_MOST = 5, PERMITS = 3 };

typedef struct {
  bw__rand rng;
  bool special;      // a goroutine that may lock itself to its thread, or block that
  bw_spinlock guard; // of what others look at to cancel:
  bool listens;
  bw__cancel_source source;
} actor;

static struct {
  bw_mutex mu;
  bw_rwmutex rw;
  bw_sema sema;
  section in_mu, in_rw;
  atomic_int in_sema;
  atomic_llong locks, writes, reads, acquires, timeouts, cancels;
  actor actors[ACTORS + THREADS];
  int count; // of these
  _Atomic(bool) stop;
  atomic_int live;
} w;

static uint32_t below(actor *a, uint32_t n) { return bw__rand_below(&a->rng, n); }

// ---- limits of a wait ---------------------------------------------------------------------------

typedef struct {
  bool tries;
  int64_t deadline;
  bw__cancel_source *cancel;
} limits;

static limits limits_begin(actor *a) {
  uint32_t what = below(a, 8);
  limits l = {.tries = what == 0, .deadline = BW_SEMA_NO_DEADLINE};
  if (what >= 1 && what <= 4) l.deadline = SOON((int64_t)below(a, 60) * BW_MICROSECOND);
  if (what < 4 || what > 5) return l;
  l.cancel = &a->source;
  bw__cancel_init(&a->source);
  if (below(a, 16) == 0) bw__cancel_fire(&a->source);
  bw_spin_lock(&a->guard);
  a->listens = true;
  bw_spin_unlock(&a->guard);
  return l;
}

static void limits_end(actor *a, const limits *l, int code) {
  if (l->cancel) {
    bw_spin_lock(&a->guard);
    a->listens = false;
    bw_spin_unlock(&a->guard);
    CHECK(bw__list_empty(&a->source.watches));
  }
  if (code == BW_ETIMEDOUT) {
    CHECK(l->deadline != BW_SEMA_NO_DEADLINE && bw_now() >= l->deadline);
    atomic_fetch_add(&w.timeouts, 1);
  } else if (code == BW_ECANCELED) {
    CHECK(l->cancel && bw__cancelled(l->cancel));
    atomic_fetch_add(&w.cancels, 1);
  } else {
    CHECK(code == 0 || (code == BW_EAGAIN && l->tries));
  }
}

static void cancel_another(actor *a) {
  actor *b = &w.actors[below(a, (uint32_t)w.count)];
  if (!bw_spin_trylock(&b->guard)) return;
  if (b->listens) bw__cancel_fire(&b->source);
  bw_spin_unlock(&b->guard);
}

// ---- one operation ------------------------------------------------------------------------------

static void stay(actor *a) {
  uint32_t what = below(a, 64);
  if (what < 8) bw_gosched();
  if (what == 8) bw_sleep((int64_t)below(a, 100) * BW_MICROSECOND);
  if (what == 9 && below(a, 8) == 0) bw_sleep(1500 * BW_MICROSECOND);
  if (what < 16) cancel_another(a);
}

static int code_of(bool got) { return got ? 0 : BW_EAGAIN; }

static void use_mutex(actor *a) {
  limits l = limits_begin(a);
  int code =
      l.tries ? code_of(bw_mutex_trylock(&w.mu)) : bw__mutex_lock_with(&w.mu, l.deadline, l.cancel);
  if (code == 0) {
    section_write(&w.in_mu);
    stay(a);
    section_write(&w.in_mu);
    bw_mutex_unlock(&w.mu);
    atomic_fetch_add(&w.locks, 1);
  }
  limits_end(a, &l, code);
}

static void write(actor *a) {
  limits l = limits_begin(a);
  int code = l.tries ? code_of(bw_rwmutex_try_lock(&w.rw))
                     : bw__rwmutex_lock_with(&w.rw, l.deadline, l.cancel);
  if (code == 0) {
    section_write(&w.in_rw);
    stay(a);
    section_write(&w.in_rw);
    bw_rwmutex_unlock(&w.rw);
    atomic_fetch_add(&w.writes, 1);
  }
  limits_end(a, &l, code);
}

static void read(actor *a) {
  limits l = limits_begin(a);
  int code = l.tries ? code_of(bw_rwmutex_try_rlock(&w.rw))
                     : bw__rwmutex_rlock_with(&w.rw, l.deadline, l.cancel);
  if (code == 0) {
    section_read(&w.in_rw);
    stay(a);
    section_read(&w.in_rw);
    bw_rwmutex_runlock(&w.rw);
    atomic_fetch_add(&w.reads, 1);
  }
  limits_end(a, &l, code);
}

static void use_sema(actor *a) {
  limits l = limits_begin(a);
  int code = l.tries ? code_of(bw_sema_try_acquire(&w.sema))
                     : bw__semaphore_acquire_with(&w.sema, l.deadline, l.cancel);
  if (code == 0) {
    CHECK(atomic_fetch_add(&w.in_sema, 1) < PERMITS);
    stay(a);
    atomic_fetch_sub(&w.in_sema, 1);
    bw_sema_release(&w.sema, 1);
    atomic_fetch_add(&w.acquires, 1);
  }
  limits_end(a, &l, code);
}

static void operate(actor *a) {
  switch (below(a, 8)) {
  case 0:
  case 1:
  case 2: use_mutex(a); break;
  case 3: write(a); break;
  case 4:
  case 5: read(a); break;
  default: use_sema(a); break;
  }
}

// ---- actors -------------------------------------------------------------------------------------

static void operate_blocking(void *arg) { operate(arg); }

static void operate_locked(actor *a) {
  CHECK_EQ(bw_lock_os_thread(), 0);
  for (int i = 0; i < 4; i++) operate(a);
  bw_unlock_os_thread();
}

static void act(void *arg) {
  actor *a = arg;
  while (!bw__load(&w.stop)) {
    uint32_t what = below(a, 256);
    if (what == 0)
      CHECK(bw_gomaxprocs(1 + (int)below(a, PROCS_MOST)) > 0);
    else if (what == 1 && a->special)
      bw_blocking(operate_blocking, a);
    else if (what == 2 && a->special)
      operate_locked(a);
    else if (what < 8)
      bw_gosched();
    else if (what < 24)
      cancel_another(a);
    else
      operate(a);
  }
  atomic_fetch_sub(&w.live, 1);
}

static void one_round(actor *a, int threads) {
  static chan_thread helpers[THREADS];
  bw__store(&w.stop, false);
  w.count = ACTORS + threads;
  atomic_store(&w.live, w.count);
  for (int i = 0; i < w.count; i++) {
    w.actors[i] = (actor){.rng.state = bw__rand_next(&a->rng)};
    w.actors[i].special = i < 2 && bw__port_capabilities.threads;
  }
  for (int i = 0; i < w.count; i++) {
    if (i < ACTORS)
      CHECK_EQ(bw_go(act, &w.actors[i]), 0);
    else
      chan_thread_start(&helpers[i - ACTORS], act, &w.actors[i]);
  }
  bw_sleep((int64_t)below(a, 60) * BW_MILLISECOND);
  bw__store(&w.stop, true);
  while (atomic_load(&w.live) > 0) bw_gosched();
  for (int i = 0; i < threads; i++) chan_thread_join(&helpers[i]);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(w.mu.state, 0);
  CHECK_EQ(w.mu.sema, 0);
  CHECK_EQ(w.rw.word, 0);
  CHECK_EQ(w.rw.writers.state, 0);
  CHECK_EQ(w.rw.writers.sema, 0);
  CHECK_EQ(w.rw.reader_sema, 0);
  CHECK_EQ(w.rw.writer_sema, 0);
  CHECK_EQ(w.sema.permits, PERMITS);
  CHECK_EQ(w.in_mu.plain, 2 * atomic_load(&w.locks));
  CHECK_EQ(w.in_rw.plain, 2 * atomic_load(&w.writes));
  bw__mutex_starvations s = bw__mutex_starvations_read();
  CHECK_EQ(s.begun, s.ended);
  sync_check_empty();
}

typedef struct {
  actor a;
  int threads;
} setting;

static int rounds(void *arg) {
  setting *s = arg;
  for (uint32_t n = 1 + below(&s->a, 8); n > 0; n--) one_round(&s->a, s->threads);
  return 0;
}

static void stress(int threads) {
  setting s = {.a.rng.state = chan_seed(), .threads = threads};
  const char *procs = bw__port_env("BURROW_PROCS");
  int64_t end = bw_now() + test_stress_ns(2);
  int runs = 0;
  w.sema = (bw_sema)BW_SEMA(PERMITS);
  for (; runs == 0 || bw_now() < end; runs++)
    test_run(rounds, &s, procs ? atoi(procs) : 1 + (int)below(&s.a, PROCS_MOST));
  printf("%lld locks, %lld writes, %lld reads, %lld acquires, %lld deadlines that passed, "
         "%lld cancels, %lld starvations, %d runs\n",
         atomic_load(&w.locks), atomic_load(&w.writes), atomic_load(&w.reads),
         atomic_load(&w.acquires), atomic_load(&w.timeouts), atomic_load(&w.cancels),
         (long long)bw__mutex_starvations_read().begun, runs);
  CHECK(atomic_load(&w.locks) > 0 && atomic_load(&w.writes) > 0 && atomic_load(&w.reads) > 0);
  CHECK(atomic_load(&w.acquires) > 0);
}
TEST(sync_stress_mix) { stress(0); }
THREADS_TEST(sync_stress_mix_with_threads) { stress(THREADS); }
