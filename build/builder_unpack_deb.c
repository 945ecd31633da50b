/* SPDX-License-Identifier: MIT
 *
 * builtin:unpack-deb: packages of Debian as one object of the store, whose programs run from there.  It reads
 *
 *     debs     .deb files, unpacked one after the other; those of one source package belong together, for they find each other
 *              by their places; also another archive, with one folder that is as /usr, or a folder that is; lib/x=PATH: it is as
 *              /usr/lib/x
 *     deps     other objects of this kind, where libraries, interpreters and targets of links are looked for, in this order
 *     prune    paths and patterns ("share/man", "lib/python*") that are not unpacked, with all below
 *     repoint  triples: a file or a pattern ("bin/[a-f]?"), a string that is built into it ("/bin/sh"), and
 *              what it shall be, of any length; builtins.placeholder "out" in it is the output
 *     sized    those of these strings whose size programs have built in as well (elf_patch.h): "/usr/lib/locale" in libc.so.6
 *     concat, add, link, merge, wrap
 *              files, links and wrappers to be added (deb_more.c)
 *     alternatives  makes the links that packages ask for (awk, cc, editor)
 *
 * What is adapted by itself: links, interpreters, linker scripts, .pc files, programs and libraries, and the cache of glibc's
 * character sets, which libc.so.6 finds when its path there is one of `repoint`.  Paths in these words are those in the object,
 * without /usr in front.  Scripts of packages are not run.  What is made depends on nothing but this, on no machine's architecture
 * either.
 */
#include "config.h"
#include "build/builtin_builders.h"
#include "build/deb_int.h"

#include "base/alloc.h"
#include "format/modulo.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *deb_join(const char *dir, const char *name)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s", dir, name);
	return buf_detach(&b, NULL);
}

const char *deb_flat(const char *path)
{
	path += *path == '/';
	if (strncmp(path, "usr", 3) || (path[3] && path[3] != '/'))
		return path;
	return path + 3 + (path[3] == '/');
}

int deb_find(const struct deb_tree *t, const char *path, struct buf *where)
{
	struct stat st;

	for (size_t i = 0; i <= t->deps.n; i++) {
		size_t before = where->len;

		buf_addf(where, "%s%s%s", i ? t->deps.v[i - 1] : t->out, *path ? "/" : "", path);
		if (!lstat(where->p + before, &st))
			return 1;
		buf_trim(where, before);
	}
	return 0;
}

int deb_open_file(const struct deb_tree *t, const char *path, struct stat *st, struct err *e)
{
	int fd = openat(t->fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open '%s'", path);
	if (!fstat(fd, st))
		return fd;
	close(fd);
	return err_errno(e, "cannot open '%s'", path);
}

int deb_write_file(int fd, const char *path, const struct buf *text, struct err *e)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = pwrite(fd, text->p + done, text->len - done, (off_t)done);

		if (n < 0)
			return err_errno(e, "cannot write '%s'", path);
		done += (size_t)n;
	}
	return ftruncate(fd, (off_t)text->len) ? err_errno(e, "cannot write '%s'", path) : 0;
}

void deb_log(const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	dprintf(2, "%s\n", buf_str(&b));
	buf_release(&b);
}

/* --- what is asked for --- */

static void read_words(const struct builtin_call *c, const char *name, struct words *out)
{
	const struct slice *s = drv_env(c->drv, slice_of(name));
	char *text = s ? xstrndup(s->p, s->n) : xstrdup(""), *rest = text;

	for (char *w; (w = strtok_r(rest, " \t\n", &rest));)
		words_add(out, w);
	free(text);
}

/* The derivation could not know where it will be. */
char *deb_with_output(const char *s, const char *out)
{
	char placeholder[PLACEHOLDER_LEN + 1];
	struct buf b = BUF_INIT;

	placeholder_output(SLICE("out"), placeholder);
	for (const char *hit; (hit = strstr(s, placeholder)); s = hit + PLACEHOLDER_LEN) {
		buf_add(&b, s, (size_t)(hit - s));
		buf_adds(&b, out);
	}
	buf_adds(&b, s);
	return buf_detach(&b, NULL);
}

static int read_repoints(const struct builtin_call *c, struct deb_tree *t, struct err *e)
{
	read_words(c, "repoint", &t->repoint);
	read_words(c, "sized", &t->sized);
	if (t->repoint.n % 3)
		return err_set(e, ERR_INVALID, "attribute 'repoint' has %zu words, which are no triples", t->repoint.n);
	for (size_t i = 2; i < t->repoint.n; i += 3) {
		char *to = deb_with_output(t->repoint.v[i], t->out);

		free(t->repoint.v[i]);
		t->repoint.v[i] = to;
	}
	t->repointed = xcalloc(t->repoint.n / 3, sizeof *t->repointed);
	return 0;
}

static int is_true(const struct builtin_call *c, const char *name)
{
	const struct slice *s = drv_env(c->drv, slice_of(name));

	return s && slice_eq(*s, SLICE("1"));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In byte order, and which are one file. */
static void list_files(struct deb_tree *t)
{
	struct stat st;

	t->same = xcalloc(t->files.n, sizeof *t->same);
	if (t->files.n)
		qsort(t->files.v, t->files.n, sizeof *t->files.v, by_name);
	for (size_t i = 0; i < t->files.n; i++)
		if (!fstatat(t->fd, t->files.v[i], &st, AT_SYMLINK_NOFOLLOW) && st.st_nlink > 1)
			t->same[i] = st.st_ino;
}

int deb_each_file(struct deb_tree *t, int (*adapt)(struct deb_tree *t, size_t i, struct err *e), struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < t->files.n && !rc; i++) {
		size_t first = i;

		for (size_t k = 0; t->same[i] && k < i && first == i; k++)
			if (t->same[k] == t->same[i])
				first = k;
		if (first == i)
			rc = adapt(t, i, e);
	}
	return rc;
}

static int unpack_all(struct deb_tree *t, struct err *e)
{
	char *top = NULL;
	struct buf b = BUF_INIT;
	int rc = 0;

	buf_addf(&b, "%s.deb", t->out);
	top = buf_detach(&b, NULL);
	for (size_t i = 0; i < t->debs.n && !rc; i++)
		rc = deb_unpack(t, t->debs.v[i], top, e);
	free(top);
	return rc;
}

static void tell(const struct deb_tree *t)
{
	deb_log("%zu files, %zu links: %zu into other packages, %zu lead nowhere", t->files.n, t->nlinks, t->counts.links,
		t->counts.dangling);
	deb_log("%zu scripts, %zu more without an interpreter; %zu files of paths", t->counts.scripts, t->counts.lost_scripts,
		t->counts.texts);
	deb_log("%zu programs and libraries, %zu others left alone; %zu libraries and %zu loaders are not here", t->counts.elf,
		t->counts.foreign, t->counts.lost_libraries, t->counts.lost_loaders);
}

static int make_tree(struct deb_tree *t, struct err *e)
{
	int rc = unpack_all(t, e);

	rc = rc ? rc : deb_add_more(t, e);
	list_files(t);
	rc = rc ? rc : deb_note_alternatives(t, e);
	rc = rc ? rc : deb_make_links(t, e);
	rc = rc ? rc : deb_adapt_gconv(t, e);
	rc = rc ? rc : deb_adapt_scripts(t, e);
	rc = rc ? rc : deb_adapt_programs(t, e);
	rc = rc ? rc : deb_check_repoints(t, e);
	if (!rc)
		tell(t);
	return rc;
}

int builtin_unpack_deb(const struct builtin_call *c, struct err *e)
{
	struct deb_tree t = { .fd = -1 };
	struct buf out = BUF_INIT;
	int rc = builtin_output(c, SLICE("out"), &out, e);

	if (rc)
		return rc;
	t.out = out.p;
	read_words(c, "debs", &t.debs);
	read_words(c, "deps", &t.deps);
	read_words(c, "prune", &t.prune);
	read_words(c, "concat", &t.concat);
	read_words(c, "add", &t.add);
	read_words(c, "link", &t.link);
	read_words(c, "merge", &t.merge);
	read_words(c, "wrap", &t.wrap);
	t.with_alternatives = is_true(c, "alternatives");
	if (mkdir(t.out, 0755) || (t.fd = open(t.out, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_errno(e, "cannot make '%s'", t.out);
	rc = read_repoints(c, &t, e);
	rc = rc ? rc : make_tree(&t, e);
	close(t.fd);
	return rc;
}
