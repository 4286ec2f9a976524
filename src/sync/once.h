// Once, for who may give up; and how a function ended, kept to be repeated elsewhere.
#ifndef BURROW_SYNC_ONCE_H
#define BURROW_SYNC_ONCE_H

#include "sched/unwind.h"
#include "sync/cancel.h"

#include <burrow/sync.h>

// As the public ones without `_with`; but who would wait for another's call gives up when `cancel`
// (may be NULL) is cancelled: BW_ECANCELED, and the call is not over. Else 0, and it is; the result
// of a bw_once_value is in it. Blocks: G, or M on a plain thread.
int bw__once_do_with(bw_once *o, void (*fn)(void *arg), void *arg, bw__cancel_source *cancel);
int bw__once_func_call_with(bw_once_func *f, bw__cancel_source *cancel);
int bw__once_value_get_with(bw_once_value *v, bw__cancel_source *cancel);

// EXITED: its goroutine has ended; or, before it has ended at all, what is assumed.
enum {
  BW_END_NOT_CALLED,
  BW_END_RETURNED,
  BW_END_EXITED,
  BW_END_MESSAGE,
  BW_END_RUNTIME_ERROR,
  BW_END_VALUE
};

// In a deferred function: takes down what p is about and does not stop it. NULL: does nothing.
void bw__once_note_panic(bw__once_end *end, bw_panicking *p);
// Panics as the function did; returns if it did not.
void bw__once_panic_likewise(const bw__once_end *end);

#endif
