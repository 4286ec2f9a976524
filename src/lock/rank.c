// The ranks that this thread holds, as one small counter per rank. A lock may be released by
// another context than the one that took it as long as it is the same thread: the scheduler does
// so when it parks a goroutine and unlocks on its behalf.
#include "lock/rank.h"

#if BW_DEBUG
#include "base/text.h"
#include "port/port.h"

static _Thread_local uint32_t held[BW_RANK_COUNT];

static const char *const rank_names[] = {
#define BW_RANK_NAME(name, text) text,
    BW_RANKS(BW_RANK_NAME)
#undef BW_RANK_NAME
};

static _Noreturn void violated(bw__rank taking, unsigned holding) {
  char buffer[160];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "fatal error: lock order: taking \"%s\" while holding \"%s\"\n",
                  rank_names[taking], rank_names[holding]);
  bw__port_write(2, t.data, t.len);
  bw__port_exit(2);
}

// noinline: after a context switch the thread, and with it the address of `held`, may be another.
BW_NOINLINE void bw__rank_push(bw__rank r) {
  for (unsigned i = r + (r == BW_RANK_CHAN); i < BW_RANK_COUNT; i++)
    if (held[i]) violated(r, i);
  held[r]++;
}

BW_NOINLINE void bw__rank_pop(bw__rank r) {
  BW_ASSERT(held[r] > 0);
  held[r]--;
}
#endif
