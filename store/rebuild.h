/* SPDX-License-Identifier: MIT
 *
 * Making the database of a store anew from what lies in it, when it is lost or damaged.
 */
#ifndef STORE_REBUILD_H
#define STORE_REBUILD_H

#include "format/drv.h"
#include "format/pathset.h"
#include "store/place.h"

struct rebuild_options {
	/* Also what nothing proves: whatever lies in the store under a good name.  For stores whose contents came from
	 * caches. */
	int trust_contents;
	/* The hash of a fixed output by outputHashMode = "go-h1", as struct build_hooks has it; NULL: such outputs are not
	 * proved. */
	int (*content_hash)(void *user, const struct drv *d, struct slice mode, int dirfd, const char *name,
			    struct hash *out, struct err *e);
	/* Told, in the end, of each object that is left out, and why; of each that is taken without proof (why NULL). */
	void (*each)(void *arg, const struct store_path *p, const char *why);
	/* Told what is waited for and what is kept aside. */
	void (*notice)(void *arg, const char *text);
	void *arg;
};

struct rebuild_result {
	size_t kept;	 /* rows of the old database, where that is in order */
	size_t proved;
	size_t trusted;
	size_t left_out;
};

/* Does it, with nobody else in the store; waits until that is so.  A database that is in order keeps its rows, and what can
 * be proved beside them is added; of a damaged one the files are put aside, and nothing is taken from it.  Until the new one
 * is complete the old one stays where it is. */
int store_rebuild(const struct place *place, const struct rebuild_options *o, struct rebuild_result *r, struct err *e);

#endif
