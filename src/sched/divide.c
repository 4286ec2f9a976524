// Integer divisions by zero as Go's panic, where the processor tells of them (port/posix/divide.c).
//
// The panic begins on top of the code that divided, as if it had called bw_panic in place of
// dividing. That code is the program's: the library itself never divides by a number that it has
// not looked at, so no lock of the library is held and nothing of it is half done. C's own library
// takes no lock around a division by a number of its caller (div, ldiv).
//
// What is not the program's code, on a goroutine or in a scope, keeps its signal: the scheduler's
// between goroutines, plain threads without a scope, and handlers of other signals where they have
// a stack of their own.
#include "sched/sched.h"
#include "sched/unwind.h"

static bool is_on_stack_of(const bw__g *g, uintptr_t sp) {
  uintptr_t lo = (uintptr_t)bw__g_stack_lo(g);
  return sp - lo < g->stack_all;
}

// In a signal handler. In a blocking call, too, it is the goroutine's stack.
static bool is_ours(uintptr_t sp) {
  bw__m *m = bw__m_here();
  if (m) return m->cur && is_on_stack_of(m->cur, sp);
  return bw__unwind_here()->scopes != NULL;
}

static void panics(bool overflow, uintptr_t pc) {
  bw__panic_divide(pc, overflow ? "integer overflow" : "integer divide by zero");
}

_Noreturn void bw__divide_by_zero(BW__PLACE_ARG) {
  const bw__panic_place here = {BW__PLACE_ON, NULL};
  bw__panic_runtime_of(&here, "runtime error: integer divide by zero");
}

void bw__divide_watch(void) { bw__port_at_divide(is_ours, panics); }
