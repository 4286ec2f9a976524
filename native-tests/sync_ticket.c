// Locks without a stack, one step at a time: what is granted to whom, and what a cancel leaves.
#include "ticket_util.h"

// ---- mutexes ------------------------------------------------------------------------------------

TEST(sync_ticket_mutex_at_once) {
  bw_mutex mu = {0};
  mutex_call a;
  CHECK_EQ(mutex_call_begin(&a, &mu, false), 0);
  CHECK(!bw_mutex_trylock(&mu));
  CHECK(bw__mutex_try_unlock(&mu, false));
  CHECK(!bw__mutex_try_unlock(&mu, false));
  CHECK_EQ(mu.state, 0);
  CHECK_EQ(ticket_code(&a.end), NOT_YET);
}

TEST(sync_ticket_mutex_in_turn) {
  bw_mutex mu = {0};
  mutex_call calls[5];
  bw_mutex_lock(&mu);
  for (int i = 0; i < 5; i++) CHECK_EQ(mutex_call_begin(&calls[i], &mu, false), BW_EAGAIN);
  CHECK(bw__mutex_cancel_ticket(&calls[2].t));
  CHECK(bw__mutex_cancel_ticket(&calls[4].t));
  for (int i = 0; i < 4; i++) {
    if (i == 2) continue;
    CHECK_EQ(ticket_code(&calls[i].end), NOT_YET);
    CHECK(bw__mutex_try_unlock(&mu, false));
    CHECK_EQ(ticket_code(&calls[i].end), 0);
    CHECK(!bw_mutex_trylock(&mu)); // it has it
    CHECK(!bw__mutex_cancel_ticket(&calls[i].t));
  }
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&calls[2].end), NOT_YET);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

TEST(sync_ticket_mutex_cancelled_before) {
  bw_mutex mu = {0};
  mutex_call a;
  mutex_call_init(&a, &mu, false);
  CHECK(!bw__mutex_cancel_ticket(&a.t));
  CHECK_EQ(bw__mutex_lock_ticket(&a.t), 0); // nobody has it
  CHECK_EQ(bw__mutex_lock_ticket(&a.t), BW_ECANCELED);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

// A ticket that is resumed by its owner is as quick as a goroutine that was woken: others may come
// before.
TEST(sync_ticket_mutex_own) {
  bw_mutex mu = {0};
  mutex_call a;
  bw_mutex_lock(&mu);
  CHECK_EQ(mutex_call_begin(&a, &mu, true), BW_EAGAIN);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_take(&a.end), BW_EAGAIN);
  CHECK(bw_mutex_trylock(&mu));
  CHECK_EQ(bw__mutex_resume_ticket(&a.t), BW_EAGAIN);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_take(&a.end), BW_EAGAIN);
  CHECK_EQ(bw__mutex_resume_ticket(&a.t), 0);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

TEST(sync_ticket_mutex_own_cancelled_between) {
  bw_mutex mu = {0};
  mutex_call a, b;
  bw_mutex_lock(&mu);
  CHECK_EQ(mutex_call_begin(&a, &mu, true), BW_EAGAIN);
  CHECK_EQ(mutex_call_begin(&b, &mu, false), BW_EAGAIN);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_take(&a.end), BW_EAGAIN);
  CHECK(bw_mutex_trylock(&mu));
  CHECK(!bw__mutex_cancel_ticket(&a.t));
  CHECK_EQ(bw__mutex_resume_ticket(&a.t), BW_ECANCELED);
  bw_mutex_unlock(&mu); // wakes b: a's place among those who are awake was given up
  CHECK_EQ(ticket_code(&b.end), 0);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

// The owner of a ticket that is to try again locks by itself. Until it says so, no unlock wakes
// another.
TEST(sync_ticket_mutex_own_taken) {
  bw_mutex mu = {0};
  mutex_call a, b;
  bw_mutex_lock(&mu);
  CHECK_EQ(mutex_call_begin(&a, &mu, true), BW_EAGAIN);
  CHECK_EQ(mutex_call_begin(&b, &mu, true), BW_EAGAIN);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_take(&a.end), BW_EAGAIN);
  CHECK(bw_mutex_trylock(&mu)); // another
  CHECK(!bw_mutex_trylock(&mu));
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&b.end), NOT_YET);
  CHECK(bw_mutex_trylock(&mu));
  bw__mutex_taken_ticket(&a.t);
  CHECK(!bw__mutex_cancel_ticket(&a.t));
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_take(&b.end), BW_EAGAIN);
  CHECK(!bw__mutex_cancel_ticket(&b.t)); // too late
  CHECK(bw_mutex_trylock(&mu));
  bw__mutex_taken_ticket(&b.t);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&a.end), NOT_YET);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

static bool take_starved(bw_mutex *mu, mutex_call *c) {
  bw_mutex_unlock(mu);
  CHECK_EQ(ticket_take(&c->end), BW_EAGAIN);
  return bw_mutex_trylock(mu);
}

// The mutex is handed to a ticket that starves: then its owner cannot lock by itself, and need not.
TEST(sync_ticket_mutex_own_starves_not_taken) {
  bw_mutex mu = {0};
  mutex_call a;
  bw_mutex_lock(&mu);
  CHECK_EQ(mutex_call_begin(&a, &mu, true), BW_EAGAIN);
  while (take_starved(&mu, &a)) CHECK_EQ(bw__mutex_resume_ticket(&a.t), BW_EAGAIN);
  CHECK_EQ(bw__mutex_resume_ticket(&a.t), 0);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

// Who was passed over for a millisecond starves; then unlock hands over.
TEST(sync_ticket_mutex_starves) {
  bw_mutex mu = {0};
  mutex_call a;
  uint64_t before = bw__mutex_starvations_read().begun;
  bw_mutex_lock(&mu);
  CHECK_EQ(mutex_call_begin(&a, &mu, true), BW_EAGAIN);
  while (bw__mutex_starvations_read().begun == before) {
    bw_mutex_unlock(&mu);
    CHECK_EQ(ticket_take(&a.end), BW_EAGAIN);
    CHECK(bw_mutex_trylock(&mu));
    CHECK_EQ(bw__mutex_resume_ticket(&a.t), BW_EAGAIN);
  }
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_take(&a.end), BW_EAGAIN);
  CHECK(!bw_mutex_trylock(&mu));
  CHECK_EQ(bw__mutex_resume_ticket(&a.t), 0);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

// ---- read-write mutexes -------------------------------------------------------------------------

TEST(sync_ticket_rwmutex_in_turn) {
  bw_rwmutex rw = {0};
  rwmutex_call readers[3], writers[2];
  CHECK(!bw__rwmutex_try_runlock(&rw));
  CHECK(!bw__rwmutex_try_unlock(&rw));
  CHECK_EQ(rwmutex_call_begin(&readers[0], &rw, false), 0);
  CHECK_EQ(rwmutex_call_begin(&writers[0], &rw, true), BW_EAGAIN); // for the reader
  CHECK_EQ(rwmutex_call_begin(&writers[1], &rw, true), BW_EAGAIN); // for the writer
  CHECK_EQ(rwmutex_call_begin(&readers[1], &rw, false), BW_EAGAIN);
  CHECK_EQ(rwmutex_call_begin(&readers[2], &rw, false), BW_EAGAIN);
  CHECK(!bw__rwmutex_try_unlock(&rw));
  CHECK(bw__rwmutex_try_runlock(&rw));
  CHECK_EQ(ticket_code(&writers[0].end), 0);
  CHECK(!bw__rwmutex_try_runlock(&rw));
  CHECK(bw__rwmutex_try_unlock(&rw));
  CHECK_EQ(ticket_code(&readers[1].end), 0);
  CHECK_EQ(ticket_code(&readers[2].end), 0);
  CHECK_EQ(ticket_code(&writers[1].end), NOT_YET);
  CHECK(bw__rwmutex_try_runlock(&rw));
  CHECK(bw__rwmutex_try_runlock(&rw));
  CHECK_EQ(ticket_code(&writers[1].end), 0);
  CHECK(bw__rwmutex_try_unlock(&rw));
  CHECK(rw.word == 0 && rw.writers.state == 0);
  sync_check_empty();
}

TEST(sync_ticket_rwmutex_writer_gives_up) {
  bw_rwmutex rw = {0};
  rwmutex_call writers[2], reader;
  bw_rwmutex_rlock(&rw);
  for (int i = 0; i < 2; i++) CHECK_EQ(rwmutex_call_begin(&writers[i], &rw, true), BW_EAGAIN);
  CHECK_EQ(rwmutex_call_begin(&reader, &rw, false), BW_EAGAIN);
  CHECK(bw__rwmutex_cancel_ticket(&writers[1].t)); // at the mutex of the writers
  CHECK_EQ(ticket_code(&reader.end), NOT_YET);
  CHECK(bw__rwmutex_cancel_ticket(&writers[0].t)); // lets in who waits
  CHECK_EQ(ticket_code(&reader.end), 0);
  bw_rwmutex_runlock(&rw);
  bw_rwmutex_runlock(&rw);
  CHECK(bw_rwmutex_try_lock(&rw));
  bw_rwmutex_unlock(&rw);
  CHECK(rw.word == 0 && rw.writers.state == 0);
  sync_check_empty();
}

TEST(sync_ticket_rwmutex_reader_gives_up) {
  bw_rwmutex rw = {0};
  rwmutex_call readers[2];
  bw_rwmutex_lock(&rw);
  for (int i = 0; i < 2; i++) CHECK_EQ(rwmutex_call_begin(&readers[i], &rw, false), BW_EAGAIN);
  CHECK(bw__rwmutex_cancel_ticket(&readers[0].t));
  CHECK(!bw__rwmutex_cancel_ticket(&readers[0].t));
  bw_rwmutex_unlock(&rw);
  CHECK_EQ(ticket_code(&readers[0].end), NOT_YET);
  CHECK_EQ(ticket_code(&readers[1].end), 0);
  CHECK(bw__rwmutex_try_runlock(&rw));
  CHECK(rw.word == 0 && rw.writers.state == 0);
  sync_check_empty();
}

// A cancel between a writer's two waits is found by the second one.
TEST(sync_ticket_rwmutex_cancelled_between) {
  bw_rwmutex rw = {0};
  rwmutex_call a;
  rwmutex_call_init(&a, &rw, true);
  bw_rwmutex_rlock(&rw);
  bw_mutex_lock(&rw.writers); // as if a writer were about to leave
  CHECK_EQ(bw__rwmutex_lock_ticket(&a.t), BW_EAGAIN);
  CHECK(!bw__sema_cancel_ticket(&a.t.w)); // the first half of a cancel
  bw_mutex_unlock(&rw.writers);
  CHECK_EQ(ticket_code(&a.end), BW_ECANCELED);
  CHECK(bw_rwmutex_try_rlock(&rw));
  bw_rwmutex_runlock(&rw);
  bw_rwmutex_runlock(&rw);
  CHECK(rw.word == 0 && rw.writers.state == 0);
  sync_check_empty();
}

// ---- wait groups --------------------------------------------------------------------------------

TEST(sync_ticket_waitgroup) {
  bw_waitgroup wg = {0};
  waitgroup_call calls[3];
  CHECK_EQ(waitgroup_call_begin(&calls[0], &wg), 0);
  CHECK_EQ(bw__waitgroup_try_add(&wg, 2), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(waitgroup_call_begin(&calls[i], &wg), BW_EAGAIN);
  CHECK(bw__waitgroup_cancel_ticket(&calls[1].t));
  CHECK(!bw__waitgroup_cancel_ticket(&calls[1].t));
  bw_waitgroup_done(&wg);
  CHECK_EQ(ticket_code(&calls[0].end), NOT_YET);
  CHECK_EQ(bw__waitgroup_try_add(&wg, -1), 0);
  CHECK_EQ(ticket_code(&calls[0].end), 0);
  CHECK_EQ(ticket_code(&calls[1].end), NOT_YET);
  CHECK_EQ(ticket_code(&calls[2].end), 0);
  CHECK_EQ(wg.state, 0);
  sync_check_empty();
}

TEST(sync_ticket_waitgroup_misuse) {
  bw_waitgroup wg = {0};
  CHECK_EQ(bw__waitgroup_try_add(&wg, -1), BW_ERANGE);
  CHECK_EQ(bw__waitgroup_try_add(&wg, 0), 0);
  CHECK_EQ(bw__waitgroup_try_add(&wg, INT32_MAX), 0);
  CHECK_EQ(bw__waitgroup_try_add(&wg, 1), BW_ERANGE);
  CHECK_EQ(bw__waitgroup_try_add(&wg, INT32_MIN), BW_ERANGE);
  CHECK_EQ(bw__waitgroup_try_add(&wg, -INT32_MAX), 0);
  CHECK_EQ(wg.state, 0);
  wg.state = 1; // one who waits is being let go
  CHECK_EQ(bw__waitgroup_try_add(&wg, 1), BW_ESTATE);
  wg.state = 0;
}

// ---- conditions ---------------------------------------------------------------------------------

TEST(sync_ticket_cond_in_turn) {
  bw_mutex mu = {0};
  bw_cond cond = BW_COND(&mu);
  cond_call calls[3];
  CHECK_EQ(cond_call_begin(&calls[0], &cond), BW_ESTATE); // the mutex is not locked
  for (int i = 0; i < 3; i++) {
    bw_mutex_lock(&mu);
    CHECK_EQ(cond_call_begin(&calls[i], &cond), BW_EAGAIN);
    CHECK_EQ(mu.state, 0);
  }
  bw_cond_signal(&cond);
  CHECK_EQ(ticket_code(&calls[0].end), 0);
  bw_cond_broadcast(&cond); // they want the mutex
  CHECK_EQ(ticket_code(&calls[1].end), NOT_YET);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&calls[1].end), 0);
  CHECK_EQ(ticket_code(&calls[2].end), NOT_YET);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&calls[2].end), 0);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

TEST(sync_ticket_cond_cancelled_has_the_mutex) {
  bw_mutex mu = {0};
  bw_cond cond = BW_COND(&mu);
  cond_call a, b;
  bw_mutex_lock(&mu);
  CHECK_EQ(cond_call_begin(&a, &cond), BW_EAGAIN);
  bw_mutex_lock(&mu);
  CHECK_EQ(cond_call_begin(&b, &cond), BW_EAGAIN);
  bw_mutex_lock(&mu);
  bw__cond_cancel_ticket(&a.t);
  CHECK_EQ(ticket_code(&a.end), NOT_YET);
  bw_cond_signal(&cond); // is b's
  bw__cond_cancel_ticket(&b.t);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&a.end), BW_ECANCELED);
  bw_mutex_unlock(&mu);
  CHECK_EQ(ticket_code(&b.end), 0);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}

TEST(sync_ticket_cond_abandoned) {
  bw_mutex mu = {0};
  bw_cond cond = BW_COND(&mu);
  cond_call waits, wants, has;
  bw_mutex_lock(&mu);
  CHECK_EQ(cond_call_begin(&has, &cond), BW_EAGAIN);
  bw_cond_signal(&cond);
  CHECK_EQ(cond_call_begin(&wants, &cond), BW_EAGAIN);
  bw_mutex_lock(&mu);
  bw_cond_signal(&cond);
  bw_mutex_unlock(&mu); // by now `wants` has it
  CHECK_EQ(cond_call_begin(&waits, &cond), BW_EAGAIN);
  CHECK(bw__cond_abandon_ticket(&waits.t));
  CHECK(!bw__cond_abandon_ticket(&has.t));
  bw_mutex_lock(&mu);
  CHECK_EQ(cond_call_begin(&wants, &cond), BW_EAGAIN);
  bw_mutex_lock(&mu);
  bw_cond_signal(&cond); // wants the mutex
  CHECK(bw__cond_abandon_ticket(&wants.t));
  CHECK_EQ(ticket_code(&wants.end), NOT_YET);
  bw_mutex_unlock(&mu);
  CHECK_EQ(mu.state, 0);
  sync_check_empty();
}
