// Fuzz targets. Each file of this folder but replay.c is one: it turns bytes into calls, whatever
// the bytes are, and ends the process when a check fails.
//
// Two ways to use them:
//   fuzz     cmake --preset fuzz && cmake --build --preset fuzz, then
//            build/fuzz/native-tests/fuzz_NAME FOLDER (libFuzzer, with AddressSanitizer; clang)
//   replay   the tests fuzz_replay_NAME of burrow-tests run what is in corpus/NAME, on every target
// README.md says how to add to the corpus.
#ifndef BURROW_FUZZ_H
#define BURROW_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libFuzzer's name; in burrow-tests each has a name of its own.
#ifdef FUZZ_TARGET
#define LLVMFuzzerTestOneInput FUZZ_TARGET
#endif
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);                \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

// The bytes, from the front; zeros when there are no more.
typedef struct {
  const uint8_t *at, *end;
} fuzz_input;

static inline bool fuzz_more(const fuzz_input *in) { return in->at < in->end; }

static inline uint32_t fuzz_byte(fuzz_input *in) { return in->at < in->end ? *in->at++ : 0; }

static inline uint32_t fuzz_word(fuzz_input *in) {
  uint32_t low = fuzz_byte(in);
  return low | fuzz_byte(in) << 8;
}

// A size below 2^(most + 1), every order of magnitude equally likely.
static inline size_t fuzz_size(fuzz_input *in, unsigned most) {
  unsigned bits = fuzz_byte(in) % (most + 1);
  size_t rest = fuzz_byte(in);
  return ((size_t)1 << bits) - 1 + (bits < 8 ? rest >> (8 - bits) : rest << (bits - 8));
}

#endif
