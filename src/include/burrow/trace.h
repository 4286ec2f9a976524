/// @file trace.h  Execution traces: what every goroutine did, when, and who woke it.
///
///     bw_trace_start(0);
///     work();
///     bw_trace_stop();
///     bw_trace_write_file("out.json"); // BW_ENOTSUP where there are no files (wasm threads)
///
/// The file is in Chrome's trace event format: open it in ui.perfetto.dev or chrome://tracing. It
/// has a track for each P, on which a slice is a goroutine that ran without a break, named after
/// the goroutine; why it stopped is among the slice's arguments. Arrows lead from the moment at
/// which a goroutine was started or woken to the moment at which it ran. Steals, and the starts of
/// goroutines, are marks. A second group has a track for each thread: which P it held, and its
/// blocking calls. What plain threads start and wake is on a track of its own.
///
/// Each thread of the runtime writes to a buffer of its own, with no lock and no allocation; when
/// that is full, its oldest events are lost. While a trace runs, an event costs about as much as
/// reading the clock, and a switch between goroutines is two events; without one, a predicted
/// branch at each of these places.
///
/// A trace belongs to one run: it ends at the latest when bw_run returns, and may be written after
/// that. It may be started before bw_run. With BURROW_DEBUG=trace=PATH in the environment a trace
/// of the whole of bw_run is written to PATH at its end (not when the program ends in another way).
#ifndef BURROW_TRACE_H
#define BURROW_TRACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Starts a trace, with so many bytes for each thread of the runtime, and once more for all plain
/// threads together; an event takes 40. 0: 1 MB. What an earlier trace recorded is dropped. BW_OK,
/// BW_ENOMEM, or BW_ESTATE when a trace runs or is being written. Does not park.
int bw_trace_start(size_t bytes_per_thread);

/// Ends the trace: when this returns nothing more is recorded. Nothing happens when none runs. Does
/// not park.
void bw_trace_stop(void);

/// Gives `write` what the last trace recorded, piece by piece, as JSON; may be called again. BW_OK;
/// BW_ESTATE when there is none, or it still runs, or is being written already; BW_ENOMEM. May
/// park if `write` does.
int bw_trace_write(void (*write)(void *arg, const char *data, size_t n), void *arg);

/// The same to a new or emptied file. BW_ENOTSUP where there are no files (wasm threads), BW_EINVAL
/// when it cannot be written.
int bw_trace_write_file(const char *path);

/// Events of the last trace that are lost because a buffer was full or could not be had; 0 while
/// one runs.
uint64_t bw_trace_dropped(void);

/// Frees what was recorded. Nothing happens while a trace runs.
void bw_trace_free(void);

#ifdef __cplusplus
}
#endif
#endif
