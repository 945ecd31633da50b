/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program under test: counts the calls that change files, and at the n-th
 *     KILL_AT=n    kills the process before the call is made
 *     FAIL_AT=n    lets it fail with ENOSPC (once)
 *     RUN_AT=n     starts the shell command RUN, and waits for it for at most half a second
 * CALL_LOG=FILE    appends the name of each call; "end" is never written, the length tells.
 * LOG_PRINTS=1     with it also "print" for each write to standard output, which is not counted
 *     OUTSIDE=1        what a builder's process does in a namespace of its own, where nothing else can be run, is not counted
 * With none of them the count is all that happens.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static long count;

static void log_call(const char *name)
{
	static ssize_t (*real)(int, const void *, size_t);
	static int fd = -2;
	const char *file = getenv("CALL_LOG");
	char line[64];

	if (fd == -2)
		fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	if (!real)
		real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (fd >= 0)
		real(fd, line, (size_t)snprintf(line, sizeof line, "%s\n", name));
}

static void run(const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		unsetenv("LD_PRELOAD");
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 50 && pid > 0 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		usleep(10000);
}

/* 1 when the call must fail. */
static int step(const char *name)
{
	const char *kill_at = getenv("KILL_AT"), *fail_at = getenv("FAIL_AT"), *run_at = getenv("RUN_AT");
	long n;

	if (getenv("OUTSIDE") && getpid() <= 2)
		return 0;
	n = ++count;
	log_call(name);
	if (kill_at && n == atol(kill_at))
		kill(getpid(), SIGKILL);
	if (run_at && n == atol(run_at))
		run(getenv("RUN"));
	if (fail_at && n == atol(fail_at)) {
		errno = ENOSPC;
		return 1;
	}
	return 0;
}

#define WRAP(type, name, params, args)                                                     \
	type name params                                                                   \
	{                                                                                  \
		static type(*real) params;                                                 \
		if (!real)                                                                 \
			real = (type(*) params)dlsym(RTLD_NEXT, #name);                    \
		return step(#name) ? -1 : real args;                                       \
	}

WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))
WRAP(int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
WRAP(int, mkdirat, (int a, const char *b, mode_t m), (a, b, m))
WRAP(int, symlinkat, (const char *a, int b, const char *c), (a, b, c))
WRAP(int, unlinkat, (int a, const char *b, int f), (a, b, f))
WRAP(int, fchmod, (int a, mode_t m), (a, m))
WRAP(int, futimens, (int a, const struct timespec *t), (a, t))
WRAP(int, ftruncate, (int a, off_t n), (a, n))
WRAP(int, ftruncate64, (int a, off64_t n), (a, n))
WRAP(int, fsync, (int a), (a))
WRAP(int, fdatasync, (int a), (a))
WRAP(int, syncfs, (int a), (a))

/* Not what goes to a person. */
ssize_t write(int fd, const void *p, size_t n)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (fd == 1 && getenv("LOG_PRINTS"))
		log_call("print");
	return fd > 2 && step("write") ? -1 : real(fd, p, n);
}
