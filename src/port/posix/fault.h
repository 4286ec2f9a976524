// Signals that tell of a fault, for the files that handle them.
#ifndef BURROW_PORT_POSIX_FAULT_H
#define BURROW_PORT_POSIX_FAULT_H

#include <signal.h>

// Last in a handler of ours, which has replaced `old`, when the fault is not ours: calls the
// handler that was there. When there was none, the old action comes back and the instruction runs
// once more: so the program dies, and its core shows it where it went wrong. (A signal that was
// sent, by kill or raise, is raised again.)
void bw__fault_pass_on(const struct sigaction *old, int signal_number, siginfo_t *info,
                       void *context);

#endif
