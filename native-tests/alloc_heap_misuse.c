// Misuse of first-class heaps and of what is in them ends the program with a message.
#include "test.h"

#include "base/config.h"

static bw_heap *named(void) {
  bw_heap *h = bw_heap_create_with(&(bw_heap_options){.name = "request"});
  (void)bw_heap_malloc(h, 100); // the span stays in use
  return h;
}

static void *volatile victim;

DEATH_TEST(heap_double_free, 2, "fatal error: bw_free: double free of 0x") {
  victim = bw_heap_malloc(named(), 100);
  bw_free(victim);
  bw_free(victim);
}

DEATH_TEST(heap_double_free_names_the_heap, 2, "objects in use, in the heap \"request\" at 0x") {
  bw_heap *h = named();
  victim = bw_heap_malloc(h, 100);
  void *other = bw_heap_malloc(h, 100);
  bw_free(victim);
  bw_free(other);
  bw_free(victim);
}

DEATH_TEST(heap_double_free_of_large, 2, "bw_free: double free or wild pointer: 0x") {
  victim = bw_heap_malloc(named(), 100000);
  bw_free(victim);
  bw_free(victim);
}

DEATH_TEST(heap_free_of_interior, 2, "points 16 bytes into object ") {
  SKIP_IN_ALLOC_DEBUG("the message is the debug build's");
  bw_free((char *)bw_heap_malloc(named(), 100) + 16);
}

DEATH_TEST(heap_free_of_interior_of_large, 2, "points 40960 bytes into the large object at ") {
  SKIP_IN_ALLOC_DEBUG("the message is the debug build's");
  bw_free((char *)bw_heap_malloc(named(), 100000) + 40960);
}

DEATH_TEST(heap_free_of_object_never_made, 2, "double free of ") {
  bw_free((char *)bw_heap_malloc(named(), 100) + 112);
}

DEATH_TEST(heap_realloc_of_free, 2, "fatal error: bw_realloc: double free of 0x") {
  victim = bw_heap_malloc(named(), 100);
  bw_free(victim);
  (void)bw_realloc(victim, 200);
}

DEATH_TEST(heap_free_sized_wrong, 2, " is freed as 200 bytes, but is object ") {
  bw_free_sized(bw_heap_malloc(named(), 100), 200);
}

DEATH_TEST(heap_write_after_free, 2, "was written to after it was freed") {
  bw_heap *h = named();
  victim = bw_heap_malloc(h, 100);
  bw_free(victim);
  memset(victim, 0x41, 8);
  (void)bw_heap_malloc(h, 100);
  (void)bw_heap_malloc(h, 100);
}

DEATH_TEST(heap_realloc_of_foreign, 2, " is not in the heap \"request\" at 0x") {
  (void)bw_heap_realloc(named(), bw_malloc(100), 200);
}

DEATH_TEST(heap_free_after_destroy, 2, "bw_free: double free or wild pointer: 0x") {
  bw_heap *h = named();
  victim = bw_heap_malloc(h, 100);
  bw_heap_destroy(h);
  bw_free(victim);
}

DEATH_TEST(heap_malloc_after_destroy, 2, "bw_heap_malloc: the heap \"request\" at 0x") {
  bw_heap *h = named();
  bw_heap_destroy(h);
  (void)bw_heap_create(); // does not get the same record
  (void)bw_heap_malloc(h, 100);
}

DEATH_TEST(heap_destroyed_twice, 2, " was destroyed") {
  bw_heap *h = bw_heap_create();
  bw_heap_destroy(h);
  bw_heap_destroy(h);
}

#if BW_ASAN
DEATH_TEST(heap_asan_sees_use_after_free, 1, "use-after-poison") {
  bw_heap *h = named();
  volatile char *p = bw_heap_malloc(h, 100);
  bw_free((char *)p);
  p[50] = 1;
}

DEATH_TEST(heap_asan_sees_use_after_destroy, 1, "use-after-poison") {
  bw_heap *h = named();
  volatile char *p = bw_heap_malloc(h, 100);
  bw_heap_destroy(h);
  p[50] = 1;
}
#endif
