/* SPDX-License-Identifier: MIT
 *
 * The loop that makes pods of DevPods: what the cluster has is watched, what it should have is a pure function of that, the
 * difference is applied, and what is waited for is said in the DevPod's status.
 */
#ifndef KUBE_CONTROLLER_H
#define KUBE_CONTROLLER_H

#include "kube/client.h"
#include "kube/health.h"

struct controller_options {
	struct kube *k;
	const char *namespace;	 /* whose DevPods; NULL: all */
	const char *lease_namespace, *identity;
	int host_store;		 /* nodes' stores are given out (store.mode hostPath) */
	const volatile int *stop; /* ends when it is not 0 */
	struct health *health;

	/* Appends the objects a DevPod (JSON) becomes: a JSON array.  ERR_INVALID with what is wrong with it. */
	int (*render)(void *user, struct slice devpod, struct buf *out, struct err *e);
	/* A line for people; NULL: nobody listens. */
	void (*say)(void *user, const char *line);
	void *user;
};

/* Runs until it is to stop. */
void controller_run(const struct controller_options *o);

#endif
