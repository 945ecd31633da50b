/* SPDX-License-Identifier: MIT
 *
 * format/compress: each compression there and back, in pieces of every size, and what is refused.
 */
#include "config.h"
#include "base/buf.h"
#include "format/compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int keep(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static void pack(enum compression c, const struct buf *in, struct buf *out)
{
	const struct nar_sink sink = { keep, out };
	struct codec *k;

	assert_int_equal(compress_open(&k, c, -1, c == COMPRESS_ZSTD, &sink, NULL), 0);
	for (size_t i = 0; i < in->len; i += 1000)
		assert_int_equal(codec_feed(k, in->p + i, in->len - i < 1000 ? in->len - i : 1000, NULL), 0);
	assert_int_equal(codec_end(k, NULL), 0);
	codec_free(k);
}

static int unpack(enum compression c, const char *p, size_t n, size_t piece, struct buf *out, struct err *e)
{
	const struct nar_sink sink = { keep, out };
	struct codec *k;
	int rc = 0;

	assert_int_equal(decompress_open(&k, c, &sink, NULL), 0);
	for (size_t i = 0; !rc && i < n; i += piece)
		rc = codec_feed(k, p + i, n - i < piece ? n - i : piece, e);
	rc = rc ? rc : codec_end(k, e);
	codec_free(k);
	return rc;
}

/* Something that neither is all alike nor cannot be compressed, larger than any buffer on the way. */
static void sample(struct buf *b, size_t n)
{
	uint32_t x = 1;

	while (b->len < n) {
		x = x * 1664525 + 1013904223;
		buf_addf(b, "%u %s", x >> 20, x >> 31 ? "again and again" : "");
	}
}

static void there_and_back(void **state)
{
	struct buf in = BUF_INIT;

	(void)state;
	sample(&in, 300000);
	for (int c = COMPRESS_NONE; c <= COMPRESS_LZMA; c++) {
		struct buf packed = BUF_INIT, out = BUF_INIT;
		struct err e = ERR_INIT;

		pack((enum compression)c, &in, &packed);
		assert_true(c == COMPRESS_NONE || packed.len < in.len);
		if (unpack((enum compression)c, packed.p, packed.len, 777, &out, &e))
			fail_msg("%s: %s", compression_name((enum compression)c), e.msg);
		assert_int_equal(out.len, in.len);
		assert_memory_equal(out.p, in.p, in.len);
		buf_trim(&out, 0);
		if (c != COMPRESS_NONE) {
			char want[80];

			assert_int_equal(unpack((enum compression)c, packed.p, packed.len - 1, 1 << 20, &out, &e), ERR_INVALID);
			snprintf(want, sizeof want, "the %s data is cut off", compression_name((enum compression)c));
			assert_string_equal(e.msg, want);
			err_release(&e);
			assert_int_equal(unpack((enum compression)c, "", 0, 1, &out, &e), ERR_INVALID);
			assert_string_equal(e.msg, want);
			err_release(&e);
			packed.p[packed.len / 2] ^= 0x55;
			/* These two have no sum: it may come out as something else. */
			if (c != COMPRESS_BR && c != COMPRESS_LZMA)
				assert_int_equal(unpack((enum compression)c, packed.p, packed.len, 1 << 20, &out, NULL), ERR_INVALID);
		}
		buf_release(&packed);
		buf_release(&out);
	}
	buf_release(&in);
}

static void several_streams(void **state)
{
	struct buf in = BUF_INIT;

	(void)state;
	buf_adds(&in, "one");
	for (int c = COMPRESS_XZ; c <= COMPRESS_LZMA; c++) {
		struct buf packed = BUF_INIT, out = BUF_INIT;
		struct err e = ERR_INIT;

		pack((enum compression)c, &in, &packed);
		pack((enum compression)c, &in, &packed);
		if (c == COMPRESS_BR || c == COMPRESS_LZMA) {
			assert_int_equal(unpack((enum compression)c, packed.p, packed.len, 1 << 20, &out, &e), ERR_INVALID);
			assert_string_equal(e.msg, c == COMPRESS_BR ? "something follows the br data" : "something follows the lzma data");
			err_release(&e);
		} else {
			assert_int_equal(unpack((enum compression)c, packed.p, packed.len, 3, &out, NULL), 0);
			assert_string_equal(out.p, "oneone");
		}
		buf_release(&packed);
		buf_release(&out);
	}
	buf_release(&in);
}

static void names(void **state)
{
	enum compression c;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = COMPRESS_NONE; i <= COMPRESS_LZMA; i++) {
		assert_int_equal(compression_parse(slice_of(compression_name((enum compression)i)), &c, NULL), 0);
		assert_int_equal(c, i);
	}
	assert_int_equal(compression_parse(SLICE("lz4"), &c, &e), ERR_INVALID);
	assert_string_equal(e.msg, "the compression 'lz4' is not known; it is none, xz, zstd, bzip2, gzip, br or lzma");
	err_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(there_and_back), cmocka_unit_test(several_streams),
					    cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
