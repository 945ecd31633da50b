/* SPDX-License-Identifier: MIT
 *
 * Equal files of the store kept once: each is a hard link to .links/HASH, the hash of its archive in nix32 digits, as Nix has it.
 * The collector removes links that no object shares any more.
 */
#ifndef STORE_OPTIMISE_H
#define STORE_OPTIMISE_H

#include "store/store.h"

struct optimise_settings {
	int automatic; /* for each object when it becomes valid: the setting auto-optimise-store */
};
extern struct optimise_settings optimise_settings;

struct optimise_result {
	uint64_t freed; /* bytes on disk */
	size_t n;	/* files that were replaced */
};

/* Does it for the objects, or with NULL for all valid ones.  A process that is killed half-way leaves a whole store. */
int store_optimise(struct store *s, const struct path_set *paths, struct optimise_result *out, struct err *e);

#endif
