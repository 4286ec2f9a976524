// What other rooms need of mutexes beyond <burrow/mutex.h>.
#ifndef BURROW_SYNC_MUTEX_H
#define BURROW_SYNC_MUTEX_H

#include "sync/sema.h"

#include <burrow/mutex.h>

// Locks; gives up at `deadline` (BW_SEMA_NO_DEADLINE: never) or when `cancel` (may be NULL) is
// cancelled: 0, BW_ETIMEDOUT or BW_ECANCELED. Blocks: G, or M on a plain thread.
int bw__mutex_lock_with(bw_mutex *mu, int64_t deadline, bw__cancel_source *cancel);

// One who wants a mutex. It may want it again when it has had it; then it has waited since the
// first time.
typedef struct {
  bw_mutex *mu;
  int64_t since; // when it began to wait; 0: it has not
  bool starving; // it has waited for too long
  bool awake;    // WOKEN is set, and is ours to clear
} bw__mutex_contender;

// As bw__mutex_lock_with, for a mutex inside of something else: dumps say that the goroutine waits
// for that.
int bw__mutex_contend(bw__mutex_contender *c, bw__reason reason, const void *object,
                      int64_t deadline, bw__cancel_source *cancel);

// It had the mutex, and gave it to one who came later: it counts as one who has waited since the
// first time.
void bw__mutex_passed(bw__mutex_contender *c);

// Bits of the state: somebody has it; it is in starvation mode.
enum { BW__MUTEX_LOCKED = 1, BW__MUTEX_STARVING = 4 };

// A lock without a stack. `complete` is called once if bw__mutex_lock_ticket returned BW_EAGAIN, on
// whatever thread ends the wait, with 0, or BW_ECANCELED after a cancel; it must not panic, park or
// take a lock of a rank below the semaphore table's.
//
// With `own` it is called with BW_EAGAIN instead when it is the ticket's turn to try again; then
// its owner calls bw__mutex_resume_ticket. Others may be quicker by then, as they may with a
// goroutine that was woken; without, the mutex is the ticket's before anybody knows.
typedef struct bw__mutex_ticket {
  bw__sema_waiter w;
  bw__mutex_contender c;
  bool own;
  void (*complete)(struct bw__mutex_ticket *t, int code);
} bw__mutex_ticket;

void bw__mutex_ticket_init(bw__mutex_ticket *t, bw_mutex *mu, bool own,
                           void (*complete)(bw__mutex_ticket *t, int code));
// 0: locked, and complete is not called. BW_EAGAIN: it waits. BW_ECANCELED: it was cancelled before
// it began. Blocks: never; with `own` it spins as a lock does.
int bw__mutex_lock_ticket(bw__mutex_ticket *t);
int bw__mutex_resume_ticket(bw__mutex_ticket *t);
// Instead of that: the owner has locked the mutex by bw_mutex_trylock since it was told to try
// again. The ticket is done.
void bw__mutex_taken_ticket(bw__mutex_ticket *t);
// For the ticket's owner. True: it does not wait any more, has not got the mutex, and complete will
// not be called. False: complete has been called or will be in a moment, maybe by this call.
// Blocks: M, for a few instructions of others.
bool bw__mutex_cancel_ticket(bw__mutex_ticket *t);

// Unlocks. False: it was not locked, which is no error here. `handoff` as for bw__sema_release.
bool bw__mutex_try_unlock(bw_mutex *mu, bool handoff);

// As bw_mutex_unlock, but it never switches: for who holds a thread's lock.
void bw__mutex_unlock_staying_contended(bw_mutex *mu);
static inline void bw__mutex_unlock_staying(bw_mutex *mu) {
  int32_t locked = 1;
  if (BW_UNLIKELY(!__atomic_compare_exchange_n(&mu->state, &locked, 0, 0, __ATOMIC_RELEASE,
                                               __ATOMIC_RELAXED)))
    bw__mutex_unlock_staying_contended(mu);
}

// Makes n who are parked already, at something else, wait for the mutex, as if each had found it
// locked just now; linked by their waiter's link. Who is woken then calls bw__mutex_lock_granted,
// with the time of this call. False: the mutex is not locked, and nothing was done. Blocks: never.
bool bw__mutex_adopt(bw_mutex *mu, bw__list *sema_waiters, int32_t n);
// Blocks: G, or M on a plain thread.
void bw__mutex_lock_granted(bw_mutex *mu, int64_t since);

// How often a mutex, any, has begun and ended to be in starvation mode. Any thread.
typedef struct {
  uint64_t begun, ended;
} bw__mutex_starvations;
bw__mutex_starvations bw__mutex_starvations_read(void);

// Deadlines of the public forms, where every negative time is long past.
static inline int64_t bw__sync_deadline(int64_t deadline) { return deadline < 0 ? 0 : deadline; }

#endif
