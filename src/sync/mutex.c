// Mutexes: Go's, in its two modes.
//
// state:
//
//   bit      name      set by                                  cleared by
//   0        LOCKED    whoever gets the mutex                  unlock
//   1        WOKEN     an unlock that wakes one; one who       who is awake: when it gets the
//                      spins                                   mutex, waits again or gives up
//   2        STARVING  one who has waited for more than 1 ms   a new owner who is the last who
//                      and finds the mutex locked              waits, or waited for less; the
//                                                              last who gives up
//   3 to 31  waiters   who begins to wait: + 1                 normal: an unlock that wakes;
//                                                              starving: the new owner; who
//                                                              gives up: - 1
//
// WOKEN means that somebody is awake and wants the mutex, so that no unlock wakes another. In
// normal mode unlock takes LOCKED and a waiter off, sets WOKEN, and gives a permit to the
// semaphore; who gets that competes. (Go takes LOCKED off first, and then looks at the word again:
// by then another may have locked, unlocked and freed the mutex.) In starvation mode unlock gives
// the permit and nothing else, not even LOCKED: the permit is the mutex, and its receiver settles
// the word. So
//
//   M1  normal:    those who wait (in the queue, on their way to it, or on their way out of it, but
//                  not granted) = waiters + permits on their way; there is at most one of these,
//                  and then WOKEN is set
//   M2  starving:  those who wait or are the new owner before it has settled = waiters; not LOCKED
//                  => there is such an owner, or its permit is on its way
//
// Who had waited before waits at the front of the queue. Spinning as in Go: when the mutex is
// locked and not starving, there is another core and a P at work beside this one, and nothing
// else to do here; four rounds of thirty pauses.
//
// Giving up, which Go's mutex does not have. Who leaves the queue without a permit is still counted
// (M1, M2), or not any more, since an unlock has taken one off the count and its permit finds
// nobody in the queue. Which of these it is nobody can tell, nor has to:
//
//   normal    waiters > 0: take one off and leave. M1 holds after that, whoever was meant.
//             waiters = 0: by M1 a permit is on its way and only we are there to take it. We take
//             it and are the one that was woken: if the mutex is free it is ours, with WOKEN
//             cleared; else WOKEN is cleared, and the owner's unlock wakes the next.
//   starving, LOCKED      take one off and leave; the last one takes STARVING along, or the mutex
//                         would be free and refuse itself to everybody.
//   starving, not LOCKED  waiters > 1: the mutex is for another, take one off and leave.
//                         waiters = 1: it is for us. We take the permit, and own it.
//
// A permit that is said to be on its way is there after a few instructions of the unlock that gives
// it, but a newcomer who has begun to wait meanwhile may take it from us. Then he is counted and
// the count is not 0 (or 1) any more: so between two looks at the permit we look at the word.
//
// Tickets (JavaScript's locks) are contenders without a stack: what a woken goroutine does, the
// thread that grants the permit does for them, or their owner when it finds the time; who may also
// lock by itself then (JavaScript does) and says so afterwards: until that clears WOKEN the others
// see what they see when somebody else was quicker than the one who is awake. A ticket can be
// cancelled between two waits; then it gives up when it would begin the next one.
//
// A new owner settles by compare-and-swap: between its look at the count and the change another may
// have given up, and have left it as the last who waits.
//
// Rejected: to wait for such a permit in the queue, where it may not come before the newcomer who
// took it has unlocked, long after our deadline.
//
// A mutex has no line of its own on purpose: it lies beside what it guards, which its owner is
// about to touch.
//
// Locks: none; the semaphore table's inside of its functions.
#include "sync/mutex.h"

#include "port/port.h"
#include "sched/runq.h"

// 0: no starvation mode, to see what it is good for.
#ifndef BW_MUTEX_STARVATION
#define BW_MUTEX_STARVATION 1
#endif

enum { LOCKED = BW__MUTEX_LOCKED, WOKEN = 2, STARVING = BW__MUTEX_STARVING, WAITER = 8 };
enum { STARVES_AFTER = 1000 * 1000 }; // ns
// A pause of wasm is an instruction or two, and what is saved there is ten microseconds.
enum { ROUNDS = 4, PAUSES = BW_WASM ? 300 : 30 };

static _Atomic(uint64_t) starvations_begun, starvations_ended;

bw__mutex_starvations bw__mutex_starvations_read(void) {
  return (bw__mutex_starvations){bw__load_relaxed(&starvations_begun),
                                 bw__load_relaxed(&starvations_ended)};
}

// ---- the word -----------------------------------------------------------------------------------

static int32_t look(const bw_mutex *mu) { return __atomic_load_n(&mu->state, __ATOMIC_RELAXED); }

// False: *old is what is there.
static bool change(bw_mutex *mu, int32_t *old, int32_t to) {
  return __atomic_compare_exchange_n(&mu->state, old, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static int32_t waiters(int32_t state) { return state >> 3; }

static _Atomic(uint32_t) *sema(bw_mutex *mu) { return bw__sema_word(&mu->sema); }

static BW_NOINLINE _Noreturn void inconsistent(void) {
  bw__fatal("sync: inconsistent mutex state");
}

bool bw_mutex_trylock(bw_mutex *mu) {
  int32_t old = look(mu);
  return !(old & (LOCKED | STARVING)) && change(mu, &old, old | LOCKED);
}

// ---- spinning -----------------------------------------------------------------------------------

static bool one_core(void) {
  static _Atomic(int) cores;
  int n = bw__load_relaxed(&cores); // whoever finds 0 asks itself
  if (n == 0) bw__store_relaxed(&cores, n = bw__port_cpu_count());
  return n < 2;
}

static bool may_spin(int rounds) {
  bw__sched *s = &bw__sched_state;
  if (rounds >= ROUNDS || !bw__port_capabilities.threads || one_core()) return false;
  bw__m *m = bw__m_current();
  if (!m || !m->p) return true;
  int32_t resting = bw__load_relaxed(&s->idle_count) + bw__load_relaxed(&s->spinning);
  return bw__load_relaxed(&s->procs) > resting + 1 && bw__runq_empty(m->p);
}

static void spin(void) {
  for (int i = 0; i < PAUSES; i++) bw__cpu_relax();
}

// ---- lock ---------------------------------------------------------------------------------------

typedef bw__mutex_contender contender;

// The mutex is locked: looks on for a while, and says so by WOKEN when others wait. Returns the
// state as it is then.
static int32_t look_on(contender *c, int32_t state) {
  for (int i = 0; (state & (LOCKED | STARVING)) == LOCKED && may_spin(i); i++) {
    if (!c->awake && !(state & WOKEN) && waiters(state) > 0)
      c->awake = change(c->mu, &state, state | WOKEN);
    spin();
    state = look(c->mu);
  }
  return state;
}

// What the state is to be: ours, or with us as one who waits.
static int32_t wanted(const contender *c, int32_t state) {
  int32_t to = state;
  if (!(state & STARVING)) to |= LOCKED;
  if (state & (LOCKED | STARVING)) to += WAITER;
  if (c->starving && (state & LOCKED)) to |= STARVING;
  if (!c->awake) return to;
  if (BW_UNLIKELY(!(state & WOKEN))) inconsistent();
  return to & ~WOKEN;
}

// The permit that we have is the mutex.
static void settle(contender *c) {
  int32_t state = look(c->mu), to;
  do {
    if ((state & (LOCKED | WOKEN)) || waiters(state) == 0) inconsistent();
    to = state + LOCKED - WAITER;
    if (!c->starving || waiters(state) == 1) to &= ~STARVING;
  } while (!change(c->mu, &state, to));
  if (!(to & STARVING)) bw__add_relaxed(&starvations_ended, 1);
}

// A permit after all. What it is, the word says now: it cannot change its mode before we have
// settled. Returns `code`, or 0: it is ours.
static int take(contender *c, int code) {
  int32_t state = look(c->mu);
  if (state & STARVING) {
    c->starving = false; // no reason to go on like this for those who come
    settle(c);
    return 0;
  }
  while (!change(c->mu, &state, (state | LOCKED) & ~WOKEN)) {}
  return state & LOCKED ? code : 0;
}

// Not in the queue any more, and without a permit. Returns `code`, or 0: it is ours after all.
static int give_up(contender *c, int code) {
  int32_t state = look(c->mu);
  for (unsigned rounds = 1;; rounds++) {
    bool starving = state & STARVING, locked = state & LOCKED;
    int32_t others = waiters(state) - 1;
    bool for_us = starving ? others == 0 && !locked : others < 0;
    if (!for_us) {
      bool ends = starving && others == 0;
      if (!change(c->mu, &state, state - WAITER - (ends ? STARVING : 0))) continue;
      if (ends) bw__add_relaxed(&starvations_ended, 1);
      return code;
    }
    if (bw__sema_try(sema(c->mu))) return take(c, code);
    bw__port_relax(rounds);
    state = look(c->mu);
  }
}

// With a permit. True: and so with the mutex.
static BW_INLINE bool permitted(contender *c) {
  if (BW_MUTEX_STARVATION && !c->starving) c->starving = bw__port_now() - c->since > STARVES_AFTER;
  bool owner = look(c->mu) & STARVING;
  if (owner) settle(c);
  c->awake = !owner;
  return owner;
}

static BW_INLINE bw__sema_order begin_waiting(contender *c) {
  bw__sema_order order = c->since ? BW_SEMA_LIFO : BW_SEMA_FIFO;
  if (!c->since) c->since = bw__port_now();
  c->awake = false;
  return order;
}

// Waits for a permit. 0: got one; `*owner`: and with it the mutex.
static BW_INLINE int wait(contender *c, bw__reason reason, const void *object, int64_t deadline,
                          bw__cancel_source *cancel, bool *owner) {
  bw__sema_order order = begin_waiting(c);
  int code = 0;
  if (deadline == BW_SEMA_NO_DEADLINE && !cancel)
    bw__sema_acquire(sema(c->mu), order, reason, object);
  else
    code = bw__sema_acquire_until(sema(c->mu), order, reason, object, deadline, cancel);
  if (BW_UNLIKELY(code != 0)) {
    *owner = (code = give_up(c, code)) == 0;
    return code;
  }
  *owner = permitted(c);
  return 0;
}

static BW_INLINE int contend(contender *c, bw__reason reason, const void *object, int64_t deadline,
                             bw__cancel_source *cancel) {
  for (int32_t state = look(c->mu);;) {
    state = look_on(c, state);
    int32_t to = wanted(c, state);
    if (!change(c->mu, &state, to)) continue;
    if (!(state & (LOCKED | STARVING))) {
      c->awake = false;
      return 0;
    }
    if ((to & ~state) & STARVING) bw__add_relaxed(&starvations_begun, 1);
    bool owner;
    int code = wait(c, reason, object, deadline, cancel, &owner);
    if (owner || code != 0) return code;
    state = look(c->mu);
  }
}

static BW_INLINE int lock(bw_mutex *mu, bw__reason reason, const void *object, int64_t deadline,
                          bw__cancel_source *cancel) {
  contender c = {.mu = mu};
  return contend(&c, reason, object, deadline, cancel);
}

BW_NOINLINE void bw__mutex_lock_contended(bw_mutex *mu) {
  lock(mu, BW_REASON_MUTEX, mu, BW_SEMA_NO_DEADLINE, NULL);
}

int bw__mutex_contend(contender *c, bw__reason reason, const void *object, int64_t deadline,
                      bw__cancel_source *cancel) {
  int32_t unlocked = 0;
  if (BW_LIKELY(change(c->mu, &unlocked, LOCKED))) return 0;
  return contend(c, reason, object, deadline, cancel);
}

void bw__mutex_passed(contender *c) {
  int64_t now = bw__port_now();
  if (!c->since) c->since = now;
  if (BW_MUTEX_STARVATION && now - c->since > STARVES_AFTER) c->starving = true;
}

int bw__mutex_lock_with(bw_mutex *mu, int64_t deadline, bw__cancel_source *cancel) {
  int32_t unlocked = 0;
  if (BW_LIKELY(change(mu, &unlocked, LOCKED))) return 0;
  return lock(mu, BW_REASON_MUTEX, mu, deadline, cancel);
}

int bw_mutex_lock_until(bw_mutex *mu, int64_t deadline) {
  return bw__mutex_lock_with(mu, bw__sync_deadline(deadline), NULL);
}

// ---- waits that begin elsewhere -----------------------------------------------------------------

// They are counted while the mutex is locked, so the unlock sees them; until they are in the queue
// they are on their way to it (M1, M2).
bool bw__mutex_adopt(bw_mutex *mu, bw__list *sema_waiters, int32_t n) {
  int32_t state = look(mu);
  do
    if (!(state & LOCKED)) return false;
  while (!change(mu, &state, state + n * WAITER));
  bw__sema_adopt(sema(mu), sema_waiters);
  return true;
}

void bw__mutex_lock_granted(bw_mutex *mu, int64_t since) {
  contender c = {.mu = mu, .since = since};
  if (!permitted(&c)) contend(&c, BW_REASON_MUTEX, mu, BW_SEMA_NO_DEADLINE, NULL);
}

// ---- tickets ------------------------------------------------------------------------------------

// The loop of lock(), without a stack. Once the ticket waits, it is whoever grants it that goes on,
// at once or when the owner resumes it: so nothing of it may be touched after BW_EAGAIN.
static int go_on(bw__mutex_ticket *t) {
  contender *c = &t->c;
  for (int32_t state = look(c->mu);;) {
    if (t->own) state = look_on(c, state);
    int32_t to = wanted(c, state);
    if (!change(c->mu, &state, to)) continue;
    if (!(state & (LOCKED | STARVING))) {
      c->awake = false;
      return 0;
    }
    if ((to & ~state) & STARVING) bw__add_relaxed(&starvations_begun, 1);
    int code = bw__sema_acquire_ticket(&t->w, begin_waiting(c));
    if (code == BW_EAGAIN) return code;
    if (code != 0) return give_up(c, code);
    if (permitted(c)) return 0;
    state = look(c->mu);
  }
}

static void granted(bw__waiter *w) {
  bw__mutex_ticket *t = BW_CONTAINER(w, bw__mutex_ticket, w.waiter);
  if (t->own) {
    t->complete(t, BW_EAGAIN);
    return;
  }
  int code = bw__mutex_resume_ticket(t);
  if (code != BW_EAGAIN) t->complete(t, code);
}

void bw__mutex_ticket_init(bw__mutex_ticket *t, bw_mutex *mu, bool own,
                           void (*complete)(bw__mutex_ticket *t, int code)) {
  bw__sema_ticket_init(&t->w, sema(mu), granted);
  t->c = (contender){.mu = mu};
  t->own = own;
  t->complete = complete;
}

int bw__mutex_lock_ticket(bw__mutex_ticket *t) {
  int32_t unlocked = 0;
  return change(t->c.mu, &unlocked, LOCKED) ? 0 : go_on(t);
}

int bw__mutex_resume_ticket(bw__mutex_ticket *t) { return permitted(&t->c) ? 0 : go_on(t); }

// The permit was one of normal mode, since STARVING lets nobody lock; so WOKEN is ours since then.
void bw__mutex_taken_ticket(bw__mutex_ticket *t) {
  int32_t state = look(t->c.mu);
  do
    if (!(state & WOKEN)) inconsistent();
  while (!change(t->c.mu, &state, state & ~WOKEN));
}

bool bw__mutex_cancel_ticket(bw__mutex_ticket *t) {
  if (!bw__sema_cancel_ticket(&t->w)) return false;
  int code = give_up(&t->c, BW_ECANCELED);
  if (code == 0) t->complete(t, 0);
  return code != 0;
}

// ---- unlock -------------------------------------------------------------------------------------

// One step, after which another may have the mutex, and free it. What the release of the permit
// touches is there until the one who is counted has got it.
bool bw__mutex_try_unlock(bw_mutex *mu, bool handoff) {
  int32_t state = look(mu), to;
  bool wakes;
  do {
    if (!(state & LOCKED)) return false;
    wakes = waiters(state) > 0 && !(state & (WOKEN | STARVING));
    to = state - LOCKED;
    if (wakes) to = (to - WAITER) | WOKEN;
  } while (!change(mu, &state, to));
  if (wakes || (state & STARVING)) bw__sema_release(sema(mu), handoff && !wakes);
  return true;
}

static void unlock(bw_mutex *mu, bool handoff) {
  if (!bw__mutex_try_unlock(mu, handoff)) bw__fatal("sync: unlock of unlocked mutex");
}

BW_NOINLINE void bw__mutex_unlock_contended(bw_mutex *mu) { unlock(mu, true); }

BW_NOINLINE void bw__mutex_unlock_staying_contended(bw_mutex *mu) { unlock(mu, false); }
