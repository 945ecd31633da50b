/* SPDX-License-Identifier: MIT
 *
 * Trees kept in the user's cache (fetch/cache.h), each in a folder that is named by the hash of its archive.
 *
 * A tree is hashed whenever it is taken from there: a disk, a crash or a person may have changed it, and what is not what
 * its name says is removed and counts as missing.  A tree comes there whole: it is synced before it gets its name.
 */
#ifndef FLAKE_KEPT_H
#define FLAKE_KEPT_H

#include "base/err.h"
#include "base/slice.h"
#include "base/buf.h"
#include "format/hash.h"

/* Where the tree with a hash is, in the flake arena; NULL when it is not here.  Throws. */
const char *kept_find(const struct hash *h);

/* A tree being made: a folder to fill, removed when somebody throws. */
struct kept_new {
	char *path; /* collected */
	int fd;
};

/* Throws.  What is thrown until kept_finish or kept_drop takes the folder away; the two pair as protect_push and protect_pop do. */
void kept_begin(struct kept_new *n);

/* Keeps the tree at dir, which is the folder or in it, under its hash, which *h receives.  Returns where it is now, as
 * kept_find does.  Throws. */
const char *kept_finish(struct kept_new *n, const char *dir, struct hash *h);

/* Gives it up. */
void kept_drop(struct kept_new *n);

/* What was noted under a key at most max_age seconds ago (0: ever); nothing is appended when nothing was.  Throws. */
void kept_fact(struct slice key, unsigned max_age, struct buf *out);

/* Notes it.  Throws. */
void kept_note(struct slice key, struct slice value);

/* The same of hashes: was one noted? */
int kept_fact_hash(struct slice key, struct hash *out);
void kept_note_hash(struct slice key, const struct hash *h);

/* The tree whose hash was noted under a key, as kept_find has it; *h receives the hash.  NULL when none was, or it is not here.
 * Throws. */
const char *kept_find_noted(struct slice key, struct hash *h);

#endif
