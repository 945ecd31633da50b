/* SPDX-License-Identifier: MIT
 *
 * Opening a store, and questions about it that need more than one row.
 *
 * Directories are opened once, from the root of the place downwards and without following links (Nix refuses links
 * there too: what is recorded would depend on where they lead), and everything later is relative to these descriptors.
 *
 * The big lock is held shared as long as the store is open: an exclusive holder is a program that changes the schema.
 * The file `reserved` takes 8 MiB, so that on a full disk a collection can begin by removing it: even opening
 * the database takes some room.
 */
#include "config.h"
#include "store/store_int.h"
#include "base/alloc.h"
#include "base/flock.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESERVED_SIZE = 8 << 20 };

/* All that are open, for store_sync_all: who prints does not know whose words they are. */
static struct store *opened;

/* --- opening --- */

/* Opens a physical directory of the place; makes it when that is allowed. */
static int open_place_dir(struct store *s, const char *path, struct err *e)
{
	const char *root = s->place->root;
	size_t n = strlen(root);
	int below = n && !strncmp(path, root, n) && path[n] == '/', from = s->root_fd, fd;

	if (!below && n && (from = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_errno(e, "cannot open '/'");
	path += below ? n + 1 : 1;
	if (s->flags & STORE_READONLY) {
		fd = openat(from, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = err_errno(e, "there is no store: cannot open '%s/%s'", below ? root : "", path);
	} else {
		fd = tree_make_dirs(from, path, e);
		if (fd < 0)
			err_prefix(e, "cannot make the store directory '%s/%s'", below ? root : "", path);
	}
	if (from != s->root_fd)
		close(from);
	return fd;
}

/* The user's own folder above the root may be reached over links, and may be missing. */
static int open_root(struct store *s, struct err *e)
{
	const char *root = *s->place->root ? s->place->root : "/";
	int slash;

	s->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd >= 0)
		return 0;
	if (errno != ENOENT || (s->flags & STORE_READONLY))
		return err_errno(e, "cannot open the root of the store, '%s'", root);
	slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (slash < 0)
		return err_errno(e, "cannot open '/'");
	s->root_fd = tree_make_dirs(slash, root + 1, e);
	close(slash);
	if (s->root_fd < 0)
		err_prefix(e, "cannot make the root of the store, '%s'", root);
	return s->root_fd < 0 ? ERR_IO : 0;
}

static int make_dirs(struct store *s, struct err *e)
{
	static const char *const dirs[] = { "temproots", "profiles/per-user", "gcroots/per-user", "gcroots/auto", "db" };
	struct buf b = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof dirs / sizeof *dirs; i++) {
		int fd = tree_make_dirs(s->state_fd, dirs[i], e);
		if (fd < 0)
			rc = fd;
		else
			close(fd);
	}
	if (!rc && mkdirat(s->fd, ".links", 0755) < 0 && errno != EEXIST)
		rc = err_errno(e, "cannot make a directory in the store, '%s'", s->place->real_store);
	/* Profiles are roots; Nix finds them over this link. */
	buf_addf(&b, "%s/profiles", s->place->state_dir);
	if (!rc && symlinkat(b.p, s->state_fd, "gcroots/profiles") < 0 && errno != EEXIST)
		rc = err_errno(e, "cannot make the link 'gcroots/profiles'");
	buf_release(&b);
	return rc;
}

static void reserve_space(int db_fd)
{
	struct stat st;
	int fd;

	if (fstatat(db_fd, "reserved", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == RESERVED_SIZE)
		return;
	fd = openat(db_fd, "reserved", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	/* Only a help for later: that it fails says nothing about now. */
	if (posix_fallocate(fd, 0, RESERVED_SIZE) || ftruncate(fd, RESERVED_SIZE) < 0)
		unlinkat(db_fd, "reserved", 0);
	close(fd);
}

int store_read_schema(int db_fd, int *version, struct err *e)
{
	char text[32] = "", *end;
	int fd = openat(db_fd, "schema", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	*version = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "cannot open the schema file of the store");
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n < 0)
		return err_errno(e, "cannot read the schema file of the store");
	text[strcspn(text, "\n")] = 0;
	*version = (int)strtol(text, &end, 10);
	while (*end == ' ')
		end++;
	if (n == 0 || *end || *version <= 0)
		return err_set(e, ERR_INVALID, "the schema file of the store is damaged: it holds '%s', not a number" REBUILD_HINT,
			       text);
	if (*version != DB_SCHEMA)
		return err_set(e, ERR_INVALID, "the store has schema %d, and gx knows only %d: %s", *version, DB_SCHEMA,
			       *version > DB_SCHEMA ? "a newer program made it" : "open it once with Nix, which converts it");
	return 0;
}

static int write_schema(struct store *s, int db_fd, struct err *e)
{
	static const char text[] = "10";
	char name[40]; /* several processes may make a store at once */
	int fd, rc = 0;

	snprintf(name, sizeof name, "schema.new-%ld", (long)getpid());
	fd = openat(db_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, 2) != 2 || (store_syncs(s) && fsync(fd) < 0) ||
	    renameat(db_fd, name, db_fd, "schema") < 0 || (store_syncs(s) && fsync(db_fd) < 0))
		rc = err_errno(e, "cannot write the schema file of the store");
	if (rc)
		unlinkat(db_fd, name, 0);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int take_big_lock(struct store *s, int db_fd, struct err *e)
{
	int rc;

	s->big_lock = openat(db_fd, "big-lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->big_lock < 0 && (errno == EROFS || errno == EACCES || errno == EPERM))
		return err_set(e, ERR_DENIED, "the store in '%s' can only be read: %s", s->place->real_store, strerror(errno));
	if (s->big_lock < 0)
		return err_errno(e, "cannot open the lock of the store in '%s/db'", s->place->state_dir);
	rc = lock_fd(s->big_lock, LOCK_SH | LOCK_NB, e);
	if (rc == 1) {
		store_notice(s, "waiting for the program that has the whole store locked");
		rc = lock_fd(s->big_lock, LOCK_SH, e);
	}
	return rc;
}

static int open_db(struct store *s, struct err *e)
{
	enum db_flags flags = s->flags & STORE_READONLY ? DB_READONLY : s->flags & STORE_NOSYNC ? DB_NOSYNC : 0;
	struct buf dir = BUF_INIT;
	int db_fd = openat(s->state_fd, "db", O_RDONLY | O_DIRECTORY | O_CLOEXEC), version, rc = 0;

	if (db_fd < 0)
		return err_errno(e, "cannot open '%s/db'", s->place->state_dir);
	if (!(s->flags & STORE_READONLY)) {
		if (s->flags & STORE_NEED_ROOM)
			unlinkat(db_fd, "reserved", 0);
		else
			reserve_space(db_fd);
		rc = take_big_lock(s, db_fd, e);
	}
	if (!rc)
		rc = store_read_schema(db_fd, &version, e);
	if (!rc && !version)
		flags |= flags & DB_READONLY ? 0 : DB_CREATE;
	buf_addf(&dir, "%s/db", s->place->state_dir);
	if (!rc)
		rc = db_open(&s->db, dir.p, slice_of(s->place->store_dir), flags, e);
	if (!rc && !version && !(s->flags & STORE_READONLY))
		rc = write_schema(s, db_fd, e);
	buf_release(&dir);
	close(db_fd);
	return rc;
}

int store_open(struct store **out, const struct place *place, enum store_flags flags, struct err *e)
{
	struct store *s;
	int rc;

	*out = NULL;
	if (place->mode == PLACE_VIEW && !(flags & STORE_OF_VIEW))
		return err_set(e, ERR_INVALID, "'%s' is a store of others: this is done to one that lies in a folder",
			       place->address);
	s = xcalloc(1, sizeof *s);
	s->place = place;
	s->flags = flags;
	s->root_fd = s->fd = s->state_fd = s->log_fd = s->big_lock = -1;
	s->temp_fd = s->gc_lock_fd = s->gc_socket = s->stage_dir = -1;
	s->next = opened;
	opened = s;
	rc = open_root(s, e);
	if (!rc && (s->fd = open_place_dir(s, place->real_store, e)) < 0)
		rc = s->fd;
	if (!rc && (s->state_fd = open_place_dir(s, place->state_dir, e)) < 0)
		rc = s->state_fd;
	if (!rc && !(flags & STORE_READONLY))
		rc = make_dirs(s, e);
	if (!rc)
		rc = open_db(s, e);
	if (rc)
		store_free(s);
	else
		*out = s;
	return rc;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void store_free(struct store *s)
{
	const struct store_source *source = s ? s->source : NULL;

	if (!s)
		return;
	for (struct store **p = &opened; *p; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			break;
		}
	store_free(s->eval_store);
	db_free(s->db);
	drv_memo_release(&s->drvs);
	if (s->state_fd >= 0)
		temp_roots_release(s);
	close_fd(s->stage_dir);
	close_fd(s->log_fd);
	close_fd(s->big_lock);
	close_fd(s->state_fd);
	close_fd(s->fd);
	close_fd(s->root_fd);
	free(s);
	if (source && source->closed)
		source->closed(source->user);
}

void store_set_source(struct store *s, const struct store_source *source)
{
	s->source = source;
	db_set_source(s->db, source->need, source->user);
}

const struct store_source *store_source(const struct store *s)
{
	return s->source;
}

void store_set_eval_store(struct store *s, struct store *from)
{
	s->eval_store = from;
}

struct store *store_eval_store(struct store *s)
{
	return s->eval_store ? s->eval_store : s;
}

/* --- parts --- */

void store_set_notice(struct store *s, void (*notice)(void *user, const char *text), void *user)
{
	s->notice = notice;
	s->notice_user = user;
}

void store_notice(struct store *s, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	if (!s->notice)
		return;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	s->notice(s->notice_user, buf_str(&b));
	buf_release(&b);
}

const struct place *store_place(const struct store *s)
{
	return s->place;
}

struct slice store_dir(const struct store *s)
{
	return slice_of(s->place->store_dir);
}

struct db *store_db(struct store *s)
{
	return s->db;
}

int store_fd(const struct store *s)
{
	return s->fd;
}

int store_state_fd(const struct store *s)
{
	return s->state_fd;
}

int store_is_readonly(const struct store *s)
{
	return (s->flags & STORE_READONLY) != 0;
}

int store_syncs(const struct store *s)
{
	return !(s->flags & STORE_NOSYNC);
}

int store_sync_all(struct err *e)
{
	int rc = 0;

	for (struct store *s = opened; s && !rc; s = s->next)
		if (s->db)
			rc = db_sync(s->db, e);
	return rc;
}

int store_want_writable(struct store *s, struct err *e)
{
	if (!store_is_readonly(s))
		return 0;
	return err_set(e, ERR_DENIED, "the store in '%s' was opened for reading only", s->place->real_store);
}

int store_log_fd(struct store *s, struct err *e)
{
	int fd;

	if (s->log_fd >= 0)
		return s->log_fd;
	fd = open_place_dir(s, s->place->log_dir, e);
	if (fd < 0)
		return fd;
	s->log_fd = store_is_readonly(s) ? openat(fd, "drvs", O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
					   tree_make_dirs(fd, "drvs", e);
	if (s->log_fd < 0)
		err_errno(e, "cannot open the logs of builds in '%s'", s->place->log_dir);
	close(fd);
	return s->log_fd < 0 ? ERR_IO : s->log_fd;
}

void store_add_path(const struct store *s, struct buf *b, const struct store_path *p)
{
	store_path_add(b, store_dir(s), p);
}

void store_add_real_path(const struct store *s, struct buf *b, const struct store_path *p)
{
	store_path_add(b, slice_of(s->place->real_store), p);
}

/* --- names people type --- */

/* Splits below one of the two names of the store directory; 1 when it is below neither. */
static int split(const struct store *s, struct slice text, struct store_path *out, struct slice *rest, struct err *e)
{
	struct slice logical = store_dir(s), physical = slice_of(s->place->real_store);

	if (store_path_is_inside(logical, text))
		return store_path_split(logical, text, out, rest, e);
	if (store_path_is_inside(physical, text))
		return store_path_split(physical, text, out, rest, e);
	return 1;
}

/* The target of the link at text, made absolute; NULL when it is none. */
static char *link_target(const char *text)
{
	char target[4096];
	ssize_t n = readlink(text, target, sizeof target - 1);
	struct buf b = BUF_INIT;
	const char *slash = strrchr(text, '/');

	if (n <= 0)
		return NULL;
	target[n] = 0;
	if (target[0] != '/' && slash)
		buf_add(&b, text, (size_t)(slash - text) + 1);
	buf_adds(&b, target);
	return buf_detach(&b, NULL);
}

int store_resolve(const struct store *s, const char *text, struct store_path *out, char **rest, struct err *e)
{
	struct slice after = { "", 0 };
	struct buf b = BUF_INIT;
	int rc, links = 40; /* as the kernel */

	buf_adds(&b, text);
	while ((rc = split(s, (struct slice){ b.p ? b.p : "", b.len }, out, &after, e)) == 1 && links--) {
		char *next = link_target(buf_str(&b));
		if (!next)
			break;
		buf_trim(&b, 0);
		buf_adds(&b, next);
		free(next);
	}
	if (rc == 1)
		rc = err_set(e, ERR_INVALID, "'%s' is not in the store '%s'", text, s->place->store_dir);
	if (!rc && !rest && after.n)
		rc = err_set(e, ERR_INVALID, "'%s' lies inside a store object, and is none itself", text);
	if (!rc && rest)
		*rest = after.n ? xstrndup(after.p, after.n) : xstrdup("");
	buf_release(&b);
	return rc;
}

/* --- asking --- */

int store_is_valid(struct store *s, const struct store_path *p, struct err *e)
{
	return db_is_valid(s->db, p, e);
}

int store_is_there(struct store *s, const struct store_path *p, int *gone, struct err *e)
{
	int valid = db_is_valid(s->db, p, e);
	struct stat st;

	if (gone)
		*gone = 0;
	if (valid <= 0 || s->source || !fstatat(s->fd, p->base, &st, AT_SYMLINK_NOFOLLOW))
		return valid;
	if (errno != ENOENT)
		return err_errno(e, "looking at the store object '%s'", p->base);
	if (gone)
		*gone = 1;
	return 0;
}

int store_have_files(struct store *s, const struct store_path *p, struct err *e)
{
	struct stat st;

	if (!s->source || !fstatat(s->fd, p->base, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return s->source->files(s->source->user, p, e);
}

int store_open_object(struct store *s, const struct store_path *p, int flags, struct err *e)
{
	int fd, rc = store_have_files(s, p, e);

	if (rc)
		return rc;
	fd = openat(s->fd, p->base, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, ERR_INVALID, "the store object '%s' is a symlink", p->base);
	return fd < 0 ? err_errno(e, "cannot open the store object '%s'", p->base) : fd;
}

int store_read(struct store *s, const struct store_path *p, size_t max, struct buf *out, struct err *e)
{
	int fd = store_open_object(s, p, O_RDONLY | O_NONBLOCK, e), rc = 0;
	struct stat st;
	size_t had = out->len;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		rc = err_errno(e, "cannot look at the store object '%s'", p->base);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_INVALID, "the store object '%s' is not a file", p->base);
	while (!rc) {
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			rc = err_errno(e, "cannot read the store object '%s'", p->base);
		else if (n > 0 && out->len - had + (size_t)n > max)
			rc = err_set(e, ERR_LIMIT, "the store object '%s' has more than %zu bytes", p->base, max);
		else if (n > 0)
			buf_add(out, chunk, (size_t)n);
	}
	close(fd);
	return rc;
}

int store_closure(struct store *s, const struct store_path *p, enum db_closure flags, struct path_set *out,
		  struct err *e)
{
	struct path_set start = { (struct store_path *)p, 1, 1 };
	int rc = db_is_valid(s->db, p, e);

	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "path '%s/%s' is not valid", s->place->store_dir, p->base);
	return rc < 0 ? rc : db_closure(s->db, &start, flags, out, e);
}

int store_closure_size(struct store *s, const struct store_path *p, uint64_t *size, size_t *n, struct err *e)
{
	struct path_set all = PATH_SET_INIT;
	int rc = store_closure(s, p, 0, &all, e);

	*size = 0;
	for (size_t i = 0; !rc && i < all.n; i++) {
		struct path_info info;
		rc = db_info(s->db, &all.v[i], &info, e);
		if (rc)
			break;
		*size += info.nar_size;
		path_info_release(&info);
	}
	if (n)
		*n = all.n;
	path_set_release(&all);
	return rc;
}

/* --- order --- */

/* A depth-first walk with an explicit stack: chains of references can be long. */
struct ordering {
	const struct store_path *v;
	const size_t *sorted; /* indices into v by name */
	size_t n;
	unsigned char *state; /* 0 new, 1 on the stack, 2 placed */
	struct frame {
		size_t index, next;
		struct path_set refs;
	} *stack;
	size_t depth;
	size_t *out, nout;
};

static int compare_indices(const void *a, const void *b, void *v)
{
	const struct store_path *paths = v;

	return store_path_cmp(&paths[*(const size_t *)a], &paths[*(const size_t *)b]);
}

static size_t index_of(const struct ordering *o, const struct store_path *p)
{
	size_t lo = 0, hi = o->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = store_path_cmp(&o->v[o->sorted[mid]], p);
		if (!c)
			return o->sorted[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return SIZE_MAX;
}

static int push(struct store *s, struct ordering *o, size_t i, struct err *e)
{
	struct frame *f = &o->stack[o->depth++];

	*f = (struct frame){ .index = i };
	o->state[i] = 1;
	return db_references(s->db, &o->v[i], &f->refs, e);
}

static int walk(struct store *s, struct ordering *o, size_t first, struct err *e)
{
	int rc = push(s, o, first, e);

	while (o->depth) {
		struct frame *f = &o->stack[o->depth - 1];
		if (rc || f->next == f->refs.n) {
			path_set_release(&f->refs);
			o->state[f->index] = 2;
			o->out[o->nout++] = f->index;
			o->depth--;
			continue;
		}
		size_t i = index_of(o, &f->refs.v[f->next++]);
		if (i == SIZE_MAX || o->state[i] == 2 || i == f->index)
			continue;
		if (o->state[i] == 1)
			rc = err_set(e, ERR_INVALID, "the store objects '%s' and '%s' refer to one another", o->v[i].base,
				     o->v[f->index].base);
		else
			rc = push(s, o, i, e);
	}
	return rc;
}

int store_order(struct store *s, const struct store_path *v, size_t n, size_t **out, struct err *e)
{
	size_t *sorted = xcalloc(n + 1, sizeof *sorted);
	struct ordering o = { .v = v, .n = n, .sorted = sorted, .state = xcalloc(n + 1, 1),
			      .stack = xcalloc(n + 1, sizeof *o.stack), .out = xcalloc(n + 1, sizeof *o.out) };
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = i;
	qsort_r(sorted, n, sizeof *sorted, compare_indices, (void *)v);
	for (size_t i = 0; !rc && i < n; i++)
		if (!o.state[i])
			rc = walk(s, &o, i, e);
	free(sorted);
	free(o.state);
	free(o.stack);
	*out = rc ? NULL : o.out;
	if (rc)
		free(o.out);
	return rc;
}
