/* SPDX-License-Identifier: MIT
 *
 * Times of programs are not distributed normally: they have a floor and a long tail.  So nothing here assumes a distribution; the
 * median stands for the sample, quartiles say what is far from it, and samples are compared by ranks.
 */
#include "config.h"
#include "cli/bench_stats.h"
#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_MAX = 50 }; /* of both: beyond it the normal distribution is as good */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between two measurements on a line from one to the other. */
static double quantile(const double *v, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;

	return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

static size_t keep_between(double *v, size_t n, double low, double high)
{
	double *out = xcalloc(n, sizeof *out);
	size_t kept = 0, left = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i] < low || v[i] > high)
			out[left++] = v[i];
		else
			v[kept++] = v[i];
	memcpy(v + kept, out, left * sizeof *v);
	free(out);
	return kept;
}

struct bench_summary bench_summarize(double *v, size_t n)
{
	struct bench_summary s = { .n = n, .kept = n };

	if (!n)
		return s;
	qsort(v, n, sizeof *v, ascending);
	if (n >= 4) {
		double low = quantile(v, n, 0.25), high = quantile(v, n, 0.75), range = 1.5 * (high - low);

		s.kept = keep_between(v, n, low - range, high + range);
	}
	s.median = quantile(v, s.kept, 0.5);
	double far = fmax(s.median - v[0], v[s.kept - 1] - s.median);

	s.spread = s.median != 0 ? far / fabs(s.median) : 0;
	return s;
}

/* --- ranks --- */

struct ranked {
	double value;
	int first; /* of the first sample */
};

static int by_value(const void *a, const void *b)
{
	return ascending(&((const struct ranked *)a)->value, &((const struct ranked *)b)->value);
}

/* U of the first sample: how many pairs it wins, ties by half.  *ties: the sum of t^3 - t over groups of t equal values. */
static double count_wins(struct ranked *all, size_t n, size_t na, double *ties)
{
	double ranks = 0;

	*ties = 0;
	qsort(all, n, sizeof *all, by_value);
	for (size_t i = 0, j; i < n; i = j) {
		size_t firsts = 0;

		for (j = i; j < n && !ascending(&all[i].value, &all[j].value); j++)
			firsts += (size_t)all[j].first;
		double t = (double)(j - i);

		ranks += (double)firsts * ((double)(i + 1) + (double)j) / 2;
		*ties += t * t * t - t;
	}
	return ranks - (double)na * (double)(na + 1) / 2;
}

/* The part of all orders of na and nb values in which the first wins at most u pairs.  ways[k][w] counts the orders of k of the
 * first with what of the second came so far. */
static double exact_tail(size_t na, size_t nb, size_t u)
{
	size_t wide = na * nb + 1;
	double *ways = xcalloc((na + 1) * wide, sizeof *ways), below = 0, all = 0;

	ways[0] = 1;
	/* Each value of the first is placed behind none to nb of the second; multisets, so they may share a place. */
	for (size_t behind = 0; behind <= nb; behind++)
		for (size_t k = 1; k <= na; k++)
			for (size_t w = behind; w < wide; w++)
				ways[k * wide + w] += ways[(k - 1) * wide + w - behind];
	for (size_t w = 0; w < wide; w++) {
		all += ways[na * wide + w];
		below += w <= u ? ways[na * wide + w] : 0;
	}
	free(ways);
	return below / all;
}

static double normal_tail(double u, double na, double nb, double ties)
{
	double n = na + nb, mean = na * nb / 2;
	double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));

	/* All are equal. */
	if (variance <= 0)
		return 1;
	/* Half a pair towards the middle: counts are whole. */
	double z = fmax(fabs(u - mean) - 0.5, 0) / sqrt(variance);

	return erfc(z / sqrt(2));
}

double bench_compare(const double *a, size_t na, const double *b, size_t nb)
{
	size_t n = na + nb;
	double ties, p;

	if (!na || !nb)
		return 1;
	struct ranked *all = xcalloc(n, sizeof *all);

	for (size_t i = 0; i < n; i++)
		all[i] = (struct ranked){ i < na ? a[i] : b[i - na], i < na };
	double u = count_wins(all, n, na, &ties);

	free(all);
	if (ties == 0 && na <= EXACT_MAX && nb <= EXACT_MAX)
		p = 2 * exact_tail(na, nb, (size_t)fmin(u, (double)(na * nb) - u));
	else
		p = normal_tail(u, (double)na, (double)nb, ties);
	return fmin(p, 1);
}
