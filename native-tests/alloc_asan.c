// In AddressSanitizer's builds, use after free of Burrow's own memory is seen.
#include "test.h"

#include "base/config.h"

#if BW_ASAN
static void use_after_free(size_t size) {
  volatile char *p = bw_malloc(size);
  p[size - 1] = 1;
  bw_free((char *)p);
  p[size - 1] = 2;
}

DEATH_TEST(alloc_asan_sees_small, 1, "use-after-poison") { use_after_free(100); }
DEATH_TEST(alloc_asan_sees_large, 1, "use-after-poison") { use_after_free(100000); }

static int use_released_channel(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  bw_chan_release(c);
  return (int)bw_chan_cap(c);
}
DEATH_TEST(alloc_asan_sees_released_channel, 1, "use-after-poison") {
  test_run(use_released_channel, NULL, 1);
}
#endif
