/* SPDX-License-Identifier: MIT
 *
 * Resolves every variable of a tree to a frame and a slot and emits the nodes eval/ runs.
 *
 * Where a let or with may share the running frame: only where the code around it runs directly in
 * that frame ("strict" below), so that slots are not reserved for code that may never run.  Sharing is always
 * correct, since all code of a frame runs at most once for each frame.
 */
#include "config.h"
#include "base/check.h"
#include "lang/program.h"
#include "lang/scope_int.h"

#include <stdlib.h>
#include <string.h>

/* A let in the middle of a body shares the frame up to this size: beyond, frames made for
 * one branch would carry the slots of all. */
enum { SHARED_SLOTS_MAX = 32, SORTED_BY_HAND = 16 };

/* Levels of a tree that are evaluated without a look at the stack, if nothing in them is called or forced: what they take is small
 * beside LIMIT_EVAL_STACK_RESERVE. */
enum { CHECK_LEVELS = 128 };

/* --- literals --- */

static W literal_str(struct resolver *r, const char *p, size_t len)
{
	struct str *s = arena_alloc(r->mem, sizeof *s + len + 1);

	s->len = (uint32_t)len;
	if (len)
		memcpy(s->b, p, len);
	return w_tag(s, TAG_STR);
}

static W literal_path(struct resolver *r, const char *p, size_t len)
{
	struct box_path *b = arena_alloc(r->mem, sizeof *b + len + 1);

	b->h = (struct box){ BOX_PATH, (uint32_t)len };
	memcpy(b->b, p, len);
	return w_tag(b, TAG_BOX);
}

static W literal_int(struct resolver *r, int64_t i)
{
	if (int_fits(i))
		return w_small(i);
	struct box_int *b = arena_alloc(r->mem, sizeof *b);
	b->h.kind = BOX_INT;
	b->i = i;
	return w_tag(b, TAG_BOX);
}

static W literal_float(struct resolver *r, double d)
{
	struct box_float *b = arena_alloc(r->mem, sizeof *b);

	b->h.kind = BOX_FLOAT;
	b->d = d;
	return w_tag(b, TAG_BOX);
}

/* --- attribute paths --- */

static struct n_step step_of(struct resolver *r, const struct attr_name *a)
{
	struct n_step s = { .sym = a->sym, .pos = a->pos, .span = a->len };

	if (a->expr)
		s.name = resolve(r, a->expr, 0);
	return s;
}

static const struct node *select_path(struct resolver *r, const struct expr *x, const struct node *e,
				      uint32_t from, enum node_op op, int strict)
{
	const struct attr_path *p = x->select.path;
	uint32_t n = p->n - from;

	if (op == OP_SELECT && n == 1 && !p->v[from].expr && !x->select.def) {
		struct n_select1 *s = scope_node(r, sizeof *s, OP_SELECT1, x);
		s->sym = p->v[from].sym;
		s->sym_pos = p->v[from].pos;
		s->sym_span = p->v[from].len;
		s->e = e;
		return &s->h;
	}
	struct n_select *s = scope_node(r, sizeof *s + n * sizeof *s->v, op, x);
	s->n = n;
	s->e = e;
	for (uint32_t i = 0; i < n; i++)
		s->v[i] = step_of(r, &p->v[from + i]);
	if (op == OP_SELECT && x->select.def)
		s->def = resolve(r, x->select.def, strict);
	return &s->h;
}

/* builtins.NAME is a constant wherever `builtins` is the global one. */
static W static_builtin(struct resolver *r, const struct expr *x)
{
	const struct expr *e = x->select.e;
	const struct attr_name *a = &x->select.path->v[0];

	if (e->kind != E_VAR || e->var.sym != SYM_BUILTINS || scope_bound(SYM_BUILTINS) || a->expr)
		return W_ABSENT;
	return r->env->builtin(r->env->arg, a->sym);
}

static const struct node *resolve_select(struct resolver *r, const struct expr *x, int strict)
{
	W w = static_builtin(r, x);

	if (w == W_ABSENT)
		return select_path(r, x, resolve(r, x->select.e, strict), 0, OP_SELECT, strict);
	const struct node *c = scope_const(r, x, w);
	return x->select.path->n == 1 ? c : select_path(r, x, c, 1, OP_SELECT, strict);
}

/* --- attribute sets --- */

static int by_symbol(const void *a, const void *b)
{
	sym_t x = (*(const struct binding *const *)a)->sym, y = (*(const struct binding *const *)b)->sym;

	return x < y ? -1 : x > y;
}

static struct binding **sorted_bindings(struct resolver *r, const struct bindings *b)
{
	struct binding **v = arena_alloc(&r->tmp, (b->n + 1) * sizeof *v);

	for (uint32_t i = 0; i < b->n; i++)
		v[i] = &b->v[i];
	if (b->n > SORTED_BY_HAND) {
		qsort(v, b->n, sizeof *v, by_symbol);
		return v;
	}
	for (uint32_t i = 1, j; i < b->n; i++) {
		struct binding *x = v[i];
		for (j = i; j && v[j - 1]->sym > x->sym; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
	return v;
}

static struct shape *shape_for(struct resolver *r, struct binding **v, uint32_t n)
{
	sym_t *sym = arena_alloc(r->mem, (n + 1) * sizeof *sym);
	uint32_t *pos = arena_alloc(r->mem, (n + 1) * sizeof *pos);

	for (uint32_t i = 0; i < n; i++) {
		sym[i] = v[i]->sym;
		pos[i] = v[i]->pos;
	}
	return r->env->shape(r->env->arg, sym, pos, n);
}

/* The value of a binding, in the scope that holds now. */
static const struct node *binding_value(struct resolver *r, const struct binding *b, const uint32_t *from_slots)
{
	struct expr at = { .pos = b->pos, .len = b->len };

	if (b->kind != BIND_INHERIT_FROM)
		return resolve(r, b->value, 0);
	struct n_select1 *s = scope_node(r, sizeof *s, OP_SELECT1, &at);
	s->sym = b->sym;
	s->sym_pos = b->pos;
	s->sym_span = b->len;
	s->e = scope_slot_node(r, &at, b->sym, r->frame, from_slots[b->from_index]);
	return &s->h;
}

static W lazy_word(const struct node *n)
{
	if (n->op == OP_CONST)
		return ((const struct n_const *)n)->w;
	return W_LAZY(n);
}

/* Slots for the expressions of `inherit (e)`, resolved in the scope that holds now, onto out. */
static uint32_t *from_slots(struct resolver *r, const struct bindings *b, struct n_slot *out)
{
	r->frame->captured |= b->n_from > 0;
	uint32_t *slots = arena_alloc(&r->tmp, (b->n_from + 1) * sizeof *slots);

	for (uint32_t i = 0; i < b->n_from; i++) {
		slots[i] = scope_slot(r);
		out[i] = (struct n_slot){ slots[i], resolve(r, b->from[i], 0) };
	}
	return slots;
}

static void resolve_dynamic(struct resolver *r, struct n_attrs *a, const struct bindings *b)
{
	a->n_dyn = b->n_dyn;
	a->dyn = arena_alloc(r->mem, (b->n_dyn + 1) * sizeof *a->dyn);
	for (uint32_t i = 0; i < b->n_dyn; i++) {
		const struct dyn_binding *d = &b->dyn[i];
		a->dyn[i].name = resolve(r, d->name, 0);
		a->dyn[i].v = resolve(r, d->value, 0);
		a->dyn[i].pos = d->pos;
		a->dyn[i].span = d->len;
	}
}

static struct n_attrs *attrs_new(struct resolver *r, const struct expr *x, enum node_op op, struct binding **v)
{
	const struct bindings *b = x->attrs.b;
	struct n_attrs *a = scope_node(r, sizeof *a, op, x);

	a->n = b->n;
	a->overrides = -1;
	a->sh = shape_for(r, v, b->n);
	a->tmpl = arena_alloc(r->mem, (b->n + 1) * sizeof *a->tmpl);
	a->slots = arena_alloc(r->mem, (b->n + b->n_from + 1) * sizeof *a->slots);
	return a;
}

static const struct node *resolve_attrs(struct resolver *r, const struct expr *x)
{
	const struct bindings *b = x->attrs.b;
	struct binding **v = sorted_bindings(r, b);
	struct n_attrs *a = attrs_new(r, x, OP_ATTRS, v);
	uint32_t *slots = from_slots(r, b, a->slots);

	a->n_slots = b->n_from;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct node *n = binding_value(r, v[i], slots);
		a->tmpl[i] = lazy_word(n);
		if (n->op != OP_CONST && (n->op < OP_VAR0 || n->op > OP_VARN))
			a->n_lazy++;
	}
	resolve_dynamic(r, a, b);
	return &a->h;
}

/* Resolves `inherit x` values before the names of the rec or let are bound. */
static const struct node **outer_values(struct resolver *r, struct binding **v, uint32_t n)
{
	const struct node **out = arena_alloc(&r->tmp, (n + 1) * sizeof *out);

	for (uint32_t i = 0; i < n; i++)
		if (v[i]->kind == BIND_INHERIT)
			out[i] = resolve(r, v[i]->value, 0);
	return out;
}

static const struct node *resolve_rec(struct resolver *r, const struct expr *x)
{
	const struct bindings *b = x->attrs.b;
	struct binding **v = sorted_bindings(r, b);
	struct n_attrs *a = attrs_new(r, x, OP_REC, v);
	struct cscope sc = { 0 };
	struct cframe f;

	r->frame->captured = 1;
	scope_push(r, &f);
	const struct node **outer = outer_values(r, v, b->n);
	for (uint32_t i = 0; i < b->n; i++) {
		struct expr at = { .pos = v[i]->pos, .len = v[i]->len };
		scope_bind(r, &sc, v[i]->sym, scope_slot(r));
		a->tmpl[i] = W_LAZY(scope_slot_node(r, &at, v[i]->sym, r->frame, i));
		if (v[i]->sym == SYM_OVERRIDES)
			a->overrides = (int32_t)i;
	}
	uint32_t *slots = from_slots(r, b, a->slots + b->n);
	for (uint32_t i = 0; i < b->n; i++)
		a->slots[i] = (struct n_slot){ i, outer[i] ? outer[i] : binding_value(r, v[i], slots) };
	a->n_slots = b->n + b->n_from;
	resolve_dynamic(r, a, b);
	scope_unbind(&sc);
	a->nslots = f.nslots;
	scope_pop(r);
	return &a->h;
}

/* --- let, with: in the running frame where strict, else in one of their own --- */

static int may_share(const struct resolver *r, int strict, uint32_t more)
{
	return strict && (r->frame->nslots + more <= SHARED_SLOTS_MAX || r->frame->head);
}

static const struct node *own_frame(struct resolver *r, const struct expr *x)
{
	struct n_frame *n = scope_node(r, sizeof *n, OP_FRAME, x);
	struct cframe f;

	r->frame->captured = 1;
	scope_push(r, &f);
	f.head = 1;
	n->body = resolve(r, x, 1);
	n->nslots = f.nslots;
	scope_pop(r);
	return &n->h;
}

static const struct node *resolve_let(struct resolver *r, const struct expr *x, int strict)
{
	const struct bindings *b = x->let.b;
	struct cscope sc = { 0 };

	if (b->n + b->n_from == 0)
		return resolve(r, x->let.body, strict);
	if (!may_share(r, strict, b->n + b->n_from))
		return own_frame(r, x);
	r->frame->captured = 1;
	struct binding **v = arena_alloc(&r->tmp, b->n * sizeof *v + 1);
	struct n_let *n = scope_node(r, sizeof *n + (b->n + b->n_from) * sizeof *n->v, OP_LET, x);
	for (uint32_t i = 0; i < b->n; i++)
		v[i] = &b->v[i];
	const struct node **outer = outer_values(r, v, b->n);
	for (uint32_t i = 0; i < b->n; i++) {
		n->v[i].slot = scope_slot(r);
		scope_bind(r, &sc, v[i]->sym, n->v[i].slot);
	}
	uint32_t *slots = from_slots(r, b, n->v + b->n);
	for (uint32_t i = 0; i < b->n; i++)
		n->v[i].v = outer[i] ? outer[i] : binding_value(r, v[i], slots);
	n->n = b->n + b->n_from;
	n->body = resolve(r, x->let.body, 1);
	scope_unbind(&sc);
	return &n->h;
}

static const struct node *resolve_with(struct resolver *r, const struct expr *x, int strict)
{
	if (!may_share(r, strict, 1))
		return own_frame(r, x);
	r->frame->captured = 1;
	struct n_with *n = scope_node(r, sizeof *n, OP_WITH, x);
	struct cwith w = { .frame = r->frame, .up = r->with, .node = n };
	n->env = resolve(r, x->with.env, 0);
	n->slot = w.slot = scope_slot(r);
	r->with = &w;
	n->body = resolve(r, x->with.body, 1);
	r->with = w.up;
	return &n->h;
}

/* --- branches that capture the frame of their lambda where others do not --- */

static void undo_moves(struct cframe *f, const struct cmove *upto)
{
	for (; f->moves != upto; f->moves = f->moves->before)
		*f->moves->where = f->moves->node->e;
}

int resolve_branch(struct resolver *r, const struct expr *x, const struct node **where)
{
	struct cmove *outside = r->frame->moves;
	int before = r->frame->captured, captures;

	r->frame->captured = 0;
	*where = resolve(r, x, 1);
	captures = r->frame->captured;
	r->frame->captured = before;
	if (captures) /* as a whole: a part of it must not move the frame again */
		undo_moves(r->frame, outside);
	return captures;
}

void move_frame(struct resolver *r, const struct expr *x, const struct node **where)
{
	struct cframe *f = r->frame;

	if (!f->lambda) {
		f->captured = 1;
		return;
	}
	struct n_heap *h = scope_node(r, sizeof *h, OP_HEAP, x);
	struct cmove *m = arena_alloc(&r->tmp, sizeof *m);
	h->l = f->lambda;
	h->e = *where;
	*where = &h->h;
	*m = (struct cmove){ f->moves, where, h };
	f->moves = m;
}

/* --- functions --- */

static int formal_by_symbol(const void *a, const void *b)
{
	sym_t x = ((const struct n_formal *)a)->sym, y = ((const struct n_formal *)b)->sym;

	return x < y ? -1 : x > y;
}

/* Parameters of x and of the lambdas directly below it, up to one with formals. */
static uint32_t chain_length(const struct expr *x)
{
	uint32_t n = 1;

	while (!x->lambda.formals && x->lambda.body->kind == E_LAMBDA && n < 250) {
		x = x->lambda.body;
		n++;
	}
	return n;
}

static void resolve_formals(struct resolver *r, struct n_lambda *l, const struct expr *x, struct cscope *sc)
{
	const struct formals *fs = x->lambda.formals;

	l->has_formals = 1;
	l->ellipsis = fs->ellipsis != 0;
	l->n_formals = fs->n;
	l->formals = arena_alloc(r->mem, (fs->n + 1) * sizeof *l->formals);
	for (uint32_t i = 0; i < fs->n; i++) {
		const struct formal *f = &fs->v[i];
		l->formals[i] = (struct n_formal){ f->sym, scope_slot(r), f->pos, f->len, 0, NULL };
		scope_bind(r, sc, f->sym, l->formals[i].slot);
	}
	for (uint32_t i = 0; i < fs->n; i++)
		if (fs->v[i].def) {
			l->formals[i].def = resolve(r, fs->v[i].def, 0);
			r->frame->captured |= l->formals[i].def->op != OP_CONST;
		}
	qsort(l->formals, fs->n, sizeof *l->formals, formal_by_symbol);
	for (uint32_t i = 1; i < fs->n; i++)
		CHECK(l->formals[i - 1].sym < l->formals[i].sym);
}

static const struct node *resolve_lambda(struct resolver *r, const struct expr *x)
{
	struct n_lambda *l = scope_node(r, sizeof *l, OP_LAMBDA, x);
	uint32_t arity = chain_length(x);
	sym_t *params = arena_alloc(r->mem, arity * sizeof *params);
	uint32_t *ppos = arena_alloc(r->mem, arity * sizeof *ppos);
	struct cscope sc = { 0 };
	struct cframe f;

	l->name = x->lambda.name;
	l->doc_pos = x->lambda.doc_pos;
	l->doc_len = x->lambda.doc_len;
	r->frame->captured = 1;
	scope_push(r, &f);
	f.nslots = arity;
	f.lambda = l;
	for (uint32_t i = 0; i < arity; i++) {
		if (i)
			x = x->lambda.body;
		params[i] = x->lambda.arg;
		ppos[i] = x->pos;
		if (x->lambda.arg)
			scope_bind(r, &sc, x->lambda.arg, i);
	}
	l->arity = arity;
	l->params = params;
	l->param_pos = ppos;
	if (x->lambda.formals)
		resolve_formals(r, l, x, &sc);
	f.head = 1;
	l->nparams = f.nslots;
	l->body = resolve(r, x->lambda.body, 1);
	l->nslots = f.nslots;
	l->on_stack = !f.captured && l->nparams <= STACK_FRAME_SLOTS;
	if (!l->on_stack)
		undo_moves(&f, NULL);
	scope_unbind(&sc);
	scope_pop(r);
	strict_params(l);
	return &l->h;
}

/* The arguments that calling a known builtin with all of its arguments evaluates in place, a bit each. */
static uint64_t forced_args(const struct node *fn, uint32_t n)
{
	W w = fn->op == OP_CONST ? ((const struct n_const *)fn)->w : W_NULL;
	const struct box_builtin *b = W_PTR(w);

	return W_TAG(w) == TAG_BOX && b->h.kind == BOX_BUILTIN && b->h.n == n ? b->strict : 0;
}

/* Also the calls that are its last argument and the last argument of that, as in x |> f |> g. */
static const struct node *resolve_call(struct resolver *r, const struct expr *x, int strict)
{
	const struct node *outermost, **where = &outermost;

	for (;;) {
		struct n_call *c = scope_node(r, sizeof *c + x->call.n * sizeof *c->args, OP_CALL, x);
		uint32_t last = x->call.n - 1;
		*where = &c->h;
		c->n = x->call.n;
		c->fn = resolve(r, x->call.fn, strict);
		uint64_t at_once = strict ? forced_args(c->fn, c->n) : 0;
		for (uint32_t i = 0; i < last; i++)
			c->args[i] = resolve(r, x->call.v[i], i < 64 && (at_once >> i & 1));
		strict = last < 64 && (at_once >> last & 1);
		where = &c->args[last];
		x = x->call.v[last];
		if (x->kind != E_CALL)
			break;
		r->frame->captured |= !strict;
	}
	*where = resolve(r, x, strict);
	return outermost;
}

static const struct node *resolve_many(struct resolver *r, const struct expr *x, enum node_op op, uint32_t n,
				       struct expr **v)
{
	struct n_interp *l = scope_node(r, sizeof *l + n * sizeof *l->v, op, x);

	_Static_assert(sizeof(struct n_interp) == sizeof(struct n_list), "one constructor for both");
	l->n = n;
	for (uint32_t i = 0; i < n; i++)
		l->v[i] = resolve(r, v[i], 0);
	return &l->h;
}

static const struct node *resolve_spath(struct resolver *r, const struct expr *x)
{
	struct n_call *c = scope_node(r, sizeof *c + 2 * sizeof *c->args, OP_CALL, x);

	c->n = 2;
	c->fn = scope_var(r, x, SYM_FIND_FILE);
	c->args[0] = scope_var(r, x, SYM_NIX_PATH);
	c->args[1] = scope_const(r, x, literal_str(r, x->str.p, x->str.n));
	return &c->h;
}

static const struct node *resolve_if(struct resolver *r, const struct expr *x, int strict)
{
	struct n_if *n = scope_node(r, sizeof *n, OP_IF, x);

	n->cond = resolve(r, x->if_.cond, strict);
	r->frame->head = 0;
	if (!strict) {
		n->then = resolve(r, x->if_.then, 0);
		n->else_ = resolve(r, x->if_.else_, 0);
		return &n->h;
	}
	int then = resolve_branch(r, x->if_.then, &n->then), else_ = resolve_branch(r, x->if_.else_, &n->else_);
	if (then && else_)
		r->frame->captured = 1;
	else if (then)
		move_frame(r, x->if_.then, &n->then);
	else if (else_)
		move_frame(r, x->if_.else_, &n->else_);
	return &n->h;
}

static const struct node *resolve_assert(struct resolver *r, const struct expr *x, int strict)
{
	struct n_assert *n = scope_node(r, sizeof *n, OP_ASSERT, x);

	n->cond = resolve(r, x->with.env, strict);
	n->body = resolve(r, x->with.body, strict);
	return &n->h;
}

static const struct node *resolve_kind(struct resolver *r, const struct expr *x, int strict)
{
	switch ((enum expr_kind)x->kind) {
	case E_INT: return scope_const(r, x, literal_int(r, x->i));
	case E_FLOAT: return scope_const(r, x, literal_float(r, x->d));
	case E_STR: return scope_const(r, x, literal_str(r, x->str.p, x->str.n));
	case E_PATH: return scope_const(r, x, literal_path(r, x->str.p, x->str.n));
	case E_SPATH: return resolve_spath(r, x);
	case E_VAR: return scope_var(r, x, x->var.sym);
	case E_CURPOS: return scope_node(r, sizeof(struct n_curpos), OP_CURPOS, x);
	case E_SELECT: return resolve_select(r, x, strict);
	case E_HASATTR: return select_path(r, x, resolve(r, x->select.e, strict), 0, OP_HASATTR, 0);
	case E_ATTRS:
		if (!x->attrs.b->n && !x->attrs.b->n_dyn && !x->attrs.b->n_from)
			return scope_const(r, x, r->env->empty_set);
		return x->rec ? resolve_rec(r, x) : resolve_attrs(r, x);
	case E_LIST:
		if (!x->list.n)
			return scope_const(r, x, r->env->empty_list);
		return resolve_many(r, x, OP_LIST, x->list.n, x->list.v);
	case E_LAMBDA: return resolve_lambda(r, x);
	case E_CALL: return resolve_call(r, x, strict);
	case E_LET: return resolve_let(r, x, strict);
	case E_WITH: return resolve_with(r, x, strict);
	case E_IF: return resolve_if(r, x, strict);
	case E_ASSERT: return resolve_assert(r, x, strict);
	case E_NOT: case E_NEG: return resolve_unary(r, x, strict);
	case E_BINARY: return resolve_binary(r, x, strict);
	case E_CONCAT: return resolve_many(r, x, x->rec ? OP_INTERP : OP_PATH, x->concat.n, x->concat.v);
	}
	abort();
}

/* Putting these off takes a word from somewhere, never the frame they run in. */
static int is_cheap(const struct node *n)
{
	return n->op == OP_CONST || (n->op >= OP_VAR0 && n->op <= OP_VARN);
}

/* The same where x is high: the uppermost node of a band has a CHECK above it. */
static __attribute__((noinline, cold)) const struct node *resolve_high(struct resolver *r, const struct expr *x, int strict)
{
	uint32_t outside = r->band, band = x->depth / CHECK_LEVELS;

	if (band == outside)
		return resolve_kind(r, x, strict);
	r->band = band;
	const struct node *n = resolve_kind(r, x, strict);
	r->band = outside;
	if (is_cheap(n) || n->op == OP_LAMBDA)
		return n;
	struct n_unary *c = scope_node(r, sizeof *c, OP_CHECK, x);
	c->e = n;
	return &c->h;
}

const struct node *resolve(struct resolver *r, const struct expr *x, int strict)
{
	const struct node *n = x->depth < CHECK_LEVELS ? resolve_kind(r, x, strict) : resolve_high(r, x, strict);

	if (!strict && !is_cheap(n))
		r->frame->captured = 1;
	return n;
}

const struct node *scope_resolve(const struct expr *x, const struct scope_env *env, struct arena *mem,
				 uint32_t *nslots, struct err *e)
{
	struct resolver r = { .mem = mem, .env = env, .err = e };
	struct cframe outer, f;
	struct cscope sc = { 0 };

	if (env->n_names) {
		scope_push(&r, &outer);
		for (uint32_t i = 0; i < env->n_names; i++)
			scope_bind(&r, &sc, env->names[i], i);
	}
	scope_push(&r, &f);
	f.head = 1;
	const struct node *n = resolve(&r, x, 1);
	*nslots = f.nslots;
	scope_unbind(&sc);
	arena_release(&r.tmp);
	return e->code ? NULL : n;
}
