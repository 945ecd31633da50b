/* SPDX-License-Identifier: MIT
 *
 * The database of valid objects: Nix's SQLite schema 10, shared with every other program on the store.
 *
 * An object exists for others exactly when it has a row here; the files come first, the row last (store/object.h),
 * and on deletion the row goes first.  The invariant the tables keep: what a valid object refers to is valid.
 *
 * One struct db is used by one thread, and not across fork.  Waiting for other writers happens inside (busy
 * handler); db.c is the only file that includes <sqlite3.h>.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"
#include "format/hash.h"
#include "format/pathset.h"

#include <stdint.h>

enum { DB_SCHEMA = 10 };

struct db;

/* Of a valid object.  Zeroed is empty; strings are malloc'd and owned by the struct. */
struct path_info {
	struct store_path path;
	struct hash nar_hash;	   /* SHA-256 of the archive */
	uint64_t nar_size;	   /* 0: not known */
	int64_t registered;	   /* seconds since 1970; 0 on registering means now */
	struct store_path deriver; /* len 0: none */
	int ultimate;		   /* built here, not copied */
	char *sigs;		   /* separated by spaces, NULL: none */
	char *ca;		   /* "fixed:r:sha256:…", NULL: not content-addressed */
	struct path_set refs;	   /* may hold the object itself */
	int64_t id;		   /* of the row */
};

void path_info_release(struct path_info *i);

enum db_flags {
	DB_CREATE = 1 << 0,   /* make the tables when there are none */
	DB_READONLY = 1 << 1, /* change nothing, not even by recovering a journal's leftovers */
	DB_NOSYNC = 1 << 2    /* do not wait for the disk: for stores that are thrown away */
};

/* What to do about a damaged one, as the end of an error. */
#define REBUILD_HINT "\n'gx store rebuild' makes the database anew from what the store holds"

/* Opens <dir>/db.sqlite, whose paths lie below the logical store directory.  ERR_INVALID for a schema this
 * program cannot use; a damaged file is said to be one. */
int db_open(struct db **out, const char *dir, struct slice store_dir, enum db_flags flags, struct err *e);
void db_free(struct db *db);

/* What is about to be asked. */
enum db_need {
	DB_NEED_ROW, /* whether an object is valid, and all about it */
	DB_NEED_REFERRERS,
	DB_NEED_DERIVERS,
	DB_NEED_OUTPUTS,
	DB_NEED_ALL,   /* which objects are valid; no path */
	DB_NEED_DIGEST /* which has a digest; no path */
};

/* Told of each question first, and may register what belongs to the answer: for a database that mirrors another as far as it is
 * asked.  What it asks and registers itself is told to nobody. */
typedef int (*db_need_fn)(void *user, enum db_need what, const struct store_path *p, struct slice digest, struct err *e);
void db_set_source(struct db *db, db_need_fn need, void *user);

/* --- transactions --- */

/* Transactions nest: only the outermost takes effect.  Every change made outside one is one of its own. */
int db_begin(struct db *db, struct err *e);

/* ERR_INVALID when the transaction was taken back inside. */
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);

/* Returns when all that was committed here will survive a power cut; at once when nothing was since the last time. */
int db_sync(struct db *db, struct err *e);

/* --- asking --- */

/* 1 valid, 0 not, negative on failure. */
int db_is_valid(struct db *db, const struct store_path *p, struct err *e);

/* All about an object; ERR_NOTFOUND when it is not valid. */
int db_info(struct db *db, const struct store_path *p, struct path_info *out, struct err *e);

/* What a row says of where its object is from: 1, 0 when it is not valid, negative on failure.  *ca is malloc'd, NULL for
 * no content address; deriver->len is 0 for none. */
int db_origin(struct db *db, const struct store_path *p, char **ca, struct store_path *deriver, struct err *e);

/* The next three add to *out. */
int db_references(struct db *db, const struct store_path *p, struct path_set *out, struct err *e);
int db_referrers(struct db *db, const struct store_path *p, struct path_set *out, struct err *e);

/* Valid derivations that list p as an output, whatever its recorded deriver is. */
int db_derivers(struct db *db, const struct store_path *p, struct path_set *out, struct err *e);

/* Calls each() for every output of a valid derivation, valid or not, by name. */
int db_outputs(struct db *db, const struct store_path *drv,
	       int (*each)(void *arg, struct slice name, const struct store_path *path, struct err *e), void *arg,
	       struct err *e);

/* The valid object whose digest (32 digits) this is; ERR_NOTFOUND. */
int db_find_digest(struct db *db, struct slice digest, struct store_path *out, struct err *e);

/* Adds every valid object. */
int db_all(struct db *db, struct path_set *out, struct err *e);

enum db_closure {
	DB_CLOSURE_REFERRERS = 1 << 0, /* towards those that refer to it, not those it refers to */
	DB_CLOSURE_OUTPUTS = 1 << 1,   /* from a derivation also to its valid outputs */
	DB_CLOSURE_DERIVERS = 1 << 2   /* from an output also to its recorded deriver, when that is valid */
};

/* Adds all that is reached from the valid ones of `start`, these included. */
int db_closure(struct db *db, const struct path_set *start, enum db_closure flags, struct path_set *out, struct err *e);

/* --- changing --- */

/* Makes objects valid in one transaction; references may go to one another in any order, everything else they
 * refer to must be valid.  An object that is valid already keeps its row, hash and size are updated.  Outputs of derivations are
 * registered with db_add_output. */
int db_register(struct db *db, const struct path_info *v, size_t n, struct err *e);

/* Says that `output` of a valid derivation is at path. */
int db_add_output(struct db *db, const struct store_path *drv, struct slice output, const struct store_path *path,
		  struct err *e);

/* Makes an object invalid; ERR_INVALID when valid objects refer to it. */
int db_forget(struct db *db, const struct store_path *p, struct err *e);

/* Replaces what is known of a valid object's contents (repair, sizes old programs did not record), signatures included. */
int db_update(struct db *db, const struct path_info *i, struct err *e);

/* Replaces what db_origin answers; NULL leaves it as it is. */
int db_set_origin(struct db *db, const struct store_path *p, const char *ca, const struct store_path *deriver,
		  struct err *e);

/* SQLite's own check of the file, ERR_INVALID with its first complaint. */
int db_check(struct db *db, struct err *e);

#endif
