#include "alloc/region.h"

#include "alloc/meta.h"
#include "alloc/pagemap.h"

// A record that two regions shared when they became one is lost; that is rare and 24 bytes.
static void extend(bw__region *before, bw__region *after, uintptr_t start, uintptr_t end) {
  if (!before) {
    after->start = start;
  } else if (!after) {
    before->end = end;
  } else {
    before->end = after->end;
    before->next = after->next;
  }
}

bool bw__region_add(bw__region **regions, uintptr_t start, size_t bytes) {
  bw__region *before = NULL, *after = *regions;
  uintptr_t end = start + bytes;
  while (after && after->start < start) {
    before = after;
    after = after->next;
  }
  bool joins_before = before && before->end == start, joins_after = after && after->start == end;
  if (joins_before || joins_after) {
    extend(joins_before ? before : NULL, joins_after ? after : NULL, start, end);
    return true;
  }
  bw__region *r = bw__meta_alloc(sizeof *r);
  if (!r) return false;
  *r = (bw__region){after, start, end};
  if (before)
    before->next = r;
  else
    *regions = r;
  return true;
}

bw__region *bw__region_of(bw__region *regions, uintptr_t address) {
  bw__region *r = regions;
  while (r && r->end <= address) r = r->next;
  return r && r->start <= address ? r : NULL;
}

bw__span *bw__region_next_span(bw__region *regions, bw__region **region, const bw__span *s) {
  if (!s)
    *region = regions;
  else if (bw__span_end(s) < (*region)->end)
    return bw__pagemap_span(bw__span_end(s));
  else
    *region = (*region)->next;
  return *region ? bw__pagemap_span((*region)->start) : NULL;
}
