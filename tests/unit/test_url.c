/* SPDX-License-Identifier: MIT
 *
 * fetch/url, fetch/input: what is taken apart and put together again, and base/pathname beside them.
 */
#include "config.h"
#include "base/pathname.h"
#include "fetch/input.h"
#include "fetch/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parses and prints; "" when it is refused. */
static void url_is(const char *text, unsigned flags, const char *printed)
{
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct url u;

	if (!url_parse(slice_of(text), flags, &mem, &u, &e))
		url_add(&b, &u);
	else
		assert_non_null(strstr(e.msg, "is not a valid URL: "));
	assert_string_equal(buf_str(&b), printed);
	buf_release(&b);
	err_release(&e);
	arena_release(&mem);
}

static void urls(void **state)
{
	(void)state;
	url_is("https://h/a/b?x=1&y=2#f", 0, "https://h/a/b?x=1&y=2#f");
	url_is("https://u:p%40q@h:8080/", 0, "https://u:p%40q@h:8080/");
	url_is("https://h", 0, "https://h");
	url_is("https://h:/x", 0, "https://h/x");
	url_is("https://[::1]:80/x", 0, "https://[::1]:80/x");
	url_is("path:./a//b/", 0, "path:./a//b/");
	url_is("a+b.c-d:", 0, "a+b.c-d:");
	url_is("file:", 0, "file:/");
	url_is("file:///a%20b", 0, "file:///a%20b");
	url_is("x:a!b", 0, "x:a%21b");
	url_is("x:?b=2&a=1&b=3&c&d=", 0, "x:?a=1&b=2&d=");
	url_is("x:?a=%26%3D", 0, "x:?a=%26%3D");
	url_is("x:?a=b c", URL_LENIENT, "x:?a=b%20c");
	url_is("x:#a^b \"", URL_LENIENT, "x:#a%5Eb%20%22");
}

static void urls_refused(void **state)
{
	static const char *const texts[] = {
		"", "a", "/a", "1a:b", ":a", "x:a b", "x:a%", "x:a%2", "x:a%gg", "x:?a=b c", "x:#a^b", "https://h:99999/", "https://h:0/",
		"https://h:x/", "https://[::1/", "https://[zz]/", "https://a b/", "file://host/x", "git+file://host/x", "x:a\\b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		url_is(texts[i], 0, "");
}

static void file_paths(void **state)
{
	static const char *const cases[][2] = {
		{ "/a/b", "/a/b" }, { "/", "/" }, { "a/b", "a/b" }, { "//a///b", "/a/b" }, { "./a", "./a" }, { "/a/", "/a/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena mem = ARENA_INIT;
		struct url u = { .npath = 0 };
		struct slice back;
		url_path_from_file(&u, slice_of(cases[i][0]), &mem);
		assert_int_equal(url_path_to_file(&u, &mem, &back, NULL), 0);
		assert_int_equal(back.n, strlen(cases[i][1]));
		assert_memory_equal(back.p, cases[i][1], back.n);
		arena_release(&mem);
	}
}

static void ref_is(const char *ref, const char *printed)
{
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct input in;

	if (!input_parse(slice_of(ref), &mem, &in, &e))
		assert_int_equal(input_print(&in, &mem, &b, &e), 0);
	assert_string_equal(buf_str(&b), printed);
	buf_release(&b);
	err_release(&e);
	arena_release(&mem);
}

static void references(void **state)
{
	(void)state;
	ref_is("nixpkgs", "flake:nixpkgs");
	ref_is("nixpkgs/a_b/2aae6c35c94fcfb415dbe95f408b9ce91ee846ed", "flake:nixpkgs/a_b/2aae6c35c94fcfb415dbe95f408b9ce91ee846ed");
	ref_is("github:o/r/a/b?dir=x", "github:o/r/a%2Fb?dir=x");
	ref_is("git+https://h/r?dir=d&ref=x&z=1", "git+https://h/r?dir=d&ref=x&z=1");
	ref_is("hg+ssh://h/r", "hg+ssh://h/r");
	ref_is("/a b", "path:/a%20b");
	ref_is("file+https://h/x?name=y", "https://h/x");
	ref_is("github:o", "");
	ref_is("relative/./x", "");
	ref_is("git+https://h/r?ref=-x", "");
	ref_is("github:o/r?ref=a..b", "");
	ref_is("path://h/x", "");
}

static void normal_paths(void **state)
{
	static const char *const cases[][2] = {
		{ "", "/" }, { "/", "/" }, { "a", "/a" }, { "/a//b/./c/", "/a/b/c" }, { "/a/../b", "/b" }, { "/..", "/" },
		{ "/../../a", "/a" }, { "/a/b/../..", "/" }, { "/...", "/..." }, { "/a/.b", "/a/.b" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = path_normalise(cases[i][0], strlen(cases[i][0]), out);
		assert_string_equal(out, cases[i][1]);
		assert_int_equal(n, strlen(out));
	}
	assert_true(path_is_within("/a/b", 4, "/a", 2));
	assert_true(path_is_within("/a", 2, "/a", 2));
	assert_true(path_is_within("/a", 2, "/", 1));
	assert_false(path_is_within("/ab", 3, "/a", 2));
	assert_int_equal(path_dir_len("/a/b", 4), 2);
	assert_int_equal(path_dir_len("/a", 2), 1);
	assert_int_equal(path_dir_len("/", 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),	      cmocka_unit_test(urls_refused), cmocka_unit_test(file_paths),
		cmocka_unit_test(references), cmocka_unit_test(normal_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
