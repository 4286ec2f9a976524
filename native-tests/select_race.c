// Selects and tries against others who act at the same moment. Each test has the moment again and
// again, and something that may not come of it.
#include "chan_util.h"

#include "comm/chan.h"
#include "comm/chan_state.h"

static int rounds_of(int n) { return test_is_slow_build() ? n / 10 : n; }

// Two that are to act at the same moment wait for each other's last step in this way. They do not
// yield their cores: the system would have them take turns on one.
#define SPIN_WHILE(condition)                                                                      \
  while (condition) bw_gosched()

static const uint32_t OVER = UINT32_MAX;

// When main acts, measured from the start of a round, in turns of a loop: it looks for where it
// comes neither before the other nor after it.
typedef struct {
  int delay, before, after;
} aim;

static void aim_wait(const aim *a, uint32_t round) {
  for (volatile int i = a->delay + (int)(round % 8); i > 0; i--) {}
}

static void aim_learn(aim *a, bool was_before) {
  if (was_before) {
    a->before++;
    a->delay = a->delay < 2000 ? a->delay + 8 : 0;
  } else {
    a->after++;
    a->delay -= a->delay / 8;
  }
}

// ---- at one moment ------------------------------------------------------------------------------

// behaviour 37: at every moment a or b can be received from; so a select that looks at both never
// finds neither, also while main makes b ready and then takes a's value. With many other cases in
// between, which are never ready, looking takes as long as what main does.
enum { AMONG_MOST = 200 };

typedef struct {
  bw_chan *a, *b, *never;
  _Atomic(uint32_t) round, answered;
  int among, index;
} moment;

static void look_at_both(void *arg) {
  moment *m = arg;
  static bw_case cases[AMONG_MOST];
  for (int i = 0; i < m->among; i++) cases[i] = bw_on_recv(m->never, NULL);
  for (uint32_t round = 1;; round++) {
    SPIN_WHILE(bw__load(&m->round) < round);
    if (bw__load(&m->round) == OVER) break;
    cases[0] = bw_on_recv(m->a, NULL);
    cases[m->among - 1] = bw_on_recv(m->b, NULL);
    m->index = bw_try_select(cases, (size_t)m->among);
    bw__store(&m->answered, round);
  }
}

static void one_moment(int among, bool closes, int rounds) {
  moment m = {.never = bw_chan_make(0, 0), .among = among};
  aim at = {0};
  CHECK_EQ(bw_go(look_at_both, &m), 0);
  int64_t end = bw_now() + test_stress_ns(2);
  for (uint32_t round = 1; round <= (uint32_t)rounds && bw_now() < end; round++) {
    m.a = bw_chan_make(sizeof(int), 1);
    m.b = bw_chan_make(sizeof(int), 1);
    bw_chan_send(m.a, &among);
    bw__store(&m.round, round);
    aim_wait(&at, round);
    if (closes)
      bw_chan_close(m.b);
    else
      bw_chan_send(m.b, &among);
    BW_TRY_SELECT(bw_on_recv(m.a, NULL));
    SPIN_WHILE(bw__load(&m.answered) < round);
    if (m.index < 0) test_fail(__FILE__, __LINE__, "neither of both in round %u", round);
    aim_learn(&at, m.index > 0);
    bw_chan_release(m.a);
    bw_chan_release(m.b);
  }
  printf("found a %d times, b %d times\n", at.after, at.before);
  bw__store(&m.round, OVER);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(m.never);
}

static int of_two(void *arg) {
  one_moment(2, arg, rounds_of(100000));
  return 0;
}
static int among_many(void *arg) {
  one_moment(16, arg, rounds_of(20000));
  one_moment(AMONG_MOST, arg, rounds_of(10000));
  return 0;
}
TEST(select_b37_at_one_moment) { test_run(of_two, NULL, 2); }
TEST(select_b37_at_one_moment_with_close) { test_run(of_two, (void *)1, 2); }
TEST(select_b37_at_one_moment_among_many) { test_run(among_many, NULL, 2); }
TEST(select_b37_at_one_moment_among_many_with_close) { test_run(among_many, (void *)1, 2); }

// A try form looks without the lock. What it finds must have been so at one moment: here a receiver
// waits on an open channel until that is closed, so a send either meets it or finds the channel
// closed, and is never told to come again.
typedef struct {
  bw_chan *c;
  _Atomic(uint32_t) round;
  atomic_int answered;
  bool receives;
  int code;
} closing;

static void wait_in_channel(void *arg) {
  closing *r = arg;
  int v = 1;
  if (r->receives)
    bw_chan_recv(r->c, &v);
  else
    bw__chan_send(r->c, &v);
  atomic_fetch_add(&r->answered, 1);
}

static void try_each_round(void *arg) {
  closing *r = arg;
  for (uint32_t round = 1;; round++) {
    while (bw__load(&r->round) < round) bw__cpu_relax();
    if (bw__load(&r->round) == OVER) break;
    int v = 2;
    r->code = r->receives ? bw__chan_try_send(r->c, &v) : bw__chan_try_recv(r->c, &v);
    atomic_fetch_add(&r->answered, 1);
  }
}

static int try_while_closing(void *arg) {
  closing r = {.receives = arg};
  aim at = {0};
  int64_t end = bw_now() + test_stress_ns(1);
  chan_thread t;
  chan_thread_start(&t, try_each_round, &r);
  for (uint32_t round = 1; round < 50 || bw_now() < end; round++) {
    r.c = bw_chan_make(sizeof(int), 0);
    atomic_store(&r.answered, 0);
    CHECK_EQ(bw_go(wait_in_channel, &r), 0);
    SPIN_WHILE(bw__waitq_empty(r.receives ? &r.c->receivers : &r.c->senders));
    bw__store(&r.round, round);
    aim_wait(&at, round);
    CHECK_EQ(bw__chan_close(r.c), 0);
    SPIN_WHILE(atomic_load(&r.answered) < 2);
    while (bw_num_goroutine() > 1) bw_gosched();
    if (r.code == BW_EAGAIN) test_fail(__FILE__, __LINE__, "told to come again in round %u", round);
    aim_learn(&at, r.code != 0);
    bw_chan_release(r.c);
  }
  bw__store(&r.round, OVER);
  chan_thread_join(&t);
  printf("met %d times, closed %d times\n", at.after, at.before);
  return 0;
}
THREADS_TEST(chan_b24_try_send_while_closing) { test_run(try_while_closing, (void *)1, 1); }
THREADS_TEST(chan_b24_try_receive_while_closing) { test_run(try_while_closing, NULL, 1); }

// ---- one case only ------------------------------------------------------------------------------

// behaviour 38: a select that could send one value to four channels sends it to one
enum { WAYS = 4, NUMBERS = 100000 };

typedef struct {
  bw_chan *ways[WAYS], *merged;
  group forwarders;
  int numbers;
} four_ways;

typedef struct {
  four_ways *all;
  int way;
} forwarder;

static void send_four_ways(void *arg) {
  four_ways *f = arg;
  for (int i = 0; i < f->numbers; i++) {
    bw_case cases[WAYS];
    for (int k = 0; k < WAYS; k++) cases[k] = bw_on_send(f->ways[k], &i);
    bw_select(cases, WAYS);
  }
  for (int k = 0; k < WAYS; k++) bw_chan_close(f->ways[k]);
}

static void forward(void *arg) {
  forwarder *f = arg;
  for (int v; bw_chan_recv(f->all->ways[f->way], &v);) bw_chan_send(f->all->merged, &v);
  group_done(&f->all->forwarders);
}

static void close_merged(void *arg) {
  four_ways *f = arg;
  group_wait(&f->forwarders);
  bw_chan_close(f->merged);
}

static void each_once(bool threads) {
  static unsigned char seen[NUMBERS];
  static chan_thread helpers[WAYS];
  four_ways f = {.merged = bw_chan_make(sizeof(int), 0), .numbers = rounds_of(NUMBERS)};
  forwarder forwarders[WAYS];
  group_init(&f.forwarders, WAYS);
  memset(seen, 0, sizeof seen);
  for (int i = 0; i < WAYS; i++) {
    f.ways[i] = bw_chan_make(sizeof(int), 0);
    forwarders[i] = (forwarder){&f, i};
    if (threads && i % 2)
      chan_thread_start(&helpers[i], forward, &forwarders[i]);
    else
      CHECK_EQ(bw_go(forward, &forwarders[i]), 0);
  }
  CHECK_EQ(bw_go(send_four_ways, &f), 0);
  CHECK_EQ(bw_go(close_merged, &f), 0);
  int count = 0;
  for (int v; bw_chan_recv(f.merged, &v); count++) {
    if (seen[v]++) test_fail(__FILE__, __LINE__, "%d came twice", v);
  }
  CHECK_EQ(count, f.numbers);
  for (int i = 0; threads && i < WAYS; i++)
    if (i % 2) chan_thread_join(&helpers[i]);
  while (bw_num_goroutine() > 1) bw_gosched();
  for (int i = 0; i < WAYS; i++) bw_chan_release(f.ways[i]);
  bw_chan_release(f.merged);
}

static int each_value_once(void *arg) {
  each_once(arg);
  return 0;
}
TEST(select_b38_one_case_only) { test_run(each_value_once, NULL, 2); }
TEST(select_b38_one_case_only_on_four_procs) { test_run(each_value_once, NULL, 4); }
THREADS_TEST(select_b38_one_case_only_with_threads) { test_run(each_value_once, (void *)1, 2); }

// ---- deadlines ----------------------------------------------------------------------------------

// A deadline passes while the value is handed over, which takes long: it is large. It has arrived
// as a whole then, or not at all, and both sides say the same.
enum { LARGE = 60000 };

typedef struct {
  bw_chan *c;
  atomic_bool stop;
  unsigned char *from, *to;
  atomic_int sent, received, gave_up;
} hand_over;

static int64_t soon(int i) { return bw_now() + (int64_t)(i * 7919 % 32) * BW_MICROSECOND; }

static void send_large(void *arg) {
  hand_over *h = arg;
  for (int i = 0; !atomic_load(&h->stop); i++) {
    unsigned char stamp = (unsigned char)(atomic_load(&h->sent) + 1);
    h->from[0] = h->from[LARGE / 2] = h->from[LARGE - 1] = stamp;
    int code = bw_chan_send_until(h->c, h->from, soon(i));
    atomic_fetch_add(code == 0 ? &h->sent : &h->gave_up, 1);
    if (code != 0) CHECK_EQ(code, BW_ETIMEDOUT);
    memset(h->from, 0, LARGE); // what is still being copied would show it
  }
}

static void recv_large(void *arg) {
  hand_over *h = arg;
  for (int i = 5; !atomic_load(&h->stop); i++) {
    memset(h->to, 0, LARGE);
    int code = bw_chan_recv_until(h->c, h->to, soon(i));
    unsigned char stamp = code == 0 ? (unsigned char)(atomic_load(&h->received) + 1) : 0;
    CHECK_EQ(h->to[LARGE - 1], stamp);
    CHECK_EQ(h->to[LARGE / 2], stamp);
    CHECK_EQ(h->to[0], stamp);
    atomic_fetch_add(code == 0 ? &h->received : &h->gave_up, 1);
    if (code != 0) CHECK_EQ(code, BW_ETIMEDOUT);
  }
}

static void run_hand_over(bool sender_is_thread, bool receiver_is_thread) {
  hand_over h = {
      .c = bw_chan_make(LARGE, 0), .from = bw_calloc(1, LARGE), .to = bw_calloc(1, LARGE)};
  chan_thread threads[2];
  if (sender_is_thread)
    chan_thread_start(&threads[0], send_large, &h);
  else
    CHECK_EQ(bw_go(send_large, &h), 0);
  if (receiver_is_thread)
    chan_thread_start(&threads[1], recv_large, &h);
  else
    CHECK_EQ(bw_go(recv_large, &h), 0);
  bw_sleep(test_stress_ns(1) / 2);
  atomic_store(&h.stop, true);
  if (sender_is_thread) chan_thread_join(&threads[0]);
  if (receiver_is_thread) chan_thread_join(&threads[1]);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(atomic_load(&h.sent), atomic_load(&h.received));
  printf("%d handed over, %d given up\n", atomic_load(&h.sent), atomic_load(&h.gave_up));
  bw_chan_release(h.c);
  bw_free(h.from);
  bw_free(h.to);
}

static int hand_overs(void *arg) {
  int threads = (int)(uintptr_t)arg;
  run_hand_over(threads & 1, threads >> 1 & 1);
  return 0;
}
TEST(select_deadline_during_hand_over) { test_run(hand_overs, NULL, 2); }
THREADS_TEST(select_deadline_during_hand_over_by_thread) { test_run(hand_overs, (void *)1, 2); }
THREADS_TEST(select_deadline_during_hand_over_to_thread) { test_run(hand_overs, (void *)2, 2); }
