/* SPDX-License-Identifier: MIT
 *
 * Trees of local git repositories.
 *
 * A reference without branch and revision means the working tree: the files git tracks, as they are on disk.  When
 * they differ from the commit the tree is dirty and has no revision.  A reference with one of them means a commit: its
 * files are written, byte for byte as git has them (no filters, no line ends changed, nothing left out), to a folder of the
 * cache that is named after the commit, once.
 *
 * git is run as a program, found in PATH: without a shell, with options ended before anything a user wrote, revisions
 * checked to be hexadecimal, hooks and monitors off, the user's and the system's settings not read.
 */
#include "config.h"
#include "flake/source.h"
#include "base/limits.h"
#include "base/mem.h"
#include "builtins/fs.h"
#include "eval/error.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { REV_LEN = 40, ARGS_MAX = 24 };

/* --- running git --- */

/* The environment of git: ours, without what would point it elsewhere. */
static char **git_environment(void)
{
	static char *const own[] = { "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
				     "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C" };
	size_t n = 0, k = 0;

	while (environ[n])
		n++;
	char **env = mem_new((n + 6) * sizeof *env);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "GIT_", 4) && strncmp(environ[i], "LC_ALL=", 7))
			env[k++] = environ[i];
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		env[k++] = own[i];
	return env;
}

static int memory_file(void)
{
	int fd = memfd_create("git", MFD_CLOEXEC);

	if (fd < 0)
		throw_error(EK_IO, "cannot make a file in memory: %s", strerror(errno));
	return fd;
}

struct text {
	char *p; /* collected, NUL-terminated */
	size_t n;
};

static struct text read_back(int fd)
{
	struct stat st;
	struct text t = { NULL, 0 };

	if (fstat(fd, &st) || (uint64_t)st.st_size > LIMIT_PROGRAM_OUTPUT)
		throw_error(EK_IO, "git printed more than can be kept");
	t.p = mem_bytes((size_t)st.st_size + 1);
	while (t.n < (size_t)st.st_size) {
		ssize_t k = pread(fd, t.p + t.n, (size_t)st.st_size - t.n, (off_t)t.n);
		if (k <= 0)
			break;
		t.n += (size_t)k;
	}
	t.p[t.n] = 0;
	return t;
}

struct files {
	int in, out, err;
};

static void close_files(void *arg)
{
	struct files *f = arg;

	close(f->in);
	close(f->out);
	close(f->err);
}

static int spawn_git(char **argv, const struct files *f)
{
	posix_spawn_file_actions_t act;
	int status, rc;
	pid_t pid;

	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, f->in, 0);
	posix_spawn_file_actions_adddup2(&act, f->out, 1);
	posix_spawn_file_actions_adddup2(&act, f->err, 2);
	rc = posix_spawnp(&pid, "git", &act, NULL, argv, git_environment());
	posix_spawn_file_actions_destroy(&act);
	if (rc)
		return -rc;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Runs git in a folder with input on its standard input.  Returns its exit status; *out what it printed. Throws when it
 * cannot be run, and with `must` when it fails. */
static int git(const char *dir, const char *const *words, struct slice input, int must, struct text *out)
{
	const char *argv[ARGS_MAX] = { "git", "-C", dir, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
				       "-c", "core.quotePath=false" };
	struct files f = { memory_file(), memory_file(), memory_file() };
	size_t n = 9, done = 0;

	protect_push(close_files, &f);
	for (size_t i = 0; words[i] && n < ARGS_MAX - 1; i++)
		argv[n++] = words[i];
	while (done < input.n) {
		ssize_t k = pwrite(f.in, input.p + done, input.n - done, (off_t)done);
		if (k <= 0)
			throw_error(EK_IO, "cannot hand text to git: %s", strerror(errno));
		done += (size_t)k;
	}
	int rc = spawn_git((char **)(uintptr_t)argv, &f);
	if (rc < 0)
		throw_error(EK_IO, "cannot run git: %s", strerror(-rc));
	if (rc && must) {
		struct text why = read_back(f.err);
		while (why.n && why.p[why.n - 1] == '\n')
			why.p[--why.n] = 0;
		throw_error(EK_IO, "git cannot read the repository '%s': %s", dir, why.p);
	}
	*out = read_back(f.out);
	protect_pop(1);
	return rc;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NOTHING ((struct slice){ "", 0 })

/* The first line of what git prints; NULL when it fails. */
static const char *git_line(const char *dir, const char *const *words, int must)
{
	struct text t;

	if (git(dir, words, NOTHING, must, &t))
		return NULL;
	return arena_dup(flake_arena(), t.p, strcspn(t.p, "\n"));
}

/* --- what a reference says --- */

static int is_rev(const char *s)
{
	return strspn(s, "0123456789abcdef") == strlen(s) && (strlen(s) == REV_LEN || strlen(s) == 64);
}

/* The folder of a file: URL, which may hold %XX. */
static const char *local_path(const struct input *in)
{
	const char *url = source_get(in, "url");
	struct buf b = BUF_GC;

	if (!url)
		throw_error(EK_EVAL, "a git input needs a url");
	if (strncmp(url, "file://", 7) && strncmp(url, "file:/", 6))
		return NULL;
	url += !strncmp(url, "file://", 7) ? 7 : 5;
	for (const char *p = url; *p && *p != '?'; p++) {
		char hex[3] = { 0 };
		if (*p == '%' && strspn(p + 1, "0123456789abcdefABCDEF") >= 2) {
			memcpy(hex, p + 1, 2);
			buf_addc(&b, (char)strtol(hex, NULL, 16));
			p += 2;
		} else {
			buf_addc(&b, *p);
		}
	}
	if (!b.len || b.p[0] != '/' || strlen(b.p) != b.len)
		throw_error(EK_EVAL, "the git input '%s' names no folder", url);
	return arena_dup(flake_arena(), b.p, b.len);
}

static void set_counts(struct flake_tree *t, const char *dir, const char *rev)
{
	const struct input_attr *shallow = input_get(&t->locked, "shallow");
	const char *s;

	if (!input_get(&t->locked, "lastModified")) {
		s = git_line(dir, WORDS("log", "-1", "--format=%ct", "--no-show-signature", rev, "--"), 1);
		source_set_int(&t->locked, "lastModified", strtoull(s, NULL, 10));
	}
	if (!(shallow && shallow->i) && !input_get(&t->locked, "revCount")) {
		s = git_line(dir, WORDS("rev-list", "--count", rev, "--"), 1);
		source_set_int(&t->locked, "revCount", strtoull(s, NULL, 10));
	}
}

/* --- the working tree --- */

static void add_members(struct flake_tree *t, const char *dir)
{
	struct text files;
	struct slice *v;
	size_t n = 0;

	git(dir, WORDS("ls-files", "-z"), NOTHING, 1, &files);
	for (size_t i = 0; i < files.n; i++)
		n += !files.p[i];
	v = arena_alloc(flake_arena(), (n + 1) * sizeof *v);
	char *text = arena_dup(flake_arena(), files.p, files.n);
	n = 0;
	for (char *p = text; p < text + files.n; p += strlen(p) + 1)
		v[n++] = slice_of(p);
	t->members = v;
	t->nmembers = n;
}

/* A commit that stands for no commit. */
static const char no_rev[] = "0000000000000000000000000000000000000000";

static void use_work_tree(struct flake_tree *t, const char *dir)
{
	const char *head = git_line(dir, WORDS("rev-parse", "--verify", "--quiet", "HEAD^{commit}"), 0), *ref;
	struct text changes = { "", 0 };

	add_members(t, dir);
	git(dir, WORDS("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=untracked"), NOTHING, 1,
	    &changes);
	t->place = t->work_tree = dir;
	t->dirty = changes.n > 0;
	if (!t->dirty) {
		ref = git_line(dir, WORDS("symbolic-ref", "--quiet", "HEAD"), 0);
		if (ref)
			source_set(&t->locked, "ref", ref);
		source_set(&t->locked, "rev", head ? head : no_rev);
	} else if (head) {
		char text[80];
		snprintf(text, sizeof text, "%s-dirty", head);
		source_set(&t->locked, "dirtyRev", text);
		snprintf(text, sizeof text, "%.7s-dirty", head);
		source_set(&t->locked, "dirtyShortRev", text);
	}
	if (head && !t->dirty) {
		set_counts(t, dir, head);
	} else if (head) {
		source_set_int(&t->locked, "lastModified",
			       strtoull(git_line(dir, WORDS("log", "-1", "--format=%ct", "HEAD", "--"), 1), NULL, 10));
	} else {
		source_set_int(&t->locked, "lastModified", 0);
		if (!t->dirty)
			source_set_int(&t->locked, "revCount", 0);
	}
}

/* --- a commit --- */

static const char *cache_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct buf b = BUF_GC;

	if (xdg && *xdg == '/')
		buf_addf(&b, "%s/gx/git-trees", xdg);
	else if (home && *home == '/')
		buf_addf(&b, "%s/.cache/gx/git-trees", home);
	else
		throw_error(EK_IO, "there is no folder for a cache: neither XDG_CACHE_HOME nor HOME is set");
	for (char *p = b.p + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			mkdir(b.p, 0777);
			*p = '/';
		}
	if (mkdir(b.p, 0777) && errno != EEXIST)
		throw_error(EK_IO, "cannot make the folder '%s': %s", b.p, strerror(errno));
	return b.p;
}

/* One line of `ls-tree -r -z`: "MODE TYPE ID\tNAME". */
struct entry {
	unsigned mode;
	char id[65];
	const char *name;
};

static int parse_entry(const char *line, struct entry *en)
{
	char type[16];
	const char *tab = strchr(line, '\t');

	if (!tab || sscanf(line, "%o %15s %64s", &en->mode, type, en->id) != 3)
		return -1;
	en->name = tab + 1;
	/* Names git accepts are safe; this is for repositories made by hand. */
	for (const char *p = en->name; *p; p += strcspn(p, "/") + (p[strcspn(p, "/")] == '/')) {
		size_t n = strcspn(p, "/");
		if (!n || (n <= 2 && !strncmp(p, "..", n)) || (n == 4 && !strncasecmp(p, ".git", 4)))
			return -1;
	}
	return *en->name == '/' ? -1 : 0;
}

static void make_parents(int root, const char *name)
{
	char *path = strcpy(mem_bytes(strlen(name) + 1), name);

	for (char *p = path; (p = strchr(p, '/')); p++) {
		*p = 0;
		if (mkdirat(root, path, 0777) && errno != EEXIST)
			throw_error(EK_IO, "cannot make the folder '%s': %s", path, strerror(errno));
		*p = '/';
	}
}

/* Writes one entry; *body is moved behind what `cat-file --batch` printed of it. */
static void write_entry(int root, const struct entry *en, struct text *body)
{
	unsigned long long size;
	char type[16];
	char *end = memchr(body->p, '\n', body->n);

	make_parents(root, en->name);
	if (en->mode == 0160000) {
		mkdirat(root, en->name, 0777);
		return;
	}
	if (!end || sscanf(body->p, "%*64s %15s %llu", type, &size) != 2 || strcmp(type, "blob") ||
	    (size_t)(end - body->p) + 2 + size > body->n)
		throw_error(EK_IO, "git cannot read the file '%s' of the commit", en->name);
	char *data = end + 1;
	if (en->mode == 0120000) {
		char *target = memcpy(mem_bytes(size + 1), data, size);
		target[size] = 0;
		if (symlinkat(target, root, en->name))
			throw_error(EK_IO, "cannot write the link '%s': %s", en->name, strerror(errno));
	} else {
		int fd = openat(root, en->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				en->mode == 0100755 ? 0777 : 0666);
		size_t done = 0;
		ssize_t k = 0;
		while (fd >= 0 && done < size && (k = write(fd, data + done, size - done)) > 0)
			done += (size_t)k;
		int bad = errno;
		if (fd >= 0)
			close(fd);
		if (fd < 0 || done < size)
			throw_error(EK_IO, "cannot write the file '%s': %s", en->name, strerror(bad));
	}
	body->n -= (size_t)(data + size + 1 - body->p);
	body->p = data + size + 1;
}

static void close_fd(void *arg)
{
	close(*(int *)arg);
}

static void write_commit(const char *repo, const char *rev, const char *dir)
{
	struct text list, body = { "", 0 };
	struct buf ids = BUF_GC;
	struct entry en;

	git(repo, WORDS("ls-tree", "-r", "-z", "--full-tree", rev, "--"), NOTHING, 1, &list);
	for (char *p = list.p; p < list.p + list.n; p += strlen(p) + 1) {
		if (parse_entry(p, &en))
			throw_error(EK_IO, "the commit '%s' has a file whose name cannot be used: %s", rev, p);
		if (en.mode != 0160000)
			buf_addf(&ids, "%s\n", en.id);
	}
	if (ids.len)
		git(repo, WORDS("cat-file", "--batch"), (struct slice){ ids.p, ids.len }, 1, &body);
	int root = open(dir, O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		throw_error(EK_IO, "cannot open '%s': %s", dir, strerror(errno));
	protect_push(close_fd, &root);
	for (char *p = list.p; p < list.p + list.n; p += strlen(p) + 1) {
		parse_entry(p, &en);
		write_entry(root, &en, &body);
	}
	protect_pop(1);
}

/* The folder with the files of a commit, made when it is not there. */
static const char *commit_dir(const char *repo, const char *rev)
{
	struct buf path = BUF_GC, tmp = BUF_GC;
	const char *cache = cache_dir();

	buf_addf(&path, "%s/%s", cache, rev);
	if (access(path.p, F_OK) == 0)
		return arena_dup(flake_arena(), path.p, path.len);
	buf_addf(&tmp, "%s/tmp-XXXXXX", cache);
	if (!mkdtemp(tmp.p) || chmod(tmp.p, 0777 & ~022))
		throw_error(EK_IO, "cannot make a folder in '%s': %s", cache, strerror(errno));
	write_commit(repo, rev, tmp.p);
	if (rename(tmp.p, path.p) && errno != EEXIST && errno != ENOTEMPTY)
		throw_error(EK_IO, "cannot make the folder '%s': %s", path.p, strerror(errno));
	return arena_dup(flake_arena(), path.p, path.len);
}

static void use_commit(struct flake_tree *t, const char *repo, const char *rev, const char *ref)
{
	if (!ref && !rev)
		ref = git_line(repo, WORDS("symbolic-ref", "--quiet", "HEAD"), 1);
	if (rev && !is_rev(rev))
		throw_error(EK_EVAL, "'%s' is not a commit: 40 hexadecimal digits are", rev);
	if (!rev) {
		struct buf spec = BUF_GC;
		/* A name that begins with a dash was refused by fetch/input.c. */
		buf_addf(&spec, "%s%s^{commit}", !strncmp(ref, "refs/", 5) || !strcmp(ref, "HEAD") ? "" : "refs/heads/",
			 ref);
		rev = git_line(repo, WORDS("rev-parse", "--verify", "--quiet", "--end-of-options", spec.p), 0);
		if (!rev && strncmp(ref, "refs/", 5)) {
			buf_trim(&spec, 0);
			buf_addf(&spec, "refs/tags/%s^{commit}", ref);
			rev = git_line(repo, WORDS("rev-parse", "--verify", "--quiet", "--end-of-options", spec.p), 0);
		}
		if (!rev)
			throw_error(EK_EVAL, "the repository '%s' has no branch or tag '%s'", repo, ref);
		source_set(&t->locked, "rev", rev);
	} else if (!git_line(repo, WORDS("cat-file", "-e", rev), 0)) {
		throw_error(EK_EVAL, "the repository '%s' has no commit '%s'", repo, rev);
	}
	if (ref)
		source_set(&t->locked, "ref", ref);
	else if ((ref = git_line(repo, WORDS("symbolic-ref", "--quiet", "HEAD"), 0)))
		source_set(&t->locked, "ref", ref);
	set_counts(t, repo, rev);
	t->place = commit_dir(repo, rev);
}

void source_git(const struct input *in, struct flake_tree *t)
{
	const char *dir = local_path(in), *rev = source_get(in, "rev"), *ref = source_get(in, "ref");
	struct stat st;
	char dot[4200];

	if (!dir)
		throw_error(EK_IO, "cannot fetch '%s': repositories elsewhere %s", source_text(in),
			    source_offline ? "need the network, and --offline was given" : "cannot be fetched yet");
	if (stat(dir, &st) || !S_ISDIR(st.st_mode))
		throw_error(EK_IO, "the repository '%s' does not exist", dir);
	int plain = snprintf(dot, sizeof dot, "%s/.git", dir) < (int)sizeof dot && !stat(dot, &st);
	if (rev || ref || !plain)
		use_commit(t, dir, rev, ref);
	else
		use_work_tree(t, dir);
}
