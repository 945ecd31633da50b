/* SPDX-License-Identifier: MIT
 *
 * Trees on disk, by descriptor: removing and checking them.  No link is followed and no name with
 * a slash is used, so that whoever can write inside a tree cannot make these act outside it.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* Called now and then during long work; non-zero stops it (returned as it is). */
struct tree_pause {
	int (*step)(void *user);
	void *user;
};

/* Removes dirfd/name and all below it, however deep; nothing there is no error.  *freed (may be NULL) grows by the bytes on
 * disk that became free.  pause may be NULL. */
int tree_remove(int dirfd, const char *name, uint64_t *freed, const struct tree_pause *pause, struct err *e);

/* Everything in the tree belongs to this user and is a file, directory or link; ERR_INVALID names what is not: what
 * a builder left must be looked at so before anybody with more rights reads it. */
int tree_check_owner(int dirfd, const char *name, uid_t owner, struct err *e);

/* Makes the directories of a relative path (no ".."), mode 0755, without following links; returns a descriptor of the last. */
int tree_make_dirs(int dirfd, const char *path, struct err *e);

#endif
