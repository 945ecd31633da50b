/* SPDX-License-Identifier: MIT
 *
 * A daemon's socket: listening on it, connecting to it, and who may.
 *
 * Who connects is known from the kernel.  Lists of users are words with blanks between: a name, "@group", or "*".
 */
#ifndef REMOTE_LISTEN_H
#define REMOTE_LISTEN_H

#include "base/err.h"

#include <sys/types.h>

struct listen_options {
	const char *allowed, *trusted; /* users */
	int forced; /* 1: everybody is trusted, -1: nobody is, 0: as the lists say */

	/* Called in a process of its own, which ends when it returns. */
	void (*serve)(void *user, int fd, int trusted);

	/* Told once that clients may come. */
	void (*ready)(void *user, const char *path);

	/* Told of one that is refused, and of what keeps others from being served. */
	void (*note)(void *user, const char *text);
	void *user;
};

/* Listens at a path (whose folder is made, and what is left of an older socket replaced), or on the socket that systemd gave this
 * process, until the process ends; returns only with an error. */
int daemon_listen(const char *path, const struct listen_options *o, struct err *e);

/* A connection to a daemon's socket; negative on failure. */
int daemon_connect(const char *path, struct err *e);

/* 1 when a list has this user. */
int users_have(const char *list, uid_t uid, gid_t gid);

#endif
