/* SPDX-License-Identifier: MIT
 *
 * builtin:buildenv: a tree of symlinks to the contents of several packages, with Nix's rules.
 *
 * A directory of one package is one link; when a second package has it too, the link becomes a real
 * directory with links to the contents of both.  Two files of one name are decided by priority (smaller
 * wins); of equal priority they are an error.  What packages name in nix-support/propagated-user-env-packages is added
 * afterwards, each with a lower priority than the one before.
 *
 * The variable "derivations" holds, for each package: active ("false" or not), priority, number of paths, paths.
 */
#include "config.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "build/builtin_builders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROPAGATED_PRIORITY = 1000 };

struct package {
	char *path;
	int priority;
};

/* Memory is not given back: the process ends with the tree. */
struct env_state {
	struct link {
		char *path;
		int priority;
	} *links; /* by hash of the path made */
	size_t n, cap;
	char **done; /* packages linked so far */
	size_t ndone;
	struct package *later; /* propagated ones */
	size_t nlater;
	struct err *e;
};

static struct link *slot(struct link *v, size_t cap, const char *path)
{
	size_t i = 14695981039346656037u; /* FNV-1a */

	for (const char *p = path; *p; p++)
		i = (i ^ (unsigned char)*p) * 1099511628211u;
	i &= cap - 1;

	while (v[i].path && strcmp(v[i].path, path))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static struct link *link_of(struct env_state *st, const char *path)
{
	struct link *v;
	size_t cap = st->cap ? st->cap * 2 : 1024;

	if (st->n * 2 >= st->cap) {
		v = xcalloc(cap, sizeof *v);
		for (size_t i = 0; i < st->cap; i++)
			if (st->links[i].path)
				*slot(v, cap, st->links[i].path) = st->links[i];
		free(st->links);
		st->links = v;
		st->cap = cap;
	}
	v = slot(st->links, st->cap, path);
	if (!v->path) {
		v->path = xstrdup(path);
		st->n++;
	}
	return v;
}

static char *join(const char *dir, const char *name)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s", dir, name);
	return buf_detach(&b, NULL);
}

/* Files that every package may have and no environment wants. */
static int is_special(const char *path)
{
	static const char *const ends[] = { "/propagated-build-inputs", "/nix-support", "/perllocal.pod", "/info/dir",
					    "/log",		       "/manifest.nix", "/manifest.json" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (slice_ends(slice_of(path), slice_of(ends[i])))
			return 1;
	return 0;
}

static int put_link(struct env_state *st, const char *from, const char *to, int priority)
{
	if (symlink(from, to))
		return err_errno(st->e, "creating symlink '%s'", to);
	link_of(st, to)->priority = priority;
	return 0;
}

static int link_dir(struct env_state *st, const char *from, const char *to, int priority, int depth);

/* `to` is a link to a directory, `from` one that shall be there too: makes it a directory with both. */
static int open_link(struct env_state *st, const char *from, const char *to, int priority, int depth)
{
	char *target = realpath(to, NULL);
	struct stat s;
	int rc;

	if (!target || stat(target, &s))
		rc = err_errno(st->e, "following '%s'", to);
	else if (!S_ISDIR(s.st_mode))
		rc = err_set(st->e, ERR_INVALID, "collision between '%s' and non-directory '%s'", from, target);
	else if (unlink(to) || mkdir(to, 0755))
		rc = err_errno(st->e, "creating directory '%s'", to);
	else
		rc = link_dir(st, target, to, link_of(st, to)->priority, depth + 1);
	free(target);
	return rc ? rc : link_dir(st, from, to, priority, depth + 1);
}

static int link_file(struct env_state *st, const char *from, const char *to, int priority)
{
	char other[PATH_MAX] = "";
	struct stat s;
	int before;
	ssize_t n;

	if (lstat(to, &s))
		return put_link(st, from, to, priority);
	if (S_ISDIR(s.st_mode))
		return err_set(st->e, ERR_INVALID, "collision between non-directory '%s' and directory '%s'", from, to);
	before = link_of(st, to)->priority;
	if (before < priority)
		return 0;
	if (before == priority) {
		n = readlink(to, other, sizeof other - 1);
		other[n < 0 ? 0 : n] = 0;
		return err_set(st->e, ERR_INVALID,
			       "files '%s' and '%s' have the same priority %d; use 'nix-env --set-flag priority NUMBER "
			       "INSTALLED_PKGNAME' to change the priority of one of the conflicting packages (0 being the "
			       "highest priority)",
			       other, from, priority);
	}
	if (unlink(to))
		return err_errno(st->e, "removing '%s'", to);
	return put_link(st, from, to, priority);
}

static int link_entry(struct env_state *st, const char *from, const char *to, int priority, int depth)
{
	struct stat s, t;

	if (stat(from, &s)) {
		dprintf(2, "warning: skipping dangling symlink '%s'\n", to);
		return 0;
	}
	if (is_special(from))
		return 0;
	if (!S_ISDIR(s.st_mode))
		return link_file(st, from, to, priority);
	if (lstat(to, &t))
		return put_link(st, from, to, priority);
	if (S_ISDIR(t.st_mode))
		return link_dir(st, from, to, priority, depth + 1);
	return open_link(st, from, to, priority, depth);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names that begin with a dot are not matched, as by a shell's "*". */
static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int link_dir(struct env_state *st, const char *from, const char *to, int priority, int depth)
{
	struct dirent **v;
	int n, rc = 0;

	if (depth > LIMIT_NAR_DEPTH)
		return err_set(st->e, ERR_LIMIT, "directories are nested more than %d deep in '%s'", LIMIT_NAR_DEPTH, from);
	n = scandir(from, &v, is_visible, by_name);
	if (n < 0 && errno == ENOTDIR) {
		dprintf(2, "warning: not including '%s' in the user environment because it's not a directory\n", from);
		return 0;
	}
	if (n < 0)
		return err_errno(st->e, "opening directory '%s'", from);
	for (int i = 0; i < n; i++) {
		char *f = join(from, v[i]->d_name), *t = join(to, v[i]->d_name);

		rc = rc ? rc : link_entry(st, f, t, priority, depth);
		free(f);
		free(t);
		free(v[i]);
	}
	free(v);
	return rc;
}

/* --- packages --- */

static void add_package(struct package **v, size_t *n, struct slice path, int priority)
{
	*v = xrealloc_array(*v, *n + 1, sizeof **v);
	(*v)[(*n)++] = (struct package){ xstrndup(path.p, path.n), priority };
}

static int is_done(const struct env_state *st, const char *path)
{
	for (size_t i = 0; i < st->ndone; i++)
		if (!strcmp(st->done[i], path))
			return 1;
	return 0;
}

static void read_propagated(struct env_state *st, const char *package)
{
	char *path = join(package, "nix-support/propagated-user-env-packages"), *line = NULL;
	FILE *f = fopen(path, "re");
	size_t cap = 0;

	while (f && getline(&line, &cap, f) >= 0)
		for (char *w, *rest = line; (w = strtok_r(rest, " \n", &rest));)
			if (!is_done(st, w))
				add_package(&st->later, &st->nlater, slice_of(w), 0);
	free(line);
	free(path);
	if (f)
		fclose(f);
}

static int link_package(struct env_state *st, const char *path, const char *out, int priority)
{
	int rc;

	if (is_done(st, path))
		return 0;
	st->done = xrealloc_array(st->done, st->ndone + 1, sizeof *st->done);
	st->done[st->ndone++] = xstrdup(path);
	rc = link_dir(st, path, out, priority, 0);
	if (!rc)
		read_propagated(st, path);
	return rc;
}

static int by_priority(const void *a, const void *b)
{
	const struct package *p = a, *q = b;

	return p->priority != q->priority ? (p->priority > q->priority) - (p->priority < q->priority) :
					    strcmp(p->path, q->path);
}

static struct slice next_word(struct slice *s)
{
	return slice_word(s, " \t\n\r");
}

static int parse_number(struct slice w, int *out)
{
	char text[16], *end;
	long v;

	if (!w.n || w.n >= sizeof text)
		return -1;
	memcpy(text, w.p, w.n);
	text[w.n] = 0;
	v = strtol(text, &end, 10);
	*out = (int)v;
	return *end || v > INT_MAX || v < INT_MIN ? -1 : 0;
}

static int parse_packages(struct slice text, struct package **v, size_t *n, struct err *e)
{
	for (;;) {
		struct slice active = next_word(&text), path;
		int priority, paths;

		if (!active.n)
			return 0;
		if (parse_number(next_word(&text), &priority) || parse_number(next_word(&text), &paths))
			return err_set(e, ERR_INVALID, "attribute 'derivations' is malformed");
		while (paths-- > 0) {
			path = next_word(&text);
			if (!path.n)
				return err_set(e, ERR_INVALID, "attribute 'derivations' is malformed");
			if (!slice_eq(active, SLICE("false")))
				add_package(v, n, path, priority);
		}
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct package *)a)->path, ((const struct package *)b)->path);
}

static int link_all(struct env_state *st, struct package *v, size_t n, const char *out)
{
	int rc = 0, next = PROPAGATED_PRIORITY;

	if (n)
		qsort(v, n, sizeof *v, by_priority);
	for (size_t i = 0; i < n && !rc; i++)
		rc = link_package(st, v[i].path, out, v[i].priority);
	/* Those that are named by what was just added come in the next round. */
	while (st->nlater && !rc) {
		struct package *now = st->later;
		size_t k = st->nlater;

		st->later = NULL;
		st->nlater = 0;
		qsort(now, k, sizeof *now, by_path);
		for (size_t i = 0; i < k && !rc; i++)
			if (!is_done(st, now[i].path))
				rc = link_package(st, now[i].path, out, next++);
	}
	return rc;
}

int builtin_buildenv(const struct builtin_call *c, struct err *e)
{
	struct env_state st = { .e = e };
	struct package *v = NULL;
	struct buf out = BUF_INIT, manifest = BUF_INIT;
	struct slice text;
	size_t n = 0;
	int rc = builtin_output(c, SLICE("out"), &out, e);

	rc = rc ? rc : builtin_attr(c, "derivations", &text, e);
	rc = rc ? rc : parse_packages(text, &v, &n, e);
	if (!rc && mkdir(buf_str(&out), 0755) && errno != EEXIST)
		rc = err_errno(e, "creating directory '%s'", buf_str(&out));
	rc = rc ? rc : link_all(&st, v, n, buf_str(&out));
	rc = rc ? rc : builtin_attr(c, "manifest", &text, e);
	if (rc)
		return rc;
	/* What the list is called; Nix's environments have one name for it. */
	struct slice name = SLICE("manifest.nix");
	const struct slice *named = drv_env(c->drv, SLICE("manifestName"));

	if (named && memchr(named->p, '/', named->n))
		return err_set(e, ERR_INVALID, "'manifestName' is no name of a file");
	name = named && named->n ? *named : name;
	buf_addf(&manifest, "%s/%.*s", buf_str(&out), (int)name.n, name.p);
	text.p = xstrndup(text.p, text.n);
	return symlink(text.p, buf_str(&manifest)) ? err_errno(e, "creating symlink '%s'", buf_str(&manifest)) : 0;
}
