// The wasm context switch by Binaryen's asyncify, called from C.
//
// asyncify rewrites every function that may be on the stack at a switch. Told to unwind, each of
// them saves its locals into the save area and returns; told to rewind, the entry is called again
// and each function restores its locals and jumps to the call where it was. So a suspended
// goroutine is bytes in linear memory: [lo, save.at) saved frames, and from sp up to the top its
// shadow stack. Any thread with the same module may rewind it; asyncify's own state is two wasm
// globals per instance and idle between switches.
//
//   resume, first time   set sp, call entry
//   suspend              note sp, start_unwind: every frame below resume returns
//   back in resume       stop_unwind, restore the host's sp
//   resume, later        start_rewind, set sp, call entry: frames are replayed down to suspend
//   back in suspend      stop_rewind, return to the goroutine
//
// Overflow. Frames saved beyond the shadow stack's end make asyncify trap ("unreachable"). A shadow
// stack that grew below its block is found at the next switch or at the goroutine's end, by its
// stack pointer or by the canary: late, and not when large frames happened to leave the canary
// alone.
//
// The two functions here that call asyncify's imports are left alone by the pass. They must not be
// inlined into others: Binaryen's inliner is told so at link time (cmake/BurrowTargets.cmake).
// No JavaScript frame may lie between resume and suspend: it cannot be unwound.
#include "port/ctx.h"

#include "port/port.h"

#include <string.h>

#define ASYNCIFY(name) __attribute__((import_module("asyncify"), import_name(name)))
ASYNCIFY("start_unwind") void asyncify_start_unwind(void *save);
ASYNCIFY("stop_unwind") void asyncify_stop_unwind(void);
ASYNCIFY("start_rewind") void asyncify_start_rewind(void *save);
ASYNCIFY("stop_rewind") void asyncify_stop_rewind(void);

void (*bw__ctx_overflowed)(bw__ctx *c, uintptr_t sp);

char *bw__sp_get(void);
void bw__sp_set(char *sp);

// The lowest words of the block. Saved frames begin above them; a shadow stack that grew through
// the whole block has overwritten them.
enum { CANARY_BYTES = 16 };
static const uint64_t canary[2] = {0x6275726f77626c6fu, 0x636b6c6f776f6e65u};

// Room that must be left between saved frames and shadow stack when a goroutine suspends; a
// goroutine that comes so close may have overwritten its own saved frames or its neighbour's
// memory.
enum { RESERVE = 256 };

void bw__ctx_make(bw__ctx *c, void *lo, size_t size, void (*entry)(void *), void *arg) {
  *c = (bw__ctx){.lo = lo, .size = size, .entry = entry, .arg = arg};
  c->sp = c->lo + size;
  memcpy(c->lo, canary, CANARY_BYTES);
}

static _Noreturn void overflowed(bw__ctx *c) {
  if (bw__ctx_overflowed) bw__ctx_overflowed(c, (uintptr_t)bw__sp_get());
  static const char text[] = "fatal error: stack overflow: a goroutine exceeds its stack\n";
  bw__port_write(2, text, sizeof text - 1);
  bw__port_exit(2);
}

static void check_canary(bw__ctx *c) {
  if (memcmp(c->lo, canary, CANARY_BYTES) != 0) overflowed(c);
}

BW_NOINLINE bool bw__ctx_resume(bw__ctx *c) {
  c->host_sp = bw__sp_get();
  if (c->suspended) asyncify_start_rewind(&c->save);
  bw__sp_set(c->sp);
  c->entry(c->arg);
  bw__sp_set(c->host_sp);
  if (!c->suspended) { // the entry returned by itself
    check_canary(c);
    return false;
  }
  asyncify_stop_unwind();
  return true;
}

BW_NOINLINE void bw__ctx_suspend(bw__ctx *c) {
  if (c->suspended) { // this call is the replay's last step
    c->suspended = false;
    asyncify_stop_rewind();
    return;
  }
  c->sp = bw__sp_get();
  c->save.at = c->lo + CANARY_BYTES;
  c->save.end = c->sp;
  if ((char *)c->sp < c->lo + RESERVE) overflowed(c);
  check_canary(c);
  c->suspended = true;
  asyncify_start_unwind(&c->save);
}

void bw__ctx_destroy(bw__ctx *c) { (void)c; }

ptrdiff_t bw__ctx_headroom(const bw__ctx *c) { return (char *)c->sp - c->save.at; }
