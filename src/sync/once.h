// How a function ended, kept to be repeated elsewhere.
#ifndef BURROW_SYNC_ONCE_H
#define BURROW_SYNC_ONCE_H

#include "sched/unwind.h"

#include <burrow/sync.h>

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
