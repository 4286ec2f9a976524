// Condition variables: a list of those who wait, first come, first woken (Go's notifyList).
//
// `wait` counts the waits that have begun, `notify` those that have ended, modulo 2^32:
//
//   N1  under the list's lock: wait - notify waiters are in the list, with the tickets (the value
//       of `wait` when they came) rising, as long as there are less than 2^31 of them
//   N2  a waiter that is not in the list has its `result`
//
// So signal and broadcast need no lock to see that nobody waits.
//
// Go draws the ticket without the list's lock, before it unlocks L, and enters the list afterwards;
// a signal moves `notify` on, and then looks for the ticket, which may still be on its way. Here a
// waiter may give up, and then a signal that was given to its ticket would wake nobody. So ticket
// and list are one step here, under the list's lock, before L is unlocked.
//
// Between that and the park L has to be unlocked. A bw_mutex's unlock neither waits nor switches:
// it is done with the list's lock held, which bw__wait then hands over, so that no waiter can be
// woken before it is parked. Any other locker may do what it likes in its unlock, park for one: the
// list's lock is released first, and taken again afterwards. Who wakes the waiter meanwhile only
// leaves its result (`parked` is false), and the waiter does not park. And the unlock may be left
// in other ways: by a panic or the end of the goroutine (a deferred function ends the wait), or not
// at all, when the run ends meanwhile (g->entering leads to the waiter).
//
// A broadcast wakes many who all want the same mutex. While that is locked (by whoever broadcasts,
// most likely) they need not run to find it so: they are moved to its queue, as they are, and each
// unlock wakes the next. On several Ps only: with one nobody finds the mutex locked. A hundred that
// meet, two Ps: 240 ns each when all were readied at once and met on two cores.
//
// Waits with an end (limits.h). Who ends one takes the list's lock; if the waiter has no result yet
// it is taken off the list, given one, and readied if it is parked.
//
// Locks: the list's (BW_RANK_NOTIFY); inside of it those of sema, timers and scheduler.
#include "sync/cond.h"

#include "port/port.h"
#include "sched/sched.h"
#include "sched/unwind.h"
#include "sync/limits.h"
#include "sync/mutex.h"

#include <burrow/defer.h>

enum { WAITING = BW_EAGAIN };

typedef bw__cond_waiter cond_waiter;

typedef struct {
  cond_waiter w;
  bw__limits limits;
} limited;

// ---- the list -----------------------------------------------------------------------------------

_Static_assert(!BW_DEBUG || (int)BW__COND_RANK == (int)BW_RANK_NOTIFY, "sync.h repeats the rank");
_Static_assert(sizeof(bw__mutex) == sizeof((bw_cond *)0)->lock, "sync.h has room for the lock");
_Static_assert(sizeof(bw__list) == sizeof((bw_cond *)0)->waiters, "and for the list");

static bw__mutex *lock_of(bw_cond *c) { return (bw__mutex *)c->lock; }
static bw__list *list_of(bw_cond *c) { return (bw__list *)c->waiters; }
static _Atomic(uint32_t) *wait_of(bw_cond *c) { return (_Atomic(uint32_t) *)&c->wait; }
static _Atomic(uint32_t) *notify_of(bw_cond *c) { return (_Atomic(uint32_t) *)&c->notify; }

// The waiters lie on stacks, which other threads may have got from the system.
static void lock_list(bw_cond *c) {
  bw__mutex_lock(lock_of(c));
  bw__port_mem_sync();
}

static void unlock_list(bw_cond *c) { bw__mutex_unlock(lock_of(c)); }

static cond_waiter *waiter_of(bw__list *link) {
  return BW_CONTAINER(link, cond_waiter, s.waiter.link);
}

static void enter_locked(bw_cond *c, cond_waiter *w) {
  bw__list *list = list_of(c);
  if (!list->next) bw__list_init(list);
  w->ticket = bw__load_relaxed(wait_of(c));
  BW_ASSERT(bw__list_empty(list) ? w->ticket == bw__load_relaxed(notify_of(c))
                                 : (int32_t)(w->ticket - waiter_of(list->prev)->ticket) > 0);
  bw__list_push_back(list, &w->s.waiter.link);
  bw__store(wait_of(c), w->ticket + 1);
}

// True: it is the caller's to ready, when the lock is released.
static bool leave_locked(bw_cond *c, cond_waiter *w, int result) {
  bw__list_remove(&w->s.waiter.link);
  bw__store(notify_of(c), bw__load_relaxed(notify_of(c)) + 1);
  w->result = result;
  return w->parked;
}

// For those who end it before its time. True: it is theirs to ready.
static bool end(bw__waiter *waiter, int result) {
  cond_waiter *w = BW_CONTAINER(waiter, cond_waiter, s.waiter);
  lock_list(w->cond);
  bool ready = false;
  if (w->result == WAITING && bw__list_linked(&w->s.waiter.link))
    ready = leave_locked(w->cond, w, result);
  else if (w->result == WAITING) // it has not entered yet
    w->result = result;
  unlock_list(w->cond);
  return ready;
}

bool bw__cond_waited(bw_cond *c) { return bw__load(wait_of(c)) != bw__load(notify_of(c)); } // N1

// ---- the beginning ------------------------------------------------------------------------------

// As Go's copyChecker: the first use notes where the value lies.
static inline void check_copy(bw_cond *c) {
  uintptr_t self = (uintptr_t)c, seen = __atomic_load_n(&c->self, __ATOMIC_RELAXED);
  if (BW_LIKELY(seen == self)) return;
  if (seen == 0 &&
      __atomic_compare_exchange_n(&c->self, &seen, self, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    return;
  if (seen != self) bw__panic_in("bw_cond", "sync.Cond is copied");
}

static void check(bw_cond *c) {
  check_copy(c);
  if (!c->mu && !c->locker.lock) bw__panic_in("bw_cond", "sync.Cond has no locker");
}

static bw__m *init(cond_waiter *w, bw_cond *c) {
  bw__m *m = bw__waiter_init_here(&w->s.waiter);
  w->cond = c;
  w->result = WAITING;
  w->parked = w->moved = false;
  w->s.sema = NULL;
  w->s.result = 0;
  if (m) bw__shared_store(&m->cur->object, (uintptr_t)c);
  return m;
}

// The waiter goes, its wait has not ended: the run is over, or the unlock was not to return.
static void abandon(bw__waiter *waiter) {
  end(waiter, BW_ESTATE);
  if (BW_CONTAINER(waiter, cond_waiter, s.waiter)->moved) bw__sema_abandon(waiter);
}

static void lock_again(bw_cond *c, const cond_waiter *w) {
  if (w->moved)
    bw__mutex_lock_granted(c->mu, w->since);
  else if (c->mu)
    bw__mutex_lock_at(c->mu, "bw_cond_wait");
  else
    bw_locker_lock(c->locker);
}

// ---- from the list to the park ------------------------------------------------------------------

typedef struct {
  bw__entering entering; // of a goroutine
  cond_waiter *w;
  bool returned;
} unlocking;

// However the unlock was left. When it has not returned there will be no park here: the wait is
// over, and nothing may lead to the waiter any more.
static void unlock_left(void *arg) {
  unlocking *u = arg;
  bw__waiter *w = &u->w->s.waiter;
  if (w->kind == BW_WAIT_GOROUTINE) w->g->entering = u->entering.outer;
  if (!u->returned) w->abandon(w);
}

static void unlock_any(bw_cond *c, cond_waiter *w) {
  unlocking u = {.w = w, .entering.waiter = &w->s.waiter};
  if (w->s.waiter.kind == BW_WAIT_GOROUTINE) {
    bw__g *g = w->s.waiter.g;
    u.entering.outer = g->entering;
    g->entering = &u.entering;
  }
  BW_DEFER_SCOPE;
  BW_DEFER(unlock_left, &u);
  bw_locker_unlock(c->locker);
  u.returned = true;
}

// With the list's lock, which it has afterwards, too. Returns m, or what it is by then.
static BW_INLINE bw__m *unlock_outer(bw_cond *c, cond_waiter *w, bw__m *m) {
  if (BW_LIKELY(c->mu != NULL)) {
    if (BW__WATCHED) bw__watched_unlock(c->mu, BW__LOCK_MUTEX);
    bw__mutex_unlock_staying(c->mu);
    return m;
  }
  unlock_list(c);
  unlock_any(c, w);
  lock_list(c);
  return m ? bw__m_current() : NULL;
}

void bw_cond_wait(bw_cond *c) {
  cond_waiter w;
  check(c);
  bw__m *m = init(&w, c);
  w.s.waiter.abandon = abandon;
  lock_list(c);
  enter_locked(c, &w);
  m = unlock_outer(c, &w, m);
  w.parked = w.result == WAITING;
  if (BW_LIKELY(w.parked))
    bw__wait_here(m, &w.s.waiter, lock_of(c), BW_REASON_COND);
  else
    unlock_list(c);
  lock_again(c, &w);
}

// ---- with an end --------------------------------------------------------------------------------

static void abandon_limited(bw__waiter *w) {
  abandon(w);
  bw__limits_abandon(&BW_CONTAINER(w, limited, w.s.waiter)->limits);
}

// With the list's lock, and in the list.
static BW_INLINE void wait_limited(limited *l, bw__m *m) {
  m = unlock_outer(l->w.cond, &l->w, m);
  l->w.parked = l->w.result == WAITING;
  if (l->w.parked)
    bw__limits_wait(&l->limits, m, lock_of(l->w.cond), BW_REASON_COND);
  else
    unlock_list(l->w.cond);
}

int bw__cond_wait_with(bw_cond *c, int64_t deadline, bw__cancel_source *cancel) {
  check(c);
  int code = bw__sync_over(deadline, cancel);
  if (code != 0) return code;
  limited l;
  bw__m *m = init(&l.w, c);
  l.w.s.waiter.abandon = abandon_limited;
  bw__limits_init(&l.limits, &l.w.s.waiter, end, deadline, cancel);
  if (!bw__limits_begin(&l.limits)) return BW_ECANCELED;
  lock_list(c);
  bool enters = l.w.result == WAITING; // else it was cancelled just now
  if (enters) {
    enter_locked(c, &l.w);
    wait_limited(&l, m);
  } else {
    unlock_list(c);
  }
  bw__limits_end(&l.limits);
  if (enters) lock_again(c, &l.w);
  return l.w.result;
}

int bw_cond_wait_until(bw_cond *c, int64_t deadline) {
  return bw__cond_wait_with(c, bw__sync_deadline(deadline), NULL);
}

// ---- waking -------------------------------------------------------------------------------------

// Nobody waits whose wait began before the caller's last synchronisation with it.
static inline bool nobody(bw_cond *c) { return bw__load(wait_of(c)) == bw__load(notify_of(c)); }

void bw_cond_signal(bw_cond *c) {
  check_copy(c);
  if (nobody(c)) return;
  lock_list(c);
  bw__list *list = list_of(c);
  cond_waiter *w = bw__list_empty(list) ? NULL : waiter_of(list->next);
  bool ready = w && leave_locked(c, w, 0);
  unlock_list(c);
  if (ready) bw__waiter_ready(&w->s.waiter);
}

static void ready_all(bw__list *woken) {
  for (bw__list *link; (link = bw__list_pop_front(woken));)
    bw__waiter_ready(&waiter_of(link)->s.waiter);
}

static void note_move(cond_waiter *w, bool moved, int64_t now) {
  w->moved = moved;
  w->since = now;
  if (w->s.waiter.kind != BW_WAIT_GOROUTINE) return;
  bw__g *g = w->s.waiter.g;
  bw__shared_store(&g->reason, moved ? BW_REASON_MUTEX : BW_REASON_COND);
  bw__shared_store(&g->object, moved ? (uintptr_t)w->cond->mu : (uintptr_t)w->cond);
}

// Of those in `woken`, who have been taken off the list. (Tickets are readied: that runs nothing.)
static void move_to_mutex(bw_cond *c, bw__list *woken) {
  bw__list moving, others;
  bw__list_init(&moving);
  bw__list_init(&others);
  int64_t now = bw__port_now();
  int32_t n = 0;
  for (bw__list *link; (link = bw__list_pop_front(woken));) {
    cond_waiter *w = waiter_of(link);
    bool moves = w->s.waiter.kind != BW_WAIT_TICKET;
    bw__list_push_back(moves ? &moving : &others, link);
    if (!moves) continue;
    note_move(w, true, now);
    n++;
  }
  if (!bw__mutex_adopt(c->mu, &moving, n)) {
    for (bw__list *link = moving.next; link != &moving; link = link->next)
      note_move(waiter_of(link), false, now);
    ready_all(&moving);
  }
  ready_all(&others);
}

void bw_cond_broadcast(bw_cond *c) {
  check_copy(c);
  if (nobody(c)) return;
  bw__list woken, *list = list_of(c);
  bw__list_init(&woken);
  lock_list(c);
  while (!bw__list_empty(list)) {
    cond_waiter *w = waiter_of(list->next);
    if (leave_locked(c, w, 0)) bw__list_push_back(&woken, &w->s.waiter.link);
  }
  unlock_list(c);
  bool many = woken.next != woken.prev; // none: both are the list's own
  if (many && c->mu && bw__load_relaxed(&bw__sched_state.procs) != 1 && !BW__WATCHED)
    move_to_mutex(c, &woken);
  else
    ready_all(&woken);
}

// ---- tickets ------------------------------------------------------------------------------------
//
// A ticket is parked from its beginning: whoever takes it off the list readies it, which begins to
// lock the mutex for it. So all of it but the waiter is used by one thread at a time.

static void relocked(bw__mutex_ticket *m, int code) {
  bw__cond_ticket *t = BW_CONTAINER(m, bw__cond_ticket, m);
  t->complete(t, code == 0 ? t->code : BW_ESTATE);
}

static void relock(bw__cond_ticket *t) {
  int code = bw__mutex_lock_ticket(&t->m);
  if (code != BW_EAGAIN) relocked(&t->m, code);
}

static void signalled(bw__waiter *w) { relock(BW_CONTAINER(w, bw__cond_ticket, w.s.waiter)); }

void bw__cond_ticket_init(bw__cond_ticket *t, bw_cond *c,
                          void (*complete)(bw__cond_ticket *t, int code)) {
  t->w = (cond_waiter){.cond = c, .result = WAITING, .parked = true};
  t->w.s.waiter.kind = BW_WAIT_TICKET;
  t->w.s.waiter.complete = signalled;
  bw__mutex_ticket_init(&t->m, c->mu, false, relocked);
  t->code = 0;
  t->complete = complete;
}

int bw__cond_wait_ticket(bw__cond_ticket *t) {
  bw_cond *c = t->w.cond;
  check(c);
  lock_list(c);
  enter_locked(c, &t->w);
  bool unlocked = bw__mutex_try_unlock(c->mu, false);
  if (!unlocked) leave_locked(c, &t->w, BW_ESTATE);
  unlock_list(c);
  return unlocked ? BW_EAGAIN : BW_ESTATE;
}

void bw__cond_cancel_ticket(bw__cond_ticket *t) {
  if (!end(&t->w.s.waiter, BW_ECANCELED)) return;
  t->code = BW_ECANCELED;
  relock(t);
}

bool bw__cond_abandon_ticket(bw__cond_ticket *t) {
  return bw__mutex_cancel_ticket(&t->m) || end(&t->w.s.waiter, BW_ECANCELED);
}
