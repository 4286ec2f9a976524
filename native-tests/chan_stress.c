// Channels under load, with exact accounting. Short under sanitizers.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"

static int scaled(int n) { return test_is_slow_build() ? n / 10 : n; }

static uint64_t all_migrations(void) {
  uint64_t n = 0;
  for (int i = 0; i < bw_procs(); i++) n += bw_proc_stats_read(i).migrations;
  return n;
}

// behaviour 8: 4 senders and 4 receivers, every value exactly as often as it was sent
typedef struct {
  bw_chan *c;
  group senders, receivers;
  int per_sender;
  atomic_int seen[1000];
} crowd;

static void crowd_sender(void *arg) {
  crowd *w = arg;
  for (int i = 0; i < w->per_sender; i++) bw_chan_send(w->c, &i);
  group_done(&w->senders);
}

static void crowd_receiver(void *arg) {
  crowd *w = arg;
  for (int v; bw_chan_recv(w->c, &v);) atomic_fetch_add(&w->seen[v], 1);
  group_done(&w->receivers);
}

static int four_by_four(void *arg) {
  (void)arg;
  static const int caps[] = {0, 1, 2, 10, 199};
  for (int k = 0; k < 5; k++) {
    crowd *w = bw_calloc(1, sizeof *w);
    w->c = bw_chan_make(sizeof(int), caps[k]);
    w->per_sender = 1000;
    group_init(&w->senders, 4);
    group_init(&w->receivers, 4);
    for (int i = 0; i < 4; i++) {
      CHECK_EQ(bw_go(crowd_sender, w), 0);
      CHECK_EQ(bw_go(crowd_receiver, w), 0);
    }
    group_wait(&w->senders);
    bw_chan_close(w->c);
    group_wait(&w->receivers);
    for (int i = 0; i < w->per_sender; i++) CHECK_EQ(atomic_load(&w->seen[i]), 4);
    bw_chan_release(w->c);
    bw_free(w);
  }
  return 0;
}
TEST(chan_b8_four_by_four) { test_run(four_by_four, NULL, 4); }

// 1,000 goroutines x 1,000 channel operations on 4 Ps: exact sums, and goroutines that moved
enum { THOUSAND = 1000 };

typedef struct {
  bw_chan *c;
  int ops;
  group g;
  atomic_llong sum;
} thousand;

static void thousand_sender(void *arg) {
  thousand *t = arg;
  for (int i = 1; i <= t->ops; i++) bw_chan_send(t->c, &i);
  group_done(&t->g);
}

static void thousand_receiver(void *arg) {
  thousand *t = arg;
  long long sum = 0;
  for (int i = 0, v; i < t->ops; i++) {
    CHECK(bw_chan_recv(t->c, &v));
    sum += v;
  }
  atomic_fetch_add(&t->sum, sum);
  group_done(&t->g);
}

static int thousand_by_thousand(void *arg) {
  (void)arg;
  thousand t = {.c = bw_chan_make(sizeof(int), 8), .ops = scaled(THOUSAND)};
  group_init(&t.g, THOUSAND);
  for (int i = 0; i < THOUSAND / 2; i++) {
    CHECK_EQ(bw_go(thousand_sender, &t), 0);
    CHECK_EQ(bw_go(thousand_receiver, &t), 0);
  }
  group_wait(&t.g);
  long long one = (long long)t.ops * (t.ops + 1) / 2;
  CHECK_EQ(atomic_load(&t.sum), one * (THOUSAND / 2));
  CHECK_EQ(bw_chan_len(t.c), 0);
  if (bw__port_capabilities.threads) CHECK(all_migrations() > 0);
  printf("%llu migrations on %d procs\n", (unsigned long long)all_migrations(), bw_procs());
  bw_chan_release(t.c);
  return 0;
}
TEST(chan_stress_thousand_by_thousand) { test_run(thousand_by_thousand, NULL, 4); }

// behaviour 22: many workers range over one channel, one closer, then close of the results
enum { WORKERS = 23, ITEMS = 271828 };

typedef struct {
  bw_chan *work, *results;
  group g;
  int items;
} multi;

static void multi_worker(void *arg) {
  multi *m = arg;
  for (int v; bw_chan_recv(m->work, &v);) {
    if (v % 7 == 0) bw_gosched();
    int r = v + 1;
    bw_chan_send(m->results, &r);
  }
  group_done(&m->g);
}

static void multi_feeder(void *arg) {
  multi *m = arg;
  for (int i = 0; i < m->items; i++) bw_chan_send(m->work, &i);
  bw_chan_close(m->work);
}

static void multi_closer(void *arg) {
  multi *m = arg;
  group_wait(&m->g);
  bw_chan_close(m->results);
}

static int multi_consumer(void *arg) {
  (void)arg;
  multi m = {bw_chan_make(sizeof(int), WORKERS), bw_chan_make(sizeof(int), WORKERS),
             .items = scaled(ITEMS)};
  group_init(&m.g, WORKERS);
  for (int i = 0; i < WORKERS; i++) CHECK_EQ(bw_go(multi_worker, &m), 0);
  CHECK_EQ(bw_go(multi_feeder, &m), 0);
  CHECK_EQ(bw_go(multi_closer, &m), 0);
  long long sum = 0;
  int count = 0;
  for (int v; bw_chan_recv(m.results, &v); count++) sum += v;
  CHECK_EQ(count, m.items);
  CHECK_EQ(sum, (long long)m.items * (m.items + 1) / 2);
  bw_chan_release(m.work);
  bw_chan_release(m.results);
  return 0;
}
TEST(chan_b22_multi_consumer) { test_run(multi_consumer, NULL, 0); }

// behaviour 23: 10,000 goroutines in a chain
typedef struct {
  bw_chan *left, *right;
} chain_link;

static void chain_step(void *arg) {
  chain_link l = *(chain_link *)arg;
  bw_free(arg);
  int v;
  CHECK(bw_chan_recv(l.right, &v));
  v++;
  bw_chan_send(l.left, &v);
  bw_chan_release(l.left);
  bw_chan_release(l.right);
}

static int long_chain(void *arg) {
  (void)arg;
  int n = test_is_slow_build() ? 500 : 10000;
  bw_chan *leftmost = bw_chan_make(sizeof(int), 0), *left = bw_chan_retain(leftmost);
  for (int i = 0; i < n; i++) {
    bw_chan *right = bw_chan_make(sizeof(int), 0);
    chain_link *l = bw_malloc(sizeof *l);
    *l = (chain_link){left, right};
    CHECK_EQ(bw_go(chain_step, l), 0);
    left = bw_chan_retain(right);
  }
  bw_chan_send(left, &(int){0});
  bw_chan_release(left);
  int v;
  CHECK(bw_chan_recv(leftmost, &v));
  CHECK_EQ(v, n);
  bw_chan_release(leftmost);
  return 0;
}
TEST(chan_b23_long_chain) { test_run(long_chain, NULL, 0); }

// behaviour 24: receive-or-default never misses a value or the close
typedef struct {
  bw_chan *c, *go, *answer;
} race;

static void race_receiver(void *arg) {
  race *r = arg;
  for (int unused; bw_chan_recv(r->go, &unused);) {
    int v, found = bw_chan_try_recv(r->c, &v) != BW_EAGAIN;
    bw_chan_send(r->answer, &found);
  }
  bw_chan_send(r->answer, &(int){-1});
}

static int nonblocking_receive_race(void *arg) {
  (void)arg;
  race r = {NULL, bw_chan_make(sizeof(int), 1), bw_chan_make(sizeof(int), 1)};
  CHECK_EQ(bw_go(race_receiver, &r), 0);
  int n = scaled(20000), v, found;
  for (int i = 0; i < n; i++) {
    r.c = bw_chan_make(sizeof(int), 1);
    bw_chan_send(r.c, &i);
    bw_chan_send(r.go, &i);
    bw_chan_close(r.c);
    bw_chan_recv(r.c, &v);
    CHECK(bw_chan_recv(r.answer, &found));
    CHECK(found);
    bw_chan_release(r.c);
  }
  bw_chan_close(r.go);
  CHECK(bw_chan_recv(r.answer, &found));
  bw_chan_release(r.go);
  bw_chan_release(r.answer);
  return 0;
}
TEST(chan_b24_nonblocking_receive_race) { test_run(nonblocking_receive_race, NULL, 2); }

// behaviour 25: the prime sieve
static void sieve_generate(void *arg) {
  bw_chan *out = arg;
  for (int i = 2;; i++) bw_chan_send(out, &i);
}

typedef struct {
  bw_chan *in, *out;
  int prime;
} sieve_filter;

static void sieve_filter_run(void *arg) {
  sieve_filter f = *(sieve_filter *)arg;
  bw_free(arg);
  for (int v; bw_chan_recv(f.in, &v);)
    if (v % f.prime != 0) bw_chan_send(f.out, &v);
}

// Ends with all the filters parked or running: bw_run discards them, and the test leaks what Go's
// collector would find, except the stacks and goroutines themselves.
static int sieve(void *arg) {
  (void)arg;
  int n = test_is_slow_build() ? 50 : 500, prime = 0;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  CHECK_EQ(bw_go(sieve_generate, c), 0);
  for (int i = 0; i < n; i++) {
    CHECK(bw_chan_recv(c, &prime));
    sieve_filter *f = bw_malloc(sizeof *f);
    *f = (sieve_filter){c, bw_chan_make(sizeof(int), 0), prime};
    c = f->out;
    CHECK_EQ(bw_go(sieve_filter_run, f), 0);
  }
  CHECK_EQ(prime, n == 50 ? 229 : 3571);
  return 0;
}
TEST(chan_b25_sieve) { test_run(sieve, NULL, 0); }

// ---- plain threads and goroutines on one channel ------------------------------------------------

typedef struct {
  bw_chan *c, *back;
  int n;
} mixed;

static void thread_echo(void *arg) {
  mixed *m = arg;
  for (int v; bw_chan_recv(m->c, &v);) {
    v = -v;
    bw_chan_send(m->back, &v);
  }
  bw_chan_close(m->back);
  bw_outside_leave();
}

static int talk_to_thread(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 3; cap++) {
    mixed m = {bw_chan_make(sizeof(int), cap), bw_chan_make(sizeof(int), cap), scaled(2000)};
    bw__port_thread t;
    bw_outside_enter();
    CHECK_EQ(bw__port_thread_start(&t, thread_echo, &m), 0);
    int v;
    for (int i = 1; i <= m.n; i++) {
      bw_chan_send(m.c, &i);
      CHECK(bw_chan_recv(m.back, &v));
      CHECK_EQ(v, -i);
    }
    bw_chan_close(m.c);
    CHECK(!bw_chan_recv(m.back, &v));
    bw__port_thread_join(&t);
    bw_chan_release(m.c);
    bw_chan_release(m.back);
  }
  return 0;
}
THREADS_TEST(chan_thread_and_goroutine) { test_run(talk_to_thread, NULL, 2); }

// Two plain threads need no runtime at all.
static void thread_producer(void *arg) {
  mixed *m = arg;
  for (int i = 1; i <= m->n; i++) bw_chan_send(m->c, &i);
  bw_chan_close(m->c);
}

THREADS_TEST(chan_two_threads_without_runtime) {
  for (int cap = 0; cap < 100; cap += 33) {
    mixed m = {bw_chan_make(sizeof(int), cap), NULL, scaled(10000)};
    bw__port_thread t;
    CHECK_EQ(bw__port_thread_start(&t, thread_producer, &m), 0);
    long long sum = 0;
    for (int v; bw_chan_recv(m.c, &v);) sum += v;
    CHECK_EQ(sum, (long long)m.n * (m.n + 1) / 2);
    bw__port_thread_join(&t);
    bw_chan_release(m.c);
  }
}
