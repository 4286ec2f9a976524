/// @file chan.h  Channels, with Go's semantics.
///
/// A channel carries values of one fixed size, copied on send and on receive. Capacity 0 is a
/// rendezvous: the value goes straight from the sender to the receiver. Waiters are served first
/// come, first served. Goroutines park; plain OS threads block. Any number of both may share a
/// channel.
///
///     bw_chan *c = bw_chan_make(sizeof(int), 2);    // Go: c := make(chan int, 2)
///     if (!c) return BW_ENOMEM;
///     int v = 7, w = 8;
///     bw_chan_send(c, &v);                          // Go: c <- v
///     if (bw_chan_try_send(c, &w) == BW_EAGAIN) printf("no room, and nobody waits\n");
///     bw_chan_close(c);
///     while (bw_chan_recv(c, &v)) printf("%d ", v); // prints 7 8
///     bw_chan_release(c);
///
/// Ownership: bw_chan_make gives one reference; bw_chan_retain adds one, bw_chan_release drops one,
/// and the last release frees the channel. A call on a channel needs a reference that outlives the
/// call.
/// (Until its operation has happened, to be exact: who has received the last value, or has seen
/// that the channel is closed, may release it although the call that sent or closed has not
/// returned.) NULL is Go's nil channel: sending and receiving block for ever, closing panics.
#ifndef BURROW_CHAN_H
#define BURROW_CHAN_H

#include <burrow/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bw_chan bw_chan;

/// A channel of `capacity` elements of `elem_size` bytes (0 is allowed: only the event counts).
/// NULL when there is no memory. A negative capacity, or one whose bytes overflow, panics
/// "makechan: size out of range"; elem_size is limited to 65,535 bytes ("makechan: invalid channel
/// element type").
bw_chan *bw_chan_make(size_t elem_size, ptrdiff_t capacity);
bw_chan *bw_chan_retain(bw_chan *c); ///< returns c; NULL is allowed
void bw_chan_release(bw_chan *c);    ///< NULL is allowed

/// Sends the `elem_size` bytes at `value` (which may be NULL if there are none). May park. Panics
/// "send on closed channel" if the channel is closed now or becomes so while waiting.
void bw_chan_send(bw_chan *c, const void *value);

/// Receives into `value` (NULL: the value is dropped). May park. True: a value was received. False:
/// the channel is closed and drained, and `value` is zeroed. `for (T v; bw_chan_recv(c, &v);)`
/// is Go's range over a channel.
bool bw_chan_recv(bw_chan *c, void *value);

/// Sends if that is possible at once (Go: select with default). 0 or BW_EAGAIN; never parks.
/// Panics "send on closed channel".
int bw_chan_try_send(bw_chan *c, const void *value);

/// Receives if that is possible at once. 0: received; BW_ECLOSED: closed and drained, value zeroed;
/// BW_EAGAIN: nothing there, value untouched. Never parks.
int bw_chan_try_recv(bw_chan *c, void *value);

/// Sends the `n` values at `values`, in this order: as n sends, but cheaper, since what need not
/// wait is done at once. May park. Other senders' values may come in between. Panics "send on
/// closed channel" as bw_chan_send; what was sent before that stays sent.
void bw_chan_send_n(bw_chan *c, const void *values, size_t n);

/// Receives up to `n` values into `values` (NULL: they are dropped): all that can be had at once,
/// or, when there are none, the next one alone, for which it waits. May park. Returns how many; 0:
/// the channel is closed and drained, and the first value is zeroed; or n is 0.
size_t bw_chan_recv_n(bw_chan *c, void *values, size_t n);

/// Closes: receivers get what is buffered and then (zero, false); parked senders panic.
/// Panics "close of nil channel" and "close of closed channel". Never parks.
void bw_chan_close(bw_chan *c);

ptrdiff_t bw_chan_len(bw_chan *c);    ///< values in the buffer; 0 for NULL
ptrdiff_t bw_chan_cap(bw_chan *c);    ///< capacity; 0 for NULL
size_t bw_chan_elem_size(bw_chan *c); ///< bytes an element; 0 for NULL

#ifdef __cplusplus
}
#endif
#endif
