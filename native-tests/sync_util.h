// What the tests of locks share: goroutines that count up, a section that two must not be in, and
// a look that nobody is left in the table of waiters.
#ifndef BURROW_SYNC_UTIL_H
#define BURROW_SYNC_UTIL_H

#include "chan_util.h"

#include "sync/sema.h"

#define FAR      (bw_now() + 3600 * BW_SECOND)
#define SOON(ns) (bw_now() + (ns))

// A section of code for one writer or any number of readers: who enters says so.
typedef struct {
  atomic_int inside; // 10000 a writer, 1 a reader
  int64_t plain;     // written by writers, without any protection of its own
} section;

static inline void section_write(section *s) {
  CHECK_EQ(atomic_fetch_add(&s->inside, 10000), 0);
  s->plain++;
  CHECK_EQ(atomic_fetch_sub(&s->inside, 10000), 10000);
}

static inline void section_read(section *s) {
  CHECK(atomic_fetch_add(&s->inside, 1) < 10000);
  (void)*(volatile int64_t *)&s->plain;
  atomic_fetch_sub(&s->inside, 1);
}

// Every test of locks ends with this: whoever waited has gone, and the table is whole.
static inline void sync_check_empty(void) {
  CHECK(bw__sema_valid());
  CHECK_EQ(bw__sema_waiting(), 0);
}

// Lets goroutines run until `n` wait at addresses.
static inline void sync_until_waiting(uint32_t n) {
  while (bw__sema_waiting() != n) bw_gosched();
}

#endif
