// Faults: memory that was touched and may not be. A goroutine whose stack is used up faults in the
// guard below it, and its own stack is no place for a signal handler: so threads that run
// goroutines give the handler another one.
//
// AddressSanitizer handles faults too, and gives each thread a stack for that: ours is asked first,
// and what it does not end is the sanitizer's.
#include "port/posix/fault.h"

#include "port/port.h"

#include <errno.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

typedef void (*listener)(uintptr_t address, uintptr_t sp);

enum { LISTENERS = 4 };

static struct {
  _Atomic(listener) all[LISTENERS]; // from the front; never removed
  _Atomic(bool) installed;
  struct sigaction old; // r/o once the handler is installed
} fault;

// Where the interrupted code's stack pointer was; 0: not known for this processor.
static uintptr_t stack_pointer(const void *context) {
  const ucontext_t *c = context;
#if defined(__x86_64__)
  return (uintptr_t)c->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  return (uintptr_t)c->uc_mcontext.sp;
#else
  (void)c;
  return 0;
#endif
}

void bw__fault_pass_on(const struct sigaction *old, int signal_number, siginfo_t *info,
                       void *context) {
  if (old->sa_flags & SA_SIGINFO)
    old->sa_sigaction(signal_number, info, context);
  else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
    sigaction(signal_number, old, NULL);
    if (info->si_code <= 0) raise(signal_number); // comes when this handler has returned
  } else
    old->sa_handler(signal_number);
}

static void handle(int signal_number, siginfo_t *info, void *context) {
  int saved = errno;
  bool sent = info->si_code <= 0; // by kill or raise: the instruction is not at fault
  uintptr_t sp = stack_pointer(context);
  for (int i = 0; i < LISTENERS; i++) {
    listener fn = bw__load_acquire(&fault.all[i]); // pairs with the CAS in bw__port_at_fault
    if (fn && !sent) fn((uintptr_t)info->si_addr, sp);
  }
  errno = saved;
  bw__fault_pass_on(&fault.old, signal_number, info, context);
}

static void install(void) {
  struct sigaction mine = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&mine.sa_mask);
  sigaction(SIGSEGV, NULL, &fault.old); // first: a fault in between needs it
  sigaction(SIGSEGV, &mine, NULL);
}

void bw__port_at_fault(void (*fn)(uintptr_t address, uintptr_t sp)) {
  for (int i = 0; i < LISTENERS; i++) {
    listener there = NULL;
    if (bw__cas(&fault.all[i], &there, fn) || there == fn) break;
  }
  if (!bw__swap(&fault.installed, true)) install();
}

// ---- the handlers' stack ------------------------------------------------------------------------

// Room for the words and the dump of all goroutines, on top of what the kernel saves of the
// registers, which grows with the processor.
#define HANDLER ((size_t)64 << 10)

static _Thread_local char *handler_stack; // the mapping, its guard first; NULL: none of ours

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static size_t handler_bytes(void) {
  long kernel = sysconf(_SC_MINSIGSTKSZ);
  return bw__align_up(HANDLER + (kernel > 0 ? (size_t)kernel : 0), page_size());
}

static void give_handler_stack(void) {
  stack_t now;
  size_t guard = page_size(), bytes = handler_bytes();
  if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
  char *p = mmap(NULL, guard + bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (p == MAP_FAILED) return;
  stack_t mine = {.ss_sp = p + guard, .ss_size = bytes};
  if (mprotect(p, guard, PROT_NONE) == 0 && sigaltstack(&mine, NULL) == 0)
    handler_stack = p;
  else
    munmap(p, guard + bytes);
}

static void take_handler_stack(void) {
  stack_t now, none = {.ss_flags = SS_DISABLE};
  size_t guard = page_size();
  if (!handler_stack) return;
  bool ours = sigaltstack(NULL, &now) == 0 && now.ss_sp == handler_stack + guard;
  if (ours) sigaltstack(&none, NULL);
  munmap(handler_stack, guard + handler_bytes());
  handler_stack = NULL;
}

void bw__port_thread_fault_stack(bool on) {
  int saved = errno;
  if (on)
    give_handler_stack();
  else
    take_handler_stack();
  errno = saved;
}
