/* SPDX-License-Identifier: MIT
 *
 * For tests of units: an environment to resolve programs in, and a program as text, all that was left unread read.
 */
#ifndef TESTS_UNIT_WALK_H
#define TESTS_UNIT_WALK_H

#include "base/buf.h"
#include "base/mem.h"
#include "lang/parse.h"
#include "lang/unit.h"
#include "lang/unit_int.h"

#include <stdlib.h>
#include <string.h>

struct shape {
	const sym_t *sym;
	const uint32_t *pos;
	uint32_t n;
};

/* A builtin of two arguments of which the first is forced, a string and a set, as globals. */
static struct box_builtin walk_builtin = { { BOX_BUILTIN, 2 }, NULL, 1 };
static union { struct str s; W align[2]; } walk_str, walk_empty[2];

static W walk_global(void *arg, sym_t s)
{
	const char *name = sym_name(s)->b;

	(void)arg;
	return !strcmp(name, "fn") || s == SYM_FIND_FILE ? w_tag(&walk_builtin, TAG_BOX) :
	       !strcmp(name, "version") ? w_tag(&walk_str, TAG_STR) :
	       !strcmp(name, "true") ? W_TRUE : !strcmp(name, "null") ? W_NULL :
	       s == SYM_BUILTINS ? w_tag(&walk_empty[1], TAG_ATTRS) :
	       s == SYM_NIX_PATH ? w_tag(&walk_empty[0], TAG_LIST) : W_ABSENT;
}

static W walk_static(void *arg, sym_t s)
{
	return walk_global(arg, s);
}

static sym_t walk_name(void *arg, W w)
{
	static const char *const names[] = { "fn", "version", "builtins" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (walk_global(arg, sym_c(names[i])) == w)
			return sym_c(names[i]);
	return SYM_NONE;
}

static struct shape *walk_shape(void *arg, const sym_t *sym, const uint32_t *pos, uint32_t n)
{
	struct shape *sh = arena_alloc(arg, sizeof *sh);

	*sh = (struct shape){ sym, pos, n };
	return sh;
}

static void walk_shape_names(void *arg, const struct shape *sh, const sym_t **sym, const uint32_t **pos)
{
	(void)arg;
	*sym = sh->sym;
	*pos = sh->pos;
}

static struct scope_env walk_env(struct arena *mem)
{
	return (struct scope_env){ .global = walk_global, .builtin = walk_static, .shape = walk_shape, .name_of = walk_name,
				   .shape_names = walk_shape_names, .arg = mem,
				   .empty_list = w_tag(&walk_empty[0], TAG_LIST),
				   .empty_set = w_tag(&walk_empty[0], TAG_ATTRS) };
}

/* The stack that is left to a reader. */
static const char *walk_stack_end(void)
{
	return (const char *)__builtin_frame_address(0) - ((size_t)1 << 20);
}

struct walk {
	struct buf text;
	unsigned seen[OP_COUNT + 1]; /* how many of each op */
	unsigned damaged;
};

static void walk_node(struct walk *w, const struct node *n);

static void walk_word(struct walk *w, W c)
{
	const struct box *b = W_PTR(c);

	if (W_TAG(c) == TAG_STR)
		buf_addf(&w->text, " \"%s\"%u", ((const struct str *)W_PTR(c))->b, ((const struct str *)W_PTR(c))->ctx);
	else if (W_TAG(c) == TAG_BOX && b->kind == BOX_PATH)
		buf_addf(&w->text, " <%s>%u", ((const struct box_path *)W_PTR(c))->b, b->n);
	else if (W_TAG(c) == TAG_BOX && b->kind == BOX_FLOAT)
		buf_addf(&w->text, " %a", ((const struct box_float *)W_PTR(c))->d);
	else if (W_TAG(c) == TAG_BOX && b->kind == BOX_INT)
		buf_addf(&w->text, " %lld", (long long)((const struct box_int *)W_PTR(c))->i);
	else
		buf_addf(&w->text, " %llx", (unsigned long long)c);
}

static void walk_attributes(struct walk *w, const struct n_attrs *x)
{
	for (uint32_t i = 0; i < x->n; i++) {
		buf_addf(&w->text, " %s@%u", sym_name(x->sh->sym[i])->b, x->sh->pos[i]);
		if (W_IS_LAZY(x->tmpl[i]))
			walk_node(w, W_LAZY_NODE(x->tmpl[i]));
		else
			walk_word(w, x->tmpl[i]);
	}
	buf_addf(&w->text, " %d", x->overrides);
}

static void walk_link(struct walk *w, const struct n_binary *x, const struct node *l)
{
	buf_addf(&w->text, "(%u @%u+%u %d", x->h.op, x->h.pos, x->h.span, x->l == l);
	walk_node(w, x->r);
	buf_addc(&w->text, ')');
}

#define FORM(name, type) \
	static void walk_##name(struct walk *w, const struct node *node) \
	{ \
		const type *x = (const void *)node; \
		(void)x, (void)w;
#define FORM_N(name, type, n, v) FORM(name, type) buf_addf(&w->text, " %u", x->n);
#define END }
#define COUNT(f) buf_addf(&w->text, " %u", (unsigned)x->f);
#define NUMBER(f) COUNT(f)
#define FLAGS(a, b, c) buf_addf(&w->text, " %u%u%u", x->a, x->b, x->c);
#define LEVEL NUMBER(level)
#define SYM(f) buf_addf(&w->text, " '%s'", sym_name(x->f)->b);
#define POS(f) buf_addf(&w->text, " @%u", x->f);
#define NODE(f) walk_node(w, x->f);
#define BRANCH(f) walk_node(w, x->f);
#define LATER(f) walk_node(w, x->f);
#define MEMBER(f) walk_node(w, x->f);
#define MAYBE(form, f) if (x->f) { form(f) } else buf_adds(&w->text, " -");
#define ARRAY(v, n)
#define EACH(n, ...) for (uint32_t i = 0; i < (n); i++) { __VA_ARGS__ }
#define CODE(...)
#define LINK(i) walk_link(w, x->v[i], i ? &x->v[i - 1]->h : x->first);
#define SHAPE walk_attributes(w, x);
#define ENTER
#define LEAVE
#define ENTER_WITH
#define LEAVE_WITH

#include "lang/unit_forms.def"

static void walk_const(struct walk *w, const struct node *n)
{
	walk_word(w, ((const struct n_const *)n)->w);
}

static void walk_with_var(struct walk *w, const struct node *n)
{
	const struct n_with_var *x = (const void *)n;

	buf_addf(&w->text, " '%s' %u %u", sym_name(x->sym)->b, x->level, x->slot);
	for (uint32_t i = 0; i < x->n; i++)
		buf_addf(&w->text, " %u %u %u", x->env[i].level, x->env[i].slot, x->env[i].with->h.pos);
}

static void walk_heap(struct walk *w, const struct node *n)
{
	const struct n_heap *x = (const void *)n;

	buf_addf(&w->text, " %u %u", x->l->h.pos, x->l->nslots);
	walk_node(w, x->e);
}

static void walk_fields(struct walk *w, const struct node *n)
{
#define WALK(name) walk_##name(w, n); return;
	UNIT_FORM_OF(n->op, WALK)
	abort();
}

static void walk_node(struct walk *w, const struct node *n)
{
	w->seen[n->op]++;
	if (n->op == OP_UNREAD && !(n = unit_read_rest(n, walk_stack_end()))) {
		w->damaged++;
		return;
	}
	buf_addf(&w->text, "(%u/%u @%u+%u", n->op, n->flags, n->pos, n->span);
	walk_fields(w, n);
	buf_addc(&w->text, ')');
}

#endif
