#include "alloc/freespans.h"

#include "port/port.h"

static void init_lists(bw__freespans *f) {
  if (f->ready) return;
  for (size_t i = 0; i <= BW_FREESPANS_LISTED; i++) bw__list_init(&f->listed[i]);
  f->ready = true;
}

void bw__freespans_put(bw__freespans *f, bw__span *s) {
  init_lists(f);
  f->pages += s->pages;
  f->spans++;
  if (s->released) f->released_pages += s->pages;
  if (s->pages > BW_FREESPANS_LISTED) {
    bw__spanset_insert(&f->longer, s);
    return;
  }
  bw__list_push_front(&f->listed[s->pages], &s->link);
  f->nonempty[s->pages / 64] |= (uint64_t)1 << (s->pages % 64);
}

void bw__freespans_take(bw__freespans *f, bw__span *s) {
  f->pages -= s->pages;
  f->spans--;
  if (s->released) f->released_pages -= s->pages;
  if (s->pages > BW_FREESPANS_LISTED) {
    bw__spanset_remove(&f->longer, s);
    return;
  }
  bw__list_remove(&s->link);
  if (bw__list_empty(&f->listed[s->pages]))
    f->nonempty[s->pages / 64] &= ~((uint64_t)1 << (s->pages % 64));
}

// The first non-empty list from `pages` to 128: its length; 0 when there is none.
static size_t first_list(const bw__freespans *f, size_t pages) {
  if (pages > BW_FREESPANS_LISTED) return 0;
  size_t word = pages / 64;
  uint64_t bits = f->nonempty[word] & (UINT64_MAX << (pages % 64));
  while (!bits) {
    if (++word > BW_FREESPANS_LISTED / 64) return 0;
    bits = f->nonempty[word];
  }
  return word * 64 + (size_t)__builtin_ctzll(bits);
}

bw__span *bw__freespans_find(const bw__freespans *f, size_t pages) {
  size_t length = first_list(f, pages);
  if (length) return BW_CONTAINER(f->listed[length].next, bw__span, link);
  return bw__spanset_best_fit(&f->longer, pages);
}

static size_t release_span(bw__freespans *f, bw__span *s) {
  if (s->released) return 0;
  size_t bytes = bw__port_mem_release((void *)s->start, bw__span_bytes(s));
  if (!bytes) return 0;
  s->released = true;
  f->released_pages += s->pages;
  return bytes;
}

size_t bw__freespans_release(bw__freespans *f) {
  size_t bytes = 0;
  if (!f->ready || !bw__port_capabilities.gives_back) return 0;
  for (size_t i = 1; i <= BW_FREESPANS_LISTED; i++)
    for (bw__list *at = f->listed[i].next; at != &f->listed[i]; at = at->next)
      bytes += release_span(f, BW_CONTAINER(at, bw__span, link));
  for (bw__span *s = bw__spanset_next(&f->longer, NULL); s; s = bw__spanset_next(&f->longer, s))
    bytes += release_span(f, s);
  return bytes;
}
