// What judges the examples of headers (example_util.h): that it can find fault.
#include "example_util.h"

static int says_seven(void *arg) {
  (void)arg;
  printf("%d \n%s", 7, "a\"b\\");
  return 0;
}

static int fails(void *arg) {
  (void)arg;
  return BW_ECLOSED;
}

static int asks_for_its_number(void *arg) {
  (void)arg;
  printf("%d", (int)bw_goid());
  return 0;
}

TEST(example_may_say_what_it_prints) { check_example(says_seven, false, "7 a\"b\\ "); }
TEST(example_runs_on_the_main_goroutine) { check_example(asks_for_its_number, true, "1"); }
TEST(example_runs_on_a_thread) { check_example(asks_for_its_number, false, "0"); }
DEATH_TEST(example_that_prints_more_fails, 1, "\"7a\"b\\\" != \"7\"") {
  check_example(says_seven, false, "7");
}
DEATH_TEST(example_that_prints_less_fails, 1, "!= \"7a\"b\\8\"") {
  check_example(says_seven, false, "7 a\"b\\ 8");
}
DEATH_TEST(example_that_fails_fails, 1, "-4 != 0") { check_example(fails, false, ""); }
DEATH_TEST(example_that_fails_on_a_goroutine_fails, 1, "-4 != 0") {
  check_example(fails, true, "");
}
