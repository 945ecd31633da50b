/* SPDX-License-Identifier: MIT
 *
 * What was measured, by benchmark and unit: read from what `go test -bench` prints, or from a file that an earlier gx bench wrote.
 */
#ifndef CLI_BENCH_SAMPLES_H
#define CLI_BENCH_SAMPLES_H

#include "base/err.h"
#include "base/slice.h"
#include "cli/bench_stats.h"

struct bench_series {
	char *package; /* "" when it is not known */
	char *name, *unit;
	double *v;
	size_t n, cap;
	struct bench_summary s; /* once bench_finish was called */
};

/* Zeroed is empty. */
struct bench_samples {
	struct bench_series *v;
	size_t n, cap;
};

void bench_samples_release(struct bench_samples *s);

/* One measurement. */
void bench_add(struct bench_samples *s, struct slice package, struct slice name, struct slice unit, double value);

/* The series of that benchmark and unit, NULL when there is none.  One without a package is the same in any. */
const struct bench_series *bench_find(const struct bench_samples *s, const struct bench_series *like);

/* The lines of results in what a program printed; returns how many there were. */
size_t bench_read_lines(struct bench_samples *s, struct slice text);

/* A file: JSON of gx bench, or lines.  ERR_INVALID when it has no measurements. */
int bench_read_file(struct bench_samples *s, const char *path, struct err *e);

/* Sorts out outliers. */
void bench_finish(struct bench_samples *s);

#endif
