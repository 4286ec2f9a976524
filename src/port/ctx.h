// The context switch: a goroutine's saved machine state behind a door of four functions.
//
// A thread *resumes* a context and gets control back when the context *suspends* or its entry
// returns. A suspended context is bytes in memory: any thread may resume it next, and that is how
// goroutines move between threads. The caller provides the hand-over between the two (a context is
// saved completely only when bw__ctx_resume has returned).
//
//   native  callee-saved registers and the stack pointer, swapped in assembly. Floating-point
//           control words (rounding mode, exception masks) stay with the thread.
//   wasm    Binaryen's asyncify: suspend unwinds the wasm stack into the save area, resume calls
//           the entry again and asyncify replays the frames. Saved frames and shadow stack share
//           one block: the shadow stack grows down from its top, the frames lie right below it.
//
// After a switch the code may be on another thread: addresses of thread-local variables taken
// before it are stale, so read them through a noinline function.
#ifndef BURROW_PORT_CTX_H
#define BURROW_PORT_CTX_H

#include "base/config.h"

typedef struct bw__ctx {
  void *sp;      // saved stack pointer while suspended
  void *host_sp; // stack pointer of the resumer while running
  char *lo;      // the block: lowest address,
  size_t size;   // and bytes
  void (*entry)(void *);
  void *arg;
  bool finished;  // port/posix: the entry has returned
  bool suspended; // port/wasm: unwound, or being rewound
#if BW_WASM
  struct { // asyncify's own record, it reads these two words; valid while suspended
    char *at, *end;
  } save;
  char *frames; // the lowest of the saved frames, which end at sp: of the last suspend
#endif
#if BW_TSAN
  void *fiber;      // ThreadSanitizer's fiber of this context
  void *host_fiber; // and of the resumer
#endif
#if BW_ASAN
  void *fake_stack;
  const void *host_lo; // the resumer's stack
  size_t host_size;
  bool transferred; // about to be arrived at by a transfer, not by a resume
#endif
} bw__ctx;

// By what ThreadSanitizer knows a context; NULL without it. To make one takes long (a millisecond):
// whoever starts a context should pay for it, not the thread that runs it, or starts pile up.
#if BW_TSAN
void *bw__ctx_fiber_make(void);
void bw__ctx_fiber_free(void *fiber);
#else
static inline void *bw__ctx_fiber_make(void) { return NULL; }
static inline void bw__ctx_fiber_free(void *fiber) { (void)fiber; }
#endif

// Prepares `c` to run entry(arg) on the block [lo, lo+size), 16-byte aligned. The fiber is to be
// freed when c has ended, or will not run any more. c needs nothing else.
void bw__ctx_make(bw__ctx *c, void *lo, size_t size, void (*entry)(void *), void *arg, void *fiber);

// Runs `c` until it suspends (returns true) or its entry returns (returns false).
bool bw__ctx_resume(bw__ctx *c);

// Called on `c` itself: gives control back to the resumer; returns when resumed again.
void bw__ctx_suspend(bw__ctx *c);

// Called on `from`: suspends it and continues `to` in its place, on this thread. Whoever resumed
// `from` gets control back when `to`, or whatever that transfers to, suspends or ends. `from` is
// saved before `to` goes on, and may be resumed like any suspended context. Only where
// BW_CTX_TRANSFERS is 1: asyncify must unwind to the resumer.
#define BW_CTX_TRANSFERS (!BW_WASM)
void bw__ctx_pass(bw__ctx *from, bw__ctx *to); // the same, told to no sanitizer
#if BW_ASAN || BW_TSAN
void bw__ctx_transfer(bw__ctx *from, bw__ctx *to);
#else
static inline void bw__ctx_transfer(bw__ctx *from, bw__ctx *to) { bw__ctx_pass(from, to); }
#endif

// In a function that is below every resume, like the loop that resumes: tells asyncify that it is
// never unwound, whatever it seems to call. (A function that calls asyncify's own is left alone,
// and so are its callers on its account.) Nothing elsewhere.
static inline void bw__ctx_never_suspends(void) {
#if BW_WASM
  extern void bw__ctx_asyncify_mark(void)
      __attribute__((import_module("asyncify"), import_name("stop_unwind")));
  static const volatile bool never;
  if (never) bw__ctx_asyncify_mark();
#endif
}

// Bytes of the block below the deepest use known at the last suspend; < 0: it overflowed.
ptrdiff_t bw__ctx_headroom(const bw__ctx *c);

// The largest number of bytes of the block ever used as far as known. Natively: in use at the last
// suspend; in development builds what is resident, by predecessors on the block as well. On wasm:
// in use at the last suspend; in development builds at any time.
size_t bw__ctx_used(const bw__ctx *c);

// Called by the port when it finds that `c` has used more than its block (on whatever stack that
// can still be used); must not return. Set once at start-up; NULL: the port says something by
// itself.
extern void (*bw__ctx_overflowed)(bw__ctx *c, uintptr_t sp);

#endif
