/* SPDX-License-Identifier: MIT
 *
 * Settings: write-ahead log; synchronous=normal, so that a power cut may lose the last transactions but never
 * the order of them; since files are synced before their rows are committed, a lost row leaves garbage, not a
 * hole.  db_sync then waits once for all that was committed: before it is told to anybody, and before files are deleted
 * whose rows are gone.  A writer waits for others in SQLite's busy handler; transactions begin "immediate" so that none
 * can fail half-way because it was a reader when it began.
 */
#include "config.h"
#include "store/db.h"
#include "base/alloc.h"
#include "base/check.h"
#include "store/db_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct db {
	sqlite3 *h;
	sqlite3_stmt *st[SQL_COUNT];
	struct buf dir; /* "/nix/store/" */
	struct buf text;
	char *file;
	int depth; /* of transactions */
	int has_start;
	int nosync;
	int synced; /* how many changes db_sync has waited for */
	db_need_fn need; /* NULL, or while it runs: nobody is told */
	void *need_user;
};

void path_info_release(struct path_info *i)
{
	free(i->sigs);
	free(i->ca);
	path_set_release(&i->refs);
	*i = (struct path_info){ 0 };
}

/* --- errors and statements --- */

static int fail(struct db *db, struct err *e)
{
	switch (sqlite3_errcode(db->h)) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, ERR_INVALID, "the database of the store, '%s', is damaged (%s)" REBUILD_HINT, db->file,
			       sqlite3_errmsg(db->h));
	case SQLITE_NOMEM:
		out_of_memory();
	}
	return err_set(e, ERR_IO, "the database of the store, '%s', failed: %s%s%s", db->file, sqlite3_errmsg(db->h),
		       sqlite3_system_errno(db->h) ? ": " : "",
		       sqlite3_system_errno(db->h) ? strerror(sqlite3_system_errno(db->h)) : "");
}

static int run(struct db *db, const char *sql, struct err *e)
{
	return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, e);
}

/* The statement, ready to be bound; NULL on failure. */
static sqlite3_stmt *statement(struct db *db, enum statement which, struct err *e)
{
	sqlite3_stmt **st = &db->st[which];

	if (!*st && sqlite3_prepare_v3(db->h, db_sql[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
		fail(db, e);
		return NULL;
	}
	return *st;
}

/* Full path as the database has it; valid until the next call. */
static struct slice full(struct db *db, const struct store_path *p)
{
	buf_trim(&db->text, 0);
	buf_add(&db->text, db->dir.p, db->dir.len);
	buf_add(&db->text, p->base, p->len);
	return (struct slice){ db->text.p, db->text.len };
}

static void bind_text(sqlite3_stmt *st, int i, struct slice s)
{
	sqlite3_bind_text(st, i, s.p, (int)s.n, SQLITE_TRANSIENT);
}

static void bind_path(struct db *db, sqlite3_stmt *st, int i, const struct store_path *p)
{
	if (p->len)
		bind_text(st, i, full(db, p));
	else
		sqlite3_bind_null(st, i);
}

static void bind_string(sqlite3_stmt *st, int i, const char *s)
{
	if (s && *s)
		bind_text(st, i, slice_of(s));
	else
		sqlite3_bind_null(st, i);
}

static void done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

void db_set_source(struct db *db, db_need_fn need, void *user)
{
	db->need = need;
	db->need_user = user;
}

static int tell(struct db *db, enum db_need what, const struct store_path *p, struct slice digest, struct err *e)
{
	db_need_fn need = db->need;
	int rc;

	if (!need)
		return 0;
	db->need = NULL;
	rc = need(db->need_user, what, p, digest, e);
	db->need = need;
	return rc;
}

static enum db_need need_of(enum statement which)
{
	return which == SQL_REFERRERS ? DB_NEED_REFERRERS : which == SQL_DERIVERS ? DB_NEED_DERIVERS :
	       which == SQL_OUTPUTS   ? DB_NEED_OUTPUTS : DB_NEED_ROW;
}

/* A statement whose first parameter is a path. */
static sqlite3_stmt *statement_for(struct db *db, enum statement which, const struct store_path *p, struct err *e)
{
	sqlite3_stmt *st = tell(db, need_of(which), p, SLICE(""), e) ? NULL : statement(db, which, e);

	if (st)
		bind_path(db, st, 1, p);
	return st;
}

/* 1 a row, 0 the end, negative; at the end and on failure the statement is reset. */
static int step(struct db *db, sqlite3_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		fail(db, e);
	done(st);
	return rc == SQLITE_DONE ? 0 : e && e->code ? e->code : ERR_IO;
}

static struct slice column(sqlite3_stmt *st, int i)
{
	const char *p = (const char *)sqlite3_column_text(st, i);

	return (struct slice){ p ? p : "", p ? (size_t)sqlite3_column_bytes(st, i) : 0 };
}

static char *column_dup(sqlite3_stmt *st, int i)
{
	struct slice s = column(st, i);

	return s.n ? xstrndup(s.p, s.n) : NULL;
}

static int parse_path(struct db *db, struct slice text, struct store_path *out, struct err *e)
{
	struct slice dir = { db->dir.p, db->dir.len - 1 };

	if (store_path_parse(dir, text, out, e)) {
		err_prefix(e, "the database of the store, '%s'", db->file);
		return ERR_INVALID;
	}
	return 0;
}

/* --- opening --- */

/* Whether this can be made in its folder, or is there. */
static int can_be(const char *file)
{
	char *dir = xstrndup(file, (size_t)(strrchr(file, '/') - file));
	int yes = access(file, F_OK) == 0 || access(dir, W_OK) == 0;

	free(dir);
	return yes;
}

/* Without leave to write beside the file its log is read by the index that the last writer left; when there is no log, none is
 * needed. */
static int look_beside(const struct db *db, struct buf *uri, struct err *e)
{
	struct buf log = BUF_INIT, index = BUF_INIT;
	struct stat st;
	int rc = 0;

	buf_addf(&log, "%s-wal", db->file);
	buf_addf(&index, "%s-shm", db->file);
	if (stat(log.p, &st) < 0 || st.st_size == 0)
		buf_adds(uri, "?immutable=1");
	else if (!can_be(index.p))
		rc = err_set(e, ERR_IO, "cannot read the log of the database of the store, '%s': its index, 'db.sqlite-shm', "
			     "is not there and cannot be made in a folder that can only be read; open the store once where "
			     "it can be written", log.p);
	buf_release(&log);
	buf_release(&index);
	return rc;
}

static int open_file(struct db *db, enum db_flags flags, struct err *e)
{
	int how = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, rc;
	struct buf uri = BUF_INIT;

	how |= flags & DB_READONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	if (flags & DB_CREATE)
		how |= SQLITE_OPEN_CREATE;
	buf_adds(&uri, "file:");
	for (const char *c = db->file; *c; c++)
		if (*c == '%' || *c == '?' || *c == '#')
			buf_addf(&uri, "%%%02x", (unsigned char)*c);
		else
			buf_addc(&uri, *c);
	if (flags & DB_READONLY && access(db->file, W_OK) < 0 && look_beside(db, &uri, e)) {
		buf_release(&uri);
		return ERR_IO;
	}
	rc = sqlite3_open_v2(uri.p, &db->h, how, NULL);
	buf_release(&uri);
	if (rc != SQLITE_OK)
		return err_set(e, ERR_IO, "cannot open the database of the store, '%s': %s%s", db->file,
			       db->h ? sqlite3_errmsg(db->h) : sqlite3_errstr(rc),
			       access(db->file, F_OK) < 0 && errno == ENOENT ? REBUILD_HINT : "");
	sqlite3_extended_result_codes(db->h, 0);
	/* An hour, as Nix: whoever holds the lock that long is the problem to look at. */
	sqlite3_busy_timeout(db->h, 3600 * 1000);
	return 0;
}

/* A new database changes to the write-ahead log at its first opening.  When several open it at once SQLite does not wait for this
 * change, whatever its timeout: it says busy, so that nobody deadlocks, and we ask again. */
static int use_log(struct db *db, struct err *e)
{
	enum { TRIES = 12000 };
	static const char sql[] = "pragma main.journal_mode = wal; pragma wal_autocheckpoint = 40000";
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

	for (int i = 0; i < TRIES && sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_BUSY; i++)
		nanosleep(&pause, NULL);
	return sqlite3_errcode(db->h) == SQLITE_OK ? 0 : fail(db, e);
}

static int set_up(struct db *db, enum db_flags flags, struct err *e)
{
	int rc = run(db, "pragma foreign_keys = 1", e);

	if (!rc)
		rc = run(db, flags & DB_NOSYNC ? "pragma synchronous = off" : "pragma synchronous = normal", e);
	if (!rc && !(flags & DB_READONLY))
		rc = use_log(db, e);
	if (!rc && (flags & DB_CREATE)) {
		rc = db_begin(db, e);
		if (!rc)
			rc = run(db, db_schema, e);
		if (!rc)
			rc = db_commit(db, e);
		else
			db_rollback(db);
	}
	if (!rc && !statement(db, SQL_INFO, NULL)) {
		const char *why = sqlite3_errmsg(db->h);
		rc = err_set(e, ERR_INVALID, "'%s' is no database of a store, or is damaged (%s)" REBUILD_HINT, db->file, why);
	}
	return rc;
}

int db_open(struct db **out, const char *dir, struct slice store_dir, enum db_flags flags, struct err *e)
{
	struct db *db = xcalloc(1, sizeof *db);
	struct buf file = BUF_INIT;
	int rc;

	*out = NULL;
	buf_addf(&file, "%s/db.sqlite", dir);
	db->file = buf_detach(&file, NULL);
	buf_add(&db->dir, store_dir.p, store_dir.n);
	buf_addc(&db->dir, '/');
	db->nosync = (flags & (DB_NOSYNC | DB_READONLY)) != 0;
	rc = open_file(db, flags, e);
	if (!rc)
		rc = set_up(db, flags, e);
	if (rc)
		db_free(db);
	else
		*out = db;
	return rc;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_sync(db, NULL); /* others may have the database open, and then closing it does not */
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(db->st[i]);
	sqlite3_close_v2(db->h);
	buf_release(&db->dir);
	buf_release(&db->text);
	free(db->file);
	free(db);
}

/* --- transactions --- */

int db_begin(struct db *db, struct err *e)
{
	CHECK(db->depth >= 0);
	if (db->depth++ == 0 && run(db, "begin immediate", e)) {
		db->depth = 0;
		return e && e->code ? e->code : ERR_IO;
	}
	return 0;
}

int db_commit(struct db *db, struct err *e)
{
	/* After a rollback inside there is nothing left that the outer part could commit. */
	if (db->depth == 0)
		return err_set(e, ERR_INVALID, "the database of the store, '%s': a change that was taken back cannot be kept",
			       db->file);
	CHECK(!sqlite3_get_autocommit(db->h));
	if (--db->depth > 0)
		return 0;
	if (!run(db, "commit", e))
		return 0;
	sqlite3_exec(db->h, "rollback", NULL, NULL, NULL);
	return e && e->code ? e->code : ERR_IO;
}

void db_rollback(struct db *db)
{
	CHECK(db->depth >= 0);
	/* The whole of it, however deep: a half-done inner part must not be committed by the outer. */
	db->depth = 0;
	if (!sqlite3_get_autocommit(db->h))
		sqlite3_exec(db->h, "rollback", NULL, NULL, NULL);
}

int db_sync(struct db *db, struct err *e)
{
	struct buf log = BUF_INIT;
	int fd, rc = 0, changes = db->h && !db->nosync ? sqlite3_total_changes(db->h) : db->synced;

	if (changes == db->synced)
		return 0;
	/* The log alone: what has left it was synced by whoever moved it to the database.  By a descriptor of our own, for
	 * SQLite does not give out its; there are no locks on this file that closing it could take away. */
	buf_addf(&log, "%s-wal", db->file);
	fd = open(log.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fdatasync(fd) < 0)
		rc = err_errno(e, "cannot write the database of the store, '%s', to the disk", db->file);
	else
		db->synced = changes;
	if (fd >= 0)
		close(fd);
	buf_release(&log);
	return rc;
}

/* --- asking --- */

/* Row id, 0 when not valid, negative on failure. */
static int64_t row_id(struct db *db, const struct store_path *p, struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_ID, p, e);
	int64_t id;
	int rc = st ? step(db, st, e) : ERR_IO;

	if (rc <= 0)
		return rc;
	id = sqlite3_column_int64(st, 0);
	done(st);
	return id;
}

int db_is_valid(struct db *db, const struct store_path *p, struct err *e)
{
	int64_t id = row_id(db, p, e);

	return id < 0 ? (int)id : id > 0;
}

static int read_info(struct db *db, sqlite3_stmt *st, struct path_info *out, struct err *e)
{
	struct slice hash = column(st, 1), deriver = column(st, 3);

	out->id = sqlite3_column_int64(st, 0);
	out->registered = sqlite3_column_int64(st, 2);
	out->nar_size = (uint64_t)sqlite3_column_int64(st, 4);
	out->ultimate = sqlite3_column_int(st, 5) == 1;
	out->sigs = column_dup(st, 6);
	out->ca = column_dup(st, 7);
	/* A deriver is only a note; one that cannot be read is as good as none. */
	if (deriver.n && parse_path(db, deriver, &out->deriver, NULL))
		out->deriver.len = 0;
	if (hash_parse(hash.p, hash.n, HASH_ANY, &out->nar_hash, NULL, e)) {
		err_prefix(e, "the database of the store has no good hash for '%s'", out->path.base);
		return ERR_INVALID;
	}
	return 0;
}

int db_info(struct db *db, const struct store_path *p, struct path_info *out, struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_INFO, p, e);
	int rc = st ? step(db, st, e) : ERR_IO;

	*out = (struct path_info){ .path = *p };
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "path '%s' is not valid", buf_str(&db->text));
	if (rc < 0)
		return rc;
	rc = read_info(db, st, out, e);
	done(st);
	if (!rc)
		rc = db_references(db, p, &out->refs, e);
	if (rc)
		path_info_release(out);
	return rc;
}

int db_origin(struct db *db, const struct store_path *p, char **ca, struct store_path *deriver, struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_ORIGIN, p, e);
	int rc = st ? step(db, st, e) : ERR_IO;

	*ca = NULL;
	deriver->len = 0;
	if (rc <= 0)
		return rc;
	*ca = column_dup(st, 0);
	if (column(st, 1).n && parse_path(db, column(st, 1), deriver, NULL))
		deriver->len = 0;
	done(st);
	return 1;
}

/* Adds the paths in the first column of every row. */
static int collect(struct db *db, sqlite3_stmt *st, struct path_set *out, struct err *e)
{
	struct store_path p;
	int rc;

	if (!st)
		return e && e->code ? e->code : ERR_IO;
	while ((rc = step(db, st, e)) > 0) {
		rc = parse_path(db, column(st, 0), &p, e);
		if (rc) {
			done(st);
			return rc;
		}
		path_set_push(out, &p);
	}
	path_set_sort(out);
	return rc;
}

int db_references(struct db *db, const struct store_path *p, struct path_set *out, struct err *e)
{
	return collect(db, statement_for(db, SQL_REFERENCES, p, e), out, e);
}

int db_referrers(struct db *db, const struct store_path *p, struct path_set *out, struct err *e)
{
	return collect(db, statement_for(db, SQL_REFERRERS, p, e), out, e);
}

int db_derivers(struct db *db, const struct store_path *p, struct path_set *out, struct err *e)
{
	return collect(db, statement_for(db, SQL_DERIVERS, p, e), out, e);
}

int db_all(struct db *db, struct path_set *out, struct err *e)
{
	int rc = tell(db, DB_NEED_ALL, NULL, SLICE(""), e);

	return rc ? rc : collect(db, statement(db, SQL_ALL, e), out, e);
}

int db_outputs(struct db *db, const struct store_path *drv,
	       int (*each)(void *arg, struct slice name, const struct store_path *path, struct err *e), void *arg,
	       struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_OUTPUTS, drv, e);
	struct store_path p;
	int rc;

	if (!st)
		return ERR_IO;
	while ((rc = step(db, st, e)) > 0) {
		rc = parse_path(db, column(st, 1), &p, e);
		if (!rc)
			rc = each(arg, column(st, 0), &p, e);
		if (rc) {
			done(st);
			return rc;
		}
	}
	return rc;
}

int db_find_digest(struct db *db, struct slice digest, struct store_path *out, struct err *e)
{
	int rc = tell(db, DB_NEED_DIGEST, NULL, digest, e);
	sqlite3_stmt *st = rc ? NULL : statement(db, SQL_DIGEST, e);

	if (!st)
		return rc ? rc : ERR_IO;
	buf_trim(&db->text, 0);
	buf_add(&db->text, db->dir.p, db->dir.len);
	buf_add(&db->text, digest.p, digest.n);
	bind_text(st, 1, (struct slice){ db->text.p, db->text.len });
	rc = step(db, st, e);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		struct slice prefix = { db->text.p, db->text.len };
		int hit = digest.n == STORE_HASH_LEN && slice_starts(column(st, 0), prefix);
		rc = hit ? parse_path(db, column(st, 0), out, e) : 1;
		done(st);
		if (rc <= 0)
			return rc;
	}
	return err_set(e, ERR_NOTFOUND, "no valid object has the digest '%.*s'", (int)digest.n, digest.p);
}

/* --- closures --- */

static int set_start(struct db *db, const struct path_set *start, struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0;

	if (!db->has_start)
		rc = run(db, "pragma temp_store = memory; create temp table start (id integer primary key)", e);
	if (rc)
		return rc;
	db->has_start = 1;
	st = statement(db, SQL_START_CLEAR, e);
	rc = st ? step(db, st, e) : ERR_IO;
	for (size_t i = 0; !rc && i < start->n; i++) {
		st = statement_for(db, SQL_START_ADD, &start->v[i], e);
		rc = st ? step(db, st, e) : ERR_IO;
	}
	return rc;
}

int db_closure(struct db *db, const struct path_set *start, enum db_closure flags, struct path_set *out, struct err *e)
{
	struct buf sql = BUF_INIT;
	sqlite3_stmt *st = NULL;
	int rc = set_start(db, start, e);

	if (rc)
		return rc;
	buf_adds(&sql, "with recursive c(id) as (select id from temp.start ");
	buf_adds(&sql, flags & DB_CLOSURE_REFERRERS ? "union select r.referrer from Refs r join c on r.reference = c.id " :
						      "union select r.reference from Refs r join c on r.referrer = c.id ");
	if (flags & DB_CLOSURE_OUTPUTS)
		buf_adds(&sql,
			 "union select v.id from c join DerivationOutputs d on d.drv = c.id join ValidPaths v on v.path = d.path ");
	if (flags & DB_CLOSURE_DERIVERS)
		buf_adds(&sql,
			 "union select d.id from c join ValidPaths v on v.id = c.id join ValidPaths d on d.path = v.deriver ");
	buf_adds(&sql, ") select path from ValidPaths where id in (select id from c)");
	if (sqlite3_prepare_v2(db->h, sql.p, -1, &st, NULL) != SQLITE_OK)
		rc = fail(db, e);
	buf_release(&sql);
	if (!rc)
		rc = collect(db, st, out, e);
	sqlite3_finalize(st);
	return rc;
}

/* --- changing --- */

static void bind_info(struct db *db, sqlite3_stmt *st, const struct path_info *i)
{
	char hash[HASH_TEXT_MAX];

	hash_print(&i->nar_hash, HASH_BASE16, 1, hash);
	bind_string(st, 2, hash);
	if (i->nar_size)
		sqlite3_bind_int64(st, 5, (sqlite3_int64)i->nar_size);
	if (i->ultimate)
		sqlite3_bind_int(st, 6, 1);
	bind_string(st, 7, i->sigs);
	bind_string(st, 8, i->ca);
	(void)db;
}

int db_update(struct db *db, const struct path_info *i, struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_UPDATE, &i->path, e);

	if (!st)
		return ERR_IO;
	bind_info(db, st, i);
	return step(db, st, e);
}

int db_set_origin(struct db *db, const struct store_path *p, const char *ca, const struct store_path *deriver, struct err *e)
{
	static const struct store_path none = { .len = 0 };
	sqlite3_stmt *st = statement_for(db, SQL_SET_ORIGIN, p, e);

	if (!st)
		return ERR_IO;
	bind_string(st, 2, ca);
	bind_path(db, st, 3, deriver ? deriver : &none);
	return step(db, st, e);
}

static int insert(struct db *db, const struct path_info *i, struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_INSERT, &i->path, e);

	if (!st)
		return ERR_IO;
	bind_info(db, st, i);
	sqlite3_bind_int64(st, 3, i->registered ? i->registered : (sqlite3_int64)time(NULL));
	bind_path(db, st, 4, &i->deriver);
	return step(db, st, e);
}

static int add_references(struct db *db, const struct path_info *i, struct err *e)
{
	int64_t from = row_id(db, &i->path, e), to;
	int rc = from < 0 ? (int)from : 0;

	for (size_t k = 0; !rc && k < i->refs.n; k++) {
		sqlite3_stmt *st;
		to = row_id(db, &i->refs.v[k], e);
		if (to < 0)
			return (int)to;
		if (!to)
			return err_set(e, ERR_INVALID, "'%s' cannot be registered: it refers to '%s', which is not valid",
				       i->path.base, i->refs.v[k].base);
		st = statement(db, SQL_ADD_REF, e);
		if (!st)
			return ERR_IO;
		sqlite3_bind_int64(st, 1, from);
		sqlite3_bind_int64(st, 2, to);
		rc = step(db, st, e);
	}
	return rc;
}

int db_register(struct db *db, const struct path_info *v, size_t n, struct err *e)
{
	int rc = db_begin(db, e);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < n; i++) {
		int valid = db_is_valid(db, &v[i].path, e);
		rc = valid < 0 ? valid : valid ? db_update(db, &v[i], e) : insert(db, &v[i], e);
	}
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_references(db, &v[i], e);
	if (!rc)
		return db_commit(db, e);
	db_rollback(db);
	return rc;
}

int db_add_output(struct db *db, const struct store_path *drv, struct slice output, const struct store_path *path,
		  struct err *e)
{
	int64_t id = row_id(db, drv, e);
	sqlite3_stmt *st = statement(db, SQL_ADD_OUTPUT, e);

	if (id < 0 || !st)
		return ERR_IO;
	if (!id)
		return err_set(e, ERR_NOTFOUND, "derivation '%s' is not valid", drv->base);
	sqlite3_bind_int64(st, 1, id);
	bind_text(st, 2, output);
	bind_path(db, st, 3, path);
	return step(db, st, e);
}

int db_forget(struct db *db, const struct store_path *p, struct err *e)
{
	sqlite3_stmt *st = statement_for(db, SQL_DELETE, p, e);
	int rc;

	if (!st)
		return ERR_IO;
	rc = sqlite3_step(st);
	if (rc == SQLITE_CONSTRAINT) {
		done(st);
		return err_set(e, ERR_INVALID, "'%s' is in use by other objects", p->base);
	}
	rc = rc == SQLITE_DONE ? 0 : fail(db, e);
	done(st);
	return rc;
}

int db_check(struct db *db, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(db->h, "pragma quick_check(1)", -1, &st, NULL) != SQLITE_OK)
		return fail(db, e);
	if (sqlite3_step(st) != SQLITE_ROW)
		rc = fail(db, e);
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok"))
		rc = err_set(e, ERR_INVALID, "the database of the store, '%s', is damaged: %s" REBUILD_HINT, db->file,
			     (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return rc;
}
