// Condition variables whose locker does not simply unlock: it panics, ends its goroutine, or is
// still parked in its unlock when the run ends. Nobody may be left in a list then.
#include "chan_util.h"
#include "panic_util.h"

#include "sched/sched.h"
#include "sync/cond.h"

typedef enum {
  WAITS,   // bw_cond_wait
  LIMITED, // with a deadline and a source
} form;

static bw__cancel_source source;

static void wait_at(bw_cond *c, form how) {
  if (how == LIMITED)
    bw__cond_wait_with(c, bw_now() + 3600 * BW_SECOND, &source);
  else
    bw_cond_wait(c);
}

static void check_nobody(const bw_cond *c) {
  CHECK_EQ(c->wait, c->notify);
  CHECK(!c->waiters[0] || c->waiters[0] == c->waiters);
}

static void lock_nothing(void *arg) { (void)arg; }

// What lay below the caller's frame is overwritten.
static BW_NOINLINE void overwrite(void) {
  char bytes[4096];
  memset(bytes, 0x5a, sizeof bytes);
  __asm__ volatile("" : : "r"(bytes) : "memory");
}

// ---- an unlock that does not return -------------------------------------------------------------

typedef struct {
  bw_cond cond;
  form how;
  bool signals; // before
  bool exits;   // or else it panics
  bool left;    // its deferred functions have run
} broken;

static void break_off(void *arg) {
  broken *b = arg;
  if (b->signals) bw_cond_signal(&b->cond);
  if (b->exits) bw_goexit();
  bw_panic("unlock");
}

static void begin(broken *b, form how) {
  *b = (broken){.how = how};
  b->cond = (bw_cond)BW_COND_LOCKER({lock_nothing, break_off, b});
  bw__cancel_init(&source);
}

static void wait_broken(void *arg) {
  broken *b = arg;
  wait_at(&b->cond, b->how);
}

static void unlock_panics(bool signals) {
  for (form how = WAITS; how <= LIMITED; how++) {
    broken b;
    caught words;
    begin(&b, how);
    b.signals = signals;
    CHECK(panics(wait_broken, &b, &words));
    CHECK_STR(words.text, "unlock");
    check_nobody(&b.cond);
    CHECK(bw__list_empty(&source.watches));
    overwrite();
    CHECK(bw__cancel_fire(&source)); // calls nobody
  }
}

BOTH_TEST(cond_unlock_that_panics) { unlock_panics(false); }
BOTH_TEST(cond_unlock_that_signals_and_panics) { unlock_panics(true); }

static void note_left(void *arg) { ((broken *)arg)->left = true; }

static void wait_and_exit(void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(note_left, arg);
  wait_broken(arg);
}

static int unlock_exits(void *arg) {
  (void)arg;
  for (form how = WAITS; how <= LIMITED; how++) {
    broken b;
    begin(&b, how);
    b.exits = true;
    CHECK_EQ(bw_go(wait_and_exit, &b), 0);
    settle();
    CHECK(b.left);
    check_nobody(&b.cond);
    CHECK(bw__list_empty(&source.watches));
    CHECK(bw__cancel_fire(&source));
  }
  return 0;
}
TEST(cond_unlock_that_ends_its_goroutine) { test_run(unlock_exits, NULL, 1); }

// It has recovered, and lives on until the run ends.
static void recover_and_stay(void *arg) {
  caught words;
  CHECK(panics(wait_broken, arg, &words));
  const bw__g *g = bw__g_current();
  CHECK(!g->choosing);
  CHECK(!g->entering);
  overwrite();
  for (;;) bw_gosched();
}

static int leave_recovered(void *arg) {
  CHECK_EQ(bw_go(recover_and_stay, arg), 0);
  settle();
  return 0;
}

TEST(cond_run_ends_after_an_unlock_that_panicked) {
  for (form how = WAITS; how <= LIMITED; how++) {
    static broken b;
    begin(&b, how);
    test_run(leave_recovered, &b, 1);
    check_nobody(&b.cond);
  }
}

// ---- an unlock that the run ends in -------------------------------------------------------------

typedef enum { RECEIVES, SELECTS, SELECTED, WOKEN, CANCELLABLE, NESTED, PLACES } place;

static struct {
  bw_cond outer, inner, innermost;
  bw_mutex mu;
  form how;
  place where;
  bw_chan *a, *b;
  bool inside;
} world;

static void receive(void *arg) {
  (void)arg;
  world.inside = true;
  bw_chan_recv(world.a, NULL);
}

static void stay(void *arg) {
  (void)arg;
  world.inside = true;
  switch (world.where) {
  case SELECTED:
    CHECK_EQ(BW_SELECT(bw_on_recv(world.a, NULL), bw_on_recv(world.b, NULL)), 1);
    for (;;) bw_gosched();
  case SELECTS:
  case WOKEN: BW_SELECT(bw_on_recv(world.a, NULL), bw_on_recv(world.b, NULL)); break;
  case CANCELLABLE:
    bw_mutex_lock(&world.mu);
    bw__cond_wait_with(&world.innermost, BW_SEMA_NO_DEADLINE, &source);
    break;
  case NESTED: wait_at(&world.inner, world.how); break;
  default: bw_chan_recv(world.a, NULL);
  }
  test_fail(__FILE__, __LINE__, "the unlock goes on");
}

static void wait_outside(void *arg) {
  (void)arg;
  wait_at(&world.outer, world.how);
}

static int leave_inside(void *arg) {
  (void)arg;
  for (int i = 0; i < 2; i++) { // neighbours in the list
    world.inside = false;
    CHECK_EQ(bw_go(wait_outside, NULL), 0);
    settle();
    CHECK(world.inside);
    if (world.where == SELECTED) bw_chan_send(world.b, NULL);
    settle();
  }
  CHECK_EQ(world.outer.wait - world.outer.notify, 2);
  CHECK_EQ(world.inner.wait - world.inner.notify, world.where == NESTED ? 2 : 0);
  CHECK_EQ(world.innermost.wait - world.innermost.notify, world.where == CANCELLABLE ? 2 : 0);
  for (int i = 0; i < 2 && world.where == WOKEN; i++) bw_chan_send(world.b, NULL);
  return 0;
}

static int look_again(void *arg) {
  (void)arg;
  bw_cond *all[] = {&world.outer, &world.inner, &world.innermost};
  for (int i = 0; i < 3; i++) {
    bw_cond_signal(all[i]);
    bw_cond_broadcast(all[i]);
    check_nobody(all[i]);
  }
  CHECK_EQ(BW_TRY_SELECT(bw_on_send(world.a, NULL), bw_on_send(world.b, NULL)), BW_EAGAIN);
  return 0;
}

static void end_inside(form how, place where) {
  world.how = how;
  world.where = where;
  world.mu = (bw_mutex){0};
  world.outer = (bw_cond)BW_COND_LOCKER({lock_nothing, stay, NULL});
  world.inner = (bw_cond)BW_COND_LOCKER({lock_nothing, receive, NULL});
  world.innermost = (bw_cond)BW_COND(&world.mu);
  world.a = bw_chan_make(0, 0);
  world.b = bw_chan_make(0, 0);
  bw__cancel_init(&source);
  test_run(leave_inside, NULL, 1);
  check_nobody(&world.outer);
  check_nobody(&world.inner);
  check_nobody(&world.innermost);
  CHECK(bw__list_empty(&source.watches));
  CHECK(bw__cancel_fire(&source));
  test_run(look_again, NULL, 1);
  bw_chan_release(world.a);
  bw_chan_release(world.b);
}

TEST(cond_run_ends_in_an_unlock) {
  for (place where = RECEIVES; where < PLACES; where++) end_inside(WAITS, where);
}
TEST(cond_run_ends_in_an_unlock_limited) {
  for (place where = RECEIVES; where < PLACES; where++) end_inside(LIMITED, where);
}

// The nested waits are over: it waits in the list, as others do.
static bool let_go;

static void select_and_return(void *arg) {
  bw_chan **c = arg;
  CHECK_EQ(BW_SELECT(bw_on_recv(c[0], NULL), bw_on_recv(c[1], NULL)), 1);
}

static void wait_for_it(void *cond) {
  bw_cond_wait(cond);
  let_go = true;
  CHECK(!bw__g_current()->choosing);
  CHECK(!bw__g_current()->entering);
}

static int selects_in_unlock(void *arg) {
  (void)arg;
  bw_chan *c[2] = {bw_chan_make(0, 0), bw_chan_make(0, 0)};
  bw_cond cond = BW_COND_LOCKER({lock_nothing, select_and_return, c});
  let_go = false;
  CHECK_EQ(bw_go(wait_for_it, &cond), 0);
  settle();
  bw_chan_send(c[1], NULL);
  settle();
  CHECK(!let_go);
  CHECK_EQ(cond.wait - cond.notify, 1);
  bw_cond_signal(&cond);
  settle();
  CHECK(let_go);
  check_nobody(&cond);
  bw_chan_release(c[0]);
  bw_chan_release(c[1]);
  return 0;
}
TEST(cond_unlock_that_selects) { test_run(selects_in_unlock, NULL, 1); }
