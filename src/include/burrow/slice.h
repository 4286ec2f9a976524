/// @file slice.h  Slices: pointer, length and capacity over a backing array, as in Go.
///
/// A bw_slice is a small value that is copied freely. Copies and reslices share the backing array:
/// a write through one is seen through the others. Lengths and capacities count elements; the
/// element's size in bytes is passed to each call and must be the same for one array.
///
/// Ownership. There is no collector, so somebody owns each backing array. An array that
/// bw_slice_make or a growing append allocated comes from bw_malloc and is freed by bw_slice_free
/// on a slice that starts at its beginning. Two forms of append:
///   bw_slice_append  Go's: returns a new slice and never frees the old array, which other slices
///                    may share. When the result's ptr differs, the old array is still its owner's.
///   bw_slice_push    for the one owner of an array: updates the slice in place and frees the old
///                    array when a new one was needed. Not for memory that bw_slice_of was given.
/// Any thread may call; like any data, one slice must not be changed by two at once. Nothing parks.
///
/// Elements may have any size. Their alignment may be up to 16. Elements of no bytes work as in Go:
/// they are counted, and `ptr` is a fixed address that is not NULL. No array is larger than
/// PTRDIFF_MAX bytes; asking for more is a panic, being refused by the system is not.
#ifndef BURROW_SLICE_H
#define BURROW_SLICE_H

#include <burrow/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/// I1: 0 <= len <= cap. I2: ptr holds cap elements (NULL only when cap == 0). A zeroed bw_slice is
/// Go's nil slice. Only the result of a make or append that found no memory has cap < 0.
typedef struct bw_slice {
  void *ptr;
  ptrdiff_t len, cap;
} bw_slice;

/// How an append that does not fit chooses the new capacity, before it is rounded up to a size
/// class.
typedef enum bw_growth {
  BW_GROWTH_GO118,   ///< Go >= 1.18 (default): double below 256, then smoothly down to 1.25x
  BW_GROWTH_CLASSIC, ///< Go < 1.18, the seed document's rule: double below 1024, then 1.25x
} bw_growth;

/// The capacity that an append which does not fit gets: `old_cap` elements now, `needed` > old_cap
/// in all. -1 when the bytes would overflow or an argument is negative; old_cap when nothing has to
/// grow. Does not allocate. (runtime.growslice)
ptrdiff_t bw_slice_next_cap(bw_growth rule, size_t elem_size, ptrdiff_t old_cap, ptrdiff_t needed);

/// make([]T, len, cap): all cap elements zeroed; ptr is never NULL. No memory: check bw_slice_ok.
/// Panics "makeslice: len out of range" / "makeslice: cap out of range".
bw_slice bw_slice_make(size_t elem_size, ptrdiff_t len, ptrdiff_t cap);

/// A slice over memory that the caller owns (an array, or any pointer): len == cap == n.
/// Panics "unsafe.Slice: len out of range" (n < 0) / "unsafe.Slice: ptr is nil and len is not
/// zero".
bw_slice bw_slice_of(void *array, ptrdiff_t n);

/// Frees the backing array that bw_slice_make, append or push allocated. A nil slice is allowed,
/// and so is one that failed.
void bw_slice_free(bw_slice s);

/// append(s, values...): the slice with `n` elements from `values` behind its end. `values` may
/// point into s itself. What lies between the result's len and cap in a new array is zero. No
/// memory: returns a slice for which bw_slice_ok is false (and stays so through further appends); s
/// is as it was. Panics "growslice: len out of range".
bw_slice bw_slice_append(bw_slice s, size_t elem_size, const void *values, ptrdiff_t n);
/// The same with a choice of growth rule.
bw_slice bw_slice_append_rule(bw_growth rule, bw_slice s, size_t elem_size, const void *values,
                              ptrdiff_t n);
/// False for the result of a make or append that found no memory (its len is 0, its cap -1: every
/// index and every bound is out of range for it).
static inline bool bw_slice_ok(bw_slice s) { return s.cap >= 0; }

/// Appends elements to a slice that owns its array. 0, or BW_ENOMEM with *s and its array
/// unchanged. `values` may point into the array.
int bw_slice_push_slow(bw_slice *s, size_t elem_size, const void *values, ptrdiff_t n);
static inline int bw_slice_push(bw_slice *s, size_t elem_size, const void *values, ptrdiff_t n) {
  if (n <= 0 || n > s->cap - s->len) {
    bw_slice t = *s; // so that *s itself may stay in registers
    int code = bw_slice_push_slow(&t, elem_size, values, n);
    *s = t;
    return code;
  }
  if (elem_size)
    memmove((char *)s->ptr + (size_t)s->len * elem_size, values, (size_t)n * elem_size);
  s->len += n;
  return 0;
}

/// copy(dst, src): min(len) elements, overlap allowed; returns how many.
ptrdiff_t bw_slice_copy(bw_slice dst, bw_slice src, size_t elem_size);

/// s[low:high]: shares the array; cap is s.cap - low. high may go up to s.cap.
/// Panics "slice bounds out of range [:high] with capacity cap" / "[low:high]".
bw_slice bw_slice_slice(bw_slice s, size_t elem_size, ptrdiff_t low, ptrdiff_t high);
/// s[low:high:max]: as above with cap = max - low.
bw_slice bw_slice_slice3(bw_slice s, size_t elem_size, ptrdiff_t low, ptrdiff_t high,
                         ptrdiff_t max);

BW_NORETURN void bw_slice_panic_index(ptrdiff_t i, ptrdiff_t len);

/// &s[i]. Panics "index out of range [i] with length len".
static inline void *bw_slice_at(bw_slice s, size_t elem_size, ptrdiff_t i) {
  if (__builtin_expect((size_t)i >= (size_t)s.len, 0)) bw_slice_panic_index(i, s.len);
  return (char *)s.ptr + (size_t)i * elem_size;
}

/// *BW_AT(int, s, 3) = 7;
#define BW_AT(T, s, i) ((T *)bw_slice_at((s), sizeof(T), (i)))

#ifdef __cplusplus
}
#endif
#endif
