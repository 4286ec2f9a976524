// What a select does, one rule at a time. The numbers are those of the list of behaviours that Go's
// own tests check. select_queues.c has the queues, select_fair.c the chances, select_race.c and
// select_stress.c what happens at the same time.
#include "chan_util.h"

// ---- cases --------------------------------------------------------------------------------------

// behaviour 28: all expressions are evaluated once, whichever case happens; the deadline too
static int evaluations;

static bw_chan *counted(bw_chan *c) {
  evaluations++;
  return c;
}

static int *counted_value(int *v) {
  evaluations++;
  return v;
}

static int evaluated_once(void *arg) {
  (void)arg;
  bw_chan *a = bw_chan_make(sizeof(int), 1), *b = bw_chan_make(sizeof(int), 1);
  int out = 1, in = 0;
  for (int way = 0; way < 4; way++) {
    evaluations = 0;
    int want = 6, index = 0;
    if (way % 2) bw_chan_send(b, &out);
    switch (way) {
    case 0:
      index = BW_TRY_SELECT(bw_on_recv(counted(a), counted_value(&in)),
                            bw_on_recv(counted(b), counted_value(&in)),
                            bw_on_recv(counted(NULL), counted_value(&in)));
      CHECK_EQ(index, BW_EAGAIN);
      break;
    case 1:
      index = BW_SELECT(bw_on_recv(counted(a), counted_value(&in)),
                        bw_on_recv(counted(b), counted_value(&in)),
                        bw_on_send(counted(NULL), counted_value(&out)));
      CHECK_EQ(index, 1);
      break;
    case 2:
      want = 4;
      index = BW_SELECT_UNTIL(bw_now() + *counted_value(&out), bw_on_recv(counted(a), &in),
                              bw_on_recv(counted(b), &in), bw_on_recv(counted(NULL), &in));
      CHECK_EQ(index, BW_ETIMEDOUT);
      break;
    default: want = 2; CHECK_EQ(BW_SELECT(bw_on_recv(counted(b), counted_value(&in))), 0);
    }
    CHECK_EQ(evaluations, want);
  }
  bw_chan_release(a);
  bw_chan_release(b);
  return 0;
}
TEST(select_b28_evaluated_once) { test_run(evaluated_once, NULL, 1); }

// behaviour 29: what is not chosen leaves its variables as they are
static int others_untouched(void *arg) {
  (void)arg;
  enum { N = 5 };
  for (int chosen = 0; chosen < N; chosen++) {
    for (int closed = 0; closed < 2; closed++) {
      bw_chan *c[N];
      bw_case cases[N];
      int v[N];
      bool ok[N];
      for (int i = 0; i < N; i++) {
        c[i] = bw_chan_make(sizeof(int), 1);
        v[i] = 100 + i;
        ok[i] = closed;
        cases[i] = bw_on_recv_ok(c[i], &v[i], &ok[i]);
      }
      if (closed)
        bw_chan_close(c[chosen]);
      else
        bw_chan_send(c[chosen], &(int){7});
      CHECK_EQ(bw_select(cases, N), chosen);
      for (int i = 0; i < N; i++) {
        CHECK_EQ(v[i], i != chosen ? 100 + i : closed ? 0 : 7);
        CHECK_EQ(ok[i], i != chosen ? closed : !closed);
        bw_chan_release(c[i]);
      }
    }
  }
  return 0;
}
TEST(select_b29_others_are_untouched) { test_run(others_untouched, NULL, 1); }

// behaviour 30: a nil channel is never ready; it switches its case off
static int nil_cases(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  int v = 1;
  CHECK_EQ(BW_TRY_SELECT(bw_on_recv(NULL, &v), bw_on_send(NULL, &v)), BW_EAGAIN);
  CHECK_EQ(BW_TRY_SELECT(bw_on_recv(NULL, &v)), BW_EAGAIN);
  CHECK_EQ(BW_TRY_SELECT(bw_on_send(NULL, &v)), BW_EAGAIN);
  CHECK_EQ(v, 1);
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(BW_SELECT(bw_on_recv(NULL, &v), bw_on_send(c, &i), bw_on_send(NULL, &v)), 1);
    CHECK_EQ(BW_SELECT(bw_on_send(NULL, &v), bw_on_recv(NULL, &v), bw_on_recv(c, &v)), 2);
    CHECK_EQ(v, i);
  }
  bw_chan_release(c);
  return 0;
}
TEST(select_b30_nil_cases) { test_run(nil_cases, NULL, 1); }

// behaviour 31: without a case, with nil ones only, or with none that is ready, it waits for ever
static int no_cases(void *arg) {
  (void)arg;
  return bw_select(NULL, 0);
}
static int nil_cases_only(void *arg) {
  (void)arg;
  return BW_SELECT(bw_on_recv(NULL, NULL), bw_on_send(NULL, NULL));
}
static int nil_case_only(void *arg) {
  (void)arg;
  return BW_SELECT(bw_on_recv(NULL, NULL));
}
static int none_ready(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  return BW_SELECT(bw_on_recv(c, NULL), bw_on_recv(NULL, NULL), bw_on_send(c, NULL));
}
#define DEADLOCK "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1"
DEATH_TEST(select_b31_no_cases, 2, DEADLOCK) { test_run(no_cases, NULL, 1); }
DEATH_TEST(select_b31_no_cases_reason, 2, "goroutine 1 [select (no cases)]:") {
  test_run(no_cases, NULL, 2);
}
DEATH_TEST(select_b31_nil_cases_only, 2, "goroutine 1 [select]:") {
  test_run(nil_cases_only, NULL, 1);
}
DEATH_TEST(select_b31_nil_case_only, 2, "goroutine 1 [chan receive (nil chan)]:") {
  test_run(nil_case_only, NULL, 1);
}
DEATH_TEST(select_b31_none_ready, 2, "goroutine 1 [select]:") { test_run(none_ready, NULL, 1); }

// behaviour 32: only a default
TEST(select_b32_default_only) {
  CHECK_EQ(bw_try_select(NULL, 0), BW_EAGAIN);
  CHECK_EQ(bw_select_until(NULL, 0, bw_now() - 1), BW_ETIMEDOUT);
}

// behaviour 33: what is ready goes before the default, wherever it stands
static int before_default(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1), *full = bw_chan_make(sizeof(int), 1),
          *empty = bw_chan_make(sizeof(int), 1);
  int v = 5;
  bw_chan_send(full, &v);
  for (int i = 0; i < 1000; i++) {
    bw_case cases[] = {bw_on_send(full, &v), bw_on_recv(empty, &v), bw_on_recv(NULL, &v)};
    int at = i % 3;
    cases[at] = bw_on_send(c, &i);
    CHECK_EQ(bw_try_select(cases, 3), at);
    cases[at] = bw_on_recv(c, &v);
    CHECK_EQ(bw_try_select(cases, 3), at);
    CHECK_EQ(v, i);
  }
  bw_chan_release(c);
  bw_chan_release(full);
  bw_chan_release(empty);
  return 0;
}
TEST(select_b33_ready_before_default) { test_run(before_default, NULL, 1); }

// behaviour 34: a closed channel is ready: a receive happens, a send panics, though others wait
static int closed_case(void *arg) {
  (void)arg;
  bw_chan *closed = bw_chan_make(sizeof(int), 2), *empty = bw_chan_make(sizeof(int), 0);
  bw_chan_send(closed, &(int){8});
  bw_chan_close(closed);
  int v = 1, other = 1;
  bool ok = false;
  CHECK_EQ(BW_SELECT(bw_on_recv(empty, &other), bw_on_recv_ok(closed, &v, &ok)), 1);
  CHECK(ok && v == 8);
  for (int i = 0; i < 100; i++) {
    v = 1;
    CHECK_EQ(BW_SELECT(bw_on_recv_ok(closed, &v, &ok), bw_on_recv(empty, &other)), 0);
    CHECK(!ok && v == 0 && other == 1);
  }
  bw_chan_release(closed);
  bw_chan_release(empty);
  return 0;
}
TEST(select_b34_closed_case) { test_run(closed_case, NULL, 1); }

static int closed_send_case(void *arg) {
  (void)arg;
  bw_chan *closed = bw_chan_make(0, 1), *empty = bw_chan_make(0, 0);
  bw_chan_close(closed);
  return BW_SELECT(bw_on_recv(empty, NULL), bw_on_send(closed, NULL), bw_on_recv(NULL, NULL));
}
DEATH_TEST(select_b34_closed_send_case, 2, "panic: send on closed channel") {
  test_run(closed_send_case, NULL, 1);
}

// behaviour 35: a select never pairs with itself
typedef struct {
  bw_chan *c;
  int index, got;
  atomic_bool done;
} self_call;

static void select_both_ways(void *arg) {
  self_call *s = arg;
  s->index = BW_SELECT(bw_on_send(s->c, &(int){11}), bw_on_recv(s->c, &s->got));
  atomic_store(&s->done, true);
}

static int never_itself(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  int v = 3;
  for (int i = 0; i < 100; i++)
    CHECK_EQ(BW_TRY_SELECT(bw_on_send(c, &v), bw_on_recv(c, &v)), BW_EAGAIN);
  CHECK_EQ(v, 3);
  for (int sends = 0; sends < 2; sends++) {
    self_call s = {.c = c, .index = -1, .got = -1};
    CHECK_EQ(bw_go(select_both_ways, &s), 0);
    settle();
    BLOCKS(s);
    if (sends)
      bw_chan_send(c, &(int){12});
    else
      CHECK(bw_chan_recv(c, &v) && v == 11);
    settle();
    DOES_NOT_BLOCK(s);
    CHECK_EQ(s.index, sends);
    CHECK_EQ(s.got, sends ? 12 : -1);
    CHECK_EQ(bw_chan_try_send(c, &v), BW_EAGAIN); // both places in the queues are gone
    CHECK_EQ(bw_chan_try_recv(c, &v), BW_EAGAIN);
  }
  bw_chan_release(c);
  return 0;
}
TEST(select_b35_never_pairs_with_itself) { test_run(never_itself, NULL, 1); }

// behaviour 36: two that send and receive on one channel always find each other
typedef struct {
  bw_chan *c;
  group g;
  int rounds;
} selves;

typedef struct {
  selves *all;
  int me;
} self;

static void self_rounds(void *arg) {
  self *s = arg;
  for (int i = 0; i < s->all->rounds; i++) {
    int got = -1;
    if (BW_SELECT(bw_on_send(s->all->c, &s->me), bw_on_recv(s->all->c, &got)) == 1)
      CHECK(got == 1 - s->me || (got == s->me && bw_chan_cap(s->all->c) > 0));
    else
      CHECK_EQ(got, -1);
  }
  group_done(&s->all->g);
}

static int self_select(void *arg) {
  (void)arg;
  for (int cap = 0; cap <= 10; cap += 10) {
    selves all = {.c = bw_chan_make(sizeof(int), cap), .rounds = 1000};
    self two[] = {{&all, 0}, {&all, 1}};
    group_init(&all.g, 2);
    for (int i = 0; i < 2; i++) CHECK_EQ(bw_go(self_rounds, &two[i]), 0);
    group_wait(&all.g);
    bw_chan_release(all.c);
  }
  return 0;
}
TEST(select_b36_self_select) { test_run(self_select, NULL, 2); }
TEST(select_b36_self_select_on_one_proc) { test_run(self_select, NULL, 1); }

// ---- memory -------------------------------------------------------------------------------------

// behaviour 44: 100,000 selects allocate nothing, waiting or not, with a deadline or without
enum { MOST_WITHOUT_MEMORY = 16 };

typedef struct {
  bw_chan *c, *back, *never;
  int rounds;
} recycle;

// Waits in both directions, in 2 to 16 cases.
static int recycle_select(recycle *r, bw_case k, int n, bool timed) {
  bw_case cases[MOST_WITHOUT_MEMORY];
  for (int i = 0; i < n; i++) cases[i] = i % 3 ? bw_on_recv(r->never, NULL) : k;
  return timed ? bw_select_until(cases, (size_t)n, bw_now() + 3600 * BW_SECOND)
               : bw_select(cases, (size_t)n);
}

static void recycle_echo(void *arg) {
  recycle *r = arg;
  int v = 0;
  for (bool ok = true; ok;) {
    CHECK(recycle_select(r, bw_on_recv_ok(r->c, &v, &ok), 2 + v % 15, v % 2) >= 0);
    if (ok) CHECK(recycle_select(r, bw_on_send(r->back, &v), 2 + v % 15, v % 2) >= 0);
  }
}

static uint64_t mallocs(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s.mallocs;
}

static void recycle_rounds(recycle *r, int rounds) {
  for (int i = 0, v = -1; i < rounds; i++) {
    CHECK(recycle_select(r, bw_on_send(r->c, &i), 2 + i % 15, i % 2) >= 0);
    CHECK(recycle_select(r, bw_on_recv(r->back, &v), 2 + i % 15, i % 2) >= 0);
    CHECK_EQ(v, i);
    CHECK_EQ(BW_TRY_SELECT(bw_on_recv(r->back, &v), bw_on_recv(r->never, &v)), BW_EAGAIN);
    if (i % 128 == 0)
      CHECK_EQ(BW_SELECT_UNTIL(bw_now() + 1000, bw_on_recv(r->never, &v), bw_on_recv(r->back, &v)),
               BW_ETIMEDOUT);
  }
}

// `arg`: how much a second P may take when it comes to life (its heap of timers, a thread).
static int recycled(void *arg) {
  recycle r = {bw_chan_make(sizeof(int), 0), bw_chan_make(sizeof(int), 1),
               bw_chan_make(sizeof(int), 0), .rounds = test_is_slow_build() ? 5000 : 25000};
  CHECK_EQ(bw_go(recycle_echo, &r), 0);
  recycle_rounds(&r, 200); // the heap of timers has its size now
  uint64_t before = mallocs();
  recycle_rounds(&r, r.rounds); // 4 and more selects a round
  CHECK(mallocs() - before <= (uint64_t)(uintptr_t)arg);
  bw_chan_close(r.c);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(r.c);
  bw_chan_release(r.back);
  bw_chan_release(r.never);
  return 0;
}
TEST(select_b44_allocates_nothing) { test_run(recycled, NULL, 1); }
TEST(select_b44_allocates_nothing_on_two_procs) { test_run(recycled, (void *)8, 2); }

// More cases take memory, and give it back.
static int many_cases_memory(void *arg) {
  (void)arg;
  enum { N = 300 };
  static bw_case cases[N];
  bw_chan *c = bw_chan_make(sizeof(int), 1), *never = bw_chan_make(sizeof(int), 0);
  int v;
  for (int i = 0; i < N; i++) cases[i] = bw_on_recv(never, &v);
  bw_alloc_stats before, after;
  bw_alloc_stats_read(&before);
  for (int i = 0; i < 1000; i++) {
    int n = MOST_WITHOUT_MEMORY + 1 + i % (N - MOST_WITHOUT_MEMORY);
    cases[i % n] = i % 2 ? bw_on_send(c, &i) : bw_on_recv(c, &v);
    if (i % 2 == 0) bw_chan_send(c, &i);
    CHECK_EQ(bw_select(cases, (size_t)n), i % n);
    if (i % 2) CHECK(bw_chan_recv(c, &v));
    CHECK_EQ(v, i);
    cases[i % n] = bw_on_recv(never, &v);
  }
  bw_alloc_stats_read(&after);
  CHECK_EQ(after.live_bytes, before.live_bytes);
  CHECK_EQ(after.mallocs - before.mallocs, 1000);
  bw_chan_release(c);
  bw_chan_release(never);
  return 0;
}
TEST(select_more_cases_give_memory_back) { test_run(many_cases_memory, NULL, 1); }

// ---- the form in C ------------------------------------------------------------------------------

// behaviour 46: break leaves the switch only; continue, return and goto go where they go in C
static int leave_by(int way, bw_chan *c, bw_chan *never, int *after) {
  int rounds = 0;
again:
  for (; rounds < 3;) {
    rounds++;
    if (way == 0) {
      switch (BW_TRY_SELECT(bw_on_recv(never, NULL))) {
      default: break;
      }
    } else if (way == 1) {
      switch (BW_SELECT(bw_on_recv(c, NULL))) {
      case 0: break;
      }
    } else if (way == 2) {
      switch (BW_SELECT(bw_on_recv(never, NULL), bw_on_recv(c, NULL))) {
      case 0: return -1;
      case 1: break;
      }
    } else if (way == 3) {
      switch (BW_SELECT(bw_on_recv(never, NULL), bw_on_recv(never, NULL), bw_on_recv(c, NULL))) {
      case 2:
        if (rounds == 2) break;
        continue;
      default: return -1;
      }
    } else if (way == 4) {
      switch (BW_SELECT(bw_on_recv(c, NULL), bw_on_recv(never, NULL))) {
      case 0: goto again;
      }
    } else {
      switch (BW_SELECT_UNTIL(bw_now(), bw_on_recv(never, NULL), bw_on_recv(c, NULL))) {
      case 1: return rounds;
      case BW_ETIMEDOUT: return -1;
      }
    }
    ++*after;
  }
  return rounds;
}

static int ways_to_leave(void *arg) {
  (void)arg;
  static const int want_after[] = {3, 3, 3, 1, 0, 0}, want[] = {3, 3, 3, 3, 3, 1};
  bw_chan *c = bw_chan_make(0, 0), *never = bw_chan_make(0, 0);
  bw_chan_close(c);
  for (int way = 0; way < 6; way++) {
    int after = 0;
    CHECK_EQ(leave_by(way, c, never, &after), want[way]);
    CHECK_EQ(after, want_after[way]);
  }
  bw_chan_release(c);
  bw_chan_release(never);
  return 0;
}
TEST(select_b46_break_continue_return) { test_run(ways_to_leave, NULL, 1); }
