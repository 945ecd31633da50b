/* SPDX-License-Identifier: MIT
 *
 * What gx bench says: lines for people, or JSON, which it reads again as a baseline (cli/bench_samples.h).
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "cli/bench_limits.h"
#include "cli/bench_samples.h"

struct bench_report {
	char *const *command; /* ended by NULL */
	unsigned runs, warmup;
	const struct bench_limits *limits;
	const struct bench_samples *samples, *baseline; /* finished; baseline NULL without */
	const char *profiles;				/* NULL without */
};

/* A difference this likely by chance alone is none. */
#define BENCH_ALPHA 0.05

void bench_add_text(struct buf *b, const struct bench_report *r);
void bench_add_json(struct buf *b, const struct bench_report *r);

#endif
