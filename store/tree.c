/* SPDX-License-Identifier: MIT
 *
 * Removing a tree that somebody else may be changing at the same time, or that was built to be awkward.
 *
 * Every step is by descriptor: a directory is opened without following links, looked at by that descriptor,
 * made writable by that descriptor (through /proc/self/fd, since fchmod does not take O_PATH ones), and its entries are
 * named relative to it.  Swapping a directory for a link at any moment makes a call fail or removes the link.
 *
 * Depth costs a descriptor a level, so beyond a few levels directories are first moved up into the top of
 * the tree being removed, which is emptied again and again until nothing is left.
 */
#include "config.h"
#include "store/tree.h"
#include "base/dir.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	REMOVE_DEPTH = 40,  /* levels held open at once */
	REMOVE_PASSES = 1000 /* how often a directory may be found refilled: somebody works against us */
};

struct removal {
	int top; /* directory that deep ones are moved into */
	unsigned moved;
	uint64_t freed;
	const struct tree_pause *pause;
	struct err *e;
};

/* Opens a directory for good: rwx for us.  -1 with errno set. */
static int open_writable_dir(int dirfd, const char *name)
{
	char self[32];
	struct stat st;
	int p = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd = -1, saved;

	if (p < 0)
		return -1;
	if (fstat(p, &st) == 0) {
		snprintf(self, sizeof self, "/proc/self/fd/%d", p);
		if ((st.st_mode & 0700) == 0700 || chmod(self, 0700) == 0 || geteuid() == 0)
			fd = openat(p, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	saved = errno;
	close(p);
	errno = saved;
	return fd;
}

static int remove_dir(struct removal *r, int dirfd, const char *name, int depth);

static int move_up(struct removal *r, int dirfd, const char *name)
{
	char to[32];
	int fd = open_writable_dir(dirfd, name); /* renaming it changes its ".." */

	if (fd >= 0)
		close(fd);
	for (;;) {
		snprintf(to, sizeof to, "gx-%u", r->moved++);
		if (renameat2(dirfd, name, r->top, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return err_errno(r->e, "cannot move '%s' to remove it", name);
	}
}

static int remove_entry(struct removal *r, int dirfd, const char *name, int depth)
{
	struct stat st;
	int rc = r->pause ? r->pause->step(r->pause->user) : 0;

	if (rc)
		return rc;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(r->e, "cannot look at '%s'", name);
	if (S_ISDIR(st.st_mode)) {
		if (depth >= REMOVE_DEPTH)
			return move_up(r, dirfd, name);
		rc = remove_dir(r, dirfd, name, depth);
		if (rc == 0)
			r->freed += (uint64_t)st.st_blocks * 512;
		return rc;
	}
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_errno(r->e, "cannot remove '%s'", name);
	if (st.st_nlink <= 1)
		r->freed += (uint64_t)st.st_blocks * 512;
	return 0;
}

/* One pass over what is in it now. */
static int empty_dir(struct removal *r, struct dir *d, int depth)
{
	int rc = 0;

	dir_rewind(d);
	while (!rc && (rc = dir_next(d, r->e)) > 0)
		rc = remove_entry(r, d->fd, d->name, depth + 1);
	return rc;
}

static int remove_dir(struct removal *r, int parent, const char *name, int depth)
{
	int fd = open_writable_dir(parent, name), rc = 0, saved_top = r->top;
	struct dir d;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(r->e, "cannot open '%s' to remove it", name);
	rc = dir_take(&d, fd, name, r->e);
	if (depth == 0)
		r->top = fd;
	for (int pass = 0; !rc; pass++) {
		rc = empty_dir(r, &d, depth);
		if (rc || unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			break;
		if ((errno != ENOTEMPTY && errno != EEXIST) || pass == REMOVE_PASSES)
			rc = err_errno(r->e, "cannot remove '%s'", name);
	}
	r->top = saved_top;
	dir_close(&d);
	return rc;
}

int tree_remove(int dirfd, const char *name, uint64_t *freed, const struct tree_pause *pause, struct err *e)
{
	struct removal r = { .top = -1, .pause = pause, .e = e };
	int rc = remove_entry(&r, dirfd, name, 0);

	if (freed)
		*freed += r.freed;
	return rc;
}

/* --- checking --- */

static int check_entry(int dirfd, const char *name, uid_t owner, int depth, struct err *e);

static int check_dir(int parent, const char *name, uid_t owner, int depth, struct err *e)
{
	struct dir d;
	int rc = dir_open(&d, parent, name, e);

	while (!rc && (rc = dir_next(&d, e)) > 0)
		rc = check_entry(d.fd, d.name, owner, depth + 1, e);
	dir_close(&d);
	return rc;
}

static int check_entry(int dirfd, const char *name, uid_t owner, int depth, struct err *e)
{
	struct stat st;

	if (depth > LIMIT_NAR_DEPTH)
		return err_set(e, ERR_LIMIT, "directories are nested more than %d deep", LIMIT_NAR_DEPTH);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "cannot look at '%s'", name);
	if (st.st_uid != owner)
		return err_set(e, ERR_INVALID, "'%s' belongs to user %lu, not to the builder (%lu)", name,
			       (unsigned long)st.st_uid, (unsigned long)owner);
	if (S_ISDIR(st.st_mode))
		return check_dir(dirfd, name, owner, depth, e);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is neither a file nor a directory nor a symlink", name);
	return 0;
}

int tree_check_owner(int dirfd, const char *name, uid_t owner, struct err *e)
{
	return check_entry(dirfd, name, owner, 0, e);
}

/* --- making directories --- */

int tree_make_dirs(int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open a directory of the store");
	while (*path) {
		char name[256];
		size_t n = strcspn(path, "/");
		int next;

		if (n >= sizeof name) {
			close(fd);
			return err_set(e, ERR_INVALID, "the file name '%s' is too long", path);
		}
		memcpy(name, path, n);
		name[n] = 0;
		path += n + strspn(path + n, "/");
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && errno == ENOENT && (mkdirat(fd, name, 0755) == 0 || errno == EEXIST))
			next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0) {
			int rc = errno == ELOOP || errno == ENOTDIR ?
				 err_set(e, ERR_INVALID, "'%s' is a symlink or no directory, which the directories of a "
							 "store must not be", name) :
				 err_errno(e, "cannot make the directory '%s'", name);
			close(fd);
			return rc;
		}
		close(fd);
		fd = next;
	}
	return fd;
}
