// Start-up and tear-down for both ways to run: bw_run from C, and a service whose threads
// JavaScript provides.
#ifndef BURROW_ENTRY_RUNTIME_H
#define BURROW_ENTRY_RUNTIME_H

#include <burrow/go.h>

// Makes the Ps; no goroutine yet. All threads come from outside, and the environment is not looked
// at. 0 or BW_EINVAL, BW_ESTATE, BW_ENOMEM.
int bw__runtime_open(const bw_options *options);
// Has every M leave its loop at its next switch. Returns at once.
void bw__runtime_stop(void);
// Joins the threads that were started, and frees everything. Every other M must have left.
void bw__runtime_close(void);

#endif
