/* SPDX-License-Identifier: MIT
 *
 * cc, c++, ar and their kin: zig by the name it is called by, for one target.
 *
 * zig compiles the C library for a target when it is first asked to link with it, and keeps that in a cache.  Where the user names none
 * (ZIG_GLOBAL_CACHE_DIR) there is one for this compiler: in the folder of a build, or in the user's cache.  It begins with
 * what was compiled once for all (RUNTIMES, folders of the form of a cache, with blanks between): links to its files, and copies of the lists of
 * what they were made from, which zig opens for writing.
 *
 * NAME, of the store object that this is, is also that of the cache: nothing in it may come from another zig.  In the folder of a build, which is
 * the same for all, it is the target instead, so that nothing that is compiled names this.
 *
 * Programs do name zig: what debuggers are told of the C library are its folders.  forget-zig FILE... makes that names of nothing, since they would
 * otherwise need all of it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "error: cannot %s '%s': %s\n", what, name, strerror(errno));
	exit(1);
}

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		fail("format", format);
	va_end(ap);
	return s;
}

/* --- the cache --- */

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char piece[65536];
	ssize_t n = 0;

	while (in >= 0 && out >= 0 && (n = read(in, piece, sizeof piece)) > 0)
		if (write(out, piece, (size_t)n) != n)
			n = -1;
	if (in < 0 || out < 0 || n < 0)
		fail("copy", from);
	close(in);
	close(out);
}

/* What is in a part of a cache, into the same part of another. */
static void begin_part(const char *from, const char *to, const char *part)
{
	char *source = text("%s/%s", from, part), *target = text("%s/%s", to, part);
	DIR *d = opendir(source);
	struct dirent *entry;

	if (mkdir(target, 0777) && errno != EEXIST)
		fail("make", target);
	while (d && (entry = readdir(d))) {
		char *old = text("%s/%s", source, entry->d_name), *new = text("%s/%s", target, entry->d_name);

		if (*entry->d_name != '.' && access(new, F_OK)) {
			if (*part == 'h')
				copy(old, new);
			else if (symlink(old, new))
				fail("make", new);
		}
		free(old);
		free(new);
	}
	if (d)
		closedir(d);
	free(source);
	free(target);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* Makes the cache below a folder that can be written to.  Many compilers start at once: it is there whole or not at all. */
static char *cache_in(char *folder, const char *name)
{
	char *cache = text("%s/%s", folder, name), *new = text("%s.%ld", cache, (long)getpid());
	char *runtimes = strdup(RUNTIMES);

	if (access(cache, F_OK)) {
		for (char *p = folder + 1; (p = strchr(p, '/')); *p++ = '/') {
			*p = 0;
			mkdir(folder, 0777);
		}
		mkdir(folder, 0777);
		if (mkdir(new, 0777))
			return NULL;
		for (char *one = strtok(runtimes, " "); one; one = strtok(NULL, " ")) {
			begin_part(one, new, "b");
			begin_part(one, new, "h");
			begin_part(one, new, "o");
		}
		if (rename(new, cache))
			nftw(new, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	free(runtimes);
	free(new);
	return access(cache, W_OK | X_OK) ? NULL : cache;
}

static char *cache_below(const char *variable, const char *rest, const char *name)
{
	const char *folder = getenv(variable);

	return folder && *folder == '/' ? cache_in(text("%s%s", folder, rest), name) : NULL;
}

static void choose_cache(void)
{
	char *cache;

	if (getenv("ZIG_GLOBAL_CACHE_DIR"))
		return;
	cache = cache_below("NIX_BUILD_TOP", "/.zig", TARGET);
	cache = cache ? cache : cache_below("XDG_CACHE_HOME", "/gx/zig", NAME);
	cache = cache ? cache : cache_below("HOME", "/.cache/gx/zig", NAME);
	cache = cache ? cache : cache_below("TMPDIR", "/zig", NAME);
	cache = cache ? cache : cache_in(text("/tmp/zig-%ld", (long)getuid()), NAME);
	if (!cache)
		fail("make a cache in", "/tmp");
	setenv("ZIG_GLOBAL_CACHE_DIR", cache, 1);
	setenv("ZIG_LOCAL_CACHE_DIR", cache, 0);
}

/* --- forgetting --- */

/* The hash in zig's path becomes one that no object has: length and place of all else stay. */
static void forget(const char *name)
{
	static const char path[] = ZIG;
	const char *hash = strrchr(path, '/') + 1;
	size_t n = strcspn(hash, "-");
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		fail("read", name);
	char *all = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : NULL, *p = all;
	int changed = 0;

	if (all == MAP_FAILED)
		fail("read", name);
	while (all && (p = memmem(p, (size_t)(all + st.st_size - p), hash, n))) {
		memset(p, 'e', n);
		changed = 1;
	}
	close(fd);
	if (changed) {
		/* It may be read-only, and may be running. */
		char *new = text("%s.new", name);
		FILE *f = fopen(new, "we");

		if (!f || fwrite(all, 1, (size_t)st.st_size, f) != (size_t)st.st_size || fchmod(fileno(f), st.st_mode & 07777) || fclose(f) ||
		    rename(new, name))
			fail("write", name);
		free(new);
	}
	if (all)
		munmap(all, (size_t)st.st_size);
}

/* --- the programs --- */

static const struct program {
	const char *name, *verb;
	int compiles;
} programs[] = {
	{ "cc", "cc", 1 },     { "gcc", "cc", 1 },     { "clang", "cc", 1 },	   { "c++", "c++", 1 },	  { "g++", "c++", 1 },
	{ "clang++", "c++", 1 }, { "ar", "ar", 0 },    { "ranlib", "ranlib", 0 }, { "ld", "ld.lld", 0 },
};

static int is_one_of(const char *word, const char *const *all)
{
	while (*all && strcmp(*all, word))
		all++;
	return *all != NULL;
}

static int links_program(int argc, char **argv)
{
	static const char *const others[] = { "-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-shared", "-r", "-pie", "-static-pie", NULL };

	for (int i = 1; i < argc; i++)
		if (is_one_of(argv[i], others))
			return 0;
	return 1;
}

/* The arguments of a compiler.  A program that lies at one place is linked with a library that does: another of any place would be compiled for who
 * says -fPIC, as the go command does for all that it compiles or links. */
static void add_arguments(char **all, int argc, char **argv)
{
	static const char *const anywhere[] = { "-fPIC", "-fpic", "-fPIE", "-fpie", NULL };
	int program = links_program(argc, argv);
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		if (!program || !is_one_of(argv[i], anywhere))
			all[n++] = argv[i];
}

static void run(const struct program *p, int argc, char **argv)
{
	/* As other compilers do, and not as zig: what a standard leaves open ends no program. */
	static char *const usual[] = { "-target", TARGET, "-fno-sanitize=undefined" };
	char **all = calloc((size_t)argc + 6, sizeof *all);
	size_t n = 0;

	if (!all)
		fail("start", ZIG "/zig");
	all[n++] = ZIG "/zig";
	all[n++] = (char *)p->verb;
	for (size_t i = 0; p->compiles && i < sizeof usual / sizeof *usual; i++)
		all[n++] = usual[i];
	if (p->compiles)
		add_arguments(all + n, argc, argv);
	else
		memcpy(all + n, argv + 1, (size_t)(argc - 1) * sizeof *argv);
	execv(*all, all);
	fail("start", *all);
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL, *name = slash ? slash + 1 : argc ? argv[0] : "";

	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (!strcmp(programs[i].name, name)) {
			choose_cache();
			run(&programs[i], argc, argv);
		}
	for (int i = 1; !strcmp(name, "forget-zig"); i++) {
		if (i >= argc)
			return 0;
		forget(argv[i]);
	}
	fprintf(stderr, "error: '%s' is no program of this compiler\n", name);
	return 1;
}
