// Recording an execution trace: the hooks, which are one predicted branch while there is no trace.
// trace.c records, trace_json.c writes what was recorded.
//
// An M records to its own ring, and nobody else does. bw_trace_stop must know that no M is
// recording any more before rings are read or freed:
//
//   M     recording = 1; read bw__tracing: if on, write the event to m->ring; recording = 0
//   stop  bw__tracing = off; wait until each M's recording is 0
//
// The stores and loads of these two words are sequentially consistent: either the M sees that the
// trace is off, or stop sees that the M records. m->ring is read in between, so it is never stale.
// Threads that are no M at the moment (plain ones, those in a blocking call) share one ring under a
// lock.
//
// Arrows. Who makes a goroutine runnable leaves the number of an arrow in g->arrow, and the M that
// runs it next takes it from there: both own the goroutine then, as with g->next.
#ifndef BURROW_SCHED_TRACE_H
#define BURROW_SCHED_TRACE_H

#include "sched/sched.h"

#include <burrow/trace.h>

//                        g, other, arrow, detail, p
typedef enum {
  BW_TRACE_CREATE,     // new one, creator or 0, arrow, -, creator's P
  BW_TRACE_NAME,       // whose, 8 bytes, 8 bytes, which 16 of the name, -
  BW_TRACE_START,      // who runs, -, arrow or 0, -, P
  BW_TRACE_STOP,       // who ran, -, -, bw__trace_end and the reason, P
  BW_TRACE_UNBLOCK,    // who was woken, by whom or 0, arrow, -, waker's P
  BW_TRACE_STEAL,      // one of those stolen, -, -, from which P, thief's P
  BW_TRACE_TIMERS,     // -, when it began, -, -, P: timers were run
  BW_TRACE_PROCS,      // caller or 0, how many Ps there are to be, -, -, -
  BW_TRACE_PROC_START, // -, -, -, -, P that this M has now
  BW_TRACE_PROC_STOP,  // -, -, -, -, P that this M has no more
  BW_TRACE_CALL_BEGIN, // who is in a blocking call, -, -, -, P: it stops, as does the P
  BW_TRACE_CALL_END,   // whose call is over, -, -, -, P
} bw__trace_kind;

typedef enum { BW_END_DONE, BW_END_YIELD, BW_END_PARK } bw__trace_end;
#define BW_TRACE_DETAIL(end, reason) ((uint16_t)((end) | (reason) << 8))

typedef struct {
  int64_t at;
  uint64_t g, other, arrow;
  uint16_t kind, detail;
  int32_t p;
} bw__trace_event;

typedef struct bw__trace_ring {
  struct bw__trace_ring *next; // under sched.lock while a trace runs
  int m;                       // number of its M; -1: all threads that are none
  uint64_t serial;             // different in every ring of the process: r/o
  uint64_t count;              // events written, overwritten ones too: the M's
  uint32_t arrows;             // arrows that began here: the M's
  uint32_t at, cap;            // next event goes here: the M's
  bw__trace_event events[];
} bw__trace_ring;

extern _Atomic(bool) bw__tracing;

void bw__trace_create_slow(bw__m *m, bw__g *g);
void bw__trace_start_slow(bw__m *m, bw__g *g);
void bw__trace_stop_slow(bw__m *m, bw__g *g, bool alive);
void bw__trace_unblock_slow(bw__m *m, bw__g *g);
void bw__trace_slow(bw__m *m, bw__trace_kind kind, bw__g *g, uint64_t other, unsigned detail);

// A hint: who records looks again.
static inline bool bw__trace_on(void) { return BW_UNLIKELY(bw__load_relaxed(&bw__tracing)); }

// m made g, which nobody else knows yet. m: this thread's, or NULL.
static inline void bw__trace_create(bw__m *m, bw__g *g) {
  if (bw__trace_on()) bw__trace_create_slow(m, g);
}
// m is about to run g.
static inline void bw__trace_start(bw__m *m, bw__g *g) {
  if (bw__trace_on()) bw__trace_start_slow(m, g);
}
// g has switched back to m, and is still m's; m->after says why unless it has ended.
static inline void bw__trace_stop(bw__m *m, bw__g *g, bool alive) {
  if (bw__trace_on()) bw__trace_stop_slow(m, g, alive);
}
// m makes g runnable, which is still its own. m: this thread's, or NULL.
static inline void bw__trace_unblock(bw__m *m, bw__g *g) {
  if (bw__trace_on()) bw__trace_unblock_slow(m, g);
}
static inline void bw__trace_steal(bw__m *m, bw__g *g, int victim) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_STEAL, g, 0, (unsigned)victim);
}
static inline void bw__trace_timers(bw__m *m, int64_t began) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_TIMERS, NULL, (uint64_t)began, 0);
}
static inline void bw__trace_procs(bw__m *m, int n) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_PROCS, m ? m->cur : NULL, (uint64_t)n, 0);
}
// m has taken its P, or is about to lose it.
static inline void bw__trace_proc_start(bw__m *m) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_PROC_START, NULL, 0, 0);
}
static inline void bw__trace_proc_stop(bw__m *m) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_PROC_STOP, NULL, 0, 0);
}
// Around a blocking call of m's goroutine; m's P is not m's any more at the end.
static inline void bw__trace_call_begin(bw__m *m) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_CALL_BEGIN, m->cur, 0, 0);
}
static inline void bw__trace_call_end(bw__m *m) {
  if (bw__trace_on()) bw__trace_slow(m, BW_TRACE_CALL_END, m->cur, 0, 0);
}

// Gives a new M a ring if a trace runs. Under sched.lock.
void bw__trace_m_made_locked(bw__m *m);
// A run has ended: writes its trace where BURROW_DEBUG wants it.
void bw__trace_write_wished(void);

// ---- for trace_json.c ---------------------------------------------------------------------------

typedef struct {
  uint64_t id;
  uint64_t name[BW_NAME_WORDS];
} bw__trace_name;

// Names of the goroutines there were at the start, or at the end.
typedef struct bw__trace_names {
  struct bw__trace_names *next;
  size_t count, cap;
  bw__trace_name at[];
} bw__trace_names;

typedef struct {
  bw__trace_ring *rings;
  bw__trace_names *names;
  int64_t began, ended;
  uint64_t lost;         // events of Ms without a ring
  uint64_t first_serial; // of this trace's rings
} bw__trace_record;

// What was recorded, for the caller alone until it gives it back; NULL: there is none, or it is in
// use.
bw__trace_record *bw__trace_borrow(void);
void bw__trace_give_back(void);
// Events of `ring` that were overwritten.
static inline uint64_t bw__trace_overwritten(const bw__trace_ring *ring) {
  return ring->count > ring->cap ? ring->count - ring->cap : 0;
}

#endif
