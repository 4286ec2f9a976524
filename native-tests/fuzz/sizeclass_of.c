// The size map: the class of any size is the smallest that fits, and places in a span are found.
#include "fuzz.h"

#include "alloc/alloc.h"
#include "alloc/sizeclass.h"

static void check_size(size_t size) {
  unsigned c = bw__sizeclass_of(size), c16 = bw__sizeclass_of16(size);
  FUZZ_CHECK((c == 0) == (size > BW_SIZECLASS_MAX) && (c16 == 0) == (c == 0));
  FUZZ_CHECK(bw_size_class_of(size) == (int)c || bw_size_class_of(size) == (int)c16);
  FUZZ_CHECK(bw__alloc_round8(size) >= size && bw_malloc_good_size(size) >= size);
  if (!c) return;
  FUZZ_CHECK(bw__sizeclass_sizes[c] >= size && bw__sizeclass_sizes[c16] >= size);
  FUZZ_CHECK(c == 1 || bw__sizeclass_sizes[c - 1] < size);
  FUZZ_CHECK(c16 >= c && c16 <= c + 1 && (size <= 8 || bw__sizeclass_sizes[c16] % 16 == 0));
}

static void check_offset(unsigned c, uint32_t offset) {
  const bw_size_class *row = &bw__sizeclass_rows[c];
  offset %= row->span_bytes;
  FUZZ_CHECK(bw__sizeclass_index(c, offset) == offset / row->size);
  FUZZ_CHECK(bw__sizeclass_starts(c, offset) == (offset % row->size == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, data + size};
  while (fuzz_more(&in)) {
    uint32_t low = fuzz_word(&in), high = fuzz_word(&in);
    check_size(low);
    check_size((size_t)high << (fuzz_byte(&in) % (sizeof(size_t) * 8)) | low);
    check_offset(1 + low % (BW_SIZECLASS_COUNT - 1), high << 8 | low >> 8);
  }
  return 0;
}
