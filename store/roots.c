/* SPDX-License-Identifier: MIT
 *
 * Finding what holds objects, and making links that do.
 *
 *     gcroots/…, profiles/…    a link into the store holds what it points at; a link to elsewhere holds what
 *                              the link it points at points at (one step: ./result); a file named like an object holds that
 *     gcroots/auto/<hash>      such links to elsewhere, made for the user; removed when their target is gone
 *     temproots/<pid>          see temp_roots.c; unlocked means that its process is dead
 *     /proc                    what running processes have mapped, open, as their directory, or in their environment
 *
 * Processes inside a mount namespace see objects under the logical directory, others under the physical one, so both names
 * are looked for.  A name that is no valid object holds nothing.
 */
#include "config.h"
#include "store/roots.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/flock.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders below gcroots and profiles; people make two or three levels. */
enum { ROOTS_DEPTH = 32 };

struct search {
	struct store *s;
	root_fn each;
	void *arg;
	struct err *e;
};

/* The object a text names, logically or physically; 0 when there is none or it is not valid. */
static int valid_object(struct search *r, struct slice text, struct store_path *p)
{
	struct slice dir = store_dir(r->s), real = slice_of(r->s->place->real_store), rest;

	if (!store_path_is_inside(dir, text)) {
		if (!store_path_is_inside(real, text))
			return 0;
		dir = real;
	}
	return !store_path_split(dir, text, p, &rest, NULL) && db_is_valid(r->s->db, p, NULL) == 1;
}

static int report(struct search *r, const char *from, struct slice target)
{
	struct store_path p;

	if (!valid_object(r, target, &p))
		return 0;
	r->each(r->arg, from, &p);
	return 1;
}

/* --- links --- */

static ssize_t read_link(int dirfd, const char *name, char target[PATH_MAX])
{
	ssize_t n = readlinkat(dirfd, name, target, PATH_MAX - 1);

	if (n >= 0)
		target[n] = 0;
	return n;
}

/* A link whose target was missing a moment ago.  Somebody may just have made the target again and then this link, in that
 * order; his must stay. */
static void remove_stale(int dirfd, const char *name, const char *target)
{
	struct stat st;

	if (unlinkat(dirfd, name, 0) == 0 && fstatat(dirfd, target, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    symlinkat(target, dirfd, name) < 0)
		return; /* he made it between the two */
}

static void on_link(struct search *r, int dirfd, const char *name, const char *from)
{
	char target[PATH_MAX], second[PATH_MAX];
	struct stat st;
	ssize_t n = read_link(dirfd, name, target);

	if (n < 0 || report(r, from, (struct slice){ target, (size_t)n }))
		return;
	if (fstatat(dirfd, target, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if ((errno == ENOENT || errno == ENOTDIR) && strstr(from, "/gcroots/auto/") && !store_is_readonly(r->s)) {
			store_notice(r->s, "removing the stale root '%s'", from);
			remove_stale(dirfd, name, target);
		}
		return;
	}
	if (S_ISLNK(st.st_mode) && (n = read_link(dirfd, target, second)) >= 0)
		report(r, target, (struct slice){ second, (size_t)n });
}

static int walk_links(struct search *r, int dirfd, const char *name, const char *from, int depth);

static int on_entry(struct search *r, int dirfd, const char *name, const char *from, int depth)
{
	struct store_path p;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISLNK(st.st_mode))
		on_link(r, dirfd, name, from);
	else if (S_ISDIR(st.st_mode))
		return walk_links(r, dirfd, name, from, depth + 1);
	else if (S_ISREG(st.st_mode) && !store_path_parse_base(slice_of(name), &p, NULL) &&
		 db_is_valid(r->s->db, &p, NULL) == 1)
		r->each(r->arg, from, &p);
	return 0;
}

static int walk_links(struct search *r, int parent, const char *name, const char *from, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc;
	struct dir d;

	if (fd < 0 && (errno == EACCES || errno == ENOENT)) {
		store_notice(r->s, "cannot read the roots in '%s'", from);
		return 0;
	}
	rc = dir_take(&d, fd, from, r->e);
	/* Missing a root would mean deleting what is in use: too deep is an error, not an end. */
	if (depth > ROOTS_DEPTH)
		rc = err_set(r->e, ERR_LIMIT, "roots are nested more than %d deep in '%s'", ROOTS_DEPTH, from);
	while (!rc && (rc = dir_next(&d, r->e)) > 0) {
		struct buf b = BUF_INIT;
		buf_addf(&b, "%s/%s", from, d.name);
		rc = on_entry(r, fd, d.name, b.p, depth);
		buf_release(&b);
	}
	dir_close(&d);
	return rc;
}

static int each_link(struct search *r)
{
	static const char *const dirs[] = { "gcroots", "profiles" };
	int rc = 0;

	for (int i = 0; !rc && i < 2; i++) {
		struct buf b = BUF_INIT;
		buf_addf(&b, "%s/%s", r->s->place->state_dir, dirs[i]);
		rc = walk_links(r, r->s->state_fd, dirs[i], b.p, 0);
		buf_release(&b);
	}
	return rc;
}

/* --- temporary roots --- */

/* Of a store that is only read nothing will be deleted for want of a root, and nothing is removed. */
static int open_temp_file(struct search *r, int dirfd, const char *name, int *fd)
{
	int reading = store_is_readonly(r->s);

	*fd = openat(dirfd, name, (reading ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC);
	if (*fd >= 0 || errno == ENOENT)
		return 0;
	if (!reading || errno != EACCES)
		return err_errno(r->e, "cannot open the temporary roots '%s'", name);
	store_notice(r->s, "cannot read the temporary roots '%s'", name);
	return 0;
}

static int on_temp_file(struct search *r, int dirfd, const char *name)
{
	int reading = store_is_readonly(r->s), fd, rc = open_temp_file(r, dirfd, name, &fd);
	struct buf b = BUF_INIT;
	char from[320];

	if (fd < 0)
		return rc;
	rc = lock_fd(fd, (reading ? LOCK_SH : LOCK_EX) | LOCK_NB, r->e);
	if (rc == 0 && !reading) {
		unlinkat(dirfd, name, 0);
		ssize_t w = write(fd, "d", 1); /* see lock.c */
		(void)w;
	} else if (rc == 1) {
		rc = fd_read_all(fd, &b) < 0 ? err_errno(r->e, "cannot read the temporary roots '%s'", name) : 0;
	}
	snprintf(from, sizeof from, "{temp:%s}", name);
	/* Not asked whether they are valid: they may be about to be. */
	for (const char *p = buf_str(&b), *end = p + b.len, *nul; !rc && p < end && (nul = memchr(p, 0, (size_t)(end - p)));
	     p = nul + 1) {
		struct store_path path;
		if (!store_path_parse(store_dir(r->s), (struct slice){ p, (size_t)(nul - p) }, &path, NULL))
			r->each(r->arg, from, &path);
	}
	buf_release(&b);
	close(fd);
	return rc;
}

static int each_temp(struct search *r)
{
	struct dir d;
	int rc = dir_open(&d, r->s->state_fd, "temproots", r->e);

	while (!rc && (rc = dir_next(&d, r->e)) > 0)
		rc = d.name[0] == '.' ? 0 : on_temp_file(r, d.fd, d.name);
	dir_close(&d);
	return rc;
}

/* --- running processes --- */

static int is_name_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("+-._?=", c));
}

/* Every object that a text names, wherever in it. */
static void scan_text(struct search *r, const char *from, struct slice text, struct slice dir)
{
	const char *p = text.p, *end = text.p + text.n;

	while (p < end && (p = memmem(p, (size_t)(end - p), dir.p, dir.n))) {
		struct store_path path;
		size_t n = 0;

		p += dir.n;
		if (p == end || *p != '/')
			continue;
		p++;
		while (p + n < end && n < STORE_BASE_MAX && is_name_char(p[n]))
			n++;
		if (!store_path_parse_base((struct slice){ p, n }, &path, NULL) && db_is_valid(r->s->db, &path, NULL) == 1)
			r->each(r->arg, from, &path);
	}
}

static void scan_both(struct search *r, const char *from, struct slice text)
{
	struct slice dir = store_dir(r->s), real = slice_of(r->s->place->real_store);

	scan_text(r, from, text, dir);
	if (!slice_eq(dir, real))
		scan_text(r, from, text, real);
}

static void scan_file(struct search *r, int dirfd, const char *pid, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct buf b = BUF_INIT;
	char from[64];

	if (fd < 0)
		return;
	snprintf(from, sizeof from, "/proc/%.20s/%s", pid, name);
	if (!fd_read_all(fd, &b) || b.len)
		scan_both(r, from, (struct slice){ buf_str(&b), b.len });
	buf_release(&b);
	close(fd);
}

static void scan_link(struct search *r, int dirfd, const char *pid, const char *folder, const char *name)
{
	char target[PATH_MAX], from[320];
	ssize_t n = read_link(dirfd, name, target);

	if (n <= 0 || target[0] != '/')
		return;
	snprintf(from, sizeof from, "/proc/%.20s%s/%s", pid, folder, name);
	scan_both(r, from, (struct slice){ target, (size_t)n });
}

static int scan_process(struct search *r, int proc, const char *pid)
{
	int fd = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fds, rc;
	struct err why = ERR_INIT;
	struct dir d;

	if (fd < 0)
		return 0;
	scan_link(r, fd, pid, "", "exe");
	scan_link(r, fd, pid, "", "cwd");
	scan_link(r, fd, pid, "", "root");
	scan_file(r, fd, pid, "maps");
	scan_file(r, fd, pid, "environ");
	fds = openat(fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(fd);
	if (fds < 0)
		return 0; /* it ended, or is somebody else's */
	rc = dir_take(&d, fds, pid, &why);
	while (!rc && (rc = dir_next(&d, &why)) > 0) {
		scan_link(r, fds, pid, "/fd", d.name);
		rc = 0;
	}
	dir_close(&d);
	/* Not found: it ended while we looked, and uses nothing any more. */
	rc = rc == ERR_NOTFOUND ? 0 : rc ? err_set(r->e, rc, "process %s: %s", pid, why.msg) : 0;
	err_release(&why);
	return rc;
}

static int each_runtime(struct search *r)
{
	struct dir d;
	int rc = dir_open(&d, AT_FDCWD, "/proc", r->e);

	while (!rc && (rc = dir_next(&d, r->e)) > 0)
		rc = isdigit((unsigned char)d.name[0]) ? scan_process(r, d.fd, d.name) : 0;
	if (!rc)
		scan_file(r, d.fd, "sys", "sys/kernel/modprobe");
	else
		err_prefix(r->e, "cannot see which objects running processes use");
	dir_close(&d);
	return rc;
}

int store_each_root(struct store *s, enum root_kinds kinds, root_fn each, void *arg, struct err *e)
{
	struct search r = { s, each, arg, e };
	int rc = 0;

	if (kinds & ROOTS_LINKS)
		rc = each_link(&r);
	if (!rc && (kinds & ROOTS_TEMP))
		rc = each_temp(&r);
	if (!rc && (kinds & ROOTS_RUNTIME))
		rc = each_runtime(&r);
	return rc;
}

/* --- making links --- */

/* Absolute, with the links of its folder resolved, the last component as it is. */
static char *absolute_link(const char *link, struct err *e)
{
	const char *slash = strrchr(link, '/'), *base = slash ? slash + 1 : link;
	char *dir = slash ? xstrndup(link, slash == link ? 1 : (size_t)(slash - link)) : xstrdup("."), *real;
	struct buf b = BUF_INIT;

	real = realpath(dir, NULL);
	if (!*base || !strcmp(base, ".") || !strcmp(base, ".."))
		err_set(e, ERR_INVALID, "'%s' cannot be the name of a link", link);
	else if (!real)
		err_errno(e, "cannot make the link '%s'", link);
	else
		buf_addf(&b, "%s/%s", strcmp(real, "/") ? real : "", base);
	free(dir);
	free(real);
	return b.p ? buf_detach(&b, NULL) : NULL;
}

/* A link is put in place whole: made beside it, then renamed over it. */
static int replace_link(int dirfd, const char *name, const char *target, struct err *e)
{
	struct buf tmp = BUF_INIT;
	int rc = 0;

	for (unsigned n = 0;; n++) {
		buf_trim(&tmp, 0);
		buf_addf(&tmp, "%s.tmp-%ld-%u", name, (long)getpid(), n);
		if (symlinkat(target, dirfd, tmp.p) == 0 || errno != EEXIST)
			break;
	}
	if (renameat(dirfd, tmp.p, dirfd, name) < 0) {
		rc = err_errno(e, "cannot make the link '%s'", name);
		unlinkat(dirfd, tmp.p, 0);
	}
	buf_release(&tmp);
	return rc;
}

int store_add_indirect_root(struct store *s, const char *link, struct err *e)
{
	char *abs = absolute_link(link, e), name[HASH_TEXT_MAX];
	struct hash h;
	int dirfd, rc = store_want_writable(s, e);

	if (!abs || rc) {
		free(abs);
		return rc ? rc : ERR_IO;
	}
	if (s->source) {
		rc = s->source->root(s->source->user, abs, e);
		free(abs);
		return rc;
	}
	hash_bytes(HASH_SHA1, abs, strlen(abs), &h);
	hash_print(&h, HASH_NIX32, 0, name);
	dirfd = tree_make_dirs(s->state_fd, "gcroots/auto", e);
	rc = dirfd < 0 ? dirfd : replace_link(dirfd, name, abs, e);
	if (dirfd >= 0)
		close(dirfd);
	free(abs);
	return rc;
}

int store_add_root_link(struct store *s, const char *link, const struct store_path *p, struct err *e)
{
	char *abs = absolute_link(link, e), old[PATH_MAX];
	struct buf target = BUF_INIT;
	struct stat st;
	int rc = abs ? store_add_temp_root(s, p, e) : ERR_IO;

	if (!rc && lstat(abs, &st) == 0) {
		ssize_t n = S_ISLNK(st.st_mode) ? read_link(AT_FDCWD, abs, old) : -1;
		if (n < 0 || !store_path_is_inside(store_dir(s), (struct slice){ old, (size_t)n }))
			rc = err_set(e, ERR_INVALID, "cannot make the link '%s': something is there that is no link into the store",
				     abs);
	}
	store_add_path(s, &target, p);
	if (!rc)
		rc = replace_link(AT_FDCWD, abs, target.p, e);
	if (!rc)
		rc = store_add_indirect_root(s, abs, e);
	if (!rc)
		rc = temp_root_again(s, p, e);
	buf_release(&target);
	free(abs);
	return rc;
}
