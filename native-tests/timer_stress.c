// Many goroutines start, stop, drop and move the same timers while several Ms run them. The books
// must balance: each arming fires once, or is stopped once, or is replaced once.
#include "chan_util.h"

#include "base/list.h"
#include "base/rand.h"
#include "port/port.h"
#include "sched/timers_heap.h"

enum { TIMERS = 24, WORKERS = 8 };

typedef struct {
  bw__timer timer;
  atomic_long armed, ended, fired; // ended: a stop, drop or start returned true
  atomic_int inside;
  bool rearms;
} shared_timer;

static struct {
  shared_timer t[TIMERS];
  bw__timers other; // no P's: timers are moved to it and back
  atomic_bool stop;
  group g;
} stress;

static void fly(bw__timer *timer, int64_t now) {
  shared_timer *t = BW_CONTAINER(timer, shared_timer, timer);
  CHECK_EQ(atomic_fetch_add(&t->inside, 1), 0); // calls of one timer never overlap
  CHECK(bw_now() >= now);
  if (atomic_fetch_add(&t->fired, 1) % 4 == 0 && t->rearms) {
    atomic_fetch_add(&t->armed, 1);
    if (bw__timer_start(timer, now + 1000, 0)) atomic_fetch_add(&t->ended, 1);
  }
  atomic_fetch_sub(&t->inside, 1);
}

static void stress_step(bw__rand *r) {
  shared_timer *t = &stress.t[bw__rand_below(r, TIMERS)];
  int64_t when = bw_now() + bw__rand_below(r, 200) * BW_MICROSECOND;
  switch (bw__rand_below(r, 8)) {
  case 0:
  case 1:
    if (bw__timer_stop(&t->timer)) atomic_fetch_add(&t->ended, 1);
    break;
  case 2:
    if (bw__timer_start_idle(&t->timer, when)) atomic_fetch_add(&t->armed, 1);
    break;
  case 3: bw_gosched(); break;
  default:
    atomic_fetch_add(&t->armed, 1);
    if (bw__timer_start(&t->timer, when, 0)) atomic_fetch_add(&t->ended, 1);
    break;
  }
}

static void stress_worker(void *arg) {
  bw__rand r = {(uint64_t)(uintptr_t)arg};
  int steps = test_is_slow_build() ? 4000 : 40000;
  for (int i = 0; i < steps; i++) stress_step(&r);
  group_done(&stress.g);
}

// Timers that are in no P's heap are run, and moved back, by this goroutine.
static void mover(void *arg) {
  for (int i = 0; !atomic_load(&stress.stop); i++) {
    if (i % 8 == 0) bw__timers_move(bw__timers_here(), &stress.other);
    bw__timers_run(&stress.other, bw_now());
    if (i % 8 == 4) bw__timers_move(&stress.other, bw__timers_here());
    bw_gosched();
  }
  bw__timers_move(&stress.other, bw__timers_here());
  group_done(arg);
}

// Whatever state the timer was left in, it can still be started, and fires.
static void fire_once_more(shared_timer *t) {
  long before = atomic_load(&t->fired);
  atomic_fetch_add(&t->armed, 1);
  if (bw__timer_start(&t->timer, bw_now(), 0)) atomic_fetch_add(&t->ended, 1);
  while (atomic_load(&t->fired) == before) bw_sleep(20 * BW_MICROSECOND);
}

static void check_books(shared_timer *t) {
  fire_once_more(t);
  if (bw__timer_drop(&t->timer)) atomic_fetch_add(&t->ended, 1);
  CHECK_EQ(atomic_load(&t->inside), 0);
  CHECK_EQ(atomic_load(&t->armed), atomic_load(&t->ended) + atomic_load(&t->fired));
}

static int stress_run(void *arg) {
  bool moves = arg;
  group moved;
  group_init(&stress.g, WORKERS);
  group_init(&moved, 1);
  bw__timers_init(&stress.other);
  for (int i = 0; i < TIMERS; i++) {
    bw__timer_init(&stress.t[i].timer, fly);
    stress.t[i].rearms = i % 3 == 0;
  }
  if (moves) CHECK_EQ(bw_go(mover, &moved), 0);
  for (uintptr_t i = 0; i < WORKERS; i++) CHECK_EQ(bw_go(stress_worker, (void *)(i + 1)), 0);
  group_wait(&stress.g);
  atomic_store(&stress.stop, true);
  if (!moves) group_done(&moved);
  group_wait(&moved);
  for (int i = 0; i < TIMERS; i++) check_books(&stress.t[i]);
  bw__timers_destroy(&stress.other);
  return 0;
}
TEST(timer_stress) { test_run(stress_run, NULL, 4); }
TEST(timer_stress_on_one_proc) { test_run(stress_run, NULL, 1); }
TEST(timer_stress_with_moves) { test_run(stress_run, &stress, 4); }

// No start is lost: with nobody else at work, each timer that was started last fires in time.
static int none_lost(void *arg) {
  (void)arg;
  static shared_timer t[TIMERS];
  bw__rand r = {5};
  for (int i = 0; i < TIMERS; i++) bw__timer_init(&t[i].timer, fly);
  for (int round = 0; round < (test_is_slow_build() ? 100 : 1000); round++) {
    long before[TIMERS];
    for (int i = 0; i < TIMERS; i++) {
      for (int k = 0; k < 4; k++)
        bw__timer_start(&t[i].timer, bw_now() + (1 + bw__rand_below(&r, 5)) * BW_SECOND, 0);
      before[i] = atomic_load(&t[i].fired);
      bw__timer_start(&t[i].timer, bw_now() + bw__rand_below(&r, 100) * BW_MICROSECOND, 0);
    }
    bw_sleep(100 * BW_MICROSECOND);  // so that Ms sleep on a time
    for (int i = 0; i < TIMERS; i++) // lost: the watchdog ends this
      while (atomic_load(&t[i].fired) == before[i]) bw_sleep(20 * BW_MICROSECOND);
  }
  for (int i = 0; i < TIMERS; i++) CHECK(!bw__timer_drop(&t[i].timer));
  return 0;
}
TEST(timer_none_lost) { test_run(none_lost, NULL, 4); }

// A periodic timer that is brought back to the past again and again, so that it is due again while
// it waits in a batch: still one flight at a time, and none is open when it was dropped.
static struct {
  bw__timer timer;
  atomic_bool stop;
} periodic;

static void fly_periodic(bw__timer *t, int64_t now) {
  (void)now;
  CHECK(bw__load(&t->flights) & 1);
}

static void run_periodic(void *arg) {
  while (!atomic_load(&periodic.stop)) bw__timers_run(arg, bw__port_now());
}

THREADS_TEST(timer_periodic_one_flight_at_a_time) {
  static bw__timers ts;
  bw__timers_init(&ts);
  bw__timer_init(&periodic.timer, fly_periodic);
  bw__port_thread runner;
  CHECK_EQ(bw__port_thread_start(&runner, run_periodic, &ts), 0);
  // Into this heap; no P has it.
  bw__timers_lock(&ts);
  bw__timers_put_locked(&ts, &periodic.timer, 0);
  bw__store(&periodic.timer.period, 1);
  bw__store(&periodic.timer.when, 0);
  bw__timers_publish_locked(&ts);
  bw__mutex_unlock(&ts.lock);
  int starts = test_is_slow_build() ? 20000 : 1000000;
  for (int i = 0; i < starts; i++) bw__timer_start(&periodic.timer, 0, 1);
  bw__timer_drop(&periodic.timer);
  CHECK(!(bw__load(&periodic.timer.flights) & 1));
  atomic_store(&periodic.stop, true);
  bw__port_thread_join(&runner);
  bw__timers_destroy(&ts);
}

// ---- through the public door --------------------------------------------------------------------

typedef struct {
  bw_timer *timer;
  atomic_long armed, ended, fired;
} shared_after;

static shared_after after[TIMERS];

static void count_after(void *arg) { atomic_fetch_add((atomic_long *)arg, 1); }

static void after_worker(void *arg) {
  bw__rand r = {(uint64_t)(uintptr_t)arg};
  int steps = test_is_slow_build() ? 1000 : 20000;
  for (int i = 0; i < steps; i++) {
    shared_after *t = &after[bw__rand_below(&r, TIMERS)];
    bool was;
    if (bw__rand_below(&r, 3)) {
      atomic_fetch_add(&t->armed, 1);
      was = bw_timer_reset(t->timer, (int64_t)bw__rand_below(&r, 100) * BW_MICROSECOND);
    } else {
      was = bw_timer_stop(t->timer);
    }
    if (was) atomic_fetch_add(&t->ended, 1);
    if (i % 64 == 0) bw_gosched();
  }
  group_done(&stress.g);
}

// Releases while pending: what is pending then still fires.
static int after_run(void *arg) {
  (void)arg;
  group_init(&stress.g, WORKERS);
  for (int i = 0; i < TIMERS; i++) {
    atomic_fetch_add(&after[i].armed, 1);
    after[i].timer = bw_after_func(BW_MILLISECOND, count_after, &after[i].fired);
  }
  for (uintptr_t i = 0; i < WORKERS; i++) CHECK_EQ(bw_go(after_worker, (void *)(i + 9)), 0);
  group_wait(&stress.g);
  for (int i = 0; i < TIMERS; i++) bw_timer_release(after[i].timer);
  for (int i = 0; i < TIMERS; i++) {
    shared_after *t = &after[i];
    while (atomic_load(&t->armed) != atomic_load(&t->ended) + atomic_load(&t->fired))
      bw_sleep(100 * BW_MICROSECOND);
  }
  bw_sleep(5 * BW_MILLISECOND);
  for (int i = 0; i < TIMERS; i++)
    CHECK_EQ(atomic_load(&after[i].armed),
             atomic_load(&after[i].ended) + atomic_load(&after[i].fired));
  return 0;
}
TEST(timer_after_stress) { test_run(after_run, NULL, 4); }
TEST(timer_after_stress_on_one_proc) { test_run(after_run, NULL, 1); }
