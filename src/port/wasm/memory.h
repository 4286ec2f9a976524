// The two doors of linear memory besides port.h.
#ifndef BURROW_PORT_WASM_MEMORY_H
#define BURROW_PORT_WASM_MEMORY_H

#include "base/config.h"

// Called after each growth, under the page heap's lock: whoever keeps the address or the length of
// linear memory looks again. A function of each port's folder.
void bw__port_mem_grown(void);

// Where the break is kept; for emscripten_get_sbrk_ptr.
uintptr_t *bw__port_mem_break(void);

#endif
