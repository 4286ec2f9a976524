// Who runs, and for how long: goroutines that do not wait for each other share what Ps there are.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"
#include "sched/runq.h"

// behaviour 49, nested: each goroutine starts the next and then spins until its turn comes, without
// ever yielding. So each of them lies in the queue of a P that is busy, and must be stolen.
enum { PARALLEL = 4, TURNS = 10 };
static atomic_uint baton;
static group spinners;

static void start_next_and_spin(void *arg) {
  unsigned me = (unsigned)(uintptr_t)arg;
  if (me + 1 < PARALLEL) CHECK_EQ(bw_go(start_next_and_spin, (void *)(uintptr_t)(me + 1)), 0);
  for (unsigned i = 0; i < TURNS; i++) {
    while (atomic_load(&baton) != PARALLEL * i + me) {}
    atomic_fetch_add(&baton, 1);
  }
  group_done(&spinners);
}

static int nested_parallelism(void *arg) {
  (void)arg;
  for (int round = 0; round < 3; round++) {
    atomic_store(&baton, 0);
    group_init(&spinners, PARALLEL);
    CHECK_EQ(bw_go(start_next_and_spin, NULL), 0);
    group_wait(&spinners);
    CHECK_EQ(atomic_load(&baton), PARALLEL * TURNS);
  }
  return 0;
}
THREADS_TEST(sched_b49_parallelism_nested) { test_run(nested_parallelism, NULL, PARALLEL); }

// behaviour 49: the same among goroutines that sleep and wake all the time, which keeps Ms coming
// and going.
static atomic_bool naps_over;

static void nap_on(void *arg) {
  while (!atomic_load(&naps_over)) bw_sleep(50 * BW_MICROSECOND);
  group_done(arg);
}

static int parallelism_beside_sleepers(void *arg) {
  (void)arg;
  group g;
  group_init(&g, 3);
  atomic_store(&naps_over, false);
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_go(nap_on, &g), 0);
  nested_parallelism(NULL);
  atomic_store(&naps_over, true);
  group_wait(&g);
  return 0;
}
THREADS_TEST(sched_b49_parallelism_beside_sleepers) {
  test_run(parallelism_beside_sleepers, NULL, PARALLEL);
}

// behaviour 51: two busy loops on one P that call bw_gosched both go on: neither ends before the
// other has come far.
typedef struct {
  atomic_int *mine, *others;
  group *g;
} busy;

static void busy_loop(void *arg) {
  busy *b = arg;
  while (atomic_load(b->others) < 1000) {
    atomic_fetch_add(b->mine, 1);
    bw_gosched();
  }
  atomic_fetch_add(b->mine, 1000); // the other need not wait for this one any more
  group_done(b->g);
}

static int two_busy_loops(void *arg) {
  (void)arg;
  atomic_int a = 0, b = 0;
  group g;
  group_init(&g, 2);
  busy one = {&a, &b, &g}, other = {&b, &a, &g};
  CHECK_EQ(bw_go(busy_loop, &one), 0);
  CHECK_EQ(bw_go(busy_loop, &other), 0);
  group_wait(&g);
  return 0;
}
TEST(sched_b51_busy_loops_that_yield) { test_run(two_busy_loops, NULL, 1); }

// behaviour 54: two pairs of goroutines on one P play ping-pong, one pair working a thousand times
// as long in each turn. After a while neither pair has had twenty times the other's work.
typedef struct {
  bw_chan *ball;
  int loops; // of work a turn
  atomic_llong work;
} pair;

static atomic_bool game_over;

static void play(void *arg) {
  pair *p = arg;
  while (bw_chan_recv(p->ball, NULL)) {
    if (atomic_load(&game_over)) {
      bw_chan_close(p->ball); // the other waits there
      return;
    }
    for (volatile int i = 0; i < p->loops; i++) {}
    atomic_fetch_add(&p->work, p->loops);
    bw_chan_send(p->ball, NULL);
  }
}

static bool shared_fairly(long long a, long long b) { return a <= 20 * b && b <= 20 * a; }

static int hog_and_light(void *arg) {
  (void)arg;
  int light_loops = test_is_slow_build() ? 10000 : 300; // more than what a switch costs there
  pair pairs[2] = {{.loops = 300000}, {.loops = light_loops}};
  atomic_store(&game_over, false);
  for (int i = 0; i < 2; i++) {
    pairs[i].ball = bw_chan_make(0, 0);
    for (int k = 0; k < 2; k++) CHECK_EQ(bw_go(play, &pairs[i]), 0);
    bw_chan_send(pairs[i].ball, NULL);
  }
  long long heavy = 0, light = 0;
  int64_t start = bw_now();
  do {
    bw_sleep(100 * BW_MILLISECOND);
    heavy = atomic_load(&pairs[0].work);
    light = atomic_load(&pairs[1].work);
  } while (!shared_fairly(heavy, light) && bw_now() - start < 10 * BW_SECOND);
  printf("%lld loops heavy, %lld light\n", heavy, light);
  CHECK(shared_fairly(heavy, light));
  atomic_store(&game_over, true);
  while (bw_num_goroutine() > 1) bw_gosched();
  for (int i = 0; i < 2; i++) bw_chan_release(pairs[i].ball);
  return 0;
}
TEST(sched_b54_heavy_and_light_pairs) { test_run(hog_and_light, NULL, 1); }

// behaviour 58: who is woken runs next, before all that were runnable already.
static int order[64], order_len;

static void note_number(void *arg) { order[order_len++] = (int)(intptr_t)arg; }

static void note_when_woken(void *arg) {
  bw_chan_recv(arg, NULL);
  order[order_len++] = -1;
}

static int woken_runs_at_once(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(note_when_woken, c), 0);
  settle();
  order_len = 0;
  for (intptr_t i = 0; i < 20; i++) CHECK_EQ(bw_go(note_number, (void *)i), 0);
  bw_chan_send(c, NULL);
  settle();
  CHECK_EQ(order_len, 21);
  CHECK_EQ(order[0], -1);
  bw_chan_release(c);
  return 0;
}
TEST(sched_b58_woken_runs_at_once) { test_run(woken_runs_at_once, NULL, 1); }

// behaviour 58, without channels: bw__sched_ready by itself.
static bw__mutex door = BW_MUTEX_INIT(BW_RANK_CHAN);

static void wait_at_door(void *arg) {
  bw__waiter *w = arg;
  bw__mutex_lock(&door);
  bw__waiter_init(w);
  bw__wait(w, &door, BW_REASON_CHAN_RECEIVE);
  order[order_len++] = -1;
}

static int ready_next_or_last(void *arg) {
  (void)arg;
  for (int next = 0; next < 2; next++) {
    bw__waiter w;
    CHECK_EQ(bw_go(wait_at_door, &w), 0);
    settle();
    order_len = 0;
    for (intptr_t i = 0; i < 10; i++) CHECK_EQ(bw_go(note_number, (void *)i), 0);
    bw__sched_ready(w.g, next);
    settle();
    CHECK_EQ(order_len, 11);
    CHECK_EQ(order[next ? 0 : 10], -1);
  }
  return 0;
}
TEST(sched_b58_ready_next_or_last) { test_run(ready_next_or_last, NULL, 1); }

// behaviour 58: a spinner that yields all the time does not come between the turns of a ping-pong.
typedef struct {
  bw_chan *there, *back;
  atomic_bool stop;
  int turns; // of the spinner; on one P
} rally;

static void spin_and_yield(void *arg) {
  rally *r = arg;
  for (; !atomic_load(&r->stop); r->turns++) bw_gosched();
}

static void return_ball(void *arg) {
  rally *r = arg;
  while (bw_chan_recv(r->there, NULL)) bw_chan_send(r->back, NULL);
}

static int ping_pong_beside_spinner(void *arg) {
  enum { N = 5000 };
  int spinner_count = (int)(intptr_t)arg;
  rally r = {.there = bw_chan_make(0, 0), .back = bw_chan_make(0, 0)};
  for (int i = 0; i < spinner_count; i++) CHECK_EQ(bw_go(spin_and_yield, &r), 0);
  CHECK_EQ(bw_go(return_ball, &r), 0);
  settle();
  r.turns = 0;
  for (int i = 0; i < N; i++) {
    bw_chan_send(r.there, NULL);
    CHECK(bw_chan_recv(r.back, NULL));
  }
  CHECK(r.turns < N);
  atomic_store(&r.stop, true);
  bw_chan_close(r.there);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(r.there);
  bw_chan_release(r.back);
  return 0;
}
TEST(sched_b58_ping_pong_beside_a_spinner) { test_run(ping_pong_beside_spinner, (void *)1, 1); }
TEST(sched_b58_ping_pong_beside_spinners) { test_run(ping_pong_beside_spinner, (void *)8, 1); }

// An M that is started to look for work may find some in the very P that it is given. It counts no
// more as one that looks, or nobody would wake another for as long as that work goes on.
static void count_spinning(void *spinning) {
  atomic_store((atomic_int *)spinning, bw__load(&bw__sched_state.spinning));
}

static int start_m_with_work(void *arg) {
  (void)arg;
  atomic_int spinning = -1;
  bw__m nobody = {0}, *m = bw__m_current();
  while (!bw__p_take_idle(&nobody)) bw__cpu_relax();
  bw__p *p = bw__p_let_go(&nobody);
  bw__cache_use(m->p->cache);
  bw__g *g = bw__g_make(bw__m_current(), NULL, count_spinning, &spinning, 0);
  CHECK(g);
  bw__ring_push(p, g);
  bw__add(&bw__sched_state.spinning, 1);
  CHECK(bw__m_start(p, true));
  while (atomic_load(&spinning) < 0) bw__cpu_relax();
  CHECK_EQ(atomic_load(&spinning), 0);
  return 0;
}
THREADS_TEST(sched_started_m_finds_work) { test_run(start_m_with_work, NULL, 2); }
