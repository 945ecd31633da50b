/* SPDX-License-Identifier: MIT
 *
 * A store in a folder of its own, for the tests of store/ on disk.  Include after <cmocka.h>.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "store/object.h"
#include "store/roots.h"
#include "store/store.h"
#include "store/tree.h"
#include "store/verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char root[64];
	int dir; /* of root */
	struct place place;
	struct store *store;
};

#define CHECK(call) check_ok((call), #call, __FILE__, __LINE__)

static struct err fixture_err;

/* Fails the test with the message when rc is not 0. */
static inline void check_ok(int rc, const char *what, const char *file, int line)
{
	if (rc)
		print_error("%s: %s\n", what, fixture_err.msg ? fixture_err.msg : "no message");
	_assert_int_equal((unsigned long)rc, 0, file, line);
}

static inline int fixture_start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct place_request r = { f->root, NULL };

	snprintf(f->root, sizeof f->root, "/tmp/gx-unit-XXXXXX");
	if (!mkdtemp(f->root))
		return -1;
	f->dir = open(f->root, O_RDONLY | O_DIRECTORY);
	*state = f;
	return place_choose(&f->place, &r, NULL) || store_open(&f->store, &f->place, STORE_NOSYNC, NULL);
}

static inline int fixture_end(void **state)
{
	struct fixture *f = *state;

	store_free(f->store);
	place_release(&f->place);
	close(f->dir);
	err_release(&fixture_err);
	int rc = tree_remove(AT_FDCWD, f->root, NULL, NULL, NULL);
	free(f);
	return rc;
}

/* Adds a text object that refers to up to two others. */
static inline struct store_path add_text(struct store *s, const char *name, const char *text, const struct store_path *a,
					 const struct store_path *b)
{
	struct path_set refs = PATH_SET_INIT;
	struct store_path out;

	if (a)
		path_set_add(&refs, a);
	if (b)
		path_set_add(&refs, b);
	CHECK(store_add_text(s, slice_of(name), slice_of(text), &refs, &out, &fixture_err));
	path_set_release(&refs);
	return out;
}

static inline int is_valid(struct store *s, const struct store_path *p)
{
	return store_is_valid(s, p, &fixture_err);
}

static inline int is_there(struct store *s, const char *base)
{
	struct stat st;

	return fstatat(store_fd(s), base, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline size_t verify(struct store *s)
{
	struct verify_options o = { .check_contents = 1 };
	size_t bad;

	CHECK(store_verify(s, &o, &bad, &fixture_err));
	return bad;
}

static inline void write_file(int dir, const char *name, const char *text, mode_t mode)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
	close(fd);
}

#endif
