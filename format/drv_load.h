/* SPDX-License-Identifier: MIT
 *
 * Derivations that are read, with all they need: none is believed before it was checked (drv_check), inputs first.
 */
#ifndef FORMAT_DRV_LOAD_H
#define FORMAT_DRV_LOAD_H

#include "format/modulo.h"

/* Where derivations come from.  Paths are full texts. */
struct drv_reader {
	/* The hash of one that was checked before: 1, 0 when it is not known, negative when it is no derivation. */
	int (*known)(void *user, struct slice path, struct drv_modulo *out, struct err *e);

	/* Reads and parses one; the caller releases it. */
	int (*read)(void *user, struct slice path, struct drv *d, struct err *e);

	/* Told of each that was found right, after its inputs. */
	void (*keep)(void *user, struct slice path, const struct drv *d, const struct drv_modulo *m);
	void *user;
};

/* Reads the derivation at path and the inputs it has, directly and indirectly, that are not known, checks them all and has
 * them kept.  ERR_INVALID names what is wrong, ERR_LIMIT: the chain of inputs is too long; and what the reader says. */
int drv_load(const struct drv_reader *r, struct slice dir, struct slice path, struct err *e);

/* The same for one that was read already: it need not be where r reads from. */
int drv_load_parsed(const struct drv_reader *r, struct slice dir, struct slice path, const struct drv *d, struct err *e);

#endif
