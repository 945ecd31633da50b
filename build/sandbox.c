/* SPDX-License-Identifier: MIT
 *
 * Starting, killing and awaiting confined processes: the side of the process that builds.
 *
 * Two steps make the builder.  A forked helper, in which only one thread exists and malloc therefore works, clones the builder
 * into its namespaces as a sibling of itself (CLONE_PARENT), so that the builder is our own child: its death can be
 * awaited, and ours kills it (PR_SET_PDEATHSIG).  We write its user mapping, give the word, and read from
 * the status pipe until the program runs (the pipe closes on exec) or a message says why not.
 *
 * As root the builder gets a user of its own outside as well (build_user.c); as an ordinary user it is that user,
 * known inside as 1000.  Where root may not make user namespaces, the real user is changed instead.
 */
#include "config.h"
#include "build/sandbox.h"

#include "base/buf.h"
#include "base/fdio.h"
#include "build/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <grp.h>

/* What the helper tells: the builder's process, and whether it has a user namespace. */
struct helper_word {
	pid_t pid;
	int userns;
	int error; /* of clone, when pid is negative */
};

struct start_pipes {
	int status[2], sync[2], word[2];
};

/* fork with namespaces.  The raw call: glibc has no wrapper without a stack of its own. */
static pid_t clone_namespaces(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

static _Noreturn void helper_namespaced(const struct sandbox_spec *spec, const struct start_pipes *p)
{
	unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	struct helper_word w = { .userns = 1 };

	if (!spec->network)
		flags |= CLONE_NEWNET;
	/* Impossible once the namespace has its own mapping; needs no right we must have. */
	if (setgroups(0, NULL) && errno != EPERM)
		_exit(1);
	w.pid = clone_namespaces(flags | CLONE_NEWUSER);
	if (w.pid < 0) {
		w.error = errno;
		if (geteuid() == 0 && spec->outer_uid != 0) {
			w.userns = 0;
			w.pid = clone_namespaces(flags);
		}
	}
	if (w.pid == 0)
		child_namespaced(spec, p->status[1], p->sync[0]);
	_exit(write(p->word[1], &w, sizeof w) == sizeof w ? 0 : 1);
}

/* Kills what the watched process left behind.  Orphans come to us because we are a subreaper. */
static void kill_children(void)
{
	char path[64];
	FILE *f;
	long pid;

	snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
	do {
		f = fopen(path, "re");
		while (f && fscanf(f, "%ld", &pid) == 1)
			kill((pid_t)pid, SIGKILL);
		if (f)
			fclose(f);
	} while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR);
}

/* The watcher of a builder without namespaces: passes its status on, and leaves nothing of it alive. */
static _Noreturn void helper_bare(const struct sandbox_spec *spec, const struct start_pipes *p)
{
	struct helper_word w = { .userns = 0 };
	int status = 0, sig;
	sigset_t set;
	pid_t pid, got;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	pid = fork();
	if (pid == 0)
		child_bare(spec, p->status[1]);
	w.pid = pid < 0 ? pid : getpid();
	w.error = errno;
	if (write(p->word[1], &w, sizeof w) != sizeof w || pid < 0)
		_exit(1);
	close_range(0, ~0u, 0);
	for (;;) {
		while ((got = waitpid(-1, &status, WNOHANG)) > 0 && got != pid)
			;
		if (got == pid)
			break;
		if (sigwait(&set, &sig) || sig == SIGTERM) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
	}
	kill_children();
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		prctl(PR_SET_DUMPABLE, 0);
		kill(getpid(), WTERMSIG(status));
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static int refused(struct err *e, int error)
{
	return err_set(e, ERR_DENIED,
		       "builds cannot be confined here: the system refuses a new user namespace (%s)\n"
		       "Allow them: sysctl user.max_user_namespaces=10000, kernel.unprivileged_userns_clone=1 or "
		       "kernel.apparmor_restrict_unprivileged_userns=0 where these exist; for a container, a profile that "
		       "permits unshare and mount.  Or pass --sandbox=none, with which builders see this machine, and for a store "
		       "that is not at its place --store-dir DIR as well",
		       strerror(error));
}

static int write_proc(pid_t pid, const char *file, const char *text, struct err *e)
{
	char path[64];
	int fd, rc = 0;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		rc = err_errno(e, "mapping the user of a builder (%s)", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int map_user(const struct sandbox_spec *spec, pid_t pid, struct err *e)
{
	char text[64];
	int rc;

	/* Without this an ordinary user may not map groups, and a builder could drop groups that deny it something. */
	rc = write_proc(pid, "setgroups", "deny", e);
	snprintf(text, sizeof text, "%lu %lu 1", (unsigned long)spec->uid, (unsigned long)spec->outer_uid);
	rc = rc ? rc : write_proc(pid, "uid_map", text, e);
	snprintf(text, sizeof text, "%lu %lu 1", (unsigned long)spec->gid, (unsigned long)spec->outer_gid);
	return rc ? rc : write_proc(pid, "gid_map", text, e);
}

/* Reads the helper's word and clears the helper away (the watcher of a bare builder stays). */
static int read_word(struct start_pipes *p, pid_t helper, int bare, struct helper_word *w, struct err *e)
{
	long n;
	int status;

	close(p->word[1]);
	p->word[1] = -1;
	n = fd_read_full(p->word[0], w, sizeof *w);
	if (!bare || n != sizeof *w || w->pid < 0)
		while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
			;
	if (n != sizeof *w)
		return err_set(e, ERR_IO, "a builder could not be started");
	if (w->pid >= 0)
		return 0;
	if (!bare)
		return refused(e, w->error);
	errno = w->error;
	return err_errno(e, "starting a builder");
}

/* Waits for what the child says, which is nothing when its program runs.  What is linked into this program may print in the child
 * before (a profile, a sanitizer), and more than the terminal holds. */
static void wait_status(int fd, const struct sandbox_spec *spec)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = spec->printed, .events = POLLIN } };

	while (spec->drain && (poll(p, 2, -1) > 0 || errno == EINTR) && !p[0].revents) {
		if (p[1].revents & POLLIN)
			spec->drain(spec->drain_arg);
		else if (p[1].revents)
			p[1].fd = -1;
		p[1].revents = 0;
	}
}

static int read_status(int fd, const struct sandbox_spec *spec, struct err *e)
{
	char text[1024];
	long n;

	wait_status(fd, spec);
	n = fd_read_full(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = 0;
	return err_set(e, -(signed char)(text[0] - '0'), "%s", text + 1);
}

static void close_pipes(struct start_pipes *p)
{
	int *fds[] = { p->status, p->sync, p->word };

	for (size_t i = 0; i < 6; i++)
		if (fds[i / 2][i % 2] >= 0)
			close(fds[i / 2][i % 2]);
}

static void close_fd(int *fd)
{
	close(*fd);
	*fd = -1;
}

int sandbox_start(struct sandbox *b, const struct sandbox_spec *spec, struct err *e)
{
	struct start_pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct helper_word w = { 0 };
	pid_t helper;
	int rc = 0;

	*b = (struct sandbox){ .pid = -1, .pidfd = -1, .bare = spec->bare };
	rc = seccomp_prepare(child_filter(spec), e);
	if (rc)
		return rc;
	if (pipe2(p.status, O_CLOEXEC) || pipe2(p.sync, O_CLOEXEC) || pipe2(p.word, O_CLOEXEC)) {
		rc = err_errno(e, "starting a builder");
		goto out;
	}
	helper = fork();
	if (helper < 0) {
		rc = err_errno(e, "starting a builder");
		goto out;
	}
	if (helper == 0) {
		if (spec->bare)
			helper_bare(spec, &p);
		helper_namespaced(spec, &p);
	}
	rc = read_word(&p, helper, spec->bare, &w, e);
	if (rc)
		goto out;
	b->pid = w.pid;
	b->pidfd = (int)syscall(SYS_pidfd_open, w.pid, 0);
	if (b->pidfd < 0)
		rc = err_errno(e, "watching a builder");
	else
		fcntl(b->pidfd, F_SETFD, FD_CLOEXEC);
	if (!rc && !spec->bare && w.userns)
		rc = map_user(spec, w.pid, e);
	close_fd(&p.status[1]);
	close_fd(&p.sync[0]);
	if (!rc && !spec->bare && write(p.sync[1], w.userns ? "u" : "r", 1) != 1)
		rc = err_errno(e, "starting a builder");
	rc = rc ? rc : read_status(p.status[0], spec, e);
out:
	close_pipes(&p);
	if (rc && b->pid > 0) {
		sandbox_kill(b);
		sandbox_wait(b);
	}
	return rc;
}

void sandbox_kill(const struct sandbox *b)
{
	/* The watcher of a bare builder kills the rest; killing it would leave them. */
	if (b->pid > 0)
		kill(b->pid, b->bare ? SIGTERM : SIGKILL);
}

int sandbox_wait(struct sandbox *b)
{
	int status = 0;

	while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (b->pidfd >= 0)
		close(b->pidfd);
	*b = (struct sandbox){ .pid = -1, .pidfd = -1, .bare = b->bare };
	return status;
}

static int probe_function(void *arg)
{
	(void)arg;
	return 0;
}

int sandbox_probe(struct err *e)
{
	static const struct sandbox_entry proc = { .kind = ENTRY_FOLDER, .path = "proc" };
	char dir[] = "/tmp/gx-probe.XXXXXX";
	struct sandbox b;
	struct sandbox_spec spec = {
		.function = probe_function, .cwd = "/", .uid = 1000, .gid = 100, .outer_uid = geteuid(), .outer_gid = getegid(),
		.max_procs = 16, .entries = &proc, .nentries = 1
	};
	int rc;

	if (!mkdtemp(dir))
		return err_errno(e, "making %s", dir);
	spec.root = dir;
	spec.output = open("/dev/null", O_RDWR | O_CLOEXEC);
	rc = sandbox_start(&b, &spec, e);
	if (!rc)
		sandbox_wait(&b);
	if (spec.output >= 0)
		close(spec.output);
	rmdir(dir);
	return rc;
}
