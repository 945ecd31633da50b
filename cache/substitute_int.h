/* SPDX-License-Identifier: MIT
 *
 * Between the files that substitute.
 */
#ifndef CACHE_SUBSTITUTE_INT_H
#define CACHE_SUBSTITUTE_INT_H

#include "cache/substitute.h"

/* Questions under way at once. */
enum { QUESTIONS = 128 };

enum item_state {
	ITEM_NEW, /* to be asked for */
	ITEM_FOUND,
	ITEM_MISSING,
	ITEM_FETCHING,
	ITEM_STAGED, /* unpacked and right, not valid yet */
	ITEM_VALID,
	ITEM_FAILED
};

/* Whether its whole closure can be had. */
enum has { HAS_UNKNOWN, HAS_ASKING, HAS_ALL, HAS_NOT };

struct item {
	struct substituter *u;
	struct question q;
	struct wanted_path known;
	enum item_state state;
	enum has has;
	int vouched; /* by a signature or an address: what it refers to is as it says */
	int tries;
	char name[32]; /* in the stage */
	struct err err;
	struct fetch *fetch;
};

struct substituter {
	struct store *s;
	struct caches caches;
	struct public_keys keys;
	int check_sigs;
	struct item **v, **table;
	size_t n, cap, table_cap;
	size_t settled; /* items below are no longer new */
	size_t made;
};

/* The item of a path, NULL when there is none. */
struct item *substitute_find(const struct substituter *u, const struct store_path *p);

/* Adds those of them that were found, and all found ones they refer to. */
void substitute_closure(struct substituter *u, const struct path_set *paths, struct path_set *out);

#endif
