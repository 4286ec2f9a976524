// Timers with channels, used from all sides at once: the books must balance, nothing stale is
// received, and nobody touches what was freed. And who outlives whom.
#include "chan_util.h"
#include "oom_util.h"

#include "base/list.h"
#include "base/rand.h"
#include "port/port.h"
#include "sched/timers.h"

#define HOUR (3600 * BW_SECOND)

enum { TIMERS = 6, WORKERS = 8 };

typedef struct {
  bw_timer *timer;
  bw_ticker *ticker; // the other kind, with nothing to count
  bw_chan *c;
  // Each arming is ended by a stop or reset that returns true, or by one receive.
  atomic_long armed, ended, received;
  // The moment at which the youngest reset that has returned began: no receive that begins later
  // may get a value that was due before.
  _Atomic(int64_t) least;
} shared;

static struct {
  shared at[TIMERS];
  int64_t until;
  bool changes_procs;
  group g;
} stress;

static void raise_least(shared *s, int64_t to) {
  for (int64_t is = atomic_load(&s->least);
       is < to && !atomic_compare_exchange_weak(&s->least, &is, to);) {}
}

static void reset_one(shared *s, int64_t ns) {
  int64_t start = bw_now();
  if (s->ticker) {
    bw_ticker_reset(s->ticker, ns + 1);
  } else {
    atomic_fetch_add(&s->armed, 1);
    if (bw_timer_reset(s->timer, ns)) atomic_fetch_add(&s->ended, 1);
  }
  raise_least(s, start);
}

static void stop_one(shared *s) {
  if (s->ticker)
    bw_ticker_stop(s->ticker);
  else if (bw_timer_stop(s->timer))
    atomic_fetch_add(&s->ended, 1);
}

static void check_value(shared *s, int64_t at, int64_t least) {
  CHECK(at >= least && at <= bw_now());
  atomic_fetch_add(&s->received, 1);
}

static void receive_one(shared *s, int64_t patience) {
  int64_t least = atomic_load(&s->least), at = -1;
  int code =
      patience ? bw_chan_recv_until(s->c, &at, bw_now() + patience) : bw_chan_try_recv(s->c, &at);
  if (code == 0)
    check_value(s, at, least);
  else
    CHECK(code == (patience ? BW_ETIMEDOUT : BW_EAGAIN));
}

static void receive_either(shared *a, shared *b, int64_t patience) {
  int64_t least_a = atomic_load(&a->least), least_b = atomic_load(&b->least), x = -1, y = -1;
  switch (BW_SELECT_UNTIL(bw_now() + patience, bw_on_recv(a->c, &x), bw_on_recv(b->c, &y))) {
  case 0: check_value(a, x, least_a); break;
  case 1: check_value(b, y, least_b); break;
  }
}

static void step(bw__rand *r) {
  shared *s = &stress.at[bw__rand_below(r, TIMERS)], *other = &stress.at[bw__rand_below(r, TIMERS)];
  int64_t ns = (int64_t)bw__rand_below(r, 60) * BW_MICROSECOND;
  switch (bw__rand_below(r, 10)) {
  case 0: stop_one(s); break;
  case 1: receive_one(s, 0); break;
  case 2: receive_one(s, 1 + ns); break;
  case 3: receive_either(s, other, ns); break;
  case 4: bw_gosched(); break;
  case 5:
    if (stress.changes_procs && bw__rand_below(r, 50) == 0)
      bw_gomaxprocs(1 + (int)bw__rand_below(r, 4));
    break;
  default: reset_one(s, ns); break;
  }
}

static void worker(void *arg) {
  bw__rand r = {(uint64_t)(uintptr_t)arg};
  for (int i = 0; i < 200; i++) step(&r);
  group_done(&stress.g);
}

// Nobody is at work any more: an arming that has not ended must still come. (If it is lost, this
// hangs.)
static void check_books(shared *s) {
  if (s->ticker) bw_ticker_reset(s->ticker, 1);
  long open = atomic_load(&s->armed) - atomic_load(&s->ended) - atomic_load(&s->received);
  CHECK(s->ticker || open == 0 || open == 1);
  if (s->ticker || open) {
    CHECK(bw_chan_recv(s->c, NULL));
    atomic_fetch_add(&s->received, 1);
  }
  stop_one(s);
  CHECK_EQ(bw_chan_try_recv(s->c, NULL), BW_EAGAIN);
  if (!s->ticker)
    CHECK_EQ(atomic_load(&s->armed), atomic_load(&s->ended) + atomic_load(&s->received));
}

typedef struct {
  int threads; // plain ones, among the workers
  bool changes_procs;
} mix;

static void begin(shared *s, bool is_ticker) {
  *s = (shared){.armed = 1};
  if (is_ticker)
    s->ticker = bw_ticker_make(BW_MICROSECOND);
  else
    s->timer = bw_timer_make(BW_MICROSECOND);
  s->c = is_ticker ? bw_ticker_chan(s->ticker) : bw_timer_chan(s->timer);
  CHECK(s->c);
}

static void stress_round(const mix *m, uint64_t seed) {
  bw__port_thread threads[WORKERS];
  group_init(&stress.g, WORKERS);
  for (int i = 0; i < WORKERS; i++) {
    void *own = (void *)(uintptr_t)(seed * WORKERS + (unsigned)i);
    if (i >= m->threads) {
      CHECK_EQ(bw_go(worker, own), 0);
      continue;
    }
    bw_outside_enter();
    CHECK_EQ(bw__port_thread_start(&threads[i], worker, own), 0);
  }
  group_wait(&stress.g);
  for (int i = 0; i < m->threads; i++) {
    bw__port_thread_join(&threads[i]);
    bw_outside_leave();
  }
  for (int i = 0; i < TIMERS; i++) check_books(&stress.at[i]);
}

static int stress_run(void *arg) {
  const mix *m = arg;
  int64_t until = bw_now() + test_stress_ns(1);
  uint64_t seed = 1;
  stress.changes_procs = m->changes_procs;
  for (int i = 0; i < TIMERS; i++) begin(&stress.at[i], i % 3 == 2);
  do stress_round(m, seed++);
  while (bw_now() < until);
  for (int i = 0; i < TIMERS; i++) {
    if (stress.at[i].ticker) CHECK(atomic_load(&stress.at[i].received) > 0);
    bw_timer_release(stress.at[i].timer);
    bw_ticker_release(stress.at[i].ticker);
  }
  return 0;
}
TEST(timer_chan_stress) { test_run(stress_run, &(mix){0, false}, 4); }
TEST(timer_chan_stress_on_one_proc) { test_run(stress_run, &(mix){0, false}, 1); }
TEST(timer_chan_stress_on_two_procs) { test_run(stress_run, &(mix){0, false}, 2); }
TEST(timer_chan_stress_with_moves) { test_run(stress_run, &(mix){0, true}, 4); }
THREADS_TEST(timer_chan_stress_with_threads) { test_run(stress_run, &(mix){2, false}, 2); }

// ---- let go while it fires ----------------------------------------------------------------------

static void receive_and_release(void *arg) {
  bw_chan *c = arg;
  CHECK(bw_chan_recv(c, NULL));
  bw_chan_release(c);
  group_done(&stress.g);
}

static void drop_one(bw__rand *r) {
  int64_t ns = (int64_t)bw__rand_below(r, 20) * BW_MICROSECOND;
  bw_timer *t = bw_timer_make(ns);
  bw_ticker *k = bw_ticker_make(1 + ns / 8);
  bw_chan *c = bw_after(ns);
  if (bw__rand_below(r, 2)) bw_sleep(ns);
  if (bw__rand_below(r, 4) == 0) bw_timer_stop(t);
  if (bw__rand_below(r, 4) == 0) bw_ticker_reset(k, 1);
  bw_timer_release(t);
  bw_chan_release(c);
  bw_ticker_release(k);
}

static void dropper(void *arg) {
  bw__rand r = {(uint64_t)(uintptr_t)arg};
  while (bw_now() < stress.until) {
    for (int i = 0; i < 8; i++) drop_one(&r);
    bw_timer *t = bw_timer_make(1); // whose channel another one has the end of
    atomic_fetch_add(&stress.g.left, 1);
    CHECK_EQ(bw_go(receive_and_release, bw_chan_retain(bw_timer_chan(t))), 0);
    bw_timer_release(t);
  }
  group_done(&stress.g);
}

static int64_t live_bytes(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return (int64_t)s.live_bytes;
}

static int drop_run(void *arg) {
  (void)arg;
  stress.until = bw_now() + test_stress_ns(1);
  group_init(&stress.g, WORKERS);
  for (uintptr_t i = 0; i < WORKERS; i++) CHECK_EQ(bw_go(dropper, (void *)(i + 1)), 0);
  group_wait(&stress.g);
  return 0;
}
TEST(timer_chan_released_while_it_fires) { test_run(drop_run, NULL, 4); }
TEST(timer_chan_released_while_it_fires_on_one_proc) {
  test_run(drop_run, NULL, 1);
  int64_t before = live_bytes();
  test_run(drop_run, NULL, 1);
  CHECK_EQ(live_bytes(), before);
}

// ---- who outlives whom --------------------------------------------------------------------------

// A channel goes on without its timer.
static int without_handle(void *arg) {
  (void)arg;
  bw_timer *t = bw_timer_make(BW_MILLISECOND);
  bw_chan *c = bw_chan_retain(bw_timer_chan(t));
  bw_timer_release(t);
  CHECK(bw_chan_recv(c, NULL));
  bw_chan_release(c);
  bw_ticker *k = bw_ticker_make(10 * BW_MICROSECOND);
  c = bw_chan_retain(bw_ticker_chan(k));
  bw_ticker_release(k);
  for (int i = 0; i < 5; i++) CHECK(bw_chan_recv(c, NULL));
  bw_chan_release(c);
  return 0;
}
TEST(timer_chan_without_handle) { test_run(without_handle, NULL, 1); }

static void nothing(void *arg) { (void)arg; }

static int no_chan(void *arg) {
  (void)arg;
  bw_timer *t = bw_after_func(HOUR, nothing, NULL);
  CHECK(!bw_timer_chan(t));
  CHECK(bw_timer_stop(t));
  bw_timer_release(t);
  CHECK(!bw_timer_chan(NULL));
  CHECK(!bw_ticker_chan(NULL));
  return 0;
}
TEST(timer_without_chan) { test_run(no_chan, NULL, 1); }

static struct {
  bw_timer *pending, *fired;
  bw_ticker *ticker;
  bw_chan *after;
} left;

// `pending` is due before the run ends, but with one P nobody runs it any more.
static int leave(void *arg) {
  (void)arg;
  left.after = bw_after(HOUR);
  left.ticker = bw_ticker_make(HOUR);
  left.fired = bw_timer_make(0);
  CHECK(bw_chan_recv(bw_timer_chan(left.fired), NULL));
  left.pending = bw_timer_make(0);
  return 0;
}

static int use_again(void *arg) {
  (void)arg;
  bw_ticker_reset(left.ticker, 1);
  CHECK(bw_chan_recv(bw_ticker_chan(left.ticker), NULL));
  CHECK(!bw_timer_reset(left.pending, 0)); // it was pending in another run
  CHECK(bw_chan_recv(bw_timer_chan(left.pending), NULL));
  CHECK(!bw_timer_reset(left.fired, HOUR));
  CHECK(bw_timer_reset(left.fired, 0));
  CHECK(bw_chan_recv(bw_timer_chan(left.fired), NULL));
  return 0;
}

// Those pending when the run ends do not fire, may be stopped and released, and be reset in the
// next run.
TEST(timer_chan_outlives_its_run) {
  CHECK(!bw_timer_make(0) && !bw_ticker_make(1) && !bw_after(0) && !bw_tick(1)); // no runtime
  int64_t before = 0;
  for (int i = 0; i < 6; i++) {
    test_run(leave, NULL, 1);
    CHECK_EQ(bw_chan_try_recv(bw_timer_chan(left.pending), NULL), BW_EAGAIN);
    CHECK(!bw_timer_reset(left.pending, 0));
    bw_ticker_reset(left.ticker, 1);
    if (i % 2) CHECK(!bw_timer_stop(left.pending));
    if (i % 3) test_run(use_again, NULL, 1);
    bw_timer_release(left.pending);
    bw_timer_release(left.fired);
    bw_ticker_release(left.ticker);
    bw_chan_release(left.after);
    if (i == 1) before = live_bytes();
    if (i > 1) CHECK_EQ(live_bytes(), before);
  }
}

// ---- without memory -----------------------------------------------------------------------------

static int no_memory(void *arg) {
  (void)arg;
  bw_timer *t = bw_timer_make(HOUR);
  bw_ticker *k = bw_ticker_make(HOUR);
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK(!bw_timer_make(1) && !bw_ticker_make(1) && !bw_after(1) && !bw_tick(1));
  for (int i = 0; i < 3; i++) { // those that there are need none
    CHECK_EQ(bw_timer_reset(t, BW_MICROSECOND), i == 0);
    CHECK(bw_chan_recv(bw_timer_chan(t), NULL));
    bw_ticker_reset(k, BW_MICROSECOND);
    CHECK(bw_chan_recv(bw_ticker_chan(k), NULL));
    bw_ticker_stop(k);
  }
  bw_ticker_release(k);
  bw_timer_release(t);
  CHECK(oom_end());
  oom_free(all);
  oom_check_books();
  return 0;
}
TEST(timer_chan_without_memory) { test_run(no_memory, NULL, 1); }
