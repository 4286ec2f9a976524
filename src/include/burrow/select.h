/// @file select.h  Select: wait for several channel operations, do exactly one of them.
///
///     int job;
///     switch (BW_SELECT(bw_on_recv(jobs, &job), bw_on_recv(quit, NULL))) {
///     case 0: work(job); break;
///     case 1: return;
///     }
///
/// The value is the index of the case that happened. BW_TRY_SELECT is Go's select with a default,
/// which C's own `default:` then is; BW_SELECT_UNTIL gives up at a deadline:
///
///     switch (BW_TRY_SELECT(bw_on_send(out, &v))) {
///     case 0: sent++; break;
///     default: dropped++;                        // BW_EAGAIN
///     }
///     switch (BW_SELECT_UNTIL(bw_now() + BW_SECOND, bw_on_recv(in, &v))) {
///     case 0: use(v); break;
///     case BW_ETIMEDOUT: complain();
///     }
///
/// Of several cases that can go on, one is chosen at random, each with the same probability. A
/// select looks at all of its cases at one moment: when at every moment at least one of them is
/// ready, the default is never taken. A channel may be in several cases. A case whose channel is
/// NULL (Go's nil channel) never happens: so a case is switched off. No case at all, or only such:
/// waits for ever. A send to a channel that is closed, or is closed while it waits, panics "send on
/// closed channel" if that case is chosen; a receive from one happens, with a zero value. A send to
/// a timer's channel panics when the select comes to look at it (typed, it does not compile).
///
/// The channel and value expressions of all cases are evaluated once, whichever case happens. They
/// may run in any order (C's, not Go's). The variable of a receive that does not happen is left as
/// it is. Goroutines park, plain threads block; both may select on the same channels.
#ifndef BURROW_SELECT_H
#define BURROW_SELECT_H

#include <burrow/chan.h>
#include <burrow/go.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bw_direction { BW_SEND, BW_RECV } bw_direction;

/// One operation of a select. The channel needs a reference, and the value must live, until the
/// select returns.
typedef struct bw_case {
  bw_chan *chan; ///< NULL: never ready
  void *value;   ///< BW_SEND: what to send (only read). BW_RECV: where to put it; NULL: nowhere
  bool *ok;      ///< BW_RECV: set to whether a value came (false: closed) when this case happens;
                 ///< NULL: not wanted. BW_SEND: ignored
  bw_direction direction;
} bw_case;

/// `case v := <-c`
static inline bw_case bw_on_recv(bw_chan *c, void *value) {
  bw_case k = {c, value, NULL, BW_RECV};
  return k;
}
/// `case v, ok := <-c`
static inline bw_case bw_on_recv_ok(bw_chan *c, void *value, bool *ok) {
  bw_case k = {c, value, ok, BW_RECV};
  return k;
}
/// `case c <- v`
static inline bw_case bw_on_send(bw_chan *c, const void *value) {
  bw_case k = {c, (void *)value, NULL, BW_SEND};
  return k;
}

/// Does one of `n` operations and returns its index; waits until one can be done. May park.
/// BW_ENOMEM: there are more than 16 cases and no memory to keep track of them; nothing happened.
/// (Up to 16 need none.) More than 65,536 cases panic "select: too many cases".
int bw_select(const bw_case *cases, size_t n);
/// The same, or BW_EAGAIN when none can be done at once: Go's select with a default. Never parks.
int bw_try_select(const bw_case *cases, size_t n);
/// The same, or BW_ETIMEDOUT when none could be done until `deadline` (on bw_now's clock; one that
/// has passed: as bw_try_select, but for the code). May park.
int bw_select_until(const bw_case *cases, size_t n, int64_t deadline);

// In C only: C++ has no such arrays.
#ifndef __cplusplus
#define BW__CASES(...)                                                                             \
  (const bw_case[]){__VA_ARGS__}, sizeof((const bw_case[]){__VA_ARGS__}) / sizeof(bw_case)
#define BW_SELECT(...)                 bw_select(BW__CASES(__VA_ARGS__))
#define BW_TRY_SELECT(...)             bw_try_select(BW__CASES(__VA_ARGS__))
#define BW_SELECT_UNTIL(deadline, ...) bw_select_until(BW__CASES(__VA_ARGS__), (deadline))

#endif

/// Sends, or gives up at `deadline`: 0 or BW_ETIMEDOUT. Panics "send on closed channel". May park.
int bw_chan_send_until(bw_chan *c, const void *value, int64_t deadline);
/// Receives, or gives up at `deadline`: 0; BW_ECLOSED: closed and drained, value zeroed;
/// BW_ETIMEDOUT: value untouched. May park.
int bw_chan_recv_until(bw_chan *c, void *value, int64_t deadline);

#ifdef __cplusplus
}
#endif
#endif
