// Stands in for src/sched/sched.h: as much of G, M and P as sched/park.c and the channels touch.
#ifndef BURROW_SCHED_SCHED_H
#define BURROW_SCHED_SCHED_H

#include "base/list.h"
#include "base/shared.h"
#include "lock/mutex.h"
#include "lock/note.h"
#include "port/port.h"
#include "sched/park.h"
#include "sched/timers.h"

#include <burrow/chan.h>
#include <burrow/go.h>

typedef enum { BW_G_FREE, BW_G_RUNNABLE, BW_G_RUNNING, BW_G_WAITING, BW_G_BLOCKING } bw__g_state;
typedef enum { BW_AFTER_NOTHING, BW_AFTER_PARK, BW_AFTER_PARK_COMMIT } bw__after;

typedef struct {
  int thread;
} world_ctx;

typedef struct bw__g {
  struct bw__g *next;
  world_ctx ctx[1]; // a pointer, as the scheduler has it
  BW_SHARED(uint32_t) state, reason;
  BW_SHARED(int64_t) since;
  BW_SHARED(uintptr_t) object;
  struct bw__waiter *waiter, *choosing;
  struct bw__entering *entering;
} bw__g;

typedef struct {
  bw__tally parks;
} bw__p;

typedef struct {
  bw__p *p;
  bw__g *cur;
  bw__after after;
  bw__mutex *unlock;
  void (*commit)(void *arg);
  void *commit_arg;
} bw__m;

typedef struct {
  _Atomic(int64_t) coarse_now;
  _Atomic(int32_t) procs, idle_count, spinning;
} bw__sched;

extern bw__sched bw__sched_state;

bw__m *bw__m_current(void);
bw__g *bw__g_current(void);
uint64_t bw__random(void);
_Noreturn void bw__panic_in(const char *func, const char *format, ...) BW_PRINTF(2, 3);
_Noreturn void bw__panic_runtime_in(const char *func, const char *format, ...) BW_PRINTF(2, 3);
bool bw__timer_chan_overdue(bw_chan *c);
_Noreturn void bw__fatal(const char *format, ...) BW_PRINTF(1, 2);
void bw__sched_ready(bw__g *g, bool next);
// Parks: an M does the rest (worker.c, settle). Returns when the goroutine was readied and chosen.
void world_suspend(world_ctx *ctx);
#define bw__ctx_suspend(c) world_suspend(c)

#endif
