// Records live in chunks, of at least CHUNK bytes when they are from the system, and are cut off
// one after another. A request that would waste much of a new chunk gets memory of its own.
//
// I1: bw__meta_count.bytes covers every byte taken for records, used or not; so
//     system_bytes == bytes + pages of the page heap.
#include "alloc/meta.h"

#include <string.h>

#include "port/port.h"

#define CHUNK      ((size_t)64 << 10)
#define CHUNK_MOST ((size_t)2 << 20)

bw__meta_counts bw__meta_count;
bw__meta_refusals bw__meta_refuse;

static struct {
  char *next, *end; // of the current chunk
  bw__span *spans;  // dead records, linked through tree.left
} meta;             // all under the page heap's lock

void *bw__meta_grow(size_t least, size_t want, size_t *got) {
  uint64_t number = ++bw__meta_refuse.requests;
  if (number >= bw__meta_refuse.first && number <= bw__meta_refuse.last) return NULL;
  void *p = bw__port_mem_grow(least, want, got);
  if (!p) return NULL;
  bw__meta_count.system_bytes += *got;
  bw__meta_count.system_calls++;
  return p;
}

void bw__meta_donate(void *p, size_t bytes) {
  bw__meta_count.bytes += bytes;
  meta.next = p;
  meta.end = (char *)p + bytes;
}

static void *cut(size_t bytes) {
  if ((size_t)(meta.end - meta.next) < bytes) return NULL;
  void *p = meta.next;
  meta.next += bytes;
  return p;
}

static void *alloc_alone(size_t bytes) {
  size_t got, want = bw__align_up(bytes, BW_PAGE_SIZE);
  void *p = bw__meta_grow(want, want, &got);
  if (!p) return NULL;
  bw__meta_count.bytes += got;
  if (got - want > (size_t)(meta.end - meta.next)) { // more than asked for: the next chunk
    meta.next = (char *)p + want;
    meta.end = (char *)p + got;
  }
  return p;
}

// A chunk lies between spans for good, so a large heap gets few and large ones: at most a 512th of
// it.
static size_t chunk_size(void) {
  uint64_t share = bw__meta_count.system_bytes / 512;
  if (share <= CHUNK) return CHUNK;
  return share >= CHUNK_MOST ? CHUNK_MOST : bw__align_up((size_t)share, CHUNK);
}

void *bw__meta_alloc(size_t bytes) {
  bytes = bw__align_up(bytes, BW_CACHE_LINE);
  void *p = cut(bytes);
  if (p) return p;
  if (bytes > CHUNK / 4) return alloc_alone(bytes);
  size_t got;
  p = bw__meta_grow(bw__align_up(bytes, BW_PAGE_SIZE), chunk_size(), &got);
  if (!p) return NULL;
  bw__meta_donate(p, got);
  return cut(bytes);
}

bw__span *bw__meta_span_new(void) {
  bw__span *s = meta.spans;
  if (!s) return bw__meta_alloc(sizeof *s);
  meta.spans = s->tree.left;
  memset(s, 0, sizeof *s);
  return s;
}

void bw__meta_span_free(bw__span *s) {
  s->state = SPAN_DEAD;
  s->pages = 0;
  s->tree.left = meta.spans;
  meta.spans = s;
}
