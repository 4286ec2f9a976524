// Programs of many goroutines that Go's tests have as well: quotas on four channels, power series.
#include "chan_util.h"

#include "base/rand.h"

// ---- behaviour 43 -------------------------------------------------------------------------------

// Four senders and four receivers, each on its own channel, and a sender and a receiver that select
// among all four: each has its quota for each channel, and switches a case off when that is done.
// All end by themselves: an operation that is lost, or done twice, is a hang.
enum { WAYS = 4 };

typedef struct {
  bw_chan *chans[WAYS];
  int quota;
  group g;
  atomic_llong sent, received;
} quotas;

typedef struct {
  quotas *all;
  int way; // of a plain one
  bool sends;
  bw__rand rng;
} quota;

static void plain_quota(void *arg) {
  quota *q = arg;
  bw_chan *c = q->all->chans[q->way];
  for (int i = 1; i <= q->all->quota; i++) {
    int v = i;
    chan_form form = bw__rand_below(&q->rng, FORM_WAITING);
    if (q->sends) {
      CHECK_EQ(chan_form_send(form, c, &v, NULL), 0);
      atomic_fetch_add(&q->all->sent, v);
    } else {
      CHECK_EQ(chan_form_recv(form, c, &v, NULL), 0);
      atomic_fetch_add(&q->all->received, v);
    }
  }
  group_done(&q->all->g);
}

static void selecting_quota(void *arg) {
  quota *q = arg;
  int left[WAYS], v;
  for (int i = 0; i < WAYS; i++) left[i] = q->all->quota;
  for (int n = WAYS * q->all->quota; n > 0; n--) {
    bw_case cases[WAYS];
    v = n;
    for (int i = 0; i < WAYS; i++) {
      bw_chan *c = left[i] ? q->all->chans[i] : NULL;
      cases[i] = q->sends ? bw_on_send(c, &v) : bw_on_recv(c, &v);
    }
    int index = bw_select(cases, WAYS);
    CHECK(index >= 0 && left[index]-- > 0);
    atomic_fetch_add(q->sends ? &q->all->sent : &q->all->received, v);
  }
  group_done(&q->all->g);
}

static void all_quotas(bool threads) {
  static const int caps[WAYS] = {0, 0, 2, 3};
  static quota plain[2 * WAYS], selecting[2];
  static chan_thread helpers[2];
  quotas all = {.quota = test_is_slow_build() ? 1000 : 10000};
  uint64_t seed = chan_seed();
  group_init(&all.g, 2 * WAYS + 2);
  for (int i = 0; i < WAYS; i++) all.chans[i] = bw_chan_make(sizeof(int), caps[i]);
  for (int i = 0; i < 2 * WAYS; i++) {
    plain[i] = (quota){&all, i / 2, i % 2, {seed + (uint64_t)i}};
    CHECK_EQ(bw_go(plain_quota, &plain[i]), 0);
  }
  for (int i = 0; i < 2; i++) {
    selecting[i] = (quota){.all = &all, .sends = i};
    if (threads)
      chan_thread_start(&helpers[i], selecting_quota, &selecting[i]);
    else
      CHECK_EQ(bw_go(selecting_quota, &selecting[i]), 0);
  }
  group_wait(&all.g);
  for (int i = 0; threads && i < 2; i++) chan_thread_join(&helpers[i]);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(atomic_load(&all.sent), atomic_load(&all.received));
  for (int i = 0; i < WAYS; i++) {
    CHECK_EQ(bw_chan_len(all.chans[i]), 0);
    bw_chan_release(all.chans[i]);
  }
}

static int quotas_run(void *arg) {
  all_quotas(arg);
  return 0;
}
TEST(select_b43_stress) { test_run(quotas_run, NULL, BW_WASM ? 4 : 10); }
TEST(select_b43_stress_on_one_proc) { test_run(quotas_run, NULL, 1); }
THREADS_TEST(select_b43_stress_with_threads) { test_run(quotas_run, (void *)1, 2); }

// ---- behaviour 25: power series -----------------------------------------------------------------

// A series is a goroutine that gives its next coefficient when it is asked for one, so that
// infinite series can be computed with: ask, then take. Closing `ask` ends the goroutine, which
// passes that on to the series that it reads.
typedef struct {
  int64_t num, den; // in lowest terms, den > 0
} ratio;

typedef struct {
  bw_chan *ask, *coefficient;
} series;

static ratio ratio_make(int64_t num, int64_t den) {
  int64_t a = num < 0 ? -num : num, b = den;
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return (ratio){num / a, den / a};
}

static ratio ratio_add(ratio x, ratio y) {
  return ratio_make(x.num * y.den + y.num * x.den, x.den * y.den);
}

static ratio ratio_multiply(ratio x, ratio y) { return ratio_make(x.num * y.num, x.den * y.den); }

static series series_make(void) {
  return (series){bw_chan_make(0, 0), bw_chan_make(sizeof(ratio), 0)};
}

static ratio series_next(series s) {
  ratio c;
  bw_chan_send(s.ask, NULL);
  CHECK(bw_chan_recv(s.coefficient, &c));
  return c;
}

// The reader wants no more.
static void series_end(series s) {
  bw_chan_close(s.ask);
  bw_chan_release(s.coefficient);
}

// The goroutine's side. False: no more is wanted.
static bool series_asked(series s) { return bw_chan_recv(s.ask, NULL); }
static void series_give(series s, ratio c) { bw_chan_send(s.coefficient, &c); }

// What a goroutine of series gets; a copy of its own.
typedef struct {
  series out, out2, in, in2;
  ratio constant;
} work;

static series begin_series(void (*fn)(void *), work w) {
  bw_go_options copied = {.arg_size = sizeof w};
  w.out = series_make();
  bw_chan_retain(w.out.coefficient); // the goroutine's
  CHECK_EQ(bw_go_with(&copied, fn, &w), 0);
  return w.out;
}

static void end_out(series s) {
  bw_chan_release(s.ask);
  bw_chan_release(s.coefficient);
}

static void run_ones(void *arg) {
  work w = *(work *)arg;
  while (series_asked(w.out)) series_give(w.out, (ratio){1, 1});
  end_out(w.out);
}
static series ones(void) { return begin_series(run_ones, (work){.constant = {0, 1}}); }

static void run_add(void *arg) {
  work w = *(work *)arg;
  while (series_asked(w.out)) series_give(w.out, ratio_add(series_next(w.in), series_next(w.in2)));
  series_end(w.in);
  series_end(w.in2);
  end_out(w.out);
}
static series add(series a, series b) { return begin_series(run_add, (work){.in = a, .in2 = b}); }

// constant + x * in
static void run_shift(void *arg) {
  work w = *(work *)arg;
  if (series_asked(w.out)) {
    series_give(w.out, w.constant);
    while (series_asked(w.out)) series_give(w.out, series_next(w.in));
  }
  series_end(w.in);
  end_out(w.out);
}
static series shift(ratio constant, series a) {
  return begin_series(run_shift, (work){.in = a, .constant = constant});
}

static void run_scale(void *arg) {
  work w = *(work *)arg;
  while (series_asked(w.out)) series_give(w.out, ratio_multiply(w.constant, series_next(w.in)));
  series_end(w.in);
  end_out(w.out);
}
static series scale(ratio constant, series a) {
  return begin_series(run_scale, (work){.in = a, .constant = constant});
}

// constant + the integral of in
static void run_integral(void *arg) {
  work w = *(work *)arg;
  if (series_asked(w.out)) {
    series_give(w.out, w.constant);
    for (int64_t n = 1; series_asked(w.out); n++)
      series_give(w.out, ratio_multiply((ratio){1, n}, series_next(w.in)));
  }
  series_end(w.in);
  end_out(w.out);
}
static series integral(ratio constant, series a) {
  return begin_series(run_integral, (work){.in = a, .constant = constant});
}

// One series for two readers: whoever is ahead leaves what the other has not taken yet in a queue.
enum { AHEAD_MOST = 32 };

static void run_split(void *arg) {
  work w = *(work *)arg;
  ratio ahead[AHEAD_MOST];
  int count = 0, leader = 0;
  series outs[2] = {w.out, w.out2};
  bool ok[2] = {true, true};
  for (int ended = 0; ended < 2;) {
    int k = BW_SELECT(bw_on_recv_ok(outs[0].ask, NULL, &ok[0]),
                      bw_on_recv_ok(outs[1].ask, NULL, &ok[1]));
    if (!ok[k]) {
      end_out(outs[k]);
      outs[k].ask = NULL; // its case is off
      ended++;
    } else if (k != leader && count > 0) {
      series_give(outs[k], ahead[0]);
      memmove(ahead, ahead + 1, (size_t)--count * sizeof *ahead);
    } else {
      CHECK(count < AHEAD_MOST);
      leader = k;
      ratio c = series_next(w.in);
      if (ended == 0) ahead[count++] = c;
      series_give(outs[k], c);
    }
  }
  series_end(w.in);
}

static void split(series in, series *a, series *b) {
  series second = series_make();
  bw_chan_retain(second.coefficient);
  *a = begin_series(run_split, (work){.in = in, .out2 = second});
  *b = second;
}

// (a + x A)(b + x B) = ab + x (aB + bA + x AB)
static series multiply(series a, series b);

static void run_product(void *arg) {
  work w = *(work *)arg;
  if (!series_asked(w.out)) {
    series_end(w.in);
    series_end(w.in2);
    end_out(w.out);
    return;
  }
  ratio a = series_next(w.in), b = series_next(w.in2);
  series_give(w.out, ratio_multiply(a, b));
  series rest_a[2], rest_b[2];
  split(w.in, &rest_a[0], &rest_a[1]);
  split(w.in2, &rest_b[0], &rest_b[1]);
  series rest = add(add(scale(a, rest_b[0]), scale(b, rest_a[0])),
                    shift((ratio){0, 1}, multiply(rest_a[1], rest_b[1])));
  while (series_asked(w.out)) series_give(w.out, series_next(rest));
  series_end(rest);
  end_out(w.out);
}
static series multiply(series a, series b) {
  return begin_series(run_product, (work){.in = a, .in2 = b});
}

static void check_series(series s, int n, const ratio *want) {
  for (int i = 0; i < n; i++) {
    ratio c = series_next(s);
    if (c.num != want[i].num || c.den != want[i].den)
      test_fail(__FILE__, __LINE__, "coefficient %d: %" PRId64 "/%" PRId64, i, c.num, c.den);
  }
  series_end(s);
}

static int power_series(void *arg) {
  (void)arg;
  enum { N = 10 };
  ratio want[N];
  for (int i = 0; i < N; i++) want[i] = (ratio){2, 1}; // 1/(1-x) + 1/(1-x)
  check_series(add(ones(), ones()), N, want);
  for (int i = 0; i < N; i++) want[i] = (ratio){i + 1, 1}; // 1/(1-x)^2
  check_series(multiply(ones(), ones()), N, want);
  want[0] = (ratio){0, 1};
  for (int i = 1; i < N; i++) want[i] = (ratio){1, i}; // -log(1-x)
  check_series(integral((ratio){0, 1}, ones()), N, want);
  series a, b;
  split(ones(), &a, &b);
  for (int i = 0; i < N; i++) want[i] = (ratio){(i + 1) * (i + 2) / 2, 1}; // 1/(1-x)^3
  check_series(multiply(multiply(a, b), ones()), N, want);
  // log(1-x)^2 / 2 = the sum of H(n-1) / n x^n
  split(integral((ratio){0, 1}, ones()), &a, &b);
  ratio harmonic = {0, 1};
  want[0] = want[1] = (ratio){0, 1};
  for (int i = 2; i < N; i++) {
    harmonic = ratio_add(harmonic, (ratio){1, i - 1});
    want[i] = ratio_multiply(harmonic, (ratio){1, i});
  }
  check_series(scale((ratio){1, 2}, multiply(a, b)), N, want);
  while (bw_num_goroutine() > 1) bw_gosched(); // the trees have taken themselves down
  return 0;
}
TEST(chan_b25_power_series) { test_run(power_series, NULL, 1); }
TEST(chan_b25_power_series_on_four_procs) { test_run(power_series, NULL, 4); }
