// The budget of the thread caches, by itself: many shares that claim and pay, against a reference
// that keeps the accounts.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/budget.h"
#include "base/rand.h"
#include "port/port.h"

enum { SHARES = 800 };

typedef struct {
  bw__budget_share share;
  int64_t may_hold; // as its cache would count: begun with, claimed, less paid
  bool open;
} account;

static account accounts[SHARES];

static void open_account(account *a) {
  int64_t begin = bw__budget_open(&a->share);
  CHECK_EQ(begin, BW_BUDGET_LEAST);
  a->may_hold = begin;
  a->open = true;
}

static void close_account(account *a) {
  bw__budget_close(&a->share);
  CHECK_EQ(a->share.granted, 0);
  a->open = false;
}

static void claim(account *a, int64_t bytes) {
  int64_t got = bw__budget_claim(&a->share, bytes);
  CHECK(got == 0 || got >= bytes);
  a->may_hold += got;
}

static void pay(account *a) {
  int64_t debt = bw__budget_debt(&a->share);
  CHECK(debt >= 0);
  a->may_hold -= debt;
  CHECK_EQ(bw__budget_debt(&a->share), 0);
  CHECK_EQ(a->may_hold, a->share.granted);
}

typedef struct {
  int64_t granted, count;
} totals;

static totals check_accounts(void) {
  totals t = {0, 0};
  for (int i = 0; i < SHARES; i++) {
    account *a = &accounts[i];
    if (!a->open) continue;
    CHECK_EQ(a->may_hold, a->share.granted + bw__load_relaxed(&a->share.owed)); // I2
    CHECK(a->share.granted >= BW_BUDGET_LEAST && a->share.granted <= BW_BUDGET_MOST);
    t.granted += a->share.granted;
    t.count++;
  }
  // The total is passed by what new caches begin with only.
  CHECK(t.granted <= BW_BUDGET_TOTAL + t.count * BW_BUDGET_LEAST);
  return t;
}

// `most`: how many are open at a time.
static void run_model(uint64_t seed, uint32_t most) {
  bw__rand rng = {seed};
  int rounds = test_is_slow_build() ? 20000 : 100000;
  for (int i = 0; i < rounds; i++) {
    account *a = &accounts[bw__rand_below(&rng, most)];
    uint32_t what = bw__rand_below(&rng, 100);
    if (!a->open)
      open_account(a);
    else if (what < 70)
      claim(a, 1 + bw__rand_below(&rng, what ? 30000 : 3u << 20));
    else if (what < 98)
      pay(a);
    else
      close_account(a);
    if (i % 500 == 0) check_accounts();
  }
  check_accounts();
}

static void close_all(void) {
  for (int i = 0; i < SHARES; i++)
    if (accounts[i].open) close_account(&accounts[i]);
}

TEST(alloc_budget_few) {
  run_model(1, 5);
  close_all();
}
TEST(alloc_budget_many) {
  run_model(2, 100);
  close_all();
}
TEST(alloc_budget_more_than_there_is_for) {
  run_model(3, SHARES);
  close_all();
  run_model(4, 10); // and nothing is lost
  close_all();
}

// One may have MOST and not more; when all is taken others give, down to the least.
TEST(alloc_budget_taken_from_others) {
  int rich = (int)(BW_BUDGET_TOTAL / BW_BUDGET_MOST);
  for (int i = 0; i < rich; i++) {
    open_account(&accounts[i]);
    for (int64_t before = -1; before != accounts[i].may_hold;) {
      before = accounts[i].may_hold;
      claim(&accounts[i], 1);
    }
  }
  CHECK(check_accounts().granted > BW_BUDGET_TOTAL - (int64_t)4 * BW_BUDGET_MOST);
  account *poor = &accounts[rich];
  open_account(poor);
  for (int i = 0; i < 5; i++) claim(poor, 1);
  CHECK(poor->share.granted > BW_BUDGET_LEAST);
  int owing = 0;
  for (int i = 0; i < rich; i++) {
    owing += bw__load_relaxed(&accounts[i].share.owed) > 0;
    pay(&accounts[i]);
  }
  CHECK(owing > 1); // in turn, not always the same
  check_accounts();
  close_all();
}

// Claims that meet debts, on threads of their own.
static account shared[4];

static void claim_and_pay(void *arg) {
  account *a = &shared[(uintptr_t)arg];
  for (int i = 0; i < (test_is_slow_build() ? 5000 : 40000); i++) {
    claim(a, 60000);
    if (i % 3 == 0) a->may_hold -= bw__budget_debt(&a->share);
  }
}

THREADS_TEST(alloc_budget_threads) {
  bw__port_thread threads[4];
  for (int i = 0; i < SHARES / 2; i++) open_account(&accounts[i]); // little is left
  for (int i = 0; i < 4; i++) open_account(&shared[i]);
  for (int i = 0; i < 4; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], claim_and_pay, (void *)(uintptr_t)i), 0);
  for (int i = 0; i < 4; i++) bw__port_thread_join(&threads[i]);
  for (int i = 0; i < 4; i++) {
    pay(&shared[i]);
    close_account(&shared[i]);
  }
  check_accounts();
  close_all();
}
