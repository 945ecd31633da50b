/* SPDX-License-Identifier: MIT
 *
 * store/path: names, texts and the computation of store paths.
 *
 * Vectors (nix 2.8.0, a store of its own): nix-store --add-fixed [--recursive] A FILE with FILE "abc";
 * nix-instantiate --eval -E 'builtins.toFile NAME TEXT'; nix store make-content-addressed for a file that refers
 * to others and for one that refers to itself; nix path-info --json for the content addresses.
 * Names: the rules of Nix 2.35; 2.8.0 still accepted ".", ".." and ".-a".
 */
#include "config.h"
#include "format/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR_ store_dir_default

static int name_ok(const char *s)
{
	return !store_name_check(slice_of(s), NULL);
}

static void names(void **state)
{
	static const char *const good[] = { "a", ".a", "..a", "...", "...-a", "-", "-.", "a-.", "+x", "=", "?", "_",
					    "Az09+-._?=", "..a-b" };
	static const char *const bad[] = { "", ".", "..", ".-", "..-", ".-a", "..-a", "a b", "a/b", "\xc3\xa4", "a\n", "~", "a:b" };
	char s[213];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!name_ok(good[i]))
			fail_msg("refused '%s'", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (name_ok(bad[i]))
			fail_msg("accepted '%s'", bad[i]);
	memset(s, 'n', 212);
	s[212] = 0;
	assert_false(name_ok(s));
	s[211] = 0;
	assert_true(name_ok(s));
	assert_int_equal(store_name_check((struct slice){ "a\0b", 3 }, NULL), ERR_INVALID);
}

static void name_messages(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	store_name_check(SLICE("a b"), &e);
	assert_string_equal(e.msg, "name 'a b' contains illegal character ' '");
	err_release(&e);
	store_name_check(SLICE("..-x"), &e);
	assert_string_equal(e.msg, "name '..-x' is not valid: first dash-separated component must not be '..'");
	err_release(&e);
	store_name_check(SLICE(".-x"), &e);
	assert_string_equal(e.msg, "name '.-x' is not valid: first dash-separated component must not be '.'");
	err_release(&e);
}

#define BASE "gmzdrk8k0jbnbvvdf0517iyixgkvqnil-t"

static int parses(const char *s)
{
	struct store_path p;

	return !store_path_parse(DIR_, slice_of(s), &p, NULL);
}

static int parses_lax(const char *s)
{
	struct store_path p;

	return !store_path_parse_lax(DIR_, slice_of(s), &p, NULL) && !strcmp(p.base, BASE);
}

static void full_paths(void **state)
{
	struct buf b = BUF_INIT;
	struct store_path p;

	(void)state;
	assert_true(parses("/nix/store/" BASE));
	assert_false(parses("/nix/store/" BASE "/x"));
	assert_false(parses("/nix/store/" BASE "/"));
	assert_false(parses("/nix//store/" BASE));
	assert_false(parses("/nix/store//" BASE));
	assert_false(parses("/nix/store2/" BASE));
	assert_false(parses("nix/store/" BASE));
	assert_false(parses("/nix/store"));
	assert_false(parses("/nix/store/"));
	assert_false(parses(""));
	assert_false(parses("/nix/store/gmzdrk8k0jbnbvvdf0517iyixgkvqnil"));
	assert_false(parses("/nix/store/gmzdrk8k0jbnbvvdf0517iyixgkvqnil-"));
	assert_false(parses("/nix/store/gmzdrk8k0jbnbvvdf0517iyixgkvqnilx-t"));
	assert_false(parses("/nix/store/gmzdrk8k0jbnbvvdf0517iyixgkvqnie-t"));
	assert_false(parses("/nix/store/GMZDRK8K0JBNBVVDF0517IYIXGKVQNIL-t"));
	assert_int_equal(store_path_parse(DIR_, SLICE("/nix/store/" BASE), &p, NULL), 0);
	store_path_add(&b, DIR_, &p);
	assert_string_equal(b.p, "/nix/store/" BASE);
	buf_release(&b);
	assert_true(slice_eq(store_path_name(&p), SLICE("t")));
	assert_true(slice_eq(store_path_hash(&p), SLICE("gmzdrk8k0jbnbvvdf0517iyixgkvqnil")));
	assert_false(store_path_is_drv(&p));
}

static void typed_paths(void **state)
{
	(void)state;
	assert_true(parses_lax("/nix/store/" BASE));
	assert_true(parses_lax("/nix/store/" BASE "/"));
	assert_true(parses_lax("//nix/./store/x/../" BASE "/."));
	assert_true(parses_lax("/../nix/store/" BASE));
	assert_false(parses_lax("nix/store/" BASE));
	assert_false(parses_lax("/nix/store/" BASE "/x"));
	assert_false(parses_lax("/nix/store/" BASE "/.."));
	assert_false(parses_lax(""));
	assert_false(parses_lax("/"));
	assert_false(parses_lax("/nix/store/.."));
}

static void splitting(void **state)
{
	struct store_path p;
	struct slice rest;

	(void)state;
	assert_int_equal(store_path_split(DIR_, SLICE("/nix/store/" BASE "/bin/x"), &p, &rest, NULL), 0);
	assert_string_equal(p.base, BASE);
	assert_true(slice_eq(rest, SLICE("/bin/x")));
	assert_int_equal(store_path_split(DIR_, SLICE("/nix/store/" BASE), &p, &rest, NULL), 0);
	assert_int_equal(rest.n, 0);
	assert_int_equal(store_path_split(DIR_, SLICE("/nix/store/.links/x"), &p, &rest, NULL), ERR_INVALID);
	assert_int_equal(store_path_split(DIR_, SLICE("/etc/passwd"), &p, &rest, NULL), ERR_INVALID);
	assert_true(store_path_is_inside(DIR_, SLICE("/nix/store/x")));
	assert_false(store_path_is_inside(DIR_, SLICE("/nix/store/")));
	assert_false(store_path_is_inside(DIR_, SLICE("/nix/store")));
	assert_false(store_path_is_inside(DIR_, SLICE("/nix/storex/y")));
}

/* --- computing --- */

static void hash_of(const char *text, struct hash *h)
{
	struct err e = ERR_INIT;

	if (hash_parse(text, strlen(text), HASH_ANY, h, NULL, &e))
		fail_msg("%s", e.msg);
}

static void text_objects(void **state)
{
	static const struct slice refs[] = { { "/nix/store/95d7pggh3ng5zxjv12wi8h9khpxw7wfp-b", 45 },
					     { "/nix/store/gmzdrk8k0jbnbvvdf0517iyixgkvqnil-t", 45 } };
	static const char text[] = "refers to /nix/store/gmzdrk8k0jbnbvvdf0517iyixgkvqnil-t and "
				   "/nix/store/95d7pggh3ng5zxjv12wi8h9khpxw7wfp-b";
	struct store_path p;
	struct hash h;

	(void)state;
	hash_bytes(HASH_SHA256, "text", 4, &h);
	assert_int_equal(store_path_make_text(DIR_, SLICE("t"), &h, NULL, 0, &p, NULL), 0);
	assert_string_equal(p.base, "gmzdrk8k0jbnbvvdf0517iyixgkvqnil-t");
	hash_bytes(HASH_SHA256, "", 0, &h);
	assert_int_equal(store_path_make_text(DIR_, SLICE("b"), &h, NULL, 0, &p, NULL), 0);
	assert_string_equal(p.base, "95d7pggh3ng5zxjv12wi8h9khpxw7wfp-b");
	hash_bytes(HASH_SHA256, text, sizeof text - 1, &h);
	assert_int_equal(store_path_make_text(DIR_, SLICE("r"), &h, refs, 2, &p, NULL), 0);
	assert_string_equal(p.base, "1v1hkikahnc6v5b26bgb8kd8mmkr6pha-r");
	hash_bytes(HASH_SHA1, "", 0, &h);
	assert_int_equal(store_path_make_text(DIR_, SLICE("b"), &h, NULL, 0, &p, NULL), ERR_INVALID);
}

static void fixed_objects(void **state)
{
	static const struct {
		enum hash_algo a;
		const char *path;
	} flat[] = { { HASH_SHA256, "0y839a054fcnhjcd2w1pb6a4k4fl38iw-abc" },
		     { HASH_SHA1, "4m8jzc77isfnw2l9w1hk7a98zpirgrwv-abc" },
		     { HASH_MD5, "0fmibi09sjy2mxap87y4kibl1n7caidm-abc" },
		     { HASH_SHA512, "4wqb0xp1x67yz0w86apg1s1pxln3mzb6-abc" } };
	struct store_path p;
	struct hash h;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		hash_bytes(flat[i].a, "abc", 3, &h);
		assert_int_equal(store_path_make_fixed(DIR_, SLICE("abc"), CA_FLAT, &h, NULL, 0, 0, &p, NULL), 0);
		assert_string_equal(p.base, flat[i].path);
	}
	hash_of("sha256:0cladvfryl8ssl6q2k35z0g245v0c80x9xc1s50mphsqz6bxn6nl", &h);
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("tree"), CA_NAR, &h, NULL, 0, 0, &p, NULL), 0);
	assert_string_equal(p.base, "dw1n56g2vvpdyyjgz12rccwqpqngh96y-tree");
	hash_of("sha1:2xnwaprrgrriy675wbbwp7afpky8b4p5", &h);
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("tree"), CA_NAR, &h, NULL, 0, 0, &p, NULL), 0);
	assert_string_equal(p.base, "00swgbxgyw7pysq5r084wh4l489gdd3b-tree");
}

static void objects_with_references(void **state)
{
	static const struct slice refs[] = { { "/nix/store/nqxj2if4v96ksj1mgsblgc375wcslf83-b", 45 },
					     { "/nix/store/rphn03dd6lsx620gl2a9ggc2rl1q5h9n-t", 45 } };
	struct store_path p;
	struct hash h;

	(void)state;
	hash_of("sha256:1q5j32ld95c0b1w12dk4yhn9cc7hw3vi06ykz127jhgccyaj4850", &h);
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("r"), CA_NAR, &h, refs, 2, 0, &p, NULL), 0);
	assert_string_equal(p.base, "y3n89rf4ds2j8zkd0kfhq569lwi34f39-r");
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("r"), CA_FLAT, &h, refs, 2, 0, &p, NULL), ERR_INVALID);
	hash_of("sha256:0fx8zr44aa0k9sxq6gyvycqjv5n7vg9g6sk3wnbw7rb8s9hnpk1i", &h);
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("self"), CA_NAR, &h, NULL, 0, 1, &p, NULL), 0);
	assert_string_equal(p.base, "blhdz8gahj9gkhwm9yqb6mm0zx6l1ybv-self");
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("self"), CA_TEXT, &h, NULL, 0, 1, &p, NULL), ERR_INVALID);
	hash_bytes(HASH_MD5, "", 0, &h);
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("g"), CA_GIT, &h, NULL, 0, 0, &p, NULL), ERR_INVALID);
	assert_int_equal(store_path_make_fixed(DIR_, SLICE("a/b"), CA_NAR, &h, NULL, 0, 0, &p, NULL), ERR_INVALID);
}

/* nix-store --store 'local?store=/x/y&…' gives other digests: the directory is hashed too. */
static void store_directory_counts(void **state)
{
	struct store_path a, b;
	struct hash h;

	(void)state;
	hash_bytes(HASH_SHA256, "", 0, &h);
	assert_int_equal(store_path_make_text(DIR_, SLICE("x"), &h, NULL, 0, &a, NULL), 0);
	assert_int_equal(store_path_make_text(SLICE("/gnu/store"), SLICE("x"), &h, NULL, 0, &b, NULL), 0);
	assert_true(store_path_cmp(&a, &b) != 0);
}

static void output_names(void **state)
{
	char buf[STORE_NAME_MAX + 1], big[300];

	(void)state;
	memset(big, 'x', sizeof big);
	assert_true(slice_eq(store_output_name(SLICE("a"), SLICE("out"), buf), SLICE("a")));
	assert_true(slice_eq(store_output_name(SLICE("a"), SLICE("dev"), buf), SLICE("a-dev")));
	assert_int_equal(store_output_name((struct slice){ big, 300 }, SLICE("dev"), buf).n, STORE_NAME_MAX + 1);
	assert_int_equal(store_output_name(SLICE("a"), (struct slice){ big, 300 }, buf).n, STORE_NAME_MAX + 1);
	assert_int_equal(store_output_name((struct slice){ big, 212 }, (struct slice){ big, 1 }, buf).n, STORE_NAME_MAX + 1);
}

/* --- content addresses --- */

static void content_addresses(void **state)
{
	static const char *const texts[] = {
		"fixed:r:sha1:2xnwaprrgrriy675wbbwp7afpky8b4p5",
		"fixed:md5:3jgzhjhz9zjvbb0kyj7jc500ch",
		"fixed:r:sha256:0cladvfryl8ssl6q2k35z0g245v0c80x9xc1s50mphsqz6bxn6nl",
		"text:sha256:0sap471yxqzmpnzakn5a8h6v8n86ixdg6b6p1j02kdbha3b40cqi",
		"fixed:git:sha1:2xnwaprrgrriy675wbbwp7afpky8b4p5",
	};
	static const char *const bad[] = { "", "text", "fixed:", "fixed:r:", "fixed:sha256", "fixed:sha256:", "fixed:text:sha256:0sap471yxqzmpnzakn5a8h6v8n86ixdg6b6p1j02kdbha3b40cqi",
					   "r:sha256:0cladvfryl8ssl6q2k35z0g245v0c80x9xc1s50mphsqz6bxn6nl", "text:sha256:0",
					   "fixed:sha3:0" };
	enum ca_method m;
	struct hash h;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buf b = BUF_INIT;

		if (ca_parse(slice_of(texts[i]), &m, &h, NULL))
			fail_msg("%s", texts[i]);
		ca_add(&b, m, &h);
		assert_string_equal(b.p, texts[i]);
		buf_release(&b);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!ca_parse(slice_of(bad[i]), &m, &h, NULL))
			fail_msg("accepted %s", bad[i]);
}

static void methods(void **state)
{
	enum ca_method m;
	enum hash_algo a;

	(void)state;
	assert_int_equal(ca_method_parse(SLICE("recursive"), &m, NULL), 0);
	assert_int_equal(m, CA_NAR);
	assert_int_equal(ca_method_parse(SLICE("nar"), &m, NULL), 0);
	assert_int_equal(m, CA_NAR);
	assert_int_equal(ca_method_parse(SLICE("flat"), &m, NULL), 0);
	assert_int_equal(m, CA_FLAT);
	assert_int_equal(ca_method_parse(SLICE("Flat"), &m, NULL), ERR_INVALID);
	assert_int_equal(ca_method_parse_algo(SLICE("r:sha1"), &m, &a, NULL), 0);
	assert_int_equal(m, CA_NAR);
	assert_int_equal(a, HASH_SHA1);
	assert_int_equal(ca_method_parse_algo(SLICE("r:r:sha1"), &m, &a, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(name_messages),
		cmocka_unit_test(full_paths),
		cmocka_unit_test(typed_paths),
		cmocka_unit_test(splitting),
		cmocka_unit_test(text_objects),
		cmocka_unit_test(fixed_objects),
		cmocka_unit_test(objects_with_references),
		cmocka_unit_test(store_directory_counts),
		cmocka_unit_test(output_names),
		cmocka_unit_test(content_addresses),
		cmocka_unit_test(methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
