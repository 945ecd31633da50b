/* SPDX-License-Identifier: MIT
 *
 * Constructors of the tree.
 *
 * Each node knows the height of the tree below it (depth), kept up to date as nodes are built and
 * merged.  It is what makes recursion over a tree safe: a tree higher than LIMIT_PARSE_DEPTH is
 * refused here, whether the height comes from brackets, from operators or from a
 * long attribute path, so no pass over the tree need count.  The links of a chain (expr_is_link) are all of one
 * height, as passes loop over them: generated files have sums and pipes of many thousands.
 *
 * The scratch stacks are cut back by whoever takes items off them, see lang/stack.h.
 */
#include "config.h"
#include "lang/ast_build.h"
#include "base/limits.h"

#include <stddef.h>

/* Bytes of a node whose payload is the member m. */
#define PAYLOAD(m) sizeof(((struct expr *)0)->m)
#define NODE(ps, kind, m, at) ast_node(ps, kind, PAYLOAD(m), at)

void ast_too_deep(struct parse *ps, uint32_t pos, uint32_t len)
{
	if (ps->err->code)
		return;
	err_at(ps->err, pos, len, "nested too deeply: more than %d levels", LIMIT_PARSE_DEPTH);
	ps->err->code = ERR_LIMIT;
}

struct expr *ast_node(struct parse *ps, enum expr_kind kind, size_t payload, struct span at)
{
	struct expr *e = arena_alloc(ps->mem, offsetof(struct expr, i) + payload);

	e->kind = (uint8_t)kind;
	e->pos = at.begin;
	e->len = at.end - at.begin;
	return e;
}

/* Notes that something of height `below` hangs under e. */
void ast_set_depth(struct parse *ps, struct expr *e, uint32_t below)
{
	if (e->depth > below)
		return;
	e->depth = below + 1;
	if (e->depth > LIMIT_PARSE_DEPTH)
		ast_too_deep(ps, e->pos, e->len);
}

void ast_push(struct parse *ps, struct expr *e)
{
	*(struct expr **)stack_push(&ps->exprs) = e;
}

/* Moves the expressions above the mark into an array, behind `first` unless that is NULL. */
static struct expr **take_exprs(struct parse *ps, struct expr *parent, struct expr *first, uint32_t mark,
				uint32_t *n)
{
	struct expr **from = stack_from(&ps->exprs, mark), **v;
	uint32_t lead = first != NULL;

	*n = ps->exprs.n - mark + lead;
	v = arena_alloc(ps->mem, *n * sizeof *v);
	if (first)
		v[0] = first;
	for (uint32_t i = lead; i < *n; i++)
		v[i] = from[i - lead];
	for (uint32_t i = 0; i < *n; i++)
		ast_set_depth(ps, parent, v[i]->depth);
	ps->exprs.n = mark;
	return v;
}

struct expr *ast_int(struct parse *ps, int64_t i, struct span at)
{
	struct expr *e = NODE(ps, E_INT, i, at);

	e->i = i;
	return e;
}

struct expr *ast_float(struct parse *ps, double d, struct span at)
{
	struct expr *e = NODE(ps, E_FLOAT, d, at);

	e->d = d;
	return e;
}

/* The bytes are borrowed: from the source, the arena or a constant. */
struct expr *ast_str(struct parse *ps, const char *p, size_t n, struct span at)
{
	struct expr *e = NODE(ps, E_STR, str, at);

	e->str.p = p;
	e->str.n = n;
	return e;
}

struct expr *ast_var(struct parse *ps, sym_t sym, struct span at)
{
	struct expr *e = NODE(ps, E_VAR, var, at);

	e->var.sym = sym;
	return e;
}

/* An identifier where an expression is wanted. */
struct expr *ast_name_or_cur_pos(struct parse *ps, sym_t sym, struct span at)
{
	return sym == SYM_CUR_POS ? ast_node(ps, E_CURPOS, 0, at) : ast_var(ps, sym, at);
}

struct expr *ast_paren(struct expr *e)
{
	e->paren = 1;
	return e;
}

struct expr *ast_list(struct parse *ps, uint32_t mark, struct span at)
{
	struct expr *e = NODE(ps, E_LIST, list, at);

	e->list.v = take_exprs(ps, e, NULL, mark, &e->list.n);
	return e;
}

struct expr *ast_concat(struct parse *ps, int is_string, struct expr *first, uint32_t mark, struct span at)
{
	struct expr *e = NODE(ps, E_CONCAT, concat, at);

	e->rec = is_string != 0;
	e->concat.v = take_exprs(ps, e, first, mark, &e->concat.n);
	return e;
}

struct expr *ast_unary(struct parse *ps, enum expr_kind kind, struct expr *operand, struct span at)
{
	struct expr *e = NODE(ps, kind, bin, at);

	e->bin.l = operand;
	ast_set_depth(ps, e, operand->depth);
	return e;
}

/* `at` is the operator's: that is what an error about the operation points at. */
struct expr *ast_binary(struct parse *ps, enum binary_op op, struct expr *l, struct expr *r, struct span at)
{
	struct expr *e = NODE(ps, E_BINARY, bin, at);

	e->op = (uint8_t)op;
	e->bin.l = l;
	e->bin.r = r;
	ast_set_depth(ps, e, expr_is_link(e) && expr_is_link(l) ? l->depth - 1 : l->depth);
	ast_set_depth(ps, e, r->depth);
	return e;
}

static struct attr_path *take_path(struct parse *ps, struct expr *parent, uint32_t mark)
{
	uint32_t n = ps->names.n - mark;
	struct attr_path *path = arena_alloc(ps->mem, sizeof *path + n * sizeof path->v[0]);

	path->n = n;
	memcpy(path->v, stack_from(&ps->names, mark), n * sizeof path->v[0]);
	for (uint32_t i = 0; i < n; i++)
		if (path->v[i].expr)
			ast_set_depth(ps, parent, path->v[i].expr->depth);
	ps->names.n = mark;
	return path;
}

struct expr *ast_select(struct parse *ps, struct expr *of, uint32_t mark, struct expr *def, struct span at)
{
	struct expr *e = NODE(ps, E_SELECT, select, at);

	e->select.e = of;
	e->select.def = def;
	e->select.path = take_path(ps, e, mark);
	ast_set_depth(ps, e, of->depth);
	if (def)
		ast_set_depth(ps, e, def->depth);
	return e;
}

struct expr *ast_has_attr(struct parse *ps, struct expr *of, uint32_t mark, struct span at)
{
	struct expr *e = ast_select(ps, of, mark, NULL, at);

	e->kind = E_HASATTR;
	return e;
}

struct expr *ast_if(struct parse *ps, struct expr *cond, struct expr *then, struct expr *else_, struct span at)
{
	struct expr *e = NODE(ps, E_IF, if_, at);

	e->if_.cond = cond;
	e->if_.then = then;
	e->if_.else_ = else_;
	ast_set_depth(ps, e, cond->depth);
	ast_set_depth(ps, e, then->depth);
	ast_set_depth(ps, e, else_->depth);
	return e;
}

struct expr *ast_with(struct parse *ps, enum expr_kind kind, struct expr *env, struct expr *body, struct span at)
{
	struct expr *e = NODE(ps, kind, with, at);

	e->with.env = env;
	e->with.body = body;
	ast_set_depth(ps, e, env->depth);
	ast_set_depth(ps, e, body->depth);
	return e;
}

struct expr *ast_let(struct parse *ps, struct expr *set, struct expr *body, struct span at)
{
	struct expr *e = NODE(ps, E_LET, let, at);

	e->let.b = set->attrs.b;
	e->let.body = body;
	ast_set_depth(ps, e, set->depth);
	ast_set_depth(ps, e, body->depth);
	if (e->let.b->n_dyn)
		err_at(ps->err, e->let.b->dyn[0].pos, e->let.b->dyn[0].len,
		       "dynamic attributes are not allowed in 'let': its names must be known before anything is "
		       "evaluated");
	return e;
}

/* `let { ..., body = e; }` is `(rec { ... }).body`. */
struct expr *ast_legacy_let(struct parse *ps, struct expr *set, struct span at)
{
	uint32_t mark = ps->names.n;

	ast_name(ps, SYM_BODY, at);
	return ast_select(ps, set_done(set, 1, at), mark, NULL, at);
}

/* For each function of a curried chain x: y: ..., outermost first. */
void ast_set_name(struct expr *e, sym_t name)
{
	for (; e->kind == E_LAMBDA; e = e->lambda.body)
		e->lambda.name = name;
}

/* The innermost doc comment wins, so the chain is followed only as far as there is none. */
void ast_set_doc(struct parse *ps, struct expr *e, uint32_t token_pos)
{
	const struct doc_comment *d;

	if (e->kind != E_LAMBDA || !ps->lx.docs.n)
		return;
	d = lexer_doc(&ps->lx, token_pos);
	for (; d && e->kind == E_LAMBDA && !e->lambda.doc_pos; e = e->lambda.body) {
		e->lambda.doc_pos = ps->src->start + d->off;
		e->lambda.doc_len = d->len;
	}
}

struct expr *ast_lambda(struct parse *ps, sym_t arg, struct formals *f, struct expr *body, struct span at)
{
	struct expr *e = NODE(ps, E_LAMBDA, lambda, at);

	e->lambda.arg = arg;
	e->lambda.formals = f;
	e->lambda.body = body;
	ast_set_depth(ps, e, body->depth);
	for (uint32_t i = 0; f && i < f->n; i++)
		if (f->v[i].def)
			ast_set_depth(ps, e, f->v[i].def->depth);
	ast_set_doc(ps, e, at.begin);
	return e;
}

/* The spine's array grows when its length reaches a power of two. */
static void add_argument(struct parse *ps, struct expr *call, struct expr *arg, uint32_t depth)
{
	uint32_t n = call->call.n;

	if (n >= 2 && !(n & (n - 1))) {
		struct expr **v = arena_alloc(ps->mem, 2 * (size_t)n * sizeof *v);
		memcpy(v, call->call.v, n * sizeof *v);
		call->call.v = v;
	}
	call->call.v[call->call.n++] = arg;
	ast_set_depth(ps, call, depth);
}

/* depth: how high arg counts. */
static struct expr *apply(struct parse *ps, struct expr *fn, struct expr *arg, uint32_t depth, struct span at)
{
	struct expr *e = fn;

	if (fn->kind != E_CALL) {
		e = NODE(ps, E_CALL, call, at);
		e->call.fn = fn;
		e->call.v = arena_alloc(ps->mem, 2 * sizeof *e->call.v);
		ast_set_depth(ps, e, fn->depth);
	} else if (at.begin == e->pos) {
		e->len = at.end - at.begin;
	}
	e->paren = 0; /* in (f a) b the parentheses are not around all of it */
	add_argument(ps, e, arg, depth);
	return e;
}

struct expr *ast_call(struct parse *ps, struct expr *fn, struct expr *arg, struct span at)
{
	return apply(ps, fn, arg, arg->depth, at);
}

struct expr *ast_pipe(struct parse *ps, struct expr *fn, struct expr *arg, struct span at)
{
	return apply(ps, fn, arg, arg->kind == E_CALL ? arg->depth - 1 : arg->depth, at);
}

/* In a call, op marks `f or` until it is known where it stands. */
enum { CALL_OR = 1 };

struct expr *ast_call_or(struct parse *ps, struct expr *fn, struct span or_at, struct span at)
{
	struct expr *e = NODE(ps, E_CALL, call, at);

	e->op = CALL_OR;
	e->call.fn = fn;
	e->call.v = arena_alloc(ps->mem, 2 * sizeof *e->call.v);
	ast_set_depth(ps, e, fn->depth);
	add_argument(ps, e, ast_var(ps, SYM_OR, or_at), 0);
	return e;
}

struct expr *ast_plain_or(struct expr *e)
{
	if (e->kind == E_CALL)
		e->op = 0;
	return e;
}

struct expr *ast_warn_or(struct parse *ps, struct expr *e)
{
	if (e->kind != E_CALL || e->op != CALL_OR)
		return e;
	e->op = 0;
	if (ps->opt->warn)
		ps->opt->warn(ps->opt->warn_arg, e->pos, e->len,
			      "'or' is used as an identifier here, in a way whose meaning will change; put this "
			      "expression in parentheses to keep its present meaning");
	return e;
}

void ast_name(struct parse *ps, sym_t sym, struct span at)
{
	struct attr_name *a = stack_push(&ps->names);

	*a = (struct attr_name){ sym, NULL, at.begin, at.end - at.begin };
}

void ast_name_expr(struct parse *ps, struct expr *name, struct span at)
{
	if (name->kind == E_STR)
		ast_name(ps, sym_intern(name->str.p, name->str.n), at);
	else
		*(struct attr_name *)stack_push(&ps->names) =
			(struct attr_name){ SYM_NONE, name, at.begin, at.end - at.begin };
}
