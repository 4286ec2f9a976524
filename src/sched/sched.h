// The scheduler's data: G, M and P, as in Go.
//
//   G  a goroutine: its context, its stack, and what it is waiting for
//   M  an OS thread that runs goroutines
//   P  the right to run them: the counters, the local list of free Gs. An M runs goroutines only
//      while it holds a P; here each M keeps one P for its whole life.
//
// One global run queue, guarded by sched.lock, feeds all Ms. Everything that could lose a wake-up
// (queue empty, M goes to sleep; M asleep, somebody pushes) happens under that one lock.
//
// States of a G, and who may change them:
//
//   FREE -> RUNNABLE       bw_go, before the G is on the queue
//   RUNNABLE -> RUNNING    the M that took it off the queue
//   RUNNING -> RUNNABLE    its M, after the context is saved (gosched)
//   RUNNING -> WAITING     its M, after the context is saved; then the M unlocks what park named
//   WAITING -> RUNNABLE    whoever takes it off the queue it waits in (ready)
//   RUNNING -> FREE        its M, after the entry has returned
//
// The one rule that makes migration safe: nobody may make a G runnable before its context is
// saved. park(lock) keeps that lock until then, and who readies must have held it.
#ifndef BURROW_SCHED_SCHED_H
#define BURROW_SCHED_SCHED_H

#include "alloc/alloc.h"
#include "base/atomics.h"
#include "base/list.h"
#include "base/text.h"
#include "lock/mutex.h"
#include "lock/note.h"
#include "port/ctx.h"
#include "port/port.h"
#include "sched/park.h"
#include "sched/timers.h"

#include <burrow/debug.h>
#include <burrow/go.h>

typedef enum { BW_G_FREE, BW_G_RUNNABLE, BW_G_RUNNING, BW_G_WAITING } bw__g_state;

enum { BW_NAME_WORDS = 3 }; // a goroutine's name: 24 bytes with the NUL

typedef struct bw__g {
  bw__ctx ctx;
  struct bw__g *next;     // in the run queue or on a free list: under that list's lock
  struct bw__g *all_next; // list of all Gs ever made: under allg's lock, r/o once linked
  void *stack_lo;
  size_t stack_size;
  void (*fn)(void *); // what bw_go was given
  void *arg;
  int last_proc; // P that ran it last, -1: none. Its M only.
  // Read by dumps at any time, hence atomic; written by the creator or by the G's own M.
  _Atomic(uint64_t) id;     // 1 = main
  _Atomic(uint64_t) parent; // id of the creator, 0 = a plain thread
  _Atomic(uint32_t) state;  // bw__g_state
  _Atomic(uint32_t) reason; // bw__reason, valid while WAITING
  _Atomic(uintptr_t) entry; // fn, for dumps
  _Atomic(uint64_t) name[BW_NAME_WORDS];
} bw__g;

typedef struct bw__p {
  _Alignas(BW_CACHE_LINE) int index;
  bw__g *free_gs; // its M only
  int free_count;
  bw__cache *cache; // the allocator's for whoever holds this P; NULL: the thread's own
  bw__timers timers;
  // One writer (the M that holds this P), any reader.
  _Atomic(uint64_t) runs, migrations, spawns, parks, yields, sleeps;
} bw__p;

typedef enum { BW_AFTER_NOTHING, BW_AFTER_YIELD, BW_AFTER_PARK } bw__after;

typedef struct bw__m {
  bw__p *p;
  bw__g *cur;        // the goroutine that runs here, NULL: the M itself
  bw__after after;   // what to do with it once its context is saved
  bw__mutex *unlock; // BW_AFTER_PARK: released then
  bool spinning;     // under sched.lock, or by its own M before it is published
  uint32_t tick;     // scheduling rounds
  bw__list idle;     // in sched.idle while asleep: under sched.lock
  bw__note wake;
  bw__port_thread thread;
} bw__m;

typedef struct {
  _Alignas(BW_CACHE_LINE) bw__mutex lock;
  bw__g *head, *tail;       // run queue: under lock
  _Atomic(uint32_t) queued; // its length: written under lock, read by spinning Ms
  bw__list idle;            // Ms asleep: under lock
  int idle_count;           // under lock
  int spinning_count;       // under lock
  bw__g *free_gs;           // under lock
  _Atomic(bool) stopping;
  _Atomic(int32_t) outside; // plain threads and JavaScript that may still help
  // r/o while running
  int procs;
  size_t stack_size;
  bw__p *ps;
  bw__m *ms;
} bw__sched;

extern bw__sched bw__sched_state;

// ---- current.c: who am I ------------------------------------------------------------------------

// This thread's M, or NULL on a plain thread. Never keep the result across a switch.
bw__m *bw__m_current(void);
void bw__m_set_current(bw__m *m);
// The goroutine that runs on this thread, or NULL.
bw__g *bw__g_current(void);

// ---- g.c: goroutines ----------------------------------------------------------------------------

// A G that is ready to be queued; NULL: no memory. Locks: sched, allg.
bw__g *bw__g_make(const bw_go_options *options, void (*fn)(void *), void *arg);
// Back to the free list, after its entry returned.
void bw__g_recycle(bw__m *m, bw__g *g);
// Frees every G; none may be running. Only at tear-down.
void bw__g_free_all(void);
void bw__g_name(bw__g *g, char out[BW_NAME_WORDS * 8]);
// Calls visit for every G that has not ended.
void bw__g_each(void (*visit)(bw__g *g, void *arg), void *arg);

// ---- worker.c: the loop of an M -----------------------------------------------------------------

// Puts a runnable G at the tail of the run queue and wakes an M if one should come. Never blocks.
void bw__sched_push(bw__g *g);
// Runs goroutines on this thread with P `index` until the runtime stops. Blocks: M.
void bw__m_serve(int index);
// Wakes an idle M so that it looks again (a new earliest timer, a stop).
void bw__sched_kick(void);

// ---- timers_due.c: the timers of all Ps ---------------------------------------------------------

// When the earliest timer of any P is due; BW_NEVER: none. Safe to read at any time.
int64_t bw__sched_next_timer(void);
// Runs what is due. `settle`: also what makes bw__sched_next_timer too early; before going to
// sleep. Locks: timers, and what timers' functions take.
void bw__sched_run_timers(bool settle);

// ---- fatal.c ------------------------------------------------------------------------------------

// "fatal error: MESSAGE", a dump of all goroutines, exit status 2. Allocates nothing.
_Noreturn void bw__fatal(const char *format, ...) BW_PRINTF(1, 2);

// ---- overflow.c ---------------------------------------------------------------------------------

// The words of a stack overflow, then bw__fatal. `sp`: where the stack pointer was, as far as
// known.
_Noreturn void bw__stack_overflow(bw__g *g, uintptr_t sp);
// Has the port tell of overflows. At start-up, once or more.
void bw__stack_overflow_watch(void);

#endif
