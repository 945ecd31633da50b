/* SPDX-License-Identifier: MIT
 *
 * Hashes of trees and files, remembered for the state they are in: what has not changed is looked at and not read again.
 *
 * A state is told without reading files: which there are, and of each the device, inode, size, mode and times.  Two equal states
 * are the same contents, since the system itself sets the time of an inode's last change; the same contents may have any number of
 * states.
 */
#ifndef FETCH_TREE_HASH_H
#define FETCH_TREE_HASH_H

#include "format/hash.h"
#include "format/nar.h"

/* What is hashed. */
struct tree_question {
	const char *place;
	const char *root; /* what stands for the place in paths that the filter is asked about; NULL: the place */
	const struct nar_filter *filter; /* as nar_hash takes it: what it leaves out does not count; NULL for none */
	int flat; /* the bytes of a file, not an archive */
};

/* 1 and the SHA-256 when it is known of the state that this is in.  0 when not: *state is what tree_hash_remember wants once it was
 * read.  It has no algorithm when nothing can be remembered: something was changed a moment ago and could change again without a
 * trace, or cannot be looked at, or reading it costs less than remembering.  That there is no cache is no failure. */
int tree_hash_recall(const struct tree_question *q, struct hash *state, struct hash *out);
void tree_hash_remember(const struct tree_question *q, const struct hash *state, const struct hash *h);

#endif
