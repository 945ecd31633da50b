/* SPDX-License-Identifier: MIT
 *
 * Objects from one store on disk to another, or out of one binary cache.
 */
#ifndef CACHE_COPY_H
#define CACHE_COPY_H

#include "store/store.h"

struct copy_result {
	size_t copied, present;
};

/* Copies objects that are valid in `from`, with what they refer to among them; on all cores.  check_sigs: the setting require-sigs
 * counts, so what has no path that follows from its contents needs a signature of a trusted key (ERR_DENIED). */
int copy_objects(struct store *from, struct store *to, const struct path_set *paths, int check_sigs, struct copy_result *out,
		 struct err *e);

struct cache_source {
	const char *address;
	int check_sigs; /* as the settings say; 0: no signature is needed */
	void (*note)(void *user, const char *text); /* as in cache/substitute.h */
	void *user;
};

/* Gets objects out of a binary cache, whatever the settings say of caches, with all they refer to.  ERR_NOTFOUND when one cannot
 * be had. */
int copy_from_cache(const struct cache_source *from, struct store *to, const struct path_set *paths, struct copy_result *out,
		    struct err *e);

/* Makes objects valid that are not, with all they refer to, out of the caches of the settings.  Notices go to note (as in
 * cache/substitute.h).  ERR_NOTFOUND when one cannot be had. */
int ensure_objects(struct store *to, const struct path_set *paths, void (*note)(void *user, const char *text), void *user,
		   struct err *e);

/* What check_sigs asks of one that is to come in: that its path follows from its contents, or that one of the keys signed it. */
struct public_keys;
int copy_check_trust(struct store *to, const struct public_keys *keys, const struct path_info *i, struct err *e);

#endif
