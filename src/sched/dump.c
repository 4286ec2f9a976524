// The dump: every goroutine as text, while they run. Nothing here allocates; a line at a time is
// put together on the stack. What belongs to a goroutine that runs is old news or left out.
//
// Locks: allg.
#include "sched/dump.h"

enum { LINE = 256, MINUTE = 60 };

static struct {
  _Atomic(void (*)(bw__text *t, const void *object)) describe;
  _Atomic(void (*)(void)) held;
} hooks; // always the same functions, once they are there

void bw__dump_hooks(void (*describe)(bw__text *t, const void *object), void (*held)(void)) {
  bw__store_relaxed(&hooks.describe, describe);
  bw__store_relaxed(&hooks.held, held);
}

static void print(bw__text *t) {
  bw__port_write(2, t->data, t->len);
  t->len = 0;
}

// ---- looking at what others write ---------------------------------------------------------------

uint32_t bw__runq_length(bw__p *p) {
  uint32_t head = bw__load(&p->q.head), tail = bw__load(&p->q.tail);
  uint32_t n = tail - head; // the owner and thieves go on meanwhile
  if (n > BW_RING) n = 0;
  return n + (bw__load(&p->q.next) ? 1 : 0);
}

bw__p_view bw__p_look(bw__p *p) {
  static const char *const names[] = {"idle", "held", "blocking"};
  uint32_t status = bw__load_acquire(&p->status);
  bw__p_view v = {.status = names[status], .holder = -1, .queued = bw__runq_length(p)};
  if (status == BW_P_IDLE) return v;
  v.holder = (int)bw__shared_load(&p->holder);
  if (status == BW_P_HELD) v.running = bw__shared_load(&p->running);
  return v;
}

// What only the goroutine's own M writes. The context lies on the stack, where an overflow of
// another may have written.
typedef struct {
  bw__ctx ctx;
  size_t stack_size;
  bool saved; // ctx can be used: it was whole when it was looked at
} privates;

// Word by word and behind the sanitizers' back: whoever looks at a goroutine from outside may see
// words that do not belong together, and checks what it makes of them.
BW_NOT_SANITIZED static privates look_inside(const bw__g *g, uint32_t state) {
  bw__ctx *const ctx = *(bw__ctx *const volatile *)&g->ctx;
  char *lo = bw__stack_lo_of(ctx, g->stack_all), *top = (char *)ctx;
  privates seen = {.stack_size = (size_t)(top - lo)};
  bool saved = state == BW_G_WAITING || state == BW_G_RUNNABLE;
  if (!saved || bw__shared_load(&g->last_proc) < 0) return seen;
  const volatile uintptr_t *from = (const volatile uintptr_t *)ctx;
  for (size_t i = 0; i < sizeof *ctx / sizeof *from; i++) ((uintptr_t *)&seen.ctx)[i] = from[i];
  seen.saved = seen.ctx.lo == lo && seen.ctx.size <= seen.stack_size;
  if (seen.saved) seen.stack_size = seen.ctx.size;
  return seen;
}

// ---- one goroutine ------------------------------------------------------------------------------

static const char *state_text(bw__g *g, uint32_t state) {
  static const char *const names[] = {"free", "runnable", "running", "waiting", "blocking call"};
  if (state > BW_G_BLOCKING) return "overwritten"; // by one that overflowed its stack
  if (state != BW_G_WAITING) return names[state];
  return bw__reason_text((bw__reason)bw__shared_load(&g->reason));
}

static int64_t waited_ns(bw__g *g, uint32_t state) {
  if (state != BW_G_WAITING && state != BW_G_BLOCKING) return -1;
  int64_t ns = bw__port_now() - bw__shared_load(&g->since);
  return ns < 0 ? 0 : ns;
}

static void add_code(bw__text *t, uintptr_t address, uintptr_t describe, bool symbols) {
  char name[LINE / 2];
  bw__text_format(t, "%p", (void *)address);
  if (symbols && bw__port_describe(describe, name, sizeof name)) bw__text_format(t, " %s", name);
}

static void add_stack(bw__text *t, const privates *in) {
  size_t used = in->saved ? bw__ctx_used(&in->ctx) : 0;
  if (used > 0 && used <= in->stack_size)
    bw__text_format(t, "stack %zu of %zu bytes", used, in->stack_size);
  else
    bw__text_format(t, "stack of %zu bytes", in->stack_size);
}

// A P says which goroutine it ran last; the goroutine, where.
static void add_place(bw__text *t, bw__g *g) {
  uint64_t id = bw__shared_load(&g->id);
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) {
    bw__p_view v = bw__p_look(p);
    if (v.running != id || p->index != bw__shared_load(&g->last_proc)) continue;
    bw__text_format(t, ", P %d, M %d", p->index, v.holder);
    return;
  }
}

static void add_object(bw__text *t, bw__g *g, uint32_t state) {
  if (state != BW_G_WAITING) return;
  const char *what = bw__reason_object((bw__reason)bw__shared_load(&g->reason));
  if (!what) return;
  void *object = (void *)bw__shared_load(&g->object);
  bw__text_format(t, "waits for %s %p", what, object);
  void (*describe)(bw__text *, const void *) = bw__load_relaxed(&hooks.describe);
  if (describe) describe(t, object);
  bw__text_format(t, ", ");
}

// As in Go the time stands beside the reason only when it is a minute or more, so that dumps of
// short runs can be compared; the line below has it in any case.
static void print_head(bw__text *t, bw__g *g, uint32_t state, int64_t waited) {
  bw__text_format(t, "\ngoroutine %llu [%s", (unsigned long long)bw__shared_load(&g->id),
                  state_text(g, state));
  int64_t minutes = waited / BW_SECOND / MINUTE;
  if (minutes > 0) bw__text_format(t, ", %lld minutes", (long long)minutes);
  bw__text_format(t, "]:\n");
  print(t);
}

static void print_function(bw__text *t, bw__g *g, bool symbols) {
  char name[BW_NAME_WORDS * 8];
  uintptr_t fn = bw__shared_load(&g->entry);
  bw__g_name(g, name);
  bw__text_format(t, "  %s%sfn ", name, name[0] ? " " : "");
  add_code(t, fn, fn + 1, symbols);
  bw__text_format(t, "\n");
  print(t);
}

static void print_use(bw__text *t, bw__g *g, uint32_t state, int64_t waited) {
  privates in = look_inside(g, state);
  bw__text_format(t, "  ");
  if (waited >= 0) bw__text_format(t, "for %lld ms, ", (long long)(waited / 1000000));
  add_object(t, g, state);
  add_stack(t, &in);
  if (state == BW_G_RUNNING) add_place(t, g);
  if (bw__g_has(g, BW_G_PINNED)) bw__text_format(t, ", locked to its thread");
  bw__text_format(t, "\n");
  print(t);
}

static void print_origin(bw__text *t, bw__g *g, bool symbols) {
  uint64_t parent = bw__shared_load(&g->parent);
  uintptr_t made = bw__shared_load(&g->made);
  if (!parent && !made) return;
  bw__text_format(t, "  created by ");
  if (parent)
    bw__text_format(t, "goroutine %llu", (unsigned long long)parent);
  else
    bw__text_format(t, "a plain thread");
  if (made) {
    bw__text_format(t, " at ");
    add_code(t, made, made, symbols);
  }
  bw__text_format(t, "\n");
  print(t);
}

void bw__dump_goroutine(bw__g *g, bool symbols, void (*more)(const void *arg), const void *arg) {
  char buffer[LINE];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  uint32_t state = bw__shared_load(&g->state);
  int64_t waited = waited_ns(g, state);
  print_head(&t, g, state, waited);
  if (more) more(arg);
  print_function(&t, g, symbols);
  print_use(&t, g, state, waited);
  print_origin(&t, g, symbols);
}

// ---- everything ---------------------------------------------------------------------------------

static void visit(bw__g *g, void *symbols) { bw__dump_goroutine(g, symbols != NULL, NULL, NULL); }

void bw__dump_goroutines(bool symbols) {
  static const char busy[] = "\n(the list of goroutines is in use)\n";
  if (!bw__g_each(visit, symbols ? &symbols : NULL)) bw__port_write(2, busy, sizeof busy - 1);
  void (*held)(void) = bw__load_relaxed(&hooks.held);
  if (held) held();
}

static void print_summary(bw__text *t) {
  bw_sched_stats s = bw_sched_stats_read();
  bw__text_format(t,
                  "%d goroutines, %d procs (%d idle), %d threads (%d idle, %d spinning), "
                  "global queue %u\n",
                  s.goroutines, s.procs, s.idle_procs, s.threads, s.idle_threads,
                  s.spinning_threads, s.global_queue);
  print(t);
}

static void print_proc(bw__text *t, bw__p *p) {
  bw__p_view v = bw__p_look(p);
  bw__text_format(t, "P %d: %s", p->index, v.status);
  if (v.holder >= 0) bw__text_format(t, ", M %d", v.holder);
  if (v.running) bw__text_format(t, ", goroutine %llu", (unsigned long long)v.running);
  bw__text_format(t, ", queue %u\n", v.queued);
  print(t);
}

void bw_debug_dump(void) {
  char buffer[LINE];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  print_summary(&t);
  for (int i = 0, n = bw_procs(); i < n; i++) {
    bw__p *p = bw__load_acquire(&bw__sched_state.ps[i]); // pairs with its making
    if (p) print_proc(&t, p);
  }
  bw__dump_goroutines(true);
}
