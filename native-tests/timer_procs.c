// Timers and Ps: one that is due must not wait because its P has other work, or is no more.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"
#include "sched/sched.h"

// ---- told in time -------------------------------------------------------------------------------

// A goroutine parks with a timer, and its M goes on with one that came into the global queue
// without waking anybody (as by a yield elsewhere), which does not yield until the timer has run:
// the other M, which sleeps without a deadline, must have been told of it. On the 61st turn the M
// finds such a goroutine sooner than anything else.

typedef struct {
  bw__timer timer;
  bw__waiter waiter;
} sleeper;

static atomic_bool touched, woken, saw_it, hog_over;

static void touch(void *unused) {
  (void)unused;
  atomic_store(&touched, true);
}

static void wake(bw__timer *t, int64_t now) {
  (void)now;
  bw__waiter_ready(&BW_CONTAINER(t, sleeper, timer)->waiter);
}

static void hog(void *unused) {
  (void)unused;
  int64_t until = bw_now() + 10 * BW_SECOND;
  while (!atomic_load(&woken) && bw_now() < until) bw__cpu_relax();
  atomic_store(&saw_it, atomic_load(&woken));
  atomic_store(&hog_over, true);
}

// Waits until all other Ms sleep, and nobody watches the clock.
static void wait_for_sleep(void) {
  bw__sched *s = &bw__sched_state;
  for (bool asleep = false; !asleep; bw__cpu_relax()) {
    bw__mutex_lock(&s->lock);
    asleep = s->idle_ms > 0 && !s->keeper && bw__load(&s->spinning) == 0;
    bw__mutex_unlock(&s->lock);
  }
}

static int tell_keeper(void *every) {
  bw__tally *runs = &bw__m_current()->p->runs;
  uint64_t turn = (uint64_t)(uintptr_t)every;
  atomic_store(&touched, false);
  CHECK_EQ(bw_go(touch, NULL), 0); // so that there is another M
  while (!atomic_load(&touched)) bw__cpu_relax();
  wait_for_sleep();
  atomic_store(&woken, false);
  atomic_store(&hog_over, false);
  while (bw__tally_read(runs) % turn != turn - 1) bw_gosched();
  bw__g *g = bw__g_make(NULL, NULL, hog, NULL, 0);
  CHECK(g);
  sleeper s;
  bw__timer_init_parting(&s.timer, wake);
  bw__waiter_init(&s.waiter);
  bw__mutex *held = bw__timer_start_held(&s.timer, bw__port_now() + BW_MILLISECOND);
  bw__globq_put(g);
  bw__wait(&s.waiter, held, BW_REASON_SLEEP);
  atomic_store(&woken, true);
  while (!atomic_load(&hog_over)) bw_gosched();
  CHECK(atomic_load(&saw_it));
  return 0;
}
THREADS_TEST(timer_told_on_the_61st_turn) { test_run(tell_keeper, (void *)61, 2); }
THREADS_TEST(timer_told_on_the_16th_turn) { test_run(tell_keeper, (void *)16, 2); }
THREADS_TEST(timer_told_on_any_turn) { test_run(tell_keeper, (void *)1, 2); }

// ---- of a P that has left -----------------------------------------------------------------------

// Three goroutines on three Ps. The last P has a timer, which the first one's M runs; while it does
// that the last P leaves. Then the timer starts itself again: it must come into the heap of a P
// that is there, and run as soon as other timers do.

enum { YIELDS, SPINS, LEAVES, ROLES };

static struct {
  atomic_int arrived, calls;
  uint64_t turns[2]; // of the first P, when it was called
  atomic_bool over;
  bw__timer timer;
  group all;
} left;

static bool has_left(int index) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  bool dead = bw__p_at(index)->dead && s->idle_ms > 0;
  bw__mutex_unlock(&s->lock);
  return dead;
}

static void restart_on_left(bw__timer *t, int64_t now) {
  (void)now;
  int calls = atomic_load(&left.calls);
  left.turns[calls] = bw__tally_read(&bw__m_current()->p->runs);
  atomic_store(&left.calls, calls + 1);
  if (calls > 0) return;
  while (!has_left(LEAVES)) bw__cpu_relax();
  CHECK(!bw__timer_start(t, 0, 0));
}

static void run_it_here(void) {
  while (atomic_load(&left.calls) == 0) bw_gosched();
  CHECK(bw__load(&left.timer.home) == &bw__p_at(YIELDS)->timers);
  while (atomic_load(&left.calls) == 1) bw_gosched();
  CHECK(left.turns[1] - left.turns[0] <= 16);
  atomic_store(&left.over, true);
}

static void leave(void) {
  bw__timer_start(&left.timer, 0, 0);
  while (atomic_load(&left.calls) == 0) bw__cpu_relax();
  CHECK_EQ(bw_gomaxprocs(LEAVES), ROLES);
  bw_gosched();
}

static void take_part(void *unused) {
  (void)unused;
  int role = bw_proc_index(); // nobody has left its P before all have arrived
  atomic_fetch_add(&left.arrived, 1);
  while (atomic_load(&left.arrived) < ROLES) bw__cpu_relax();
  if (role == YIELDS) run_it_here();
  if (role == LEAVES) leave();
  while (role == SPINS && !atomic_load(&left.over)) bw__cpu_relax();
  group_done(&left.all);
}

static int timer_of_left(void *unused) {
  (void)unused;
  atomic_store(&left.arrived, 0);
  atomic_store(&left.calls, 0);
  atomic_store(&left.over, false);
  bw__timer_init(&left.timer, restart_on_left);
  group_init(&left.all, ROLES);
  for (int i = 0; i < ROLES; i++) CHECK_EQ(bw_go(take_part, NULL), 0);
  group_wait(&left.all);
  bw__timer_drop(&left.timer);
  return 0;
}
THREADS_TEST(timer_restarted_on_a_p_that_left) { test_run(timer_of_left, NULL, ROLES); }
