// Producers and consumers with a queue of eight places: a mutex guards it, one condition variable
// is for those who wait for an item, another for those who wait for a place.
#include <burrow/burrow.h>
#include <stdio.h>

enum { PLACES = 8, PRODUCERS = 3, CONSUMERS = 2, EACH = 1000 };

static struct {
  bw_mutex mu;
  bw_cond filled, emptied;
  int items[PLACES], first, count, most; // under mu
  bool closed;                           // under mu
  int got;                               // under mu
  long long sum;                         // under mu
} queue = {.filled = BW_COND(&queue.mu), .emptied = BW_COND(&queue.mu)};

static void put(int item) {
  bw_mutex_lock(&queue.mu);
  while (queue.count == PLACES) bw_cond_wait(&queue.emptied);
  queue.items[(queue.first + queue.count++) % PLACES] = item;
  if (queue.count > queue.most) queue.most = queue.count;
  bw_mutex_unlock(&queue.mu);
  bw_cond_signal(&queue.filled);
}

// False: it is closed and empty.
static bool get(int *item) {
  bw_mutex_lock(&queue.mu);
  while (queue.count == 0 && !queue.closed) bw_cond_wait(&queue.filled);
  bool any = queue.count > 0;
  if (any) {
    *item = queue.items[queue.first];
    queue.first = (queue.first + 1) % PLACES;
    queue.count--;
  }
  bw_mutex_unlock(&queue.mu);
  if (any) bw_cond_signal(&queue.emptied);
  return any;
}

static void produce(void *number) {
  for (int i = 0; i < EACH; i++) put(*(int *)number * EACH + i);
}

static void consume(void *unused) {
  (void)unused;
  for (int item = 0; get(&item);) {
    bw_mutex_lock(&queue.mu);
    queue.got++;
    queue.sum += item;
    bw_mutex_unlock(&queue.mu);
  }
}

static int app(void *arg) {
  (void)arg;
  bw_waitgroup producers = {0}, consumers = {0};
  int numbers[PRODUCERS];
  for (int i = 0; i < CONSUMERS; i++)
    if (bw_waitgroup_go(&consumers, consume, NULL) != 0) return 1;
  for (int i = 0; i < PRODUCERS; i++) {
    numbers[i] = i;
    if (bw_waitgroup_go(&producers, produce, &numbers[i]) != 0) return 1;
  }
  bw_waitgroup_wait(&producers);
  bw_mutex_lock(&queue.mu);
  queue.closed = true;
  bw_mutex_unlock(&queue.mu);
  bw_cond_broadcast(&queue.filled);
  bw_waitgroup_wait(&consumers);
  printf("%d items, sum %lld, %s\n", queue.got, queue.sum,
         queue.most <= PLACES ? "never too many at once" : "too many at once");
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
