/* SPDX-License-Identifier: MIT
 *
 * What a recipe has in a tree beyond the files of packages, made as soon as these are unpacked:
 *
 *     concat   pairs: a file, a pattern; the files that it names, one behind the other (certificates, which a postinst puts
 * together) add      pairs: a file, one of the store whose text it gets link     pairs: a path, the one that it leads to; "bin/"
 * and a pattern make a link to each file that it names wrap     programs, each with variables behind it: NAME=VALUE, where it is
 * not set; NAME+=VALUE, at the end of a list
 *
 * A program that is wrapped is bin/.NAME-wrapped, and a script takes its place.  It is one of the tree like others, so its
 * interpreter becomes what /bin/sh is here.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/alloc.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes a file, which becomes one of the tree. */
static int make_file(struct deb_tree *t, const char *path, mode_t mode, const struct buf *text, struct err *e)
{
	int rc = deb_make_parent(t, path, e), fd;

	if (rc)
		return rc;
	fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(e, "cannot make '%s'", path);
	if (fd_write_all(fd, buf_str(text), text->len))
		rc = err_errno(e, "cannot write '%s'", path);
	close(fd);
	words_add(&t->files, path);
	return rc;
}

static int read_file(int dirfd, const char *path, struct buf *text, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_all(fd, text) < 0) {
		err_errno(e, "cannot read '%s'", path);
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	close(fd);
	return 0;
}

/* --- from files that are there --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Files of the tree by a pattern, in byte order; there must be one. */
static int find_files(const struct deb_tree *t, const char *pattern, struct words *out, struct err *e)
{
	for (size_t i = 0; i < t->files.n; i++)
		if (!fnmatch(pattern, t->files.v[i], FNM_PATHNAME))
			words_add(out, t->files.v[i]);
	if (!out->n)
		return err_set(e, ERR_INVALID, "no file '%s'", pattern);
	qsort(out->v, out->n, sizeof *out->v, by_name);
	return 0;
}

static int concat(struct deb_tree *t, const char *path, const char *pattern, struct err *e)
{
	struct words from = { 0 };
	struct buf text = BUF_INIT;
	int rc = find_files(t, pattern, &from, e);

	for (size_t i = 0; i < from.n && !rc; i++)
		rc = read_file(t->fd, from.v[i], &text, e);
	rc = rc ? rc : make_file(t, path, 0644, &text, e);
	buf_release(&text);
	words_release(&from);
	return rc;
}

static int link_one(struct deb_tree *t, const char *path, const char *target, struct err *e)
{
	char *from = deb_join("/usr", path), *to = deb_join("/usr", target);
	int rc = deb_note_link(t, from, to, 0, e);

	/* What bin/ leads to is a program, also where its maker leaves it to installers to make it one. */
	if (!rc && !strncmp(path, "bin/", 4) && fchmodat(t->fd, target, 0755, 0) && errno != ENOENT)
		rc = err_errno(e, "cannot change '%s'", target);
	free(from);
	free(to);
	return rc;
}

static int link_each(struct deb_tree *t, const char *folder, const char *pattern, struct err *e)
{
	struct words to = { 0 };
	int rc = find_files(t, pattern, &to, e);

	for (size_t i = 0; i < to.n && !rc; i++) {
		struct buf path = BUF_INIT;

		buf_addf(&path, "%s%s", folder, strrchr(to.v[i], '/') + 1);
		rc = link_one(t, path.p, to.v[i], e);
		buf_release(&path);
	}
	words_release(&to);
	return rc;
}

static int add_link(struct deb_tree *t, const char *path, const char *target, struct err *e)
{
	size_t n = strlen(path);

	return n && path[n - 1] == '/' ? link_each(t, path, target, e) : link_one(t, path, target, e);
}

static int has_file(const struct deb_tree *t, const char *path)
{
	struct stat st;

	return !fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW) || deb_find_link(t, path);
}

static int merge(struct deb_tree *t, const char *from, const char *to, struct err *e)
{
	size_t n = strlen(from);
	int rc = 0;

	for (size_t i = 0; i < t->files.n && !rc; i++) {
		const char *file = t->files.v[i];
		struct buf path = BUF_INIT;

		if (strncmp(file, from, n) || file[n] != '/')
			continue;
		buf_addf(&path, "%s%s", to, file + n);
		if (!has_file(t, path.p))
			rc = link_one(t, path.p, file, e);
		buf_release(&path);
	}
	return rc;
}

static int add_file(struct deb_tree *t, const char *path, const char *source, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = read_file(AT_FDCWD, source, &text, e);

	if (!rc) {
		char *own = deb_with_output(buf_str(&text), t->out);

		buf_trim(&text, 0);
		buf_adds(&text, own);
		free(own);
		rc = make_file(t, path, text.len > 2 && !memcmp(text.p, "#!", 2) ? 0755 : 0644, &text, e);
	}
	buf_release(&text);
	return rc;
}

/* --- wrappers --- */

/* "NAME=VALUE" or "NAME+=VALUE" as a line of shell text. */
static int add_variable(struct buf *script, const char *word, const char *out, struct err *e)
{
	const char *equals = strchr(word, '=');
	int is_list = equals > word && equals[-1] == '+', n = (int)(equals - word) - is_list;
	char *value = deb_with_output(equals + 1, out);
	int rc = 0;

	if (strpbrk(value, "\"$`\\}"))
		rc = err_set(e, ERR_INVALID, "'%s' cannot stand in a script", word);
	else if (is_list)
		buf_addf(script, "%.*s=\"${%.*s:+$%.*s:}%s\"\nexport %.*s\n", n, word, n, word, n, word, value, n, word);
	else
		buf_addf(script, "%.*s=\"${%.*s-%s}\"\nexport %.*s\n", n, word, n, word, value, n, word);
	free(value);
	return rc;
}

/* Moves a program aside. */
static int set_aside(struct deb_tree *t, const char *path, const char *aside, struct err *e)
{
	for (size_t i = 0; i < t->files.n; i++)
		if (!strcmp(t->files.v[i], path)) {
			if (renameat(t->fd, path, t->fd, aside))
				return err_errno(e, "cannot move '%s'", path);
			free(t->files.v[i]);
			t->files.v[i] = xstrdup(aside);
			return 0;
		}
	return err_set(e, ERR_INVALID, "no file '%s'", path);
}

static int wrap_one(struct deb_tree *t, size_t first, size_t end, struct err *e)
{
	const char *path = t->wrap.v[first], *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash + 1 - path) : 0, rc;
	struct buf aside = BUF_INIT, script = BUF_INIT;

	buf_addf(&aside, "%.*s.%s-wrapped", dir, path, path + dir);
	buf_adds(&script, "#!/bin/sh\n");
	rc = set_aside(t, path, aside.p, e);
	for (size_t i = first + 1; i < end && !rc; i++)
		rc = add_variable(&script, t->wrap.v[i], t->out, e);
	buf_addf(&script, "exec %s/%s \"$@\"\n", t->out, aside.p);
	rc = rc ? rc : make_file(t, path, 0755, &script, e);
	buf_release(&aside);
	buf_release(&script);
	return rc;
}

static int wrap_all(struct deb_tree *t, struct err *e)
{
	int rc = 0;

	for (size_t i = 0, end; i < t->wrap.n && !rc; i = end) {
		for (end = i + 1; end < t->wrap.n && strchr(t->wrap.v[end], '=');)
			end++;
		rc = wrap_one(t, i, end, e);
	}
	return rc;
}

/* --- all --- */

static int each_pair(struct deb_tree *t, const char *name, const struct words *w,
		     int (*make)(struct deb_tree *t, const char *a, const char *b, struct err *e), struct err *e)
{
	int rc = w->n % 2 ? err_set(e, ERR_INVALID, "the attribute '%s' has an odd number of words", name) : 0;

	for (size_t i = 0; i < w->n && !rc; i += 2)
		rc = make(t, w->v[i], w->v[i + 1], e);
	return rc;
}

int deb_add_more(struct deb_tree *t, struct err *e)
{
	int rc = each_pair(t, "concat", &t->concat, concat, e);

	rc = rc ? rc : each_pair(t, "add", &t->add, add_file, e);
	rc = rc ? rc : wrap_all(t, e);
	rc = rc ? rc : each_pair(t, "link", &t->link, add_link, e);
	return rc ? rc : each_pair(t, "merge", &t->merge, merge, e);
}
