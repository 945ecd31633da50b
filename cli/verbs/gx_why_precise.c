/* SPDX-License-Identifier: MIT
 *
 * gx why-depends --precise: in which files of an object the digest of another occurs, and what stands around it.
 */
#include "config.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "cli/verbs/gx_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARGIN = 32 }; /* bytes shown on each side */

struct hits {
	struct slice digest;
	void (*each)(void *arg, const char *line);
	void *arg;
	struct buf path, line; /* path: below the object */
	struct err *e;
};

static void add_printable(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addc(b, p[i] < ' ' || p[i] > '~' ? '.' : p[i]);
}

static void look_in_file(struct hits *h, const char *p, size_t n)
{
	const char *at = n ? memmem(p, n, h->digest.p, h->digest.n) : NULL, *from, *to;

	if (!at)
		return;
	from = at - p > MARGIN ? at - MARGIN : p;
	to = (size_t)(p + n - at) > h->digest.n + MARGIN ? at + h->digest.n + MARGIN : p + n;
	buf_trim(&h->line, 0);
	buf_addf(&h->line, "%s: …", buf_str(&h->path));
	add_printable(&h->line, from, (size_t)(to - from));
	buf_adds(&h->line, "…");
	h->each(h->arg, buf_str(&h->line));
}

static int read_file(struct hits *h, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct buf b = BUF_INIT;
	int rc = fd < 0 || fd_read_all(fd, &b) ? err_errno(h->e, "reading '%s'", buf_str(&h->path)) : 0;

	if (!rc)
		look_in_file(h, b.p, b.len);
	if (fd >= 0)
		close(fd);
	buf_release(&b);
	return rc;
}

static int read_link(struct hits *h, int dirfd, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target - 1);

	if (n < 0)
		return err_errno(h->e, "reading '%s'", buf_str(&h->path));
	target[n] = 0;
	if (!memmem(target, (size_t)n, h->digest.p, h->digest.n))
		return 0;
	buf_trim(&h->line, 0);
	buf_addf(&h->line, "%s -> %s", buf_str(&h->path), target);
	h->each(h->arg, buf_str(&h->line));
	return 0;
}

static int walk(struct hits *h, int dirfd, const char *name, int depth)
{
	struct stat st;
	struct dir d;
	size_t at = h->path.len;
	int rc = 0;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_errno(h->e, "looking at '%s'", name);
	if (S_ISREG(st.st_mode))
		return read_file(h, dirfd, name);
	if (S_ISLNK(st.st_mode))
		return read_link(h, dirfd, name);
	if (depth > LIMIT_NAR_DEPTH || (rc = dir_open(&d, dirfd, name, h->e)))
		return rc;
	while (!rc && (rc = dir_next(&d, h->e)) > 0) {
		buf_addf(&h->path, "%s%s", at ? "/" : "", d.name);
		rc = walk(h, d.fd, d.name, depth + 1);
		buf_trim(&h->path, at);
	}
	dir_close(&d);
	return rc;
}

int why_precisely(struct store *s, const struct store_path *p, const struct store_path *dependency,
		  void (*each)(void *arg, const char *line), void *arg, struct err *e)
{
	struct hits h = { store_path_hash(dependency), each, arg, BUF_INIT, BUF_INIT, e };
	int rc = walk(&h, store_fd(s), p->base, 0);

	buf_release(&h.path);
	buf_release(&h.line);
	return rc;
}
