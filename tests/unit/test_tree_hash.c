/* SPDX-License-Identifier: MIT
 *
 * Hashes of trees, remembered: whatever makes other contents makes another state, also with the times put back, and what was changed
 * at this moment proves nothing.
 */
#include "config.h"
#include "fetch/tree_hash.h"

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

static char top[] = "/tmp/gx-test-tree-hash.XXXXXX", cache[] = "/tmp/gx-test-tree-cache.XXXXXX";

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
	const struct tree_question q = { .place = top, .filter = filter };
	struct hash h, unknown;

	wait_a_while();
	assert_int_equal(tree_hash_recall(&q, &h, &unknown), 0);
	assert_int_equal(h.algo, HASH_SHA256);
	return h;
}

/* Whether nothing can be remembered of what lies there. */
static int is_nothing(const char *place)
{
	const struct tree_question q = { .place = place };
	struct hash h, unknown;

	assert_int_equal(tree_hash_recall(&q, &h, &unknown), 0);
	return h.algo == HASH_ANY;
}

static int set_up(void **unused)
{
	(void)unused;
	assert_non_null(mkdtemp(top));
	assert_non_null(mkdtemp(cache));
	setenv("XDG_CACHE_HOME", cache, 1);
	sh("mkdir -p a/b empty small && echo one >a/b/f && echo two >g && ln -s g l && echo x >small/x && head -c 300000 /dev/zero >large");
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	sh("rm -rf -- \"$PWD\" \"$XDG_CACHE_HOME\"");
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
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)unused;
	state(NULL);
	assert_int_equal(futimens(fd, NULL), 0);
	assert_true(is_nothing(top));
	close(fd);
}

static void what_is_not_there_neither(void **unused)
{
	(void)unused;
	assert_true(is_nothing("/tmp/gx-test-tree-hash-none"));
}

static void what_is_read_at_once_is_not_noted(void **unused)
{
	char place[64];

	(void)unused;
	wait_a_while();
	snprintf(place, sizeof place, "%s/small", top);
	assert_true(is_nothing(place));
}

static void what_was_noted_is_known(void **unused)
{
	const struct tree_question tree = { .place = top };
	struct hash seen = state(NULL), given, h;
	char place[64];

	(void)unused;
	snprintf(place, sizeof place, "%s/large", top);
	const struct tree_question archive = { .place = place }, bytes = { .place = place, .flat = 1 };
	hash_bytes(HASH_SHA256, "given", 5, &given);
	tree_hash_remember(&tree, &seen, &given);
	assert_int_equal(tree_hash_recall(&tree, &seen, &h), 1);
	assert_true(hash_eq(&h, &given));
	assert_int_equal(tree_hash_recall(&archive, &seen, &h), 0);
	tree_hash_remember(&archive, &seen, &given);
	assert_int_equal(tree_hash_recall(&bytes, &seen, &h), 0);
	assert_int_equal(tree_hash_recall(&archive, &seen, &h), 1);
	sh("printf 1 >>large");
	state(NULL);
	assert_int_equal(tree_hash_recall(&archive, &seen, &h), 0);
}

static void what_has_the_cache_is_not_noted(void **unused)
{
	(void)unused;
	state(NULL);
	setenv("XDG_CACHE_HOME", top, 1);
	assert_true(is_nothing(top));
	setenv("XDG_CACHE_HOME", cache, 1);
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
	assert_int_equal(asked, 9); /* a a/c a/c/f empty g l large small small/x */
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
		cmocka_unit_test(what_is_read_at_once_is_not_noted),
		cmocka_unit_test(what_was_noted_is_known),
		cmocka_unit_test(what_has_the_cache_is_not_noted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
