/* SPDX-License-Identifier: MIT
 *
 * Writing and reading build logs.
 *
 * A log is written under a temporary name, so that `gx log` never shows half of an older and
 * half of a newer one, and renamed when the build has ended, whether it succeeded or not.  It is no part of
 * the store's contents: it is not synced, and losing it loses nothing but words.
 */
#include "config.h"
#include "base/alloc.h"

#include "build/log.h"

#include "base/buf.h"
#include "store/tree.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 9, WORK = 30, PIECE = 65536 };

struct build_log {
	BZFILE *bz;
	FILE *f;
	int dirfd;
	char name[STORE_BASE_MAX + 8], temp[STORE_BASE_MAX + 32];
};

/* "xx" and the name within it. */
static void log_name(const struct store_path *drv, char dir[3], char name[STORE_BASE_MAX + 8])
{
	snprintf(dir, 3, "%.2s", drv->base);
	snprintf(name, STORE_BASE_MAX + 8, "%s.bz2", drv->base + 2);
}

struct build_log *log_open(struct store *s, const struct store_path *drv, struct err *e)
{
	static unsigned count;
	struct build_log *l = xcalloc(1, sizeof *l);
	char dir[3];
	int fd = -1, bzerror, logs;

	log_name(drv, dir, l->name);
	/* Short: the name of a log may already be as long as a file name can be. */
	snprintf(l->temp, sizeof l->temp, ".gx-%ld-%u", (long)getpid(), count++);
	logs = store_log_fd(s, e);
	l->dirfd = logs < 0 ? -1 : tree_make_dirs(logs, dir, e);
	if (l->dirfd >= 0)
		fd = openat(l->dirfd, l->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	l->f = fd >= 0 ? fdopen(fd, "w") : NULL;
	l->bz = l->f ? BZ2_bzWriteOpen(&bzerror, l->f, BLOCK, 0, WORK) : NULL;
	if (l->bz)
		return l;
	err_errno(e, "writing a build log");
	if (l->f)
		fclose(l->f);
	if (l->dirfd >= 0)
		close(l->dirfd);
	free(l);
	return NULL;
}

static void abandon(struct build_log *l)
{
	int bzerror;

	if (!l->bz)
		return;
	BZ2_bzWriteClose(&bzerror, l->bz, 1, NULL, NULL);
	l->bz = NULL;
	unlinkat(l->dirfd, l->temp, 0);
}

void log_write(struct build_log *l, const void *p, size_t n)
{
	int bzerror = BZ_OK;

	while (l && l->bz && n) {
		int part = n > PIECE ? PIECE : (int)n;

		BZ2_bzWrite(&bzerror, l->bz, (void *)p, part);
		if (bzerror != BZ_OK)
			abandon(l);
		p = (const char *)p + part;
		n -= (size_t)part;
	}
}

void log_close(struct build_log *l)
{
	int bzerror = BZ_OK;

	if (!l)
		return;
	if (l->bz) {
		BZ2_bzWriteClose(&bzerror, l->bz, 0, NULL, NULL);
		if (bzerror != BZ_OK || fflush(l->f) || renameat(l->dirfd, l->temp, l->dirfd, l->name))
			unlinkat(l->dirfd, l->temp, 0);
	}
	fclose(l->f);
	close(l->dirfd);
	free(l);
}

/* --- reading --- */

/* Opens the log of a derivation, compressed (*plain = 0) or, as Nix may have written it, not. */
static int open_log(struct store *s, const struct store_path *drv, int *plain, struct err *e)
{
	char dir[3], name[STORE_BASE_MAX + 8], path[STORE_BASE_MAX + 16];
	int logs = store_log_fd(s, e), fd;

	if (logs < 0)
		return -1;
	log_name(drv, dir, name);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	*plain = 0;
	fd = openat(logs, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		path[strlen(path) - 4] = 0;
		*plain = 1;
		fd = openat(logs, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd;
}

static int copy_plain(FILE *f, int (*write)(void *, const void *, size_t, struct err *), void *user, struct err *e)
{
	char part[PIECE];
	size_t n;
	int rc = 0;

	while (!rc && (n = fread(part, 1, sizeof part, f)) > 0)
		rc = write(user, part, n, e);
	return rc ? rc : ferror(f) ? err_errno(e, "reading a build log") : 0;
}

static int copy_bz(FILE *f, int (*write)(void *, const void *, size_t, struct err *), void *user, struct err *e)
{
	char part[PIECE];
	int bzerror = BZ_OK, n, rc = 0;
	BZFILE *bz = BZ2_bzReadOpen(&bzerror, f, 0, 0, NULL, 0);

	while (bz && !rc && bzerror == BZ_OK) {
		n = BZ2_bzRead(&bzerror, bz, part, sizeof part);
		if ((bzerror == BZ_OK || bzerror == BZ_STREAM_END) && n > 0)
			rc = write(user, part, (size_t)n, e);
	}
	if (!rc && bzerror != BZ_STREAM_END)
		rc = err_set(e, ERR_INVALID, "the build log is damaged");
	if (bz)
		BZ2_bzReadClose(&bzerror, bz);
	return rc;
}

/* The derivations whose log may be meant. */
static int candidates(struct store *s, const struct store_path *p, struct path_set *out, struct err *e)
{
	struct path_info info = { 0 };
	int rc = 0, valid;

	if (store_path_is_drv(p)) {
		path_set_add(out, p);
		return 0;
	}
	valid = store_is_valid(s, p, e);
	if (valid < 0)
		return valid;
	if (valid) {
		rc = db_info(store_db(s), p, &info, e);
		if (!rc && info.deriver.len)
			path_set_add(out, &info.deriver);
		path_info_release(&info);
	}
	return rc ? rc : db_derivers(store_db(s), p, out, e);
}

int log_read(struct store *s, const struct store_path *p,
	     int (*write)(void *user, const void *data, size_t n, struct err *e), void *user, struct err *e)
{
	struct path_set drvs = PATH_SET_INIT;
	int rc = candidates(s, p, &drvs, e), fd = -1, plain = 0;
	FILE *f;

	for (size_t i = 0; i < drvs.n && !rc && fd < 0; i++)
		fd = open_log(s, &drvs.v[i], &plain, e);
	path_set_release(&drvs);
	if (rc)
		return rc;
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!f)
		return err_set(e, ERR_NOTFOUND, "build log of '%.*s/%s' is not available", (int)store_dir(s).n,
			       store_dir(s).p, p->base);
	rc = plain ? copy_plain(f, write, user, e) : copy_bz(f, write, user, e);
	fclose(f);
	return rc;
}
