/* SPDX-License-Identifier: MIT
 *
 * What people see of builds, on standard error: on a terminal one line drawn in place, otherwise a line at the start and the
 * end of each.
 */
#ifndef CLI_BUILD_PROGRESS_H
#define CLI_BUILD_PROGRESS_H

#include "build/build.h"

struct build_progress {
	int quiet;	/* failures and notes only */
	int logs;	/* print what builders print */
	int terminal;	/* draw in place */
	int json;	/* one object a line */
	struct slice dir; /* of the store */
	unsigned *failed; /* receives a bit for each kind of failure: enum exit_status without its base */
	/* private */
	size_t done, total;
	double started;
	int drawn;
};

/* Chooses by what standard error is. */
void build_progress_init(struct build_progress *p, struct slice store_dir);

/* The hook; user is the struct build_progress. */
void build_progress_event(void *user, const struct build_event *ev);

/* Takes the drawn line away. */
void build_progress_end(struct build_progress *p);

#endif
