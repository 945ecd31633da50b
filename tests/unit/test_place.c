/* SPDX-License-Identifier: MIT
 *
 * store/place and store/tree: where the store is, and removing trees that were made to be awkward.
 */
#include "config.h"
#include "store/place.h"
#include "store/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void named_root(void **state)
{
	struct place_request r = { "/nonexistent/a/../b//c/", NULL };
	struct place p;

	(void)state;
	assert_int_equal(place_choose(&p, &r, NULL), 0);
	assert_int_equal(p.mode, PLACE_ROOT);
	assert_string_equal(p.root, "/nonexistent/b/c");
	assert_string_equal(p.store_dir, "/nix/store");
	assert_string_equal(p.real_store, "/nonexistent/b/c/nix/store");
	assert_string_equal(p.state_dir, "/nonexistent/b/c/nix/var/nix");
	assert_string_equal(p.log_dir, "/nonexistent/b/c/nix/var/log/nix");
	assert_true(place_is_mapped(&p));
	char *real = place_real(&p, SLICE("/nix/store/x/y"));
	assert_string_equal(real, "/nonexistent/b/c/nix/store/x/y");
	free(real);
	assert_null(place_real(&p, SLICE("/nix/storex/y")));
	place_release(&p);
}

static void local_with_parameters(void **state)
{
	struct place_request r = { "local?root=/nonexistent/a%20b&state=/nonexistent/s", NULL };
	struct place p;

	(void)state;
	assert_int_equal(place_choose(&p, &r, NULL), 0);
	assert_string_equal(p.real_store, "/nonexistent/a b/nix/store");
	assert_string_equal(p.state_dir, "/nonexistent/s");
	assert_int_equal(p.mode, PLACE_ROOT);
	place_release(&p);
	r.store = "local?store=/nonexistent/store&state=/nonexistent/s";
	assert_int_equal(place_choose(&p, &r, NULL), 0);
	assert_int_equal(p.mode, PLACE_RELOCATED);
	assert_false(place_is_mapped(&p));
	place_release(&p);
}

static void address_there_and_back(void **state)
{
	struct place_request r = { "local?root=/nonexistent/a%20b%26c&state=/nonexistent/s%25&system-features=x%20y&require-sigs=false",
				   NULL };
	struct place p, q;

	(void)state;
	assert_int_equal(place_choose(&p, &r, NULL), 0);
	r.store = place_address(&p);
	assert_int_equal(place_choose(&q, &r, NULL), 0);
	assert_string_equal(q.root, "/nonexistent/a b&c");
	assert_string_equal(q.state_dir, "/nonexistent/s%");
	assert_string_equal(q.real_store, p.real_store);
	assert_string_equal(q.store_dir, p.store_dir);
	assert_string_equal(q.log_dir, p.log_dir);
	assert_string_equal(q.features, "x y");
	assert_int_equal(q.takes_unsigned, 1);
	free((char *)r.store);
	place_release(&p);
	place_release(&q);
}

static void relocated(void **state)
{
	struct place_request r = { NULL, "/nonexistent/gx/store/" };
	struct place p;

	(void)state;
	assert_int_equal(place_choose(&p, &r, NULL), 0);
	assert_int_equal(p.mode, PLACE_RELOCATED);
	assert_string_equal(p.store_dir, "/nonexistent/gx/store");
	assert_string_equal(p.real_store, p.store_dir);
	assert_string_equal(p.state_dir, "/nonexistent/gx/var/nix");
	assert_false(place_is_mapped(&p));
	place_release(&p);
}

static void per_user(void **state)
{
	struct place_request r = { NULL, NULL };
	struct place p;

	(void)state;
	if (geteuid() == 0)
		skip();
	setenv("XDG_DATA_HOME", "/nonexistent/data", 1);
	assert_int_equal(place_choose(&p, &r, NULL), 0);
	if (p.mode == PLACE_USER)
		assert_string_equal(p.root, "/nonexistent/data/gx/root");
	place_release(&p);
	unsetenv("XDG_DATA_HOME");
}

/* A store behind an address has a folder for what is known of it. */
static void addresses(void **state)
{
	const struct place_request r = { "unix:///x?store=/other/store", NULL };
	struct err e = ERR_INIT;
	struct place p;

	(void)state;
	assert_int_equal(place_choose(&p, &r, &e), 0);
	assert_int_equal(p.mode, PLACE_VIEW);
	assert_string_equal(p.address, r.store);
	assert_string_equal(p.store_dir, "/other/store");
	assert_non_null(strstr(p.root, "gx-view-"));
	assert_false(place_is_mapped(&p));
	place_release(&p);
}

static void refused(void **state)
{
	static const struct {
		struct place_request r;
		const char *why;
	} bad[] = {
		{ { "nosuchname", NULL }, "'./nosuchname'" },
		{ { "local?rot=/x", NULL }, "no parameter 'rot'" },
		{ { NULL, "/nonexistent/gx" }, "must be called 'store'" },
		{ { NULL, "/nonexistent/a b/store" }, "has a character" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct place p;
		assert_int_equal(place_choose(&p, &bad[i].r, &e), ERR_INVALID);
		if (!strstr(e.msg, bad[i].why))
			fail_msg("'%s' does not say '%s'", e.msg, bad[i].why);
		err_release(&e);
	}
}

/* --- trees --- */

static char root[32];
static int root_fd;

static int start(void **state)
{
	(void)state;
	strcpy(root, "/tmp/gx-unit-XXXXXX");
	root_fd = mkdtemp(root) ? open(root, O_RDONLY | O_DIRECTORY) : -1;
	return root_fd < 0;
}

static int end(void **state)
{
	(void)state;
	close(root_fd);
	return rmdir(root);
}

/* A store has more directories than a process descriptors. */
static int next_descriptor(void)
{
	int fd = dup(root_fd);

	close(fd);
	return fd;
}

static void remove_deep(void **state)
{
	int fd = root_fd;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		int file = openat(next, "f", O_WRONLY | O_CREAT, 0600);
		close(file);
		if (fd != root_fd)
			close(fd);
		fd = next;
	}
	close(fd);
	int next = next_descriptor();
	assert_int_equal(tree_remove(root_fd, "d", NULL, NULL, NULL), 0);
	assert_int_equal(next_descriptor(), next);
	assert_int_equal(faccessat(root_fd, "d", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void remove_follows_no_link(void **state)
{
	uint64_t freed = 0;

	(void)state;
	assert_int_equal(mkdirat(root_fd, "keep", 0755), 0);
	close(openat(root_fd, "keep/file", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(mkdirat(root_fd, "go", 0755), 0);
	assert_int_equal(symlinkat("../keep", root_fd, "go/link"), 0);
	assert_int_equal(symlinkat("keep", root_fd, "top"), 0);
	assert_int_equal(tree_remove(root_fd, "go", &freed, NULL, NULL), 0);
	assert_int_equal(tree_remove(root_fd, "top", &freed, NULL, NULL), 0);
	assert_int_equal(faccessat(root_fd, "keep/file", F_OK, 0), 0);
	assert_int_equal(tree_remove(root_fd, "keep", NULL, NULL, NULL), 0);
	assert_int_equal(tree_remove(root_fd, "never was", NULL, NULL, NULL), 0);
}

struct swap {
	int fd, stop;
};

/* Makes what is a folder a link that leads out, and again, as fast as it can. */
static void *swap(void *arg)
{
	struct swap *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		syscall(SYS_renameat2, s->fd, "tree/a", s->fd, "link", 2); /* RENAME_EXCHANGE */
	return NULL;
}

static void remove_races_with_a_link(void **state)
{
	char top[] = "/tmp/gx-swap.XXXXXX";
	struct swap s = { 0 };
	pthread_t t;

	(void)state;
	assert_non_null(mkdtemp(top));
	s.fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s.fd >= 0);
	assert_int_equal(mkdirat(s.fd, "canary", 0755), 0);
	close(openat(s.fd, "canary/b", O_CREAT | O_WRONLY, 0644));
	assert_int_equal(pthread_create(&t, NULL, swap, &s), 0);
	for (int i = 0; i < 2000; i++) {
		unlinkat(s.fd, "link", 0);
		unlinkat(s.fd, "link", AT_REMOVEDIR);
		assert_true(!symlinkat("canary", s.fd, "link") || errno == EEXIST);
		mkdirat(s.fd, "tree", 0755);
		mkdirat(s.fd, "tree/a", 0755);
		close(openat(s.fd, "tree/a/b", O_CREAT | O_WRONLY | O_NOFOLLOW, 0644));
		/* It may fail: somebody changes what it removes.  What the link leads to is not its business. */
		tree_remove(s.fd, "tree", NULL, NULL, NULL);
		assert_int_equal(faccessat(s.fd, "canary/b", F_OK, 0), 0);
	}
	__atomic_store_n(&s.stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	close(s.fd);
	assert_int_equal(tree_remove(AT_FDCWD, top, NULL, NULL, NULL), 0);
}

static void remove_without_permission(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(root_fd, "a", 0755), 0);
	assert_int_equal(mkdirat(root_fd, "a/b", 0755), 0);
	close(openat(root_fd, "a/b/c", O_WRONLY | O_CREAT, 0444));
	assert_int_equal(fchmodat(root_fd, "a/b", 0, 0), 0);
	assert_int_equal(fchmodat(root_fd, "a", 0555, 0), 0);
	int next = next_descriptor();
	assert_int_equal(tree_remove(root_fd, "a", NULL, NULL, NULL), 0);
	assert_int_equal(next_descriptor(), next);
}

static void dirs_over_no_link(void **state)
{
	struct err e = ERR_INIT;
	int fd = tree_make_dirs(root_fd, "a/b/c", &e);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("a", root_fd, "l"), 0);
	assert_int_equal(tree_make_dirs(root_fd, "l/b", &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(unlinkat(root_fd, "l", 0), 0);
	assert_int_equal(tree_remove(root_fd, "a", NULL, NULL, NULL), 0);
}

static void owner_and_kinds(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdirat(root_fd, "o", 0755), 0);
	close(openat(root_fd, "o/f", O_WRONLY | O_CREAT, 0644));
	assert_int_equal(tree_check_owner(root_fd, "o", geteuid(), &e), 0);
	assert_int_equal(tree_check_owner(root_fd, "o", geteuid() + 1, &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(mkfifoat(root_fd, "o/fifo", 0644), 0);
	assert_int_equal(tree_check_owner(root_fd, "o", geteuid(), &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(tree_remove(root_fd, "o", NULL, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_root),	      cmocka_unit_test(local_with_parameters),
		cmocka_unit_test(address_there_and_back), cmocka_unit_test(relocated),	      cmocka_unit_test(per_user),
		cmocka_unit_test(addresses), cmocka_unit_test(refused),	      cmocka_unit_test(remove_deep),
		cmocka_unit_test(remove_follows_no_link),
		cmocka_unit_test(remove_races_with_a_link), cmocka_unit_test(remove_without_permission),
		cmocka_unit_test(dirs_over_no_link),  cmocka_unit_test(owner_and_kinds),
	};

	return cmocka_run_group_tests(tests, start, end);
}
