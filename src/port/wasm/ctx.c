// The wasm context switch by Binaryen's asyncify, called from C.
//
// asyncify rewrites every function that may be on the stack at a switch. Told to unwind, each of
// them saves its locals into the save area and returns; told to rewind, the entry is called again
// and each function restores its locals and jumps to the call where it was. So a suspended
// goroutine is bytes in its block, all in one piece at the top:
//
//     lo [ unused ... | saved frames | shadow stack ] lo + size
//                                    sp
//
// One that waits has mostly used a few hundred bytes: one page of memory, a few neighbouring lines.
// Any thread with the same module may rewind it; asyncify's own state is two wasm globals per
// instance and idle between switches.
//
//   resume, first time   set bounds and sp, call entry
//   suspend              note sp, start_unwind: every frame below resume returns
//   back in resume       the host's bounds and sp, saved frames into the block, stop_unwind
//   resume, later        start_rewind, set bounds and sp, call entry: frames are replayed down to
//                        suspend
//   back in suspend      stop_rewind, return to the goroutine
//
// What is below the stack pointer may be written to by any function, and still the frames are safe
// there. While they are replayed, nothing but loads from them and the calls that lead to suspend is
// executed: all other code of these functions is skipped, the change of the stack pointer and its
// check as well, and functions that cannot suspend are not called. (A leaf, which has a red zone,
// is never on the stack at a switch.) The first code that runs for real is suspend's own, when the
// last frame has been read; from then on nobody needs them.
//
// Overflow of the shadow stack. Each change of the stack pointer is checked against the bounds that
// hold on this thread, before it happens (ctx_sp.S; the checks are woven in when a program is
// linked, see cmake/BurrowTargets.cmake): those of the goroutine's block or of the thread's own
// stack. In a program linked without the checks what remains is a look at the stack pointer at each
// suspend.
//
// Overflow of the saved frames. How much will be saved is known to nobody beforehand, and asyncify
// writes upwards without looking. So it saves into the larger of two places: the bottom of the
// block, or what is left of the thread's own stack below the host's frames, which nobody needs
// until the goroutine is unwound. From there the frames, mostly 40 to 300 bytes, are moved to right
// below the stack pointer; when they do not fit, the goroutine has overflowed and nothing else has
// been touched. (Saved frames hold values and no pointers to each other: they may be moved.)
//
// The two functions here that call asyncify's imports are left alone by the pass. They must not be
// inlined into others: Binaryen's inliner is told so at link time (cmake/BurrowTargets.cmake).
// No JavaScript frame may lie between resume and suspend: it cannot be unwound.
#include "port/ctx.h"

#include "port/port.h"
#include "port/wasm/stack.h"

#include <string.h>

#define ASYNCIFY(name) __attribute__((import_module("asyncify"), import_name(name)))
ASYNCIFY("start_unwind") void asyncify_start_unwind(void *save);
ASYNCIFY("stop_unwind") void asyncify_stop_unwind(void);
ASYNCIFY("start_rewind") void asyncify_start_rewind(void *save);
ASYNCIFY("stop_rewind") void asyncify_stop_rewind(void);

void (*bw__ctx_overflowed)(bw__ctx *c, uintptr_t sp);

// ctx_sp.S
char *bw__sp_get(void);
void bw__sp_set(char *sp);
void bw__sp_bounds(char *low, size_t span);
bw__ctx *bw__ctx_now_get(void);
void bw__ctx_now_set(bw__ctx *c);
void bw__ctx_sp_outside(char *sp);

enum {
  RED_ZONE = 128, // a function that calls none may write so far below the stack pointer
  SPARE = 16,     // in front of what asyncify saves
  OWN_LEFT = 8192 // of a thread's own stack, for the words of its overflow
};

static const int paint = 0xb5; // what a block is filled with in development builds

void bw__ctx_make(bw__ctx *c, void *lo, size_t size, void (*entry)(void *), void *arg,
                  void *fiber) {
  (void)fiber;
  *c = (bw__ctx){.lo = lo, .size = size, .entry = entry, .arg = arg};
  c->sp = c->frames = c->lo + size;
  if (BW_DEBUG) memset(c->lo, paint, size);
}

// ---- overflow -----------------------------------------------------------------------------------

static _Noreturn void die(const char *text) {
  bw__port_write(2, text, strlen(text));
  bw__port_exit(2);
}

static _Noreturn BW_NOINLINE void overflowed(bw__ctx *c, char *sp) {
  bw__sp_bounds(0, SIZE_MAX);
  if (bw__ctx_overflowed) bw__ctx_overflowed(c, (uintptr_t)sp);
  die("fatal error: stack overflow: a goroutine exceeds its stack\n");
}

void bw__stack_enter_own(void) {
  char *low = bw__stack_low();
  if (low)
    bw__sp_bounds(low + OWN_LEFT, (size_t)(bw__stack_high() - low) - OWN_LEFT);
  else
    bw__sp_bounds(0, SIZE_MAX);
}

_Static_assert(offsetof(bw__ctx, host_sp) == 4, "ctx_sp.S loads it");

// The stack pointer would have become `sp`, out of bounds; this runs on the thread's own stack,
// where no bounds hold. It returns when the bounds were not those of that stack: a thread's first
// call, or bounds of a thread before it in a pool's worker.
void bw__ctx_sp_outside(char *sp) {
  bw__ctx *c = bw__ctx_now_get();
  if (c) overflowed(c, sp);
  char *low = bw__stack_low();
  if (low && (sp < low + OWN_LEFT || sp > bw__stack_high()))
    die("runtime: a thread exceeds its stack\nfatal error: stack overflow\n");
  bw__stack_enter_own();
}

// ---- switch -------------------------------------------------------------------------------------

static inline size_t room_below_sp(const bw__ctx *c) { return (size_t)((char *)c->sp - c->lo); }

// Where asyncify is to save: see above.
static inline void choose_save_area(bw__ctx *c) {
  char *own = bw__stack_low(), *own_end = c->host_sp;
  bool in_block = !own || room_below_sp(c) >= (size_t)(own_end - own);
  c->frames = (in_block ? c->lo : own) + SPARE;
  c->save.at = c->frames;
  c->save.end = in_block ? c->sp : own_end;
}

// Moves what asyncify saved to right below the stack pointer; false: it does not fit. Words, not
// memcpy: that would become memory.copy, a call out of wasm that takes longer than all of the rest.
// Downwards, since where they end is known before how many they are, and since the places may
// overlap. Half of the last word may be beyond their beginning, where nothing lies.
static inline bool settle_frames(bw__ctx *c) {
  const char *from = c->save.at;
  size_t n = bw__align_up((size_t)(from - c->frames), 8);
  char *sp = c->sp;
  c->frames = sp - n;
  if (n > room_below_sp(c) || from > c->save.end) return false;
  for (size_t i = 8; i <= n; i += 8) {
    uint64_t word;
    memcpy(&word, from - i, 8);
    memcpy(sp - i, &word, 8);
    __asm__ volatile("" ::: "memory");
  }
  c->save.at = c->save.end = sp;
  return true;
}

BW_NOINLINE bool bw__ctx_resume(bw__ctx *c) {
  char *host_sp = bw__sp_get();
  c->host_sp = host_sp;
  if (c->suspended) asyncify_start_rewind(&c->save);
  bw__ctx_now_set(c);
  bw__sp_bounds(c->lo + RED_ZONE, c->size - RED_ZONE);
  bw__sp_set(c->sp);
  c->entry(c->arg);
  bw__sp_bounds(0, SIZE_MAX); // until the stack pointer has changed stacks
  bw__sp_set(host_sp);
  bw__ctx_now_set(NULL);
  bw__stack_enter_own();
  if (!c->suspended) return false; // the entry returned by itself
  bool fits = settle_frames(c);
  if (BW_UNLIKELY(!fits)) c->save.end = c->save.at; // stop_unwind would trap
  asyncify_stop_unwind();
  if (BW_UNLIKELY(!fits)) overflowed(c, c->sp); // not earlier: no function works while unwinding
  return true;
}

BW_NOINLINE void bw__ctx_suspend(bw__ctx *c) {
  if (c->suspended) { // this call is the replay's last step
    c->suspended = false;
    asyncify_stop_rewind();
    return;
  }
  char *sp = bw__sp_get();
  c->sp = sp;
  if (BW_UNLIKELY(sp < c->lo)) overflowed(c, sp);
  choose_save_area(c);
  c->suspended = true;
  asyncify_start_unwind(&c->save);
}

ptrdiff_t bw__ctx_headroom(const bw__ctx *c) { return c->frames - c->lo; }

// In development builds: all but the longest piece of the block that still has its paint.
size_t bw__ctx_used(const bw__ctx *c) {
  size_t unused = (size_t)bw__ctx_headroom(c);
  if (BW_DEBUG) {
    unused = 0;
    for (size_t i = 0, run = 0; i < c->size; i++) {
      run = (unsigned char)c->lo[i] == paint ? run + 1 : 0;
      if (run > unused) unused = run;
    }
  }
  return c->size - unused;
}
