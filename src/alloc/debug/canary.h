// Patterns in and around objects, by which writes that should not have been are found.
//
//   byte  where                                         written when
//   0xfb  the canaries in front and behind              the object is made or made smaller
//   0xcd  the object, unless it is asked for as zeros   the object is made
//   0xdd  the object                                    it is freed
//
// Of an object longer than BW_FILL_MOST only so much of its start is filled and looked at: the rest
// of a huge object that nobody touches shall not become memory because of us.
#ifndef BURROW_ALLOC_DEBUG_CANARY_H
#define BURROW_ALLOC_DEBUG_CANARY_H

#include "alloc/debug/objects.h"

#define BW_FILL_MOST ((size_t)1 << 20)

typedef struct {
  bool found;
  ptrdiff_t offset; // from the object's start, of the first damaged byte
  unsigned byte;    // what is there
} bw__damage;

void bw__canary_set(const bw__debug_object *o);
void bw__canary_fill_new(const bw__debug_object *o);
void bw__canary_fill_freed(const bw__debug_object *o);

// Damage to the canaries, and if it is freed to what it was filled with. None is seen in a sealed
// object.
bw__damage bw__canary_damage(const bw__debug_object *o);

#endif
