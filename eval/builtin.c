/* SPDX-License-Identifier: MIT
 *
 * Reading arguments.  A getter notes which argument it is at in the record of the running builtin, so that a
 * trace can say so, forces it, and words the type error.
 */
#include "config.h"
#include "eval/builtin.h"
#include "eval/show.h"
#include "eval/state.h"

#include <string.h>

/* The name of argument i of b, without the mark. */
static const char *arg_name(const struct builtin *b, int i, int *len)
{
	const char *p = b->args;

	while (i-- > 0 && *p) {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	p += *p == '!';
	*len = (int)strcspn(p, " ");
	return p;
}

static __attribute__((noreturn, cold)) void bad_argument(int i, const char *wanted, W got)
{
	const struct rec *r = es.top;
	int len;

	if (!r || r->kind != REC_BUILTIN)
		throw_type(wanted, got);
	const struct builtin *b = r->p;
	const char *name = arg_name(b, i, &len);
	throw_error(EK_EVAL, "'%s' expects %s as its argument '%.*s' but found %s: %s", b->name, wanted, len, name,
		    show_type(got), show_brief(got));
}

W arg_force(W *args, int i)
{
	struct rec *r = es.top;

	if (W_TAG(args[i]) != TAG_THUNK)
		return args[i];
	if (r && r->kind == REC_BUILTIN) {
		r->arg = (uint16_t)(i + 1);
		args[i] = force_thunk(args[i]);
		r->arg = 0;
		return args[i];
	}
	return args[i] = force_thunk(args[i]);
}

int64_t arg_int(W *args, int i)
{
	W w = arg_force(args, i);

	if (!w_is_int(w))
		bad_argument(i, "an integer", w);
	return w_get_int(w);
}

W arg_list(W *args, int i)
{
	W w = arg_force(args, i);

	if (W_TAG(w) != TAG_LIST)
		bad_argument(i, "a list", w);
	return w;
}

W arg_attrs(W *args, int i)
{
	W w = arg_force(args, i);

	if (W_TAG(w) != TAG_ATTRS)
		bad_argument(i, "a set", w);
	return w;
}

W arg_function(W *args, int i)
{
	W w = arg_force(args, i);

	if (!w_is_function(w) && !(W_TAG(w) == TAG_ATTRS && attrs_find(w, SYM_FUNCTOR)))
		bad_argument(i, "a function", w);
	return w;
}

struct str *arg_string(W *args, int i)
{
	W w = arg_force(args, i);

	if (!w_is_str(w))
		bad_argument(i, "a string", w);
	return w_get_str(w);
}

static __attribute__((noreturn, cold)) void has_context(const struct str *s)
{
	struct ctx_elem e;

	ctx_parse(ctx_element(s->ctx, 0), &e);
	throw_error(EK_EVAL, "the string %s is not allowed to refer to a store path (such as '%.*s')",
		    show_brief(w_tag(s, TAG_STR)), (int)e.path_len, e.path);
}

struct str *arg_string_plain(W *args, int i)
{
	struct str *s = arg_string(args, i);

	if (s->ctx)
		has_context(s);
	return s;
}

double arg_number(W *args, int i)
{
	W w = arg_force(args, i);

	if (w_is_int(w))
		return (double)w_get_int(w);
	if (!w_is_float(w))
		bad_argument(i, "a number", w);
	return w_get_float(w);
}

/* --- values inside arguments --- */

static W want(W w, const char *what)
{
	if (W_TAG(w) != TAG_THUNK)
		return w;
	struct rec r = { es.top, what, 0, NULL, REC_WHAT, 0, 0 };

	es.top = &r;
	w = force_thunk(w);
	es.top = r.up;
	return w;
}

static __attribute__((noreturn, cold)) void bad_value(const char *wanted, const char *what, W got)
{
	throw_error(EK_EVAL, "expected %s for %s but found %s: %s", wanted, what, show_type(got), show_brief(got));
}

W want_attrs(W w, const char *what)
{
	w = want(w, what);
	if (W_TAG(w) != TAG_ATTRS)
		bad_value("a set", what, w);
	return w;
}

W want_list_slow(W w, const char *what)
{
	w = want(w, what);
	if (W_TAG(w) != TAG_LIST)
		bad_value("a list", what, w);
	return w;
}

int want_bool_slow(W w, const char *what)
{
	w = want(w, what);
	if (!w_is_bool(w))
		bad_value("a Boolean", what, w);
	return w == W_TRUE;
}

struct str *want_string(W w, const char *what)
{
	w = want(w, what);
	if (!w_is_str(w))
		bad_value("a string", what, w);
	return w_get_str(w);
}

struct str *want_string_plain(W w, const char *what)
{
	struct str *s = want_string(w, what);

	if (s->ctx)
		has_context(s);
	return s;
}

W want_attr(W set, const char *name, const char *what)
{
	W *p = attrs_find_c(set, name);

	if (!p)
		throw_error(EK_EVAL, "attribute '%s' missing in %s", name, what);
	return *p;
}
