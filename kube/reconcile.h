/* SPDX-License-Identifier: MIT
 *
 * One DevPod: what it should come to, as the cluster is now.
 */
#ifndef KUBE_RECONCILE_H
#define KUBE_RECONCILE_H

#include "kube/controller.h"

/* What was rendered of a DevPod, as long as it is the same. */
struct rendered {
	char *namespace, *name, *uid;
	int64_t generation;
	struct buf objects; /* a JSON array; empty: it cannot be */
	char *wrong;	    /* why not; NULL: it can */
	int applied;	    /* all but the pod */
};

struct reconcile {
	const struct controller_options *o;
	struct rendered *v;
	size_t n, cap;
};

/* Looks at one, with its pod as far as it is known (NULL: none). *again: when to look again if nothing happens, in seconds; it is
 * only made smaller. An error is one that may pass. */
int reconcile_one(struct reconcile *r, const struct jnode *devpod, const struct jnode *pod, double *again, struct err *e);

/* Forgets what was rendered of one, of all. */
void reconcile_forget(struct reconcile *r, const char *namespace, const char *name);
void reconcile_release(struct reconcile *r);

#endif
