/* SPDX-License-Identifier: MIT
 *
 * Waiting until objects are on the disk.
 *
 * A few files are waited for one by one: that costs one commit of the file system's journal, for all of them together, while
 * syncfs also waits for whatever else the machine has written.  Writing of all begins before the first is waited for.
 */
#include "config.h"
#include "base/dir.h"
#include "store/object.h"
#include "store/store_int.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FEW = 96 };

struct few {
	int fd[FEW];
	size_t n;
};

/* Opens all of a tree that has contents of its own: a link is a part of its directory.  -1 when that is too much. */
static int gather(struct few *f, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;
	struct stat st;
	struct dir d;

	if (fd < 0)
		return !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode) ? 0 : -1;
	if (f->n == FEW || fstat(fd, &st)) {
		close(fd);
		return -1;
	}
	f->fd[f->n++] = fd;
	if (!S_ISDIR(st.st_mode))
		return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) ? -1 : 0;
	rc = dir_open(&d, fd, ".", NULL);
	while (!rc && (rc = dir_next(&d, NULL)) > 0)
		rc = gather(f, d.fd, d.name);
	dir_close(&d);
	return rc;
}

int store_sync_objects(struct store *s, const struct new_object *const *v, size_t n, struct err *e)
{
	struct few f = { .n = 0 };
	int rc = n > FEW ? -1 : 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = gather(&f, s->fd, v[i]->info.path.base);
	rc = rc ? syncfs(s->fd) : 0;
	for (size_t i = 0; i < f.n; i++) {
		rc = rc ? rc : fsync(f.fd[i]);
		close(f.fd[i]);
	}
	if (rc < 0 || fsync(s->fd) < 0)
		return err_errno(e, "cannot write the new objects to the disk");
	return 0;
}
