// A 4-ary min-heap of (key, item) with the keys in the array itself: sifting reads and writes the
// heap's own memory only, never an item. Four children a node make it half as deep as a binary
// heap, and they share one cache line.
//
// An item is known by its slot, a small number that stays the same as long as the item is in the
// heap; `place` says where in the array the slot's entry is at the moment. So removing from the
// middle and changing a key are O(log n), and whoever keeps a slot keeps no pointer.
//
// The memory belongs to the heap's user, who brings a larger block when bw__heap_full.
//
// I1: key(parent) <= key(child). I2: place[at[i].slot] == i. I3: item[s] == NULL: slot s is free,
// and place[s] is the next free slot.
#ifndef BURROW_BASE_HEAP_H
#define BURROW_BASE_HEAP_H

#include <string.h>

#include "base/config.h"

#define BW_HEAP_NO_SLOT UINT32_MAX

// 16 bytes also where a pointer has 4, so that four fill a cache line.
typedef struct {
  int64_t key;
  uint32_t slot, unused;
} bw__heap_entry;

typedef struct {
  bw__heap_entry *at;
  void **item;
  uint32_t *place;
  uint32_t len, cap;
  uint32_t slots; // ever used: free or not
  uint32_t free;  // first free slot, BW_HEAP_NO_SLOT: none
  void *block;    // what the user brought
} bw__heap;

// Entry 0 stands at the end of a cache line, so that entries 1..4, 5..8, ... have one each.
enum { BW_HEAP_LEAD = BW_CACHE_LINE / sizeof(bw__heap_entry) - 1 };

static inline void bw__heap_init(bw__heap *h) { *h = (bw__heap){.free = BW_HEAP_NO_SLOT}; }

static inline bool bw__heap_full(const bw__heap *h) { return h->len == h->cap; }

// The size of a block for `cap` items; to be aligned to BW_CACHE_LINE.
static inline size_t bw__heap_bytes(uint32_t cap) {
  size_t bytes = (cap + (size_t)BW_HEAP_LEAD) * sizeof(bw__heap_entry) +
                 cap * (sizeof(void *) + sizeof(uint32_t));
  return bw__align_up(bytes, BW_CACHE_LINE);
}

// Moves into a larger block, which must have bw__heap_bytes(cap) bytes. Returns the old one.
static inline void *bw__heap_grow(bw__heap *h, void *block, uint32_t cap) {
  BW_ASSERT(cap > h->cap);
  bw__heap old = *h;
  h->block = block;
  h->cap = cap;
  h->at = (bw__heap_entry *)block + BW_HEAP_LEAD;
  h->item = (void **)(h->at + cap);
  h->place = (uint32_t *)(h->item + cap);
  if (old.block) {
    memcpy(h->at, old.at, old.len * sizeof *h->at);
    memcpy(h->item, old.item, old.slots * sizeof *h->item);
    memcpy(h->place, old.place, old.slots * sizeof *h->place);
  }
  return old.block;
}

static inline void bw__heap_put(bw__heap *h, uint32_t i, bw__heap_entry e) {
  h->at[i] = e;
  h->place[e.slot] = i;
}

static inline void bw__heap_up(bw__heap *h, uint32_t i, bw__heap_entry e) {
  while (i > 0) {
    uint32_t parent = (i - 1) / 4;
    if (h->at[parent].key <= e.key) break;
    bw__heap_put(h, i, h->at[parent]);
    i = parent;
  }
  bw__heap_put(h, i, e);
}

static inline void bw__heap_down(bw__heap *h, uint32_t i, bw__heap_entry e) {
  for (;;) {
    uint32_t first = i * 4 + 1, best = first;
    if (first >= h->len) break;
    uint32_t last = h->len - first < 4 ? h->len : first + 4;
    for (uint32_t c = first + 1; c < last; c++)
      if (h->at[c].key < h->at[best].key) best = c;
    if (h->at[best].key >= e.key) break;
    bw__heap_put(h, i, h->at[best]);
    i = best;
  }
  bw__heap_put(h, i, e);
}

// Where `e` belongs, given that the entry at `i` is free to be overwritten.
static inline void bw__heap_settle(bw__heap *h, uint32_t i, bw__heap_entry e) {
  if (i > 0 && h->at[(i - 1) / 4].key > e.key)
    bw__heap_up(h, i, e);
  else
    bw__heap_down(h, i, e);
}

// Returns the item's slot. The heap must not be full, the item not NULL.
static inline uint32_t bw__heap_push(bw__heap *h, int64_t key, void *item) {
  BW_ASSERT(h->len < h->cap && item);
  uint32_t slot = h->free;
  if (slot == BW_HEAP_NO_SLOT)
    slot = h->slots++;
  else
    h->free = h->place[slot];
  h->item[slot] = item;
  bw__heap_up(h, h->len++, (bw__heap_entry){.key = key, .slot = slot});
  return slot;
}

static inline int64_t bw__heap_key(const bw__heap *h, uint32_t slot) {
  return h->at[h->place[slot]].key;
}

static inline void bw__heap_rekey(bw__heap *h, uint32_t slot, int64_t key) {
  BW_ASSERT(slot < h->slots && h->item[slot]);
  bw__heap_settle(h, h->place[slot], (bw__heap_entry){.key = key, .slot = slot});
}

static inline void bw__heap_remove(bw__heap *h, uint32_t slot) {
  BW_ASSERT(slot < h->slots && h->item[slot]);
  uint32_t i = h->place[slot];
  h->item[slot] = NULL;
  h->place[slot] = h->free;
  h->free = slot;
  bw__heap_entry last = h->at[--h->len];
  if (last.slot != slot) bw__heap_settle(h, i, last);
}

// Puts the whole array in order again, after keys were changed in place. O(n).
static inline void bw__heap_order(bw__heap *h) {
  for (uint32_t i = h->len < 2 ? 0 : (h->len - 2) / 4 + 1; i-- > 0;) bw__heap_down(h, i, h->at[i]);
}

static inline int64_t bw__heap_min_key(const bw__heap *h) {
  return h->len ? h->at[0].key : INT64_MAX;
}

#endif
