// An ordered set of free spans, by length and then by address: the page heap keeps spans of more
// than 128 pages in it and takes the best fit. A treap, intrusive in the spans: a binary search
// tree by key that is at the same time a heap by a priority. The priority is a hash of the address,
// so it needs no field and the shape depends on the content alone; depth is O(log n) expected.
//
// Guarded by the page heap's lock.
#ifndef BURROW_ALLOC_SPANSET_H
#define BURROW_ALLOC_SPANSET_H

#include "alloc/span.h"

typedef struct {
  bw__span *root;
} bw__spanset;

void bw__spanset_insert(bw__spanset *set, bw__span *s);
// `s` must be in the set, and must not have changed length since it was put there.
void bw__spanset_remove(bw__spanset *set, bw__span *s);
// The shortest span of at least `pages`, of these the lowest; NULL when there is none.
bw__span *bw__spanset_best_fit(const bw__spanset *set, size_t pages);
// Any span that follows `s` in key order; the first one when `s` is NULL.
bw__span *bw__spanset_next(const bw__spanset *set, const bw__span *s);
// The span before `s` in key order; the last one, which is the longest, when `s` is NULL.
bw__span *bw__spanset_prev(const bw__spanset *set, const bw__span *s);
// Checks order and heap property of the whole tree; for tests and assertions.
bool bw__spanset_valid(const bw__spanset *set);

#endif
