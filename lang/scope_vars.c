/* SPDX-License-Identifier: MIT
 *
 * Frames being laid out, the names bound in them, and the nodes that read a slot.
 *
 * bind[] maps a symbol to its innermost lexical binding, with the outer ones chained behind it, so a
 * variable is found in one step however deep the scopes are.  `with` never hides a lexical
 * binding; a name bound nowhere is looked up in the enclosing withs when there are any.
 */
#include "config.h"
#include "base/alloc.h"
#include "lang/program.h"
#include "lang/scope_int.h"
#include "lang/mistake.h"
#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

static struct cvar **bind;
static uint32_t bind_cap;

struct cvar *scope_bound(sym_t s)
{
	return s < bind_cap ? bind[s] : NULL;
}

void scope_bind(struct resolver *r, struct cscope *sc, sym_t s, uint32_t slot)
{
	if (s >= bind_cap) {
		uint32_t cap = sym_count() + 1024;
		bind = xrealloc_array(bind, cap, sizeof *bind);
		memset(bind + bind_cap, 0, (cap - bind_cap) * sizeof *bind);
		bind_cap = cap;
	}
	struct cvar *v = arena_alloc(&r->tmp, sizeof *v);
	*v = (struct cvar){ s, slot, r->frame, bind[s], sc->vars };
	bind[s] = v;
	sc->vars = v;
}

void scope_unbind(struct cscope *sc)
{
	for (struct cvar *v = sc->vars; v; v = v->next)
		bind[v->sym] = v->shadowed;
	sc->vars = NULL;
}

uint32_t scope_slot(struct resolver *r)
{
	return r->frame->nslots++;
}

void scope_push(struct resolver *r, struct cframe *f)
{
	*f = (struct cframe){ .up = r->frame, .depth = r->frame ? r->frame->depth + 1 : 0 };
	r->frame = f;
}

void scope_pop(struct resolver *r)
{
	r->frame = r->frame->up;
}

/* --- making nodes --- */

void *scope_node(struct resolver *r, size_t size, enum node_op op, const struct expr *x)
{
	struct node *n = arena_alloc(r->mem, size);

	n->op = (uint8_t)op;
	n->pos = x->pos;
	n->span = x->len > 0xffff ? 0xffff : (uint16_t)x->len;
	return n;
}

const struct node *scope_const(struct resolver *r, const struct expr *x, W w)
{
	struct n_const *n = scope_node(r, sizeof *n, OP_CONST, x);

	n->w = w;
	return &n->h;
}

const struct node *scope_slot_node(struct resolver *r, const struct expr *x, sym_t s, const struct cframe *f,
				   uint32_t slot)
{
	uint32_t level = r->frame->depth - f->depth;
	struct n_var *n = scope_node(r, sizeof *n, level < 3 ? OP_VAR0 + level : OP_VARN, x);

	n->level = level;
	n->slot = slot;
	n->sym = s;
	return &n->h;
}

/* --- variables --- */

static struct ccache *cache_entry(struct ccache *v, uint32_t mask, sym_t s)
{
	uint32_t i = s * 0x9e3779b1u & mask;

	while (v[i].sym && v[i].sym != s)
		i = (i + 1) & mask;
	return &v[i];
}

/* Room for one more name.  The old table is left to the arena. */
static void grow_caches(struct resolver *r, struct cwith *w)
{
	uint32_t mask = w->caches ? 2 * w->mask + 1 : 7;
	struct ccache *v = arena_alloc(&r->tmp, ((size_t)mask + 1) * sizeof *v);

	for (uint32_t i = 0; w->caches && i <= w->mask; i++)
		if (w->caches[i].sym)
			*cache_entry(v, mask, w->caches[i].sym) = w->caches[i];
	w->caches = v;
	w->mask = mask;
}

/* The slot in which reads of s under the innermost with remember what they found. */
static uint32_t with_cache_slot(struct resolver *r, struct cwith *w, sym_t s)
{
	if (!w->caches || 2 * w->n_caches >= w->mask)
		grow_caches(r, w);
	struct ccache *c = cache_entry(w->caches, w->mask, s);
	if (!c->sym) {
		*c = (struct ccache){ s, w->frame->nslots++ };
		w->n_caches++;
	}
	return c->slot;
}

static const struct node *with_var(struct resolver *r, const struct expr *x, sym_t s)
{
	uint32_t n = 0, i = 0;

	for (struct cwith *w = r->with; w; w = w->up)
		n++;
	struct n_with_var *v = scope_node(r, sizeof *v + n * sizeof *v->env, OP_WITH_VAR, x);
	v->sym = s;
	v->n = n;
	v->level = r->frame->depth - r->with->frame->depth;
	v->slot = with_cache_slot(r, r->with, s);
	for (struct cwith *w = r->with; w; w = w->up, i++) {
		v->env[i].level = r->frame->depth - w->frame->depth;
		v->env[i].slot = w->slot;
		v->env[i].with = w->node;
	}
	return &v->h;
}

/* a-b is one name: advice when the part before a hyphen is a variable. */
static void mistake_hyphen(struct buf *b, sym_t s)
{
	const struct str *name = sym_name(s);

	for (const char *p = strchr(name->b, '-'); p; p = strchr(p + 1, '-'))
		if (p[1] && scope_bound(sym_intern(name->b, (size_t)(p - name->b)))) {
			buf_addf(b, "\n'%s' is one name; a difference has blanks around the sign, %.*s - %s", name->b,
				 (int)(p - name->b), name->b, p + 1);
			return;
		}
}

static void undefined(struct resolver *r, const struct expr *x, sym_t s)
{
	const struct str *name = sym_name(s);
	struct buf b = BUF_INIT;
	struct suggest near;

	suggest_init(&near, name->b, name->len);
	for (uint32_t i = 1; i < sym_count(); i++) {
		const struct str *c = sym_name(i);
		if (i != s && (scope_bound(i) || (c->len > 1 && c->b[0] != '_' && r->env->global(r->env->arg, i) != W_ABSENT)))
			suggest_offer(&near, c->b, c->len);
	}
	buf_addf(&b, "undefined variable '%s'", name->b);
	size_t n = b.len;
	mistake_hyphen(&b, s);
	if (b.len == n)
		mistake_variable(&b, s, x->pos);
	if (b.len == n && near.best) {
		buf_addc(&b, '\n');
		suggest_ask(&near, &b);
	}
	err_at(r->err, x->pos, x->len, "%s", buf_str(&b));
	buf_release(&b);
}

const struct node *scope_var(struct resolver *r, const struct expr *x, sym_t s)
{
	const struct cvar *v = scope_bound(s);

	if (v)
		return scope_slot_node(r, x, s, v->frame, v->slot);
	W w = r->env->global(r->env->arg, s);
	if (w != W_ABSENT)
		return scope_const(r, x, w);
	if (r->with)
		return with_var(r, x, s);
	undefined(r, x, s);
	return scope_const(r, x, W_NULL);
}
