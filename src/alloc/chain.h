// Chains: free objects linked through their own first eight bytes. The link is encoded, so that a
// free object can be told from one in use, and a link that the program wrote over from a whole one:
//
//   word = next ^ key ^ (address of the object << BW_CHAIN_SHIFT)
//
// `next` has bits that are always zero (BW_CHAIN_ZEROS: alignment and the unused top of an address;
// on wasm the whole upper half). The shifted address and the key fill them, so a word decodes to
// zeros there only if it was written for this address, or by an accident of 1 in 2^19 (2^35 on
// wasm) that a look at what `next` points to settles: it must be NULL or an object of the class.
//
// I1: an object in a chain holds its link. One that is given to the program holds 0 in its place
//     (bw__chain_clear), be it the same or a large one that begins there, so a link is never found
//     in an object in use unless the program copied eight bytes that it had freed back to where
//     they were.
//
// What follows: free() reads one word more and sees a double free of any object, in whatever list
// of whatever thread it is by now, as long as the program did not write over the link; a link that
// was written over is seen when it is followed.
#ifndef BURROW_ALLOC_CHAIN_H
#define BURROW_ALLOC_CHAIN_H

#include "base/config.h"

#if UINTPTR_MAX > 0xffffffffu
#define BW_CHAIN_SHIFT 45 // the lowest three bits of an address are zero: nothing is lost
#define BW_CHAIN_ZEROS 0xffff000000000007u // of 48-bit addresses
#else
#define BW_CHAIN_SHIFT 32
#define BW_CHAIN_ZEROS 0xffffffff00000007u
#endif

typedef uint64_t __attribute__((may_alias)) bw__chain_word;

// Random. Set under the page heap's lock before the first object exists, r/o after that.
extern uint64_t bw__chain_key;

static inline uint64_t bw__chain_mask(const void *object) {
  return bw__chain_key ^ (uint64_t)(uintptr_t)object << BW_CHAIN_SHIFT;
}

static inline uint64_t bw__chain_decode(const void *object) {
  return *(const bw__chain_word *)object ^ bw__chain_mask(object);
}

// Whether a decoded word can be a link.
static inline bool bw__chain_plausible(uint64_t decoded) { return !(decoded & BW_CHAIN_ZEROS); }

static inline void bw__chain_link(void *object, void *next) {
  *(bw__chain_word *)object = (uint64_t)(uintptr_t)next ^ bw__chain_mask(object);
}

static inline void bw__chain_clear(void *object) { *(bw__chain_word *)object = 0; }

// The program wrote to an object after freeing it. Ends the program. See misuse.c.
_Noreturn void bw__chain_broken(const void *object);

// What follows a free object in its chain.
static inline void *bw__chain_next(const void *object) {
  uint64_t next = bw__chain_decode(object);
  if (BW_UNLIKELY(!bw__chain_plausible(next))) bw__chain_broken(object);
  return (void *)(uintptr_t)next;
}

#endif
