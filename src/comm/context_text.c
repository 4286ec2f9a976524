// How a context was made, as text. It is written from its end, so that going up once is enough.
#include "base/text.h"
#include "comm/context.h"
#include "port/port.h"

#include <burrow/go.h>

enum { PART = 160 }; // bytes of one context's text

// Go's Duration: 1h2m0.5s, 1.5s, 300ms, 20µs, 7ns, 0s.
static void write_fraction(bw__text *t, uint64_t v, uint64_t unit) {
  bw__text_unsigned(t, v / unit, 10);
  if (v % unit == 0) return;
  bw__text_bytes(t, ".", 1);
  for (uint64_t rest = v % unit; rest > 0; rest = rest * 10 % unit)
    bw__text_unsigned(t, rest * 10 / unit, 10);
}

static void write_duration(bw__text *t, int64_t ns) {
  uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
  if (ns < 0) bw__text_bytes(t, "-", 1);
  if (v == 0) {
    bw__text_format(t, "0s");
  } else if (v < 1000) {
    bw__text_format(t, "%lluns", (unsigned long long)v);
  } else if (v < 1000000) {
    write_fraction(t, v, 1000);
    bw__text_format(t, "µs");
  } else if (v < (uint64_t)BW_SECOND) {
    write_fraction(t, v, 1000000);
    bw__text_format(t, "ms");
  } else {
    uint64_t minute = 60 * (uint64_t)BW_SECOND, hour = 60 * minute;
    if (v >= hour) bw__text_format(t, "%lluh", (unsigned long long)(v / hour));
    if (v >= minute) bw__text_format(t, "%llum", (unsigned long long)(v % hour / minute));
    write_fraction(t, v % minute, (uint64_t)BW_SECOND);
    bw__text_bytes(t, "s", 1);
  }
}

static void write_part(bw__text *t, const bw_context *ctx, int64_t now) {
  const bw__context_value *v = (const bw__context_value *)ctx;
  switch (ctx->kind) {
  case BW_CONTEXT_BACKGROUND: bw__text_format(t, "context.Background"); break;
  case BW_CONTEXT_TODO: bw__text_format(t, "context.TODO"); break;
  case BW_CONTEXT_WITHOUT: bw__text_format(t, ".WithoutCancel"); break;
  case BW_CONTEXT_CANCEL: bw__text_format(t, ".WithCancel"); break;
  case BW_CONTEXT_TIMED:
    bw__text_format(t, ".WithDeadline(%lld [", (long long)ctx->node->deadline);
    write_duration(t, ctx->node->deadline - now);
    bw__text_bytes(t, "])", 2);
    break;
  case BW_CONTEXT_VALUE:
    bw__text_format(t, ".WithValue(");
    if (v->key->name)
      bw__text_format(t, "%s", v->key->name);
    else
      bw__text_format(t, "%p", (const void *)v->key);
    if (v->value)
      bw__text_format(t, ", %p)", v->value);
    else
      bw__text_format(t, ", <nil>)");
    break;
  }
}

size_t bw_context_format(bw_context *ctx, char *buffer, size_t size) {
  int64_t now = bw__port_now();
  char part[PART];
  size_t total = 0;
  for (const bw_context *c = bw__context_check(ctx); c; c = c->parent) {
    bw__text t = bw__text_on(part, sizeof part);
    write_part(&t, c, now);
    total += t.len;
  }
  size_t at = total;
  for (const bw_context *c = ctx; c; c = c->parent) {
    bw__text t = bw__text_on(part, sizeof part);
    write_part(&t, c, now);
    at -= t.len;
    if (at + 1 >= size) continue;
    size_t room = size - 1 - at;
    memcpy(buffer + at, part, t.len < room ? t.len : room);
  }
  if (size > 0) buffer[total < size ? total : size - 1] = 0;
  return total;
}
