/* SPDX-License-Identifier: MIT
 *
 * Versions of Debian's packages, "1:2.39.5-0+deb12u2": an epoch, what the authors call it, a revision.
 */
#ifndef FORMAT_DEBVERSION_H
#define FORMAT_DEBVERSION_H

#include "base/slice.h"

/* Which is the newer: less than, equal to or greater than 0, as dpkg orders them. */
int debversion_cmp(struct slice a, struct slice b);

#endif
