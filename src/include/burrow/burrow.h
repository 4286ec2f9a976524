/// @file burrow.h  Burrow: Go's runtime for C and for the web. This header includes all the others.
///
///     static void produce(void *arg) {
///       bw_chan *out = arg;
///       for (int i = 0; i < 3; i++) bw_chan_send(out, &i);
///       bw_chan_close(out);
///     }
///     static int app(void *arg) {
///       bw_chan *c = bw_chan_make(sizeof(int), 0);
///       bw_go(produce, c);
///       for (int v; bw_chan_recv(c, &v);) printf("%d\n", v); // prints 0 1 2
///       bw_chan_release(c);
///       return 0;
///     }
///     int main(void) { return bw_run(app, NULL, NULL); }
#ifndef BURROW_BURROW_H
#define BURROW_BURROW_H

#define BW_VERSION_MAJOR 0
#define BW_VERSION_MINOR 1
#define BW_VERSION_PATCH 0
#define BW_VERSION       "0.1.0"

#include <burrow/alloc.h>
#include <burrow/array.h>
#include <burrow/chan.h>
#include <burrow/chan_of.h>
#include <burrow/context.h>
#include <burrow/debug.h>
#include <burrow/defer.h>
#include <burrow/error.h>
#include <burrow/go.h>
#include <burrow/heap.h>
#include <burrow/io.h>
#include <burrow/layout.h>
#include <burrow/locks.h>
#include <burrow/mutex.h>
#include <burrow/patterns.h>
#include <burrow/pool.h>
#include <burrow/profile.h>
#include <burrow/select.h>
#include <burrow/singleflight.h>
#include <burrow/slice.h>
#include <burrow/slice_of.h>
#include <burrow/string.h>
#include <burrow/sync.h>
#include <burrow/time.h>
#include <burrow/trace.h>

#endif
