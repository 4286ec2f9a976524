// Deferred calls, a panic that is recovered, and one goroutine that ends in the middle.
//
//     opened a.txt
//     opened b.txt
//     closed b.txt
//     closed a.txt
//     first word of line 1: to
//     line 9: runtime error: index out of range [9] with length 3
//     worker: cleaned up
#include <burrow/burrow.h>
#include <stdio.h>

// ---- last in, first out, whichever way the block is left ----------------------------------------

static void close_file(void *name) { printf("closed %s\n", (const char *)name); }

static bool copy(const char *from, const char *to) {
  BW_DEFER_SCOPE;
  printf("opened %s\n", from);
  BW_DEFER(close_file, (void *)from);
  if (!to) return false; // `from` is closed here, too
  printf("opened %s\n", to);
  BW_DEFER(close_file, (void *)to);
  return true;
}

// ---- a library that panics, and a caller that would rather have an error ------------------------

typedef struct {
  const char *word;
  char error[64];
} lookup;

static void to_error(void *arg, bw_panicking *panicking) {
  lookup *l = arg;
  const bw_panic_info *info = bw_recover(panicking);
  if (info) snprintf(l->error, sizeof l->error, "%s", info->message);
}

// False: l->error says why.
static bool first_word(bw_slice lines, ptrdiff_t i, lookup *l) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return false;
  BW_DEFER(to_error, l);
  l->word = *BW_AT(const char *, lines, i); // checks the index
  return true;
}

static void look_up(bw_slice lines, ptrdiff_t i) {
  lookup l = {0};
  if (first_word(lines, i, &l))
    printf("first word of line %td: %s\n", i, l.word);
  else
    printf("line %td: %s\n", i, l.error);
}

// ---- a goroutine that ends, but not before it has cleaned up ------------------------------------

static void say_done(void *done) {
  puts("worker: cleaned up");
  bw_chan_close(done);
}

static void give_up(void) { bw_goexit(); }

static void worker(void *done) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_done, done);
  give_up();
  puts("worker: not reached");
}

static int app(void *arg) {
  (void)arg;
  const char *lines[] = {"in", "to", "at"};
  copy("a.txt", "b.txt");
  look_up(bw_slice_of(lines, 3), 1);
  look_up(bw_slice_of(lines, 3), 9);
  bw_chan *done = bw_chan_make(0, 0);
  bw_go(worker, done);
  bw_chan_recv(done, NULL);
  bw_chan_release(done);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
