// What the malloc archives for Emscripten have in place of first-class heaps, the heap profile and
// the care for fork: a program that only calls malloc can reach none of them, and pays for none.
#include "alloc/fork.h"
#include "alloc/heap.h"
#include "alloc/profile.h"

bool bw__heap_free(void *p) {
  (void)p;
  return false;
}

size_t bw__heap_object_bytes(const void *p, unsigned *size_class) {
  (void)p;
  (void)size_class;
  return 0;
}

bool bw__heap_resize_large(void *p, size_t pages) {
  (void)p;
  (void)pages;
  return false;
}

const char *bw__heap_name(const bw_heap *h) {
  (void)h;
  return "";
}

void bw__heaps_stats(bw_alloc_stats *out) { (void)out; }

bw_heap *bw_heap_of(const void *ptr) {
  (void)ptr;
  return NULL;
}

void *bw_heap_malloc(bw_heap *heap, size_t size) {
  (void)heap;
  return bw_malloc(size);
}

void *bw__profile_alloc(bw__sampler *s, unsigned c) {
  (void)s;
  (void)c;
  return NULL;
}

void bw__profile_large(bw__span *s) { (void)s; }

void bw__profile_resized(bw__span *s, size_t old_bytes) {
  (void)s;
  (void)old_bytes;
}

void bw__profile_freed(bw__sample *sample) { (void)sample; }

unsigned bw__profile_class(const bw__sample *sample) {
  (void)sample;
  return 0;
}

void bw__fork_protect(void) {}
