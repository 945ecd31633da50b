/* SPDX-License-Identifier: MIT
 *
 * The bindings of sets and lets, and the formals of functions: what may be bound twice, and to what.
 *
 * `a.b = 1; a.c = 2;` makes one set of a.  So does any mixture with `a = { ... }`, before or after,
 * in parentheses or not: two set literals bound to one name are one set.  The first of them decides
 * whether it is recursive; a `rec` on a later one is forgotten.  That is the reference's rule, odd as it is,
 * and code relies on it.  A dynamic name never merges: whether it clashes is known only when
 * it is evaluated.
 *
 * Since a finished set may still have to take in another, every E_ATTRS has a struct set behind its
 * struct bindings: room to grow and, from INDEX_FROM bindings on, an index by symbol.
 */
#include "config.h"
#include "lang/ast_build.h"
#include "base/buf.h"
#include "base/limits.h"

#include <string.h>

enum { INDEX_FROM = 9 };

struct set {
	struct bindings b; /* first: expr->attrs.b points here */
	uint32_t cap, cap_dyn, cap_from;
	uint32_t index_mask; /* slots of the index less one, 0: no index */
	uint32_t *index;     /* number of the binding plus one; 0 is a free slot */
};

static struct set *set_of(const struct expr *e)
{
	return (struct set *)e->attrs.b;
}

static int is_set(const struct expr *e)
{
	return e && e->kind == E_ATTRS;
}

struct expr *set_new(struct parse *ps, struct span at)
{
	struct expr *e = ast_node(ps, E_ATTRS, sizeof e->attrs, at);

	e->attrs.b = arena_alloc(ps->mem, sizeof(struct set));
	return e;
}

struct expr *set_done(struct expr *set, int rec, struct span at)
{
	set->rec = rec != 0;
	set->pos = at.begin;
	set->len = at.end - at.begin;
	return set;
}

/* An array with room for one more of n items; the old one is left to the arena. */
static void *grow(struct parse *ps, void *v, uint32_t n, uint32_t *cap, size_t size)
{
	void *bigger;

	if (n < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 2;
	bigger = arena_alloc(ps->mem, *cap * size);
	if (n)
		memcpy(bigger, v, n * size);
	return bigger;
}

static uint32_t *index_slot(const struct set *s, sym_t sym)
{
	uint32_t i = (sym * 0x9e3779b1u) >> 7 & s->index_mask;

	while (s->index[i] && s->b.v[s->index[i] - 1].sym != sym)
		i = (i + 1) & s->index_mask;
	return &s->index[i];
}

/* Keeps the index at most half full. */
static void index_last(struct parse *ps, struct set *s)
{
	if (s->b.n < INDEX_FROM)
		return;
	if (s->b.n * 2 <= s->index_mask) {
		*index_slot(s, s->b.v[s->b.n - 1].sym) = s->b.n;
		return;
	}
	s->index_mask = s->index_mask ? s->index_mask * 2 + 1 : 4 * INDEX_FROM - 5;
	s->index = arena_alloc(ps->mem, ((size_t)s->index_mask + 1) * sizeof *s->index);
	for (uint32_t i = 0; i < s->b.n; i++)
		*index_slot(s, s->b.v[i].sym) = i + 1;
}

static struct binding *set_find(const struct expr *set, sym_t sym)
{
	const struct set *s = set_of(set);

	if (s->index) {
		uint32_t i = *index_slot(s, sym);
		return i ? &s->b.v[i - 1] : NULL;
	}
	for (uint32_t i = 0; i < s->b.n; i++)
		if (s->b.v[i].sym == sym)
			return &s->b.v[i];
	return NULL;
}

static void append(struct parse *ps, struct expr *set, struct binding b)
{
	struct set *s = set_of(set);

	s->b.v = grow(ps, s->b.v, s->b.n, &s->cap, sizeof *s->b.v);
	s->b.v[s->b.n++] = b;
	index_last(ps, s);
	if (b.value)
		ast_set_depth(ps, set, b.value->depth);
}

static void append_dyn(struct parse *ps, struct expr *set, struct dyn_binding d)
{
	struct set *s = set_of(set);

	s->b.dyn = grow(ps, s->b.dyn, s->b.n_dyn, &s->cap_dyn, sizeof *s->b.dyn);
	s->b.dyn[s->b.n_dyn++] = d;
	ast_set_depth(ps, set, d.name->depth);
	ast_set_depth(ps, set, d.value->depth);
}

static uint32_t append_from(struct parse *ps, struct expr *set, struct expr *from)
{
	struct set *s = set_of(set);

	s->b.from = grow(ps, s->b.from, s->b.n_from, &s->cap_from, sizeof *s->b.from);
	s->b.from[s->b.n_from] = from;
	ast_set_depth(ps, set, from->depth);
	return s->b.n_from++;
}

/* The path on ps->names from mark up to its n-th step, as it would be written.  All steps
 * of a path that clashes are static: a dynamic one always begins a set of its own. */
static void show_path(struct buf *b, struct parse *ps, uint32_t mark, uint32_t n)
{
	const struct attr_name *v = stack_from(&ps->names, mark);

	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, '.');
		if (v[i].sym)
			print_name(b, v[i].sym);
		else
			buf_adds(b, "${...}");
	}
}

static void duplicate(struct parse *ps, uint32_t mark, uint32_t n, uint32_t pos, uint32_t len, uint32_t earlier)
{
	struct buf b = BUF_INIT;

	if (ps->err->code)
		return;
	buf_adds(&b, "attribute '");
	show_path(&b, ps, mark, n);
	buf_adds(&b, "' already defined at ");
	show_position(&b, earlier);
	err_at(ps->err, pos, len, "%s", buf_str(&b));
	buf_release(&b);
}

static void set_put(struct parse *ps, struct expr *set, uint32_t mark, struct binding b);

/* Moves the contents of the set literal `other` into `set`, which is what ps->names from mark up calls it. */
static void merge(struct parse *ps, struct expr *set, uint32_t mark, struct expr *other)
{
	const struct bindings *o = other->attrs.b;
	uint32_t n_from = set->attrs.b->n_from;

	for (uint32_t i = 0; i < o->n; i++) {
		struct binding b = o->v[i];
		b.from_index += n_from;
		ast_name(ps, b.sym, (struct span){ b.pos, b.pos + b.len });
		set_put(ps, set, mark, b);
		ps->names.n--;
	}
	for (uint32_t i = 0; i < o->n_dyn; i++)
		append_dyn(ps, set, o->dyn[i]);
	for (uint32_t i = 0; i < o->n_from; i++)
		append_from(ps, set, o->from[i]);
}

/* Binds the last name of the path ps->names from mark up, in `set`. */
static void set_put(struct parse *ps, struct expr *set, uint32_t mark, struct binding b)
{
	struct binding *old = set_find(set, b.sym);

	if (!old) {
		append(ps, set, b);
		if (b.value)
			ast_set_name(b.value, b.sym);
	} else if (is_set(old->value) && is_set(b.value)) {
		merge(ps, old->value, mark, b.value);
		ast_set_depth(ps, set, old->value->depth);
	} else {
		duplicate(ps, mark, ps->names.n - mark, b.pos, b.len, old->pos);
	}
}

/* The set that step i of the path names in `set`, made if it is not there; NULL after an error. */
static struct expr *step_into(struct parse *ps, struct expr *set, uint32_t mark, uint32_t i, struct span path)
{
	struct attr_name a = ((struct attr_name *)stack_from(&ps->names, mark))[i];
	struct binding *old = a.sym ? set_find(set, a.sym) : NULL;
	uint32_t len = path.end - path.begin;
	struct expr *nested;

	if (old && is_set(old->value))
		return old->value;
	if (old) {
		duplicate(ps, mark, i + 1, path.begin, len, old->pos);
		return NULL;
	}
	nested = set_new(ps, path);
	if (a.sym)
		append(ps, set, (struct binding){ .sym = a.sym, .pos = path.begin, .len = len, .value = nested });
	else
		append_dyn(ps, set, (struct dyn_binding){ a.expr, nested, path.begin, len });
	return nested;
}

/* Binds the path from mark up, which is taken off the stack.  Every step of it gets the position of the
 * whole path, as in the reference. */
struct expr *set_add(struct parse *ps, struct expr *set, uint32_t mark, struct span path, struct expr *value)
{
	struct expr *inner = set = set ? set : set_new(ps, path);
	uint32_t n = ps->names.n - mark, len = path.end - path.begin;

	for (uint32_t i = 0; i + 1 < n && inner; i++) {
		ast_set_depth(ps, inner, value->depth + (n - 1 - i));
		inner = step_into(ps, inner, mark, i, path);
	}
	if (inner) {
		struct attr_name last = ((struct attr_name *)stack_from(&ps->names, mark))[n - 1];
		if (last.sym)
			set_put(ps, inner, mark,
				(struct binding){ .sym = last.sym, .pos = path.begin, .len = len, .value = value });
		else
			append_dyn(ps, inner, (struct dyn_binding){ last.expr, value, path.begin, len });
		ast_set_doc(ps, value, path.begin);
	}
	ps->names.n = mark;
	return set;
}

/* Binds each of the names from mark up by `b`, whose name and position are still open. */
static void inherit(struct parse *ps, struct expr *set, uint32_t mark, struct binding b)
{
	uint32_t end = ps->names.n;

	for (uint32_t i = mark; i < end; i++) {
		struct attr_name a = *(struct attr_name *)stack_from(&ps->names, i);
		struct binding *old = a.sym ? set_find(set, a.sym) : NULL;
		b.sym = a.sym;
		b.pos = a.pos;
		b.len = a.len;
		if (b.kind == BIND_INHERIT)
			b.value = ast_var(ps, a.sym, (struct span){ a.pos, a.pos + a.len });
		if (a.expr)
			err_at(ps->err, a.pos, a.len, "dynamic attributes are not allowed in 'inherit'");
		else if (old)
			duplicate(ps, i, 1, a.pos, a.len, old->pos);
		else
			append(ps, set, b);
	}
	ps->names.n = mark;
}

struct expr *set_inherit(struct parse *ps, struct expr *set, uint32_t mark)
{
	set = set ? set : set_new(ps, (struct span){ 0, 0 });
	inherit(ps, set, mark, (struct binding){ .kind = BIND_INHERIT });
	return set;
}

struct expr *set_inherit_from(struct parse *ps, struct expr *set, struct expr *from, uint32_t mark)
{
	uint32_t i;

	set = set ? set : set_new(ps, (struct span){ 0, 0 });
	i = append_from(ps, set, from);
	inherit(ps, set, mark, (struct binding){ .kind = BIND_INHERIT_FROM, .from_index = i });
	return set;
}

void formal_add(struct parse *ps, sym_t sym, struct expr *def, struct span at)
{
	*(struct formal *)stack_push(&ps->formals) = (struct formal){ sym, at.begin, at.end - at.begin, def };
}

static int by_name(const void *a, const void *b)
{
	const struct formal *x = a, *y = b;

	return x->sym != y->sym ? (x->sym < y->sym ? -1 : 1) : x->pos < y->pos ? -1 : 1;
}

/* Refuses a name that stands twice; of several, the one whose second mention comes first. */
static void check_formals(struct parse *ps, const struct formals *f)
{
	size_t size = f->n * sizeof *f->v;
	struct formal *sorted, *dup = NULL;

	if (f->n < 2)
		return;
	sorted = memcpy(arena_alloc(ps->mem, size), f->v, size);
	qsort(sorted, f->n, sizeof *sorted, by_name);
	for (uint32_t i = 1; i < f->n; i++)
		if (sorted[i].sym == sorted[i - 1].sym && (!dup || sorted[i].pos < dup->pos))
			dup = &sorted[i];
	if (dup)
		err_at(ps->err, dup->pos, dup->len, "duplicate formal function argument '%s'", sym_name(dup->sym)->b);
}

struct formals *formals_done(struct parse *ps, uint32_t mark, int ellipsis)
{
	struct formals *f = arena_alloc(ps->mem, sizeof *f);

	f->n = ps->formals.n - mark;
	f->ellipsis = ellipsis;
	f->v = arena_alloc(ps->mem, f->n * sizeof *f->v);
	if (f->n)
		memcpy(f->v, stack_from(&ps->formals, mark), f->n * sizeof *f->v);
	ps->formals.n = mark;
	check_formals(ps, f);
	return f;
}

/* The formals beside a name for the whole argument, x @ { ... }; `at` spans both. */
struct formals *formals_with_arg(struct parse *ps, struct formals *f, sym_t arg, struct span at)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].sym == arg)
			err_at(ps->err, at.begin, at.end - at.begin, "duplicate formal function argument '%s'",
			       sym_name(arg)->b);
	return f;
}
