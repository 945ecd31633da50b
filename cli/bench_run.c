/* SPDX-License-Identifier: MIT
 *
 * The clock runs from before the process exists until the kernel has counted it: what a person would wait for.
 */
#include "config.h"
#include "cli/bench_run.h"
#include "base/fdio.h"
#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t running;
static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
	if (running > 0)
		kill(running, sig);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((noreturn)) static void become(char *const *argv, const struct bench_limits *l, const char *profiles, int out)
{
	int null = open("/dev/null", O_RDONLY);

	signal(SIGPIPE, SIG_DFL);
	if (null >= 0)
		dup2(null, 0);
	dup2(out, 1);
	if (bench_limits_join(l))
		dprintf(2, "error: cannot join a control group: %s\n", strerror(errno));
	else if (profiles && setenv("GX_BENCH_PROFILES", profiles, 1))
		dprintf(2, "error: cannot set a variable: %s\n", strerror(errno));
	else if (execvp(argv[0], argv))
		dprintf(2, "error: cannot run '%s': %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void wait_for(pid_t pid, struct bench_run *r)
{
	struct rusage used;

	while (wait4(pid, &r->status, 0, &used) < 0)
		if (errno != EINTR)
			return;
	r->cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
	r->peak = (uint64_t)used.ru_maxrss * 1024;
}

int bench_once(char *const *argv, const struct bench_limits *l, const char *profiles, struct bench_run *r, struct err *e)
{
	int pipes[2], rc = 0;

	buf_trim(&r->output, 0);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(e, "cannot make a pipe");
	signals_push(SIGNALS_END, on_signal);
	double began = now();
	pid_t pid = fork();

	if (pid == 0)
		become(argv, l, profiles, pipes[1]);
	running = pid;
	close(pipes[1]);
	if (pid < 0) {
		rc = err_errno(e, "cannot start a process");
	} else {
		while (fd_read_all(pipes[0], &r->output) < 0 && errno == EINTR)
			;
		wait_for(pid, r);
		r->wall = now() - began;
	}
	running = 0;
	close(pipes[0]);
	signals_pop();
	r->interrupted = stopped;
	return rc;
}
