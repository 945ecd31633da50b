/* SPDX-License-Identifier: MIT
 *
 * The address of a socket has room for a hundred bytes; what lies deeper is reached through a descriptor of its folder.
 */
#include "config.h"
#include "remote/listen.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING = 128 };

/* --- addresses --- */

/* The folder of a path, opened; *name is the rest. */
static int open_folder(const char *path, int make, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	int fd = -1;

	*name = slash ? slash + 1 : path;
	if (make && make_folders(dir, 0755) < 0)
		err_errno(e, "cannot make the folder '%s'", dir);
	else if ((fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		err_errno(e, "cannot open the folder '%s'", dir);
	free(dir);
	return fd;
}

/* A socket and its address; *dirfd is to be closed once the address was used.  make: it is about to be there, in place of that of a
 * daemon that is gone. */
static int make_socket(const char *path, int make, struct sockaddr_un *a, int *dirfd, struct err *e)
{
	const char *name;
	struct stat st;
	int fd;

	*dirfd = open_folder(path, make, &name, e);
	if (*dirfd < 0)
		return -1;
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((size_t)snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%s", *dirfd, name) >= sizeof a->sun_path)
		return err_set(e, ERR_INVALID, "the name of the socket '%s' is too long", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err_errno(e, "cannot make a socket");
	else if (make && !fstatat(*dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISSOCK(st.st_mode))
		unlinkat(*dirfd, name, 0);
	return fd;
}

int daemon_connect(const char *path, struct err *e)
{
	struct sockaddr_un a;
	int dirfd, fd = make_socket(path, 0, &a, &dirfd, e);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		err_errno(e, "cannot connect to the daemon at '%s'", path);
		close(fd);
		fd = -1;
	}
	if (dirfd >= 0)
		close(dirfd);
	return fd;
}

/* systemd hands over sockets from the third descriptor on. */
static int given_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

	return pid && n && atol(pid) == (long)getpid() && !strcmp(n, "1") ? 3 : -1;
}

static int open_listening(const char *path, struct err *e)
{
	struct sockaddr_un a;
	int dirfd, fd = given_socket();

	if (fd >= 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		return fd;
	}
	fd = make_socket(path, 1, &a, &dirfd, e);
	/* Who may connect is asked of the connection. */
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || chmod(a.sun_path, 0666) < 0 || listen(fd, WAITING) < 0)) {
		err_errno(e, "cannot listen at '%s'", path);
		close(fd);
		fd = -1;
	}
	if (dirfd >= 0)
		close(dirfd);
	return fd;
}

/* --- who it is --- */

static int is_member(const char *group, const struct passwd *user, gid_t gid)
{
	const struct group *g = getgrnam(group);

	if (!g)
		return 0;
	for (char **m = g->gr_mem; user && *m; m++)
		if (!strcmp(*m, user->pw_name))
			return 1;
	return g->gr_gid == gid || (user && user->pw_gid == g->gr_gid);
}

int users_have(const char *list, uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);
	int found = 0;

	for (const char *p = list ? list : ""; !found && *(p += strspn(p, " \t\n")); p += strcspn(p, " \t\n")) {
		char *word = xstrndup(p, strcspn(p, " \t\n"));

		found = !strcmp(word, "*") ||
			(*word == '@' ? is_member(word + 1, user, gid) : user && !strcmp(word, user->pw_name));
		free(word);
	}
	return found;
}

static void refuse(const struct listen_options *o, const struct ucred *who)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "user %ld, process %ld: not one of the 'allowed-users'", (long)who->uid, (long)who->pid);
	if (o->note)
		o->note(o->user, b.p);
	buf_release(&b);
}

/* In the process of its own. */
static void serve(const struct listen_options *o, int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;
	int trusted;

	signal(SIGCHLD, SIG_DFL);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return;
	/* This user can do it all without the daemon. */
	trusted = o->forced ? o->forced > 0 : who.uid == geteuid() || users_have(o->trusted, who.uid, who.gid);
	if (trusted || users_have(o->allowed, who.uid, who.gid))
		o->serve(o->user, fd, trusted);
	else
		refuse(o, &who);
}

static void cannot_serve(const struct listen_options *o)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "a client is turned away: no process can be made for it: %s", strerror(errno));
	if (o->note)
		o->note(o->user, b.p);
	buf_release(&b);
}

int daemon_listen(const char *path, const struct listen_options *o, struct err *e)
{
	int at = open_listening(path, e), fd;

	if (at < 0)
		return e->code;
	signal(SIGCHLD, SIG_IGN); /* nobody waits for those who serve */
	if (o->ready)
		o->ready(o->user, path);
	while ((fd = accept4(at, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR || errno == ECONNABORTED) {
		pid_t pid = fd >= 0 ? fork() : 1;

		if (!pid) {
			close(at);
			serve(o, fd);
			_exit(0);
		}
		if (pid < 0)
			cannot_serve(o);
		if (fd >= 0)
			close(fd);
	}
	return err_errno(e, "cannot take connections at '%s'", path);
}
