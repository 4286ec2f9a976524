// The string builder: a slice of bytes that only grows. What is here is what is not one push.
//
//   I1  bytes is nil or owns its array, and never is a failed slice.
//
// Locks: none. Blocks: never.
#include <burrow/string.h>

#include "base/config.h"

#include <stdio.h>

int bw_builder_grow(bw_builder *b, ptrdiff_t n) { return bw_slice_grow(&b->bytes, 1, n); }

int bw_builder_rune(bw_builder *b, bw_rune rune) {
  char bytes[BW_UTF8_MAX];
  int n = bw_rune_encode(bytes, rune);
  return bw_slice_push(&b->bytes, 1, bytes, n);
}

// What is short is made beside the array, and needs no room for the C library's 0 in it; what is
// not is made a second time in its place.
int bw_builder_vprintf(bw_builder *b, const char *format, va_list args) {
  char made[128];
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(made, sizeof made, format, args), code = 0;
  if (n < 0) {
    code = BW_EINVAL;
  } else if (n < (int)sizeof made) {
    code = bw_slice_push(&b->bytes, 1, made, n);
  } else {
    code = bw_slice_grow(&b->bytes, 1, (ptrdiff_t)n + 1);
    if (code == 0) {
      vsnprintf((char *)b->bytes.ptr + b->bytes.len, (size_t)n + 1, format, again);
      b->bytes.len += n;
    }
  }
  va_end(again);
  return code;
}

int bw_builder_printf(bw_builder *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int code = bw_builder_vprintf(b, format, args);
  va_end(args);
  return code;
}

const char *bw_builder_c(bw_builder *b) {
  if (bw_builder_byte(b, 0) < 0) return NULL;
  b->bytes.len--;
  return b->bytes.ptr;
}

bw_str bw_builder_take(bw_builder *b) {
  bw_str s = bw_builder_view(b);
  b->bytes = (bw_slice){NULL, 0, 0};
  return s;
}

void bw_builder_free(bw_builder *b) {
  bw_slice_free(b->bytes);
  b->bytes = (bw_slice){NULL, 0, 0};
}
