// The heap, and a P's timers on fake time, against references that are obviously right.
#include "test.h"

#include "base/heap.h"
#include "base/rand.h"
#include "sched/timers.h"

// Random pushes, removals from the middle, new keys up and down; what comes out is in order.
static bw__heap new_heap(void) {
  bw__heap h;
  bw__heap_init(&h);
  return h;
}

static void push(bw__heap *h, int64_t key, uint32_t *item) {
  if (bw__heap_full(h)) {
    uint32_t cap = h->cap ? h->cap * 2 : 1;
    void *block = bw_aligned_alloc(BW_CACHE_LINE, bw__heap_bytes(cap));
    CHECK(block);
    bw_free(bw__heap_grow(h, block, cap));
  }
  *item = bw__heap_push(h, key, item);
}

static void check_heap(const bw__heap *h) {
  for (uint32_t i = 0; i < h->len; i++) {
    if (i > 0) CHECK(h->at[(i - 1) / 4].key <= h->at[i].key);
    CHECK_EQ(h->place[h->at[i].slot], i);
    CHECK_EQ(*(uint32_t *)h->item[h->at[i].slot], h->at[i].slot);
  }
}

TEST(base_heap_model) {
  enum { N = 200, NOWHERE = -1 };
  static uint32_t slots[N];
  static int64_t keys[N];
  bw__heap h = new_heap();
  bw__rand r = {7};
  for (int i = 0; i < N; i++) keys[i] = NOWHERE;
  for (int step = 0; step < 20000; step++) {
    uint32_t i = bw__rand_below(&r, N);
    int64_t key = bw__rand_below(&r, 1000);
    if (keys[i] == NOWHERE) {
      push(&h, keys[i] = key, &slots[i]);
    } else if (bw__rand_below(&r, 3)) {
      bw__heap_remove(&h, slots[i]);
      keys[i] = NOWHERE;
    } else {
      bw__heap_rekey(&h, slots[i], keys[i] = key);
    }
    int64_t least = INT64_MAX;
    uint32_t count = 0;
    for (int k = 0; k < N; k++) {
      if (keys[k] == NOWHERE) continue;
      CHECK_EQ(bw__heap_key(&h, slots[k]), keys[k]);
      if (keys[k] < least) least = keys[k];
      count++;
    }
    check_heap(&h);
    CHECK_EQ(h.len, count);
    CHECK_EQ(bw__heap_min_key(&h), least);
  }
  for (uint32_t i = 0; i < h.len; i++) h.at[i].key = bw__rand_below(&r, 1000);
  bw__heap_order(&h);
  check_heap(&h);
  bw_free(h.block);
}

// ---- a P's timers -------------------------------------------------------------------------------
//
// The main goroutine never parks here, so nobody but the test runs the timers, on times an hour
// from now.

enum { TIMERS = 300, PERIODIC = 30, NO = -1 };

typedef struct {
  bw__timer timer;
  int64_t when; // by the reference; NO: not pending
  int64_t period;
  int64_t again; // fn starts its timer again, so much later; 0: it does not
} model_timer;

static struct {
  model_timer t[TIMERS];
  int64_t now, last_due;
  int fired;
} model;

// As bw__timers_run calls it: for what is due and, of one batch, in due order.
static void model_fn(bw__timer *timer, int64_t now) {
  model_timer *t = (model_timer *)timer;
  CHECK_EQ(now, model.now);
  CHECK(t->when != NO && t->when <= now);
  CHECK(t->when >= model.last_due);
  model.last_due = t->when;
  model.fired++;
  if (t->period)
    t->when += t->period * (1 + (now - t->when) / t->period);
  else if (t->again) {
    CHECK(!bw__timer_start(timer, t->when = now + t->again, 0));
  } else {
    t->when = NO;
  }
}

static int64_t model_least(void) {
  int64_t least = BW_NEVER;
  for (int i = 0; i < TIMERS; i++)
    if (model.t[i].when != NO && model.t[i].when < least) least = model.t[i].when;
  return least;
}

static void model_step(bw__rand *r, bw__timers *ts) {
  model_timer *t = &model.t[bw__rand_below(r, TIMERS)];
  int64_t when = model.now + 1 + bw__rand_below(r, 100000);
  bool was = t->when != NO;
  switch (bw__rand_below(r, 16)) {
  case 0:
    CHECK_EQ(bw__timer_stop(&t->timer), was);
    t->when = NO;
    break;
  case 1:
    CHECK_EQ(bw__timer_drop(&t->timer), was);
    t->when = NO;
    break;
  case 2:
    if (t->period) break;
    CHECK_EQ(bw__timer_start_idle(&t->timer, when), !was);
    if (!was) t->when = when;
    break;
  case 3:
    model.now += bw__rand_below(r, 3000);
    model.last_due = 0;
    CHECK_EQ(bw__timers_run(ts, model.now), model_least());
    break;
  default:
    CHECK_EQ(bw__timer_start(&t->timer, when, t->period), was);
    t->when = when;
    break;
  }
  CHECK_EQ(bw__timer_pending(&t->timer), t->when != NO);
  CHECK(bw__timers_next(ts) <= model_least());
}

static int model_run(void *arg) {
  (void)arg;
  bw__timers *ts = bw__timers_here();
  bw__rand r = {11};
  model.now = bw_now() + 3600 * BW_SECOND;
  for (int i = 0; i < TIMERS; i++) {
    model_timer *t = &model.t[i];
    bw__timer_init(&t->timer, model_fn);
    t->when = NO;
    if (i < PERIODIC)
      t->period = 1000 + (int64_t)i * 100;
    else if (i % 3 == 0)
      t->again = (int64_t)i * 50;
  }
  for (int step = 0; step < (test_is_slow_build() ? 20000 : 200000); step++) model_step(&r, ts);
  CHECK(model.fired > TIMERS);
  for (int i = 0; i < TIMERS; i++)
    CHECK_EQ(bw__timer_drop(&model.t[i].timer), model.t[i].when != NO);
  CHECK_EQ(bw__timers_run(ts, model.now), BW_NEVER);
  return 0;
}
TEST(timer_model) { test_run(model_run, NULL, 1); }

// The array is cleaned of stopped timers: it does not grow when timers come and go unfired.
static void never(bw__timer *t, int64_t now) {
  (void)t;
  (void)now;
  test_fail(__FILE__, __LINE__, "a stopped timer ran");
}

static int litter(void *arg) {
  (void)arg;
  enum { LIVE = 64, ROUNDS = 5000 };
  static bw__timer t[LIVE + ROUNDS];
  int64_t when = bw_now() + 3600 * BW_SECOND;
  for (int i = 0; i < LIVE + ROUNDS; i++) {
    bw__timer_init(&t[i], never);
    bw__timer_start(&t[i], when + i, 0);
    if (i >= LIVE) CHECK(bw__timer_stop(&t[i]));
  }
  CHECK(bw__timers_here()->heap.cap <= LIVE * 4);
  for (int i = 0; i < LIVE + ROUNDS; i++) CHECK_EQ(bw__timer_drop(&t[i]), i < LIVE);
  CHECK_EQ(bw__timers_here()->heap.len, 0);
  return 0;
}
TEST(timer_stopped_ones_are_cleaned_away) { test_run(litter, NULL, 1); }

// All timers, marked ones too, go with a P that goes away.
static int ran;
static void count(bw__timer *t, int64_t now) {
  CHECK(bw__load(&t->key) <= now);
  ran++;
}

static int move_all(void *arg) {
  (void)arg;
  enum { N = 100 };
  static bw__timer t[N];
  static bw__timers other;
  const int64_t base = bw_now() + 3600 * BW_SECOND, last = base + (int64_t)3 * N;
  bw__timers_init(&other);
  for (int i = 0; i < N; i++) {
    bw__timer_init(&t[i], i % 4 == 3 ? never : count);
    CHECK(!bw__timer_start(&t[i], base + N + i, 0));
    if (i % 4 == 1) CHECK(bw__timer_start(&t[i], base + i, 0));
    if (i % 4 == 2) CHECK(bw__timer_start(&t[i], last, 0));
    if (i % 4 == 3) CHECK(bw__timer_stop(&t[i]));
  }
  bw__timers_move(bw__timers_here(), &other);
  CHECK_EQ(bw__timers_next(bw__timers_here()), BW_NEVER);
  CHECK_EQ(bw__timers_next(&other), base + 1);
  CHECK(bw__timer_start(&t[2], base, 0));
  CHECK_EQ(bw__timers_next(&other), base);
  bw__timers_run(&other, base + N - 1);
  CHECK_EQ(ran, N / 4 + 1);
  CHECK_EQ(bw__timers_run(&other, last - 1), last);
  CHECK_EQ(ran, N / 2 + 1);
  bw__timers_move(&other, bw__timers_here());
  CHECK_EQ(bw__timers_run(bw__timers_here(), last), BW_NEVER);
  CHECK_EQ(ran, N - N / 4);
  bw__timers_destroy(&other);
  return 0;
}
TEST(timer_move_to_another_p) { test_run(move_all, NULL, 1); }
