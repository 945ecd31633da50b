/* SPDX-License-Identifier: MIT
 *
 * format/swap: a digest is replaced wherever the input is cut, and nothing else.
 */
#include "config.h"
#include "format/swap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccc"

static int keep(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static void swaps(struct swap v[2])
{
	static const char *const names[] = { A "-x", B "-x", B "-y", C "-y" };
	struct store_path *const paths[] = { &v[0].from, &v[0].to, &v[1].from, &v[1].to };

	for (int i = 0; i < 4; i++)
		assert_int_equal(store_path_parse_base(slice_of(names[i]), paths[i], NULL), 0);
}

static void every_cut(void **state)
{
	static const char text[] = "(" A A ") " B "/" A "-x aaaa", want[] = "(" B B ") " B "/" B "-x aaaa";
	struct swap v[2];
	struct swapper s;
	struct buf out = BUF_INIT;

	(void)state;
	swaps(v);
	for (size_t i = 0; i < sizeof text; i++) {
		swap_init(&s, v, 1, keep, &out);
		assert_int_equal(swap_feed(&s, text, i, NULL), 0);
		assert_int_equal(swap_feed(&s, text + i, sizeof text - 1 - i, NULL), 0);
		assert_int_equal(swap_end(&s, NULL), 0);
		swap_release(&s);
		assert_string_equal(buf_str(&out), want);
		buf_trim(&out, 0);
	}
	buf_release(&out);
}

static void none(void **state)
{
	struct swapper s;
	struct buf out = BUF_INIT;

	(void)state;
	swap_init(&s, NULL, 0, keep, &out);
	assert_int_equal(swap_end(&s, NULL), 0);
	swap_release(&s);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_cut), cmocka_unit_test(none) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
