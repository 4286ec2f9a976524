// What the JavaScript around the module provides. In a program linked by Emscripten the functions
// come from program/host.c; in the npm package from web/src/host.ts, under the same import names.
#ifndef BURROW_PORT_EMSCRIPTEN_HOST_H
#define BURROW_PORT_EMSCRIPTEN_HOST_H

#include "base/config.h"

// Writes n bytes to fd 1 or 2 at once: no stdio, no proxying to the main thread where that can be
// had.
void bw_host_write(int fd, const char *data, size_t n);

// Nanoseconds on a clock that is the same on every thread and does not go back.
int64_t bw_host_now(void);

// Ends the program (or, in a page, the runtime) at once.
_Noreturn void bw_host_exit(int status);

// Whether this thread may sleep. Asked of Emscripten when nobody said; JavaScript's own threads say
// it when they attach.
void bw__port_set_may_block(bool may);

// For threads that JavaScript attached, which no pthread ends: runs what was registered with
// bw__port_thread_at_exit on this thread.
void bw__port_thread_ends(void);

#endif
