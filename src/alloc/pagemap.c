#include "alloc/pagemap.h"

#include "alloc/meta.h"

BW_SHARED(bw__pagemap_leaf *) bw__pagemap_root[BW_PAGEMAP_ROOT_LEN];

bool bw__pagemap_cover(uintptr_t start, size_t bytes) {
  unsigned shift = BW_PAGE_SHIFT + BW_PAGEMAP_LEAF_BITS;
  uintptr_t last = (start + bytes - 1) >> shift;
  if (last >= BW_PAGEMAP_ROOT_LEN) return false;
  for (uintptr_t i = start >> shift; i <= last; i++) {
    if (bw__shared_load(&bw__pagemap_root[i])) continue;
    bw__pagemap_leaf *leaf = bw__meta_alloc(sizeof *leaf);
    if (!leaf) return false;
    bw__shared_store(&bw__pagemap_root[i], leaf);
  }
  return true;
}

static void set_span(uintptr_t address, bw__span *s) {
  bw__shared_store(&bw__pagemap_leaf_of(address)->span[bw__pagemap_slot(address)], s);
}

static void set_tag(uintptr_t address, unsigned tag) {
  bw__shared_store(&bw__pagemap_leaf_of(address)->tag[bw__pagemap_slot(address)], (uint16_t)tag);
}

void bw__pagemap_set_ends(bw__span *s) {
  set_span(s->start, s);
  if (s->pages > 1) set_span(bw__span_end(s) - BW_PAGE_SIZE, s);
}

void bw__pagemap_set_all(bw__span *s) {
  for (size_t i = 0; i < s->pages; i++) set_span(s->start + (i << BW_PAGE_SHIFT), s);
}

void bw__pagemap_set_objects(bw__span *s) {
  for (size_t i = 0; i < s->pages; i++) {
    uintptr_t page = s->start + (i << BW_PAGE_SHIFT);
    set_span(page, s);
    set_tag(page, s->size_class | (unsigned)i << 8);
  }
}

void bw__pagemap_clear_objects(bw__span *s) {
  for (size_t i = 0; i < s->pages; i++) set_tag(s->start + (i << BW_PAGE_SHIFT), 0);
}
