// The end: fatal errors and uncaught panics. Nothing here allocates, and the only lock is the short
// one on the list of goroutines.
//
// The first thread to get here speaks; others that fail meanwhile wait for the end of the program.
// The same thread failing again inside the dump ends it at once.
#include "sched/dump.h"

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
  bw__dump_goroutines(false);
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
  if (!g) bw__text_format(&t, "\nthread without a goroutine [running]\n");
  print(&t);
  if (g) bw__dump_goroutine(g, false);
  bw__port_exit(EXIT_STATUS);
}
