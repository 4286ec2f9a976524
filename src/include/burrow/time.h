/// @file time.h  Timers: call a function later. (bw_sleep and bw_now are in go.h.)
///
/// Ownership: bw_after_func gives a timer, bw_timer_release ends the caller's ownership, once. Any
/// number of goroutines and threads may use a timer at the same time, as long as none of them does
/// after the release. Timers belong to the run (bw_run) in which they were set: those that are
/// pending when the main goroutine returns never fire; they may still be stopped and released, and
/// be reset in a later run.
///
/// Times are nanoseconds on bw_now's clock. A timer never fires early; how late depends on when a
/// thread of the runtime is free: goroutines are not preempted.
#ifndef BURROW_TIME_H
#define BURROW_TIME_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bw_timer bw_timer;

/// Waits `ns` nanoseconds, then runs `fn(arg)` in a goroutine of its own (time.AfterFunc). ns <= 0:
/// at once. NULL: no memory, or no runtime is running. `fn` == NULL is a fatal error, as for bw_go.
/// `arg` is passed on as it is: the caller keeps it alive. Should there be no memory for the
/// goroutine when the time has come, the timer stays pending and tries again each millisecond. Does
/// not park. A plain thread may call.
bw_timer *bw_after_func(int64_t ns, void (*fn)(void *arg), void *arg);

/// Keeps the timer from firing (Timer.Stop). True: it was pending, and this time fn will not run.
/// False: it fired already or was stopped; fn may still be running, or be about to. Does not park.
bool bw_timer_stop(bw_timer *t);

/// Has the timer fire `ns` nanoseconds from now, instead of when it would have, or once more
/// (Timer.Reset). True: it was pending, and will fire at the new time only. False: it had fired or
/// been stopped, and is pending again; the goroutine of an earlier firing may run at the same time
/// as the next one. Does nothing, and returns false, when no runtime is running. Does not park.
bool bw_timer_reset(bw_timer *t, int64_t ns);

/// The caller will not use the timer any more; NULL is allowed. A pending timer still fires, and
/// its memory is freed then; else it is freed at once. A goroutine that runs fn is not disturbed,
/// and fn may release its own timer. To be rid of a timer: bw_timer_stop, then this. Does not park.
void bw_timer_release(bw_timer *t);

#ifdef __cplusplus
}
#endif
#endif
