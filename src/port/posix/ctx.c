// The native context switch: bw__ctx_swap (assembly, beside this file) saves the callee-saved
// registers on the current stack, stores the stack pointer and loads another one.
//
// The sanitizers must be told of every change of stack. AddressSanitizer wants the bounds of the
// stack to come before the swap and a "finish" on the new stack after it; ThreadSanitizer keeps its
// own record (a fiber) of each context. The fiber switch synchronises, so what the resumer wrote
// before is seen after.
#include "port/ctx.h"

#include "base/atomics.h"

#if BW_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if BW_TSAN
#include <sanitizer/tsan_interface.h>
#endif

void (*bw__ctx_overflowed)(bw__ctx *c, uintptr_t sp);

// Saves the current context to *save and continues the one at `load`.
void bw__ctx_swap(void **save, void *load);
// Writes the first frame on a fresh stack: bw__ctx_swap to the result calls start(c).
void *bw__ctx_frame(void *top, void (*start)(bw__ctx *), bw__ctx *c);

static void enter_host(bw__ctx *c) { // about to leave `c` for its resumer
#if BW_ASAN
  __sanitizer_start_switch_fiber(c->finished ? NULL : &c->fake_stack, c->host_lo, c->host_size);
#endif
#if BW_TSAN
  __tsan_switch_to_fiber(c->host_fiber, 0);
#endif
  (void)c;
}

static void entered(bw__ctx *c) { // just arrived on `c`
#if BW_ASAN
  __sanitizer_finish_switch_fiber(c->fake_stack, &c->host_lo, &c->host_size);
#endif
  (void)c;
}

static void start(bw__ctx *c) {
  entered(c);
  c->entry(c->arg);
  c->finished = true;
  enter_host(c);
  bw__ctx_swap(&c->sp, c->host_sp);
  __builtin_unreachable();
}

void bw__ctx_make(bw__ctx *c, void *lo, size_t size, void (*entry)(void *), void *arg) {
  *c = (bw__ctx){.lo = lo, .size = size, .entry = entry, .arg = arg};
#if BW_TSAN
  c->fiber = __tsan_create_fiber(0);
#endif
#if BW_ASAN // a finished predecessor on this stack never popped its frames' red zones
  __asan_unpoison_memory_region(lo, size);
#endif
  c->sp = bw__ctx_frame((char *)lo + size, start, c);
}

bool bw__ctx_resume(bw__ctx *c) {
#if BW_ASAN
  __sanitizer_start_switch_fiber(&c->host_fake_stack, c->lo, c->size);
#endif
#if BW_TSAN
  c->host_fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(c->fiber, 0);
#endif
  bw__ctx_swap(&c->host_sp, c->sp);
#if BW_ASAN
  __sanitizer_finish_switch_fiber(c->host_fake_stack, NULL, NULL);
#endif
  return !c->finished;
}

void bw__ctx_suspend(bw__ctx *c) {
  enter_host(c);
  bw__ctx_swap(&c->sp, c->host_sp);
  entered(c);
}

void bw__ctx_destroy(bw__ctx *c) {
#if BW_TSAN
  if (c->fiber) __tsan_destroy_fiber(c->fiber);
  c->fiber = NULL;
#endif
  (void)c;
}

ptrdiff_t bw__ctx_headroom(const bw__ctx *c) { return (char *)c->sp - c->lo; }
