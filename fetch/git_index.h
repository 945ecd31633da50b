/* SPDX-License-Identifier: MIT
 *
 * The index of a git work tree, read without git: which files it tracks.
 */
#ifndef FETCH_GIT_INDEX_H
#define FETCH_GIT_INDEX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>
#include <sys/stat.h>

struct git_index {
	struct slice *names; /* in byte order, each once, NUL-terminated */
	size_t n, cap;
	uint64_t sum[2]; /* of names, modes and contents as git names them */

	/* private */
	struct buf text;
};

/* Where git keeps what belongs to the work tree at top: its own folder, and the one it shares with other work trees of the
 * repository (the same where there are none).  Returns 0, or -1 when there is none. */
int git_folders(const char *top, struct buf *own, struct buf *shared);

/* Understands an index file.  Returns 0, or -1 for one that is damaged (its sum says so, too) or of a kind that is not read here
 * (split, sparse): git has to be asked.  To be released in either case. */
int git_index_parse(struct slice bytes, struct git_index *out);
void git_index_release(struct git_index *x);

/* 1 when the name, or anything below it, is tracked. */
int git_index_has(const struct git_index *x, struct slice name);

#endif
