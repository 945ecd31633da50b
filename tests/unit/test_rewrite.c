/* SPDX-License-Identifier: MIT
 *
 * format/rewrite: texts are replaced wherever the stream is cut, and the hash of what refers to itself tells zeros from a digest.
 */
#include "config.h"
#include "format/rewrite.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int into_buf(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static void expect(const char *text, size_t n, size_t cut, const char *want)
{
	static const struct rewrite v[] = { { SLICE("/store/aaaa-x"), SLICE("/store/bbbb-x") }, { SLICE("cccc"), SLICE("dddd") } };
	struct buf out = BUF_INIT;
	struct rewriter *r = rewriter_new(v, 2, &(struct nar_sink){ into_buf, &out });

	assert_int_equal(rewriter_feed(r, text, cut, NULL), 0);
	assert_int_equal(rewriter_feed(r, text + cut, n - cut, NULL), 0);
	assert_int_equal(rewriter_end(r, NULL), 0);
	assert_int_equal(out.len, n);
	assert_memory_equal(buf_str(&out), want, n);
	rewriter_free(r);
	buf_release(&out);
}

static void test_cut_anywhere(void **state)
{
	static const char text[] = "cccc/store/aaaa-xx/store/aaaa-y cccccccc/store/aaaa-x/store/aaaa-";
	static const char want[] = "dddd/store/bbbb-xx/store/aaaa-y dddddddd/store/bbbb-x/store/aaaa-";

	(void)state;
	for (size_t cut = 0; cut < sizeof text; cut++)
		expect(text, sizeof text - 1, cut < sizeof text - 1 ? cut : 0, want);
	expect("", 0, 0, "");
}

static void test_one_byte_at_a_time(void **state)
{
	static const struct rewrite v[] = { { SLICE("abc"), SLICE("xyz") } };
	static const char text[] = "ababcabcab";
	struct buf out = BUF_INIT;
	struct rewriter *r = rewriter_new(v, 1, &(struct nar_sink){ into_buf, &out });

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++)
		assert_int_equal(rewriter_feed(r, text + i, 1, NULL), 0);
	assert_int_equal(rewriter_end(r, NULL), 0);
	assert_string_equal(out.p, "abxyzxyzab");
	rewriter_free(r);
	buf_release(&out);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Digests, also two on end, and a beginning of one. */
static void test_digests(void **state)
{
	static const struct rewrite v[] = { { SLICE(A), SLICE(B) } };
	static const char text[] = "(" A A ") " B "/" A "-x aaaa", want[] = "(" B B ") " B "/" B "-x aaaa";
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof text; i++) {
		struct rewriter *r = rewriter_new(v, 1, &(struct nar_sink){ into_buf, &out });

		assert_int_equal(rewriter_feed(r, text, i, NULL), 0);
		assert_int_equal(rewriter_feed(r, text + i, sizeof text - 1 - i, NULL), 0);
		assert_int_equal(rewriter_end(r, NULL), 0);
		rewriter_free(r);
		assert_string_equal(buf_str(&out), want);
		buf_trim(&out, 0);
	}
	buf_release(&out);
}

static void test_nothing(void **state)
{
	struct buf out = BUF_INIT;
	struct rewriter *r = rewriter_new(NULL, 0, &(struct nar_sink){ into_buf, &out });

	(void)state;
	assert_int_equal(rewriter_end(r, NULL), 0);
	rewriter_free(r);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void self(const char *text, size_t n, struct hash *out)
{
	struct self_hash *h = self_hash_new("00000000000000000000000000000000");

	self_hash_feed(h, text, n / 2);
	self_hash_feed(h, text + n / 2, n - n / 2);
	self_hash_end(h, out);
}

static void test_self_hash(void **state)
{
	static const char zeroed[64] = "12345678";
	char text[64] = "12345678";
	struct buf plain = BUF_INIT;
	struct hash a, b, want;

	(void)state;
	/* Nothing to leave out: the hash of the bytes. */
	self(zeroed, sizeof zeroed, &a);
	hash_bytes(HASH_SHA256, zeroed, sizeof zeroed, &want);
	assert_true(hash_eq(&a, &want));
	/* The digest at 8 is hashed as zeros, and where it stood behind it. */
	memset(text + 8, '0', 32);
	self(text, sizeof text, &b);
	buf_add(&plain, zeroed, sizeof zeroed);
	buf_adds(&plain, "|8");
	hash_bytes(HASH_SHA256, plain.p, plain.len, &want);
	assert_true(hash_eq(&b, &want));
	assert_false(hash_eq(&a, &b));
	buf_release(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_one_byte_at_a_time),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_self_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
