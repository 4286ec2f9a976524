// How Go's WaitGroup once found an aligned 64-bit word in three 32-bit ones: of 12 bytes that are
// aligned to 4, either the first eight are aligned to 8 or the last eight are. The word that is
// left over is the semaphore. (bw_waitgroup asks the compiler for its alignment, and has 16 bytes.)
//
//     at byte 0: state in words 0 and 1, semaphore in word 2: 10 done
//     at byte 4: state in words 1 and 2, semaphore in word 0: 10 done
#include <burrow/burrow.h>
#include <stdatomic.h>
#include <stdio.h>

typedef struct {
  uint32_t state1[3];
} waitgroup;

typedef uint64_t __attribute__((may_alias)) state_word;

static state_word *state_of(waitgroup *wg) {
  return (state_word *)(void *)&wg->state1[(uintptr_t)wg % 8 == 0 ? 0 : 1];
}
static bw_sema *sema_of(waitgroup *wg) {
  return (bw_sema *)(void *)&wg->state1[(uintptr_t)wg % 8 == 0 ? 2 : 0];
}

static void add(waitgroup *wg, int n) {
  uint64_t state = __atomic_add_fetch(state_of(wg), (uint64_t)(uint32_t)n << 32, __ATOMIC_SEQ_CST);
  uint32_t waiters = (uint32_t)state;
  if ((int32_t)(state >> 32) < 0) bw_panic("negative counter");
  if (state >> 32 != 0 || waiters == 0) return;
  __atomic_store_n(state_of(wg), 0, __ATOMIC_SEQ_CST);
  bw_sema_release(sema_of(wg), waiters);
}

static void wait(waitgroup *wg) {
  uint64_t state = __atomic_load_n(state_of(wg), __ATOMIC_SEQ_CST);
  do {
    if (state >> 32 == 0) return;
  } while (!__atomic_compare_exchange_n(state_of(wg), &state, state + 1, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST));
  bw_sema_acquire(sema_of(wg));
}

static atomic_int done;

static void work(void *wg) {
  bw_gosched();
  atomic_fetch_add(&done, 1);
  add(wg, -1);
}

static int try_at(waitgroup *wg, uintptr_t byte) {
  const uint32_t *words = wg->state1;
  ptrdiff_t state = (const uint32_t *)(void *)state_of(wg) - words;
  ptrdiff_t sema = (const uint32_t *)(void *)sema_of(wg) - words;
  atomic_store(&done, 0);
  add(wg, 10);
  for (int i = 0; i < 10; i++)
    if (bw_go(work, wg) != 0) return 1;
  wait(wg);
  printf("at byte %d: state in words %td and %td, semaphore in word %td: %d done\n", (int)byte,
         state, state + 1, sema, atomic_load(&done));
  return 0;
}

static int app(void *arg) {
  (void)arg;
  static _Alignas(8) uint32_t room[4];
  int code = try_at((waitgroup *)(void *)&room[0], 0);
  if (code != 0) return code;
  room[0] = 0;
  return try_at((waitgroup *)(void *)&room[1], 4);
}

int main(void) { return bw_run(app, NULL, NULL); }
