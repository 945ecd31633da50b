/* SPDX-License-Identifier: MIT
 *
 * A new database is made in a folder of its own, db/rebuilding, filled in one transaction, closed, synced, and renamed over
 * the old one, whose files stay beside it as db.sqlite.damaged-<date>.  A crash before that leaves the old one, or a
 * damaged one without its log, which is as damaged.  (The log must be away first: SQLite would play it into the new file.)
 *
 * The big lock is held exclusively all the time.  Everybody who has the store open holds it shared, so temporary roots are
 * nobody's, and nobody can take the half-filled database for the store.  Collectors of a kind that does not take
 * it are kept out by gc.lock.
 */
#include "config.h"
#include "store/rebuild.h"
#include "base/alloc.h"
#include "base/flock.h"
#include "store/prove.h"
#include "store/store_int.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char folder[] = "rebuilding";

struct rebuild {
	const struct place *place;
	const struct rebuild_options *o;
	struct rebuild_result *r;
	struct err *e;
	int store_fd, state_fd, db_fd, big_lock, gc_lock;
	struct db *old; /* NULL when it cannot be read */
};

__attribute__((format(printf, 2, 3))) static void notice(const struct rebuild *b, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (b->o->notice)
		b->o->notice(b->o->arg, text.p);
	buf_release(&text);
}

/* --- the store, without its database --- */

static int open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(e, "there is no store: cannot open '%s'", path) : fd;
}

static int take_lock(const struct rebuild *b, int dirfd, const char *name, int *fd)
{
	int rc;

	*fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return err_errno(b->e, "cannot open the lock '%s' of the store", name);
	rc = lock_fd(*fd, LOCK_EX | LOCK_NB, b->e);
	if (rc == 1) {
		notice(b, "waiting for other programs to leave the store");
		rc = lock_fd(*fd, LOCK_EX, b->e);
	}
	return rc;
}

static int enter(struct rebuild *b)
{
	if ((b->store_fd = open_dir(b->place->real_store, b->e)) < 0 ||
	    (b->state_fd = open_dir(b->place->state_dir, b->e)) < 0)
		return ERR_NOTFOUND;
	b->db_fd = tree_make_dirs(b->state_fd, "db", b->e);
	if (b->db_fd < 0)
		return b->db_fd;
	if (take_lock(b, b->db_fd, "big-lock", &b->big_lock) || take_lock(b, b->state_fd, "gc.lock", &b->gc_lock))
		return ERR_IO;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* --- the old database --- */

/* Of a database in which anything is wrong nothing is taken. */
static void open_old(struct rebuild *b)
{
	struct err why = ERR_INIT;
	struct buf dir = BUF_INIT;
	struct path_set all = PATH_SET_INIT;

	buf_addf(&dir, "%s/db", b->place->state_dir);
	if (db_open(&b->old, dir.p, slice_of(b->place->store_dir), DB_READONLY, &why) || db_check(b->old, &why) ||
	    db_all(b->old, &all, &why)) {
		notice(b, "%s", why.msg);
		db_free(b->old);
		b->old = NULL;
	}
	path_set_release(&all);
	buf_release(&dir);
	err_release(&why);
}

/* --- the new one --- */

struct copy {
	struct db *to;
	const struct store_path *drv;
};

static int copy_output(void *arg, struct slice name, const struct store_path *path, struct err *e)
{
	const struct copy *c = arg;

	return db_add_output(c->to, c->drv, name, path, e);
}

static int add_outputs(struct rebuild *b, struct db *db, const struct proof *p)
{
	struct copy copy = { db, &p->info.path };
	struct buf text = BUF_INIT;
	struct drv d;
	int rc;

	if (p->state == PROOF_GIVEN)
		return db_outputs(b->old, &p->info.path, copy_output, &copy, b->e);
	rc = proofs_read_drv(b->store_fd, slice_of(b->place->store_dir), &p->info.path, &text, &d, b->e);
	buf_release(&text);
	if (rc)
		return rc;
	for (size_t k = 0; !rc && k < d.noutputs; k++) {
		struct store_path out;
		if (!d.outputs[k].path.n)
			continue;
		rc = store_path_parse(slice_of(b->place->store_dir), d.outputs[k].path, &out, b->e);
		if (!rc)
			rc = db_add_output(db, &p->info.path, d.outputs[k].name, &out, b->e);
	}
	drv_release(&d);
	return rc;
}

/* Rows do not say 'ultimate', that an object was made here: one that was copied here looks the same. */
static int fill(struct rebuild *b, struct db *db, const struct proofs *all)
{
	struct path_info *rows = xcalloc(all->n + 1, sizeof *rows);
	size_t n = 0;
	int rc = db_begin(db, b->e);

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].state)
			rows[n++] = all->v[i].info;
	if (!rc)
		rc = db_register(db, rows, n, b->e);
	for (size_t i = 0; !rc && i < all->n; i++)
		if (all->v[i].state && store_path_is_drv(&all->v[i].info.path))
			rc = add_outputs(b, db, &all->v[i]);
	if (!rc)
		rc = db_commit(db, b->e);
	else
		db_rollback(db);
	free(rows);
	return rc;
}

static int make_new(struct rebuild *b, const struct proofs *all)
{
	struct buf dir = BUF_INIT;
	struct db *db = NULL;
	int rc = tree_remove(b->db_fd, folder, NULL, NULL, b->e), fd;

	if (!rc && mkdirat(b->db_fd, folder, 0700) < 0)
		rc = err_errno(b->e, "cannot make the folder '%s' for the new database", folder);
	buf_addf(&dir, "%s/db/%s", b->place->state_dir, folder);
	if (!rc)
		rc = db_open(&db, dir.p, slice_of(b->place->store_dir), DB_CREATE, b->e);
	if (!rc)
		rc = fill(b, db, all);
	db_free(db); /* which moves all of it from the log to the file */
	buf_addf(&dir, "/db.sqlite");
	fd = rc ? -1 : open(dir.p, O_RDONLY | O_CLOEXEC);
	if (!rc && (fd < 0 || fsync(fd) < 0))
		rc = err_errno(b->e, "cannot write the new database to the disk");
	close_fd(fd);
	buf_release(&dir);
	return rc;
}

/* --- changing over --- */

static int put_aside(struct rebuild *b, const char *name, const char *suffix)
{
	char to[64];
	struct stat st;

	if (fstatat(b->db_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		return unlinkat(b->db_fd, name, 0) == 0 ? 0 : err_errno(b->e, "cannot remove '%s/db/%s'",
									b->place->state_dir, name);
	snprintf(to, sizeof to, "%s.%s", name, suffix);
	if (renameat(b->db_fd, name, b->db_fd, to) == 0)
		notice(b, "the old '%s/db/%s' is kept as '%s'", b->place->state_dir, name, to);
	else if (errno != ENOENT)
		return err_errno(b->e, "cannot put '%s/db/%s' aside", b->place->state_dir, name);
	return 0;
}

static int change_over(struct rebuild *b)
{
	static const char *const files[] = { "db.sqlite-wal", "db.sqlite-journal", "db.sqlite" };
	char suffix[40];
	time_t now = time(NULL);
	struct tm tm;
	struct err why = ERR_INIT;
	int version, rc = 0;

	strftime(suffix, sizeof suffix, b->old ? "before-%Y%m%d-%H%M%S" : "damaged-%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	db_free(b->old);
	b->old = NULL;
	/* An index of the log, made anew whenever it is missing. */
	if (unlinkat(b->db_fd, "db.sqlite-shm", 0) < 0 && errno != ENOENT)
		rc = err_errno(b->e, "cannot remove '%s/db/db.sqlite-shm'", b->place->state_dir);
	for (size_t i = 0; !rc && i < sizeof files / sizeof *files; i++)
		rc = put_aside(b, files[i], suffix);
	if (!rc && store_read_schema(b->db_fd, &version, &why))
		rc = put_aside(b, "schema", suffix);
	err_release(&why);
	if (!rc && (renameat(b->db_fd, "rebuilding/db.sqlite", b->db_fd, "db.sqlite") < 0 || fsync(b->db_fd) < 0))
		rc = err_errno(b->e, "cannot put the new database in its place");
	return rc ? rc : tree_remove(b->db_fd, folder, NULL, NULL, b->e);
}

static void count(struct rebuild *b, const struct proofs *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct proof *p = &all->v[i];
		b->r->kept += p->state == PROOF_GIVEN;
		b->r->proved += p->state == PROOF_GOOD;
		b->r->trusted += p->state == PROOF_TRUSTED;
		b->r->left_out += p->state == PROOF_NONE;
		if (b->o->each && (p->state == PROOF_NONE || p->state == PROOF_TRUSTED))
			b->o->each(b->o->arg, &p->info.path, p->state == PROOF_NONE ? p->why : NULL);
	}
}

int store_rebuild(const struct place *place, const struct rebuild_options *o, struct rebuild_result *r, struct err *e)
{
	struct rebuild b = { place, o, r, e, -1, -1, -1, -1, -1, NULL };
	struct proofs all = { 0 };
	int rc = enter(&b);

	*r = (struct rebuild_result){ 0 };
	if (!rc) {
		open_old(&b);
		rc = proofs_make(&all, b.store_fd, slice_of(place->store_dir), b.old, o, e);
	}
	if (!rc)
		rc = make_new(&b, &all);
	if (!rc)
		rc = change_over(&b);
	if (!rc)
		count(&b, &all);
	proofs_release(&all);
	db_free(b.old);
	close_fd(b.gc_lock);
	close_fd(b.big_lock);
	close_fd(b.db_fd);
	close_fd(b.state_fd);
	close_fd(b.store_fd);
	return rc;
}
