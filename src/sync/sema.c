// The semaphore table: who waits for a permit, by the address of the count.
//
// A root's treap has the first waiter of each address as a node: a search tree by address, a heap
// by random priorities, so its depth is logarithmic on average whatever the addresses are. The
// others stand behind the first in a ring (waiter.link). Nothing is allocated: all of it lies in
// the waiters.
//
// No wake-up is lost. `nwait` is how many are in a root or about to be, and a release that reads 0
// does not take the lock:
//
//     acquire (no permit at first)            release
//     A1 lock the root; nwait + 1             R1 count + 1
//     A2 count > 0? take one, nwait - 1, go   R2 nwait == 0? go
//     A3 enter the queue; park, unlock        R3 lock the root; grant (below)
//
// A1, A2, R1 and R2 are sequentially consistent. If R2 reads 0, A1 comes after it, and so A2 after
// R1: A2 sees the permit. If R2 reads more, R3 comes before A1 took the lock, and A2 sees the
// permit, or after A3 gave it up, and R3 sees the waiter. That is S1.
//
// Granting: with the lock held, and somebody waiting at the address, the release takes its permit
// back and makes it the first waiter's, who is off the queue then. If there is none to take, a
// newcomer was quicker; the permit is his, and his release will come here in its turn.
//
// Waits with an end (limits.h). Who ends one takes the root's lock; if the waiter is still WAITING
// it is taken off the queue, told why, and readied. That may come before it is in the queue at all
// (then entering sees the result), and after it was granted (then nothing is done). A plain thread
// keeps its deadline itself: what it finds under the lock when the time is over decides.
//
// At the end of a run what lies on goroutines' stacks must not stay in the table, nor in a list of
// watches, which outlive the run: `abandon` takes it out. Of a waiter with a watch also when it was
// woken already but has not run (g->choosing).
//
// Locks: a root's (BW_RANK_SEMA), one at a time. Timers' under it, at the start of a wait with a
// deadline. A source's never under it: its watch begins before, and ends after.
#include "sync/sema.h"

#include "base/rand.h"
#include "port/port.h"
#include "sync/limits.h"

#include <burrow/error.h>

enum { ROOTS = 251, WAITING = BW_EAGAIN };

typedef struct {
  _Alignas(BW_CACHE_LINE) bw__mutex lock;
  _Atomic(uint32_t) nwait; // written under lock
  bw__sema_waiter *top;    // of the treap: under lock
  bw__rand rand;           // under lock
} sema_root;

_Static_assert(sizeof(sema_root) == BW_CACHE_LINE, "a line each, and no more");

static sema_root roots[ROOTS] = {[0 ... ROOTS - 1] = {.lock = BW_MUTEX_INIT(BW_RANK_SEMA)}};

static sema_root *root_of(const _Atomic(uint32_t) *sema) {
  return &roots[((uintptr_t)sema >> 3) % ROOTS];
}

// The waiters lie on stacks, which other threads may have got from the system.
static void lock(sema_root *r) {
  bw__mutex_lock(&r->lock);
  bw__port_mem_sync();
}

// ---- the treap, and the rings: under the lock ---------------------------------------------------

static bool below(const bw__sema_waiter *w, const _Atomic(uint32_t) *sema) {
  return (uintptr_t)w->sema < (uintptr_t)sema;
}

// Where the first of those who wait at the address hangs; *that is NULL: nobody does.
static bw__sema_waiter **find(sema_root *r, const _Atomic(uint32_t) *sema) {
  bw__sema_waiter **at = &r->top;
  while (*at && (*at)->sema != sema) at = below(*at, sema) ? &(*at)->upper : &(*at)->lower;
  return at;
}

// An address that is not in the tree: it takes the place of the first node on its way with a lower
// priority, whose tree it divides into those below and those above.
static void grow(sema_root *r, bw__sema_waiter *w) {
  bw__sema_waiter **at = &r->top;
  w->priority = (uint32_t)bw__rand_next(&r->rand);
  while (*at && (*at)->priority >= w->priority)
    at = below(*at, w->sema) ? &(*at)->upper : &(*at)->lower;
  bw__sema_waiter *rest = *at, **lower = &w->lower, **upper = &w->upper;
  *at = w;
  while (rest) {
    if (below(rest, w->sema)) {
      *lower = rest;
      lower = &rest->upper;
      rest = rest->upper;
    } else {
      *upper = rest;
      upper = &rest->lower;
      rest = rest->lower;
    }
  }
  *lower = *upper = NULL;
}

// The two trees below what hangs at `at`, as one in its place.
static void shrink(bw__sema_waiter **at) {
  bw__sema_waiter *lower = (*at)->lower, *upper = (*at)->upper;
  while (lower && upper) {
    if (lower->priority >= upper->priority) {
      *at = lower;
      at = &lower->upper;
      lower = lower->upper;
    } else {
      *at = upper;
      at = &upper->lower;
      upper = upper->lower;
    }
  }
  *at = lower ? lower : upper;
}

static bw__sema_waiter *next_in_ring(const bw__sema_waiter *w) {
  return BW_CONTAINER(w->waiter.link.next, bw__sema_waiter, waiter.link);
}

// w becomes the first of its ring.
static void hang(bw__sema_waiter **at, bw__sema_waiter *w) {
  w->priority = (*at)->priority;
  w->lower = (*at)->lower;
  w->upper = (*at)->upper;
  *at = w;
}

static void enter_queue(sema_root *r, bw__sema_waiter *w, bw__sema_order order) {
  bw__sema_waiter **at = find(r, w->sema);
  if (!*at) {
    bw__list_init(&w->waiter.link);
    grow(r, w);
    return;
  }
  bw__list_push_back(&(*at)->waiter.link, &w->waiter.link); // before the first is behind the last
  if (order == BW_SEMA_LIFO) hang(at, w);
}

// `at`: where the first of its ring hangs.
static void leave_queue(sema_root *r, bw__sema_waiter **at, bw__sema_waiter *w) {
  if (*at == w) {
    bw__sema_waiter *next = next_in_ring(w);
    if (next == w)
      shrink(at);
    else
      hang(at, next);
  }
  bw__list_remove(&w->waiter.link);
  bw__store(&r->nwait, bw__load_relaxed(&r->nwait) - 1);
}

// ---- entering: under the lock -------------------------------------------------------------------

// A1 to A3. True: w waits. False: there was a permit.
static bool enter(sema_root *r, bw__sema_waiter *w, bw__sema_order order) {
  bw__store(&r->nwait, bw__load_relaxed(&r->nwait) + 1);
  if (bw__sema_try(w->sema)) {
    bw__store(&r->nwait, bw__load_relaxed(&r->nwait) - 1);
    return false;
  }
  enter_queue(r, w, order);
  return true;
}

static void init(bw__sema_waiter *w, _Atomic(uint32_t) *sema) {
  w->sema = sema;
  w->result = WAITING;
}

// ---- ending a wait ------------------------------------------------------------------------------

// For those who end it before its time. True: it is theirs to ready. (The links of one that was
// granted are the releaser's, without the lock.)
static bool end(bw__waiter *waiter, int result) {
  bw__sema_waiter *w = BW_CONTAINER(waiter, bw__sema_waiter, waiter);
  sema_root *r = root_of(w->sema);
  lock(r);
  bool waits = w->result == WAITING, queued = waits && bw__list_linked(&w->waiter.link);
  if (waits) w->result = result;
  if (queued) leave_queue(r, find(r, w->sema), w);
  bw__mutex_unlock(&r->lock);
  return queued;
}

// No M runs any more.
void bw__sema_abandon(bw__waiter *waiter) { end(waiter, BW_ESTATE); }

// ---- acquire ------------------------------------------------------------------------------------

static BW_INLINE void note_object(bw__m *m, const void *object) {
  if (m) bw__shared_store(&m->cur->object, (uintptr_t)object);
}

void bw__sema_acquire(_Atomic(uint32_t) *sema, bw__sema_order order, bw__reason reason,
                      const void *object) {
  if (bw__sema_try(sema)) return;
  bw__sema_waiter w;
  bw__m *m = bw__waiter_init_here(&w.waiter);
  w.waiter.abandon = bw__sema_abandon;
  init(&w, sema);
  note_object(m, object);
  sema_root *r = root_of(sema);
  lock(r);
  if (enter(r, &w, order))
    bw__wait_here(m, &w.waiter, &r->lock, reason);
  else
    bw__mutex_unlock(&r->lock);
}

// ---- acquire, with an end -----------------------------------------------------------------------

typedef struct {
  bw__sema_waiter w;
  bw__limits limits;
} limited;

static void abandon_limited(bw__waiter *w) {
  bw__sema_abandon(w);
  bw__limits_abandon(&BW_CONTAINER(w, limited, w.waiter)->limits);
}

static BW_INLINE int wait_limited(limited *l, bw__sema_order order, bw__reason reason,
                                  const void *object) {
  bw__m *m = bw__waiter_init_here(&l->w.waiter);
  l->w.waiter.abandon = abandon_limited;
  note_object(m, object);
  if (!bw__limits_begin(&l->limits)) return BW_ECANCELED;
  sema_root *r = root_of(l->w.sema);
  lock(r);
  bool waits = l->w.result == WAITING; // else it was cancelled just now
  if (waits && !enter(r, &l->w, order)) {
    l->w.result = 0;
    waits = false;
  }
  if (waits)
    bw__limits_wait(&l->limits, m, &r->lock, reason);
  else
    bw__mutex_unlock(&r->lock);
  bw__limits_end(&l->limits);
  return l->w.result;
}

int bw__sema_acquire_until(_Atomic(uint32_t) *sema, bw__sema_order order, bw__reason reason,
                           const void *object, int64_t deadline, bw__cancel_source *cancel) {
  if (bw__sema_try(sema)) return 0;
  if (deadline == BW_SEMA_NO_DEADLINE && !cancel) {
    bw__sema_acquire(sema, order, reason, object);
    return 0;
  }
  int code = bw__sync_over(deadline, cancel);
  if (code != 0) return code;
  limited l;
  init(&l.w, sema);
  bw__limits_init(&l.limits, &l.w.waiter, end, deadline, cancel);
  return wait_limited(&l, order, reason, object);
}

// ---- tickets ------------------------------------------------------------------------------------

void bw__sema_ticket_init(bw__sema_waiter *t, _Atomic(uint32_t) *sema,
                          void (*complete)(bw__waiter *w)) {
  t->waiter = (bw__waiter){.kind = BW_WAIT_TICKET, .complete = complete};
  t->sema = sema;
  t->result = 0;
}

// What of the ticket is not constant is under the root's lock, the end of cancelling too: so a
// cancel comes either before the entry, which sees it, or finds the ticket in the queue.
int bw__sema_acquire_ticket(bw__sema_waiter *t, bw__sema_order order) {
  if (bw__sema_try(t->sema)) return 0;
  sema_root *r = root_of(t->sema);
  lock(r);
  int code = t->result == BW_ECANCELED ? BW_ECANCELED : 0;
  if (code == 0 && enter(r, t, order)) code = t->result = WAITING;
  bw__mutex_unlock(&r->lock);
  return code;
}

bool bw__sema_cancel_ticket(bw__sema_waiter *t) {
  sema_root *r = root_of(t->sema);
  lock(r);
  bool waits = t->result == WAITING;
  if (waits) leave_queue(r, find(r, t->sema), t);
  t->result = BW_ECANCELED;
  bw__mutex_unlock(&r->lock);
  return waits;
}

// ---- release ------------------------------------------------------------------------------------

// The first who waits at the address, granted and off the queue; NULL: nobody waits, or there is no
// permit to grant. Under the lock.
static bw__sema_waiter *grant(sema_root *r, _Atomic(uint32_t) *sema) {
  bw__sema_waiter **at = find(r, sema), *w = *at;
  if (!w || !bw__sema_try(sema)) return NULL;
  leave_queue(r, at, w);
  w->result = 0;
  return w;
}

static BW_NOINLINE void release_to_waiter(_Atomic(uint32_t) *sema, bool handoff) {
  sema_root *r = root_of(sema);
  lock(r);
  bw__sema_waiter *w = grant(r, sema);
  bw__mutex_unlock(&r->lock);
  if (!w) return;
  bool yields = handoff && w->waiter.kind == BW_WAIT_GOROUTINE && bw__g_current();
  bw__waiter_ready(&w->waiter); // a goroutine: to be run before all others of this P
  if (yields) bw_gosched();
}

void bw__sema_release(_Atomic(uint32_t) *sema, bool handoff) {
  bw__add(sema, 1);                                                          // R1
  if (bw__load(&root_of(sema)->nwait) > 0) release_to_waiter(sema, handoff); // R2
}

// With the lock, which is released.
static void grant_all(sema_root *r, _Atomic(uint32_t) *sema) {
  bw__list granted;
  bw__list_init(&granted);
  for (bw__sema_waiter *w; (w = grant(r, sema));) bw__list_push_back(&granted, &w->waiter.link);
  bw__mutex_unlock(&r->lock);
  for (bw__list *link; (link = bw__list_pop_front(&granted));)
    bw__waiter_ready(BW_CONTAINER(link, bw__waiter, link));
}

void bw__sema_release_n(_Atomic(uint32_t) *sema, uint32_t n) {
  sema_root *r = root_of(sema);
  if (n == 0) return;
  bw__add(sema, n);
  if (bw__load(&r->nwait) == 0) return;
  lock(r);
  grant_all(r, sema);
}

// A1 to A3 for each: a permit may have come since the caller looked.
void bw__sema_adopt(_Atomic(uint32_t) *sema, bw__list *waiters) {
  sema_root *r = root_of(sema);
  lock(r);
  for (bw__list *link; (link = bw__list_pop_front(waiters));) {
    bw__sema_waiter *w = BW_CONTAINER(link, bw__sema_waiter, waiter.link);
    init(w, sema);
    bw__store(&r->nwait, bw__load_relaxed(&r->nwait) + 1);
    enter_queue(r, w, BW_SEMA_FIFO);
  }
  grant_all(r, sema);
}

// ---- looking at it ------------------------------------------------------------------------------

bool bw__sema_waited(_Atomic(uint32_t) *sema) {
  sema_root *r = root_of(sema);
  lock(r);
  bool waited = *find(r, sema) != NULL;
  bw__mutex_unlock(&r->lock);
  return waited;
}

uint32_t bw__sema_waiting(void) {
  uint32_t n = 0;
  for (int i = 0; i < ROOTS; i++) n += bw__load(&roots[i].nwait);
  return n;
}

// How many wait in this tree, all of them above and below these addresses; -1: it is no treap.
static int64_t count_valid(const sema_root *r, const bw__sema_waiter *top, uintptr_t above,
                           uintptr_t under) {
  if (!top) return 0;
  uintptr_t key = (uintptr_t)top->sema;
  if (root_of(top->sema) != r || key <= above || key >= under) return -1;
  if (top->lower && top->lower->priority > top->priority) return -1;
  if (top->upper && top->upper->priority > top->priority) return -1;
  int64_t n = 0, lower = count_valid(r, top->lower, above, key),
          upper = count_valid(r, top->upper, key, under);
  const bw__sema_waiter *w = top;
  do {
    if (w->sema != top->sema || w->result != WAITING) return -1;
    n++;
  } while ((w = next_in_ring(w)) != top);
  return lower < 0 || upper < 0 ? -1 : n + lower + upper;
}

bool bw__sema_valid(void) {
  for (int i = 0; i < ROOTS; i++) {
    sema_root *r = &roots[i];
    lock(r);
    bool valid = count_valid(r, r->top, 0, UINTPTR_MAX) == (int64_t)bw__load_relaxed(&r->nwait);
    bw__mutex_unlock(&r->lock);
    if (!valid) return false;
  }
  return true;
}
