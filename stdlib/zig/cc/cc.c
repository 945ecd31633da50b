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
 *
 * With LOADER and C_LIBRARY, of Debian's C library in the store, programs are started by the one and find the other, and the libraries they are linked
 * with, where these lie.  Headers and libraries whose packages pkg-config knows (PKG_CONFIG_PATH) are then found without it as well.
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
#include "cc.h"

void fail(const char *what, const char *name)
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

/* --- files --- */

void *read_file(const char *name, size_t *size, mode_t *mode)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	void *all = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail("read", name);
	*size = (size_t)st.st_size;
	*mode = st.st_mode & 07777;
	if (*size)
		all = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (all == MAP_FAILED)
		fail("read", name);
	close(fd);
	return all;
}

void replace_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
	char *new = text("%s.new", name);
	FILE *f = fopen(new, "we");

	if (!f || fwrite(bytes, 1, size, f) != size || fchmod(fileno(f), mode) || fclose(f) || rename(new, name))
		fail("write", name);
	free(new);
}

/* --- forgetting --- */

/* The hash in zig's path becomes one that no object has: length and place of all else stay. */
static void forget(const char *name)
{
	static const char path[] = ZIG;
	const char *hash = strrchr(path, '/') + 1;
	size_t n = strcspn(hash, "-"), size;
	mode_t mode;
	char *all = read_file(name, &size, &mode), *p = all;
	int changed = 0;

	while (all && (p = memmem(p, (size_t)(all + size - p), hash, n))) {
		memset(p, 'e', n);
		changed = 1;
	}
	if (changed)
		replace_file(name, all, size, mode);
	if (all)
		munmap(all, size);
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

static int has_one_of(int argc, char **argv, const char *const *all)
{
	for (int i = 1; i < argc; i++)
		if (is_one_of(argv[i], all))
			return 1;
	return 0;
}

static int links(int argc, char **argv)
{
	static const char *const others[] = { "-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-r", NULL };

	return !has_one_of(argc, argv, others);
}

static int links_program(int argc, char **argv)
{
	static const char *const others[] = { "-shared", "-pie", "-static-pie", NULL };

	return links(argc, argv) && !has_one_of(argc, argv, others);
}

/* The arguments of zig. */
struct arguments {
	char **all;
	size_t n, room;
};

static void add(struct arguments *a, const char *argument)
{
	if (a->n + 1 >= a->room) {
		a->room = a->room ? 2 * a->room : 64;
		a->all = realloc(a->all, a->room * sizeof *a->all);
		if (!a->all)
			fail("start", ZIG "/zig");
	}
	a->all[a->n++] = (char *)argument;
	a->all[a->n] = NULL;
}

static void add_once(struct arguments *a, const char *argument)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->all[i], argument))
			return;
	add(a, argument);
}

/* The arguments of a compiler.  A program that lies at one place is linked with a library that does: another of any place would be compiled for who
 * says -fPIC, as the go command does for all that it compiles or links. */
static void add_own(struct arguments *a, int argc, char **argv)
{
	static const char *const anywhere[] = { "-fPIC", "-fpic", "-fPIE", "-fpie", NULL };
	int program = links_program(argc, argv);

	for (int i = 1; i < argc; i++)
		if (!program || !is_one_of(argv[i], anywhere))
			add(a, argv[i]);
}

/* --- libraries in the store --- */

#ifdef LOADER
/* What debuggers are told of headers in an object names none, as forget-zig does with zig: who runs a program needs no headers. */
static void forget_headers(struct arguments *a, const char *object)
{
	static const char store[] = ZIG;
	size_t hash = (size_t)(strrchr(store, '/') + 1 - store), n = strlen(object);
	char *map = text("-ffile-prefix-map=%s=%s", object, object);

	for (char *p = map + strlen(map) - n + hash; n > hash && !strncmp(object, store, hash) && *p && *p != '-'; p++)
		*p = 'e';
	add_once(a, map);
}

/* X/include and X/lib/... for each X/lib/.../pkgconfig. */
static void add_folders(struct arguments *a)
{
	const char *variable = getenv("PKG_CONFIG_PATH");
	char *all = strdup(variable ? variable : "");

	for (char *one = strtok(all, ":"); one; one = strtok(NULL, ":")) {
		char *lib = strstr(one, "/lib/"), *end = strrchr(one, '/');

		if (*one != '/' || !lib || lib >= end || access(one, F_OK))
			continue;
		add_once(a, text("-L%.*s", (int)(end - one), one));
		add_once(a, text("-I%.*s/include", (int)(lib - one), one));
		forget_headers(a, text("%.*s", (int)(lib - one), one));
	}
	free(all);
}

/* Where the file lies that a library's name leads to, if that is in the store. */
static void add_place(struct arguments *a, const char *folder, const char *name)
{
	static const char store[] = ZIG;
	char *file = text("%s/lib%s.so", folder, name), *real = realpath(file, NULL), *slash = real ? strrchr(real, '/') : NULL;

	if (slash && !strncmp(real, store, (size_t)(strrchr(store, '/') - store)))
		add_once(a, text("-Wl,-rpath,%.*s", (int)(slash - real), real));
	free(real);
	free(file);
}

static void add_places(struct arguments *a)
{
	size_t n = a->n;

	add(a, "-Wl,-rpath," C_LIBRARY);
	for (size_t folder = 0; folder < n; folder++)
		for (size_t name = 0; !strncmp(a->all[folder], "-L/", 3) && name < n; name++)
			if (!strncmp(a->all[name], "-l", 2))
				add_place(a, a->all[folder] + 2, a->all[name] + 2);
}

static void add_libraries(struct arguments *a, int argc, char **argv)
{
	static const char *const shared[] = { "-shared", NULL };

	add_folders(a);
	if (!links(argc, argv))
		return;
	add_places(a);
	if (!has_one_of(argc, argv, shared))
		add(a, "-Wl,--dynamic-linker=" LOADER);
}
#else
static void add_libraries(struct arguments *a, int argc, char **argv)
{
	(void)a;
	(void)argc;
	(void)argv;
}
#endif

/* --- zig --- */

static void run(const struct program *p, int argc, char **argv)
{
	struct arguments a = { 0 };

	add(&a, ZIG "/zig");
	add(&a, p->verb);
	if (p->compiles) {
		/* As other compilers do, and not as zig: what a standard leaves open ends no program. */
		add(&a, "-target");
		add(&a, TARGET);
		add(&a, "-fno-sanitize=undefined");
		add_own(&a, argc, argv);
		add_libraries(&a, argc, argv);
	} else {
		for (int i = 1; i < argc; i++)
			add(&a, argv[i]);
	}
	execv(*a.all, a.all);
	fail("start", *a.all);
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL, *name = slash ? slash + 1 : argc ? argv[0] : "";

	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (!strcmp(programs[i].name, name)) {
			choose_cache();
			run(&programs[i], argc, argv);
		}
	if (!strcmp(name, "strip"))
		return strip(argc, argv);
	for (int i = 1; !strcmp(name, "forget-zig"); i++) {
		if (i >= argc)
			return 0;
		forget(argv[i]);
	}
	fprintf(stderr, "error: '%s' is no program of this compiler\n", name);
	return 1;
}
