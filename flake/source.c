/* SPDX-License-Identifier: MIT
 *
 * From references to trees.
 *
 *   path    the folder itself; its times make lastModified
 *   git     flake/source_git.c
 *   tarball, github, gitlab     flake/source_tarball.c
 *   gx      flake/source_std.c
 *   others  a tree that some store already holds, known by the hash in the lock
 *
 * The hash that a reference carries is checked here for every kind, so nothing that is locked can change behind the
 * lock.  A tree that is locked and in the store is taken from there without looking at where it came from.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/alloc.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "builtins/addpath.h"
#include "builtins/fs.h"
#include "builtins/fs_members.h"
#include "builtins/store_ops.h"
#include "eval/eval.h"
#include "fetch/large_tree.h"
#include "fetch/trail.h"
#include "fetch/tree_hash.h"
#include "flake/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A tree by the text of its reference. */
struct fetched {
	struct fetched *next;
	const char *text;
	const struct flake_tree *tree;
};

static struct {
	struct arena mem;
	struct fetched *fetched;
	struct flake_tree **lazy; /* named by their index */
	unsigned n_lazy, lazy_cap;
	int be_lazy;
} of_session;

static void end(void)
{
	free(of_session.lazy);
	arena_release(&of_session.mem);
}

const struct session_part flake_source_session[] = { { &of_session, sizeof of_session, end }, { 0 } };

struct arena *flake_arena(void)
{
	return &of_session.mem;
}

/* --- paths --- */

/* A filter that lets everything pass and looks at times. */
struct times {
	time_t latest;
	const struct fs_members_filter *members;
};

static int look_at_time(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	struct times *t = user;
	struct stat st;

	(void)n;
	(void)type;
	(void)e;
	if (!lstat(path, &st) && st.st_mtime > t->latest)
		t->latest = st.st_mtime;
	return 1;
}

const struct flake_tree *source_tree_at(const char *path, size_t n)
{
	for (const struct fetched *f = of_session.fetched; f; f = f->next)
		if (path_is_within(path, n, f->tree->store_path, strlen(f->tree->store_path)) ||
		    (f->tree->real_path && path_is_within(path, n, f->tree->real_path, strlen(f->tree->real_path))))
			return f->tree;
	return NULL;
}

const char *source_physical(const char *path)
{
	size_t n = strlen(eval_settings.store_dir);

	if (strncmp(path, eval_settings.store_dir, n) || path[n] != '/')
		return path;
	fs_allow(path, strlen(path));
	return fs_tree(w_path(path, strlen(path)));
}

static void fetch_path(const struct input *in, struct flake_tree *t)
{
	const char *path = source_get(in, "path");
	struct stat st;

	if (!path || path[0] != '/')
		throw_error(EK_EVAL, "the path '%s' is relative to nothing: only inputs of a flake may be relative",
			    path ? path : "");
	W p = fs_user_path(path, strlen(path));
	path = arena_dup(flake_arena(), w_get_path(p)->b, w_get_path(p)->h.n);
	source_set(&t->locked, "path", path);
	const struct flake_tree *whole = source_tree_at(path, strlen(path));
	if (whole && (!strcmp(whole->store_path, path) || (whole->real_path && !strcmp(whole->real_path, path)))) {
		/* What was fetched before is as much of it as counts. */
		t->place = whole->place;
		t->hash = whole->hash;
		t->members = whole->members;
		t->nmembers = whole->nmembers;
		t->on_trail = whole->on_trail;
		return;
	}
	t->place = source_physical(path);
	t->on_trail = 1;
	trail_stat(t->place);
	if (stat(t->place, &st))
		throw_error(EK_IO, "the path '%s' cannot be read: %s", path, strerror(errno));
	t->place = arena_dup(flake_arena(), t->place, strlen(t->place));
	if (t->place == path || !strcmp(t->place, path))
		t->work_tree = t->place;
}

/* --- hashing --- */

static void hash_place(struct flake_tree *t, const struct nar_filter *filter)
{
	const struct tree_question question = { .place = t->place, .filter = filter };
	struct large_tree large;
	struct hash state;
	struct err e = ERR_INIT;

	if (tree_hash_recall(&question, &state, &t->hash))
		return;
	filter = large_tree_begin(&large, strlen(t->place), filter);
	int rc = nar_hash(HASH_SHA256, AT_FDCWD, t->place, NULL, filter, &t->hash, &large.size, &e);
	tree_tell_large(&large, t->place, t->nmembers > 0);
	throw_if(rc, &e);
	tree_hash_remember(&question, &state, &t->hash);
}

static void hash_tree(struct flake_tree *t)
{
	struct times times = { 0, NULL };
	struct nar_filter look = { look_at_time, &times };
	struct trail_tree trail;
	struct stat st;
	int is_path = input_where(&t->locked) == INPUT_AT_PATH;
	const struct nar_filter *filter =
		trail_tree_begin(&trail, t->place, strlen(t->place), &look, is_path ? TRAIL_TIMES : TRAIL_ALL);

	if (!lstat(t->place, &st))
		times.latest = st.st_mtime;
	hash_place(t, filter);
	if (is_path && !input_get(&t->locked, "lastModified"))
		source_set_int(&t->locked, "lastModified", (uint64_t)times.latest);
}

static int by_name(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

struct tracked {
	const struct slice *v;
	size_t n, root_len;
};

/* Members are sorted: a file is one of them, a folder the beginning of one. */
static int is_tracked(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	struct tracked *t = user;
	struct slice rel = { path + t->root_len + 1, n - t->root_len - 1 };

	(void)e;
	for (size_t lo = slice_lower_bound(t->v, t->n, rel); lo < t->n && slice_starts(t->v[lo], rel); lo++) {
		if (t->v[lo].n == rel.n)
			return 1;
		if (t->v[lo].p[rel.n] == '/')
			return type == NAR_DIRECTORY;
	}
	return 0;
}

/* is_tracked looks them up. */
static void sort_members(struct flake_tree *t)
{
	if (t->nmembers)
		qsort((void *)(uintptr_t)t->members, t->nmembers, sizeof *t->members, by_name);
}

static void hash_members(struct flake_tree *t)
{
	struct tracked set = { t->members, t->nmembers, strlen(t->place) };
	struct nar_filter tracked = { is_tracked, &set };
	struct trail_tree trail;
	const struct nar_filter *filter = trail_tree_begin(&trail, t->place, strlen(t->place), &tracked, TRAIL_OF_INDEX);

	hash_place(t, filter);
	source_remember_hash(t);
}

/* --- store paths --- */

static void store_path_of(const struct flake_tree *t, const struct hash *h, struct store_path *out)
{
	struct err e = ERR_INIT;

	if (store_path_make_fixed(slice_of(eval_settings.store_dir), slice_of(t->name), t->method, h, NULL, 0, 0, out, &e))
		throw_err(&e);
}

static const char *store_path_text(const struct flake_tree *t, const struct hash *h)
{
	struct store_path p;
	struct buf b = BUF_GC;

	store_path_of(t, h, &p);
	store_path_add(&b, slice_of(eval_settings.store_dir), &p);
	return arena_dup(flake_arena(), b.p, b.len);
}

int source_wanted_hash(const struct input *in, struct hash *out)
{
	const char *text = source_get(in, "narHash");
	struct err e = ERR_INIT;

	if (!text || !*text)
		return 0;
	if (hash_parse(text, strlen(text), HASH_SHA256, out, NULL, &e))
		throw_err(&e);
	return 1;
}

int source_find_valid(struct flake_tree *t, const struct hash *want)
{
	struct err e = ERR_INIT;
	struct slice path;

	t->store_path = store_path_text(t, want);
	path = slice_of(t->store_path);
	fs_allow(path.p, path.n);
	if (store_ops && store_ops->is_valid_as(store_ops->user, path, t->method, want, &e) == 1) {
		const char *place = fs_tree(w_path(path.p, path.n));
		t->place = arena_dup(flake_arena(), place, strlen(place));
		t->hash = *want;
		return 1;
	}
	err_release(&e);
	return 0;
}

/* A locked tree that is in the store already. */
static int is_in_store(struct flake_tree *t)
{
	struct hash want;

	return source_wanted_hash(&t->locked, &want) && want.algo == HASH_SHA256 && source_find_valid(t, &want);
}

static void check_hash(const struct input *in, const struct flake_tree *t)
{
	char want_text[HASH_TEXT_MAX], got_text[HASH_TEXT_MAX];
	struct hash want;

	if (!source_wanted_hash(in, &want) || hash_eq(&want, &t->hash))
		return;
	hash_print(&want, HASH_SRI, 1, want_text);
	hash_print(&t->hash, HASH_SRI, 1, got_text);
	throw_error(EK_HASH, "NAR hash mismatch in input '%s', expected '%s' but got '%s'", source_text(in), want_text, got_text);
}

static void mount_at(const struct flake_tree *t, const char *path)
{
	fs_allow(path, strlen(path));
	if (!strcmp(t->place, path))
		return;
	if (t->members)
		fs_stand_in_members(path, t->place, t->members, t->nmembers);
	else
		fs_stand_in(path, t->place);
}

/* Makes the tree readable under its store path. */
void source_mount(struct flake_tree *t)
{
	t->store_path = store_path_text(t, &t->hash);
	mount_at(t, t->store_path);
}

/* --- trees that are not hashed yet --- */

static int is_lazy(const struct flake_tree *t)
{
	return t->store_path[strlen(eval_settings.store_dir) + 1] == LAZY_TREE_MARK;
}

void source_be_lazy(void)
{
	of_session.be_lazy = 1;
}

/* Makes the tree readable under a name of its own. */
static void mount_lazily(struct flake_tree *t)
{
	struct buf b = BUF_GC;

	ARRAY_GROW(of_session.lazy, of_session.n_lazy + 1, of_session.lazy_cap);
	of_session.lazy[of_session.n_lazy] = t;
	buf_addf(&b, "%s/%c%0*u-%s", eval_settings.store_dir, LAZY_TREE_MARK, LAZY_TREE_NAME - 1, of_session.n_lazy++, t->name);
	t->store_path = arena_dup(flake_arena(), b.p, b.len);
	mount_at(t, t->store_path);
}

static void hash_now(struct flake_tree *t)
{
	char sri[HASH_TEXT_MAX];

	if (t->members)
		sort_members(t);
	if (t->members && !source_recall_hash(t))
		hash_members(t);
	else if (!t->hash.algo)
		hash_tree(t);
	hash_print(&t->hash, HASH_SRI, 1, sri);
	source_set(&t->locked, "narHash", sri);
}

void source_complete(const struct flake_tree *tree)
{
	struct flake_tree *t = (struct flake_tree *)(uintptr_t)tree; /* made by fetch */

	if (!is_lazy(t) || t->real_path)
		return;
	hash_now(t);
	t->real_path = store_path_text(t, &t->hash);
	mount_at(t, t->real_path);
}

/* Does it need no quoting, whatever text it comes into? */
static int is_plain(const char *place)
{
	for (; *place; place++)
		if ((unsigned char)*place < ' ' || *place == 0x7f || *place == '"' || *place == '\\')
			return 0;
	return 1;
}

void source_show_places(struct buf *text)
{
	for (unsigned i = 0; i < of_session.n_lazy && text->len; i++) {
		const struct flake_tree *t = of_session.lazy[i];
		size_t n = strlen(t->store_path);
		struct buf out = BUF_INIT;
		const char *p = text->p, *end = p + text->len, *hit;

		if (!is_plain(t->place) || !memmem(p, text->len, t->store_path, n))
			continue;
		for (; (hit = memmem(p, (size_t)(end - p), t->store_path, n)); p = hit + n) {
			buf_add(&out, p, (size_t)(hit - p));
			buf_adds(&out, t->place);
		}
		buf_add(&out, p, (size_t)(end - p));
		buf_release(text);
		*text = out;
	}
}

W source_real_path(W path)
{
	const struct box_path *p = w_get_path(path);
	size_t dir = strlen(eval_settings.store_dir) + 1;
	unsigned long i = strtoul(p->b + dir + 1, NULL, 10);
	struct buf b = BUF_GC;

	if (i >= of_session.n_lazy)
		throw_error(EK_IO, "path '%s' does not exist", p->b);
	source_complete(of_session.lazy[i]);
	buf_adds(&b, of_session.lazy[i]->real_path);
	buf_adds(&b, p->b + strlen(of_session.lazy[i]->store_path));
	return w_path(b.p, b.len);
}

/* --- the whole --- */

const char *source_stand_in(const struct input *in, const char *name)
{
	const char *repo = source_get(in, "repo");
	struct buf b = BUF_GC;

	repo = repo ? repo : source_get(in, "id");
	if (!repo || (strcmp(repo, "nixpkgs") && strcmp(repo, "flake-utils")))
		return NULL;
	buf_adds(&b, "'gx:std' can stand in for it: ");
	if (name)
		buf_addf(&b, "gx flake lock --override-input %s gx:std", name);
	else
		buf_adds(&b, "builtins.getFlake \"gx:std\"");
	return b.p;
}

/* What a name means is what there is. */
static void fetch_indirect(const struct input *in, struct flake_tree *t)
{
	const struct input to = registry_resolve(in, REGISTRY_FOR_INPUTS);

	*t = *source_fetch(&to);
}

/* Fills the last column of the table of kinds (fetch/input.c). */
static void set_fetch(void)
{
	static const struct {
		const char *type;
		input_fetch_fn *fetch;
	} kinds[] = { { "file", source_one_file },    { "git", source_git },  { "github", source_forge },
		      { "gitlab", source_forge },     { "gx", source_std },   { "hg", source_hg },
		      { "indirect", fetch_indirect }, { "path", fetch_path }, { "sourcehut", source_forge },
		      { "tarball", source_tarball } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		input_set_fetch(kinds[i].type, kinds[i].fetch);
}

/* What would change the tree or its path if it were done. */
static void refuse_unknown(const struct input *in)
{
	const struct input_attr *unpack = input_get(in, "unpack");

	if (unpack && unpack->type == INPUT_BOOL && !unpack->i)
		throw_error(EK_EVAL, "'%s' cannot be fetched without unpacking it", source_text(in));
}

struct fetching {
	input_fetch_fn *kind;
	const struct input *in;
	struct flake_tree *t;
};

static void run_fetch(void *arg)
{
	struct fetching *f = arg;

	f->kind(f->in, f->t);
}

static void fetch_kind(const struct input *in, struct flake_tree *t)
{
	input_fetch_fn *kind;

	refuse_unknown(in);

	set_fetch();
	kind = input_fetch(in);
	if (!kind)
		throw_error(EK_IO, "cannot fetch '%s': inputs of type '%s' %s", source_text(in), source_get(in, "type"),
			    eval_settings.offline ? "need the network, and --offline was given" : "cannot be fetched yet");
	struct fetching f = { kind, in, t };
	struct failure failure;
	if (unwind_run(run_fetch, &f, &failure, TRACE_ALL))
		return;
	/* Next time it may be there. */
	trail_spoil("what it fetches could not be fetched");
	if (failure.kind == EK_IO && failure.hint == W_NULL && source_stand_in(in, NULL))
		failure.hint = w_cstr(source_stand_in(in, NULL));
	unwind_rethrow(&failure);
}

struct flake_tree *source_new(const char *name)
{
	struct flake_tree *t = arena_alloc(flake_arena(), sizeof *t);
	struct err e = ERR_INIT;

	if (store_name_check(slice_of(name), &e)) {
		err_prefix(&e, "a source cannot be called '%s'", name);
		throw_err(&e);
	}
	*t = (struct flake_tree){ .name = name, .method = CA_NAR };
	return t;
}

/* The reference without what only names a place inside its tree. */
static struct input without_dir(const struct input *in)
{
	struct input r = { 0 };

	for (size_t i = 0; i < in->n; i++)
		if (!slice_eq(in->a[i].name, SLICE("dir")))
			input_set(&r, &in->a[i], flake_arena());
	return r;
}

/* What an evaluation that reads the tree depends on. */
static void note_tree(const struct input *in, const struct flake_tree *t)
{
	if (t->on_trail)
		return;
	if (input_is_locked(in))
		trail_fixed(t->place);
	else
		trail_spoil("it fetched what is not locked");
}

static const struct flake_tree *fetch(const struct input *in, int lazily)
{
	const char *name = input_where(in) == INPUT_WITH_PROGRAM ? NULL : source_get(in, "name");
	struct flake_tree *t = source_new(name ? name : "source");
	struct input own = { 0 };
	struct hash want;
	struct err e = ERR_INIT;

	input_set_all(&own, in, flake_arena());
	if (input_check(&own, flake_arena(), &e))
		throw_err(&e);
	input_set_all(&t->locked, &own, flake_arena());
	/* What comes along looks for itself first. */
	if (input_where(in) != INPUT_WITH_PROGRAM && is_in_store(t)) {
		note_tree(in, t);
		source_mount(t);
		return t;
	}
	fetch_kind(&own, t);
	note_tree(in, t);
	if (lazily && t->on_trail && !t->hash.algo && !source_wanted_hash(in, &want)) {
		mount_lazily(t);
		return t;
	}
	hash_now(t);
	check_hash(in, t);
	source_mount(t);
	return t;
}

const struct flake_tree *source_known(const char *key)
{
	for (const struct fetched *f = of_session.fetched; f; f = f->next)
		if (!strcmp(f->text, key))
			return f->tree;
	return NULL;
}

void source_know(const char *key, const struct flake_tree *t)
{
	struct fetched *f = arena_alloc(flake_arena(), sizeof *f);

	*f = (struct fetched){ of_session.fetched, arena_dup(flake_arena(), key, strlen(key)), t };
	of_session.fetched = f;
}

static const struct flake_tree *known_or_fetched(const struct input *given, int lazily)
{
	const struct input in = without_dir(given);
	const char *text = source_text(&in);
	struct arena *mem = flake_arena();
	/* References that do not show a hash may still carry one, and a file is shown as an archive is: both are part of the name
	 * here. */
	const char *hash = source_get(&in, "narHash"), *type = source_get(&in, "type");
	size_t room = strlen(text) + (hash ? strlen(hash) : 0) + strlen(type) + 3;
	char *key = arena_alloc(mem, room);

	snprintf(key, room, "%s %s %s", type, text, hash ? hash : "");
	const struct flake_tree *t = source_known(key);
	if (!t)
		source_know(key, t = fetch(&in, lazily));
	return t;
}

const struct flake_tree *source_fetch(const struct input *in)
{
	const struct flake_tree *t = known_or_fetched(in, 0);

	source_complete(t);
	return t;
}

const struct flake_tree *source_fetch_lazily(const struct input *in)
{
	return of_session.be_lazy ? known_or_fetched(in, 1) : source_fetch(in);
}

void source_forget(const struct flake_tree *t)
{
	for (struct fetched **f = &of_session.fetched; *f;)
		if ((*f)->tree == t)
			*f = (*f)->next;
		else
			f = &(*f)->next;
}

/* --- as values --- */

static int copy_filter(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	return is_tracked(user, path, n, type, e);
}

static void out_path_again(void *tree)
{
	source_out_path(tree);
}

W source_out_path(const struct flake_tree *t)
{
	const struct store_ops *ops = store_ops_writing();
	struct tracked set = { t->members, t->nmembers, strlen(t->place) };
	const struct nar_filter tracked = { copy_filter, &set };
	struct store_path p;
	struct err e = ERR_INIT;

	source_complete(t);
	struct slice path = slice_of(t->real_path ? t->real_path : t->store_path);
	store_path_of(t, &t->hash, &p);
	if (ops) {
		int there = ops->is_valid_as(ops->user, path, t->method, &t->hash, &e);
		if (!there)
			there = ops->add_tree(ops->user, path, t->place, t->method, &t->hash,
					      t->members ? &tracked : NULL, NULL, 0, &e);
		if (there < 0)
			throw_err(&e);
	}
	store_ops_later(out_path_again, (void *)(uintptr_t)t);
	return store_path_string(&p);
}

static W out_path_later(W tree, W unused)
{
	(void)unused;
	return source_out_path((const struct flake_tree *)(intptr_t)w_get_int(tree));
}

static void add_string(struct attrs_builder *b, const char *name, const char *s)
{
	if (s)
		attrs_add_c(b, name, w_cstr(s));
}

static W date_of(int64_t seconds)
{
	time_t at = (time_t)seconds;
	char text[32];
	struct tm tm;

	if (!gmtime_r(&at, &tm))
		return W_ABSENT;
	strftime(text, sizeof text, "%Y%m%d%H%M%S", &tm);
	return w_cstr(text);
}

static const struct flake_tree *tree_of(W tree)
{
	const struct flake_tree *t = (const struct flake_tree *)(intptr_t)w_get_int(tree);

	source_complete(t);
	return t;
}

static W hash_later(W tree, W unused)
{
	char sri[HASH_TEXT_MAX];

	(void)unused;
	hash_print(&tree_of(tree)->hash, HASH_SRI, 1, sri);
	return w_cstr(sri);
}

static W time_later(W tree, W date)
{
	int64_t at = (int64_t)input_get(&tree_of(tree)->locked, "lastModified")->i;

	return date == W_TRUE ? date_of(at) : w_int(at);
}

static void add_times(struct attrs_builder *b, const struct flake_tree *t)
{
	const struct input_attr *a = input_get(&t->locked, "lastModified");
	W tree = w_int((intptr_t)t);

	/* The newest file of a folder that was not looked through. */
	if (!a && is_lazy(t)) {
		attrs_add_c(b, "lastModified", lazy_native(time_later, tree, W_FALSE));
		attrs_add_c(b, "lastModifiedDate", lazy_native(time_later, tree, W_TRUE));
		return;
	}
	W date = a && a->type == INPUT_INT ? date_of((int64_t)a->i) : W_ABSENT;
	if (date == W_ABSENT)
		return;
	attrs_add_c(b, "lastModified", w_int((int64_t)a->i));
	attrs_add_c(b, "lastModifiedDate", date);
}

void source_check_counted(const struct flake_tree *t)
{
	if (t->uncounted)
		throw_error_hint(EK_EVAL,
				 "with 'shallow = true' nobody asks for it, in an address '?shallow=1'; 'git fetch --unshallow' "
				 "brings the rest",
				 "%s", t->uncounted);
}

static W no_count(W tree, W unused)
{
	(void)unused;
	source_check_counted((const struct flake_tree *)(intptr_t)w_get_int(tree));
	return W_NULL;
}

W source_info(const struct flake_tree *t, int without_rev)
{
	const struct input_attr *count = input_get(&t->locked, "revCount"), *sub = input_get(&t->locked, "submodules");
	const char *rev = source_get(&t->locked, "rev");
	struct attrs_builder b;

	if (t->note_state)
		t->note_state(t);
	attrs_builder_init(&b, 12);
	attrs_add_c(&b, "outPath", lazy_native(out_path_later, w_int((intptr_t)t), W_NULL));
	attrs_add_c(&b, "narHash", lazy_native(hash_later, w_int((intptr_t)t), W_NULL));
	if (!strcmp(source_get(&t->locked, "type"), "git"))
		attrs_add_c(&b, "submodules", W_BOOL(sub && sub->i));
	if (rev && !without_rev) {
		add_string(&b, "rev", rev);
		attrs_add_c(&b, "shortRev", w_str(rev, strnlen(rev, 7), 0));
	}
	if (count && count->type == INPUT_INT && !without_rev)
		attrs_add_c(&b, "revCount", w_int((int64_t)count->i));
	else if (t->uncounted && !without_rev)
		attrs_add_c(&b, "revCount", lazy_native(no_count, w_int((intptr_t)t), W_NULL));
	add_string(&b, "dirtyRev", source_get(&t->locked, "dirtyRev"));
	add_string(&b, "dirtyShortRev", source_get(&t->locked, "dirtyShortRev"));
	add_times(&b, t);
	return attrs_finish(&b);
}
