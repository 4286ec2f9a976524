// Select for who has an end of waiting beside the deadline.
#ifndef BURROW_COMM_SELECT_H
#define BURROW_COMM_SELECT_H

#include "sched/park.h"
#include "sync/cancel.h"

#include <burrow/select.h>

enum { BW_SELECT_NO_DEADLINE = -1 };

// bw_select, until `deadline` (BW_SELECT_NO_DEADLINE: none) or until `cancel` (NULL: never) is
// cancelled. Also BW_ETIMEDOUT and BW_ECANCELED. What can be done at once is done in any case.
// `reason` is what dumps say. Blocks: G | M.
int bw__select_with(const bw_case *cases, size_t n, int64_t deadline, bw__cancel_source *cancel,
                    bw__reason reason);

// Waits for nothing but the end: BW_ETIMEDOUT or BW_ECANCELED. Blocks: G | M.
int bw__pause_with(int64_t deadline, bw__cancel_source *cancel, bw__reason reason);

#endif
