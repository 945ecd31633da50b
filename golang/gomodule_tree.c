/* SPDX-License-Identifier: MIT
 *
 * From a module's tree back to its sum: what decides whether an output of the go-h1 method is right (format/goh1.h).  It trusts
 * nobody: not whoever unpacked, and not the zip.  For toolchains the layout is undone on the way: a "go.mod" beside
 * a "_go.mod" is no file of the module, but must be its exact copy; share/go must lead to the top; and the executable bits must
 * be those that follow from the paths, since the sum does not cover them.
 *
 * Empty directories are refused: the sum would not tell them.
 */
#include "config.h"
#include "golang/gomodule.h"
#include "base/dir.h"
#include "base/limits.h"
#include "golang/gomodule_int.h"
#include "golang/h1.h"
#include "format/goh1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
	const struct module_version *m;
	int toolchain, has_share;
	struct h1 sum;
	struct buf path; /* "module@version" and what is below */
	size_t prefix;	 /* its length with the slash after it */
};

static struct slice inner(const struct walk *w)
{
	return (struct slice){ w->path.p + w->prefix, w->path.len - w->prefix };
}

static int bad(const struct walk *w, const char *what, struct err *e)
{
	struct slice p = w->path.len > w->prefix ? inner(w) : SLICE(".");

	return err_set(e, ERR_INVALID, "'%.*s' %s", (int)p.n, p.p, what);
}

/* Is this "go.mod" a restored copy?  1 yes, 0 no, negative when it is none but should be. */
static int is_restored(const struct walk *w, int dirfd, const struct hash *h, struct err *e)
{
	struct hash other;
	int rc;

	if (!w->toolchain || !go_path_ends(inner(w), SLICE("go.mod")) || faccessat(dirfd, "_go.mod", F_OK, AT_SYMLINK_NOFOLLOW))
		return 0;
	if ((rc = hash_file(HASH_SHA256, dirfd, "_go.mod", &other, NULL, e)))
		return rc;
	return hash_eq(h, &other) ? 1 : bad(w, "is not a copy of the _go.mod beside it", e);
}

static int add_file(struct walk *w, int dirfd, const char *name, const struct stat *st, struct err *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc;
	struct hash h;

	if (fd < 0)
		return err_errno(e, "cannot read '%s'", name);
	rc = hash_fd(HASH_SHA256, fd, &h, NULL, e);
	close(fd);
	if (rc)
		return rc;
	if (!(st->st_mode & 0100) != !(w->toolchain && go_toolchain_executable(inner(w))))
		return bad(w, st->st_mode & 0100 ? "is executable" : "is not executable", e);
	rc = is_restored(w, dirfd, &h, e);
	if (!rc)
		h1_add(&w->sum, (struct slice){ w->path.p, w->path.len }, &h);
	/* A toolchain whose copy is missing is not in its final layout. */
	if (!rc && w->toolchain && go_path_ends(inner(w), SLICE("_go.mod")) &&
	    faccessat(dirfd, "go.mod", F_OK, AT_SYMLINK_NOFOLLOW))
		return bad(w, "has no copy called go.mod beside it", e);
	return rc < 0 ? rc : 0;
}

/* Is this the link of a toolchain to its top? */
static int is_share(struct walk *w, int fd, const char *name)
{
	char target[sizeof GO_SHARE_TARGET];
	const ssize_t n = sizeof target - 1;
	int yes = w->toolchain && slice_eq(inner(w), SLICE(GO_SHARE_LINK)) && readlinkat(fd, name, target, sizeof target) == n &&
		  !memcmp(target, GO_SHARE_TARGET, (size_t)n);

	w->has_share |= yes;
	return yes;
}

static int walk_dir(struct walk *w, int dirfd, const char *name, unsigned depth, struct err *e);

static int walk_entry(struct walk *w, int fd, const char *name, unsigned depth, struct err *e)
{
	size_t len = w->path.len;
	struct stat st;
	int rc;

	buf_addc(&w->path, '/');
	buf_adds(&w->path, name);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_errno(e, "cannot read '%s'", name);
	else if (S_ISDIR(st.st_mode))
		rc = walk_dir(w, fd, name, depth + 1, e);
	else if (S_ISREG(st.st_mode))
		rc = add_file(w, fd, name, &st, e);
	else if (S_ISLNK(st.st_mode) && is_share(w, fd, name))
		rc = 0;
	else
		rc = bad(w, "is no regular file", e);
	buf_trim(&w->path, len);
	return rc;
}

static int walk_dir(struct walk *w, int dirfd, const char *name, unsigned depth, struct err *e)
{
	size_t entries = 0;
	struct dir d;
	int rc;

	if (depth > LIMIT_NAR_DEPTH)
		return err_set(e, ERR_LIMIT, "the tree is deeper than %d directories", LIMIT_NAR_DEPTH);
	rc = dir_open(&d, dirfd, name, e);
	for (; !rc && (rc = dir_next(&d, e)) > 0; entries++)
		rc = walk_entry(w, d.fd, d.name, depth, e);
	if (!rc && !entries && depth)
		rc = bad(w, "is an empty directory", e);
	dir_close(&d);
	return rc;
}

int go_module_tree_h1(int dirfd, const char *name, const struct module_version *m, struct hash *h1, struct err *e)
{
	struct walk w = { .m = m, .toolchain = go_module_is_toolchain(m->path) };
	int rc;

	buf_addf(&w.path, "%.*s@%.*s", (int)m->path.n, m->path.p, (int)m->version.n, m->version.p);
	w.prefix = w.path.len + 1;
	rc = walk_dir(&w, dirfd, name, 0, e);
	if (!rc && w.toolchain && !w.has_share)
		rc = err_set(e, ERR_INVALID, "has no link %s to its top", GO_SHARE_LINK);
	if (!rc)
		rc = h1_finish(&w.sum, h1, e);
	h1_release(&w.sum);
	buf_release(&w.path);
	if (rc)
		err_prefix(e, "the tree of Go module '%.*s@%.*s'", (int)m->path.n, m->path.p, (int)m->version.n,
			   m->version.p);
	return rc;
}
