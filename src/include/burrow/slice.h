/// @file slice.h  Slices: pointer, length and capacity over a backing array, as in Go.
///
/// A bw_slice is a small value that is copied freely. Copies and reslices share the backing array:
/// a write through one is seen through the others. Lengths and capacities count elements; the
/// element's size in bytes is passed to each call and must be the same for one array.
///
///     bw_slice s = {0};                                      // Go: var s []int
///     int numbers[] = {1, 2, 3};
///     if (bw_slice_push(&s, sizeof(int), numbers, 3) < 0) return BW_ENOMEM;
///     bw_slice tail = bw_slice_tail(s, sizeof(int), 1);      // Go: tail := s[1:]
///     *BW_AT(int, tail, 0) = 20;                             // the same array
///     for (ptrdiff_t i = 0; i < s.len; i++)
///       printf("%d ", *BW_AT(int, s, i));                    // prints 1 20 3
///     bw_slice_free(s);
///
/// Ownership. There is no collector, so somebody owns each backing array. An array that
/// bw_slice_make or a growing append allocated comes from bw_malloc and is freed by bw_slice_free
/// on a slice that starts at its beginning. Two forms of append:
///   - bw_slice_append  Go's: returns a new slice and never frees the old array, which other slices
///                      may share. When the result's ptr differs, the old array is still its
///                      owner's.
///   - bw_slice_push    for the one owner of an array: updates the slice in place and frees the old
///                      array when a new one was needed. Not for memory that bw_slice_of was given.
/// Any thread may call; like any data, one slice must not be changed by two at once. Nothing parks.
///
/// Elements may have any size. Their alignment may be up to 16. Elements of no bytes work as in Go:
/// they are counted, and `ptr` is a fixed address that is not NULL. No array is larger than
/// PTRDIFF_MAX bytes; asking for more is a panic, being refused by the system is not.
///
/// slice_of.h has the same with types: there the compiler knows what a slice holds.
///
/// Checks. Indexes and bounds are checked where they are used, and the program panics in Go's
/// words. A source file that defines BW_NO_BOUNDS_CHECKS before its first #include of Burrow's (or
/// is compiled with -DBW_NO_BOUNDS_CHECKS) has none of the checks of bw_slice_at, bw_slice_slice,
/// bw_slice_slice3 and what is made of them; a wrong index is then undefined behaviour, as it is
/// for a C array. Lengths of make and append, and the places of insert and delete, are always
/// checked.
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
/// class. CLASSIC is the rule of every call that does not name one.
typedef enum bw_growth {
  BW_GROWTH_GO118,   ///< Go >= 1.18: double below 256, then smoothly down to 1.25x
  BW_GROWTH_CLASSIC, ///< Go < 1.18: double below 1024 elements, then 1.25x
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

/// A new array with copies of the `n` elements at `values`: len == cap == n, as of Go's composite
/// literals. No memory: check bw_slice_ok. Panics as bw_slice_make.
bw_slice bw_slice_from(size_t elem_size, const void *values, ptrdiff_t n);

/// Frees the backing array that bw_slice_make, append or push allocated. A nil slice is allowed,
/// and so is one that failed.
void bw_slice_free(bw_slice s);

/// False for the result of a make or append that found no memory (its len is 0, its cap -1: every
/// index and every bound is out of range for it).
static inline bool bw_slice_ok(bw_slice s) { return s.cap >= 0; }

/// append(s, values...): the slice with `n` elements from `values` behind its end. `values` may
/// point into s itself. What lies between the result's len and cap in a new array is zero. No
/// memory: returns a slice for which bw_slice_ok is false (and stays so through further appends); s
/// is as it was. Panics "growslice: len out of range".
bw_slice bw_slice_append_rule(bw_growth rule, bw_slice s, size_t elem_size, const void *values,
                              ptrdiff_t n);
static inline bw_slice bw_slice_append(bw_slice s, size_t elem_size, const void *values,
                                       ptrdiff_t n) {
  if (n <= 0 || n > s.cap - s.len)
    return bw_slice_append_rule(BW_GROWTH_CLASSIC, s, elem_size, values, n);
  if (elem_size) memmove((char *)s.ptr + (size_t)s.len * elem_size, values, (size_t)n * elem_size);
  s.len += n;
  return s;
}
/// append(s, t...)
static inline bw_slice bw_slice_append_all(bw_slice s, size_t elem_size, bw_slice t) {
  return bw_slice_append(s, elem_size, t.ptr, t.len);
}

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
static inline int bw_slice_push_all(bw_slice *s, size_t elem_size, bw_slice t) {
  return bw_slice_push(s, elem_size, t.ptr, t.len);
}

/// Makes room for `n` more elements behind the end of a slice that owns its array: the next n need
/// no new one. The growth is that of an append of n. 0, or BW_ENOMEM with *s unchanged. Panics
/// "growslice: len out of range". (slices.Grow)
int bw_slice_grow(bw_slice *s, size_t elem_size, ptrdiff_t n);

/// Puts `n` elements before element i (i == len: behind the last) of a slice that owns its array.
/// 0, or BW_ENOMEM with *s and its array unchanged. `values` may point into the array. Panics
/// "slice bounds out of range [i:len]", "growslice: len out of range". (slices.Insert)
int bw_slice_insert(bw_slice *s, size_t elem_size, ptrdiff_t i, const void *values, ptrdiff_t n);

/// The slice without elements [i, j), those behind them moved up in the array, and zeros in the
/// places that get free at its end. Panics as s[i:j:len(s)]. A slice for which bw_slice_ok is false
/// has no elements: [0, 0) of it is nothing, and the result is the same slice, still not ok; any
/// other part panics. (slices.Delete)
bw_slice bw_slice_delete(bw_slice s, size_t elem_size, ptrdiff_t i, ptrdiff_t j);

/// s[:len:len]: without room, so that an append to it goes elsewhere. (slices.Clip)
static inline bw_slice bw_slice_clip(bw_slice s) {
  if (s.cap > s.len) s.cap = s.len;
  return s;
}

/// copy(dst, src): min(len) elements, overlap allowed; returns how many.
ptrdiff_t bw_slice_copy(bw_slice dst, bw_slice src, size_t elem_size);

BW_NORETURN void bw__panic_index(BW__PLACE_ARG, ptrdiff_t i, ptrdiff_t len);
BW_NORETURN void bw__panic_slice(BW__PLACE_ARG, ptrdiff_t low, ptrdiff_t high, ptrdiff_t cap);
BW_NORETURN void bw__panic_slice3(BW__PLACE_ARG, ptrdiff_t low, ptrdiff_t high, ptrdiff_t max,
                                  ptrdiff_t cap);

#ifdef BW_NO_BOUNDS_CHECKS
#define BW__BOUNDS(hold, panic) ((void)bw__file, (void)bw__line, (void)bw__func)
#else
#define BW__BOUNDS(hold, panic)                                                                    \
  do {                                                                                             \
    if (__builtin_expect(!(hold), 0)) panic;                                                       \
  } while (0)
#endif

// An empty rest keeps the array's address: one behind the end may be another object's.
static inline bw_slice bw__slice_window(bw_slice s, size_t elem_size, ptrdiff_t low, ptrdiff_t high,
                                        ptrdiff_t max) {
  if (max > low && s.ptr) s.ptr = (char *)s.ptr + (size_t)low * elem_size;
  s.len = high - low;
  s.cap = max - low;
  return s;
}

static inline bw_slice bw__slice_slice(BW__PLACE_ARG, bw_slice s, size_t elem_size, ptrdiff_t low,
                                       ptrdiff_t high) {
  BW__BOUNDS(0 <= low && low <= high && high <= s.cap,
             bw__panic_slice(BW__PLACE_ON, low, high, s.cap));
  return bw__slice_window(s, elem_size, low, high, s.cap);
}
static inline bw_slice bw__slice_slice3(BW__PLACE_ARG, bw_slice s, size_t elem_size, ptrdiff_t low,
                                        ptrdiff_t high, ptrdiff_t max) {
  BW__BOUNDS(0 <= low && low <= high && high <= max && max <= s.cap,
             bw__panic_slice3(BW__PLACE_ON, low, high, max, s.cap));
  return bw__slice_window(s, elem_size, low, high, max);
}
static inline bw_slice bw__slice_tail(BW__PLACE_ARG, bw_slice s, size_t elem_size, ptrdiff_t low) {
  return bw__slice_slice(BW__PLACE_ON, s, elem_size, low, s.len);
}
static inline void *bw__slice_at(BW__PLACE_ARG, bw_slice s, size_t elem_size, ptrdiff_t i) {
  BW__BOUNDS((size_t)i < (size_t)s.len, bw__panic_index(BW__PLACE_ON, i, s.len));
  return (char *)s.ptr + i * (ptrdiff_t)elem_size;
}

// What looks at a bound is a function for pointers, and a macro that knows where it stands.

/// s[low:high]: shares the array; cap is s.cap - low. high may go up to s.cap.
/// Panics "slice bounds out of range [:high] with capacity cap" / "[low:high]".
static inline bw_slice bw_slice_slice(bw_slice s, size_t elem_size, ptrdiff_t low, ptrdiff_t high) {
  return bw__slice_slice(NULL, 0, __func__, s, elem_size, low, high);
}
#define bw_slice_slice(...) bw__slice_slice(BW__PLACE, __VA_ARGS__)
/// s[low:high:max]: as above with cap = max - low.
static inline bw_slice bw_slice_slice3(bw_slice s, size_t elem_size, ptrdiff_t low, ptrdiff_t high,
                                       ptrdiff_t max) {
  return bw__slice_slice3(NULL, 0, __func__, s, elem_size, low, high, max);
}
#define bw_slice_slice3(...) bw__slice_slice3(BW__PLACE, __VA_ARGS__)
/// s[low:]
static inline bw_slice bw_slice_tail(bw_slice s, size_t elem_size, ptrdiff_t low) {
  return bw__slice_tail(NULL, 0, __func__, s, elem_size, low);
}
#define bw_slice_tail(...) bw__slice_tail(BW__PLACE, __VA_ARGS__)

/// &s[i]. Panics "index out of range [i] with length len".
static inline void *bw_slice_at(bw_slice s, size_t elem_size, ptrdiff_t i) {
  return bw__slice_at(NULL, 0, __func__, s, elem_size, i);
}
#define bw_slice_at(...) bw__slice_at(BW__PLACE, __VA_ARGS__)

/// *BW_AT(int, s, 3) = 7;
#define BW_AT(T, s, i) ((T *)bw_slice_at((s), sizeof(T), (i)))

/// An order: whether *a comes before *b. Never true for two that are equal, and transitive.
typedef bool bw_less(const void *a, const void *b, void *arg);

/// Sorts in place, in O(n log n) whatever the elements are, without memory. Equal ones end in any
/// order. `less` must not change the slice; if it panics, all elements are still there.
void bw_slice_sort(bw_slice s, size_t elem_size, bw_less *less, void *arg);
/// The same, but equal ones keep their order; O(n log n) comparisons, O(n log^2 n) moves.
void bw_slice_sort_stable(bw_slice s, size_t elem_size, bw_less *less, void *arg);
/// Whether no element comes before the one in front of it.
bool bw_slice_is_sorted(bw_slice s, size_t elem_size, bw_less *less, void *arg);

/// What the numbers of bw_slice_sort_numbers are.
typedef enum bw_number { BW_NUMBER_UNSIGNED, BW_NUMBER_SIGNED, BW_NUMBER_FLOAT } bw_number;
/// Sorts integers of 1, 2, 4 or 8 bytes, or floats of 4 or 8, ascending; not-a-numbers come first.
/// (slices.Sort)
void bw_slice_sort_numbers(bw_slice s, size_t elem_size, bw_number kind);

#ifdef __cplusplus
}
#endif
#endif
