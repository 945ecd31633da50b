/* SPDX-License-Identifier: MIT
 *
 * Checking that the store is what the database says.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "format/drv.h"
#include "store/store.h"

enum verify_problem {
	VERIFY_MISSING,	 /* valid, but not on disk; detail: "" */
	VERIFY_CONTENTS, /* the archive's hash is another; detail: the one found */
	VERIFY_FORM,	 /* mode, time or owner not canonical; detail: which */
	VERIFY_UNREADABLE,
	VERIFY_DANGLING, /* missing, and others refer to it */
	VERIFY_CLAIM	 /* something put it there that cannot make it; detail: a sentence about it */
};

struct verify_options {
	const struct path_set *paths; /* valid ones; NULL: all */
	int check_contents;
	/* Told of each problem.  Returns 1 when it was mended (the object is checked no further), 0 when not. May be NULL. */
	int (*problem)(void *arg, enum verify_problem what, const struct store_path *p, const char *detail);
	void *arg;
	/* The hash of a fixed output by outputHashMode = "go-h1", as struct build_hooks has it; NULL leaves these out. */
	int (*content_hash)(void *user, const struct drv *d, struct slice mode, int dirfd, const char *name, struct hash *out,
			    struct err *e);
};

/* Checks them, on all cores: objects that are gone and that nobody refers to are made invalid, the rest is reported.  *bad: how
 * many problems remain. */
int store_verify(struct store *s, const struct verify_options *o, size_t *bad, struct err *e);

#endif
