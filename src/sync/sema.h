// Semaphores by address: any uint32_t is one, and holds the permits that are there. Everything in
// this layer that waits, waits here.
//
// Who waits stands in a table of 251 roots by address; a root has a treap of the addresses that
// somebody waits at, and each of these a queue (Go's semaRoot). A release gives its permit to the
// first of the queue itself, under the root's lock; so a permit is never taken away from one who
// was woken for it.
//
// Invariants (sema.c has the race story)
//   S1  under the root's lock: somebody waits at an address => its count is 0, or a release is on
//       its way to the lock
//   S2  a wait ends in exactly one way: granted, timed out, or cancelled; the root's lock decides
#ifndef BURROW_SYNC_SEMA_H
#define BURROW_SYNC_SEMA_H

#include "port/port.h"
#include "sched/park.h"
#include "sync/cancel.h"

#include <burrow/error.h>

typedef enum { BW_SEMA_FIFO, BW_SEMA_LIFO } bw__sema_order; // LIFO: to the front of the queue

enum { BW_SEMA_NO_DEADLINE = -1 };

// The atomic word in a field of a public struct, which has to be C++ as well.
static inline _Atomic(uint32_t) *bw__sema_word(uint32_t *field) {
  return (_Atomic(uint32_t) *)field;
}

// Takes a permit if there is one. Blocks: never.
static inline bool bw__sema_try(_Atomic(uint32_t) *sema) {
  uint32_t n = bw__load(sema); // sequentially consistent: A2 of sema.c
  while (n > 0)
    if (bw__cas(sema, &n, n - 1)) return true;
  return false;
}

// Takes a permit, waiting for it. `reason` is what dumps say; `object` is the address that they
// name (a mutex, say). Blocks: G, or M on a plain thread.
void bw__sema_acquire(_Atomic(uint32_t) *sema, bw__sema_order order, bw__reason reason,
                      const void *object);

// The same until `deadline` (bw_now's clock; BW_SEMA_NO_DEADLINE: none) or until `cancel` (may be
// NULL) is cancelled. 0, BW_ETIMEDOUT or BW_ECANCELED. On anything but 0 no permit was taken.
int bw__sema_acquire_until(_Atomic(uint32_t) *sema, bw__sema_order order, bw__reason reason,
                           const void *object, int64_t deadline, bw__cancel_source *cancel);

// One who waits: on the stack of the waiter, or in its owner's memory when it is a ticket. The
// waiter's `link` is its place in the ring of those who wait at the same address.
typedef struct bw__sema_waiter {
  bw__waiter waiter;
  _Atomic(uint32_t) *sema;
  int result;        // BW_EAGAIN while it waits, then how that ended: under the root's lock
  uint32_t priority; // in the treap: of the first in its ring, as the next two
  struct bw__sema_waiter *lower, *upper; // smaller and larger addresses
} bw__sema_waiter;

// Waits without a stack. A ticket is made for one semaphore and may wait there many times, one
// after the other. `complete` is called once for each wait that began, with &t->waiter, when it has
// been granted, on whoever released: it must not panic, park or take a lock of a rank below the
// table's.
void bw__sema_ticket_init(bw__sema_waiter *t, _Atomic(uint32_t) *sema,
                          void (*complete)(bw__waiter *w));
// 0: there was a permit, and nothing else happens. BW_EAGAIN: it waits, and is not the caller's to
// touch. BW_ECANCELED: it was cancelled before. Blocks: never.
int bw__sema_acquire_ticket(bw__sema_waiter *t, bw__sema_order order);
// For the ticket's owner: it will not wait any more. True: it waited, and was not granted. False:
// it did not, or `complete` has been called or is about to be. Blocks: never.
bool bw__sema_cancel_ticket(bw__sema_waiter *t);

// Waiters that are parked already, linked by waiter.link, enter the queue, the last of all, as if
// each had called bw__sema_acquire. The list is empty afterwards. Blocks: never.
void bw__sema_adopt(_Atomic(uint32_t) *sema, bw__list *waiters);
// waiter.abandon of those.
void bw__sema_abandon(bw__waiter *waiter);

// Gives a permit back. `handoff`: the one who gets it runs at once, in the caller's time slice, if
// both are goroutines. Blocks: never (a handoff may let the caller go on later).
void bw__sema_release(_Atomic(uint32_t) *sema, bool handoff);
// n permits. Blocks: never.
void bw__sema_release_n(_Atomic(uint32_t) *sema, uint32_t n);

// What has ended a wait before it begins: BW_ECANCELED, BW_ETIMEDOUT, or 0: nothing.
static inline int bw__sync_over(int64_t deadline, const bw__cancel_source *cancel) {
  if (cancel && bw__cancelled(cancel)) return BW_ECANCELED;
  return deadline != BW_SEMA_NO_DEADLINE && deadline <= bw__port_now() ? BW_ETIMEDOUT : 0;
}

// Whether somebody waits here now. Who was granted a permit does not wait any more, and does not
// touch the word again. Blocks: M, for the root's lock.
bool bw__sema_waited(_Atomic(uint32_t) *sema);

// How many wait, at all addresses. For tests, when nobody comes or goes.
uint32_t bw__sema_waiting(void);
// Whether all roots are as they should be. Takes their locks, one after the other.
bool bw__sema_valid(void);

#endif
