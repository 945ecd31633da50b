/* SPDX-License-Identifier: MIT
 *
 * Filling a binary cache: objects packed on all cores, and what the cache has already left out.
 *
 * Others read it meanwhile.  So an archive is there before the .narinfo that names it, and what an object refers to before it.
 */
#ifndef CACHE_FILL_H
#define CACHE_FILL_H

#include "cache/caches.h"
#include "format/sign.h"
#include "store/store.h"

struct secret_keys {
	struct secret_key *v;
	size_t n;
};

/* Adds the key in a file. */
int secret_keys_read(struct secret_keys *k, const char *path, struct err *e);

/* Adds those of the setting secret-key-files. */
int secret_keys_of_settings(struct secret_keys *k, struct err *e);
void secret_keys_release(struct secret_keys *k);

/* Adds the signatures of these keys to what is known of an object, but for those it has; *added counts. */
int path_info_sign(const struct secret_keys *k, struct slice store_dir, struct path_info *i, size_t *added, struct err *e);

/* Adds signatures (with blanks between, may be NULL) but for those it has; returns how many. */
size_t path_info_add_sigs(struct path_info *i, const char *sigs);

struct fill_options {
	const struct secret_keys *keys; /* besides those of the address; NULL: none */
	int cancel_fd;			/* readable when all should stop; negative: none */
	void (*note)(void *user, const char *text);
	void *user;
};

struct fill_result {
	size_t copied, present;
	uint64_t bytes; /* sent, or written */
};

/* Copies valid objects to the cache at an address. */
int cache_fill(struct store *s, const char *address, const struct path_set *paths, const struct fill_options *o,
	       struct fill_result *out, struct err *e);

#endif
