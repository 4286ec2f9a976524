// What is no block of ours must not be freed: the program ends with a message, in every build.
#include "test.h"

DEATH_TEST(alloc_free_of_stack, 2, "was not allocated by Burrow") {
  int x;
  bw_free(&x);
}

static char in_static[64];

DEATH_TEST(alloc_free_of_static, 2, "fatal error: bw_free: 0x") { bw_free(in_static + 16); }

DEATH_TEST(alloc_free_of_wild, 2, "was not allocated by Burrow") {
  bw_free((void *)(UINTPTR_MAX - 4095));
}

DEATH_TEST(alloc_free_of_interior, 2, "was not allocated by Burrow") {
  char *p = bw_malloc(100);
  bw_free(p + 16);
}

DEATH_TEST(alloc_free_of_interior_of_several_pages, 2, "was not allocated by Burrow") {
  char *p = bw_malloc(6784); // spans of 5 pages
  bw_free(p + 128);
}

DEATH_TEST(alloc_free_of_interior_of_large, 2, "was not allocated by Burrow") {
  char *p = bw_malloc(1 << 20);
  bw_free(p + 8192);
}

DEATH_TEST(alloc_free_of_large_twice, 2, "was not allocated by Burrow") {
  char *p = bw_malloc(1 << 20);
  bw_free(p);
  bw_free(p);
}

DEATH_TEST(alloc_realloc_of_interior, 2, "fatal error: bw_realloc: 0x") {
  char *p = bw_malloc(100);
  (void)bw_realloc(p + 8, 300);
}

DEATH_TEST(alloc_usable_size_of_static, 2, "fatal error: bw_malloc_usable_size: 0x") {
  bw_malloc_usable_size(in_static);
}
