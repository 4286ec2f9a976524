// neco (github.com/tidwall/neco, MIT) as a peer: the loops of chan.c, select.c and sched.c on its
// coroutines. One thread, so its figures stand for P = 1.
//
// Not part of the build: it needs neco's neco.c and neco.h, which are not part of the project.
//
//   cc -O2 -DNECO_STACKSIZE=65536 -I NECO bench/peers/neco.c NECO/neco.c -o neco-peer -lpthread
//
// Smaller stacks than neco's 8 MB: with those some 4000 coroutines are the most that a process
// gets. What neco reports as an error ends the program: neco_main turns panics on.
#include "peer.h"

#include "neco.h"

static neco_chan *make(size_t capacity) {
  neco_chan *c = NULL;
  bench_check(neco_chan_make(&c, sizeof(int64_t), capacity) == NECO_OK, "neco_chan_make");
  return c;
}

static void start(void (*run)(int argc, void *argv[]), void *arg) {
  bench_check(neco_start(run, 1, arg) == NECO_OK, "neco_start");
}

static int64_t sum_below(int64_t n) { return n * (n - 1) / 2; }

// ---- switching, starting and joining ------------------------------------------------------------

typedef struct {
  int64_t rounds;
  neco_waitgroup done;
} yielding;

static void yield_many(int argc, void *argv[]) {
  (void)argc;
  yielding *y = argv[0];
  for (int64_t i = 0; i < y->rounds; i++) neco_yield();
  neco_waitgroup_done(&y->done);
}

static void yield_by(const char *name, int coroutines, int64_t rounds) {
  yielding y = {rounds, NECO_WAITGROUP_INITIALIZER};
  neco_waitgroup_add(&y.done, coroutines);
  int64_t begin = bench_now();
  for (int i = 0; i < coroutines; i++) start(yield_many, &y);
  neco_waitgroup_wait(&y.done);
  bench_result_as(name, coroutines * rounds, bench_now() - begin);
}

static void run_gosched(void) {
  yield_by("gosched", 2, bench_count(5000000));
  yield_by("gosched1k", 1000, bench_count(5000));
}

static void only_done(int argc, void *argv[]) {
  (void)argc;
  neco_waitgroup_done(argv[0]);
}

static void spawn_join(const char *name, int64_t rounds, int batch) {
  neco_waitgroup done = NECO_WAITGROUP_INITIALIZER;
  int64_t begin = bench_now();
  for (int64_t r = 0; r < rounds; r++) {
    neco_waitgroup_add(&done, batch);
    for (int i = 0; i < batch; i++) start(only_done, &done);
    neco_waitgroup_wait(&done);
  }
  bench_result_as(name, rounds * batch, bench_now() - begin);
}

static void run_spawn(void) {
  spawn_join("spawn_join_b10k", bench_count(100), 10000);
  spawn_join("spawn_join_1", bench_count(1000000), 1);
}

// ---- channels -----------------------------------------------------------------------------------

typedef struct {
  neco_chan *a, *b;
} pair;

static void pong(int argc, void *argv[]) {
  (void)argc;
  pair p = *(pair *)argv[0];
  for (int64_t v; neco_chan_recv(p.a, &v) == NECO_OK;) {
    v++;
    neco_chan_send(p.b, &v);
  }
}

static void run_pingpong(void) {
  int64_t n = bench_count(2000000), v = 0;
  pair p = {make(0), make(0)};
  start(pong, &p);
  int64_t begin = bench_now();
  for (int64_t i = 0; i < n; i++) {
    neco_chan_send(p.a, &i);
    neco_chan_recv(p.b, &v);
  }
  int64_t ns = bench_now() - begin;
  bench_check(v == n, "chan_pingpong");
  bench_result_as("chan_pingpong", n, ns);
}

typedef struct {
  neco_chan *out;
  int64_t n;
  neco_waitgroup *done; // counted down at the end, or NULL: then `out` is closed
} numbers;

static void produce(int argc, void *argv[]) {
  (void)argc;
  numbers p = *(numbers *)argv[0];
  for (int64_t i = 0; i < p.n; i++) neco_chan_send(p.out, &i);
  if (p.done)
    neco_waitgroup_done(p.done);
  else
    neco_chan_close(p.out);
}

static void stream(const char *name, size_t capacity, int64_t n) {
  numbers p = {make(capacity), n, NULL};
  int64_t begin = bench_now(), sum = 0;
  start(produce, &p);
  for (int64_t v; neco_chan_recv(p.out, &v) == NECO_OK;) sum += v;
  int64_t ns = bench_now() - begin;
  bench_check(sum == sum_below(n), name);
  bench_result_as(name, n, ns);
}

static void run_stream(void) {
  stream("chan_unbuf_stream", 0, bench_count(3000000));
  stream("chan_spsc_c128", 128, bench_count(10000000));
}

typedef struct {
  neco_chan *in;
  int64_t sum;
  neco_waitgroup done;
} consumer;

static void consume(int argc, void *argv[]) {
  (void)argc;
  consumer *c = argv[0];
  for (int64_t v; neco_chan_recv(c->in, &v) == NECO_OK;) c->sum += v;
  neco_waitgroup_done(&c->done);
}

static void run_mpmc(void) {
  int64_t n = bench_count(2000000);
  neco_waitgroup produced = NECO_WAITGROUP_INITIALIZER;
  consumer k = {make(128), 0, NECO_WAITGROUP_INITIALIZER};
  numbers p = {k.in, n, &produced};
  neco_waitgroup_add(&produced, 4);
  neco_waitgroup_add(&k.done, 4);
  int64_t begin = bench_now();
  for (int i = 0; i < 4; i++) start(produce, &p);
  for (int i = 0; i < 4; i++) start(consume, &k);
  neco_waitgroup_wait(&produced);
  neco_chan_close(k.in);
  neco_waitgroup_wait(&k.done);
  int64_t ns = bench_now() - begin;
  bench_check(k.sum == 4 * sum_below(n), "chan_mpmc4x4_c128");
  bench_result_as("chan_mpmc4x4_c128", 4 * n, ns);
}

// ---- select -------------------------------------------------------------------------------------

static void send_only(int argc, void *argv[]) {
  (void)argc;
  numbers p = *(numbers *)argv[0];
  for (int64_t i = 0; i < p.n; i++) neco_chan_send(p.out, &i);
}

static void select4(const char *name, size_t capacity) {
  int64_t n = bench_count(500000), sum = 0, v = 0;
  numbers p[4];
  for (int i = 0; i < 4; i++) {
    p[i] = (numbers){make(capacity), n, NULL};
    start(send_only, &p[i]);
  }
  int64_t begin = bench_now();
  for (int64_t i = 0; i < 4 * n; i++) {
    int ready = neco_chan_select(4, p[0].out, p[1].out, p[2].out, p[3].out);
    bench_check(ready >= 0, name);
    neco_chan_case(p[ready].out, &v);
    sum += v;
  }
  int64_t ns = bench_now() - begin;
  bench_check(sum == 4 * sum_below(n), name);
  bench_result_as(name, 4 * n, ns);
}

static void run_select(void) {
  select4("select4_b0", 0);
  select4("select4_b128", 128);
}

static void run_selectdef(void) {
  neco_chan *c = make(0), *d = make(0), *one = make(1);
  int64_t n = bench_count(100000000), defaults = 0;
  int64_t begin = bench_now();
  for (int64_t i = 0; i < n; i++) defaults += neco_chan_tryselect(1, c) == NECO_EMPTY;
  bench_check(defaults == n, "select_default1");
  bench_result_as("select_default1", n, bench_now() - begin);

  n = bench_count(20000000), defaults = 0;
  begin = bench_now();
  for (int64_t i = 0; i < n; i++) defaults += neco_chan_tryselect(2, c, d) == NECO_EMPTY;
  bench_check(defaults == n, "select_default2");
  bench_result_as("select_default2", n, bench_now() - begin);

  int64_t sum = 0, v = 0;
  begin = bench_now();
  for (int64_t i = 0; i < n; i++) {
    neco_chan_send(one, &i);
    neco_chan_recv(one, &v);
    sum += v;
  }
  bench_check(sum == sum_below(n), "chan_buf1_sendrecv_same_g");
  bench_result_as("chan_buf1_sendrecv_same_g", n, bench_now() - begin);
}

// ---- locks --------------------------------------------------------------------------------------

typedef struct {
  void (*work)(void *arg, int me);
  void *arg;
  int next;
  neco_waitgroup done;
} crew;

static void crew_member(int argc, void *argv[]) {
  (void)argc;
  crew *c = argv[0];
  c->work(c->arg, c->next++);
  neco_waitgroup_done(&c->done);
}

static int64_t crew_run(int n, void (*work)(void *arg, int me), void *arg) {
  crew c = {work, arg, 0, NECO_WAITGROUP_INITIALIZER};
  neco_waitgroup_add(&c.done, n);
  int64_t begin = bench_now();
  for (int i = 0; i < n; i++) start(crew_member, &c);
  neco_waitgroup_wait(&c.done);
  return bench_now() - begin;
}

typedef neco_mutex lk_mutex;
typedef neco_mutex lk_rwmutex;
typedef neco_cond lk_cond;
#define LK_MUTEX     NECO_MUTEX_INITIALIZER
#define LK_RWMUTEX   NECO_MUTEX_INITIALIZER
#define LK_COND(m)   NECO_COND_INITIALIZER
#define lk_lock      neco_mutex_lock
#define lk_unlock    neco_mutex_unlock
#define lk_rlock     neco_mutex_rdlock
#define lk_runlock   neco_mutex_unlock
#define lk_wlock     neco_mutex_lock
#define lk_wunlock   neco_mutex_unlock
#define lk_wait      neco_cond_wait
#define lk_signal    neco_cond_signal
#define lk_broadcast neco_cond_broadcast
#define lk_crew      crew_run
#define lk_sleep     neco_sleep

#include "locks.h"

// neco_cond_wait gives the mutex away, and lets whoever waits for it run, before it stands in the
// condition's queue: a signal or broadcast given meanwhile with the mutex held is lost, and then
// all wait. Says so, and ends the program.
static void watch_for_stall(int argc, void *argv[]) {
  (void)argc;
  const char *name = argv[0];
  for (int times = 0; times < 2;) {
    neco_sleep(NECO_SECOND / 5);
    neco_stats now;
    neco_getstats(&now);
    times = now.condwaiters + 2 == now.coroutines ? times + 1 : 0; // all but this and the main one
  }
  fprintf(stderr, "%s/p1  skipped: neco has lost a signal that was given with the mutex held\n",
          name);
  exit(0);
}

static void run_pingpong_cond(void) {
  start(watch_for_stall, "cond_pingpong");
  lk_cond_pingpong("cond_pingpong");
}

static void run_barrier_cond(void) {
  start(watch_for_stall, "cond_barrier100");
  lk_cond_barrier100("cond_barrier100");
}

static void run_waitgroup(void) {
  neco_waitgroup w = NECO_WAITGROUP_INITIALIZER;
  int64_t n = bench_count(20000000);
  int64_t begin = bench_now();
  for (int64_t i = 0; i < n; i++) {
    neco_waitgroup_add(&w, 1);
    neco_waitgroup_done(&w);
    neco_waitgroup_wait(&w);
  }
  bench_result_as("waitgroup_add_done_wait", n, bench_now() - begin);
}

int neco_main(int argc, char **argv) {
  static const peer_group groups[] = {
      {"gosched", run_gosched},
      {"spawn", run_spawn},
      {"pingpong", run_pingpong},
      {"stream", run_stream},
      {"mpmc", run_mpmc},
      {"select", run_select},
      {"selectdef", run_selectdef},
      {"mutex", run_mutex},
      {"rwmutex", run_rwmutex},
      {"cond", run_pingpong_cond},
      {"barrier", run_barrier_cond},
      {"waitgroup", run_waitgroup},
  };
  return peer_run(argc, argv, groups, sizeof groups / sizeof groups[0]);
}
