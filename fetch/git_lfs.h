/* SPDX-License-Identifier: MIT
 *
 * Large files of git repositories, which stand in commits as pointers (Git LFS, version 1 of its specification).
 *
 * Nothing is believed for where it was found: what takes a pointer's place has the SHA-256 and the size that the commit says.
 * Objects that were fetched stay in the user's cache (fetch/cache.h), within LIMIT_LFS_KEPT.
 */
#ifndef FETCH_GIT_LFS_H
#define FETCH_GIT_LFS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct git_lfs {
	const char *url;  /* of the repository: its server is found by it */
	const char *here; /* its folder when it lies here, NULL elsewhere: it may have the objects, and says whence it came */
	int offline;
	struct buf *strange; /* receives the names of files that are no pointers and stay as they are, each ended by a NUL */
};

/* Puts what they stand for in the place of pointers: files of the tree at dirfd, which nobody else writes to.  names: each ended by
 * a NUL.  ERR_NOTFOUND when the server has no such object, ERR_NETWORK when it sends another. */
int git_lfs_fill(struct git_lfs *l, int dirfd, struct slice names, struct err *e);

#endif
