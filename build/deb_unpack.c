/* SPDX-License-Identifier: MIT
 *
 * A .deb is an ar archive of three members: "debian-binary" says "2.0", control.tar.* is what is known of the package and its
 * scripts, data.tar.* its files.  ar is sixty bytes of text before each member:
 *
 *     0 name, 16   16 time, owner, group, mode   48 size in decimal, 10   58 "`\n"        each member begins at an even place
 *
 * What is in data.tar is unpacked where nobody sees it (fetch/archive.h, which refuses what is hostile, and has no setuid bits),
 * and moved from there, file by file, to where it belongs: below /usr or not is all one.  Two files that come to lie at one place
 * have to be the same.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "fetch/archive.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { AR_HEADER = 60, AR_NAME = 16, AR_SIZE_AT = 48, AR_SIZE = 10 };

/* --- ar --- */

struct member {
	int fd;
	uint64_t at, left;
};

static int bad_deb(struct err *e, const char *why)
{
	return err_set(e, ERR_INVALID, "not a Debian package: %s", why);
}

static int read_size(const char *digits, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < AR_SIZE && digits[i] != ' '; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		*out = *out * 10 + (uint64_t)(digits[i] - '0');
	}
	return 0;
}

/* Finds the member whose name begins so. */
static int find_member(int fd, const char *name, struct member *m, struct err *e)
{
	char h[AR_HEADER];
	struct stat st;
	uint64_t at = 8, size;

	if (fstat(fd, &st))
		return err_errno(e, "cannot read it");
	if (fd_read_at(fd, h, 8, 0) != 8 || memcmp(h, "!<arch>\n", 8))
		return bad_deb(e, "no ar archive");
	while (fd_read_at(fd, h, sizeof h, at) == sizeof h) {
		at += sizeof h;
		if (memcmp(h + 58, "`\n", 2) || read_size(h + AR_SIZE_AT, &size) || size > (uint64_t)st.st_size - at)
			return bad_deb(e, "it is cut off or damaged");
		if (!strncmp(h, name, strlen(name))) {
			*m = (struct member){ fd, at, size };
			return 0;
		}
		at += size + (size & 1);
	}
	return err_set(e, ERR_INVALID, "not a Debian package: it has no member '%s'", name);
}

static long read_member(void *user, void *p, size_t n, struct err *e)
{
	struct member *m = user;
	ssize_t k = fd_read_at(m->fd, p, n < m->left ? n : (size_t)m->left, m->at);

	if (k < 0)
		return err_errno(e, "cannot read it");
	m->at += (uint64_t)k;
	m->left -= (uint64_t)k;
	return k;
}

static int unpack_bytes(struct member *m, int dirfd, struct archive_facts *facts, struct err *e)
{
	struct archive_input in = { read_member, NULL, m };
	struct archive_limits limits = { 0, 0 };

	limits.size = m->left * LIMIT_ARCHIVE_RATIO;
	if (limits.size < LIMIT_ARCHIVE_SMALL)
		limits.size = LIMIT_ARCHIVE_SMALL;
	return archive_unpack(&in, dirfd, &limits, facts, e);
}

static int unpack_member(int fd, const char *name, int dirfd, struct err *e)
{
	struct member m;
	int rc = find_member(fd, name, &m, e);

	return rc ? rc : unpack_bytes(&m, dirfd, NULL, e);
}

/* --- moving --- */

int deb_is_pruned(const struct deb_tree *t, const char *path)
{
	for (size_t i = 0; i < t->prune.n; i++)
		if (!fnmatch(t->prune.v[i], path, FNM_PATHNAME))
			return 1;
	return 0;
}

int deb_make_parent(const struct deb_tree *t, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	int fd = slash ? tree_make_dirs(t->fd, dir, e) : dup(t->fd);

	free(dir);
	if (fd < 0)
		return slash ? fd : err_errno(e, "cannot make '%s'", path);
	close(fd);
	return 0;
}

static int is_same_file(int from, const char *a, int to, const char *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	int f = openat(from, a, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), g = openat(to, b, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int same = f >= 0 && g >= 0 && !fd_read_all(f, &x) && !fd_read_all(g, &y) && x.len == y.len &&
		   !memcmp(buf_str(&x), buf_str(&y), x.len);

	if (f >= 0)
		close(f);
	if (g >= 0)
		close(g);
	buf_release(&x);
	buf_release(&y);
	return same;
}

/* Of an object, which stays as it is. */
static int copy_file(struct deb_tree *t, int from, const char *name, const char *path, struct err *e)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out = -1, rc = 0;
	char piece[65536];
	struct stat st;
	ssize_t n = -1;

	if (in >= 0 && !fstat(in, &st))
		out = openat(t->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, st.st_mode & 0100 ? 0755 : 0644);
	while (out >= 0 && (n = read(in, piece, sizeof piece)) > 0)
		if (fd_write_all(out, piece, (size_t)n))
			break;
	if (n)
		rc = err_errno(e, "cannot copy '%s'", path);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

static int move_file(struct deb_tree *t, int from, const char *name, const char *path, struct err *e)
{
	struct stat st;
	int rc = deb_make_parent(t, path, e);

	if (rc)
		return rc;
	if (!fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW)) {
		if (S_ISREG(st.st_mode) && is_same_file(from, name, t->fd, path))
			return 0;
		return err_set(e, ERR_INVALID, "there is another '%s' already", path);
	}
	rc = t->copies ? copy_file(t, from, name, path, e) : 0;
	if (rc)
		return rc;
	if (!t->copies && renameat(from, name, t->fd, path))
		return err_errno(e, "cannot make '%s'", path);
	words_add(&t->files, path);
	return 0;
}

static int note_link(struct deb_tree *t, int dirfd, const char *name, const char *origin, struct err *e)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, text, sizeof text - 1);

	if (n < 0 || n == sizeof text - 1)
		return err_errno(e, "cannot read '%s'", origin);
	text[n] = 0;
	return deb_note_link(t, origin, text, 0, e);
}

static int move_folder(struct deb_tree *t, int fd, const char *origin, struct err *e);

static int move_entry(struct deb_tree *t, int dirfd, const char *name, const char *origin, struct err *e)
{
	const char *path = deb_flat(origin);
	struct stat st;

	if (deb_is_pruned(t, path))
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_errno(e, "cannot read '%s'", origin);
	if (S_ISLNK(st.st_mode))
		return note_link(t, dirfd, name, origin, e);
	if (S_ISREG(st.st_mode))
		return move_file(t, dirfd, name, path, e);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_errno(e, "cannot read '%s'", origin) : move_folder(t, fd, origin, e);
}

/* A folder is made with what goes into it; one that was empty is meant to be there. Takes fd. */
static int move_folder(struct deb_tree *t, int fd, const char *origin, struct err *e)
{
	struct dir d;
	size_t seen = 0;
	int rc = dir_take(&d, fd, origin, e);

	for (; !rc && (rc = dir_next(&d, e)) > 0; seen++) {
		char *below = deb_join(*origin == '/' && !origin[1] ? "" : origin, d.name);

		rc = move_entry(t, d.fd, d.name, below, e);
		free(below);
	}
	dir_close(&d);
	if (rc || seen || !*deb_flat(origin))
		return rc;
	fd = tree_make_dirs(t->fd, deb_flat(origin), e);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* --- a package --- */

/* Unpacks a member into a folder of its own; the descriptor is the caller's. */
static int unpack_beside(int deb, const char *member, int top, const char *name, int *fd, struct err *e)
{
	if (mkdirat(top, name, 0700) || (*fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_errno(e, "cannot make '%s'", name);
	int rc = unpack_member(deb, member, *fd, e);

	if (rc) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

static int read_control(struct deb_tree *t, int deb, int top, struct err *e)
{
	struct buf script = BUF_INIT;
	int control = -1, fd, rc = unpack_beside(deb, "control.tar", top, "control", &control, e);

	if (rc)
		return rc;
	fd = openat(control, "postinst", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != ELOOP)
		rc = err_errno(e, "cannot read 'postinst'");
	if (fd >= 0) {
		if (fd_read_all(fd, &script) < 0)
			rc = err_errno(e, "cannot read 'postinst'");
		else
			deb_read_alternatives(t, buf_str(&script));
		close(fd);
	}
	close(control);
	buf_release(&script);
	return rc;
}

static int is_package(int fd)
{
	char magic[8];

	return fd_read_at(fd, magic, sizeof magic, 0) == sizeof magic && !memcmp(magic, "!<arch>\n", sizeof magic);
}

/* What a publisher offers: an archive whose one folder is as /usr. */
static int unpack_archive(struct deb_tree *t, int fd, int top, const char *origin, struct err *e)
{
	struct archive_facts facts = { 0 };
	struct stat st;
	int rc, data = -1, folder = -1;

	if (fstat(fd, &st) || mkdirat(top, "data", 0700) ||
	    (data = openat(top, "data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_errno(e, "cannot unpack it");
	rc = unpack_bytes(&(struct member){ fd, 0, (uint64_t)st.st_size }, data, &facts, e);
	if (rc)
		err_prefix(e, "not a Debian package, and no other archive");
	if (!rc && (!facts.single || (folder = openat(data, facts.single, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0))
		rc = err_set(e, ERR_INVALID, "an archive that is no package has one folder in it, and this one has not");
	close(data);
	archive_facts_release(&facts);
	return rc ? rc : move_folder(t, folder, origin, e);
}

/* A folder of the store is copied. */
static int copy_object(struct deb_tree *t, int deb, const char *origin, struct err *e)
{
	int fd = dup(deb);

	t->copies = 1;
	int rc = fd < 0 ? err_errno(e, "cannot read it") : move_folder(t, fd, origin, e);

	t->copies = 0;
	return rc;
}

static int unpack_both(struct deb_tree *t, int deb, const char *top, const char *origin, struct err *e)
{
	int rc, fd = -1, data = -1;

	if (mkdir(top, 0700) || (fd = open(top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_errno(e, "cannot make '%s'", top);
	if (!is_package(deb)) {
		rc = unpack_archive(t, deb, fd, origin, e);
		close(fd);
		return rc;
	}
	rc = t->with_alternatives ? read_control(t, deb, fd, e) : 0;
	rc = rc ? rc : unpack_beside(deb, "data.tar", fd, "data", &data, e);
	rc = rc ? rc : move_folder(t, data, "/", e);
	close(fd);
	return rc;
}

static int unpack_one(struct deb_tree *t, const char *deb, const char *top, const char *origin, struct err *e)
{
	int fd = open(deb, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		rc = err_errno(e, "cannot read '%s'", deb);
	} else {
		rc = S_ISDIR(st.st_mode) ? copy_object(t, fd, origin, e) : unpack_both(t, fd, top, origin, e);
		if (rc)
			err_prefix(e, "'%s'", deb);
		else if (!S_ISDIR(st.st_mode))
			rc = tree_remove(AT_FDCWD, top, NULL, NULL, e);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int deb_unpack(struct deb_tree *t, const char *deb, const char *top, struct err *e)
{
	const char *equals = *deb == '/' ? NULL : strchr(deb, '=');
	struct buf origin = BUF_INIT;

	buf_adds(&origin, "/usr");
	if (equals)
		buf_addf(&origin, "/%.*s", (int)(equals - deb), deb);
	int rc = unpack_one(t, equals ? equals + 1 : deb, top, buf_str(&origin), e);

	buf_release(&origin);
	return rc;
}
