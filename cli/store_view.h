/* SPDX-License-Identifier: MIT
 *
 * Running programs of the user's where the store is seen at its logical place.
 */
#ifndef CLI_STORE_VIEW_H
#define CLI_STORE_VIEW_H

#include "store/place.h"

/* Becomes the program argv[0] (found along PATH), with the environment as it is now.  When the store lies elsewhere than where its
 * paths say, the program runs in a mount namespace of its own, and this process waits for it; so it does where usr, the logical
 * path of a merged tree in the store, is to be /usr there (NULL: the machine's).  Returns only when it could not be run, after
 * saying why, or when it has ended: an exit status. */
int store_view_exec(const struct place *p, const char *usr, char *const *argv);

#endif
