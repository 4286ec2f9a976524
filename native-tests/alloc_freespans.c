// The free spans by length and the list of regions, each by itself, against a reference that looks
// at everything. The spans are records only: nobody touches the memory they speak of.
#include "test.h"

#include "alloc/freespans.h"
#include "alloc/pageheap_state.h"
#include "alloc/region.h"
#include "base/rand.h"

enum { N = 400 };

static bw__span spans[N];
static bool in[N];
static bw__freespans set;

// As short as fits; resident before released; of the long ones of one side the lowest.
static bool is_better(const bw__span *s, const bw__span *best) {
  if (!best) return true;
  if (s->pages != best->pages) return s->pages < best->pages;
  if (s->released != best->released) return best->released;
  return s->start < best->start;
}

static const bw__span *reference_find(size_t pages) {
  const bw__span *best = NULL;
  for (int i = 0; i < N; i++)
    if (in[i] && spans[i].pages >= pages && is_better(&spans[i], best)) best = &spans[i];
  return best;
}

static void check_find(size_t pages) {
  const bw__span *got = bw__freespans_find(&set, pages), *want = reference_find(pages);
  CHECK_EQ(got == NULL, want == NULL);
  if (!got) return;
  CHECK_EQ(got->pages, want->pages);
  CHECK_EQ(got->released, want->released);
  if (got->pages > BW_FREESPANS_LISTED) CHECK(got == want);
}

static void check_sums(void) {
  size_t pages = 0, count = 0;
  for (int i = 0; i < N; i++) {
    if (!in[i]) continue;
    pages += spans[i].pages;
    count++;
  }
  CHECK_EQ(bw__freespans_pages(&set), pages);
  CHECK_EQ(bw__freespans_count(&set), count);
  CHECK(bw__freespans_valid(&set));
}

static void run_model(uint64_t seed, uint32_t longest) {
  bw__rand rng = {seed};
  for (int i = 0; i < N; i++) spans[i].start = (uintptr_t)(i + 1) << 22;
  int rounds = test_is_slow_build() ? 3000 : 20000;
  for (int round = 0; round < rounds; round++) {
    int i = (int)bw__rand_below(&rng, N);
    if (in[i]) {
      bw__freespans_take(&set, &spans[i]);
    } else {
      spans[i].pages = 1 + bw__rand_below(&rng, longest);
      spans[i].released = bw__rand_below(&rng, 3) == 0;
      spans[i].state = SPAN_FREE;
      bw__freespans_put(&set, &spans[i]);
    }
    in[i] = !in[i];
    check_find(1 + bw__rand_below(&rng, longest + 10));
    if (round % 200 == 0) check_sums();
  }
  for (int i = 0; i < N; i++)
    if (in[i]) bw__freespans_take(&set, &spans[i]);
  memset(in, 0, sizeof in);
  check_sums();
  CHECK(!bw__freespans_find(&set, 1));
}

TEST(alloc_freespans_model) {
  static const uint32_t longest[] = {3, 63, 66, 128, 131, 400, 20};
  for (unsigned i = 0; i < sizeof longest / sizeof *longest; i++) run_model(i, longest[i]);
}

// ---- regions -----------------------------------------------------------------------------------

// Places of 64 KB, added in random order: what touches becomes one region.
TEST(alloc_region_model) {
  enum { PLACES = 200 };
  static bool covered[PLACES + 1];
  const uintptr_t base = (uintptr_t)1 << 30, size = 64 << 10;
  bw__rand rng = {77};
  bw__region *regions = NULL;
  for (int left = PLACES * 3 / 4; left > 0; left--) {
    uint32_t at = bw__rand_below(&rng, PLACES);
    while (covered[at]) at = (at + 1) % PLACES;
    covered[at] = true;
    bw__mutex_lock(&bw__pageheap.mu); // records come from the page heap's
    CHECK(bw__region_add(&regions, base + at * size, size));
    bw__mutex_unlock(&bw__pageheap.mu);
    const bw__region *r = regions;
    for (uintptr_t i = 0; i < PLACES; i++) {
      if (!covered[i]) continue;
      uintptr_t first = i;
      while (covered[i]) i++;
      CHECK(r && r->start == base + first * size && r->end == base + i * size);
      r = r->next;
    }
    CHECK(!r);
  }
  for (uintptr_t i = 0; i < PLACES; i++) {
    const bw__region *r = bw__region_of(regions, base + i * size + 5);
    CHECK_EQ(r != NULL, covered[i]);
    if (r) CHECK(r->start <= base + i * size && r->end >= base + (i + 1) * size);
  }
  CHECK(!bw__region_of(regions, base - 1));
  CHECK(!bw__region_of(regions, UINTPTR_MAX));
}
