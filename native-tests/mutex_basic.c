// Mutexes: Go's behaviours 96 to 100, their modes, what dumps say of who waits.
#include "sync_util.h"

#include "sync/mutex.h"

static bool is_free(const bw_mutex *mu) { return mu->state == 0 && mu->sema == 0; }

// ---- one goroutine ------------------------------------------------------------------------------

static void try_and_lock(void) {
  bw_mutex mu = {0};
  bw_mutex_lock(&mu);
  CHECK(!bw_mutex_trylock(&mu));
  CHECK_EQ(bw_mutex_lock_until(&mu, bw_now() - 1), BW_ETIMEDOUT);
  CHECK_EQ(bw_mutex_lock_until(&mu, -5), BW_ETIMEDOUT);
  bw_mutex_unlock(&mu);
  CHECK(bw_mutex_trylock(&mu));
  CHECK(!bw_mutex_trylock(&mu));
  bw_mutex_unlock(&mu);
  CHECK_EQ(bw_mutex_lock_until(&mu, bw_now() - 1), 0); // it was free
  bw_mutex_unlock(&mu);
  CHECK(is_free(&mu));
  sync_check_empty();
}
static int try_and_lock_body(void *arg) {
  (void)arg;
  try_and_lock();
  return 0;
}
TEST(mutex_b96_trylock) { test_run(try_and_lock_body, NULL, 1); }
TEST(mutex_b96_trylock_without_a_runtime) { try_and_lock(); }

static void locker_is_the_mutex(void) {
  bw_mutex mu = {0};
  bw_locker l = bw_mutex_locker(&mu);
  bw_locker_lock(l);
  CHECK(!bw_mutex_trylock(&mu));
  bw_locker_unlock(l);
  CHECK(is_free(&mu));
}
TEST(mutex_as_a_locker) { locker_is_the_mutex(); }

static int deadline_passes(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_mutex_lock(&mu);
  int64_t deadline = SOON(20 * BW_MILLISECOND);
  CHECK_EQ(bw_mutex_lock_until(&mu, deadline), BW_ETIMEDOUT);
  CHECK(bw_now() >= deadline);
  CHECK_EQ(mu.state, 1);
  bw_mutex_unlock(&mu);
  sync_check_empty();
  return 0;
}
TEST(mutex_deadline_passes) { test_run(deadline_passes, NULL, 1); }
THREADS_TEST(mutex_deadline_passes_on_a_thread) { deadline_passes(NULL); }

// ---- many goroutines ----------------------------------------------------------------------------

enum { HAMMERS = 10, BLOWS = 1000 };

typedef struct {
  bw_mutex mu;
  section inside;
  group g;
} hammered;

static void hammer(void *arg) {
  hammered *h = arg;
  for (int i = 0; i < BLOWS; i++) {
    if (i % 3 == 0) {
      if (bw_mutex_trylock(&h->mu)) bw_mutex_unlock(&h->mu);
      continue;
    }
    bw_mutex_lock(&h->mu);
    section_write(&h->inside);
    if (i % 64 == 0) bw_gosched();
    bw_mutex_unlock(&h->mu);
  }
  group_done(&h->g);
}

static int hammer_body(void *arg) {
  (void)arg;
  hammered h = {0};
  group_init(&h.g, HAMMERS);
  for (int i = 0; i < HAMMERS; i++) CHECK_EQ(bw_go(hammer, &h), 0);
  group_wait(&h.g);
  int locks = 0;
  for (int i = 0; i < BLOWS; i++) locks += i % 3 != 0;
  CHECK_EQ(h.inside.plain, (int64_t)HAMMERS * locks);
  CHECK(is_free(&h.mu));
  sync_check_empty();
  return 0;
}
TEST(mutex_b97_hammer) { test_run(hammer_body, NULL, 1); }
THREADS_TEST(mutex_b97_hammer_on_four_procs) { test_run(hammer_body, NULL, 4); }

// Goroutines and plain threads on one mutex.
static int mixed_body(void *arg) {
  (void)arg;
  enum { THREADS = 2 };
  hammered h = {0};
  chan_thread threads[THREADS];
  group_init(&h.g, HAMMERS + THREADS);
  for (int i = 0; i < THREADS; i++) chan_thread_start(&threads[i], hammer, &h);
  for (int i = 0; i < HAMMERS; i++) CHECK_EQ(bw_go(hammer, &h), 0);
  for (int i = 0; i < THREADS; i++) chan_thread_join(&threads[i]);
  group_wait(&h.g);
  CHECK(is_free(&h.mu));
  sync_check_empty();
  return 0;
}
THREADS_TEST(mutex_between_goroutines_and_threads) { test_run(mixed_body, NULL, 2); }

// ---- another unlocks ----------------------------------------------------------------------------

static void unlock_it(void *mu) { bw_mutex_unlock(mu); }

static int another_unlocks(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_mutex_lock(&mu);
  CHECK_EQ(bw_go(unlock_it, &mu), 0);
  bw_mutex_lock(&mu);
  bw_mutex_unlock(&mu);
  CHECK(is_free(&mu));
  return 0;
}
TEST(mutex_b100_another_goroutine_unlocks) { test_run(another_unlocks, NULL, 1); }

static int thread_unlocks(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  chan_thread t;
  bw_mutex_lock(&mu);
  chan_thread_start(&t, unlock_it, &mu);
  bw_mutex_lock(&mu);
  bw_mutex_unlock(&mu);
  chan_thread_join(&t);
  return 0;
}
THREADS_TEST(mutex_b100_a_thread_unlocks) { test_run(thread_unlocks, NULL, 2); }

// ---- misuse -------------------------------------------------------------------------------------

#define UNLOCKED "fatal error: sync: unlock of unlocked mutex"

static int unlock_free(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_mutex_unlock(&mu);
  return 0;
}
DEATH_TEST(mutex_b98_unlock_of_free, 2, UNLOCKED) { test_run(unlock_free, NULL, 1); }
DEATH_TEST(mutex_b98_unlock_of_free_on_a_thread, 2, UNLOCKED) { unlock_free(NULL); }

static int unlock_twice(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_mutex_lock(&mu);
  bw_mutex_unlock(&mu);
  bw_mutex_unlock(&mu);
  return 0;
}
DEATH_TEST(mutex_b98_unlock_twice, 2, UNLOCKED) { test_run(unlock_twice, NULL, 1); }

// Fatal, and not to be recovered.
static void recover_all(void *unused, bw_panicking *panicking) {
  (void)unused;
  bw_recover(panicking);
}

static int unlock_and_recover(void *arg) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return 1;
  BW_DEFER(recover_all, NULL);
  return unlock_free(arg);
}
DEATH_TEST(mutex_b98_cannot_be_recovered, 2, UNLOCKED) { test_run(unlock_and_recover, NULL, 1); }

// ---- what dumps say -----------------------------------------------------------------------------

static int waits_for_ever(void *arg) {
  (void)arg;
  static bw_mutex mu;
  bw_mutex_lock(&mu);
  bw_mutex_lock(&mu);
  return 0;
}
DEATH_TEST(mutex_wait_for_ever_is_a_deadlock, 2, "all goroutines are asleep - deadlock!") {
  test_run(waits_for_ever, NULL, 1);
}
DEATH_TEST(mutex_dump_has_the_reason, 2, "goroutine 1 [sync.Mutex.Lock]:") {
  test_run(waits_for_ever, NULL, 1);
}
DEATH_TEST(mutex_dump_has_the_address, 2, "ms, waits for mutex 0x") {
  test_run(waits_for_ever, NULL, 1);
}

// The end of a run leaves nobody in the table, and the mutex in a state that can be looked at.
static bw_mutex outlives;

static void wait_for_it(void *arg) {
  (void)arg;
  bw_mutex_lock(&outlives);
  CHECK(false);
}

static void wait_long_for_it(void *arg) {
  (void)arg;
  bw_mutex_lock_until(&outlives, FAR);
  CHECK(false);
}

static int leave_waiters(void *arg) {
  (void)arg;
  bw_mutex_lock(&outlives);
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_go(i == 1 ? wait_long_for_it : wait_for_it, NULL), 0);
  sync_until_waiting(3);
  return 0;
}
TEST(mutex_waiters_end_with_the_run) {
  test_run(leave_waiters, NULL, 1);
  sync_check_empty();
}

// Whoever drops the last reference, counted under the mutex, frees it, as soon as its own unlock
// has returned: no other unlock may still look at it. (AddressSanitizer would see it; without, the
// bytes are overwritten, and an unlock that finds them so is fatal.)
enum { SHARERS = 6 };

typedef struct {
  bw_mutex mu;
  int refs;
} shared_object;

typedef struct {
  shared_object *o;
  group *g;
} sharer;

static void drop_reference(void *arg) {
  sharer s = *(sharer *)arg;
  for (int i = 0; i < 3; i++) { // so that some wait, and unlocks wake them
    bw_mutex_lock(&s.o->mu);
    if (i == 1) bw_gosched();
    bw_mutex_unlock(&s.o->mu);
  }
  bw_mutex_lock(&s.o->mu);
  bool last = --s.o->refs == 0;
  bw_mutex_unlock(&s.o->mu);
  if (last) {
    memset(s.o, 0x55, sizeof *s.o);
    bw_free(s.o);
  }
  group_done(s.g);
}

static int freed_by_last(void *arg) {
  (void)arg;
  int64_t until = bw_now() + test_stress_ns(4);
  bw_go_options copy = {.arg_size = sizeof(sharer)};
  do {
    group g;
    group_init(&g, SHARERS);
    sharer s = {bw_calloc(1, sizeof *s.o), &g};
    s.o->refs = SHARERS;
    for (int i = 0; i < SHARERS; i++) CHECK_EQ(bw_go_with(&copy, drop_reference, &s), 0);
    group_wait(&g);
  } while (bw_now() < until);
  sync_check_empty();
  return 0;
}
THREADS_TEST(mutex_freed_by_its_last_user) { test_run(freed_by_last, NULL, 4); }
