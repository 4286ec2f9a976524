// Tickets: operations on channels that nobody waits for on a stack. JavaScript's promises are made
// of them.
#include "comm/chan.h"

#include "comm/chan_state.h"

void bw__ticket_init(bw__place *t, void *elem, void (*complete)(bw__waiter *w)) {
  *t = (bw__place){.waiter = {.kind = BW_WAIT_TICKET, .complete = complete}};
  t->sudog.elem = elem;
  t->sudog.waiter = &t->waiter;
}

int bw__chan_send_ticket(bw_chan *c, bw__place *t) {
  bw__sudog *wake = NULL;
  bw__chan_lock(c);
  int code = bw__chan_send_locked(c, t->sudog.elem, &wake);
  if (code == BW_EAGAIN) bw__waitq_push(&c->senders, &t->sudog);
  return bw__chan_finish(c, code, wake);
}

int bw__chan_recv_ticket(bw_chan *c, bw__place *t) {
  bw__sudog *wake = NULL;
  bw__chan_lock(c);
  int code = bw__chan_recv_locked(c, t->sudog.elem, &wake);
  if (code == BW_EAGAIN) bw__waitq_push(&c->receivers, &t->sudog);
  return bw__chan_finish(c, code, wake);
}

bool bw__chan_cancel_ticket(bw_chan *c, bw__place *t) {
  bw__chan_lock(c);
  bw__waitq *q = bw__shared_load(&t->sudog.queue);
  if (q) bw__waitq_remove(q, &t->sudog);
  bw__chan_unlock(c);
  return q != NULL;
}
