/* SPDX-License-Identifier: MIT
 *
 * Who of several does the work: the holder of a Lease, renewed every two seconds, lost after ten without success, taken over by
 * another after fifteen without a sign of life.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "kube/client.h"

/* Zeroed but for the first four, which the caller sets; texts are borrowed. */
struct lease {
	struct kube *k;
	const char *namespace, *name;
	const char *identity; /* of this process and no other */

	struct err why; /* what is wrong at the moment, when something is */

	/* private */
	int held;
	double renewed, due, seen_at;
	char *seen; /* who held it, and when they said so */
};

/* Does what is due.  Returns the seconds until there is more to do. */
double lease_step(struct lease *l);

/* Whether this process holds it, for certain. */
int lease_holds(const struct lease *l);

/* Gives it back, so that another need not wait. */
void lease_release(struct lease *l);

#endif
