#include "lock/note.h"

#include "port/port.h"

bool bw__note_sleep(bw__note *n, int64_t deadline) {
  while (!bw__note_woken(n)) {
    int64_t left = -1;
    if (deadline >= 0) {
      left = deadline - bw__port_now();
      if (left <= 0) return bw__note_woken(n);
    }
    if (bw__port_may_block())
      bw__port_futex_wait(&n->word, 0, left);
    else
      bw__cpu_relax();
  }
  return true;
}

void bw__note_wake(bw__note *n) {
  bw__swap_release(&n->word, 1); // pairs with the acquire in bw__note_woken
  bw__port_futex_wake(&n->word, 1);
}
