/* SPDX-License-Identifier: MIT
 *
 * eval/context: equal sets have equal ids, and order, repeats and grouping of additions do not matter.
 */
#include "config.h"
#include "base/mem.h"
#include "eval/context.h"
#include "lang/word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t one(int i)
{
	char text[32];

	return ctx_single(text, (size_t)snprintf(text, sizeof text, "/nix/store/%d", i));
}

static void singles(void **state)
{
	(void)state;
	assert_int_equal(one(1), one(1));
	assert_int_not_equal(one(1), one(2));
	assert_int_not_equal(one(1), 0);
	assert_int_equal(ctx_count(0), 0);
	assert_int_equal(ctx_count(one(1)), 1);
	assert_string_equal(ctx_element(one(7), 0)->b, "/nix/store/7");
}

static void union_is_a_set(void **state)
{
	uint32_t a = one(1), b = one(2), c = one(3);

	(void)state;
	assert_int_equal(ctx_union(a, 0), a);
	assert_int_equal(ctx_union(0, a), a);
	assert_int_equal(ctx_union(a, a), a);
	assert_int_equal(ctx_union(a, b), ctx_union(b, a));
	assert_int_equal(ctx_union(ctx_union(a, b), c), ctx_union(a, ctx_union(b, c)));
	assert_int_equal(ctx_union(ctx_union(a, b), b), ctx_union(a, b));
	assert_int_equal(ctx_count(ctx_union(ctx_union(a, b), c)), 3);
}

static void elements_in_byte_order(void **state)
{
	uint32_t c = 0;

	(void)state;
	for (int i = 30; i >= 0; i--)
		c = ctx_union(c, one(i));
	assert_int_equal(ctx_count(c), 31);
	for (size_t i = 1; i < 31; i++)
		assert_true(strcmp(ctx_element(c, i - 1)->b, ctx_element(c, i)->b) < 0);
}

static void collecting_is_the_same_as_union(void **state)
{
	(void)state;
	for (int n = 0; n < 200; n = n * 2 + 1) {
		struct ctx_acc acc = { 0 };
		uint32_t want = 0;
		for (int i = 0; i < n; i++) {
			uint32_t c = ctx_union(one(i * 7 % 50), one(i * 3 % 20));
			ctx_acc_add(&acc, c);
			ctx_acc_add(&acc, c);
			ctx_acc_add(&acc, 0);
			want = ctx_union(want, c);
		}
		assert_int_equal(ctx_acc_finish(&acc), want);
	}
}

/* Past every table's first size, and past what the memo of unions holds. */
static void many(void **state)
{
	static uint32_t ids[20000];

	(void)state;
	for (int i = 0; i < 20000; i++)
		ids[i] = ctx_union(one(i), one(i + 1));
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(ctx_union(one(i + 1), one(i)), ids[i]);
		assert_int_equal(ctx_count(ids[i]), 2);
	}
}

static struct ctx_elem parse(const char *text)
{
	struct ctx_elem e;

	ctx_parse(ctx_element(ctx_single(text, strlen(text)), 0), &e);
	return e;
}

static void elements_taken_apart(void **state)
{
	struct ctx_elem e = parse("/nix/store/x");

	(void)state;
	assert_int_equal(e.kind, CTX_OPAQUE);
	assert_int_equal(e.path_len, 12);
	e = parse("=/nix/store/x.drv");
	assert_int_equal(e.kind, CTX_DRV_DEEP);
	assert_memory_equal(e.path, "/nix/store/x.drv", e.path_len);
	e = parse("!out!/nix/store/x.drv");
	assert_int_equal(e.kind, CTX_BUILT);
	assert_int_equal(e.output_len, 3);
	assert_memory_equal(e.output, "out", 3);
	assert_int_equal(e.path_len, 16);
	assert_memory_equal(e.path, "/nix/store/x.drv", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(singles),	    cmocka_unit_test(union_is_a_set),
		cmocka_unit_test(elements_in_byte_order), cmocka_unit_test(collecting_is_the_same_as_union),
		cmocka_unit_test(many),		    cmocka_unit_test(elements_taken_apart),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
