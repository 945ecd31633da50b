/* SPDX-License-Identifier: MIT
 *
 * readdir says "no more" and "failed" by the same NULL, and only who clears errno first can tell them apart.  What
 * deletes, copies or checks by such a list must not take a short one for the whole, so this file alone calls readdir, and what
 * is below it.
 */
#include "config.h"
#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int dir_take(struct dir *d, int fd, const char *path, struct err *e)
{
	int saved, rc;

	*d = (struct dir){ .fd = fd, .path = path };
	if (fd >= 0)
		d->stream = fdopendir(fd);
	if (d->stream)
		return 0;
	saved = errno;
	if (fd >= 0)
		close(fd);
	d->fd = -1;
	errno = saved;
	rc = err_errno(e, "cannot list '%s'", path);
	errno = saved;
	return rc;
}

int dir_open(struct dir *d, int dirfd, const char *path, struct err *e)
{
	return dir_take(d, openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path, e);
}

static int is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

int dir_next(struct dir *d, struct err *e)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(d->stream);
		if (!entry)
			return errno ? err_errno(e, "cannot list '%s'", d->path) : 0;
	} while (is_dots(entry->d_name));
	d->name = entry->d_name;
	return 1;
}

void dir_rewind(struct dir *d)
{
	rewinddir(d->stream);
}

void dir_close(struct dir *d)
{
	if (d->stream)
		closedir(d->stream);
	d->stream = NULL;
	d->fd = -1;
}

int dir_each(int fd, void (*fn)(void *arg, const char *name, unsigned char type), void *arg)
{
	_Alignas(struct dirent64) char room[1 << 15];
	ssize_t n;

	while ((n = getdents64(fd, room, sizeof room)) > 0)
		for (ssize_t i = 0; i < n;) {
			const struct dirent64 *d = (const void *)(room + i);

			if (!is_dots(d->d_name))
				fn(arg, d->d_name, d->d_type);
			i += d->d_reclen;
		}
	return n < 0 ? -1 : 0;
}
