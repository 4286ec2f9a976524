// Spin locks.
#include "sync_util.h"

enum { HAMMERS = 4, BLOWS = 2000 };

typedef struct {
  bw_spinlock lock;
  section inside;
  bool yields; // inside, which nobody should: with one P the others get on all the same
  group g;
} spun;

static void hammer(void *arg) {
  spun *s = arg;
  for (int i = 0; i < BLOWS; i++) {
    if (i % 4 == 0)
      while (!bw_spin_trylock(&s->lock)) bw_gosched();
    else
      bw_spin_lock(&s->lock);
    section_write(&s->inside);
    if (s->yields && i % 8 == 0) bw_gosched();
    bw_spin_unlock(&s->lock);
  }
  group_done(&s->g);
}

static int hammer_body(void *yields) {
  spun s = {.yields = yields != NULL};
  group_init(&s.g, HAMMERS);
  for (int i = 0; i < HAMMERS; i++) CHECK_EQ(bw_go(hammer, &s), 0);
  group_wait(&s.g);
  CHECK_EQ(s.inside.plain, HAMMERS * BLOWS);
  return 0;
}
TEST(sync_spin_on_one_proc) { test_run(hammer_body, NULL, 1); }
TEST(sync_spin_makes_progress_past_who_yields) { test_run(hammer_body, "", 1); }
THREADS_TEST(sync_spin_on_three_procs) { test_run(hammer_body, NULL, 3); }
THREADS_TEST(sync_spin_on_three_procs_past_who_yields) { test_run(hammer_body, "", 3); }

static int with_threads(void *arg) {
  (void)arg;
  spun s = {0};
  chan_thread threads[2];
  group_init(&s.g, 4);
  for (int i = 0; i < 2; i++) chan_thread_start(&threads[i], hammer, &s);
  for (int i = 0; i < 2; i++) CHECK_EQ(bw_go(hammer, &s), 0);
  for (int i = 0; i < 2; i++) chan_thread_join(&threads[i]);
  group_wait(&s.g);
  CHECK_EQ(s.inside.plain, 4 * BLOWS);
  return 0;
}
THREADS_TEST(sync_spin_between_goroutines_and_threads) { test_run(with_threads, NULL, 2); }

TEST(sync_spin_trylock) {
  bw_spinlock s = {0};
  CHECK(bw_spin_trylock(&s));
  CHECK(!bw_spin_trylock(&s));
  bw_spin_unlock(&s);
  bw_spin_lock(&s);
  CHECK(!bw_spin_trylock(&s));
  bw_spin_unlock(&s);
  CHECK_EQ(s.word, 0);
}

// ---- misuse: where owners are known
// --------------------------------------------------------------

#ifdef NDEBUG
#define SKIP_UNLESS_OWNERS_ARE_KNOWN                                                               \
  SKIP("compiled with NDEBUG: spin locks do not know their owner")
#else
#define SKIP_UNLESS_OWNERS_ARE_KNOWN ((void)0)
#endif

static void lock_it(void *lock) { bw_spin_lock(lock); }

static int lock_twice(void *arg) {
  (void)arg;
  bw_spinlock s = {0};
  bw_spin_lock(&s);
  bw_spin_lock(&s);
  return 0;
}
DEATH_TEST(sync_spin_locked_twice, 2, "fatal error: spin lock: locked again by its owner") {
  SKIP_UNLESS_OWNERS_ARE_KNOWN;
  test_run(lock_twice, NULL, 1);
}
DEATH_TEST(sync_spin_locked_twice_by_a_thread, 2, "fatal error: spin lock: locked again") {
  SKIP_UNLESS_OWNERS_ARE_KNOWN;
  lock_twice(NULL);
}

static int unlock_free(void *arg) {
  (void)arg;
  bw_spinlock s = {0};
  bw_spin_unlock(&s);
  return 0;
}
DEATH_TEST(sync_spin_unlock_of_free, 2, "fatal error: spin lock: unlock of unlocked spin lock") {
  SKIP_UNLESS_OWNERS_ARE_KNOWN;
  test_run(unlock_free, NULL, 1);
}

static int unlock_anothers(void *arg) {
  (void)arg;
  bw_spinlock s = {0};
  CHECK_EQ(bw_go(lock_it, &s), 0);
  settle();
  bw_spin_unlock(&s);
  return 0;
}
DEATH_TEST(sync_spin_unlock_by_another, 2, "fatal error: spin lock: unlock by another") {
  SKIP_UNLESS_OWNERS_ARE_KNOWN;
  test_run(unlock_anothers, NULL, 1);
}
