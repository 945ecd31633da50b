/* SPDX-License-Identifier: MIT
 *
 * format/debversion: which version is newer, as dpkg says.
 */
#include "config.h"
#include "format/debversion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static int cmp(const char *a, const char *b)
{
	int d = sign(debversion_cmp(slice_of(a), slice_of(b)));

	assert_int_equal(d, -sign(debversion_cmp(slice_of(b), slice_of(a))));
	return d;
}

static void ascending(void **state)
{
	static const char *const all[] = { "0~",       "0",	   "1.0~~",	    "1.0~beta1", "1.0~beta2",  "1.0",	"1.0-0",
					   "1.0-1~deb12u1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-1+deb12u2", "1.0-1+deb12u10",
					   "1.0-2", "1.0a", "1.0+dfsg", "1.0.1", "1.2", "1.10", "10", "99999999999999999999999", "1:0", "2:0~" };

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (size_t k = 0; k < sizeof all / sizeof *all; k++)
			/* A revision that is left out is 0. */
			if (!(i == 5 && k == 6) && !(i == 6 && k == 5))
				assert_int_equal(cmp(all[i], all[k]), sign((int)i - (int)k));
}

static void alike(void **state)
{
	(void)state;
	assert_int_equal(cmp("1.0", "0:1.0-0"), 0);
	assert_int_equal(cmp("1.00", "1.0"), 0);
	assert_int_equal(cmp("", ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascending),
		cmocka_unit_test(alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
