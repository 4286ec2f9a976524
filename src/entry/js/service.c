// The runtime as a service: JavaScript provides the threads and is the outside help that keeps "all
// goroutines are asleep" from being a deadlock.
#include "entry/js/abi.h"

#include "entry/runtime.h"
#include "sched/sched.h"

int bw_js_open(int procs, int stack_size) {
  if (stack_size < 0 || procs < 1) return BW_EINVAL;
  bw_options options = {.procs = procs, .stack_size = (size_t)stack_size};
  int code = bw__runtime_open(&options);
  if (code == 0) bw_outside_enter();
  return code;
}

int bw_js_enlist(void) {
  if (!bw_procs()) return BW_ESTATE;
  bw__m *m = bw__m_new();
  bw__m_set_here(m);
  return m ? 0 : BW_ENOMEM;
}

int bw_js_serve(void) {
  bw__m *m = bw__m_here();
  if (!m) return BW_ESTATE;
  bw__m_serve(m);
  return 0;
}

int bw_js_stop(void) {
  if (!bw_procs()) return BW_ESTATE;
  bw__runtime_stop();
  return 0;
}

int bw_js_close(void) {
  if (!bw_procs()) return BW_ESTATE;
  bw_outside_leave();
  bw__runtime_close();
  return 0;
}

int bw_js_num_goroutine(void) { return bw_num_goroutine(); }
