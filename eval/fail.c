/* SPDX-License-Identifier: MIT
 *
 * Errors the engine raises about nodes, and what they suggest.
 */
#include "config.h"
#include "eval/attrs.h"
#include "eval/ops.h"
#include "eval/show.h"
#include "lang/quote.h"

static const char *quoted(sym_t s)
{
	struct buf b = BUF_GC;

	quote_name(&b, sym_name(s)->b, sym_name(s)->len);
	return buf_str(&b);
}

const char *near_attr(W set, const struct str *name)
{
	struct attrs *a = attrs_of(set);
	struct suggest near;
	struct buf hint = BUF_GC;

	suggest_init(&near, name->b, name->len);
	for (uint32_t i = 0; i < a->n; i++)
		suggest_offer(&near, sym_name(a->sh->sym[i])->b, sym_name(a->sh->sym[i])->len);
	if (near.best)
		buf_addf(&hint, "did you mean '%.*s'?", (int)near.best_len, near.best);
	else if (!a->n)
		buf_adds(&hint, "the set is empty");
	return hint.len ? buf_str(&hint) : NULL;
}

void throw_missing_attr(W set, sym_t s, uint32_t pos, uint32_t len)
{
	throw_hint(EK_EVAL, pos, len, near_attr(set, sym_name(s)), "attribute '%s' missing", quoted(s));
}

void throw_missing_step(W set, sym_t s, const char *path)
{
	throw_hint(EK_EVAL, 0, 0, near_attr(set, sym_name(s)), "attribute '%s' in selection path '%s' not found", quoted(s), path);
}

void throw_not_a_set(W w, sym_t s, const struct node *n, const struct node *e)
{
	const struct node *at = e ? e : n;

	throw_node(EK_EVAL, at, "expected a set with an attribute '%s' but found %s: %s", quoted(s), show_type(w),
		   show_brief(w));
}

void throw_not_boolean(const struct node *n, const char *where, W got)
{
	throw_node(EK_EVAL, n, "expected a Boolean %s but found %s: %s", where, show_type(got), show_brief(got));
}

void throw_duplicate_attr(sym_t s, uint32_t pos, uint32_t len, uint32_t first)
{
	struct source_loc at;

	if (source_locate(first, &at))
		throw_at(EK_EVAL, pos, len, "dynamic attribute '%s' is already defined", quoted(s));
	throw_at(EK_EVAL, pos, len, "dynamic attribute '%s' is already defined at %s:%u:%u", quoted(s), source_shown_name(at.src),
		 at.line, at.column);
}

/* For `assert a == b`, what the two sides were: evaluating them again gives the same values. */
static void describe_sides(struct buf *b, const struct node *cond, struct frame *f)
{
	const struct n_binary *x = (const void *)cond;

	if (cond->op == OP_EQ)
		buf_addf(b, "the left side is %s, the right side %s", show_brief(ev(x->l, f)), show_brief(ev(x->r, f)));
}

void throw_assertion(const struct node *n, const struct node *cond, struct frame *f)
{
	struct buf b = BUF_GC;

	describe_sides(&b, cond, f);
	throw_hint(EK_ASSERT, n->pos, n->span, b.len ? buf_str(&b) : NULL, "assertion failed");
}
