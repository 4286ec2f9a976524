// Strings: comparing, searching, cutting, copying. rune.c knows UTF-8, builder.c builds.
//
// Searching. Where the first byte of what is looked for is rare, memchr and memcmp are by far the
// fastest. Where it is not (looking for "aab" in "aaaa...") they take time that is the product of
// the lengths; so after too many false starts the rest is searched with a rolling sum over windows
// of the length (Rabin and Karp), which takes one step a byte whatever the bytes are. A false start
// costs a step, and one more for each 16 bytes that were the same before one was not.
//
// Locks: none. Blocks: never.
#include "lib/str.h"

#include "base/config.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>

static bw_str part(bw_str s, ptrdiff_t low, ptrdiff_t high) {
  return (bw_str){low ? s.data + low : s.data, high - low};
}

bw_str bw_str_view(const void *data, ptrdiff_t n) {
  if (n < 0) bw__panic_runtime("runtime error: unsafe.String: len out of range");
  if (!data && n > 0)
    bw__panic_runtime("runtime error: unsafe.String: ptr is nil and len is not zero");
  return (bw_str){data, n};
}

_Noreturn void bw__panic_str_slice(BW__PLACE_ARG, ptrdiff_t low, ptrdiff_t high, ptrdiff_t len) {
  const bw__panic_place here = {BW__PLACE_ON, NULL};
  if (high < 0)
    bw__panic_runtime_of(&here, "runtime error: slice bounds out of range [:%td]", high);
  if (high > len)
    bw__panic_runtime_of(&here, "runtime error: slice bounds out of range [:%td] with length %td",
                         high, len);
  if (low < 0) bw__panic_runtime_of(&here, "runtime error: slice bounds out of range [%td:]", low);
  bw__panic_runtime_of(&here, "runtime error: slice bounds out of range [%td:%td]", low, high);
}

int bw_str_compare(bw_str s, bw_str t) {
  ptrdiff_t n = s.len < t.len ? s.len : t.len;
  int order = n > 0 ? memcmp(s.data, t.data, (size_t)n) : 0;
  if (order == 0) return (s.len > t.len) - (s.len < t.len);
  return order < 0 ? -1 : 1;
}

// ---- searching ----------------------------------------------------------------------------------

enum { PRIME = 16777619 };

// Where `sub`, which is not longer than s, is in s; -1: nowhere. `step` 1: from the front, the
// first place; -1: from the back, the last.
static ptrdiff_t roll(bw_str s, bw_str sub, int step) {
  ptrdiff_t n = sub.len, last = s.len - n;
  const char *from = step > 0 ? s.data : s.data + s.len - 1;
  const char *like = step > 0 ? sub.data : sub.data + n - 1;
  uint32_t want = 0, sum = 0, power = 1; // power: PRIME to the n
  for (ptrdiff_t i = 0; i < n; i++) {
    want = want * PRIME + (uint8_t)like[i * step];
    sum = sum * PRIME + (uint8_t)from[i * step];
    power *= PRIME;
  }
  for (ptrdiff_t i = 0;; i++) {
    ptrdiff_t at = step > 0 ? i : last - i;
    if (sum == want && memcmp(s.data + at, sub.data, (size_t)n) == 0) return at;
    if (i == last) return -1;
    sum = sum * PRIME + (uint8_t)from[(i + n) * step] - power * (uint8_t)from[i * step];
  }
}

ptrdiff_t bw_str_index_byte(bw_str s, char byte) {
  const char *at = s.len > 0 ? memchr(s.data, byte, (size_t)s.len) : NULL;
  return at ? at - s.data : -1;
}

// Whether the n bytes are the same; adds to *alike how many pieces of them were, in bytes. The
// pieces grow, so that the last one is no longer than 16 bytes and all before it.
static bool same(const char *a, const char *b, ptrdiff_t n, ptrdiff_t *alike) {
  for (ptrdiff_t at = 0, piece = 16; at < n; at += piece, piece *= 2) {
    if (piece > n - at) piece = n - at;
    if (memcmp(a + at, b + at, (size_t)piece) != 0) return false;
    *alike += piece;
  }
  return true;
}

ptrdiff_t bw__str_index(bw_str s, bw_str sub, ptrdiff_t *looks) {
  if (sub.len == 0) return 0;
  ptrdiff_t at = 0, last = s.len - sub.len, starts = 0, alike = 0, found = -1;
  for (; at <= last && found < 0; at++, starts++) {
    if (starts + alike / 16 > 8 + at / 8) {
      found = roll(part(s, at, s.len), sub, 1);
      if (found >= 0) found += at;
      *looks += sub.len + (found < 0 ? last : found) - at;
      break;
    }
    ptrdiff_t next = bw_str_index_byte(part(s, at, last + 1), sub.data[0]);
    if (next < 0) break;
    at += next;
    if (same(s.data + at, sub.data, sub.len, &alike)) found = at;
  }
  *looks += at + 16 * starts + 2 * alike;
  return found;
}

ptrdiff_t bw_str_index(bw_str s, bw_str sub) {
  ptrdiff_t looks = 0;
  return bw__str_index(s, sub, &looks);
}

ptrdiff_t bw_str_last_index(bw_str s, bw_str sub) {
  if (sub.len == 0) return s.len;
  return sub.len > s.len ? -1 : roll(s, sub, -1);
}

// ---- parts --------------------------------------------------------------------------------------

bool bw_str_cut(bw_str s, bw_str sep, bw_str *before, bw_str *after) {
  ptrdiff_t at = bw_str_index(s, sep);
  *before = at < 0 ? s : part(s, 0, at);
  *after = at < 0 ? (bw_str){NULL, 0} : part(s, at + sep.len, s.len);
  return at >= 0;
}

bw_str bw_str_trim_prefix(bw_str s, bw_str prefix) {
  return bw_str_has_prefix(s, prefix) ? part(s, prefix.len, s.len) : s;
}

bw_str bw_str_trim_suffix(bw_str s, bw_str suffix) {
  return bw_str_has_suffix(s, suffix) ? part(s, 0, s.len - suffix.len) : s;
}

static bool is_in(bw_rune rune, bw_str set) {
  for (bw_runes it = bw_str_runes(set); bw_runes_next(&it);)
    if (it.rune == rune) return true;
  return false;
}

// Unicode's property White_Space.
static bool is_space(bw_rune rune, bw_str unused) {
  (void)unused;
  if (rune < 0x100)
    return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xa0;
  return (rune >= 0x2000 && rune <= 0x200a) || rune == 0x1680 || rune == 0x2028 || rune == 0x2029 ||
         rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

static bw_str trim(bw_str s, bool (*drop)(bw_rune rune, bw_str set), bw_str set) {
  ptrdiff_t width;
  while (s.len > 0 && drop(bw_rune_decode(s, &width), set)) s = part(s, width, s.len);
  while (s.len > 0 && drop(bw_rune_decode_last(s, &width), set)) s = part(s, 0, s.len - width);
  return s;
}

bw_str bw_str_trim(bw_str s, bw_str cutset) { return trim(s, is_in, cutset); }

bw_str bw_str_trim_space(bw_str s) { return trim(s, is_space, s); }

bw_split bw_str_split(bw_str s, bw_str sep) {
  return (bw_split){s, sep, sep.len == 0 && s.len == 0};
}

bool bw_split_next(bw_split *it, bw_str *next) {
  if (it->done) return false;
  ptrdiff_t at;
  if (it->sep.len == 0) {
    bw_rune_decode(it->rest, &at);
    it->done = at == it->rest.len;
  } else {
    at = bw_str_index(it->rest, it->sep);
    it->done = at < 0;
    if (it->done) at = it->rest.len;
  }
  *next = part(it->rest, 0, at);
  if (!it->done) it->rest = part(it->rest, at + it->sep.len, it->rest.len);
  return true;
}

// ---- copies -------------------------------------------------------------------------------------

int bw_str_clone(bw_str s, bw_str *out) {
  bw_slice copy = bw_slice_from(1, s.data, s.len);
  if (!bw_slice_ok(copy)) return BW_ENOMEM;
  *out = (bw_str){copy.ptr, copy.len};
  return 0;
}

int bw_str_from_bytes(bw_slice bytes, bw_str *out) {
  return bw_str_clone((bw_str){bytes.ptr, bytes.len}, out);
}

void bw_str_free(bw_str s) { bw_slice_free((bw_slice){(void *)(uintptr_t)s.data, s.len, s.len}); }

bw_slice bw_str_to_bytes(bw_str s) { return bw_slice_from(1, s.data, s.len); }

bw_slice bw_str_to_runes(bw_str s) {
  ptrdiff_t n = bw_str_rune_count(s);
  bw_slice runes = bw_slice_make(sizeof(bw_rune), n, n);
  if (!bw_slice_ok(runes)) return runes;
  bw_rune *to = runes.ptr;
  for (bw_runes it = bw_str_runes(s); bw_runes_next(&it);) *to++ = it.rune;
  return runes;
}

char *bw_str_to_c(bw_str s) {
  char *c = bw_malloc((size_t)s.len + 1);
  if (!c) return NULL;
  if (s.len > 0) memcpy(c, s.data, (size_t)s.len);
  c[s.len] = 0;
  return c;
}

ptrdiff_t bw__copy_str(bw_slice to, bw_str str) {
  ptrdiff_t n = to.len < str.len ? to.len : str.len;
  if (n > 0) memmove(to.ptr, str.data, (size_t)n);
  return n;
}
