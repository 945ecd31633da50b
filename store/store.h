/* SPDX-License-Identifier: MIT
 *
 * A store on disk: its directories, held open, its database, its locks.
 *
 * Layout (below the root of its place; everything as Nix has it):
 *     nix/store/<digest>-<name>          objects: mode 0444/0555, mtime 1
 *     nix/store/<digest>-<name>.lock     lock of an object that is being made (store/lock.h)
 *     nix/store/.links                   hard links by hash, when a store is optimised
 *     nix/store/000…-gx-staging          objects being staged (store/stage.c)
 *     nix/var/nix/db/{db.sqlite,schema,big-lock,reserved}
 *     nix/var/nix/{gcroots,profiles}     what must stay (store/roots.h)
 *     nix/var/nix/temproots/<pid>        what a running process must keep
 *     nix/var/nix/gc.lock, gc-socket     garbage collection (store/gc.h)
 *     nix/var/log/nix/drvs               logs of builds
 *
 * One struct store is used by one thread, and not across fork.  All descriptors close on exec.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "store/db.h"
#include "format/pathset.h"
#include "store/place.h"

struct store;

enum store_flags {
	STORE_READONLY = 1 << 0, /* do not create or change anything; the store must exist */
	STORE_NOSYNC = 1 << 1,	 /* do not wait for the disk: for tests and stores that are thrown away */
	STORE_OF_VIEW = 1 << 3,	 /* a PLACE_VIEW, which is to get a source */
	STORE_NEED_ROOM = 1 << 2 /* free the space kept for this before anything else: to collect on a full disk */
};

/* Opens the store at a place (borrowed for as long), making its directories when they are missing.  Refuses a store
 * directory that is reached through a symlink below the root, and one of a newer schema. */
int store_open(struct store **out, const struct place *place, enum store_flags flags, struct err *e);

/* Closes it; gives up the temporary roots of this process. */
void store_free(struct store *s);

/* Where notices go ("waiting for …"), one line without a newline; NULL for nowhere. */
void store_set_notice(struct store *s, void (*notice)(void *user, const char *text), void *user);
void store_notice(struct store *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- parts, borrowed --- */

const struct place *store_place(const struct store *s);
struct slice store_dir(const struct store *s); /* logical */
struct db *store_db(struct store *s);
int store_fd(const struct store *s);	   /* the physical store directory */
int store_state_fd(const struct store *s); /* var/nix */
int store_is_readonly(const struct store *s);
int store_syncs(const struct store *s);

/* Returns when all that the stores of this process have made valid will survive a power cut: to be called before anybody is told of
 * it. Waits once for however many objects, and not at all when there are none. */
int store_sync_all(struct err *e);

/* The folder of build logs, opened (and made) on first use; negative on failure. */
int store_log_fd(struct store *s, struct err *e);

/* Appends the logical, the physical full path of an object. */
void store_add_path(const struct store *s, struct buf *b, const struct store_path *p);
void store_add_real_path(const struct store *s, struct buf *b, const struct store_path *p);

/* A full logical path as a person may have typed it, also a link to one (result); what follows the object goes to
 * *rest (malloc'd, "" for nothing) when rest is not NULL, and is an error otherwise. */
int store_resolve(const struct store *s, const char *text, struct store_path *out, char **rest, struct err *e);

struct gc_options;
struct gc_result;

/* Where the objects of a view really are: a store that mirrors another as far as it is asked about. */
struct store_source {
	db_need_fn need; /* as of db.h */

	/* Brings the files of a valid object that are not here. */
	int (*files)(void *user, const struct store_path *p, struct err *e);

	/* A link outside the store (absolute) is to be a root of what it leads to. */
	int (*root)(void *user, const char *link, struct err *e);

	/* store_gc, store_optimise and store_verify, of what it is a view of. */
	int (*gc)(void *user, const struct gc_options *o, struct gc_result *out, struct err *e);
	int (*optimise)(void *user, struct err *e);
	int (*verify)(void *user, int check_contents, size_t *bad, struct err *e);

	/* The store was closed. */
	void (*closed)(void *user);
	void *user;
};

/* From now on the store is such a view; the struct is borrowed. */
void store_set_source(struct store *s, const struct store_source *source);
const struct store_source *store_source(const struct store *s); /* NULL for a store of its own */

/* From now on what was evaluated for this store may lie in another of the same store directory: derivations are read there when
 * they are not here, and what they need is taken from there.  `from` is freed with s, unless NULL is set before. */
void store_set_eval_store(struct store *s, struct store *from);

/* That one, or s itself. */
struct store *store_eval_store(struct store *s);

/* To be called before files of a valid object are looked at other than by the functions here. */
int store_have_files(struct store *s, const struct store_path *p, struct err *e);

/* --- asking (see db.h for more) --- */

/* 1 valid, 0 not, negative on failure. */
int store_is_valid(struct store *s, const struct store_path *p, struct err *e);

/* The same, but 0 for an object whose row is there and whose files are gone as well; *gone (may be NULL) then becomes 1. */
int store_is_there(struct store *s, const struct store_path *p, int *gone, struct err *e);

/* Opens an object that is a regular file, or an object's directory, without following links; negative on failure. */
int store_open_object(struct store *s, const struct store_path *p, int flags, struct err *e);

/* Appends the bytes of an object that is a regular file; not more than `max`. */
int store_read(struct store *s, const struct store_path *p, size_t max, struct buf *out, struct err *e);

/* Adds p and all it (transitively) refers to; ERR_NOTFOUND when p is not valid. */
int store_closure(struct store *s, const struct store_path *p, enum db_closure flags, struct path_set *out,
		  struct err *e);

/* Orders v[0..n) so that each comes before those that refer to it (of the same n); *out: n indices, malloc'd. */
int store_order(struct store *s, const struct store_path *v, size_t n, size_t **out, struct err *e);

/* Sum of archive sizes of a closure; *n objects (may be NULL). */
int store_closure_size(struct store *s, const struct store_path *p, uint64_t *size, size_t *n, struct err *e);

#endif
