/* SPDX-License-Identifier: MIT
 *
 * flake/lockfile: reading what Nix wrote, writing the same bytes, and what must be refused.
 */
#include "config.h"
#include "base/limits.h"
#include "flake/lockfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEAF(name)                                                                                         \
	"      \"locked\": {\n        \"name\": \"" name "\",\n        \"type\": \"gx\"\n      },\n"             \
	"      \"original\": {\n        \"name\": \"" name "\",\n        \"type\": \"gx\"\n      }"

/* As nix flake lock writes it but for the type of the inputs. */
static const char whole[] =
	"{\n  \"nodes\": {\n"
	"    \"a\": {\n      \"inputs\": {\n        \"b\": \"b\",\n        \"c\": [\n          \"b\"\n        ]\n      },\n" LEAF(
		"x") "\n    },\n"
	"    \"b\": {\n" LEAF("y") "\n    },\n"
	"    \"b_2\": {\n      \"flake\": false,\n" LEAF("z") "\n    },\n"
	"    \"root\": {\n      \"inputs\": {\n        \"a\": \"a\",\n        \"b\": \"b_2\"\n      }\n    }\n"
	"  },\n  \"root\": \"root\",\n  \"version\": 7\n}";

static int parse(struct arena *mem, const char *text, struct lockfile *l, struct err *e)
{
	return lockfile_parse(l, mem, slice_of(text), "flake.lock", e);
}

static void same_bytes(void **state)
{
	struct arena mem = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct lockfile l;

	(void)state;
	assert_int_equal(parse(&mem, whole, &l, &e), 0);
	assert_int_equal(lockfile_add(&l, &b, &e), 0);
	assert_string_equal(b.p, whole);
	/* Again: names were given before. */
	buf_trim(&b, 0);
	assert_int_equal(lockfile_add(&l, &b, &e), 0);
	assert_string_equal(b.p, whole);
	buf_release(&b);
	arena_release(&mem);
}

static void nothing_in_it(void **state)
{
	struct arena mem = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct lockfile l;

	(void)state;
	lockfile_init(&l, &mem);
	assert_int_equal(lockfile_add(&l, &b, &e), 0);
	assert_string_equal(b.p, "{\n  \"nodes\": {\n    \"root\": {}\n  },\n  \"root\": \"root\",\n  \"version\": 7\n}");
	buf_release(&b);
	arena_release(&mem);
}

static void following(void **state)
{
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct input_path p, bad;
	struct lockfile l;

	(void)state;
	assert_int_equal(parse(&mem, whole, &l, &e), 0);
	assert_int_equal(input_path_parse(SLICE("a/c"), &mem, &p, &e), 0);
	struct lock_node *n = lockfile_find(&l, &p, &e);
	assert_non_null(n);
	assert_false(n->is_flake);
	assert_int_equal(lockfile_check(&l, &bad, &e), 0);
	assert_int_equal(input_path_parse(SLICE("a/nope"), &mem, &p, &e), 0);
	assert_null(lockfile_find(&l, &p, &e));
	assert_int_equal(e.code, 0);
	lock_edge_set(l.root, SLICE("q"), &mem)->follows = (struct input_path){ &(struct slice){ "q", 1 }, 1 };
	assert_int_equal(lockfile_check(&l, &bad, &e), ERR_INVALID);
	assert_int_equal(bad.n, 1);
	assert_true(slice_eq(bad.v[0], SLICE("q")));
	assert_non_null(strstr(e.msg, "q -> q"));
	err_release(&e);
	arena_release(&mem);
}

static void differences(void **state)
{
	struct arena mem = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct lockfile l, empty;

	(void)state;
	lockfile_init(&empty, &mem);
	assert_int_equal(parse(&mem, whole, &l, &e), 0);
	lockfile_diff(&l, &l, &b);
	assert_int_equal(b.len, 0);
	lockfile_diff(&empty, &l, &b);
	assert_string_equal(b.p, "• Added input 'a':\n    'gx:x'\n• Added input 'a/b':\n    'gx:y'\n"
				 "• Added input 'a/c':\n    follows 'b'\n• Added input 'b':\n    'gx:z'\n");
	buf_trim(&b, 0);
	lockfile_diff(&l, &empty, &b);
	assert_non_null(strstr(b.p, "• Removed input 'a/c'\n"));
	buf_release(&b);
	arena_release(&mem);
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"", "[]", "null", "{}", "{\"version\":7}", "{\"version\":\"7\"}", "{\"version\":4,\"root\":\"r\",\"nodes\":{}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{}}", "{\"version\":7,\"root\":7,\"nodes\":{}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":[]}", "{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":[]}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":[]}}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"a\":\"r\"}}}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"a\":[1]}}}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"a\":\"b\"}},\"b\":{}}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"a\":\"b\"}},\"b\":{\"locked\":{\"type\":\"gx\"},"
		"\"original\":{\"type\":\"gx\",\"name\":\"x\"}}}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"a\":\"b\"}},\"b\":{\"locked\":{\"type\":\"git\","
		"\"url\":\"https://x/y\"},\"original\":{\"type\":\"gx\",\"name\":\"x\"}}}}",
		"{\"version\":7,\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"a\":\"b\"}},\"b\":{\"flake\":0,\"locked\":{\"type\":"
		"\"gx\",\"name\":\"x\"},\"original\":{\"type\":\"gx\",\"name\":\"x\"}}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena mem = ARENA_INIT;
		struct err e = ERR_INIT;
		struct lockfile l;
		if (!parse(&mem, bad[i], &l, &e))
			fail_msg("accepted '%s'", bad[i]);
		assert_non_null(e.msg);
		err_release(&e);
		arena_release(&mem);
	}
}

static void too_deep(void **state)
{
	struct arena mem = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct lockfile l;

	(void)state;
	buf_adds(&b, "{\"version\":7,\"root\":\"n0\",\"nodes\":{");
	for (int i = 0; i <= LIMIT_FLAKE_DEPTH; i++)
		buf_addf(&b,
			 "\"n%d\":{\"inputs\":{\"a\":\"n%d\"},\"locked\":{\"type\":\"gx\",\"name\":\"x\"},\"original\":{"
			 "\"type\":\"gx\",\"name\":\"x\"}},",
			 i, i + 1);
	buf_addf(&b, "\"n%d\":{\"locked\":{\"type\":\"gx\",\"name\":\"x\"},\"original\":{\"type\":\"gx\",\"name\":\"x\"}}}}",
		 LIMIT_FLAKE_DEPTH + 1);
	assert_int_equal(parse(&mem, b.p, &l, &e), ERR_LIMIT);
	err_release(&e);
	buf_release(&b);
	arena_release(&mem);
}

static void edges_in_order(void **state)
{
	static const char *const names[] = { "m", "c", "x", "a", "n", "b", "z", "y", "d", "m" };
	static const char sorted[] = "abcdmnxyz";
	struct arena mem = ARENA_INIT;
	struct lock_node *n = lock_node_new(&mem);

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		lock_edge_set(n, slice_of(names[i]), &mem);
	assert_int_equal(n->n, strlen(sorted));
	for (size_t i = 0; i < n->n; i++) {
		assert_int_equal(n->edges[i].name.n, 1);
		assert_int_equal(n->edges[i].name.p[0], sorted[i]);
	}
	arena_release(&mem);
}

static void paths_of_inputs(void **state)
{
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct input_path p;

	(void)state;
	assert_int_equal(input_path_parse(SLICE("a//b-c/"), &mem, &p, &e), 0);
	assert_int_equal(p.n, 2);
	assert_true(slice_eq(p.v[0], SLICE("a")) && slice_eq(p.v[1], SLICE("b-c")));
	assert_int_equal(input_path_parse(SLICE(""), &mem, &p, &e), 0);
	assert_int_equal(p.n, 0);
	assert_int_equal(input_path_parse(SLICE("a/b c"), &mem, &p, &e), ERR_INVALID);
	assert_string_equal(e.msg, "'b c' is not the name of a flake input");
	err_release(&e);
	arena_release(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_bytes),  cmocka_unit_test(nothing_in_it), cmocka_unit_test(following),
		cmocka_unit_test(differences), cmocka_unit_test(refused),	cmocka_unit_test(too_deep),
		cmocka_unit_test(edges_in_order), cmocka_unit_test(paths_of_inputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
