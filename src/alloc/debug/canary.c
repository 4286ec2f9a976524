#include "alloc/debug/canary.h"

#include <string.h>

enum { CANARY = 0xfb, NEW = 0xcd, FREED = 0xdd };

static size_t filled(const bw__debug_object *o) {
  return o->size < BW_FILL_MOST ? o->size : BW_FILL_MOST;
}

void bw__canary_set(const bw__debug_object *o) {
  char *back = o->user + o->size;
  memset(o->user - BW_FRONT, CANARY, BW_FRONT);
  memset(back, CANARY, (size_t)(o->end - back));
}

void bw__canary_fill_new(const bw__debug_object *o) { memset(o->user, NEW, filled(o)); }

void bw__canary_fill_freed(const bw__debug_object *o) { memset(o->user, FREED, filled(o)); }

// The first of `n` bytes that is not `byte`; `n` when all are.
static size_t first_other(const char *p, size_t n, unsigned char byte) {
  uint64_t word, want = byte * (UINT64_MAX / 0xff);
  size_t i = 0;
  for (; i + sizeof word <= n; i += sizeof word) {
    memcpy(&word, p + i, sizeof word);
    if (word != want) break;
  }
  while (i < n && (unsigned char)p[i] == byte) i++;
  return i;
}

static bool look(const bw__debug_object *o, ptrdiff_t from, size_t n, unsigned char byte,
                 bw__damage *out) {
  size_t at = first_other(o->user + from, n, byte);
  if (at == n) return false;
  ptrdiff_t offset = from + (ptrdiff_t)at;
  *out = (bw__damage){true, offset, (unsigned char)o->user[offset]};
  return true;
}

bw__damage bw__canary_damage(const bw__debug_object *o) {
  bw__damage d = {false, 0, 0};
  if (o->sealed) return d;
  if (look(o, -(ptrdiff_t)BW_FRONT, BW_FRONT, CANARY, &d)) return d;
  if (o->freed && look(o, 0, filled(o), FREED, &d)) return d;
  look(o, (ptrdiff_t)o->size, (size_t)(o->end - o->user) - o->size, CANARY, &d);
  return d;
}
