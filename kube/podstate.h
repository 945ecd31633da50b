/* SPDX-License-Identifier: MIT
 *
 * What a pod is up to, in one word and one sentence.
 */
#ifndef KUBE_PODSTATE_H
#define KUBE_PODSTATE_H

#include "kube/tree.h"

enum pod_phase { POD_ABSENT, POD_WAITS, POD_READY, POD_FAILED, POD_ENDS };

/* Slices of the pod, or static. */
struct pod_state {
	enum pod_phase phase;
	struct slice reason;  /* "Unschedulable", "ImagePullBackOff" */
	struct slice message; /* may be empty */
};

/* pod: NULL when there is none. */
void pod_state(struct pod_state *s, const struct jnode *pod);

/* "Absent", "Pending", "Ready", "Failed", "Terminating" */
const char *pod_phase_name(enum pod_phase p);

#endif
