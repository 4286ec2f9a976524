// Reading programs.
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of, *at;

static _Noreturn void not_understood(const char *what) {
  fprintf(stderr, "program \"%s\": %s at \"%s\"\n", text_of, what, at);
  exit(2);
}

static void skip_blanks(void) {
  while (*at == ' ') at++;
}

static bool take(const char *word) {
  size_t n = strlen(word);
  if (strncmp(at, word, n) != 0) return false;
  at += n;
  return true;
}

static uint8_t digit(int below) {
  if (*at < '0' || *at - '0' >= below) not_understood("a number is expected");
  return (uint8_t)(*at++ - '0');
}

static void read_case(program *p, program_op *op, bool send) {
  if (op->n == PROGRAM_CASES) not_understood("too many cases");
  program_case *k = &op->cases[op->n++];
  k->send = send;
  k->chan = digit(p->channels);
}

static void read_select(program *p, program_op *op) {
  op->select = true;
  do {
    if (take("send"))
      read_case(p, op, true);
    else if (take("recv"))
      read_case(p, op, false);
    else
      not_understood("send or recv is expected");
  } while (take(","));
  if (!take(")")) not_understood(") is expected");
}

static const struct {
  const char *word;
  program_call call;
  bool select, send;
} words[] = {
    {"send", CALL_WAIT, false, true},         {"recv", CALL_WAIT, false, false},
    {"trysend", CALL_TRY, false, true},       {"tryrecv", CALL_TRY, false, false},
    {"senduntil", CALL_UNTIL, false, true},   {"recvuntil", CALL_UNTIL, false, false},
    {"close", CALL_CLOSE, false, false},      {"release", CALL_RELEASE, false, false},
    {"sendmany", CALL_MANY, false, true},     {"recvmany", CALL_MANY, false, false},
    {"ticketsend", CALL_TICKET, false, true}, {"ticketrecv", CALL_TICKET, false, false},
    {"cancel", CALL_CANCEL, false, false},    {"select(", CALL_WAIT, true, false},
    {"tryselect(", CALL_TRY, true, false},    {"selectuntil(", CALL_UNTIL, true, false},
};

static bool is_word(const char *word) {
  size_t n = strlen(word);
  return strncmp(at, word, n) == 0 && (word[n - 1] == '(' || (at[n] >= '0' && at[n] <= '9'));
}

static void read_op(program *p, uint8_t thread) {
  if (p->ops == PROGRAM_OPS) not_understood("too many operations");
  program_op *op = &p->op[p->ops++];
  *op = (program_op){.thread = thread};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!is_word(words[i].word)) continue;
    const char *begin = at;
    take(words[i].word);
    op->call = words[i].call;
    if (words[i].select)
      read_select(p, op);
    else
      read_case(p, op, words[i].send);
    for (int k = 0; k < p->ops; k++)
      if (p->op[k].thread == thread && p->op[k].call == CALL_TICKET) op->ticket = (uint8_t)k;
    snprintf(op->word, sizeof op->word, "%.*s", (int)(at - begin), begin);
    return;
  }
  not_understood("an operation is expected");
}

void program_read(program *p, const char *text) {
  *p = (program){.text = text};
  text_of = at = text;
  for (skip_blanks(); *at != ':'; skip_blanks()) {
    if (p->channels == PROGRAM_CHANNELS) not_understood("too many channels");
    p->caps[p->channels++] = digit(4);
  }
  at++;
  do {
    if (p->threads == PROGRAM_THREADS) not_understood("too many threads");
    uint8_t thread = p->threads++;
    p->first[thread] = p->ops;
    skip_blanks();
    p->goroutine[thread] = !take("thread:");
    for (skip_blanks(); *at && *at != '|'; skip_blanks()) read_op(p, thread);
  } while (take("|"));
  p->first[p->threads] = p->ops;
  uint8_t value = 0;
  for (int i = 0; i < p->ops; i++)
    for (int k = 0; k < p->op[i].n; k++) {
      if (!p->op[i].cases[k].send) continue;
      p->op[i].cases[k].value = (uint8_t)(value + 1);
      value = (uint8_t)(value + (p->op[i].call == CALL_MANY ? PROGRAM_MANY : 1));
    }
}
