// Stands in for src/sched/switch.h: with and without the short cut.
#ifndef BURROW_SCHED_SWITCH_H
#define BURROW_SCHED_SWITCH_H

#include "sched/sched.h"

// The goroutine to go to; NULL: the M settles this one.
bw__g *bw__choose_directly(bw__m *m);
void bw__go_directly(bw__m *m, bw__g *from, bw__g *to);

#endif
