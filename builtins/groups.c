/* SPDX-License-Identifier: MIT
 *
 * Builtins that gather values under names: groupBy and zipAttrsWith.
 *
 * Both count first and fill then, so that each group's list is made once at its size.  The
 * groups are found by symbol in a small hash table; the values of a group keep their order.
 */
#include "config.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "base/mem.h"

#include <string.h>

struct group {
	sym_t sym;
	uint32_t count;
	struct list *l;
};

struct groups {
	struct group *v;
	uint32_t n, cap;
	uint32_t *table; /* index + 1 by hash of the symbol; twice cap */
};

static void table_put(struct groups *g, uint32_t i)
{
	uint32_t mask = 2 * g->cap - 1, h = g->v[i].sym * 0x9e3779b1u & mask;

	while (g->table[h])
		h = (h + 1) & mask;
	g->table[h] = i + 1;
}

static void groups_resize(struct groups *g, uint32_t cap)
{
	struct group *v = mem_new(mem_size(cap, sizeof *v, 0));

	if (g->n)
		memcpy(v, g->v, g->n * sizeof *v);
	g->v = v;
	g->cap = cap;
	g->table = mem_bytes(mem_size(cap, 2 * sizeof *g->table, 0));
	memset(g->table, 0, 2 * (size_t)cap * sizeof *g->table);
	for (uint32_t i = 0; i < g->n; i++)
		table_put(g, i);
}

/* The number of the group named s, a new one when needed. */
static uint32_t group_of(struct groups *g, sym_t s)
{
	uint32_t mask = 2 * g->cap - 1;

	for (uint32_t h = s * 0x9e3779b1u & mask; g->table[h]; h = (h + 1) & mask)
		if (g->v[g->table[h] - 1].sym == s)
			return g->table[h] - 1;
	if (g->n == g->cap)
		groups_resize(g, 2 * g->cap);
	g->v[g->n] = (struct group){ s, 0, NULL };
	table_put(g, g->n);
	return g->n++;
}

/* Counting is over: each group gets its list, and count is how much of it is filled. */
static void groups_make_lists(struct groups *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		g->v[i].l = list_new(g->v[i].count);
		g->v[i].count = 0;
	}
}

static void group_push(struct group *g, W w)
{
	g->l->e[g->count++] = w;
}

BUILTIN(bi_group_by, "groupBy", "!f !list",
	"A set of lists: the elements of *list* for which *f* returns the string *name* are in the attribute *name*, in "
	"their order.",
	"groupBy (substring 0 1) [ \"foo\" \"bar\" \"baz\" ]", "{ b = [ \"bar\" \"baz\" ]; f = [ \"foo\" ]; }")
{
	W f = arg_function(args, 0);
	struct list *l = list_of(arg_list(args, 1));
	uint32_t *group = mem_bytes(mem_size(l->n, sizeof *group, 4));
	struct groups g = { 0 };
	struct attrs_builder b;

	groups_resize(&g, 16);
	for (uint32_t i = 0; i < l->n; i++) {
		struct str *name = want_string_plain(call1(f, l->e[i]), "the result of the function given to 'groupBy'");
		group[i] = group_of(&g, sym_intern(name->b, name->len));
		g.v[group[i]].count++;
	}
	groups_make_lists(&g);
	for (uint32_t i = 0; i < l->n; i++)
		group_push(&g.v[group[i]], l->e[i]);
	attrs_builder_init(&b, g.n);
	for (uint32_t i = 0; i < g.n; i++)
		attrs_add(&b, g.v[i].sym, 0, w_list(g.v[i].l));
	return attrs_finish(&b);
}

BUILTIN(bi_zip_attrs_with, "zipAttrsWith", "!f !list",
	"Merges the sets in *list* by name: each name that occurs becomes an attribute with the value `f name values`, where "
	"*values* is the list of all its values in the order of the sets. The results are computed when they are needed.",
	"zipAttrsWith (name: values: values) [ { a = 1; } { a = 2; b = 3; } ]", "{ a = [ 1 2 ]; b = [ 3 ]; }")
{
	W f = arg_function(args, 0);
	struct list *l = list_of(arg_list(args, 1));
	struct groups g = { 0 };
	struct attrs_builder b;

	groups_resize(&g, 16);
	for (uint32_t i = 0; i < l->n; i++) {
		l->e[i] = want_attrs(l->e[i], "an element of the list given to 'zipAttrsWith'");
		struct attrs *a = attrs_of(l->e[i]);
		for (uint32_t j = 0; j < a->n; j++) {
			uint32_t k = group_of(&g, a->sh->sym[j]);
			g.v[k].count++;
		}
	}
	groups_make_lists(&g);
	for (uint32_t i = 0; i < l->n; i++) {
		struct attrs *a = attrs_of(l->e[i]);
		for (uint32_t j = 0; j < a->n; j++) {
			uint32_t k = group_of(&g, a->sh->sym[j]);
			group_push(&g.v[k], a->v[j]);
		}
	}
	attrs_builder_init(&b, g.n);
	for (uint32_t i = 0; i < g.n; i++)
		attrs_add(&b, g.v[i].sym, 0, lazy_call2(f, sym_word(g.v[i].sym), w_list(g.v[i].l)));
	return attrs_finish(&b);
}

const struct builtin *const builtins_groups[] = { &def_bi_group_by, &def_bi_zip_attrs_with, NULL };
