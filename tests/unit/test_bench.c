/* SPDX-License-Identifier: MIT
 *
 * cli/bench_stats, cli/bench_samples: what measurements tell, and reading them.
 */
#include "config.h"
#include "cli/bench_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define N(v) (sizeof(v) / sizeof *(v))

static int near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static void outliers_are_left_out(void **state)
{
	double v[] = { 12, 10, 11, 900, 13, 9, 14, 1 };
	struct bench_summary s = bench_summarize(v, N(v));

	(void)state;
	/* Quartiles 9.75 and 13.25 let through what lies between 4.5 and 18.5. */
	assert_int_equal(s.n, 8);
	assert_int_equal(s.kept, 6);
	assert_true(near(s.median, 11.5));
	assert_true(near(s.spread, 2.5 / 11.5));
	assert_true(near(v[0], 9) && near(v[5], 14) && near(v[6], 1) && near(v[7], 900));
}

static void few_are_all_kept(void **state)
{
	double v[] = { 1000, 1, 2 }, zero[] = { 0, 0, 0, 0 };
	struct bench_summary s = bench_summarize(v, N(v)), none = bench_summarize(v, 0), z = bench_summarize(zero, N(zero));

	(void)state;
	assert_int_equal(s.kept, 3);
	assert_true(near(s.median, 2));
	assert_true(near(s.spread, 499));
	assert_int_equal(none.kept, 0);
	assert_true(z.kept == 4 && near(z.spread, 0));
}

/* Of 70 orders of four and four, one has the first all in front. */
static void ranks_tell_a_difference(void **state)
{
	double a[] = { 1, 2, 3, 4 }, b[] = { 5, 6, 7, 8 }, c[] = { 1.5, 2.5, 3.5, 4.5 };

	(void)state;
	assert_true(near(bench_compare(a, 4, b, 4), 2.0 / 70));
	assert_true(near(bench_compare(b, 4, a, 4), 2.0 / 70));
	/* The first wins 6 of 16 pairs; 24 of 70 orders win no more. */
	assert_true(near(bench_compare(a, 4, c, 4), 48.0 / 70));
	assert_true(near(bench_compare(a, 2, b, 1), 2.0 / 3));
	assert_true(near(bench_compare(a, 0, b, 4), 1));
}

static void ties_go_by_the_normal_distribution(void **state)
{
	double a[] = { 1, 1, 1, 1 }, b[] = { 1, 2, 2, 2, 2 };

	(void)state;
	assert_true(near(bench_compare(a, 4, a, 4), 1));
	/* U = 2 of 20, mean 10, variance 20/12 * (10 - 180/72), half a pair back: z = 7.5/sqrt(12.5). */
	assert_true(near(bench_compare(a, 4, b, 5), erfc(7.5 / sqrt(12.5) / sqrt(2))));
}

/* Beyond fifty nothing is counted out. */
static void many_are_compared(void **state)
{
	double a[60], b[60];

	(void)state;
	for (int i = 0; i < 60; i++) {
		a[i] = i;
		b[i] = i + 0.5;
	}
	assert_true(bench_compare(a, 60, b, 60) > 0.8);
	for (int i = 0; i < 60; i++)
		b[i] = i + 30.5;
	assert_true(bench_compare(a, 60, b, 60) < 1e-6);
}

static void lines_of_go_are_read(void **state)
{
	struct slice text = SLICE("goos: linux\npkg: example.com/a\nBenchmarkX-8   \t 100\t  12.5 ns/op\t  3 allocs/op\r\n"
				  "BenchmarkX-8 100 13 ns/op\nBenchmark\nBenchmarkBad-8 many 1 ns/op\nBenchmarkNoUnit-8 5 1\n"
				  "--- BENCH: BenchmarkX-8\npkg: example.com/b\nBenchmarkX-8 1 7 ns/op x y\nBenchmarkY 2 1e3 MB/s");
	struct bench_samples s = { 0 };

	(void)state;
	assert_int_equal(bench_read_lines(&s, text), 4);
	assert_int_equal(s.n, 4);
	assert_string_equal(s.v[0].package, "example.com/a");
	assert_string_equal(s.v[0].name, "BenchmarkX-8");
	assert_string_equal(s.v[0].unit, "ns/op");
	assert_true(s.v[0].n == 2 && near(s.v[0].v[0], 12.5) && near(s.v[0].v[1], 13));
	assert_string_equal(s.v[1].unit, "allocs/op");
	assert_string_equal(s.v[2].package, "example.com/b");
	assert_true(s.v[3].n == 1 && near(s.v[3].v[0], 1000));
	assert_ptr_equal(bench_find(&s, &s.v[2]), &s.v[2]);
	s.v[1].name[0] = 'b';
	struct bench_series other = { .package = (char *)"", .name = (char *)"BenchmarkX-8", .unit = (char *)"ns/op" };

	assert_ptr_equal(bench_find(&s, &other), &s.v[0]);
	other.unit = (char *)"B/op";
	assert_null(bench_find(&s, &other));
	bench_samples_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outliers_are_left_out),
		cmocka_unit_test(few_are_all_kept),
		cmocka_unit_test(ranks_tell_a_difference),
		cmocka_unit_test(ties_go_by_the_normal_distribution),
		cmocka_unit_test(many_are_compared),
		cmocka_unit_test(lines_of_go_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
