// Parking: how anything above the scheduler waits, and the one door, bw__waiter_ready, that ends a
// wait. A waiter (Go's sudog) is of one of three kinds:
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
  X(BW_REASON_SLEEP, "sleep")                                                                      \
  X(BW_REASON_IO, "IO wait")

typedef enum {
#define BW_REASON_ENUM(name, text) name,
  BW_REASONS(BW_REASON_ENUM)
#undef BW_REASON_ENUM
} bw__reason;

const char *bw__reason_text(bw__reason reason);

typedef enum { BW_WAIT_GOROUTINE, BW_WAIT_THREAD, BW_WAIT_TICKET } bw__wait_kind;

typedef struct bw__waiter {
  bw__list link; // in the queue waited in: under that queue's lock
  bw__wait_kind kind;
  bool queued; // in a channel's queue, so that a ticket may be taken back: under that queue's lock
  bool ok;     // set by who ends the wait: true = the operation happened, false = closed
  void *elem;  // the value to send, or where to put the one received
  union {
    struct bw__g *g;
    bw__note note;
    void (*complete)(struct bw__waiter *w); // on whoever ends the wait: it must not panic
  };
} bw__waiter;

// Makes *w a waiter of the calling goroutine or thread.
void bw__waiter_init(bw__waiter *w, void *elem);

// Waits until somebody calls bw__waiter_ready(w). `held` is the lock of the queue that holds w; it
// is released. Blocks: G, or M on a plain thread.
void bw__wait(bw__waiter *w, bw__mutex *held, bw__reason reason);

// Ends the wait; w must be off its queue. The last touch of *w. Blocks: never.
void bw__waiter_ready(bw__waiter *w);

// Parks the current goroutine for good, or blocks the thread for good (nil channels).
_Noreturn void bw__wait_forever(bw__reason reason);

#endif
