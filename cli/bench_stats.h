/* SPDX-License-Identifier: MIT
 *
 * What a few measurements tell: where their middle is, which of them do not belong to the others, and whether two lots of them
 * differ.
 */
#ifndef CLI_BENCH_STATS_H
#define CLI_BENCH_STATS_H

#include <stddef.h>

struct bench_summary {
	size_t n, kept; /* measured, and left when outliers are taken out */
	double median, spread; /* of what is left; spread: how far the farthest is from the median, as a part of it */
};

/* Sorts v and moves what is farther than one and a half interquartile ranges outside the quartiles behind the others; of
 * fewer than four measurements all are kept.  v[0..kept) ascend. */
struct bench_summary bench_summarize(double *v, size_t n);

/* How likely it is that two samples of one distribution differ at least as much as these (Mann and Whitney's test, two-sided):
 * exact for small samples without ties, else by the normal distribution.  1 when one is empty. */
double bench_compare(const double *a, size_t na, const double *b, size_t nb);

#endif
