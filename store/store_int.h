/* SPDX-License-Identifier: MIT
 *
 * The inside of a store, for the files of store/ that are its parts: store.c, stage.c, commit.c, roots.c,
 * temp_roots.c, gc.c, verify.c, claims.c, prove.c, rebuild.c.
 */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include "format/modulo.h"
#include "store/store.h"

struct store {
	struct store *next; /* open in this process */
	const struct store_source *source; /* NULL but for a view */
	struct store *eval_store; /* ours: where derivations may lie as well; NULL: only here */
	const struct place *place;
	enum store_flags flags;
	struct db *db;
	int root_fd;  /* what stands for / */
	int fd;	      /* the store directory */
	int state_fd; /* var/nix */
	int log_fd;   /* opened on first use, else -1 */
	int big_lock;

	void (*notice)(void *user, const char *text);
	void *notice_user;

	/* temp_roots.c */
	int temp_fd; /* -1 before the first temporary root */
	char temp_name[32];
	int gc_lock_fd;
	int gc_socket;
	char (*temp_told)[STORE_HASH_LEN]; /* digests told lately, see temp_roots.c */

	/* claims.c: derivations that were checked, and who else may have done that */
	struct drv_memo drvs;
	int (*known_drv)(void *user, struct slice path, struct drv_modulo *out);
	void *known_user;

	/* stage.c */
	int stage_dir; /* the common directory, locked shared; -1 before the first */
	unsigned stage_count;
};

/* temp_roots.c: gives up what this process told. */
void temp_roots_release(struct store *s);

/* For who has just made a lasting root of p, a temporary one until now: a collector that may have looked for
 * lasting ones too early knows of p when this returns. */
int temp_root_again(struct store *s, const struct store_path *p, struct err *e);

/* The address of the collector's socket; *dirfd, which the caller closes, must stay open while it is used. */
struct sockaddr_un;
int store_gc_socket_address(int state_fd, int make, struct sockaddr_un *a, int *dirfd);

/* Opens gc.lock. */
int store_open_gc_lock(struct store *s, struct err *e);

/* claims.c: as store_read_drv, of an object that is being registered. */
int store_read_new_drv(struct store *s, const struct path_info *i, struct drv *d, struct err *e);

/* claims.c: the hash of an object by a method; not by CA_GIT. */
int store_hash_contents(struct store *s, const struct store_path *p, enum ca_method m, enum hash_algo a, struct hash *h,
			struct err *e);

/* claims_verify.c: tells of the objects of `all` that something put there that cannot make them. */
struct verify_options;
int claims_verify(struct store *s, const struct path_set *all, const struct verify_options *o,
		  void (*bad)(void *arg, const struct store_path *p, const char *why), void *arg, struct err *e);

/* stage.c: the name of the common directory of staging, and removing what dead processes left in it. */
extern const char stage_common[];
int stage_sweep(struct store *s, uint64_t *freed, struct err *e);

/* Removes that directory when nobody stages: whoever wants to, makes it again. */
void stage_remove_common(struct store *s);

/* store.c: the number in db/schema, 0 when there is none yet; ERR_INVALID when it is damaged or not ours. */
int store_read_schema(int db_fd, int *version, struct err *e);

/* verify.c: 1 and what it is when something in the tree is not as canonical objects are. */
int verify_form(int dirfd, const char *name, struct buf *why);

/* sync.c: waits until n objects, which lie in the store directory by now, and their names are on the disk. */
struct new_object;
int store_sync_objects(struct store *s, const struct new_object *const *v, size_t n, struct err *e);

/* ERR_DENIED when the store was opened for reading. */
int store_want_writable(struct store *s, struct err *e);

#endif
