/* SPDX-License-Identifier: MIT
 *
 * store/drv, aterm, modulo: derivations against those that Nix wrote.
 *
 * data/drv holds the store of, with nix-instantiate 2.8.0 and a store of its own (--store DIR),
 *   nix-instantiate data/drv1.nix
 *   nix-instantiate --option experimental-features 'ca-derivations impure-derivations' data/drv2.nix
 * Every one must read and write back byte for byte, have the path it is stored under, and have the
 * output paths that we compute for it.  A bug in the text form, in hash modulo or in paths breaks these.
 */
#include "config.h"
#include "base/mem.h"
#include "format/basen.h"
#include "format/modulo.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DIR_ store_dir_default

/* --- the fixtures --- */

static const char *data_dir(void)
{
	static char path[4096];
	const char *src = getenv("srcdir");

	snprintf(path, sizeof path, "%s/tests/unit/data/drv", src ? src : ".");
	return path;
}

static int load(const char *base, struct buf *b)
{
	char path[8192], chunk[4096];
	size_t n;

	snprintf(path, sizeof path, "%s/%s", data_dir(), base);
	FILE *f = fopen(path, "r");

	if (!f)
		return -1;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(b, chunk, n);
	fclose(f);
	return 0;
}

static struct slice text_of(const struct buf *b)
{
	return (struct slice){ buf_str(b), b->len };
}

static void parse_base(const char *base, struct buf *text, struct drv *d)
{
	struct err e = ERR_INIT;
	struct store_path sp;

	assert_int_equal(load(base, text), 0);
	assert_int_equal(store_path_parse_base(slice_of(base), &sp, &e), 0);
	struct slice name = store_path_name(&sp);

	name.n -= 4;
	if (drv_parse(d, DIR_, name, text_of(text), &e))
		fail_msg("%s: %s", base, e.msg);
}

/* The cache an evaluator would have: a table, filled by reading what it lacks. */
static int get(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	struct drv_memo *memo = user;
	struct drv_cache c = { get, memo };
	const struct drv_modulo *m = drv_memo_get(memo, path);

	if (!m) {
		struct buf text = BUF_INIT;
		struct drv d;

		parse_base(path.p + strlen("/nix/store/"), &text, &d);
		int rc = drv_modulo(&d, &c, out, e);

		if (!rc)
			drv_memo_put(memo, path, out);
		drv_release(&d);
		buf_release(&text);
		return rc;
	}
	*out = *m;
	return 0;
}

static void each_fixture(void (*check)(const char *base, const struct drv *d, struct slice text,
				       const struct drv_cache *c))
{
	struct drv_memo memo = { 0 };
	struct drv_cache c = { get, &memo };
	struct dirent *de;
	DIR *dir = opendir(data_dir());
	int n = 0;

	assert_non_null(dir);
	while ((de = readdir(dir))) {
		struct buf text = BUF_INIT;
		struct drv d;

		if (de->d_name[0] == '.')
			continue;
		parse_base(de->d_name, &text, &d);
		check(de->d_name, &d, text_of(&text), &c);
		drv_release(&d);
		buf_release(&text);
		n++;
	}
	closedir(dir);
	drv_memo_release(&memo);
	assert_true(n >= 30);
}

static void check_write(const char *base, const struct drv *d, struct slice text, const struct drv_cache *c)
{
	struct buf b = BUF_INIT;

	(void)c;
	drv_write(&b, d);
	if (b.len != text.n || memcmp(b.p, text.p, text.n))
		fail_msg("%s is written as\n%s", base, b.p);
	buf_release(&b);
}

static void written_back_as_read(void **state)
{
	(void)state;
	each_fixture(check_write);
}

static void check_path(const char *base, const struct drv *d, struct slice text, const struct drv_cache *c)
{
	struct store_path p;

	(void)c;
	assert_int_equal(drv_path(d, DIR_, text, &p, NULL), 0);
	assert_string_equal(p.base, base);
}

static void drv_path_is_nix_path(void **state)
{
	(void)state;
	each_fixture(check_path);
}

static void check_outputs(const char *base, const struct drv *d, struct slice text, const struct drv_cache *c)
{
	struct drv_modulo m, want;
	char path[300];
	struct err e = ERR_INIT;

	(void)text;
	snprintf(path, sizeof path, "/nix/store/%s", base);
	if (drv_check(d, DIR_, slice_of(path), c, &m, &e))
		fail_msg("%s: %s", base, e.msg);
	assert_int_equal(drv_modulo(d, c, &want, &e), 0);
	assert_memory_equal(&m, &want, sizeof m);
}

static void output_paths_are_nix_paths(void **state)
{
	(void)state;
	each_fixture(check_outputs);
}

/* Takes a derivation apart and puts it together again as an evaluator would, elements backwards. */
static void check_finish(const char *base, const struct drv *d, struct slice text, const struct drv_cache *c)
{
	struct drv_modulo m, want;
	struct buf b = BUF_INIT;
	struct store_path path;
	struct err e = ERR_INIT;
	struct drv n;

	drv_init(&n, d->name);
	drv_set_system(&n, d->system);
	drv_set_builder(&n, d->builder);
	for (size_t i = d->noutputs; i-- > 0;) {
		struct drv_output *o = drv_add_output(&n, d->outputs[i].name);

		o->kind = d->outputs[i].kind == DRV_INPUT ? DRV_DEFERRED : d->outputs[i].kind;
		o->method = d->outputs[i].method;
		o->hash = d->outputs[i].hash;
	}
	for (size_t j = 3; j-- > 0;)
		for (size_t i = d->ninputs; i-- > 0;)
			if (j < d->inputs[i].node.noutputs)
				drv_add_input(&n, d->inputs[i].path, d->inputs[i].node.outputs[j]);
	for (size_t i = d->nsrcs; i-- > 0;)
		drv_add_src(&n, d->srcs[i]);
	for (size_t i = 0; i < d->nargs; i++)
		drv_add_arg(&n, d->args[i]);
	for (size_t i = d->nenv; i-- > 0;)
		if (!drv_output(d, d->env[i].key))
			drv_add_env(&n, d->env[i].key, d->env[i].value);
	if (drv_finish(&n, DIR_, c, &b, &path, &m, &e))
		fail_msg("%s: %s", base, e.msg);
	if (b.len != text.n || memcmp(b.p, text.p, text.n))
		fail_msg("%s is finished as\n%s", base, b.p);
	assert_string_equal(path.base, base);
	assert_int_equal(drv_modulo(d, c, &want, &e), 0);
	assert_memory_equal(&m, &want, sizeof m);
	buf_release(&b);
	drv_release(&n);
}

static void finishing_gives_what_nix_wrote(void **state)
{
	(void)state;
	each_fixture(check_finish);
}

/* --- checking --- */

/* The forged output was given to Nix, `nix-store --add` of a file called victim.drv: 2.8.0 and 2.34.8 name the output that is
 * expected here.  So was, to 2.8.0 alone, the derivation without a variable for its output.  The other texts are our own. */
#define VICTIM "/nix/store/db4wz24vjf4i64vchpwmwjx2jjv0ps4g-victim.drv"
#define GOOD "/nix/store/0awky02lkadsng6zhr6k4svq3l118q8i-victim"
#define BARE "/nix/store/b515gs29s9wbql04bc3j6yx8bs66brds-victim" /* of one without a variable for it */
#define OTHERS_ "/nix/store/rmwyxyrgfjqy5bfwscgf752g9s7yp7wi-victim"
#define VICTIM_TEXT(out, var) "Derive([(\"out\",\"" out "\",\"\",\"\")],[],[],\"x86_64-linux\",\"/bin/sh\"," \
			      "[\"-c\",\"echo EVIL > $out\"],[(\"name\",\"victim\")," var "])"

static int check_text(const char *text, const char *path, struct err *e)
{
	struct drv_cache none = { 0 };
	struct drv d;
	int rc = drv_parse(&d, DIR_, SLICE("victim"), slice_of(text), e);

	assert_int_equal(rc, 0);
	rc = drv_check(&d, DIR_, slice_of(path), &none, NULL, e);
	drv_release(&d);
	return rc;
}

static void refused(const char *text, const char *path, const char *why)
{
	struct err e = ERR_INIT;

	assert_int_equal(check_text(text, path, &e), ERR_INVALID);
	assert_string_equal(e.msg, why);
	err_release(&e);
}

static void forged_outputs_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check_text(VICTIM_TEXT(GOOD, "(\"out\",\"" GOOD "\")"), VICTIM, NULL), 0);
	refused(VICTIM_TEXT(OTHERS_, "(\"out\",\"" OTHERS_ "\")"), VICTIM,
		"derivation '" VICTIM "' has incorrect output '" OTHERS_ "', should be '" GOOD "'");
	refused(VICTIM_TEXT(GOOD, "(\"out\",\"" OTHERS_ "\")"), VICTIM,
		"derivation '" VICTIM "' has incorrect environment variable 'out', should be '" GOOD "'");
	refused(VICTIM_TEXT(GOOD, "(\"out\",\"" GOOD "\")"), "/nix/store/db4wz24vjf4i64vchpwmwjx2jjv0ps4g-other.drv",
		"derivation '/nix/store/db4wz24vjf4i64vchpwmwjx2jjv0ps4g-other.drv' has the name 'victim', which is not that of its path");
	refused("Derive([(\"out\",\"/nix/store/vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-victim\",\"\",\"\")],[],[],\"s\",\"/b\",[],[])", VICTIM,
		"derivation '" VICTIM "' has incorrect output '/nix/store/vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-victim', "
		"should be '" BARE "'");
	refused("Derive([(\"out\",\"" BARE "\",\"\",\"\")],[],[],\"s\",\"/b\",[],[])", VICTIM,
		"derivation '" VICTIM "' has no environment variable 'out', should be '" BARE "'");
}

/* A name that no path may have, found by fuzz_claims. */
static void bad_output_name_is_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(check_text("Derive([(\"li\xf2\",\"" GOOD "\",\"\",\"\")],[],[],\"s\",\"/b\",[],[])", VICTIM, &e), ERR_INVALID);
	err_release(&e);
}

/* The hash that a Go module's sum stands for, and another. */
#define MODULE_TEXT(path, hash) "Derive([(\"out\",\"" path "\",\"r:sha256\",\"" hash "\")],[],[],\"s\",\"/b\",[]," \
	"[(\"module\",\"example.com/a\"),(\"out\",\"" path "\"),(\"outputHash\",\"h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=\")," \
	"(\"outputHashMode\",\"go-h1\")])"

static void sums_of_go_modules_are_checked(void **state)
{
	(void)state;
	assert_int_equal(check_text(MODULE_TEXT("/nix/store/98hyf30fc7s2ndv8infif3nc8kfscqdp-victim", "5e575180f66255f591a8e46a20312bb2060c2d0c67d63e080e305c8667507d63"), VICTIM, NULL), 0);
	refused(MODULE_TEXT("/nix/store/jgbinc3nqm4al6xb8q56c0fb552qadfh-victim", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), VICTIM,
		"derivation '" VICTIM "' has an output whose hash is not that of the Go module with the sum "
		"'h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y='");
}

/* --- building --- */

static void inputs_are_sorted_and_merged(void **state)
{
	struct buf b = BUF_INIT;
	struct drv d;

	(void)state;
	drv_init(&d, SLICE("x"));
	drv_add_input(&d, SLICE("/nix/store/b"), SLICE("out"));
	drv_add_input(&d, SLICE("/nix/store/a"), SLICE("out"));
	drv_add_input(&d, SLICE("/nix/store/b"), SLICE("dev"));
	drv_add_input(&d, SLICE("/nix/store/b"), SLICE("out"));
	drv_add_src(&d, SLICE("/nix/store/z"));
	drv_add_src(&d, SLICE("/nix/store/y"));
	drv_add_src(&d, SLICE("/nix/store/z"));
	drv_set_env(&d, SLICE("b"), SLICE("1"));
	drv_set_env(&d, SLICE("a"), SLICE("2"));
	drv_set_env(&d, SLICE("b"), SLICE("3"));
	drv_add_output(&d, SLICE("out"));
	drv_sort(&d);
	drv_write(&b, &d);
	assert_string_equal(b.p, "Derive([(\"out\",\"\",\"\",\"\")],[(\"/nix/store/a\",[\"out\"]),(\"/nix/store/b\",[\"dev\",\"out\"])],"
				 "[\"/nix/store/y\",\"/nix/store/z\"],\"\",\"\",[],[(\"a\",\"2\"),(\"b\",\"3\")])");
	buf_release(&b);
	drv_release(&d);
}

static void escapes_at_every_offset(void **state)
{
	static const char special[] = "\"\\\n\r\t";
	char raw[70], want[90];

	(void)state;
	for (size_t len = 1; len < sizeof raw; len++)
		for (size_t at = 0; at < len; at++) {
			struct buf b = BUF_INIT;
			struct drv d;
			char c = special[at % 5];

			memset(raw, 'x', len);
			raw[at] = c;
			snprintf(want, sizeof want, "\"%.*s\\%c%.*s\"", (int)at, raw, "\"\\nrt"[at % 5], (int)(len - at - 1),
				 raw + at + 1);
			drv_init(&d, SLICE("x"));
			drv_set_builder(&d, (struct slice){ raw, len });
			drv_write(&b, &d);
			assert_non_null(strstr(b.p, want));
			buf_release(&b);
			drv_release(&d);
		}
}

/* Longer than the chunk that text is hashed through, and full of escapes. */
static void hashing_equals_hash_of_text(void **state)
{
	struct buf big = BUF_INIT, masked = BUF_INIT;
	struct drv_cache none = { 0 };
	struct store_path want;
	struct hash h;
	struct drv d;
	int deferred = 0;

	(void)state;
	for (int i = 0; i < 30000; i++)
		buf_addc(&big, (char)(i * 7 % 256));
	drv_init(&d, SLICE("x"));
	drv_add_output(&d, SLICE("out"));
	drv_add_env(&d, SLICE("big"), text_of(&big));
	assert_int_equal(drv_finish(&d, DIR_, &none, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(drv_write_masked(&masked, &d, &none, &deferred, NULL), 0);
	assert_false(deferred);
	hash_bytes(HASH_SHA256, masked.p, masked.len, &h);
	assert_int_equal(store_path_make_output(DIR_, d.name, SLICE("out"), &h, &want, NULL), 0);
	assert_string_equal(d.outputs[0].path.p + 11, want.base);
	drv_release(&d);
	buf_release(&big);
	buf_release(&masked);
}

static void kinds_do_not_mix(void **state)
{
	struct err e = ERR_INIT;
	enum drv_output_kind k;
	struct drv d;

	(void)state;
	drv_init(&d, SLICE("x"));
	assert_int_equal(drv_kind(&d, &k, &e), ERR_INVALID);
	err_release(&e);
	drv_add_output(&d, SLICE("dev"))->kind = DRV_FIXED;
	assert_int_equal(drv_kind(&d, &k, &e), ERR_INVALID);
	assert_string_equal(e.msg, "single fixed output must be named \"out\"");
	err_release(&e);
	drv_add_output(&d, SLICE("out"));
	d.outputs[0].kind = DRV_FLOATING;
	assert_int_equal(drv_kind(&d, &k, &e), ERR_INVALID);
	assert_string_equal(e.msg, "can't mix derivation output types");
	err_release(&e);
	drv_release(&d);
}

static void unknown_input_is_reported(void **state)
{
	struct err e = ERR_INIT;
	struct drv d;

	(void)state;
	drv_init(&d, SLICE("x"));
	drv_add_output(&d, SLICE("out"));
	drv_add_input(&d, SLICE("/nix/store/00000000000000000000000000000000-a.drv"), SLICE("out"));
	assert_int_equal(drv_finish(&d, DIR_, NULL, NULL, NULL, NULL, &e), ERR_NOTFOUND);
	err_release(&e);
	drv_release(&d);
}

static void long_names_are_refused(void **state)
{
	struct err e = ERR_INIT;
	struct store_path p;
	char name[212];
	struct drv d;

	(void)state;
	memset(name, 'n', sizeof name);
	drv_init(&d, (struct slice){ name, 207 });
	drv_add_output(&d, SLICE("out"));
	assert_int_equal(drv_finish(&d, DIR_, NULL, NULL, &p, NULL, &e), 0);
	assert_int_equal(p.len, STORE_BASE_MAX);
	drv_release(&d);
	drv_init(&d, (struct slice){ name, 208 });
	drv_add_output(&d, SLICE("out"));
	assert_int_equal(drv_finish(&d, DIR_, NULL, NULL, &p, NULL, &e), ERR_INVALID);
	err_release(&e);
	drv_release(&d);
	drv_init(&d, (struct slice){ name, 205 });
	drv_add_output(&d, SLICE("verylong"));
	assert_int_equal(drv_finish(&d, DIR_, NULL, NULL, &p, NULL, &e), ERR_INVALID);
	err_release(&e);
	drv_release(&d);
}

/* --- placeholders --- */

/* nix-instantiate --eval -E 'placeholder "out"'; the others with ca-derivations enabled, see drv2.nix. */
static void placeholders(void **state)
{
	char text[PLACEHOLDER_LEN + 1];
	uint8_t h[HASH_SHA256_LEN];
	struct store_path p;
	struct err e = ERR_INIT;

	(void)state;
	placeholder_output(SLICE("out"), text);
	assert_string_equal(text, "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
	placeholder_output(SLICE("dev"), text);
	assert_string_equal(text, "/02qcpld1y6xhs5gz9bchpxaw0xdhmsp5dv88lh25r2ss44kh8dxz");
	/* The value of dep in usesca.drv. */
	assert_int_equal(store_path_parse_base(SLICE("809hd68vvfpi7cnll3ilvwg5qng30ymh-ca.drv"), &p, &e), 0);
	assert_int_equal(placeholder_upstream(&p, SLICE("out"), text, h, &e), 0);
	assert_string_equal(text, "/0175br9dnq4yrfgdm65nfy660im9l7d7swg83l51hkjl9ib1pb9g");
	/* tests/functional of Nix: DownstreamPlaceholder over a placeholder. */
	assert_int_equal(store_path_parse_base(SLICE("g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv.drv"), &p, &e), 0);
	assert_int_equal(placeholder_upstream(&p, SLICE("out"), text, h, &e), 0);
	placeholder_dynamic(h, SLICE("out"), text);
	assert_string_equal(text, "/0gn6agqxjyyalf0dpihgyf49xq5hqxgw100f0wydnj6yqrhqsb3w");
	assert_int_equal(store_path_parse_base(SLICE("g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo"), &p, &e), 0);
	assert_int_equal(placeholder_upstream(&p, SLICE("out"), text, h, &e), ERR_INVALID);
	err_release(&e);
}

/* --- hostile text --- */

#define OUT "(\"out\",\"/nix/store/f3wmc5rk9a5gbnvzir3wm1s3ibz6naz5-x\",\"\",\"\")"
#define A "/nix/store/00000000000000000000000000000000-a"
#define B "/nix/store/00000000000000000000000000000000-b"

static int parse(const char *text, struct err *e)
{
	struct drv d;
	int rc = drv_parse(&d, DIR_, SLICE("x"), slice_of(text), e);

	if (!rc) {
		struct buf b = BUF_INIT, c = BUF_INIT;
		struct drv again;

		drv_write(&b, &d);
		assert_int_equal(drv_parse(&again, DIR_, SLICE("x"), text_of(&b), e), 0);
		drv_write(&c, &again);
		assert_string_equal(b.p, c.p);
		buf_release(&b);
		buf_release(&c);
		drv_release(&again);
		drv_release(&d);
	}
	return rc;
}

static void good_texts(void **state)
{
	static const char *const good[] = {
		"Derive([" OUT "],[],[],\"s\",\"b\",[],[])",
		"Derive([],[],[],\"\",\"\",[],[])",
		"Derive([" OUT "],[(\"" B ".drv\",[\"out\",\"dev\"]),(\"" A ".drv\",[\"x\"])],[\"" B "\",\"" A "\"],\"s\",\"b\",[\"1\",\"\"],[(\"b\",\"\"),(\"a\",\"\")])",
		"Derive([(\"out\",\"\",\"r:sha256\",\"impure\")],[],[],\"s\",\"b\",[],[])",
		"Derive([(\"out\",\"\",\"text:sha256\",\"\")],[],[],\"s\",\"b\",[],[])",
		"DrvWithVersion(\"xp-dyn-drv\",[" OUT "],[(\"" A ".drv\",([\"out\"],[(\"d\",[\"out\"]),(\"c\",([],[(\"e\",[\"out\"])]))]))],[],\"s\",\"b\",[],[])",
		"DrvWithVersion(\"xp-dyn-drv\",[" OUT "],[(\"" A ".drv\",[\"out\"])],[],\"s\",\"b\",[],[])",
		"Derive([" OUT "],[],[],\"s\",\"b\",[\"\\n\\r\\t\\\"\\\\ \n\"],[])",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct err e = ERR_INIT;

		if (parse(good[i], &e))
			fail_msg("%s: %s", good[i], e.msg);
	}
}

static void bad_texts(void **state)
{
	static const char *const bad[] = {
		"",
		"D",
		"Derive",
		"Derive(",
		"Derive([],[],[],\"s\",\"b\",[],[]",
		"Derive([],[],[],\"s\",\"b\",[],[]) ",
		"Derive([,],[],[],\"s\",\"b\",[],[])",
		"Derive([" OUT ",],[],[],\"s\",\"b\",[],[])",
		"Derive([," OUT "],[],[],\"s\",\"b\",[],[])",
		"Derive([" OUT OUT "],[],[],\"s\",\"b\",[],[])",
		"Derive([" OUT "," OUT "],[],[],\"s\",\"b\",[],[])",
		"Derive([],[],[],\"s\",\"b\",[\"a\"\"b\"],[])",
		"Derive([],[],[],\"s\",\"b\",[\"a],[])",
		"Derive([],[],[],\"s\",\"b\",[\"a\\",
		"Derive([],[],[],\"s\",\"b\",[\"a\\\"",
		"Derive([],[],[],\"s\",\"b\",[\"\\x\"],[])",
		"Derive([],[],[],\"s\",\"b\",[],[(\"a\",\"1\"),(\"a\",\"2\")])",
		"Derive([],[],[\"/nix/store/../store/x\"],\"s\",\"b\",[],[])",
		"Derive([],[],[\"" A "\",\"" A "\"],\"s\",\"b\",[],[])",
		"Derive([],[],[\"" A "/x\"],\"s\",\"b\",[],[])",
		"Derive([],[],[\"//nix/store/00000000000000000000000000000000-a\"],\"s\",\"b\",[],[])",
		"Derive([],[(\"" A ".drv\",[])],[],\"s\",\"b\",[],[])",
		"Derive([],[(\"" A ".drv\",[\"out\",\"out\"])],[],\"s\",\"b\",[],[])",
		"Derive([],[(\"" A ".drv\",[\"out\"]),(\"" A ".drv\",[\"dev\"])],[],\"s\",\"b\",[],[])",
		"Derive([],[(\"" A ".drv\",([\"out\"],[]))],[],\"s\",\"b\",[],[])",
		"DrvWithVersion(\"2\",[" OUT "],[],[],\"s\",\"b\",[],[])",
		"DrvWithVersion(\"xp-dyn-drv\"[" OUT "],[],[],\"s\",\"b\",[],[])",
		"DrvWithVersion(\"xp-dyn-drv\",[" OUT "],[(\"" A ".drv\",([],[]))],[],\"s\",\"b\",[],[])",
		"DrvWithVersion(\"xp-dyn-drv\",[" OUT "],[(\"" A ".drv\",([],[(\"a\",[\"o\"]),(\"a\",[\"o\"])]))],[],\"s\",\"b\",[],[])",
		"Derive([(\"out\",\"\",\"\",\"00\")],[],[],\"s\",\"b\",[],[])",
		"Derive([(\"out\",\"" A "\",\"r:sha256\",\"\")],[],[],\"s\",\"b\",[],[])",
		"Derive([(\"out\",\"" A "\",\"r:sha256\",\"impure\")],[],[],\"s\",\"b\",[],[])",
		"Derive([(\"out\",\"" A "\",\"r:sha257\",\"0000000000000000000000000000000000000000000000000000000000000000\")],[],[],\"s\",\"b\",[],[])",
		"Derive([(\"out\",\"" A "\",\"r:sha256\",\"000000000000000000000000000000000000000000000000000000000000000\")],[],[],\"s\",\"b\",[],[])",
		/* A fixed output whose path does not follow from its hash. */
		"Derive([(\"out\",\"/nix/store/00000000000000000000000000000000-x\",\"r:sha256\",\"0000000000000000000000000000000000000000000000000000000000000000\")],[],[],\"s\",\"b\",[],[])",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;

		if (parse(bad[i], &e) != ERR_INVALID)
			fail_msg("accepted: %s", bad[i]);
		err_release(&e);
	}
}

static void every_prefix_is_refused(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(load("aa8yfpz3pam8841jwc3m82rfn2n3gmyj-lib-1.0.drv", &text), 0);
	for (size_t n = 0; n < text.len; n++) {
		/* A block of its own, so that a sanitizer sees a read past its end. */
		char *cut = malloc(n ? n : 1);
		struct drv d;

		memcpy(cut, text.p, n);
		assert_int_equal(drv_parse(&d, DIR_, SLICE("lib-1.0"), (struct slice){ cut, n }, NULL), ERR_INVALID);
		free(cut);
	}
	buf_release(&text);
}

static void dynamic_inputs_have_a_depth_limit(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	buf_adds(&b, "DrvWithVersion(\"xp-dyn-drv\",[],[(\"" A ".drv\",");
	for (int i = 0; i < 100000; i++)
		buf_adds(&b, "([],[(\"a\",");
	assert_int_equal(parse(b.p, &e), ERR_LIMIT);
	err_release(&e);
	buf_release(&b);
}

/* --- the memory --- */

static void memo_keeps_many(void **state)
{
	struct drv_memo m = { 0 };
	struct drv_modulo v = { .kind = DRV_MODULO_HASH };
	char key[64];

	(void)state;
	assert_null(drv_memo_get(&m, SLICE("x")));
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "/nix/store/%032u-x.drv", i);
		memcpy(v.hash, &i, sizeof i);
		drv_memo_put(&m, slice_of(key), &v);
		drv_memo_put(&m, slice_of(key), &v);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "/nix/store/%032u-x.drv", i);
		const struct drv_modulo *got = drv_memo_get(&m, slice_of(key));

		assert_non_null(got);
		assert_memory_equal(got->hash, &i, sizeof i);
	}
	assert_null(drv_memo_get(&m, SLICE("/nix/store/y.drv")));
	assert_int_equal(m.n, 5000);
	drv_memo_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_back_as_read),
		cmocka_unit_test(drv_path_is_nix_path),
		cmocka_unit_test(output_paths_are_nix_paths),
		cmocka_unit_test(finishing_gives_what_nix_wrote),
		cmocka_unit_test(forged_outputs_are_refused), cmocka_unit_test(bad_output_name_is_refused),
		cmocka_unit_test(sums_of_go_modules_are_checked),
		cmocka_unit_test(inputs_are_sorted_and_merged),
		cmocka_unit_test(escapes_at_every_offset),
		cmocka_unit_test(hashing_equals_hash_of_text),
		cmocka_unit_test(kinds_do_not_mix),
		cmocka_unit_test(unknown_input_is_reported),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(placeholders),
		cmocka_unit_test(good_texts),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(dynamic_inputs_have_a_depth_limit),
		cmocka_unit_test(memo_keeps_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
