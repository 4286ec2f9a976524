// Which thread goes next. Stateless model checking: an execution is a sequence of choices; the next
// one repeats them up to the last that has an alternative left, takes that, and goes on from there.
//
// MODEL_REDUCED explores, of all interleavings that differ only in the order of steps that commute,
// one (partial order reduction: source sets with sleep sets, as Abdulla, Aronsson, Jonsson and
// Sagonas described them, "Optimal dynamic partial order reduction"). In short:
//
//   - `clock` of an event: the last event of each thread that happens before it, by program order,
//     by steps on the same object that do not commute, by release and acquire.
//   - When a thread is about to take a step, each earlier event that it races with (they do not
//     commute, either could have come first, and nothing between orders them) is looked at: before
//     that event somebody has to be tried who leads to the other order (`insert`).
//   - A thread whose step has been explored at a place sleeps there: it need not be tried again
//     until something has happened that does not commute with its step.
//
// What commutes is decided by kind and object, in `commute`. Two things are on the safe side: an
// event's alternatives are also looked for on behalf of threads that never got to their step
// (blocked, or asleep), and where no thread qualifies that could run there, all are tried. The test
// model_reduction compares with MODEL_FULL.
//
// A lock's release, and what makes a parked goroutine runnable, are no steps of their own: they
// commute with whatever others can do just then, so they are taken at once.
#include "model.h"

#include "port/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 1024, TIME = MODEL_THREADS - 1 };

typedef struct {
  bw__ctx ctx;
  const char *name;
  void (*run)(void *);
  void *arg;
  model_op pending;
  bool ended;
  model_clock clock;
} thread;

typedef struct {
  bool data;                                // model_choose; else: which thread
  unsigned chosen;                          // a value, or a thread
  unsigned n;                               // values
  uint32_t enabled, backtrack, done, sleep; // sets of threads
} choice;

typedef struct {
  model_op op;
  int thread;
  int choice; // where it was chosen
  int before; // the event before it on the same object, 0: none
  model_clock clock;
} event;

static struct {
  const model_search *search;
  model_result result;
  // The stack of choices stays from execution to execution.
  choice choices[2 * MODEL_STEPS];
  int length;
  // The execution.
  uint32_t number;
  int at; // the next choice
  thread threads[MODEL_THREADS];
  int count;
  int self, last;
  int preemptions;
  event events[MODEL_STEPS + 1]; // from 1
  int happened;
  uint32_t sleep;
  model_object objects[OBJECTS];
  uint16_t used[OBJECTS / 2]; // their places
  int object_count;
  bool failed;
  char why[512];
} it;

_Alignas(64) char model_stacks[MODEL_THREADS][MODEL_STACK];
_Alignas(64) char model_heap[MODEL_HEAP];

static uint32_t bit(int t) { return (uint32_t)1 << t; }

// ---- objects ------------------------------------------------------------------------------------

model_object *model_object_at(const volatile void *address) {
  size_t i = ((uintptr_t)address >> 2) * 0x9e3779b9u % OBJECTS;
  for (;; i = (i + 1) % OBJECTS) {
    model_object *o = &it.objects[i];
    if (o->execution != it.number) break;
    if (o->address == address) return o;
  }
  if (it.object_count == OBJECTS / 2) {
    fprintf(stderr, "more objects than the checker has room for\n");
    abort();
  }
  it.used[it.object_count++] = (uint16_t)i;
  it.objects[i] = (model_object){.address = address, .execution = it.number, .holder = -1};
  return &it.objects[i];
}

void model_objects_forget(const char *lo, const char *hi) {
  for (int i = 0; i < it.object_count; i++) {
    model_object *o = &it.objects[it.used[i]];
    const char *a = (const char *)(uintptr_t)o->address;
    if (a >= lo && a < hi) memset(o->sync, 0, sizeof o->sync);
  }
}

void model_order_release(const volatile void *address) {
  if (it.self >= 0) model_join(model_object_at(address)->order, it.threads[it.self].clock);
}

// ---- what commutes ------------------------------------------------------------------------------

static bool is_access(model_kind k) { return k == STEP_LOAD || k == STEP_STORE || k == STEP_RMW; }

static bool kinds_commute(model_kind a, model_kind b) {
  if (is_access(a) && is_access(b)) return a == STEP_LOAD && b == STEP_LOAD;
  if (a > b) return kinds_commute(b, a);
  if (is_access(a)) return a == STEP_LOAD || b != STEP_FUTEX_WAIT;
  switch (a) {
  case STEP_LOCK: return b != STEP_LOCK;
  case STEP_TIMER_START:
  case STEP_TIMER_FIRE:
  case STEP_TIMER_END:
  case STEP_TIMER_DROP: return b < STEP_TIMER_START || b > STEP_TIMER_DROP;
  case STEP_FUTEX_WAIT: return b != STEP_FUTEX_WAIT && b != STEP_FUTEX_WAKE;
  case STEP_FUTEX_RETURN: return b != STEP_FUTEX_WAKE;
  case STEP_FUTEX_WAKE: return b != STEP_FUTEX_WAKE;
  case STEP_BEGIN: return b != STEP_MARK;
  default: return true;
  }
}

static bool commute(const model_op *a, const model_op *b) {
  return a->object != b->object || !a->object || kinds_commute(a->kind, b->kind);
}

// Of two that do not commute: whether there may be a moment at which each could be taken.
static bool either_may_come_first(const model_op *a, const model_op *b) {
  if (a->kind == STEP_FUTEX_RETURN) return a->timed;
  if (b->kind == STEP_FUTEX_RETURN) return b->timed;
  if (a->kind == STEP_TIMER_END || b->kind == STEP_TIMER_END) return false;
  if (a->kind == STEP_TIMER_FIRE) return b->kind == STEP_TIMER_DROP;
  if (b->kind == STEP_TIMER_FIRE) return a->kind == STEP_TIMER_DROP;
  return true;
}

// ---- reduction ----------------------------------------------------------------------------------

// Threads that may begin what happened after event e without it, followed by p's step.
static uint32_t initials(int e, int p, const model_op *op) {
  int of = it.events[e].thread, first[MODEL_THREADS];
  uint32_t seen = 0, found = 0;
  model_clock next;
  memcpy(next, it.threads[p].clock, sizeof next);
  for (int k = e + 1; k <= it.happened + 1; k++) {
    bool end = k > it.happened;
    int t = end ? p : it.events[k].thread;
    const uint16_t *clock = end ? next : it.events[k].clock;
    if (!end && clock[of] >= e) continue; // after e
    if (!end && !commute(&it.events[k].op, op)) model_join(next, clock);
    if (seen & bit(t)) continue;
    bool initial = true;
    for (int s = 0; s < MODEL_THREADS; s++)
      if ((seen & bit(s)) && clock[s] >= first[s]) initial = false;
    if (initial) found |= bit(t);
    seen |= bit(t);
    first[t] = k;
  }
  return found;
}

static void insert(int e, int p, const model_op *op) {
  choice *c = &it.choices[it.events[e].choice];
  uint32_t starters = initials(e, p, op);
  if (starters & c->backtrack) return;
  uint32_t able = starters & c->enabled;
  if (!able)
    c->backtrack |= c->enabled;
  else
    c->backtrack |= able & bit(p) ? bit(p) : able & -able;
}

static void find_races(int p, const model_op *op) {
  if (!op->object) return;
  model_clock known;
  memcpy(known, it.threads[p].clock, sizeof known);
  for (int e = model_object_at(op->object)->last; e; e = it.events[e].before) {
    const event *ev = &it.events[e];
    if (ev->thread == p || commute(&ev->op, op) || !either_may_come_first(&ev->op, op)) continue;
    if (e > known[ev->thread]) insert(e, p, op);
    model_join(known, ev->clock);
  }
}

// ---- choosing -----------------------------------------------------------------------------------

static choice *push_choice(void) {
  if (it.length == 2 * MODEL_STEPS) {
    model_fail("more choices than the checker has room for");
    return NULL;
  }
  choice *c = &it.choices[it.length++];
  it.at = it.length;
  *c = (choice){0};
  return c;
}

// The choice that a replay's text has here, or `otherwise`.
static unsigned replayed(unsigned otherwise) {
  const char *text = it.search->replay;
  if (!text || strlen(text) <= (size_t)it.at) return otherwise;
  char c = text[it.at];
  return (unsigned)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

unsigned model_choose(unsigned n) {
  if (n < 2 || it.self < 0) return 0;
  model_log(MODEL_OP(STEP_NOTE, NULL, "chooses"));
  if (it.at == it.length) {
    unsigned value = replayed(0);
    choice *c = push_choice();
    if (!c) return 0;
    c->data = true;
    c->n = n;
    c->chosen = value;
  } else {
    it.at++;
  }
  model_log_value(it.choices[it.at - 1].chosen);
  return it.choices[it.at - 1].chosen;
}

static int lowest(uint32_t set) { return __builtin_ctz(set); }

// The thread to go on; -1: all that could are asleep.
static int choose_thread(uint32_t enabled) {
  if (it.at < it.length) {
    choice *c = &it.choices[it.at++];
    if (c->data || c->enabled != enabled) {
      fprintf(stderr, "the checker is wrong: an execution went another way than before\n");
      abort();
    }
    return (int)c->chosen;
  }
  uint32_t candidates = enabled & ~it.sleep;
  if (!candidates) return -1;
  bool stays = it.last >= 0 && (candidates & bit(it.last));
  bool preempts = it.last >= 0 && (enabled & bit(it.last));
  int p = (int)replayed((unsigned)(stays ? it.last : lowest(candidates)));
  choice *c = push_choice();
  if (!c) return -1;
  c->chosen = (unsigned)p;
  c->enabled = enabled;
  c->sleep = it.sleep;
  switch (it.search->mode) {
  case MODEL_REDUCED: c->backtrack = bit(p); break;
  case MODEL_FULL: c->backtrack = enabled; break;
  case MODEL_BOUNDED:
    c->backtrack = preempts && it.preemptions >= it.search->bound ? bit(p) : enabled;
    break;
  }
  return p;
}

// Makes the last choice that has an alternative take it. False: there is none.
static bool next_execution(void) {
  while (it.length > 0) {
    choice *c = &it.choices[it.length - 1];
    if (c->data) {
      if (++c->chosen < c->n) return true;
    } else {
      c->done |= bit((int)c->chosen);
      uint32_t left = c->backtrack & ~c->done & ~c->sleep;
      if (left) {
        c->chosen = (unsigned)lowest(left);
        return true;
      }
    }
    it.length--;
  }
  return false;
}

// ---- threads ------------------------------------------------------------------------------------

int model_self(void) { return it.self; }

const char *model_thread_name(int t) { return t < 0 ? "-" : it.threads[t].name; }

const model_op *model_pending(int t) {
  return t < it.count && !it.threads[t].ended ? &it.threads[t].pending : NULL;
}

const char *model_stack_low(int t) {
  return t < it.count && !it.threads[t].ended ? it.threads[t].ctx.sp : NULL;
}

bool model_failed(void) { return it.failed; }

void model_fail(const char *format, ...) {
  if (it.failed) return;
  it.failed = true;
  va_list args;
  va_start(args, format);
  vsnprintf(it.why, sizeof it.why, format, args);
  va_end(args);
  if (it.self >= 0) bw__ctx_suspend(&it.threads[it.self].ctx); // for good
}

void model_step(model_op op) {
  if (it.self < 0) return;
  thread *t = &it.threads[it.self];
  t->pending = op;
  bw__ctx_suspend(&t->ctx);
  model_log(op);
}

static void begin(void *arg) {
  thread *t = arg;
  t->run(t->arg);
}

int model_spawn(const char *name, void (*run)(void *), void *arg) {
  if (it.count == TIME) {
    model_fail("more threads than the checker has room for");
    return -1;
  }
  int n = it.count++;
  thread *t = &it.threads[n];
  *t = (thread){.name = name, .run = run, .arg = arg, .pending = {.kind = STEP_START}};
  if (it.self >= 0) memcpy(t->clock, it.threads[it.self].clock, sizeof t->clock);
  race_spawned(it.self, n);
  bw__ctx_make(&t->ctx, model_stacks[n], MODEL_STACK, begin, t, NULL);
  return n;
}

// ---- one execution ------------------------------------------------------------------------------

static uint32_t enabled_threads(void) {
  uint32_t set = 0;
  for (int t = 0; t < it.count; t++) {
    const thread *th = &it.threads[t];
    if (!th->ended && world_enabled(t, &th->pending)) set |= bit(t);
  }
  return set;
}

static void record(int p, const model_op *op) {
  thread *t = &it.threads[p];
  int n = ++it.happened;
  event *ev = &it.events[n];
  ev->op = *op;
  ev->thread = p;
  ev->choice = it.at - 1;
  ev->before = 0;
  if (op->object) {
    model_object *o = model_object_at(op->object);
    if (op->kind == STEP_LOCK || op->kind == STEP_RESUME) model_join(t->clock, o->order);
    for (int e = o->last; e; e = it.events[e].before)
      if (!commute(&it.events[e].op, op)) model_join(t->clock, it.events[e].clock);
    ev->before = o->last;
    o->last = n;
  }
  t->clock[p] = (uint16_t)n;
  memcpy(ev->clock, t->clock, sizeof ev->clock);
}

static void put_to_sleep(int p, const model_op *op) {
  if (it.search->mode != MODEL_REDUCED) return;
  const choice *c = &it.choices[it.at - 1];
  uint32_t set = (c->sleep | c->done) & ~bit(p);
  it.sleep = 0;
  for (int t = 0; t < it.count; t++)
    if ((set & bit(t)) && !it.threads[t].ended && commute(&it.threads[t].pending, op))
      it.sleep |= bit(t);
}

static void take_step(int p, uint32_t enabled) {
  thread *t = &it.threads[p];
  model_op op = t->pending;
  bool fresh = it.at == it.length;
  put_to_sleep(p, &op);
  if (fresh && it.search->mode == MODEL_REDUCED) find_races(p, &op);
  record(p, &op);
  if (it.last >= 0 && it.last != p && (enabled & bit(it.last))) it.preemptions++;
  it.self = it.last = p;
  bool alive = bw__ctx_resume(&t->ctx);
  it.self = -1;
  if (!alive) t->ended = true;
}

// Comes after everything, and everything else comes after it.
static void pass_time(void) {
  model_clock all = {0};
  for (int t = 0; t < it.count; t++) model_join(all, it.threads[t].clock);
  for (int t = 0; t < it.count; t++) memcpy(it.threads[t].clock, all, sizeof all);
  model_log(MODEL_OP(STEP_TIME, NULL, "time passes"));
  it.sleep = 0;
}

static void run_once(void) {
  if (++it.number == 0) it.number = 1; // 0 marks what was never used
  it.at = it.count = it.happened = it.object_count = 0;
  it.self = it.last = -1;
  it.sleep = 0;
  it.preemptions = 0;
  it.failed = false;
  trace_reset();
  race_reset();
  world_reset();
  it.search->setup();
  bool cut = false;
  while (!it.failed) {
    uint32_t enabled = enabled_threads();
    if (!enabled && world_time_passes()) {
      pass_time();
      continue;
    }
    if (!enabled) break;
    if (it.happened == MODEL_STEPS) {
      model_fail("it does not end");
      break;
    }
    int p = choose_thread(enabled);
    cut = p < 0;
    if (cut) break;
    take_step(p, enabled);
  }
  it.result.steps += (uint64_t)it.happened;
  if (it.failed) return;
  if (it.search->mode == MODEL_REDUCED)
    for (int t = 0; t < it.count; t++)
      if (!it.threads[t].ended) find_races(t, &it.threads[t].pending);
  if (cut) {
    it.result.cut++;
    return;
  }
  it.search->finish();
}

model_result model_explore(const model_search *search) {
  it.search = search;
  it.result = (model_result){0};
  it.length = 0;
  do {
    run_once();
    it.result.executions++;
    if (it.failed) {
      it.result.failed = true;
      return it.result;
    }
    if (search->replay || (search->limit && it.result.executions >= search->limit))
      return it.result;
  } while (next_execution());
  it.result.exhausted = true;
  return it.result;
}

// ---- saying it ----------------------------------------------------------------------------------

void model_report(void) {
  if (it.failed) printf("  violation: %s\n", it.why);
  trace_print();
  for (int t = 0; t < it.count; t++)
    if (!it.threads[t].ended) trace_print_pending(t, &it.threads[t].pending);
  printf("  choices: ");
  for (int i = 0; i < it.at; i++)
    printf("%c", "0123456789abcdefghijklmnopqrstuvwxyz"[it.choices[i].chosen]);
  printf("\n");
}
