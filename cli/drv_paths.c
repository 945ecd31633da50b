/* SPDX-License-Identifier: MIT
 *
 * Which derivations a value stands for, by Nix's rules (getDerivations): a derivation is itself; a list stands for its
 * elements; a set for its attributes in the order of their names, those that are sets themselves only when
 * they say recurseForDerivations = true.  Attributes with unusual names are left out, functions
 * are called with the arguments of the command line, and a set met twice counts once.
 */
#include "config.h"
#include "cli/drv_paths.h"
#include "base/mem.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "eval/list.h"

#include <string.h>

struct walk {
	void (*each)(void *arg, const struct str *drv, const struct str *output); /* output: NULL for the first, "out" */
	void *arg;
	W args;
	struct seen {
		W set;
		struct seen *next;
	} *seen;
};

static int is_derivation(W set)
{
	W *t = attrs_find(set, SYM_TYPE);

	if (!t)
		return 0;
	W w = force_at(t);
	return w_is_str(w) && w_get_str(w)->len == 10 && !memcmp(w_get_str(w)->b, "derivation", 10);
}

static void meet(struct walk *k, W set)
{
	for (struct seen *s = k->seen; s; s = s->next)
		if (s->set == set)
			return;
	struct seen *s = mem_new(sizeof *s);
	*s = (struct seen){ set, k->seen };
	k->seen = s;

	struct str *drv = w_get_str(coerce_string(want_attr(set, "drvPath", "a derivation"), 0));
	W *out = attrs_find(set, SYM_OUTPUT_NAME);
	struct str *name = out ? want_string(*out, "the output name of a derivation") : NULL;
	k->each(k->arg, drv, name && strcmp(name->b, "out") ? name : NULL);
}

/* Nix leaves out what could not be typed as an attribute path. */
static int usual_name(const struct str *s)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return s->len && strchr(first, s->b[0]) && s->b[0] &&
	       strspn(s->b, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-+") == s->len;
}

static int wants_recursion(W set)
{
	W *r = attrs_find_c(set, "recurseForDerivations");

	return r && want_bool(*r, "the attribute 'recurseForDerivations'");
}

static void walk(struct walk *k, W v);

static void walk_attrs(struct walk *k, W set)
{
	struct attrs *a = attrs_of(set);
	const uint32_t *order = attrs_order(a);

	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t at = order[i];
		if (!usual_name(sym_name(a->sh->sym[at])))
			continue;
		W w = force_at(&a->v[at]);
		if (W_TAG(w) != TAG_ATTRS)
			continue;
		if (is_derivation(w))
			meet(k, w);
		else if (wants_recursion(w))
			walk(k, w);
	}
}

static void walk_list(struct walk *k, W list)
{
	struct list *l = list_of(list);

	for (uint32_t i = 0; i < l->n; i++) {
		W w = force_at(&l->e[i]);
		if (W_TAG(w) == TAG_ATTRS && is_derivation(w))
			meet(k, w);
		else
			walk(k, w);
	}
}

static void walk(struct walk *k, W v)
{
	stack_check();
	v = eval_auto_call(force(v), k->args);
	if (W_TAG(v) == TAG_ATTRS && is_derivation(v))
		meet(k, v);
	else if (W_TAG(v) == TAG_ATTRS)
		walk_attrs(k, v);
	else if (W_TAG(v) == TAG_LIST)
		walk_list(k, v);
	else
		throw_type("a derivation, or a set or list of derivations", v);
}

static void print(void *arg, const struct str *drv, const struct str *output)
{
	struct buf *b = arg;

	buf_add(b, drv->b, drv->len);
	if (output)
		buf_addf(b, "!%s", output->b);
	buf_addc(b, '\n');
}

void drv_paths_print(struct buf *b, W v, W args)
{
	struct walk k = { print, b, args, NULL };

	walk(&k, v);
}

static void add(void *arg, const struct str *drv, const struct str *output)
{
	struct slice name = output ? (struct slice){ output->b, output->len } : SLICE("out");
	struct store_path p;
	struct err e = ERR_INIT;

	if (store_path_parse(slice_of(eval_settings.store_dir), (struct slice){ drv->b, drv->len }, &p, &e))
		throw_err(&e);
	build_targets_add(arg, &p, &name, 1);
}

void drv_paths_add(struct build_targets *t, W v, W args)
{
	struct walk k = { add, t, args, NULL };

	walk(&k, v);
}
