/* SPDX-License-Identifier: MIT
 *
 * The inside of a store, for the files of store/ that are its parts: store.c, stage.c, commit.c, roots.c,
 * temp_roots.c, gc.c, verify.c.
 */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include "store/store.h"

struct store {
	struct store *next; /* open in this process */
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

/* stage.c: the name of the common directory of staging, and removing what dead processes left in it. */
extern const char stage_common[];
int stage_sweep(struct store *s, uint64_t *freed, struct err *e);

/* ERR_DENIED when the store was opened for reading. */
int store_want_writable(struct store *s, struct err *e);

#endif
