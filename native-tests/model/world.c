// What lies below channels, as far as they can see it: locks, the futex, parking, timers, memory,
// the clock. Each promises what the real one's header promises, and nothing more.
//
// Parking is sched/park.c itself. What it leaves to the M of a parked goroutine (to release a lock,
// to commit) an M of its own does here, beside everything else: the goroutine may go on, on another
// M, before that has come to its end.
#include "world.h"

#include "sched/sched.h"
#include "sched/switch.h"

#include <burrow/alloc.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 12, ALIGN = 64 };

typedef struct {
  bw__g g;
  bw__m m;
  bw__p p;
  int of;         // the program's thread that this one works for
  bool goroutine; // of the program
  bool will_park; // has made a waiter, and still holds the locks
  bool parked;
  bool readied;
  bool timed_out;
  int timeouts; // left
  unsigned ways;
  // An M that finishes a park.
  bw__after after;
  bw__mutex *unlock;
  void (*commit)(void *);
  void *commit_arg;
  // A flight.
  bw__timer *timer;
  bool dropped, flying;
  // Asleep on a futex.
  const volatile void *word;
  bool woken, timed;
  unsigned turn;
  // Of world_await.
  const char *looks_at;
  size_t looks_size; // 0: it has not looked yet
  char seen[WORLD_AWAIT_MOST];
} world_thread;

typedef struct {
  size_t at, size;
  bool freed;
} block;

static struct {
  world_thread threads[MODEL_THREADS];
  unsigned turns;
  block blocks[BLOCKS];
  int block_count;
  size_t top;
  // Of world_save.
  char heap[MODEL_HEAP];
  char stacks[MODEL_THREADS][MODEL_STACK];
  block saved_blocks[BLOCKS];
} it;

world_rules world_is = {.timeouts = 1000};
bw__sched bw__sched_state;

static world_thread *self(void) { return &it.threads[model_self()]; }

void world_reset(void) {
  memset(it.threads, 0, sizeof it.threads);
  it.block_count = 0;
  it.top = 0;
}

int world_start(const char *name, bool goroutine, void (*run)(void *), void *arg) {
  int t = model_spawn(name, run, arg);
  world_thread *w = &it.threads[t];
  w->of = t;
  w->goroutine = goroutine;
  w->timeouts = world_is.timeouts;
  w->g.ctx->thread = t;
  if (goroutine) w->m.cur = &w->g;
  w->m.p = &w->p;
  return t;
}

void world_operation(unsigned ways) {
  self()->ways = ways;
  self()->timed_out = false;
  self()->looks_size = 0;
}

static bool in_model(const volatile void *p) {
  const char *a = (const char *)(uintptr_t)p;
  return model_in_stacks(a) || (model_in_heap(a));
}

// ---- atomics ------------------------------------------------------------------------------------
//
// What lies outside of the model's stacks and heap is the world's own, and no step.

void model_atomic(model_kind kind, const volatile void *p, const char *text, const char *func,
                  int line) {
  if (!in_model(p)) return;
  model_op op = {.kind = kind, .object = p, .text = text, .func = func, .line = line};
  model_step(op);
  race_atomic(p);
}

void model_loaded(const volatile void *p, int order, uint64_t value) {
  if (!in_model(p) || model_self() < 0) return;
  model_log_value(value);
  if (order & MODEL_ACQUIRE) race_acquire(p);
  if (world_is.watch) world_is.watch(STEP_LOAD, p, value);
}

void model_stored(const volatile void *p, int order, uint64_t value) {
  if (!in_model(p) || model_self() < 0) return;
  model_log_value(value);
  if (order & MODEL_RELEASE)
    race_release(p, false);
  else
    race_relaxed_store(p);
  if (world_is.watch) world_is.watch(STEP_STORE, p, value);
}

void model_changed(const volatile void *p, int order, bool done, uint64_t before, uint64_t after) {
  if (!in_model(p) || model_self() < 0) return;
  model_log_value(done ? after : before);
  if (world_is.watch) world_is.watch(STEP_RMW, p, after);
  if ((order & MODEL_ACQUIRE) && (done || order == MODEL_BOTH)) race_acquire(p);
  if (done && (order & MODEL_RELEASE)) race_release(p, true);
}

// ---- locks --------------------------------------------------------------------------------------

void world_lock(bw__mutex *mu, const char *func, int line) {
  model_op op = {.kind = STEP_LOCK, .object = mu, .func = func, .line = line};
  if (model_self() < 0) return;
  model_step(op);
  race_atomic(mu);
  model_object_at(mu)->holder = model_self();
  race_acquire(mu);
}

void world_unlock(bw__mutex *mu, const char *func, int line) {
  if (model_self() < 0) return;
  world_thread *of = &it.threads[self()->of];
  if (of->will_park) {
    of->will_park = false;
    of->parked = true;
    if (!world_is.quiet) program_parked(self()->of);
  }
  model_op op = {.kind = STEP_NOTE, .object = mu, .text = "unlock", .func = func, .line = line};
  model_log(op);
  race_atomic(mu);
  model_object *o = model_object_at(mu);
  if (o->holder < 0) model_fail("a lock that is free is unlocked");
  o->holder = -1;
  model_order_release(mu);
  race_release(mu, false);
}

// ---- the futex ----------------------------------------------------------------------------------

void bw__port_futex_wait(_Atomic(uint32_t) *word, uint32_t expected, int64_t timeout_ns) {
  model_step(MODEL_OP(STEP_FUTEX_WAIT, word, NULL));
  race_atomic(word);
  uint32_t value = atomic_load_explicit(word, memory_order_relaxed);
  model_log_value(value);
  if (value != expected) return;
  world_thread *t = self();
  t->word = word;
  t->woken = false;
  t->turn = ++it.turns;
  t->timed = timeout_ns >= 0;
  model_op op = MODEL_OP(STEP_FUTEX_RETURN, word, NULL);
  op.timed = t->timed && t->timeouts > 0;
  model_step(op);
  if (!t->woken) {
    t->timeouts--;
    t->timed_out = true;
    model_log(MODEL_OP(STEP_NOTE, NULL, "by its timeout"));
  }
  t->word = NULL;
}

// Any sleeper may be the one.
void bw__port_futex_wake(_Atomic(uint32_t) *word, uint32_t n) {
  model_step(MODEL_OP(STEP_FUTEX_WAKE, word, NULL));
  for (; n > 0; n--) {
    world_thread *sleepers[MODEL_THREADS];
    unsigned count = 0;
    for (int t = 0; t < MODEL_THREADS; t++)
      if (it.threads[t].word == word && !it.threads[t].woken) sleepers[count++] = &it.threads[t];
    if (count == 0) return;
    sleepers[model_choose(count)]->woken = true;
  }
}

bool world_time_passes(void) {
  bool any = false;
  for (int t = 0; t < MODEL_THREADS; t++) any |= it.threads[t].word && !it.threads[t].woken;
  if (!any || !world_is.may_time_pass || !world_is.may_time_pass()) return false;
  for (int t = 0; t < MODEL_THREADS; t++) {
    world_thread *w = &it.threads[t];
    if (w->word && w->timed) w->woken = true;
  }
  return !model_failed();
}

bool bw__port_may_block(void) { return true; }

void world_await(const void *p, size_t size) {
  world_thread *t = self();
  t->looks_at = p;
  model_step(MODEL_OP(STEP_AWAIT, p, NULL));
  t->looks_size = size;
  memcpy(t->seen, p, size);
}

void bw__port_thread_yield(void) {}
int bw__port_cpu_count(void) { return 2; }
const bw__port_caps bw__port_capabilities = {.threads = true};

// ---- parking ------------------------------------------------------------------------------------

// Called while a waiter is made.
bw__m *bw__m_current(void) {
  self()->will_park = true;
  return &self()->m;
}

bw__g *bw__g_current(void) { return self()->goroutine ? &self()->g : NULL; }

static void goes_on(world_thread *t) {
  model_step(MODEL_OP(STEP_RESUME, &t->readied, NULL));
  race_acquire(&t->readied);
  t->readied = t->parked = false;
}

static void settle(void *arg) {
  (void)arg;
  world_thread *m = self();
  if (m->after == BW_AFTER_PARK_COMMIT)
    m->commit(m->commit_arg);
  else if (m->unlock)
    bw__mutex_unlock(m->unlock);
}

void world_suspend(world_ctx *ctx) {
  static const char *const names[] = {"M of A", "M of B", "M of C", "M of D"};
  world_thread *t = &it.threads[ctx->thread];
  int n = model_spawn(names[ctx->thread % 4], settle, NULL);
  if (n < 0) return;
  world_thread *m = &it.threads[n];
  m->of = ctx->thread;
  m->after = t->m.after;
  m->unlock = t->m.unlock;
  m->commit = t->m.commit;
  m->commit_arg = t->m.commit_arg;
  goes_on(t);
}

bw__g *bw__choose_directly(bw__m *m) { return world_is.direct ? m->cur : NULL; }

void bw__go_directly(bw__m *m, bw__g *from, bw__g *to) {
  (void)m;
  (void)to;
  goes_on(&it.threads[from->ctx->thread]);
}

void bw__sched_ready(bw__g *g, bool next) {
  (void)next;
  world_thread *t = &it.threads[g->ctx->thread];
  model_log(MODEL_OP(STEP_NOTE, NULL, "readies"));
  if (t->readied) model_fail("%s is readied twice", model_thread_name(g->ctx->thread));
  if (!t->parked && !t->will_park)
    model_fail("%s is readied and does not wait", model_thread_name(g->ctx->thread));
  t->readied = true;
  model_order_release(&t->readied);
  race_release(&t->readied, false);
}

bw__waiter *world_parked(int t) {
  const model_op *op = model_pending(t);
  return op && op->kind == STEP_RESUME && !it.threads[t].readied ? it.threads[t].g.waiter : NULL;
}

// ---- timers -------------------------------------------------------------------------------------

void bw__timer_init(bw__timer *t, void (*fn)(bw__timer *t, int64_t now)) {
  race_touch(t, sizeof *t, true);
  t->fn = fn;
}

static void fly(void *arg) {
  (void)arg;
  world_thread *flight = self();
  model_step(MODEL_OP(STEP_TIMER_FIRE, flight->timer, NULL));
  flight->flying = true;
  race_touch(flight->timer, sizeof *flight->timer, false);
  flight->timer->fn(flight->timer, WORLD_DEADLINE);
  model_step(MODEL_OP(STEP_TIMER_END, flight->timer, NULL));
  race_touch(flight->timer, sizeof *flight->timer, true);
  race_release(flight->timer, true);
  flight->flying = false;
}

bool bw__timer_start(bw__timer *t, int64_t when, int64_t period) {
  (void)when;
  (void)period;
  model_step(MODEL_OP(STEP_TIMER_START, t, NULL));
  race_touch(t, sizeof *t, true);
  static const char *const names[] = {"timer of A", "timer of B", "timer of C", "timer of D"};
  int of = self()->of;
  int n = model_spawn(names[of % 4], fly, NULL);
  if (n < 0) return false;
  it.threads[n].of = of;
  it.threads[n].timer = t;
  race_release(t, true);
  return false;
}

bool bw__timer_drop(bw__timer *t) {
  model_step(MODEL_OP(STEP_TIMER_DROP, t, NULL));
  race_acquire(t);
  race_touch(t, sizeof *t, true);
  bool pending = false;
  for (int i = 0; i < MODEL_THREADS; i++) {
    world_thread *w = &it.threads[i];
    if (w->timer != t || w->dropped) continue;
    const model_op *op = model_pending(i);
    if (op && op->kind != STEP_TIMER_END) pending = true;
    w->dropped = true;
  }
  return pending;
}

static bool in_flight(const volatile void *timer) {
  for (int i = 0; i < MODEL_THREADS; i++)
    if (it.threads[i].timer == timer && it.threads[i].flying) return true;
  return false;
}

// ---- what can go on -----------------------------------------------------------------------------

bool world_enabled(int t, const model_op *op) {
  const world_thread *w = &it.threads[t];
  switch (op->kind) {
  case STEP_LOCK: return model_object_at(op->object)->holder < 0;
  case STEP_RESUME: return w->readied;
  case STEP_TIMER_FIRE: return !w->dropped;
  case STEP_TIMER_DROP: return !in_flight(op->object);
  case STEP_FUTEX_RETURN: return w->woken || op->timed;
  case STEP_AWAIT: return memcmp(w->seen, w->looks_at, w->looks_size) != 0 || !w->looks_size;
  default: return true;
  }
}

bool world_at_rest(void) {
  for (int t = 0; t < MODEL_THREADS; t++) {
    const model_op *op = model_pending(t);
    const world_thread *w = &it.threads[t];
    if (!op || op->kind == STEP_RESUME || (op->kind == STEP_FUTEX_RETURN && !w->woken)) continue;
    if (op->kind == STEP_TIMER_FIRE && w->dropped) continue;
    model_fail("%s waits for ever for a lock or a flight", model_thread_name(t));
    return false;
  }
  for (int b = 0; b < it.block_count; b++)
    if (!it.blocks[b].freed && model_object_at(model_heap + it.blocks[b].at)->holder >= 0) {
      model_fail("a lock is held at the end");
      return false;
    }
  return true;
}

// ---- memory -------------------------------------------------------------------------------------

void *bw_malloc(size_t size) {
  size_t all = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  if (it.block_count == BLOCKS || it.top + all > MODEL_HEAP) return NULL;
  it.blocks[it.block_count++] = (block){.at = it.top, .size = size};
  it.top += all;
  return model_heap + it.top - all;
}

void bw_free(void *p) {
  size_t at = (size_t)((char *)p - model_heap);
  for (int b = 0; b < it.block_count; b++) {
    if (it.blocks[b].at != at) continue;
    if (it.blocks[b].freed) model_fail("freed twice");
    race_touch(p, it.blocks[b].size, true);
    it.blocks[b].freed = true;
    return;
  }
  model_fail("freed what was never allocated");
}

bool world_heap_valid(const volatile void *address) {
  size_t at = (size_t)((const char *)(uintptr_t)address - model_heap);
  for (int b = 0; b < it.block_count; b++)
    if (at - it.blocks[b].at < it.blocks[b].size) return !it.blocks[b].freed;
  return false;
}

bool world_all_freed(void) {
  for (int b = 0; b < it.block_count; b++)
    if (!it.blocks[b].freed) return false;
  return true;
}

static void copy_state(bool save) {
  memcpy(save ? it.heap : model_heap, save ? model_heap : it.heap, it.top);
  memcpy(save ? it.saved_blocks : it.blocks, save ? it.blocks : it.saved_blocks, sizeof it.blocks);
  for (int t = 0; t < MODEL_THREADS; t++) {
    const char *low = model_stack_low(t);
    if (!low) continue;
    size_t at = (size_t)(low - model_stacks[t]), size = MODEL_STACK - at;
    memcpy((save ? it.stacks : model_stacks)[t] + at, (save ? model_stacks : it.stacks)[t] + at,
           size);
  }
}

void world_save(void) { copy_state(true); }
void world_restore(void) { copy_state(false); }

// ---- the rest -----------------------------------------------------------------------------------

int64_t bw__port_now(void) { return self()->timed_out ? WORLD_DEADLINE : 0; }

void bw_sleep(int64_t ns) { (void)ns; }

// Each value makes another permutation of two or three cases (select.c, shuffle).
uint64_t bw__random(void) {
  unsigned way = model_choose(self()->ways);
  static const uint64_t second[] = {0xffff, 0}, third[] = {0xffff, 0, 0x6000};
  return second[way % 2] << 16 | third[way / 2] << 32;
}

_Noreturn void bw__panic_in(const char *func, const char *format, ...) {
  (void)func;
  model_log(MODEL_OP(STEP_NOTE, NULL, format));
  program_panic();
}

_Noreturn void bw__fatal(const char *format, ...) {
  model_log(MODEL_OP(STEP_NOTE, NULL, format));
  model_fail("fatal error: %s", format);
  abort();
}

void bw_gosched(void) {}

_Noreturn void bw__panic_runtime_in(const char *func, const char *format, ...) {
  (void)func;
  model_log(MODEL_OP(STEP_NOTE, NULL, format));
  program_panic();
}

// No channel here is a timer's.
bool bw__timer_chan_overdue(bw_chan *c) {
  (void)c;
  return false;
}

#if BW_DEBUG
void bw__rank_push(bw__rank r) { (void)r; }
void bw__rank_pop(bw__rank r) { (void)r; }
#endif

// What port/posix/ctx.c asks in development builds.
size_t bw__port_stack_resident(const void *lo, size_t n) {
  (void)lo;
  (void)n;
  return 0;
}
