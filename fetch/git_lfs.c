/* SPDX-License-Identifier: MIT
 *
 * Pointers, and the objects they stand for.  A pointer is a file of less than a kilobyte with lines
 *
 *     version https://git-lfs.github.com/spec/v1
 *     oid sha256:<64 digits>
 *     size <number>
 *
 * and others that mean nothing here.  An object is looked for in the cache, in the repository when that lies here
 * (<git>/lfs/objects/ab/cd/<oid>, where git-lfs keeps them), in the one that it was cloned from when that does; the rest is
 * fetched, each once however many files have it.  It is hashed while it is copied to its place, so a store that has something else
 * under its name has not got it.
 */
#include "config.h"
#include "fetch/git_lfs_int.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "fetch/cache.h"
#include "fetch/git_index.h"
#include "fetch/git_int.h"
#include "fetch/mine.h"
#include "fetch/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POINTER_MAX = 1024, PIECE = 65536 };

struct filling {
	struct git_lfs *l;
	int tree, cache;	/* folders */
	struct buf stores[2];	/* folders with objects of others: of the repository, and of what it was cloned from */
	struct buf origin;	/* whose server has the rest; empty: nobody's */
	struct lfs_pointer *v;	/* those of one object one after the other */
	size_t n, cap;
};

static void release(struct filling *f)
{
	if (f->cache >= 0)
		close(f->cache);
	buf_release(&f->stores[0]);
	buf_release(&f->stores[1]);
	buf_release(&f->origin);
	free(f->v);
}

/* --- pointers --- */

static int take_line(struct lfs_pointer *p, const char *line, size_t n, int *seen)
{
	static const char oid[] = "oid sha256:", size[] = "size ";
	size_t name = sizeof oid - 1, number = sizeof size - 1;

	if (n == name + sizeof p->oid - 1 && !strncmp(line, oid, name)) {
		memcpy(p->oid, line + name, sizeof p->oid - 1);
		*seen |= strspn(p->oid, "0123456789abcdef") == sizeof p->oid - 1 ? 1 : 4;
	} else if (n > number && n < number + 19 && !strncmp(line, size, number)) {
		p->size = strtoull(line + number, NULL, 10);
		*seen |= strspn(line + number, "0123456789") == n - number ? 2 : 4;
	}
	return *seen;
}

/* 1 when the text is a pointer. */
static int parse(struct lfs_pointer *p, const char *text)
{
	static const char version[] = "version https://git-lfs.github.com/spec/v1";
	int seen = 0;

	if (strncmp(text, version, sizeof version - 1))
		return 0;
	for (const char *line = text; *line; line += strspn(line, "\n")) {
		size_t n = strcspn(line, "\n");

		take_line(p, line, n, &seen);
		line += n;
	}
	return seen == 3;
}

static int read_pointer(struct filling *f, const char *name, struct err *e)
{
	struct lfs_pointer p = { .name = name };
	char text[POINTER_MAX + 1];
	int fd = openat(f->tree, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, POINTER_MAX);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_errno(e, "cannot read '%s'", name);
	text[n] = 0;
	if (n < POINTER_MAX && strlen(text) == (size_t)n && parse(&p, text)) {
		ARRAY_GROW(f->v, f->n + 1, f->cap);
		f->v[f->n++] = p;
	} else if (n) {
		/* An empty file stands for itself. */
		buf_add(f->l->strange, name, strlen(name) + 1);
	}
	return 0;
}

static int by_object(const void *a, const void *b)
{
	const struct lfs_pointer *x = a, *y = b;
	int c = strcmp(x->oid, y->oid);

	return c ? c : x->size < y->size ? -1 : x->size > y->size;
}

/* How many pointers from there on are to one object. */
static size_t of_one(const struct filling *f, size_t i)
{
	size_t n = 1;

	while (i + n < f->n && !by_object(&f->v[i], &f->v[i + n]))
		n++;
	return n;
}

/* --- placing --- */

static int copy_hashed(int from, int to, struct hash_ctx *c, uint64_t *size, struct err *e)
{
	char piece[PIECE];
	ssize_t n;

	*size = 0;
	while ((n = fd_read(from, piece, sizeof piece)) > 0) {
		hash_update(c, piece, (size_t)n);
		*size += (uint64_t)n;
		if (fd_write_all(to, piece, (size_t)n))
			return err_errno(e, "cannot write a large file");
	}
	return n ? err_errno(e, "cannot read a large file") : 0;
}

/* Copies it over one file; 1 when it is the object, 0 when it is something else. */
static int place_one(struct filling *f, const struct lfs_pointer *p, int from, struct err *e)
{
	char hex[BASE16_LEN(HASH_SHA256_LEN) + 1];
	struct hash_ctx c;
	struct hash h;
	uint64_t size;
	int fd = openat(f->tree, p->name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || lseek(from, 0, SEEK_SET)) {
		int rc = err_errno(e, "cannot write '%s'", p->name);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	hash_init(&c, HASH_SHA256);
	int rc = copy_hashed(from, fd, &c, &size, e);
	close(fd);
	if (rc)
		return rc;
	hash_final(&c, &h);
	base16_encode(h.b, h.len, hex);
	hex[sizeof hex - 1] = 0;
	return size == p->size && !strcmp(hex, p->oid);
}

/* The same over all files of the object. */
static int place(struct filling *f, const struct lfs_pointer *p, int from, struct err *e)
{
	size_t n = of_one(f, (size_t)(p - f->v));
	int rc = 1;

	for (size_t i = 0; i < n && rc == 1; i++)
		rc = place_one(f, p + i, from, e);
	return rc;
}

/* What is at a path, when it can be the object. */
static int open_object(int dir, const char *path, uint64_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* 1 when the object was here. */
static int place_from_here(struct filling *f, const struct lfs_pointer *p, struct err *e)
{
	int fd = open_object(f->cache, p->oid, p->size), rc = fd < 0 ? 0 : place(f, p, fd, e);
	struct buf path = BUF_INIT;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !rc)
		unlinkat(f->cache, p->oid, 0);
	for (size_t i = 0; i < 2 && !rc; i++) {
		buf_trim(&path, 0);
		buf_addf(&path, "%s/%.2s/%.2s/%s", buf_str(&f->stores[i]), p->oid, p->oid + 2, p->oid);
		if (f->stores[i].len && (fd = open_object(AT_FDCWD, path.p, p->size)) >= 0) {
			rc = place(f, p, fd, e);
			close(fd);
		}
	}
	buf_release(&path);
	return rc;
}

/* --- whose they are --- */

/* Where a repository that lies here keeps its objects: a work tree, or a bare one. */
static void add_store(struct buf *out, const char *dir)
{
	struct buf own = BUF_INIT, shared = BUF_INIT;

	buf_addf(out, "%s/lfs/objects", git_folders(dir, &own, &shared) ? dir : buf_str(&shared));
	buf_release(&own);
	buf_release(&shared);
}

/* A variable of a repository's configuration, appended; nothing when it has none. */
static int get_variable(const char *dir, const char *name, struct buf *out, struct err *e)
{
	struct git_call c;
	int status;

	git_call_init(&c, dir, "");
	words_add(&c.argv, "config");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--get");
	words_add(&c.argv, name);
	int rc = git_call_run(&c, out, &status, e);
	if (!rc && out->len)
		buf_trim(out, out->len - 1);
	return rc;
}

static int find_origin(struct filling *f, struct err *e)
{
	struct buf named = BUF_INIT;
	int rc = 0;

	if (!f->l->here) {
		buf_adds(&f->origin, f->l->url);
		return 0;
	}
	add_store(&f->stores[0], f->l->here);
	rc = get_variable(f->l->here, "lfs.url", &named, e);
	if (!rc && !named.len)
		rc = get_variable(f->l->here, "remote.origin.url", &named, e);
	if (!rc && named.len)
		rc = git_complete_url(f->l->url, named.p, &f->origin, e);
	const char *url = buf_str(&f->origin), *dir = !strncmp(url, "file://", 7) ? url + 7 : url;
	if (!rc && *dir == '/') {
		add_store(&f->stores[1], dir);
		buf_release(&f->origin);
	}
	buf_release(&named);
	return rc;
}

/* --- fetching --- */

struct arriving {
	const struct lfs_pointer *p;
	struct transfer_request request;
	struct transfer *transfer;
	char name[40]; /* in the cache */
	int fd;
};

static int to_file(void *user, const void *p, size_t n, struct err *e)
{
	const struct arriving *a = user;

	return fd_write_all(a->fd, p, n) ? err_errno(e, "cannot keep what is fetched") : 0;
}

static int anew(void *user, struct err *e)
{
	const struct arriving *a = user;

	return ftruncate(a->fd, 0) || lseek(a->fd, 0, SEEK_SET) ? err_errno(e, "cannot keep what is fetched") : 0;
}

static int start(struct filling *f, struct transfer_engine *g, struct arriving *a, const struct lfs_link *link, struct err *e)
{
	static unsigned count; /* of this process */

	snprintf(a->name, sizeof a->name, "tmp-%ld-%u", (long)getpid(), __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
	unlinkat(f->cache, a->name, 0);
	a->fd = openat(f->cache, a->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (a->fd < 0)
		return err_errno(e, "cannot make a file in the cache");
	a->request = (struct transfer_request){ .url = link->url, .headers = link->headers, .max_size = a->p->size,
						.write = to_file, .restart = anew, .user = a };
	a->transfer = transfer_start(g, &a->request, e);
	return a->transfer ? 0 : ERR_INVALID;
}

static int take(struct filling *f, struct arriving *a, struct err *e)
{
	struct transfer_result r = { 0 };
	int rc = transfer_wait(a->transfer, &r, e);

	a->transfer = NULL;
	if (!rc && r.size != a->p->size)
		rc = err_set(e, ERR_NETWORK, "what '%s' gave for '%s' has %llu bytes, but the object %s has %llu", a->request.url,
			     a->p->name, (unsigned long long)r.size, a->p->oid, (unsigned long long)a->p->size);
	else if (!rc && (rc = place(f, a->p, a->fd, e)) == 0)
		rc = err_set(e, ERR_NETWORK, "what was fetched for '%s' is not the object %s", a->p->name, a->p->oid);
	if (rc == 1)
		rc = 0;
	if (rc || renameat(f->cache, a->name, f->cache, a->p->oid))
		unlinkat(f->cache, a->name, 0);
	else
		a->name[0] = 0;
	transfer_result_release(&r);
	return rc;
}

static void end(struct filling *f, struct arriving *a)
{
	if (a->transfer)
		transfer_cancel(a->transfer);
	if (a->fd >= 0 && a->name[0])
		unlinkat(f->cache, a->name, 0);
	if (a->fd >= 0)
		close(a->fd);
}

/* As many as are asked for at once. */
static int fetch_some(struct filling *f, const struct lfs_server *s, struct transfer_engine *g,
		      const struct lfs_pointer *const *wanted, size_t n, struct err *e)
{
	struct lfs_link links[LFS_ASKED_AT_ONCE] = { { 0 } };
	struct arriving v[LFS_ASKED_AT_ONCE];
	int rc = lfs_server_ask(s, g, wanted, n, links, e);

	for (size_t i = 0; i < n; i++)
		v[i] = (struct arriving){ .p = wanted[i], .fd = -1 };
	for (size_t i = 0; i < n && !rc; i++)
		rc = start(f, g, &v[i], &links[i], e);
	for (size_t i = 0; i < n && !rc; i++)
		rc = take(f, &v[i], e);
	for (size_t i = 0; i < n; i++)
		end(f, &v[i]);
	lfs_links_release(links, n);
	return rc;
}

static int fetch_from(struct filling *f, struct transfer_engine *g, const struct lfs_pointer *const *wanted, size_t n,
		      struct err *e)
{
	struct lfs_server s;
	int rc = lfs_server_find(&s, f->origin.p, e);

	for (size_t i = 0; i < n && !rc; i += LFS_ASKED_AT_ONCE)
		rc = fetch_some(f, &s, g, wanted + i, n - i < LFS_ASKED_AT_ONCE ? n - i : LFS_ASKED_AT_ONCE, e);
	lfs_server_release(&s);
	return rc;
}

static int fetch(struct filling *f, const struct lfs_pointer *const *wanted, size_t n, struct err *e)
{
	struct transfer_settings settings;
	struct transfer_engine *g;
	int rc;

	if (!f->origin.len)
		return err_set(e, ERR_NOTFOUND, "the object of '%s' is not in it, and it names no 'origin' to fetch it from",
			       wanted[0]->name);
	if (f->l->offline)
		return err_set(e, ERR_NETWORK, "the object of '%s' needs the network, and --offline was given", wanted[0]->name);
	if ((rc = transfer_settings_load(&settings, e)))
		return rc;
	g = transfer_engine_new(&settings, e);
	rc = g ? fetch_from(f, g, wanted, n, e) : ERR_NETWORK;
	transfer_engine_free(g);
	transfer_settings_release(&settings);
	mine_tidy(f->cache, LIMIT_LFS_KEPT, LIMIT_LFS_KEPT_SIZE);
	return rc;
}

/* --- the whole --- */

static int open_cache(struct filling *f, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc = cache_folder("lfs", &path, e);

	if (!rc && (f->cache = mine_open(path.p, 1)) < 0)
		rc = err_set(e, ERR_DENIED, "others may write to the cache '%s'", path.p);
	buf_release(&path);
	return rc;
}

static int fill(struct filling *f, struct err *e)
{
	const struct lfs_pointer **wanted = xcalloc(f->n, sizeof *wanted);
	size_t n = 0;
	int rc = 0;

	qsort(f->v, f->n, sizeof *f->v, by_object);
	for (size_t i = 0; i < f->n && rc >= 0; i += of_one(f, i))
		if (!(rc = place_from_here(f, &f->v[i], e)))
			wanted[n++] = &f->v[i];
	rc = rc > 0 ? 0 : rc;
	if (!rc && n)
		rc = fetch(f, wanted, n, e);
	free(wanted);
	return rc;
}

int git_lfs_fill(struct git_lfs *l, int dirfd, struct slice names, struct err *e)
{
	struct filling f = { .l = l, .tree = dirfd, .cache = -1 };
	int rc = 0;

	for (const char *p = names.p, *end_of = p + names.n; p < end_of && !rc; p += strlen(p) + 1)
		rc = read_pointer(&f, p, e);
	if (!rc && f.n)
		rc = open_cache(&f, e);
	if (!rc && f.n)
		rc = find_origin(&f, e);
	if (!rc && f.n)
		rc = fill(&f, e);
	release(&f);
	if (rc) {
		struct buf shown = BUF_INIT;

		transfer_show_url(&shown, l->url);
		err_prefix(e, "cannot fetch the large files of '%s'", buf_str(&shown));
		buf_release(&shown);
	}
	return rc;
}
