// Counting semaphores for programs: what the table has, as it is.
#include "sync/semaphore.h"

#include "sync/mutex.h"

int bw__semaphore_acquire_with(bw_sema *s, int64_t deadline, bw__cancel_source *cancel) {
  return bw__sema_acquire_until(bw__sema_word(&s->permits), BW_SEMA_FIFO, BW_REASON_SEMA, s,
                                deadline, cancel);
}

void bw_sema_acquire(bw_sema *s) {
  bw__sema_acquire(bw__sema_word(&s->permits), BW_SEMA_FIFO, BW_REASON_SEMA, s);
}

bool bw_sema_try_acquire(bw_sema *s) { return bw__sema_try(bw__sema_word(&s->permits)); }

int bw_sema_acquire_until(bw_sema *s, int64_t deadline) {
  return bw__semaphore_acquire_with(s, bw__sync_deadline(deadline), NULL);
}

void bw_sema_release(bw_sema *s, uint32_t n) {
  if (n == 1)
    bw__sema_release(bw__sema_word(&s->permits), false);
  else
    bw__sema_release_n(bw__sema_word(&s->permits), n);
}
