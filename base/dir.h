/* SPDX-License-Identifier: MIT
 *
 * What is in a directory.
 *
 *     rc = dir_open(&d, dirfd, name, e);
 *     while (!rc && (rc = dir_next(&d, e)) > 0)
 *             rc = look_at(d.fd, d.name);
 *     dir_close(&d);
 *
 * leaves 0 in rc only when everything in it was seen: a listing that breaks off is a failure, never a short list.
 */
#ifndef BASE_DIR_H
#define BASE_DIR_H

#include "base/err.h"

struct dir {
	int fd;		  /* of the directory, owned */
	const char *name; /* of the entry, until the next call */

	void *stream;	  /* private, as is the next: */
	const char *path; /* what it is called in messages, borrowed */
};

/* Opens dirfd/path, which must be no link.  Returns 0 or negative, with errno as it was set; close it in either case. */
int dir_open(struct dir *d, int dirfd, const char *path, struct err *e);

/* The same for a directory that is open: takes the descriptor, also on failure (and does nothing more for a negative one). */
int dir_take(struct dir *d, int fd, const char *path, struct err *e);

/* Moves on to the next entry, "." and ".." left aside.  1 there is one, 0 that was all, negative on failure. */
int dir_next(struct dir *d, struct err *e);

/* Back to the beginning: what is in it now. */
void dir_rewind(struct dir *d);

void dir_close(struct dir *d);

/* Calls fn for each entry that is left in an open directory, "." and ".." left aside; type: its d_type, DT_UNKNOWN where the file
 * system does not tell.  Returns 0, or -1 and errno where the listing breaks off.  Without a stream, which costs three calls
 * and a buffer for each directory: for who reads many. */
int dir_each(int fd, void (*fn)(void *arg, const char *name, unsigned char type), void *arg);

#endif
