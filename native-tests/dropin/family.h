#ifndef BURROW_DROPIN_FAMILY_H
#define BURROW_DROPIN_FAMILY_H

void family(void);

#endif
