// Runs every input of the corpus, which the build has made an array of. One test a target: what
// fails is named by its number and by the file.
#include "test.h"

typedef struct {
  const char *file;
  const uint8_t *data;
  size_t size;
} input;

#include "fuzz_corpus.h"

int fuzz_alloc_ops(const uint8_t *data, size_t size);
int fuzz_freespans_ops(const uint8_t *data, size_t size);
int fuzz_pageheap_ops(const uint8_t *data, size_t size);
int fuzz_sizeclass_of(const uint8_t *data, size_t size);

static void replay(int (*target)(const uint8_t *, size_t), const input *inputs, size_t count) {
  CHECK(count > 0);
  target(NULL, 0);
  for (size_t i = 0; i < count; i++) {
    fprintf(stderr, "%s\n", inputs[i].file); // the last one is it, when the process ends
    CHECK_EQ(target(inputs[i].data, inputs[i].size), 0);
  }
}

#define REPLAY(name)                                                                               \
  TEST(fuzz_replay_##name) {                                                                       \
    replay(fuzz_##name, corpus_##name, sizeof corpus_##name / sizeof *corpus_##name);              \
  }

REPLAY(alloc_ops)
REPLAY(freespans_ops)
REPLAY(pageheap_ops)
REPLAY(sizeclass_of)
