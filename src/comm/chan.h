// Channels for callers that must not panic (JavaScript, timers) or must not wait (tickets). The
// public functions are these plus Go's panics. Codes: 0, BW_EAGAIN, BW_ECLOSED. `c` is never NULL.
#ifndef BURROW_COMM_CHAN_H
#define BURROW_COMM_CHAN_H

#include "comm/waitq.h"

#include <burrow/chan.h>

int bw__chan_send(bw_chan *c, const void *value);     // Blocks: G | M
int bw__chan_recv(bw_chan *c, void *value);           // Blocks: G | M
int bw__chan_try_send(bw_chan *c, const void *value); // Blocks: never
int bw__chan_try_recv(bw_chan *c, void *value);       // Blocks: never
int bw__chan_close(bw_chan *c);                       // Blocks: never

// What can be sent, or received, at once of n values (chan_bulk.c), and how many that were; 0 also
// when the channel is closed (and drained), and then `values` is untouched. Sending panics for a
// channel that the program may only receive from. Blocks: never.
size_t bw__chan_send_some(bw_chan *c, const void *values, size_t n);
size_t bw__chan_recv_some(bw_chan *c, void *values, size_t n);

// ---- ticket.c: JavaScript -----------------------------------------------------------------------

// A ticket is a place whose waiter is of the kind BW_WAIT_TICKET.

// `elem`: the value to send, or where to put the one received.
void bw__ticket_init(bw__place *t, void *elem, void (*complete)(bw__waiter *w));

// Sends or receives the ticket's elem now (0 or BW_ECLOSED), or leaves the ticket in the channel's
// queue (BW_EAGAIN); then `complete` is called once, on whatever thread ends the wait, with
// waiter.ok telling whether the operation happened. The ticket and its elem must live until then.
// Blocks: never.
int bw__chan_send_ticket(bw_chan *c, bw__place *t);
int bw__chan_recv_ticket(bw_chan *c, bw__place *t);
// Takes a waiting ticket back. True: it was still waiting and complete will not be called.
bool bw__chan_cancel_ticket(bw_chan *c, bw__place *t);

#endif
