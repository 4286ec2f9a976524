# Sources with bugs, which the model must find. Run as a script:
#
#   cmake -D SRC=<src> -D OUT=<folder> -P mutants.cmake
#
# copies the files named here to OUT, each mutant's changed text beside the true one, and writes
# OUT/mutants.h; `model_mutant` says at run time which of them is in force. With -D ONLY=short only what
# is no mutant is done, which is:
#   - who waits for the lock or on a note looks once, and not many times, before it sleeps;
#   - the first ring of a pool's queue has two places, and not eight.
#   - locks of sync/: the same, one root instead of 251, in the model's memory, like their words; who
#     looks again and again waits for a change (world_await); and how long one has waited is a choice.
# Included, it tells the names: MODEL_MUTANTS.
#
# A text that is not in its file any more fails that mutant's test, not the build.
set(files comm/waitq.h comm/chan_state.h comm/chan.c comm/chan_bulk.c comm/ticket.c comm/select.c
    sched/park.h sched/park.c lock/mutex.h lock/mutex.c
    sync/sema.c sync/limits.h sync/limits.c sync/mutex.h sync/mutex.c sync/rwmutex.c sync/cond.c sync/pool_chain.c
    include/burrow/mutex.h)
set(MODEL_MUTANTS)
set(rows "")
set(names "")

foreach(file IN LISTS files)
  if(CMAKE_SCRIPT_MODE_FILE)
    file(READ "${SRC}/${file}" "text_${file}")
  endif()
endforeach()

# shorten(FILE FROM TO): what is no mutant.
function(shorten file from to)
  if(NOT CMAKE_SCRIPT_MODE_FILE)
    return()
  endif()
  string(FIND "${text_${file}}" "${from}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "native-tests/model/mutants.cmake: ${file} does not say \"${from}\"")
  endif()
  string(REPLACE "${from}" "${to}" text "${text_${file}}")
  set("text_${file}" "${text}" PARENT_SCOPE)
  if(ONLY STREQUAL "short")
    file(WRITE "${OUT}/${file}" "${text}")
  endif()
endfunction()

shorten(lock/mutex.c "SPIN_ROUNDS = BW_WASM ? 1000 : 40" "SPIN_ROUNDS = 1")
shorten(lock/mutex.c "LOOKS = 6, PAUSES = 64" "LOOKS = 1, PAUSES = 1")
shorten(sync/pool_chain.c "SIZE_FIRST = 8" "SIZE_FIRST = 2")
shorten(sched/park.c "LOOKS = BW_WASM ? 1000 : 60" "LOOKS = 1")
shorten(sync/sema.c "ROOTS = 251" "ROOTS = 1")
shorten(sync/sema.c
  "static sema_root roots[ROOTS] = {[0 ... ROOTS - 1] = {.lock = BW_MUTEX_INIT(BW_RANK_SEMA)}}"
  "void *model_roots(void);
#define roots ((sema_root *)model_roots())
_Static_assert(sizeof(sema_root) == 2 * BW_CACHE_LINE || sizeof(sema_root) == BW_CACHE_LINE, \"room\")")
shorten(sync/mutex.c "ROUNDS = 4, PAUSES = BW_WASM ? 300 : 30" "ROUNDS = 1, PAUSES = 1")
shorten(sync/mutex.c "bw__port_relax(rounds)" "world_await(c->mu, sizeof *c->mu); (void)rounds")
shorten(sync/mutex.c "bw__port_now()" "model_now()")
shorten(sync/mutex.c "__atomic_" "model_atomic_")
shorten(sync/rwmutex.c "bw__port_relax(rounds++)" "world_await(rw, sizeof *rw); (void)rounds")
shorten(sync/rwmutex.c "bw__port_relax(rounds)" "world_await(rw, sizeof *rw)")
shorten(sync/rwmutex.c "__atomic_" "model_atomic_")
shorten(sync/cond.c "bw__port_now()" "model_now()")
shorten(sync/mutex.h "__atomic_" "model_atomic_")
shorten(sync/cond.c "__atomic_" "model_atomic_")
shorten(include/burrow/mutex.h "__atomic_" "model_atomic_")
if(ONLY STREQUAL "short")
  return()
endif()

# mutant(NAME GROUP FILE FROM TO): in FILE, the one place that says FROM says TO, where IS means that the
# mutant is in force. GROUP is where it must be found.
function(mutant name group file from to)
  list(APPEND MODEL_MUTANTS ${name})
  set(MODEL_MUTANTS ${MODEL_MUTANTS} PARENT_SCOPE)
  if(NOT CMAKE_SCRIPT_MODE_FILE)
    return()
  endif()
  set(text "${text_${file}}")
  set(missing "")
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    set(missing ${file})
  else()
    string(REPLACE "IS" "model_is(MUTANT_${name})" to "${to}")
    string(REPLACE "${from}" "${to}" text "${text}")
    set("text_${file}" "${text}" PARENT_SCOPE)
  endif()
  set(names "${names}, MUTANT_${name}" PARENT_SCOPE)
  set(rows "${rows} \\\n  X(${name}, \"${group}\", \"${missing}\")" PARENT_SCOPE)
endfunction()

# ---- waits and who ends them

mutant(claim_without_cas deadlines sched/park.h
  "return bw__cas(&w->claimed, &no, 1);"
  "if (IS) { if (bw__load(&w->claimed)) return false; bw__store(&w->claimed, 1); return true; }
  return bw__cas(&w->claimed, &no, 1);")
mutant(pop_takes_what_is_claimed selects comm/waitq.h
  "if (ours) return s;"
  "if (ours || IS) return s;")
mutant(remove_lets_go_first selects comm/waitq.h
  "  if (s->prev)
    s->prev->next = s->next;"
  "  if (IS) bw__shared_store(&s->queue, NULL);
  if (s->prev)
    s->prev->next = s->next;")
mutant(remove_lets_go_unseen selects comm/waitq.h
  "    q->last = s->prev;
  bw__shared_store(&s->queue, NULL);"
  "    q->last = s->prev;
  if (IS) bw__store_relaxed(&s->queue, NULL);
  else bw__shared_store(&s->queue, NULL);")
mutant(push_at_the_front channels comm/waitq.h
  "  s->next = NULL;
  s->prev = q->last;"
  "  if (IS && bw__shared_load(&q->first)) {
    s->prev = NULL;
    s->next = bw__shared_load(&q->first);
    s->next->prev = s;
    bw__shared_store(&s->queue, q);
    bw__shared_store(&q->first, s);
    return;
  }
  s->next = NULL;
  s->prev = q->last;")

# ---- one channel

mutant(try_recv_looks_at_closed_first tries comm/chan_state.h
  "return bw__chan_seems_empty(c) && !bw__chan_closed(c);"
  "return IS ? !bw__chan_closed(c) && bw__chan_seems_empty(c)
            : bw__chan_seems_empty(c) && !bw__chan_closed(c);")
mutant(try_send_looks_at_closed_first tries comm/chan_state.h
  "return bw__chan_seems_full(c) && !bw__chan_closed(c);"
  "return IS ? !bw__chan_closed(c) && bw__chan_seems_full(c)
            : bw__chan_seems_full(c) && !bw__chan_closed(c);")
mutant(ring_seems_empty_for_a_moment tries comm/chan_state.h
  "  char *slot = bw__chan_slot(c, c->recv_at);"
  "  if (IS) {
    bw__ring_take_value(c, to);
    bw__ring_put_value(c, value);
    return;
  }
  char *slot = bw__chan_slot(c, c->recv_at);")
mutant(ring_turns_the_wrong_way channels comm/chan_state.h
  "  bw__chan_copy(c, to, slot);"
  "  if (IS) {
    bw__chan_copy(c, to, value);
    return;
  }
  bw__chan_copy(c, to, slot);")
mutant(close_forgets_senders channels comm/chan.c
  "(s = bw__waitq_pop(&c->senders)); bw__chain_add(&woken, s))"
  "!IS && (s = bw__waitq_pop(&c->senders)); bw__chain_add(&woken, s))")
mutant(close_says_a_value_came channels comm/chan.c
  "    bw__chan_zero(c, s->elem);
    s->waiter->ok = false;"
  "    bw__chan_zero(c, s->elem);
    s->waiter->ok = IS;")
mutant(release_keeps_waiters ends comm/chan.c
  "bw__shared_load(&q->first));) bw__waitq_remove(q, s);"
  "bw__shared_load(&q->first)) && !IS;) bw__waitq_remove(q, s);")

# ---- many, and tickets

mutant(bulk_seems_empty_for_a_moment many comm/chan_bulk.c
  "  size_t count = bw__shared_load(&c->count);"
  "  if (IS) bw__shared_store(&c->count, 0);
  size_t count = bw__shared_load(&c->count);")
mutant(bulk_looks_back many comm/chan_bulk.c
  "  bw__chan_unlock(r.c);
  bw__chain_ready(&r.woken);"
  "  bw__chan_unlock(r.c);
  bw__chain_ready(IS ? &((release *)arg)->woken : &r.woken);")
mutant(bulk_drops_a_value many comm/chan_bulk.c
  "for (size_t sent = 0; sent < n; sent++)"
  "for (size_t sent = 0; sent < n; sent += IS ? 2 : 1)")
mutant(chain_looks_after_the_wake channels comm/chan_state.h
  "    next = s->next;
    bw__waiter_ready(s->waiter);"
  "    next = s->next;
    bw__waiter_ready(s->waiter);
    if (IS) next = s->next;")
mutant(cancel_without_the_lock many comm/ticket.c
  "  bw__chan_lock(c);
  bw__waitq *q"
  "  if (IS) {
    bw__waitq *queue = bw__shared_load(&t->sudog.queue);
    if (queue) bw__waitq_remove(queue, &t->sudog);
    return queue != NULL;
  }
  bw__chan_lock(c);
  bw__waitq *q")

# ---- select

mutant(leave_without_the_lock selects comm/select.c
  "    bw__mutex_lock_patient(&k->chan->lock);
    if (!bw__waitq_left(d))"
  "    if (IS) {
      bw__waitq_remove(queue_of(k), d);
      continue;
    }
    bw__mutex_lock_patient(&k->chan->lock);
    if (!bw__waitq_left(d))")
mutant(losers_stay selects comm/select.c
  "if (bw__waitq_left(d)) continue;"
  "if (bw__waitq_left(d) || IS) continue;")
mutant(unlock_looks_back selects comm/select.c
  "  bw_chan *c = n > 0 ? s->chans[0] : NULL;"
  "  for (size_t i = 0; IS && i < s->chan_count; i++) bw__chan_unlock(s->chans[i]);
  if (IS) return;
  bw_chan *c = n > 0 ? s->chans[0] : NULL;")
mutant(locks_in_the_order_of_cases selects comm/select.c
  "    for (; at > 0 && (uintptr_t)s->chans[at - 1]"
  "    for (; at > 0 && !IS && (uintptr_t)s->chans[at - 1]")
mutant(default_after_one_look selects comm/select.c
  "  int result = look(s);
  if (result != BW_EAGAIN) return result;"
  "  int result = look(s);
  if (result != BW_EAGAIN || (IS && !waits)) return result;")
mutant(default_of_two_moments selects comm/select.c
  "  bool neither = !may_be_ready(&k[0]) && !may_be_ready(&k[1]);"
  "  if (IS) {
    bw__chan_unlock(second);
    bool none = !may_be_ready(first == a ? &k[0] : &k[1]);
    bw__chan_unlock(first);
    bw__chan_lock(second);
    none &= !may_be_ready(first == a ? &k[1] : &k[0]);
    bw__chan_unlock(second);
    return none;
  }
  bool neither = !may_be_ready(&k[0]) && !may_be_ready(&k[1]);")
mutant(two_in_the_order_of_cases selects comm/select.c
  "(uintptr_t)a < (uintptr_t)b ? a : b"
  "IS || (uintptr_t)a < (uintptr_t)b ? a : b")
mutant(wait_without_a_second_look selects comm/select.c
  "  result = look_locked(s);
  if (result != BW_EAGAIN) return result;"
  "  result = IS ? BW_EAGAIN : look_locked(s);
  if (result != BW_EAGAIN) return result;")

# ---- deadlines

mutant(timer_starts_after_the_unlock deadlines comm/select.c
  "  if (s->end.deadline != NO_DEADLINE && s->waiter.kind == BW_WAIT_GOROUTINE)
    bw__timer_start"
  "  if (IS) unlock_all(s);
  if (s->end.deadline != NO_DEADLINE && s->waiter.kind == BW_WAIT_GOROUTINE)
    bw__timer_start")
mutant(timer_is_not_dropped deadlines comm/select.c
  "if (timed) bw__timer_drop(&s->timer);"
  "if (timed && !IS) bw__timer_drop(&s->timer);")
mutant(expire_without_a_claim deadlines comm/select.c
  "if (bw__waiter_claim(&s->waiter)) bw__waiter_ready(&s->waiter);"
  "if (IS || bw__waiter_claim(&s->waiter)) bw__waiter_ready(&s->waiter);")
mutant(thread_leaves_without_a_claim deadlines comm/select.c
  "if (!woken && !bw__waiter_claim(&s->waiter)) bw__wait_again"
  "if (!woken && !IS && !bw__waiter_claim(&s->waiter)) bw__wait_again")

# ---- the lock

mutant(lock_without_cas lock lock/mutex.h
  "  if (BW_LIKELY(bw__cas_acquire(&mu->word, &free_word, 1))) return; // pairs"
  "  if (IS && bw__load(&mu->word) == 0) {
    bw__store(&mu->word, 1);
    return;
  }
  if (BW_LIKELY(bw__cas_acquire(&mu->word, &free_word, 1))) return; // pairs")
mutant(unlock_blind lock lock/mutex.h
  "BW_LIKELY(bw__load_relaxed(&mu->word) == 1))"
  "(IS || BW_LIKELY(bw__load_relaxed(&mu->word) == 1)))")
mutant(unlock_relaxed lock lock/mutex.h
  "    bw__store_release(&mu->word, 0);"
  "    if (IS)
      bw__store_relaxed(&mu->word, 0);
    else
      bw__store_release(&mu->word, 0);")
mutant(woken_takes_it_alone lock lock/mutex.c
  "while (bw__swap_acquire(&mu->word, 2) != 0)"
  "while (bw__swap_acquire(&mu->word, IS ? 1 : 2) != 0)")

# ---- the queue of a pool

mutant(newer_ring_is_looked_for_late pool sync/pool_chain.c
  "    if (item || !newer) return item;"
  "    if (IS) newer = bw__load_acquire(&r->newer);
    if (item || !newer) return item;")
mutant(slot_of_a_taker_is_filled pool sync/pool_chain.c
  "  if (bw__load_acquire(slot)) return false;"
  "  if (bw__load_acquire(slot) && !IS) return false;")
mutant(push_moves_the_head_first pool sync/pool_chain.c
  "  bw__store_relaxed(slot, item);
  bw__add(&r->ends, pack(1, 0));"
  "  if (IS) {
    bw__add(&r->ends, pack(1, 0));
    bw__store_relaxed(slot, item);
    return true;
  }
  bw__store_relaxed(slot, item);
  bw__add(&r->ends, pack(1, 0));")
mutant(push_is_not_published pool sync/pool_chain.c
  "  bw__add(&r->ends, pack(1, 0)); // publishes"
  "  if (IS)
    bw__add_relaxed(&r->ends, pack(1, 0));
  else
    bw__add(&r->ends, pack(1, 0)); //")
mutant(pop_without_cas pool sync/pool_chain.c
  "while (!bw__cas(&r->ends, &ends, pack(head, tail_of(ends))));"
  "while (!IS && !bw__cas(&r->ends, &ends, pack(head, tail_of(ends))));
  if (IS) bw__store(&r->ends, pack(head, tail_of(ends)));")
mutant(tail_goes_back pool sync/pool_chain.c
  "    bw__cas(&c->tail, &drained, newer);"
  "    if (IS)
      bw__store(&c->tail, newer);
    else
      bw__cas(&c->tail, &drained, newer);")
mutant(rings_are_freed_under_visitors pool sync/pool_chain.c
  "if (bw__load(visitors) > 0) return r;"
  "if (bw__load(visitors) > 0 && !IS) return r;")
mutant(visitor_counts_itself_late pool sync/pool_chain.c
  "  bw__add(visitors, 1);
  void *item = take(c);"
  "  bw__pool_ring *tail = IS ? bw__load(&c->tail) : NULL;
  bw__add(visitors, 1);
  if (tail) bw__load(&tail->ends);
  void *item = take(c);")

# ---- the table of semaphores

mutant(release_looks_before_it_adds sema sync/sema.c
  "void bw__sema_release(_Atomic(uint32_t) *sema, bool handoff) {"
  "void bw__sema_release(_Atomic(uint32_t) *sema, bool handoff) {
  if (IS) {
    bool waits = bw__load(&root_of(sema)->nwait) > 0;
    bw__add(sema, 1);
    if (waits) release_to_waiter(sema, handoff);
    return;
  }")
mutant(enter_without_a_second_look sema sync/sema.c
  "  if (bw__sema_try(w->sema)) {"
  "  if (!IS && bw__sema_try(w->sema)) {")
mutant(enter_looks_before_it_counts sema sync/sema.c
  "bw__sema_order order) {
  bw__store(&r->nwait, bw__load_relaxed(&r->nwait) + 1);"
  "bw__sema_order order) {
  if (IS) {
    if (bw__sema_try(w->sema)) return false;
    enter_queue(r, w, order);
  }
  bw__store(&r->nwait, bw__load_relaxed(&r->nwait) + 1);
  if (IS) return true;")
mutant(grant_leaves_the_permit sema sync/sema.c
  "if (!w || !bw__sema_try(sema)) return NULL;"
  "if (!w || (!IS && !bw__sema_try(sema))) return NULL;")
mutant(end_ends_what_is_granted sema sync/sema.c
  "bool waits = w->result == WAITING, queued"
  "bool waits = IS || w->result == WAITING, queued")
mutant(thread_leaves_before_it_is_woken sema sync/limits.c
  "  if (!l->end(l->waiter, BW_ETIMEDOUT)) bw__wait_again"
  "  if (!l->end(l->waiter, BW_ETIMEDOUT) && !IS) bw__wait_again")
mutant(sema_keeps_its_timer sema sync/limits.h
  "  if (timed) bw__timer_drop(&l->timer);"
  "  if (timed && !IS) bw__timer_drop(&l->timer);")
mutant(release_n_looks_after_the_wake sema sync/sema.c
  "    bw__waiter_ready(BW_CONTAINER(link, bw__waiter, link));"
  "    {
      bw__waiter_ready(BW_CONTAINER(link, bw__waiter, link));
      if (IS) link->next = NULL;
    }")

# ---- mutexes

mutant(mutex_unlock_relaxed mutex include/burrow/mutex.h
  "&mu->state, &locked, 0, 0, __ATOMIC_RELEASE,"
  "&mu->state, &locked, 0, 0, IS ? __ATOMIC_RELAXED : __ATOMIC_RELEASE,")
mutant(unlock_wakes_though_one_is_awake mutex sync/mutex.c
  "    wakes = waiters(state) > 0 && !(state & (WOKEN | STARVING));"
  "    wakes = waiters(state) > 0 && !(state & ((IS ? 0 : WOKEN) | STARVING));")
mutant(who_spins_does_not_clear_woken mutex sync/mutex.c
  "  return to & ~WOKEN;"
  "  return IS ? to : to & ~WOKEN;")
mutant(gives_up_and_leaves_the_permit mutex sync/mutex.c
  "    if (bw__sema_try(sema(c->mu)))"
  "    if (IS) return code;
    if (bw__sema_try(sema(c->mu)))")
mutant(gives_up_and_stays_woken mutex sync/mutex.c
  "(state | LOCKED) & ~WOKEN)) {}"
  "IS && (state & LOCKED) ? state : (state | LOCKED) & ~WOKEN)) {}")
mutant(gives_up_what_it_owns mutex sync/mutex.c
  "  return state & LOCKED ? code : 0;"
  "  return state & LOCKED || IS ? code : 0;")
mutant(gives_up_by_the_mode_it_saw mutex sync/mutex.c
  "return take(c, code);"
  "{
      if (!IS || starving) return take(c, code);
      do locked = state & LOCKED;
      while (!change(c->mu, &state, (state | LOCKED) & ~WOKEN));
      return locked ? code : 0;
    }")
mutant(gives_up_and_stays_counted mutex sync/mutex.c
  "state - WAITER - (ends ? STARVING : 0)"
  "state - (IS ? 0 : WAITER) - (ends ? STARVING : 0)")
mutant(last_leaves_it_starving mutex sync/mutex.c
  "      bool ends = starving && others == 0;"
  "      bool ends = starving && others == 0 && !IS;")
mutant(last_leaves_what_is_handed_to_it mutex sync/mutex.c
  "bool for_us = starving ? others == 0 && !locked : others < 0;"
  "bool for_us = starving ? !IS && others == 0 && !locked : others < 0;")
mutant(owner_settles_blindly mutex sync/mutex.c
  "  } while (!change(c->mu, &state, to));
  if (!(to & STARVING))"
  "    if (IS) {
      model_atomic_fetch_add(&c->mu->state, to - state, __ATOMIC_ACQUIRE);
      break;
    }
  } while (!change(c->mu, &state, to));
  if (!(to & STARVING))")
mutant(handed_over_and_never_normal mutex sync/mutex.c
  "if (!c->starving || waiters(state) == 1) to &= ~STARVING;"
  "if (!IS && (!c->starving || waiters(state) == 1)) to &= ~STARVING;")

# ---- read-write mutexes

mutant(rwmutex_unlock_relaxed rwmutex include/burrow/mutex.h
  "model_atomic_fetch_sub(&rw->word, 1, __ATOMIC_RELEASE);"
  "IS ? model_atomic_fetch_sub(&rw->word, 1, __ATOMIC_RELAXED)
                       : model_atomic_fetch_sub(&rw->word, 1, __ATOMIC_RELEASE);")
mutant(last_reader_leaves_the_writer rwmutex sync/rwmutex.c
  "  if ((before & READERS) == 1) let_writer_in(rw);"
  "  if ((before & READERS) == 1 && !IS) let_writer_in(rw);")
mutant(who_steps_back_leaves_the_writer rwmutex sync/rwmutex.c
  "    last = (word & BW__RW_WRITER) == PENDING && (word & READERS) == 1;"
  "    last = !IS && (word & BW__RW_WRITER) == PENDING && (word & READERS) == 1;")
mutant(who_steps_back_lets_the_next_writer_in rwmutex sync/rwmutex.c
  "    to = word - 1 + WAITING +"
  "    if (IS) last = (word & PENDING) && (word & READERS) == 1;
    to = word - 1 + WAITING +")
mutant(writer_let_in_past_readers rwmutex sync/rwmutex.c
  "    if ((word & BW__RW_WRITER) != PENDING || (word & READERS)) return;"
  "    if ((word & BW__RW_WRITER) != PENDING || (!IS && (word & READERS))) return;")
mutant(steps_back_though_the_writer_has_gone rwmutex sync/rwmutex.c
  "    if (!(word & BW__RW_WRITER)) return false;"
  "    if (!(word & BW__RW_WRITER) && !IS) return false;")
mutant(reader_gives_up_and_leaves_the_permit rwmutex sync/rwmutex.c
  "    if (bw__sema_try(readers(rw))) return 0;"
  "    if (IS) return code;
    if (bw__sema_try(readers(rw))) return 0;")
mutant(writer_gives_up_and_leaves_the_permit rwmutex sync/rwmutex.c
  "  if (take_back(rw)) return code;"
  "  if (take_back(rw) || IS) return code;")
mutant(writer_leaves_readers_behind rwmutex sync/rwmutex.c
  "  if (n > 0) bw__sema_release_n(readers(rw), n);
  if (to & HOLDS)"
  "  if (n > 0) bw__sema_release_n(readers(rw), IS && n > 1 ? n - 1 : n);
  if (to & HOLDS)")
mutant(writer_gives_up_and_leaves_readers_behind rwmutex sync/rwmutex.c
  "    n = word & HOLDS ? 0 : waiting(word);"
  "    n = word & HOLDS || IS ? 0 : waiting(word);")
mutant(writer_gives_up_for_the_one_inside rwmutex sync/rwmutex.c
  "change(rw, &word, word & HOLDS ? word - PENDING : (word & READERS) + n)"
  "change(rw, &word, word & HOLDS && !IS ? word - PENDING : (word & READERS) + n)")
mutant(starved_writer_forgotten rwmutex sync/rwmutex.c
  "    if (word & PENDING) to |= to ? PENDING : HOLDS;"
  "    if (word & PENDING) to |= to || IS ? PENDING : HOLDS;")
mutant(writer_alone_unlocks_a_mutex_that_it_has_not rwmutex sync/rwmutex.c
  "  if (word & ALONE) return true;"
  "  if ((word & ALONE) && !IS) return true;")
mutant(mutex_given_to_a_writer_who_is_not_told rwmutex sync/rwmutex.c
  "e == LOCKS_AGAIN ? word - ALONE"
  "e == LOCKS_AGAIN ? (IS ? word : word - ALONE)")
mutant(second_writer_beside_one_alone rwmutex sync/rwmutex.c
  "word & (ALONE | READERS) ? WAITS"
  "word & (IS ? READERS : ALONE | READERS) ? WAITS")
mutant(locks_again_as_if_it_were_awake rwmutex sync/mutex.c
  "    if (!(state & (LOCKED | STARVING))) {
      c->awake = false;
      return 0;
    }
    if ((to & ~state) & STARVING) bw__add_relaxed(&starvations_begun, 1);
    bool owner;"
  "    if (!(state & (LOCKED | STARVING))) {
      if (!IS) c->awake = false;
      return 0;
    }
    if ((to & ~state) & STARVING) bw__add_relaxed(&starvations_begun, 1);
    bool owner;")
mutant(writer_unlocks_others_first rwmutex sync/rwmutex.c
  "    n = waiting(word);
    to"
  "    if (IS) bw_mutex_unlock(&rw->writers);
    n = waiting(word);
    if (IS) bw_mutex_lock(&rw->writers);
    to")

# ---- conditions, and waits without a stack

mutant(cond_waiter_enters_after_it_has_unlocked cond sync/cond.c
  "  lock_list(c);
  enter_locked(c, &w);
  m = unlock_outer(c, &w, m);
  w.parked"
  "  if (IS) bw__mutex_unlock_staying(c->mu);
  lock_list(c);
  enter_locked(c, &w);
  if (!IS) m = unlock_outer(c, &w, m);
  w.parked")
mutant(cond_waiter_ended_twice cond sync/cond.c
  "  if (w->result == WAITING && bw__list_linked(&w->s.waiter.link))"
  "  if ((w->result == WAITING || IS) && bw__list_linked(&w->s.waiter.link))")
mutant(timeout_and_signal_both_ready_it cond sync/cond.c
  "  unlock_list(w->cond);
  return ready;"
  "  unlock_list(w->cond);
  return ready || (IS && w->parked);")
mutant(broadcast_moves_to_a_free_mutex cond sync/mutex.c
  "    if (!(state & LOCKED)) return false;
  while (!change(mu, &state, state + n"
  "    if (!(state & LOCKED) && !IS) return false;
  while (!change(mu, &state, state + n")
mutant(broadcast_moves_one_uncounted cond sync/mutex.c
  "while (!change(mu, &state, state + n * WAITER));"
  "while (!change(mu, &state, state + (n - IS) * WAITER));")
mutant(moved_waiter_locks_as_if_it_were_new cond sync/cond.c
  "  if (w->moved)
    bw__mutex_lock_granted"
  "  if (w->moved && !IS)
    bw__mutex_lock_granted")
mutant(moved_and_told_too_late cond sync/cond.c
  "    note_move(w, true, now);
    n++;"
  "    if (!IS) note_move(w, true, now);
    n++;")
mutant(mutex_ticket_cancelled_and_counted tickets sync/mutex.c
  "  int code = give_up(&t->c, BW_ECANCELED);
  if (code == 0) t->complete"
  "  int code = IS ? BW_ECANCELED : give_up(&t->c, BW_ECANCELED);
  if (code == 0) t->complete")
mutant(mutex_taken_and_still_awake tickets sync/mutex.c
  "  while (!change(t->c.mu, &state, state & ~WOKEN));"
  "  while (!change(t->c.mu, &state, IS ? state : state & ~WOKEN));")
mutant(rwmutex_ticket_cancelled_and_pending tickets sync/rwmutex.c
  "  int code = t->writes ? stop_writing(t->rw, BW_ECANCELED)"
  "  int code = IS          ? BW_ECANCELED
             : t->writes ? stop_writing(t->rw, BW_ECANCELED)")
mutant(reader_ticket_counts_as_inside tickets sync/rwmutex.c
  "  do to = word + (word & BW__RW_WRITER ? WAITING : 1);"
  "  do to = word + (word & BW__RW_WRITER && !IS ? WAITING : 1);")
mutant(cond_ticket_without_its_mutex tickets sync/cond.c
  "  int code = bw__mutex_lock_ticket(&t->m);
  if (code != BW_EAGAIN) relocked"
  "  int code = IS ? 0 : bw__mutex_lock_ticket(&t->m);
  if (code != BW_EAGAIN) relocked")

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

foreach(file IN LISTS files)
  file(WRITE "${OUT}/${file}" "#include \"mutants.h\"\n${text_${file}}")
endforeach()
file(WRITE "${OUT}/mutants.h" "#ifndef MUTANTS_H
#define MUTANTS_H
extern int model_mutant;
static inline int model_is(int mutant) { return model_mutant == mutant; }
enum { MUTANT_none${names} };
#define MUTANTS(X)${rows}
#endif
")
