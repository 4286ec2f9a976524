#include "alloc/spanset.h"

#include "base/rand.h"

static uint64_t priority_of(const bw__span *s) { return bw__rand_mix(s->start); }

static bool is_before(size_t pages, uintptr_t start, const bw__span *s) {
  return pages != s->pages ? pages < s->pages : start < s->start;
}

// Descends to where `s` has the higher priority, then splits what is below into the spans before
// and after it: these become its children.
void bw__spanset_insert(bw__spanset *set, bw__span *s) {
  bw__span **at = &set->root;
  uint64_t priority = priority_of(s);
  while (*at && priority_of(*at) >= priority)
    at = is_before(s->pages, s->start, *at) ? &(*at)->tree.left : &(*at)->tree.right;
  bw__span *below = *at, **before = &s->tree.left, **after = &s->tree.right;
  *at = s;
  while (below) {
    if (is_before(s->pages, s->start, below)) {
      *after = below;
      after = &below->tree.left;
      below = *after;
    } else {
      *before = below;
      before = &below->tree.right;
      below = *before;
    }
  }
  *before = *after = NULL;
}

// Puts the merge of its two subtrees in the place of `s`: the higher priority goes on top, again
// and again.
void bw__spanset_remove(bw__spanset *set, bw__span *s) {
  bw__span **at = &set->root;
  while (*at != s) at = is_before(s->pages, s->start, *at) ? &(*at)->tree.left : &(*at)->tree.right;
  bw__span *left = s->tree.left, *right = s->tree.right;
  while (left && right) {
    if (priority_of(left) >= priority_of(right)) {
      *at = left;
      at = &left->tree.right;
      left = *at;
    } else {
      *at = right;
      at = &right->tree.left;
      right = *at;
    }
  }
  *at = left ? left : right;
  s->tree.left = s->tree.right = NULL;
}

// The first span whose key is not before (pages, start).
static bw__span *first_from(const bw__spanset *set, size_t pages, uintptr_t start) {
  bw__span *found = NULL;
  for (bw__span *s = set->root; s;) {
    if (s->pages < pages || (s->pages == pages && s->start < start))
      s = s->tree.right;
    else {
      found = s;
      s = s->tree.left;
    }
  }
  return found;
}

bw__span *bw__spanset_best_fit(const bw__spanset *set, size_t pages) {
  return first_from(set, pages, 0);
}

bw__span *bw__spanset_next(const bw__spanset *set, const bw__span *s) {
  return s ? first_from(set, s->pages, s->start + 1) : first_from(set, 0, 0);
}

bw__span *bw__spanset_prev(const bw__spanset *set, const bw__span *s) {
  bw__span *found = NULL;
  for (bw__span *at = set->root; at;) {
    if (s && !is_before(at->pages, at->start, s)) {
      at = at->tree.left;
    } else {
      found = at;
      at = at->tree.right;
    }
  }
  return found;
}

static bool valid_below(const bw__span *s, const bw__span *low, const bw__span *high) {
  if (!s) return true;
  if (low && !is_before(low->pages, low->start, s)) return false;
  if (high && !is_before(s->pages, s->start, high)) return false;
  const bw__span *l = s->tree.left, *r = s->tree.right;
  if ((l && priority_of(l) > priority_of(s)) || (r && priority_of(r) > priority_of(s)))
    return false;
  return valid_below(l, low, s) && valid_below(r, s, high);
}

bool bw__spanset_valid(const bw__spanset *set) { return valid_below(set->root, NULL, NULL); }
