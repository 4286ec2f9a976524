// Naps: when work is worth moving, and that an M that naps is there when it is needed.
#include "chan_util.h"

#include "port/port.h"
#include "sched/sched.h"

// ---- the judgement ------------------------------------------------------------------------------

TEST(sched_nap_judgement) {
  CHECK(bw__visit_was_poor(450, 9, true));       // nine calls
  CHECK(!bw__visit_was_poor(3600, 9, true));     // nine that did something
  CHECK(bw__visit_was_poor(3600, 9, false));     // nine that wait for somebody
  CHECK(bw__visit_was_poor(1500, 1, false));     // one
  CHECK(!bw__visit_was_poor(3000, 1, false));    // one that did something before it waited
  CHECK(!bw__visit_was_poor(30000, 900, false)); // a conversation that has moved as a whole
  CHECK(!bw__visit_was_poor(30000, 900, true));  // many calls
  CHECK(!bw__visit_was_poor(0, 0, true));        // the goroutine has gone with a blocking call
}

// An M comes to take work, and this is what becomes of it.
static void visit(bw__m *m, int64_t ns_ago) {
  bw__visit_begin(m);
  bw__visit_take(m);
  m->visit.took -= ns_ago;
  bw__tally_add(&m->p->runs, 1);
  bw__visit_end(m);
  CHECK(!m->visit.p);
}

// Naps grow while work is poor and start again after work that was not. (Interrupted, work looks
// better than it is: so not each visit naps.)
TEST(sched_nap_grows) {
  const int64_t a_second = 1000000000;
  bw__m m = {.p = bw__sched_record(sizeof(bw__p))};
  bw__store(&bw__sched_state.procs, 2);
  visit(&m, a_second);
  int64_t least = m.visit.nap, longest = 0;
  CHECK(least > 0 && !m.visit.guest && !m.spinning);
  for (int i = 0; i < 100000 && longest < 4 * least; i++) {
    visit(&m, 0);
    CHECK(m.visit.nap == least || m.spinning);
    if (m.visit.nap > longest) longest = m.visit.nap;
  }
  CHECK_EQ(longest, 4 * least);
  CHECK(m.visit.greedy && !m.visit.guest); // nobody was at work
  visit(&m, a_second);
  CHECK(m.visit.nap == least && !m.visit.guest && !m.visit.greedy);
  bw__store(&bw__sched_state.spinning, 0);
  bw__store(&bw__sched_state.procs, 0);
  bw_free(m.p);
}

// Who enters blocking calls may want this P when they come back.
TEST(sched_nap_not_beside_blocking_calls) {
  bw__m m = {.p = bw__sched_record(sizeof(bw__p))};
  bw__p *other = bw__sched_record(sizeof *other);
  bw__store(&bw__sched_state.procs, 2);
  bw__store(&bw__sched_state.ps[0], other);
  for (int i = 0; i < 1000; i++) {
    bw__tally_add(&other->blocks, 1);
    visit(&m, 0);
    CHECK(!m.spinning);
  }
  bw__store(&bw__sched_state.ps[0], NULL);
  bw__store(&bw__sched_state.procs, 0);
  bw_free(other);
  bw_free(m.p);
}

// At most half of those who hold a P look for work at a time, and none counts twice.
TEST(sched_nap_half_may_look) {
  bw__m m[4] = {0};
  bw__store(&bw__sched_state.procs, 4);
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 4; i++) CHECK_EQ(bw__m_spin(&m[i]), i < 2);
  CHECK_EQ(bw__load(&bw__sched_state.spinning), 2);
  bw__store(&bw__sched_state.spinning, 0);
  bw__store(&bw__sched_state.procs, 0);
}

// ---- goroutines ---------------------------------------------------------------------------------

// Two goroutines exchange messages for as long as they are wanted: an M beside them naps.
typedef struct {
  bw_chan *ping, *pong;
  atomic_bool stop;
  atomic_int rounds;
  group done;
} talk;

static void answer(void *arg) {
  talk *t = arg;
  while (bw_chan_recv(t->ping, NULL)) bw_chan_send(t->pong, NULL);
  group_done(&t->done);
}

static void ask(void *arg) {
  talk *t = arg;
  while (!atomic_load(&t->stop)) {
    bw_chan_send(t->ping, NULL);
    CHECK(bw_chan_recv(t->pong, NULL));
    atomic_fetch_add(&t->rounds, 1);
  }
  bw_chan_close(t->ping);
  group_done(&t->done);
}

static void talk_start(talk *t) {
  *t = (talk){.ping = bw_chan_make(0, 0), .pong = bw_chan_make(0, 0)};
  group_init(&t->done, 2);
  CHECK_EQ(bw_go(answer, t), 0);
  CHECK_EQ(bw_go(ask, t), 0);
}

static void talk_on(talk *t, int rounds) {
  int until = atomic_load(&t->rounds) + rounds;
  while (atomic_load(&t->rounds) < until) bw_gosched();
}

static void talk_stop(talk *t) {
  atomic_store(&t->stop, true);
  group_wait(&t->done);
  bw_chan_release(t->ping);
  bw_chan_release(t->pong);
}

static void set(void *flag) { atomic_store((atomic_bool *)flag, true); }

// Main has the flag set by somebody else and keeps its P until then; the two who talk may have
// taken the second P. The M that naps has to come for it.
typedef struct {
  int times;
  bw_timer *(*begin)(void *flag); // NULL: no timer is needed for it
} errand;

static int waits_without_leaving(void *arg) {
  const errand *e = arg;
  talk t;
  talk_start(&t);
  for (int i = 0; i < e->times; i++) {
    static atomic_bool ran;
    atomic_store(&ran, false);
    talk_on(&t, 1000);
    bw_timer *timer = e->begin((void *)&ran);
    while (!atomic_load(&ran)) bw__cpu_relax();
    bw_timer_release(timer);
  }
  talk_stop(&t);
  return 0;
}

static bw_timer *by_goroutine(void *flag) {
  CHECK_EQ(bw_go(set, flag), 0);
  return NULL;
}
THREADS_TEST(sched_nap_ends_for_work) {
  test_run(waits_without_leaving, &(errand){50, by_goroutine}, 3);
}

// By a timer that is started while the M naps.
static bw_timer *by_timer(void *flag) {
  bw_timer *timer = bw_after_func(1000, set, flag);
  CHECK(timer);
  return timer;
}
THREADS_TEST(sched_nap_ends_for_timers) {
  test_run(waits_without_leaving, &(errand){20, by_timer}, 3);
}

// Who starts goroutines that do nothing and then computes is relieved of all of them.
static void count(void *n) { atomic_fetch_add((atomic_int *)n, 1); }

static int leaves_them_to_others(void *arg) {
  (void)arg;
  enum { MANY = 300 };
  for (int i = 0; i < 20; i++) {
    static atomic_int n;
    atomic_store(&n, 0);
    for (int k = 0; k < MANY; k++) CHECK_EQ(bw_go(count, (void *)&n), 0);
    while (atomic_load(&n) < MANY) bw__cpu_relax();
  }
  return 0;
}
THREADS_TEST(sched_nap_takes_what_is_left) { test_run(leaves_them_to_others, NULL, 2); }
