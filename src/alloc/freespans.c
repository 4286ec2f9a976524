#include "alloc/freespans.h"

#include "port/port.h"

static void init_side(bw__freespans_side *side) {
  for (size_t i = 0; i <= BW_FREESPANS_LISTED; i++) bw__list_init(&side->listed[i]);
}

static bw__freespans_side *side_of(bw__freespans *f, const bw__span *s) {
  return s->released ? &f->released : &f->resident;
}

void bw__freespans_put(bw__freespans *f, bw__span *s) {
  if (!f->ready) {
    init_side(&f->resident);
    init_side(&f->released);
    f->ready = true;
  }
  bw__freespans_side *side = side_of(f, s);
  side->pages += s->pages;
  side->spans++;
  if (s->pages > BW_FREESPANS_LISTED) {
    bw__spanset_insert(&side->longer, s);
    return;
  }
  bw__list_push_front(&side->listed[s->pages], &s->link);
  side->nonempty[s->pages / 64] |= (uint64_t)1 << (s->pages % 64);
}

void bw__freespans_take(bw__freespans *f, bw__span *s) {
  bw__freespans_side *side = side_of(f, s);
  side->pages -= s->pages;
  side->spans--;
  if (s->pages > BW_FREESPANS_LISTED) {
    bw__spanset_remove(&side->longer, s);
    return;
  }
  bw__list_remove(&s->link);
  if (bw__list_empty(&side->listed[s->pages]))
    side->nonempty[s->pages / 64] &= ~((uint64_t)1 << (s->pages % 64));
}

// ---- finding -----------------------------------------------------------------------------------

// The first non-empty list from `pages` to 128: its length; 0 when there is none.
static size_t first_list(const bw__freespans_side *side, size_t pages) {
  if (pages > BW_FREESPANS_LISTED) return 0;
  size_t word = pages / 64;
  uint64_t bits = side->nonempty[word] & (UINT64_MAX << (pages % 64));
  while (!bits) {
    if (++word > BW_FREESPANS_LISTED / 64) return 0;
    bits = side->nonempty[word];
  }
  return word * 64 + (size_t)__builtin_ctzll(bits);
}

static bw__span *find_on(const bw__freespans_side *side, size_t pages) {
  if (!side->spans) return NULL;
  size_t length = first_list(side, pages);
  if (length) return BW_CONTAINER(side->listed[length].next, bw__span, link);
  return bw__spanset_best_fit(&side->longer, pages);
}

bw__span *bw__freespans_find(const bw__freespans *f, size_t pages) {
  bw__span *resident = find_on(&f->resident, pages), *released = find_on(&f->released, pages);
  if (!resident) return released;
  return released && released->pages < resident->pages ? released : resident;
}

// ---- giving back to the system -----------------------------------------------------------------

static bool release_span(bw__freespans *f, bw__span *s) {
  if (!bw__port_mem_release((void *)s->start, bw__span_bytes(s))) return false;
  bw__freespans_take(f, s);
  s->released = true;
  s->dirty = 0; // the system's pages are zero
  bw__freespans_put(f, s);
  return true;
}

static size_t release_longer(bw__freespans *f, size_t pages, uint32_t window) {
  size_t done = 0;
  for (bw__span *s = bw__spanset_prev(&f->resident.longer, NULL), *shorter; s && done < pages;
       s = shorter) {
    shorter = bw__spanset_prev(&f->resident.longer, s);
    if (s->window <= window && release_span(f, s)) done += s->pages;
  }
  return done;
}

static size_t release_listed(bw__freespans *f, size_t length, size_t pages, uint32_t window) {
  size_t done = 0;
  bw__list *list = &f->resident.listed[length];
  for (bw__list *at = list->prev, *before; at != list && done < pages; at = before) {
    before = at->prev; // from the end: the first to have come
    bw__span *s = BW_CONTAINER(at, bw__span, link);
    if (s->window <= window && release_span(f, s)) done += length;
  }
  return done;
}

size_t bw__freespans_release(bw__freespans *f, size_t pages, uint32_t window) {
  if (!f->ready || BW_WASM) return 0; // linear memory never shrinks
  size_t done = release_longer(f, pages, window);
  for (size_t length = BW_FREESPANS_LISTED; length > 0 && done < pages; length--)
    done += release_listed(f, length, pages - done, window);
  return done;
}

// ---- checking ----------------------------------------------------------------------------------

static bool side_valid(const bw__freespans_side *side) {
  for (size_t i = 1; i <= BW_FREESPANS_LISTED && side->spans; i++) {
    bool bit = side->nonempty[i / 64] >> (i % 64) & 1;
    if (bit == bw__list_empty(&side->listed[i])) return false;
  }
  return bw__spanset_valid(&side->longer);
}

bool bw__freespans_valid(const bw__freespans *f) {
  return side_valid(&f->resident) && side_valid(&f->released);
}
