/* SPDX-License-Identifier: MIT
 *
 * file:// addresses, read here rather than by libcurl for the sake of exact errors: a module proxy in a directory must be
 * able to say "no such file".  Only regular files: a pipe or device would be read for ever.
 */
#include "config.h"
#include "base/arena.h"
#include "fetch/transfer_int.h"
#include "fetch/url.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "file:///a%20b", with an empty host or this one. */
static int file_path(const char *url, struct arena *mem, struct slice *out, struct err *e)
{
	const char *p = url + strlen("file://");

	if (!strncmp(p, "localhost/", 10))
		p += 9;
	if (*p != '/')
		return err_set(e, ERR_INVALID, "a file address needs an absolute path");
	int rc = url_decode((struct slice){ p, strcspn(p, "?#") }, mem, out, e);

	if (!rc && memchr(out->p, 0, out->n))
		rc = err_set(e, ERR_INVALID, "a file address cannot hold a NUL");
	return rc;
}

static int copy(struct transfer *t, int fd)
{
	char piece[65536];
	struct stat st;
	ssize_t n;
	int rc = 0;

	if (fstat(fd, &st) < 0)
		return err_errno(&t->err, "cannot read it");
	if (!S_ISREG(st.st_mode))
		return err_set(&t->err, ERR_INVALID, "it is no regular file");
	while (!rc && (n = read(fd, piece, sizeof piece)) != 0) {
		if (n > 0)
			rc = transfer_sink(t, piece, (size_t)n, (uint64_t)st.st_size);
		else if (errno != EINTR)
			rc = err_errno(&t->err, "cannot read it");
	}
	return rc;
}

void transfer_file(struct transfer *t)
{
	struct arena mem = ARENA_INIT;
	struct buf shown = BUF_INIT;
	struct slice path;
	int rc = file_path(t->req.url, &mem, &path, &t->err);

	if (!rc) {
		char *name = arena_dup(&mem, path.p, path.n);
		/* Not to hang on a pipe before fstat tells what it is. */
		int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			rc = copy(t, fd);
		else if (errno == ENOTDIR)
			rc = err_set(&t->err, ERR_NOTFOUND, "no such file");
		else
			rc = err_errno(&t->err, "cannot open it");
		if (fd >= 0)
			close(fd);
	}
	if (!rc) {
		transfer_show_url(&shown, t->req.url);
		t->result.final_url = buf_detach(&shown, NULL);
	}
	arena_release(&mem);
	transfer_finish(t, rc);
}
