// The shadow stack of a thread itself, as opposed to a goroutine's.
#ifndef BURROW_PORT_WASM_STACK_H
#define BURROW_PORT_WASM_STACK_H

#include "base/config.h"

// Bounds of this thread's own stack; both NULL: not known. Functions of each port's folder.
char *bw__stack_low(void);
char *bw__stack_high(void);

// From here on the bounds of the thread's own stack are those that hold on this thread. (They are
// also found at the first change of the stack pointer, but for threads whose bounds were not known
// then.)
void bw__stack_enter_own(void);

#endif
