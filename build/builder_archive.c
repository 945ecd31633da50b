/* SPDX-License-Identifier: MIT
 *
 * An archive is unpacked beside the output, on the same file system, and what is meant of it becomes the output by its name.
 */
#include "config.h"
#include "build/builder_archive.h"
#include "base/buf.h"
#include "build/builtin_builders.h"
#include "fetch/archive.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int place(const char *tree, const struct archive_facts *facts, int strip, const char *out, struct err *e)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	struct stat st;
	int rc = 0;

	buf_adds(&from, tree);
	buf_adds(&to, out);
	if (strip && !facts->single) {
		rc = err_set(e, ERR_INVALID, "the archive has not one folder, but %s: with stripRoot = false all of it is taken",
			     facts->members ? "several things" : "nothing");
	} else if (strip) {
		buf_addf(&from, "/%s", facts->single);
		if (!lstat(buf_str(&from), &st) && !S_ISDIR(st.st_mode)) {
			buf_addf(&to, "/%s", facts->single);
			rc = mkdir(out, 0755) ? err_errno(e, "cannot make '%s'", out) : 0;
		}
	}
	if (!rc && rename(buf_str(&from), buf_str(&to)))
		rc = err_errno(e, "cannot make '%s'", buf_str(&to));
	if (strip)
		rmdir(tree);
	buf_release(&from);
	buf_release(&to);
	return rc;
}

int archive_place(int fd, const char *out, int strip, struct err *e)
{
	struct archive_facts facts = { 0 };
	struct buf tree = BUF_INIT;
	int rc = 0, dirfd = -1;

	buf_addf(&tree, "%s.archive", out);
	if (mkdir(buf_str(&tree), 0755) || (dirfd = open(buf_str(&tree), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		rc = err_errno(e, "cannot make '%s'", buf_str(&tree));
	if (!rc && lseek(fd, 0, SEEK_SET) < 0)
		rc = err_errno(e, "cannot read what was fetched");
	rc = rc ? rc : archive_unpack_fd(fd, dirfd, NULL, &facts, e);
	rc = rc ? rc : place(buf_str(&tree), &facts, strip, out, e);
	if (dirfd >= 0)
		close(dirfd);
	archive_facts_release(&facts);
	buf_release(&tree);
	return rc;
}

/* builtin:unpack-channel: what is below the one folder of the archive `src` becomes the folder channelName of the output. */
int builtin_unpack_channel(const struct builtin_call *c, struct err *e)
{
	struct buf out = BUF_INIT, file = BUF_INIT;
	struct slice src, name;
	int rc = builtin_attr(c, "src", &src, e), fd = -1;

	rc = rc ? rc : builtin_attr(c, "channelName", &name, e);
	rc = rc ? rc : builtin_output(c, SLICE("out"), &out, e);
	if (!rc && (!name.n || memchr(name.p, '/', name.n) || name.p[0] == '.'))
		rc = err_set(e, ERR_INVALID, "'%.*s' is no name of a channel", (int)name.n, name.p);
	if (!rc) {
		buf_add(&file, src.p, src.n);
		fd = open(buf_str(&file), O_RDONLY | O_CLOEXEC);
		rc = fd < 0 ? err_errno(e, "cannot read '%s'", file.p) : 0;
	}
	if (!rc && mkdir(buf_str(&out), 0755))
		rc = err_errno(e, "cannot make '%s'", out.p);
	buf_addf(&out, "/%.*s", rc ? 0 : (int)name.n, rc ? "" : name.p);
	rc = rc ? rc : archive_place(fd, out.p, 1, e);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
	buf_release(&file);
	return rc;
}
