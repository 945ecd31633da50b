/* SPDX-License-Identifier: MIT
 *
 * Start-up and the way from text to value.
 *
 * Nodes point at builtins' boxes and at the `builtins` set; these, and the shapes of literals, are in
 * memory the collector scans but never frees, because arenas are not scanned.
 */
#include "config.h"
#include "base/limits.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/show.h"
#include "eval/state.h"
#include "lang/unit.h"

#include <string.h>

struct eval_settings eval_settings = {
	.system = "x86_64-linux",
	.store_dir = "/nix/store",
	.max_call_depth = 1000000,
};

static struct arena program_mem;

/* --- builtins --- */

static W const_value(W def, W unused)
{
	(void)unused;
	return ((const struct builtin *)(uintptr_t)def)->fn(NULL);
}

static uint32_t count_args(const struct builtin *b, uint64_t *strict)
{
	uint32_t n = 0;

	*strict = 0;
	for (const char *p = b->args; *p;) {
		if (*p == '!')
			*strict |= (uint64_t)1 << n;
		n++;
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return n;
}

static W builtin_word(const struct builtin *b)
{
	if (b->flags & BI_VALUE) {
		W *hold = mem_root(sizeof *hold);
		return *hold = b->flags & BI_FIXED ? b->fn(NULL) : lazy_native(const_value, (W)(uintptr_t)b, 0);
	}
	struct box_builtin *box = mem_root(sizeof *box);
	box->h.kind = BOX_BUILTIN;
	box->h.n = count_args(b, &box->strict);
	box->def = b;
	return w_tag(box, TAG_BOX);
}

/* The names of globals by their words, an open-addressing table. */
static _Thread_local struct {
	sym_t *v;
	uint32_t mask;
} global_names;

static void set_global(const char *prefix, const char *name, W w)
{
	char text[128];
	size_t n = strlen(prefix), m = strlen(name);

	memcpy(text, prefix, n);
	memcpy(text + n, name, m + 1);
	sym_t s = sym_intern(text, n + m);
	if (s >= es.n_globals) {
		uint32_t cap = (s + 1) * 2;
		W *g = mem_root(cap * sizeof *g);
		if (es.n_globals)
			memcpy(g, es.globals, es.n_globals * sizeof *g);
		es.globals = g;
		es.n_globals = cap;
	}
	es.globals[s] = w;
	global_names.v = NULL;
}

static int is_offered(const struct builtin *b)
{
	return !(eval_settings.pure && (b->flags & BI_IMPURE));
}

static void define(struct attrs_builder *set, const struct builtin *b)
{
	if (!is_offered(b))
		return;
	W w = builtin_word(b);
	if (b->flags & (BI_GLOBAL | BI_HIDDEN))
		set_global("", b->name, w);
	if (!(b->flags & (BI_GLOBAL | BI_HIDDEN)) && strncmp(b->name, "__", 2))
		set_global("__", b->name, w);
	if (!(b->flags & BI_HIDDEN))
		attrs_add(set, sym_c(b->name), 0, w);
}

/* The set refers to itself as builtins.builtins. */
static void close_set(struct attrs_builder *b)
{
	W *hold = mem_root(sizeof *hold);

	attrs_add(b, SYM_BUILTINS, 0, W_NULL);
	*hold = es.builtins = attrs_finish_keep_last(b);
	*attrs_find(es.builtins, SYM_BUILTINS) = es.builtins;
	struct attrs *a = attrs_of(es.builtins);
	es.builtin_words = memcpy(mem_root(a->n * sizeof(W)), a->v, a->n * sizeof(W));
	set_global("", "builtins", es.builtins);
}

void eval_init(const struct builtin *const *const *builtins, const struct eval_io *io, char *stack_low)
{
	struct attrs_builder b;

	memset(&es, 0, sizeof es);
	mem_add_root(&es, sizeof es);
	mem_on_collect(alloc_forget);
	es.stack_limit = es.stack_floor = stack_low + LIMIT_EVAL_STACK_RESERVE;
	es.max_depth = eval_settings.max_call_depth;
	es.io = io;
	attrs_builder_init(&b, 192);
	for (; *builtins; builtins++)
		for (const struct builtin *const *p = *builtins; *p; p++)
			define(&b, *p);
	close_set(&b);
}

const struct eval_io *eval_world(void)
{
	return es.io;
}

void eval_counters(struct counters *out)
{
	*out = es.count;
}

W eval_builtins(void)
{
	return es.builtins;
}

W eval_builtin(const char *name)
{
	W *p = attrs_find_c(es.builtins, name);

	return p ? *p : W_ABSENT;
}

/* --- programs --- */

static W global(void *arg, sym_t s)
{
	(void)arg;
	return s < es.n_globals && es.globals[s] ? es.globals[s] : W_ABSENT;
}

static W static_builtin(void *arg, sym_t s)
{
	W *p = attrs_find(es.builtins, s);

	(void)arg;
	/* Not what a constant was evaluated to since: see name_of. */
	return p ? es.builtin_words[p - attrs_of(es.builtins)->v] : W_ABSENT;
}

/* Shapes come from blocks of many: a root block each would cost more than the shape. */
static struct shape *static_shape(void *arg, const sym_t *sym, const uint32_t *pos, uint32_t n)
{
	enum { BLOCK = 128 };
	static _Thread_local struct shape *block;
	static _Thread_local uint32_t left;

	(void)arg;
	if (!left) {
		block = mem_root(BLOCK * sizeof *block);
		left = BLOCK;
	}
	struct shape *sh = block++;
	left--;
	sh->n = n;
	sh->sym = sym;
	sh->pos = pos;
	return sh;
}

/* The frame that holds the attributes of `scope`, and their names. */
static struct frame *scope_frame(W scope, struct scope_env *env)
{
	if (scope == W_NULL || !attrs_count(scope))
		return NULL;
	struct attrs *a = attrs_of(scope);
	struct frame *f = frame_new(a->n, NULL);
	memcpy(f->s, a->v, a->n * sizeof(W));
	env->names = a->sh->sym;
	env->n_names = a->n;
	return f;
}

static uint32_t global_slot(W w)
{
	uint32_t i = (uint32_t)(w * 0x9e3779b97f4a7c15u >> 32) & global_names.mask;

	while (global_names.v[i] && es.globals[global_names.v[i]] != w)
		i = (i + 1) & global_names.mask;
	return i;
}

static void name_globals(void)
{
	enum { SLOTS = 1024 };
	uint32_t left = SLOTS / 2;

	global_names.v = mem_root(SLOTS * sizeof *global_names.v);
	global_names.mask = SLOTS - 1;
	for (sym_t s = 1; s < es.n_globals && left; s++)
		if (es.globals[s] && W_TAG(es.globals[s]) != TAG_INT && W_TAG(es.globals[s]) != TAG_CONST) {
			global_names.v[global_slot(es.globals[s])] = s;
			left--;
		}
}

static sym_t name_of(void *arg, W w)
{
	(void)arg;
	if (!global_names.v)
		name_globals();
	return global_names.v[global_slot(w)];
}

static void shape_names(void *arg, const struct shape *sh, const sym_t **sym, const uint32_t **pos)
{
	(void)arg;
	*sym = sh->sym;
	*pos = sh->pos;
}

/* For files without more in scope than the globals; units refer to it for good. */
static struct scope_env *global_env(void)
{
	static _Thread_local struct scope_env env;

	env = (struct scope_env){ .global = global, .builtin = static_builtin, .shape = static_shape,
				  .name_of = name_of, .shape_names = shape_names,
				  .empty_list = w_list_empty(), .empty_set = w_attrs_empty() };
	return &env;
}

typedef struct expr *parser(const struct source *src, const struct parse_options *opt, struct arena *mem, struct err *e);

/* What the passes over a tree take of the stack for each level, at most. */
enum { PASS_FRAME = 2048 };

static int has_room(uint32_t depth)
{
	return (char *)__builtin_frame_address(0) - es.stack_floor >= (ptrdiff_t)depth * PASS_FRAME;
}

static void note_warning(void *warned, uint32_t pos, uint32_t len, const char *msg)
{
	*(int *)warned = 1;
	if (eval_settings.parse.warn)
		eval_settings.parse.warn(eval_settings.parse.warn_arg, pos, len, msg);
}

static struct file_program compile(const struct source *src, const struct scope_env *env, parser *parse)
{
	/* One file after the other: nothing is evaluated while a tree lives. */
	static _Thread_local struct arena tree;
	struct file_program p = { .src = src };
	struct parse_options opt = eval_settings.parse;
	struct err e = ERR_INIT;

	opt.warn = note_warning;
	opt.warn_arg = &p.warned;
	const struct expr *x = parse(src, &opt, &tree, &e);
	int fits = !x || has_room(x->depth);
	p.root = x && fits ? scope_resolve(x, env, &program_mem, &p.nslots, &e) : NULL;
	arena_reset(&tree);
	if (!fits)
		throw_error(EK_STACK, "stack overflow; possible infinite recursion");
	if (!p.root)
		throw_err(&e);
	source_let_go(src);
	es.count.parsed++;
	return p;
}

struct file_program eval_compile(const struct source *src)
{
	return compile(src, global_env(), parse_source);
}

W eval_program(const struct file_program *p)
{
	return ev(p->root, frame_new(p->nslots, NULL));
}

const void *eval_unit_write(const struct file_program *p, size_t *n)
{
	return p->warned ? NULL : unit_write(p->root, p->nslots, p->src, global_env(), es.stack_floor, n);
}

int eval_unit_read(struct file_program *p, const struct source *src, const void *unit, size_t n)
{
	p->src = src;
	p->warned = 0;
	p->root = unit_read(unit, n, src, global_env(), &program_mem, es.stack_floor, &p->nslots);
	es.count.kept += p->root != NULL;
	return p->root ? 0 : -1;
}

static W run_source(const struct source *src, W scope, parser *parse)
{
	struct scope_env env = *global_env();
	struct frame *outer = scope_frame(scope, &env);
	struct file_program p = compile(src, &env, parse);

	return ev(p.root, frame_new(p.nslots, outer));
}

W eval_source(const struct source *src, W scope)
{
	return run_source(src, scope, parse_source);
}

W eval_bindings(const struct source *src, W scope)
{
	return run_source(src, scope, parse_bindings);
}

W eval_text(const char *text, size_t n, const char *name, const char *base)
{
	const struct source *src = source_add(name, NULL, base, text, n);

	if (!src)
		throw_error(EK_EVAL, "more than 4 GiB of source text");
	return eval_source(src, W_NULL);
}

/* --- what the command line does with values --- */

struct auto_args {
	W fn, args;
	struct attrs_builder b;
};

static void pick_argument(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct auto_args *x = arg;
	W *p = attrs_find(x->args, name);

	if (p)
		attrs_add(&x->b, name, 0, *p);
	else if (!has_default)
		throw_at(EK_EVAL, pos, sym_name(name)->len,
			 "cannot call the function at the top by itself: its argument '%s' has no default value; "
			 "pass one with --arg or --argstr", sym_name(name)->b);
}

W eval_auto_call(W f, W args)
{
	struct auto_args x = { .args = args };
	int ellipsis;

	f = force(f);
	if (W_TAG(f) == TAG_ATTRS) {
		W *p = attrs_find(f, SYM_FUNCTOR);
		return p ? eval_auto_call(call1(*p, f), args) : f;
	}
	attrs_builder_init(&x.b, 8);
	if (!w_is_function(f) || !function_formals(f, pick_argument, &x, &ellipsis))
		return f;
	return call1(f, ellipsis ? args : attrs_finish(&x.b));
}

/* One name of an attribute path, quotes removed, onto out; returns what follows it. */
static const char *path_step(const char *p, struct buf *out)
{
	const char *start = p;

	while (*p && *p != '.') {
		if (*p != '"') {
			buf_addc(out, *p++);
			continue;
		}
		for (p++; *p && *p != '"'; p++)
			buf_addc(out, *p);
		if (!*p)
			throw_error(EK_EVAL, "missing closing quote in attribute path '%s'", start);
		p++;
	}
	if (p == start)
		throw_error(EK_EVAL, "a name is missing in the attribute path '%s'", start);
	return *p ? p + 1 : p;
}

static W list_step(W l, const struct buf *name, const char *path)
{
	uint64_t i = 0;

	if (!name->len || strspn(name->p, "0123456789") != name->len || name->len > 9)
		throw_error(EK_EVAL, "expected a set in the attribute path '%s' before '%s' but found a list", path,
			    buf_str(name));
	for (size_t k = 0; k < name->len; k++)
		i = i * 10 + (uint64_t)(name->p[k] - '0');
	if (i >= list_len(l))
		throw_error(EK_EVAL, "list index %s in the attribute path '%s' is out of range", buf_str(name), path);
	return force_at(&list_of(l)->e[i]);
}

W eval_attr_path(W root, const char *path, W args)
{
	const char *p = path;
	W w = root;

	while (*p) {
		struct buf name = BUF_GC;
		w = eval_auto_call(w, args);
		p = path_step(p, &name);
		if (W_TAG(w) == TAG_LIST) {
			w = list_step(w, &name, path);
			continue;
		}
		if (W_TAG(w) != TAG_ATTRS)
			throw_error(EK_EVAL, "expected a set in the attribute path '%s' before '%s' but found %s", path,
				    buf_str(&name), vtype_name(w_type(w)));
		sym_t s = sym_intern(buf_str(&name), name.len);
		W *v = attrs_find(w, s);
		if (!v)
			throw_missing_step(w, s, path);
		w = force_at(v);
	}
	return force(w);
}
