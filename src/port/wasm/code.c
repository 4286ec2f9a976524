// A wasm program cannot see its own stack. (Emscripten can ask the engine for it, as text, through
// JavaScript: that allocates and takes a millisecond.)
#include "port/port.h"

unsigned bw__port_backtrace(uintptr_t *frames, unsigned most) {
  (void)frames;
  (void)most;
  return 0;
}

bool bw__port_describe(uintptr_t address, char *text, size_t cap) {
  (void)address;
  (void)text;
  (void)cap;
  return false;
}

void bw__port_maps(void (*put)(void *arg, const char *data, size_t n), void *arg) {
  (void)put;
  (void)arg;
}
