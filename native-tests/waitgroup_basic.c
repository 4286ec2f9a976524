// Wait groups: what they wait for, what they panic about.
#include "chan_util.h"
#include "panic_util.h"

#include "sched/stack.h"
#include "sync/sema.h"

#include <stddef.h>

// ---- as a barrier -------------------------------------------------------------------------------

enum { MEMBERS = 16, ROUNDS = 8 };

typedef struct {
  bw_waitgroup first, second;
  bw_chan *exited;
} barrier;

static void pass(void *arg) {
  barrier *b = arg;
  bw_waitgroup_done(&b->first);
  bw_waitgroup_wait(&b->second);
  bw_chan_send(b->exited, &(bool){true});
}

static void one_barrier(barrier *b, bw_waitgroup *first, bw_waitgroup *second) {
  (void)first;
  bw_waitgroup_add(&b->first, MEMBERS);
  bw_waitgroup_add(second, MEMBERS);
  for (int i = 0; i < MEMBERS; i++) CHECK_EQ(bw_go(pass, b), 0);
  bw_waitgroup_wait(&b->first);
  for (int i = 0; i < MEMBERS; i++) {
    CHECK_EQ(bw_chan_try_recv(b->exited, NULL), BW_EAGAIN); // nobody is released early
    bw_waitgroup_done(second);
  }
  for (int i = 0; i < MEMBERS; i++) CHECK(bw_chan_recv(b->exited, NULL));
}

static int barriers(void *arg) {
  (void)arg;
  barrier b = {.exited = bw_chan_make(sizeof(bool), MEMBERS)};
  for (int i = 0; i < ROUNDS; i++) one_barrier(&b, &b.first, &b.second);
  bw_chan_release(b.exited);
  return 0;
}
TEST(waitgroup_b112_barrier) { test_run(barriers, NULL, 0); }
TEST(waitgroup_b112_barrier_on_one_p) { test_run(barriers, NULL, 1); }

// ---- misuse -------------------------------------------------------------------------------------

static void below_zero(void *arg) {
  bw_waitgroup *wg = arg;
  bw_waitgroup_add(wg, 1);
  bw_waitgroup_done(wg);
  bw_waitgroup_done(wg);
}

BOTH_TEST(waitgroup_b113_negative_counter) {
  bw_waitgroup wg = {0};
  caught c;
  CHECK(panics(below_zero, &wg, &c));
  CHECK_STR(c.text, "sync: negative WaitGroup counter");
  CHECK(!c.runtime_error);
}

DEATH_TEST(waitgroup_b113_negative_counter_ends_the_program, 2,
           "panic: sync: negative WaitGroup counter") {
  bw_waitgroup_done(&(bw_waitgroup){0});
}

// A word as it is when an Add comes while somebody has begun to wait at 0: only a race can do it.
static void add_while_waiting(void *arg) { bw_waitgroup_add(arg, 1); }

static void reset_while_waiting(void *arg) {
  bw_waitgroup *wg = arg;
  wg->state = (uint64_t)1 << 32 | 1;
  wg->sema = 1; // the permit is there: what comes next finds the word changed
  bw_waitgroup_wait(wg);
}

BOTH_TEST(waitgroup_b116_misuse_words) {
  bw_waitgroup wg = {.state = 1};
  caught c;
  CHECK(panics(add_while_waiting, &wg, &c));
  CHECK_STR(c.text, "sync: WaitGroup misuse: Add called concurrently with Wait");
  wg = (bw_waitgroup){0};
  CHECK(panics(reset_while_waiting, &wg, &c));
  CHECK_STR(c.text, "sync: WaitGroup is reused before previous Wait has returned");
}

typedef struct {
  bw_waitgroup wg;
  bw_chan *done;
  caught c;
  bool panicked;
} reuse;

static void wait_on_it(void *wg) { bw_waitgroup_wait(wg); }

static void wait_and_look(void *arg) {
  reuse *r = arg;
  r->panicked = panics(wait_on_it, &r->wg, &r->c);
  bw_chan_close(r->done);
}

// On one P: the one who waits is woken, and before it runs the group is added to.
static int reuse_too_early(void *arg) {
  (void)arg;
  reuse r = {.done = bw_chan_make(0, 0)};
  bw_waitgroup_add(&r.wg, 1);
  CHECK_EQ(bw_go(wait_and_look, &r), 0);
  settle();
  bw_waitgroup_done(&r.wg);
  bw_waitgroup_add(&r.wg, 1);
  bw_chan_recv(r.done, NULL);
  CHECK(r.panicked);
  CHECK_STR(r.c.text, "sync: WaitGroup is reused before previous Wait has returned");
  bw_chan_release(r.done);
  return 0;
}
TEST(waitgroup_b116_reused_too_early) { test_run(reuse_too_early, NULL, 1); }

// ---- no return before its time ------------------------------------------------------------------

typedef struct {
  bw_waitgroup *wg;
  atomic_int *n;
} adder;

static void add_one(void *arg) {
  adder *a = arg;
  atomic_fetch_add(a->n, 1);
  bw_waitgroup_done(a->wg);
}

static int races(void *arg) {
  (void)arg;
  for (int i = 0; i < 1000; i++) {
    bw_waitgroup wg = {0};
    atomic_int n = 0;
    adder a = {&wg, &n};
    bw_waitgroup_add(&wg, 1);
    CHECK_EQ(bw_go(add_one, &a), 0);
    bw_waitgroup_add(&wg, 1);
    CHECK_EQ(bw_go(add_one, &a), 0);
    bw_waitgroup_wait(&wg);
    CHECK_EQ(atomic_load(&n), 2);
  }
  return 0;
}
TEST(waitgroup_b114_no_spurious_return) { test_run(races, NULL, 0); }

// ---- anywhere -----------------------------------------------------------------------------------

typedef struct {
  char before;
  bw_waitgroup wg;
  char after;
} with_bytes;

static void set_and_done(void *arg) {
  with_bytes *x = arg;
  x->after = 1;
  bw_waitgroup_done(&x->wg);
}

static int behind_a_byte(void *arg) {
  (void)arg;
  with_bytes x = {.before = 1};
  CHECK_EQ(offsetof(with_bytes, wg) % 8, 0);
  CHECK_EQ((uintptr_t)&x.wg % 8, 0);
  bw_waitgroup_add(&x.wg, 1);
  CHECK_EQ(bw_go(set_and_done, &x), 0);
  bw_waitgroup_wait(&x.wg);
  CHECK(x.before == 1 && x.after == 1);
  return 0;
}
TEST(waitgroup_b115_behind_a_byte) { test_run(behind_a_byte, NULL, 0); }

// ---- go -----------------------------------------------------------------------------------------

static void count_up(void *n) { atomic_fetch_add((atomic_int *)n, 1); }

static void end_early(void *n) {
  count_up(n);
  bw_goexit();
}

static int goes(void *arg) {
  (void)arg;
  bw_waitgroup wg = {0};
  atomic_int n = 0;
  bw__store(&bw__stack_refuse, true); // no goroutine has left its stack yet
  CHECK_EQ(bw_waitgroup_go(&wg, count_up, &n), BW_ENOMEM);
  bw__store(&bw__stack_refuse, false);
  bw_waitgroup_wait(&wg); // nothing was added
  for (int i = 0; i < 50; i++) CHECK_EQ(bw_waitgroup_go(&wg, i % 2 ? count_up : end_early, &n), 0);
  bw_waitgroup_wait(&wg);
  CHECK_EQ(atomic_load(&n), 50);
  while (bw_num_goroutine() > 1) bw_gosched();
  return 0;
}
TEST(waitgroup_go) { test_run(goes, NULL, 0); }

static void panic_now(void *unused) {
  (void)unused;
  bw_panic("in the group");
}
static int go_panics(void *arg) {
  (void)arg;
  bw_waitgroup wg = {0};
  CHECK_EQ(bw_waitgroup_go(&wg, panic_now, NULL), 0);
  bw_waitgroup_wait(&wg);
  for (;;) bw_gosched();
}
DEATH_TEST(waitgroup_go_panic_ends_the_program, 2, "panic: in the group") {
  test_run(go_panics, NULL, 1);
}

TEST(waitgroup_go_without_runtime) {
  bw_waitgroup wg = {0};
  atomic_int n = 0;
  CHECK_EQ(bw_waitgroup_go(&wg, count_up, &n), BW_ESTATE);
  bw_waitgroup_wait(&wg);
}

// ---- deadlines ----------------------------------------------------------------------------------

static int until(void *arg) {
  (void)arg;
  bw_waitgroup wg = {0};
  CHECK_EQ(bw_waitgroup_wait_until(&wg, -1), 0); // at once, whatever the deadline
  bw_waitgroup_add(&wg, 1);
  CHECK_EQ(bw_waitgroup_wait_until(&wg, bw_now()), BW_ETIMEDOUT);
  int64_t end = bw_now() + 2 * BW_MILLISECOND;
  CHECK_EQ(bw_waitgroup_wait_until(&wg, end), BW_ETIMEDOUT);
  CHECK(bw_now() >= end);
  CHECK_EQ(wg.state, (uint64_t)1 << 32); // nobody is counted who has left
  bw_waitgroup_done(&wg);
  CHECK_EQ(bw_waitgroup_wait_until(&wg, bw_now() + 3600 * BW_SECOND), 0);
  CHECK_EQ(wg.sema, 0);
  return 0;
}
TEST(waitgroup_until) { test_run(until, NULL, 1); }
TEST(waitgroup_until_without_runtime) { CHECK_EQ(until(NULL), 0); }

static int never_done(void *arg) {
  (void)arg;
  bw_waitgroup wg = {0};
  bw_waitgroup_add(&wg, 1);
  bw_waitgroup_wait(&wg);
  return 0;
}
DEATH_TEST(waitgroup_never_done_is_a_deadlock, 2, "sync.WaitGroup.Wait") {
  test_run(never_done, NULL, 1);
}

// Rounds of members who are done at random times and waiters who give up at random times: nobody
// who waits without an end is forgotten, no permit is left over, whoever returns 0 returns after
// all are done.
typedef struct {
  bw_waitgroup wg;
  atomic_int left; // members who are not done
  uint64_t seed;
  bw_chan *returned;
} trial;

static void be_done(void *arg) {
  trial *t = arg;
  for (uint64_t n = bw_now() % 4; n > 0; n--) bw_gosched();
  atomic_fetch_sub(&t->left, 1);
  bw_waitgroup_done(&t->wg);
}

static void wait_a_while(void *arg) {
  trial *t = arg;
  int64_t length = (bw_now() ^ (int64_t)t->seed) % 30 * BW_MICROSECOND;
  int code = 0;
  if (length == 0)
    bw_waitgroup_wait(&t->wg);
  else
    code = bw_waitgroup_wait_until(&t->wg, bw_now() + length);
  if (code == 0)
    CHECK_EQ(atomic_load(&t->left), 0);
  else
    CHECK_EQ(code, BW_ETIMEDOUT);
  bw_chan_send(t->returned, NULL);
}

static int stress(void *arg) {
  enum { DONE = 4, WAITERS = 6, OUTSIDE = 2 };
  bool outside = *(bool *)arg;
  trial t = {.seed = chan_seed(), .returned = bw_chan_make(0, 100)};
  for (int64_t end = bw_now() + test_stress_ns(1); bw_now() < end;) {
    chan_thread threads[OUTSIDE];
    atomic_store(&t.left, DONE);
    bw_waitgroup_add(&t.wg, DONE);
    for (int i = 0; i < WAITERS; i++) {
      CHECK_EQ(bw_go(wait_a_while, &t), 0);
      if (i < DONE) CHECK_EQ(bw_go(be_done, &t), 0);
    }
    for (int i = 0; outside && i < OUTSIDE; i++) chan_thread_start(&threads[i], wait_a_while, &t);
    for (int i = 0; i < WAITERS + (outside ? OUTSIDE : 0); i++) bw_chan_recv(t.returned, NULL);
    for (int i = 0; outside && i < OUTSIDE; i++) chan_thread_join(&threads[i]);
    bw_waitgroup_wait(&t.wg);
    CHECK_EQ(t.wg.state, 0);
    CHECK_EQ(t.wg.sema, 0);
  }
  bw_chan_release(t.returned);
  CHECK_EQ(bw__sema_waiting(), 0);
  return 0;
}
TEST(waitgroup_stress_deadlines) { test_run(stress, &(bool){false}, 0); }
TEST(waitgroup_stress_deadlines_on_one_p) { test_run(stress, &(bool){false}, 1); }
THREADS_TEST(waitgroup_stress_deadlines_with_threads) { test_run(stress, &(bool){true}, 3); }
