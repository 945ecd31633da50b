/* SPDX-License-Identifier: MIT
 *
 * Which files of a tree its .gitattributes give an attribute: `export-ignore`, which leaves them out, and `filter=lfs`.  git itself
 * says so, for it alone knows its patterns: `check-attr`, which runs nothing.  Of a commit it is asked with an index of its own, in
 * a temporary folder: the repository may be somebody's, and `--source` is younger than gits in use.
 *
 * A tree without .gitattributes gives none, and costs no call.
 */
#include "config.h"
#include "fetch/git.h"
#include "base/alloc.h"
#include "fetch/git_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_AT_ONCE = 60000 }; /* bytes of names: arguments of one call */

static int has_attributes(struct slice names)
{
	static const char file[] = ".gitattributes";

	for (const char *p = names.p, *end = p + names.n; p < end; p += strlen(p) + 1) {
		const char *slash = strrchr(p, '/');

		if (!strcmp(slash ? slash + 1 : p, file))
			return 1;
	}
	return 0;
}

/* What is asked for: an attribute, and the value that counts. */
struct question {
	const char *attribute, *value;
	const char *dir, *index; /* the repository; "" for what it has itself */
};

/* "<path>\0<attribute>\0<value>\0": appends the paths with the value. */
static int take_answer(const struct buf *out, const char *value, struct buf *found, struct err *e)
{
	const char *p = out->p, *end = p + out->len;

	while (p < end) {
		const char *name = p + strlen(p) + 1, *has = name < end ? name + strlen(name) + 1 : end;

		if (has >= end)
			return err_set(e, ERR_INVALID, "git tells attributes in a way that is not understood");
		if (!strcmp(has, value))
			buf_add(found, p, strlen(p) + 1);
		p = has + strlen(has) + 1;
	}
	return 0;
}

/* Asks about the names from *p on, as many as one call takes. */
static int ask(const struct question *q, const char **p, const char *end, struct buf *found, struct err *e)
{
	struct buf out = BUF_INIT;
	struct git_call c;
	size_t asked = 0;
	int rc;

	git_call_init(&c, q->dir, "");
	if (*q->index)
		words_addf(&c.env, "GIT_INDEX_FILE=%s", q->index);
	words_add(&c.argv, "check-attr");
	words_add(&c.argv, "-z");
	if (*q->index)
		words_add(&c.argv, "--cached");
	words_add(&c.argv, q->attribute);
	words_add(&c.argv, "--");
	while (*p < end && asked < ASK_AT_ONCE) {
		words_add(&c.argv, *p);
		asked += strlen(*p) + 1;
		*p += strlen(*p) + 1;
	}
	rc = git_call_run(&c, &out, NULL, e);
	if (!rc)
		rc = take_answer(&out, q->value, found, e);
	buf_release(&out);
	return rc;
}

/* An index with the tree of a commit. */
static int make_index(const char *dir, const char *rev, const char *index, struct err *e)
{
	struct git_call c;

	git_call_init(&c, dir, "");
	words_addf(&c.env, "GIT_INDEX_FILE=%s", index);
	words_add(&c.argv, "read-tree");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, rev);
	return git_call_run(&c, NULL, NULL, e);
}

static int ask_all(struct question *q, const char *rev, struct slice names, struct buf *found, struct err *e)
{
	const char *p = names.p, *end = p + names.n;
	char folder[4096], index[4096 + 8] = "";
	int rc = 0;

	if (!has_attributes(names))
		return 0;
	if (rev) {
		snprintf(folder, sizeof folder, "%s/gx-index-XXXXXX", git_temp_folder());
		if (!mkdtemp(folder))
			return err_errno(e, "cannot make a temporary folder");
		snprintf(index, sizeof index, "%s/index", folder);
		rc = make_index(q->dir, rev, index, e);
	}
	q->index = index;
	while (!rc && p < end)
		rc = ask(q, &p, end, found, e);
	if (rev) {
		unlink(index);
		rmdir(folder);
	}
	return rc;
}

int git_ignored(const char *dir, const char *rev, struct slice names, struct buf *ignored, struct err *e)
{
	struct question q = { "export-ignore", "set", dir, "" };

	return ask_all(&q, rev, names, ignored, e);
}

int git_of_lfs(const char *dir, const char *rev, struct slice names, struct buf *found, struct err *e)
{
	struct question q = { "filter", "lfs", dir, "" };

	return ask_all(&q, rev, names, found, e);
}

/* --- of a work tree --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int is_in(const char *name, size_t n, char **v, size_t count)
{
	char *own = xstrndup(name, n);
	int found = bsearch(&own, v, count, sizeof *v, by_name) != NULL;

	free(own);
	return found;
}

/* Where the part of a name that is left out ends: its length for all of it, 0 when it stays. */
static size_t left_out(const char *name, char **v, size_t count)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/'))
		if (is_in(name, (size_t)(slash + 1 - name), v, count))
			return (size_t)(slash - name);
	return is_in(name, strlen(name), v, count) ? strlen(name) : 0;
}

/* What stays, with the folders that something was in. */
static void keep_rest(struct buf *names, char **v, size_t count)
{
	struct buf kept = BUF_INIT;

	for (const char *p = names->p, *end = p + names->len; p < end; p += strlen(p) + 1) {
		size_t n = left_out(p, v, count);
		const char *slash = n ? memrchr(p, '/', n) : NULL;

		buf_add(&kept, p, !n ? strlen(p) + 1 : slash ? (size_t)(slash - p) : 0);
		if (slash)
			buf_addc(&kept, 0);
	}
	buf_release(names);
	*names = kept;
	git_sort_names(names);
}

static void add_with_folders(struct buf *out, const struct buf *names)
{
	for (const char *p = buf_str(names), *end = p + names->len; p < end; p += strlen(p) + 1) {
		for (const char *slash = strchr(p, '/'); slash; slash = strchr(slash + 1, '/')) {
			buf_add(out, p, (size_t)(slash + 1 - p));
			buf_addc(out, 0);
		}
		buf_add(out, p, strlen(p) + 1);
	}
	git_sort_names(out);
}

int git_leave_out(const char *top, struct buf *names, struct err *e)
{
	struct buf asked = BUF_INIT, ignored = BUF_INIT;
	size_t n = 0;
	int rc;

	if (!has_attributes((struct slice){ buf_str(names), names->len }))
		return 0;
	add_with_folders(&asked, names);
	rc = git_ignored(top, NULL, (struct slice){ buf_str(&asked), asked.len }, &ignored, e);
	if (!rc && ignored.len) {
		char **v = xcalloc(ignored.len, sizeof *v);
		for (char *p = ignored.p; p < ignored.p + ignored.len; p += strlen(p) + 1)
			v[n++] = p;
		keep_rest(names, v, n);
		free(v);
	}
	buf_release(&asked);
	buf_release(&ignored);
	return rc;
}
