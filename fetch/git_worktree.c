/* SPDX-License-Identifier: MIT
 *
 * What a flake in a work tree is made of: the files git knows, as they are on disk.  Three calls: where it is, `git status`
 * for HEAD, changes and strangers, `git ls-files` for the names.
 */
#include "config.h"
#include "fetch/git.h"
#include "base/alloc.h"
#include "fetch/git_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void git_worktree_release(struct git_worktree *w)
{
	free(w->top);
	free(w->ref);
	buf_release(&w->tracked);
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

static int find_top(const char *path, struct git_worktree *w, struct err *e)
{
	struct err own = ERR_INIT;
	struct buf out = BUF_INIT;
	struct git_call c;
	int rc;

	git_call_init(&c, path, "");
	words_add(&c.argv, "rev-parse");
	words_add(&c.argv, "--show-toplevel");
	rc = git_call_run(&c, &out, NULL, &own);
	if (rc == ERR_IO && own.msg && (strstr(own.msg, "not a git repository") || strstr(own.msg, "must be run in a work tree")))
		rc = err_set(e, ERR_NOTFOUND, "'%s' is in no Git work tree", path);
	else if (rc)
		err_set(e, rc, "%s", own.msg);
	if (!rc) {
		while (out.len && out.p[out.len - 1] == '\n')
			buf_trim(&out, out.len - 1);
		w->top = buf_detach(&out, NULL);
	}
	err_release(&own);
	buf_release(&out);
	return rc;
}

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

static int read_status(struct git_worktree *w, struct err *e)
{
	struct buf out = BUF_INIT;
	struct git_call c;
	int rc;

	git_call_init(&c, w->top, "");
	words_add(&c.argv, "status");
	words_add(&c.argv, "--porcelain=v2");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--branch");
	words_add(&c.argv, "--no-ahead-behind");
	words_add(&c.argv, "--no-renames");
	words_add(&c.argv, "--untracked-files=normal");
	words_add(&c.argv, "--ignore-submodules=none");
	rc = git_call_run(&c, &out, NULL, e);
	for (size_t at = 0; !rc && at < out.len; at += strlen(out.p + at) + 1) {
		const char *line = out.p + at;

		if (*line == '#')
			take_header(w, line);
		else if (line[0] == '?' && line[1] == ' ')
			buf_add(&w->untracked, line + 2, strlen(line + 2) + 1);
		else if (*line != '!')
			w->dirty = 1;
	}
	buf_release(&out);
	git_sort_names(&w->untracked);
	return rc;
}

static int read_files(struct git_worktree *w, struct err *e)
{
	struct git_call c;
	int rc;

	git_call_init(&c, w->top, "");
	words_add(&c.argv, "ls-files");
	words_add(&c.argv, "-z");
	words_add(&c.argv, "--cached");
	rc = git_call_run(&c, &w->tracked, NULL, e);
	git_sort_names(&w->tracked);
	return rc;
}

int git_worktree_read(const char *path, struct git_worktree *w, struct err *e)
{
	int rc;

	memset(w, 0, sizeof *w);
	rc = find_top(path, w, e);
	if (!rc)
		rc = read_status(w, e);
	if (!rc)
		rc = read_files(w, e);
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

	git_call_init(&c, top, "");
	words_add(&c.argv, "add");
	words_add(&c.argv, "--intent-to-add");
	words_add(&c.argv, "--force");
	words_add(&c.argv, "--");
	words_add(&c.argv, name);
	return git_call_run(&c, NULL, NULL, e);
}
