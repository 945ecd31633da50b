/* SPDX-License-Identifier: MIT
 *
 * Lookup paths and arguments are those of gx's own commands; only what operands mean is another.
 */
#include "config.h"
#include "cli/nix/nix_classic.h"
#include "base/alloc.h"
#include "cli/evaluation.h"
#include "cli/given.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"

const struct option classic_options[] = {
	{ CLASSIC_EXPR, 'E', "expr", NULL, "The operands are expressions, not files." },
	{ CLASSIC_ATTR, 'A', "attr", "PATH", "Take the attribute at PATH ('a.b.c')." },
	{ 0 }
};

int classic_take(struct classic *c, const struct program *p, int id, char **values)
{
	struct eval_request *r = &c->eval;

	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(p, r, id, values);
	switch (id) {
	case CLASSIC_EXPR: c->is_expr = 1; return 0;
	case CLASSIC_ATTR:
		r->attrs = xrealloc_array(r->attrs, r->n_attrs + 1, sizeof *r->attrs);
		r->attrs[r->n_attrs++] = values[0];
		return 0;
	}
	return -1;
}

void classic_values(const struct eval_request *one, W args, void (*each)(void *arg, W v, W args), void *arg)
{
	W root = given_value(one);

	if (!one->n_attrs)
		each(arg, eval_auto_call(root, args), args);
	for (size_t i = 0; i < one->n_attrs; i++) {
		struct attr_place at;
		W v = eval_attr_path(root, one->attrs[i], args, &at);

		attr_place_note(&at);
		each(arg, eval_auto_call(v, args), args);
		note_pop();
	}
}

struct run {
	const struct classic *c;
	void (*each)(void *arg, const struct eval_request *one, W args);
	void *arg;
};

static void evaluate_all(void *arg)
{
	const struct run *k = arg;
	W args = given_args(&k->c->eval);

	for (size_t i = 0; i < k->c->n; i++) {
		struct eval_request one = k->c->eval;

		*(k->c->is_expr ? &one.expr : &one.file) = k->c->words[i];
		k->each(k->arg, &one, args);
	}
}

int classic_eval(struct classic *c, struct store *s, void (*each)(void *arg, const struct eval_request *one, W args), void *arg)
{
	static char dot[] = ".", *here[] = { dot };
	struct run k = { c, each, arg };

	if (!c->n) {
		c->words = here;
		c->n = 1;
	}
	c->eval.open_store = s;
	return evaluation_run(&c->eval, eval_settings.pure, evaluate_all, &k);
}
