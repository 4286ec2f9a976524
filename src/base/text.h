// Text without allocation, locks or stdio: what fatal errors, dumps and panics are written with.
// A bw__text is a caller's buffer that is cut, never overrun; it always ends in NUL.
//
// bw__text_format knows %s %c %d %u %x %p %zu %td %lld %llu %%, which is all the runtime uses. It
// exists because printf may lock, may allocate and needs up to 8 KB of stack.
#ifndef BURROW_BASE_TEXT_H
#define BURROW_BASE_TEXT_H

#include <stdarg.h>
#include <string.h>

#include "base/config.h"

typedef struct {
  char *data;
  size_t len, cap; // len < cap
} bw__text;

static inline bw__text bw__text_on(char *buffer, size_t cap) {
  buffer[0] = 0;
  return (bw__text){buffer, 0, cap};
}

static inline void bw__text_bytes(bw__text *t, const char *s, size_t n) {
  size_t room = t->cap - 1 - t->len;
  if (n > room) n = room;
  memcpy(t->data + t->len, s, n);
  t->len += n;
  t->data[t->len] = 0;
}

static inline void bw__text_unsigned(bw__text *t, uint64_t v, unsigned base) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = "0123456789abcdef"[v % base];
    v /= base;
  } while (v);
  bw__text_bytes(t, digits + at, sizeof digits - at);
}

static inline void bw__text_signed(bw__text *t, int64_t v) {
  if (v < 0) bw__text_bytes(t, "-", 1);
  bw__text_unsigned(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10);
}

// The integer argument that a conversion with this length modifier takes.
#define BW_TEXT_ARG(args, size, type_int, type_long_long, type_size)                               \
  ((size) == 'l'   ? (int64_t)va_arg(args, type_long_long)                                         \
   : (size) == 'z' ? (int64_t)va_arg(args, type_size)                                              \
                   : (int64_t)va_arg(args, type_int))

static inline void bw__text_vformat(bw__text *t, const char *format, va_list args) {
  for (const char *f = format; *f; f++) {
    if (*f != '%') {
      const char *end = strchr(f, '%');
      size_t n = end ? (size_t)(end - f) : strlen(f);
      bw__text_bytes(t, f, n);
      f += n - 1;
      continue;
    }
    char size = 0;
    f++;
    while (*f == 'l' || *f == 'z' || *f == 't') {
      size = *f == 'l' ? 'l' : 'z';
      f++;
    }
    switch (*f) {
    case 's': {
      const char *s = va_arg(args, const char *);
      bw__text_bytes(t, s ? s : "(null)", s ? strlen(s) : 6);
      break;
    }
    case 'c': {
      char c = (char)va_arg(args, int);
      bw__text_bytes(t, &c, 1);
      break;
    }
    case 'd': bw__text_signed(t, BW_TEXT_ARG(args, size, int, long long, ptrdiff_t)); break;
    case 'u':
      bw__text_unsigned(t, (uint64_t)BW_TEXT_ARG(args, size, unsigned, unsigned long long, size_t),
                        10);
      break;
    case 'x':
      bw__text_unsigned(t, (uint64_t)BW_TEXT_ARG(args, size, unsigned, unsigned long long, size_t),
                        16);
      break;
    case 'p':
      bw__text_bytes(t, "0x", 2);
      bw__text_unsigned(t, (uintptr_t)va_arg(args, void *), 16);
      break;
    default: bw__text_bytes(t, f, 1); break;
    }
  }
}

BW_PRINTF(2, 3) static inline void bw__text_format(bw__text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  bw__text_vformat(t, format, args);
  va_end(args);
}

#endif
