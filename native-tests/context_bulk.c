// Many values at once with a context, and the typed forms: how many were sent, when it ends.
#include "context_util.h"
#include "panic_util.h"

#include "base/rand.h"

enum { MOST = 10 };

typedef struct {
  bw_context *ctx;
  bw_chan *chan;
  int values[MOST];
  size_t n, sent;
  ptrdiff_t code; // what it returned
  atomic_bool done;
} bulk;

static void send_bulk(void *arg) {
  bulk *b = arg;
  b->code = bw_chan_send_n_ctx(b->ctx, b->chan, b->values, b->n, &b->sent);
  atomic_store(&b->done, true);
}

static void recv_bulk(void *arg) {
  bulk *b = arg;
  b->code = bw_chan_recv_n_ctx(b->ctx, b->chan, b->values, b->n);
  atomic_store(&b->done, true);
}

static bulk bulk_of(bw_context *ctx, bw_chan *c, int first) {
  bulk b = {.ctx = ctx, .chan = c, .n = MOST};
  for (int i = 0; i < MOST; i++) b.values[i] = first + i;
  return b;
}

static void until_done(bulk *b) {
  while (!atomic_load(&b->done)) bw_gosched();
}

// What need not wait is done, of a context that has ended too; the rest is not.
CONTEXT_TEST(context_bulk_sends_what_there_is_room_for) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  for (int ended = 0; ended < 2; ended++) {
    for (int cap = 0; cap <= MOST; cap++) {
      bw_chan *c = bw_chan_make(sizeof(int), cap);
      bulk b = bulk_of(ctx, c, 0), r = {.ctx = ctx, .chan = c, .n = MOST};
      if (ended || cap == MOST)
        send_bulk(&b);
      else
        CHECK_EQ(bw_go(send_bulk, &b), 0);
      while (bw_chan_len(c) < cap) bw_gosched();
      if (!ended && cap < MOST) {
        while (context_watchers(ctx) == 0) bw_gosched();
        CHECK(!atomic_load(&b.done));
        bw_cancel_release(cancel);
      }
      until_done(&b);
      CHECK_EQ(b.code, cap == MOST ? 0 : BW_ECANCELED);
      CHECK_EQ(b.sent, cap);
      recv_bulk(&r);
      CHECK_EQ(r.code, cap ? cap : ended || cap < MOST ? BW_ECANCELED : 0);
      for (int i = 0; i < MOST; i++) CHECK_EQ(r.values[i], i < cap ? i : 0); // or untouched
      CHECK_EQ(bw_chan_len(c), 0);
      context_wait_alone();
      CHECK_EQ(context_watchers(ctx), 0);
      bw_chan_release(c);
      if (!ended && cap < MOST) {
        bw_context_release(ctx);
        ctx = bw_with_cancel(bw_context_background(), &cancel);
      }
    }
    bw_cancel_now(cancel);
  }
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

// Some are received while it waits for the rest.
CONTEXT_TEST(context_bulk_says_how_many_were_sent) {
  (void)arg;
  for (int taken = 0; taken <= MOST; taken++) {
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    bw_chan *c = bw_chan_make(sizeof(int), 0);
    bulk b = bulk_of(ctx, c, 40);
    CHECK_EQ(bw_go(send_bulk, &b), 0);
    for (int i = 0, v; i < taken; i++) {
      CHECK(bw_chan_recv(c, &v));
      CHECK_EQ(v, 40 + i);
    }
    if (taken < MOST) bw_cancel_now(cancel);
    until_done(&b);
    CHECK_EQ(b.sent, taken);
    CHECK_EQ(b.code, taken == MOST ? 0 : BW_ECANCELED);
    CHECK_EQ(bw_chan_try_recv(c, NULL), BW_EAGAIN);
    context_wait_alone();
    bw_chan_release(c);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  return 0;
}

CONTEXT_TEST(context_bulk_deadline_ends_waits) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), 2 * BW_MILLISECOND, &cancel);
  bw_chan *full = bw_chan_make(sizeof(int), 3), *empty = bw_chan_make(sizeof(int), 3);
  bulk s = bulk_of(ctx, full, 0), r = bulk_of(ctx, empty, 70);
  bulk s_nil = bulk_of(ctx, NULL, 0), r_nil = bulk_of(ctx, NULL, 70);
  CHECK_EQ(bw_go(send_bulk, &s), 0);
  CHECK_EQ(bw_go(recv_bulk, &r), 0);
  CHECK_EQ(bw_go(send_bulk, &s_nil), 0);
  recv_bulk(&r_nil);
  until_done(&s), until_done(&r), until_done(&s_nil);
  CHECK(s.code == BW_EDEADLINE && r.code == BW_EDEADLINE);
  CHECK(s_nil.code == BW_EDEADLINE && r_nil.code == BW_EDEADLINE);
  CHECK(s.sent == 3 && s_nil.sent == 0);
  for (int i = 0; i < MOST; i++) CHECK(r.values[i] == 70 + i && r_nil.values[i] == 70 + i);
  // Nothing to do is done.
  CHECK_EQ(bw_chan_send_n_ctx(ctx, NULL, NULL, 0, NULL), 0);
  CHECK_EQ(bw_chan_recv_n_ctx(ctx, NULL, NULL, 0), 0);
  context_wait_alone();
  bw_chan_release(full);
  bw_chan_release(empty);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

static int receives_while_waiting(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  bulk r = bulk_of(ctx, c, 70);
  CHECK_EQ(bw_go(recv_bulk, &r), 0);
  settle();
  CHECK_EQ(context_watchers(ctx), 1);
  bw_chan_send_n(c, (int[]){5}, 1);
  settle();
  CHECK(atomic_load(&r.done) && r.code == 1 && r.values[0] == 5 && r.values[1] == 71);
  atomic_store(&r.done, false);
  CHECK_EQ(bw_go(recv_bulk, &r), 0);
  settle();
  bw_chan_close(c);
  settle();
  CHECK(atomic_load(&r.done) && r.code == 0 && r.values[0] == 0);
  CHECK_EQ(bw_chan_recv_n_ctx(ctx, c, NULL, MOST), 0);
  CHECK_EQ(context_watchers(ctx), 0);
  bw_chan_release(c);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}
TEST(context_bulk_receive_ends_by_its_operation) { context_run(receives_while_waiting, NULL, 1); }

static int send_of_no_size(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 7);
  size_t sent = 1;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_cancel_now(cancel);
  CHECK_EQ(bw_chan_send_n_ctx(ctx, c, NULL, 9, &sent), BW_ECANCELED);
  CHECK_EQ(sent, 7);
  CHECK_EQ(bw_chan_send_n_ctx(ctx, c, NULL, 1, NULL), BW_ECANCELED);
  CHECK_EQ(bw_chan_recv_n_ctx(ctx, c, NULL, SIZE_MAX), 7);
  bw_chan_release(c);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}
TEST(context_bulk_of_no_size) { context_run(send_of_no_size, NULL, 1); }

// ---- panics -------------------------------------------------------------------------------------

static void close_it(void *chan) {
  settle();
  bw_chan_close(chan);
}

// The count is true then as well.
static int send_panics(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 4);
  bulk b = bulk_of(bw_context_background(), c, 0);
  caught what;
  CHECK_EQ(bw_go(close_it, c), 0);
  CHECK(panics(send_bulk, &b, &what)); // while it waits
  CHECK_STR(what.text, "send on closed channel");
  CHECK_EQ(b.sent, 4);
  for (int left = 4; left >= 0; left -= 4) { // with room, too, nothing is stored
    CHECK(panics(send_bulk, &b, &what));
    CHECK_STR(what.text, "send on closed channel");
    CHECK_EQ(b.sent, 0);
    CHECK_EQ(bw_chan_recv_n(c, NULL, 10), left);
  }
  context_wait_alone();
  bw_chan_release(c);
  b.chan = bw_after(3600 * BW_SECOND);
  CHECK(panics(send_bulk, &b, &what));
  CHECK_STR(what.text, "send to receive-only channel");
  bw_chan_release(b.chan);
  b.chan = NULL, b.ctx = NULL;
  CHECK(panics(send_bulk, &b, &what));
  CHECK_STR(what.text, "nil context");
  CHECK(panics(recv_bulk, &b, &what));
  CHECK_STR(what.text, "nil context");
  return 0;
}
TEST(context_bulk_panics) { test_run(send_panics, NULL, 1); }

// A timer's value that nobody has delivered yet is there.
static int receives_from_timer(void *arg) {
  (void)arg;
  int64_t when = 0;
  bw_chan *c = bw_after(0);
  CHECK_EQ(bw_chan_recv_n_ctx(bw_context_background(), c, &when, 1), 1);
  CHECK(when > 0);
  bw_chan_release(c);
  return 0;
}
TEST(context_bulk_of_a_timer) { test_run(receives_from_timer, NULL, 1); }

// ---- typed --------------------------------------------------------------------------------------

CONTEXT_TEST(context_typed_forms) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  BW_CHAN(int) c = BW_CHAN_MAKE(int, 3);
  const int from[] = {2, 3, 4};
  int to[4] = {0};
  size_t sent = 9;
  CHECK_EQ(bw_send_ctx(ctx, c.send_end, 1), 0);
  bw_cancel_now(cancel);
  CHECK_EQ(bw_send_n_ctx(ctx, c, from, 3, &sent), BW_ECANCELED);
  CHECK_EQ(sent, 2);
  CHECK_EQ(bw_send_ctx(ctx, c, 1), BW_ECANCELED);
  CHECK_EQ(bw_recv_ctx(ctx, c, &to[0]), 0);
  CHECK_EQ(bw_recv_n_ctx(ctx, c.recv_end, to + 1, 3), 2);
  CHECK(to[0] == 1 && to[1] == 2 && to[2] == 3 && to[3] == 0);
  CHECK_EQ(bw_recv_ctx(ctx, c.recv_end, NULL), BW_ECANCELED);
  CHECK_EQ(bw_recv_n_ctx(ctx, c, to, 3), BW_ECANCELED);
  bw_close(c);
  CHECK_EQ(bw_recv_ctx(ctx, c, NULL), BW_ECLOSED);
  CHECK_EQ(bw_recv_n_ctx(ctx, c, NULL, 3), 0);
  bw_release(c);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

// ---- plain threads ------------------------------------------------------------------------------

static int threads_wait(void *arg) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  bw_chan *full = bw_chan_make(sizeof(int), 2), *empty = bw_chan_make(sizeof(int), 2);
  bulk s = bulk_of(ctx, full, 0), r = bulk_of(ctx, empty, 70);
  chan_thread sender, receiver;
  chan_thread_start(&sender, send_bulk, &s);
  chan_thread_start(&receiver, recv_bulk, &r);
  while (context_watchers(ctx) < 2) bw_gosched();
  bw_cancel_now(cancel);
  chan_thread_join(&sender);
  chan_thread_join(&receiver);
  CHECK(s.code == BW_ECANCELED && s.sent == 2);
  CHECK(r.code == BW_ECANCELED && r.values[0] == 70);
  bw_chan_release(full);
  bw_chan_release(empty);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}
THREADS_TEST(context_bulk_cancel_ends_waits_of_threads) { test_run(threads_wait, NULL, 2); }

// ---- each value goes one way --------------------------------------------------------------------

// Blocks of values, with contexts that end at any moment: what was sent, by the counts, is received
// or left, once; and each sender's values come in their order.
enum { PAIRS = 3, ROUNDS = 300 };
static const int caps[] = {0, 3, 6, 9};

typedef struct {
  context_exchange *x;
  int number;
} peer;

static void exchange_send(void *arg) {
  peer *p = arg;
  context_exchange *x = p->x;
  bw__rand rand = {(uint64_t)p->number};
  int64_t values[20], next = 0;
  for (int code = 0; !code && !bw_context_err(x->ctx); bw_gosched()) {
    size_t n = 1 + bw__rand_below(&rand, 20), sent = 99;
    for (size_t i = 0; i < n; i++) values[i] = (int64_t)p->number << 32 | (next + (int64_t)i);
    code = bw_chan_send_n_ctx(x->ctx, x->chan, values, n, &sent);
    CHECK(code ? sent < n : sent == n);
    next += (int64_t)sent;
    for (size_t i = 0; i < sent; i++) atomic_fetch_add(&x->sent, values[i]);
    atomic_fetch_add(&x->sends, (long long)sent);
  }
  atomic_fetch_sub(&x->running, 1);
}

static void take(context_exchange *x, const int64_t *values, ptrdiff_t got, int64_t *last) {
  for (ptrdiff_t i = 0; i < got; i++) {
    int from = (int)(values[i] >> 32);
    int64_t number = values[i] & 0xffffffff;
    CHECK(from < PAIRS && number > last[from]);
    last[from] = number;
    context_exchange_took(x, values[i]);
  }
}

static void exchange_recv(void *arg) {
  peer *p = arg;
  context_exchange *x = p->x;
  bw__rand rand = {100 + (uint64_t)p->number};
  int64_t values[20], last[PAIRS];
  for (int i = 0; i < PAIRS; i++) last[i] = -1;
  for (;;) {
    ptrdiff_t got = bw_chan_recv_n_ctx(x->ctx, x->chan, values, 1 + bw__rand_below(&rand, 20));
    if (got < 0) break;
    CHECK(got > 0);
    take(x, values, got, last);
    if (bw_context_err(x->ctx)) break;
    bw_gosched();
  }
  atomic_fetch_sub(&x->running, 1);
}

static void exchange_start(context_exchange *x) {
  static peer peers[PAIRS]; // of one exchange at a time
  for (int i = 0; i < PAIRS; i++) {
    peers[i] = (peer){x, i};
    CHECK_EQ(bw_go(exchange_send, &peers[i]), 0);
    CHECK_EQ(bw_go(exchange_recv, &peers[i]), 0);
  }
}

static void exchange_drain(context_exchange *x) {
  for (int64_t v; bw_chan_try_recv(x->chan, &v) == 0;) context_exchange_took(x, v);
}

static int exchanges(void *arg) {
  (void)arg;
  int rounds = test_is_slow_build() || BW_WASM ? ROUNDS / 10 : ROUNDS;
  for (int round = 0; round < rounds; round++) {
    context_exchange x = {.chan = bw_chan_make(sizeof(int64_t), caps[round % 4]),
                          .running = 2 * PAIRS};
    context_exchange_round(&x, round, exchange_start, exchange_drain);
  }
  return 0;
}
TEST(context_bulk_loses_no_value) { context_run(exchanges, NULL, 0); }
TEST(context_bulk_loses_no_value_on_one_p) { context_run(exchanges, NULL, 1); }
