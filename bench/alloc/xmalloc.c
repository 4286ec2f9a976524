// Producers and consumers: half of the threads only allocate, the other half only free. Blocks of
// 16 bytes to 1 KiB go over in batches of 256, themselves allocated here and freed there, through a
// queue of at most 16. One operation is one block, allocated and freed. A thread that is alone
// fills the queue and empties it, in turn.
#include "bench.h"

#include <pthread.h>

enum { BATCH = 256, QUEUE = 16, FULL = 60000 }; // FULL: batches, of all threads

typedef struct batch {
  int64_t bytes;
  block blocks[BATCH];
} batch;

static struct {
  pthread_mutex_t mu;
  pthread_cond_t not_full, not_empty;
  // Under mu:
  batch *ring[QUEUE];
  int first, count;
  int producers;       // that will still put something
  int64_t bytes, peak; // in the batches, of those in the queue
} queue = {.mu = PTHREAD_MUTEX_INITIALIZER,
           .not_full = PTHREAD_COND_INITIALIZER,
           .not_empty = PTHREAD_COND_INITIALIZER};

static void put(batch *b) {
  pthread_mutex_lock(&queue.mu);
  while (queue.count == QUEUE) pthread_cond_wait(&queue.not_full, &queue.mu);
  queue.ring[(queue.first + queue.count++) % QUEUE] = b;
  queue.bytes += b->bytes;
  if (queue.bytes > queue.peak) queue.peak = queue.bytes;
  pthread_cond_signal(&queue.not_empty);
  pthread_mutex_unlock(&queue.mu);
}

// NULL: the queue is empty, and will stay so.
static batch *take(void) {
  batch *b = NULL;
  pthread_mutex_lock(&queue.mu);
  while (queue.count == 0 && queue.producers > 0) pthread_cond_wait(&queue.not_empty, &queue.mu);
  if (queue.count > 0) {
    b = queue.ring[queue.first];
    queue.first = (queue.first + 1) % QUEUE;
    queue.count--;
    queue.bytes -= b->bytes;
    pthread_cond_signal(&queue.not_full);
  }
  pthread_mutex_unlock(&queue.mu);
  return b;
}

static void producers_add(int n) {
  pthread_mutex_lock(&queue.mu);
  queue.producers += n;
  if (queue.producers == 0) pthread_cond_broadcast(&queue.not_empty);
  pthread_mutex_unlock(&queue.mu);
}

static __attribute__((noinline)) batch *batch_make(bench_worker *w) {
  batch *b = malloc(sizeof *b);
  if (!b) bench_no_memory(sizeof *b);
  b->bytes = sizeof *b;
  for (int i = 0; i < BATCH; i++) {
    b->blocks[i] = block_make(w, bench_log_uniform(w, 4, 10));
    b->bytes += b->blocks[i].n;
  }
  return b;
}

static __attribute__((noinline)) void batch_free(bench_worker *w, batch *b) {
  block_free_all(w, b->blocks, BATCH);
  free(b);
}

static void run_alone(bench_worker *w, int64_t batches) {
  for (int64_t done = 0; done < batches; done += QUEUE) {
    for (int i = 0; i < QUEUE; i++) put(batch_make(w));
    for (batch *b = take(); b; b = take()) batch_free(w, b);
  }
}

// Every producer makes `batches`. Ends, for all, when all are consumed.
static void run_pass(bench_worker *w, int64_t batches) {
  int producers = w->threads / 2;
  if (producers == 0) {
    run_alone(w, batches);
    return;
  }
  if (w->id == 0) producers_add(producers);
  bench_barrier(w);
  if (w->id < producers) {
    for (int64_t i = 0; i < batches; i++) put(batch_make(w));
    producers_add(-1);
  } else {
    for (batch *b = take(); b; b = take()) batch_free(w, b);
  }
}

BENCH(xmalloc, ON_THREAD) {
  int producers = w->threads > 1 ? w->threads / 2 : 1;
  // Whole queues, for the thread that is alone.
  int64_t batches = (bench_count(FULL / producers) + QUEUE - 1) / QUEUE * QUEUE;
  run_pass(w, bench_warmup(FULL / producers));
  bench_begin(w);
  run_pass(w, batches);
  bench_end(w, w->id < producers ? batches * BATCH : 0);
  w->peak = w->id == 0 ? queue.peak : 0;
}
