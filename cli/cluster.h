/* SPDX-License-Identifier: MIT
 *
 * What the verbs that speak to a cluster share: which one, as whom, and what a DevPod in it is up to.
 */
#ifndef CLI_CLUSTER_H
#define CLI_CLUSTER_H

#include "cli/options.h"
#include "kube/cache.h"
#include "kube/podstate.h"

enum {
	CLUSTER_OPTION_FIRST = 400,
	CLUSTER_KUBECONFIG = CLUSTER_OPTION_FIRST,
	CLUSTER_CONTEXT,
	CLUSTER_NAMESPACE,
	CLUSTER_TIMEOUT, /* of verbs that wait; in a table of theirs */
	CLUSTER_OPTION_LAST,
	CLUSTER_WAIT_S = 300
};

extern const struct option cluster_option_table[];

/* Zeroed is empty. */
struct cluster {
	struct kube_choice choice;
	struct kube_config config;
	struct kube *k;
	int has_devpods;  /* the cluster knows the kind DevPod */
	unsigned seconds; /* what --timeout says; whoever takes it sets CLUSTER_WAIT_S before */
};

/* Takes one of the options: 0, or an exit status. */
int cluster_option(struct cluster *c, const struct program *p, int id, char **values);

/* Reads which cluster and as whom, and asks it what it knows.  stop: as in kube/client.h. */
int cluster_open(struct cluster *c, const volatile int *stop, struct err *e);
void cluster_release(struct cluster *c);

/* What a DevPod of that name is up to, or its pod where the cluster does not know the kind.  o: NULL when there is none. */
void cluster_state(const struct cluster *c, struct pod_state *s, const struct jnode *o);

/* Waits until the DevPod is ready; says why it waits, a line for each reason.  ERR_BUILD: it cannot become so. */
int cluster_wait_ready(struct cluster *c, const char *name, unsigned seconds, struct err *e);

/* Waits until the object of that kind ("Pod", "DevPod") has gone. */
int cluster_wait_gone(struct cluster *c, const char *kind, const char *name, unsigned seconds, struct err *e);

#endif
