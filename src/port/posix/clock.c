// The clock for the beginning of waits (bw__port_now_ahead). On x86-64 the system's clock takes 20
// to 26 ns, of which most goes into waiting until all that came before is done; the counter alone
// takes 5 to 9. So the system's clock is looked at once in a few microseconds, and in between its
// time is reckoned from the counter, in such a way that the result is never behind: clock.h says
// how, and how far ahead it may be.
//
// It is off, and each call reads the real clock,
//
//   - on other processors than x86-64;
//   - unless the kernel itself takes its time from the counter when the runtime is first opened:
//     only then does the counter run at one rate and show the same on all cores, also when a record
//     wanders from thread to thread with its P;
//   - where a thread may not read the counter (prctl); one that loses the right later has lost the
//     system's clock with it, which reads the same counter without asking;
//   - until the rate is known, a millisecond or more after the first call;
//   - for good once a look at the real clock shows a record behind it;
//   - while looks take too long: under Valgrind, or when reading the real clock has become a system
//     call, because the kernel trusts the counter no more.
//
// A record belongs to one thread at a time (a P's to who holds the P) and shares nothing with
// others but the rate.
#include "port/posix/clock.h"

bw__clock bw__clock_shared;

#if defined(__x86_64__)

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static bool kernel_uses_counter(void) {
  char name[8];
  int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, name, sizeof name);
  close(fd);
  return n >= 4 && memcmp(name, "tsc\n", 4) == 0;
}

static bool may_read_counter(void) {
  int may = PR_TSC_SIGSEGV;
  return prctl(PR_GET_TSC, &may) == 0 && may == PR_TSC_ENABLE;
}

void bw__port_clock_open(void) {
  static bool asked;
  if (asked) return;
  asked = true;
  if (kernel_uses_counter() && may_read_counter())
    bw__store_relaxed(&bw__clock_shared.rate, BW_CLOCK_LEARNS);
}

// The first reading may come too early for its place in the program, which does no harm, and not
// too late, since the system's clock waits for all before it. The second one must wait.
static bw__clock_look look(clockid_t clock) {
  bw__clock_look l;
  struct timespec t;
  l.before = __rdtsc();
  clock_gettime(clock, &t);
  _mm_lfence();
  l.after = __rdtsc();
  l.ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
  return l;
}

static BW_NOINLINE int64_t now_by_look(bw__port_clock *c) {
  uint64_t rate = bw__load_relaxed(&bw__clock_shared.rate);
  if (rate == BW_CLOCK_OFF) return bw__clock_say(c, bw__port_now());
  if (rate == BW_CLOCK_LEARNS && bw__clock_wants_to_learn(c, __rdtsc())) {
    bw__clock_look raw = look(CLOCK_MONOTONIC_RAW);
    bw__clock_learn(c, &raw, &bw__clock_shared);
  }
  bw__clock_look l = look(CLOCK_MONOTONIC);
  return bw__clock_renew(c, &l, &bw__clock_shared);
}

int64_t bw__port_now_ahead(bw__port_clock *c) {
  uint64_t rate = bw__load_relaxed(&bw__clock_shared.rate);
  if (BW_UNLIKELY(rate <= BW_CLOCK_LEARNS)) return now_by_look(c);
  uint64_t tsc = __rdtsc();
  if (BW_UNLIKELY(!bw__clock_is_fresh(c, tsc))) return now_by_look(c);
  return bw__clock_say(c, bw__clock_reckon(c, tsc, rate));
}

#else

void bw__port_clock_open(void) {}

int64_t bw__port_now_ahead(bw__port_clock *c) { return bw__clock_say(c, bw__port_now()); }

#endif
