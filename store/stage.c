/* SPDX-License-Identifier: MIT
 *
 * Private directories inside the store's file system, where objects are made before anybody may see them.
 *
 *     store/0000…0000-gx-staging/            mode 0700; every process that stages holds a shared lock on it
 *     store/0000…0000-gx-staging/<pid>-<n>/  one stage; its owner holds an exclusive lock on it
 *
 * The name is that of an object, which makes it a thing that can be a temporary root: so every version of Nix's collector
 * leaves it alone while it is in use, and removes it otherwise.  (Nix 2.8 removes whatever else lies in the store,
 * locked or not; later ones look at locks of directories called tmp-….)
 * Locks end with their processes, so a stage that is found unlocked is a dead process's, whatever its number;
 * each process sweeps once, before its first stage, and gx's collector does.
 *
 * Whoever locks a directory then looks whether it still has its name: the sweeper may have been faster.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/flock.h"
#include "store/object.h"
#include "store/roots.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

const char stage_common[] = "00000000000000000000000000000000-gx-staging";

struct stage {
	struct store *store;
	int fd;
	char name[40];
};

/* Opens dirfd/name and locks it; *fd is -1 when it is gone or somebody else's. */
static int open_locked(int dirfd, const char *name, int how, int *fd, struct err *e)
{
	struct stat a, b;
	int rc;

	*fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, "cannot open the staging directory '%s'", name);
	rc = lock_fd(*fd, how, e);
	if (rc == 0 && fstat(*fd, &a) == 0 && fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev)
		return 0;
	close(*fd);
	*fd = -1;
	return rc < 0 ? rc : 0;
}

static int open_common(struct store *s, struct err *e)
{
	struct store_path p;
	int rc = store_path_parse_base(slice_of(stage_common), &p, e);

	if (!rc)
		rc = store_add_temp_root(s, &p, e);
	if (rc)
		return rc;
	while (s->stage_dir < 0) {
		if (mkdirat(s->fd, stage_common, 0700) < 0 && errno != EEXIST)
			return err_errno(e, "cannot write to the store '%s'", s->place->real_store);
		rc = open_locked(s->fd, stage_common, LOCK_SH, &s->stage_dir, e);
		if (rc)
			return rc;
	}
	/* Nothing made inside is to inherit a group or an access list from the store directory. */
	if (fchmod(s->stage_dir, 0700) < 0)
		return err_errno(e, "cannot make the staging directory private");
	fremovexattr(s->stage_dir, "system.posix_acl_default");
	fremovexattr(s->stage_dir, "system.posix_acl_access");
	return stage_sweep(s, NULL, e);
}

int stage_sweep(struct store *s, uint64_t *freed, struct err *e)
{
	int fd = openat(s->fd, stage_common, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc;
	struct dir d;

	if (fd < 0 && errno == ENOENT)
		return 0;
	rc = dir_take(&d, fd, stage_common, e);
	while (!rc && (rc = dir_next(&d, e)) > 0) {
		int one;
		rc = open_locked(fd, d.name, LOCK_EX | LOCK_NB, &one, e);
		if (!rc && one >= 0) {
			rc = tree_remove(fd, d.name, freed, NULL, e);
			close(one);
		}
	}
	dir_close(&d);
	return rc;
}

void stage_remove_common(struct store *s)
{
	int fd;

	if (open_locked(s->fd, stage_common, LOCK_EX | LOCK_NB, &fd, NULL) || fd < 0)
		return;
	unlinkat(s->fd, stage_common, AT_REMOVEDIR);
	close(fd);
}

int stage_open(struct store *s, struct stage **out, struct err *e)
{
	struct stage *st = xcalloc(1, sizeof *st);
	int rc = store_want_writable(s, e);

	st->fd = -1;
	if (!rc && s->stage_dir < 0)
		rc = open_common(s, e);
	while (!rc && st->fd < 0) {
		snprintf(st->name, sizeof st->name, "%ld-%u", (long)getpid(), s->stage_count++);
		if (mkdirat(s->stage_dir, st->name, 0700) < 0) {
			if (errno != EEXIST)
				rc = err_errno(e, "cannot make a staging directory in '%s'", s->place->real_store);
			continue;
		}
		rc = open_locked(s->stage_dir, st->name, LOCK_EX | LOCK_NB, &st->fd, e);
	}
	if (rc) {
		free(st);
		return rc;
	}
	st->store = s;
	*out = st;
	return 0;
}

void stage_free(struct stage *st)
{
	if (!st)
		return;
	/* What cannot be removed now is left to the next sweep. */
	tree_remove(st->store->stage_dir, st->name, NULL, NULL, NULL);
	close(st->fd);
	free(st);
}

int stage_fd(const struct stage *st)
{
	return st->fd;
}
