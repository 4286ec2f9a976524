// Send or receive only if that is possible at once: what a select with a default does in Go.
//
// main tries to receive before anybody sends, and takes the default. A second later the other
// goroutine tries to send; main is asleep and not receiving, so it takes the default, too.
#include <burrow/burrow.h>
#include <stdio.h>

static void try_to_send(void *arg) {
  bw_chan *c = arg;
  bw_sleep(BW_SECOND);
  if (bw_chan_try_send(c, &(int){1}) == BW_OK)
    printf("send\n");
  else
    printf("send default\n");
  bw_chan_release(c);
}

static int app(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  if (!c || bw_go(try_to_send, bw_chan_retain(c))) return 1;
  int v;
  if (bw_chan_try_recv(c, &v) == BW_OK)
    printf("receive: %d\n", v);
  else
    printf("receive default\n");
  bw_sleep(BW_SECOND + BW_SECOND / 2); // longer than the other sleeps
  bw_chan_release(c);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
