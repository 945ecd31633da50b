/* SPDX-License-Identifier: MIT
 *
 * Temporary roots: how a running process keeps a collector from what it uses.
 *
 * Each process has a file var/nix/temproots/<pid>, locked as long as it lives, with full logical paths, each ended
 * by a NUL.  A collector holds gc.lock exclusively and has read those files before it deletes anything.  So:
 *
 *     write the path into the file   every collector that begins later will read it
 *     gc.lock can be had shared      no collector is running now: done
 *     it cannot                      connect to gc-socket/socket, send the path and a newline, wait for the answer
 *                                    "1": the collector now knows, and is not in the middle of deleting it
 *
 * This is Nix's protocol, so that either program may collect while the other works.  Nix writes into the file last; then
 * a collector that begins between the answer and the writing knows nothing of the path.
 *
 * A process that made a lasting root and ends is in between as well: the collector may have looked at the links before
 * there was that one, and looks at the files when this one is gone.  So the object is announced once more
 * when the link is there (temp_root_again).
 */
#include "config.h"
#include "base/alloc.h"
#include "base/flock.h"
#include "store/roots.h"
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int store_open_gc_lock(struct store *s, struct err *e)
{
	int fd = openat(s->state_fd, "gc.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(e, "cannot open the lock of the garbage collector in '%s'", s->place->state_dir) : fd;
}

void temp_roots_release(struct store *s)
{
	if (s->temp_fd >= 0) {
		char name[64];
		snprintf(name, sizeof name, "temproots/%s", s->temp_name);
		unlinkat(s->state_fd, name, 0);
		close(s->temp_fd);
	}
	if (s->gc_lock_fd >= 0)
		close(s->gc_lock_fd);
	if (s->gc_socket >= 0)
		close(s->gc_socket);
	free(s->temp_told);
}

/* Paths are told again and again; telling one twice does no harm, so a small table of the last ones is enough.  By digest alone: a
 * collector keeps by digest as well. */
static char *told_slot(struct store *s, const struct store_path *p)
{
	enum { SLOTS = 1024 };
	uint64_t w;

	if (!s->temp_told)
		s->temp_told = xcalloc(SLOTS, sizeof *s->temp_told);
	memcpy(&w, p->base, sizeof w);
	return s->temp_told[(w * 0x9e3779b97f4a7c15u) >> 54];
}

/* Makes and locks the file.  Normally it is named after the process; where that name is taken by somebody alive (containers
 * that share a store have the same numbers) another is used, which still begins with the number, as Nix expects. */
static int make_file(struct store *s, struct err *e)
{
	for (unsigned n = 0; s->temp_fd < 0; ) {
		struct stat st;
		char name[64];
		int fd, rc;

		if (n)
			snprintf(s->temp_name, sizeof s->temp_name, "%ld-%u", (long)getpid(), n);
		else
			snprintf(s->temp_name, sizeof s->temp_name, "%ld", (long)getpid());
		snprintf(name, sizeof name, "temproots/%s", s->temp_name);
		fd = openat(s->state_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_errno(e, "cannot make '%s/%s'", s->place->state_dir, name);
		rc = lock_fd(fd, LOCK_EX | LOCK_NB, e);
		if (rc == 0 && fstat(fd, &st) == 0 && st.st_size == 0) {
			s->temp_fd = fd;
			return 0;
		}
		/* Locked and not empty: of a dead process, or a collector has just marked it as gone. */
		if (rc == 0)
			unlinkat(s->state_fd, name, 0);
		close(fd);
		if (rc < 0)
			return rc;
		if (rc == 1)
			n++;
	}
	return 0;
}

/* --- talking to a collector --- */

/* The socket's name may be longer than an address can hold, so it is named through its folder's descriptor. */
int store_gc_socket_address(int state_fd, int make, struct sockaddr_un *a, int *dirfd)
{
	int fd;

	if (make && mkdirat(state_fd, "gc-socket", 0755) < 0 && errno != EEXIST)
		return -1;
	fd = openat(state_fd, "gc-socket", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/socket", fd);
	*dirfd = fd;
	return 0;
}

static int connect_collector(struct store *s)
{
	struct sockaddr_un a;
	int dirfd, rc;

	if (s->gc_socket >= 0)
		return 0;
	if (store_gc_socket_address(s->state_fd, 0, &a, &dirfd) < 0)
		return -1;
	s->gc_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = s->gc_socket < 0 ? -1 : connect(s->gc_socket, (struct sockaddr *)&a, sizeof a);
	close(dirfd);
	if (rc < 0 && s->gc_socket >= 0) {
		close(s->gc_socket);
		s->gc_socket = -1;
	}
	return rc;
}

/* 0 when the collector answered, -1 when there is none (any more). */
static int tell_collector(struct store *s, const struct store_path *p)
{
	struct buf b = BUF_INIT;
	char answer;
	size_t sent = 0;
	ssize_t n = 0;

	if (connect_collector(s) < 0)
		return -1;
	store_add_path(s, &b, p);
	buf_addc(&b, '\n');
	while (sent < b.len && ((n = send(s->gc_socket, b.p + sent, b.len - sent, MSG_NOSIGNAL)) > 0 || errno == EINTR))
		sent += n > 0 ? (size_t)n : 0;
	if (sent == b.len)
		while ((n = recv(s->gc_socket, &answer, 1, 0)) < 0 && errno == EINTR)
			;
	buf_release(&b);
	if (n == 1 && answer == '1')
		return 0;
	close(s->gc_socket);
	s->gc_socket = -1;
	return -1;
}

static int append(struct store *s, const struct store_path *p, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = 0;

	store_add_path(s, &b, p);
	if (write(s->temp_fd, b.p, b.len + 1) != (ssize_t)b.len + 1) /* with the NUL */
		rc = err_errno(e, "cannot write a temporary root");
	buf_release(&b);
	return rc;
}

/* Returns when no collector is running, or the one that is knows of p. */
static int announce(struct store *s, const struct store_path *p, struct err *e)
{
	const struct timespec moment = { 0, 100 * 1000 * 1000 };
	int held;

	if (s->gc_lock_fd < 0 && (s->gc_lock_fd = store_open_gc_lock(s, e)) < 0)
		return s->gc_lock_fd;
	for (int waited = 0;; waited++) {
		held = lock_fd(s->gc_lock_fd, LOCK_SH | LOCK_NB, e);
		if (held == 0)
			lock_fd(s->gc_lock_fd, LOCK_UN, NULL);
		if (held <= 0 || tell_collector(s, p) == 0)
			return held < 0 ? held : 0;
		if (waited == 10)
			store_notice(s, "waiting for the garbage collector");
		nanosleep(&moment, NULL);
	}
}

int store_add_temp_root(struct store *s, const struct store_path *p, struct err *e)
{
	int rc = 0;

	/* Whoever may not write may not delete either, and has nobody to tell. */
	if (store_is_readonly(s) || !memcmp(told_slot(s, p), p->base, STORE_HASH_LEN))
		return 0;
	if (s->temp_fd < 0)
		rc = make_file(s, e);
	if (!rc)
		rc = append(s, p, e);
	if (!rc)
		rc = announce(s, p, e);
	if (!rc)
		memcpy(told_slot(s, p), p->base, STORE_HASH_LEN);
	return rc;
}

int temp_root_again(struct store *s, const struct store_path *p, struct err *e)
{
	return store_is_readonly(s) ? 0 : announce(s, p, e);
}
