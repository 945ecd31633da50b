/* SPDX-License-Identifier: MIT
 *
 * Resolving the graph of inputs.
 *
 * The walk goes through a flake's inputs by name.  An input whose address is still the one the lock file was made for
 * keeps its locked reference without being fetched; what lies below it is then read from the lock file too.  Any other is
 * fetched, pinned, and its own inputs are walked with its own lock file.  On the way down overrides
 * (inputs.X.inputs.Y in a flake, --override-input) are collected by path; the outermost is met first and wins.
 * `follows` are kept as paths from the root and only checked at the end, since they may lead to what was not walked yet.
 *
 * A relative path is a folder of the tree its flake lies in and needs no pin of its own; the lock records whose.
 */
#include "config.h"
#include "flake/inputs_int.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "builtins/fs.h"
#include "builtins/fs_members.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/fetch_settings.h"
#include "fetch/trail.h"
#include "flake/ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where relative paths of an input start: a flake's folder.  One that is locked is fetched only when such a path is below it. */
struct origin {
	const struct flake_tree *tree; /* NULL: fetched as `locked` for `step` when it is needed */
	const char *dir;
	const struct step *step;
	const struct input *locked;
};

struct override {
	struct override *next;
	struct input_path path;
	const struct flake_input *input;
	struct origin origin;
	struct input_path parent;
	int has_parent; /* 0: from the command line */
	int used;
};

struct locking {
	const struct lock_options *o;
	struct arena *mem;
	struct override *overrides;
	struct parent {
		struct parent *up;
		const struct input *ref;
	} *parents;
	size_t inputs;
	unsigned depth;
	char *updates_used;
	int open_noted;
	int advised; /* an input cannot be fetched, and what to do about it is said */
};

/* gx:std */
static int is_library(const struct input *in)
{
	return input_where(in) == INPUT_WITH_PROGRAM;
}

static const char *path_text(const struct input_path *p)
{
	struct buf b = BUF_GC;

	input_path_add(&b, p);
	return buf_str(&b);
}

/* --- lock files on disk --- */

static struct lockfile parse_lock(struct slice text, const char *name)
{
	struct lockfile l;
	struct err e = ERR_INIT;

	if (lockfile_parse(&l, flake_arena(), text, name, &e))
		throw_err(&e);
	return l;
}

/* The lock file that the command line names in place of the flake's own. */
static struct lockfile read_reference(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b = BUF_INIT;

	if (!fetch_settings.allow_dirty)
		throw_error_hint(EK_DENIED, "allow it with --allow-dirty",
				 "the lock file '%s' is no part of what is committed, and the setting allow-dirty is off", path);
	trail_spoil("it read a lock file that the command line named");
	int rc = fd < 0 ? -1 : fd_read_all(fd, &b), error = errno;
	struct slice text = { arena_dup(flake_arena(), buf_str(&b), b.len), b.len };

	buf_release(&b);
	if (fd >= 0)
		close(fd);
	if (rc)
		throw_error(EK_IO, "cannot read the lock file '%s': %s", path, strerror(error));
	return parse_lock(text, path);
}

struct lockfile flake_lock_file(const struct flake *f)
{
	W path = flake_lock_path(f);
	struct lockfile l;

	lockfile_init(&l, flake_arena());
	if (fs_hidden(w_get_path(path)->b, w_get_path(path)->h.n, 2))
		return l;
	enum fs_kind k = fs_stat(path);
	if (k == FS_MISSING)
		return l;
	if (k < FS_REGULAR)
		fs_throw(k, path);
	const struct str *s = w_get_str(fs_read_file(path));
	/* The graph points into its text. */
	struct slice text = { arena_dup(flake_arena(), s->b, s->len), s->len };
	struct buf name = BUF_GC;
	buf_addf(&name, "%s%s/flake.lock", f->tree->place, f->dir + strlen(f->tree->store_path));
	return parse_lock(text, name.p);
}

/* --- overrides --- */

static struct override *find_override(struct locking *k, const struct input_path *p)
{
	for (struct override *v = k->overrides; v; v = v->next)
		if (!input_path_cmp(&v->path, p))
			return v;
	return NULL;
}

static struct override *add_override(struct locking *k, const struct input_path *p, const struct flake_input *in,
				     struct origin origin)
{
	struct override *v = find_override(k, p);

	if (v)
		return NULL;
	v = arena_alloc(k->mem, sizeof *v);
	*v = (struct override){ .next = k->overrides, .path = *p, .input = in, .origin = origin };
	return k->overrides = v;
}

static void add_overrides(struct locking *k, const struct flake_input *in, const struct input_path *prefix,
			  const struct input_path *parent, struct origin origin)
{
	for (size_t i = 0; i < in->noverrides; i++) {
		const struct flake_input *below = &in->overrides[i];
		struct input_path p = input_path_join(prefix, below->name, k->mem);
		struct override *v = below->has_ref || below->has_follows ? add_override(k, &p, below, origin) : NULL;
		if (v) {
			v->has_parent = 1;
			v->parent = *parent;
		}
		add_overrides(k, below, &p, parent, origin);
	}
}

static int has_input(const struct flake_input *v, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].name, name))
			return 1;
	return 0;
}

/* Names that are overridden in an input which has no such input: mostly typing mistakes. */
static void warn_unknown(struct locking *k, const struct input_path *prefix, const struct flake_input *v, size_t n)
{
	for (struct override *o = k->overrides; o; o = o->next) {
		struct input_path up = { o->path.v, o->path.n - 1 };
		struct slice last = o->path.v[o->path.n - 1];
		if (!input_path_cmp(&up, prefix) && !has_input(v, n, last) && o->has_parent)
			lock_say(k->o, "warning: input '%s' has an override for a non-existent input '%.*s'", path_text(prefix),
			    (int)last.n, last.p);
	}
}

/* --- one input --- */

/* An input on its way into the graph. */
struct step {
	const struct flake_input *in; /* what the flake or the lock file says */
	struct input_path path;
	struct lock_node *node; /* it is an input of */
	const struct lock_node *old;
	struct input ref; /* after overrides */
	struct origin origin;
	struct input_path parent; /* whose tree a relative path lies in */
	int has_parent;
	int from_user;	/* overridden on the command line */
	struct input_path follows_prefix;
};

static void walk(struct locking *k, const struct flake_input *v, size_t n, struct lock_node *node,
		 const struct input_path *prefix, const struct lock_node *old, const struct input_path *follows_prefix,
		 struct origin origin, int trusted);

/* "std" is also the library that comes with gx, whatever an input is called that means it. */
static int is_update_of(const struct input_path *update, const struct input_path *p, const struct lock_edge *edge)
{
	return !input_path_cmp(update, p) ||
	       (update->n == 1 && slice_eq(update->v[0], SLICE("std")) && edge && edge->node && is_library(&edge->node->locked));
}

static int wants_update(const struct locking *k, const struct input_path *p, const struct lock_edge *edge)
{
	for (size_t i = 0; i < k->o->nupdates; i++)
		if (is_update_of(&k->o->updates[i], p, edge))
			return 1;
	return 0;
}

/* Lock files did not say which library they mean, once. */
static int is_open(const struct locking *k, const struct lock_node *old)
{
	return is_library(&old->locked) && !input_get(&old->locked, "narHash") && (k->o->complete || k->parents->up);
}

static int wants_update_below(const struct locking *k, const struct input_path *p)
{
	for (size_t i = 0; i < k->o->nupdates; i++) {
		struct input_path head = k->o->updates[i];
		if (head.n <= p->n)
			continue;
		head.n = p->n;
		if (!input_path_cmp(&head, p))
			return 1;
	}
	return 0;
}

static struct flake *get_flake(struct step *s, const struct input *ref);

static void open_origin(struct origin *o)
{
	if (o->tree)
		return;
	struct step s = *o->step;
	struct flake *f = get_flake(&s, o->locked);
	o->tree = f->tree;
	o->dir = f->dir;
}

static __attribute__((noreturn, cold)) void leads_out(const struct step *s, const char *path)
{
	const struct origin *o = &s->origin;
	const char *to = path;
	struct buf b = BUF_GC;

	if (o->tree->work_tree) {
		buf_addf(&b, "%s%s/%s", o->tree->work_tree, o->dir + strlen(o->tree->store_path), path);
		buf_trim(&b, path_normalise(b.p, b.len, b.p));
		to = buf_str(&b);
	}
	throw_error_hint(EK_EVAL, "make both part of one git repository, or give an absolute path",
			 "the relative path '%s' of input '%s' leads out of the tree of the flake: '%s' %s", path,
			 path_text(&s->path), to,
			 eval_settings.pure ? "is forbidden in pure evaluation mode" : "does not exist there");
}

/* The folder a relative path means. */
static const char *relative_dir(struct step *s)
{
	const char *path = source_get(&s->ref, "path");
	struct buf b = BUF_GC;

	open_origin(&s->origin);
	buf_addf(&b, "%s/%s", s->origin.dir, path);
	buf_trim(&b, path_normalise(b.p, b.len, b.p));
	if (!path_is_within(b.p, b.len, s->origin.tree->store_path, strlen(s->origin.tree->store_path)))
		leads_out(s, path);
	return flake_dir(s->origin.tree, b.p, &s->ref);
}

static struct flake *get_flake(struct step *s, const struct input *ref)
{
	if (!input_is_relative(ref))
		return flake_get(ref, &s->path, s->from_user ? REGISTRY_ALL : REGISTRY_FOR_INPUTS);
	const char *dir = relative_dir(s);
	struct flake *f = flake_read(ref, s->origin.tree, dir, &s->path);
	f->locked = *ref;
	return f;
}

static struct lock_node *child_node(struct locking *k, const struct step *s, const struct input *locked,
				    const struct input *original, int is_flake)
{
	struct lock_node *n = lock_node_new(k->mem);
	struct lock_edge *edge = lock_edge_set(s->node, s->in->name, k->mem);

	n->locked = *locked;
	n->original = *original;
	n->is_flake = is_flake;
	n->has_parent = s->has_parent;
	n->parent = s->parent;
	edge->node = n;
	return n;
}

/* The inputs of a locked node as a flake would declare them; *complete is 0 when the flake must be asked. */
static struct flake_input *inputs_of_lock(struct locking *k, const struct step *s, const struct lock_node *old, int trusted,
					  int *complete)
{
	struct flake_input *v = arena_alloc(k->mem, (old->n + 1) * sizeof *v);

	*complete = 1;
	for (size_t i = 0; i < old->n; i++) {
		const struct lock_edge *edge = &old->edges[i];
		v[i] = (struct flake_input){ .name = edge->name, .is_flake = 1 };
		if (edge->node) {
			v[i].has_ref = 1;
			v[i].ref = edge->node->original;
			v[i].is_flake = edge->node->is_flake;
			continue;
		}
		struct input_path p = input_path_join(&s->path, edge->name, k->mem);
		/* Without the override it came from, what the flake itself says counts, and that is not locked. */
		if (!trusted && !find_override(k, &p))
			*complete = 0;
		v[i].has_follows = 1;
		v[i].follows = input_path_concat(&s->follows_prefix, &edge->follows, k->mem);
	}
	return v;
}

static void keep_locked(struct locking *k, struct step *s, const struct lock_node *old, int trusted)
{
	struct lock_node *child = child_node(k, s, &old->locked, &old->original, old->is_flake);
	int complete;
	struct flake_input *v = inputs_of_lock(k, s, old, trusted, &complete);

	if (complete && !wants_update_below(k, &s->path)) {
		struct origin here = { .step = s, .locked = &old->locked };
		walk(k, v, old->n, child, &s->path, old, &s->follows_prefix, here, 1);
		return;
	}
	struct flake *f = get_flake(s, &old->locked);
	child->tree = f->tree;
	walk(k, f->inputs, f->ninputs, child, &s->path, old, &s->follows_prefix, (struct origin){ .tree = f->tree, .dir = f->dir },
	     0);
}

static void lock_flake_input(struct locking *k, struct step *s, const struct input *original)
{
	struct parent here = { k->parents, &s->ref };

	/* The flake itself may be what an input is overridden with, once. */
	for (const struct parent *p = k->parents; p && p->up; p = p->up)
		if (!input_is_relative(&s->ref) && flake_ref_same(p->ref, &s->ref))
			throw_error(EK_EVAL, "the flake '%s' is an input of itself", flake_ref_text(&s->ref));
	struct flake *f = get_flake(s, &s->ref);
	source_check_counted(f->tree);
	struct lock_node *child = child_node(k, s, &f->locked, original, 1);
	struct lockfile own = flake_lock_file(f);
	child->tree = f->tree;
	k->parents = &here;
	walk(k, f->inputs, f->ninputs, child, &s->path, own.root, &s->path, (struct origin){ .tree = f->tree, .dir = f->dir }, 0);
	k->parents = here.up;
}

static void lock_tree_input(struct locking *k, struct step *s, const struct input *original)
{
	if (input_is_relative(&s->ref)) {
		W dir = w_path(relative_dir(s), strlen(relative_dir(s)));
		enum fs_kind kind = fs_stat(dir);
		if (kind < FS_REGULAR)
			fs_throw(kind, dir);
		child_node(k, s, &s->ref, original, 0)->tree = s->origin.tree;
		return;
	}
	const struct input in = registry_resolve(&s->ref, REGISTRY_FOR_INPUTS);
	const struct flake_tree *t = source_fetch(&in);
	const char *sub = source_get(&s->ref, "dir");
	struct input locked = { 0 };

	source_check_counted(t);
	input_set_all(&locked, &t->locked, k->mem);
	if (sub && *sub)
		source_set(&locked, "dir", sub);
	child_node(k, s, &locked, original, 0)->tree = t;
}

static void note_open(struct locking *k, const struct lock_node *old)
{
	if (!k->open_noted && is_library(&old->locked) && !input_get(&old->locked, "narHash")) {
		lock_say(k->o,
			 "note: the lock file does not say which 'gx:std' it means, so this gx's own is taken; 'gx flake lock' "
			 "writes it down");
		k->open_noted = 1;
	}
}

static int same_parent(const struct lock_node *old, const struct step *s)
{
	return old->has_parent == s->has_parent && (!s->has_parent || !input_path_cmp(&old->parent, &s->parent));
}

static void lock_input(struct locking *k, struct step *s, int trusted)
{
	const struct lock_edge *edge = s->old ? lock_edge_get(s->old, s->in->name) : NULL;
	const struct lock_node *old = edge && !wants_update(k, &s->path, edge) ? edge->node : NULL;

	int keep = old && !is_open(k, old) && flake_ref_means_same(&old->original, &s->ref) && same_parent(old, s) &&
		   !s->from_user && old->is_flake == s->in->is_flake;

	if (k->o->by_expression)
		source_check_allowed(keep ? &old->locked : &s->ref);
	if (keep) {
		note_open(k, old);
		keep_locked(k, s, old, trusted);
		return;
	}
	if (k->o->only_locked && !input_is_locked(&s->ref))
		throw_error_hint(EK_DENIED, "lock it with 'gx flake lock', or pass --impure",
				 "the flake input '%s' is not locked, and pure evaluation fetches nothing that is not",
				 path_text(&s->path));
	/* What the flake asked for stays in the lock: so an override lasts until the input is updated. */
	const struct input *original = &s->ref;
	if (s->from_user && s->in->has_ref)
		original = &s->in->ref;
	if (s->in->is_flake)
		lock_flake_input(k, s, original);
	else
		lock_tree_input(k, s, original);
}

static void use_name(struct locking *k, struct step *s)
{
	struct input in = { 0 };

	(void)k;
	source_set(&in, "type", "indirect");
	source_set(&in, "id", arena_dup(k->mem, s->in->name.p, s->in->name.n));
	s->ref = in;
}

struct attempt {
	struct locking *k;
	struct step *s;
	int trusted;
};

static void attempt(void *arg)
{
	struct attempt *a = arg;

	lock_input(a->k, a->s, a->trusted);
}

/* An input that is only called something. */
static int is_name(const struct input *in)
{
	const char *type = source_get(in, "type");

	return type && !strcmp(type, "indirect");
}

void input_advise(const struct input *ref, const char *name, struct failure *f)
{
	const char *text = source_stand_in(ref, name);
	struct buf b = BUF_GC;

	if (!text && is_name(ref))
		buf_addf(&b, "give its address, inputs.%s.url = \"…\"; or --override-input %s FLAKE", name, name);
	else if (!text)
		buf_addf(&b, "--override-input %s FLAKE takes another for it", name);
	f->hint = w_cstr(text ? text : buf_str(&b));
	unwind_rethrow(f);
}

/* Says what can be done about an input that cannot be fetched; about one of its own inputs, they have said it. */
static void lock_or_advise(struct locking *k, struct step *s, int trusted)
{
	struct attempt a = { k, s, trusted };
	struct failure f;

	if (unwind_run(attempt, &a, &f, TRACE_ALL))
		return;
	if (k->advised || !(f.kind == EK_IO || is_name(&s->ref)))
		unwind_rethrow(&f);
	k->advised = 1;
	input_advise(&s->ref, path_text(&s->path), &f);
}

static const char *step_note(void *arg)
{
	const struct step *s = arg;
	struct buf b = BUF_GC;

	buf_addf(&b, "while updating the flake input '%s'", path_text(&s->path));
	return b.p;
}

static void take_input(struct locking *k, struct step *s, const struct input_path *prefix, int trusted)
{
	struct override *over = find_override(k, &s->path);
	const struct flake_input *from = over ? over->input : s->in;
	struct flake_input named;

	const struct lock_edge *edge = s->old ? lock_edge_get(s->old, s->in->name) : NULL;
	for (size_t i = 0; i < k->o->nupdates; i++)
		if (is_update_of(&k->o->updates[i], &s->path, edge))
			k->updates_used[i] = 1;
	if (over) {
		over->used = 1;
		s->origin = over->origin;
		s->from_user = !over->has_parent;
	}
	if (from->has_follows) {
		lock_edge_set(s->node, s->in->name, k->mem)->follows = from->follows;
		return;
	}
	s->ref = from->ref;
	if (!from->has_ref)
		use_name(k, s);
	if (!s->in->has_ref) {
		/* For `original`: the name is what the flake said. */
		struct step by_name = *s;
		use_name(k, &by_name);
		named = *s->in;
		named.ref = by_name.ref;
		named.has_ref = 1;
		s->in = &named;
	}
	s->has_parent = input_is_relative(&s->ref) && (!over || over->has_parent);
	s->parent = over && over->has_parent ? over->parent : *prefix;
	note_push_made(step_note, s, s->in->pos);
	lock_or_advise(k, s, trusted);
	note_pop();
}

static void walk(struct locking *k, const struct flake_input *v, size_t n, struct lock_node *node,
		 const struct input_path *prefix, const struct lock_node *old, const struct input_path *follows_prefix,
		 struct origin origin, int trusted)
{
	if (++k->depth > LIMIT_FLAKE_DEPTH)
		throw_error(EK_EVAL, "inputs are nested deeper than %d: '%s'", LIMIT_FLAKE_DEPTH, path_text(prefix));
	for (size_t i = 0; i < n; i++) {
		struct input_path p = input_path_join(prefix, v[i].name, k->mem);
		add_overrides(k, &v[i], &p, prefix, origin);
	}
	warn_unknown(k, prefix, v, n);
	for (size_t i = 0; i < n; i++) {
		struct step s = { .in = &v[i], .path = input_path_join(prefix, v[i].name, k->mem), .node = node,
				  .old = old, .origin = origin, .follows_prefix = *follows_prefix };
		if (++k->inputs > LIMIT_FLAKE_INPUTS)
			throw_error(EK_EVAL, "the flake has more than %d inputs of inputs", LIMIT_FLAKE_INPUTS);
		take_input(k, &s, prefix, trusted);
	}
	k->depth--;
}

/* --- the whole --- */

static void add_user_overrides(struct locking *k, const struct flake *f)
{
	const struct origin origin = { .tree = f->tree, .dir = f->dir };

	for (size_t i = 0; i < k->o->noverrides; i++) {
		struct flake_input *in = arena_alloc(k->mem, sizeof *in);
		*in = (struct flake_input){ .is_flake = 1, .has_ref = 1, .ref = k->o->overrides[i].ref };
		add_override(k, &k->o->overrides[i].path, in, origin);
	}
}

static void warn_unused(struct locking *k)
{
	for (struct override *v = k->overrides; v; v = v->next)
		if (!v->has_parent && !v->used)
			lock_say(k->o, "warning: '--override-input %s %s' does not match any input", path_text(&v->path),
			    flake_ref_text(&v->input->ref));
	for (size_t i = 0; i < k->o->nupdates; i++)
		if (!k->updates_used[i])
			throw_error(EK_EVAL, "the flake has no input '%s' to update", path_text(&k->o->updates[i]));
}

static void note_dirty(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	if (edge->node && !input_is_locked(&edge->node->locked))
		lock_say(arg,
			 "warning: Lock file entry '%s' is unlocked: only the hash of '%s' is known, so others cannot fetch it",
			 path_text(p), flake_ref_text(&edge->node->locked));
}

/* The place where the flake says what it does about an input, or about one of an input's; NULL when others say it. */
static const struct flake_input *declared(const struct flake *f, const struct input_path *p)
{
	const struct flake_input *v = f->inputs, *in = NULL;
	size_t n = f->ninputs;

	for (size_t i = 0; i < p->n; i++) {
		size_t k = 0;
		while (k < n && !slice_eq(v[k].name, p->v[i]))
			k++;
		if (k == n)
			return NULL;
		in = &v[k];
		v = in->overrides;
		n = in->noverrides;
	}
	return in;
}

/* The inputs that can be followed. */
static void add_inputs(struct buf *b, const struct flake *f)
{
	const char *before = "the flake has ";

	for (size_t i = 0; i < f->ninputs; i++) {
		if (f->inputs[i].has_follows)
			continue;
		buf_addf(b, "%s'%.*s'", before, (int)f->inputs[i].name.n, f->inputs[i].name.p);
		before = ", ";
	}
}

static void check_follows(const struct flake *f, const struct lockfile *l)
{
	struct err e = ERR_INIT, circle = ERR_INIT;
	struct buf what = BUF_GC, names = BUF_GC;
	struct input_path bad;

	if (!lockfile_check(l, &bad, &e))
		return;
	const struct flake_input *in = declared(f, &bad);
	if (!in || !in->has_follows)
		throw_err(&e);
	if (!lockfile_find(l, &in->follows, &circle) && !circle.code && in->follows.n == 1)
		add_inputs(&names, f);
	err_release(&circle);
	buf_adds(&what, e.msg);
	err_release(&e);
	throw_hint(EK_EVAL, in->pos, 0, names.len ? names.p : NULL, "%s", what.p);
}

struct locked_flake *flake_lock_read(struct flake *f, const struct lock_options *o)
{
	struct locked_flake *lf = mem_new(sizeof *lf);
	struct locking k = { .o = o, .mem = flake_arena() };
	struct lockfile old = o->reference_file ? read_reference(o->reference_file) : flake_lock_file(f);
	const struct input_path none = { NULL, 0 };
	struct parent top = { NULL, &f->original };
	struct lock_options said = *o;

	lockfile_each(&old, note_dirty, &said);
	k.updates_used = mem_bytes(o->nupdates + 1);
	memset(k.updates_used, 0, o->nupdates + 1);
	k.parents = &top;
	lf->flake = f;
	lockfile_init(&lf->lock, k.mem);
	lf->lock.root->tree = f->tree;
	add_user_overrides(&k, f);
	walk(&k, f->inputs, f->ninputs, lf->lock.root, &none, o->recreate ? NULL : old.root, &none,
	     (struct origin){ .tree = f->tree, .dir = f->dir }, 0);
	warn_unused(&k);
	check_follows(f, &lf->lock);
	lock_write(lf, &old, o);
	return lf;
}

struct locked_flake *flake_lock(const struct input *ref, const struct lock_options *o)
{
	const struct input_path none = { NULL, 0 };
	struct flake *f = flake_get(ref, &none, REGISTRY_ALL);

	return flake_lock_read(f, o);
}
