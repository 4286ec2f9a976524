// Channels for callers that must not panic (JavaScript) or must not wait (tickets). The public
// functions are these plus Go's panics. Codes: 0, BW_EAGAIN, BW_ECLOSED. `c` is never NULL.
#ifndef BURROW_COMM_CHAN_H
#define BURROW_COMM_CHAN_H

#include "sched/park.h"

#include <burrow/chan.h>

int bw__chan_send(bw_chan *c, const void *value);     // Blocks: G | M
int bw__chan_recv(bw_chan *c, void *value);           // Blocks: G | M
int bw__chan_try_send(bw_chan *c, const void *value); // Blocks: never
int bw__chan_try_recv(bw_chan *c, void *value);       // Blocks: never
int bw__chan_close(bw_chan *c);                       // Blocks: never

// Sends or receives ticket->elem now (0 or BW_ECLOSED), or leaves the ticket in the channel's queue
// (BW_EAGAIN); then ticket->complete is called once, on whatever thread ends the wait, with
// ticket->ok telling whether the operation happened. The ticket and its elem must live until then.
// Blocks: never.
int bw__chan_send_ticket(bw_chan *c, bw__waiter *ticket);
int bw__chan_recv_ticket(bw_chan *c, bw__waiter *ticket);
// Takes a waiting ticket back. True: it was still waiting and complete will not be called.
bool bw__chan_cancel_ticket(bw_chan *c, bw__waiter *ticket);

#endif
