/* SPDX-License-Identifier: MIT
 *
 * Objects out of binary caches instead of builds.
 *
 * What is wanted is asked for, with all that it refers to and that is not valid here, before anything is fetched; so it is known
 * whether all of it can be had.  Archives are then fetched several at a time, each unpacked while it comes in (cache/unpack.h), and
 * become valid when their hash, and what it was signed for, is right, and what they refer to is valid: many in one transaction.
 *
 * What may be used:
 *     a signature     of a trusted key over path, hash, size and references
 *     an address      the path follows from the contents (ca, or what a derivation fixes), which are hashed on the way
 *                     and then a cache for another store directory will do, where it has another path
 *     trust           ?trusted=true of the cache, or require-sigs = false; then the archive is also searched for paths that the
 * cache did not say it refers to
 */
#ifndef CACHE_SUBSTITUTE_H
#define CACHE_SUBSTITUTE_H

#include "cache/caches.h"
#include "format/sign.h"
#include "store/claims.h"
#include "store/object.h"

/* What is known of a path apart from what caches say. */
struct wanted_path {
	struct store_path path;
	int is_fixed; /* its contents have this hash by this method, and refer to nothing */
	enum ca_method method;
	struct hash hash;
	const struct fixed_output *foreign; /* the same by a method that only this knows; NULL: none */
	struct store_path deriver;	    /* what makes it; len 0: not known */
};

struct substituter;

/* For a store, which must be open for writing by the time something is fetched; caches and keys of the settings.  What
 * note is told goes to people.  ERR_INVALID for settings that make no sense. */
int substituter_new(struct substituter **out, struct store *s, void (*note)(void *user, const char *text), void *user,
		    struct err *e);

/* The same from one place alone, whatever the settings say of caches.  check_sigs: as the settings say. */
int substituter_new_from(struct substituter **out, struct store *s, const char *address, int check_sigs,
			 void (*note)(void *user, const char *text), void *user, struct err *e);
void substituter_free(struct substituter *u);

/* All stops when this can be read: questions and fetching end with ERR_INTERRUPT. */
void substituter_cancel_by(struct substituter *u, int fd);

/* 1 when there is any cache to ask. */
int substituter_any(const struct substituter *u);

/* Notes something that is wanted; asked with the next substituter_ask.  foreign is borrowed. */
void substituter_want(struct substituter *u, const struct wanted_path *w);

/* Asks for all that is wanted and all that those refer to. */
int substituter_ask(struct substituter *u, struct err *e);

/* 1 when all of a path's closure that is not valid can be had; 0 when not, or when it was not wanted. */
int substituter_has(struct substituter *u, const struct store_path *p);

/* What a cache says of a path that may be used and was wanted, or that such a one refers to; NULL when none has it.  Borrowed. */
const struct narinfo *substituter_info(struct substituter *u, const struct store_path *p);

/* What it would take to have them: adds the paths, and the bytes to fetch and to have then. */
void substituter_plan(struct substituter *u, const struct path_set *paths, struct path_set *out, uint64_t *packed,
		      uint64_t *unpacked);

/* Gets them with their closures.  0 also when some could not be had: those have a reason.  Negative when it is not to go on
 * (ERR_INTERRUPT, or the store fails). */
int substituter_fetch(struct substituter *u, const struct path_set *paths, struct err *e);

/* Why a path could not be had; NULL when nothing failed. */
const char *substituter_reason(struct substituter *u, const struct store_path *p);

/* How many objects it made valid. */
size_t substituter_count(const struct substituter *u);

/* --- signatures of rows --- */

/* 1 when a key of these made one of the signatures (with blanks between, may be NULL) of this row, 0 when not, or negative. */
int path_is_signed(const struct public_keys *keys, struct slice store_dir, const struct path_info *i, struct err *e);

/* How many of these keys made a signature of this row. */
int path_count_sigs(const struct public_keys *keys, struct slice store_dir, const struct path_info *i, size_t *n, struct err *e);

/* The trusted keys of the settings, for stores with this directory. */
int trusted_keys(struct slice store_dir, struct public_keys *out, struct err *e);

#endif
