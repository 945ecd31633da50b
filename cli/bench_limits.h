/* SPDX-License-Identifier: MIT
 *
 * The same room for each run: processors, memory, processes.
 *
 * Processors are a mask of this process, which its children inherit; memory and processes a control group below that of
 * this process, of either version, where this user may make one.
 */
#ifndef CLI_BENCH_LIMITS_H
#define CLI_BENCH_LIMITS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct bench_limits {
	unsigned cpus;	    /* how many; 0: all that there are */
	uint64_t memory;    /* bytes; 0: as much as there is */
	unsigned processes; /* 0: any number */

	/* private, but for the texts: what holds, or why it does not; empty when it was not asked for. */
	struct buf said_cpus, said_memory, said_processes;
	int has_cpus, has_memory, has_processes; /* does it hold? */
	char *groups[2];			 /* folders: that of version 2, or those of memory and processes */
};

/* Sets them; what this machine does not allow is said in the texts. */
void bench_limits_set(struct bench_limits *l);

/* In the child: joins the groups.  0, or -1 with errno. */
int bench_limits_join(const struct bench_limits *l);

/* Removes the groups, once nobody is in them. */
void bench_limits_release(struct bench_limits *l);

#endif
