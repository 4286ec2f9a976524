/// @file typed.h  What the typed headers share: bw_unit, and how they see that a value fits.
///
/// C only. Include chan_of.h, slice_of.h or array.h; of what is here programs use bw_unit alone:
///
///     BW_CHAN(bw_unit) done = BW_CHAN_MAKE(bw_unit, 1); // Go: make(chan struct{}, 1)
///     bw_send(done, BW_UNIT);                           // Go: done <- struct{}{}
///     printf("%d\n", bw_recv(done, NULL));              // prints 1
///     bw_release(done);
#ifndef BURROW_TYPED_H
#define BURROW_TYPED_H

#ifndef __cplusplus

/// An element without bytes, Go's struct{}: only the event counts. bw_send(quit, BW_UNIT).
__extension__ typedef struct bw_unit {
} bw_unit;
#define BW_UNIT (__extension__(bw_unit){})

// ---- what fits ----------------------------------------------------------------------------------

// A static assertion as an expression. (In a struct inside sizeof, clang takes a compound literal
// in `condition` for one at file scope, and wants it constant.)
#define BW__REQUIRE(condition, text) __extension__({ _Static_assert(condition, text); })

// Whether v may become the value of the lvalue `to`; neither is evaluated.
#define BW__FITS(to, v)                                                                            \
  (BW__IS_NUMBER(to)                                                                               \
       ? BW__IS_NUMBER(v)                                                                          \
       : __builtin_types_compatible_p(__typeof__(to), __typeof__(((void)0, BW__MEET(to, v)))))
// The compiler's own classes of types: 1 to 4 are integers, 8 and 9 real and complex, 5 pointers.
#define BW__CLASS(x)        __builtin_classify_type(x)
#define BW__IS_NUMBER(x)    (BW__CLASS(x) <= 4 || BW__CLASS(x) == 8 || BW__CLASS(x) == 9)
#define BW__POINTERS(to, v) (BW__CLASS(to) == 5 && BW__CLASS(v) == 5)
// v; of two pointers, what C finds both to be: that has the type of `to` if v is NULL or points to
// the same type with no more qualifiers.
#define BW__MEET(to, v)                                                                            \
  __builtin_choose_expr(BW__POINTERS(to, v),                                                       \
                        1 ? (to) : __builtin_choose_expr(BW__POINTERS(to, v), (v), (to)), (v))

// Whether x is a constant expression, as one; and its value, or 0. x is not evaluated.
#define BW__CONSTANT_OR_0(x)                                                                       \
  _Generic(1 ? (void *)((__INTPTR_TYPE__)(x)*0) : (int *)0, int * : (x), default : 0)

// How many arguments there are (1 to 16), and f(c, x) for each of them, with commas between.
#define BW__COUNT(...)                                                                             \
  BW__PICK(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define BW__PICK(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, count, ...) count
// clang-format off
#define BW__MAP(f, c, ...)      BW__MAP_N(BW__COUNT(__VA_ARGS__), f, c, __VA_ARGS__)
#define BW__MAP_N(n, f, c, ...) BW__MAP_M(n, f, c, __VA_ARGS__)
#define BW__MAP_M(n, f, c, ...) BW__MAP_##n(f, c, __VA_ARGS__)
#define BW__MAP_1(f, c, x)       f(c, x)
#define BW__MAP_2(f, c, x, ...) f(c, x), BW__MAP_1(f, c, __VA_ARGS__)
#define BW__MAP_3(f, c, x, ...) f(c, x), BW__MAP_2(f, c, __VA_ARGS__)
#define BW__MAP_4(f, c, x, ...) f(c, x), BW__MAP_3(f, c, __VA_ARGS__)
#define BW__MAP_5(f, c, x, ...) f(c, x), BW__MAP_4(f, c, __VA_ARGS__)
#define BW__MAP_6(f, c, x, ...) f(c, x), BW__MAP_5(f, c, __VA_ARGS__)
#define BW__MAP_7(f, c, x, ...) f(c, x), BW__MAP_6(f, c, __VA_ARGS__)
#define BW__MAP_8(f, c, x, ...) f(c, x), BW__MAP_7(f, c, __VA_ARGS__)
#define BW__MAP_9(f, c, x, ...) f(c, x), BW__MAP_8(f, c, __VA_ARGS__)
#define BW__MAP_10(f, c, x, ...) f(c, x), BW__MAP_9(f, c, __VA_ARGS__)
#define BW__MAP_11(f, c, x, ...) f(c, x), BW__MAP_10(f, c, __VA_ARGS__)
#define BW__MAP_12(f, c, x, ...) f(c, x), BW__MAP_11(f, c, __VA_ARGS__)
#define BW__MAP_13(f, c, x, ...) f(c, x), BW__MAP_12(f, c, __VA_ARGS__)
#define BW__MAP_14(f, c, x, ...) f(c, x), BW__MAP_13(f, c, __VA_ARGS__)
#define BW__MAP_15(f, c, x, ...) f(c, x), BW__MAP_14(f, c, __VA_ARGS__)
#define BW__MAP_16(f, c, x, ...) f(c, x), BW__MAP_15(f, c, __VA_ARGS__)
// clang-format on

#endif
#endif
