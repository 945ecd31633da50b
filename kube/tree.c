/* SPDX-License-Identifier: MIT
 *
 * Names with dots in them, as annotations have, are no paths: json_member finds these.
 */
#include "config.h"
#include "kube/tree.h"

#include <string.h>

struct jnode *tree_at(const struct jnode *o, const char *path)
{
	struct slice left = slice_of(path);
	struct jnode *at = (struct jnode *)(uintptr_t)o;

	while (left.n && at)
		at = json_member(at, slice_cut(&left, '.'));
	return at;
}

struct slice tree_text(const struct jnode *o, const char *path)
{
	const struct jnode *n = tree_at(o, path);

	return n && n->kind == JSON_STRING ? n->str : SLICE("");
}

int64_t tree_int(const struct jnode *o, const char *path)
{
	const struct jnode *n = tree_at(o, path);

	return n && n->kind == JSON_INT ? n->i : 0;
}

int tree_true(const struct jnode *o, const char *path)
{
	const struct jnode *n = tree_at(o, path);

	return n && n->kind == JSON_TRUE;
}

struct jnode *tree_element(const struct jnode *array, const char *name, struct slice value)
{
	struct jnode *n = array && array->kind == JSON_ARRAY ? array->first : NULL;

	while (n && !slice_eq(tree_text(n, name), value))
		n = n->next;
	return n;
}

void tree_set(struct arena *a, struct jnode *o, const char *path, struct jnode *v)
{
	struct slice left = slice_of(path);

	for (;;) {
		struct slice name = slice_cut(&left, '.');
		struct jnode *next = left.n ? json_member(o, name) : NULL;

		if (!next || next->kind != JSON_OBJECT) {
			next = left.n || !v ? json_node(a, JSON_OBJECT) : v;
			json_set(o, (struct slice){ arena_dup(a, name.p, name.n), name.n }, next);
		}
		if (!left.n)
			return;
		o = next;
	}
}

void tree_set_text(struct arena *a, struct jnode *o, const char *path, struct slice text)
{
	tree_set(a, o, path, json_string(a, text));
}

char *slice_string(struct slice s)
{
	return xstrndup(s.p ? s.p : "", s.n);
}
