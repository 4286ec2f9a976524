// One goroutine produces, another prints what it gets.
#include <burrow/burrow.h>
#include <stdio.h>

static void produce(void *arg) {
  bw_chan *out = arg; // borrowed: main keeps it alive until the channel is closed
  for (int i = 0; i < 3; i++) bw_chan_send(out, &i);
  bw_chan_close(out);
}

static int app(void *arg) { // the main goroutine
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  if (!c || bw_go(produce, c)) return 1;
  for (int v; bw_chan_recv(c, &v);) printf("%d\n", v);
  bw_chan_release(c);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); } // NULL options: one P per core
