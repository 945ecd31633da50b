/* SPDX-License-Identifier: MIT
 *
 * Start-up and the way from text to value.
 *
 * Nodes point at builtins' boxes, at the `builtins` set and at the shapes of literals.  The collector does not look into the
 * arena that nodes are in, so these hang on a root block of the session.
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
	.tarball_ttl = 3600,
	.profile_file = "nix.profile",
	.profile_frequency = 99,
	.max_call_depth = LIMIT_CALL_DEPTH,
};

/* Shapes of literals come in blocks: nodes point into them, which the collector does not see. */
struct shape_block {
	struct shape_block *next;
	struct shape v[128];
};

/* What nodes point at, for the collector to find. A root block. */
struct globals {
	W builtins; /* the set */
	W *as_made; /* its members as they were made */
	W *v;	    /* by symbol; 0 where there is none */
	uint32_t n;
	uint32_t mask;
	sym_t *names; /* by their words, an open-addressing table; NULL: to be made */
	struct shape_block *shapes;
	uint32_t shapes_left;
};

static struct {
	struct arena programs;
	struct globals *globals;
	const struct eval_io *io;
} of_session;

static void end(void)
{
	arena_release(&of_session.programs);
	mem_free(of_session.globals);
}

const struct session_part eval_session[] = { { &eval_settings, sizeof eval_settings, NULL },
					     { &of_session, sizeof of_session, end }, { 0 } };

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
	if (b->flags & BI_VALUE)
		return b->flags & BI_FIXED ? b->fn(NULL) : lazy_native(const_value, (W)(uintptr_t)b, 0);
	struct box_builtin *box = alloc(sizeof *box);
	box->h.kind = BOX_BUILTIN;
	box->h.n = count_args(b, &box->strict);
	box->def = b;
	return w_tag(box, TAG_BOX);
}

static void set_global(const char *prefix, const char *name, W w)
{
	char text[128];
	size_t n = strlen(prefix), m = strlen(name);

	memcpy(text, prefix, n);
	memcpy(text + n, name, m + 1);
	struct globals *g = of_session.globals;
	sym_t s = sym_intern(text, n + m);
	if (s >= g->n) {
		uint32_t cap = (s + 1) * 2;
		W *v = mem_new(cap * sizeof *v);
		if (g->n)
			memcpy(v, g->v, g->n * sizeof *v);
		g->v = v;
		g->n = cap;
	}
	g->v[s] = w;
	g->names = NULL;
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
	struct globals *g = of_session.globals;

	attrs_add(b, SYM_BUILTINS, 0, W_NULL);
	g->builtins = attrs_finish_keep_last(b);
	*attrs_find(g->builtins, SYM_BUILTINS) = g->builtins;
	struct attrs *a = attrs_of(g->builtins);
	g->as_made = memcpy(mem_new(a->n * sizeof(W)), a->v, a->n * sizeof(W));
	set_global("", "builtins", g->builtins);
}

void eval_thread(char *stack_low)
{
	memset(&es, 0, sizeof es);
	mem_add_root(&es, sizeof es);
	mem_on_collect(alloc_forget);
	es.stack_limit = es.stack_floor = stack_low + LIMIT_EVAL_STACK_RESERVE;
}

void eval_init(const struct builtin *const *const *builtins, const struct eval_io *io)
{
	struct attrs_builder b;

	of_session.io = io;
	ops_eval[OP_CALL] = eval_settings.trace_calls ? call_node_told : eval_settings.profiler ? call_node_flamed : call_node;
	of_session.globals = mem_root(sizeof *of_session.globals);
	attrs_builder_init(&b, 192);
	for (; *builtins; builtins++)
		for (const struct builtin *const *p = *builtins; *p; p++)
			define(&b, *p);
	close_set(&b);
}

const struct eval_io *eval_world(void)
{
	return of_session.io;
}

void eval_counters(struct counters *out)
{
	*out = es.count;
}

W eval_builtins(void)
{
	return of_session.globals->builtins;
}

W eval_builtin(const char *name)
{
	W *p = attrs_find_c(of_session.globals->builtins, name);

	return p ? *p : W_ABSENT;
}

/* --- programs --- */

static W global(void *arg, sym_t s)
{
	const struct globals *g = of_session.globals;

	(void)arg;
	return s < g->n && g->v[s] ? g->v[s] : W_ABSENT;
}

static W static_builtin(void *arg, sym_t s)
{
	const struct globals *g = of_session.globals;
	W *p = attrs_find(g->builtins, s);

	(void)arg;
	/* Not what a constant was evaluated to since: see name_of. */
	return p ? g->as_made[p - attrs_of(g->builtins)->v] : W_ABSENT;
}

static struct shape *static_shape(void *arg, const sym_t *sym, const uint32_t *pos, uint32_t n)
{
	struct globals *g = of_session.globals;

	(void)arg;
	if (!g->shapes_left) {
		struct shape_block *b = mem_new(sizeof *b);
		b->next = g->shapes;
		g->shapes = b;
		g->shapes_left = sizeof b->v / sizeof *b->v;
	}
	struct shape *sh = &g->shapes->v[--g->shapes_left];
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

static uint32_t global_slot(const struct globals *g, W w)
{
	uint32_t i = (uint32_t)(w * 0x9e3779b97f4a7c15u >> 32) & g->mask;

	while (g->names[i] && g->v[g->names[i]] != w)
		i = (i + 1) & g->mask;
	return i;
}

static void name_globals(struct globals *g)
{
	enum { SLOTS = 1024 };
	uint32_t left = SLOTS / 2;

	g->names = mem_new(SLOTS * sizeof *g->names);
	g->mask = SLOTS - 1;
	for (sym_t s = 1; s < g->n && left; s++)
		if (g->v[s] && W_TAG(g->v[s]) != TAG_INT && W_TAG(g->v[s]) != TAG_CONST) {
			g->names[global_slot(g, g->v[s])] = s;
			left--;
		}
}

static sym_t name_of(void *arg, W w)
{
	struct globals *g = of_session.globals;

	(void)arg;
	if (!g->names)
		name_globals(g);
	return g->names[global_slot(g, w)];
}

static void shape_names(void *arg, const struct shape *sh, const sym_t **sym, const uint32_t **pos)
{
	(void)arg;
	*sym = sh->sym;
	*pos = sh->pos;
}

/* For files without more in scope than the globals.  The same in every session; units refer to it for good. */
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
	static struct arena tree;
	struct file_program p = { .src = src };
	struct parse_options opt = eval_settings.parse;
	struct err e = ERR_INIT;

	opt.warn = note_warning;
	opt.warn_arg = &p.warned;
	const struct expr *x = parse(src, &opt, &tree, &e);
	int fits = !x || has_room(x->depth);
	p.root = x && fits ? scope_resolve(x, env, &of_session.programs, &p.nslots, &e) : NULL;
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
	p->root = unit_read(unit, n, src, global_env(), &of_session.programs, es.stack_floor, &p->nslots);
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
	int offer; /* what is offered is wanted */
	struct attrs_builder b;
};

static int is_offered_argument(sym_t name)
{
	return eval_settings.offered && name == sym_c(eval_settings.offered);
}

static void pick_argument(void *arg, sym_t name, uint32_t pos, int has_default)
{
	struct auto_args *x = arg;
	W *p = attrs_find(x->args, name);

	x->offer |= is_offered_argument(name);
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
	if (!ellipsis)
		return call1(f, attrs_finish(&x.b));
	if (x.offer || !eval_settings.offered)
		return call1(f, args);
	sym_t offered = sym_c(eval_settings.offered);
	return call1(f, attrs_remove(args, &offered, 1));
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

static const char *place_note(void *arg)
{
	const char *path = ((const struct attr_place *)arg)->path;
	struct buf b = BUF_GC;

	if (!*path)
		return "while evaluating what was asked for";
	buf_addf(&b, "while evaluating '%s'", path);
	return buf_str(&b);
}

void attr_place_note(struct attr_place *at)
{
	note_push_made(place_note, at, at->pos);
}

W eval_attr_path(W root, const char *path, W args, struct attr_place *at)
{
	const char *p = path;
	W w = root;

	*at = (struct attr_place){ path, 0 };
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
		uint32_t pos = 0;
		W *v = attrs_find_pos(w, s, &pos);
		if (!v)
			throw_missing_step(w, s, path);
		at->pos = pos ? pos : at->pos;
		attr_place_note(at);
		w = force_at(v);
		note_pop();
	}
	return force(w);
}
