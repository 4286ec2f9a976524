// What JavaScript does with locks: codes, no panics, and nothing waits but in an op.
//
// An op keeps its record from being dropped. When its thread leaves the runtime it
// is taken back; if it has got the lock by then, that is unlocked.
#include "entry/js/agent.h"
#include "entry/js/lock.h"
#include "port/port.h"
#include "sync/cond.h"
#include "sync/rwmutex.h"
#include "sync/waitgroup.h"

typedef struct {
  bw__js_op op;
  bw_js_lock *lock;
  union {
    bw__mutex_ticket mutex;
    bw__rwmutex_ticket rwmutex;
    bw__sema_waiter sema;
    bw__waitgroup_ticket waitgroup;
    bw__cond_ticket cond;
  };
} lock_op;

static lock_op *of(bw__js_op *op) { return BW_CONTAINER(op, lock_op, op); }

static void end(bw__js_op *op) { bw__js_lock_op_ends(of(op)->lock); }

static int leave(bw_js_lock *l, int code) {
  bw__js_lock_leave(l);
  return code;
}

// With room for its kind's ticket only. NULL: no memory.
static lock_op *op_for(bw_js_lock *l, const bw__js_op_kind *kind, size_t ticket, uint32_t key) {
  bw__js_op *op = bw__js_op_make(kind, offsetof(lock_op, mutex) + ticket, key);
  if (!op) return NULL;
  bw__js_lock_op_begins(l);
  of(op)->lock = l;
  return of(op);
}

// ---- mutexes ------------------------------------------------------------------------------------

static void mutex_complete(bw__mutex_ticket *t, int code) {
  bw__js_op_finish(&BW_CONTAINER(t, lock_op, mutex)->op, code);
}

static bool mutex_cancel(bw__js_op *op) { return bw__mutex_cancel_ticket(&of(op)->mutex); }
static int mutex_resume(bw__js_op *op) {
  bool taken = op->pub.code == BW_JS_TAKEN;
  op->pub.code = 0; // until it comes again
  if (!taken) return bw__mutex_resume_ticket(&of(op)->mutex);
  bw__mutex_taken_ticket(&of(op)->mutex);
  return 0;
}

static void mutex_undo(bw__js_op *op) {
  if (op->pub.code == 0) bw__mutex_try_unlock(bw__js_mutex_of(of(op)->lock), false);
}

static const bw__js_op_kind mutex_kind = {
    .cancel = mutex_cancel,
    .abandon = mutex_cancel,
    .resume = mutex_resume,
    .undo = mutex_undo,
    .end = end,
};

int bw_js_mutex_lock(bw_js_lock *l, uint32_t id, uint32_t key, int own) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  bw_mutex *mu = bw__js_mutex_of(l);
  if (bw_mutex_trylock(mu)) return leave(l, 0);
  lock_op *op = op_for(l, &mutex_kind, sizeof op->mutex, key);
  if (!op) return leave(l, BW_ENOMEM);
  bw__mutex_ticket_init(&op->mutex, mu, own, mutex_complete);
  return leave(l, bw__js_op_begun(&op->op, bw__mutex_lock_ticket(&op->mutex)));
}

int bw_js_mutex_try_lock(bw_js_lock *l, uint32_t id) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  return leave(l, bw_mutex_trylock(bw__js_mutex_of(l)) ? 0 : BW_EAGAIN);
}

int bw_js_mutex_unlock(bw_js_lock *l, uint32_t id) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  return leave(l, bw__mutex_try_unlock(bw__js_mutex_of(l), false) ? 0 : BW_ESTATE);
}

// ---- read-write mutexes -------------------------------------------------------------------------

static void rwmutex_complete(bw__rwmutex_ticket *t, int code) {
  bw__js_op_finish(&BW_CONTAINER(t, lock_op, rwmutex)->op, code);
}

static bool rwmutex_cancel(bw__js_op *op) { return bw__rwmutex_cancel_ticket(&of(op)->rwmutex); }

static bool rwmutex_unlock(bw_rwmutex *rw, bool writes) {
  return writes ? bw__rwmutex_try_unlock(rw) : bw__rwmutex_try_runlock(rw);
}

static void rwmutex_undo(bw__js_op *op) {
  if (op->pub.code == 0) rwmutex_unlock(of(op)->rwmutex.rw, of(op)->rwmutex.writes);
}

static const bw__js_op_kind rwmutex_kind = {
    .cancel = rwmutex_cancel,
    .abandon = rwmutex_cancel,
    .undo = rwmutex_undo,
    .end = end,
};

static bool rwmutex_try_lock(bw_rwmutex *rw, bool writes) {
  return writes ? bw_rwmutex_try_lock(rw) : bw_rwmutex_try_rlock(rw);
}

int bw_js_rwmutex_lock(bw_js_lock *l, uint32_t id, uint32_t key, int writes) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  if (rwmutex_try_lock(&l->rwmutex, writes)) return leave(l, 0);
  lock_op *op = op_for(l, &rwmutex_kind, sizeof op->rwmutex, key);
  if (!op) return leave(l, BW_ENOMEM);
  bw__rwmutex_ticket_init(&op->rwmutex, &l->rwmutex, writes, rwmutex_complete);
  return leave(l, bw__js_op_begun(&op->op, bw__rwmutex_lock_ticket(&op->rwmutex)));
}

int bw_js_rwmutex_try_lock(bw_js_lock *l, uint32_t id, int writes) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  return leave(l, rwmutex_try_lock(&l->rwmutex, writes) ? 0 : BW_EAGAIN);
}

int bw_js_rwmutex_unlock(bw_js_lock *l, uint32_t id, int writes) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  return leave(l, rwmutex_unlock(&l->rwmutex, writes) ? 0 : BW_ESTATE);
}

// ---- semaphores ---------------------------------------------------------------------------------

static void sema_complete(bw__waiter *w) {
  bw__js_op_finish(&BW_CONTAINER(w, lock_op, sema.waiter)->op, 0);
}

static bool sema_cancel(bw__js_op *op) { return bw__sema_cancel_ticket(&of(op)->sema); }
static void sema_undo(bw__js_op *op) { bw_sema_release(&of(op)->lock->sema, 1); }

static const bw__js_op_kind sema_kind = {
    .cancel = sema_cancel,
    .abandon = sema_cancel,
    .undo = sema_undo,
    .end = end,
};

int bw_js_sema_acquire(bw_js_lock *l, uint32_t id, uint32_t key) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  if (bw_sema_try_acquire(&l->sema)) return leave(l, 0);
  lock_op *op = op_for(l, &sema_kind, sizeof op->sema, key);
  if (!op) return leave(l, BW_ENOMEM);
  bw__sema_ticket_init(&op->sema, bw__sema_word(&l->sema.permits), sema_complete);
  return leave(l, bw__js_op_begun(&op->op, bw__sema_acquire_ticket(&op->sema, BW_SEMA_FIFO)));
}

int bw_js_sema_try_acquire(bw_js_lock *l, uint32_t id) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  return leave(l, bw_sema_try_acquire(&l->sema) ? 0 : BW_EAGAIN);
}

int bw_js_sema_release(bw_js_lock *l, uint32_t id, uint32_t n) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  uint32_t there = bw__load_relaxed(bw__sema_word(&l->sema.permits));
  if ((uint64_t)there + n > INT32_MAX) return leave(l, BW_ERANGE);
  bw_sema_release(&l->sema, n);
  return leave(l, 0);
}

// ---- wait groups --------------------------------------------------------------------------------

static void waitgroup_complete(bw__waitgroup_ticket *t) {
  bw__js_op_finish(&BW_CONTAINER(t, lock_op, waitgroup)->op, 0);
}

static bool waitgroup_cancel(bw__js_op *op) {
  return bw__waitgroup_cancel_ticket(&of(op)->waitgroup);
}

static const bw__js_op_kind waitgroup_kind = {
    .cancel = waitgroup_cancel,
    .abandon = waitgroup_cancel,
    .end = end,
};

int bw_js_waitgroup_wait(bw_js_lock *l, uint32_t id, uint32_t key) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  lock_op *op = op_for(l, &waitgroup_kind, sizeof op->waitgroup, key);
  if (!op) return leave(l, BW_ENOMEM);
  bw__waitgroup_ticket_init(&op->waitgroup, &l->waitgroup, waitgroup_complete);
  return leave(l, bw__js_op_begun(&op->op, bw__waitgroup_wait_ticket(&op->waitgroup)));
}

int bw_js_waitgroup_add(bw_js_lock *l, uint32_t id, int n) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  return leave(l, bw__waitgroup_try_add(&l->waitgroup, n));
}

// ---- conditions ---------------------------------------------------------------------------------

static void cond_complete(bw__cond_ticket *t, int code) {
  bw__js_op_finish(&BW_CONTAINER(t, lock_op, cond)->op, code);
}

static bool cond_cancel(bw__js_op *op) {
  bw__cond_cancel_ticket(&of(op)->cond);
  return false;
}

static bool cond_abandon(bw__js_op *op) { return bw__cond_abandon_ticket(&of(op)->cond); }

static void cond_undo(bw__js_op *op) {
  if (op->pub.code != BW_ESTATE) bw__mutex_try_unlock(of(op)->lock->cond.cond.mu, false);
}

// The mutex must be there, to be locked again.
static void cond_end(bw__js_op *op) {
  bw__js_lock_op_ends(of(op)->lock->cond.mutex);
  end(op);
}

static const bw__js_op_kind cond_kind = {
    .cancel = cond_cancel,
    .abandon = cond_abandon,
    .undo = cond_undo,
    .end = cond_end,
};

static int cond_wait(bw_js_lock *l, uint32_t key) {
  lock_op *op = op_for(l, &cond_kind, sizeof op->cond, key);
  if (!op) return BW_ENOMEM;
  bw__js_lock_op_begins(l->cond.mutex);
  bw__cond_ticket_init(&op->cond, &l->cond.cond, cond_complete);
  return bw__js_op_begun(&op->op, bw__cond_wait_ticket(&op->cond));
}

int bw_js_cond_wait(bw_js_lock *l, uint32_t id, uint32_t key) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  bw_js_lock *mutex = l->cond.mutex;
  if (!bw__js_lock_enter(mutex, l->cond.mutex_id)) return leave(l, BW_EHANDLE);
  int code = cond_wait(l, key);
  bw__js_lock_leave(mutex);
  return leave(l, code);
}

int bw_js_cond_wake(bw_js_lock *l, uint32_t id, int all) {
  if (!bw__js_lock_enter(l, id)) return BW_EHANDLE;
  if (all)
    bw_cond_broadcast(&l->cond.cond);
  else
    bw_cond_signal(&l->cond.cond);
  return leave(l, 0);
}
