// Reads BURROW_DEBUG. The names are described in burrow/debug.h.
#include "sched/env.h"

#include "sched/schedtrace.h"
#include "sched/trace.h"

#include <string.h>

enum { MS_MOST = 1000 * 1000 * 1000 };

bw__env_wishes bw__env;

// Read by the inline forms of burrow/mutex.h; the rest of it is in sync/.
int bw__locks_watched;

typedef struct {
  const char *at;
  size_t len;
} piece;

static _Atomic(bool) complained;

static void complain(piece what, const char *text) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer - 1);
  bw__text_format(&t, "burrow: BURROW_DEBUG: %s \"", text);
  bw__text_bytes(&t, what.at, what.len < 100 ? what.len : 100);
  bw__text_format(&t, "\"\n");
  bw__port_write(2, t.data, t.len);
}

static bool is(piece p, const char *word) {
  return p.len == strlen(word) && memcmp(p.at, word, p.len) == 0;
}

// 0 for what is no number.
static int64_t number(piece p) {
  int64_t n = 0;
  for (size_t i = 0; i < p.len; i++) {
    if (p.at[i] < '0' || p.at[i] > '9') return 0;
    if (n < MS_MOST) n = n * 10 + (p.at[i] - '0');
  }
  return n < MS_MOST ? n : MS_MOST;
}

static void set_path(piece value) {
  if (value.len >= sizeof bw__env.trace) return;
  memcpy(bw__env.trace, value.at, value.len);
  bw__env.trace[value.len] = 0;
}

// NULL, or what is wrong.
static const char *set(piece name, piece value) {
  int64_t n = number(value);
  bool digits = value.len > 0 && (n > 0 || is(value, "0"));
  if (is(name, "trace")) {
    set_path(value);
    return bw__env.trace[0] ? NULL : "a path is wanted in";
  }
  if (is(name, "schedtrace"))
    bw__env.schedtrace = n * 1000000;
  else if (is(name, "scheddetail"))
    bw__env.scheddetail = n > 0;
  else if (is(name, "overstay"))
    bw__env.overstay = n * 1000000;
  else if (is(name, "locks"))
    __atomic_store_n(&bw__locks_watched, n > 0, __ATOMIC_RELAXED);
  else
    return "unknown name in";
  return digits ? NULL : "a number is wanted in";
}

static piece cut(const char *from, const char *end, char at) {
  const char *mark = memchr(from, at, (size_t)(end - from));
  return (piece){from, (size_t)((mark ? mark : end) - from)};
}

static void read_all(const char *text) {
  bool quiet = bw__swap(&complained, true);
  const char *end = text + strlen(text);
  for (const char *at = text; at < end; at++) {
    piece all = cut(at, end, ','), name = cut(at, at + all.len, '=');
    size_t past = name.len < all.len ? name.len + 1 : name.len;
    const char *wrong = all.len ? set(name, (piece){at + past, all.len - past}) : NULL;
    if (wrong && !quiet) complain(all, wrong);
    at += all.len;
  }
}

void bw__env_read(void) {
  const char *text = bw__port_env("BURROW_DEBUG");
  bw__env = (bw__env_wishes){0};
  if (text) read_all(text);
  bw__env.monitor = bw__env.schedtrace > 0 || bw__env.overstay > 0;
  bw__schedtrace_begin();
  if (bw__env.trace[0]) bw_trace_start(0);
}
