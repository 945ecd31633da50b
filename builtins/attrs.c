/* SPDX-License-Identifier: MIT
 *
 * Attribute sets.  Names are observed in the order of their bytes.
 *
 * Sets share shapes: mapAttrs gives its result the names of its operand without copying them, and
 * attrNames, attrValues read the order that the shape remembers.  A set made by computation has no positions,
 * so mapAttrs takes a shape without.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

BUILTIN(bi_attr_names, "attrNames", "!set",
	"The names of the attributes of *set*, sorted.",
	"attrNames { y = 1; x = \"foo\"; }", "[ \"x\" \"y\" ]")
{
	struct attrs *a = attrs_of(arg_attrs(args, 0));
	const uint32_t *order = attrs_order(a);
	struct list *out = list_new(a->n);

	for (uint32_t i = 0; i < a->n; i++)
		out->e[i] = sym_word(a->sh->sym[order[i]]);
	return w_list(out);
}

BUILTIN(bi_attr_values, "attrValues", "!set",
	"The values of the attributes of *set*, in the order of `attrNames`.",
	"attrValues { y = 1; x = \"foo\"; }", "[ \"foo\" 1 ]")
{
	struct attrs *a = attrs_of(arg_attrs(args, 0));
	const uint32_t *order = attrs_order(a);
	struct list *out = list_new(a->n);

	for (uint32_t i = 0; i < a->n; i++)
		out->e[i] = a->v[order[i]];
	return w_list(out);
}

/* --- one attribute --- */

BUILTIN(bi_get_attr, "getAttr", "!s !set",
	"The attribute named *s* of *set*, which must be there: `set.${s}` as a function.",
	"getAttr \"x\" { x = 5; }", "5")
{
	struct str *name = arg_string_plain(args, 0);
	W set = arg_attrs(args, 1), *p = attrs_find_name(set, name->b, name->len);

	if (!p)
		throw_error_hint(EK_EVAL, near_attr(set, name), "attribute '%s' missing", name->b);
	return force_at(p);
}

BUILTIN(bi_has_attr, "hasAttr", "!s !set",
	"Whether *set* has an attribute named *s*: `set ? ${s}` as a function.",
	"map (hasAttr \"x\") [ { x = 5; } { y = 5; } ]", "[ true false ]")
{
	struct str *name = arg_string_plain(args, 0);

	return W_BOOL(attrs_find_name(arg_attrs(args, 1), name->b, name->len) != NULL);
}

BUILTIN(bi_unsafe_get_attr_pos, "unsafeGetAttrPos", "!s !set",
	"Where the attribute *s* of *set* was written, as `{ column, file, line }`; `null` when it is not in the set, was "
	"computed, or was not written in a file. \"Unsafe\" because it makes a result depend on how the source is laid out.",
	"unsafeGetAttrPos \"x\" (mapAttrs (n: v: v) { x = 1; })", "null")
{
	struct str *name = arg_string_plain(args, 0);
	W set = arg_attrs(args, 1);
	sym_t s = sym_find(name->b, name->len);
	uint32_t pos = 0;

	return s && attrs_find_pos(set, s, &pos) ? position_set(pos) : W_NULL;
}

/* --- subsets --- */

static int by_id(const void *x, const void *y)
{
	sym_t a = *(const sym_t *)x, b = *(const sym_t *)y;

	return (a > b) - (a < b);
}

BUILTIN_FLAGS(bi_remove_attrs, BI_GLOBAL, "removeAttrs", "!set !list",
	      "*set* without the attributes named in *list*. Names it does not have are ignored.",
	      "removeAttrs { x = 1; y = 2; z = 3; } [ \"a\" \"x\" \"z\" ]", "{ y = 2; }")
{
	W set = arg_attrs(args, 0);
	struct list *l = list_of(arg_list(args, 1));
	sym_t *drop = mem_bytes(mem_size(l->n, sizeof *drop, 4));
	size_t n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		struct str *name = want_string_plain(l->e[i], "an element of the list given to 'removeAttrs'");
		sym_t s = sym_find(name->b, name->len);
		/* Mostly the names are not there, and then a large set need not be touched. */
		if (s && attrs_find(set, s))
			drop[n++] = s;
	}
	if (!n)
		return set;
	qsort(drop, n, sizeof *drop, by_id);
	return attrs_remove(set, drop, n);
}

BUILTIN(bi_intersect_attrs, "intersectAttrs", "!e1 !e2",
	"The attributes of the set *e2* whose names are also in the set *e1*. Fast when one of the two is small.",
	"intersectAttrs { x = 1; y = 2; } { y = 3; z = 4; }", "{ y = 3; }")
{
	W keep = arg_attrs(args, 0);

	return attrs_intersect(keep, arg_attrs(args, 1));
}

BUILTIN(bi_cat_attrs, "catAttrs", "!attr !list",
	"The values of the attribute *attr* of those sets in *list* that have it.",
	"catAttrs \"a\" [ { a = 1; } { b = 0; } { a = 2; } ]", "[ 1 2 ]")
{
	struct str *name = arg_string_plain(args, 0);
	struct list *l = list_of(arg_list(args, 1));
	W *found = mem_new(mem_size(l->n, sizeof *found, 8));
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		l->e[i] = want_attrs(l->e[i], "an element of the list given to 'catAttrs'");
		W *p = attrs_find_name(l->e[i], name->b, name->len);
		if (p)
			found[n++] = *p;
	}
	struct list *out = list_new(n);
	memcpy(out->e, found, n * sizeof *found);
	return w_list(out);
}

/* --- new sets --- */

/* The shape with the same names and no positions. */
static struct shape *without_positions(struct shape *sh)
{
	if (!sh->pos)
		return sh;
	struct shape *s = mem_new(sizeof *s);
	*s = *sh;
	s->pos = NULL;
	return s;
}

BUILTIN(bi_map_attrs, "mapAttrs", "f !set",
	"The set with the same names as *set*, each with the value `f name value`. Each is computed when it is needed.",
	"mapAttrs (name: value: value * 10) { a = 1; b = 2; }", "{ a = 10; b = 20; }")
{
	struct attrs *a = attrs_of(arg_attrs(args, 1));
	W f = args[0];

	if (!a->n)
		return w_attrs_empty();
	struct attrs *out = attrs_with_shape(without_positions(a->sh));
	for (uint32_t i = 0; i < a->n; i++)
		out->v[i] = lazy_call2(f, sym_word(a->sh->sym[i]), a->v[i]);
	return w_attrs(out);
}

/* Was the name of element i given before?  Then it needs no value.  Only asked when the value is missing. */
static int is_repeated(const sym_t *names, uint32_t i)
{
	for (uint32_t j = 0; j < i; j++)
		if (names[j] == names[i])
			return 1;
	return 0;
}

static const char to_attrs_element[] = "an element of the list given to 'listToAttrs'";

/* Interning a name is a miss of the cache or two; the names of a few elements are on their way together. */
static void intern_names(struct list *l, sym_t *names)
{
	enum { FEW = 16 };
	struct str *name[FEW];

	for (uint32_t done = 0; done < l->n;) {
		uint32_t n = l->n - done < FEW ? l->n - done : FEW;
		for (uint32_t i = 0; i < n; i++) {
			W e = l->e[done + i] = want_attrs(l->e[done + i], to_attrs_element), *w = attrs_find(e, SYM_NAME);
			if (!w)
				want_attr(e, "name", to_attrs_element);
			name[i] = want_string_plain(*w, "the 'name' of an element of the list given to 'listToAttrs'");
			sym_expect(name[i]->b, name[i]->len);
		}
		for (uint32_t i = 0; i < n; i++)
			names[done++] = sym_intern(name[i]->b, name[i]->len);
	}
}

BUILTIN(bi_list_to_attrs, "listToAttrs", "!list",
	"A set from a list of sets `{ name = \"…\"; value = …; }`. Of several with one name the first counts. The values are "
	"not evaluated.",
	"listToAttrs [ { name = \"foo\"; value = 123; } { name = \"bar\"; value = 456; } { name = \"bar\"; value = 7; } ]",
	"{ bar = 456; foo = 123; }")
{
	struct list *l = list_of(arg_list(args, 0));
	sym_t *names = mem_bytes(mem_size(l->n, sizeof *names, 4));
	struct attrs_builder b;

	intern_names(l, names);
	attrs_builder_init(&b, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t pos = 0;
		W *value = attrs_find_pos(l->e[i], SYM_VALUE, &pos);
		if (value)
			attrs_add(&b, names[i], pos, *value);
		else if (!is_repeated(names, i))
			want_attr(l->e[i], "value", to_attrs_element);
	}
	return attrs_finish(&b);
}

/* --- functions --- */

static void add_formal(void *arg, sym_t name, uint32_t pos, int has_default)
{
	attrs_add(arg, name, pos, W_BOOL(has_default));
}

BUILTIN(bi_function_args, "functionArgs", "!f",
	"The names in the set pattern of the function *f*, each with whether it has a default. Empty for a function with a "
	"plain parameter and for builtins.",
	"functionArgs ({ x, y ? 123 }: x)", "{ x = false; y = true; }")
{
	W f = arg_force(args, 0);
	struct attrs_builder b;
	int ellipsis;

	if (!w_is_function(f))
		throw_error(EK_EVAL, "'functionArgs' requires a function");
	attrs_builder_init(&b, 8);
	function_formals(f, add_formal, &b, &ellipsis);
	return attrs_finish(&b);
}

const struct builtin *const builtins_attrs[] = {
	&def_bi_attr_names, &def_bi_attr_values, &def_bi_get_attr, &def_bi_has_attr, &def_bi_unsafe_get_attr_pos,
	&def_bi_remove_attrs, &def_bi_intersect_attrs, &def_bi_cat_attrs, &def_bi_map_attrs, &def_bi_list_to_attrs,
	&def_bi_function_args, NULL,
};
