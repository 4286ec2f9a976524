# Sources with bugs, which the model must find. Run as a script:
#
#   cmake -D SRC=<src> -D OUT=<folder> -P mutants.cmake
#
# copies the files named here to OUT, each mutant's changed text beside the true one, and writes
# OUT/mutants.h; `model_mutant` says at run time which of them is in force. With -D ONLY=short only what
# is no mutant is done, which is:
#   - who waits for the lock or on a note looks once, and not many times, before it sleeps.
# Included, it tells the names: MODEL_MUTANTS.
#
# A text that is not in its file any more fails that mutant's test, not the build.
set(files comm/waitq.h comm/chan_state.h comm/chan.c comm/chan_bulk.c comm/ticket.c comm/select.c
    sched/park.h sched/park.c lock/mutex.h lock/mutex.c)
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
shorten(sched/park.c "LOOKS = BW_WASM ? 1000 : 60" "LOOKS = 1")
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
  bw__chain_ready(r.woken);"
  "  bw__chan_unlock(r.c);
  bw__chain_ready(IS ? ((release *)arg)->woken : r.woken);")
mutant(bulk_drops_a_value many comm/chan_bulk.c
  "for (size_t sent = 0; sent < n; sent++)"
  "for (size_t sent = 0; sent < n; sent += IS ? 2 : 1)")
mutant(chain_looks_after_the_wake channels comm/chan_state.h
  "    next = first->next;
    bw__waiter_ready(first->waiter);"
  "    next = first->next;
    bw__waiter_ready(first->waiter);
    if (IS) next = first->next;")
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
  "    bw__chan_lock(k->chan);
    if (!bw__waitq_left(d))"
  "    if (IS) {
      bw__waitq_remove(queue_of(k), d);
      continue;
    }
    bw__chan_lock(k->chan);
    if (!bw__waitq_left(d))")
mutant(losers_stay selects comm/select.c
  "if (bw__waitq_left(d)) continue;"
  "if (bw__waitq_left(d) || IS) continue;")
mutant(unlock_looks_back selects comm/select.c
  "  bw_chan *c = n > 0 ? to_lock(s, 0) : NULL;"
  "  for (size_t i = 0; IS && i < s->lock_count; i++) {
    bw_chan *each = to_lock(s, i);
    if (each) bw__chan_unlock(each);
  }
  if (IS) return;
  bw_chan *c = n > 0 ? to_lock(s, 0) : NULL;")
mutant(locks_in_the_order_of_cases selects comm/select.c
  "    for (; at > 0 && address(s, at - 1) > key; at--)"
  "    for (; at > 0 && !IS && address(s, at - 1) > key; at--)")
mutant(default_after_one_look selects comm/select.c
  "  int result = look(s);
  if (result != BW_EAGAIN) return result;"
  "  int result = look(s);
  if (result != BW_EAGAIN || (IS && !waits)) return result;")
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
