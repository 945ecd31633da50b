/* SPDX-License-Identifier: MIT
 *
 * Which files of a stand-in count.
 *
 * A dirty git checkout is read where it is, without copying a file; what git does not track must not be seen all the same.
 * The members are one hash table a tree, directories included, so a question is one look-up.  Names that were asked for
 * in vain although there is such a file are kept: they are what people forget to add.
 */
#include "config.h"
#include "builtins/fs_members.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "builtins/fs_int.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASKED_MAX = 16 };

struct tree {
	struct strmap names;
	const char *physical;
	int filtered; /* by a function, not by git */
};

/* A root block. */
static struct members {
	struct strmap trees; /* store object -> struct tree */
	const char *asked[ASKED_MAX];
	size_t nasked;
} *members;

static struct members *state(void)
{
	return members ? members : (members = mem_root(sizeof *members));
}

static void end(void)
{
	mem_free(members);
}

const struct session_part fs_members_session[] = { { &members, sizeof members, end }, { 0 } };

static struct tree *add(const char *store_path, const char *physical, const struct slice *names, size_t n)
{
	struct tree *t = mem_new(sizeof *t);
	size_t len = strlen(physical);
	char *copy = mem_bytes(len + 1);

	memcpy(copy, physical, len + 1);
	t->physical = copy;
	for (size_t i = 0; i < n; i++) {
		struct slice s = names[i];
		int is_new = 1;
		while (s.n && is_new) {
			*strmap_put(&t->names, s.p, s.n, &is_new) = 1;
			while (s.n && s.p[s.n - 1] != '/')
				s.n--;
			s.n -= s.n > 0;
		}
	}
	*strmap_put(&state()->trees, store_path, strlen(store_path), NULL) = (uintptr_t)t;
	fs_stand_in(store_path, physical);
	return t;
}

void fs_stand_in_members(const char *store_path, const char *physical, const struct slice *names, size_t n)
{
	add(store_path, physical, names, n);
}

void fs_stand_in_filtered(const char *store_path, const char *physical, const struct slice *names, size_t n)
{
	add(store_path, physical, names, n)->filtered = 1;
}

/* The tree a path lies in, NULL when it is none of these; *object is the length of its root's path. */
static struct tree *tree_of(const char *path, size_t n, size_t *object)
{
	size_t dir = strlen(eval_settings.store_dir);

	if (!members || n <= dir + 1 || path[dir] != '/' || memcmp(path, eval_settings.store_dir, dir))
		return NULL;
	const char *slash = memchr(path + dir + 1, '/', n - dir - 1);
	*object = slash ? (size_t)(slash - path) : n;
	uint64_t *v = strmap_get(&members->trees, path, *object);
	return v ? (struct tree *)(uintptr_t)*v : NULL;
}

int fs_has_members(const char *path, size_t n)
{
	size_t object;

	return tree_of(path, n, &object) != NULL;
}

/* git's own folder, which it never tracks. */
static int is_of_git(const char *rest, size_t n)
{
	return n >= 4 && !memcmp(rest, ".git", 4) && (n == 4 || rest[4] == '/');
}

/* Remembers a name when there is such a file, once. */
static void note_asked(const struct tree *t, const char *rest, size_t n)
{
	struct buf place = BUF_GC;
	struct stat st;

	buf_addf(&place, "%s/%.*s", t->physical, (int)n, rest);
	trail_lstat(place.p);
	if (members->nasked == ASKED_MAX || lstat(place.p, &st))
		return;
	char *name = mem_bytes(n + 1);
	memcpy(name, rest, n);
	name[n] = 0;
	for (size_t i = 0; i < members->nasked; i++) {
		size_t have = strlen(members->asked[i]);
		if (!strcmp(members->asked[i], name))
			return;
		/* A folder was looked through on the way to this. */
		if (have < n && name[have] == '/' && !memcmp(members->asked[i], name, have)) {
			members->asked[i] = name;
			return;
		}
	}
	members->asked[members->nasked++] = name;
}

static void note_tracked(const struct tree *t, const char *rest, size_t n, int tracked)
{
	struct buf place = BUF_GC;

	buf_addf(&place, "%s%.*s", t->physical, (int)n, rest);
	trail_tracks(place.p, tracked);
}

int fs_hidden(const char *path, size_t n, int asked)
{
	size_t object;
	struct tree *t = tree_of(path, n, &object);

	if (!t || n <= object + 1)
		return 0;
	int tracked = strmap_get(&t->names, path + object + 1, n - object - 1) != NULL;
	if (asked && trail_is_on() && !t->filtered)
		note_tracked(t, path + object, n - object, tracked);
	if (tracked)
		return 0;
	if (asked == 1 && !t->filtered && !is_of_git(path + object + 1, n - object - 1))
		note_asked(t, path + object + 1, n - object - 1);
	return 1;
}

const char *fs_hidden_place(const char *path, size_t n)
{
	struct buf place = BUF_GC;
	struct stat st;
	size_t object;

	if (!fs_hidden(path, n, 0))
		return NULL;
	struct tree *t = tree_of(path, n, &object);
	/* What a filter left out is not there. */
	if (t->filtered)
		return NULL;
	buf_addf(&place, "%s%.*s", t->physical, (int)(n - object), path + object);
	return lstat(place.p, &st) ? NULL : place.p;
}

const char *fs_git_place(const char *path, size_t n, const char **rest)
{
	struct buf git = BUF_GC;
	struct stat st;
	size_t object;
	struct tree *t = tree_of(path, n, &object);

	if (!t || t->filtered || n <= object + 1)
		return NULL;
	buf_addf(&git, "%s/.git", t->physical);
	*rest = path + object + 1;
	return lstat(git.p, &st) ? NULL : t->physical;
}

const char *fs_hidden_asked(size_t i)
{
	return members && i < members->nasked ? members->asked[i] : NULL;
}

int fs_members_include(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	const struct fs_members_filter *f = user;
	struct buf b = BUF_INIT;

	(void)type;
	(void)e;
	buf_add(&b, f->logical, f->n);
	buf_add(&b, path + f->root_len, n - f->root_len);
	int hidden = fs_hidden(b.p, b.len, 0);
	buf_release(&b);
	return !hidden;
}
