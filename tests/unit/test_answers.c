/* SPDX-License-Identifier: MIT
 *
 * Kept answers: what is put in comes out, and of a file that was cut short or changed anywhere, nothing does.
 */
#include "config.h"
#include "fetch/answers.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "format/basen.h"
#include "format/hash.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct slice question = SLICE("what?");
static char cache[] = "/tmp/gx-test-answers.XXXXXX", trail[] = "not looked into";
static struct buf file; /* its name */

static void add_one(void *user, struct answer *a)
{
	(void)a;
	++*(int *)user;
}

static int count(void)
{
	int n = 0;

	answer_each(add_one, &n);
	return n;
}

static int is_there(void)
{
	struct answer a;
	int yes = answer_get(question, &a);

	if (yes)
		answer_release(&a);
	assert_int_equal(count(), yes);
	return yes;
}

static void write_file(const char *p, size_t n)
{
	int fd = open(file.p, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, p, n), 0);
	close(fd);
}

static void test_round_trip(void **state)
{
	struct answer a;

	(void)state;
	assert_int_equal(answer_get(question, &a), 1);
	assert_true(slice_eq(a.question, question) && slice_eq(a.answer, SLICE("that")) && !a.reason.n);
	assert_int_equal(a.trail_len, sizeof trail);
	assert_memory_equal(a.trail, trail, sizeof trail);
	assert_int_equal((uintptr_t)a.trail % 8, 0);
	assert_int_equal(a.at, 7);
	answer_release(&a);
	assert_int_equal(answer_get(SLICE("what else?"), &a), 0);
	assert_int_equal(count(), 1);
}

static void test_damaged(void **state)
{
	struct buf b = BUF_INIT;
	int fd = open(file.p, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0 && !fd_read_all(fd, &b));
	close(fd);
	for (size_t n = 0; n < b.len; n++) {
		write_file(b.p, n);
		assert_false(is_there());
	}
	for (size_t i = 0; i < b.len; i++) {
		b.p[i] ^= 1;
		write_file(b.p, b.len);
		assert_false(is_there());
		b.p[i] ^= 1;
	}
	buf_addc(&b, 0);
	write_file(b.p, b.len);
	assert_false(is_there());
	write_file(b.p, b.len - 1);
	assert_true(is_there());
	buf_release(&b);
}

static void test_dropped(void **state)
{
	(void)state;
	answer_drop(question);
	assert_false(is_there());
}

static int set_up(void **state)
{
	const struct answer a = { .question = question, .answer = SLICE("that"), .trail = trail, .trail_len = sizeof trail, .at = 7 };
	uint8_t h[HASH_SHA256_LEN];
	char name[BASE16_LEN(HASH_SHA256_LEN) + 1] = "";

	(void)state;
	if (!mkdtemp(cache))
		return -1;
	setenv("XDG_CACHE_HOME", cache, 1);
	answer_put(&a);
	hash_sha256(question.p, question.n, h);
	base16_encode(h, sizeof h, name);
	buf_addf(&file, "%s/gx/answers/%s", cache, name);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	buf_release(&file);
	snprintf(command, sizeof command, "rm -rf '%s'", cache);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_dropped),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
