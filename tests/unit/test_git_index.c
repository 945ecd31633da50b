/* SPDX-License-Identifier: MIT
 *
 * The index of a git work tree: each version is understood, and one that is cut, damaged or lies about itself is not.  Each is
 * parsed from memory of exactly its size, so that a sanitizer sees a read past the end.
 */
#include "config.h"
#include "fetch/git_index.h"
#include "format/hash.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHA1 = 20, SHA256 = 32, HEAD = 12, FIXED = 40, MODE_AT = 24, EXTENDED = 0x4000 };

/* --- making one --- */

struct maker {
	struct buf b;
	unsigned version;
	size_t id, entry; /* entry: where the last begins */
};

static void put(struct buf *b, uint32_t v, int bytes)
{
	while (bytes--)
		buf_addc(b, (char)(v >> 8 * bytes));
}

static void begin(struct maker *m, unsigned version, size_t id, uint32_t n)
{
	*m = (struct maker){ .version = version, .id = id };
	buf_adds(&m->b, "DIRC");
	put(&m->b, version, 4);
	put(&m->b, n, 4);
}

static void add_fixed(struct maker *m, uint32_t mode, unsigned flags)
{
	m->entry = m->b.len;
	for (int i = 0; i < FIXED / 4; i++)
		put(&m->b, i == MODE_AT / 4 ? mode : 0x01020304, 4);
	for (size_t i = 0; i < m->id; i++)
		put(&m->b, 0xa0 + (uint32_t)i, 1);
	put(&m->b, flags, 2);
	if (flags & EXTENDED)
		put(&m->b, 0x2000, 2);
}

static void fill(struct maker *m)
{
	do
		buf_addc(&m->b, 0);
	while ((m->b.len - m->entry) % 8);
}

/* cut: how much of the name before stays away, of version 4. */
static void add(struct maker *m, unsigned flags, unsigned cut, const char *rest, size_t len)
{
	add_fixed(m, 0100644, flags | (unsigned)(len < 0xfff ? len : 0xfff));
	if (m->version == 4)
		put(&m->b, cut, 1);
	buf_adds(&m->b, rest);
	if (m->version == 4)
		buf_addc(&m->b, 0);
	else
		fill(m);
}

static void add_sum(struct maker *m)
{
	struct hash h;

	hash_bytes(m->id == SHA1 ? HASH_SHA1 : HASH_SHA256, m->b.p, m->b.len, &h);
	buf_add(&m->b, h.b, m->id);
}

static int parse(const char *p, size_t n, struct git_index *x)
{
	char *exact = malloc(n ? n : 1);

	assert_non_null(exact);
	if (n)
		memcpy(exact, p, n);
	int rc = git_index_parse((struct slice){ exact, n }, x);
	free(exact);
	return rc;
}

static int refused(const char *p, size_t n)
{
	struct git_index x;
	int rc = parse(p, n, &x);

	git_index_release(&x);
	return rc == -1;
}

/* With its sum; to be released. */
static int is_refused(struct maker *m)
{
	add_sum(m);
	int yes = refused(m->b.p, m->b.len);
	buf_release(&m->b);
	return yes;
}

/* Three files, and one of them in conflict. */
static void make(struct maker *m, unsigned version, size_t id)
{
	begin(m, version, id, 4);
	add(m, version == 2 ? 0 : EXTENDED, 0, "a-b", 3);
	add(m, 0, 2, version == 4 ? "/long" : "a/long", 6);
	add(m, 0x1000, 4, version == 4 ? "x" : "a/x", 3);
	add(m, 0x2000, 0, version == 4 ? "" : "a/x", 3);
	buf_adds(&m->b, "TREE");
	put(&m->b, 5, 4);
	buf_adds(&m->b, "12345");
	add_sum(m);
}

/* --- what is understood --- */

static void test_versions(void **state)
{
	struct git_index x;
	struct maker m;

	(void)state;
	for (unsigned version = 2; version <= 4; version++)
		for (size_t id = SHA1; id <= SHA256; id += SHA256 - SHA1) {
			make(&m, version, id);
			assert_int_equal(parse(m.b.p, m.b.len, &x), 0);
			assert_int_equal(x.n, 3);
			assert_string_equal(x.names[0].p, "a-b");
			assert_string_equal(x.names[1].p, "a/long");
			assert_string_equal(x.names[2].p, "a/x");
			assert_true(git_index_has(&x, SLICE("a")) && git_index_has(&x, SLICE("a/x")));
			assert_false(git_index_has(&x, SLICE("a/")) || git_index_has(&x, SLICE("b")) || git_index_has(&x, SLICE("a/xy")));
			git_index_release(&x);
			buf_release(&m.b);
		}
}

static void test_empty(void **state)
{
	struct git_index x;
	struct maker m;

	(void)state;
	for (size_t id = SHA1; id <= SHA256; id += SHA256 - SHA1) {
		begin(&m, 2, id, 0);
		add_sum(&m);
		assert_int_equal(parse(m.b.p, m.b.len, &x), 0);
		assert_int_equal(x.n, 0);
		git_index_release(&x);
		buf_release(&m.b);
	}
	for (unsigned version = 0; version < 8; version++) {
		begin(&m, version, SHA1, 0);
		assert_int_equal(is_refused(&m), version < 2 || version > 4);
	}
}

/* The smallest and the longest names whose length stands in the flags, and some whose does not. */
static void test_lengths(void **state)
{
	static const size_t lengths[] = { 1, 5, 6, 7, 8, 0xffe, 0xfff, PATH_MAX - 1, PATH_MAX };
	char name[PATH_MAX + 1];
	struct maker m;

	(void)state;
	for (unsigned version = 2; version <= 4; version++)
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			memset(name, 'n', lengths[i]);
			name[lengths[i]] = 0;
			begin(&m, version, SHA1, 1);
			add(&m, 0, 0, name, lengths[i]);
			assert_int_equal(is_refused(&m), lengths[i] >= PATH_MAX);
		}
}

/* --- what is not --- */

static void test_cut_short(void **state)
{
	struct maker m;

	(void)state;
	for (unsigned version = 2; version <= 4; version++)
		for (size_t id = SHA1; id <= SHA256; id += SHA256 - SHA1) {
			make(&m, version, id);
			for (size_t n = 0; n < m.b.len; n++)
				assert_true(refused(m.b.p, n));
			/* The same with a sum that is right. */
			for (size_t n = HEAD; n < m.b.len - id; n++) {
				struct maker cut = { .id = id };
				buf_add(&cut.b, m.b.p, n);
				/* Extensions may be missing. */
				assert_int_equal(is_refused(&cut), n != m.b.len - id - 13);
			}
			buf_release(&m.b);
		}
}

static void test_flipped(void **state)
{
	struct maker m;

	(void)state;
	for (unsigned version = 2; version <= 4; version++) {
		make(&m, version, SHA1);
		for (size_t i = 0; i < m.b.len; i++) {
			m.b.p[i] ^= 1;
			assert_true(refused(m.b.p, m.b.len));
			m.b.p[i] ^= 1;
		}
		/* As git leaves it with index.skipHash. */
		memset(m.b.p + m.b.len - SHA1, 0, SHA1);
		assert_false(refused(m.b.p, m.b.len));
		buf_release(&m.b);
	}
}

static void test_counts(void **state)
{
	static const uint32_t counts[] = { 0, 1, 2, 3, 5, 60, 0x7fffffff, 0xffffffff };
	struct maker m;

	(void)state;
	for (unsigned version = 2; version <= 4; version++)
		for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
			make(&m, version, SHA1);
			buf_trim(&m.b, m.b.len - SHA1);
			for (int k = 0; k < 4; k++)
				m.b.p[8 + k] = (char)(counts[i] >> 8 * (3 - k));
			assert_true(is_refused(&m));
		}
}

static void test_wrong_lengths(void **state)
{
	static const size_t lengths[] = { 0, 3, 5, 0xffe, 0xfff };
	struct maker m;

	(void)state;
	for (unsigned version = 2; version <= 4; version++)
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			begin(&m, version, SHA1, 1);
			add(&m, 0, 0, "four", lengths[i]);
			assert_true(is_refused(&m));
		}
}

static void test_extensions(void **state)
{
	static const struct {
		const char *name;
		uint32_t len;
		int is_refused;
	} cases[] = {
		{ "ZZZZ", 8, 0 }, { "ZZZZ", 7, 1 }, { "ZZZZ", 9, 1 }, { "ZZZZ", 0xffffffff, 1 },
		{ "link", 8, 1 }, { "sdir", 8, 1 },
	};
	struct maker m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(&m, 2, SHA1, 1);
		add(&m, 0, 0, "a", 1);
		buf_adds(&m.b, cases[i].name);
		put(&m.b, cases[i].len, 4);
		buf_adds(&m.b, "12345678");
		assert_int_equal(is_refused(&m), cases[i].is_refused);
	}
}

/* The name before is "ab": what is kept of it, and no more, can be left out. */
static void test_prefixes(void **state)
{
	static const char *const numbers[] = {
		"\x03", "\x7f", "\x80\x80", "\xff\xff\xff\xff\x7f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	};
	struct maker m;

	(void)state;
	for (unsigned cut = 0; cut <= 2; cut++) {
		begin(&m, 4, SHA1, 2);
		add(&m, 0, 0, "ab", 2);
		add(&m, 0, cut, "c", 3 - cut);
		assert_false(is_refused(&m));
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		for (size_t len = 0; len < 4; len++) {
			begin(&m, 4, SHA1, 2);
			add(&m, 0, 0, "ab", 2);
			add_fixed(&m, 0100644, (unsigned)len);
			buf_adds(&m.b, numbers[i]);
			buf_add(&m.b, "c", 2);
			assert_true(is_refused(&m));
		}
	begin(&m, 4, SHA1, 1);
	add(&m, 0, 1, "ab", 2);
	assert_true(is_refused(&m));
}

static void test_entries(void **state)
{
	struct maker m;

	(void)state;
	/* Not in order. */
	begin(&m, 2, SHA1, 2);
	add(&m, 0, 0, "b", 1);
	add(&m, 0, 0, "a", 1);
	assert_true(is_refused(&m));
	/* Nothing. */
	begin(&m, 2, SHA1, 1);
	add(&m, 0, 0, "", 0);
	assert_true(is_refused(&m));
	/* More flags than version 2 has. */
	begin(&m, 2, SHA1, 1);
	add(&m, EXTENDED, 0, "a", 1);
	assert_true(is_refused(&m));
	/* A folder, of a sparse index. */
	begin(&m, 3, SHA1, 1);
	add_fixed(&m, 0040000, 2);
	buf_adds(&m.b, "a/");
	fill(&m);
	assert_true(is_refused(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions), cmocka_unit_test(test_empty), cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_flipped), cmocka_unit_test(test_counts),
		cmocka_unit_test(test_wrong_lengths), cmocka_unit_test(test_extensions), cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
