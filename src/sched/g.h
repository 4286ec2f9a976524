// G, a goroutine: its record.
//
// Records and stacks live apart. Records lie dense, in chunks (records.c); each that is not bare
// owns exactly one stack, whether its goroutine is alive or not. At the top of the stack is the
// context (port/ctx.h), below it the copy of the argument if one was asked for, below that what the
// goroutine's functions use:
//
//     lo [ guard elsewhere ... <- frames | argument copy | bw__ctx | colour ] top
//
// A goroutine that has been started but has not run yet has touched its record's first line and
// nothing else. What its context will be is written when it runs for the first time
// (bw__g_begin), and only then is it settled which stack it runs on.
#ifndef BURROW_SCHED_G_H
#define BURROW_SCHED_G_H

#include "base/list.h"
#include "base/shared.h"
#include "port/ctx.h"
#include "sched/unwind.h"

// States: see sched.h.
typedef enum { BW_G_FREE, BW_G_RUNNABLE, BW_G_RUNNING, BW_G_WAITING, BW_G_BLOCKING } bw__g_state;

enum { BW_NAME_WORDS = 3 }; // a goroutine's name: 24 bytes with the NUL

// Marks.
enum {
  BW_G_NAMED = 1,     // name is valid
  BW_G_USUAL = 2,     // its stack has the runtime's default size: the record keeps it
  BW_G_UNTOUCHED = 4, // nothing has run on its stack since the system gave it
  BW_G_COPY = 8,      // the argument is a copy on its stack, which it must therefore keep
  BW_G_PINNED = 16,   // locked to a thread
};

struct bw__m;

// The first line is all that a start writes and, with the context, all that a switch reads.
typedef struct bw__g {
  _Alignas(BW_CACHE_LINE) struct bw__g *next; // in a queue or on a free list: whoever owns that
  bw__ctx *ctx; // at the top of its stack; NULL: a bare record. Changes hands in bw__g_begin
  // Shared: read by dumps at any time; written by the creator, by the G's own M or by who readies
  // it.
  BW_SHARED(uint8_t) state;     // bw__g_state
  BW_SHARED(uint8_t) marks;     // by the creator, then by itself
  BW_SHARED(int32_t) last_proc; // index of the P that ran it last, -1: it has not run yet
  BW_SHARED(uint64_t) id;       // 1 = main
  BW_SHARED(uintptr_t) entry;   // the function that bw_go was given
  void *arg;                    // and its argument
  BW_SHARED(uint64_t) parent;   // id of the creator, 0 = a plain thread
  BW_SHARED(uintptr_t) made;    // address behind the call of bw_go; 0: unknown
  // From here on: what lies still while goroutines are started, switched and ended.
  BW_SHARED(uint32_t) reason; // bw__reason, valid while WAITING
  BW_SHARED(uintptr_t)
  object;                    // address that it waits at, valid while `reason` is one with an object
  int pins;                  // calls of bw_lock_os_thread without their unlock: its own
  BW_SHARED(int64_t) since;  // sched.coarse_now when it began to wait
  struct bw__waiter *waiter; // of its last wait, valid while WAITING: its own
  struct bw__waiter
      *choosing; // of a wait in several queues until it has left them, else NULL: its own
  struct bw__entering *entering; // see park.h; NULL: none: its own
  bw__unwind unwind;             // empty before the start and at the end: its own
  struct bw__m *pinned; // the M it is locked to, NULL unless PINNED: changed by itself only
  size_t stack_all;     // bytes of its stack, what bw__stack_alloc gave; r/o
  BW_SHARED(uint64_t) name[BW_NAME_WORDS];
  uint64_t arrow; // see trace.h: whoever owns the goroutine
#if BW_TSAN
  void *fiber; // see port/ctx.h: from its start to its end
#endif
  bw__list batch; // of the first G of a batch in the global queue: under sched.lock
  int batch_size; // and how many the batch has: likewise
} bw__g;

static inline bool bw__g_has(const bw__g *g, unsigned marks) {
  return (bw__shared_load(&g->marks) & marks) != 0;
}
static inline void bw__g_mark(bw__g *g, unsigned marks, bool on) {
  unsigned old = bw__shared_load(&g->marks);
  bw__shared_store(&g->marks, (uint8_t)(on ? old | marks : old & ~marks));
}

// The lowest address of the stack of `size` bytes that has its context there.
static inline char *bw__stack_lo_of(const bw__ctx *ctx, size_t size) {
  enum { PAGE = 4096 }; // stacks end where a page does, and the context is in their last
  return (char *)bw__align_up((uintptr_t)(ctx + 1), PAGE) - size;
}
static inline char *bw__g_stack_lo(const bw__g *g) { return bw__stack_lo_of(g->ctx, g->stack_all); }

#endif
