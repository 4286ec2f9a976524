// A 4-ary min-heap of intrusive nodes ordered by a 64-bit key. Four children a node make it half as
// deep as a binary heap, and the four keys of a parent lie close together. A node knows its index,
// so removing from the middle is O(log n).
//
// The array belongs to the heap's user, who grows it: bw__heap_push must only be called with
// len < cap. I1: key(parent) <= key(child). I2: at[i]->index == i.
#ifndef BURROW_BASE_HEAP_H
#define BURROW_BASE_HEAP_H

#include "base/config.h"

#define BW_HEAP_NOWHERE ((size_t)-1)

typedef struct {
  int64_t key;
  size_t index; // place in the array, BW_HEAP_NOWHERE when in no heap
} bw__heap_node;

typedef struct {
  bw__heap_node **at;
  size_t len, cap;
} bw__heap;

static inline void bw__heap_put(bw__heap *h, size_t i, bw__heap_node *n) {
  h->at[i] = n;
  n->index = i;
}

static inline void bw__heap_up(bw__heap *h, size_t i, bw__heap_node *n) {
  while (i > 0) {
    size_t parent = (i - 1) / 4;
    if (h->at[parent]->key <= n->key) break;
    bw__heap_put(h, i, h->at[parent]);
    i = parent;
  }
  bw__heap_put(h, i, n);
}

static inline void bw__heap_down(bw__heap *h, size_t i, bw__heap_node *n) {
  for (;;) {
    size_t first = i * 4 + 1, best = first;
    if (first >= h->len) break;
    size_t last = first + 4 < h->len ? first + 4 : h->len;
    for (size_t c = first + 1; c < last; c++)
      if (h->at[c]->key < h->at[best]->key) best = c;
    if (h->at[best]->key >= n->key) break;
    bw__heap_put(h, i, h->at[best]);
    i = best;
  }
  bw__heap_put(h, i, n);
}

static inline void bw__heap_push(bw__heap *h, bw__heap_node *n) {
  BW_ASSERT(h->len < h->cap);
  bw__heap_up(h, h->len++, n);
}

static inline void bw__heap_remove(bw__heap *h, bw__heap_node *n) {
  size_t i = n->index;
  BW_ASSERT(i < h->len && h->at[i] == n);
  bw__heap_node *last = h->at[--h->len];
  n->index = BW_HEAP_NOWHERE;
  if (last == n) return;
  if (i > 0 && h->at[(i - 1) / 4]->key > last->key)
    bw__heap_up(h, i, last);
  else
    bw__heap_down(h, i, last);
}

static inline bw__heap_node *bw__heap_min(const bw__heap *h) { return h->len ? h->at[0] : NULL; }

#endif
