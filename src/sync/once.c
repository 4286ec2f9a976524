// Once, and functions that are called once.
//
// `done` is set when the call is over, by a deferred step, while the mutex is still held; whoever
// reads it before waits for the mutex, and so for the end of the call. It is the last that is
// written: who sees it sees the rest.
//
// Locks: none but the bw_mutex. Blocks: G, or M on a plain thread, for as long as the call takes.
#include "sync/once.h"

#include "base/text.h"
#include "sched/unwind.h"
#include "sync/mutex.h"

#include <burrow/defer.h>
#include <burrow/sync.h>

static void unlock(void *mu) { bw_mutex_unlock(mu); }

static void set_done(void *o) { __atomic_store_n(&((bw_once *)o)->done, 1, __ATOMIC_RELEASE); }

// The mutex is the caller's, and unlocked.
static void call_first(bw_once *o, void (*fn)(void *arg), void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(unlock, &o->mu);
  if (o->done) return;
  BW_DEFER(set_done, o);
  fn(arg);
}

BW_NOINLINE void bw__once_do_first(bw_once *o, void (*fn)(void *arg), void *arg) {
  bw_mutex_lock(&o->mu);
  call_first(o, fn, arg);
}

static bool is_done(bw_once *o) { return __atomic_load_n(&o->done, __ATOMIC_ACQUIRE); }

int bw__once_do_with(bw_once *o, void (*fn)(void *arg), void *arg, bw__cancel_source *cancel) {
  if (is_done(o)) return 0;
  int code = bw__mutex_lock_with(&o->mu, BW_SEMA_NO_DEADLINE, cancel);
  if (code != 0) return is_done(o) ? 0 : code;
  call_first(o, fn, arg);
  return 0;
}

// ---- how a call ended ---------------------------------------------------------------------------

void bw__once_note_panic(bw__once_end *end, bw_panicking *p) {
  if (!p) return;
  end->value = p->info.value;
  end->write = p->write;
  end->how = p->info.runtime_error ? BW_END_RUNTIME_ERROR : BW_END_MESSAGE;
  bw__text t = bw__text_on(end->message, sizeof end->message);
  if (p->info.message)
    bw__text_format(&t, "%s", p->info.message);
  else
    end->how = BW_END_VALUE;
}

BW_NOINLINE void bw__once_panic_likewise(const bw__once_end *end) {
  switch (end->how) {
  case BW_END_MESSAGE: bw__panic_in("bw_once", "%s", end->message);
  case BW_END_RUNTIME_ERROR: bw__panic_runtime_in("bw_once", "%s", end->message);
  case BW_END_VALUE: bw__panic_value_at(NULL, 0, "bw_once", end->value, end->write);
  default: return;
  }
}

static void note_panic(void *end, bw_panicking *p) { bw__once_note_panic(end, p); }

static BW_NOINLINE void end_likewise(const bw__once_end *end, const char *what) {
  bw__once_panic_likewise(end);
  bw__panic_in("bw_once", "sync: function of a %s has ended its goroutine", what);
}

// ---- functions ----------------------------------------------------------------------------------

static void call_func(void *arg) {
  bw_once_func *f = arg;
  f->end.how = BW_END_EXITED; // unless
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return; // nobody does
  BW_DEFER(note_panic, &f->end);
  f->fn(f->arg);
  f->end.how = BW_END_RETURNED;
}

void bw_once_func_call(bw_once_func *f) {
  bw_once_do(&f->once, call_func, f);
  if (BW_UNLIKELY(f->end.how != BW_END_RETURNED)) end_likewise(&f->end, "bw_once_func");
}

int bw__once_func_call_with(bw_once_func *f, bw__cancel_source *cancel) {
  int code = bw__once_do_with(&f->once, call_func, f, cancel);
  if (code != 0) return code;
  if (BW_UNLIKELY(f->end.how != BW_END_RETURNED)) end_likewise(&f->end, "bw_once_func");
  return 0;
}

static void call_value(void *arg) {
  bw_once_value *v = arg;
  v->end.how = BW_END_EXITED; // unless
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return; // nobody does
  BW_DEFER(note_panic, &v->end);
  v->value = v->fn(v->arg);
  v->end.how = BW_END_RETURNED;
}

void *bw_once_value_get(bw_once_value *v) {
  bw_once_do(&v->once, call_value, v);
  if (BW_UNLIKELY(v->end.how != BW_END_RETURNED)) end_likewise(&v->end, "bw_once_value");
  return v->value;
}

int bw__once_value_get_with(bw_once_value *v, bw__cancel_source *cancel) {
  int code = bw__once_do_with(&v->once, call_value, v, cancel);
  if (code != 0) return code;
  if (BW_UNLIKELY(v->end.how != BW_END_RETURNED)) end_likewise(&v->end, "bw_once_value");
  return 0;
}
