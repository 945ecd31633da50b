/* SPDX-License-Identifier: MIT
 *
 * What may be relied on for what.
 *
 * A store path promises something: this source, this pinned file, the output of this derivation.  That an object is
 * valid says only that somebody registered it; that it is what its path promises has to follow from something that nobody
 * can make up:
 *
 *     derivation         its text has the hash that its path is made of, and the outputs it lists are those that follow
 *                        from the text (drv_check).  Looked at when it is registered, and each time it is read to be used.
 *     source, text,      the row's content address is the one the path was made from.  A row without one (old programs left
 *     fixed output       such) is compared with the contents, once.
 *     Go module          no row can say its sum: the derivation recorded as its maker is one of that very module,
 *                        or its sum is computed anew
 *     any other output   made by a derivation that was checked.  When another one is recorded as its maker, and is still
 *                        there, that one is checked as well.
 *
 * What fails this is never used: the error says how to get rid of it.
 */
#ifndef STORE_CLAIMS_H
#define STORE_CLAIMS_H

#include "format/drv.h"
#include "format/modulo.h"
#include "store/store.h"

/* --- derivations --- */

/* Reads a derivation and checks that its text cannot change under its path, but not its outputs: ERR_NOTFOUND when it is not
 * valid, ERR_INVALID.  The caller releases *d. */
int store_read_drv(struct store *s, const struct store_path *p, struct drv *d, struct err *e);

/* The same without parsing; appends to *text. */
int store_read_drv_text(struct store *s, const struct store_path *p, struct buf *text, struct err *e);

/* Checks the outputs of a derivation that was read so, which may mean reading all it needs; what was checked is
 * remembered as long as the store is open.  ERR_INVALID: "derivation '…' has incorrect output '…', should be '…'". */
int store_check_drv(struct store *s, const struct store_path *p, const struct drv *d, struct err *e);

/* The hash modulo of the derivation at a full path, which is read and checked when that is not known; user: the store, as the `get`
 * of a struct drv_cache. */
int store_drv_modulo(void *user, struct slice path, struct drv_modulo *out, struct err *e);

/* Somebody else who knows hashes of derivations that were made or checked in this process: an evaluator.  Asked with a full
 * path; answers 1 and the hash, or 0. */
void store_set_known_drvs(struct store *s, int (*known)(void *user, struct slice path, struct drv_modulo *out),
			  void *user);

/* One whose hash somebody has kept since it was made or checked, and whom nobody else could have written. */
void store_know_drv(struct store *s, const struct store_path *p, const struct drv_modulo *m);

/* --- objects; each returns 1 when p is valid and is what is meant, 0 when it is not valid, ERR_INVALID when something
 * else has its place --- */

/* The object of a content address, from which the caller computed p. */
int store_is_valid_as(struct store *s, const struct store_path *p, enum ca_method m, const struct hash *h, struct err *e);

/* The text object of these bytes.  A path that is made from a text belongs to one content address: that the row has it
 * is enough. */
int store_is_text(struct store *s, const struct store_path *p, struct slice text, struct err *e);

/* An output of `drv`, which was checked; drv NULL: of whatever made it. */
int store_is_made(struct store *s, const struct store_path *p, const struct store_path *drv, struct err *e);

/* The fixed output of `drv`, which was checked, by a method of hashing that contents() knows and this library does not. */
struct fixed_output {
	const struct store_path *drv;
	const struct hash *hash;
	/* The hash of the object dirfd/name. */
	int (*contents)(void *user, int dirfd, const char *name, struct hash *out, struct err *e);
	void *user;
};

int store_is_fixed(struct store *s, const struct store_path *p, const struct fixed_output *f, struct err *e);

#endif
