/* SPDX-License-Identifier: MIT
 *
 * States of trees: whatever makes other contents makes another state, also with the times put back, and what was changed at this
 * moment proves nothing.
 */
#include "config.h"
#include "fetch/tree_state.h"

#include <errno.h>
#include <fcntl.h>
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

static char top[] = "/tmp/gx-test-tree-state.XXXXXX";

static void sh(const char *script)
{
	char line[1024];

	snprintf(line, sizeof line, "cd %s && %s", top, script);
	assert_int_equal(system(line), 0);
}

static void wait_a_while(void)
{
	/* Longer than a file is young (trail_is_young). */
	nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000000 }, NULL);
}

static struct hash state(const struct nar_filter *filter)
{
	struct hash h;

	wait_a_while();
	assert_int_equal(tree_state(top, filter, &h), 1);
	return h;
}

static int set_up(void **unused)
{
	(void)unused;
	assert_non_null(mkdtemp(top));
	sh("mkdir -p a/b empty && echo one >a/b/f && echo two >g && ln -s g l");
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	sh("rm -rf -- \"$PWD\"");
	return 0;
}

static void the_same_again(void **unused)
{
	struct hash one = state(NULL), two = state(NULL);

	(void)unused;
	assert_true(hash_eq(&one, &two));
}

static void every_change_is_another(void **unused)
{
	static const char *const edits[] = {
		"touch -r g ../$$ && printf TWO | dd of=g conv=notrunc 2>/dev/null && touch -r ../$$ g && rm ../$$",
		"chmod +x g",
		"ln -sfn a l",
		"rm -r empty",
		"mkdir empty",
		"mv a/b a/c",
		"touch -r a ../$$ && touch a/x && rm a/x && touch -r ../$$ a && rm ../$$",
		"cp -p g g2 && mv g2 g",
	};
	struct hash before = state(NULL);

	(void)unused;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		sh(edits[i]);
		struct hash after = state(NULL);
		assert_false(hash_eq(&before, &after));
		before = after;
	}
}

static void what_is_young_proves_nothing(void **unused)
{
	struct hash h;
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)unused;
	state(NULL);
	assert_int_equal(futimens(fd, NULL), 0);
	assert_int_equal(tree_state(top, NULL, &h), 0);
	close(fd);
}

static void what_is_not_there_neither(void **unused)
{
	struct hash h;

	(void)unused;
	assert_int_equal(tree_state("/tmp/gx-test-tree-state-none", NULL, &h), 0);
}

/* Leaves out "g", and counts what it was asked about. */
static int not_g(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	int *asked = user;

	(void)e;
	++*asked;
	assert_int_equal(strlen(path), n);
	assert_memory_equal(path, top, strlen(top));
	assert_int_equal(type == NAR_SYMLINK, !strcmp(path + strlen(top), "/l"));
	return strcmp(path + strlen(top), "/g") != 0;
}

static void what_is_left_out_does_not_count(void **unused)
{
	int asked = 0;
	const struct nar_filter filter = { not_g, &asked };
	struct hash before = state(&filter);

	(void)unused;
	assert_int_equal(asked, 6); /* a a/c a/c/f empty g l */
	sh("echo three >g");
	struct hash after = state(&filter);
	assert_true(hash_eq(&before, &after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_again),
		cmocka_unit_test(every_change_is_another),
		cmocka_unit_test(what_is_young_proves_nothing),
		cmocka_unit_test(what_is_not_there_neither),
		cmocka_unit_test(what_is_left_out_does_not_count),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
