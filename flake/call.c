/* SPDX-License-Identifier: MIT
 *
 * Calling a flake.
 *
 * Each node of the lock file is one value, made when something looks at it: an input that is never used is neither fetched
 * nor read.  A node's value is `outputs // sourceInfo // { … }`, where outputs is the flake's function called with its
 * inputs and itself.
 *
 * The path of a file in a flake is below its store path although nothing was copied: flake/source.h.
 */
#include "config.h"
#include "flake/call.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "base/suggest.h"
#include "builtins/fs.h"
#include "eval/compare.h"
#include "eval/eval.h"
#include "flake/ref.h"

#include <string.h>

/* A node being called; lives as long as something may force it. */
struct called {
	const struct locked_flake *lf;
	struct lock_node *node;
	W value;    /* thunk of what dependents see */
	W info;	    /* sourceInfo; 0: not made yet */
	W outputs;  /* thunk; 0: the same */
	W inputs;
	const char *dir; /* logical folder; NULL: not known yet */
	const char *below; /* what outPath has behind the tree's: a relative path as it was written, dots and all */
	const struct flake_tree *tree;
	struct called *above; /* whose tree a relative one is in */
};

static struct called *called_of(W w)
{
	return (struct called *)(intptr_t)w_get_int(w);
}

static W w_of(const void *p)
{
	return w_int((intptr_t)p);
}

/* The words that name calls are integers, which the collector does not follow: it finds them in the registry. */
static struct called *new_call(const struct locked_flake *lf, struct lock_node *node)
{
	struct called *c = mem_new(sizeof *c);

	c->lf = lf;
	c->node = node;
	return c;
}

static struct called *call_of_node(const struct locked_flake *lf, struct lock_node *node);

/* --- where a node lies --- */

static __attribute__((noreturn, cold)) void no_node(const struct input_path *p)
{
	struct buf b = BUF_GC;

	input_path_add(&b, p);
	throw_error(EK_EVAL, "the lock file refers to the input '%s', which it lacks", buf_str(&b));
}

static struct lock_node *follow(const struct locked_flake *lf, const struct input_path *p)
{
	struct err e = ERR_INIT;
	struct lock_node *n = lockfile_find(&lf->lock, p, &e);

	if (!n && e.code)
		throw_err(&e);
	if (!n)
		no_node(p);
	return n;
}

static void locate(struct called *c);

static void locate_relative(struct called *c)
{
	struct lock_node *up = c->node->has_parent ? follow(c->lf, &c->node->parent) : c->lf->lock.root;
	struct called *parent = call_of_node(c->lf, up);
	struct buf b = BUF_GC;

	locate(parent);
	buf_addf(&b, "%s/%s", parent->dir, source_get(&c->node->locked, "path"));
	buf_trim(&b, path_normalise(b.p, b.len, b.p));
	c->tree = parent->tree;
	c->dir = flake_dir(c->tree, b.p, &c->node->locked);
	c->above = parent;
	struct buf below = BUF_GC;
	const char *path = source_get(&c->node->locked, "path"), *sub = source_get(&c->node->locked, "dir");
	buf_addf(&below, "%s%s%s%s%s", parent->below, *path ? "/" : "", path, sub && *sub ? "/" : "", sub ? sub : "");
	c->below = below.p;
}

/* A locked input being fetched, and its path in the graph. */
struct fetching {
	const struct called *c;
	const struct flake_tree *tree;
	struct buf name;
};

static void name_node(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct fetching *f = arg;

	if (edge->node == f->c->node && !f->name.len)
		input_path_add(&f->name, p);
}

static const char *fetch_note(void *arg)
{
	struct fetching *f = arg;
	struct buf b = BUF_GC;

	lockfile_each(&f->c->lf->lock, name_node, f);
	buf_addf(&b, "while fetching the flake input '%s'", buf_str(&f->name));
	return b.p;
}

/* Where the flake itself names the input; 0 for one of another flake. */
static uint32_t input_pos(const struct called *c)
{
	const struct lock_node *root = c->lf->lock.root;
	const struct flake *f = c->lf->flake;

	for (size_t i = 0; i < root->n; i++)
		for (size_t k = 0; root->edges[i].node == c->node && k < f->ninputs; k++)
			if (slice_eq(f->inputs[k].name, root->edges[i].name))
				return f->inputs[k].pos;
	return 0;
}

static void fetch_node(void *arg)
{
	struct fetching *f = arg;

	f->tree = source_fetch(&f->c->node->locked);
}

/* What is there is another thing than what was locked. */
static __attribute__((noreturn)) void advise_update(const char *name, struct failure *f)
{
	struct buf b = BUF_GC;

	buf_addf(&b, "if the change is meant, 'gx flake update %s' locks what is there now", name);
	if (f->hint == W_NULL)
		f->hint = w_cstr(b.p);
	unwind_rethrow(f);
}

static const struct flake_tree *fetch_locked(const struct called *c)
{
	struct fetching f = { c, NULL, BUF_GC };
	struct failure failure;

	note_push_made(fetch_note, &f, input_pos(c));
	if (!unwind_run(fetch_node, &f, &failure, TRACE_ALL)) {
		if (failure.kind != EK_IO && failure.kind != EK_HASH)
			unwind_rethrow(&failure);
		if (!f.name.len)
			lockfile_each(&c->lf->lock, name_node, &f);
		if (failure.kind == EK_HASH)
			advise_update(buf_str(&f.name), &failure);
		input_advise(&c->node->original, buf_str(&f.name), &failure);
	}
	note_pop();
	return f.tree;
}

/* Finds, and fetches if need be, the tree of a node. */
static void locate(struct called *c)
{
	int is_root = c->node == c->lf->lock.root;

	if (c->dir)
		return;
	if (!is_root && input_is_relative(&c->node->locked)) {
		locate_relative(c);
		return;
	}
	c->tree = c->node->tree ? c->node->tree : fetch_locked(c);
	c->dir = is_root ? c->lf->flake->dir : flake_dir(c->tree, c->tree->store_path, &c->node->locked);
	c->below = c->dir + strlen(c->tree->store_path);
}

/* --- values --- */

/* Asking for it is what makes a commit part of what is evaluated. */
static W info_of(struct called *c)
{
	if (c->above)
		return info_of(c->above);
	if (!c->info)
		c->info = source_info(c->tree, c->node == c->lf->lock.root && c->lf->changed);
	return c->info;
}

static W out_path(W call, W unused)
{
	struct called *c = called_of(call);
	struct buf b = BUF_GC;

	(void)unused;
	W root = source_out_path(c->tree);
	buf_add(&b, w_get_str(root)->b, w_get_str(root)->len);
	buf_adds(&b, c->below);
	return w_str(b.p, b.len, w_get_str(root)->ctx);
}

static W inputs_set(struct called *c)
{
	struct attrs_builder b;

	attrs_builder_init(&b, c->node->n);
	for (size_t i = 0; i < c->node->n; i++) {
		const struct lock_edge *edge = &c->node->edges[i];
		struct lock_node *n = edge->node ? edge->node : follow(c->lf, &edge->follows);
		attrs_add(&b, sym_intern(edge->name.p, edge->name.n), 0, call_of_node(c->lf, n)->value);
	}
	return attrs_finish(&b);
}

static W read_outputs(W dir)
{
	W gx = fs_join(dir, "flake.gx", 8), file = fs_stat(gx) >= FS_REGULAR ? gx : fs_join(dir, "flake.nix", 9);
	W flake = want_attrs(fs_import(file), "the flake");

	W f = force(want_attr(flake, "outputs", "the flake"));
	if (!w_is_function(f))
		throw_error(EK_EVAL, "'outputs' of the flake '%s' is not a function", w_get_path(file)->b);
	return f;
}

/* The arguments that a function names. */
struct named {
	W args;
	uint32_t pos, found;
};

static void find_argument(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct named *n = arg;

	(void)has_default;
	n->pos = n->pos ? n->pos : pos;
	n->found += attrs_find(n->args, name) != NULL;
}

/* Somebody added an input, and not to the arguments: told where they stand. */
static void check_arguments(W fn, W args)
{
	struct named n = { args, 0, 0 };
	struct attrs *a = attrs_of(args);
	int ellipsis;

	if (!function_formals(fn, find_argument, &n, &ellipsis) || ellipsis || n.found == a->n)
		return;
	struct buf b = BUF_GC;
	buf_adds(&b, "it gets self and all inputs: write {");
	for (uint32_t i = 0; i < a->n; i++)
		buf_addf(&b, "%s %s", i ? "," : "", sym_name(a->sh->sym[attrs_order(a)[i]])->b);
	buf_adds(&b, " }: or end the list with '...'");
	throw_hint(EK_EVAL, n.pos, 0, buf_str(&b), "'outputs' does not take every input of the flake");
}

static W call_outputs(W call, W inputs)
{
	struct called *c = called_of(call);
	struct attrs_builder b;

	W fn = read_outputs(w_path(c->dir, strlen(c->dir)));
	attrs_builder_init(&b, 1);
	attrs_add_c(&b, "self", c->value);
	W args = attrs_update(inputs, attrs_finish(&b));
	check_arguments(fn, args);
	W outputs = force(call1(fn, args));
	if (w_is_function(outputs))
		throw_error_hint(EK_EVAL, "it takes one set: outputs = { self, nixpkgs }: { … };",
				 "'outputs' of the flake is a function that returns a function");
	return outputs;
}

static W outputs_of(struct called *c)
{
	if (!c->outputs) {
		c->inputs = inputs_set(c);
		c->outputs = lazy_native(call_outputs, w_of(c), c->inputs);
	}
	return c->outputs;
}

static W flake_value(struct called *c)
{
	struct attrs_builder b;

	outputs_of(c);
	attrs_builder_init(&b, 5);
	attrs_add_c(&b, "outPath", lazy_native(out_path, w_of(c), W_NULL));
	attrs_add_c(&b, "inputs", c->inputs);
	attrs_add_c(&b, "outputs", c->outputs);
	attrs_add_c(&b, "sourceInfo", info_of(c));
	attrs_add_c(&b, "_type", w_cstr("flake"));
	W own = attrs_finish(&b);
	W outputs = want_attrs(force(c->outputs), "the outputs of a flake");
	return attrs_update(attrs_update(outputs, info_of(c)), own);
}

static W node_value(W call, W unused)
{
	struct called *c = called_of(call);
	struct attrs_builder b;

	(void)unused;
	locate(c);
	if (c->node->is_flake)
		return flake_value(c);
	attrs_builder_init(&b, 2);
	attrs_add_c(&b, "outPath", lazy_native(out_path, w_of(c), W_NULL));
	attrs_add_c(&b, "sourceInfo", info_of(c));
	return attrs_update(info_of(c), attrs_finish(&b));
}

/* The calls of all flakes, found by node. A root block. */
static struct registry {
	struct called **v;
	size_t n, cap;
} *registry;

static void end(void)
{
	mem_free(registry);
}

const struct session_part flake_call_session[] = { { &registry, sizeof registry, end }, { 0 } };

static struct called *call_of_node(const struct locked_flake *lf, struct lock_node *node)
{
	if (!registry)
		registry = mem_root(sizeof *registry);
	/* mark is free here: it holds the index and one. */
	size_t at = (size_t)node->mark;
	if (at && at <= registry->n && registry->v[at - 1]->node == node && registry->v[at - 1]->lf == lf)
		return registry->v[at - 1];
	MEM_GROW(registry->v, registry->n + 1, registry->cap);
	struct called *c = registry->v[registry->n++] = new_call(lf, node);
	node->mark = (int)registry->n;
	c->value = lazy_native(node_value, w_of(c), W_NULL);
	return c;
}

W flake_call(const struct locked_flake *lf)
{
	return call_of_node(lf, lf->lock.root)->value;
}

W flake_root_outputs(const struct locked_flake *lf)
{
	struct called *c = call_of_node(lf, lf->lock.root);

	locate(c);
	return want_attrs(force(outputs_of(c)), "the outputs of a flake");
}

W flake_outputs(W flake)
{
	return force(want_attr(want_attrs(flake, "a flake"), "outputs", "the flake"));
}

/* --- selecting --- */

/* The value at a path when all of it is there, else W_ABSENT.  *at receives what was found. */
static W find_path(W root, const char *path, struct attr_place *at)
{
	W w = root;

	*at = (struct attr_place){ path, 0 };
	while (*path) {
		struct buf name = BUF_GC;
		if (*path == '"') {
			for (path++; *path && *path != '"'; path++)
				buf_addc(&name, *path);
			path += *path == '"';
		} else {
			size_t n = strcspn(path, ".");
			buf_add(&name, path, n);
			path += n;
		}
		if (*path == '.')
			path++;
		w = force(w);
		uint32_t pos = 0;
		sym_t s = sym_find(buf_str(&name), name.len);
		W *slot = s && W_TAG(w) == TAG_ATTRS ? attrs_find_pos(w, s, &pos) : NULL;
		if (!slot)
			return W_ABSENT;
		at->pos = pos ? pos : at->pos;
		w = *slot;
	}
	return w;
}

const char *flake_prefix(enum flake_want want, unsigned i)
{
	static const char *const prefixes[4][4] = { { "packages", "legacyPackages", NULL, NULL },
						    { "devShells", "packages", "legacyPackages", NULL },
						    { "apps", "packages", "legacyPackages", NULL },
						    { "bundlers", NULL, NULL, NULL } };
	return i < 4 ? prefixes[want][i] : NULL;
}

static const char *candidate(unsigned i, enum flake_want want, const char *attr)
{
	/* A set of shells that is called as one was in the beginning is taken for what it is. */
	static const char *const defaults[4][5] = { { "packages.%s.default", "defaultPackage.%s", NULL, NULL, NULL },
						    { "devShells.%s.default", "devShell.%s.default", "devShell.%s",
						      "packages.%s.default", "defaultPackage.%s" },
						    { "apps.%s.default", "defaultApp.%s", "packages.%s.default",
						      "defaultPackage.%s", NULL },
						    { "bundlers.%s.default", "defaultBundler.%s", NULL, NULL, NULL } };
	const char *form = i < 5 ? defaults[want][i] : NULL;
	struct buf b = BUF_GC;

	if (*attr && flake_prefix(want, i)) {
		buf_addf(&b, "%s.%s.%s", flake_prefix(want, i), eval_settings.system, attr);
		return b.p;
	}
	if (*attr)
		return i && flake_prefix(want, i - 1) ? attr : NULL;
	if (!form)
		return NULL;
	size_t n = (size_t)(strchr(form, '%') - form);
	buf_add(&b, form, n);
	buf_adds(&b, eval_settings.system);
	buf_adds(&b, form + n + 2);
	return b.p;
}

/* The sets in which a name is looked for, with what is in them. */
static const struct { enum flake_want want; const char *set, *kind, *verb; } kinds[] = {
	{ FLAKE_WANT_PACKAGE, "packages", "package", "gx build" },
	{ FLAKE_WANT_SHELL, "devShells", "development shell", "gx develop" },
	{ FLAKE_WANT_APP, "apps", "app", "gx run" },
	{ FLAKE_WANT_BUNDLER, "bundlers", "bundler", "gx bundle --bundler" },
};

/* outputs.SET.SYSTEM as far as it is a set, W_ABSENT else. */
static W names_in(W outputs, const char *set, const char *system)
{
	struct buf b = BUF_GC;
	struct attr_place at;

	buf_addf(&b, "%s%s%s", set, *system ? "." : "", system);
	W w = find_path(outputs, b.p, &at);
	if (w == W_ABSENT)
		return w;
	w = force(w);
	return W_TAG(w) == TAG_ATTRS ? w : W_ABSENT;
}

static void offer(struct suggest *near, W set)
{
	if (set == W_ABSENT)
		return;
	struct attrs *a = attrs_of(set);
	for (uint32_t i = 0; i < a->n; i++)
		suggest_offer(near, sym_name(a->sh->sym[i])->b, sym_name(a->sh->sym[i])->len);
}

/* The systems that have the name in a set, but for this one. */
static int add_systems(struct buf *b, W outputs, const char *set, const char *attr)
{
	W all = names_in(outputs, set, "");
	int n = 0;

	if (all == W_ABSENT)
		return 0;
	struct attrs *a = attrs_of(all);
	const uint32_t *order = attrs_order(a);
	for (uint32_t i = 0; i < a->n; i++) {
		const char *system = sym_name(a->sh->sym[order[i]])->b;
		W w = names_in(outputs, set, system);
		if (w != W_ABSENT && attrs_find_c(w, attr))
			buf_addf(b, "%s%s", n++ ? ", " : "it is there for ", system);
	}
	if (n)
		buf_addf(b, "%s; this is %s", n == 1 ? " only" : "", eval_settings.system);
	return n;
}

struct looked {
	W outputs;
	enum flake_want want;
	const char *attr, *flake;
	struct buf hint;
};

/* The reference without what it asks for. */
static const char *flake_part(const char *ref)
{
	return *ref && *ref != '#' ? arena_dup(flake_arena(), ref, strcspn(ref, "#")) : ".";
}

/* What another verb would find under the name. */
static void add_other_kind(struct buf *b, const struct looked *l)
{
	W outputs = l->outputs;
	enum flake_want want = l->want;
	const char *attr = l->attr;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !b->len; i++) {
		W w = kinds[i].want == want ? W_ABSENT : names_in(outputs, kinds[i].set, eval_settings.system);
		if (w != W_ABSENT && attrs_find_c(w, attr))
			buf_addf(b, "there is the %s '%s': %s '%s#%s'", kinds[i].kind, attr, kinds[i].verb, l->flake, attr);
	}
}

/* Outputs that are not where they belong: packages.NAME, packages.SYSTEM itself, or under a name that is none. */
static void add_wrong_place(struct buf *b, const struct looked *l)
{
	const char *set = kinds[l->want].set;
	W here = names_in(l->outputs, set, eval_settings.system), all = names_in(l->outputs, set, "");
	struct suggest near;

	if (here != W_ABSENT && value_is_derivation(here))
		buf_addf(b, "%s.%s is one itself: it is a set of them, as in %s.%s.%s", set, eval_settings.system, set,
			 eval_settings.system, l->attr);
	else if (all != W_ABSENT && attrs_find_c(all, l->attr))
		buf_addf(b, "%s.%s says for no system: it is written %s.%s.%s", set, l->attr, set, eval_settings.system, l->attr);
	if (b->len || all != W_ABSENT || W_TAG(force(l->outputs)) != TAG_ATTRS)
		return;
	suggest_init(&near, set, strlen(set));
	offer(&near, force(l->outputs));
	if (near.best)
		buf_addf(b, "the flake has '%.*s'; did you mean '%s'?", (int)near.best_len, near.best, set);
}

/* What there is instead of a default. */
static void add_names(struct buf *b, W set)
{
	enum { SHOWN = 6 };
	struct attrs *a = set == W_ABSENT ? NULL : attrs_of(set);

	for (uint32_t i = 0; a && i < a->n && i < SHOWN; i++)
		buf_addf(b, "%s'%s'", i ? ", " : "it has ", sym_name(a->sh->sym[attrs_order(a)[i]])->b);
	if (a && a->n > SHOWN)
		buf_adds(b, ", …");
}

/* Where else the name is, or one like it.  Only a hint: what fails here is no error. */
static void look_around(void *arg)
{
	struct looked *l = arg;
	struct suggest near;

	if (add_systems(&l->hint, l->outputs, kinds[l->want].set, l->attr))
		return;
	add_other_kind(&l->hint, l);
	if (!l->hint.len)
		add_wrong_place(&l->hint, l);
	if (l->hint.len)
		return;
	suggest_init(&near, l->attr, strlen(l->attr));
	offer(&near, names_in(l->outputs, kinds[l->want].set, eval_settings.system));
	offer(&near, names_in(l->outputs, "packages", eval_settings.system));
	if (near.best)
		suggest_ask(&near, &l->hint);
	else
		add_names(&l->hint, names_in(l->outputs, kinds[l->want].set, eval_settings.system));
}

/* Where it was looked for: 'a', 'b' or 'c'. */
static const char *candidates(enum flake_want want, const char *attr)
{
	struct buf b = BUF_GC;
	const char *path;

	for (unsigned i = 0; (path = candidate(i, want, attr)); i++)
		buf_addf(&b, "%s'%s'", !i ? "" : candidate(i + 1, want, attr) ? ", " : " or ", path);
	return buf_str(&b);
}

static __attribute__((noreturn, cold)) void no_output(W outputs, const char *attr, enum flake_want want, const char *ref)
{
	struct looked l = { outputs, want, *attr ? attr : "default", flake_part(ref), BUF_GC };

	unwind_run(look_around, &l, NULL, TRACE_NONE);
	throw_error_hint(EK_EVAL, l.hint.len ? buf_str(&l.hint) : NULL, "flake '%s' does not provide attribute %s", l.flake,
			 candidates(want, attr));
}

W flake_select(W outputs, const char *attr, enum flake_want want, const char *ref, struct attr_place *found)
{
	const char *path;

	/* A leading dot means the path as it is. */
	int exact = *attr == '.';
	attr += exact;
	if (exact && !*attr) {
		*found = (struct attr_place){ "", 0 };
		return force(outputs);
	}
	for (unsigned i = 0; (path = exact ? attr : candidate(i, want, attr)); i++) {
		W w = find_path(outputs, path, found);
		if (w != W_ABSENT) {
			attr_place_note(found);
			w = force(w);
			note_pop();
			return w;
		}
		if (exact)
			throw_error(EK_EVAL, "flake '%s' does not provide attribute '%s'", flake_part(ref), attr);
	}
	no_output(outputs, attr, want, ref);
}

/* --- builtins --- */

/* A folder of a tree that was fetched already is part of what is locked. */
static struct locked_flake *lock_folder(W path, const struct input *in, const struct lock_options *o)
{
	char *dir = arena_dup(flake_arena(), w_get_path(path)->b, w_get_path(path)->h.n);
	const struct flake_tree *t = source_tree_at(dir, strlen(dir));
	const struct input_path none = { NULL, 0 };

	/* Below the one name that its tree goes by here, which is as long. */
	if (t)
		memcpy(dir, t->store_path, strlen(t->store_path));
	return t ? flake_lock_read(flake_read(in, t, dir, &none), o) : NULL;
}

BUILTIN(bi_get_flake, "getFlake", "!ref",
	"The flake that *ref* names: its outputs, and `inputs`, `outputs`, `sourceInfo`, `outPath`. *ref* is a flake "
	"reference as text, or a path.\n"
	"Pure evaluation takes only references that are locked. Its lock file is read but never written.",
	"getFlake \"gx:std\" ? packages", "true")
{
	const struct lock_options quiet = { .no_write = 1, .only_locked = eval_settings.pure, .by_expression = 1 };
	struct input in = { 0 };
	W w = force_at(args);

	if (w_is_path(w)) {
		source_set(&in, "type", "path");
		source_set(&in, "path", w_path_text(w)->b);
		struct locked_flake *lf = lock_folder(w, &in, &quiet);
		if (lf)
			return force(flake_call(lf));
	} else {
		struct str *s = arg_string_plain(args, 0);
		if (strlen(s->b) != s->len)
			throw_error(EK_EVAL, "a flake reference must not hold a NUL");
		flake_ref_parse_input(s->b, &in);
		if (input_is_relative(&in))
			throw_error(EK_EVAL, "the flake reference '%s' is relative: getFlake needs an absolute one", s->b);
	}
	if (eval_settings.pure && !input_is_locked(&in))
		throw_error_hint(EK_DENIED, "name a revision or a narHash, or pass --impure",
				 "the flake '%s' is not locked, and pure evaluation takes only what is", flake_ref_text(&in));
	source_check_allowed(&in);
	return force(flake_call(flake_lock(&in, &quiet)));
}

const struct builtin *const builtins_flake[] = { &def_bi_get_flake, NULL };
