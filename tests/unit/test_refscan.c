/* SPDX-License-Identifier: MIT
 *
 * store/refscan: every position, every way to cut the input, against a search by memmem.
 */
#include "config.h"
#include "format/refscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char digits[] = "0123456789abcdfghijklmnpqrsvwxyz";

static struct store_path random_path(void)
{
	char base[40];
	struct store_path p;

	for (int i = 0; i < 32; i++)
		base[i] = digits[rand() % 32];
	snprintf(base + 32, sizeof base - 32, "-n");
	assert_int_equal(store_path_parse_base(slice_of(base), &p, NULL), 0);
	return p;
}

/* Found in one piece or cut at `a` and `b`. */
static int found(const struct path_set *c, const char *text, size_t n, size_t a, size_t b, const struct store_path *p)
{
	struct refscan *r = refscan_new(c);
	int has;

	refscan_feed(r, text, a);
	refscan_feed(r, text + a, b - a);
	refscan_feed(r, text + b, n - b);
	has = refscan_has(r, p);
	refscan_free(r);
	return has;
}

static void every_cut(void **state)
{
	struct path_set c = PATH_SET_INIT;
	struct store_path p = random_path();
	char text[70];

	(void)state;
	path_set_add(&c, &p);
	memset(text, '-', sizeof text);
	memcpy(text + 19, p.base, 32);
	for (size_t a = 0; a <= sizeof text; a++)
		for (size_t b = a; b <= sizeof text; b++)
			if (!found(&c, text, sizeof text, a, b, &p))
				fail_msg("missed when cut at %zu and %zu", a, b);
	text[30]++;
	assert_false(found(&c, text, sizeof text, 20, 40, &p));
	path_set_release(&c);
}

static void byte_by_byte(void **state)
{
	struct path_set c = PATH_SET_INIT;
	struct store_path p = random_path(), q = random_path();
	struct refscan *r;
	struct path_set out = PATH_SET_INIT;

	(void)state;
	path_set_add(&c, &p);
	path_set_add(&c, &q);
	r = refscan_new(&c);
	for (int i = 0; i < 32; i++)
		refscan_feed(r, "0", 1); /* a long run of digits before it */
	for (int i = 0; i < 32; i++)
		refscan_feed(r, p.base + i, 1);
	assert_true(refscan_has(r, &p));
	assert_false(refscan_has(r, &q));
	refscan_found(r, &out);
	assert_int_equal(out.n, 1);
	refscan_free(r);
	path_set_release(&out);
	path_set_release(&c);
}

/* Texts of digits mostly, pieces of any size, candidates in overlapping places. */
static void random_texts(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct path_set c = PATH_SET_INIT;
		struct refscan *r;
		char text[2000];
		size_t at = 0;

		srand((unsigned)round);
		for (size_t i = 0; i < sizeof text; i++)
			text[i] = rand() % 100 ? digits[rand() % 32] : '/';
		for (int i = 0; i < 40; i++) {
			struct store_path p = random_path();
			path_set_push(&c, &p);
			if (i % 2)
				memcpy(text + (size_t)rand() % (sizeof text - 32), p.base, 32);
		}
		path_set_sort(&c);
		r = refscan_new(&c);
		while (at < sizeof text) {
			size_t n = (size_t)rand() % (round % 3 ? 50 : 700);
			n = n < sizeof text - at ? n : sizeof text - at;
			refscan_feed(r, text + at, n);
			at += n;
		}
		for (size_t i = 0; i < c.n; i++)
			assert_int_equal(refscan_has(r, &c.v[i]), memmem(text, sizeof text, c.v[i].base, 32) != NULL);
		refscan_free(r);
		path_set_release(&c);
	}
}

static void no_candidates(void **state)
{
	struct path_set c = PATH_SET_INIT, out = PATH_SET_INIT;
	struct refscan *r = refscan_new(&c);

	(void)state;
	refscan_feed(r, "abc", 3);
	refscan_found(r, &out);
	assert_int_equal(out.n, 0);
	refscan_free(r);
}

/* Two objects with one digest: a bet on either is not made. */
static void same_digest(void **state)
{
	struct path_set c = PATH_SET_INIT;
	struct store_path p = random_path(), q = p;
	struct refscan *r;

	(void)state;
	q.base[33] = 'z';
	path_set_add(&c, &p);
	path_set_add(&c, &q);
	r = refscan_new(&c);
	refscan_feed(r, p.base, 32);
	assert_true(refscan_has(r, &p) && refscan_has(r, &q));
	refscan_free(r);
	path_set_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut), cmocka_unit_test(byte_by_byte), cmocka_unit_test(random_texts),
		cmocka_unit_test(no_candidates), cmocka_unit_test(same_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
