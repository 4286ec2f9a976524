// Operators new and delete in all their forms; what happens when there is no memory; thread_local.
#include <dlfcn.h>
#include <stdint.h>

#include <cstddef>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <burrow/alloc.h>

#include "check.h"

static void (*read_stats)(bw_alloc_stats *);

static uint64_t live() {
  bw_alloc_stats s;
  read_stats(&s);
  return s.mallocs - s.frees;
}

static bool is_aligned(void *p, size_t align) { return p && (uintptr_t)p % align == 0; }

static void check_forms() {
  uint64_t before = live();
  const auto &nt = std::nothrow;
  for (size_t n : {size_t(0), size_t(1), size_t(24), size_t(1000), size_t(100000)}) {
    ::operator delete(::operator new(n));
    ::operator delete(::operator new(n), n);
    ::operator delete(::operator new(n, nt), nt);
    ::operator delete[](::operator new[](n));
    ::operator delete[](::operator new[](n), n);
    ::operator delete[](::operator new[](n, nt), nt);
    for (size_t a = 1; a <= 65536; a *= 2) {
      std::align_val_t al{a};
      void *p[4] = {::operator new(n, al), ::operator new(n, al, nt), ::operator new[](n, al),
                    ::operator new[](n, al, nt)};
      for (void *q : p) CHECK(is_aligned(q, a));
      ::operator delete(p[0], al);
      ::operator delete(p[1], al, nt);
      ::operator delete[](p[2], n, al);
      ::operator delete[](p[3], al, nt);
      ::operator delete(::operator new(n, al), n, al);
      ::operator delete[](::operator new[](n, al), al);
    }
  }
  ::operator delete(nullptr);
  ::operator delete[](nullptr, std::align_val_t{64});
  CHECK(live() == before);
}

static volatile size_t huge = SIZE_MAX / 2;
static int calls;

static void *volatile sink;

template <class F> static bool throws(F f) {
  try {
    sink = f();
  } catch (const std::bad_alloc &) { return true; }
  return false;
}

static void third_gives_up() {
  if (++calls == 3) std::set_new_handler(nullptr);
}

static void handler_throws() {
  calls++;
  throw std::bad_alloc();
}

static void check_failures() {
  std::align_val_t al{64};
  CHECK(throws([] { return ::operator new(huge); }));
  CHECK(throws([] { return ::operator new[](huge); }));
  CHECK(throws([=] { return ::operator new(huge, al); }));
  CHECK(throws([=] { return ::operator new[](huge, al); }));
  CHECK(throws([] { return (void *)std::vector<char>(huge - 1).data(); }));
  CHECK(!::operator new(huge, std::nothrow) && !::operator new[](huge, std::nothrow));
  CHECK(!::operator new(huge, al, std::nothrow) && !::operator new[](huge, al, std::nothrow));

  std::set_new_handler(third_gives_up);
  CHECK(throws([] { return ::operator new(huge); }) && calls == 3);
  calls = 0;
  std::set_new_handler(third_gives_up);
  CHECK(!::operator new(huge, std::nothrow) && calls == 3);
  calls = 0;
  std::set_new_handler(third_gives_up);
  CHECK(throws([=] { return ::operator new(huge, al); }) && calls == 3);

  calls = 0;
  std::set_new_handler(handler_throws);
  CHECK(throws([] { return ::operator new(huge); }) && calls == 1);
  CHECK(!::operator new(huge, std::nothrow) && calls == 2); // caught
  CHECK(!::operator new[](huge, al, std::nothrow) && calls == 3);
  std::set_new_handler(nullptr);
}

// Allocates when it is made, when the thread ends, and frees.
struct Local {
  std::string text = std::string(500, 'x');
  std::map<int, std::string> map;
  ~Local() {
    map[3] = text + text;
    text.assign(100000, 'y');
    CHECK(map.size() == 3);
  }
};
static thread_local Local local;
static Local global; // its destructor runs after main

static void check_thread_local() {
  for (int i = 0; i < 50; i++)
    std::thread([] {
      local.map[1] = "one";
      local.map[2] = std::string(1000, '2');
    }).join();
  local.map[1] = local.map[2] = "main";
  global.map[1] = global.map[2] = "global";
}

int main() {
  *(void **)&read_stats = dlsym(RTLD_DEFAULT, "bw_alloc_stats_read");
  CHECK(read_stats);
  check_forms();
  check_failures();
  check_thread_local();
  return 0;
}
