// Typed channels: who may only send has a send end, who may only receive a receive end, and a value
// of another type does not compile.
#include <burrow/burrow.h>
#include <stdio.h>

typedef struct order {
  int number;
  const char *dish;
} order;
BW_CHAN_TYPE(order);

typedef struct {
  BW_RECV_END(order) orders;
  BW_SEND_END(int) served;
} kitchen;

static void cook(void *arg) {
  kitchen *k = arg;
  for (order o; bw_recv(k->orders, &o);) {
    printf("%d: %s\n", o.number, o.dish);
    bw_send(k->served, o.number);
  }
  bw_close(k->served);
}

static int app(void *arg) {
  (void)arg;
  BW_CHAN(order) orders = BW_CHAN_MAKE(order, 0);
  BW_CHAN(int) served = BW_CHAN_MAKE(int, 2);
  if (!orders.chan || !served.chan) return 1;
  kitchen k = {orders.recv_end, served.send_end};
  if (bw_go(cook, &k)) return 1;
  bw_send(orders, ((order){1, "soup"}));
  bw_send(orders, ((order){2, "bread"}));
  bw_close(orders);
  int sum = 0;
  for (int number; bw_recv(served, &number);) sum += number;
  printf("served %d\n", sum);
  bw_release(orders);
  bw_release(served);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
