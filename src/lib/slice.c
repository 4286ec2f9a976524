// Slices: making, growing, copying, and the panics. slice_edit.c inserts and deletes, slice_sort.c
// and slice_numbers.c sort.
//
// A slice is a window of `len` elements at the front of `cap` elements of memory, and that is all
// it is: no header in the array, no count of the slices that share it. So whatever changes hands
// here is bytes and three words.
//
// Growing. An append that does not fit asks `rule_cap` for a capacity, turns it into bytes, rounds
// these up to what the allocator would give anyway, and takes as many elements as that holds. The
// last step is why capacities look odd ([5]byte: 1 3 6 12 25): they are size classes divided by the
// size of an element. Both rules double a small array and add a quarter to a large one; CLASSIC
// changes over at 1024 elements in one jump, GO118 starts at 256 and slides, so that
// capacity stays a monotonic function of what was asked for.
//
//   I1  0 <= len <= cap, and cap * elem_size <= PTRDIFF_MAX.
//   I2  ptr holds cap elements; it is NULL only in the nil slice and in a failed one.
//   I3  a failed slice is {NULL, 0, -1}: no index and no bound is in range for it, and appending to
//       it gives it back, so a chain of appends needs one check at its end.
//   I4  elements [len, cap) of an array that was allocated here are zero until somebody writes
//       them: s[:cap] shows zeros and not what was freed last.
//
// Alignment. bw__alloc8 knows every size class of Go's table, bw_malloc only those that suit any C
// type. An element that needs 16 bytes has a size that is a multiple of 16, so its array has one,
// too; it may lie in a class whose size is a multiple of 16 and in no other. See `take`.
//
// A large array that its owner pushes to is grown by bw_realloc, which may find the pages behind it
// free and then copies nothing. A small one is not: bw_realloc's classes are bw_malloc's.
//
// Locks: none. Blocks: never (the allocator's own short locks aside).
#include <burrow/slice.h>

#include "alloc/alloc.h"
#include "alloc/sizeclass_table.h"
#include "base/config.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

#define BYTES_MAX ((size_t)PTRDIFF_MAX)

// Above this, memory comes in whole pages, whichever door it came through.
#define LARGE ((size_t)BW_SIZECLASS_MAX)

static const bw_slice failed = {NULL, 0, -1};

// What elements without bytes, and arrays without elements, lie at. Nothing is ever written here.
static max_align_t zero_base;

// ---- capacities ---------------------------------------------------------------------------------

// One step of the slow part of a rule: at least 1.25 times. Cannot overflow: a capacity is below
// SIZE_MAX / 2.
static size_t step(bw_growth rule, size_t cap, size_t threshold) {
  size_t extra = rule == BW_GROWTH_CLASSIC ? 0 : 3 * threshold;
  return cap + (cap + extra) / 4;
}

// The capacity that the rule asks for, in elements, not rounded. needed > old.
static size_t rule_cap(bw_growth rule, size_t old, size_t needed) {
  size_t threshold = rule == BW_GROWTH_CLASSIC ? 1024 : 256;
  if (needed > 2 * old) return needed;
  if (old < threshold) return 2 * old;
  size_t cap = old;
  while (cap < needed) cap = step(rule, cap, threshold);
  return cap;
}

// The bytes of `count` elements in *bytes. False when they are more than an array may have.
static bool bytes_of(size_t count, size_t elem_size, size_t *bytes) {
  return !__builtin_mul_overflow(count, elem_size, bytes) && *bytes <= BYTES_MAX;
}

// bytes / elem_size, without a division for the usual sizes.
static size_t count_in(size_t bytes, size_t elem_size) {
  if ((elem_size & (elem_size - 1)) == 0) return bytes >> __builtin_ctzll(elem_size);
  return bytes / elem_size;
}

ptrdiff_t bw_slice_next_cap(bw_growth rule, size_t elem_size, ptrdiff_t old_cap, ptrdiff_t needed) {
  if (old_cap < 0 || needed < 0) return -1;
  if (needed <= old_cap) return old_cap;
  if (elem_size == 0) return needed;
  size_t bytes;
  if (!bytes_of(rule_cap(rule, (size_t)old_cap, (size_t)needed), elem_size, &bytes) &&
      !bytes_of((size_t)needed, elem_size, &bytes)) // no room to be generous
    return -1;
  bytes = bw__alloc_round8(bytes);
  return bytes > BYTES_MAX ? -1 : (ptrdiff_t)count_in(bytes, elem_size);
}

// ---- memory -------------------------------------------------------------------------------------

// Memory for an array of `bytes` > 0, not zeroed; NULL when there is none. See Alignment above.
static void *take(size_t elem_size, size_t bytes) {
  if (elem_size % 16 == 0 && bw__alloc_round8(bytes) % 16 != 0) return bw_malloc(bytes);
  return bw__alloc8(bytes);
}

// memmove that takes what C's does not: a NULL with nothing to move.
static void move(void *to, const void *from, size_t bytes) {
  if (bytes) memmove(to, from, bytes);
}

static void *element(bw_slice s, size_t elem_size, ptrdiff_t i) {
  return (char *)s.ptr + (size_t)i * elem_size;
}

// The old array's content in `bytes` of memory, by bw_realloc: the old array is gone, or unchanged
// when the result is NULL. `*values` moves along if it points into the array.
static void *extend(bw_slice s, size_t elem_size, size_t bytes, const void **values) {
  size_t offset = (uintptr_t)*values - (uintptr_t)s.ptr;
  void *array = bw_realloc(s.ptr, bytes);
  if (array && offset < (size_t)s.cap * elem_size) *values = (char *)array + offset;
  return array;
}

static void free_array(void *array) {
  if (array != &zero_base) bw_free(array);
}

static _Noreturn void panic_len(bool own) {
  bw__panic_runtime_in(own ? "bw_slice_push" : "bw_slice_append",
                       "runtime error: growslice: len out of range");
}

// *to = *s with n > 0 more elements in a larger array; all zeros when `values` is NULL. False: no
// memory, and *to is as it was; `to` may be `s`. The old array stays as it is, unless the caller
// owns it (`own`): then it is freed, but only after the last look at `values`, which may lie in it.
//
// By pointers, field by field: a slice that was just written field by field and is read as a whole,
// by two wide loads, keeps the processor waiting for the stores. That was a quarter of ten appends.
static bool regrow(bw_growth rule, const bw_slice *s, bw_slice *to, size_t elem_size,
                   const void *values, ptrdiff_t n, bool own) {
  void *old = s->ptr;
  ptrdiff_t len = s->len, old_cap = s->cap;
  if (n > PTRDIFF_MAX - len) panic_len(own);
  ptrdiff_t cap = bw_slice_next_cap(rule, elem_size, old_cap, len + n);
  if (cap < 0) panic_len(own);
  void *array = &zero_base;
  if (elem_size > 0) {
    size_t old_bytes = (size_t)len * elem_size, new_bytes = (size_t)(len + n) * elem_size;
    size_t bytes = (size_t)cap * elem_size;
    bool extended = own && (size_t)old_cap * elem_size > LARGE;
    array = extended ? extend(*s, elem_size, bytes, &values) : take(elem_size, bytes);
    if (!array) return false;
    if (!extended) move(array, old, old_bytes);
    if (values)
      move((char *)array + old_bytes, values, new_bytes - old_bytes);
    else
      new_bytes = old_bytes;
    memset((char *)array + new_bytes, 0, bytes - new_bytes); // I4
    if (own && !extended) free_array(old);
  }
  to->ptr = array;
  to->len = len + n;
  to->cap = cap;
  return true;
}

bw_slice bw_slice_make(size_t elem_size, ptrdiff_t len, ptrdiff_t cap) {
  size_t bytes;
  if (len < 0 || !bytes_of((size_t)len, elem_size, &bytes))
    bw__panic_runtime("runtime error: makeslice: len out of range");
  if (cap < len || !bytes_of((size_t)cap, elem_size, &bytes))
    bw__panic_runtime("runtime error: makeslice: cap out of range");
  if (bytes == 0) return (bw_slice){&zero_base, len, cap};
  // Large memory often comes fresh, and then the allocator knows that it is zero already.
  void *array = bytes > LARGE ? bw__alloc_zeroed(bytes) : take(elem_size, bytes);
  if (!array) return failed;
  if (bytes <= LARGE) memset(array, 0, bytes);
  return (bw_slice){array, len, cap};
}

bw_slice bw_slice_of(void *array, ptrdiff_t n) {
  if (n < 0) bw__panic_runtime("runtime error: unsafe.Slice: len out of range");
  if (!array && n > 0)
    bw__panic_runtime("runtime error: unsafe.Slice: ptr is nil and len is not zero");
  return (bw_slice){array, n, n};
}

bw_slice bw_slice_from(size_t elem_size, const void *values, ptrdiff_t n) {
  bw_slice s = bw_slice_make(elem_size, n, n);
  if (bw_slice_ok(s)) move(s.ptr, values, (size_t)n * elem_size);
  return s;
}

void bw_slice_free(bw_slice s) { free_array(s.ptr); }

// ---- append and copy ----------------------------------------------------------------------------

// False: no memory.
static inline bool append(bw_growth rule, bw_slice *s, size_t elem_size, const void *values,
                          ptrdiff_t n, bool own) {
  if (n < 0) panic_len(own);
  if (s->cap < 0) return false; // I3
  if (n == 0) return true;
  if (n > s->cap - s->len) return regrow(rule, s, s, elem_size, values, n, own);
  move(element(*s, elem_size, s->len), values, (size_t)n * elem_size);
  s->len += n;
  return true;
}

bw_slice bw_slice_append_rule(bw_growth rule, bw_slice s, size_t elem_size, const void *values,
                              ptrdiff_t n) {
  return append(rule, &s, elem_size, values, n, false) ? s : failed;
}

int bw_slice_push_slow(bw_slice *s, size_t elem_size, const void *values, ptrdiff_t n) {
  return append(BW_GROWTH_CLASSIC, s, elem_size, values, n, true) ? 0 : BW_ENOMEM;
}

int bw_slice_grow(bw_slice *s, size_t elem_size, ptrdiff_t n) {
  if (n < 0) bw__panic_runtime("runtime error: growslice: len out of range");
  if (!bw_slice_ok(*s)) return BW_ENOMEM;
  if (n <= s->cap - s->len) return 0;
  ptrdiff_t len = s->len;
  if (!regrow(BW_GROWTH_CLASSIC, s, s, elem_size, NULL, n, true)) return BW_ENOMEM;
  s->len = len;
  return 0;
}

ptrdiff_t bw_slice_copy(bw_slice dst, bw_slice src, size_t elem_size) {
  ptrdiff_t n = dst.len < src.len ? dst.len : src.len;
  move(dst.ptr, src.ptr, (size_t)n * elem_size);
  return n;
}

// ---- bounds -------------------------------------------------------------------------------------
//
// Each bound is checked against the one to its right, from right to left, and the panic names the
// first pair that is out of order. A negative bound is named alone.

static bool out_of(ptrdiff_t i, ptrdiff_t limit) { return i < 0 || i > limit; }

_Noreturn void bw__panic_index(BW__PLACE_ARG, ptrdiff_t i, ptrdiff_t len) {
  const bw__panic_place here = {BW__PLACE_ON, NULL};
  if (i < 0) bw__panic_runtime_of(&here, "runtime error: index out of range [%td]", i);
  bw__panic_runtime_of(&here, "runtime error: index out of range [%td] with length %td", i, len);
}

// The text of a bound: `before` it, and what follows it when it is negative or too large.
static _Noreturn void panic_bound(const bw__panic_place *here, const char *before, ptrdiff_t i,
                                  const char *negative, const char *middle, ptrdiff_t limit,
                                  const char *after) {
  if (i < 0)
    bw__panic_runtime_of(here, "runtime error: slice bounds out of range [%s%td%s]", before, i,
                         negative);
  bw__panic_runtime_of(here, "runtime error: slice bounds out of range [%s%td%s%td%s", before, i,
                       middle, limit, after);
}

_Noreturn void bw__panic_slice(BW__PLACE_ARG, ptrdiff_t low, ptrdiff_t high, ptrdiff_t cap) {
  const bw__panic_place here = {BW__PLACE_ON, NULL};
  if (out_of(high, cap)) panic_bound(&here, ":", high, "", "] with capacity ", cap, "");
  panic_bound(&here, "", low, ":", ":", high, "]");
}

_Noreturn void bw__panic_slice3(BW__PLACE_ARG, ptrdiff_t low, ptrdiff_t high, ptrdiff_t max,
                                ptrdiff_t cap) {
  const bw__panic_place here = {BW__PLACE_ON, NULL};
  if (out_of(max, cap)) panic_bound(&here, "::", max, "", "] with capacity ", cap, "");
  if (out_of(high, max)) panic_bound(&here, ":", high, ":", ":", max, "]");
  panic_bound(&here, "", low, "::", ":", high, ":]");
}
