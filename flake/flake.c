/* SPDX-License-Identifier: MIT
 *
 * Reading flake.gx.
 *
 * Everything but `outputs` must stand there as it is, not computed: what a flake depends on has to be known before
 * anything of it runs.  A value that would have to be evaluated is still a thunk when the file's set is there, and is
 * refused.
 */
#include "config.h"
#include "flake/flake.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "base/suggest.h"
#include "builtins/fs.h"
#include "eval/attrs.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/list.h"
#include "eval/show.h"
#include "flake/ref.h"
#include "lang/parse.h"

#include <string.h>

static struct slice name_of(sym_t s)
{
	return (struct slice){ sym_name(s)->b, sym_name(s)->len };
}

static const char *text_of(W w)
{
	return arena_dup(flake_arena(), w_get_str(w)->b, w_get_str(w)->len);
}

/* A value that stands in the file; W_ABSENT for one that is computed. */
static W written(W w)
{
	return w_is_computed(w) ? W_ABSENT : force(w);
}

/* The word that was meant by another. */
static const char *meant(const char *word, const char *const *known)
{
	struct suggest near;
	struct buf b = BUF_GC;

	suggest_init(&near, word, strlen(word));
	for (; *known; known++)
		suggest_offer(&near, *known, strlen(*known));
	if (!near.best)
		return NULL;
	buf_addf(&b, "did you mean '%.*s'?", (int)near.best_len, near.best);
	return buf_str(&b);
}

/* A value of one type, written out. */
static W want(W w, enum vtype type, const char *what, uint32_t pos)
{
	w = written(w);
	if (w == W_ABSENT)
		throw_at(EK_EVAL, pos, 0, "%s must be written out in the flake, not computed", what);
	if (w_type(w) != type)
		throw_at(EK_EVAL, pos, 0, "%s must be %s, but it is %s", what, vtype_name(type), show_type(w));
	return w;
}

/* --- inputs --- */

struct inputs {
	struct input self;
	struct flake_input *v;
	size_t n;
};

struct reading {
	const char *dir; /* of the flake's file */
	const struct flake_tree *tree;
	const struct input_path *prefix;
	unsigned depth;
};

static struct inputs read_inputs(const struct reading *r, W set, uint32_t pos, int top);

/* How many bytes of both lead through the same folders. */
static size_t common_folders(const char *a, const char *b)
{
	size_t common = 0;

	for (size_t i = 0;; i++) {
		int a_ends = !a[i] || a[i] == '/', b_ends = !b[i] || b[i] == '/';
		if (a_ends && b_ends)
			common = i;
		if (!a[i] || !b[i] || a[i] != b[i])
			return common;
	}
}

/* A path literal of the flake's tree as the reference that Nix writes for it: from the flake's folder, "s" and not "./s". */
static const char *relative_path(const struct reading *r, W path, uint32_t pos)
{
	struct box_path *p = w_get_path(path);
	struct buf b = BUF_GC;

	if (!path_is_within(p->b, p->h.n, r->tree->store_path, strlen(r->tree->store_path)))
		throw_at(EK_EVAL, pos, 0, "the path '%s' is not in the tree of the flake", p->b);
	size_t common = common_folders(r->dir, p->b);
	for (const char *up = r->dir + common; *up; up++)
		if (*up == '/')
			buf_adds(&b, b.len ? "/.." : "..");
	if (p->b[common])
		buf_addf(&b, "%s%s", b.len ? "/" : "", p->b + common + 1);
	return b.len ? b.p : ".";
}

static void add_attr(struct input *in, sym_t name, W w, uint32_t pos)
{
	struct input_attr a = { .name = name_of(name), .s = { "", 0 } };

	w = written(w);
	if (w_type(w) == V_LIST && slice_eq(a.name, SLICE("publicKeys"))) {
		source_set_keys(in, w, 1);
		return;
	}
	if (w_is_str(w)) {
		a.type = INPUT_STRING;
		a.s = slice_of(text_of(w));
	} else if (w_is_bool(w)) {
		a.type = INPUT_BOOL;
		a.i = w == W_TRUE;
	} else if (w_is_int(w) && w_get_int(w) >= 0) {
		a.type = INPUT_INT;
		a.i = (uint64_t)w_get_int(w);
	} else if (w_is_int(w)) {
		throw_at(EK_EVAL, pos, 0, "the input attribute '%.*s' must not be negative", (int)a.name.n, a.name.p);
	} else {
		throw_at(EK_EVAL, pos, 0, "the input attribute '%.*s' must be a string, a Boolean or an integer, written out",
			 (int)a.name.n, a.name.p);
	}
	input_set(in, &a, flake_arena());
}

static void read_follows(const struct reading *r, W w, uint32_t pos, struct flake_input *out)
{
	struct input_path p;
	struct err e = ERR_INIT;

	w = want(w, V_STRING, "'follows'", pos);
	if (input_path_parse(slice_of(text_of(w)), flake_arena(), &p, &e)) {
		e.pos = pos;
		throw_err(&e);
	}
	out->follows = input_path_concat(r->prefix, &p, flake_arena());
	out->has_follows = 1;
}

/* The address; NULL for a path, which is a reference at once. */
static const char *read_url(const struct reading *r, W w, uint32_t pos, struct flake_input *in)
{
	if (!w_is_computed(w) && w_is_path(force(w))) {
		source_set(&in->ref, "type", "path");
		source_set(&in->ref, "path", relative_path(r, force(w), pos));
		in->has_ref = 1;
		return NULL;
	}
	w = want(w, V_STRING, "'url'", pos);
	if (strlen(w_get_str(w)->b) != w_get_str(w)->len)
		throw_at(EK_EVAL, pos, 0, "'url' must not hold a NUL");
	return text_of(w);
}

/* What need not be a tree is one file, unless its address says by its name or kind that it is an archive. */
static void take_for_file(struct flake_input *in, const char *url)
{
	static const char *const archives[] = { ".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst" };
	const char *at = source_get(&in->ref, "url");

	if (in->is_flake || !at || !strncmp(url, "tarball+", 8) || strcmp(source_get(&in->ref, "type"), "tarball"))
		return;
	for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
		if (slice_ends((struct slice){ at, strcspn(at, "?#") }, slice_of(archives[i])))
			return;
	source_set(&in->ref, "type", "file");
}

static const char *url_note(void *arg)
{
	const struct flake_input *in = arg;
	struct buf b = BUF_GC;

	buf_addf(&b, "while reading the flake input '%.*s'", (int)in->name.n, in->name.p);
	return b.p;
}

/* What attributes and url make together. */
static void finish_ref(struct flake_input *in, struct input *attrs, const char *url, uint32_t pos)
{
	note_push_made(url_note, in, pos);
	if (input_get(attrs, "type")) {
		if (url)
			source_set(attrs, "url", url);
		source_text(attrs);
		in->ref = *attrs;
		in->has_ref = 1;
	} else if (attrs->n) {
		static const char *const known[] = { "url", "flake", "follows", "inputs", NULL };
		const struct slice name = attrs->a[0].name;
		throw_hint(EK_EVAL, pos, 0, meant(arena_dup(flake_arena(), name.p, name.n), known),
			   "the flake input '%.*s' has the attribute '%.*s', which needs a 'type'", (int)in->name.n, in->name.p,
			   (int)name.n, name.p);
	} else if (url) {
		flake_ref_parse_input(url, &in->ref);
		take_for_file(in, url);
		in->has_ref = 1;
	}
	note_pop();
	if (in->has_ref && in->has_follows)
		throw_at(EK_EVAL, pos, 0, "flake input has both a flake reference and a follows attribute: '%.*s'",
			 (int)in->name.n, in->name.p);
}

/* What somebody forgot who wrote inputs.NAME = "ADDRESS", or a list of addresses. */
static void want_input_set(W w, const char *what, struct slice name, uint32_t pos)
{
	struct buf hint = BUF_GC;

	w = written(w);
	if (w == W_ABSENT || w_type(w) == V_ATTRS)
		return;
	buf_addf(&hint, "an input is written inputs.%.*s.url = \"%s\";", (int)name.n, name.p,
		 w_is_str(w) ? w_get_str(w)->b : "…");
	throw_hint(EK_EVAL, pos, 0, buf_str(&hint), "%s must be a set, but it is %s", what, show_type(w));
}

static void read_input(const struct reading *r, W set, uint32_t pos, struct flake_input *in)
{
	want_input_set(set, "a flake input", in->name, pos);
	struct attrs *a = attrs_of(want(set, V_ATTRS, "a flake input", pos));
	struct input attrs = { 0 };
	const char *url = NULL;

	in->is_flake = 1;
	for (uint32_t i = 0; i < a->n; i++) {
		sym_t s = a->sh->sym[i];
		const char *name = sym_name(s)->b;
		uint32_t at = shape_pos(a->sh, i);
		if (!strcmp(name, "url")) {
			url = read_url(r, a->v[i], at, in);
		} else if (!strcmp(name, "flake")) {
			in->is_flake = want(a->v[i], V_BOOL, "'flake'", at) == W_TRUE;
		} else if (!strcmp(name, "follows")) {
			read_follows(r, a->v[i], at, in);
		} else if (!strcmp(name, "inputs")) {
			struct inputs below = read_inputs(r, a->v[i], at, 0);
			in->overrides = below.v;
			in->noverrides = below.n;
		} else {
			add_attr(&attrs, s, a->v[i], at);
		}
	}
	finish_ref(in, &attrs, url, pos);
}

/* How the flake itself wants to be fetched. */
static void read_self(struct input *self, W set, uint32_t pos)
{
	struct attrs *a = attrs_of(want(set, V_ATTRS, "'inputs.self'", pos));

	for (uint32_t i = 0; i < a->n; i++) {
		const char *name = sym_name(a->sh->sym[i])->b;
		uint32_t at = shape_pos(a->sh, i);
		if (strcmp(name, "submodules") && strcmp(name, "lfs"))
			throw_at(EK_EVAL, at, 0,
				 "'inputs.self' has an attribute '%s', but only 'submodules' and 'lfs' mean something", name);
		struct input_attr attr = { .name = slice_of(name), .type = INPUT_BOOL, .s = { "", 0 } };
		attr.i = want(a->v[i], V_BOOL, name, at) == W_TRUE;
		input_set(self, &attr, flake_arena());
	}
}

static struct inputs read_inputs(const struct reading *up, W set, uint32_t pos, int top)
{
	want_input_set(set, "'inputs'", SLICE("NAME"), pos);
	struct attrs *a = attrs_of(want(set, V_ATTRS, "'inputs'", pos));
	struct reading r = *up;
	const uint32_t *order = attrs_order(a);
	struct inputs out = { .v = arena_alloc(flake_arena(), (a->n + 1) * sizeof *out.v) };

	if (++r.depth > LIMIT_FLAKE_DEPTH)
		throw_at(EK_EVAL, pos, 0, "'inputs' are nested deeper than %d", LIMIT_FLAKE_DEPTH);
	for (uint32_t k = 0; k < a->n; k++) {
		uint32_t i = order[k];
		struct slice name = name_of(a->sh->sym[i]);
		if (slice_eq(name, SLICE("self"))) {
			if (!top)
				throw_at(EK_EVAL, shape_pos(a->sh, i), 0, "'self' cannot be an input");
			read_self(&out.self, a->v[i], shape_pos(a->sh, i));
			continue;
		}
		out.v[out.n].name = name;
		out.v[out.n].pos = shape_pos(a->sh, i);
		read_input(&r, a->v[i], shape_pos(a->sh, i), &out.v[out.n++]);
	}
	return out;
}

/* --- outputs --- */

struct arguments {
	struct argument {
		sym_t name;
		uint32_t pos;
	} *v;
	size_t n, cap;
};

static void take_formal(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct arguments *f = arg;

	(void)has_default;
	MEM_GROW(f->v, f->n + 1, f->cap);
	f->v[f->n++] = (struct argument){ name, pos };
}

/* An argument of outputs that is no input yet is one, by its name. */
static void add_formal(struct flake *f, struct slice name, uint32_t pos)
{
	struct flake_input *v;
	size_t i = 0;

	while (i < f->ninputs && slice_cmp(f->inputs[i].name, name) < 0)
		i++;
	if (slice_eq(name, SLICE("self")) || (i < f->ninputs && slice_eq(f->inputs[i].name, name)))
		return;
	v = arena_alloc(flake_arena(), (f->ninputs + 1) * sizeof *v);
	if (f->ninputs) {
		memcpy(v, f->inputs, i * sizeof *v);
		memcpy(v + i + 1, f->inputs + i, (f->ninputs - i) * sizeof *v);
	}
	v[i] = (struct flake_input){ .name = name, .pos = pos, .is_flake = 1 };
	f->inputs = v;
	f->ninputs++;
}

static void read_outputs(struct flake *f, W w, uint32_t pos)
{
	struct arguments formals = { 0 };
	int ellipsis;

	f->outputs = want(w, V_FUNCTION, "'outputs'", pos);
	if (!function_formals(f->outputs, take_formal, &formals, &ellipsis))
		return;
	for (size_t i = 0; i < formals.n; i++)
		add_formal(f, name_of(formals.v[i].name), formals.v[i].pos);
}

/* --- config --- */

static void check_config(W set, uint32_t pos)
{
	struct attrs *a = attrs_of(want(set, V_ATTRS, "the configuration", pos));

	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t at = shape_pos(a->sh, i);
		W w = written(a->v[i]);
		struct list *l = w_type(w) == V_LIST ? list_of(w) : NULL;
		int good = w_is_str(w) || w_is_path(w) || w_is_int(w) || w_is_bool(w) || l;
		for (uint32_t k = 0; l && k < l->n; k++)
			good &= w_is_str(written(l->e[k]));
		if (!good)
			throw_at(EK_EVAL, at, 0,
				 "the setting '%s' must be a string, a path, an integer, a Boolean or a list of strings",
				 sym_name(a->sh->sym[i])->b);
	}
}

/* --- the file --- */

const char *flake_dir(const struct flake_tree *tree, const char *below, const struct input *ref)
{
	const char *sub = source_get(ref, "dir");
	struct buf b = BUF_GC;

	buf_addf(&b, "%s/%s", below, sub ? sub : "");
	buf_trim(&b, path_normalise(b.p, b.len, b.p));
	if (!path_is_within(b.p, b.len, tree->store_path, strlen(tree->store_path)))
		throw_error(EK_EVAL, "'%s' leads out of its source tree", sub ? sub : below);
	return arena_dup(flake_arena(), b.p, b.len);
}

static W file_in(const char *dir, const char *name)
{
	return fs_join(w_path(dir, strlen(dir)), name, strlen(name));
}

W flake_lock_path(const struct flake *f)
{
	return file_in(f->dir, "flake.lock");
}

static void read_attrs(struct flake *f, const struct reading *r, struct attrs *a)
{
	static const char *const known[] = { "description", "inputs", "outputs", "nixConfig", "gxConfig", NULL };
	int outputs = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		const char *name = sym_name(a->sh->sym[i])->b;
		uint32_t pos = shape_pos(a->sh, i);
		if (!strcmp(name, "description")) {
			f->description = text_of(want(a->v[i], V_STRING, "'description'", pos));
		} else if (!strcmp(name, "inputs")) {
			struct inputs in = read_inputs(r, a->v[i], pos, 1);
			f->inputs = in.v;
			f->ninputs = in.n;
			f->self = in.self;
		} else if (!strcmp(name, "outputs")) {
			outputs = 1;
		} else if (!strcmp(name, "nixConfig") || !strcmp(name, "gxConfig")) {
			check_config(a->v[i], pos);
			f->config = force(a->v[i]);
		} else {
			throw_hint(EK_EVAL, pos, 0, meant(name, known), "the flake has an attribute '%s', which flakes do not have",
				   name);
		}
	}
	if (!outputs)
		throw_error(EK_EVAL, "the flake '%s' lacks the attribute 'outputs'", flake_ref_text(&f->original));
	uint32_t pos;
	W *w = attrs_find_pos(w_attrs(a), SYM_OUTPUTS, &pos);
	read_outputs(f, *w, pos);
}

/* Where it lies for people: on disk when they edit it there. */
static const char *shown_dir(const struct flake *f)
{
	struct buf b = BUF_GC;

	buf_adds(&b, f->tree->place);
	buf_adds(&b, f->dir + strlen(f->tree->store_path));
	return b.p;
}

struct flake *flake_read(const struct input *ref, const struct flake_tree *tree, const char *dir,
			 const struct input_path *prefix)
{
	struct flake *f = mem_new(sizeof *f);
	struct reading r = { dir, tree, prefix, 0 };

	f->tree = tree;
	f->original = f->resolved = *ref;
	f->dir = dir;
	f->config = W_NULL;
	f->file = fs_stat(file_in(dir, "flake.gx")) != FS_MISSING ? "flake.gx" : "flake.nix";
	W path = file_in(dir, f->file);
	enum fs_kind kind = fs_stat(path);
	if (kind == FS_DENIED || kind == FS_LOOP)
		fs_throw(kind, path);
	if (kind < FS_REGULAR) {
		const char *file = tree->members ? flake_ref_has_flake(shown_dir(f)) : NULL;
		if (file)
			fs_throw(FS_MISSING, file_in(dir, file));
		throw_error(EK_EVAL, "'%s' is not a flake: there is no flake.gx or flake.nix in '%s'",
				 flake_ref_text(ref), shown_dir(f));
	}
	W v = fs_import(path);
	if (w_type(v) != V_ATTRS)
		throw_error(EK_EVAL, "the file '%s' must be a set, but it is %s", w_get_path(path)->b, show_type(v));
	read_attrs(f, &r, attrs_of(v));
	return f;
}

const char *flake_not_for_nix(const struct flake *f)
{
	W file = file_in(f->dir, f->file);
	struct arena tree = ARENA_INIT;
	struct err e = ERR_INIT;

	if (strcmp(f->file, "flake.nix"))
		return NULL;
	const struct parse_options quiet = { .home = eval_settings.parse.home };
	const struct expr *x = parse_source(fs_source(file), &quiet, &tree, &e);
	int is_set = x && x->kind == E_ATTRS;
	arena_release(&tree);
	err_release(&e);
	if (!is_set)
		return "Nix does not take this flake.nix: it has to be a set as it stands, { … }, with nothing around it; it may "
		       "be called flake.gx";
	return attrs_find_c(fs_import(file), "gxConfig") ? "Nix does not take this flake.nix, because of its 'gxConfig': there it "
							   "is called nixConfig" : NULL;
}

/* The reference with what the flake says of itself, unless the reference says it; 0 when that changes nothing. */
static int apply_self(const struct flake *f, struct input *ref)
{
	const char *type = source_get(&f->tree->locked, "type");
	int changed = 0;

	for (size_t i = 0; i < f->self.n; i++) {
		const struct input_attr *a = &f->self.a[i];
		const char *name = arena_dup(flake_arena(), a->name.p, a->name.n);
		if (!a->i || input_get(ref, name))
			continue;
		/* A folder has them, an archive of a forge has not. */
		if (strcmp(type, "git") && strcmp(type, "path"))
			throw_error(EK_EVAL, "the flake '%s' needs its Git %s, which inputs of type '%s' do not have",
				    flake_ref_text(ref), *name == 's' ? "submodules" : "LFS files", type);
		if (!strcmp(type, "git")) {
			input_set(ref, a, flake_arena());
			changed = 1;
		}
	}
	return changed;
}

/* What to fetch once more when a flake wants more of its tree.  Of an input it is the commit that was found, so that changes in
 * what is checked out of its submodules leave it locked; the flake that is asked for is what lies there. */
static struct input again(const struct input *resolved, const struct flake_tree *tree, int is_input)
{
	struct input r = { 0 };

	input_set_all(&r, resolved, flake_arena());
	if (!is_input || !input_is_locked(&tree->locked))
		return r;
	input_set_all(&r, &tree->locked, flake_arena());
	source_unset(&r, "narHash");
	return r;
}

struct flake *flake_get(const struct input *ref, const struct input_path *prefix, enum registry_use use)
{
	const struct input resolved = registry_resolve(ref, use);
	const struct flake_tree *tree = prefix->n ? source_fetch(&resolved) : source_fetch_lazily(&resolved);
	struct flake *f = flake_read(ref, tree, flake_dir(tree, tree->store_path, &resolved), prefix);
	const char *sub = source_get(&resolved, "dir");
	struct input whole = again(&resolved, tree, prefix->n > 0);

	if (apply_self(f, &whole)) {
		if (eval_settings.trace_verbose) {
			struct buf b = BUF_GC;
			buf_addf(&b, "refetching input '%s' due to self attribute", flake_ref_text(&whole));
			eval_world()->message(b.p, b.len);
		}
		tree = source_fetch(&whole);
		f = flake_read(ref, tree, flake_dir(tree, tree->store_path, &resolved), prefix);
	}

	f->resolved = resolved;
	input_set_all(&f->locked, &tree->locked, flake_arena());
	if (sub && *sub)
		source_set(&f->locked, "dir", sub);
	return f;
}
