/* SPDX-License-Identifier: MIT
 *
 * What the files of a store prove about themselves, for rebuilding its database (store/rebuild.h); private to store/.
 */
#ifndef STORE_PROVE_H
#define STORE_PROVE_H

#include "format/drv.h"
#include "store/db.h"
#include "store/rebuild.h"

enum proof_state {
	PROOF_NONE,
	PROOF_GIVEN,  /* a row that is believed */
	PROOF_GOOD,
	PROOF_TRUSTED /* of no proof, but wanted nevertheless */
};

struct proof {
	struct path_info info;
	enum proof_state state;
	char *why; /* what speaks against it, malloc'd; NULL: nothing */

	/* private */
	int accepted;	   /* those that refer to it know */
	size_t waiting;	   /* objects it refers to that are not proved (yet) */
	size_t *referrers; /* indices */
	size_t nreferrers, capreferrers;
	size_t maker; /* index + 1 of the proved derivation that lists it */
};

struct proofs {
	struct proof *v; /* in the order of names */
	size_t n;
};

/* Looks at all objects of the store directory dirfd (each is read once or more), and decides.  known: a database whose rows
 * are believed when their files are there, may be NULL. */
int proofs_make(struct proofs *out, int dirfd, struct slice store_dir, struct db *known, const struct rebuild_options *o,
		struct err *e);
void proofs_release(struct proofs *p);

/* Reads and parses a derivation; appends to *text. The caller releases *d when that succeeded. */
int proofs_read_drv(int dirfd, struct slice dir, const struct store_path *p, struct buf *text, struct drv *d, struct err *e);

#endif
