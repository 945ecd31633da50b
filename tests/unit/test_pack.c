/* SPDX-License-Identifier: MIT
 *
 * Packs: what is put in comes out, and nothing else does, whatever happened to the file.
 */
#include "config.h"
#include "fetch/pack.h"
#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ID = 0x1234 };

static char cache[] = "/tmp/gx-test-pack.XXXXXX", file[128];

static struct pack_key key_of(const char *path, ino_t ino)
{
	const struct stat st = { .st_dev = 1, .st_ino = ino, .st_size = 3, .st_mtim = { 5, 6 }, .st_ctim = { 7, 8 } };

	return pack_key(path, strlen(path), &st);
}

static void add(struct pack *p, const char *path, ino_t ino, const char *text)
{
	const struct pack_key k = key_of(path, ino);

	pack_add(p, &k, text, strlen(text));
}

/* Looks a file up in a pack: 1 when it is there, and then it must be `text`. */
static int has(struct pack *p, const char *path, ino_t ino, const char *text)
{
	const struct pack_key k = key_of(path, ino);
	size_t n;
	const char *bytes = pack_get(p, &k, &n);

	if (!bytes)
		return 0;
	assert_int_equal(n, strlen(text));
	assert_memory_equal(bytes, text, n);
	return 1;
}

static void close_pack(struct pack *p)
{
	pack_save(p);
	pack_free(p);
}

static const struct { const char *path, *text; } files[] = {
	{ "/a", "what was made of a" }, { "/b", "" }, { "/c/d", "x" }, { "/e", "a longer text of some thirty bytes or more" },
};
enum { N_FILES = sizeof files / sizeof *files };

static unsigned count(void)
{
	struct pack *p = pack_open(ID);
	unsigned n = 0;

	for (unsigned i = 0; i < N_FILES; i++)
		n += (unsigned)has(p, files[i].path, i, files[i].text);
	pack_free(p);
	return n;
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(cache))
		return -1;
	setenv("XDG_CACHE_HOME", cache, 1);
	snprintf(file, sizeof file, "%s/gx/compiled/%016x", cache, ID);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", cache);
	return system(command);
}

static int fill(void **state)
{
	(void)state;
	unlink(file);
	struct pack *p = pack_open(ID);
	for (unsigned i = 0; i < N_FILES; i++)
		add(p, files[i].path, i, files[i].text);
	close_pack(p);
	return 0;
}

static void test_round_trip(void **state)
{
	struct pack *p = pack_open(ID);

	(void)state;
	assert_int_equal(count(), N_FILES);
	assert_false(pack_is_empty(p));
	assert_false(has(p, "/a", 9, ""));
	assert_false(has(p, "/z", 0, ""));
	pack_free(p);
	p = pack_open(ID + 1);
	assert_true(pack_is_empty(p));
	pack_free(p);
}

/* A file that changed takes the place of what it was; what two runs add at once is one run's. */
static void test_replaced(void **state)
{
	struct pack *p = pack_open(ID), *q = pack_open(ID);

	(void)state;
	add(p, "/a", 100, "first");
	add(p, "/a", 101, "second");
	add(q, "/q", 1, "other");
	close_pack(p);
	assert_true(has(q, "/c/d", 2, "x")); /* as it was opened */
	p = pack_open(ID);
	assert_true(has(p, "/a", 101, "second"));
	assert_false(has(p, "/a", 0, ""));
	assert_true(has(p, "/e", 3, files[3].text));
	pack_free(p);
	close_pack(q);
	p = pack_open(ID);
	assert_true(has(p, "/q", 1, "other"));
	assert_true(has(p, "/a", 0, files[0].text));
	pack_free(p);
}

static void test_unused_go(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= LIMIT_PACK_UNUSED; i++) {
		struct pack *p = pack_open(ID);
		assert_true(has(p, "/a", 0, files[0].text));
		add(p, "/new", i, "x");
		close_pack(p);
	}
	assert_int_equal(count(), 1);
}

static char *contents(size_t *n)
{
	FILE *f = fopen(file, "rb");
	static char b[4096];

	assert_non_null(f);
	*n = fread(b, 1, sizeof b, f);
	fclose(f);
	return b;
}

static void put_contents(const char *b, size_t n)
{
	FILE *f = fopen(file, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(b, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* A bit of each byte: what comes out is right or nothing, and most still comes out when it is only of one entry. */
static void test_flipped(void **state)
{
	unsigned lost = 0;
	size_t n;
	char *b = contents(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		b[i] ^= (char)(1 << i % 8);
		put_contents(b, n);
		unsigned left = count();
		assert_true(left < N_FILES);
		lost += left == 0;
		b[i] ^= (char)(1 << i % 8);
	}
	assert_true(lost < n);
	put_contents(b, n);
	assert_int_equal(count(), N_FILES);
}

static void test_cut_short(void **state)
{
	size_t n;
	char *b = contents(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		put_contents(b, i);
		assert_int_equal(count(), 0);
	}
	b[n] = 'x';
	put_contents(b, n + 1);
	assert_int_equal(count(), 0);
}

static void test_not_mine(void **state)
{
	char dir[128];

	(void)state;
	snprintf(dir, sizeof dir, "%s/gx/compiled", cache);
	assert_int_equal(count(), N_FILES);
	chmod(file, 0622);
	assert_int_equal(count(), 0);
	chmod(file, 0600);
	chmod(dir, 0770);
	assert_int_equal(count(), 0);
	struct pack *p = pack_open(ID);
	add(p, "/a", 7, "x");
	close_pack(p); /* nor is it written to */
	chmod(dir, 0700);
	assert_int_equal(count(), N_FILES);
}

/* Nowhere to write: nothing happens. */
static void test_no_place(void **state)
{
	const char *home = getenv("HOME");
	char *was = home ? strdup(home) : NULL;

	(void)state;
	setenv("XDG_CACHE_HOME", "/dev/null/there", 1);
	fill(NULL);
	assert_int_equal(count(), 0);
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	assert_null(pack_open(ID));
	if (was)
		setenv("HOME", was, 1);
	setenv("XDG_CACHE_HOME", cache, 1);
	free(was);
}

static void test_few_packs(void **state)
{
	struct pack *p;

	(void)state;
	for (unsigned i = 0; i < LIMIT_PACKS + 2; i++) {
		p = pack_open(100 + i);
		add(p, "/a", 1, "x");
		close_pack(p);
	}
	unsigned left = 0;
	for (unsigned i = 0; i < LIMIT_PACKS + 2; i++) {
		p = pack_open(100 + i);
		left += !pack_is_empty(p);
		pack_free(p);
	}
	assert_true(left <= LIMIT_PACKS && left >= LIMIT_PACKS - 1);
}

static void test_racy(void **state)
{
	struct stat st = { .st_mtim = { time(NULL) - 10, 0 }, .st_ctim = { time(NULL) - 10, 0 } };

	(void)state;
	assert_false(pack_is_racy(&st));
	st.st_ctim.tv_sec = time(NULL);
	assert_true(pack_is_racy(&st));
	st.st_ctim.tv_sec = 0;
	st.st_mtim.tv_sec = time(NULL) + 100;
	assert_true(pack_is_racy(&st));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trip, fill), cmocka_unit_test_setup(test_replaced, fill),
		cmocka_unit_test_setup(test_unused_go, fill), cmocka_unit_test_setup(test_flipped, fill),
		cmocka_unit_test_setup(test_cut_short, fill), cmocka_unit_test_setup(test_not_mine, fill),
		cmocka_unit_test_setup(test_no_place, fill), cmocka_unit_test(test_few_packs), cmocka_unit_test(test_racy),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
