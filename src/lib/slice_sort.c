// Slices: sorting by an order that is a function.
//
// bw_slice_sort is a quicksort that gives up: after 2 log n levels of bad luck the rest is
// heap-sorted, so no input makes it quadratic. Short parts are insertion-sorted. Elements are
// exchanged in place and never copied out, for an order may panic and leave for good: at every call
// of `less` all elements are in the slice.
//
// bw_slice_sort_stable insertion-sorts runs of RUN elements, then merges neighbours in place:
// the longer half of one is cut in the middle, the place of the cut in the other is searched for,
// the two inner pieces change places, and that leaves two smaller merges. The depth is the
// logarithm of the length.
//
// Slices of numbers have functions of their own (slice_numbers.c). Locks: none. Blocks: whatever
// `less` does, which may yield and park.
#include <burrow/slice.h>

#include "base/config.h"
#include "lib/slice_turn.h"

enum { SHORT = 12, RUN = 16 };

typedef struct {
  char *at;
  size_t size; // > 0
  bw_less *less;
  void *arg;
} task;

static bool before(const task *t, size_t i, size_t j) {
  return t->less(t->at + i * t->size, t->at + j * t->size, t->arg);
}

static void exchange(const task *t, size_t i, size_t j) {
  char *a = t->at + i * t->size, *b = t->at + j * t->size;
  if (t->size == 8) {
    uint64_t x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    memcpy(a, &y, 8);
    memcpy(b, &x, 8);
  } else if (i != j) {
    bw__slice_exchange(a, b, t->size);
  }
}

static void insertion_sort(const task *t, size_t from, size_t to) {
  for (size_t i = from + 1; i < to; i++)
    for (size_t j = i; j > from && before(t, j, j - 1); j--) exchange(t, j, j - 1);
}

// ---- the quick one ------------------------------------------------------------------------------

// Element `root` of the heap [from, from + n), of which the largest is first, goes down to its
// place.
static void sift(const task *t, size_t from, size_t root, size_t n) {
  for (size_t child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && before(t, from + child, from + child + 1)) child++;
    if (!before(t, from + root, from + child)) return;
    exchange(t, from + root, from + child);
  }
}

static void heap_sort(const task *t, size_t from, size_t to) {
  size_t n = to - from;
  for (size_t root = n / 2; root-- > 0;) sift(t, from, root, n);
  while (n-- > 1) {
    exchange(t, from, from + n);
    sift(t, from, 0, n);
  }
}

static size_t median(const task *t, size_t a, size_t b, size_t c) {
  if (before(t, b, a)) return before(t, c, b) ? b : before(t, c, a) ? c : a;
  return before(t, c, a) ? a : before(t, c, b) ? c : b;
}

// Exchanges elements of [from, to) so that none before the result comes after it, and none behind
// before it.
static size_t part(const task *t, size_t from, size_t to) {
  size_t n = to - from, middle = from + n / 2, first = from, last = to - 1;
  if (n > 100) {
    size_t step = n / 8;
    first = median(t, first, from + step, from + 2 * step);
    middle = median(t, middle - step, middle, middle + step);
    last = median(t, last - 2 * step, last - step, last);
  }
  exchange(t, from, median(t, first, middle, last)); // the pivot is at `from` from here on
  size_t i = from + 1, j = to - 1;
  for (;;) {
    while (i <= j && before(t, i, from)) i++;
    while (i <= j && before(t, from, j)) j--;
    if (i >= j) break;
    exchange(t, i++, j--);
  }
  exchange(t, from, j);
  return j;
}

static void quick_sort(const task *t, size_t from, size_t to, int levels) {
  while (to - from > SHORT) {
    if (levels-- == 0) {
      heap_sort(t, from, to);
      return;
    }
    size_t pivot = part(t, from, to);
    if (pivot - from < to - pivot - 1) { // recursion into the smaller part: log n levels of stack
      quick_sort(t, from, pivot, levels);
      from = pivot + 1;
    } else {
      quick_sort(t, pivot + 1, to, levels);
      to = pivot;
    }
  }
  insertion_sort(t, from, to);
}

// ---- the stable one -----------------------------------------------------------------------------

// The first of [from, to), which is sorted, that does not come before `key`; or (`after`) the first
// that comes after it.
static size_t place_of(const task *t, size_t from, size_t to, size_t key, bool after) {
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (after ? !before(t, key, middle) : before(t, middle, key))
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

// Merges [from, middle) and [middle, to), each sorted.
static void merge(const task *t, size_t from, size_t middle, size_t to) {
  while (from < middle && middle < to) {
    size_t left, right; // [left, middle) and [middle, right) change places
    if (middle - from + (to - middle) == 2) {
      if (before(t, middle, from)) exchange(t, from, middle);
      return;
    }
    if (middle - from > to - middle) {
      left = from + (middle - from) / 2;
      right = place_of(t, middle, to, left, false);
    } else {
      right = middle + (to - middle) / 2;
      left = place_of(t, from, middle, right, true);
    }
    bw__slice_turn(t->at + left * t->size, (middle - left) * t->size, (right - middle) * t->size);
    size_t cut = left + (right - middle);
    merge(t, from, left, cut);
    from = cut, middle = right;
  }
}

// ---- public -------------------------------------------------------------------------------------

void bw_slice_sort(bw_slice s, size_t elem_size, bw_less *less, void *arg) {
  if (s.len < 2 || elem_size == 0) return;
  int levels = 0;
  for (size_t n = (size_t)s.len; n > 0; n >>= 1) levels += 2;
  quick_sort(&(task){s.ptr, elem_size, less, arg}, 0, (size_t)s.len, levels);
}

void bw_slice_sort_stable(bw_slice s, size_t elem_size, bw_less *less, void *arg) {
  if (s.len < 2 || elem_size == 0) return;
  task t = {s.ptr, elem_size, less, arg};
  size_t n = (size_t)s.len;
  for (size_t from = 0; from < n; from += RUN)
    insertion_sort(&t, from, n - from < RUN ? n : from + RUN);
  for (size_t run = RUN; run < n; run *= 2)
    for (size_t from = 0; n - from > run; from += 2 * run) {
      size_t to = n - from < 2 * run ? n : from + 2 * run;
      merge(&t, from, from + run, to);
      if (to == n) break;
    }
}

bool bw_slice_is_sorted(bw_slice s, size_t elem_size, bw_less *less, void *arg) {
  task t = {s.ptr, elem_size, less, arg};
  for (ptrdiff_t i = 1; i < s.len; i++)
    if (before(&t, (size_t)i, (size_t)i - 1)) return false;
  return true;
}
