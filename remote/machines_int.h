/* SPDX-License-Identifier: MIT
 *
 * Between the files about machines.
 */
#ifndef REMOTE_MACHINES_INT_H
#define REMOTE_MACHINES_INT_H

#include "remote/address.h"
#include "remote/machines.h"

struct machine {
	char *name; /* what was written for its store */
	struct remote_address address;
	char *systems, *features, *needed; /* with blanks between; all that is needed is among the features */
	unsigned jobs;
	double speed;
	int left_out;	/* it did not answer */
	int gets_drvs;	/* it builds only what it has the derivation of */
};

struct seat {
	size_t machine;
	int lock; /* -1: free */
};

struct machines {
	struct machine *v;
	size_t n, cap;
	struct seat *seats;
	char *folder; /* where locks are */
	struct build_machines hooks;
};

/* machines.c: the file that stands for a machine, or a seat at it; negative on failure. */
int machine_open_lock(const struct machines *m, const struct machine *of, const char *what, struct err *e);

/* machine_build.c: as struct build_machines has it. */
enum build_ordered machine_build(void *user, int seat, const struct build_order *o, struct err *e);

#endif
