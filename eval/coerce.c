/* SPDX-License-Identifier: MIT
 *
 * One walk serves interpolation, toString and the attributes of derivations.  A value that stands
 * for exactly one string gives that string itself, uncopied; only lists are put together, in a collected buffer,
 * with their contexts joined once at the end.
 *
 * A set stands for what its __toString returns, else for its outPath, and either may be such a set
 * again; so sets are peeled first, whatever is wanted of them (a string, a path, JSON).
 */
#include "config.h"
#include "eval/coerce.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "eval/attrs.h"
#include "eval/context.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/list.h"
#include "eval/show.h"

#include <stdio.h>
#include <string.h>

size_t float_to_string(double d, char out[FLOAT_STRING_MAX])
{
	return (size_t)snprintf(out, FLOAT_STRING_MAX, "%f", d);
}

/* --- sets that stand for something else --- */

W coerce_peel(W w, int *via_to_string)
{
	uint32_t pos;
	W *slot;

	w = force(w);
	if (W_TAG(w) != TAG_ATTRS)
		return w;
	if ((slot = attrs_find_pos(w, SYM_TO_STRING, &pos))) {
		*via_to_string = 1;
		note_push("while calling the `__toString` attribute", pos);
		w = call1(*slot, w);
	} else if ((slot = attrs_find_pos(w, SYM_OUT_PATH, &pos))) {
		note_push("while evaluating the `outPath` attribute", pos);
		w = force_at(slot);
	} else {
		return w;
	}
	if (W_TAG(w) == TAG_ATTRS) {
		depth_enter();
		w = coerce_peel(w, via_to_string);
		depth_leave();
	}
	note_pop();
	return w;
}

/* --- strings --- */

struct gather {
	struct buf b;
	struct ctx_acc ctx;
	unsigned flags;
};

/* What makes a string of it. */
static const char *way_to_string(W w)
{
	if (w_is_int(w) || w_is_float(w))
		return "builtins.toString makes a string of a number";
	if (w_is_bool(w))
		return "builtins.toJSON makes \"true\" or \"false\" of it, builtins.toString \"1\" or \"\"";
	return W_TAG(w) == TAG_LIST ? "builtins.concatStringsSep joins a list" : NULL;
}

static __attribute__((noreturn, cold)) void cannot_coerce(W w)
{
	throw_error_hint(EK_EVAL, way_to_string(w), "cannot coerce %s to a string: %s", show_type(w), show_brief(w));
}

static W number_string(W w)
{
	char text[FLOAT_STRING_MAX];

	if (w_is_int(w))
		return w_str(text, int_to_string(w_get_int(w), text), 0);
	return w_str(text, float_to_string(w_get_float(w), text), 0);
}

/* The string for anything but a list; W_ABSENT for a list. */
static W scalar_string(W w, unsigned flags)
{
	int via = 0;

	if (w_is_str(w))
		return w;
	if (W_TAG(w) == TAG_ATTRS) {
		W peeled = coerce_peel(w, &via);
		if (W_TAG(peeled) == TAG_ATTRS)
			cannot_coerce(peeled);
		return coerce_string(peeled, flags);
	}
	if (w_is_path(w)) {
		if (flags & COERCE_COPY)
			return eval_world()->path_to_store(w);
		struct box_path *p = w_path_text(w);
		return w_str(p->b, p->h.n, 0);
	}
	if (!(flags & COERCE_MORE))
		cannot_coerce(w);
	if (W_TAG(w) == TAG_LIST)
		return W_ABSENT;
	if (w_is_int(w) || w_is_float(w))
		return number_string(w);
	if (w == W_TRUE)
		return w_cstr("1");
	if (w == W_FALSE || w == W_NULL)
		return w_cstr("");
	cannot_coerce(w);
}

static void gather_list(struct gather *g, W list);

static void gather_one(struct gather *g, W w)
{
	W s = scalar_string(w, g->flags);

	if (s == W_ABSENT) {
		stack_check();
		gather_list(g, w);
		return;
	}
	buf_add(&g->b, w_get_str(s)->b, w_get_str(s)->len);
	ctx_acc_add(&g->ctx, w_get_str(s)->ctx);
}

/* Elements are separated by a space, but none follows an empty list. */
static void gather_list(struct gather *g, W list)
{
	note_push("while evaluating one element of the list", 0);
	for (uint32_t i = 0; i < list_len(list); i++) {
		W w = list_force(list, i);
		gather_one(g, w);
		if (i + 1 < list_len(list) && (W_TAG(w) != TAG_LIST || list_len(w)))
			buf_addc(&g->b, ' ');
	}
	note_pop();
}

W coerce_string(W w, unsigned flags)
{
	w = force(w);
	W s = scalar_string(w, flags);
	if (s != W_ABSENT)
		return s;
	struct gather g = { .b = BUF_GC, .flags = flags };
	str_begin(&g.b, 0);
	gather_list(&g, w);
	return str_end(&g.b, ctx_acc_finish(&g.ctx));
}

/* --- paths --- */

W coerce_path(W w, uint32_t *ctx)
{
	int via = 0;

	w = coerce_peel(w, &via);
	*ctx = 0;
	if (w_is_path(w))
		return w;
	struct str *s = w_get_str(coerce_string(w, 0));
	if (!s->len || s->b[0] != '/')
		throw_error(EK_EVAL, "string '%s' doesn't represent an absolute path", s->b);
	*ctx = s->ctx;
	char *p = mem_bytes(mem_size(1, s->len, 2));
	return w_path(p, path_normalise(s->b, s->len, p));
}
