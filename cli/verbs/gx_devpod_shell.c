/* SPDX-License-Identifier: MIT
 *
 * gx devpod shell: what is typed here runs there.
 *
 * The terminal is in raw mode meanwhile, so that Ctrl-C and all else goes to the program there; it is put back whatever happens but
 * SIGKILL.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "cli/verbs/gx_devpod.h"
#include "kube/credential.h"
#include "kube/exec.h"
#include "kube/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { O_TTY = 1, O_NO_TTY };

struct shell_command {
	struct command c;
	struct cluster cluster;
	int tty; /* -1: as the terminal here */
};

static int on_option(void *arg, int id, char **values)
{
	struct shell_command *s = arg;

	if (id >= CLUSTER_OPTION_FIRST && id < CLUSTER_OPTION_LAST)
		return cluster_option(&s->cluster, s->c.program, id, values);
	s->tty = id == O_TTY;
	return 0;
}

/* --- the terminal --- */

static struct {
	struct termios before;
	int raw;
	int wake[2];
} terminal;

static void restore(void)
{
	if (terminal.raw)
		tcsetattr(0, TCSADRAIN, &terminal.before);
	terminal.raw = 0;
}

static void on_end(int sig)
{
	restore();
	signals_exit(sig);
}

static void on_resize(int sig)
{
	int had = errno;

	(void)sig;
	ssize_t n = write(terminal.wake[1], "", 1);
	(void)n;
	errno = had;
}

static void size_of(unsigned *columns, unsigned *rows)
{
	struct winsize w = { 0 };

	if (!ioctl(0, TIOCGWINSZ, &w)) {
		*columns = w.ws_col;
		*rows = w.ws_row;
	}
}

static int make_raw(struct err *e)
{
	struct sigaction resize = { .sa_handler = on_resize, .sa_flags = SA_RESTART };
	struct termios raw;

	if (pipe2(terminal.wake, O_CLOEXEC | O_NONBLOCK))
		return err_errno(e, "cannot make a pipe");
	if (tcgetattr(0, &terminal.before))
		return err_errno(e, "--tty needs a terminal here");
	sigaction(SIGWINCH, &resize, NULL);
	signals_push(SIGNALS_END, on_end);
	raw = terminal.before;
	cfmakeraw(&raw);
	terminal.raw = 1;
	tcsetattr(0, TCSADRAIN, &raw);
	return 0;
}

/* --- there --- */

static int run_there(struct shell_command *s, int *status, struct err *e)
{
	/* The shell of the DevPod is bash where it has one. */
	static const char *const plain[] = { "/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec /bin/sh", NULL };
	const char **argv = xcalloc(s->c.n + 1, sizeof *argv);
	struct exec_request q = { .namespace = kube_namespace(s->cluster.k),
				  .pod = s->c.operands[0],
				  .container = "shell",
				  .argv = argv,
				  .tty = s->tty,
				  .in = 0,
				  .out = 1,
				  .err = 2,
				  .resized = -1,
				  .size = size_of };
	int rc = 0;

	for (size_t i = 1; i < s->c.n; i++)
		argv[i - 1] = s->c.operands[i];
	if (s->c.n == 1)
		q.argv = plain;
	if (s->tty) {
		rc = make_raw(e);
		q.resized = terminal.wake[0];
	}
	rc = rc ? rc : kube_exec(s->cluster.k, &q, status, e);
	restore();
	free(argv);
	return rc;
}

/* Says that it is used, so that it is not put to rest, or is made again.  That it cannot be said is no reason not to try. */
static void say_used(struct shell_command *s)
{
	struct http_answer a = { .status = 0 };
	struct buf path = BUF_INIT, body = BUF_INIT;
	struct err e = ERR_INIT;
	char when[KUBE_TIME_ROOM];

	kube_time_text(when);
	buf_addf(&body, "{\"metadata\":{\"annotations\":{\"gx.dev/last-used\":\"%s\"}}}", when);
	if (!kube_path(&path, "DevPod", kube_namespace(s->cluster.k), s->c.operands[0], &e))
		kube_ask(s->cluster.k, "PATCH", path.p, KUBE_MERGE, (struct slice){ body.p, body.len }, &a, &e);
	err_release(&e);
	http_answer_release(&a);
	buf_release(&path);
	buf_release(&body);
}

int devpod_shell_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_TTY, 't', "tty", NULL, "With a terminal there (when there is one here)." },
		{ O_NO_TTY, 'T', "no-tty", NULL, "Without." },
		{ CLUSTER_TIMEOUT, 0, "timeout", "SECONDS", "How long it may take until it is ready (300)." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "The cluster", cluster_option_table },
						      { "Help", command_help_options }, { 0 } };
	static const struct program program = {
		"gx devpod shell", "a shell in a DevPod", "gx devpod shell [options] NAME [-- COMMAND [ARGUMENT]...]",
		"Waits until the DevPod is ready, and runs a shell in it, or the command. Ends with its exit status.", groups
	};
	struct shell_command s = { .c = { .program = &program, .option = on_option, .arg = &s },
				   .cluster = { .seconds = CLUSTER_WAIT_S }, .tty = -1 };
	struct err e = ERR_INIT;
	int rc = command_read(&s.c, argc, argv, 1, 0, "a DevPod"), status = 0;

	if (rc != COMMAND_GO)
		return rc;
	if (s.tty < 0)
		s.tty = isatty(0) && isatty(1);
	signal(SIGPIPE, SIG_IGN);
	rc = cluster_open(&s.cluster, NULL, &e);
	if (!rc && s.cluster.has_devpods)
		say_used(&s);
	rc = rc ? rc : cluster_wait_ready(&s.cluster, s.c.operands[0], s.cluster.seconds, &e);
	rc = rc ? rc : run_there(&s, &status, &e);
	cluster_release(&s.cluster);
	return command_end(&s.c, rc ? command_fail(&e) : status);
}
