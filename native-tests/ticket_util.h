// Tickets, each with how it ended.
#ifndef BURROW_TICKET_UTIL_H
#define BURROW_TICKET_UTIL_H

#include "sync_util.h"

#include "sync/cond.h"
#include "sync/mutex.h"
#include "sync/rwmutex.h"
#include "sync/waitgroup.h"

enum { NOT_YET = 1 };

typedef struct {
  atomic_int code; // NOT_YET, then what `complete` was told: it is the last touch
} ticket_end;

// A second completion that nobody has taken note of is an error.
static inline void ticket_ends(ticket_end *e, int code) {
  CHECK_EQ(atomic_exchange(&e->code, code), NOT_YET);
}

static inline int ticket_code(ticket_end *e) { return atomic_load(&e->code); }
static inline int ticket_take(ticket_end *e) { return atomic_exchange(&e->code, NOT_YET); }

// Until it has ended: looks again and again, but leaves the cores to those who have something to
// do.
static inline int ticket_await(ticket_end *e) {
  for (unsigned rounds = 1; ticket_code(e) == NOT_YET; rounds++) {
    if (bw_goid() && rounds < 10)
      bw_gosched();
    else
      bw_sleep(20 * BW_MICROSECOND);
  }
  bw__port_mem_sync();
  return ticket_take(e);
}

// ---- mutexes ------------------------------------------------------------------------------------

typedef struct {
  bw__mutex_ticket t;
  ticket_end end;
} mutex_call;

static inline void mutex_call_ends(bw__mutex_ticket *t, int code) {
  ticket_ends(&BW_CONTAINER(t, mutex_call, t)->end, code);
}

static inline void mutex_call_init(mutex_call *c, bw_mutex *mu, bool own) {
  atomic_init(&c->end.code, NOT_YET);
  bw__mutex_ticket_init(&c->t, mu, own, mutex_call_ends);
}

static inline int mutex_call_begin(mutex_call *c, bw_mutex *mu, bool own) {
  mutex_call_init(c, mu, own);
  return bw__mutex_lock_ticket(&c->t);
}

// ---- read-write mutexes -------------------------------------------------------------------------

typedef struct {
  bw__rwmutex_ticket t;
  ticket_end end;
} rwmutex_call;

static inline void rwmutex_call_ends(bw__rwmutex_ticket *t, int code) {
  ticket_ends(&BW_CONTAINER(t, rwmutex_call, t)->end, code);
}

static inline void rwmutex_call_init(rwmutex_call *c, bw_rwmutex *rw, bool writes) {
  atomic_init(&c->end.code, NOT_YET);
  bw__rwmutex_ticket_init(&c->t, rw, writes, rwmutex_call_ends);
}

static inline int rwmutex_call_begin(rwmutex_call *c, bw_rwmutex *rw, bool writes) {
  rwmutex_call_init(c, rw, writes);
  return bw__rwmutex_lock_ticket(&c->t);
}

// ---- wait groups --------------------------------------------------------------------------------

typedef struct {
  bw__waitgroup_ticket t;
  ticket_end end;
} waitgroup_call;

static inline void waitgroup_call_ends(bw__waitgroup_ticket *t) {
  ticket_ends(&BW_CONTAINER(t, waitgroup_call, t)->end, 0);
}

static inline int waitgroup_call_begin(waitgroup_call *c, bw_waitgroup *wg) {
  atomic_init(&c->end.code, NOT_YET);
  bw__waitgroup_ticket_init(&c->t, wg, waitgroup_call_ends);
  return bw__waitgroup_wait_ticket(&c->t);
}

// ---- conditions ---------------------------------------------------------------------------------

typedef struct {
  bw__cond_ticket t;
  ticket_end end;
} cond_call;

static inline void cond_call_ends(bw__cond_ticket *t, int code) {
  ticket_ends(&BW_CONTAINER(t, cond_call, t)->end, code);
}

static inline int cond_call_begin(cond_call *c, bw_cond *cond) {
  atomic_init(&c->end.code, NOT_YET);
  bw__cond_ticket_init(&c->t, cond, cond_call_ends);
  return bw__cond_wait_ticket(&c->t);
}

#endif
