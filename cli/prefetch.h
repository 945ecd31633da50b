/* SPDX-License-Identifier: MIT
 *
 * Files from the network into the store, to learn their hashes: `gx store prefetch-file`, `nix-prefetch-url`.
 */
#ifndef CLI_PREFETCH_H
#define CLI_PREFETCH_H

#include "format/hash.h"
#include "store/store.h"

struct prefetch {
	const char *url;
	const char *name;	  /* of the object; NULL: the last part of the address */
	enum hash_algo algo;
	struct hash expected;	  /* algo HASH_ANY: nothing is */
	int unpack, executable;	  /* then the hash is of the archive of what is in it, or of the file that may be run */
};

/* Fetches it, but for what is there already and is what is expected; the object and its hash into *path and *hash.  ERR_HASH, and
 * what transfers and archives fail with. */
int prefetch(struct store *s, const struct prefetch *p, struct store_path *path, struct hash *hash, struct err *e);

#endif
