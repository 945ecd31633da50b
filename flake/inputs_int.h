/* SPDX-License-Identifier: MIT
 *
 * Between the two halves of locking: inputs.c makes the graph, lock_write.c brings it to the disk.
 */
#ifndef FLAKE_INPUTS_INT_H
#define FLAKE_INPUTS_INT_H

#include "flake/inputs.h"

/* Tells people something, when there is somebody to tell. */
void lock_say(const struct lock_options *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What becomes of a graph that may not be what the lock file says: written, committed, only used, or refused.  Throws. */
void lock_write(struct locked_flake *lf, const struct lockfile *old, const struct lock_options *o);

#endif
