// Faults: memory that was touched and may not be.
#include "port/port.h"

#include <signal.h>

static struct {
  void (*fn)(uintptr_t address); // r/o once the handler is installed
  struct sigaction old;          // the same, nearly: a fault in between has no one to tell
} fault;

// When nobody else handles faults, the old action comes back and the instruction runs once more: so
// the program dies, and its core shows it where it went wrong.
static void handle(int signal_number, siginfo_t *info, void *context) {
  fault.fn((uintptr_t)info->si_addr);
  if (fault.old.sa_flags & SA_SIGINFO)
    fault.old.sa_sigaction(signal_number, info, context);
  else if (fault.old.sa_handler == SIG_DFL || fault.old.sa_handler == SIG_IGN)
    sigaction(signal_number, &fault.old, NULL);
  else
    fault.old.sa_handler(signal_number);
}

void bw__port_at_fault(void (*fn)(uintptr_t address)) {
  struct sigaction mine = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&mine.sa_mask);
  fault.fn = fn;
  sigaction(SIGSEGV, NULL, &fault.old);
  sigaction(SIGSEGV, &mine, NULL);
}
