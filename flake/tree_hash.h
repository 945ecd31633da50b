/* SPDX-License-Identifier: MIT
 *
 * Hashes of trees, remembered for the state that their files are in (fetch/tree_state.h): what has not changed is looked at and not
 * read again.
 */
#ifndef FLAKE_TREE_HASH_H
#define FLAKE_TREE_HASH_H

#include "base/buf.h"
#include "format/hash.h"
#include "format/nar.h"

/* 1 and the hash of the archive of what lies at place, when it is known of its state.  0: *key, a collected buffer, receives what
 * tree_hash_remember wants when it was read.  That there is no cache to ask is no failure. */
int tree_hash_recall(const char *place, const struct nar_filter *filter, struct buf *key, struct hash *out);
void tree_hash_remember(const struct buf *key, const struct hash *h);

#endif
