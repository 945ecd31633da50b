/* SPDX-License-Identifier: MIT
 *
 * String and path interpolation.  The parts are evaluated left to right, then copied once into a
 * string of the right size; contexts are joined at the end.
 */
#include "config.h"
#include "base/pathname.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/context.h"
#include "eval/ops.h"
#include "eval/show.h"
#include "lang/mistake.h"

#include <string.h>

enum { PARTS_ON_STACK = 16 };

/* ${NAME:-x} of the shell is a function here. */
static __attribute__((noreturn, cold)) void refuse_function(const struct node *n, W w)
{
	struct buf hint = BUF_GC;

	mistake_function(&hint, n->pos);
	throw_hint(EK_EVAL, n->pos, n->span, hint.len ? buf_str(&hint) : NULL, "cannot coerce %s to a string: %s", show_type(w),
		   show_brief(w));
}

static W coerce_part(const struct node *n, W w)
{
	struct rec r = { es.top, "while evaluating an interpolated expression", 0, n, REC_NOTE, 0, n->pos };

	if (w_is_str(w))
		return w;
	if (w_is_function(w))
		refuse_function(n, w);
	es.top = &r;
	w = coerce_string(w, COERCE_COPY);
	es.top = r.up;
	return w;
}

static W join(const struct str **parts, uint32_t n)
{
	struct ctx_acc ctx = { 0 };
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++) {
		len += parts[i]->len;
		if (parts[i]->ctx)
			ctx_acc_add(&ctx, parts[i]->ctx);
	}
	struct str *s = str_alloc(len, ctx_acc_finish(&ctx));
	char *p = s->b;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(p, parts[i]->b, parts[i]->len);
		p += parts[i]->len;
	}
	return w_tag(s, TAG_STR);
}

W interpolate(const struct n_interp *n, struct frame *f)
{
	const struct str *few[PARTS_ON_STACK], **parts = few;

	if (n->n > PARTS_ON_STACK)
		parts = mem_new(mem_size(n->n, sizeof *parts, 0));
	for (uint32_t i = 0; i < n->n; i++)
		parts[i] = w_get_str(coerce_part(n->v[i], ev(n->v[i], f)));
	return n->n == 1 ? w_tag(parts[0], TAG_STR) : join(parts, n->n);
}

static void add_path_part(struct buf *b, W w, const struct node *n)
{
	if (w_is_path(w)) {
		struct box_path *p = b->len ? w_path_text(w) : w_get_path(w);
		buf_add(b, p->b, p->h.n);
		return;
	}
	const struct str *s = w_get_str(coerce_string(w, 0));
	if (s->ctx)
		throw_node(EK_EVAL, n, "a string that refers to a store path cannot be appended to a path");
	buf_add(b, s->b, s->len);
}

static W path_of(struct buf *b)
{
	/* In place: the first part is a path, so the text begins with a slash. */
	buf_reserve(b, 2);
	return w_path(b->p, path_normalise(b->p, b->len, b->p));
}

W interpolate_path(const struct n_interp *n, struct frame *f)
{
	struct buf b = BUF_GC;

	for (uint32_t i = 0; i < n->n; i++)
		add_path_part(&b, ev(n->v[i], f), n->v[i]);
	return path_of(&b);
}

static W add_to_path(const struct node *n, W l, W r)
{
	struct buf b = BUF_GC;

	add_path_part(&b, l, n);
	add_path_part(&b, r, n);
	return path_of(&b);
}

/* Lists, functions and sets that stand for no string. */
static __attribute__((noreturn, cold)) void cannot_add(const struct node *n, W w)
{
  const char *hint = W_TAG(w) == TAG_LIST    ? "lists are joined by '++'"
                     : W_TAG(w) == TAG_ATTRS ? "sets are joined by '//'"
                                             : NULL;

  throw_hint(EK_EVAL, n->pos, n->span, hint, "'+' cannot add %s: %s",
             show_type(w), show_brief(w));
}

static int stands_for_nothing(W w)
{
	if (W_TAG(w) == TAG_ATTRS)
		return !attrs_find(w, SYM_TO_STRING) && !attrs_find(w, SYM_OUT_PATH);
	return W_TAG(w) == TAG_LIST || w_is_function(w);
}

const struct str *add_operand(const struct node *n, W w, unsigned flags)
{
	struct rec note = { es.top, "while evaluating an operand of '+'", 0, n, REC_NOTE, 0, n->pos };

	if (w_is_str(w))
		return w_get_str(w);
	if (stands_for_nothing(w))
		cannot_add(n, w);
	es.top = &note;
	w = coerce_string(w, flags);
	es.top = note.up;
	return w_get_str(w);
}

static W join_two(const struct str *l, const struct str *r)
{
	const struct str *parts[2] = { l, r };

	return join(parts, 2);
}

/* The right side is copied to the store only when the left one is a string. */
W add_values(const struct node *n, W l, W r)
{
	return w_is_str(l) ? join_two(w_get_str(l), add_operand(n, r, COERCE_COPY)) : arith(n, '+', l, r);
}

W add_to_other(const struct node *n, W l, struct frame *f)
{
	const struct node *right = ((const struct n_binary *)n)->r;

	if (w_is_int(l) || w_is_float(l))
		return arith(n, '+', l, ev(right, f));
	if (w_is_path(l))
		return add_to_path(n, l, ev(right, f));
	const struct str *s = add_operand(n, l, 0);
	return join_two(s, add_operand(n, ev(right, f), 0));
}
