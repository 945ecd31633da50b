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
	void (*each)(void *arg, W set, const struct str *drv, const struct str *output); /* output: NULL for "out" */
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
	k->each(k->arg, set, drv, name && strcmp(name->b, "out") ? name : NULL);
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

static void print(void *arg, W set, const struct str *drv, const struct str *output)
{
	struct buf *b = arg;

	(void)set;
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

/* --- which outputs --- */

struct adding {
	struct build_targets *targets;
	enum drv_outputs outputs;
};

static struct slice name_of(W w, const char *what)
{
	struct str *s = want_string(w, what);

	return (struct slice){ s->b, s->len };
}

static W member(W set, const char *name)
{
	W *w = W_TAG(set) == TAG_ATTRS ? attrs_find_c(set, name) : NULL;

	return w ? force_at(w) : W_ABSENT;
}

/* Whether it is one output of a derivation, x.dev, and not the derivation: which is its first output, too. */
static int is_chosen(W set, struct slice output)
{
	W outputs = member(set, "outputs");

	if (member(set, "outputSpecified") == W_TRUE)
		return 1;
	return outputs != W_ABSENT && W_TAG(outputs) == TAG_LIST && list_len(outputs) &&
	       !slice_eq(name_of(list_of(outputs)->e[0], "an output of a derivation"), output);
}

static int has_output(W set, struct slice name)
{
	W outputs = member(set, "outputs");

	for (uint32_t i = 0; outputs != W_ABSENT && W_TAG(outputs) == TAG_LIST && i < list_len(outputs); i++)
		if (slice_eq(name_of(list_of(outputs)->e[i], "an output of a derivation"), name))
			return 1;
	return 0;
}

static void add_outputs(struct adding *a, const struct store_path *drv, W list)
{
	uint32_t n = list_len(list);
	struct slice *v = mem_new(mem_size(n, sizeof *v, 0));

	for (uint32_t i = 0; i < n; i++)
		v[i] = name_of(list_of(list)->e[i], "an element of 'meta.outputsToInstall'");
	build_targets_add(a->targets, drv, v, n);
}

/* Those that the derivation does not name itself. */
static void add_default(struct adding *a, W set, const struct store_path *drv, struct slice first)
{
	static const struct slice out = { "out", 3 };
	W meta = member(set, "meta"), install = meta == W_ABSENT ? W_ABSENT : member(meta, "outputsToInstall");
	int is_list = install != W_ABSENT && W_TAG(install) == TAG_LIST;

	if (is_list && list_len(install))
		add_outputs(a, drv, install);
	else if (a->outputs == DRV_OUTPUTS_FILE && !is_list)
		build_targets_add(a->targets, drv, NULL, 0);
	else
		build_targets_add(a->targets, drv, has_output(set, out) ? &out : &first, 1);
}

static void add(void *arg, W set, const struct str *drv, const struct str *output)
{
	struct slice name = output ? (struct slice){ output->b, output->len } : SLICE("out");
	struct adding *a = arg;
	struct store_path p;
	struct err e = ERR_INIT;

	if (store_path_parse(slice_of(eval_settings.store_dir), (struct slice){ drv->b, drv->len }, &p, &e))
		throw_err(&e);
	if (a->outputs == DRV_OUTPUTS_ALL)
		build_targets_add(a->targets, &p, NULL, 0);
	else if (a->outputs == DRV_OUTPUT || is_chosen(set, name))
		build_targets_add(a->targets, &p, &name, 1);
	else
		add_default(a, set, &p, name);
}

void drv_paths_add(struct build_targets *t, W v, W args, enum drv_outputs outputs)
{
	struct adding a = { t, outputs };
	struct walk k = { add, &a, args, NULL };

	walk(&k, v);
}
