// Misuse of the allocator ends the program with a message that says what the pointer is, in every
// build. The 15 shapes of double free that a release build must catch are at the end.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/chain.h"
#include "base/config.h"

// ---- pointers that are no objects --------------------------------------------------------------

// (On wasm a thread's stack is memory of ours.)
DEATH_TEST(alloc_free_of_stack, 2, BW_WASM ? "fatal error: bw_free: 0x" : "was not allocated by") {
  int x;
  bw_free(&x);
}

static char in_static[64];

DEATH_TEST(alloc_free_of_static, 2, "fatal error: bw_free: 0x") { bw_free(in_static + 16); }

DEATH_TEST(alloc_free_of_wild, 2, "was not allocated by Burrow") {
  bw_free((void *)(UINTPTR_MAX - 4095));
}

DEATH_TEST(alloc_free_of_interior, 2, "points 16 bytes into object ") {
  char *p = bw_malloc(100);
  bw_free(p + 16);
}

DEATH_TEST(alloc_free_of_interior_names_the_class, 2, " (112 bytes) in the span at ") {
  SKIP_IN_ALLOC_DEBUG("the message names the object, not its class");
  char *p = bw_malloc(100);
  bw_free(p + 1);
}

DEATH_TEST(alloc_free_of_interior_of_several_pages, 2, "points 128 bytes into object ") {
  char *p = bw_malloc(6784); // spans of 5 pages
  bw_free(p + 128);
}

DEATH_TEST(alloc_free_of_interior_of_large, 2,
           BW_ALLOC_DEBUG ? "points 8192 bytes into object "
                          : "points 8192 bytes into the large object at ") {
  char *p = bw_malloc(1 << 20);
  bw_free(p + 8192);
}

// An object that nobody was given: seen when it comes back to its span.
DEATH_TEST(alloc_free_of_object_never_made, 2, "double free o") {
  char *p = bw_malloc(4000);
  bw_free(p + 4096);
  bw_free(p);
  bw_alloc_release();
}

// The end of an object instead of its beginning: where the next one is to be made, and where the
// span has no further object.
static bool find_unmade(const bw_alloc_object *o, void *arg) {
  if (o->state != BW_OBJECT_UNUSED) return true;
  *(void **)arg = (void *)o->start;
  return false;
}

DEATH_TEST(alloc_free_of_end_of_newest_object, 2, "fatal error: bw_free: double free ") {
  SKIP_IN_ALLOC_DEBUG("its spans cannot be looked into");
  void *next = NULL;
  for (int i = 0; i < 100 && !next; i++) bw_alloc_walk_objects(bw_malloc(2000), find_unmade, &next);
  CHECK(next);
  bw_free(next);
}

DEATH_TEST(alloc_free_of_tail_of_span, 2, "is in the unused tail of the span at ") {
  SKIP_IN_ALLOC_DEBUG("the message names the object");
  bw_alloc_where at;
  CHECK(bw_alloc_where_is(bw_malloc(48), &at));
  void *last[400]; // until the span is full
  for (int i = 0; i < 400; i++) last[i] = bw_malloc(48);
  if (bw_size_class_at(at.size_class).tail_waste < 8) SKIP("this table leaves no tail here");
  bw_free((void *)(at.span_start + at.span_objects * at.object_size));
  for (int i = 0; i < 400; i++) bw_free(last[i]);
}

DEATH_TEST(alloc_free_aligned_sized_of_large, 2, " is freed as 10 bytes, but is ") {
  bw_free_aligned_sized(bw_aligned_alloc(64, 1 << 20), 64, 10);
}

DEATH_TEST(alloc_realloc_of_interior, 2, "fatal error: bw_realloc: 0x") {
  char *p = bw_malloc(100);
  (void)bw_realloc(p + 8, 300);
}

DEATH_TEST(alloc_realloc_of_free, 2, "fatal error: bw_realloc: double free of 0x") {
  char *volatile p = bw_malloc(100);
  bw_free(p);
  (void)bw_realloc(p, 104);
}

DEATH_TEST(alloc_usable_size_of_static, 2, "fatal error: bw_malloc_usable_size: 0x") {
  bw_malloc_usable_size(in_static);
}

// ---- sizes -------------------------------------------------------------------------------------

DEATH_TEST(alloc_free_sized_too_long, 2, " is freed as 200 bytes, but is object ") {
  bw_free_sized(bw_malloc(100), 200);
}

DEATH_TEST(alloc_free_sized_too_short, 2, " is freed as 10 bytes, but is object ") {
  bw_free_sized(bw_malloc(100), 10);
}

DEATH_TEST(alloc_free_sized_large_as_small, 2,
           BW_ALLOC_DEBUG ? " is freed as 100 bytes, but is object "
                          : " is freed as 100 bytes, but is the large object ") {
  bw_free_sized(bw_malloc(400000), 100);
}

DEATH_TEST(alloc_free_sized_small_as_large, 2, " is freed as 100000 bytes, but is object ") {
  bw_free_sized(bw_malloc(100), 100000);
}

DEATH_TEST(alloc_free_aligned_sized_misaligned, 2, "fatal error: bw_free_aligned_sized: 0x") {
  char *p = bw_aligned_alloc(64, 192), *q = bw_aligned_alloc(64, 192);
  bw_free_aligned_sized((uintptr_t)p % 128 ? p : q, 128, 192);
}

DEATH_TEST(alloc_free_exact_of_shrunk, 2, "operator delete: ") {
  SKIP_IN_ALLOC_DEBUG("the size of a shrunk object is known");
  bw__free_exact(bw_realloc(bw_malloc(112), 64), 64);
}

TEST(alloc_free_sized_right) {
  for (size_t size = 0; size < 40000; size += size < 2000 ? 1 : 61) {
    bw_free_sized(bw_malloc(size), size);
    bw__free_exact(bw_malloc(size), size);
    bw_free_sized(bw_realloc(bw_malloc(size + 40), size ? size : 1), size ? size : 1);
    for (size_t align = 1; align <= 16384; align *= 4)
      bw_free_aligned_sized(bw_aligned_alloc(align, size), align, size);
  }
  bw_free_sized(NULL, 12);
  bw_free_aligned_sized(NULL, 16, 12);
}

// ---- writing after free ------------------------------------------------------------------------

DEATH_TEST(alloc_write_after_free, 2, "was written to after it was freed") {
  char *volatile p = bw_malloc(100);
  bw_free(p);
  memset(p, 0x41, 8);
  for (int i = 0; i < 1000; i++) (void)bw_malloc(100);
  bw_alloc_release(); // a debug build's quarantine
}

// What an object in use holds is the program's, whatever it is: nothing looks like a free object.
TEST(alloc_free_of_any_content) {
  uint64_t words[] = {0, 1, 8, UINT64_MAX, 0x8000000000000000u, 0x7fffffffffffu};
  for (size_t size = 8; size <= 32; size += 8) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
      void *p = bw_malloc(size), *q = bw_malloc(size);
      memcpy(p, &words[i], 8);
      memcpy(q, &p, sizeof p);
      bw_free(q);
      bw_free(p);
    }
  }
}

// A copy of what a free object holds is no link anywhere else.
TEST(alloc_free_of_copied_link) {
  char *volatile old = bw_malloc(48), *copy = bw_malloc(48);
  bw_free(old);
#if !BW_ASAN
  memcpy(copy, old, 48);
#endif
  bw_free(copy);
}

// Addresses use 48 bits on some machines, all of them below 4 GB on wasm.
TEST(alloc_link_to_any_address) {
  uint64_t object;
  uintptr_t highest = (uintptr_t)(UINTPTR_MAX > 0xffffffffu ? 0xfffffffffff8u : 0xfffffff8u);
  uintptr_t addresses[] = {8, highest, highest / 2 & ~(uintptr_t)7, 0};
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
    bw__chain_link(&object, (void *)addresses[i]);
    CHECK(bw__chain_next(&object) == (void *)addresses[i]);
  }
}

// ---- 15 shapes of double free ------------------------------------------------------------------

enum { TINY = 8, SMALL = 64, MEDIUM = 6000, LARGE = 400000, HUGE = 3 << 20, OTHERS = 2000 };

static void *volatile victim; // so that no compiler sees what happens to it

static void free_twice(size_t size) {
  victim = bw_malloc(size);
  bw_free(victim);
  bw_free(victim);
}

// Another object of the size is freed between: the victim is not the head of its list.
static void free_with_one_between(size_t size) {
  victim = bw_malloc(size);
  void *other = bw_malloc(size);
  bw_free(victim);
  bw_free(other);
  bw_free(victim);
}

// So many that the victim has gone to the central list, its span partly in use.
static void free_with_many_between(size_t size) {
  static void *others[OTHERS];
  for (int i = 0; i < OTHERS; i++) others[i] = bw_malloc(size);
  victim = others[OTHERS / 2];
  bw_free(victim);
  for (int i = 0; i < OTHERS; i += 2)
    if (others[i] != victim) bw_free(others[i]);
  bw_alloc_release();
  bw_free(victim);
}

#define DOUBLE_FREE(shape, size_name, size, text)                                                  \
  DEATH_TEST(alloc_double_free_##shape##_##size_name, 2, text) { free_##shape(size); }

#if BW_ALLOC_DEBUG // "of" as long as the object is in quarantine, however large; then "or wild"
#define OF_OBJECT "fatal error: bw_free: double free o"
#define OF_SPAN   OF_OBJECT
#else
#define OF_OBJECT "fatal error: bw_free: double free of 0x"
#define OF_SPAN   "fatal error: bw_free: double free or wild pointer: 0x"
#endif

DOUBLE_FREE(twice, tiny, TINY, OF_OBJECT)
DOUBLE_FREE(twice, small, SMALL, OF_OBJECT)
DOUBLE_FREE(twice, medium, MEDIUM, OF_OBJECT)
DOUBLE_FREE(twice, large, LARGE, OF_SPAN)
DOUBLE_FREE(twice, huge, HUGE, OF_SPAN)
DOUBLE_FREE(with_one_between, tiny, TINY, OF_OBJECT)
DOUBLE_FREE(with_one_between, small, SMALL, OF_OBJECT)
DOUBLE_FREE(with_one_between, medium, MEDIUM, OF_OBJECT)
DOUBLE_FREE(with_one_between, large, LARGE, OF_SPAN)
DOUBLE_FREE(with_one_between, huge, HUGE, OF_SPAN)
DOUBLE_FREE(with_many_between, tiny, TINY, OF_OBJECT)
DOUBLE_FREE(with_many_between, small, SMALL, OF_OBJECT)
DOUBLE_FREE(with_many_between, medium, MEDIUM, "fatal error: bw_free: double free ")

// The span was the victim's alone, and went back to the page heap with it.
DEATH_TEST(alloc_double_free_after_span_went, 2, "fatal error: bw_free: double free or wild p") {
  victim = bw_malloc(21760); // a class that nobody else uses
  bw_free(victim);
  bw_alloc_release();
  bw_free(victim);
}

#if BW_THREADS
#include "port/port.h"

static void free_it(void *unused) {
  (void)unused;
  bw_free(victim);
}

THREADS_DEATH_TEST(alloc_double_free_by_another_thread, 2, OF_OBJECT) {
  victim = bw_malloc(SMALL);
  (void)bw_malloc(SMALL); // the span stays in use
  bw__port_thread t;
  CHECK_EQ(bw__port_thread_start(&t, free_it, NULL), 0);
  bw__port_thread_join(&t);
  bw_free(victim);
}
#else
DEATH_TEST(alloc_double_free_after_realloc, 2, OF_OBJECT) {
  victim = bw_malloc(SMALL);
  (void)bw_realloc(victim, MEDIUM);
  bw_free(victim);
}
#endif
