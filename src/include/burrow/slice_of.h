/// @file slice_of.h  Typed slices: Go's []T, and a wrong element type does not compile.
///
///     BW_SLICE(int) s = {0};                            // Go: var s []int
///     if (bw_push(&s, 1, 2, 3) < 0) return;             // Go: s = append(s, 1, 2, 3)
///     bw_at(s, 0) = 10;                                 // Go: s[0] = 10
///     BW_SLICE(int) tail = bw_tail(s, 1);               // Go: tail := s[1:]
///     bw_at(tail, 1) += 30;                             // the same array
///     BW_EACH(v, s) printf("%d ", *v);                  // prints 10 2 33
///     printf("len %td cap %td\n", s.len, s.cap);        // prints len 3 cap 4
///     bw_free_slice(s);
///
/// BW_SLICE(T) is a value of three words: `s.data` (a T *), `s.len`, `s.cap`, and `s.untyped` is
/// the same slice as slice.h knows it. All that slice.h says about sharing, ownership, memory,
/// panics and BW_NO_BOUNDS_CHECKS holds here, and nothing is added at run time. A zeroed one is
/// Go's nil slice. Any thread may call; nothing parks.
///
/// T is one word. Numbers, bool and bw_unit are declared below (bw_str in string.h); for your own
/// types write BW_SLICE_TYPE once, beside the definition of the type. At file scope:
///
///     typedef struct job { int id; const char *file; } job;
///     BW_SLICE_TYPE(job);
///     typedef const char *text;                         // a pointer: by typedef
///     BW_SLICE_TYPE(text);
///     typedef BW_SLICE(job) jobs;                       // Go: [][]job
///     BW_SLICE_TYPE(jobs);
///     BW_ORDER(by_id, job, a, b, a->id < b->id);
///     BW_ORDER(by_file, job, a, b, strcmp(a->file, b->file) < 0);
///
/// (An array as the element: array.h.) What is appended must be what C would assign to a T, but
/// numbers go to numbers only, and pointers must point to the same type; as in chan_of.h. These are
/// macros: a value with a comma in it goes in parentheses, and each argument is evaluated once.
///
/// Who owns an array? BW_SLICE_MAKE, BW_SLICE_LIT, bw_clone, and appends that need more room make
/// one; bw_free_slice of a slice that starts at its beginning frees it. So there are two forms:
///
///     BW_SLICE(int) a = BW_SLICE_LIT(int, 1, 2, 3);
///     BW_SLICE(int) b = bw_append(a, 4);                // Go's: a still has its array
///     if (!bw_ok(a) || !bw_ok(b)) return;
///     printf("%d %d\n", bw_at(a, 2), bw_at(b, 3));      // prints 3 4
///     bw_free_slice(b);
///     if (bw_push(&a, 4) < 0) return;                   // the owner's: the old array is freed
///     if (bw_insert(&a, 0, -1, 0) < 0) return;
///     a = bw_delete(a, 1, 3);
///     BW_EACH(v, a) printf("%d ", *v);                  // prints -1 2 3 4
///     bw_free_slice(a);
///
/// bw_append and its kin never free. What they return has a new array if and only if its data
/// differs from that of the slice that was given.
///
/// Sorting and searching. Numbers have an order; what has none gets one by BW_ORDER, above:
///
///     BW_SLICE(double) d = BW_SLICE_LIT(double, 2.5, -1, 7);
///     BW_SLICE(job) todo = BW_SLICE_LIT(job, ((job){2, "b"}), ((job){1, "c"}), ((job){3, "a"}));
///     if (!bw_ok(d) || !bw_ok(todo)) return;
///     bw_sort(d);
///     printf("%td\n", bw_search(d, 2.5));               // prints 1
///     bw_sort_by(todo, by_file);
///     printf("%s\n", bw_at(todo, 0).file);              // prints a
///     bw_sort_stable_by(todo, by_id);
///     job key = {2, NULL};
///     printf("%td\n", bw_search_by(todo, key, by_id));  // prints 1
///     bw_free_slice(d);
///     bw_free_slice(todo);
///
/// What the compiler says, as an error whatever the flags (s is a BW_SLICE(int)):
///
///     - bw_append(s, "text")           static assertion failed: this value is not what the ...
///     - bw_append(s)                   expected expression
///     - bw_append_all(s, doubles)      static assertion failed: these two are not slices of ...
///     - bw_copy(s, doubles)            likewise
///     - BW_SLICE(int) t = doubles;     invalid initializer; incompatible type
///     - BW_SLICE_MAKE(int, -1, 0)      static assertion failed: this length is negative
///     - BW_SLICE(job) without TYPE     unknown type name 'bw_slice_of_job'
///
/// C only: in C++ this header declares nothing.
#ifndef BURROW_SLICE_OF_H
#define BURROW_SLICE_OF_H

#include <burrow/slice.h>
#include <burrow/typed.h>

#ifndef __cplusplus

#define BW_SLICE(T) bw_slice_of_##T

/// Declares the type; at file scope.
#define BW_SLICE_TYPE(T)                                                                           \
  typedef union bw_slice_of_##T {                                                                  \
    struct {                                                                                       \
      T *data;                                                                                     \
      ptrdiff_t len, cap;                                                                          \
    };                                                                                             \
    bw_slice untyped;                                                                              \
  } bw_slice_of_##T

// ---- making -------------------------------------------------------------------------------------

/// make([]T, length, capacity): zeros. No memory: bw_ok is false. bw_slice_make
#define BW_SLICE_MAKE(T, length, capacity)                                                         \
  ((bw_slice_of_##T){                                                                              \
      .untyped = bw_slice_make(sizeof(T), BW__NOT_NEGATIVE(length), BW__NOT_NEGATIVE(capacity))})
/// []T{1, 2, 3}: 1 to 16 values, in an array of its own.
#define BW_SLICE_LIT(T, ...)                                                                       \
  ((bw_slice_of_##T){.untyped =                                                                    \
                         bw_slice_from(sizeof(T), BW__VALUES((bw_slice_of_##T){{0}}, __VA_ARGS__), \
                                       BW__COUNT(__VA_ARGS__))})
/// A view of `n` elements that lie at `pointer`, a T *: unsafe.Slice.
#define BW_SLICE_OF(T, pointer, n)                                                                 \
  ((bw_slice_of_##T){                                                                              \
      .untyped = bw_slice_of((BW__REQUIRE(BW__FITS(*(T **)0, pointer),                             \
                                          "this is not a pointer to what the slice holds"),        \
                              (pointer)),                                                          \
                             (n))})
/// array[:], a view of a C array of Ts. (Not of elements without bytes: BW_SLICE_OF is told how
/// many there are.)
#define BW_SLICE_ARRAY(T, array)                                                                   \
  (BW__REQUIRE(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&*(array))),            \
               "this is a pointer, not an array"),                                                 \
   BW__REQUIRE(sizeof *(array) > 0, "an array of elements without bytes has no length in C"),      \
   BW_SLICE_OF(T, &(array)[0], BW__LENGTH(array)))
/// False for the result of a make or append that found no memory.
#define bw_ok(s) bw_slice_ok((s).untyped)
/// A copy of s with an array of its own, len == cap. (slices.Clone)
#define bw_clone(s) BW__SLICE(s, bw__slice_clone((s).untyped, BW__SIZE(s)))
/// bw_slice_free
#define bw_free_slice(s) bw_slice_free((s).untyped)

// ---- elements and parts -------------------------------------------------------------------------

/// s[i], to read and to assign to. Panics "index out of range [i] with length len".
#define bw_at(s, i) (*(__typeof__((s).data))bw_slice_at((s).untyped, BW__SIZE(s), (i)))
/// s[low:high], s[low:high:max], s[low:], s[:high]: share the array. Panic as Go's.
#define bw_reslice(s, low, high)                                                                   \
  BW__SLICE(s, bw_slice_slice((s).untyped, BW__SIZE(s), (low), (high)))
#define bw_reslice3(s, low, high, max)                                                             \
  BW__SLICE(s, bw_slice_slice3((s).untyped, BW__SIZE(s), (low), (high), (max)))
#define bw_tail(s, low)  BW__SLICE(s, bw_slice_tail((s).untyped, BW__SIZE(s), (low)))
#define bw_head(s, high) BW__SLICE(s, bw_slice_slice((s).untyped, BW__SIZE(s), 0, (high)))
/// s[:len:len]
#define bw_clip(s) BW__SLICE(s, bw_slice_clip((s).untyped))

/// for i, v := range s: the statement that follows runs once an element, with `p`, a T *, at it.
/// s is evaluated once, before; break and continue are those of a loop.
#define BW_EACH(p, s) BW_EACH_AT(bw__i_##p, p, s)
#define BW_EACH_AT(i, p, s)                                                                        \
  for (__typeof__(s) bw__all_##p = (s), *bw__once_##p = &bw__all_##p; bw__once_##p;                \
       bw__once_##p = 0)                                                                           \
    for (ptrdiff_t i = 0; bw__once_##p; bw__once_##p = 0)                                          \
      for (__typeof__(&*(s).data) p = bw__all_##p.data; i < bw__all_##p.len; i++, p++)

// ---- growing ------------------------------------------------------------------------------------

/// append(s, 1, 2, 3): 1 to 16 values. bw_slice_append
#define bw_append(s, ...)                                                                          \
  BW__SLICE(s, bw_slice_append((s).untyped, BW__SIZE(s), BW__VALUES(s, __VA_ARGS__),               \
                               BW__COUNT(__VA_ARGS__)))
/// `n` values that lie at `values`, a T * or const T *; they may be in s itself.
#define bw_append_n(s, values, n)                                                                  \
  BW__SLICE(s, bw_slice_append((s).untyped, BW__SIZE(s), BW__SOURCE_OF(s, values), (n)))
/// append(s, t...)
#define bw_append_all(s, t)                                                                        \
  BW__SLICE(s, bw_slice_append_all((s).untyped, BW__SIZE(s), BW__SAME(s, t).untyped))
/// `n` values with a growth rule by name. bw_slice_append_rule
#define bw_append_rule(rule, s, values, n)                                                         \
  BW__SLICE(s,                                                                                     \
            bw_slice_append_rule((rule), (s).untyped, BW__SIZE(s), BW__SOURCE_OF(s, values), (n)))

// The forms for the one owner of an array: `s` is a pointer to the slice, and the result 0, or
// BW_ENOMEM with nothing changed.

/// bw_slice_push
#define bw_push(s, ...)                                                                            \
  bw_slice_push(&(s)->untyped, BW__SIZE(*(s)), BW__VALUES(*(s), __VA_ARGS__),                      \
                BW__COUNT(__VA_ARGS__))
#define bw_push_n(s, values, n)                                                                    \
  bw_slice_push(&(s)->untyped, BW__SIZE(*(s)), BW__SOURCE_OF(*(s), values), (n))
#define bw_push_all(s, t)                                                                          \
  bw_slice_push_all(&(s)->untyped, BW__SIZE(*(s)), BW__SAME(*(s), t).untyped)
/// Before element i: 1 to 16 values; n values; another slice. bw_slice_insert
#define bw_insert(s, i, ...)                                                                       \
  bw_slice_insert(&(s)->untyped, BW__SIZE(*(s)), (i), BW__VALUES(*(s), __VA_ARGS__),               \
                  BW__COUNT(__VA_ARGS__))
#define bw_insert_n(s, i, values, n)                                                               \
  bw_slice_insert(&(s)->untyped, BW__SIZE(*(s)), (i), BW__SOURCE_OF(*(s), values), (n))
#define bw_insert_all(s, i, t)                                                                     \
  bw__slice_insert_all(&(s)->untyped, BW__SIZE(*(s)), (i), BW__SAME(*(s), t).untyped)
/// Room for n more. bw_slice_grow
#define bw_grow(s, n) bw_slice_grow(&(s)->untyped, BW__SIZE(*(s)), (n))

/// s without [i, j). bw_slice_delete
#define bw_delete(s, i, j) BW__SLICE(s, bw_slice_delete((s).untyped, BW__SIZE(s), (i), (j)))
/// copy(to, from): how many. bw_slice_copy
#define bw_copy(to, from) bw_slice_copy((to).untyped, BW__SAME(to, from).untyped, BW__SIZE(to))

// ---- comparing, searching, sorting --------------------------------------------------------------

/// Whether two slices of numbers or pointers have the same elements. (slices.Equal: a not-a-number
/// equals nothing.)
#define bw_equal(s, t)                                                                             \
  __extension__({                                                                                  \
    BW__COMPARABLE(s);                                                                             \
    BW__HIDING(__typeof__(s) bw__s = (s), bw__t = BW__SAME(s, t));                                 \
    BW__HIDING(ptrdiff_t bw__n = bw__s.len == bw__t.len ? 0 : -1);                                 \
    while (bw__n >= 0 && bw__n < bw__s.len)                                                        \
      bw__n = bw__s.data[bw__n] == bw__t.data[bw__n] ? bw__n + 1 : -1;                             \
    bw__n >= 0;                                                                                    \
  })
/// The index of the first element that is v, or -1. (slices.Index)
#define bw_index(s, v)                                                                             \
  __extension__({                                                                                  \
    BW__COMPARABLE(s);                                                                             \
    BW__HIDING(__typeof__(s) bw__in = (s));                                                        \
    BW__HIDING(__typeof__((s).data) bw__v = BW__VALUES(s, v));                                     \
    BW__HIDING(ptrdiff_t bw__n = 0);                                                               \
    while (bw__n < bw__in.len && !(bw__in.data[bw__n] == *bw__v)) bw__n++;                         \
    bw__n < bw__in.len ? bw__n : -1;                                                               \
  })
/// -1, 0 or 1: the first difference decides, then the length. Numbers; not-a-numbers equal each
/// other and come first. (slices.Compare)
#define bw_compare(s, t) BW__COMPARE(BW__ORDERED(s), s, t, BW__NUMBERS_LESS)
/// Where v is, or would have to be inserted, in a slice that is sorted: the first index whose
/// element does not come before v, or len. (slices.BinarySearch)
#define bw_search(s, v) BW__SEARCH(BW__ORDERED(s), s, BW__VALUES(s, v), BW__NUMBERS_LESS)
/// Numbers, ascending. bw_slice_sort_numbers
#define bw_sort(s)                                                                                 \
  bw_slice_sort_numbers((BW__ORDERED(s), (s).untyped), BW__SIZE(s), BW__NUMBER_KIND(*(s).data))

/// Defines an order of Ts: a and b are const T *, and `expression` says whether *a comes before *b.
/// `name` is then a function of the two, too. At file scope.
#define BW_ORDER(name, T, a, b, expression)                                                        \
  __attribute__((unused)) static inline bool name(const T *a, const T *b) { return (expression); } \
  __attribute__((unused)) static bool name##_less(const void *bw__a, const void *bw__b,            \
                                                  void *bw__arg) {                                 \
    return (void)bw__arg, name((const T *)bw__a, (const T *)bw__b);                                \
  }                                                                                                \
  static bool name##_less(const void *, const void *, void *)
/// The same four by an order, which is the name that BW_ORDER gave it.
#define bw_sort_by(s, order)                                                                       \
  bw_slice_sort((BW__ORDERS(order, s), (s).untyped), BW__SIZE(s), order##_less, NULL)
#define bw_sort_stable_by(s, order)                                                                \
  bw_slice_sort_stable((BW__ORDERS(order, s), (s).untyped), BW__SIZE(s), order##_less, NULL)
#define bw_search_by(s, v, order)  BW__SEARCH(BW__ORDERS(order, s), s, BW__VALUES(s, v), order)
#define bw_compare_by(s, t, order) BW__COMPARE(BW__ORDERS(order, s), s, t, order)

// ---- how it is done -----------------------------------------------------------------------------

#define BW__SIZE(s)           sizeof(*(s).data)
#define BW__SLICE(like, made) ((__typeof__(like)){.untyped = (made)})
#define BW__LENGTH(array)     (ptrdiff_t)(sizeof(array) / sizeof *(array))

// A declaration that may stand in a value for the same macro: it hides the outer one's.
#define BW__HIDING(...)                                                                            \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") __VA_ARGS__;       \
  _Pragma("GCC diagnostic pop")

static inline bw_slice bw__slice_clone(bw_slice s, size_t elem_size) {
  return bw_slice_from(elem_size, s.ptr, s.len);
}
static inline int bw__slice_insert_all(bw_slice *s, size_t elem_size, ptrdiff_t i, bw_slice t) {
  return bw_slice_insert(s, elem_size, i, t.ptr, t.len);
}

// The values as an array of s's elements, which lives until the end of the block that the call
// stands in. All are evaluated before anything is done with s.
#define BW__VALUES(s, ...)                                                                         \
  (BW__MAP(BW__HOLDS, s, __VA_ARGS__), (__typeof__(*(s).data)[]){__VA_ARGS__})
#define BW__HOLDS(s, v)                                                                            \
  BW__REQUIRE(BW__FITS(*(s).data, v), "this value is not what the slice holds")
#define BW__SOURCE_OF(s, values)                                                                   \
  (BW__REQUIRE(BW__FITS(*(const __typeof__(*(s).data) **)0, values),                               \
               "this is not a pointer to what the slice holds"),                                   \
   (values))
#define BW__SAME(s, t)                                                                             \
  (*(BW__REQUIRE(__builtin_types_compatible_p(__typeof__(s), __typeof__(t)),                       \
                 "these two are not slices of the same type"),                                     \
     (__typeof__(t)[1]){(t)}))
#define BW__NOT_NEGATIVE(n) (BW__REQUIRE(BW__CONSTANT_OR_0(n) >= 0, "this length is negative"), (n))

#define BW__COMPARABLE(s)                                                                          \
  BW__REQUIRE(BW__IS_NUMBER(*(s).data) || BW__CLASS(*(s).data) == 5,                               \
              "only numbers and pointers can be compared with ==")
#define BW__ORDERED(s)                                                                             \
  BW__REQUIRE((BW__CLASS(*(s).data) <= 4 && BW__SIZE(s) <= 8) ||                                   \
                  (BW__CLASS(*(s).data) == 8 && (BW__SIZE(s) == 4 || BW__SIZE(s) == 8)),           \
              "these have no order of their own: see BW_ORDER")
#define BW__ORDERS(order, s)                                                                       \
  BW__REQUIRE(__builtin_types_compatible_p(__typeof__(&order), BW__ORDER_OF(*(s).data)),           \
              "this order is of another type")
#define BW__ORDER_OF(x) __typeof__(bool (*)(const __typeof__(x) *, const __typeof__(x) *))
#define BW__NUMBER_KIND(x)                                                                         \
  (BW__CLASS(x) == 8                      ? BW_NUMBER_FLOAT                                        \
   : (__typeof__(x))-1 < (__typeof__(x))1 ? BW_NUMBER_SIGNED                                       \
                                          : BW_NUMBER_UNSIGNED)
// Not-a-numbers come first.
#define BW__NUMBERS_LESS(a, b) (*(a) < *(b) || (!(*(a) <= *(a)) && *(b) <= *(b)))

#define BW__COMPARE(check, s, t, less)                                                             \
  __extension__({                                                                                  \
    check;                                                                                         \
    BW__HIDING(__typeof__(s) bw__s = (s), bw__t = BW__SAME(s, t));                                 \
    BW__HIDING(int bw__c = 0);                                                                     \
    for (ptrdiff_t bw__n = 0; bw__c == 0 && bw__n < bw__s.len && bw__n < bw__t.len; bw__n++)       \
      bw__c = less(bw__s.data + bw__n, bw__t.data + bw__n)   ? -1                                  \
              : less(bw__t.data + bw__n, bw__s.data + bw__n) ? 1                                   \
                                                             : 0;                                  \
    bw__c ? bw__c : (bw__s.len > bw__t.len) - (bw__s.len < bw__t.len);                             \
  })
#define BW__SEARCH(check, s, value, less)                                                          \
  __extension__({                                                                                  \
    check;                                                                                         \
    BW__HIDING(__typeof__(s) bw__in = (s));                                                        \
    BW__HIDING(__typeof__((s).data) bw__v = value);                                                \
    BW__HIDING(ptrdiff_t bw__low = 0, bw__high = bw__in.len);                                      \
    while (bw__low < bw__high) {                                                                   \
      BW__HIDING(ptrdiff_t bw__n = bw__low + (bw__high - bw__low) / 2);                            \
      if (less(bw__in.data + bw__n, bw__v))                                                        \
        bw__low = bw__n + 1;                                                                       \
      else                                                                                         \
        bw__high = bw__n;                                                                          \
    }                                                                                              \
    bw__low;                                                                                       \
  })

// ---- the types that everybody has ---------------------------------------------------------------

BW_SLICE_TYPE(bw_unit);
BW_SLICE_TYPE(bool);
BW_SLICE_TYPE(char);
BW_SLICE_TYPE(int);
BW_SLICE_TYPE(unsigned);
BW_SLICE_TYPE(long);
BW_SLICE_TYPE(size_t);
BW_SLICE_TYPE(float);
BW_SLICE_TYPE(double);
BW_SLICE_TYPE(int8_t);
BW_SLICE_TYPE(int16_t);
BW_SLICE_TYPE(int32_t);
BW_SLICE_TYPE(int64_t);
BW_SLICE_TYPE(uint8_t);
BW_SLICE_TYPE(uint16_t);
BW_SLICE_TYPE(uint32_t);
BW_SLICE_TYPE(uint64_t);

// `bool` is a macro: this is what comes through another macro.
typedef bw_slice_of_bool bw_slice_of__Bool;

#endif
#endif
