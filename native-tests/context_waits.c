// Waits that take a context.
#include "context_util.h"
#include "panic_util.h"

typedef struct {
  bw_context *ctx;
  bw_chan *chan;
  int value, code;
  atomic_bool done;
} call;

static void do_send(void *arg) {
  call *c = arg;
  c->code = bw_chan_send_ctx(c->ctx, c->chan, &c->value);
  atomic_store(&c->done, true);
}

static void do_recv(void *arg) {
  call *c = arg;
  c->code = bw_chan_recv_ctx(c->ctx, c->chan, &c->value);
  atomic_store(&c->done, true);
}

static void do_sleep(void *arg) {
  call *c = arg;
  c->code = bw_sleep_ctx(c->ctx, 3600 * BW_SECOND);
  atomic_store(&c->done, true);
}

static void do_select(void *arg) {
  call *c = arg;
  c->code = BW_SELECT_CTX(c->ctx, bw_on_recv(NULL, NULL), bw_on_recv(c->chan, &c->value),
                          bw_on_recv(c->chan, &c->value));
  atomic_store(&c->done, true);
}

static void do_select_many(void *arg) {
  call *c = arg;
  bw_case cases[40];
  for (int i = 0; i < 40; i++) cases[i] = bw_on_recv(c->chan, &c->value);
  c->code = bw_select_ctx(c->ctx, cases, 40);
  atomic_store(&c->done, true);
}

static void do_select_nothing(void *arg) {
  call *c = arg;
  c->code = bw_select_ctx(c->ctx, NULL, 0);
  atomic_store(&c->done, true);
}

static void (*const waits[])(void *) = {do_send, do_recv,        do_sleep,         do_select,
                                        do_recv, do_select_many, do_select_nothing};
enum { WAITS = sizeof waits / sizeof *waits, NIL_RECV = 4 };

// Each wait for itself and all at once, on goroutines; ended by cancelling, or by a deadline.
static void all_wait(bw_context *ctx, bw_chan *nobody, call *calls) {
  for (int i = 0; i < WAITS; i++) {
    calls[i] = (call){.ctx = ctx, .chan = i == NIL_RECV ? NULL : nobody, .value = 77};
    if (waits[i] == do_send) calls[i].chan = NULL;
    CHECK_EQ(bw_go(waits[i], &calls[i]), 0);
  }
}

static void all_have_ended(call *calls, int code) {
  for (int i = 0; i < WAITS; i++) {
    while (!atomic_load(&calls[i].done)) bw_gosched();
    CHECK_EQ(calls[i].code, code);
    CHECK_EQ(calls[i].value, 77);
  }
  context_wait_alone();
}

CONTEXT_TEST(context_cancel_ends_waits) {
  (void)arg;
  bw_chan *nobody = bw_chan_make(sizeof(int), 0);
  for (int rounds = 0; rounds < 20; rounds++) {
    call calls[WAITS];
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    bw_context *value = bw_with_value(ctx, &(bw_context_key){"x"}, NULL, NULL);
    all_wait(value, nobody, calls);
    if (rounds % 3) settle();
    if (rounds % 3 == 1)
      for (int i = 0; i < WAITS; i++) CHECK(!atomic_load(&calls[i].done));
    bw_cancel_now(cancel);
    all_have_ended(calls, BW_ECANCELED);
    CHECK_EQ(context_watchers(ctx), 0);
    all_wait(ctx, nobody, calls); // of one that has ended
    all_have_ended(calls, BW_ECANCELED);
    bw_cancel_release(cancel);
    bw_context_release(value);
    bw_context_release(ctx);
  }
  bw_chan_release(nobody);
  return 0;
}

CONTEXT_TEST(context_deadline_ends_waits) {
  (void)arg;
  bw_chan *nobody = bw_chan_make(sizeof(int), 0);
  call calls[WAITS];
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), 2 * BW_MILLISECOND, &cancel);
  all_wait(ctx, nobody, calls);
  all_have_ended(calls, BW_EDEADLINE);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  bw_chan_release(nobody);
  return 0;
}

// What can be done is done, also when the context has ended; and nobody is left watching.
CONTEXT_TEST(context_waits_do_what_can_be_done) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  for (int round = 0; round < 2; round++) {
    int v = 5, got = 0;
    CHECK_EQ(bw_chan_send_ctx(ctx, c, &v), 0);
    CHECK_EQ(bw_chan_recv_ctx(ctx, c, &got), 0);
    CHECK_EQ(got, 5);
    CHECK_EQ(BW_SELECT_CTX(ctx, bw_on_recv(c, &got), bw_on_send(c, &v)), 1);
    CHECK_EQ(BW_SELECT_CTX(ctx, bw_on_recv(c, &got), bw_on_send(c, &v)), 0);
    CHECK_EQ(bw_sleep_ctx(ctx, 0), 0);
    CHECK_EQ(bw_sleep_ctx(ctx, -1), 0);
    CHECK_EQ(context_watchers(ctx), 0);
    bw_cancel_now(cancel);
  }
  int got = 1;
  bw_chan_close(c);
  CHECK_EQ(bw_chan_recv_ctx(ctx, c, &got), BW_ECLOSED);
  CHECK_EQ(got, 0);
  bw_chan_release(c);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  // One that cannot end: the plain operations.
  c = bw_chan_make(sizeof(int), 1);
  CHECK_EQ(bw_chan_send_ctx(bw_context_background(), c, &got), 0);
  CHECK_EQ(bw_chan_recv_ctx(bw_context_todo(), c, &got), 0);
  CHECK_EQ(bw_sleep_ctx(bw_context_todo(), BW_MICROSECOND), 0);
  bw_chan_release(c);
  return 0;
}

static int received_while_waiting(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  call r = {.ctx = ctx, .chan = bw_chan_make(sizeof(int), 0)};
  CHECK_EQ(bw_go(do_recv, &r), 0);
  settle();
  CHECK_EQ(context_watchers(ctx), 1);
  int v = 9;
  bw_chan_send(r.chan, &v);
  settle();
  CHECK(atomic_load(&r.done) && r.code == 0 && r.value == 9);
  CHECK_EQ(context_watchers(ctx), 0);
  int64_t start = bw_now();
  CHECK_EQ(bw_sleep_ctx(ctx, 2 * BW_MILLISECOND), 0);
  CHECK(bw_now() - start >= 2 * BW_MILLISECOND);
  CHECK_EQ(context_watchers(ctx), 0);
  bw_chan_release(r.chan);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}
TEST(context_wait_ends_by_its_operation) { context_run(received_while_waiting, NULL, 1); }

static void close_it(void *chan) {
  settle();
  bw_chan_close(chan);
}

static void send_on(void *arg) {
  call *c = arg;
  bw_chan_send_ctx(c->ctx, c->chan, &c->value);
}

static int send_panics(void *arg) {
  (void)arg;
  caught what;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  call c = {.ctx = ctx, .chan = bw_chan_make(sizeof(int), 0)};
  CHECK_EQ(bw_go(close_it, c.chan), 0);
  CHECK(panics(send_on, &c, &what));
  CHECK_STR(what.text, "send on closed channel");
  CHECK_EQ(context_watchers(ctx), 0);
  context_wait_alone();
  bw_chan_release(c.chan);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}
TEST(context_send_on_closed_panics) { context_run(send_panics, NULL, 1); }

// Who waits for ever, by a context that nobody will end, is asleep like any other.
static int nobody_cancels(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  return bw_chan_recv_ctx(ctx, NULL, NULL);
}
DEATH_TEST(context_wait_may_deadlock, 2, "all goroutines are asleep - deadlock!") {
  test_run(nobody_cancels, NULL, 2);
}

// The run ends while goroutines wait: the context, which outlives them, must not look for them.
static bw_cancel *outlives_cancel;
static bw_context *outlives;

static int leave_waiting(void *chan) {
  static call calls[WAITS];
  outlives = bw_with_cancel(bw_context_background(), &outlives_cancel);
  all_wait(outlives, chan, calls);
  settle();
  return 0;
}

TEST(context_outlives_those_who_wait) {
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  for (int i = 0; i < 3; i++) {
    test_run(leave_waiting, c, i);
    bw_cancel_release(outlives_cancel);
    bw_context_release(outlives);
  }
  bw_chan_release(c);
}

// ---- plain threads ------------------------------------------------------------------------------

static int threads_wait(void *arg) {
  (void)arg;
  bw_chan *nobody = bw_chan_make(sizeof(int), 0);
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  call calls[WAITS];
  chan_thread threads[WAITS];
  enum { N = BW_WASM ? 2 : WAITS };
  for (int i = 0; i < N; i++) {
    calls[i] = (call){.ctx = ctx, .chan = i == NIL_RECV ? NULL : nobody, .value = 77};
    if (waits[i] == do_send) calls[i].chan = NULL;
    chan_thread_start(&threads[i], waits[i], &calls[i]);
  }
  while (context_watchers(ctx) < N) bw_gosched();
  for (int i = 0; i < N; i++) CHECK(!atomic_load(&calls[i].done));
  bw_cancel_now(cancel);
  for (int i = 0; i < N; i++) {
    chan_thread_join(&threads[i]);
    CHECK_EQ(calls[i].code, BW_ECANCELED);
  }
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  bw_chan_release(nobody);
  return 0;
}
THREADS_TEST(context_cancel_ends_waits_of_threads) { test_run(threads_wait, NULL, 2); }

// ---- each value goes one way --------------------------------------------------------------------

// Senders and receivers whose contexts end at any moment: what was sent (0) is received or left,
// and nothing else is.
enum { PAIRS = 4, ROUNDS = 400 };

static void exchange_send(void *arg) {
  context_exchange *x = arg;
  for (int i = 1;; i++) {
    int code = bw_chan_send_ctx(x->ctx, x->chan, &i);
    if (code) break;
    atomic_fetch_add(&x->sent, i);
    atomic_fetch_add(&x->sends, 1);
    if (bw_context_err(x->ctx)) break;
    if (i % 4 == 0) bw_gosched(); // who hands values on in a circle keeps others waiting
  }
  atomic_fetch_sub(&x->running, 1);
}

static void exchange_recv(void *arg) {
  context_exchange *x = arg;
  for (int i = 1;; i++) {
    int v = 0;
    int code = i % 2 ? bw_chan_recv_ctx(x->ctx, x->chan, &v)
                     : BW_SELECT_CTX(x->ctx, bw_on_recv(x->chan, &v), bw_on_recv(NULL, NULL));
    if (code) break;
    context_exchange_took(x, v);
    if (bw_context_err(x->ctx)) break;
    if (i % 4 == 0) bw_gosched();
  }
  atomic_fetch_sub(&x->running, 1);
}

static void exchange_start(context_exchange *x) {
  for (int i = 0; i < PAIRS; i++) {
    CHECK_EQ(bw_go(exchange_send, x), 0);
    CHECK_EQ(bw_go(exchange_recv, x), 0);
  }
}

static void exchange_drain(context_exchange *x) {
  for (int v; bw_chan_try_recv(x->chan, &v) == 0;) context_exchange_took(x, v);
}

static int exchanges(void *arg) {
  (void)arg;
  int rounds = test_is_slow_build() || BW_WASM ? ROUNDS / 10 : ROUNDS;
  for (int round = 0; round < rounds; round++) {
    context_exchange x = {.chan = bw_chan_make(sizeof(int), round % 3), .running = 2 * PAIRS};
    context_exchange_round(&x, round, exchange_start, exchange_drain);
  }
  return 0;
}
TEST(context_waits_lose_no_value) { context_run(exchanges, NULL, 0); }
TEST(context_waits_lose_no_value_on_one_p) { context_run(exchanges, NULL, 1); }
