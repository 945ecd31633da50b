/* SPDX-License-Identifier: MIT
 *
 * The filter is asked for one path after the other while the archive is written, so what was written between entering a folder and
 * the first path outside is the folder's size, and no file is looked at once more.
 *
 * Named are at most three folders that do not contain each other.  One whose contents are nearly all in one folder below it is not
 * named, but that folder.
 */
#include "config.h"
#include "fetch/large_tree.h"
#include "base/alloc.h"
#include "fetch/cache.h"
#include "fetch/fetch_settings.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NAMED = 3, SMALLEST_PART = 10 /* one in so many of the whole */ };

static int is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && path[n] == '/';
}

/* Folders that path is not in are over. */
static void leave(struct large_tree *l, const char *path)
{
	while (l->n_open && !(path && is_below(path, l->open[l->n_open - 1].path))) {
		struct large_folder f = l->open[--l->n_open];

		f.size = l->size - f.size;
		if (f.size < fetch_settings.large_tree / SMALLEST_PART) {
			free(f.path);
			continue;
		}
		ARRAY_GROW(l->done, l->n_done + 1, l->cap_done);
		l->done[l->n_done++] = f;
	}
}

static int include(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	struct large_tree *l = user;
	int rc = l->inner ? l->inner->include(l->inner->user, path, n, type, e) : 1;

	if (rc != 1)
		return rc;
	leave(l, path + l->root_len + 1);
	if (type == NAR_DIRECTORY) {
		ARRAY_GROW(l->open, l->n_open + 1, l->cap_open);
		l->open[l->n_open++] = (struct large_folder){ xstrdup(path + l->root_len + 1), l->size };
	}
	return 1;
}

const struct nar_filter *large_tree_begin(struct large_tree *l, size_t root_len, const struct nar_filter *inner)
{
	*l = (struct large_tree){ .inner = inner, .root_len = root_len };
	l->filter = (struct nar_filter){ include, l };
	return fetch_settings.large_tree ? &l->filter : inner;
}

/* --- which are named --- */

static int by_size(const void *a, const void *b)
{
	const struct large_folder *x = a, *y = b;

	return x->size != y->size ? (x->size < y->size ? 1 : -1) : strcmp(x->path, y->path);
}

/* Names that say by themselves what is in a folder. */
static int is_well_known(const char *path)
{
	static const char *const names[] = { "node_modules", "target", "vendor", "build", "dist",
					     "result", ".direnv", ".venv", "venv" };
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i]))
			return 1;
	return 0;
}

/* Four fifths of it are in one folder. */
static int is_shell(const struct large_tree *l, const struct large_folder *f)
{
	if (is_well_known(f->path))
		return 0;
	for (size_t i = 0; i < l->n_done; i++)
		if (is_below(l->done[i].path, f->path) && l->done[i].size >= f->size / 5 * 4)
			return 1;
	return 0;
}

static int touches(const struct large_folder *f, const struct large_folder *const *named, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_below(f->path, named[i]->path) || is_below(named[i]->path, f->path))
			return 1;
	return 0;
}

static void add_folders(const struct large_tree *l, struct buf *note)
{
	const struct large_folder *named[MOST_NAMED];
	size_t n = 0;

	for (size_t i = 0; i < l->n_done && n < MOST_NAMED; i++)
		if (l->done[i].size > l->size / SMALLEST_PART && !is_shell(l, &l->done[i]) && !touches(&l->done[i], named, n))
			named[n++] = &l->done[i];
	for (size_t i = 0; i < n; i++) {
		buf_addf(note, "%s'%s' (", i ? ", " : n > 1 ? ", most of it in the folders " : ", most of it in the folder ",
			 named[i]->path);
		buf_add_size(note, named[i]->size);
		buf_addc(note, ')');
	}
}

/* What was fetched is as large as others made it. */
static int is_of_cache(const char *place)
{
	struct buf dir = BUF_INIT;
	struct err e = ERR_INIT;
	int yes = !cache_user_dir(&dir, &e) && is_below(place, buf_str(&dir));

	err_release(&e);
	buf_release(&dir);
	return yes;
}

int large_tree_end(struct large_tree *l, const char *place, struct buf *note)
{
	int large = fetch_settings.large_tree && l->size > fetch_settings.large_tree && !is_of_cache(place);

	leave(l, NULL);
	if (large) {
		if (l->n_done)
			qsort(l->done, l->n_done, sizeof *l->done, by_size);
		buf_add_size(note, l->size);
		buf_addf(note, " of '%s' are copied", place);
		add_folders(l, note);
	}
	for (size_t i = 0; i < l->n_done; i++)
		free(l->done[i].path);
	free(l->open);
	free(l->done);
	return large;
}
