/* SPDX-License-Identifier: MIT
 *
 * Two ends that speak the same protocol need nobody who understands it: bytes go from one to the other, one process for each way,
 * so that neither way waits for the other.
 */
#include "config.h"
#include "remote/relay.h"
#include "base/fdio.h"
#include "remote/remote_int.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

/* Until one side ends, or the other is gone. */
static void pass_on(int from, int to)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = fd_read(from, piece, sizeof piece)) > 0)
		if (fd_write_all(to, piece, (size_t)n))
			return;
}

/* What comes in goes there, and that it ended as well. */
static pid_t start_sender(const struct remote *r, int in)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* This side of the other way would keep it open. */
	if (r->program.pid >= 0)
		close(r->program.out);
	pass_on(in, r->w.out);
	if (r->fd >= 0)
		shutdown(r->fd, SHUT_WR);
	_exit(0);
}

int remote_relay(const struct remote_address *a, int in, int out, struct err *e)
{
	struct remote *r = NULL;
	int rc = remote_connect(&r, a, e);
	pid_t sender = rc ? -1 : start_sender(r, in);

	if (!rc && sender < 0)
		rc = err_errno(e, "cannot start a process");
	if (rc) {
		remote_free(r);
		return rc;
	}
	if (r->program.pid >= 0) {
		close(r->program.in);
		r->program.in = -1;
	}
	pass_on(r->w.in, out);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	if (r->program.pid >= 0)
		rc = program_finish(&r->program, NULL, e);
	r->program.pid = -1;
	remote_free(r);
	return rc;
}
