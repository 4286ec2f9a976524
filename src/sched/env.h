// BURROW_DEBUG: what the environment asks of the scheduler, "name=value,name=value".
#ifndef BURROW_SCHED_ENV_H
#define BURROW_SCHED_ENV_H

#include <stdbool.h>
#include <stdint.h>

// r/o while a runtime is up.
typedef struct {
  int64_t schedtrace; // print the scheduler's state so often, ns; 0: never
  bool scheddetail;   // and every P and M
  int64_t overstay;   // report goroutines that run for so long without yielding, ns; 0: never
  bool monitor;       // something here needs the monitor, also where there is usually none
  char trace[1024];   // path for a trace of the whole run; empty: none
} bw__env_wishes;

extern bw__env_wishes bw__env;
extern int bw__locks_watched; // likewise, but a program may change it at any time (burrow/locks.h)

// Reads BURROW_DEBUG as a runtime opens, before the monitor and any M. What is wrong in it is told
// on stderr, once a process.
void bw__env_read(void);

#endif
