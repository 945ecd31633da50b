/* SPDX-License-Identifier: MIT
 *
 * /healthz, /readyz and /metrics of a process, over HTTP, from threads of its own.
 */
#ifndef KUBE_HEALTH_H
#define KUBE_HEALTH_H

#include "base/err.h"

#include <stdatomic.h>

/* What is told; whoever works changes it. */
struct health {
	_Atomic long long alive_at; /* of kube_now: when the work was last looked after */
	atomic_int ready, leads;
	atomic_ulong reconciles, failures, renders, lists, events, watch_failures, devpods, devpods_ready;

	/* private */
	int fd;
	atomic_int connections;
};

/* Listens at a numeric address; port 0: any that is free, which is returned in *port.  ERR_INVALID, ERR_IO. */
int health_start(struct health *h, const char *address, unsigned *port, struct err *e);

/* Marks the work as looked after. */
void health_beat(struct health *h);

#endif
