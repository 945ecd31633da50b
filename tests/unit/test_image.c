/* SPDX-License-Identifier: MIT
 *
 * image/: archives, descriptions, names, challenges, environments of shells, what Go programs say of themselves.
 */
#include "config.h"
#include "base/buf.h"
#include "format/hash.h"
#include "image/gobuild.h"
#include "image/registry.h"
#include "image/shell.h"
#include "image/spec.h"
#include "image/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int add(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static void make(struct buf *b, const struct tar_entry *t, const char *contents)
{
	const struct nar_sink sink = { add, b };
	struct tar_writer w;

	tar_init(&w, &sink);
	assert_int_equal(tar_add(&w, t, NULL), 0);
	if (t->size && contents)
		assert_int_equal(tar_write(&w, contents, t->size, NULL), 0);
	assert_int_equal(tar_end(&w, NULL), 0);
	tar_release(&w);
}

/* Of a header: its bytes, with blanks where the sum is. */
static unsigned long sum_of(const char *h)
{
	unsigned long sum = 8 * ' ';

	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? 0 : (unsigned char)h[i];
	return sum;
}

static void file(void **state)
{
	const struct tar_entry t = { .kind = TAR_FILE, .path = SLICE("a/b"), .mode = 0444, .size = 3 };
	struct buf b = BUF_INIT;

	(void)state;
	make(&b, &t, "hi\n");
	assert_int_equal(b.len, 2048);
	assert_string_equal(b.p, "a/b");
	assert_string_equal(b.p + 100, "0000444");
	assert_string_equal(b.p + 108, "0000000");
	assert_string_equal(b.p + 124, "00000000003");
	assert_string_equal(b.p + 136, "00000000001");
	assert_int_equal(strtoul(b.p + 148, NULL, 8), sum_of(b.p));
	assert_memory_equal(b.p + 154, "\0 ", 2);
	assert_int_equal(b.p[156], '0');
	assert_memory_equal(b.p + 257, "ustar\00000", 8);
	assert_memory_equal(b.p + 512, "hi\n\0", 4);
	buf_release(&b);
}

static void folder_and_link(void **state)
{
	const struct tar_entry d = { .kind = TAR_DIRECTORY, .path = SLICE("d"), .mode = 01777, .uid = 1000, .gid = 100 },
			       l = { .kind = TAR_LINK, .path = SLICE("l"), .mode = 0777, .target = SLICE("d/x") };
	struct buf b = BUF_INIT;

	(void)state;
	make(&b, &d, NULL);
	assert_string_equal(b.p, "d/");
	assert_string_equal(b.p + 100, "0001777");
	assert_string_equal(b.p + 108, "0001750");
	assert_string_equal(b.p + 116, "0000144");
	assert_int_equal(b.p[156], '5');
	buf_trim(&b, 0);
	make(&b, &l, NULL);
	assert_string_equal(b.p + 157, "d/x");
	assert_int_equal(b.p[156], '2');
	buf_release(&b);
}

/* The length of a record counts itself, also where that makes it longer. */
static void long_names(void **state)
{
	char name[400];
	struct buf b = BUF_INIT, record = BUF_INIT;

	(void)state;
	memset(name, 'n', sizeof name);
	for (size_t n = 80; n < sizeof name; n++) {
		const struct tar_entry t = { .kind = TAR_FILE, .path = { name, n } };

		buf_trim(&b, 0);
		make(&b, &t, NULL);
		if (n <= 100) {
			assert_int_equal(b.p[156], '0');
			continue;
		}
		assert_int_equal(b.p[156], 'x');
		buf_trim(&record, 0);
		size_t length = strtoul(b.p + 512, NULL, 10);
		buf_addf(&record, "%zu path=%.*s\n", length, (int)n, name);
		assert_int_equal(record.len, length);
		assert_memory_equal(b.p + 512, record.p, record.len);
	}
	buf_release(&b);
	buf_release(&record);
}

static void large_file(void **state)
{
	const struct nar_sink sink = { add, &(struct buf)BUF_INIT };
	const struct tar_entry t = { .kind = TAR_FILE, .path = SLICE("big"), .size = (uint64_t)1 << 33 },
			       u = { .kind = TAR_FILE, .path = SLICE("big"), .size = ((uint64_t)1 << 33) - 1 };
	struct tar_writer w;

	(void)state;
	tar_init(&w, &sink);
	assert_int_equal(tar_add(&w, &t, NULL), 0);
	assert_int_equal(w.room.p[156], 'x');
	assert_memory_equal(w.room.p + 512, "19 size=8589934592\n", 19);
	buf_trim(&w.room, 0);
	assert_int_equal(tar_add(&w, &u, NULL), 0);
	assert_int_equal(w.room.p[156], '0');
	assert_string_equal(w.room.p + 124, "77777777777");
	tar_release(&w);
}

static void too_many_bytes(void **state)
{
	const struct tar_entry t = { .kind = TAR_FILE, .path = SLICE("f"), .size = 1 };
	struct buf b = BUF_INIT;
	const struct nar_sink sink = { add, &b };
	struct err e = ERR_INIT;
	struct tar_writer w;

	(void)state;
	tar_init(&w, &sink);
	tar_add(&w, &t, NULL);
	assert_int_equal(tar_write(&w, "ab", 2, &e), ERR_INVALID);
	err_release(&e);
	tar_release(&w);
	buf_release(&b);
}

/* --- descriptions --- */

static void refused(const char *text, const char *why)
{
	struct err e = ERR_INIT;
	struct image_spec s;

	assert_true(image_spec_parse(&s, store_dir_default, slice_of(text), &e) < 0);
	if (!strstr(e.msg, why))
		fail_msg("%s: %s", text, e.msg);
	err_release(&e);
	image_spec_release(&s);
}

static void descriptions(void **state)
{
	struct image_spec s;
	struct err e = ERR_INIT;

	(void)state;
	if (image_spec_parse(&s, store_dir_default,
			     SLICE("{\"gxImage\":1,\"name\":\"n\",\"tag\":null,\"layers\":7,\"form\":\"tools\",\"compression\":\"gzip\","
				   "\"folders\":[{\"path\":\"/a/b\",\"mode\":\"1777\",\"uid\":5}],\"base\":\"r/x@sha256:00\"}"),
			     &e))
		fail_msg("%s", e.msg);
	assert_int_equal(s.layers, 7);
	assert_int_equal(s.form, FORM_TOOLS);
	assert_int_equal(s.compression, COMPRESS_GZIP);
	assert_int_equal(s.nfolders, 1);
	assert_int_equal(s.folders[0].mode, 01777);
	assert_int_equal(s.folders[0].uid, 5);
	assert_memory_equal(s.folders[0].path.p, "a/b", 3);
	assert_int_equal(s.tag.n, 0);
	assert_int_equal(s.base_ref.n, 13);
	image_spec_release(&s);
	refused("", "JSON");
	refused("[]", "not a JSON object");
	refused("{}", "no description");
	refused("{\"gxImage\":2}", "no description");
	refused("{\"gxImage\":1,\"layers\":0}", "'layers'");
	refused("{\"gxImage\":1,\"layers\":\"7\"}", "'layers'");
	refused("{\"gxImage\":1,\"architecture\":\"a b\"}", "'architecture'");
	refused("{\"gxImage\":1,\"config\":[]}", "'config'");
	refused("{\"gxImage\":1,\"root\":\"/etc\"}", "'root'");
	refused("{\"gxImage\":1,\"folders\":[{\"path\":\"/\"}]}", "'folders'");
	refused("{\"gxImage\":1,\"folders\":[{\"path\":\"a//b\"}]}", "'folders'");
	refused("{\"gxImage\":1,\"folders\":[{\"path\":\"a/.wh.b\"}]}", "'folders'");
	refused("{\"gxImage\":1,\"folders\":[{\"path\":\"a\",\"uid\":-1}]}", "'folders'");
	refused("{\"gxImage\":1,\"images\":[1]}", "'images'");
	refused("{\"gxImage\":1,\"images\":[]}", "'images'");
	refused("{\"gxImage\":1,\"base\":\"/nix/store/x\"}", "'base'");
}

static void many_members(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_addc(&b, '{');
	for (int i = 0; i < 9000; i++)
		buf_addf(&b, "%s\"%d\":1", i ? "," : "", i);
	buf_addc(&b, '}');
	refused(b.p, "more than 8192 members");
	buf_release(&b);
}

/* --- names --- */

static void reads(const char *text, const char *address, const char *whole)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct reference r;

	if (reference_parse(&r, slice_of(text), &e))
		fail_msg("%s", e.msg);
	reference_add_address(&b, &r, 0);
	assert_string_equal(b.p, address);
	buf_trim(&b, 0);
	reference_add(&b, &r);
	assert_string_equal(b.p, whole);
	buf_release(&b);
	reference_release(&r);
}

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names(void **state)
{
	static const char *const none[] = { "", "a b", "A", "a/", "/a", "a//b", "a:", "a:-x", "a@sha256:12", "a@" DIGEST "0", "-h.x/a", "h:x/a",
					    "h.x:1/", "a_-/b", "[::1/a", "a@sha512:00", "h.x/a\nb" };

	(void)state;
	reads("alpine", "https://registry-1.docker.io", "docker.io/library/alpine:latest");
	reads("me/app:1", "https://registry-1.docker.io", "docker.io/me/app:1");
	reads("ghcr.io/a/b/c", "https://ghcr.io", "ghcr.io/a/b/c:latest");
	reads("127.0.0.1:5000/a:x@" DIGEST, "http://127.0.0.1:5000", "127.0.0.1:5000/a@" DIGEST);
	reads("localhost/a__b", "http://localhost", "localhost/a__b:latest");
	reads("[::1]:80/a", "http://[::1]:80", "[::1]:80/a:latest");
	/* A name that only begins like this machine's. */
	reads("127.0.0.1.example/a", "https://127.0.0.1.example", "127.0.0.1.example/a:latest");
	reads("localhost.example:1/a", "https://localhost.example:1", "localhost.example:1/a:latest");
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		struct reference r;

		if (!reference_parse(&r, slice_of(none[i]), NULL))
			fail_msg("'%s' is taken", none[i]);
		reference_release(&r);
	}
}

static void trust(void **state)
{
	(void)state;
	assert_true(registry_trusts("https://registry-1.docker.io", "https://auth.docker.io/token"));
	assert_true(registry_trusts("https://ghcr.io", "https://ghcr.io/token"));
	assert_true(registry_trusts("http://127.0.0.1:5000", "http://127.0.0.1:6000/token"));
	assert_true(registry_trusts("http://127.0.0.1:5000", "https://127.0.0.1/token"));
	assert_false(registry_trusts("https://ghcr.io", "http://ghcr.io/token"));
	assert_false(registry_trusts("https://ghcr.io", "https://ghcr.io.evil.example/token"));
	assert_false(registry_trusts("https://ghcr.io", "https://ghcr.io@evil.example/token"));
	assert_false(registry_trusts("https://ghcr.io", "https://evil.example/ghcr.io"));
	assert_false(registry_trusts("https://10.0.0.1", "https://11.0.0.1/token"));
	assert_false(registry_trusts("https://[::1]", "https://[::2]/token"));
	assert_false(registry_trusts("https://ghcr.io", "ghcr.io"));
}

static void challenges(void **state)
{
	struct buf heads = BUF_INIT;
	struct challenge c;

	(void)state;
	buf_adds(&heads, "HTTP/1.1 401 No\r\nwww-authenticate: Basic realm=\"x\"\r\n"
			 "WWW-Authenticate:Bearer  service=a,realm = \"no\", Realm=\"https://a/b?c=\\\"d\\\"\",scope=\"x:y\"\r\nLocation: /x\r\n\r\n");
	challenge_read(&c, &heads);
	assert_true(c.basic && c.bearer);
	assert_string_equal(buf_str(&c.service), "a");
	assert_string_equal(buf_str(&c.realm), "https://a/b?c=\"d\"");
	assert_int_equal(head_status(&heads), 401);
	assert_true(slice_eq(head_value(&heads, "LOCATION"), SLICE("/x")));
	assert_int_equal(head_value(&heads, "Range").n, 0);
	challenge_release(&c);
	buf_release(&heads);
}

/* --- shells and programs --- */

static void shells(void **state)
{
	struct image_spec s;
	struct buf b = BUF_INIT;

	(void)state;
	image_spec_init(&s);
	assert_int_equal(image_shell(&s, SLICE("#!/bin/sh\n")), 0);
	assert_int_equal(image_shell(&s, SLICE("export A='b'\"'\"'c d'\nexport B='two\nlines'\nexport HOME='/x'\nexport EMPTY\n"
					       "export nativeBuildInputs='/s/a /s/b'\nexport PATH='/x'\nexport C='it'\\''s'\n")),
			 1);
	json_tree_write(&b, s.config);
	assert_string_equal(b.p, "{\"Env\":[\"A=b'c d\",\"B=two\\nlines\",\"EMPTY=\",\"C=it's\",\"PATH=/s/a/bin:/s/b/bin\"]}");
	buf_release(&b);
	image_spec_release(&s);
}

static void add_string(struct buf *b, const char *text, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_addc(b, (char)(n | 0x80));
	buf_addc(b, (char)n);
	buf_adds(b, text);
}

static void go_programs(void **state)
{
	static const char lines[] = "0123456789abcdef"
				    "path\texample.org/app\nmod\texample.org/app\t(devel)\t\ndep\ta.b/c\tv1.2.3\th1:x=\n"
				    "dep\told.b/c\tv1.0.0\n=>\tnew.b/c\tv2.0.0\th1:y=\ndep\tl.b/c\tv0.1.0\th1:z=\nbuild\t-trimpath=true\n"
				    "0123456789abcdef";
	struct buf b = BUF_INIT, out = BUF_INIT;

	(void)state;
	buf_add(&b, "\xff Go buildinf:\x08\x02", 16);
	buf_add(&b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	add_string(&b, "go1.26.1 X:none", 15);
	add_string(&b, lines, sizeof lines - 1);
	gobuild_read((struct slice){ b.p, b.len }, &out);
	assert_string_equal(out.p, "go 1.26.1 -\nexample.org/app (devel) -\na.b/c v1.2.3 h1:x=\nnew.b/c v2.0.0 h1:y=\nl.b/c v0.1.0 h1:z=\n");
	buf_trim(&out, 0);
	for (size_t n = 0; n < b.len; n++)
		gobuild_read((struct slice){ b.p, n }, &out);
	assert_int_equal(out.len, 0);
	buf_release(&b);
	buf_release(&out);
}

/* The one's line is the end of the other's. */
static void modules_with_like_names(void **state)
{
	struct buf lines = BUF_INIT;

	(void)state;
	assert_true(gobuild_add_line(&lines, SLICE("example.org/app (devel) -\n")));
	assert_true(gobuild_add_line(&lines, SLICE("app (devel) -\n")));
	assert_false(gobuild_add_line(&lines, SLICE("app (devel) -\n")));
	assert_false(gobuild_add_line(&lines, SLICE("example.org/app (devel) -\n")));
	assert_string_equal(lines.p, "example.org/app (devel) -\napp (devel) -\n");
	buf_release(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file),		  cmocka_unit_test(folder_and_link), cmocka_unit_test(long_names),   cmocka_unit_test(large_file),
		cmocka_unit_test(too_many_bytes), cmocka_unit_test(descriptions),    cmocka_unit_test(many_members), cmocka_unit_test(names),
		cmocka_unit_test(trust),	  cmocka_unit_test(challenges),	     cmocka_unit_test(shells),	     cmocka_unit_test(go_programs),
		cmocka_unit_test(modules_with_like_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
