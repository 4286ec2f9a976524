// Calls that are made once, for those who do not wait for them for ever.
#include "context_util.h"
#include "panic_util.h"

typedef struct {
  bw_once once;
  bw_once_func func;
  bw_once_value value;
  bw_chan *gate; // until it is closed the calls are under way
  atomic_int calls;
} onces;

// Who asks for all three, each on a goroutine.
typedef struct {
  onces *of;
  bw_context *ctx;
  atomic_int ended;
  int codes[3];
  void *got;
} asker;

static void slow_do(void *arg) {
  onces *o = arg;
  atomic_fetch_add(&o->calls, 1);
  bw_chan_recv(o->gate, NULL);
}

static void *slow_value(void *arg) {
  slow_do(arg);
  return arg;
}

static void do_once(void *arg) {
  asker *a = arg;
  a->codes[0] = bw_once_do_ctx(a->ctx, &a->of->once, slow_do, a->of);
  atomic_fetch_add(&a->ended, 1);
}

static void do_func(void *arg) {
  asker *a = arg;
  a->codes[1] = bw_once_func_call_ctx(a->ctx, &a->of->func);
  atomic_fetch_add(&a->ended, 1);
}

static void do_value(void *arg) {
  asker *a = arg;
  a->codes[2] = bw_once_value_get_ctx(a->ctx, &a->of->value, &a->got);
  atomic_fetch_add(&a->ended, 1);
}

static void (*const doers[])(void *) = {do_once, do_func, do_value};
enum { DOERS = 3 };

static char untouched;

static void ask(asker *a, onces *o, bw_context *ctx) {
  *a = (asker){.of = o, .ctx = ctx, .got = &untouched};
  for (int i = 0; i < DOERS; i++) CHECK_EQ(bw_go(doers[i], a), 0);
}

static void answered(asker *a, int code) {
  while (atomic_load(&a->ended) < DOERS) bw_gosched();
  for (int i = 0; i < DOERS; i++) CHECK_EQ(a->codes[i], code);
  CHECK(a->got == (code ? (void *)&untouched : (void *)a->of));
  CHECK_EQ(atomic_load(&a->of->calls), DOERS);
}

static void make_onces(onces *o) {
  *o = (onces){.gate = bw_chan_make(0, 0)};
  o->func = (bw_once_func)BW_ONCE_FUNC(slow_do, o);
  o->value = (bw_once_value)BW_ONCE_VALUE(slow_value, o);
}

// The calls are under way: others wait for them, and give up; the calls go on.
CONTEXT_TEST(context_ends_waits_for_calls_made_once) {
  (void)arg;
  for (int timed = 0; timed < 2; timed++) {
    bw_cancel *cancel;
    bw_context *ctx = timed ? bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel)
                            : bw_with_cancel(bw_context_background(), &cancel);
    int want = timed ? BW_EDEADLINE : BW_ECANCELED;
    onces o;
    asker first, patient, other, late;
    make_onces(&o);
    ask(&first, &o, bw_context_background());
    while (atomic_load(&o.calls) < DOERS) bw_gosched();
    ask(&patient, &o, bw_context_background());
    ask(&other, &o, ctx);
    if (!timed) {
      while (context_watchers(ctx) < DOERS) bw_gosched();
      CHECK_EQ(atomic_load(&other.ended), 0);
      bw_cancel_now(cancel);
    }
    answered(&other, want);
    ask(&late, &o, ctx); // of one that has ended
    answered(&late, want);
    CHECK_EQ(context_watchers(ctx), 0);
    CHECK_EQ(atomic_load(&first.ended) + atomic_load(&patient.ended), 0);
    bw_chan_close(o.gate);
    answered(&first, 0);
    answered(&patient, 0);
    ask(&late, &o, ctx); // they are over, whatever has ended
    answered(&late, 0);
    context_wait_alone();
    bw_chan_release(o.gate);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  return 0;
}

// Nobody stops who calls; and who comes first with a context that has ended calls, too.
CONTEXT_TEST(context_does_not_end_a_call_made_once) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  for (int ended = 0; ended < 2; ended++) {
    onces o;
    asker a;
    make_onces(&o);
    ask(&a, &o, ctx);
    while (atomic_load(&o.calls) < DOERS) bw_gosched();
    bw_cancel_now(cancel);
    settle();
    CHECK_EQ(atomic_load(&a.ended), 0);
    bw_chan_close(o.gate);
    answered(&a, 0);
    context_wait_alone();
    bw_chan_release(o.gate);
  }
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}

// ---- panics -------------------------------------------------------------------------------------

static void fail(void *unused) {
  (void)unused;
  bw_panic("failed");
}
static void *fail_value(void *unused) {
  fail(unused);
  return NULL;
}
static void call_func(void *f) { bw_once_func_call_ctx(bw_context_background(), f); }
static void get_value(void *v) {
  void *got;
  bw_once_value_get_ctx(bw_context_background(), v, &got);
}
static void do_of_nil(void *once) { bw_once_do_ctx(NULL, once, fail, NULL); }

BOTH_TEST(context_once_panics) {
  bw_once_func f = BW_ONCE_FUNC(fail, NULL);
  bw_once_value v = BW_ONCE_VALUE(fail_value, NULL);
  bw_once once = {0};
  caught c;
  for (int i = 0; i < 2; i++) {
    CHECK(panics(call_func, &f, &c));
    CHECK_STR(c.text, "failed");
    CHECK(panics(get_value, &v, &c));
    CHECK_STR(c.text, "failed");
  }
  CHECK(panics(do_of_nil, &once, &c));
  CHECK_STR(c.text, "nil context");
}

// ---- at the same time ---------------------------------------------------------------------------

enum { CROWD = 6, ROUNDS = 500 };

typedef struct {
  bw_context *ctx;
  bw_once once;
  int n; // what the call writes
  atomic_int zeros, codes, left;
} race;

static void count_up(void *arg) {
  race *r = arg;
  bw_gosched();
  r->n++;
  bw_gosched();
}

static void run_race(void *arg) {
  race *r = arg;
  int code = bw_once_do_ctx(r->ctx, &r->once, count_up, r);
  CHECK(code == 0 || code == BW_ECANCELED);
  if (code == 0) CHECK_EQ(r->n, 1); // it is over, and seen
  atomic_fetch_add(code ? &r->codes : &r->zeros, 1);
  atomic_fetch_sub(&r->left, 1);
}

static void cancel_it(void *cancel) { bw_cancel_now(cancel); }

// One call, whoever gives up; who does not has waited for it.
CONTEXT_TEST(context_once_and_cancelling) {
  (void)arg;
  int rounds = test_is_slow_build() || BW_WASM ? ROUNDS / 10 : ROUNDS;
  for (int round = 0; round < rounds; round++) {
    bw_cancel *cancel;
    race r = {.ctx = bw_with_cancel(bw_context_background(), &cancel), .left = CROWD};
    for (int i = 0; i < CROWD; i++) {
      CHECK_EQ(bw_go(run_race, &r), 0);
      if (i == round % CROWD) CHECK_EQ(bw_go(cancel_it, cancel), 0);
    }
    while (atomic_load(&r.left) > 0) bw_gosched();
    CHECK_EQ(r.n, 1);
    CHECK(atomic_load(&r.zeros) >= 1);
    CHECK_EQ(atomic_load(&r.zeros) + atomic_load(&r.codes), CROWD);
    context_wait_alone();
    CHECK_EQ(context_watchers(r.ctx), 0);
    CHECK_EQ(bw_once_do_ctx(r.ctx, &r.once, count_up, &r), 0);
    CHECK_EQ(r.n, 1);
    bw_cancel_release(cancel);
    bw_context_release(r.ctx);
  }
  return 0;
}
