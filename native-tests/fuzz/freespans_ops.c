// The free spans by length and the ordered set below it, against a search through all spans.
#include "fuzz.h"

#include "alloc/freespans.h"

enum { SPANS = 64 };

static struct {
  bw__span spans[SPANS];
  bool in[SPANS];
  bw__freespans set;
} run;

static bool is_better(const bw__span *s, const bw__span *best) {
  if (!best) return true;
  if (s->pages != best->pages) return s->pages < best->pages;
  if (s->released != best->released) return best->released;
  return s->start < best->start;
}

static void check_find(size_t pages) {
  const bw__span *got = bw__freespans_find(&run.set, pages), *want = NULL;
  for (int i = 0; i < SPANS; i++)
    if (run.in[i] && run.spans[i].pages >= pages && is_better(&run.spans[i], want))
      want = &run.spans[i];
  FUZZ_CHECK((got == NULL) == (want == NULL));
  if (!got) return;
  FUZZ_CHECK(got->pages == want->pages && got->released == want->released);
  FUZZ_CHECK(got == want || got->pages <= BW_FREESPANS_LISTED);
}

static void check_sums(void) {
  size_t pages = 0, count = 0;
  for (int i = 0; i < SPANS; i++) {
    if (!run.in[i]) continue;
    pages += run.spans[i].pages;
    count++;
  }
  FUZZ_CHECK(bw__freespans_pages(&run.set) == pages);
  FUZZ_CHECK(bw__freespans_count(&run.set) == count);
  FUZZ_CHECK(bw__freespans_valid(&run.set));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, data + size};
  memset(&run, 0, sizeof run);
  while (fuzz_more(&in)) {
    uint32_t at = fuzz_byte(&in), pages = fuzz_word(&in) % 600 + 1;
    bw__span *s = &run.spans[at % SPANS];
    if (run.in[at % SPANS]) {
      bw__freespans_take(&run.set, s);
    } else {
      *s = (bw__span){.start = (uintptr_t)(at % SPANS + 1) << 24, .pages = pages};
      s->released = at / SPANS == 3;
      bw__freespans_put(&run.set, s);
    }
    run.in[at % SPANS] = !run.in[at % SPANS];
    check_find(pages);
  }
  check_sums();
  return 0;
}
