/* SPDX-License-Identifier: MIT
 *
 * A file is replaced by a link that is made in a stage and renamed, so that its name never lacks.  Folders of objects are not
 * writable and have the time 1: both are so again before the next one is looked at.
 */
#include "config.h"
#include "store/optimise.h"
#include "base/dir.h"
#include "format/nar.h"
#include "store/object.h"
#include "store/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct optimise_settings optimise_settings;

static const char fresh[] = "link"; /* in the stage */

struct work {
	struct stage *stage;
	int store, links; /* the store's folder, and .links in it */
	struct optimise_result *r;
	struct err *e;
};

/* The link of these contents; makes it of the file when there is none yet.  Returns 1 when the file is it, 0 when another is. */
static int find_link(struct work *w, int dirfd, const char *name, const char *link, const struct stat *st)
{
	struct stat was;

	if (fstatat(w->links, link, &was, AT_SYMLINK_NOFOLLOW) == 0) {
		if (was.st_ino == st->st_ino)
			return 1;
		if (was.st_size == st->st_size && S_ISREG(was.st_mode))
			return 0;
		/* Damaged: the file takes its place. */
		if (unlinkat(w->links, link, 0) < 0)
			return err_errno(w->e, "cannot remove the damaged link '.links/%s'", link);
	}
	if (linkat(dirfd, name, w->links, link, 0) < 0 && errno != EEXIST && errno != EMLINK && errno != ENOSPC)
		return err_errno(w->e, "cannot link '%s' to '.links/%s'", name, link);
	return 1;
}

/* Renames the fresh link onto a file. */
static int take_place(struct work *w, int dirfd, const char *name)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	struct stat dir;
	int rc = 0;

	if (dirfd == w->store)
		return renameat(stage_fd(w->stage), fresh, dirfd, name) < 0 ? err_errno(w->e, "cannot replace '%s'", name) : 0;
	if (fstat(dirfd, &dir) < 0 || fchmod(dirfd, dir.st_mode | S_IWUSR) < 0)
		return err_errno(w->e, "cannot make the folder of '%s' writable", name);
	if (renameat(stage_fd(w->stage), fresh, dirfd, name) < 0)
		rc = err_errno(w->e, "cannot replace '%s'", name);
	if (fchmod(dirfd, dir.st_mode & 07777) < 0 || futimens(dirfd, times) < 0)
		rc = rc ? rc : err_errno(w->e, "cannot restore mode and time of the folder of '%s'", name);
	return rc;
}

static int replace(struct work *w, int dirfd, const char *name, const char *link, const struct stat *st)
{
	int rc;

	if (linkat(w->links, link, stage_fd(w->stage), fresh, 0) < 0)
		/* As many links as the file system takes: the file stays. */
		return errno == EMLINK ? 0 : err_errno(w->e, "cannot link '.links/%s'", link);
	rc = take_place(w, dirfd, name);
	if (rc) {
		unlinkat(stage_fd(w->stage), fresh, 0);
		return rc;
	}
	w->r->n++;
	w->r->freed += st->st_nlink == 1 ? (uint64_t)st->st_blocks * 512 : 0;
	return 0;
}

static int optimise_file(struct work *w, int dirfd, const char *name, const struct stat *st)
{
	char link[HASH_TEXT_MAX];
	struct hash h;
	int rc;

	/* Some file systems lose what a link of an empty file leads to; and there is nothing to gain. */
	if (!st->st_size)
		return 0;
	rc = nar_hash(HASH_SHA256, dirfd, name, NULL, NULL, &h, NULL, w->e);
	if (rc)
		return rc;
	hash_print(&h, HASH_NIX32, 0, link);
	rc = find_link(w, dirfd, name, link, st);
	return rc ? (rc < 0 ? rc : 0) : replace(w, dirfd, name, link, st);
}

static int optimise_entry(struct work *w, int dirfd, const char *name);

static int optimise_entries(struct work *w, struct dir *d)
{
	struct buf names = BUF_INIT;
	int rc;

	/* The list first: replacing changes it. */
	while ((rc = dir_next(d, w->e)) > 0)
		buf_add(&names, d->name, strlen(d->name) + 1);
	for (const char *p = names.p; !rc && p && p < names.p + names.len; p += strlen(p) + 1)
		rc = optimise_entry(w, d->fd, p);
	buf_release(&names);
	return rc;
}

/* One that was killed while it replaced a file left the folder open to writing, or with the time of then. */
static int close_folder(struct work *w, int fd, const char *name)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(w->e, "cannot look at '%s'", name);
	if ((st.st_mode & 07777) == 0555 && st.st_mtim.tv_sec == 1)
		return 0;
	return fchmod(fd, 0555) < 0 || futimens(fd, times) < 0 ?
	       err_errno(w->e, "cannot restore mode and time of the folder '%s'", name) : 0;
}

static int optimise_entry(struct work *w, int dirfd, const char *name)
{
	struct stat st;
	struct dir d;
	int rc;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(w->e, "cannot look at '%s'", name);
	if (S_ISREG(st.st_mode))
		return optimise_file(w, dirfd, name, &st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	rc = dir_open(&d, dirfd, name, w->e);
	rc = rc ? rc : optimise_entries(w, &d);
	rc = rc ? rc : close_folder(w, d.fd, name);
	dir_close(&d);
	return rc;
}

static int open_links(struct store *s, struct err *e)
{
	int fd;

	if (mkdirat(store_fd(s), ".links", 0755) < 0 && errno != EEXIST)
		return err_errno(e, "cannot make '.links' in the store");
	fd = openat(store_fd(s), ".links", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_errno(e, "cannot open '.links' in the store") : fd;
}

static int optimise_object(struct work *w, struct store *s, const struct store_path *p)
{
	int rc = store_add_temp_root(s, p, w->e);
	int valid = rc ? rc : store_is_valid(s, p, w->e);

	return valid <= 0 ? valid : optimise_entry(w, w->store, p->base);
}

int store_optimise(struct store *s, const struct path_set *paths, struct optimise_result *out, struct err *e)
{
	struct path_set all = PATH_SET_INIT;
	struct work w = { .store = store_fd(s), .links = -1, .r = out, .e = e };
	int rc;

	*out = (struct optimise_result){ 0, 0 };
	if (store_source(s))
		return store_source(s)->optimise(store_source(s)->user, e);
	rc = stage_open(s, &w.stage, e);
	if (!rc && (w.links = open_links(s, e)) < 0)
		rc = w.links;
	if (!rc && !paths)
		rc = db_all(store_db(s), &all, e);
	paths = paths ? paths : &all;
	for (size_t i = 0; !rc && i < paths->n; i++)
		rc = optimise_object(&w, s, &paths->v[i]);
	if (w.links >= 0)
		close(w.links);
	stage_free(w.stage);
	path_set_release(&all);
	return rc;
}
