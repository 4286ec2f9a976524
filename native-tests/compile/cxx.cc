// The headers in C++: they compile without a warning, and their inline functions can be called. What
// needs C's own means (typed channels, scopes of deferred calls, BW_SELECT) is not declared there.
#include <burrow/burrow.h>

int run(void *arg);

BW_CONTEXT_KEY(user, int);

static int wait_for_one(bw_chan *a, bw_chan *b) {
  int v = 0;
  bool ok = false;
  const bw_case cases[] = {bw_on_recv(a, &v), bw_on_recv_ok(b, &v, &ok), bw_on_send(b, &v)};
  return bw_select(cases, sizeof cases / sizeof *cases);
}

int run(void *arg) {
  bw_chan *c = static_cast<bw_chan *>(arg);
  if (!c) bw_panic("no channel");
  return wait_for_one(c, nullptr) == BW_OK ? 0 : 1;
}
