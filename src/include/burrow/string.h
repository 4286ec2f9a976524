/// @file string.h  Strings: immutable bytes, a pointer and a length, as in Go; and a builder.
///
///     bw_str s = BW_STR("key=value=7"), key, value;
///     if (bw_str_cut(s, BW_STR("="), &key, &value))
///       printf("%.*s\n", BW_STR_ARG(value));            // prints value=7
///     printf("%td\n", bw_str_index(s, BW_STR("=7")));   // prints 9
///     bw_split it = bw_str_split(BW_STR("a,,b"), BW_STR(","));
///     for (bw_str part; bw_split_next(&it, &part);)
///       printf("[%.*s]", BW_STR_ARG(part));             // prints [a][][b]
///
/// A bw_str is a small value that is copied freely and shares its bytes with the strings it was cut
/// from; nobody writes them. It has no 0 at its end and may hold any bytes; text in it is UTF-8. A
/// zeroed one is the empty string. Like any pointer it is good for as long as the bytes that it
/// points to: what a program keeps of a buffer that changes it copies first (bw_str_clone).
///
/// Runes. An index counts bytes. Going through a string by runes gives what Go's range does: where
/// bytes are no UTF-8 (also surrogates, numbers above U+10FFFF, and forms longer than need be) the
/// rune is U+FFFD, and one byte is gone past.
///
///     bw_runes r = bw_str_runes(BW_STR("a\xc3\xa9\xff!"));
///     while (bw_runes_next(&r))
///       printf("%td:%x ", r.index, (unsigned)r.rune);   // prints 0:61 1:e9 3:fffd 4:21
///
/// Building. A bw_builder is an array that grows as slices do, and nothing is copied but on growth:
///
///     bw_builder b = {0};
///     int code = bw_builder_str(&b, BW_STR("caf"));
///     if (code == 0) code = bw_builder_rune(&b, 0xe9);
///     if (code == 0) code = bw_builder_printf(&b, " %d%s", 3, "x");
///     if (code < 0) return;                             // BW_ENOMEM
///     bw_str s = bw_builder_view(&b);
///     printf("%td: %.*s\n", s.len, BW_STR_ARG(s));      // prints 8: café 3x
///     bw_builder_free(&b);
///
/// Any thread may call; a builder, like any data, is for one at a time. Nothing parks. Where memory
/// is needed and there is none the code is BW_ENOMEM (or NULL), and all is as it was: what was
/// built before can still be used, and be tried again.
#ifndef BURROW_STRING_H
#define BURROW_STRING_H

#include <burrow/slice_of.h>
#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/// 0 <= len; data may be NULL when len is 0.
typedef struct bw_str {
  const char *data;
  ptrdiff_t len;
} bw_str;

/// A code point.
typedef int32_t bw_rune;
#define BW_RUNE_ERROR ((bw_rune)0xfffd) ///< utf8.RuneError
#define BW_RUNE_MAX   ((bw_rune)0x10ffff)
#define BW_UTF8_MAX   4 ///< bytes of a rune

/// A string literal as a bw_str; 0 bytes in it count. (For a static variable: {"text", 4}.)
#ifdef __cplusplus
#define BW_STR(literal) (bw_str{"" literal, (ptrdiff_t)sizeof(literal) - 1})
#else
#define BW_STR(literal) ((bw_str){"" literal, (ptrdiff_t)sizeof(literal) - 1})
#endif
/// The two arguments of a "%.*s". `s` is evaluated twice.
#define BW_STR_ARG(s) (int)(s).len, (s).data ? (s).data : ""

static inline bw_str bw__str(const char *data, ptrdiff_t len) {
  bw_str s;
  s.data = data;
  s.len = len;
  return s;
}

/// A view of a C string, without its 0; NULL is the empty string.
static inline bw_str bw_str_of(const char *c) { return bw__str(c, c ? (ptrdiff_t)strlen(c) : 0); }
/// A view of `n` bytes. Panics "unsafe.String: len out of range" (n < 0) / "unsafe.String: ptr is
/// nil and len is not zero".
bw_str bw_str_view(const void *data, ptrdiff_t n);

// ---- bytes and parts ----------------------------------------------------------------------------

BW_NORETURN void bw__panic_str_slice(BW__PLACE_ARG, ptrdiff_t low, ptrdiff_t high, ptrdiff_t len);

static inline uint8_t bw__str_at(BW__PLACE_ARG, bw_str s, ptrdiff_t i) {
  BW__BOUNDS((size_t)i < (size_t)s.len, bw__panic_index(BW__PLACE_ON, i, s.len));
  return (uint8_t)s.data[i];
}
static inline bw_str bw__str_slice(BW__PLACE_ARG, bw_str s, ptrdiff_t low, ptrdiff_t high) {
  BW__BOUNDS(0 <= low && low <= high && high <= s.len,
             bw__panic_str_slice(BW__PLACE_ON, low, high, s.len));
  return bw__str(low ? s.data + low : s.data, high - low);
}
static inline bw_str bw__str_tail(BW__PLACE_ARG, bw_str s, ptrdiff_t low) {
  return bw__str_slice(BW__PLACE_ON, s, low, s.len);
}
static inline bw_str bw__str_head(BW__PLACE_ARG, bw_str s, ptrdiff_t high) {
  return bw__str_slice(BW__PLACE_ON, s, 0, high);
}

/// s[i], a byte. Panics "index out of range [i] with length len". (BW_NO_BOUNDS_CHECKS: slice.h)
static inline uint8_t bw_str_at(bw_str s, ptrdiff_t i) {
  return bw__str_at(NULL, 0, __func__, s, i);
}
#define bw_str_at(...) bw__str_at(BW__PLACE, __VA_ARGS__)
/// s[low:high]: shares the bytes. Panics "slice bounds out of range [:high] with length len" /
/// "[low:high]".
static inline bw_str bw_str_slice(bw_str s, ptrdiff_t low, ptrdiff_t high) {
  return bw__str_slice(NULL, 0, __func__, s, low, high);
}
#define bw_str_slice(...) bw__str_slice(BW__PLACE, __VA_ARGS__)
/// s[low:] and s[:high]
static inline bw_str bw_str_tail(bw_str s, ptrdiff_t low) {
  return bw__str_tail(NULL, 0, __func__, s, low);
}
#define bw_str_tail(...) bw__str_tail(BW__PLACE, __VA_ARGS__)
static inline bw_str bw_str_head(bw_str s, ptrdiff_t high) {
  return bw__str_head(NULL, 0, __func__, s, high);
}
#define bw_str_head(...) bw__str_head(BW__PLACE, __VA_ARGS__)

/// s == t
static inline bool bw_str_eq(bw_str s, bw_str t) {
  return s.len == t.len && (s.len == 0 || memcmp(s.data, t.data, (size_t)s.len) == 0);
}
/// -1, 0, 1: by bytes, and a beginning is less than the whole. (strings.Compare)
int bw_str_compare(bw_str s, bw_str t);

/// Where `sub` is first, and last; -1: nowhere. The empty string is at 0, and at s.len. Time is
/// that of the lengths' sum.
ptrdiff_t bw_str_index(bw_str s, bw_str sub);
ptrdiff_t bw_str_last_index(bw_str s, bw_str sub);
/// Where the first such byte is, or -1.
ptrdiff_t bw_str_index_byte(bw_str s, char byte);
static inline bool bw_str_contains(bw_str s, bw_str sub) { return bw_str_index(s, sub) >= 0; }
static inline bool bw_str_has_prefix(bw_str s, bw_str prefix) {
  return s.len >= prefix.len && bw_str_eq(bw__str(s.data, prefix.len), prefix);
}
static inline bool bw_str_has_suffix(bw_str s, bw_str suffix) {
  return s.len >= suffix.len && bw_str_eq(bw_str_tail(s, s.len - suffix.len), suffix);
}

/// What is before and after the first `sep`. False: there is none, and *before is s, *after empty.
bool bw_str_cut(bw_str s, bw_str sep, bw_str *before, bw_str *after);
/// s without that prefix or suffix, if it has it.
bw_str bw_str_trim_prefix(bw_str s, bw_str prefix);
bw_str bw_str_trim_suffix(bw_str s, bw_str suffix);
/// s without the runes of `cutset` at both ends.
bw_str bw_str_trim(bw_str s, bw_str cutset);
/// s without white space, as Unicode defines it, at both ends.
bw_str bw_str_trim_space(bw_str s);

/// The parts between separators, as strings.Split: one more than there are separators. Without a
/// separator (an empty `sep`) the parts are the runes.
typedef struct bw_split {
  bw_str rest, sep;
  bool done;
} bw_split;
bw_split bw_str_split(bw_str s, bw_str sep);
/// False: that was all; *part is unchanged.
bool bw_split_next(bw_split *it, bw_str *part);

// ---- runes --------------------------------------------------------------------------------------

/// The rune that s begins with, and its bytes in *width. BW_RUNE_ERROR with width 1: no UTF-8; with
/// width 0: s is empty. (utf8.DecodeRuneInString)
bw_rune bw_rune_decode(bw_str s, ptrdiff_t *width);
/// The rune that s ends with.
bw_rune bw_rune_decode_last(bw_str s, ptrdiff_t *width);
/// Writes a rune as UTF-8; returns its bytes. What is no rune is written as BW_RUNE_ERROR.
int bw_rune_encode(char out[BW_UTF8_MAX], bw_rune rune);

/// for index, rune := range s
typedef struct bw_runes {
  bw_str s;
  ptrdiff_t index; ///< of the rune's first byte
  ptrdiff_t width; ///< its bytes
  bw_rune rune;
} bw_runes;
static inline bw_runes bw_str_runes(bw_str s) {
  bw_runes it;
  it.s = s;
  it.index = it.width = 0;
  it.rune = 0;
  return it;
}
/// False: that was all.
static inline bool bw_runes_next(bw_runes *it) {
  it->index += it->width;
  if (it->index >= it->s.len) {
    it->width = 0;
    return false;
  }
  it->rune = (uint8_t)it->s.data[it->index];
  it->width = 1;
  if (it->rune >= 0x80)
    it->rune = bw_rune_decode(bw__str(it->s.data + it->index, it->s.len - it->index), &it->width);
  return true;
}

/// How many runes a range over s gives. (utf8.RuneCountInString)
ptrdiff_t bw_str_rune_count(bw_str s);
/// Whether all of s is UTF-8. (utf8.ValidString)
bool bw_str_valid(bw_str s);

// ---- copies -------------------------------------------------------------------------------------

/// A copy of the bytes in *out, which bw_str_free frees.
int bw_str_clone(bw_str s, bw_str *out);
/// string(bytes): a copy of a slice of bytes.
int bw_str_from_bytes(bw_slice bytes, bw_str *out);
/// For strings of bw_str_clone, bw_str_from_bytes and bw_builder_take only.
void bw_str_free(bw_str s);
/// []byte(s), []rune(s): a copy in a slice of uint8_t or bw_rune that bw_slice_free frees. No
/// memory: bw_slice_ok is false.
bw_slice bw_str_to_bytes(bw_str s);
bw_slice bw_str_to_runes(bw_str s);
/// A C string, with a 0 at its end; bw_free frees it. NULL: no memory.
char *bw_str_to_c(bw_str s);

// ---- builder ------------------------------------------------------------------------------------

/// A zeroed one is empty. It is not copied while it is in use.
typedef struct bw_builder {
  bw_slice bytes; ///< of char; it owns its array
} bw_builder;

/// Room for n more bytes: writing them will not allocate.
int bw_builder_grow(bw_builder *b, ptrdiff_t n);
/// What is written may be a part of what was built. 0 or BW_ENOMEM.
static inline int bw_builder_write(bw_builder *b, const void *bytes, ptrdiff_t n) {
  return bw_slice_push(&b->bytes, 1, bytes, n);
}
static inline int bw_builder_str(bw_builder *b, bw_str s) {
  return bw_slice_push(&b->bytes, 1, s.data, s.len);
}
static inline int bw_builder_byte(bw_builder *b, char byte) {
  return bw_slice_push(&b->bytes, 1, &byte, 1);
}
int bw_builder_rune(bw_builder *b, bw_rune rune);
/// Text as printf makes it, by the C library. No argument may point into the builder. BW_EINVAL:
/// the library refused. It may need 8 KB of stack: see bw_go_with in go.h for goroutines with more.
__attribute__((format(printf, 2, 3))) int bw_builder_printf(bw_builder *b, const char *format, ...);
__attribute__((format(printf, 2, 0))) int bw_builder_vprintf(bw_builder *b, const char *format,
                                                             va_list args);

/// What was built, until the next write.
static inline bw_str bw_builder_view(const bw_builder *b) {
  return bw__str((const char *)b->bytes.ptr, b->bytes.len);
}
/// The same as a C string: with a 0 behind it, which does not count. NULL: no memory.
const char *bw_builder_c(bw_builder *b);
/// What was built becomes the caller's, for bw_str_free, and the builder is empty.
bw_str bw_builder_take(bw_builder *b);
/// Empty again, with its memory.
static inline void bw_builder_reset(bw_builder *b) { b->bytes.len = 0; }
/// Empty again, without.
void bw_builder_free(bw_builder *b);

#ifdef __cplusplus
}
#else

// ---- with typed slices --------------------------------------------------------------------------

BW_SLICE_TYPE(bw_str);
BW_SLICE_TYPE(bw_rune);

/// append(s, str...), the owner's form of it, and copy(to, str); of slices of bytes.
#define bw_append_str(s, str) BW__SLICE(s, bw__append_str((BW__BYTES(s), (s).untyped), (str)))
#define bw_push_str(s, str)   bw__push_str((BW__BYTES(*(s)), &(s)->untyped), (str))
#define bw_copy_str(to, str)  bw__copy_str((BW__BYTES(to), (to).untyped), (str))
#define BW__BYTES(s)                                                                               \
  BW__REQUIRE(BW__SIZE(s) == 1 && BW__CLASS(*(s).data) <= 4, "this is not a slice of bytes")

static inline bw_slice bw__append_str(bw_slice s, bw_str str) {
  return bw_slice_append(s, 1, str.data, str.len);
}
static inline int bw__push_str(bw_slice *s, bw_str str) {
  return bw_slice_push(s, 1, str.data, str.len);
}
ptrdiff_t bw__copy_str(bw_slice to, bw_str str);

#endif
#endif
