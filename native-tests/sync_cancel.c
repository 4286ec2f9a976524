// Cancelling and watching: who is called, who is not, and that nobody is looked at afterwards.
#include "test.h"

#include "base/atomics.h"
#include "sync/cancel.h"

typedef struct {
  bw__cancel_watcher watch;
  bw__cancel_source *fires; // what its call cancels in turn, or NULL
  bool fired_it;            // what that returned
  int calls;
} counter;

static void count(bw__cancel_watcher *w) {
  counter *c = BW_CONTAINER(w, counter, watch);
  c->calls++;
  if (c->fires) c->fired_it = bw__cancel_fire(c->fires);
}

TEST(sync_cancel_calls_who_watches) {
  bw__cancel_source s;
  counter c[4] = {0};
  bw__cancel_init(&s);
  CHECK(!bw__cancelled(&s));
  for (int i = 0; i < 3; i++) CHECK(bw__cancel_watch(&s, &c[i].watch, count));
  bw__cancel_unwatch(&s, &c[1].watch);
  bw__cancel_unwatch(&s, &c[1].watch); // does no harm
  CHECK(bw__cancel_fire(&s));
  CHECK(bw__cancelled(&s));
  CHECK(!bw__cancel_fire(&s));
  CHECK(!bw__cancel_watch(&s, &c[3].watch, count));
  for (int i = 0; i < 4; i++) {
    bw__cancel_unwatch(&s, &c[i].watch);
    CHECK_EQ(c[i].calls, i == 0 || i == 2);
  }
}

// A watch that cancels: its own source again, and another one whose watch cancels the first.
TEST(sync_cancel_within_a_fire) {
  bw__cancel_source a, b;
  bw__cancel_init(&a);
  bw__cancel_init(&b);
  counter again = {.fires = &a}, other = {.fires = &b}, back = {.fires = &a}, last = {0};
  CHECK(bw__cancel_watch(&a, &again.watch, count));
  CHECK(bw__cancel_watch(&a, &other.watch, count));
  CHECK(bw__cancel_watch(&b, &back.watch, count));
  CHECK(bw__cancel_watch(&a, &last.watch, count));
  CHECK(bw__cancel_fire(&a));
  CHECK(again.calls == 1 && other.calls == 1 && back.calls == 1 && last.calls == 1);
  CHECK(!again.fired_it && other.fired_it && !back.fired_it);
}

// ---- unwatch waits for a call that is running ---------------------------------------------------

typedef struct {
  bw__cancel_source source;
  bw__cancel_watcher watch;
  atomic_bool started, may_end, left;
} slow_call;

static void call_slowly(bw__cancel_watcher *w) {
  slow_call *c = BW_CONTAINER(w, slow_call, watch);
  atomic_store(&c->started, true);
  while (!atomic_load(&c->may_end)) bw__cpu_relax();
}

static void fire_it(void *arg) { bw__cancel_fire(&((slow_call *)arg)->source); }

static void leave_it(void *arg) {
  slow_call *c = arg;
  bw__cancel_unwatch(&c->source, &c->watch);
  atomic_store(&c->left, true);
}

static int waits_for_call(void *arg) {
  (void)arg;
  slow_call c = {0};
  bw__cancel_init(&c.source);
  CHECK(bw__cancel_watch(&c.source, &c.watch, call_slowly));
  bw_go(fire_it, &c);
  while (!atomic_load(&c.started)) bw_gosched();
  bw_go(leave_it, &c);
  for (int i = 0; i < 1000; i++) {
    CHECK(!atomic_load(&c.left));
    bw_gosched();
  }
  atomic_store(&c.may_end, true);
  while (!atomic_load(&c.left) || bw_num_goroutine() > 1) bw_gosched();
  return 0;
}
THREADS_TEST(sync_cancel_unwatch_waits_for_a_call) { test_run(waits_for_call, NULL, 4); }

// ---- races of all three -------------------------------------------------------------------------

enum { WATCHERS = 8, FIRERS = 2, ROUNDS = 300 };

typedef struct {
  bw__cancel_source source;
  atomic_int calls, refused, taken_back; // of watches, as the watchers count them
  atomic_int fired, watching, done;
  int round;
} race;

typedef struct {
  bw__cancel_watcher watch;
  int calls; // plain: whoever has left sees what the call did
  race *race;
} racer;

static void called(bw__cancel_watcher *w) {
  racer *r = BW_CONTAINER(w, racer, watch);
  r->calls++;
  atomic_fetch_add(&r->race->calls, 1);
}

// Who still looks at it would call nowhere. (Stores that a compiler must not leave out.)
static void scribble(racer *r) {
  volatile char *bytes = (volatile char *)r;
  for (size_t i = 0; i < sizeof *r; i++) bytes[i] = 0x5a;
}

static void watch_and_leave(void *arg) {
  race *r = arg;
  for (int i = 0; i < 20; i++) {
    racer me = {.race = r};
    bool in_time = bw__cancel_watch(&r->source, &me.watch, called);
    if (i == 0) atomic_fetch_add(&r->watching, 1);
    if (in_time && i % 3 > 0) bw_gosched();
    bw__cancel_unwatch(&r->source, &me.watch);
    CHECK(me.calls <= (in_time ? 1 : 0));
    if (in_time && me.calls == 0) atomic_fetch_add(&r->taken_back, 1);
    if (!in_time) atomic_fetch_add(&r->refused, 1);
    scribble(&me);
  }
  atomic_fetch_add(&r->done, 1);
}

static void fire_some_time(void *arg) {
  race *r = arg;
  while (atomic_load(&r->watching) < r->round % (WATCHERS + 1)) bw_gosched();
  if (bw__cancel_fire(&r->source)) atomic_fetch_add(&r->fired, 1);
  CHECK(bw__cancelled(&r->source));
  atomic_fetch_add(&r->done, 1);
}

static int races(void *arg) {
  (void)arg;
  int rounds = test_is_slow_build() ? ROUNDS / 10 : ROUNDS;
  for (int round = 0; round < rounds; round++) {
    race r = {.round = round};
    racer stays = {.race = &r};
    bw__cancel_init(&r.source);
    CHECK(bw__cancel_watch(&r.source, &stays.watch, called));
    for (int i = 0; i < WATCHERS; i++) bw_go(watch_and_leave, &r);
    for (int i = 0; i < FIRERS; i++) bw_go(fire_some_time, &r);
    while (atomic_load(&r.done) < WATCHERS + FIRERS) bw_gosched();
    CHECK_EQ(atomic_load(&r.fired), 1);
    CHECK(bw__list_empty(&r.source.watches));
    bw__cancel_unwatch(&r.source, &stays.watch);
    CHECK_EQ(stays.calls, 1);
    int ends = atomic_load(&r.calls) + atomic_load(&r.refused) + atomic_load(&r.taken_back);
    CHECK_EQ(ends, WATCHERS * 20 + 1);
    while (bw_num_goroutine() > 1) bw_gosched();
  }
  return 0;
}
TEST(sync_cancel_races) { test_run(races, NULL, 0); }
TEST(sync_cancel_races_on_one_p) { test_run(races, NULL, 1); }
