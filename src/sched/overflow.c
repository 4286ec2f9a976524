// Stack overflow, worded as Go words it: the limit, where the stack pointer was, and the fatal
// error with its dump. How it is noticed is the port's: on wasm the context switch does
// (port/ctx.h), natively the guard below the stack faults.
#include "sched/sched.h"

// Runs on a stack of its own or on what is left of the goroutine's: allocates nothing, needs
// little.
_Noreturn void bw__stack_overflow(bw__g *g, uintptr_t sp) {
  char buffer[256], name[BW_NAME_WORDS * 8];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  uintptr_t lo = (uintptr_t)bw__g_stack_lo(g);
  bw__g_name(g, name);
  bw__text_format(&t, "runtime: goroutine stack exceeds %zu-byte limit: goroutine %llu%s%s\n",
                  g->stack_all, (unsigned long long)bw__shared_load(&g->id), name[0] ? " " : "",
                  name);
  bw__text_format(&t, "runtime: sp=%p stack=[%p, %p]\n", (void *)sp, (void *)lo,
                  (void *)(lo + g->stack_all));
  bw__port_write(2, t.data, t.len);
  bw__fatal("stack overflow");
}

// (Whose context c is does not follow from c.)
static void ctx_overflowed(bw__ctx *c, uintptr_t sp) {
  bw__g *g = bw__m_here()->cur;
  BW_ASSERT(g->ctx == c);
  (void)c;
  bw__stack_overflow(g, sp);
}

typedef struct {
  uintptr_t address, sp;
  bw__g *found;
} fault;

// Code that has used up its stack has its stack pointer at the stack's end or
// beyond it, and touches what lies between the two; SLACK: a processor's red zone and more. A wild
// pointer that hits the guard is no overflow, and takes its course.
static bool has_overflowed(const bw__g *g, const fault *f) {
  enum { SLACK = 256, GUARD_MOST = 1 << 20 };
  uintptr_t lo = (uintptr_t)bw__g_stack_lo(g);
  return f->sp < lo + SLACK && f->sp + GUARD_MOST > lo && f->address < lo &&
         f->address + SLACK >= f->sp;
}

static void look_at(bw__g *g, void *arg) {
  fault *f = arg;
  if (!f->found && has_overflowed(g, f)) f->found = g;
}

// In a signal handler. Mostly it is the goroutine that runs; but one that goes to another directly
// (switch.h) is on its own stack for a while after the other has taken its place.
static void faulted(uintptr_t address, uintptr_t sp) {
  fault f = {address, sp, NULL};
  bw__m *m = bw__m_here();
  if (!m || !m->cur || !sp) return;
  look_at(m->cur, &f);
  if (!f.found) bw__g_each(look_at, &f);
  if (f.found) bw__stack_overflow(f.found, sp);
}

void bw__stack_overflow_watch(void) {
  bw__ctx_overflowed = ctx_overflowed;
  bw__port_at_fault(faulted);
}
