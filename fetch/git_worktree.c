/* SPDX-License-Identifier: MIT
 *
 * What a flake in a work tree is made of: the files git knows, as they are on disk.  Four calls: where it is, `git config`
 * for the filters there are, `git status` for HEAD, changes and strangers, `git ls-files` for the names.
 *
 * A repository's own configuration may name programs that git would run on a file whose times changed: filters.  They are
 * switched off by name, so a file counts as changed when what it holds is not what was added, as for libgit2, which
 * runs none either.  Line ends and the like, which git itself converts, stay as configured.  Nothing looks into a submodule, whose
 * configuration is yet another.
 *
 * A tree without changes is to have the contents of its commit.  Where git converts, files on disk may differ from what is
 * committed though nobody changed them; that is found by naming their contents as git does (`converted`).
 */
#include "config.h"
#include "fetch/git.h"
#include "base/alloc.h"
#include "fetch/git_index.h"
#include "fetch/git_int.h"
#include "format/basen.h"
#include "format/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void git_worktree_release(struct git_worktree *w)
{
	free(w->top);
	free(w->ref);
	free(w->witness);
	buf_release(&w->tracked);
	buf_release(&w->modules);
	buf_release(&w->untracked);
	memset(w, 0, sizeof *w);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void git_sort_names(struct buf *names)
{
	struct buf sorted = BUF_INIT;
	size_t n = 0, i = 0;
	char **v;

	for (size_t at = 0; at < names->len; at += strlen(names->p + at) + 1)
		n++;
	v = xcalloc(n + 1, sizeof *v);
	for (size_t at = 0; at < names->len; at += strlen(names->p + at) + 1)
		v[i++] = names->p + at;
	if (n)
		qsort(v, n, sizeof *v, by_name);
	for (i = 0; i < n; i++)
		/* Files in conflict are listed once for each side. */
		if (!i || strcmp(v[i - 1], v[i]))
			buf_add(&sorted, v[i], strlen(v[i]) + 1);
	free(v);
	buf_release(names);
	*names = sorted;
}

/* A line each: the folder, which may have line ends in its name, and "true" or "false". */
static void take_top(struct git_worktree *w, struct buf *out)
{
	static const char *const ends[] = { "\nfalse\n", "\ntrue\n" };

	for (int i = 0; i < 2; i++)
		if (slice_ends((struct slice){ buf_str(out), out->len }, slice_of(ends[i]))) {
			buf_trim(out, out->len - strlen(ends[i]));
			w->shallow = i;
			break;
		}
	w->top = buf_detach(out, NULL);
}

static int find_top(const char *path, struct git_worktree *w, struct err *e)
{
	struct err own = ERR_INIT;
	struct buf out = BUF_INIT;
	struct git_call c;
	int rc;

	git_call_init(&c, path, "");
	words_add(&c.argv, "rev-parse");
	words_add(&c.argv, "--show-toplevel");
	words_add(&c.argv, "--is-shallow-repository");
	rc = git_call_run(&c, &out, NULL, &own);
	if (rc == ERR_IO && own.msg && (strstr(own.msg, "not a git repository") || strstr(own.msg, "must be run in a work tree")))
		rc = err_set(e, ERR_NOTFOUND, "'%s' is in no Git work tree", path);
	else if (rc)
		err_set(e, rc, "%s", own.msg);
	if (!rc)
		take_top(w, &out);
	err_release(&own);
	buf_release(&out);
	return rc;
}

/* A repository may name any folder as its working tree, and so lead out of where it lies. */
static int check_top(const char *path, const struct git_worktree *w, struct err *e)
{
	struct buf b = BUF_INIT;
	struct stat st;

	buf_addf(&b, "%s/.git", w->top);
	int there = !lstat(b.p, &st);
	buf_release(&b);
	return there ? 0 : err_set(e, ERR_INVALID, "the repository '%s' has its working tree elsewhere: '%s'", path, w->top);
}

/* --- filters --- */

/* "filter.NAME.clean": switches the filter off for the call.  A name with "=" would be cut there on a command line. */
static int switch_off(struct git_call *c, const char *key, struct err *e)
{
	static const char *const values[] = { "clean=", "process=", "smudge=", "required=false" };
	const char *name = strchr(key, '.') + 1, *last = strrchr(key, '.');

	if (last < name)
		return 0;
	if (memchr(name, '=', (size_t)(last - name)))
		return err_set(e, ERR_INVALID,
			       "the repository configures the filter '%.*s', which cannot be switched off because of its name",
			       (int)(last - name), name);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		words_add(&c->argv, "-c");
		words_addf(&c->argv, "filter.%.*s.%s", (int)(last - name), name, values[i]);
	}
	return 0;
}

/* What a repository is configured to do. */
enum { CONVERTS = 1, IS_LOOSE = 2 };

/* "key\nvalue", which is cut. */
static int take_setting(struct git_call *c, char *key, int *does, struct err *e)
{
	char *end = strchr(key, '\n');

	if (end)
		*end = 0;
	if (!strncmp(key, "filter.", 7))
		return switch_off(c, key, e);
	if (strcmp(key, "core.filemode") && strcmp(key, "core.symlinks"))
		*does |= CONVERTS;
	else if (end && strcmp(end + 1, "true"))
		*does |= IS_LOOSE;
	return 0;
}

/* Starts a call about the work tree in which no filter runs.  Reading a configuration runs nothing. */
static int safe_call(struct git_call *c, const char *top, int *does, struct err *e)
{
	struct buf keys = BUF_INIT;
	struct git_call ask;
	int status, rc;

	git_call_init(&ask, top, "");
	words_add(&ask.argv, "config");
	words_add(&ask.argv, "-z");
	words_add(&ask.argv, "--get-regexp");
	words_add(&ask.argv, "^(filter[.].*|core[.](autocrlf|eol|filemode|symlinks))$");
	rc = git_call_run(&ask, &keys, &status, e);
	if (!rc && status > 1)
		rc = err_set(e, ERR_IO, "git cannot read the configuration of '%s'", top);
	git_call_init(c, top, "");
	for (size_t at = 0, next; !rc && at < keys.len; at = next) {
		next = at + strlen(keys.p + at) + 1;
		rc = take_setting(c, keys.p + at, does, e);
	}
	if (rc)
		git_call_release(c);
	buf_release(&keys);
	return rc;
}

/* --- changes --- */

/* A header line of status: "# branch.oid <rev>", "# branch.head <name>". */
static void take_header(struct git_worktree *w, const char *line)
{
	if (!strncmp(line, "# branch.oid ", 13) && !git_check_rev(slice_of(line + 13), NULL)) {
		memcpy(w->rev, line + 13, strlen(line + 13) + 1);
	} else if (!strncmp(line, "# branch.head ", 14) && line[14] != '(') {
		struct buf b = BUF_INIT;

		buf_addf(&b, "refs/heads/%s", line + 14);
		w->ref = buf_detach(&b, NULL);
	}
}

/* "1 XY N... MODE MODE MODE ID ID PATH", X the index against HEAD, Y the file against the index: when only one of them differs, the
 * file differs from HEAD. */
static void take_change(struct git_worktree *w, const char *line)
{
	const char *word = line, *blob = NULL;

	w->dirty = 1;
	/* Regular files, whose names of contents are for what is in them. */
	if (w->witness || strncmp(line, "1 ", 2) || strncmp(line + 4, " N... 100", 9) ||
	    !((line[2] == '.' && strchr("MD", line[3])) || (line[2] == 'M' && line[3] == '.')))
		return;
	for (int i = 0; i < 8 && word; i++) {
		blob = i == 6 ? word : blob;
		word = (word = strchr(word, ' ')) ? word + 1 : NULL;
	}
	if (!word || git_check_rev((struct slice){ blob, strcspn(blob, " ") }, NULL))
		return;
	w->witness = xstrdup(word);
	memcpy(w->witness_blob, blob, strcspn(blob, " "));
}

static int read_status(struct git_worktree *w, int *does, struct err *e)
{
	struct buf out = BUF_INIT;
	struct git_call c;
	int rc = safe_call(&c, w->top, does, e);

	if (rc)
		return rc;
	words_add(&c.argv, "status");
	words_add(&c.argv, "--porcelain=v2");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--branch");
	words_add(&c.argv, "--no-ahead-behind");
	words_add(&c.argv, "--no-renames");
	words_add(&c.argv, "--untracked-files=normal");
	words_add(&c.argv, "--ignore-submodules=all");
	rc = git_call_run(&c, &out, NULL, e);
	for (size_t at = 0; !rc && at < out.len; at += strlen(out.p + at) + 1) {
		const char *line = out.p + at;

		if (*line == '#')
			take_header(w, line);
		else if (line[0] == '?' && line[1] == ' ')
			buf_add(&w->untracked, line + 2, strlen(line + 2) + 1);
		else if (*line != '!')
			take_change(w, line);
	}
	buf_release(&out);
	git_sort_names(&w->untracked);
	return rc;
}

/* --- files --- */

/* A line of ls-files: "<tag> <mode> <id> <stage>\t<path>". */
struct entry {
	char tag;
	const char *mode, *path;
	struct slice id;
};

static int take_entry(const char *line, struct entry *out, struct err *e)
{
	const char *id = strlen(line) > 9 ? line + 9 : "", *tab = strchr(id, '\t');

	*out = (struct entry){ *line, line + 2, tab ? tab + 1 : NULL, { id, strcspn(id, " ") } };
	return tab && !git_check_rev(out->id, NULL)
		       ? 0
		       : err_set(e, ERR_INVALID, "git lists its files in a way that is not understood");
}

int git_name_contents(int fd, enum hash_algo algo, char out[GIT_REV_MAX + 1])
{
	char piece[65536];
	struct hash_ctx c;
	struct hash h;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	hash_init(&c, algo);
	hash_update(&c, piece, (size_t)snprintf(piece, sizeof piece, "blob %lld", (long long)st.st_size) + 1);
	while ((n = read(fd, piece, sizeof piece)) != 0)
		if (n > 0)
			hash_update(&c, piece, (size_t)n);
		else if (errno != EINTR)
			return -1;
	hash_final(&c, &h);
	base16_encode(h.b, h.len, out);
	out[BASE16_LEN(h.len)] = 0;
	return 0;
}

/* 1 when a file on disk is not byte for byte what git has of it. */
static int is_converted(int top, const struct entry *f)
{
	char name[GIT_REV_MAX + 1] = "";
	int fd;

	/* Of others git was told not to look. */
	if (f->tag != 'H' || strncmp(f->mode, "100", 3))
		return 0;
	fd = openat(top, f->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 1;
	int rc = git_name_contents(fd, f->id.n == 40 ? HASH_SHA1 : HASH_SHA256, name);
	close(fd);
	return rc || !slice_eq(slice_of(name), f->id);
}

static int is_attributes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, ".gitattributes");
}

/* What git may convert is configured, or said by attributes, which can stand beside the tree too. */
static int may_convert(const struct git_worktree *w)
{
	struct buf own = BUF_INIT, shared = BUF_INIT;
	struct stat st;
	int yes = git_folders(w->top, &own, &shared) != 0;

	buf_adds(&shared, "/info/attributes");
	yes = yes || !lstat(shared.p, &st);
	buf_release(&own);
	buf_release(&shared);
	for (const char *p = buf_str(&w->tracked), *end = p + w->tracked.len; p < end && !yes; p += strlen(p) + 1)
		yes = is_attributes(p);
	for (const char *p = buf_str(&w->untracked), *end = p + w->untracked.len; p < end && !yes; p += strlen(p) + 1)
		yes = is_attributes(p);
	return yes;
}

/* A file that is left out on purpose is missing all the same. */
static void look_at_missing(struct git_worktree *w, int top, const struct entry *f)
{
	struct stat st;

	if ((f->tag | 0x20) == 's' && fstatat(top, f->path, &st, AT_SYMLINK_NOFOLLOW))
		w->dirty = 1;
}

static int take_files(struct git_worktree *w, const struct buf *out, int converts, struct err *e)
{
	int top = open(w->top, O_DIRECTORY | O_CLOEXEC), rc = 0;
	struct entry f;

	if (top < 0)
		return err_errno(e, "cannot open '%s'", w->top);
	for (size_t at = 0; !rc && at < out->len; at += strlen(out->p + at) + 1)
		if (!(rc = take_entry(out->p + at, &f, e))) {
			buf_add(&w->tracked, f.path, strlen(f.path) + 1);
			if (!strncmp(f.mode, "160000", 6))
				buf_add(&w->modules, f.path, strlen(f.path) + 1);
			look_at_missing(w, top, &f);
			w->loose |= f.tag != 'H';
		}
	w->converts = converts |= may_convert(w);
	for (size_t at = 0; !rc && converts && !w->dirty && !w->converted && at < out->len; at += strlen(out->p + at) + 1)
		if (!(rc = take_entry(out->p + at, &f, e)))
			w->converted = is_converted(top, &f);
	close(top);
	return rc;
}

static int read_files(struct git_worktree *w, int converts, struct err *e)
{
	struct buf out = BUF_INIT;
	struct git_call c;
	int rc;

	git_call_init(&c, w->top, "");
	words_add(&c.argv, "ls-files");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "-v");
	words_add(&c.argv, "--stage");
	rc = git_call_run(&c, &out, NULL, e);
	if (!rc)
		rc = take_files(w, &out, converts, e);
	buf_release(&out);
	git_sort_names(&w->tracked);
	git_sort_names(&w->modules);
	return rc;
}

int git_worktree_read(const char *path, struct git_worktree *w, struct err *e)
{
	int rc, does = 0;

	memset(w, 0, sizeof *w);
	rc = find_top(path, w, e);
	if (!rc)
		rc = check_top(path, w, e);
	if (!rc)
		rc = read_status(w, &does, e);
	if (!rc)
		rc = read_files(w, does & CONVERTS, e);
	w->loose |= does & IS_LOOSE;
	if (rc)
		git_worktree_release(w);
	return rc;
}

int git_worktree_has(const struct git_worktree *w, struct slice r)
{
	const char *p = buf_str(&w->tracked), *end = p + w->tracked.len;

	if (!r.n)
		return 1;
	/* In byte order, what lies below "a" comes somewhere after it: "a-b" is between "a" and "a/b". */
	for (; p < end; p += strlen(p) + 1)
		if (!strncmp(p, r.p, r.n) && (!p[r.n] || p[r.n] == '/'))
			return 1;
	return 0;
}

int git_intend_to_add(const char *top, const char *name, struct err *e)
{
	struct git_call c;
	int does = 0, rc = safe_call(&c, top, &does, e);

	if (rc)
		return rc;
	words_add(&c.argv, "add");
	words_add(&c.argv, "--intent-to-add");
	words_add(&c.argv, "--force");
	words_add(&c.argv, "--");
	words_add(&c.argv, name);
	return git_call_run(&c, NULL, NULL, e);
}
