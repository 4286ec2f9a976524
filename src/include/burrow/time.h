/// @file time.h  Timers: call a function later, receive a value later, or again and again.
/// (bw_sleep and bw_now are in go.h.)
///
///     bw_ticker *tenth = bw_ticker_make(BW_SECOND / 10);
///     for (;;) {
///       switch (BW_SELECT(bw_on_recv(bw_ticker_chan(tenth), NULL), bw_on_recv(quit, NULL))) {
///       case 0: report(); break;
///       case 1: bw_ticker_release(tenth); return;
///       }
///     }
///
/// Most of what timers are used for elsewhere is a wait with an end: that is a deadline
/// (BW_SELECT_UNTIL, bw_chan_recv_until), which needs no timer, no memory and no release.
///
/// Times are nanoseconds on bw_now's clock, and huge ones stand for "never". A timer never fires
/// early (its time begins up to 2.5 us after the call, mostly 1.2, where that makes the call
/// quicker: on x86-64; so of two equal waits that begin within that time on different Ps either may
/// be due first); how late depends on when a thread of the runtime is free: goroutines are
/// not preempted. (Who only looks into a timer's channel, with a try form, finds what is due,
/// though it keeps the only thread.)
///
/// The values of a timer's channel are int64_t: the moment at which the timer was due; bw_now()
/// minus the value is how late it is. (Go's since 1.23, but for the time that its delivery takes.)
/// The program may only receive from such a channel: to send to it, or close it, panics "send to
/// receive-only channel", "close of receive-only channel". Its len and cap are 0.
///
/// Go 1.23's rule: once stop or reset has returned, no value of the time before can be received. A
/// value that was in the channel, but not received, is taken back, and counts as not fired.
///
/// Ownership: each constructor has its release, once. Any number of goroutines and threads may use
/// a timer at the same time, as long as none of them does after the release. Timers belong to the
/// run (bw_run) in which they were set: those that are pending when the main goroutine returns
/// never fire; they may still be stopped and released, and be reset in a later run. A timer or
/// ticker that is pending keeps "all goroutines are asleep" from being a deadlock.
#ifndef BURROW_TIME_H
#define BURROW_TIME_H

#include <burrow/chan.h>
#include <burrow/chan_of.h>
#include <burrow/go.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bw_timer bw_timer;
typedef struct bw_ticker bw_ticker;

// ---- timers -------------------------------------------------------------------------------------

/// Waits `ns` nanoseconds, then runs `fn(arg)` in a goroutine of its own (time.AfterFunc). ns <= 0:
/// at once. NULL: no memory, or no runtime is running. `fn` == NULL is a fatal error, as for bw_go.
/// `arg` is passed on as it is: the caller keeps it alive. Should there be no memory for the
/// goroutine when the time has come, the timer stays pending and tries again each millisecond. Does
/// not park. A plain thread may call.
bw_timer *bw_after_func(int64_t ns, void (*fn)(void *arg), void *arg);

/// A timer whose channel gives one value, `ns` nanoseconds from now (time.NewTimer). ns <= 0: at
/// once. NULL: no memory, or no runtime is running. Firing needs no memory. Does not park. A plain
/// thread may call.
bw_timer *bw_timer_make(int64_t ns);

/// The timer's channel; the caller borrows it, and may retain it: then it gives what the timer
/// sends even after the timer's release. NULL for a timer of bw_after_func, and for NULL.
bw_chan *bw_timer_chan(bw_timer *t);

#ifndef __cplusplus
/// The same with its type: what is sent to it does not compile.
static inline BW_RECV_END(int64_t) bw_timer_times(bw_timer *t) {
  return (BW_RECV_END(int64_t)){bw_timer_chan(t)};
}
#endif

/// Keeps the timer from firing (Timer.Stop). True: it was pending, and this time fn will not run,
/// or no value will come. False: it had fired or been stopped; fn may still be running, or be about
/// to; the value has been received. NULL panics "time: Stop called on uninitialized Timer". Does
/// not park.
bool bw_timer_stop(bw_timer *t);

/// Has the timer fire `ns` nanoseconds from now, instead of when it would have, or once more
/// (Timer.Reset). True: it was pending, and will fire at the new time only. False: it had fired or
/// been stopped, and is pending again; the goroutine of an earlier firing may run at the same time
/// as the next one. Does nothing, and returns false, when no runtime is running. NULL panics "time:
/// Reset called on uninitialized Timer". Does not park.
bool bw_timer_reset(bw_timer *t, int64_t ns);

/// The caller will not use the timer any more; NULL is allowed. Does not park.
/// bw_after_func's: a pending timer still fires, and its memory is freed then; else it is freed at
/// once. A goroutine that runs fn is not disturbed, and fn may release its own timer. To be rid of
/// such a timer: bw_timer_stop, then this.
/// With a channel: gives up a reference to the channel. With the last one the timer ends.
void bw_timer_release(bw_timer *t);

/// A channel that gives one value, `ns` nanoseconds from now (time.After): a timer without a
/// handle. The caller owns the channel; bw_chan_release stops what is pending and frees it all.
/// NULL: no memory, or no runtime is running. For a timeout BW_SELECT_UNTIL is the better form.
/// Does not park.
bw_chan *bw_after(int64_t ns);

// ---- tickers ------------------------------------------------------------------------------------

/// A ticker, whose channel gives a value every `ns` nanoseconds, the first one after `ns`
/// (time.NewTicker). The period does not drift, however late each tick is received: the values are
/// the start plus multiples of `ns`. A tick that finds the one before it still in the channel is
/// dropped. Panics "non-positive interval for NewTicker". NULL: no memory, or no runtime is
/// running. Does not park.
bw_ticker *bw_ticker_make(int64_t ns);

/// The ticker's channel; the caller borrows it, and may retain it: then the ticker goes on after
/// its release, until it was stopped or that reference ends. NULL for NULL.
bw_chan *bw_ticker_chan(bw_ticker *t);

#ifndef __cplusplus
/// The same with its type: what is sent to it does not compile.
static inline BW_RECV_END(int64_t) bw_ticker_times(bw_ticker *t) {
  return (BW_RECV_END(int64_t)){bw_ticker_chan(t)};
}
#endif

/// No more ticks (Ticker.Stop). The channel is not closed: receivers wait on. Nothing for NULL, as
/// in Go. Does not park.
void bw_ticker_stop(bw_ticker *t);

/// The next tick comes in `ns` nanoseconds, and one every `ns` from then on, also if the ticker was
/// stopped (Ticker.Reset). Panics "non-positive interval for Ticker.Reset", for NULL "time: Reset
/// called on uninitialized Ticker". Does nothing when no runtime is running. Does not park.
void bw_ticker_reset(bw_ticker *t, int64_t ns);

/// Gives up a reference to the channel. With the last one the ticker ends. NULL is allowed. Does
/// not park.
void bw_ticker_release(bw_ticker *t);

/// The channel of a ticker without a handle (time.Tick), which the caller owns; bw_chan_release
/// ends the ticker. NULL, a channel that never gives anything, for ns <= 0; also when there is no
/// memory or no runtime. Does not park.
bw_chan *bw_tick(int64_t ns);

#ifdef __cplusplus
}
#endif
#endif
