/* SPDX-License-Identifier: MIT
 *
 * image/: archives, descriptions.
 */
#include "config.h"
#include "base/buf.h"
#include "format/hash.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file),		  cmocka_unit_test(folder_and_link), cmocka_unit_test(long_names),   cmocka_unit_test(large_file),
		cmocka_unit_test(too_many_bytes), cmocka_unit_test(descriptions),    cmocka_unit_test(many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
