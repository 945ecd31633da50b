/* SPDX-License-Identifier: MIT
 *
 * Flake references as sets and back: fetch/input.c does the work, on an arena that is released on every way out.
 */
#include "config.h"
#include "builtins/flakeref.h"
#include "eval/show.h"
#include "fetch/input.h"

/* What both builtins hold outside the collected heap. */
struct scratch {
	struct arena mem;
	struct buf text;
};

static void release(void *arg)
{
	struct scratch *s = arg;

	arena_release(&s->mem);
	buf_release(&s->text);
}

static W attr_value(const struct input_attr *a)
{
	if (a->type == INPUT_STRING)
		return w_str(a->s.p, a->s.n, 0);
	return a->type == INPUT_BOOL ? W_BOOL(a->i) : w_int((int64_t)a->i);
}

BUILTIN(bi_parse_flake_ref, "parseFlakeRef", "!ref",
	"The attributes of the flake reference *ref*: its `type` and what that type has, `dir` when it names a subdirectory. "
	"A path must be absolute, unless written as `path:…`. Nothing is fetched or looked up.",
	"parseFlakeRef \"github:NixOS/nixpkgs/23.05?dir=lib\"",
	"{ dir = \"lib\"; owner = \"NixOS\"; ref = \"23.05\"; repo = \"nixpkgs\"; type = \"github\"; }")
{
	struct str *text = arg_string_plain(args, 0);
	struct scratch s = { ARENA_INIT, BUF_INIT };
	struct attrs_builder b;
	struct input in;
	struct err e = ERR_INIT;

	protect_push(release, &s);
	attrs_builder_init(&b, 8);
	int r = input_parse((struct slice){ text->b, text->len }, &s.mem, &in, &e);
	for (size_t i = 0; !r && i < in.n; i++)
		attrs_add(&b, sym_intern(in.a[i].name.p, in.a[i].name.n), 0, attr_value(&in.a[i]));
	protect_pop(1);
	if (r)
		throw_err(&e);
	return attrs_finish(&b);
}

/* An attribute of the argument; the input borrows its string, which the set keeps. */
static struct input_attr read_attr(sym_t name, W *slot)
{
	struct input_attr a = { .name = { sym_name(name)->b, sym_name(name)->len } };
	W w = force_at(slot);

	if (w_is_str(w)) {
		a.type = INPUT_STRING;
		a.s = (struct slice){ w_get_str(w)->b, w_get_str(w)->len };
	} else if (w_is_bool(w)) {
		a.type = INPUT_BOOL;
		a.i = w == W_TRUE;
	} else if (w_is_int(w)) {
		if (w_get_int(w) < 0)
			throw_error(EK_EVAL, "negative value given for flake ref attr %s: %lld", a.name.p,
				    (long long)w_get_int(w));
		a.type = INPUT_INT;
		a.i = (uint64_t)w_get_int(w);
	} else {
		throw_error(EK_EVAL,
			    "flake reference attribute sets may only contain integers, Booleans, and strings, but attribute "
			    "'%s' is %s",
			    a.name.p, show_type(w));
	}
	return a;
}

BUILTIN(bi_flake_ref_to_string, "flakeRefToString", "!attrs",
	"The flake reference that *attrs*, a set as `parseFlakeRef` returns it, describes.",
	"flakeRefToString { dir = \"lib\"; owner = \"NixOS\"; ref = \"23.05\"; repo = \"nixpkgs\"; type = \"github\"; }",
	"\"github:NixOS/nixpkgs/23.05?dir=lib\"")
{
	struct attrs *set = attrs_of(arg_attrs(args, 0));
	const uint32_t *order = attrs_order(set);
	struct scratch s = { ARENA_INIT, BUF_INIT };
	struct input in = { 0 };
	struct err e = ERR_INIT;

	protect_push(release, &s);
	for (uint32_t i = 0; i < set->n; i++) {
		struct input_attr a = read_attr(set->sh->sym[order[i]], &set->v[order[i]]);
		input_set(&in, &a, &s.mem);
	}
	int r = input_print(&in, &s.mem, &s.text, &e);
	W w = r ? W_NULL : w_str(buf_str(&s.text), s.text.len, 0);
	protect_pop(1);
	if (r)
		throw_err(&e);
	return w;
}

const struct builtin *const builtins_flakeref[] = { &def_bi_parse_flake_ref, &def_bi_flake_ref_to_string, NULL };
