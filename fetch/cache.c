/* SPDX-License-Identifier: MIT
 *
 * A file of the cache:
 *
 *     "gx-cache-1\n"  decimal length of the key "\n"  key  "\n"  hex SHA-256 of the value "\n"  value
 *
 * The sum makes a file that a crash left half written (file systems may rename before they write) count as missing, so that nothing
 * needs to be synced.  Its age is the file's modification time.
 */
#include "config.h"
#include "fetch/cache.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "fetch/interrupt.h"
#include "format/basen.h"
#include "format/hash.h"
#include "base/fdio.h"
#include "base/flock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[] = "gx-cache-1\n";

struct cache {
	char *path;
	int files, locks;
};

/* --- the place --- */

int cache_user_dir(struct buf *b, struct err *e)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache == '/')
		buf_addf(b, "%s/gx", cache);
	else if (home && *home == '/')
		buf_addf(b, "%s/.cache/gx", home);
	else
		return err_set(e, ERR_NOTFOUND, "there is no place for a cache: neither XDG_CACHE_HOME nor HOME is set");
	return 0;
}

int cache_make_dirs(const char *path, struct err *e)
{
	return make_folders(path, 0700) ? err_errno(e, "cannot make the cache '%s'", path) : 0;
}

/* Folders were made for all whom the umask let in, once. */
static void keep_others_out(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077))
		chmod(path, 0700);
}

int cache_folder(const char *name, struct buf *out, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = cache_user_dir(&b, e);

	if (!rc)
		rc = cache_make_dirs(b.p, e);
	if (!rc) {
		keep_others_out(b.p);
		buf_addf(&b, "/%s", name);
		rc = cache_make_dirs(b.p, e);
	}
	if (!rc) {
		keep_others_out(b.p);
		buf_add(out, b.p, b.len);
	}
	buf_release(&b);
	return rc;
}

static int open_sub(const char *path, const char *name, struct err *e)
{
	struct buf b = BUF_INIT;
	int fd = -1;

	buf_addf(&b, "%s/%s", path, name);
	if (mkdir(b.p, 0700) == 0 || errno == EEXIST)
		fd = open(b.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err_errno(e, "cannot open the cache '%s'", b.p);
	buf_release(&b);
	return fd;
}

int cache_open(struct cache **out, const char *dir, struct err *e)
{
	struct cache *c = xcalloc(1, sizeof *c);
	struct buf b = BUF_INIT;
	int rc = 0, git = -1;

	c->files = c->locks = -1;
	if (dir)
		buf_adds(&b, dir);
	else
		rc = cache_user_dir(&b, e);
	if (!rc)
		rc = cache_make_dirs(b.p, e);
	c->path = buf_detach(&b, NULL);
	if (!rc && ((c->files = open_sub(c->path, "files", e)) < 0 || (c->locks = open_sub(c->path, "locks", e)) < 0 ||
		    (git = open_sub(c->path, "git", e)) < 0))
		rc = ERR_IO;
	if (git >= 0)
		close(git);
	if (rc) {
		cache_free(c);
		c = NULL;
	}
	*out = c;
	return rc;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	if (c->files >= 0)
		close(c->files);
	if (c->locks >= 0)
		close(c->locks);
	free(c->path);
	free(c);
}

void cache_name(struct slice key, char out[CACHE_NAME_LEN + 1])
{
	uint8_t h[HASH_SHA256_LEN];

	hash_sha256(key.p, key.n, h);
	base16_encode(h, sizeof h, out);
	out[CACHE_NAME_LEN] = 0;
}

/* --- files --- */

static void add_header(struct buf *b, struct slice key, struct slice value)
{
	char sum[CACHE_NAME_LEN + 1];

	cache_name(value, sum);
	buf_addf(b, "%s%zu\n", magic, key.n);
	buf_add(b, key.p, key.n);
	buf_addf(b, "\n%s\n", sum);
}

/* Takes the value out of a whole file; 1 when it is one, and for this key. */
static int take_value(struct slice text, struct slice key, struct slice *value)
{
	struct buf start = BUF_INIT, want = BUF_INIT;
	int ok;

	buf_addf(&start, "%s%zu\n", magic, key.n);
	size_t n = start.len + key.n + 1 + CACHE_NAME_LEN + 1;

	ok = text.n >= n;
	if (ok) {
		*value = (struct slice){ text.p + n, text.n - n };
		add_header(&want, key, *value);
		ok = want.len == n && !memcmp(want.p, text.p, n);
	}
	buf_release(&start);
	buf_release(&want);
	return ok;
}

int cache_get(struct cache *c, struct slice key, unsigned max_age, struct buf *out, struct err *e)
{
	char name[CACHE_NAME_LEN + 1];
	struct buf text = BUF_INIT;
	struct slice value;
	struct stat st;
	int rc;

	cache_name(key, name);
	int fd = openat(c->files, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : err_errno(e, "cannot read the cache");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (max_age && time(NULL) - st.st_mtime > (time_t)max_age)) {
		close(fd);
		return 0;
	}
	rc = (fd_read_all(fd, &text) ? err_errno(e, "cannot read the cache") : 0);
	close(fd);
	if (!rc && take_value((struct slice){ buf_str(&text), text.len }, key, &value)) {
		buf_add(out, value.p, value.n);
		rc = 1;
	}
	buf_release(&text);
	return rc;
}

int cache_put(struct cache *c, struct slice key, struct slice value, struct err *e)
{
	static unsigned count; /* makes names of one process different */
	char name[CACHE_NAME_LEN + 1], temp[64];
	struct buf head = BUF_INIT;
	int rc = 0, fd;

	cache_name(key, name);
	snprintf(temp, sizeof temp, "tmp-%ld-%u", (long)getpid(), __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
	/* Left by a dead process of the same number. */
	unlinkat(c->files, temp, 0);
	fd = openat(c->files, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "cannot write to the cache '%s'", c->path);
	add_header(&head, key, value);
	if (fd_write_all(fd, head.p, head.len) || fd_write_all(fd, value.p, value.n) || renameat(c->files, temp, c->files, name)) {
		rc = err_errno(e, "cannot write to the cache '%s'", c->path);
		unlinkat(c->files, temp, 0);
	}
	close(fd);
	buf_release(&head);
	return rc;
}

/* --- repositories --- */

static unsigned wait_begins(struct slice key)
{
	struct buf what = BUF_INIT;
	unsigned id;

	buf_addf(&what, "another process with '%.*s'", (int)key.n, key.p);
	id = activity_begin(ACTIVITY_WAIT, what.p);
	buf_release(&what);
	return id;
}

int cache_lock(struct cache *c, struct slice key, int *waited, struct err *e)
{
	char name[CACHE_NAME_LEN + 1];
	int rc;

	cache_name(key, name);
	int fd = openat(c->locks, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, "cannot lock the cache '%s'", c->path);
	unsigned activity = 0;
	while ((rc = lock_fd(fd, LOCK_EX | LOCK_NB, e)) == 1) {
		if (!activity)
			activity = wait_begins(key);
		if ((rc = fetch_wait(-1, 50, e)))
			break;
	}
	activity_end(activity, rc);
	if (waited)
		*waited = activity != 0;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int cache_repository(struct slice url, struct buf *path, struct err *e)
{
	char name[CACHE_NAME_LEN + 1];
	struct cache *c = NULL;
	int rc = cache_open(&c, NULL, e);

	cache_name(url, name);
	if (!rc) {
		buf_addf(path, "%s/git/%s", c->path, name);
		rc = cache_lock(c, url, NULL, e);
	}
	cache_free(c);
	return rc;
}
