// What is to be seen of Ps and goroutines from outside, while they run.
#ifndef BURROW_SCHED_DUMP_H
#define BURROW_SCHED_DUMP_H

#include "sched/sched.h"

typedef struct {
  const char *status; // "idle", "held", "blocking"
  int holder;         // number of the M that holds it; -1: none
  uint64_t running;   // goroutine; 0: none
  uint32_t queued;
} bw__p_view;

// Any thread. Old news at once.
bw__p_view bw__p_look(bw__p *p);
// Goroutines in p's queue, the one to run next included. Any thread.
uint32_t bw__runq_length(bw__p *p);

// Prints g to stderr. `symbols`: with the names of its functions, which takes locks of the system's
// loader; else nothing here allocates or locks. `more`, or NULL, prints what comes below the first
// line.
void bw__dump_goroutine(bw__g *g, bool symbols, void (*more)(const void *arg), const void *arg);
// All of them. Locks: allg, unless somebody holds it for too long.
void bw__dump_goroutines(bool symbols);

// What the layer above knows of what goroutines wait for: `describe` adds to a line, `held` prints
// lines of its own. Both are called at any time, and must neither wait nor allocate.
void bw__dump_hooks(void (*describe)(bw__text *t, const void *object), void (*held)(void));

#endif
