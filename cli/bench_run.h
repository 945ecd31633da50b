/* SPDX-License-Identifier: MIT
 *
 * One run of what is measured.
 */
#ifndef CLI_BENCH_RUN_H
#define CLI_BENCH_RUN_H

#include "cli/bench_limits.h"

/* Zeroed before the first run, which may be used for the next. */
struct bench_run {
	double wall, cpu; /* seconds */
	uint64_t peak;	  /* bytes of memory, of the largest of its processes */
	int status;	  /* as waitpid has it */
	int interrupted;  /* somebody wants this to end */
	struct buf output;
};

/* Runs argv[0], looked up in PATH, with its standard output in r->output; profiles: a folder to name in GX_BENCH_PROFILES, or NULL.
 * That it failed is in r->status. */
int bench_once(char *const *argv, const struct bench_limits *l, const char *profiles, struct bench_run *r, struct err *e);

#endif
