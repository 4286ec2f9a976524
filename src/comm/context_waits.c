// The waits that take a context: each is the plain one with the source of the context's node beside
// it, and the context's own word for why it ended.
#include "comm/chan.h"
#include "comm/context.h"
#include "comm/select.h"
#include "sync/cond.h"
#include "sync/lockwatch.h"
#include "sync/mutex.h"
#include "sync/once.h"
#include "sync/rwmutex.h"
#include "sync/sema.h"
#include "sync/semaphore.h"
#include "sync/waitgroup.h"

// A source is fired after err was set, so where BW_ECANCELED came from it, err is there.
static int said_by(bw_context *ctx, int code) {
  return code == BW_ECANCELED ? bw_context_err(ctx) : code;
}

static int select_with(bw_context *ctx, const bw_case *cases, size_t n, bw__reason reason) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__select_with(cases, n, BW_SELECT_NO_DEADLINE, source, reason));
}

int bw_select_ctx(bw_context *ctx, const bw_case *cases, size_t n) {
  return select_with(ctx, cases, n, BW_REASON_SELECT);
}

int bw_chan_send_ctx(bw_context *ctx, bw_chan *c, const void *value) {
  bw_case k = bw_on_send(c, value);
  return select_with(ctx, &k, 1, BW_REASON_CHAN_SEND);
}

int bw_chan_recv_ctx(bw_context *ctx, bw_chan *c, void *value) {
  bool ok = true;
  bw_case k = bw_on_recv_ok(c, value, &ok);
  int code = select_with(ctx, &k, 1, BW_REASON_CHAN_RECEIVE);
  return code == 0 && !ok ? BW_ECLOSED : code;
}

// The select for one more by waiting: it also finds what is closed, or nil.
int bw_chan_send_n_ctx(bw_context *ctx, bw_chan *c, const void *values, size_t n, size_t *sent) {
  size_t done = 0, size = bw_chan_elem_size(c);
  const char *from = values;
  bw__context_check(ctx);
  if (!sent) sent = &done;
  for (*sent = 0; *sent < n; ++*sent) {
    if (c) *sent += bw__chan_send_some(c, from + *sent * size, n - *sent);
    if (*sent == n) break;
    bw_case k = bw_on_send(c, from + *sent * size);
    int code = select_with(ctx, &k, 1, BW_REASON_CHAN_SEND);
    if (code != 0) return code;
  }
  return 0;
}

ptrdiff_t bw_chan_recv_n_ctx(bw_context *ctx, bw_chan *c, void *values, size_t n) {
  bw__context_check(ctx);
  if (n == 0) return 0;
  if (n > PTRDIFF_MAX) n = PTRDIFF_MAX; // of no size, or dropped
  size_t got = c ? bw__chan_recv_some(c, values, n) : 0;
  if (got > 0) return (ptrdiff_t)got;
  int code = bw_chan_recv_ctx(ctx, c, values);
  if (code == 0) return 1;
  return code == BW_ECLOSED ? 0 : code;
}

int bw_sleep_ctx(bw_context *ctx, int64_t ns) {
  bw__cancel_source *source = bw__context_source(ctx);
  if (ns <= 0) return 0;
  int code = bw__pause_with(bw__timer_from_now(ns), source, BW_REASON_SLEEP);
  return code == BW_ETIMEDOUT ? 0 : said_by(ctx, code);
}

int bw_mutex_lock_ctx(bw_context *ctx, bw_mutex *mu) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__mutex_lock_with(mu, BW_SEMA_NO_DEADLINE, source));
}

int bw_rwmutex_rlock_ctx(bw_context *ctx, bw_rwmutex *rw) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__rwmutex_rlock_with(rw, BW_SEMA_NO_DEADLINE, source));
}

int bw_rwmutex_lock_ctx(bw_context *ctx, bw_rwmutex *rw) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__rwmutex_lock_with(rw, BW_SEMA_NO_DEADLINE, source));
}

int bw__watched_lock_ctx(bw_context *ctx, void *lock, int form, const char *place) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__watched_lock_with(lock, form, INT64_MAX, source, place));
}

int bw_sema_acquire_ctx(bw_context *ctx, bw_sema *s) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__semaphore_acquire_with(s, BW_SEMA_NO_DEADLINE, source));
}

int bw_cond_wait_ctx(bw_context *ctx, bw_cond *c) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__cond_wait_with(c, BW_SEMA_NO_DEADLINE, source));
}

int bw_waitgroup_wait_ctx(bw_context *ctx, bw_waitgroup *wg) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__waitgroup_wait_with(wg, BW_SEMA_NO_DEADLINE, source));
}

int bw_once_do_ctx(bw_context *ctx, bw_once *o, void (*fn)(void *arg), void *arg) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__once_do_with(o, fn, arg, source));
}

int bw_once_func_call_ctx(bw_context *ctx, bw_once_func *f) {
  bw__cancel_source *source = bw__context_source(ctx);
  return said_by(ctx, bw__once_func_call_with(f, source));
}

int bw_once_value_get_ctx(bw_context *ctx, bw_once_value *v, void **value) {
  bw__cancel_source *source = bw__context_source(ctx);
  int code = bw__once_value_get_with(v, source);
  if (code == 0) *value = v->value;
  return said_by(ctx, code);
}
