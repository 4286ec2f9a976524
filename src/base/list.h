// Intrusive circular doubly linked list. A head is a bw__list that points at itself when empty; a
// node that is on no list has next == NULL, so removing is safe to ask for twice.
#ifndef BURROW_BASE_LIST_H
#define BURROW_BASE_LIST_H

#include "base/config.h"

typedef struct bw__list {
  struct bw__list *next, *prev;
} bw__list;

#define BW_CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void bw__list_init(bw__list *head) { head->next = head->prev = head; }

static inline bool bw__list_empty(const bw__list *head) { return head->next == head; }

static inline bool bw__list_linked(const bw__list *node) { return node->next != NULL; }

static inline void bw__list_insert_after(bw__list *where, bw__list *node) {
  node->prev = where;
  node->next = where->next;
  where->next->prev = node;
  where->next = node;
}

static inline void bw__list_push_front(bw__list *head, bw__list *node) {
  bw__list_insert_after(head, node);
}

static inline void bw__list_push_back(bw__list *head, bw__list *node) {
  bw__list_insert_after(head->prev, node);
}

static inline void bw__list_remove(bw__list *node) {
  if (!node->next) return;
  node->next->prev = node->prev;
  node->prev->next = node->next;
  node->next = node->prev = NULL;
}

// The first node, taken off the list; NULL when the list is empty.
static inline bw__list *bw__list_pop_front(bw__list *head) {
  bw__list *node = head->next;
  if (node == head) return NULL;
  bw__list_remove(node);
  return node;
}

#endif
