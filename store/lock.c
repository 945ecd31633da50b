/* SPDX-License-Identifier: MIT
 *
 * Locks are files that are flocked (base/flock.h), as Nix does it with the same files.
 *
 * Removing a lock file races with those that have opened it and wait: they would get the lock of a file
 * that has no name any more, while a newcomer locks a new one.  So the remover writes a letter into the
 * file, and whoever gets a lock on a file that is not empty starts again.  The name goes first: a file that has it still was not
 * removed, whatever a power cut left in it.
 */
#include "config.h"
#include "store/lock.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/flock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct held_lock {
	int fd;
	char name[STORE_BASE_MAX + sizeof ".lock"];
};

/* 1 when what is locked has no name any more. */
static int was_removed(int dirfd, const char *name, int fd, const struct stat *st)
{
	struct stat named;

	if (!st->st_size)
		return 0;
	if (fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) || named.st_ino != st->st_ino || named.st_dev != st->st_dev)
		return 1;
	return ftruncate(fd, 0) < 0;
}

/* Opens and locks one; *fd is -1 when another has it and we are not to wait. */
static int take_one(struct store *s, int dirfd, const char *name, enum lock_wait wait, int *fd, struct err *e)
{
	for (;;) {
		struct stat st;
		int rc;

		*fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (*fd < 0)
			return err_errno(e, "cannot open the lock file '%s'", name);
		rc = lock_fd(*fd, LOCK_EX | LOCK_NB, e);
		if (rc == 1 && wait == LOCK_WAIT) {
			store_notice(s, "waiting for another process to finish with '%.*s'", (int)(strlen(name) - 5), name);
			unsigned activity = activity_begin(ACTIVITY_WAIT, name);
			rc = lock_fd(*fd, LOCK_EX, e);
			activity_end(activity, rc);
		}
		if (rc == 0 && fstat(*fd, &st) < 0)
			rc = err_errno(e, "cannot look at the lock file '%s'", name);
		if (rc == 0 && !was_removed(dirfd, name, *fd, &st))
			return 0;
		close(*fd);
		*fd = -1;
		if (rc)
			return rc < 0 ? rc : 0;
	}
}

int path_locks_take(struct path_locks *l, struct store *s, const struct path_set *paths, enum lock_wait wait,
		    struct err *e)
{
	int rc = 0;

	*l = (struct path_locks){ .v = xcalloc(paths->n + 1, sizeof *l->v), .dirfd = store_fd(s) };
	for (size_t i = 0; !rc && i < paths->n; i++) {
		struct held_lock *h = &l->v[i];
		snprintf(h->name, sizeof h->name, "%s.lock", paths->v[i].base);
		rc = take_one(s, l->dirfd, h->name, wait, &h->fd, e);
		if (!rc && h->fd < 0)
			rc = 1;
		else if (!rc)
			l->n++;
	}
	if (rc)
		path_locks_release(l, 0);
	return rc;
}

void path_locks_release(struct path_locks *l, int done)
{
	for (size_t i = 0; i < l->n; i++) {
		if (done) {
			unlinkat(l->dirfd, l->v[i].name, 0);
			/* Should this fail, a waiter takes a lock without a name, at worst doing the same work twice. */
			ssize_t w = write(l->v[i].fd, "d", 1);
			(void)w;
		}
		close(l->v[i].fd);
	}
	free(l->v);
	*l = (struct path_locks){ 0 };
}
