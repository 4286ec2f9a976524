// The thread-local pointer to this thread's M.
//
// And what follows from it: whose deferred calls and panics (unwind.h) are this code's.
//
// A goroutine may continue on another thread after any call that parks, so nobody may keep the
// *address* of the variable: all these functions are out of line, and the empty asm keeps the
// compiler from proving that two calls give the same.
#include "sched/sched.h"
#include "sched/unwind.h"

static _Thread_local bw__m *current, *here;
static _Thread_local bw__unwind of_thread;

BW_NOINLINE bw__m *bw__m_current(void) {
  __asm__ volatile("" ::: "memory");
  return current;
}

BW_NOINLINE void bw__m_set_current(bw__m *m) {
  __asm__ volatile("" ::: "memory");
  current = m;
}

BW_NOINLINE bw__m *bw__m_here(void) {
  __asm__ volatile("" ::: "memory");
  return here;
}

BW_NOINLINE void bw__m_set_here(bw__m *m) {
  __asm__ volatile("" ::: "memory");
  here = m;
}

bw__g *bw__g_current(void) {
  bw__m *m = bw__m_current();
  return m ? m->cur : NULL;
}

// A sequence of its own for each thread that has no P; the address of the variable seeds it.
BW_NOINLINE uint64_t bw__random(void) {
  static _Thread_local bw__rand own;
  bw__m *m = bw__m_current();
  if (BW_LIKELY(m && m->p)) return bw__rand_next(&m->p->rand);
  if (!own.state) own.state = (uintptr_t)&own ^ (uint64_t)bw__port_now() ^ bw__port_seed();
  return bw__rand_next(&own);
}

BW_NOINLINE bw__unwind *bw__unwind_here(void) {
  __asm__ volatile("" ::: "memory");
  bw__m *m = current;
  return m && m->cur ? &m->cur->unwind : &of_thread;
}

BW_NOINLINE bw__unwind bw__unwind_thread_swap(bw__unwind now) {
  __asm__ volatile("" ::: "memory");
  bw__unwind before = of_thread;
  of_thread = now;
  return before;
}

// Here because it is the way into every scope, and a call less is a quarter of what that costs.
BW_NOINLINE bw_scope **bw__scope_home(void) {
  __asm__ volatile("" ::: "memory");
  bw__m *m = current;
  return m && m->cur ? &m->cur->unwind.scopes : &of_thread.scopes;
}
