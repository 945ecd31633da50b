/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program under test: stops it once, before a call on a file (after unlink), so that the test can do
 * something at just that moment.
 *     HOLD_AT=CALL:TEXT   the first CALL (open, symlink, unlink, exec, list; each stands for its kin) of a name that holds TEXT
 *     HOLD_SKIP=N         the one after N such calls instead
 *     HOLD=NAME           then the file NAME.at appears, and the program goes on when there is NAME.go (or after 30 s)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int held, seen;

static void hold(const char *call, const char *name)
{
	const char *at = getenv("HOLD_AT"), *base = getenv("HOLD"), *skip = getenv("HOLD_SKIP");
	size_t n = strlen(call);
	char path[4096];

	if (held || !at || !base || strncmp(at, call, n) || at[n] != ':' || !strstr(name, at + n + 1))
		return;
	if (seen++ < (skip ? atoi(skip) : 0))
		return;
	held = 1;
	snprintf(path, sizeof path, "%s.at", base);
	close(creat(path, 0666));
	snprintf(path, sizeof path, "%s.go", base);
	for (int i = 0; i < 3000 && access(path, F_OK); i++)
		usleep(10000);
}

#define REAL(name) (name##_real ? name##_real : (name##_real = (__typeof__(name##_real))dlsym(RTLD_NEXT, #name)))

static int (*openat_real)(int, const char *, int, ...);
static int (*openat64_real)(int, const char *, int, ...);
static int (*symlinkat_real)(const char *, int, const char *);
static int (*symlink_real)(const char *, const char *);
static int (*unlinkat_real)(int, const char *, int);
static int (*unlink_real)(const char *);
static DIR *(*opendir_real)(const char *);
static DIR *(*fdopendir_real)(int);
static int (*execvp_real)(const char *, char *const *);

#define OPEN(name)                                       \
	int name(int fd, const char *path, int flags, ...) \
	{                                                \
		mode_t mode = 0;                         \
		va_list ap;                              \
		va_start(ap, flags);                     \
		if (flags & (O_CREAT | O_TMPFILE))       \
			mode = va_arg(ap, mode_t);       \
		va_end(ap);                              \
		hold("open", path);                      \
		return REAL(name)(fd, path, flags, mode); \
	}
OPEN(openat)
OPEN(openat64)

DIR *opendir(const char *path)
{
	hold("open", path);
	return REAL(opendir)(path);
}

DIR *fdopendir(int fd)
{
	char self[64], path[4096];
	ssize_t n;

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof path - 1);
	path[n > 0 ? n : 0] = 0;
	hold("list", path);
	return REAL(fdopendir)(fd);
}

int symlinkat(const char *target, int fd, const char *path)
{
	hold("symlink", path);
	return REAL(symlinkat)(target, fd, path);
}

int symlink(const char *target, const char *path)
{
	hold("symlink", path);
	return REAL(symlink)(target, path);
}

int unlinkat(int fd, const char *path, int flags)
{
	int rc = REAL(unlinkat)(fd, path, flags);

	hold("unlink", path);
	return rc;
}

int unlink(const char *path)
{
	int rc = REAL(unlink)(path);

	hold("unlink", path);
	return rc;
}

int execvp(const char *file, char *const *argv)
{
	hold("exec", file);
	return REAL(execvp)(file, argv);
}
