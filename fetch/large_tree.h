/* SPDX-License-Identifier: MIT
 *
 * Trees that are large, and which of their folders make them so: somebody may have meant to leave out what was built there.
 *
 *	filter = large_tree_begin(&l, root_len, filter);
 *	rc = nar_hash(…, filter, &hash, &l.size, e);
 *	if (large_tree_end(&l, place, &note)) { say what is in note }
 */
#ifndef FETCH_LARGE_TREE_H
#define FETCH_LARGE_TREE_H

#include "base/buf.h"
#include "format/nar.h"

struct large_folder {
	char *path; /* below the root */
	uint64_t size;
};

struct large_tree {
	struct nar_filter filter;
	const struct nar_filter *inner;
	size_t root_len;
	uint64_t size; /* of what was read until now: whoever reads says so here */

	/* private */
	struct large_folder *open, *done;
	size_t n_open, cap_open, n_done, cap_done;
};

/* A tree is about to be read whole; the filter is asked for paths whose first root_len bytes stand for it.  Returns the filter to
 * use in place of inner, which may be NULL. */
const struct nar_filter *large_tree_begin(struct large_tree *l, size_t root_len, const struct nar_filter *inner);

/* It was read, or reading it failed: releases what l holds.  Returns 1 with a sentence about the tree at place appended when it is
 * larger than the setting warn-large-path-threshold has it, and none of the cache's; otherwise 0. */
int large_tree_end(struct large_tree *l, const char *place, struct buf *note);

#endif
