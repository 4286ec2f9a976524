// What the groups of programs share: main.c has those of channels and the command, sync_groups.c
// those of the locks of sync/.
#ifndef BURROW_MODEL_GROUPS_H
#define BURROW_MODEL_GROUPS_H

#include "sync.h"

typedef struct {
  uint64_t programs, interleavings, cut, steps;
  bool long_form; // BURROW_MODEL_LONG
  bool failed;    // nothing more is explored
} model_totals;

extern model_totals totals;
void totals_add(const model_result *r);

// Counted, unless something has failed.
void explore_sync(const sync_program *p);

void group_mutex(void);
void group_rwmutex(void);
void group_sema(void);
void group_cond(void);
void group_tickets(void);

#endif
