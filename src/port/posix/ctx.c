// The native context switch. The assembly beside this file saves the callee-saved registers on the
// current stack, stores the stack pointer and loads the other one; here is what C can say: the
// first frame of a context, and what the sanitizers must be told.
//
// They must be told of every change of stack. AddressSanitizer wants the bounds of the stack to
// come before the switch and a "finish" on the new stack after it; ThreadSanitizer keeps its own
// record (a fiber) of each context. The fiber switch synchronises, so what the resumer wrote before
// is seen after. Without them resume and suspend are a jump to the assembly each, and a transfer is
// the assembly's function.
//
// A context knows its host: the stack pointer, and for the sanitizers the bounds and the fiber of
// the host's stack. A resume sets that (the bounds are what the first "finish" tells of the stack
// that was left); a transfer hands it on to the next context, whose "finish" tells of the wrong
// stack. What belongs to the host alone, its fake stack, is kept on its own stack: the context that
// it resumed may have ended on another thread when it gets control back.
#include "port/ctx.h"

#include "base/atomics.h"
#include "port/port.h"

#if BW_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if BW_TSAN
#include <sanitizer/tsan_interface.h>
#endif

void (*bw__ctx_overflowed)(bw__ctx *c, uintptr_t sp);

static_assert(offsetof(bw__ctx, sp) == 0 && offsetof(bw__ctx, host_sp) == sizeof(void *),
              "the assembly knows these");

// Saves the current context as c's host and continues c. Comes back with true from bw__ctx_leave,
// with false from bw__ctx_finish.
bool bw__ctx_enter(bw__ctx *c);
// Saves the current context as c and continues c's host.
void bw__ctx_leave(bw__ctx *c);
// Continues c's host; c is no more.
_Noreturn void bw__ctx_finish(bw__ctx *c);
// Not a function to call: where a fresh context goes on.
__attribute__((visibility("hidden"))) void bw__ctx_first(void);

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
  const void *lo;
  size_t size;
  __sanitizer_finish_switch_fiber(c->fake_stack, &lo, &size);
  if (!c->transferred) {
    c->host_lo = lo;
    c->host_size = size;
  }
#endif
  (void)c;
}

static void start(bw__ctx *c) {
  entered(c);
  c->entry(c->arg);
  c->finished = true;
  enter_host(c);
  bw__ctx_finish(c);
}

// ---- the first frame ----------------------------------------------------------------------------
//
// What the assembly's go_on pops. Only what bw__ctx_first needs is written: start, the context, the
// address to go on at, and a frame pointer of 0, which ends a walk along frame pointers.

#if defined(__x86_64__)
enum { FRAME_WORDS = 8, FRAME_POINTER = 5, FRAME_START = 3, FRAME_CTX = 4, FRAME_NEXT = 6 };
#elif defined(__aarch64__)
enum { FRAME_WORDS = 20, FRAME_POINTER = 0, FRAME_START = 2, FRAME_CTX = 3, FRAME_NEXT = 1 };
#else
#error "no context switch for this processor"
#endif

static void *first_frame(bw__ctx *c) {
  uintptr_t top = (uintptr_t)c->lo + c->size;
  uintptr_t *frame = (uintptr_t *)(top & ~(uintptr_t)15) - FRAME_WORDS;
  frame[FRAME_START] = (uintptr_t)start;
  frame[FRAME_CTX] = (uintptr_t)c;
  frame[FRAME_POINTER] = 0;
  frame[FRAME_NEXT] = (uintptr_t)bw__ctx_first;
  return frame;
}

// ---- the door -----------------------------------------------------------------------------------

void bw__ctx_make(bw__ctx *c, void *lo, size_t size, void (*entry)(void *), void *arg,
                  void *fiber) {
  (void)fiber;
  c->lo = lo;
  c->size = size;
  c->entry = entry;
  c->arg = arg;
  c->finished = false;
#if BW_TSAN
  c->fiber = fiber;
#endif
#if BW_ASAN // a finished predecessor on this stack never popped its frames' red zones
  c->fake_stack = NULL;
  __asan_unpoison_memory_region(lo, size);
#endif
  c->sp = first_frame(c);
}

bool bw__ctx_resume(bw__ctx *c) {
#if BW_ASAN
  void *fake_stack;
  c->transferred = false;
  __sanitizer_start_switch_fiber(&fake_stack, c->lo, c->size);
#endif
#if BW_TSAN
  c->host_fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(c->fiber, 0);
#endif
  bool alive = bw__ctx_enter(c);
#if BW_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
  return alive;
}

void bw__ctx_suspend(bw__ctx *c) {
  enter_host(c);
  bw__ctx_leave(c);
  entered(c);
}

#if BW_ASAN || BW_TSAN
void bw__ctx_transfer(bw__ctx *from, bw__ctx *to) {
#if BW_ASAN
  to->host_lo = from->host_lo;
  to->host_size = from->host_size;
  to->transferred = true;
  __sanitizer_start_switch_fiber(&from->fake_stack, to->lo, to->size);
#endif
#if BW_TSAN
  to->host_fiber = from->host_fiber;
  __tsan_switch_to_fiber(to->fiber, 0);
#endif
  bw__ctx_pass(from, to);
  entered(from);
}
#endif

#if BW_TSAN
void *bw__ctx_fiber_make(void) { return __tsan_create_fiber(0); }

void bw__ctx_fiber_free(void *fiber) { __tsan_destroy_fiber(fiber); }
#endif

ptrdiff_t bw__ctx_headroom(const bw__ctx *c) { return (char *)c->sp - c->lo; }

size_t bw__ctx_used(const bw__ctx *c) {
  size_t used = (size_t)(c->lo + c->size - (char *)c->sp);
  size_t resident = BW_DEBUG ? bw__port_stack_resident(c->lo, c->size) : 0;
  return resident > used ? resident : used;
}
