/* SPDX-License-Identifier: MIT
 *
 * The loops around read and write, once.
 */
#include "config.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t fd_read(int fd, void *p, size_t n)
{
	ssize_t k;

	do
		k = read(fd, p, n);
	while (k < 0 && errno == EINTR);
	return k;
}

ssize_t fd_read_full(int fd, void *p, size_t n)
{
	size_t done = 0;
	ssize_t k = 0;

	while (done < n && (k = fd_read(fd, (char *)p + done, n - done)) > 0)
		done += (size_t)k;
	return k < 0 ? -1 : (ssize_t)done;
}

ssize_t fd_read_at(int fd, void *p, size_t n, uint64_t at)
{
	size_t done = 0;

	while (done < n) {
		ssize_t k = pread(fd, (char *)p + done, n - done, (off_t)(at + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (!k)
			break;
		done += (size_t)k;
	}
	return (ssize_t)done;
}

int fd_read_all(int fd, struct buf *out)
{
	enum { PIECE = 1 << 16 };
	ssize_t k;

	do {
		buf_reserve(out, PIECE);
		k = fd_read(fd, out->p + out->len, PIECE);
		buf_extend(out, k > 0 ? (size_t)k : 0);
	} while (k > 0);
	return k < 0 ? -1 : 0;
}

int fd_write_all(int fd, const void *p, size_t n)
{
	for (const char *q = p; n;) {
		ssize_t k = write(fd, q, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		q += k;
		n -= (size_t)k;
	}
	return 0;
}

int file_replace(const char *path, const void *p, size_t n, mode_t mode)
{
	struct buf fresh = BUF_INIT;
	int fd, rc, saved;

	buf_addf(&fresh, "%s.new", path);
	unlink(fresh.p);
	fd = open(fresh.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	rc = fd < 0 ? -1 : fd_write_all(fd, p, n);
	saved = errno;
	if (fd >= 0 && close(fd) && !rc) {
		rc = -1;
		saved = errno;
	}
	if (!rc && rename(fresh.p, path)) {
		rc = -1;
		saved = errno;
	}
	if (rc)
		unlink(fresh.p);
	buf_release(&fresh);
	errno = saved;
	return rc;
}

int make_folders(const char *path, mode_t mode)
{
	struct buf part = BUF_INIT;
	int rc = 0;

	for (const char *p = path + (*path == '/'); !rc && *p; p += *p == '/') {
		p += strcspn(p, "/");
		part.len = 0;
		buf_add(&part, path, (size_t)(p - path));
		rc = mkdir(buf_str(&part), mode) && errno != EEXIST && errno != EISDIR ? -1 : 0;
	}
	buf_release(&part);
	return rc;
}
