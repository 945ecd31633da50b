/* SPDX-License-Identifier: MIT
 *
 * Writing and reading build logs.
 *
 * A log is written under a temporary name, so that `gx log` never shows half of an older and
 * half of a newer one, and renamed when the build has ended, whether it succeeded or not.  It is no part of
 * the store's contents: it is not synced, and losing it loses nothing but words.  Whoever writes it holds a lock on it; what lies
 * there without one is a dead process's, and removed by the next that opens a log in that folder.
 *
 * Compressing takes longer than many builders take to print, and a builder whose terminal nobody reads waits.  So a log that is
 * long gets a thread: what was printed is put down for it in a file without a name, and the builder goes on; when the build has
 * ended, the thread finishes alone (logs_wait).  Short ones are compressed when they are closed, which costs less.
 */
#include "config.h"
#include "build/log.h"
#include "base/alloc.h"

#include "base/buf.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "base/flock.h"
#include "base/thread.h"
#include "store/tree.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small blocks: 20 MB of a compiler's lines in 1.35 s, not 2.1 s, for a tenth more room on the disk, and an eighth of the memory.
 */
enum { BLOCK = 1, WORK = 30, PIECE = 65536 };

enum {
	SHORT = 256 << 10, /* what is compressed without a thread */
	AHEAD = 256 << 20, /* what may wait for the thread on the disk before the builder does */
	HOLE = 1 << 20	   /* what is given back to the disk at a time */
};

struct build_log {
	BZFILE *bz;
	FILE *f;
	int dirfd;
	char name[STORE_BASE_MAX + 8], temp[STORE_BASE_MAX + 32];
	struct buf start;	/* the beginning, as long as there is no thread */
	struct build_log *next; /* of those closed and not finished */

	/* The thread has bz and f; what stands here belongs to both, under the lock. */
	int threaded;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	int spool;	   /* what was printed; read by the thread, written by the other */
	off_t put, taken;  /* so far */
	int closed, failed, cut;
};

static struct build_log *finishing;

/* "xx" and the name within it. */
static void log_name(const struct store_path *drv, char dir[3], char name[STORE_BASE_MAX + 8])
{
	snprintf(dir, 3, "%.2s", drv->base);
	snprintf(name, STORE_BASE_MAX + 8, "%s.bz2", drv->base + 2);
}

static const char temp_start[] = ".gx-";

/* Removes what dead processes left. */
static void sweep(int dirfd)
{
	struct dir d;
	int rc = dir_open(&d, dirfd, ".", NULL), fd;

	while (!rc && dir_next(&d, NULL) > 0) {
		if (strncmp(d.name, temp_start, sizeof temp_start - 1))
			continue;
		fd = openat(dirfd, d.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && lock_fd(fd, LOCK_EX | LOCK_NB, NULL) == 0)
			unlinkat(dirfd, d.name, 0);
		if (fd >= 0)
			close(fd);
	}
	dir_close(&d);
}

/* Makes the file and locks it; returns a descriptor, or -1.  Another's sweep may have been faster than the lock, and removed it. */
static int open_temp(struct build_log *l)
{
	static unsigned count;
	struct stat st;
	int fd;

	for (;;) {
		/* Short: the name of a log may already be as long as a file name can be. */
		snprintf(l->temp, sizeof l->temp, "%s%ld-%u", temp_start, (long)getpid(), count++);
		fd = openat(l->dirfd, l->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0 || lock_fd(fd, LOCK_EX, NULL) || fstat(fd, &st) || st.st_nlink)
			return fd;
		close(fd);
	}
}

struct build_log *log_open(struct store *s, const struct store_path *drv, struct err *e)
{
	struct build_log *l = xcalloc(1, sizeof *l);
	char dir[3];
	int fd = -1, bzerror, logs;

	log_name(drv, dir, l->name);
	l->spool = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->change, NULL);
	logs = store_log_fd(s, e);
	l->dirfd = logs < 0 ? -1 : tree_make_dirs(logs, dir, e);
	if (l->dirfd >= 0) {
		sweep(l->dirfd);
		fd = open_temp(l);
	}
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

/* --- compressing: by the thread, or without one --- */

static void abandon(struct build_log *l)
{
	int bzerror;

	BZ2_bzWriteClose(&bzerror, l->bz, 1, NULL, NULL);
	l->bz = NULL;
	unlinkat(l->dirfd, l->temp, 0);
}

static void compress(struct build_log *l, char *p, size_t n)
{
	int bzerror = BZ_OK;

	if (!l->bz || !n)
		return;
	BZ2_bzWrite(&bzerror, l->bz, p, (int)n);
	if (bzerror != BZ_OK)
		abandon(l);
}

static void finish(struct build_log *l)
{
	int bzerror = BZ_OK;

	if (!l->bz)
		return;
	BZ2_bzWriteClose(&bzerror, l->bz, 0, NULL, NULL);
	l->bz = NULL;
	if (bzerror != BZ_OK || fflush(l->f) || renameat(l->dirfd, l->temp, l->dirfd, l->name))
		unlinkat(l->dirfd, l->temp, 0);
}

/* Waits for more in the spool than `at` bytes; returns how many there are, `at` when there will be no more. */
static off_t wait_more(struct build_log *l, off_t at)
{
	off_t put;

	pthread_mutex_lock(&l->lock);
	l->taken = at;
	l->failed |= !l->bz;
	pthread_cond_signal(&l->change);
	while (l->put == at && !l->closed)
		pthread_cond_wait(&l->change, &l->lock);
	put = l->cut ? at : l->put;
	pthread_mutex_unlock(&l->lock);
	return put;
}

static void *thread_main(void *arg)
{
	struct build_log *l = arg;
	char part[PIECE];
	off_t at = 0, hole = 0, put;
	ssize_t n;

	while ((put = wait_more(l, at)) > at) {
		n = pread(l->spool, part, put - at < PIECE ? (size_t)(put - at) : PIECE, at);
		if (n <= 0 && l->bz)
			abandon(l);
		else
			compress(l, part, (size_t)n);
		at = n > 0 ? at + n : put;
		if (at - hole >= HOLE && !fallocate(l->spool, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, hole, at - hole))
			hole = at;
	}
	if (l->failed && l->bz)
		abandon(l);
	finish(l);
	return NULL;
}

static void start_thread(struct build_log *l)
{
	l->spool = openat(l->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	l->threaded = l->spool >= 0 && !thread_start(&l->thread, thread_main, l);
}

/* --- writing --- */

/* For the thread; where it cannot be put down the log ends. */
static void put_down(struct build_log *l, const void *p, size_t n)
{
	int bad;

	pthread_mutex_lock(&l->lock);
	while (l->put - l->taken > AHEAD)
		pthread_cond_wait(&l->change, &l->lock);
	bad = l->failed;
	pthread_mutex_unlock(&l->lock);
	if (bad)
		return;
	bad = fd_write_all(l->spool, p, n);
	pthread_mutex_lock(&l->lock);
	l->failed |= bad;
	l->put += bad ? 0 : (off_t)n;
	pthread_cond_signal(&l->change);
	pthread_mutex_unlock(&l->lock);
}

void log_write(struct build_log *l, const void *p, size_t n)
{
	if (!l)
		return;
	if (l->threaded) {
		put_down(l, p, n);
		return;
	}
	buf_add(&l->start, p, n);
	if (l->start.len < SHORT)
		return;
	if (l->spool < 0)
		start_thread(l);
	if (l->threaded)
		put_down(l, l->start.p, l->start.len);
	else
		compress(l, l->start.p, l->start.len);
	buf_trim(&l->start, 0);
}

static void release(struct build_log *l)
{
	fclose(l->f);
	close(l->dirfd);
	pthread_cond_destroy(&l->change);
	pthread_mutex_destroy(&l->lock);
	if (l->spool >= 0)
		close(l->spool);
	buf_release(&l->start);
	free(l);
}

void log_close(struct build_log *l)
{
	if (!l)
		return;
	if (!l->threaded) {
		compress(l, l->start.p, l->start.len);
		finish(l);
		release(l);
		return;
	}
	pthread_mutex_lock(&l->lock);
	l->closed = 1;
	pthread_cond_signal(&l->change);
	pthread_mutex_unlock(&l->lock);
	l->next = finishing;
	finishing = l;
}

void logs_wait(int cut)
{
	for (struct build_log *l = finishing; l && cut; l = l->next) {
		pthread_mutex_lock(&l->lock);
		l->cut = 1;
		pthread_mutex_unlock(&l->lock);
	}
	while (finishing) {
		struct build_log *l = finishing;

		finishing = l->next;
		pthread_join(l->thread, NULL);
		release(l);
	}
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
		rc = err_set(e, ERR_INVALID, "it is damaged");
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
	if (rc == ERR_INVALID)
		err_prefix(e, "build log of '%.*s/%s'", (int)store_dir(s).n, store_dir(s).p, p->base);
	return rc;
}
