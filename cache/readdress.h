/* SPDX-License-Identifier: MIT
 *
 * Closures under other paths: those that follow from what the objects hold, so that nobody has to vouch for them.
 */
#ifndef CACHE_READDRESS_H
#define CACHE_READDRESS_H

#include "cache/copy.h"

/* What became of each object: both of n, in the order of `from`.  Zeroed is empty. */
struct readdressed {
	struct path_set from;
	struct store_path *to;
};

void readdressed_release(struct readdressed *r);

/* The new path of an object that was in the closure. */
const struct store_path *readdressed_path(const struct readdressed *r, const struct store_path *from);

/* Puts a copy of objects that are valid in `from`, and of all they refer to, into `to`, under these paths; the paths of what they
 * refer to are replaced in them by the new ones.  The stores may be the same; their directories are (ERR_INVALID).
 * The caller releases *out also when it fails. */
int readdress(struct store *from, struct store *to, const struct path_set *paths, struct readdressed *out, struct err *e);

/* The same of objects out of a binary cache.  Under their own names they never get into `to`. */
int readdress_from_cache(const struct cache_source *from, struct store *to, const struct path_set *paths, struct readdressed *out,
			 struct err *e);

#endif
