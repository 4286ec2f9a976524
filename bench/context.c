// Contexts: made and cancelled, trees that end, values looked up, waits that are given one.
#include "bench.h"

#include <burrow/context.h>

static bw_context *check(bw_context *ctx) {
  if (!ctx) bw_panic("no memory for a context");
  return ctx;
}

static void check_ended(bw_context *ctx) {
  if (bw_context_err(ctx) != BW_ECANCELED) bw_panic("a context has not ended");
}

static void cancel_many(bw_context *parent, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    bw_cancel *cancel;
    bw_context *ctx = check(bw_with_cancel(parent, &cancel));
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
}

// WithCancel of the background, cancelled and given back; op = all three.
BENCH(ctx_withcancel_cancel) {
  int64_t n = bench_count(5000000), start = bw_now();
  cancel_many(bw_context_background(), n);
  bench_result(n, bw_now() - start);
}

// The same of a context that can be cancelled, and has the other in its list meanwhile.
BENCH(ctx_child_withcancel_cancel) {
  bw_cancel *cancel;
  bw_context *parent = check(bw_with_cancel(bw_context_background(), &cancel));
  int64_t n = bench_count(5000000), start = bw_now();
  cancel_many(parent, n);
  bench_result(n, bw_now() - start);
  bw_cancel_release(cancel);
  bw_context_release(parent);
}

// The same with a channel that somebody asks for.
BENCH(ctx_withcancel_done_cancel) {
  int64_t n = bench_count(3000000), start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    bw_cancel *cancel;
    bw_context *ctx = check(bw_with_cancel(bw_context_background(), &cancel));
    if (!bw_context_done(ctx)) bw_panic("no memory for a channel");
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  bench_result(n, bw_now() - start);
}

// WithTimeout of an hour, cancelled and given back.
BENCH(ctx_withtimeout_cancel) {
  int64_t n = bench_count(2000000), start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    bw_cancel *cancel;
    bw_context *ctx = check(bw_with_timeout(bw_context_background(), 3600 * BW_SECOND, &cancel));
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  bench_result(n, bw_now() - start);
}

// A parent with 10,000 children, or a chain of 10,000, each with the right to cancel it: making
// one, and ending them all by one cancel; op = one of them.
enum { MANY = 10000 };

typedef struct {
  bw_context *ctx[MANY];
  bw_cancel *cancel[MANY];
  int64_t made, ended; // ns
} family;

static void raise_and_end(family *f, bool chain) {
  bw_cancel *cancel;
  bw_context *parent = check(bw_with_cancel(bw_context_background(), &cancel)), *above = parent;
  int64_t t0 = bw_now();
  for (int i = 0; i < MANY; i++) {
    f->ctx[i] = check(bw_with_cancel(above, &f->cancel[i]));
    if (chain) above = f->ctx[i];
  }
  int64_t t1 = bw_now();
  bw_cancel_now(cancel);
  f->ended += bw_now() - t1;
  f->made += t1 - t0;
  for (int i = 0; i < MANY; i++) {
    check_ended(f->ctx[i]);
    bw_cancel_release(f->cancel[i]);
    bw_context_release(f->ctx[i]);
  }
  bw_cancel_release(cancel);
  bw_context_release(parent);
}

static void bench_family(bool chain, const char *making, const char *ending) {
  family *f = bw_calloc(1, sizeof *f);
  if (!f) bw_panic("no memory");
  int64_t rounds = bench_count(100);
  for (int64_t r = 0; r < rounds; r++) raise_and_end(f, chain);
  bench_result_as(making, rounds * MANY, f->made);
  bench_result_as(ending, rounds * MANY, f->ended);
  bw_free(f);
}

BENCH(ctx_10k) { bench_family(false, "ctx_withcancel_10k", "ctx_cancel_10k_children"); }
BENCH(ctx_chain10k) { bench_family(true, "ctx_chain10k_create", "ctx_chain10k_cancel"); }

// Work on siblings (made, cancelled, given back) while one cancel after the other ends 10,000
// children of the same context: how long one of them took at most, in us, and in the mean
// (ctx_beside_cancel10k; op = one sibling).
typedef struct {
  bw_context *root;
  int64_t rounds;
  atomic_bool over;
  bench_latch latch;
} beside;

static void end_trees(void *arg) {
  beside *b = arg;
  bw_context **children = bw_calloc(MANY, sizeof *children);
  for (int64_t r = 0; r < b->rounds; r++) {
    bw_cancel *cancel;
    bw_context *parent = check(bw_with_cancel(b->root, &cancel));
    for (int i = 0; i < MANY; i++) children[i] = check(bw_with_cancel(parent, NULL));
    bw_cancel_release(cancel);
    for (int i = 0; i < MANY; i++) bw_context_release(children[i]);
    bw_context_release(parent);
    bw_gosched();
  }
  bw_free(children);
  atomic_store(&b->over, true);
  bench_latch_done(&b->latch);
}

BENCH(ctx_beside_cancel10k) {
  bw_cancel *cancel;
  beside b = {.rounds = bench_count(100), .latch = bench_latch_make()};
  b.root = check(bw_with_cancel(bw_context_background(), &cancel));
  bench_latch_add(&b.latch, 1);
  bench_go(end_trees, &b);
  int64_t n = 0, worst = 0, start = bw_now();
  for (int64_t before = start; !atomic_load(&b.over); n++) {
    cancel_many(b.root, 1);
    int64_t now = bw_now();
    if (now - before > worst) worst = now - before;
    before = now;
    if (n % 64 == 0) bw_gosched();
  }
  int64_t took = bw_now() - start;
  bench_latch_wait(&b.latch);
  bench_result(n, took);
  bench_value("ctx_beside_cancel10k_max", (double)worst / BW_MICROSECOND, "us");
  bw_cancel_release(cancel);
  bw_context_release(b.root);
}

// A value ten contexts up.
BENCH(ctx_value_depth10) {
  static bw_context_key keys[10];
  bw_context *chain[10], *ctx = bw_context_background();
  for (int i = 0; i < 10; i++) ctx = chain[i] = check(bw_with_value(ctx, &keys[i], &keys[i], NULL));
  int64_t n = bench_count(20000000), found = 0, start = bw_now();
  for (int64_t i = 0; i < n; i++) found += bw_context_value(ctx, &keys[0]) == &keys[0];
  bench_result(n, bw_now() - start);
  if (found != n) bw_panic("a value was not found");
  for (int i = 0; i < 10; i++) bw_context_release(chain[i]);
}

// Has it ended? It has not.
BENCH(ctx_err) {
  bw_cancel *cancel;
  bw_context *ctx = check(bw_with_cancel(bw_context_background(), &cancel));
  int64_t n = bench_count(100000000), ended = 0, start = bw_now();
  for (int64_t i = 0; i < n; i++) ended += bw_context_err(ctx) != 0;
  bench_result(n, bw_now() - start);
  if (ended) bw_panic("a context has ended");
  bw_cancel_release(cancel);
  bw_context_release(ctx);
}

// A ping-pong over two channels of which each receive is given a context; op = one message.
typedef struct {
  bw_context *ctx;
  bw_chan *there, *back;
  int64_t n;
  bench_latch latch;
} rally;

static void return_all(void *arg) {
  rally *r = arg;
  int64_t v;
  for (int64_t i = 0; i < r->n; i++) {
    if (bw_chan_recv_ctx(r->ctx, r->there, &v)) bw_panic("receive failed");
    bw_chan_send_ctx(r->ctx, r->back, &v);
  }
  bench_latch_done(&r->latch);
}

BENCH(ctx_pingpong) {
  bw_cancel *cancel;
  rally r = {.there = bench_chan(sizeof(int64_t), 0),
             .back = bench_chan(sizeof(int64_t), 0),
             .latch = bench_latch_make()};
  bench_latch_add(&r.latch, 1);
  r.ctx = check(bw_with_cancel(bw_context_background(), &cancel));
  r.n = bench_count(1000000);
  int64_t sum = 0, v, start = bw_now();
  bench_go(return_all, &r);
  for (int64_t i = 0; i < r.n; i++) {
    bw_chan_send_ctx(r.ctx, r.there, &i);
    if (bw_chan_recv_ctx(r.ctx, r.back, &v)) bw_panic("receive failed");
    sum += v;
  }
  bench_result(2 * r.n, bw_now() - start);
  if (sum != r.n * (r.n - 1) / 2) bw_panic("a message was lost");
  bench_latch_wait(&r.latch);
  bw_cancel_release(cancel);
  bw_context_release(r.ctx);
}
