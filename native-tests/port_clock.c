// The clock for the beginning of waits, which may be ahead of the real one but never behind it: its
// arithmetic on a counter and a system clock that are made up, the real thing between two looks at
// the real clock, which holds however long a thread loses its core, and what waits make of it.
#include "test.h"

#include "base/atomics.h"
#include "base/rand.h"
#include "port/port.h"
#include "port/posix/clock.h"
#include "sched/sched.h"

// ---- made up ------------------------------------------------------------------------------------

// The counter is the only time that passes. Two clocks are made from it: one that is never slewed,
// and the system's, whose speed changes.
typedef struct {
  bw__rand rand;
  double ghz;
  uint64_t tsc;
  double real, raw; // ns
  double speed;     // of `real`
} machine;

static uint64_t up_to(machine *m, uint64_t most) { return bw__rand_next(&m->rand) % (most + 1); }

static void pass(machine *m, uint64_t ticks) {
  m->tsc += ticks;
  m->raw += (double)ticks / m->ghz;
  m->real += (double)ticks / m->ghz * m->speed;
}

static bw__clock_look look(machine *m, bool raw, uint64_t ticks_before, uint64_t ticks_after) {
  bw__clock_look l = {.before = m->tsc};
  pass(m, ticks_before);
  l.ns = (int64_t)(raw ? m->raw : m->real);
  pass(m, ticks_after);
  l.after = m->tsc;
  return l;
}

// Mostly quick; sometimes interrupted, on either side of the real clock's reading.
static bw__clock_look any_look(machine *m) {
  uint64_t most = up_to(m, 9) ? 255 : 1 << up_to(m, 20);
  uint64_t before = up_to(m, most);
  return look(m, false, before, up_to(m, most));
}

// From two looks that err as much as they may, in the worse direction for `late` or for its
// opposite.
static void learn(machine *m, bw__port_clock *c, bw__clock *shared, bool late) {
  uint64_t most = BW_CLOCK_LEARN_WINDOW - 1;
  bw__clock_look first = look(m, true, late ? most : 0, late ? 0 : most);
  bw__clock_learn(c, &first, shared);
  CHECK_EQ(bw__load(&shared->rate), BW_CLOCK_LEARNS);
  pass(m, BW_CLOCK_LEARN_LEAST - most);
  bw__clock_look second = look(m, true, late ? 0 : most, late ? most : 0);
  bw__clock_learn(c, &second, shared);
  CHECK(bw__load(&shared->rate) > BW_CLOCK_LEARNS);
}

static int64_t ask(machine *m, bw__port_clock *c, bw__clock *shared) {
  uint64_t rate = bw__load(&shared->rate);
  if (rate > BW_CLOCK_LEARNS && bw__clock_is_fresh(c, m->tsc))
    return bw__clock_say(c, bw__clock_reckon(c, m->tsc, rate));
  bw__clock_look l = any_look(m);
  return bw__clock_renew(c, &l, shared);
}

static void keeps_its_word(double ghz, bool late, uint64_t seed) {
  machine m = {.rand = {seed}, .ghz = ghz, .tsc = 1 << 30, .real = 5e12, .raw = 7e9, .speed = 1};
  bw__clock shared = {BW_CLOCK_LEARNS};
  bw__port_clock c = {0};
  learn(&m, &c, &shared, late);
  int64_t last = 0;
  int reckoned = 0;
  for (int i = 0; i < 50000; i++) {
    if (up_to(&m, 99) == 0) m.speed = 0.8995 + (double)up_to(&m, 2010) / 1e4; // the limits
    pass(&m, up_to(&m, (uint64_t)1 << up_to(&m, i % 100 ? 10 : 34)));
    reckoned += bw__clock_is_fresh(&c, m.tsc);
    int64_t before = (int64_t)m.real, x = ask(&m, &c, &shared), after = (int64_t)m.real;
    CHECK(x >= before);
    CHECK(x <= after + BW_PORT_AHEAD_MOST);
    CHECK(x > last);
    last = x;
  }
  CHECK(bw__load(&shared.rate) > BW_CLOCK_LEARNS);
  CHECK(reckoned > 10000);
}
TEST(port_clock_is_never_behind_a_clock_that_is_slewed) {
  static const double ghz[] = {1.02, 1.9, 2.6, 5.7};
  for (unsigned i = 0; i < 4; i++)
    for (uint64_t seed = 1; seed <= 4; seed++) keeps_its_word(ghz[i], seed % 2, seed);
}

TEST(port_clock_learns_nothing_from_looks_that_are_too_long_or_too_far_apart) {
  machine m = {.ghz = 2, .tsc = 1 << 30, .speed = 1};
  bw__clock shared = {BW_CLOCK_LEARNS};
  bw__port_clock c = {0};
  bw__clock_look l = look(&m, true, BW_CLOCK_LEARN_WINDOW, 0);
  bw__clock_learn(&c, &l, &shared);
  CHECK(!c.learn_tsc);
  l = look(&m, true, 10, 10);
  bw__clock_learn(&c, &l, &shared);
  CHECK_EQ(c.learn_tsc, l.before);
  CHECK(!bw__clock_wants_to_learn(&c, m.tsc));
  uint64_t first = c.learn_tsc;
  pass(&m, BW_CLOCK_LEARN_LEAST / 2);
  l = look(&m, true, 10, 10);
  bw__clock_learn(&c, &l, &shared); // too soon
  CHECK_EQ(c.learn_tsc, first);
  pass(&m, BW_CLOCK_LEARN_MOST);
  CHECK(bw__clock_wants_to_learn(&c, m.tsc));
  l = look(&m, true, 10, 10);
  bw__clock_learn(&c, &l, &shared); // too late: a first one again
  CHECK_EQ(c.learn_tsc, l.before);
  CHECK_EQ(bw__load(&shared.rate), BW_CLOCK_LEARNS);
}

static uint64_t rate_at(double ghz) {
  machine m = {.ghz = ghz, .tsc = 1 << 30, .speed = 1};
  bw__clock shared = {BW_CLOCK_LEARNS};
  bw__port_clock c = {0};
  for (int i = 0; i < 2; i++) {
    bw__clock_look l = look(&m, true, 10, 10);
    bw__clock_learn(&c, &l, &shared);
    pass(&m, BW_CLOCK_LEARN_LEAST);
  }
  return bw__load(&shared.rate);
}
TEST(port_clock_uses_no_counter_that_is_too_slow_or_too_fast) {
  CHECK_EQ(rate_at(0.98), BW_CLOCK_OFF);
  CHECK(rate_at(1.02) > BW_CLOCK_LEARNS);
  CHECK(rate_at(8) > BW_CLOCK_LEARNS);
  CHECK_EQ(rate_at(20), BW_CLOCK_OFF);
}

// The counter becomes slower, as when a program is continued on another machine.
TEST(port_clock_ends_for_good_when_it_was_behind) {
  machine m = {.rand = {1}, .ghz = 3, .tsc = 1 << 30, .real = 1e9, .speed = 1};
  bw__clock shared = {BW_CLOCK_LEARNS};
  bw__port_clock c = {0}, other = {0};
  learn(&m, &c, &shared, true);
  bw__clock_look l = look(&m, false, 50, 50);
  bw__clock_renew(&c, &l, &shared);
  bw__clock_renew(&other, &l, &shared);
  CHECK(bw__clock_is_fresh(&c, m.tsc));
  m.ghz = 2;
  pass(&m, 50000);
  l = look(&m, false, 50, 50);
  CHECK_EQ(bw__clock_renew(&c, &l, &shared), l.ns);
  CHECK_EQ(bw__load(&shared.rate), BW_CLOCK_OFF);
  for (int i = 0; i < 1000; i++) {
    pass(&m, up_to(&m, 100));
    int64_t before = (int64_t)m.real;
    CHECK(ask(&m, i % 2 ? &c : &other, &shared) >= before);
    CHECK(!bw__clock_is_fresh(&c, m.tsc));
  }
  bw__clock_learn(&c, &l, &shared);
  CHECK_EQ(bw__load(&shared.rate), BW_CLOCK_OFF);
}

// A counter that goes back, or stands at another number after a sleep of the machine.
TEST(port_clock_looks_again_when_the_counter_has_jumped) {
  machine m = {.rand = {1}, .ghz = 3, .tsc = (uint64_t)1 << 40, .real = 1e9, .speed = 1};
  bw__clock shared = {BW_CLOCK_LEARNS};
  bw__port_clock c = {0};
  learn(&m, &c, &shared, false);
  for (int i = 0; i < 1000; i++) {
    ask(&m, &c, &shared);
    m.tsc = i % 2 ? m.tsc - (1 << 28) - up_to(&m, 1 << 28) : m.tsc + (1 << 29);
    CHECK(!bw__clock_is_fresh(&c, m.tsc));
    pass(&m, 300);
    int64_t before = (int64_t)m.real;
    CHECK(ask(&m, &c, &shared) >= before);
  }
  CHECK(bw__load(&shared.rate) > BW_CLOCK_LEARNS);
}

// ---- real ---------------------------------------------------------------------------------------

static void check_once(bw__port_clock *c) {
  int64_t last = c->last, before = bw__port_now(), x = bw__port_now_ahead(c);
  int64_t after = bw__port_now();
  CHECK(x >= before);
  CHECK(x <= after + BW_PORT_AHEAD_MOST);
  CHECK(x >= last);
}

static void check_for(bw__port_clock *c, int64_t ns) {
  for (int64_t end = bw__port_now() + ns; bw__port_now() < end;)
    for (int i = 0; i < 100; i++) check_once(c);
}

// From before its rate is known on, and with pauses in which a record becomes old.
TEST(port_clock_is_never_behind) {
  bw__port_clock c = {0};
  check_for(&c, 10 * BW_MILLISECOND);
  bw__port_clock_open();
  for (int i = 0; i < 12; i++) {
    check_for(&c, 90 * BW_MILLISECOND);
    bw__port_sleep_until(bw__port_now() + (BW_MICROSECOND << i));
  }
}

#if !BW_WASM

// Skipped where reading the real clock takes so long that there is nothing to gain.
TEST(port_clock_gets_to_know_its_rate) {
  bw__port_clock_open();
  int64_t least = BW_SECOND;
  for (int i = 0; i < 1000; i++) {
    int64_t before = bw__port_now(), took = bw__port_now() - before;
    if (took < least) least = took;
  }
  if (bw__load(&bw__clock_shared.rate) == BW_CLOCK_OFF) SKIP("the system's clock is no counter");
  if (least > 60) SKIP("the system's clock is slow");
  bw__port_clock c = {0};
  while (bw__load(&bw__clock_shared.rate) == BW_CLOCK_LEARNS) check_once(&c);
  CHECK(bw__load(&bw__clock_shared.rate) > BW_CLOCK_LEARNS);
  while (!c.tsc) check_once(&c); // else the test hangs
}

TEST(port_clock_switched_off_is_the_real_clock) {
  bw__port_clock_open();
  bw__port_clock c = {0};
  check_for(&c, 20 * BW_MILLISECOND);
  bw__store(&bw__clock_shared.rate, BW_CLOCK_OFF);
  check_for(&c, 20 * BW_MILLISECOND);
  bw__port_sleep_until(bw__port_now() + BW_MILLISECOND); // what was said before is past
  for (int i = 0; i < 10000; i++) {
    int64_t last = c.last, x = bw__port_now_ahead(&c);
    CHECK(x <= bw__port_now() || x == last + 1);
  }
  CHECK_EQ(bw__load(&bw__clock_shared.rate), BW_CLOCK_OFF);
}

#endif

// ---- several threads ----------------------------------------------------------------------------

// What one thread has read, another that hears of it is not behind: by no more, at the least, than
// a word of memory may take at its very worst (posix/clock.h).

enum { THREADS = 4, WORST = 20 * BW_MICROSECOND };

static void hear_and_tell(void *latest) {
  _Atomic(int64_t) *told = latest;
  bw__port_clock c = {0};
  for (int64_t end = bw__port_now() + 300 * BW_MILLISECOND, now; (now = bw__port_now()) < end;) {
    bw__store_release(told, now); // pairs with the load in another thread
    for (int i = 0; i < 20; i++) {
      int64_t heard = bw__load_acquire(told);
      CHECK(bw__port_now_ahead(&c) >= heard - WORST);
    }
  }
}
THREADS_TEST(port_clock_is_not_behind_what_another_thread_has_read) {
  bw__port_clock_open();
  static _Atomic(int64_t) told;
  bw__port_thread t[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK_EQ(bw__port_thread_start(&t[i], hear_and_tell, &told), 0);
  for (int i = 0; i < THREADS; i++) bw__port_thread_join(&t[i]);
}

static void tell_times(void *chan) {
  for (int i = 0; i < 20000; i++) {
    int64_t now = bw_now();
    bw_chan_send(chan, &now);
  }
  bw_chan_close(chan);
}

static int hear_times(void *unused) {
  (void)unused;
  bw_chan *c = bw_chan_make(sizeof(int64_t), 16);
  CHECK(c);
  CHECK_EQ(bw_go(tell_times, c), 0);
  for (int64_t heard; bw_chan_recv(c, &heard);) CHECK(bw__timers_clock() >= heard);
  bw_chan_release(c);
  return 0;
}
TEST(port_clock_is_not_behind_what_came_by_a_channel) { test_run(hear_times, NULL, 2); }

// ---- waits --------------------------------------------------------------------------------------

static void wander(void *group) {
  for (int i = 0; i < 2000; i++) {
    int64_t before = bw_now(), x = bw__timers_clock();
    CHECK(x >= before);
    CHECK(x <= bw_now() + BW_PORT_AHEAD_MOST);
    if (i % 40 == 0)
      bw_sleep(i);
    else
      bw_gosched();
  }
  bw_waitgroup_done(group);
}

static int many_wander(void *unused) {
  (void)unused;
  bw_waitgroup group = {0};
  for (int i = 0; i < 20; i++) {
    bw_waitgroup_add(&group, 1);
    CHECK_EQ(bw_go(wander, &group), 0);
  }
  bw_waitgroup_wait(&group);
  return 0;
}
TEST(port_clock_of_a_p_goes_with_it) { test_run(many_wander, NULL, 4); }

static int wait_briefly(void *unused) {
  (void)unused;
  bw_timer *t = bw_timer_make(BW_SECOND);
  CHECK(t);
  for (int ns = 1; ns < 100000; ns += ns / 16 + 1) {
    int64_t begin = bw_now(), fired;
    bw_sleep(ns);
    CHECK(bw_now() - begin >= ns);
    begin = bw_now();
    bw_timer_reset(t, ns);
    CHECK(bw_chan_recv(bw_timer_chan(t), &fired));
    CHECK(fired - begin >= ns);
    bw_cancel *cancel;
    begin = bw_now();
    bw_context *k = bw_with_timeout(bw_context_background(), ns, &cancel);
    CHECK(k);
    int64_t deadline;
    CHECK(bw_context_deadline(k, &deadline));
    CHECK(deadline - begin >= ns);
    CHECK(deadline - bw_now() <= ns + BW_PORT_AHEAD_MOST);
    bw_chan_recv(bw_context_done(k), NULL);
    CHECK(bw_now() >= deadline);
    bw_cancel_release(cancel);
    bw_context_release(k);
  }
  bw_timer_release(t);
  return 0;
}
TEST(port_clock_ends_no_wait_early) { test_run(wait_briefly, NULL, 2); }

// No wait at all is over at once.
static int wait_not_at_all(void *unused) {
  (void)unused;
  for (int i = 0; i < 1000; i++) {
    bw_cancel *cancel;
    bw_context *k = bw_with_timeout(bw_context_background(), -(i % 2), &cancel);
    CHECK(k);
    CHECK_EQ(bw_context_err(k), BW_EDEADLINE);
    bw_cancel_release(cancel);
    bw_context_release(k);
  }
  return 0;
}
TEST(port_clock_makes_no_wait_of_none) { test_run(wait_not_at_all, NULL, 1); }
