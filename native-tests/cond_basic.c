// Condition variables: who is woken, in which order, and what becomes of the lock.
#include "chan_util.h"
#include "panic_util.h"

#include "sync/cond.h"

// With one P: after settle() everybody waits who can.

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  int waiting, woken; // under mu
  int order[16];      // who was woken, one after the other
} place;

typedef struct {
  place *at;
  int number;
} guest;

static place place_make(void) { return (place){.waiting = 0}; }

static void be_guest(void *arg) {
  const guest *g = arg;
  place *p = g->at;
  bw_mutex_lock(&p->mu);
  p->waiting++;
  bw_cond_wait(&p->cond);
  p->waiting--;
  p->order[p->woken++] = g->number;
  bw_mutex_unlock(&p->mu);
}

static void start_guests(place *p, guest *guests, int n) {
  for (int i = 0; i < n; i++) {
    guests[i] = (guest){p, i};
    CHECK_EQ(bw_go(be_guest, &guests[i]), 0);
    settle();
  }
  CHECK_EQ(p->waiting, n);
}

// ---- signal -------------------------------------------------------------------------------------

static int wakes_one(void *arg) {
  (void)arg;
  enum { N = 3 };
  place p = place_make();
  p.cond = (bw_cond)BW_COND(&p.mu);
  guest guests[N];
  bw_cond_signal(&p.cond); // of nobody: does nothing, now or later
  bw_cond_broadcast(&p.cond);
  start_guests(&p, guests, N);
  CHECK_EQ(p.woken, 0);
  for (int i = 0; i < N; i++) {
    bw_mutex_lock(&p.mu);
    bw_cond_signal(&p.cond);
    settle();
    CHECK_EQ(p.woken, i); // the lock is ours still
    bw_mutex_unlock(&p.mu);
    settle();
    CHECK_EQ(p.woken, i + 1);
  }
  bw_cond_signal(&p.cond);
  settle();
  CHECK_EQ(p.woken, N);
  CHECK_EQ(p.cond.wait, p.cond.notify);
  return 0;
}
TEST(cond_b106_signal_wakes_exactly_one) { test_run(wakes_one, NULL, 1); }

static int in_order(void *arg) {
  (void)arg;
  enum { N = 16 };
  for (int round = 0; round < 20; round++) {
    place p = place_make();
    p.cond = (bw_cond)BW_COND(&p.mu);
    p.cond.wait = p.cond.notify = round % 2 ? 0 : UINT32_MAX - 5; // and beyond the end of numbers
    guest guests[N];
    start_guests(&p, guests, N);
    for (int i = 0; i < N; i++) {
      bw_cond_signal(&p.cond);
      settle();
      CHECK_EQ(p.woken, i + 1);
      CHECK_EQ(p.order[i], i);
    }
    CHECK_EQ(p.cond.wait, p.cond.notify);
  }
  return 0;
}
TEST(cond_b107_first_come_first_woken) { test_run(in_order, NULL, 1); }

// A generation of ten waits; each signal wakes one of the oldest generation.
enum { GENERATIONS = 100, A_GENERATION = 10 };

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  bw_chan *running, *awake;
} generations;

typedef struct {
  generations *g;
  int number;
} member;

static void be_member(void *arg) {
  const member m = *(member *)arg;
  bw_mutex_lock(&m.g->mu);
  bw_chan_send(m.g->running, NULL);
  bw_cond_wait(&m.g->cond);
  bw_chan_send(m.g->awake, &m.number);
  bw_mutex_unlock(&m.g->mu);
}

static int by_generations(void *arg) {
  (void)arg;
  generations g = {.running = bw_chan_make(0, 0), .awake = bw_chan_make(sizeof(int), 100)};
  g.cond = (bw_cond)BW_COND(&g.mu);
  bw_go_options copied = {.arg_size = sizeof(member)};
  for (int i = 0; i < GENERATIONS * A_GENERATION; i++) {
    member m = {&g, i};
    CHECK_EQ(bw_go_with(&copied, be_member, &m), 0);
    bw_chan_recv(g.running, NULL);
    if (i >= A_GENERATION) {
      int number;
      CHECK(bw_chan_recv(g.awake, &number));
      CHECK_EQ(number, i - A_GENERATION);
    }
    bw_mutex_lock(&g.mu); // it waits
    bw_mutex_unlock(&g.mu);
    if (i >= A_GENERATION - 1) bw_cond_signal(&g.cond);
  }
  for (int i = 1; i < A_GENERATION; i++) bw_cond_signal(&g.cond);
  for (int i = 0; i < A_GENERATION; i++) bw_chan_recv(g.awake, NULL);
  bw_mutex_lock(&g.mu); // the last one has unlocked
  bw_mutex_unlock(&g.mu);
  bw_chan_release(g.running);
  bw_chan_release(g.awake);
  return 0;
}
TEST(cond_b107_generations) { test_run(by_generations, NULL, 0); }

// ---- broadcast ----------------------------------------------------------------------------------

enum { CROWD = 200 };

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  bw_waitgroup running;
  bw_chan *awake;
  bool over;
} crowd;

typedef struct {
  crowd *c;
  int number;
} one;

static void be_one(void *arg) {
  const one o = *(one *)arg;
  bw_mutex_lock(&o.c->mu);
  while (!o.c->over) {
    bw_waitgroup_done(&o.c->running);
    bw_cond_wait(&o.c->cond);
    bw_chan_send(o.c->awake, &o.number);
  }
  bw_mutex_unlock(&o.c->mu);
}

static int crowds(void *arg) {
  (void)arg;
  int rounds = test_is_slow_build() ? 20 : CROWD;
  crowd c = {.awake = bw_chan_make(sizeof(int), CROWD)};
  bw_waitgroup all = {0};
  one ones[CROWD];
  c.cond = (bw_cond)BW_COND(&c.mu);
  bw_waitgroup_add(&c.running, CROWD);
  for (int i = 0; i < CROWD; i++) {
    ones[i] = (one){&c, i};
    CHECK_EQ(bw_waitgroup_go(&all, be_one, &ones[i]), 0);
  }
  for (int round = 0; round < rounds; round++) {
    bool seen[CROWD] = {false};
    bw_waitgroup_wait(&c.running);
    bw_mutex_lock(&c.mu); // the last one waits
    bw_waitgroup_add(&c.running, CROWD);
    c.over = round == rounds - 1;
    CHECK_EQ(bw_chan_try_recv(c.awake, NULL), BW_EAGAIN);
    bw_cond_broadcast(&c.cond);
    bw_mutex_unlock(&c.mu);
    for (int i = 0; i < CROWD; i++) {
      int number;
      bw_chan_recv(c.awake, &number);
      CHECK(!seen[number]);
      seen[number] = true;
    }
  }
  bw_waitgroup_wait(&all);
  CHECK_EQ(bw_chan_len(c.awake), 0);
  bw_chan_release(c.awake);
  return 0;
}
TEST(cond_b108_broadcast_wakes_all_once) { test_run(crowds, NULL, 0); }
TEST(cond_b108_broadcast_on_one_p) { test_run(crowds, NULL, 1); }

// ---- hand-over ----------------------------------------------------------------------------------

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  int x;
  bw_waitgroup all;
} race;

static void first(void *arg) {
  race *r = arg;
  bw_mutex_lock(&r->mu);
  r->x = 1;
  bw_cond_wait(&r->cond);
  CHECK_EQ(r->x, 2);
  r->x = 3;
  bw_cond_signal(&r->cond);
  bw_mutex_unlock(&r->mu);
}

static void second(void *arg) {
  race *r = arg;
  for (;; bw_gosched()) {
    bw_mutex_lock(&r->mu);
    bool now = r->x == 1;
    if (now) {
      r->x = 2;
      bw_cond_signal(&r->cond);
    }
    bw_mutex_unlock(&r->mu);
    if (now) return;
  }
}

static void third(void *arg) {
  race *r = arg;
  for (;; bw_gosched()) {
    bw_mutex_lock(&r->mu);
    if (r->x == 2) {
      bw_cond_wait(&r->cond);
      CHECK_EQ(r->x, 3);
    }
    bool now = r->x == 3;
    bw_mutex_unlock(&r->mu);
    if (now) return;
  }
}

static int hand_over(void *arg) {
  (void)arg;
  for (int i = 0; i < 200; i++) {
    race r = {.x = 0};
    r.cond = (bw_cond)BW_COND(&r.mu);
    CHECK_EQ(bw_waitgroup_go(&r.all, first, &r), 0);
    CHECK_EQ(bw_waitgroup_go(&r.all, second, &r), 0);
    CHECK_EQ(bw_waitgroup_go(&r.all, third, &r), 0);
    bw_waitgroup_wait(&r.all);
  }
  return 0;
}
TEST(cond_b109_hand_over_between_three) { test_run(hand_over, NULL, 0); }
TEST(cond_b109_hand_over_on_one_p) { test_run(hand_over, NULL, 1); }

// ---- nobody's signal is stolen ------------------------------------------------------------------

typedef struct {
  bw_mutex mu;
  bw_cond cond;
  bw_chan *locked, *done;
  bw_waitgroup all;
  bool over;
} theft;

static void wait_once(void *arg) {
  theft *t = arg;
  bw_mutex_lock(&t->mu);
  bw_chan_send(t->locked, NULL);
  bw_cond_wait(&t->cond);
  bw_mutex_unlock(&t->mu);
  bw_chan_send(t->done, NULL);
}

static void broadcast(void *cond) { bw_cond_broadcast(cond); }

static void wait_until_over(void *arg) {
  theft *t = arg;
  bw_mutex_lock(&t->mu);
  while (!t->over) bw_cond_wait(&t->cond);
  bw_mutex_unlock(&t->mu);
}

static int thefts(void *arg) {
  (void)arg;
  for (int i = 0; i < 1000; i++) {
    theft t = {.locked = bw_chan_make(0, 0), .done = bw_chan_make(0, 1)};
    t.cond = (bw_cond)BW_COND(&t.mu);
    CHECK_EQ(bw_waitgroup_go(&t.all, wait_once, &t), 0);
    bw_chan_recv(t.locked, NULL);
    bw_mutex_lock(&t.mu); // it waits
    bw_mutex_unlock(&t.mu);
    CHECK_EQ(bw_waitgroup_go(&t.all, broadcast, &t.cond), 0);
    CHECK_EQ(bw_waitgroup_go(&t.all, wait_until_over, &t), 0); // may come before or after that
    bw_chan_recv(t.done, NULL);
    bw_mutex_lock(&t.mu);
    t.over = true;
    bw_mutex_unlock(&t.mu);
    bw_cond_broadcast(&t.cond);
    bw_waitgroup_wait(&t.all);
    bw_chan_release(t.locked);
    bw_chan_release(t.done);
  }
  return 0;
}
TEST(cond_b110_no_signal_is_stolen) { test_run(thefts, NULL, 0); }

// ---- misuse -------------------------------------------------------------------------------------

static void wait_here(void *c) { bw_cond_wait(c); }
static void signal_here(void *c) { bw_cond_signal(c); }

BOTH_TEST(cond_b111_a_copy_panics) {
  bw_mutex mu = {0};
  bw_cond c = BW_COND(&mu), before = c;
  caught words;
  bw_cond_signal(&c);
  bw_cond copy = c;
  CHECK(panics(wait_here, &copy, &words));
  CHECK_STR(words.text, "sync.Cond is copied");
  CHECK(panics(signal_here, &copy, &words));
  CHECK_STR(words.text, "sync.Cond is copied");
  CHECK(panics(broadcast, &copy, &words));
  CHECK_STR(words.text, "sync.Cond is copied");
  bw_cond_signal(&before); // of one that was not used
  bw_cond_broadcast(&c);
}

BOTH_TEST(cond_without_a_locker) {
  bw_cond c = {0};
  caught words;
  bw_cond_signal(&c);
  CHECK(panics(wait_here, &c, &words));
  CHECK_STR(words.text, "sync.Cond has no locker");
}

static int wait_unlocked(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_cond c = BW_COND(&mu);
  bw_cond_wait(&c);
  return 0;
}
DEATH_TEST(cond_wait_without_the_lock, 2, "fatal error: sync: unlock of unlocked mutex") {
  test_run(wait_unlocked, NULL, 1);
}

static int never_signalled(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_cond c = BW_COND(&mu);
  bw_mutex_lock(&mu);
  bw_cond_wait(&c);
  return 0;
}
DEATH_TEST(cond_never_signalled_is_a_deadlock, 2, "sync.Cond.Wait") {
  test_run(never_signalled, NULL, 1);
}
