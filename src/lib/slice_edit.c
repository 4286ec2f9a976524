// Slices: insert and delete in the middle.
//
// Insert has to put values between elements that move, and the values may be some of these very
// elements. When they lie apart, room is made first: one memmove, one memcpy. When they lie in the
// slice's own array they are appended, which copes with that, and the new end is then turned to its
// place; each element moves about twice.
//
// Locks: none. Blocks: never.
#include <burrow/slice.h>

#include "base/config.h"
#include "lib/slice_turn.h"

static bool lies_in(bw_slice s, size_t elem_size, const void *values, ptrdiff_t n) {
  uintptr_t first = (uintptr_t)s.ptr, from = (uintptr_t)values;
  return from < first + (size_t)s.cap * elem_size && first < from + (size_t)n * elem_size;
}

int bw_slice_insert(bw_slice *s, size_t elem_size, ptrdiff_t i, const void *values, ptrdiff_t n) {
  if (!bw_slice_ok(*s)) return BW_ENOMEM;
  ptrdiff_t len = s->len;
  if (i < 0 || i > len) bw__panic_slice(NULL, 0, __func__, i, len, len);
  if (i == len || n <= 0 || elem_size == 0 || lies_in(*s, elem_size, values, n)) {
    int code = bw_slice_push(s, elem_size, values, n);
    if (code == 0 && i < len && n > 0 && elem_size)
      bw__slice_turn((char *)s->ptr + (size_t)i * elem_size, (size_t)(len - i) * elem_size,
                     (size_t)n * elem_size);
    return code;
  }
  int code = bw_slice_grow(s, elem_size, n);
  if (code < 0) return code;
  char *at = (char *)s->ptr + (size_t)i * elem_size;
  memmove(at + (size_t)n * elem_size, at, (size_t)(len - i) * elem_size);
  memcpy(at, values, (size_t)n * elem_size);
  s->len = len + n;
  return 0;
}

bw_slice bw_slice_delete(bw_slice s, size_t elem_size, ptrdiff_t i, ptrdiff_t j) {
  if (i < 0 || i > j || j > s.len) bw__panic_slice3(NULL, 0, __func__, i, j, s.len, s.cap);
  if (i == j) return s;
  size_t rest = (size_t)(s.len - j) * elem_size, gone = (size_t)(j - i) * elem_size;
  if (elem_size) {
    char *at = (char *)s.ptr + (size_t)i * elem_size;
    memmove(at, at + gone, rest);
    memset(at + rest, 0, gone);
  }
  s.len -= j - i;
  return s;
}
