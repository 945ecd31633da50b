/* SPDX-License-Identifier: MIT
 *
 * Which parameters a lambda's body forces first.  A call evaluates these arguments at once
 * instead of making thunks.  Only what is forced before anything else can fail or be observed counts, so
 * that the order of errors and traces stays: the walk follows the first thing each node evaluates and goes on
 * to the second only past plain variables and constants.  (In `x + y` a set x would become a string before y is forced; a
 * throw in y is met before that, which costs nothing but is not as in Nix.)
 */
#include "config.h"
#include "lang/scope_int.h"

static void note(struct n_lambda *l, uint32_t slot)
{
	for (unsigned i = 0; i < l->n_strict; i++)
		if (l->strict[i] == slot)
			return;
	if (l->n_strict < sizeof l->strict)
		l->strict[l->n_strict++] = (uint8_t)slot;
}

/* Returns 1 when evaluating n does nothing beyond what was noted. */
static int walk(struct n_lambda *l, const struct node *n)
{
	const struct n_binary *b = (const void *)n;

	switch (n->op) {
	case OP_CONST:
		return W_TAG(((const struct n_const *)n)->w) != TAG_THUNK;
	case OP_VAR0:
		if (((const struct n_var *)n)->slot >= l->arity)
			return 0;
		note(l, ((const struct n_var *)n)->slot);
		return 1;
	case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV: case OP_CONCAT:
	case OP_EQ: case OP_NE: case OP_LT: case OP_GE:
		if (walk(l, b->l))
			walk(l, b->r);
		return 0;
	case OP_GT: case OP_LE:
		if (walk(l, b->r))
			walk(l, b->l);
		return 0;
	case OP_UPDATE:
		/* The right side first; but a literal there is a set, and nothing is evaluated for it. */
		walk(l, b->r->op == OP_ATTRS && !((const struct n_attrs *)b->r)->n_dyn ? b->l : b->r);
		return 0;
	case OP_AND: case OP_OR: case OP_IMPL:
		walk(l, b->l);
		return 0;
	case OP_CHAIN:
		walk(l, &((const struct n_chain *)n)->v[0]->h);
		return 0;
	case OP_CHECK:
		return walk(l, ((const struct n_unary *)n)->e);
	case OP_NOT: case OP_NEG:
		walk(l, ((const struct n_unary *)n)->e);
		return 0;
	case OP_IF:
		walk(l, ((const struct n_if *)n)->cond);
		return 0;
	case OP_ASSERT:
		walk(l, ((const struct n_assert *)n)->cond);
		return 0;
	case OP_SELECT1:
		walk(l, ((const struct n_select1 *)n)->e);
		return 0;
	case OP_SELECT: case OP_HASATTR:
		walk(l, ((const struct n_select *)n)->e);
		return 0;
	case OP_CALL:
		walk(l, ((const struct n_call *)n)->fn);
		return 0;
	case OP_WITH:
		return walk(l, ((const struct n_with *)n)->body);
	case OP_LET:
		return walk(l, ((const struct n_let *)n)->body);
	default:
		return 0;
	}
}

void strict_params(struct n_lambda *l)
{
	if (l->arity > 255)
		return;
	if (l->has_formals)
		note(l, l->arity - 1);
	else
		walk(l, l->body);
}
