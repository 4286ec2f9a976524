// Those who take a context: locks and the like, groups, limiters, calls that are made once.
#include "context_util.h"
#include "panic_util.h"

#include <burrow/singleflight.h>

// ---- locks --------------------------------------------------------------------------------------

typedef struct {
  bw_context *ctx;
  bw_mutex mu, cond_mu;
  bw_rwmutex rw;
  bw_sema sema;
  bw_cond cond; // of cond_mu
  bw_waitgroup wg;
  int codes[6];
  atomic_int ended;
} locks;

static void lock_mutex(void *arg) {
  locks *l = arg;
  l->codes[0] = bw_mutex_lock_ctx(l->ctx, &l->mu);
  atomic_fetch_add(&l->ended, 1);
}

static void lock_reader(void *arg) {
  locks *l = arg;
  l->codes[1] = bw_rwmutex_rlock_ctx(l->ctx, &l->rw);
  atomic_fetch_add(&l->ended, 1);
}

static void lock_writer(void *arg) {
  locks *l = arg;
  l->codes[2] = bw_rwmutex_lock_ctx(l->ctx, &l->rw);
  atomic_fetch_add(&l->ended, 1);
}

static void take_permit(void *arg) {
  locks *l = arg;
  l->codes[3] = bw_sema_acquire_ctx(l->ctx, &l->sema);
  atomic_fetch_add(&l->ended, 1);
}

static void wait_for_signal(void *arg) {
  locks *l = arg;
  bw_mutex_lock(&l->cond_mu);
  l->codes[4] = bw_cond_wait_ctx(l->ctx, &l->cond);
  CHECK(!bw_mutex_trylock(&l->cond_mu)); // has it again
  bw_mutex_unlock(&l->cond_mu);
  atomic_fetch_add(&l->ended, 1);
}

static void wait_for_group(void *arg) {
  locks *l = arg;
  l->codes[5] = bw_waitgroup_wait_ctx(l->ctx, &l->wg);
  atomic_fetch_add(&l->ended, 1);
}

static void (*const takers[])(void *) = {lock_mutex,  lock_reader,     lock_writer,
                                         take_permit, wait_for_signal, wait_for_group};
enum { TAKERS = sizeof takers / sizeof *takers };

static void take_all(locks *l) {
  for (int i = 0; i < TAKERS; i++) CHECK_EQ(bw_go(takers[i], l), 0);
}

static void check_codes(locks *l, int code) {
  while (atomic_load(&l->ended) < TAKERS) bw_gosched();
  for (int i = 0; i < TAKERS; i++) CHECK_EQ(l->codes[i], code);
  context_wait_alone();
  CHECK_EQ(context_watchers(l->ctx), 0);
  atomic_store(&l->ended, 0);
}

CONTEXT_TEST(context_ends_waits_for_locks) {
  (void)arg;
  bw_cancel *cancel;
  locks l = {.sema = BW_SEMA(0)};
  l.cond = (bw_cond)BW_COND(&l.cond_mu);
  bw_waitgroup_add(&l.wg, 1);
  bw_mutex_lock(&l.mu);
  bw_rwmutex_lock(&l.rw);
  l.ctx = bw_with_cancel(bw_context_background(), &cancel);
  take_all(&l);
  settle();
  CHECK_EQ(atomic_load(&l.ended), 0);
  bw_cancel_now(cancel);
  check_codes(&l, BW_ECANCELED);
  take_all(&l);
  check_codes(&l, BW_ECANCELED); // it has ended before
  bw_cancel_release(cancel);
  bw_context_release(l.ctx);
  l.ctx = bw_with_timeout(bw_context_background(), 2 * BW_MILLISECOND, &cancel);
  take_all(&l);
  check_codes(&l, BW_EDEADLINE);
  bw_mutex_unlock(&l.mu);
  bw_rwmutex_unlock(&l.rw);
  bw_sema_release(&l.sema, 1);
  // What can be had at once is had, though the context has ended.
  CHECK_EQ(bw_mutex_lock_ctx(l.ctx, &l.mu), 0);
  CHECK(!bw_mutex_trylock(&l.mu));
  bw_mutex_unlock(&l.mu);
  CHECK_EQ(bw_rwmutex_rlock_ctx(l.ctx, &l.rw), 0);
  bw_rwmutex_runlock(&l.rw);
  CHECK_EQ(bw_rwmutex_lock_ctx(l.ctx, &l.rw), 0);
  bw_rwmutex_unlock(&l.rw);
  CHECK_EQ(bw_sema_acquire_ctx(l.ctx, &l.sema), 0);
  CHECK(!bw_sema_try_acquire(&l.sema));
  bw_waitgroup_done(&l.wg);
  CHECK_EQ(bw_waitgroup_wait_ctx(l.ctx, &l.wg), 0);
  bw_cancel_release(cancel);
  bw_context_release(l.ctx);
  return 0;
}

// The other ends of these waits: what they wait for comes, and nobody is left watching.
CONTEXT_TEST(context_waits_for_locks_end_by_them) {
  (void)arg;
  bw_cancel *cancel;
  locks l = {.sema = BW_SEMA(0)};
  l.cond = (bw_cond)BW_COND(&l.cond_mu);
  bw_waitgroup_add(&l.wg, 1);
  bw_mutex_lock(&l.mu);
  bw_rwmutex_lock(&l.rw);
  l.ctx = bw_with_cancel(bw_context_background(), &cancel);
  for (int i = 0; i < TAKERS; i++)
    if (i != 2) CHECK_EQ(bw_go(takers[i], &l), 0);
  while (context_watchers(l.ctx) < TAKERS - 1) bw_gosched();
  bw_mutex_unlock(&l.mu);
  bw_rwmutex_unlock(&l.rw);
  bw_sema_release(&l.sema, 1);
  bw_waitgroup_done(&l.wg);
  while (atomic_load(&l.ended) < TAKERS - 1) {
    bw_mutex_lock(&l.cond_mu); // who watches may not stand in the queue yet
    bw_cond_signal(&l.cond);
    bw_mutex_unlock(&l.cond_mu);
    bw_gosched();
  }
  bw_rwmutex_runlock(&l.rw);
  atomic_fetch_add(&l.ended, 1); // the writer, who was left out
  check_codes(&l, 0);
  bw_cancel_release(cancel);
  bw_context_release(l.ctx);
  return 0;
}

// ---- calls that are made once -------------------------------------------------------------------

typedef struct {
  bw_context *ctx;
  bw_singleflight calls;
  bw_chan *gate;
  atomic_bool made, done;
} flight;

static int slow_call(void *arg, void *result) {
  flight *f = arg;
  atomic_store(&f->made, true);
  bw_chan_recv(f->gate, NULL);
  *(int *)result = 7;
  return 0;
}

static void call_first(void *arg) {
  flight *f = arg;
  int result;
  CHECK_EQ(bw_singleflight_do(&f->calls, "k", 1, slow_call, f, &result, NULL), 0);
  CHECK_EQ(result, 7);
  atomic_store(&f->done, true);
}

CONTEXT_TEST(context_of_a_call_made_once) {
  (void)arg;
  bw_cancel *cancel;
  flight f = {.calls = BW_SINGLEFLIGHT(sizeof(int)), .gate = bw_chan_make(0, 0)};
  f.ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
  CHECK_EQ(bw_go(call_first, &f), 0);
  while (!atomic_load(&f.made)) bw_gosched();
  int result = 1;
  CHECK_EQ(bw_singleflight_do_ctx(f.ctx, &f.calls, "k", 1, slow_call, &f, &result, NULL),
           BW_EDEADLINE);
  CHECK_EQ(result, 0);
  bw_chan_send(f.gate, NULL);
  while (!atomic_load(&f.done)) bw_gosched();
  context_wait_alone();
  bw_chan_release(f.gate);
  bw_cancel_release(cancel);
  bw_context_release(f.ctx);
  return 0;
}

// ---- groups -------------------------------------------------------------------------------------

enum { MEMBERS = 8, FAILS = -70, PERMITS = 5 };

typedef struct {
  bw_group *group;
  bw_context *ctx;
  int code; // what to return
} member;

static int wait_for_end(void *arg) {
  member *m = arg;
  int err = bw_sleep_ctx(m->ctx, 3600 * BW_SECOND);
  CHECK(err < 0);
  CHECK(!bw_chan_recv(bw_group_stopped(m->group), NULL)); // at once, or in a moment
  return m->code;
}

static int wait_for_stop(void *arg) {
  member *m = arg;
  bw_chan_recv(bw_group_stopped(m->group), NULL);
  context_wait(m->ctx);
  return m->code;
}

static int fail(void *arg) { return ((member *)arg)->code; }

static void start_members(member *m) {
  for (int i = 0; i < MEMBERS; i++)
    CHECK_EQ(bw_group_go(m->group, i % 2 ? wait_for_end : wait_for_stop, m), 0);
}

CONTEXT_TEST(context_of_a_group_ends_with_it) {
  (void)arg;
  static const int codes[] = {FAILS, 0};
  for (int i = 0; i < 2; i++) { // a member fails; or somebody has enough
    member m = {.code = -99}, failing = {.code = FAILS};
    if (codes[i] == 0) m.code = 0;
    m.group = bw_group_make_ctx(bw_context_background(), &m.ctx);
    bw_context *ctx = bw_context_retain(m.ctx);
    context_check_open(ctx);
    start_members(&m);
    if (codes[i])
      CHECK_EQ(bw_group_go(m.group, fail, &failing), 0);
    else
      bw_group_stop(m.group, 0);
    CHECK_EQ(bw_group_wait(m.group), codes[i]);
    context_check_ended(ctx, BW_ECANCELED);
    CHECK_EQ(bw_context_cause(ctx), codes[i] ? codes[i] : BW_ECANCELED);
    bw_context_release(ctx);
  }
  // Nobody stops it: the wait ends the context.
  bw_context *ctx;
  bw_group *g = bw_group_make_ctx(bw_context_background(), &ctx);
  bw_context_retain(ctx);
  CHECK_EQ(bw_group_wait(g), 0);
  context_check_ended(ctx, BW_ECANCELED);
  bw_context_release(ctx);
  return 0;
}

CONTEXT_TEST(context_stops_its_group) {
  (void)arg;
  bw_cancel *cancel;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  member m = {.code = -99};
  m.group = bw_group_make_ctx(parent, &m.ctx);
  start_members(&m);
  settle();
  bw_cancel_now(cancel);
  CHECK_EQ(bw_group_wait(m.group), BW_ECANCELED);
  CHECK_EQ(context_watchers(parent), 0);

  m.group = bw_group_make_ctx(parent, &m.ctx); // which has ended
  context_check_ended(m.ctx, BW_ECANCELED);
  start_members(&m);
  CHECK_EQ(bw_group_wait(m.group), BW_ECANCELED);
  bw_cancel_release(cancel);
  bw_context_release(parent);

  parent = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
  m.group = bw_group_make_ctx(parent, &m.ctx);
  start_members(&m);
  CHECK_EQ(bw_group_wait(m.group), BW_EDEADLINE);
  bw_cancel_release(cancel);
  bw_context_release(parent);
  return 0;
}

static void cancel_it(void *cancel) { bw_cancel_now(cancel); }

// Both at once, and groups within groups.
CONTEXT_TEST(context_and_group_race) {
  (void)arg;
  for (int i = 0; i < 100; i++) {
    bw_cancel *cancel;
    bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
    member outer = {.code = 0}, inner = {.code = 0};
    outer.group = bw_group_make_ctx(parent, &outer.ctx);
    inner.group = bw_group_make_ctx(outer.ctx, &inner.ctx);
    start_members(&outer);
    start_members(&inner);
    CHECK_EQ(bw_go(cancel_it, cancel), 0);
    if (i % 2) bw_gosched();
    bw_group_stop(i % 3 ? outer.group : inner.group, FAILS);
    int code = bw_group_wait(inner.group);
    CHECK(code == FAILS || code == BW_ECANCELED);
    code = bw_group_wait(outer.group);
    CHECK(code == FAILS || code == BW_ECANCELED);
    context_wait_alone();
    bw_cancel_release(cancel);
    bw_context_release(parent);
  }
  return 0;
}

static void group_of_nil(void *arg) { bw_group_make_ctx(NULL, arg); }

BOTH_TEST(context_group_of_nil) {
  caught c;
  bw_context *ctx;
  CHECK(panics(group_of_nil, &ctx, &c));
  CHECK_STR(c.text, "cannot create context from nil parent");
}

// ---- limiters -----------------------------------------------------------------------------------

typedef struct {
  bw_context *ctx;
  bw_limiter *limiter;
  int code;
  atomic_bool done;
} limited;

static void wait_for_tokens(void *arg) {
  limited *l = arg;
  l->code = bw_limiter_wait_ctx(l->ctx, l->limiter, PERMITS);
  atomic_store(&l->done, true);
}

CONTEXT_TEST(context_of_a_limiter) {
  (void)arg;
  bw_cancel *cancel;
  limited l = {.limiter = bw_limiter_make(1, 3600 * BW_SECOND, PERMITS)};
  l.ctx = bw_with_cancel(bw_context_background(), &cancel);
  CHECK_EQ(bw_limiter_wait_ctx(l.ctx, l.limiter, PERMITS), 0);
  CHECK_EQ(bw_go(wait_for_tokens, &l), 0);
  while (context_watchers(l.ctx) == 0) bw_gosched();
  bw_cancel_now(cancel);
  while (!atomic_load(&l.done)) bw_gosched();
  CHECK_EQ(l.code, BW_ECANCELED);
  CHECK_EQ(bw_limiter_wait_ctx(l.ctx, l.limiter, 1), BW_ECANCELED); // at once
  bw_cancel_release(cancel);
  bw_context_release(l.ctx);
  bw_limiter_free(l.limiter);

  l.limiter = bw_limiter_make(1, 3600 * BW_SECOND, PERMITS);
  l.ctx = bw_with_timeout(bw_context_background(), 60 * BW_SECOND, &cancel);
  CHECK_EQ(bw_limiter_wait_ctx(l.ctx, l.limiter, PERMITS - 1), 0);
  int64_t start = bw_now();
  CHECK_EQ(bw_limiter_wait_ctx(l.ctx, l.limiter, 2), BW_EDEADLINE); // they come too late for it
  CHECK(bw_now() - start < 50 * BW_SECOND);
  bw_cancel_now(cancel);
  CHECK_EQ(bw_limiter_wait_ctx(l.ctx, l.limiter, 1), 0); // and were not taken
  bw_cancel_release(cancel);
  bw_context_release(l.ctx);
  bw_limiter_free(l.limiter);
  context_wait_alone();
  return 0;
}
