/* SPDX-License-Identifier: MIT
 *
 * measure OUT COMMAND...: runs a command with its output thrown away and appends one line to the file OUT:
 * wall seconds, CPU seconds (user and system), peak memory in KiB, exit status.
 *
 * A program of its own because time(1) is not installed everywhere, and because wait4 tells exactly what the
 * kernel counted for that one child.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void become(char **argv)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	if (!getenv("MEASURE_STDERR"))
		dup2(null, 2);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage u;
	int status;

	if (argc < 3) {
		fputs("usage: measure OUT COMMAND...\n", stderr);
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid_t pid = fork();
	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (pid == 0)
		become(argv + 2);
	if (wait4(pid, &status, 0, &u) < 0) {
		perror("wait4");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	FILE *f = fopen(argv[1], "a");
	if (!f) {
		perror(argv[1]);
		return 1;
	}
	fprintf(f, "%.6f %.6f %ld %d\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
		seconds(u.ru_utime) + seconds(u.ru_stime), u.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(f) ? 1 : 0;
}
