// Pipelines and fan-in: every value once, order where it is promised, everything ends.
#include "chan_util.h"
#include "oom_util.h"

#include "base/rand.h"
#include "port/port.h"
#include "sched/stack.h"

enum { VALUES = 1000, BROKEN = -55 };

static void check_alone(void) {
  while (bw_num_goroutine() > 1) bw_gosched();
}

static bw_chan *ints(int cap) {
  bw_chan *c = bw_chan_make(sizeof(int), cap);
  CHECK(c != NULL);
  return c;
}

// ---- sources ------------------------------------------------------------------------------------

typedef struct {
  bw_group *group;
  bw_chan *out;
  int from, count; // count < 0: without end
} source;

// Sends its numbers until it is through or the group is stopped, and closes.
static int count_up(void *arg) {
  const source *s = arg;
  for (int i = 0; i != s->count; i++) {
    int v = s->from + i;
    if (!bw_group_send(s->group, s->out, &v)) break;
  }
  bw_chan_close(s->out);
  return 0;
}

// ---- what stages do -----------------------------------------------------------------------------

// Some values take longer than others.
static void dawdle(int v) {
  for (int i = v * 7 % 11; i > 0; i--) bw_gosched();
}

static int add_100000(void *arg, const void *in, void *out) {
  (void)arg;
  int v = *(const int *)in;
  dawdle(v);
  *(int64_t *)out = v + 100000;
  return 0;
}

static int only_even(void *arg, const void *in, void *out) {
  (void)arg;
  int v = *(const int *)in;
  dawdle(v);
  *(int *)out = v;
  return v % 2;
}

static int sum_up(void *arg, const void *in, void *out) {
  CHECK(!out);
  atomic_fetch_add((atomic_llong *)arg, *(const int *)in);
  return 0;
}

static int break_at(void *arg, const void *in, void *out) {
  int v = *(const int *)in;
  dawdle(v);
  *(int *)out = v;
  return v == *(int *)arg ? BROKEN : 0;
}

// ---- one stage ----------------------------------------------------------------------------------

static void check_stage(int workers, bool ordered, int in_cap, int out_cap) {
  static bool seen[VALUES];
  memset(seen, 0, sizeof seen);
  bw_group *g = bw_group_make();
  bw_chan *in = ints(in_cap), *out = bw_chan_make(sizeof(int64_t), out_cap);
  source s = {g, in, 0, VALUES};
  CHECK_EQ(bw_group_go(g, count_up, &s), 0);
  bw_stage stage = {.fn = add_100000, .workers = workers, .ordered = ordered};
  CHECK_EQ(bw_group_stage(g, in, out, &stage), 0);
  int n = 0;
  for (int64_t v; bw_chan_recv(out, &v); n++) {
    if (ordered) CHECK_EQ(v, 100000 + n);
    CHECK(v >= 100000 && v < 100000 + VALUES && !seen[v - 100000]);
    seen[v - 100000] = true;
  }
  CHECK_EQ(n, VALUES);
  CHECK_EQ(bw_group_wait(g), 0);
  check_alone();
  bw_chan_release(in);
  bw_chan_release(out);
}

static int one_stage(void *arg) {
  (void)arg;
  for (int ordered = 0; ordered < 2; ordered++) {
    check_stage(0, ordered, 0, 0);
    check_stage(1, ordered, 0, 0);
    check_stage(2, ordered, 3, 0);
    check_stage(8, ordered, 0, 5);
    check_stage(8, ordered, VALUES, VALUES);
  }
  return 0;
}
TEST(patterns_stage_each_once) { test_run(one_stage, NULL, 0); }
TEST(patterns_stage_on_one_p) { test_run(one_stage, NULL, 1); }

// More workers than values: those who get none leave the turns to the others.
static int few_values(void *arg) {
  (void)arg;
  for (int values = 0; values < 5; values++) {
    bw_group *g = bw_group_make();
    bw_chan *in = ints(0), *out = ints(0);
    source s = {g, in, 0, values};
    CHECK_EQ(
        bw_group_stage(g, in, out, &(bw_stage){.fn = only_even, .workers = 9, .ordered = true}), 0);
    CHECK_EQ(bw_group_go(g, count_up, &s), 0);
    int want = 0;
    for (int v; bw_chan_recv(out, &v); want += 2) CHECK_EQ(v, want);
    CHECK_EQ(want, (values + 1) / 2 * 2);
    CHECK_EQ(bw_group_wait(g), 0);
    bw_chan_release(in);
    bw_chan_release(out);
  }
  check_alone();
  return 0;
}
TEST(patterns_stage_few_values) { test_run(few_values, NULL, 0); }

// ---- a whole pipeline ---------------------------------------------------------------------------

enum { SOURCES = 5 };

// Five sources, merged; a filter; a sink.
static int pipeline(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  bw_chan *from[SOURCES], *merged = ints(2), *even = ints(0);
  source s[SOURCES];
  atomic_llong sum = 0;
  for (int i = 0; i < SOURCES; i++) {
    from[i] = ints(i);
    s[i] = (source){g, from[i], i * VALUES, VALUES};
    CHECK_EQ(bw_group_go(g, count_up, &s[i]), 0);
  }
  CHECK_EQ(bw_group_merge(g, from, SOURCES, merged), 0);
  CHECK_EQ(bw_group_stage(g, merged, even, &(bw_stage){.fn = only_even, .workers = 3}), 0);
  CHECK_EQ(bw_group_stage(g, even, NULL, &(bw_stage){.fn = sum_up, .arg = &sum, .workers = 2}), 0);
  for (int i = 0; i < SOURCES; i++) bw_chan_release(from[i]); // the flows have their own
  bw_chan_release(merged);
  bw_chan_release(even);
  CHECK_EQ(bw_group_wait(g), 0);
  int64_t all = (int64_t)SOURCES * VALUES;
  CHECK_EQ(atomic_load(&sum), (all / 2) * (all / 2 - 1));
  check_alone();
  return 0;
}
TEST(patterns_pipeline) { test_run(pipeline, NULL, 0); }
TEST(patterns_pipeline_on_one_p) { test_run(pipeline, NULL, 1); }

// ---- fan-in -------------------------------------------------------------------------------------

static int merge(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  bw_chan *from[SOURCES], *out = ints(0);
  source s[SOURCES];
  for (int i = 0; i < SOURCES; i++) {
    from[i] = ints(0);
    s[i] = (source){g, from[i], i * VALUES, VALUES};
    CHECK_EQ(bw_group_go(g, count_up, &s[i]), 0);
  }
  CHECK_EQ(bw_group_merge(g, from, SOURCES, out), 0);
  int next[SOURCES] = {0};
  for (int v; bw_chan_recv(out, &v);) CHECK_EQ(v % VALUES, next[v / VALUES]++);
  for (int i = 0; i < SOURCES; i++) CHECK_EQ(next[i], VALUES);
  CHECK_EQ(bw_group_wait(g), 0);
  for (int i = 0; i < SOURCES; i++) bw_chan_release(from[i]);
  bw_chan_release(out);
  check_alone();
  return 0;
}
TEST(patterns_merge) { test_run(merge, NULL, 0); }
TEST(patterns_merge_on_one_p) { test_run(merge, NULL, 1); }

static int merge_corners(void *arg) {
  (void)arg;
  bw_group *g = bw_group_make();
  bw_chan *out = ints(1), *wide = bw_chan_make(sizeof(int64_t), 0), *ins[2] = {ints(0), NULL};
  int v;
  CHECK_EQ(bw_group_merge(g, ins, 2, out), BW_EINVAL);
  CHECK_EQ(bw_group_merge(g, ins, 1, wide), BW_EINVAL);
  CHECK_EQ(bw_group_merge(g, ins, 1, NULL), BW_EINVAL);
  CHECK_EQ(bw_group_stage(g, NULL, out, &(bw_stage){.fn = only_even}), BW_EINVAL);
  CHECK_EQ(bw_group_stage(g, ins[0], out, &(bw_stage){.workers = 1}), BW_EINVAL);
  CHECK_EQ(bw_chan_try_recv(out, &v), BW_EAGAIN); // open
  CHECK_EQ(bw_group_merge(g, NULL, 0, out), 0);
  CHECK(!bw_chan_recv(out, &v));
  CHECK_EQ(bw_group_wait(g), 0);
  bw_chan_release(ins[0]);
  bw_chan_release(out);
  bw_chan_release(wide);
  return 0;
}
TEST(patterns_merge_corners) { test_run(merge_corners, NULL, 1); }

// A group's limit has room for all workers, or there is no stage: none waits for another's end.
static int limits(void *arg) {
  (void)arg;
  for (int limit = 0; limit <= 5; limit++) {
    bw_group *g = bw_group_make();
    bw_chan *in = ints(4), *out = ints(4);
    bw_group_set_limit(g, limit);
    bw_stage stage = {.fn = only_even, .workers = 3, .ordered = true};
    int want = limit < 3 ? BW_EAGAIN : 0, v = 2;
    CHECK_EQ(bw_group_stage(g, in, out, &stage), want);
    bw_chan_send(in, &v);
    if (want) {
      CHECK_EQ(bw_group_merge(g, (bw_chan *[]){in, in, in}, 3, out), want);
      CHECK_EQ(bw_chan_try_recv(out, &v), BW_EAGAIN); // not closed, and nobody works
      CHECK_EQ(bw_chan_len(in), 1);
    } else {
      CHECK(bw_chan_recv(out, &v) && v == 2);
    }
    bw_chan_close(in);
    CHECK_EQ(bw_group_wait(g), 0);
    CHECK_EQ(bw_chan_try_recv(out, &v), want ? BW_EAGAIN : BW_ECLOSED);
    check_alone();
    bw_chan_release(in);
    bw_chan_release(out);
  }
  return 0;
}
TEST(patterns_flows_in_a_group_with_a_limit) { test_run(limits, NULL, 0); }

// ---- ends ---------------------------------------------------------------------------------------

// An error in the middle ends an endless source above and the consumer below.
static int error_ends_all(void *arg) {
  (void)arg;
  for (int round = 0; round < 20; round++) {
    bw_group *g = bw_group_make();
    bw_chan *a = ints(round % 3), *b = ints(0), *c = ints(0);
    source s = {g, a, 0, -1};
    int at = 17 * round;
    bw_stage breaks = {.fn = break_at, .arg = &at, .workers = 1 + round % 4, .ordered = round % 2};
    bw_stage after = {.fn = only_even, .workers = 1 + round % 3, .ordered = round % 5 == 0};
    CHECK_EQ(bw_group_go(g, count_up, &s), 0);
    CHECK_EQ(bw_group_stage(g, a, b, &breaks), 0);
    CHECK_EQ(bw_group_stage(g, b, c, &after), 0);
    for (int v; bw_chan_recv(c, &v);)
      if (round % 2) CHECK(v < at);
    CHECK_EQ(bw_group_wait(g), BROKEN);
    bw_chan_release(a);
    bw_chan_release(b);
    bw_chan_release(c);
  }
  check_alone();
  return 0;
}
TEST(patterns_stage_error_ends_all) { test_run(error_ends_all, NULL, 0); }
TEST(patterns_stage_error_on_one_p) { test_run(error_ends_all, NULL, 1); }

// So does a consumer that has enough, also when it leaves everybody parked: results first, then the
// workers, then the sources.
static int enough(void *arg) {
  (void)arg;
  for (int round = 0; round < 20; round++) {
    bw_group *g = bw_group_make();
    bw_chan *from[2] = {ints(0), ints(0)}, *merged = ints(0), *out = ints(0);
    source s[2] = {{g, from[0], 0, -1}, {g, from[1], 0, -1}};
    CHECK_EQ(bw_group_go(g, count_up, &s[0]) + bw_group_go(g, count_up, &s[1]), 0);
    CHECK_EQ(bw_group_merge(g, from, 2, merged), 0);
    bw_stage stage = {.fn = only_even, .workers = 4, .ordered = round % 2};
    CHECK_EQ(bw_group_stage(g, merged, out, &stage), 0);
    int v;
    for (int i = 0; i < round; i++) CHECK(bw_chan_recv(out, &v));
    if (round % 3 == 0) settle();
    bw_group_stop(g, 0);
    while (bw_chan_recv(out, &v)) {}
    CHECK_EQ(bw_group_wait(g), 0);
    bw_chan_release(from[0]);
    bw_chan_release(from[1]);
    bw_chan_release(merged);
    bw_chan_release(out);
  }
  check_alone();
  return 0;
}
TEST(patterns_stage_enough) { test_run(enough, NULL, 0); }
TEST(patterns_stage_enough_on_one_p) { test_run(enough, NULL, 1); }

// ---- no memory ----------------------------------------------------------------------------------

static int nothing(void *arg) {
  (void)arg;
  return 0;
}

// Goroutines for `few` workers and not for the rest: none of them touches a channel.
static int few_goroutines(void *arg) {
  int few = *(int *)arg, v;
  bw_group *g = bw_group_make(), *warm_up = bw_group_make();
  bw_chan *in = ints(1), *out = ints(1), *ins[5] = {in, in, in, in, in};
  bw_chan_send(in, &(int){2});
  // Goroutines that have ended leave as many stacks behind.
  for (int i = 0; i < few; i++) CHECK_EQ(bw_group_go(warm_up, nothing, NULL), 0);
  CHECK_EQ(bw_group_wait(warm_up), 0);
  check_alone();
  bw__store(&bw__stack_refuse, true);
  bw_stage stage = {.fn = only_even, .workers = 5, .ordered = few % 2};
  CHECK_EQ(bw_group_stage(g, in, out, &stage), BW_ENOMEM);
  CHECK_EQ(bw_num_goroutine(), 1 + few);
  check_alone();
  CHECK_EQ(bw_group_merge(g, ins, 5, out), BW_ENOMEM);
  CHECK_EQ(bw_num_goroutine(), 1 + few);
  check_alone();
  CHECK_EQ(bw_chan_len(in), 1);
  CHECK_EQ(bw_chan_try_recv(out, &v), BW_EAGAIN);
  bw__store(&bw__stack_refuse, false);
  bw_chan_close(in);
  CHECK_EQ(bw_group_stage(g, in, out, &stage), 0);
  CHECK(bw_chan_recv(out, &v) && v == 2);
  CHECK(!bw_chan_recv(out, &v));
  CHECK_EQ(bw_group_wait(g), 0);
  bw_chan_release(in);
  bw_chan_release(out);
  return 0;
}
TEST(patterns_stage_no_memory_for_goroutines) {
  for (int few = 0; few < 5; few++) test_run(few_goroutines, &few, 1);
}

// Each allocation of a stage fails once: with room for `left` pages and `spare` channels.
static int no_memory(void *arg) {
  (void)arg;
  bw_chan *in = ints(0), *out = ints(0);
  int refused = 0, served = 0;
  for (int left = 0; left < 8; left++) {
    for (int spare = 0; spare < 8; spare++) {
      bw_group *g = bw_group_make();
      bw_chan *spares[8];
      void *pages[8];
      for (int i = 0; i < left; i++) CHECK((pages[i] = bw__alloc_pages(BW_PAGE_SIZE)));
      for (int i = 0; i < spare; i++) spares[i] = bw_chan_make(0, 1);
      oom_block *all = oom_soak();
      for (int i = 0; i < spare; i++) bw_chan_release(spares[i]);
      for (int i = 0; i < left; i++) bw__free_pages(pages[i]);
      oom_begin(1, OOM_FOR_EVER);
      bw_stage stage = {.fn = only_even, .workers = 3, .ordered = true};
      int code = bw_group_stage(g, in, out, &stage);
      oom_end();
      oom_free(all);
      if (code) {
        CHECK_EQ(code, BW_ENOMEM);
        refused++;
      } else {
        served++;
        bw_group_stop(g, 0);
        int v;
        CHECK(!bw_chan_recv(out, &v));
        bw_chan_release(out);
        out = ints(0);
      }
      CHECK_EQ(bw_group_wait(g), 0);
    }
  }
  CHECK(refused > 8 && served > 0);
  bw_chan_release(in);
  bw_chan_release(out);
  check_alone();
  oom_check_books();
  return 0;
}
TEST(patterns_stage_no_memory) { test_run(no_memory, NULL, 1); }

// ---- nothing is kept ----------------------------------------------------------------------------

static uint64_t live_after_round(void) {
  bw_alloc_stats stats;
  CHECK_EQ(pipeline(NULL) + error_ends_all(NULL) + enough(NULL), 0);
  settle();
  bw_alloc_stats_read(&stats);
  return stats.live_bytes;
}

static int nothing_is_kept(void *arg) {
  (void)arg;
  live_after_round();
  uint64_t before = live_after_round();
  for (int i = 0; i < 3; i++) CHECK_EQ(live_after_round(), before);
  return 0;
}
TEST(patterns_flows_keep_nothing) { test_run(nothing_is_kept, NULL, 1); }

// ---- stress -------------------------------------------------------------------------------------

// Pipelines of random shape that end in one of three ways at a random time; what arrives is always
// what was sent, each once.
static int below(bw__rand *r, uint32_t n) { return (int)bw__rand_below(r, n); }

static void stress_round(bw__rand *r) {
  static atomic_bool seen[SOURCES * VALUES];
  memset((void *)seen, 0, sizeof seen);
  bw_group *g = bw_group_make();
  bw_chan *from[SOURCES], *merged = ints(below(r, 3)), *mid = ints(0);
  bw_chan *out = ints(below(r, 2));
  source s[SOURCES];
  int sources = 1 + below(r, SOURCES), count = below(r, 200);
  int how = below(r, 3), at = below(r, 200), got = 0;
  int nowhere = -1;
  for (int i = 0; i < sources; i++) {
    from[i] = ints(below(r, 3));
    s[i] = (source){g, from[i], i * VALUES, count};
    CHECK_EQ(bw_group_go(g, count_up, &s[i]), 0);
  }
  CHECK_EQ(bw_group_merge(g, from, (size_t)sources, merged), 0);
  bw_stage first = {break_at, how == 1 ? &at : &nowhere, 1 + below(r, 5), below(r, 2) == 1};
  bw_stage second = {only_even, NULL, 1 + below(r, 5), below(r, 2) == 1};
  CHECK_EQ(bw_group_stage(g, merged, mid, &first), 0);
  CHECK_EQ(bw_group_stage(g, mid, out, &second), 0);
  for (int v; bw_chan_recv(out, &v); got++) {
    CHECK(v % 2 == 0 && v / VALUES < sources && v % VALUES < count && !seen[v]);
    seen[v] = true;
    if (how == 2 && got == at) bw_group_stop(g, 0);
  }
  int code = bw_group_wait(g);
  CHECK_EQ(code, how == 1 && at < count ? BROKEN : 0);
  if (how == 0) CHECK_EQ(got, sources * ((count + 1) / 2));
  for (int i = 0; i < sources; i++) bw_chan_release(from[i]);
  bw_chan_release(merged);
  bw_chan_release(mid);
  bw_chan_release(out);
}

static int stress(void *arg) {
  (void)arg;
  const char *seed = bw__port_env("BURROW_STRESS_SEED");
  bw__rand r = {seed ? strtoull(seed, NULL, 10) : (uint64_t)bw_now()};
  fprintf(stderr, "BURROW_STRESS_SEED=%" PRIu64 "\n", r.state);
  int64_t until = bw_now() + test_stress_ns(1);
  do stress_round(&r);
  while (bw_now() < until);
  check_alone();
  return 0;
}
TEST(patterns_stress) { test_run(stress, NULL, 0); }
