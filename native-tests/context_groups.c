// Groups and work in parallel, for those who do not wait for them for ever.
#include "context_util.h"
#include "panic_util.h"

enum { MEMBERS = 5, FAILS = -70 };

typedef struct {
  bw_group *group;
  bw_chan *gate;
  atomic_int inside;
  int written;
} crowd;

static int wait_at_gate(void *arg) {
  crowd *c = arg;
  atomic_fetch_add(&c->inside, 1);
  bw_chan_recv(c->gate, NULL);
  atomic_fetch_sub(&c->inside, 1);
  return 0;
}

static int return_code(void *code) { return *(int *)code; }

// ---- waiting for a group ------------------------------------------------------------------------

// The maker gives up, more than once, goes on using the group, and waits in the end.
CONTEXT_TEST(context_ends_the_wait_for_a_group) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  crowd c = {.group = bw_group_make(), .gate = bw_chan_make(0, 0)};
  int code = -99, fails = FAILS;
  for (int i = 0; i < MEMBERS; i++) CHECK_EQ(bw_group_go(c.group, wait_at_gate, &c), 0);
  bw_cancel *soon;
  bw_context *timed = bw_with_timeout(ctx, BW_MILLISECOND, &soon);
  CHECK_EQ(bw_group_wait_ctx(timed, c.group, &code), BW_EDEADLINE);
  bw_cancel_release(soon);
  bw_context_release(timed);
  CHECK_EQ(context_watchers(ctx), 0);
  CHECK_EQ(bw_group_go(c.group, return_code, &fails), 0);
  bw_cancel_now(cancel);
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_group_wait_ctx(ctx, c.group, &code), BW_ECANCELED);
  CHECK_EQ(code, -99);
  while (atomic_load(&c.inside) < MEMBERS) bw_gosched();
  bw_chan_close(c.gate);
  CHECK_EQ(bw_group_wait_ctx(bw_context_background(), c.group, &code), 0);
  CHECK_EQ(code, FAILS);
  CHECK_EQ(atomic_load(&c.inside), 0);
  context_wait_alone();
  bw_chan_release(c.gate);
  // Of a group whose goroutines have returned, and of one without any: at once.
  c.group = bw_group_make();
  CHECK_EQ(bw_group_go(c.group, return_code, &fails), 0);
  context_wait_alone();
  CHECK_EQ(bw_group_wait_ctx(ctx, c.group, NULL), 0);
  CHECK_EQ(bw_group_wait_ctx(ctx, bw_group_make(), &code), 0);
  CHECK_EQ(code, 0);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

static int write_late(void *arg) {
  crowd *c = arg;
  bw_gosched();
  c->written = 7;
  return FAILS;
}

static void cancel_it(void *cancel) { bw_cancel_now(cancel); }

// The last one returns while the context ends.
CONTEXT_TEST(context_and_end_of_a_group_race) {
  (void)arg;
  int rounds = test_is_slow_build() || BW_WASM ? 50 : 1000;
  int gave_up = 0, waited = 0;
  for (int i = 0; i < rounds; i++) {
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    crowd c = {.group = bw_group_make()};
    int code = -99;
    if (i % 2) CHECK_EQ(bw_go(cancel_it, cancel), 0);
    CHECK_EQ(bw_group_go(c.group, write_late, &c), 0);
    if (i % 2 == 0) CHECK_EQ(bw_go(cancel_it, cancel), 0);
    for (int k = 0; k < i % 5; k++) bw_gosched();
    int err = bw_group_wait_ctx(ctx, c.group, &code);
    if (err) {
      CHECK_EQ(err, BW_ECANCELED);
      CHECK_EQ(code, -99);
      code = bw_group_wait(c.group);
    }
    if (err)
      gave_up++;
    else
      waited++;
    CHECK_EQ(code, FAILS);
    CHECK_EQ(c.written, 7);
    context_wait_alone();
    CHECK_EQ(context_watchers(ctx), 0);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  CHECK_EQ(gave_up + waited, rounds);
  return 0;
}

static int wait_in_thread(void *arg) {
  crowd *c = arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
  int code = bw_group_wait_ctx(ctx, c->group, NULL);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return code;
}

static void thread_waits(void *arg) { ((crowd *)arg)->written = wait_in_thread(arg); }

static int threads_wait(void *arg) {
  (void)arg;
  crowd c = {.group = bw_group_make(), .gate = bw_chan_make(0, 0)};
  chan_thread t;
  CHECK_EQ(bw_group_go(c.group, wait_at_gate, &c), 0);
  chan_thread_start(&t, thread_waits, &c);
  chan_thread_join(&t);
  CHECK_EQ(c.written, BW_EDEADLINE);
  bw_chan_close(c.gate);
  CHECK_EQ(bw_group_wait(c.group), 0);
  context_wait_alone();
  bw_chan_release(c.gate);
  return 0;
}
THREADS_TEST(context_ends_a_threads_wait_for_a_group) { test_run(threads_wait, NULL, 2); }

// ---- limits -------------------------------------------------------------------------------------

CONTEXT_TEST(context_ends_the_wait_for_room) {
  (void)arg;
  crowd c = {.group = bw_group_make(), .gate = bw_chan_make(0, 0)};
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
  bw_group_set_limit(c.group, 2);
  CHECK_EQ(bw_group_go_ctx(ctx, c.group, wait_at_gate, &c), 0);
  CHECK_EQ(bw_group_go(c.group, wait_at_gate, &c), 0);
  CHECK_EQ(bw_group_go_ctx(ctx, c.group, wait_at_gate, &c), BW_EDEADLINE);
  CHECK_EQ(bw_group_go_ctx(ctx, c.group, wait_at_gate, &c), BW_EDEADLINE); // it has ended
  CHECK_EQ(bw_group_try_go(c.group, wait_at_gate, &c), BW_EAGAIN);         // no permit got lost
  while (atomic_load(&c.inside) < 2) bw_gosched();
  CHECK_EQ(context_watchers(ctx), 0);
  bw_chan_send(c.gate, NULL);
  while (atomic_load(&c.inside) > 1) bw_gosched();
  int code; // there is room, or will be in a moment
  while ((code = bw_group_go_ctx(ctx, c.group, wait_at_gate, &c)) != 0) {
    CHECK_EQ(code, BW_EDEADLINE);
    bw_gosched();
  }
  bw_chan_close(c.gate);
  CHECK_EQ(bw_group_wait(c.group), 0);
  c.group = bw_group_make(); // without a limit there is always room
  CHECK_EQ(bw_group_go_ctx(ctx, c.group, wait_at_gate, &c), 0);
  CHECK_EQ(bw_group_wait(c.group), 0);
  context_wait_alone();
  bw_chan_release(c.gate);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

// Who waits for room gets it or not: as many run as were started, and never more than the limit.
typedef struct {
  int limit;
  atomic_int running, runs;
} room;

static int count_run(void *arg) {
  room *r = arg;
  CHECK(atomic_fetch_add(&r->running, 1) < r->limit);
  atomic_fetch_add(&r->runs, 1);
  bw_gosched();
  atomic_fetch_sub(&r->running, 1);
  return 0;
}

CONTEXT_TEST(context_and_room_race) {
  (void)arg;
  int rounds = test_is_slow_build() || BW_WASM ? 20 : 300;
  for (int i = 0; i < rounds; i++) {
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    bw_group *g = bw_group_make();
    room r = {.limit = 1 + i % 3};
    int started = 0;
    bw_group_set_limit(g, r.limit);
    for (int k = 0; k < 20; k++) {
      if (k == i % 20) CHECK_EQ(bw_go(cancel_it, cancel), 0);
      int code = bw_group_go_ctx(ctx, g, count_run, &r);
      CHECK(code == 0 || code == BW_ECANCELED);
      started += code == 0;
    }
    CHECK_EQ(bw_group_wait(g), 0);
    CHECK_EQ(atomic_load(&r.runs), started);
    context_wait_alone();
    CHECK_EQ(context_watchers(ctx), 0);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  return 0;
}

// ---- values -------------------------------------------------------------------------------------

typedef struct {
  bw_context *ctx;
  bw_group *group;
  bw_chan *chan;
  int value, code;
} user;

static int send_value(void *arg) {
  user *u = arg;
  u->code = bw_group_send_ctx(u->ctx, u->group, u->chan, &u->value);
  return 0;
}

static int recv_value(void *arg) {
  user *u = arg;
  u->code = bw_group_recv_ctx(u->ctx, u->group, u->chan, &u->value);
  return 0;
}

static void users_wait(user *users, bw_context *ctx, bw_group *g, bw_chan *c) {
  for (int i = 0; i < 2; i++) users[i] = (user){ctx, g, i ? c : NULL, 77, 1};
  CHECK_EQ(bw_group_go(g, send_value, &users[0]), 0);
  CHECK_EQ(bw_group_go(g, recv_value, &users[1]), 0);
}

static void users_end(user *users, bw_group *g, int code) {
  CHECK_EQ(bw_group_wait(g), 0);
  for (int i = 0; i < 2; i++) CHECK(users[i].code == code && users[i].value == 77);
  context_wait_alone();
}

CONTEXT_TEST(context_beside_a_group) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  for (int settled = 0; settled < 2; settled++) {
    user users[2];
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    bw_group *g = bw_group_make();
    users_wait(users, ctx, g, c);
    if (settled) settle();
    bw_group_stop(g, 0);
    users_end(users, g, BW_ESTATE);
    CHECK_EQ(context_watchers(ctx), 0);
    g = bw_group_make();
    users_wait(users, ctx, g, c);
    if (settled) settle();
    bw_cancel_now(cancel);
    users_end(users, g, BW_ECANCELED);
    g = bw_group_make();
    users_wait(users, ctx, g, c); // it has ended
    users_end(users, g, BW_ECANCELED);
    // What can be done at once is done.
    g = bw_group_make();
    int v = 3, got = 0;
    CHECK_EQ(bw_group_send_ctx(ctx, g, c, &v), 0);
    CHECK_EQ(bw_group_send_ctx(ctx, g, c, &v), BW_ECANCELED);
    CHECK_EQ(bw_group_recv_ctx(ctx, g, c, &got), 0);
    CHECK_EQ(got, 3);
    CHECK_EQ(bw_group_recv_ctx(ctx, g, c, &got), BW_ECANCELED);
    CHECK_EQ(got, 3);
    if (settled) {
      bw_chan_close(c);
      CHECK_EQ(bw_group_recv_ctx(ctx, g, c, &got), BW_ECLOSED);
    }
    bw_group_stop(g, 0);
    CHECK_EQ(bw_group_send_ctx(ctx, g, c, &v), BW_ESTATE);
    CHECK_EQ(bw_group_recv_ctx(ctx, g, c, &got), BW_ESTATE);
    CHECK_EQ(bw_group_wait(g), 0);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  bw_chan_release(c);
  return 0;
}

// ---- work in parallel ---------------------------------------------------------------------------

enum { ITEMS = 200 };

typedef struct {
  bw_cancel *cancel;
  size_t when; // who has this one cancels
  atomic_int calls[ITEMS];
} work;

static int do_item(void *arg, size_t i) {
  work *w = arg;
  atomic_fetch_add(&w->calls[i], 1);
  if (i == w->when) bw_cancel_now(w->cancel);
  if (i % 8 == 0) bw_gosched();
  return 0;
}

static int calls_made(work *w) {
  int n = 0;
  for (int i = 0; i < ITEMS; i++) {
    int calls = atomic_load(&w->calls[i]);
    CHECK(calls <= 1);
    n += calls;
  }
  return n;
}

// 0 exactly when all calls were made.
CONTEXT_TEST(context_ends_work_in_parallel) {
  (void)arg;
  for (int workers = 0; workers <= 4; workers++) {
    for (size_t when = 0; when <= ITEMS; when += when < 190 ? 19 : 1) {
      work w = {.when = when};
      bw_context *ctx = bw_with_cancel(bw_context_background(), &w.cancel);
      int code = bw_parallel_ctx(ctx, ITEMS, workers, do_item, &w), made = calls_made(&w);
      CHECK_EQ(code, made == ITEMS ? 0 : BW_ECANCELED);
      if (when >= ITEMS - 1) CHECK_EQ(code, 0);
      if (workers == 1 && when < ITEMS) CHECK_EQ(made, when + 1);
      work none = {.when = ITEMS};
      bw_cancel_now(w.cancel);
      CHECK_EQ(bw_parallel_ctx(ctx, ITEMS, workers, do_item, &none), BW_ECANCELED);
      CHECK_EQ(calls_made(&none), 0);
      CHECK_EQ(bw_parallel_ctx(ctx, 0, workers, do_item, &none), 0);
      context_wait_alone();
      CHECK_EQ(context_watchers(ctx), 0);
      bw_cancel_release(w.cancel);
      bw_context_release(ctx);
    }
  }
  return 0;
}

static int fail_item(void *arg, size_t i) {
  int code = do_item(arg, i);
  return i == 50 ? FAILS : code;
}

static int wait_for_end(void *ctx, size_t i) {
  CHECK(i < 3);
  CHECK_EQ(bw_sleep_ctx(ctx, 3600 * BW_SECOND), BW_EDEADLINE);
  return 0;
}

// An error that comes before the end is the one; and calls that were given the context end by it.
CONTEXT_TEST(context_and_results_of_work_in_parallel) {
  (void)arg;
  work w = {.when = ITEMS};
  bw_context *ctx = bw_with_cancel(bw_context_background(), &w.cancel);
  CHECK_EQ(bw_parallel_ctx(ctx, ITEMS, 3, fail_item, &w), FAILS);
  bw_cancel_release(w.cancel);
  bw_context_release(ctx);
  ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &w.cancel);
  CHECK_EQ(bw_parallel_ctx(ctx, ITEMS, 3, wait_for_end, ctx), BW_EDEADLINE);
  context_wait_alone();
  bw_cancel_release(w.cancel);
  bw_context_release(ctx);
  return 0;
}

// ---- nil ----------------------------------------------------------------------------------------

static void parallel_of_nil(void *w) { bw_parallel_ctx(NULL, ITEMS, 2, do_item, w); }
static void go_of_nil(void *g) { bw_group_go_ctx(NULL, g, return_code, NULL); }
static void send_of_nil(void *g) { bw_group_send_ctx(NULL, g, NULL, NULL); }
static void recv_of_nil(void *g) { bw_group_recv_ctx(NULL, g, NULL, NULL); }
static void wait_of_nil(void *g) { bw_group_wait_ctx(NULL, g, NULL); }

BOTH_TEST(context_nil_beside_a_group) {
  static void (*const calls[])(void *) = {go_of_nil, send_of_nil, recv_of_nil, wait_of_nil};
  work w = {.when = ITEMS};
  bw_group *g = bw_group_make();
  caught c;
  for (int i = 0; i < 4; i++) {
    CHECK(panics(calls[i], g, &c));
    CHECK_STR(c.text, "nil context");
  }
  CHECK(panics(parallel_of_nil, &w, &c));
  CHECK_STR(c.text, "nil context");
  CHECK_EQ(bw_group_wait(g), 0);
}
