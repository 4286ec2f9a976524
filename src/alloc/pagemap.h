// The page map: from any address to what its page is. A root of pointers to leaves, in static
// memory; a leaf has, for each of its pages,
//
//   tag   0, or size class | place of the page in its span << 8: all that free() must know
//   span  the span's record
//
// I1: tag != 0 exactly for the pages of spans cut into objects.
// I2: span is right for the first and last page of every live span, and for all pages of those cut
//     into objects, of a size class or of a first-class heap. Inside free and large spans it is
//     whatever was there before: a record that may be dead or describe other pages. (Writing all of
//     them would make a large span cost by length.)
//
// Reading takes no lock. Writing: under the page heap's lock.
#ifndef BURROW_ALLOC_PAGEMAP_H
#define BURROW_ALLOC_PAGEMAP_H

#include "alloc/span.h"

// A leaf covers 512 MB of a 48-bit address space, 16 MB of a 32-bit one.
#define BW_PAGEMAP_LEAF_BITS (BW_PAGE_BITS > 32 ? 16 : 11)
#define BW_PAGEMAP_LEAF_LEN  ((size_t)1 << BW_PAGEMAP_LEAF_BITS)
#define BW_PAGEMAP_ROOT_LEN  ((size_t)1 << (BW_PAGE_BITS - BW_PAGEMAP_LEAF_BITS))

typedef struct {
  BW_SHARED(uint16_t) tag[BW_PAGEMAP_LEAF_LEN];
  BW_SHARED(bw__span *) span[BW_PAGEMAP_LEAF_LEN];
} bw__pagemap_leaf;

extern BW_SHARED(bw__pagemap_leaf *) bw__pagemap_root[BW_PAGEMAP_ROOT_LEN];

static inline bw__pagemap_leaf *bw__pagemap_leaf_of(uintptr_t address) {
  uintptr_t i = address >> (BW_PAGE_SHIFT + BW_PAGEMAP_LEAF_BITS);
  if (BW_UNLIKELY(i >= BW_PAGEMAP_ROOT_LEN)) return NULL;
  return bw__shared_load(&bw__pagemap_root[i]);
}

static inline size_t bw__pagemap_slot(uintptr_t address) {
  return (address >> BW_PAGE_SHIFT) & (BW_PAGEMAP_LEAF_LEN - 1);
}

// The tag of the page of `address`: 0 when it is not in a span of objects.
static inline unsigned bw__pagemap_tag(uintptr_t address) {
  bw__pagemap_leaf *leaf = bw__pagemap_leaf_of(address);
  return BW_LIKELY(leaf) ? bw__shared_load(&leaf->tag[bw__pagemap_slot(address)]) : 0;
}

static inline unsigned bw__pagemap_tag_class(unsigned tag) { return (uint8_t)tag; }

// Bytes from the start of its span to `address`, in a page with this tag.
static inline uint32_t bw__pagemap_tag_offset(unsigned tag, uintptr_t address) {
  return ((tag >> 8) << BW_PAGE_SHIFT) | (uint32_t)(address & (BW_PAGE_SIZE - 1));
}

// The record noted for the page of `address`, which I2 says when to believe; NULL: none ever.
static inline bw__span *bw__pagemap_span(uintptr_t address) {
  bw__pagemap_leaf *leaf = bw__pagemap_leaf_of(address);
  return BW_LIKELY(leaf) ? bw__shared_load(&leaf->span[bw__pagemap_slot(address)]) : NULL;
}

// The span of an object that is known to be one of ours.
static inline bw__span *bw__pagemap_span_of_object(const void *object) {
  uintptr_t address = (uintptr_t)object;
  size_t i = address >> (BW_PAGE_SHIFT + BW_PAGEMAP_LEAF_BITS);
  return bw__shared_load(&bw__shared_load(&bw__pagemap_root[i])->span[bw__pagemap_slot(address)]);
}

// Makes the leaves for [start, start + bytes). False when there is no memory for one.
bool bw__pagemap_cover(uintptr_t start, size_t bytes);
// Notes `s` for its first and last page.
void bw__pagemap_set_ends(bw__span *s);
// Notes `s` for all its pages.
void bw__pagemap_set_all(bw__span *s);
// Notes `s` and its tags for all its pages; and takes the tags away again.
void bw__pagemap_set_objects(bw__span *s);
void bw__pagemap_clear_objects(bw__span *s);

#endif
