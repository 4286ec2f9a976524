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

// The last of the longest list that has any; NULL: no list has.
static bw__span *longest_listed(const bw__freespans_side *side) {
  for (size_t word = BW_FREESPANS_LISTED / 64 + 1; word-- > 0;) {
    uint64_t bits = side->nonempty[word];
    if (!bits) continue;
    size_t length = word * 64 + 63 - (size_t)__builtin_clzll(bits);
    return BW_CONTAINER(side->listed[length].prev, bw__span, link); // the first to have come
  }
  return NULL;
}

size_t bw__freespans_release(bw__freespans *f, size_t pages) {
  size_t done = 0;
  if (!f->ready || !bw__port_capabilities.gives_back) return 0;
  while (done < pages && f->resident.spans) {
    bw__span *s = bw__spanset_last(&f->resident.longer);
    if (!s) s = longest_listed(&f->resident);
    if (!bw__port_mem_release((void *)s->start, bw__span_bytes(s))) break;
    bw__freespans_take(f, s);
    s->released = true;
    s->dirty = 0; // the system's pages are zero
    bw__freespans_put(f, s);
    done += s->pages;
  }
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
