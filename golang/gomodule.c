/* SPDX-License-Identifier: MIT
 *
 * Unpacking module zips.  First every name is checked, so that a bad zip writes nothing at all; then directories are made,
 * then files, each hashed as it is written; then the sum is compared.  Nobody but us writes in the directory, no links are
 * ever made in it, and every file is created exclusively, so a path can only lead where the rules allow.
 *
 * Unpacking is inflating and hashing, so larger zips are shared among a few threads: a toolchain is some 250 MB.
 */
#include "config.h"
#include "golang/gomodule.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "golang/gomodule_int.h"
#include "golang/h1.h"
#include "golang/unicode.h"
#include "format/goh1.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int go_path_ends(struct slice path, struct slice name)
{
	return slice_ends(path, name) && (path.n == name.n || path.p[path.n - name.n - 1] == '/');
}

int go_toolchain_executable(struct slice path)
{
	if (slice_starts(path, SLICE("bin/")) || slice_starts(path, SLICE("pkg/tool/")))
		return 1;
	if (!slice_starts(path, SLICE("lib/")))
		return 0;
	const char *base = (const char *)memrchr(path.p, '/', path.n) + 1;
	char *name = xstrndup(base, path.n - (size_t)(base - path.p));

	int match = !fnmatch("go_?*_?*_exec", name, 0);

	free(name);
	return match;
}

/* --- rules --- */

/* Every path of a module, and every directory on the way to it, in folded form. */
struct seen {
	struct slice path;
	int is_dir;
	char *folded;
	size_t n;
};

struct collisions {
	struct seen *v;
	size_t n, cap;
};

static int by_fold(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return slice_cmp((struct slice){ x->folded, x->n }, (struct slice){ y->folded, y->n });
}

static void collisions_add(struct collisions *c, struct slice path, int is_dir)
{
	struct buf b = BUF_INIT;

	ARRAY_GROW(c->v, c->n + 1, c->cap);
	unicode_fold(&b, path.p, path.n);
	struct seen *s = &c->v[c->n++];

	s->path = path;
	s->is_dir = is_dir;
	s->folded = buf_detach(&b, &s->n);
}

/* Two that are equal but for case stand next to one another once sorted. */
static int collisions_check(struct collisions *c, struct err *e)
{
	if (c->n)
		qsort(c->v, c->n, sizeof *c->v, by_fold);
	for (size_t i = 1; i < c->n; i++) {
		const struct seen *a = &c->v[i - 1], *b = &c->v[i];

		if (by_fold(a, b))
			continue;
		if (!slice_eq(a->path, b->path))
			return err_set(e, ERR_INVALID, "case-insensitive file name collision: '%.*s' and '%.*s'",
				       (int)a->path.n, a->path.p, (int)b->path.n, b->path.p);
		if (a->is_dir != b->is_dir)
			return err_set(e, ERR_INVALID, "entry '%.*s' is both a file and a directory", (int)a->path.n,
				       a->path.p);
		if (!a->is_dir)
			return err_set(e, ERR_INVALID, "multiple entries for file '%.*s'", (int)a->path.n, a->path.p);
	}
	return 0;
}

static void collisions_release(struct collisions *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].folded);
	free(c->v);
}

static void add_with_parents(struct collisions *c, struct slice path, int is_dir)
{
	collisions_add(c, path, is_dir);
	for (size_t i = path.n; i-- > 0;)
		if (path.p[i] == '/')
			collisions_add(c, (struct slice){ path.p, i }, 1);
}

/* The part of a member's name below "module@version/"; ERR_INVALID when there is no such part. */
static int strip_prefix(const struct module_version *m, struct slice name, struct slice *out, struct err *e)
{
	size_t n = m->path.n + 1 + m->version.n + 1;

	if (name.n < n || memcmp(name.p, m->path.p, m->path.n) || name.p[m->path.n] != '@' ||
	    memcmp(name.p + m->path.n + 1, m->version.p, m->version.n) || name.p[n - 1] != '/')
		return err_set(e, ERR_INVALID, "path '%.*s' does not have prefix '%.*s@%.*s/'", (int)name.n, name.p,
			       (int)m->path.n, m->path.p, (int)m->version.n, m->version.p);
	*out = (struct slice){ name.p + n, name.n - n };
	return 0;
}

/* As path.Clean would leave it: no empty, "." or ".." elements, no slash at either end. */
static int is_clean(struct slice p)
{
	for (size_t at = 0; at <= p.n;) {
		const char *slash = at < p.n ? memchr(p.p + at, '/', p.n - at) : NULL;
		size_t n = slash ? (size_t)(slash - p.p) - at : p.n - at;

		if (!n || (n == 1 && p.p[at] == '.') || (n == 2 && !memcmp(p.p + at, "..", 2)))
			return 0;
		at += n + 1;
	}
	return 1;
}

static int check_sizes(const struct zip_entry *f, struct slice path, uint64_t *total, struct err *e)
{
	if (f->size > LIMIT_GO_MODULE - *total)
		return err_set(e, ERR_INVALID,
			       "total uncompressed size of module contents too large (max size is %llu bytes)",
			       (unsigned long long)LIMIT_GO_MODULE);
	*total += f->size;
	if (f->size > LIMIT_GO_FILE && (slice_eq(path, SLICE("go.mod")) || slice_eq(path, SLICE("LICENSE"))))
		return err_set(e, ERR_INVALID, "%.*s file too large (max size is %llu bytes)", (int)path.n, path.p,
			       (unsigned long long)LIMIT_GO_FILE);
	return 0;
}

static int check_file(const struct zip_entry *f, struct slice path, uint64_t *total, struct err *e)
{
	const char *slash = memrchr(path.p, '/', path.n);
	struct slice base = slash ? (struct slice){ slash + 1, path.n - (size_t)(slash + 1 - path.p) } : path;

	if (unicode_fold_eq(base.p, base.n, "go.mod", 6)) {
		if (slash)
			return err_set(e, ERR_INVALID, "go.mod file '%.*s' not in module root directory", (int)path.n,
				       path.p);
		if (!slice_eq(path, SLICE("go.mod")))
			return err_set(e, ERR_INVALID, "go.mod files must have lowercase names, not '%.*s'", (int)path.n,
				       path.p);
	}
	if (f->type && !S_ISREG(f->type))
		return err_set(e, ERR_INVALID, "'%.*s' is a %s, not a regular file", (int)path.n, path.p,
			       S_ISLNK(f->type) ? "symbolic link" : "special file");
	return check_sizes(f, path, total, e);
}

static int check_entry(const struct zip_entry *f, const struct module_version *m, struct collisions *c, uint64_t *total,
		       struct err *e)
{
	struct slice path;
	int rc = strip_prefix(m, f->name, &path, e), is_dir;

	if (rc || !path.n)
		return rc;
	is_dir = path.p[path.n - 1] == '/';
	path.n -= (size_t)is_dir;
	if (!is_clean(path))
		return err_set(e, ERR_INVALID, "path '%.*s' is not clean", (int)path.n, path.p);
	if ((rc = modpath_check_file(path, e)))
		return rc;
	add_with_parents(c, path, is_dir);
	return is_dir ? 0 : check_file(f, path, total, e);
}

int go_module_check_zip(const struct zip *z, const struct module_version *m, struct err *e)
{
	struct collisions c = { 0 };
	uint64_t total = 0;
	int rc = modpath_check_module(m, e);

	for (size_t i = 0; i < z->n && !rc; i++)
		rc = check_entry(&z->entries[i], m, &c, &total, e);
	if (!rc)
		rc = collisions_check(&c, e);
	collisions_release(&c);
	return rc;
}

/* --- unpacking --- */

struct unpack {
	const struct zip *z;
	const struct module_version *m;
	int dirfd, toolchain;
	struct hash *hashes; /* by entry */
	atomic_size_t next;
	atomic_int failed;
	pthread_mutex_t lock; /* of err */
	struct err *err;
	int rc;
};

static char *entry_path(const struct unpack *u, const struct zip_entry *f)
{
	struct slice path;

	strip_prefix(u->m, f->name, &path, NULL);
	char *s = xstrndup(path.p, path.n);

	return s;
}

/* Makes the directories on the way to a path. */
static int make_parents(int dirfd, char *path, struct err *e)
{
	for (char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		*s = 0;
		int rc = mkdirat(dirfd, path, 0755) < 0 && errno != EEXIST ? err_errno(e, "cannot make '%s'", path) : 0;

		*s = '/';
		if (rc)
			return rc;
	}
	return 0;
}

static int make_directories(const struct unpack *u, struct err *e)
{
	char *last = NULL;
	int rc = 0;

	for (size_t i = 0; i < u->z->n && !rc; i++) {
		char *path = entry_path(u, &u->z->entries[i]), *slash = strrchr(path, '/');
		size_t n = slash ? (size_t)(slash - path) : 0;

		/* Members of one directory come together: ask the system once. */
		if (n && u->z->entries[i].name.p[u->z->entries[i].name.n - 1] != '/' &&
		    (!last || strlen(last) != n || memcmp(last, path, n))) {
			rc = make_parents(u->dirfd, path, e);
			free(last);
			last = xstrndup(path, n);
		}
		free(path);
	}
	free(last);
	return rc;
}

struct file {
	int fd;
	struct hash_ctx hash;
	const char *path;
};

static int write_file(void *user, const void *p, size_t n, struct err *e)
{
	struct file *f = user;

	hash_update(&f->hash, p, n);
	return fd_write_all(f->fd, p, n) ? err_errno(e, "cannot write '%s'", f->path) : 0;
}

static int unpack_one(struct unpack *u, size_t i, struct err *e)
{
	const struct zip_entry *entry = &u->z->entries[i];
	char *path = entry_path(u, entry);
	struct file f = { .path = path };
	struct slice p = slice_of(path);
	mode_t mode = u->toolchain && go_toolchain_executable(p) ? 0555 : 0444;
	int rc;

	if (!p.n || p.p[p.n - 1] == '/') {
		free(path);
		return 0;
	}
	f.fd = openat(u->dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f.fd < 0) {
		rc = err_errno(e, "cannot make '%s'", path);
		free(path);
		return rc;
	}
	hash_init(&f.hash, HASH_SHA256);
	rc = zip_read(u->z, entry, write_file, &f, e);
	hash_final(&f.hash, &u->hashes[i]);
	if (!rc && fchmod(f.fd, mode) < 0)
		rc = err_errno(e, "cannot change the mode of '%s'", path);
	close(f.fd);
	free(path);
	return rc;
}

static void *worker(void *arg)
{
	struct unpack *u = arg;
	struct err e = ERR_INIT;
	size_t i;

	while (!u->failed && (i = atomic_fetch_add(&u->next, 1)) < u->z->n) {
		int rc = unpack_one(u, i, &e);

		if (!rc)
			continue;
		pthread_mutex_lock(&u->lock);
		if (!u->rc)
			u->rc = err_set(u->err, rc, "%s", e.msg ? e.msg : "cannot unpack");
		pthread_mutex_unlock(&u->lock);
		u->failed = 1;
	}
	err_release(&e);
	return NULL;
}

static int unpack_files(struct unpack *u, struct err *e)
{
	enum { THREADS = 4, WORTH_IT = 4 << 20 };
	pthread_t threads[THREADS];
	uint64_t total = 0;
	size_t n = 0;

	for (size_t i = 0; i < u->z->n; i++)
		total += u->z->entries[i].size;
	long cores = total > WORTH_IT ? sysconf(_SC_NPROCESSORS_ONLN) : 1;

	u->err = e;
	pthread_mutex_init(&u->lock, NULL);
	/* A thread that cannot be started is one less. */
	while (n < THREADS && (long)n + 1 < cores && !pthread_create(&threads[n], NULL, worker, u))
		n++;
	worker(u);
	while (n)
		pthread_join(threads[--n], NULL);
	pthread_mutex_destroy(&u->lock);
	return u->rc;
}

/* Entries for directories are left out, as the tree cannot tell whether they were there. */
static int sum(const struct unpack *u, struct hash *out, struct err *e)
{
	struct h1 h = { 0 };

	for (size_t i = 0; i < u->z->n; i++) {
		struct slice name = u->z->entries[i].name;

		if (name.p[name.n - 1] != '/')
			h1_add(&h, name, &u->hashes[i]);
	}
	int rc = h1_finish(&h, out, e);

	h1_release(&h);
	return rc;
}

static int mismatch(const struct unpack *u, const struct hash *want, const struct hash *got, struct err *e)
{
	char w[GO_H1_LEN + 1], g[GO_H1_LEN + 1];
	int dirs = 0;

	for (size_t i = 0; i < u->z->n; i++)
		dirs |= u->z->entries[i].name.p[u->z->entries[i].name.n - 1] == '/';
	go_h1_print(want, w);
	go_h1_print(got, g);
	return err_set(e, ERR_HASH, "checksum mismatch: the files of the module have the sum %s, but %s is wanted%s", g, w,
		       dirs ? " (its zip has entries for directories, which a sum of files does not cover)" : "");
}

/* Copies each "_go.mod" to "go.mod" beside it. */
static int restore_gomods(struct unpack *u, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < u->z->n && !rc; i++) {
		struct zip_entry entry = u->z->entries[i];

		if (!go_path_ends(entry.name, SLICE("_go.mod")))
			continue;
		char *path = entry_path(u, &entry);

		/* Without the underscore: "a/_go.mod" becomes "a/go.mod". */
		memmove(path + strlen(path) - 7, "go.mod", 7);
		struct file f = { .path = path };

		f.fd = openat(u->dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
		if (f.fd < 0) {
			rc = err_errno(e, "cannot make '%s'", path);
		} else {
			hash_init(&f.hash, HASH_SHA256);
			rc = zip_read(u->z, &entry, write_file, &f, e);
			hash_final(&f.hash, &u->hashes[i]);
			close(f.fd);
		}
		free(path);
	}
	return rc;
}

/* A toolchain with something called share would need another layout. */
int go_toolchain_link_share(int dirfd, struct err *e)
{
	if (mkdirat(dirfd, GO_SHARE, 0755) < 0)
		return err_errno(e, "cannot make '%s'", GO_SHARE);
	return symlinkat(GO_SHARE_TARGET, dirfd, GO_SHARE_LINK) < 0 ? err_errno(e, "cannot make '%s'", GO_SHARE_LINK) : 0;
}

static int unpack_all(struct unpack *u, const struct hash *want, struct hash *h1, struct err *e)
{
	struct hash got;
	int rc = make_directories(u, e);

	if (!rc)
		rc = unpack_files(u, e);
	if (!rc)
		rc = sum(u, &got, e);
	if (rc)
		return rc;
	if (h1)
		*h1 = got;
	if (want && !hash_eq(want, &got))
		return mismatch(u, want, &got, e);
	if (u->toolchain && !(rc = restore_gomods(u, e)))
		rc = go_toolchain_link_share(u->dirfd, e);
	return rc;
}

int go_module_unpack(int zip_fd, const struct module_version *m, const struct hash *want, int dirfd, struct hash *h1,
		     struct err *e)
{
	struct zip z;
	struct stat st;
	int rc;

	if (fstat(zip_fd, &st) == 0 && (uint64_t)st.st_size > LIMIT_GO_MODULE)
		rc = err_set(e, ERR_INVALID, "module zip file is too large (%llu bytes; limit is %llu bytes)",
			     (unsigned long long)st.st_size, (unsigned long long)LIMIT_GO_MODULE);
	else if (!(rc = zip_open(&z, zip_fd, e))) {
		struct unpack u = { .z = &z, .m = m, .dirfd = dirfd, .toolchain = go_module_is_toolchain(m->path) };

		u.hashes = xcalloc(z.n + 1, sizeof *u.hashes);
		rc = go_module_check_zip(&z, m, e);
		if (!rc)
			rc = unpack_all(&u, want, h1, e);
		free(u.hashes);
		zip_close(&z);
	}
	if (rc)
		err_prefix(e, "Go module '%.*s@%.*s'", (int)m->path.n, m->path.p, (int)m->version.n, m->version.p);
	return rc;
}
