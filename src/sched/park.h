// Parking: how anything above the scheduler waits, and the one door, bw__waiter_ready, that ends a
// wait. A waiter is of one of three kinds:
//
//   goroutine   parks; its M runs other goroutines meanwhile
//   thread      a plain OS thread: sleeps on a note in the waiter
//   ticket      nobody sleeps: a function is called when the wait ends (JavaScript's promises)
//
// Race story. A waiter is put into a queue under that queue's lock, and the same lock is handed to
// bw__wait, which releases it only when the waiter can be woken: for a goroutine after its context
// is saved, for a thread at once (its note remembers an early wake). Whoever takes the waiter off
// the queue, under the lock, owns it until it calls bw__waiter_ready; that call is its last touch,
// because the waiter usually lies on the stack of the one who is woken.
//
// Who waits in several queues at once hands over a function, `commit`, that releases all locks, and
// is called at that very moment. Then several may want to end the wait: it belongs to whoever takes
// `claimed` from 0 to 1, and only that one may touch the waiter afterwards.
#ifndef BURROW_SCHED_PARK_H
#define BURROW_SCHED_PARK_H

#include "base/list.h"
#include "lock/mutex.h"
#include "lock/note.h"

// Why a goroutine waits, as Go words it.
#define BW_REASONS(X)                                                                              \
  X(BW_REASON_NONE, "")                                                                            \
  X(BW_REASON_CHAN_SEND, "chan send")                                                              \
  X(BW_REASON_CHAN_RECEIVE, "chan receive")                                                        \
  X(BW_REASON_CHAN_SEND_NIL, "chan send (nil chan)")                                               \
  X(BW_REASON_CHAN_RECEIVE_NIL, "chan receive (nil chan)")                                         \
  X(BW_REASON_SELECT, "select")                                                                    \
  X(BW_REASON_SELECT_NONE, "select (no cases)")                                                    \
  X(BW_REASON_SLEEP, "sleep")                                                                      \
  X(BW_REASON_IO, "IO wait")                                                                       \
  X(BW_REASON_MUTEX, "sync.Mutex.Lock")                                                            \
  X(BW_REASON_RWMUTEX_READ, "sync.RWMutex.RLock")                                                  \
  X(BW_REASON_RWMUTEX, "sync.RWMutex.Lock")                                                        \
  X(BW_REASON_COND, "sync.Cond.Wait")                                                              \
  X(BW_REASON_WAITGROUP, "sync.WaitGroup.Wait")                                                    \
  X(BW_REASON_SEMA, "semacquire")

typedef enum {
#define BW_REASON_ENUM(name, text) name,
  BW_REASONS(BW_REASON_ENUM)
#undef BW_REASON_ENUM
} bw__reason;

const char *bw__reason_text(bw__reason reason);

// What it waits at ("mutex"), for those whose g->object is valid; NULL: for others.
const char *bw__reason_object(bw__reason reason);

typedef enum { BW_WAIT_GOROUTINE, BW_WAIT_THREAD, BW_WAIT_TICKET } bw__wait_kind;

typedef struct bw__waiter {
  bw__list link; // in a queue of waiters: under that queue's lock
  bw__wait_kind kind;
  bool ok;                   // set by who ends the wait: true = the operation happened
  _Atomic(uint32_t) claimed; // of a wait that several may end: 1 once somebody does
  // Called when the runtime closes while the goroutine is parked, or is about to park (see
  // bw__entering), or (of a wait in several queues) has been woken but has not left them all: takes
  // the waiter off its queues, which may outlive it. NULL: there are none. No M runs any more.
  void (*abandon)(struct bw__waiter *w);
  union {
    struct bw__g *g;
    bw__note note;
    void (*complete)(struct bw__waiter *w); // on whoever ends the wait: it must not panic
  };
} bw__waiter;

// Makes *w a waiter of the calling goroutine or thread.
void bw__waiter_init(bw__waiter *w);

// A wait whose waiter is in a queue while its goroutine does not park yet but runs code of the
// program, which may park elsewhere, or begin another such wait. In the frame of the one who waits;
// g->entering is the innermost until that code is left.
typedef struct bw__entering {
  struct bw__entering *outer;
  bw__waiter *waiter;
} bw__entering;

// True, for one caller: the wait is its to end.
static inline bool bw__waiter_claim(bw__waiter *w) {
  uint32_t no = 0;
  return bw__cas(&w->claimed, &no, 1);
}

// Waits until somebody calls bw__waiter_ready(w). `held` is the lock of the queue that holds w; it
// is released. Blocks: G, or M on a plain thread.
void bw__wait(bw__waiter *w, bw__mutex *held, bw__reason reason);
// The same for a plain thread's. (And parking.h has both without the calls.)
void bw__wait_thread(bw__waiter *w, bw__mutex *held);

// The same with `commit`, which releases the locks of all queues that hold w, once w can be woken.
// It runs on the thread that the goroutine has left, and must not touch the goroutine afterwards.
// `until` is for plain threads, -1: no deadline; it returns false when that has passed and nobody
// has woken w yet. (A goroutine's deadline is one of those who may end the wait: a timer that
// commit starts.)
bool bw__wait_commit(bw__waiter *w, void (*commit)(void *arg), void *arg, int64_t until,
                     bw__reason reason);

// The same for a plain thread's.
bool bw__wait_commit_thread(bw__waiter *w, void (*commit)(void *arg), void *arg, int64_t until);

// On a plain thread whose bw__wait_commit returned false: waits on, without a deadline.
void bw__wait_again(bw__waiter *w);

// After bw__wait_commit, when w has left all queues: its `abandon` will not be called.
void bw__wait_over(bw__waiter *w);

// Ends the wait; w must be off its queue. The last touch of *w. Blocks: never.
void bw__waiter_ready(bw__waiter *w);

// Parks the current goroutine for good, or blocks the thread for good (nil channels).
_Noreturn void bw__wait_forever(bw__reason reason);

#endif
