/* SPDX-License-Identifier: MIT
 *
 * Long chains of operators, from left to right in a loop: however long, they take no stack, and a sum of strings is put
 * together in one buffer, where adding them one by one would copy the first as often as there are others.  What it gives, in
 * which order and with which errors is what evaluating link by link would.
 */
#include "config.h"
#include "base/limits.h"
#include "eval/coerce.h"
#include "eval/context.h"
#include "eval/ops.h"

/* Adds to the string l what links *i and those behind it add; *i becomes the first that does something else. */
static W add_texts(const struct n_chain *c, uint32_t *i, W l, struct frame *f)
{
	const struct str *s = w_get_str(l);
	struct ctx_acc ctx = { 0 };
	struct buf text = BUF_GC;

	str_begin(&text, s->len);
	for (;;) {
		buf_add(&text, s->b, s->len);
		if (s->ctx)
			ctx_acc_add(&ctx, s->ctx);
		if (*i == c->n || c->v[*i]->h.op != OP_ADD || str_length(&text) > LIMIT_STRING_LENGTH)
			return str_end(&text, ctx_acc_finish(&ctx));
		const struct n_binary *b = c->v[(*i)++];
		l = ev(b->r, f);
		s = add_operand(&b->h, l, COERCE_COPY);
	}
}

static W logic(const struct n_binary *b, W l, struct frame *f)
{
	int is_and = b->h.op == OP_AND;

	if (!w_is_bool(l))
		throw_not_boolean(b->l, is_and ? "left of '&&'" : "left of '||'", l);
	if ((l == W_TRUE) != is_and)
		return l;
	W r = ev(b->r, f);
	if (!w_is_bool(r))
		throw_not_boolean(b->r, is_and ? "right of '&&'" : "right of '||'", r);
	return r;
}

/* The link b with l on its left. */
static W apply(const struct n_binary *b, W l, struct frame *f)
{
	switch ((enum node_op)b->h.op) {
	case OP_ADD: return add_to_other(&b->h, l, f); /* sums of strings are add_texts' */
	case OP_SUB: return arith(&b->h, '-', l, ev(b->r, f));
	case OP_MUL: return arith(&b->h, '*', l, ev(b->r, f));
	case OP_DIV: return arith(&b->h, '/', l, ev(b->r, f));
	default: return logic(b, l, f);
	}
}

W chain_node(const struct node *n, struct frame *f)
{
	const struct n_chain *c = (const void *)n;
	W l = ev(c->first, f);

	check_stack();
	for (uint32_t i = 0; i < c->n;) {
		if (w_is_str(l) && c->v[i]->h.op == OP_ADD) {
			l = add_texts(c, &i, l, f);
		} else {
			l = apply(c->v[i], l, f);
			i++;
		}
	}
	return l;
}
