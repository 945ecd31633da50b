/* SPDX-License-Identifier: MIT
 *
 * A store below another root (--store, or the per-user one) holds programs and links that say /nix/store.  What is run from it gets
 * a mount namespace in which the store's folder lies there, and all else is as it was: same user, same files, same network.  This
 * is a view and no confinement.
 *
 * Where the machine has a folder for the store (/nix, perhaps of somebody else's Nix) ours is put in its place.  Where it
 * has none, nobody but root could make one, so there is a new / (cli/new_root.h) with a /nix.  So there is where another tree than
 * the machine's is to be /usr.
 *
 * The store's database comes along, at /nix/var/nix: a gx or Nix started inside takes /nix for its store, and with another database
 * than the one that knows these objects its collector would delete them all.
 *
 * Namespaces of users are for processes with one thread; the collector has several.  Hence the child: it is made by fork and has
 * one.
 */
#include "config.h"
#include "cli/store_view.h"
#include "cli/new_root.h"
#include "cli/options.h"
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* A mount namespace, with the rights to mount in it, up to the moment another program starts.  Root needs no namespace of users,
 * and keeps its rights without one. */
static int own_namespace(const char *usr, struct err *e)
{
	char uid[64], gid[64];

	snprintf(uid, sizeof uid, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(gid, sizeof gid, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
	if (geteuid() == 0 && !unshare(CLONE_NEWNS))
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return err_set(e, ERR_DENIED,
			       "this system allows no user namespaces (%s), without which %s", strerror(errno),
			       usr ? "nothing but the machine's own tree can be /usr; --fhs needs them" :
				     "a store below another root cannot be seen at its place; use --store-dir, or a store at /nix");
	write_text("/proc/self/setgroups", "deny");
	if (write_text("/proc/self/uid_map", uid) || write_text("/proc/self/gid_map", gid))
		return err_errno(e, "cannot stay the same user in a namespace");
	return 0;
}

/* What the view shows, opened before anything is mounted over it. */
struct parts {
	int store, state, log; /* -1: as the machine has it */
	int usr;
};

static void close_part(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int show_parts(const struct place *p, const struct parts *o, const char *top)
{
	int rc = new_root_show(o->store, top, p->store_dir);

	if (!rc && !strcmp(p->store_dir, "/nix/store"))
		rc = new_root_show(o->state, top, "/nix/var/nix") || new_root_show(o->log, top, "/nix/var/log/nix") ? -1 : 0;
	return rc;
}

/* A new / with room for the store's place, or with another /usr. */
static int make_room(const struct place *p, const struct parts *o, struct err *e)
{
	char root[] = "/tmp/gx-root-XXXXXX";
	struct new_root r = { root, o->usr, o->store >= 0 && !strcmp(p->store_dir, "/nix/store") };

	if (!mkdtemp(root) || mount("gx", root, "tmpfs", 0, "mode=0755") || new_root_fill(&r) || show_parts(p, o, root) ||
	    chdir(root) || syscall(SYS_pivot_root, ".", "."))
		return o->usr < 0 ? err_errno(e, "cannot show the store at '%s'", p->store_dir) :
				    err_errno(e, "cannot show a merged tree at /usr");
	umount2(".", MNT_DETACH);
	if (chdir("/"))
		return err_errno(e, "cannot go to the new /");
	/* The copy of /tmp holds the folder that all this was made in. */
	umount2(root, MNT_DETACH);
	rmdir(root);
	return 0;
}

static int is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int open_part(const char *path)
{
	return open(path, O_PATH | O_CLOEXEC);
}

/* A folder of the store, by its logical path; -1. */
static int open_usr(const struct place *p, const char *usr)
{
	char *real = place_real(p, slice_of(usr));
	int fd = real ? open(real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	free(real);
	return fd;
}

static int show_store(const struct place *p, const struct parts *o, struct err *e)
{
	int usual = !strcmp(p->store_dir, "/nix/store");

	if (!is_folder(usual ? "/nix" : p->store_dir))
		return make_room(p, o, e);
	if ((usual && mount("gx", "/nix", "tmpfs", 0, "mode=0755")) || show_parts(p, o, ""))
		return err_errno(e, "cannot show the store at '%s'", p->store_dir);
	return 0;
}

static int show_usr(const struct place *p, const struct parts *o, struct err *e)
{
	int rc = make_room(p, o, e);

	return !rc && new_root_link_etc() ? err_errno(e, "cannot make a new /etc") : rc;
}

static int put_at_place(const struct place *p, const char *usr, struct err *e)
{
	struct parts o = { -1, -1, -1, usr ? open_usr(p, usr) : -1 };
	int mapped = place_is_mapped(p), rc;

	if (mapped) {
		o.state = open_part(p->state_dir);
		o.log = open_part(p->log_dir);
		o.store = open_part(p->real_store);
	}
	if (mapped && o.store < 0)
		rc = err_errno(e, "cannot open the store at '%s'", p->real_store);
	else if (usr && o.usr < 0)
		rc = err_set(e, ERR_INVALID, "'%s' is no folder of the store, so it cannot be /usr", usr);
	else
		rc = usr ? show_usr(p, &o, e) : show_store(p, &o, e);
	close_part(o.store);
	close_part(o.state);
	close_part(o.log);
	close_part(o.usr);
	return rc;
}

static int enter(const struct place *p, const char *usr, struct err *e)
{
	char cwd[PATH_MAX];
	int rc;

	if (!getcwd(cwd, sizeof cwd))
		return err_errno(e, "cannot tell the current directory");
	if ((rc = own_namespace(usr, e)))
		return rc;
	/* Mounts of the machine still arrive here, ours do not leave. */
	if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL))
		return err_errno(e, "cannot part from the mounts of the machine");
	rc = put_at_place(p, usr, e);
	if (!rc && chdir(cwd))
		rc = err_errno(e, "cannot go back to '%s'", cwd);
	return rc;
}

static int become(char *const *argv)
{
	/* What the program ignores or catches is its own business; we ignore SIGPIPE. */
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	report_error("cannot run '%s': %s", argv[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

static pid_t program;

static void pass_on(int sig)
{
	kill(program, sig);
}

static int wait_for(pid_t pid)
{
	int status;

	program = pid;
	signal(SIGTERM, pass_on);
	signal(SIGHUP, pass_on);
	/* Keys typed at the terminal are for the program. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			report_error("cannot wait for the program: %s", strerror(errno));
			return EXIT_FAILED;
		}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int store_view_exec(const struct place *p, const char *usr, char *const *argv)
{
	struct err e = ERR_INIT;

	if (!place_is_mapped(p) && !usr)
		return become(argv);
	pid_t pid = fork();
	if (pid < 0) {
		report_error("cannot start a process: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (pid)
		return wait_for(pid);
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	if (enter(p, usr, &e)) {
		report_err(&e);
		_exit(EXIT_FAILED);
	}
	_exit(become(argv));
}
