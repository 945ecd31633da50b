/* SPDX-License-Identifier: MIT
 *
 * How objects come into the store.
 *
 * Always in one order: staged under a private name on the same file system; in canonical form (mode 0444 or 0555,
 * mtime 1, no setuid, no extended attributes) from the first byte on, because every file is written afresh; hashed and
 * scanned for references while it is written; synced (one syncfs for a batch); renamed; the directory synced;
 * and only then registered.  A crash at any point leaves either nothing that counts or a whole object.
 *
 * The easy way is store_add_*.  Builders do it in steps: stage_open, object_copy for each output once every process
 * of the build is dead, path_locks_take, store_commit, stage_free.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include "format/nar.h"
#include "format/rewrite.h"
#include "store/store.h"

/* --- adding --- */

/* A text object (a derivation, a file of toFile).  Nothing to do when it is valid.  out may be NULL in all of these. */
int store_add_text(struct store *s, struct slice name, struct slice text, const struct path_set *refs,
		   struct store_path *out, struct err *e);

/* What a source object is made of and called. */
struct source_object {
	struct slice name;
	enum ca_method method; /* CA_NAR, CA_FLAT, CA_TEXT */
	enum hash_algo algo;   /* HASH_ANY: SHA-256 */
	const struct hash *expected;	 /* what the hash must be (ERR_HASH), may be NULL */
	const struct path_set *refs;	 /* may be NULL */
	const struct nar_filter *filter; /* may be NULL; asked for paths that begin with `path` */
	const char *path;		 /* what the filter and messages call it; NULL for its name on disk */
};

/* A file or tree on disk, dirfd and name as in openat. */
int store_add_tree(struct store *s, int dirfd, const char *name, const struct source_object *o,
		   struct store_path *out, struct err *e);

/* A stream of bytes: read() fills at most n and returns how many, 0 at the end, negative on failure. */
struct byte_source {
	long (*read)(void *user, void *p, size_t n, struct err *e);
	void *user;
};

/* An archive from elsewhere, whose info says what it must be: hash and size of the archive (ERR_HASH), references, ca.  The
 * references must be valid. */
int store_add_nar(struct store *s, const struct path_info *info, const struct byte_source *nar, struct err *e);

/* An object by its contents, which come as an archive, or as the bytes of one file (not archive: for CA_FLAT and CA_TEXT).  Of
 * an archive that is hashed flat the executable bit is lost. */
int store_add_dump(struct store *s, const struct byte_source *from, int archive, const struct source_object *o,
		   struct store_path *out, struct err *e);

/* --- in steps --- */

/* A private directory (mode 0700) in the store's file system.  Removed with what is left in it by stage_free, or when this process
 * is dead by whoever stages or collects garbage next. */
struct stage;

int stage_open(struct store *s, struct stage **out, struct err *e);
void stage_free(struct stage *st);
int stage_fd(const struct stage *st);

/* What to find out about an object while it is written, and what was found.  Zeroed wants nothing but the archive's hash. */
struct object_facts {
	const struct path_set *candidates; /* which references to look for, NULL for none */
	enum ca_method method;		   /* with algo: another hash to compute */
	enum hash_algo algo;		   /* HASH_ANY for none */
	const char *self;		   /* 32 digits of itself, not to count in the hash by CA_NAR; NULL: none */
	uint64_t max_size;		   /* of the archive (ERR_LIMIT), 0 for any */
	const struct rewrite *rewrites;	   /* what to replace before anything else is done, borrowed; */
	size_t nrewrites;		   /* how many */

	struct hash nar_hash;
	uint64_t nar_size;
	struct hash hash;     /* by method and algo */
	struct path_set refs; /* those seen; release it */
	enum nar_type type;   /* what it is, */
	int executable;	      /* a file that may be run */
};

void object_facts_release(struct object_facts *f);

/* What to find out about an object that comes with the content address of its row (which may have none), and afterwards whether
 * it has it: ERR_HASH.  info and want stay as long as f. */
int address_want(const struct path_info *info, struct object_facts *f, struct hash *want, struct err *e);
int address_check(const struct path_info *info, const struct object_facts *f, const struct hash *want, struct err *e);

/* Writes a canonical copy, in fresh inodes, of from/from_name to to/to_name, which must not exist. */
int object_copy(int from, const char *from_name, const char *path, const struct nar_filter *filter, int to,
		const char *to_name, struct object_facts *f, struct err *e);

/* The same for a regular file, without its executable bit: as flat hashes see it. */
int object_copy_flat(int from, const char *from_name, int to, const char *to_name, struct object_facts *f,
		     struct err *e);

/* The same out of an archive. */
int object_restore(const struct byte_source *nar, int to, const char *to_name, struct object_facts *f, struct err *e);

/* The same out of an archive that is pushed, in pieces of any size.  The facts are borrowed until the end, which is called in any
 * case: with rc, how it went so far; it then removes what was written unless all went well. */
struct object_writer;

int object_begin(struct object_writer **out, int to, const char *to_name, struct object_facts *f, struct err *e);
int object_feed(struct object_writer *w, const void *p, size_t n, struct err *e);
int object_end(struct object_writer *w, int rc, struct err *e);

/* The same out of bytes: one regular file. */
int object_write(struct slice bytes, int executable, int to, const char *to_name, struct object_facts *f,
		 struct err *e);

/* An object ready to go: where it is staged and all there is to know about it. */
struct new_object {
	int dirfd;
	const char *name;
	struct path_info info;
};

/* commit.c: that the content address of an object is the one that its path was made from. */
int store_check_address(struct store *s, const struct path_info *i, struct err *e);

/* Puts n objects in place and registers them, all in one transaction; objects that are valid already are left alone.  The
 * caller holds their locks.  Whatever lies at their names without being valid is removed.  Derivations' outputs are
 * registered from their text. */
int store_commit(struct store *s, const struct new_object *v, size_t n, struct err *e);

/* The same in three steps, so that several may wait for the disk together, and elsewhere.  The objects are borrowed until the end.
 * Begin: looks which are not there.  Place, of as many commits of one store as one likes, in any thread: puts them in place and
 * waits for the disk; what fails is told at the end.  End: registers them, or removes what was put in place; frees. */
struct commit;

int commit_begin(struct store *s, const struct new_object *v, size_t n, struct commit **out, struct err *e);
void commit_place(struct commit *const *v, size_t n);
int commit_end(struct commit *c, struct err *e);

/* The same for one object that lies in a stage under a name; its lock is taken and given up here. */
int store_commit_staged(struct store *s, struct stage *st, const char *name, const struct path_info *info, struct err *e);

/* As store_commit, and what is valid but damaged (its contents are not those of its row, or it is not in canonical form) is swapped
 * for the new one in one step, its row with it; the old one is left at the new one's place in the stage. */
int store_replace(struct store *s, const struct new_object *v, size_t n, struct err *e);

#endif
