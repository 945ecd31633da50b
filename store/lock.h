/* SPDX-License-Identifier: MIT
 *
 * File locks between processes, Nix's among them: "<object>.lock" beside the object that is being made, by flock.
 *
 * A lock file that is done with is unlinked; a process that waited on the same file sees from the letter written
 * into it that it holds the lock of a name that is gone, and tries again.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/err.h"
#include "store/store.h"

/* The locks of a set of objects.  Zeroed is none. */
struct path_locks {
	struct held_lock *v;
	size_t n;
	int dirfd;
};

enum lock_wait { LOCK_WAIT, LOCK_TRY };

/* Locks all of them, in order, so that two processes cannot wait for one another.  LOCK_TRY: returns 1 and holds nothing when
 * one is taken.  Returns 0 when held. Waiting is told by store_notice. */
int path_locks_take(struct path_locks *l, struct store *s, const struct path_set *paths, enum lock_wait wait,
		    struct err *e);

/* Gives them up. done: the objects are finished, remove the lock files; otherwise they stay for the next to take. */
void path_locks_release(struct path_locks *l, int done);

#endif
