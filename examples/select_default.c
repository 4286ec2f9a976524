// Send or receive only if that is possible at once: a select with a default.
//
// main tries to receive before anybody sends, and takes the default. A second later the other
// goroutine tries to send; main is asleep and not receiving, so it takes the default, too.
#include <burrow/burrow.h>
#include <stdio.h>

static void try_to_send(void *arg) {
  bw_chan *c = arg;
  bw_sleep(BW_SECOND);
  switch (BW_TRY_SELECT(bw_on_send(c, &(int){1}))) {
  case 0: printf("send\n"); break;
  default: printf("send default\n");
  }
  bw_chan_release(c);
}

static int app(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  if (!c || bw_go(try_to_send, bw_chan_retain(c))) return 1;
  int t;
  switch (BW_TRY_SELECT(bw_on_recv(c, &t))) {
  case 0: printf("receive: %d\n", t); break;
  default: printf("receive default\n");
  }
  bw_sleep(BW_SECOND + BW_SECOND / 2); // longer than the other sleeps
  bw_chan_release(c);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
