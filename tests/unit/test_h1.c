/* SPDX-License-Identifier: MIT
 *
 * fetch/h1, fetch/modpath, fetch/unicode, store/goh1: sums of Go modules, their names, and where they go in a store.
 *
 * Vectors: the go.mod sums of rsc.io/quote v1.5.2 and of every toolchain, as go.sum files have them; the sum of no
 * file; rules and examples of golang.org/x/mod/module, semver and pseudo.
 */
#include "config.h"
#include "golang/gomod.h"
#include "golang/h1.h"
#include "golang/unicode.h"
#include "format/goh1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_h1(const struct hash *h, const char *want)
{
	char text[GO_H1_LEN + 1];

	go_h1_print(h, text);
	assert_string_equal(text, want);
}

static void assert_says(struct err *e, const char *want)
{
	assert_non_null(e->msg);
	if (!strstr(e->msg, want))
		fail_msg("'%s' does not say '%s'", e->msg, want);
	err_release(e);
}

/* --- sums --- */

static void sums(void **state)
{
	struct h1 h = { 0 };
	struct hash out, a, b;

	(void)state;
	h1_finish(&h, &out, NULL);
	assert_h1(&out, "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	h1_of_gomod(SLICE("module golang.org/toolchain\n"), &out);
	assert_h1(&out, "h1:8wlg68NqwW7eMnI1aABk/C2pDYXj8mrMY4TyRfiLeS0=");
	h1_of_gomod(SLICE("module \"rsc.io/quote\"\n\nrequire \"rsc.io/sampler\" v1.3.0\n"), &out);
	assert_h1(&out, "h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=");

	/* The order in which files come does not matter. */
	hash_bytes(HASH_SHA256, "1", 1, &a);
	hash_bytes(HASH_SHA256, "2", 1, &b);
	h1_add(&h, SLICE("b"), &b);
	h1_add(&h, SLICE("a"), &a);
	h1_add(&h, SLICE("a-"), &a);
	h1_finish(&h, &out, NULL);
	h1_release(&h);
	h1_add(&h, SLICE("a"), &a);
	h1_add(&h, SLICE("a-"), &a);
	h1_add(&h, SLICE("b"), &b);
	h1_finish(&h, &a, NULL);
	h1_release(&h);
	assert_true(hash_eq(&out, &a));
}

static void names_with_newlines(void **state)
{
	struct err e = ERR_INIT;
	struct hash a;
	struct h1 h = { 0 };

	(void)state;
	hash_bytes(HASH_SHA256, "1", 1, &a);
	h1_add(&h, SLICE("a\nb"), &a);
	assert_int_equal(h1_finish(&h, &a, &e), ERR_INVALID);
	assert_says(&e, "newline");
	h1_release(&h);
}

/* --- go.sum --- */

#define QUOTE_ZIP "h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y="
#define QUOTE_MOD "h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0="

static void go_sum(void **state)
{
	struct slice text = SLICE("rsc.io/quote v1.5.2 " QUOTE_ZIP "\n"
				  "rsc.io/quote v1.5.2/go.mod " QUOTE_MOD "\r\n"
				  "\n"
				  "rsc.io/quote v1.5.2 h9:from-the-future\n"
				  "rsc.io/quote v1.5.2 " QUOTE_ZIP "\n"
				  "a.b/c v0.0.0-20060102150405-abcdefabcdef " QUOTE_MOD);
	struct module_version m = { SLICE("rsc.io/quote"), SLICE("v1.5.2") };
	struct gosum g;

	(void)state;
	assert_int_equal(gosum_parse(&g, text, NULL), 0);
	assert_int_equal(g.n, 3);
	assert_h1(&gosum_find(&g, &m, 0)->h1, QUOTE_ZIP);
	assert_h1(&gosum_find(&g, &m, 1)->h1, QUOTE_MOD);
	m.version = SLICE("v1.5.3");
	assert_null(gosum_find(&g, &m, 0));
	gosum_release(&g);
	assert_int_equal(gosum_parse(&g, SLICE(""), NULL), 0);
	assert_null(gosum_find(&g, &m, 0));
}

static void bad_go_sum(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "\na.b/c v1.0.0\n", "malformed go.sum: line 2: 2 fields" },
		{ "a.b/c v1.0.0 " QUOTE_ZIP " x", "4 fields" },
		{ "a.b/c v1.0.0 h1:abc", "is not a sum" },
		{ "a.b/c v1.0.0 h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Z=", "is not a sum" }, /* rest bits */
		{ "a.b/c 1.0.0 " QUOTE_ZIP, "'1.0.0' is not a version" },
		{ "a/../b v1.0.0 " QUOTE_ZIP, "malformed module path" },
		{ "a.b/c v1.0.0 " QUOTE_ZIP "\na.b/c v1.0.0 " QUOTE_MOD, "two different sums for 'a.b/c v1.0.0'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct gosum g;

		assert_int_equal(gosum_parse(&g, slice_of(bad[i].text), &e), ERR_INVALID);
		assert_says(&e, bad[i].says);
	}
}

/* --- names --- */

static void module_paths(void **state)
{
	static const char *const good[] = { "a.b/c", "rsc.io/quote", "github.com/BurntSushi/toml", "a.b/c/v2", "a.b/c/v10",
					    "gopkg.in/yaml.v2", "gopkg.in/check.v1", "gopkg.in/a/b.v0",
					    "gopkg.in/x.v2-unstable", "a.b/c_d~e", "a.b", "x.y/v", "a.b/vv2", "a.b/con1", "a-0.z9/c" };
	static const struct {
		const char *path, *says;
	} bad[] = {
		{ "", "empty string" }, { "a.b/c/", "trailing slash" }, { "/a.b", "empty path element" },
		{ "a.b//c", "double slash" }, { "-a.b/c", "leading dash" }, { "ab/c", "missing dot" },
		{ "A.b/c", "invalid character 'A' in first" }, { "a.b/..", "invalid path element '..'" },
		{ "a.b/.c", "leading dot" }, { "a.b/c.", "trailing dot" }, { "a.b/c d", "invalid character ' '" },
		{ "a.b/\xc3\xa4", "invalid character '\xc3\xa4'" }, { "a.b/\xff", "invalid UTF-8" },
		{ "a.b/con", "disallowed" }, { "a.b/Aux.txt", "'Aux' disallowed" }, { "a.b/lpt9", "disallowed" },
		{ "a.b/foo~1", "trailing tilde" }, { "a.b/foo~1.x", "trailing tilde" }, { "a.b/c/v1", "invalid version" },
		{ "a.b/c/v02", "invalid version" }, { "a.b/c/v1.2", "invalid version" },
		{ "gopkg.in/yaml", "invalid version" }, { "gopkg.in/yaml.v02", "invalid version" }, { "a.b/c!d", "'!'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct err e = ERR_INIT;

		if (modpath_check(slice_of(good[i]), &e))
			fail_msg("refused '%s': %s", good[i], e.msg);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;

		if (!modpath_check(slice_of(bad[i].path), &e))
			fail_msg("accepted '%s'", bad[i].path);
		assert_says(&e, bad[i].says);
	}
	assert_int_not_equal(modpath_check((struct slice){ "a.b/\0", 5 }, NULL), 0);
}

static void file_paths(void **state)
{
	static const char *const good[] = { "a", ".gitignore", "-x", "a b", "\xc3\xa4/\xe6\x97\xa5", "a~1", "!#$%&()+,-.=@[]^_{}~ ",
					    "x/COM10", "conx" };
	static const char *const bad[] = { "a:b", "a*", "a?b", "a\\b", "a\"b", "a'b", "a`b", "a<b", "a|b", "a\tb", "a/../b", "./a",
					   "..", "a.", "\xe2\x82\xac", "\xc2\xa0", "NUL", "x/con.go", "a//b", "a/" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (modpath_check_file(slice_of(good[i]), NULL))
			fail_msg("refused '%s'", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!modpath_check_file(slice_of(bad[i]), NULL))
			fail_msg("accepted '%s'", bad[i]);
}

static void versions(void **state)
{
	static const char *const canonical[] = { "v0.0.0", "v1.2.3", "v1.2.3-pre", "v1.2.3-0.a.1", "v2.0.0+incompatible",
						 "v0.0.1-go1.22.6.linux-amd64" };
	static const char *const not_canonical[] = { "", "1.2.3", "v1", "v1.2", "v01.2.3", "v1.2.3-", "v1.2.3-01", "v1.2.3+meta", "v1.2.3-a..b",
						     "v1.2.3.4", "v1.2.3-a_b", "vx.1.2", "v1.2.3+", "master" };
	static const char *const order[] = { "bad", "v0.0.0-1", "v0.0.0-2", "v0.0.0-10", "v0.0.0-a", "v0.0.0-a.1", "v0.0.0-a.b",
					     "v0.0.0", "v0.0.1", "v0.2.0", "v0.10.0", "v1.0.0", "v10.0.0" };
	size_t n = sizeof order / sizeof *order;

	(void)state;
	for (size_t i = 0; i < sizeof canonical / sizeof *canonical; i++)
		if (!modver_is_canonical(slice_of(canonical[i])))
			fail_msg("refused '%s'", canonical[i]);
	for (size_t i = 0; i < sizeof not_canonical / sizeof *not_canonical; i++)
		if (modver_is_canonical(slice_of(not_canonical[i])))
			fail_msg("accepted '%s'", not_canonical[i]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			assert_int_equal(modver_cmp(slice_of(order[i]), slice_of(order[j])), (i > j) - (i < j));
	assert_true(modver_is_semver(SLICE("v1"), 1));
	assert_false(modver_is_semver(SLICE("v1"), 0));
	assert_int_equal(modver_cmp(SLICE("v1"), SLICE("v1.0.0+x")), 0);
}

static void pseudo_versions(void **state)
{
	static const char *const yes[] = { "v0.0.0-20060102150405-abcdefabcdef", "v4.0.0-20060102150405-abcdefabcdef",
					   "v1.2.3-0.20060102150405-abcdefabcdef", "v1.2.3-pre.0.20060102150405-abcdefabcdef",
					   "v2.3.5-0.20060102150405-hashx+incompatible" };
	static const char *const no[] = { "v1.2.3", "v1.2.3-20060102150405-abcdefabcdef", "v0.0.0-2006010215040-abcdefabcdef",
					  "v0.0.0-20060102150405", "v1.2.3-pre.20060102150405-abcdefabcdef",
					  "v0.0.0-20060102150405-", "v0.0.0-x20060102150405-abcdef" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (!modver_is_pseudo(slice_of(yes[i])))
			fail_msg("not seen as one: '%s'", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (modver_is_pseudo(slice_of(no[i])))
			fail_msg("seen as one: '%s'", no[i]);
}

static void majors(void **state)
{
	static const struct {
		const char *path, *version, *says; /* NULL: fine */
	} t[] = {
		{ "a.b/c", "v1.0.0", NULL }, { "a.b/c", "v0.3.0", NULL }, { "a.b/c", "v2.0.0", "should be v0 or v1" },
		{ "a.b/c", "v2.0.0+incompatible", NULL }, { "a.b/c/v2", "v2.1.0", NULL },
		{ "a.b/c/v2", "v3.0.0", "should be v2" }, { "a.b/c/v2", "v1.0.0", "should be v2" },
		{ "gopkg.in/yaml.v2", "v2.4.0", NULL }, { "gopkg.in/yaml.v2", "v3.0.0", "should be v2" },
		{ "gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405", NULL },
		{ "gopkg.in/x.v2-unstable", "v2.0.0", NULL }, { "a.b/c", "v1.0", "is not canonical" },
		{ "a.b/c", "latest", "is not a semantic version" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct module_version m = { slice_of(t[i].path), slice_of(t[i].version) };
		struct err e = ERR_INIT;
		int rc = modpath_check_module(&m, &e);

		if (!t[i].says) {
			if (rc)
				fail_msg("refused: %s", e.msg);
			continue;
		}
		assert_int_equal(rc, ERR_INVALID);
		assert_says(&e, t[i].says);
	}
}

static void escaping(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(modpath_escape(&b, SLICE("github.com/BurntSushi/TOML"), NULL), 0);
	assert_string_equal(b.p, "github.com/!burnt!sushi/!t!o!m!l");
	buf_trim(&b, 0);
	assert_int_equal(modpath_unescape(&b, SLICE("github.com/!burnt!sushi/x"), NULL), 0);
	assert_string_equal(b.p, "github.com/BurntSushi/x");
	buf_trim(&b, 0);
	assert_int_equal(modver_escape(&b, SLICE("v1.0.0-RC1"), NULL), 0);
	assert_string_equal(b.p, "v1.0.0-!r!c1");
	buf_trim(&b, 0);
	assert_int_equal(modpath_escape(&b, SLICE("a.b/../c"), NULL), ERR_INVALID);
	assert_int_equal(modver_escape(&b, SLICE("../../etc"), NULL), ERR_INVALID);
	assert_int_equal(modver_escape(&b, SLICE("v1!"), NULL), ERR_INVALID);
	assert_int_equal(modpath_unescape(&b, SLICE("a.b/C"), NULL), ERR_INVALID);
	assert_int_equal(modpath_unescape(&b, SLICE("a.b/c!"), NULL), ERR_INVALID);
	assert_int_equal(modpath_unescape(&b, SLICE("a.b/!1"), NULL), ERR_INVALID);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void patterns(void **state)
{
	(void)state;
	assert_true(modpath_matches(SLICE("*.corp.example,x.org/y"), SLICE("git.corp.example/team/z")));
	assert_true(modpath_matches(SLICE("x.org/y/"), SLICE("x.org/y/z")));
	assert_false(modpath_matches(SLICE("x.org/y"), SLICE("x.org/yz")));
	assert_false(modpath_matches(SLICE("x.org/y/z"), SLICE("x.org/y")));
	assert_false(modpath_matches(SLICE("*.org/y"), SLICE("a.b/c/d.org/y")));
	assert_false(modpath_matches(SLICE(",,"), SLICE("a.b/c")));
}

static void letters_and_case(void **state)
{
	(void)state;
	assert_true(unicode_is_letter(0xe4));
	assert_true(unicode_is_letter(0x65e5));
	assert_false(unicode_is_letter(0x20ac));
	assert_false(unicode_is_letter(0x1f600));
	assert_false(unicode_is_letter('1'));
	assert_true(unicode_is_letter('x'));
	assert_true(unicode_fold_eq("\xc3\x84", 2, "\xc3\xa4", 2));  /* Ä ä */
	assert_true(unicode_fold_eq("\xe2\x84\xaa", 3, "k", 1));     /* Kelvin sign */
	assert_true(unicode_fold_eq("\xc5\xbf", 2, "S", 1));	      /* long s */
	assert_false(unicode_fold_eq("\xc3\x9f", 2, "ss", 2));	      /* ß */
	assert_true(unicode_fold_eq("\xcf\x83", 2, "\xcf\x82", 2));  /* two sigmas */
	assert_false(unicode_fold_eq("a", 1, "ab", 2));
}

/* --- go.mod --- */

static void go_mod(void **state)
{
	struct slice text = SLICE("// a comment\n"
				  "module \"example.com/m\" // mine\n\n"
				  "go 1.22.6\r\n"
				  "toolchain go1.23.0\n"
				  "require a.b/c v1.0.0\n"
				  "require (\n\n"
				  "\tx.y/z v0.0.0-20060102150405-abcdefabcdef // indirect\n"
				  "\t// only a comment\n"
				  "\t`q.r/s/v2` v2.0.1 //indirect; and why\n"
				  ")\n"
				  "exclude a.b/c v1.0.1\n"
				  "replace a.b/c => ../c\n"
				  "replace x.y/z v0.0.0-20060102150405-abcdefabcdef => fork.example/z v1.2.3\n"
				  "retract ( [v1.0.0, v1.1.0] )\n"
				  "retract (\n v1 // bad\n)\n"
				  "unheard of things ( => )\n");
	struct module_version m = { SLICE("a.b/c"), SLICE("v1.0.0") };
	struct err e = ERR_INIT;
	struct gomod g;

	(void)state;
	if (gomod_parse(&g, text, 0, &e))
		fail_msg("%s", e.msg);
	assert_true(slice_eq(g.module, SLICE("example.com/m")));
	assert_true(slice_eq(g.go, SLICE("1.22.6")));
	assert_true(slice_eq(g.toolchain, SLICE("go1.23.0")));
	assert_int_equal(g.nrequires, 3);
	assert_int_equal(g.requires[0].indirect, 0);
	assert_int_equal(g.requires[1].indirect, 1);
	assert_int_equal(g.requires[2].indirect, 1);
	assert_true(slice_eq(g.requires[2].m.path, SLICE("q.r/s/v2")));
	assert_int_equal(g.nexcludes, 1);
	assert_int_equal(g.nreplaces, 2);
	assert_true(slice_eq(gomod_replacement(&g, &m)->new.path, SLICE("../c")));
	m = g.requires[1].m;
	assert_true(slice_eq(gomod_replacement(&g, &m)->new.version, SLICE("v1.2.3")));
	m.version = SLICE("v0.0.1");
	assert_null(gomod_replacement(&g, &m));
	gomod_release(&g);

	assert_int_equal(gomod_parse(&g, SLICE("go 1.22\nuse (\n ./a\n ./b\n)\nuse .\nreplace a.b/c => ./c"), 1, NULL), 0);
	assert_int_equal(g.nuses, 3);
	assert_int_equal(g.nreplaces, 1);
	gomod_release(&g);
}

static void bad_go_mod(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "malformed go.mod: line 0: no module statement" },
		{ "module a.b/c\nmodule a.b/d", "line 2: 'module' is there twice" },
		{ "module a.b/c d", "expected 'module PATH'" },
		{ "module a.b/c\ngo", "expected 'go VERSION'" },
		{ "module \"a.b/c", "a string without its end" },
		{ "module \"a\\x\"", "an escape" },
		{ "module a.b/c\nrequire (", "a block without its ')'" },
		{ "module a.b/c\n)", "a parenthesis out of place" },
		{ "module a.b/c\nrequire x.y/z", "line 2: expected 'require PATH VERSION'" },
		{ "module a.b/c\nrequire (\n x.y/z v1 v2\n)", "line 3: expected 'require" },
		{ "module a.b/c\nrequire x.y/z master", "is not a semantic version" },
		{ "module a.b/c\nrequire x.y/z v2.0.0", "should be v0 or v1" },
		{ "module a.b/c\nreplace x.y/z => elsewhere", "must be a directory" },
		{ "module a.b/c\nreplace x.y/z ./q", "expected 'replace" },
		{ "module a.b/c\nreplace x.y/z v1.0.0 =>", "expected 'replace" },
		{ "module a.b/c\n// \xff", "UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct gomod g;

		assert_int_equal(gomod_parse(&g, slice_of(bad[i].text), 0, &e), ERR_INVALID);
		assert_says(&e, bad[i].says);
	}
}

/* --- store paths --- */

static void addresses(void **state)
{
	struct hash h1, address, again;
	struct store_path p, q;
	char text[HASH_TEXT_MAX];

	(void)state;
	assert_int_equal(go_h1_parse(SLICE(QUOTE_ZIP), &h1, NULL), 0);
	assert_h1(&h1, QUOTE_ZIP);
	go_h1_address(SLICE("rsc.io/quote"), &h1, &address);
	hash_bytes(HASH_SHA256, "go-h1:1:" QUOTE_ZIP, 8 + GO_H1_LEN, &again);
	assert_true(hash_eq(&address, &again));
	/* What this is must never change: it is in people's stores. */
	hash_print(&address, HASH_BASE16, 0, text);
	assert_string_equal(text,
			    "5e575180f66255f591a8e46a20312bb2060c2d0c67d63e080e305c8667507d63");
	assert_int_equal(go_h1_store_path(store_dir_default, SLICE("quote-1.5.2"), SLICE("rsc.io/quote"), &h1, &p, NULL), 0);
	assert_string_equal(p.base, "w3mvszp6cr6l7a9np6xcd78y1pvhincp-quote-1.5.2");
	/* The same as that of a fixed output with this hash, so that Nix computes it too. */
	store_path_make_fixed(store_dir_default, SLICE("quote-1.5.2"), CA_NAR, &address, NULL, 0, 0, &q, NULL);
	assert_string_equal(p.base, q.base);
	/* Toolchains are laid out in another way. */
	go_h1_address(SLICE("golang.org/toolchain"), &h1, &address);
	hash_bytes(HASH_SHA256, "go-h1:2:" QUOTE_ZIP, 8 + GO_H1_LEN, &again);
	assert_true(hash_eq(&address, &again));
	assert_int_equal(go_h1_parse(SLICE("h1:"), &h1, NULL), ERR_INVALID);
	assert_int_equal(go_h1_parse(SLICE("sha256-w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y="), &h1, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),		    cmocka_unit_test(names_with_newlines), cmocka_unit_test(go_sum),
		cmocka_unit_test(bad_go_sum),	    cmocka_unit_test(module_paths),	   cmocka_unit_test(file_paths),
		cmocka_unit_test(versions),	    cmocka_unit_test(pseudo_versions),	   cmocka_unit_test(majors),
		cmocka_unit_test(escaping),	    cmocka_unit_test(patterns),		   cmocka_unit_test(letters_and_case),
		cmocka_unit_test(go_mod),	    cmocka_unit_test(bad_go_mod),	   cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
