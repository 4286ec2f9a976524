/// @file array.h  Arrays that are values, Go's [N]T: to assign, pass and return one copies all of
/// it.
///
/// A C array turns into a pointer wherever it is passed, and the callee writes into the caller's. A
/// BW_ARRAY is a struct around one. To share it, take a slice of it. At file scope:
///
///     BW_ARRAY_TYPE(int, 4);                             // once for each pair of T and N
///     static int spoil(BW_ARRAY(int, 4) copy) {
///       bw_array_at(copy, 0) = 99;                       // nobody else sees it
///       return bw_array_at(copy, 0);
///     }
///
/// And then:
///
///     BW_ARRAY(int, 4) a = {{1, 2, 3, 4}}, b = a;        // Go: b := a
///     bw_array_at(b, 1) = 20;
///     printf("%d %d\n", spoil(a), bw_array_at(a, 0));    // prints 99 1
///     BW_SLICE(int) view = bw_array_slice(int, a);       // Go: view := a[:]
///     bw_at(view, 0) = 10;
///     printf("%d %d\n", a.at[0], a.at[1]);               // prints 10 2
///     printf("%d %d\n", b.at[0], b.at[1]);               // prints 1 20
///
/// T is one word and N a number or a name of one (not an expression). The elements are `a.at`, a C
/// array. An array lives where it is declared, and a view of it is for as long. A slice of arrays
/// is BW_SLICE_TYPE of a typedef of the array. Elements without bytes (bw_unit) do not compile:
/// what C knows of an array's length is its bytes. C only.
#ifndef BURROW_ARRAY_H
#define BURROW_ARRAY_H

#include <burrow/slice_of.h>

#ifndef __cplusplus

#define BW_ARRAY(T, N) bw_array_of_##T##_##N
#define BW_ARRAY_TYPE(T, N)                                                                        \
  typedef struct bw_array_of_##T##_##N {                                                           \
    T at[N];                                                                                       \
    _Static_assert(sizeof(T) > 0, "an array of elements without bytes has no length in C");        \
  } bw_array_of_##T##_##N

/// N
#define bw_array_len(a) BW__LENGTH((a).at)
/// a[i], to read and to assign to; `a` is a variable. Panics "index out of range [i] with length
/// N". Like any array's element it is the variable's own, and no copy.
#define bw_array_at(a, i) ((a).at[bw__array_index(BW__PLACE, (i), bw_array_len(a))])
/// a[:]: a BW_SLICE(T) that shares the array, which must be a variable.
#define bw_array_slice(T, a) BW_SLICE_ARRAY(T, (a).at)

static inline ptrdiff_t bw__array_index(BW__PLACE_ARG, ptrdiff_t i, ptrdiff_t len) {
  BW__BOUNDS((size_t)i < (size_t)len, bw__panic_index(BW__PLACE_ON, i, len));
  (void)len;
  return i;
}

#endif
#endif
