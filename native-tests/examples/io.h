// What the example of burrow/io.h is about: a listener, and somebody who calls.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int listener;
static bool echoed;

// Sends a line, waits until it has come back and the other side has closed, and ends the listener.
static void call(void *arg) {
  struct sockaddr_in *to = arg;
  char back[16];
  size_t got = 0;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(bw_connect(fd, (struct sockaddr *)to, sizeof *to), 0);
  CHECK_EQ(bw_write(fd, "hello", 5), 5);
  CHECK_EQ(shutdown(fd, SHUT_WR), 0);
  for (ptrdiff_t n; (n = bw_read(fd, back + got, sizeof back - got)) > 0;) got += (size_t)n;
  echoed = got == 5 && memcmp(back, "hello", 5) == 0;
  CHECK_EQ(bw_close_fd(fd), 0);
  CHECK_EQ(bw_close_fd(listener), 0);
}

static void example_1_before(void) {
  static struct sockaddr_in at;
  socklen_t size = sizeof at;
  at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
  CHECK_EQ(listen(listener, 8), 0);
  CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &size), 0);
  CHECK_EQ(bw_go(call, &at), 0);
}

static void example_1_after(void) { CHECK(echoed); }
