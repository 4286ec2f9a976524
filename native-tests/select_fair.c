// The chances of the cases of a select, and that none waits for ever. Bounds are those of Go's
// tests: 4.891676 standard deviations, which one run in a million goes beyond.
#include "chan_util.h"

#include <burrow/time.h>

#define SIGMAS 4.891676

// `count` of `n` trials that happen with probability 1/k each.
static void check_share(int count, int n, int k) {
  double share = (double)count / n, want = 1.0 / k;
  double variance = want * (1 - want) / n, off = share - want;
  if (off * off > SIGMAS * SIGMAS * variance)
    test_fail(__FILE__, __LINE__, "%d of %d, wanted one in %d", count, n, k);
}

enum { CASES_MOST = 24, TRIALS = 10000 };

// `ready` of `n` cases can always go on: every n/ready-th, receives and sends in turn.
typedef struct {
  int n, ready;
  bool trying;
} shares;

static bool is_ready(const shares *s, int i) {
  int step = s->n / s->ready;
  return i % step == step - 1 && i / step < s->ready;
}

// A channel that can always be received from, or sent to: what a trial changes is put right after.
static void check_shares(const shares *s) {
  bw_case cases[CASES_MOST];
  bw_chan *chans[CASES_MOST];
  int counts[CASES_MOST] = {0}, v = 0;
  for (int i = 0; i < s->n; i++) {
    chans[i] = bw_chan_make(sizeof(int), is_ready(s, i));
    cases[i] = i % 2 ? bw_on_send(chans[i], &v) : bw_on_recv(chans[i], &v);
    if (is_ready(s, i) && i % 2 == 0) bw_chan_send(chans[i], &v);
  }
  for (int t = 0; t < TRIALS; t++) {
    int i = s->trying ? bw_try_select(cases, (size_t)s->n) : bw_select(cases, (size_t)s->n);
    CHECK(i >= 0 && i < s->n && is_ready(s, i));
    counts[i]++;
    CHECK_EQ(i % 2 ? bw_chan_try_recv(chans[i], &v) : bw_chan_try_send(chans[i], &v), 0);
  }
  for (int i = 0; i < s->n; i++) {
    if (is_ready(s, i)) check_share(counts[i], TRIALS, s->ready);
    bw_chan_release(chans[i]);
  }
}

// behaviour 41: of those that can go on each is as likely
static const shares settings[] = {
    {4, 2, false}, {4, 2, true}, {7, 3, false},  {7, 3, true},   {2, 2, false},
    {3, 3, true},  {5, 5, true}, {16, 16, true}, {24, 8, false}, {24, 24, true},
};

static int all_settings(void *arg) {
  (void)arg;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) check_shares(&settings[i]);
  return 0;
}
TEST(select_b41_fairness) { test_run(all_settings, NULL, 1); }
TEST(select_b41_fairness_on_a_plain_thread) { all_settings(NULL); }

// behaviour 41 as Go has it: other goroutines keep two of four channels full, or empty.
typedef struct {
  bw_chan *c, *stop;
  group *g;
  bool sends;
} keeper;

static void keep(void *arg) {
  keeper k = *(keeper *)arg;
  for (int v = 0;;) {
    bw_case work = k.sends ? bw_on_send(k.c, &v) : bw_on_recv(k.c, &v);
    if (BW_SELECT(work, bw_on_recv(k.stop, NULL)) == 1) break;
  }
  group_done(k.g);
}

static void keep_busy(keeper k) {
  bw_go_options copied = {.arg_size = sizeof k};
  CHECK_EQ(bw_go_with(&copied, keep, &k), 0);
}

static int kept_ready(void *arg) {
  bool sends = arg;
  bw_chan *c[4], *stop = bw_chan_make(0, 0);
  int counts[4] = {0}, v = 0;
  group g;
  group_init(&g, 2);
  for (int i = 0; i < 4; i++) c[i] = bw_chan_make(sizeof(int), i < 2 ? TRIALS + 1 : 0);
  for (int i = 0; i < 2; i++) {
    // Ready at every moment, whatever the keeper does meanwhile.
    for (int t = 0; t <= TRIALS && !sends; t++) bw_chan_send(c[i], &v);
    keep_busy((keeper){c[i], stop, &g, !sends});
  }
  for (int t = 0; t < TRIALS; t++) {
    bw_case cases[4];
    for (int i = 0; i < 4; i++) cases[i] = sends ? bw_on_send(c[i], &v) : bw_on_recv(c[i], &v);
    int i = bw_select(cases, 4);
    CHECK(i == 0 || i == 1);
    counts[i]++;
  }
  for (int i = 0; i < 2; i++) check_share(counts[i], TRIALS, 2);
  bw_chan_close(stop);
  group_wait(&g);
  for (int i = 0; i < 4; i++) bw_chan_release(c[i]);
  bw_chan_release(stop);
  return 0;
}
TEST(select_b41_fairness_of_receives) { test_run(kept_ready, NULL, 2); }
TEST(select_b41_fairness_of_sends) { test_run(kept_ready, (void *)1, 2); }

// behaviour 42: several cases of one channel, in whatever way the select ends: it finds a partner
// (`waits` false) or is found by one, which it has waited for.
typedef struct {
  bw_chan *c;
  int n, cases, counts[8];
  bool waits;
} same;

static void same_receiver(void *arg) {
  same *s = arg;
  for (int i = 0, v; i < s->n; i++) {
    if (s->waits) settle();
    CHECK(bw_chan_recv(s->c, &v));
    s->counts[v]++;
  }
}

static void same_channel(int n, int cases, int cap, bool waits) {
  same s = {.c = bw_chan_make(sizeof(int), cap), .n = n, .cases = cases, .waits = waits};
  bw_case k[8];
  int values[8];
  CHECK_EQ(bw_go(same_receiver, &s), 0);
  if (!waits) settle();
  for (int i = 0; i < cases; i++) {
    values[i] = i;
    k[i] = bw_on_send(s.c, &values[i]);
  }
  for (int i = 0; i < n; i++) {
    bw_select(k, (size_t)cases);
    if (!waits && cap == 0) settle();
  }
  while (bw_num_goroutine() > 1) bw_gosched();
  for (int i = 0; i < cases; i++) {
    CHECK(s.counts[i] >= n / 5 / cases); // Go's bound for two: a tenth
    if (n >= TRIALS) check_share(s.counts[i], n, cases);
  }
  bw_chan_release(s.c);
}

static int random_send(void *arg) {
  (void)arg;
  for (int waits = 0; waits < 2; waits++) {
    same_channel(100, 2, 0, waits);
    same_channel(100, 2, 100, waits);
    same_channel(TRIALS, 2, 0, waits);
    same_channel(TRIALS, 5, 0, waits);
  }
  return 0;
}
TEST(select_b42_random_send) { test_run(random_send, NULL, 1); }

// Receives of one channel, which a sender finds waiting.
static void same_sender(void *arg) {
  same *s = arg;
  for (int i = 0; i < s->n; i++) {
    settle();
    bw_chan_send(s->c, &i);
  }
}

static int random_receive(void *arg) {
  (void)arg;
  same s = {.c = bw_chan_make(sizeof(int), 0), .n = TRIALS};
  int v, counts[3] = {0};
  CHECK_EQ(bw_go(same_sender, &s), 0);
  for (int i = 0; i < s.n; i++)
    counts[BW_SELECT(bw_on_recv(s.c, &v), bw_on_recv(s.c, &v), bw_on_recv(s.c, &v))]++;
  for (int i = 0; i < 3; i++) check_share(counts[i], TRIALS, 3);
  bw_chan_release(s.c);
  return 0;
}
TEST(select_b42_random_receive) { test_run(random_receive, NULL, 1); }

// ---- time ---------------------------------------------------------------------------------------

// behaviour 47: a case that time makes ready happens, though two others keep one always ready. Here
// a function that is called after 20 ms sends; and a select with a deadline that never waits does
// not keep the clock from going on.
static void ring(void *arg) { bw_chan_send(arg, NULL); }

static int timer_case(void *arg) {
  (void)arg;
  bw_chan *busy = bw_chan_make(sizeof(int), 0), *stop = bw_chan_make(0, 0),
          *bell = bw_chan_make(0, 1);
  group g;
  group_init(&g, 2);
  for (int i = 0; i < 2; i++) keep_busy((keeper){busy, stop, &g, true});
  for (int round = 0; round < 3; round++) {
    int64_t begin = bw_now();
    int v;
    bw_timer *t = bw_after_func(20 * BW_MILLISECOND, ring, bell);
    CHECK(t);
    while (BW_SELECT(bw_on_recv(busy, &v), bw_on_recv(bell, NULL)) == 0) {}
    CHECK(bw_now() - begin >= 20 * BW_MILLISECOND);
    bw_timer_release(t);
  }
  bw_chan_close(stop);
  group_wait(&g);
  bw_chan_release(busy);
  bw_chan_release(bell);
  bw_chan_release(stop);
  return 0;
}
TEST(select_b47_timer_case) { test_run(timer_case, NULL, 1); }
TEST(select_b47_timer_case_on_two_procs) { test_run(timer_case, NULL, 2); }

// The same with the channel of a timer.
static int timer_chan_case(void *arg) {
  (void)arg;
  bw_chan *busy = bw_chan_make(sizeof(int), 0), *stop = bw_chan_make(0, 0);
  group g;
  group_init(&g, 2);
  for (int i = 0; i < 2; i++) keep_busy((keeper){busy, stop, &g, true});
  for (int round = 0; round < 3; round++) {
    int64_t begin = bw_now(), due = 0;
    int v;
    bw_chan *bell = bw_after(20 * BW_MILLISECOND);
    CHECK(bell);
    while (BW_SELECT(bw_on_recv(busy, &v), bw_on_recv(bell, &due)) == 0) {}
    CHECK(due >= begin + 20 * BW_MILLISECOND && bw_now() >= due);
    bw_chan_release(bell);
  }
  bw_chan_close(stop);
  group_wait(&g);
  bw_chan_release(busy);
  bw_chan_release(stop);
  return 0;
}
TEST(select_b47_timer_chan) { test_run(timer_chan_case, NULL, 1); }
TEST(select_b47_timer_chan_on_two_procs) { test_run(timer_chan_case, NULL, 2); }

// A select whose deadline passes while two others keep the Ps busy with each other.
static int deadline_passes(void *arg) {
  (void)arg;
  bw_chan *busy = bw_chan_make(sizeof(int), 0), *stop = bw_chan_make(0, 0),
          *never = bw_chan_make(0, 0);
  group g;
  group_init(&g, 4);
  for (int i = 0; i < 4; i++) keep_busy((keeper){busy, stop, &g, i % 2});
  for (int i = 0; i < 5; i++) {
    int64_t deadline = bw_now() + 4 * BW_MILLISECOND;
    CHECK_EQ(BW_SELECT_UNTIL(deadline, bw_on_recv(never, NULL), bw_on_send(never, NULL)),
             BW_ETIMEDOUT);
    CHECK(bw_now() >= deadline);
  }
  bw_chan_close(stop);
  group_wait(&g);
  bw_chan_release(busy);
  bw_chan_release(never);
  bw_chan_release(stop);
  return 0;
}
TEST(select_b47_deadline_passes) { test_run(deadline_passes, NULL, 1); }
TEST(select_b47_deadline_passes_on_two_procs) { test_run(deadline_passes, NULL, 2); }
