// Goroutines' stacks as Valgrind knows them: only in a build for it (CMake's BURROW_VALGRIND),
// which needs its headers. Without, Memcheck takes a switch to a stack close by for a large frame,
// and memory in between for uninitialised or gone.
#ifndef BURROW_PORT_POSIX_WATCHED_STACK_H
#define BURROW_PORT_POSIX_WATCHED_STACK_H

#include "base/config.h"

#if BW_VALGRIND

#include <valgrind/valgrind.h>

// The number that Valgrind gives to the stack is kept in its lowest word; inverted, because memory
// that was given back reads 0, and 0 is the main thread's stack.
static inline void bw__watched_stack_begin(char *lo, size_t usable) {
  *(unsigned *)lo = ~VALGRIND_STACK_REGISTER(lo, lo + usable - 1);
}

static inline void bw__watched_stack_end(char *lo) {
  unsigned number = ~*(unsigned *)lo;
  if (number != ~0u) VALGRIND_STACK_DEREGISTER(number);
}

#else

static inline void bw__watched_stack_begin(char *lo, size_t usable) {
  (void)lo;
  (void)usable;
}

static inline void bw__watched_stack_end(char *lo) { (void)lo; }

#endif

#endif
