/* SPDX-License-Identifier: MIT
 *
 * Where a path lies and whether it may be read.
 *
 * Without mounts or guards the kernel resolves paths and this file costs one look-up.  Otherwise a path
 * is walked component by component, as logical text: each prefix is checked against the allow list, then
 * looked up (through the mounts), and a symbolic link's target is spliced in front of the rest, so that a link
 * out of an allowed tree, or from the outside into a mounted store, means what it says.  The walk asks
 * the kernel once for each prefix of an evaluation: see `kinds`.
 */
#include "config.h"
#include "builtins/fs_int.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "builtins/corepkgs.h"
#include "builtins/fs_members.h"
#include "eval/eval.h"
#include "fetch/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As in Nix; the kernel stops at 40. */

static struct fs *the_fs;

struct fs *fs_state(void)
{
	if (!the_fs)
		the_fs = mem_root(sizeof *the_fs);
	return the_fs;
}

static void end(void)
{
	mem_free(the_fs);
}

const struct session_part fs_session[] = { { &the_fs, sizeof the_fs, end }, { 0 } };

static char *copy(const char *p, size_t n)
{
	char *s = mem_bytes(mem_size(1, n, 1));

	memcpy(s, p, n);
	s[n] = 0;
	return s;
}

/* --- set-up --- */

void fs_allow(const char *path, size_t n)
{
	struct fs *fs = fs_state();

	*strmap_put(&fs->allowed, path, n, NULL) = 1;
	while (n > 1) {
		n = path_dir_len(path, n);
		*strmap_put(&fs->ancestors, path, n, NULL) = 1;
	}
}

void fs_mount(const char *logical, const char *physical)
{
	*strmap_put(&fs_state()->mounts, logical, strlen(logical), NULL) =
		(uintptr_t)copy(physical, strlen(physical));
}

void fs_stand_in(const char *store_path, const char *physical)
{
	*strmap_put(&fs_state()->stand_ins, store_path, strlen(store_path), NULL) =
		(uintptr_t)copy(physical, strlen(physical));
}

void fs_stand_in_text(const char *store_path, W text)
{
	*strmap_put(&fs_state()->texts, store_path, strlen(store_path), NULL) = text;
}

int fs_stands_in(const char *store_path, size_t n)
{
	struct fs *fs = fs_state();

	return strmap_get(&fs->stand_ins, store_path, n) || strmap_get(&fs->texts, store_path, n);
}

/* Length of the store object's path that a path begins with, 0 outside the store. */
static size_t object_len(const char *path, size_t n)
{
	size_t dir = strlen(eval_settings.store_dir);

	if (n <= dir + 1 || path[dir] != '/' || memcmp(path, eval_settings.store_dir, dir))
		return 0;
	const char *slash = memchr(path + dir + 1, '/', n - dir - 1);
	return slash ? (size_t)(slash - path) : n;
}

static const char *stand_in_text(const struct box_path *p)
{
	struct fs *fs = fs_state();
	uint64_t *v = fs->texts.n && object_len(p->b, p->h.n) ? strmap_get(&fs->texts, p->b, p->h.n) : NULL;

	return v ? w_get_str(*v)->b : NULL;
}

const char *fs_provided(W path)
{
	struct box_path *p = w_get_path(path);
	size_t n = strlen(FS_PROVIDED_DIR);
	const char *text = stand_in_text(p);

	if (text)
		return text;
	if (p->h.n <= n || memcmp(p->b, FS_PROVIDED_DIR "/", n + 1))
		return NULL;
	return corepkg_text(p->b + n + 1);
}

/* --- access --- */

int fs_guarded(void)
{
	return eval_settings.pure || eval_settings.restricted;
}

/* The search path's own places are allowed in restricted evaluation, and where they lead. */
static void allow_search_path(struct fs *fs)
{
	while (fs->search_allowed < fs->nsearch) {
		struct fs_search_entry *e = &fs->search[fs->search_allowed++];
		if (fs_search_path_is_fetched(e))
			continue;
		W path = fs_user_path(e->path, e->path_len);
		fs_allow(w_get_path(path)->b, w_get_path(path)->h.n);
		char *real = realpath(w_get_path(path)->b, NULL);
		if (real)
			fs_allow(real, strlen(real));
		free(real);
	}
}

int fs_allowed(const char *path, size_t n)
{
	struct fs *fs = fs_state();

	if (eval_settings.restricted && !eval_settings.pure)
		allow_search_path(fs);
	if (strmap_get(&fs->ancestors, path, n) || path_is_within(path, n, FS_PROVIDED_DIR, strlen(FS_PROVIDED_DIR)))
		return 1;
	for (; n > 1; n = path_dir_len(path, n))
		if (strmap_get(&fs->allowed, path, n))
			return 1;
	return strmap_get(&fs->allowed, "/", 1) != NULL;
}

static __attribute__((noreturn, cold)) void not_tracked(const char *name, const char *repo)
{
	struct buf hint = BUF_GC;

	buf_addf(&hint, "'git add -N %s' makes it seen", name);
	throw_error_hint(EK_IO, hint.p, "Path '%s' in the repository \"%s\" is not tracked by Git.", name, repo);
}

void fs_throw(enum fs_kind k, W path)
{
	const char *p = w_get_path(path)->b;
	const char *hidden = k == FS_MISSING ? fs_hidden_place(p, w_get_path(path)->h.n) : NULL;
	const char *rest, *repo = k == FS_MISSING ? fs_git_place(p, w_get_path(path)->h.n, &rest) : NULL;

	if (hidden && repo)
		not_tracked(rest, repo);
	if (repo)
		throw_error(EK_IO, "Path '%s' does not exist in Git repository \"%s\".", rest, repo);
	if (hidden)
		throw_error(EK_IO, "the file '%s' is not part of the flake: Mercurial does not track it", hidden);
	if (k == FS_DENIED && eval_settings.pure)
		throw_error(EK_DENIED,
			    "access to absolute path '%s' is forbidden in pure evaluation mode (use '--impure' to override)", p);
	if (k == FS_DENIED)
		throw_error(EK_DENIED, "access to absolute path '%s' is forbidden in restricted mode", p);
	if (k == FS_LOOP)
		throw_error(EK_IO, "too many symbolic links in path '%s'", p);
	if (k == FS_MISSING)
		throw_error(EK_IO, "path '%s' does not exist", p);
	throw_error(EK_IO, "cannot read path '%s': %s", p, strerror(errno));
}

/* --- where things are --- */

/* path with its first k bytes replaced by dir. */
static const char *rebase(const char *path, size_t n, size_t k, const char *dir)
{
	size_t d = strlen(dir);
	char *r = mem_bytes(mem_size(1, d, n - k + 1));

	memcpy(r, dir, d);
	memcpy(r + d, path + k, n - k);
	r[d + n - k] = 0;
	return r;
}

/* The physical name of a path below a mount or a stand-in, NULL when it is below none. */
static const char *mounted(const char *path, size_t n)
{
	struct fs *fs = fs_state();
	size_t object = fs->stand_ins.n ? object_len(path, n) : 0;
	uint64_t *v = object ? strmap_get(&fs->stand_ins, path, object) : NULL;

	if (v && fs_hidden(path, n, 1))
		return "/dev/null/hidden"; /* where nothing can be */
	if (v)
		return rebase(path, n, object, (const char *)(uintptr_t)*v);
	if (!fs->mounts.n)
		return NULL;
	for (size_t k = n; k > 1; k = path_dir_len(path, k)) {
		v = strmap_get(&fs->mounts, path, k);
		if (v)
			return rebase(path, n, k, (const char *)(uintptr_t)*v);
	}
	return NULL;
}

unsigned fs_places(W path, const char *out[2])
{
	struct box_path *p = w_get_path(path);

	if (!(out[0] = mounted(p->b, p->h.n))) {
		out[0] = p->b;
		return 1;
	}
	out[1] = p->b;
	return 2;
}

/* A symbolic link's target as a string value; W_ABSENT and errno. */
static W read_link(const char *place)
{
	char target[PATH_MAX];
	ssize_t n = readlink(place, target, sizeof target);

	return n < 0 ? W_ABSENT : w_str(target, (size_t)n, 0);
}

static W kind_at(const char *place)
{
	struct stat st;

	trail_lstat(place);
	if (lstat(place, &st))
		return errno == ENOENT || errno == ENOTDIR ? w_small(FS_MISSING) : w_small(FS_FAILED);
	if (S_ISLNK(st.st_mode)) {
		W target = read_link(place);
		if (target != W_ABSENT)
			trail_link(place, w_get_str(target)->b, w_get_str(target)->len);
		return target == W_ABSENT ? w_small(FS_FAILED) : target;
	}
	return w_small(S_ISREG(st.st_mode) ? FS_REGULAR : S_ISDIR(st.st_mode) ? FS_DIRECTORY : FS_OTHER);
}

/* What lies at a path whose directory part the kernel may resolve: a kind as an int, or a link's target. */
static W look(W path)
{
	struct fs *fs = fs_state();
	struct box_path *p = w_get_path(path);
	uint64_t *known = strmap_get(&fs->kinds, p->b, p->h.n);
	const char *place[2];

	if (known)
		return *known;
	if (fs_provided(path))
		return w_small(FS_REGULAR);
	unsigned n = fs_places(path, place);
	W k = w_small(FS_MISSING);
	for (unsigned i = 0; i < n && k == w_small(FS_MISSING); i++)
		k = kind_at(place[i]);
	if (w_is_str(k) || w_get_int(k) > FS_MISSING)
		*strmap_put(&fs->kinds, p->b, p->h.n, NULL) = k;
	return k;
}

static enum fs_kind kind_of(W found)
{
	return w_is_str(found) ? FS_SYMLINK : (enum fs_kind)w_get_int(found);
}

/* --- walking --- */

struct walk {
	struct buf done, todo; /* done has no slash at its end: "" is the root */
	size_t at;	       /* start of the next component in todo */
	int links;
};

static void step_up(struct buf *b)
{
	size_t n = b->len;

	while (n && b->p[n - 1] != '/')
		n--;
	buf_trim(b, n ? n - 1 : 0);
}

/* Puts a link's target in front of what is left to walk. */
static void follow_link(struct walk *w, const struct str *target)
{
	struct buf todo = BUF_GC;

	if (target->len && target->b[0] == '/')
		buf_trim(&w->done, 0);
	else
		step_up(&w->done);
	buf_add(&todo, target->b, target->len);
	buf_addc(&todo, '/');
	buf_add(&todo, w->todo.p + w->at, w->todo.len - w->at);
	w->todo = todo;
	w->at = 0;
}

static int at_end(const struct walk *w)
{
	for (size_t i = w->at; i < w->todo.len; i++)
		if (w->todo.p[i] != '/')
			return 0;
	return 1;
}

static W walked(const struct walk *w)
{
	return w->done.len ? w_path(w->done.p, w->done.len) : w_path("/", 1);
}

/* The component just appended to done: may it be read, is it a link? */
static enum fs_kind step_in(struct walk *w)
{
	W here = walked(w);

	if (fs_guarded() && !fs_allowed(w->done.p, w->done.len))
		return FS_DENIED;
	W found = look(here);
	if (!w_is_str(found))
		return FS_MISSING;
	if (!w->links--)
		return FS_LOOP;
	follow_link(w, w_get_str(found));
	return FS_SYMLINK;
}

W fs_walk(W path, int full, enum fs_kind *why)
{
	struct walk w = { .done = BUF_GC, .todo = BUF_GC, .links = LIMIT_LINKS };
	struct box_path *p = w_get_path(path);

	buf_add(&w.todo, p->b, p->h.n);
	while (!at_end(&w)) {
		char *start = w.todo.p + w.at, *slash = memchr(start, '/', w.todo.len - w.at);
		size_t n = slash ? (size_t)(slash - start) : w.todo.len - w.at;
		w.at += n + (slash != NULL);
		if (!n || (n == 1 && *start == '.'))
			continue;
		if (n == 2 && start[0] == '.' && start[1] == '.') {
			step_up(&w.done);
			continue;
		}
		buf_addc(&w.done, '/');
		buf_add(&w.done, start, n);
		if ((full || !at_end(&w)) && ((*why = step_in(&w)) == FS_DENIED || *why == FS_LOOP))
			return W_ABSENT;
	}
	return walked(&w);
}

/* The path to hand to look(): as it is when the kernel may resolve it. */
static W located(W path, int full, enum fs_kind *why)
{
	if (!fs_guarded() && !fs_state()->mounts.n && !fs_has_members(w_get_path(path)->b, w_get_path(path)->h.n))
		return path;
	W real = fs_walk(path, full, why);
	if (real != W_ABSENT && fs_guarded() && !fs_allowed(w_get_path(real)->b, w_get_path(real)->h.n)) {
		*why = FS_DENIED;
		return W_ABSENT;
	}
	return real;
}

enum fs_kind fs_lstat(W path)
{
	enum fs_kind why = FS_MISSING;
	W real = located(path, 0, &why);

	return real == W_ABSENT ? why : kind_of(look(real));
}

W fs_link(W path)
{
	enum fs_kind why = FS_MISSING;
	W real = located(path, 0, &why), found = real == W_ABSENT ? w_small(why) : look(real);

	if (kind_of(found) < FS_REGULAR)
		fs_throw(kind_of(found), path);
	return w_is_str(found) ? found : W_ABSENT;
}

/* Kinds of link targets are not remembered: the link itself is, and this is one call. */
static enum fs_kind stat_direct(W path)
{
	const char *place[2];
	struct stat st;

	fs_places(path, place);
	trail_stat(place[0]);
	if (stat(place[0], &st))
		return errno == ENOENT || errno == ENOTDIR ? FS_MISSING : errno == ELOOP ? FS_LOOP : FS_FAILED;
	return S_ISREG(st.st_mode) ? FS_REGULAR : S_ISDIR(st.st_mode) ? FS_DIRECTORY : FS_OTHER;
}

enum fs_kind fs_stat(W path)
{
	enum fs_kind why = FS_MISSING;
	W real = located(path, 1, &why);

	if (real == W_ABSENT)
		return why;
	enum fs_kind k = kind_of(look(real));
	return k == FS_SYMLINK ? stat_direct(real) : k;
}

W fs_resolve(W path)
{
	enum fs_kind why = FS_MISSING;
	W real = fs_walk(path, 1, &why);

	if (real == W_ABSENT)
		fs_throw(why, path);
	return real;
}

const char *fs_tree(W path)
{
	enum fs_kind why = FS_MISSING, k;
	const char *place[2];
	W real = located(path, 0, &why);

	if (real == W_ABSENT)
		fs_throw(why, path);
	struct box_path *p = w_get_path(real);
	/* A directory that only leads to something allowed must not be read whole. */
	if (fs_guarded() && strmap_get(&fs_state()->ancestors, p->b, p->h.n)) {
		size_t n = p->h.n;
		while (n > 1 && !strmap_get(&fs_state()->allowed, p->b, n))
			n = path_dir_len(p->b, n);
		if (!strmap_get(&fs_state()->allowed, p->b, n))
			fs_throw(FS_DENIED, path);
	}
	if ((k = kind_of(look(real))) < FS_REGULAR)
		fs_throw(k, path);
	unsigned n = fs_places(real, place);
	if (n == 2)
		trail_lstat(place[0]);
	return place[n == 2 && faccessat(AT_FDCWD, place[0], F_OK, AT_SYMLINK_NOFOLLOW)];
}

/* --- making paths --- */

W fs_join(W path, const char *name, size_t n)
{
	struct box_path *p = w_get_path(path);
	struct buf b = BUF_GC;

	buf_add(&b, p->b, p->h.n);
	buf_addc(&b, '/');
	buf_add(&b, name, n);
	return w_path(b.p, path_normalise(b.p, b.len, b.p));
}

W fs_user_path(const char *p, size_t n)
{
	char cwd[PATH_MAX];

	if (n && *p == '/')
		return fs_join(w_path("/", 1), p, n);
	if (!getcwd(cwd, sizeof cwd))
		throw_error(EK_IO, "cannot determine the working directory: %s", strerror(errno));
	return fs_join(w_path(cwd, strlen(cwd)), p, n);
}
