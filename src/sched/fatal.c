// The end: fatal errors, uncaught panics, and the dump of all goroutines. Nothing here allocates,
// and the only lock is the short one on the list of goroutines.
//
// The first thread to get here speaks; others that fail meanwhile wait for the end of the program.
// The same thread failing again inside the dump ends it at once.
#include "sched/sched.h"

#include <stdlib.h>

enum { EXIT_STATUS = 2 };

static _Atomic(bool) dying;
static _Thread_local bool dying_here;

static void print(const bw__text *t) { bw__port_write(2, t->data, t->len); }

static BW_NOINLINE void claim_the_end(void) {
  if (bw__swap(&dying, true)) {
    if (dying_here || !bw__port_may_block()) bw__port_exit(EXIT_STATUS);
    for (bw__note never = {0};;) bw__note_sleep(&never, -1);
  }
  dying_here = true;
}

static void describe(bw__text *t, bw__g *g) {
  static const char *const names[] = {"free", "runnable", "running", "waiting", "blocking call"};
  uint32_t state = bw__shared_load(&g->state);
  const char *what = names[state];
  if (state == BW_G_WAITING) what = bw__reason_text((bw__reason)bw__shared_load(&g->reason));
  char name[BW_NAME_WORDS * 8];
  bw__g_name(g, name);
  bw__text_format(t, "\ngoroutine %llu [%s]:\n", (unsigned long long)bw__shared_load(&g->id), what);
  bw__text_format(t, "  %s%sfn %p", name, name[0] ? " " : "", (void *)bw__shared_load(&g->entry));
  uint64_t parent = bw__shared_load(&g->parent);
  if (parent) bw__text_format(t, ", created by goroutine %llu", (unsigned long long)parent);
  bw__text_format(t, "\n");
}

static void dump_one(bw__g *g, void *skip) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  if (g == skip) return;
  describe(&t, g);
  print(&t);
}

void bw_debug_dump(void) {
  char buffer[128];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%d goroutines, %d procs\n", bw_num_goroutine(), bw_procs());
  print(&t);
  bw__g_each(dump_one, NULL);
}

_Noreturn void bw__fatal(const char *format, ...) {
  char buffer[512];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  claim_the_end();
  va_list args;
  va_start(args, format);
  bw__text_format(&t, "fatal error: ");
  bw__text_vformat(&t, format, args);
  bw__text_format(&t, "\n");
  va_end(args);
  print(&t);
  bw__g_each(dump_one, NULL);
  bw__port_exit(EXIT_STATUS);
}

_Noreturn void bw_panic(const char *format, ...) {
  char buffer[512];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  claim_the_end();
  va_list args;
  va_start(args, format);
  bw__text_format(&t, "panic: ");
  bw__text_vformat(&t, format, args);
  bw__text_format(&t, "\n");
  va_end(args);
  bw__g *g = bw__g_current();
  if (g)
    describe(&t, g);
  else
    bw__text_format(&t, "\nthread without a goroutine [running]\n");
  print(&t);
  bw__port_exit(EXIT_STATUS);
}
