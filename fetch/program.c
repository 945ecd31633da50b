/* SPDX-License-Identifier: MIT
 *
 * posix_spawn, pipe and socket, wait.  Standard error goes to a file in memory rather than a pipe, so that nobody has to read two
 * pipes at once; only its end is shown.
 */
#include "config.h"
#include "fetch/program.h"
#include "base/alloc.h"
#include "fetch/interrupt.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 2000 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int spawn(struct program *p, const struct words *argv, const struct words *env, int child_in, int child_out)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int rc;

	posix_spawn_file_actions_init(&fa);
	if (child_in >= 0)
		posix_spawn_file_actions_adddup2(&fa, child_in, 0);
	else
		posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, child_out, 1);
	posix_spawn_file_actions_adddup2(&fa, p->err, 2);
	/* What this process ignores or blocks is not the program's business. */
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(&p->pid, argv->v[0], &fa, &attr, argv->v, env ? env->v : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

static int start(struct program *p, const struct words *argv, const struct words *env, int with_input, int said_to, struct err *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, rc = 0;

	*p = (struct program){ .pid = -1, .in = -1, .out = -1, .name = argv->v[0] };
	p->err = said_to ? fcntl(said_to, F_DUPFD_CLOEXEC, 3) : memfd_create("stderr", MFD_CLOEXEC);
	if (p->err < 0 || pipe2(out, O_CLOEXEC) < 0 || 
	    (with_input && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0))
		rc = err_errno(e, "cannot start '%s'", p->name);
	if (!rc && (errno = spawn(p, argv, env, in[0], out[1])))
		rc = errno == ENOENT ? err_set(e, ERR_NOTFOUND, "cannot start '%s': it is not installed", p->name)
				     : err_errno(e, "cannot start '%s'", p->name);
	close_fd(&in[0]);
	close_fd(&out[1]);
	p->in = in[1];
	p->out = out[0];
	if (rc) {
		close_fd(&p->in);
		close_fd(&p->out);
		close_fd(&p->err);
	}
	return rc;
}

int program_start(struct program *p, const struct words *argv, const struct words *env, int with_input, struct err *e)
{
	return start(p, argv, env, with_input, 0, e);
}

int program_start_saying(struct program *p, const struct words *argv, int said_to, struct err *e)
{
	return start(p, argv, NULL, 1, said_to, e);
}

int program_write(struct program *p, const void *data, size_t n, struct err *e)
{
	const char *q = data;

	/* A socket, because writing to a pipe whose reader is gone would be a signal. */
	while (n) {
		ssize_t k = send(p->in, q, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "cannot talk to '%s'", p->name);
		q += k;
		n -= (size_t)k;
	}
	return 0;
}

/* The end of what it said, in one line. */
static void add_said(struct buf *b, int fd)
{
	char text[SAID_MAX];
	off_t size = lseek(fd, 0, SEEK_END), from = size > SAID_MAX ? size - SAID_MAX : 0;
	ssize_t n = pread(fd, text, sizeof text, from);

	while (n > 0 && strchr(" \n", text[n - 1]))
		n--;
	for (ssize_t i = 0; i < n; i++)
		buf_addc(b, text[i] == '\n' ? ' ' : text[i]);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

int program_finish(struct program *p, int *status, struct err *e)
{
	struct buf said = BUF_INIT;
	int s, rc = 0;

	close_fd(&p->in);
	close_fd(&p->out);
	s = wait_for(p->pid);
	if (status && WIFEXITED(s)) {
		*status = WEXITSTATUS(s);
	} else if (s) {
		add_said(&said, p->err);
		if (WIFSIGNALED(s) && WTERMSIG(s) == SIGINT) /* from the terminal, as we did */
			rc = err_set(e, ERR_INTERRUPT, "interrupted");
		else if (WIFSIGNALED(s))
			rc = err_set(e, ERR_IO, "'%s' was killed by signal %d", p->name, WTERMSIG(s));
		else
			rc = err_set(e, ERR_IO, "'%s' failed: %s", p->name, said.len ? said.p : "it does not say why");
	}
	buf_release(&said);
	close_fd(&p->err);
	return rc;
}

void program_kill(struct program *p)
{
	kill(p->pid, SIGKILL);
	close_fd(&p->in);
	close_fd(&p->out);
	wait_for(p->pid);
	close_fd(&p->err);
}

int program_collect(struct program *p, struct buf *out, int *status, struct err *e)
{
	char piece[65536];
	ssize_t n = 0;
	int rc;

	for (;;) {
		rc = fetch_wait(p->out, -1, e);
		n = rc ? 0 : read(p->out, piece, sizeof piece);
		if (!rc && !n)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(e, "cannot read from '%s'", p->name);
		else if (!rc && out && out->len > LIMIT_PROGRAM_OUTPUT)
			rc = err_set(e, ERR_LIMIT, "'%s' prints more than %zu bytes", p->name, LIMIT_PROGRAM_OUTPUT);
		else if (!rc && out)
			buf_add(out, piece, (size_t)n);
		if (rc) {
			program_kill(p);
			return rc;
		}
	}
	return program_finish(p, status, e);
}

int program_run(const struct words *argv, const struct words *env, struct buf *out, int *status, struct err *e)
{
	struct program p;
	int rc = program_start(&p, argv, env, 0, e);

	return rc ? rc : program_collect(&p, out, status, e);
}
