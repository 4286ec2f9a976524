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
  bw__ctx_never_suspends(); // nor need any caller think so because of this call
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

// ---- uncaught panics ----------------------------------------------------------------------------

// Has a value's text written, while the goroutine is still one like any other: what writes it may
// do what it likes, but panic.
static void write_value(bw_panicking *p) {
  if (!p->text || p->info.message) return;
  p->printing = true;
  bw_panic_text(&p->info, p->text, BW_PANIC_TEXT);
  p->printing = false;
}

void bw__uncaught_check(const bw_panicking *p, const char *what) {
  while (p && !p->printing) p = p->link;
  if (p) bw__fatal("panic while printing panic value: %s", what);
}

static BW_NOINLINE void print_panic(const bw_panicking *p) {
  char buffer[BW_PANIC_TEXT + 64];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%spanic: %s", p->link && p->link->text ? "\t" : "", p->text);
  if (p->repanicked)
    bw__text_format(&t, " [recovered, repanicked]");
  else if (p->recovered)
    bw__text_format(&t, " [recovered]");
  bw__text_format(&t, "\n");
  print(&t);
}

// The oldest first. As Go prints them: what was recovered and raised again is one line.
static void print_panics(const bw_panicking *p) {
  if (p->link) print_panics(p->link);
  bool again = p->link && p->link->repanicked, is_goexit = !p->text;
  if (!again && !is_goexit) print_panic(p);
}

// The newest first, as in a trace of calls.
static void print_places(const void *panicking) {
  for (const bw_panicking *p = panicking; p; p = p->link) {
    char buffer[512];
    bw__text t = bw__text_on(buffer, sizeof buffer - 1);
    const bw__panic_place *w = &p->where;
    if (w->func)
      bw__text_format(&t, "  panic in %s", w->func);
    else if (w->address)
      bw__text_format(&t, "  panic at %p", w->address);
    else
      continue; // a Goexit, too
    if (w->file) bw__text_format(&t, " at %s:%d", w->file, w->line);
    buffer[t.len] = '\n';
    bw__port_write(2, buffer, t.len + 1);
  }
}

// The newest that a signal told of, if any.
static BW_NOINLINE void print_signal(const bw_panicking *p) {
  char buffer[128];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  while (p && (!p->divided_at || p->recovered)) p = p->link;
  if (!p) return;
  void *at = (void *)p->divided_at;
  bw__text_format(&t, "[signal SIGFPE: floating-point exception code=0x1 addr=%p pc=%p]\n", at, at);
  print(&t);
}

_Noreturn void bw__uncaught(bw_panicking *p) {
  static const char plain[] = "\nthread without a goroutine [running]\n";
  bw__uncaught_check(p->link, p->info.message ? p->text : "a value");
  for (bw_panicking *q = p; q; q = q->link) write_value(q);
  claim_the_end();
  print_panics(p);
  print_signal(p);
  bw__m *m = bw__m_here(); // in a blocking call, too
  if (m && m->cur) {
    bw__dump_goroutine(m->cur, false, print_places, p);
  } else {
    bw__port_write(2, plain, sizeof plain - 1);
    print_places(p);
  }
  bw__port_exit(EXIT_STATUS);
}
