/* SPDX-License-Identifier: MIT
 *
 * What builtins need from a store, as a table of functions, so that they work without one: with
 * store_ops NULL (or eval_settings.read_only set) every path is computed and nothing is written.
 *
 * Functions return 0 (the predicates: 1 or 0) or a negative code with e filled; none throws or
 * keeps a pointer it was given.  Paths are full texts below eval_settings.store_dir.
 */
#ifndef BUILTINS_STORE_OPS_H
#define BUILTINS_STORE_OPS_H

#include "base/session.h"
#include "format/drv.h"
#include "format/nar.h"
#include "format/path.h"

struct store;

/* An output by its derivation's path and its name. */
struct store_output {
	struct slice drv, name;
};

struct store_ops {
	/* Adds a text object (a derivation, a file of toFile) whose path was computed from exactly these bytes and
	 * references (in byte order); nothing to do when it is valid. */
	int (*add_text)(void *user, struct slice path, struct slice text, const struct slice *refs, size_t nrefs,
			struct err *e);

	/* Copies the file or tree at `from` to `path`, which was computed from the hash h of it.  filter (may be NULL) is asked
	 * for paths that begin with `from`, and answers as it did for the hash.  Nothing to do when it is
	 * valid.  ERR_HASH when the contents have changed since. */
	int (*add_tree)(void *user, struct slice path, const char *from, enum ca_method method, const struct hash *h,
			const struct nar_filter *filter, const struct slice *refs, size_t nrefs, struct err *e);

	/* Is this object there?  ERR_INVALID when it is, but something put it there that cannot make it. */
	int (*is_valid)(void *user, struct slice path, struct err *e);

	/* Is the object of a content address, from which path was computed, there?  ERR_INVALID when another has its place. */
	int (*is_valid_as)(void *user, struct slice path, enum ca_method m, const struct hash *h, struct err *e);

	/* Makes it be there, from a cache if need be. */
	int (*ensure)(void *user, struct slice path, struct err *e);

	/* Calls each() for the objects a valid object refers to, in byte order. */
	int (*references)(void *user, struct slice path, void (*each)(void *arg, struct slice ref), void *arg,
			  struct err *e);

	/* Appends the bytes of a valid text object. */
	int (*read_text)(void *user, struct slice path, struct buf *out, struct err *e);

	/* Makes outputs of derivations valid, building what is not there: all at once, as far as they do not need each other.
	 * What the derivations refer to is written.  NULL where nothing can be built. */
	int (*build)(void *user, const struct store_output *v, size_t n, struct err *e);

	/* The store on disk behind this, for what else is to get into it, with all that was added valid; NULL on failure. */
	struct store *(*disk)(void *user, struct err *e);

	void *user;
};

/* The store the session uses, NULL for none.  Set by cli before the first evaluation; of its own. */
extern const struct store_ops *store_ops;

/* The store to write to: NULL also in read-only mode. */
const struct store_ops *store_ops_writing(void);

/* How an evaluation without a store to write to gets one when something has to be built: sets store_ops, and read_only to 0.  NULL
 * when it does not.  Set by cli; of the session. */
extern int (*store_ops_open)(struct err *e);

/* The same in read-only mode, of a store that is only looked into; sets store_ops alone. */
extern int (*store_ops_look)(struct err *e);

/* 1 while there is no store to write to, and one may come. */
int store_ops_may_come(void);

/* Has fn(arg) called once the store has come, arg being kept by the collector till then; it may throw.  Nothing to do when none
 * may come. */
void store_ops_later(void (*fn)(void *arg), void *arg);

/* The store to write to, opened if it may come; NULL when there is none, though store_ops may have one to read by then.  Throws. */
const struct store_ops *store_ops_begin(void);

extern const struct session_part store_ops_session[];

#endif
