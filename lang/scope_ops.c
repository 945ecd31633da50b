/* SPDX-License-Identifier: MIT
 *
 * Operators: nodes of their own, or calls where the name an operator stands for is rebound.
 *
 * A chain of operators that associate to the left is resolved from its innermost link outwards in a loop.  A long one
 * gets a node that evaluates it in a loop as well; to the rest of the program that node is the outermost link.
 */
#include "config.h"
#include "lang/program.h"
#include "lang/scope_int.h"

/* From this length on a chain has a node: evaluating a shorter one link by link takes little stack. */
enum { CHAIN_MIN = 32 };

/* The name an operator stands for, if it is lexically rebound: then the operator is a call of it. */
static sym_t rebound_operator(const struct expr *x)
{
	sym_t s = SYM_NONE;

	if (x->kind == E_NEG)
		s = SYM_SUB;
	else
		switch (x->op) {
		case BIN_SUB: s = SYM_SUB; break;
		case BIN_MUL: s = SYM_MUL; break;
		case BIN_DIV: s = SYM_DIV; break;
		case BIN_LT: case BIN_LE: case BIN_GT: case BIN_GE: s = SYM_LESS_THAN; break;
		}
	return s && scope_bound(s) ? s : SYM_NONE;
}

/* x as a call of s; l is its left operand, as a thunk takes it. */
static const struct node *call_operator(struct resolver *r, const struct expr *x, sym_t s, const struct node *l)
{
	struct n_call *c = scope_node(r, sizeof *c + 2 * sizeof *c->args, OP_CALL, x);
	int swap = x->kind == E_BINARY && (x->op == BIN_GT || x->op == BIN_LE);
	int negate = x->kind == E_BINARY && (x->op == BIN_LE || x->op == BIN_GE);
	const struct node *rr = resolve(r, x->kind == E_NEG ? x->bin.l : x->bin.r, 0);

	c->n = 2;
	c->fn = scope_var(r, x, s);
	c->args[0] = swap ? rr : l;
	c->args[1] = swap ? l : rr;
	if (!negate)
		return &c->h;
	struct n_unary *n = scope_node(r, sizeof *n, OP_NOT, x);
	n->e = &c->h;
	return &n->h;
}

/* x as an operator; l is its left operand. */
static const struct node *binary(struct resolver *r, const struct expr *x, const struct node *l, int strict)
{
	static const uint8_t op[] = {
		[BIN_ADD] = OP_ADD, [BIN_SUB] = OP_SUB, [BIN_MUL] = OP_MUL, [BIN_DIV] = OP_DIV,
		[BIN_EQ] = OP_EQ, [BIN_NE] = OP_NE, [BIN_LT] = OP_LT, [BIN_LE] = OP_LE, [BIN_GT] = OP_GT,
		[BIN_GE] = OP_GE, [BIN_AND] = OP_AND, [BIN_OR] = OP_OR, [BIN_IMPL] = OP_IMPL,
		[BIN_UPDATE] = OP_UPDATE, [BIN_CONCAT] = OP_CONCAT,
	};
	struct n_binary *n = scope_node(r, sizeof *n, op[x->op], x);

	n->l = l;
	if (!strict || (x->op != BIN_AND && x->op != BIN_OR && x->op != BIN_IMPL))
		n->r = resolve(r, x->bin.r, strict);
	else if (resolve_branch(r, x->bin.r, &n->r))
		move_frame(r, x->bin.r, &n->r);
	return &n->h;
}

/* The n links from `outer`, that of x, inwards as one node where that is worth it. */
static const struct node *join_links(struct resolver *r, const struct expr *x, const struct node *outer, uint32_t n)
{
	if (n < CHAIN_MIN)
		return outer;
	struct n_chain *c = scope_node(r, sizeof *c + n * sizeof *c->v, OP_CHAIN, x);
	c->n = n;
	c->first = outer;
	while (n--) {
		c->v[n] = (const struct n_binary *)c->first;
		c->first = c->v[n]->l;
	}
	return &c->h;
}

/* The links from x inwards, n of them. */
static const struct node *resolve_chain(struct resolver *r, const struct expr *x, uint32_t n, int strict)
{
	const struct expr **v = arena_alloc(&r->tmp, n * sizeof *v);
	uint32_t joined = 0; /* operators since the last call */

	for (uint32_t i = n; i-- > 0; x = x->bin.l) {
		v[i] = x;
		/* It takes what is to the left of it as a thunk. */
		if (rebound_operator(x))
			strict = 0;
	}
	r->frame->captured |= !strict;
	const struct node *l = resolve(r, x, strict);
	for (uint32_t i = 0; i < n; i++) {
		sym_t s = rebound_operator(v[i]);
		if (!s) {
			l = binary(r, v[i], l, strict);
			joined++;
			continue;
		}
		if (joined)
			l = join_links(r, v[i - 1], l, joined);
		joined = 0;
		l = call_operator(r, v[i], s, l);
	}
	return join_links(r, v[n - 1], l, joined);
}

const struct node *resolve_binary(struct resolver *r, const struct expr *x, int strict)
{
	if (expr_is_link(x) && expr_is_link(x->bin.l))
		return resolve_chain(r, x, expr_chain_length(x), strict);
	sym_t s = rebound_operator(x);
	const struct node *l = resolve(r, x->bin.l, s ? 0 : strict);
	return s ? call_operator(r, x, s, l) : binary(r, x, l, strict);
}

const struct node *resolve_unary(struct resolver *r, const struct expr *x, int strict)
{
	sym_t s = x->kind == E_NEG ? rebound_operator(x) : SYM_NONE;

	if (s)
		return call_operator(r, x, s, scope_const(r, x, w_small(0)));
	struct n_unary *n = scope_node(r, sizeof *n, x->kind == E_NEG ? OP_NEG : OP_NOT, x);
	n->e = resolve(r, x->bin.l, strict);
	return &n->h;
}
