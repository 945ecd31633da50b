/* SPDX-License-Identifier: MIT
 *
 * The evaluation half of gx build, develop, shell and run.  It runs as gxeval does and is over before anything is built, so that
 * a build of an hour needs no evaluator's memory; the two halves share texts and the open store, whose temporary roots hold the
 * fresh derivations from the moment they are written.
 *
 * An app's program is a string; what has to be built for it is what its context says.
 */
#include "config.h"
#include "cli/installable.h"
#include "base/alloc.h"
#include "cli/drv_paths.h"
#include "cli/eval_cmd.h"
#include "cli/evaluation.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/context.h"
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

struct work {
	const struct flake_request *r;
	char *const *refs;
	size_t n;
	enum flake_want want;
	struct installable *out;
};

void installable_release(struct installable *i)
{
	free(i->drvs);
	free(i->program);
	free(i->main);
	*i = (struct installable){ NULL, NULL, NULL };
}

static char *copy(const char *p, size_t n)
{
	char *s = xstrndup(p, n);

	return s;
}

static W empty_set(void)
{
	struct attrs_builder b;

	attrs_builder_init(&b, 0);
	return attrs_finish(&b);
}

/* An attribute that is a string, as malloc'd text; NULL when it is not there. */
static char *string_attr(W set, const char *name, const char *what)
{
	W *v = attrs_find_c(set, name);

	if (!v)
		return NULL;
	struct str *s = want_string(*v, what);

	return copy(s->b, s->len);
}

/* What nixpkgs does to find a package's program: meta.mainProgram, then the name without its version. */
static char *main_program(W set)
{
	W *meta = attrs_find_c(set, "meta");
	char *name = NULL;

	if (meta && W_TAG(force_at(meta)) == TAG_ATTRS)
		name = string_attr(force_at(meta), "mainProgram", "the attribute 'mainProgram'");
	if (!name)
		name = string_attr(set, "pname", "the attribute 'pname'");
	if (name)
		return name;
	name = string_attr(set, "name", "the attribute 'name'");
	for (char *p = name; p && *p; p++)
		if (*p == '-' && p[1] && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", p[1])) {
			*p = 0;
			break;
		}
	return name;
}

static void app(W set, struct buf *drvs, struct installable *out)
{
	struct str *s = w_get_str(coerce_string(want_attr(set, "program", "an app"), 0));
	struct ctx_elem e;

	out->program = copy(s->b, s->len);
	for (size_t i = 0; i < ctx_count(s->ctx); i++) {
		ctx_parse(ctx_element(s->ctx, i), &e);
		if (e.kind == CTX_BUILT)
			buf_addf(drvs, "%.*s!%.*s\n", (int)e.path_len, e.path, (int)e.output_len, e.output);
	}
}

static int is_app(W v)
{
	W *t = W_TAG(v) == TAG_ATTRS ? attrs_find(v, SYM_TYPE) : NULL;

	return t && w_is_str(force_at(t)) && !strcmp(w_get_str(force_at(t))->b, "app");
}

static void evaluate_one(struct work *k, size_t i)
{
	const char *fragment, *found;
	struct locked_flake *lf = flake_options_open(k->r, k->refs[i], &fragment);
	W v = flake_select(flake_outputs(flake_call(lf)), fragment, k->want, k->refs[i], &found);
	struct buf drvs = BUF_GC;

	if (k->want == FLAKE_WANT_APP && is_app(v)) {
		app(v, &drvs, &k->out[i]);
	} else {
		drv_paths_print(&drvs, v, empty_set());
		if (W_TAG(v) == TAG_ATTRS)
			k->out[i].main = main_program(v);
	}
	k->out[i].drvs = copy(buf_str(&drvs), drvs.len);
}

static void evaluate_all(void *arg)
{
	struct work *k = arg;

	for (size_t i = 0; i < k->n; i++)
		evaluate_one(k, i);
}

int installables_eval(const struct flake_request *r, struct store *s, char *const *refs, size_t n, enum flake_want want,
		      struct installable *out)
{
	/* Asking for .drv paths is asking for a store to have them in. */
	const struct eval_request e = { .open_store = s, .form = OUTPUT_DRV_PATH };
	struct work k = { .r = r, .refs = refs, .n = n, .want = want, .out = out };

	return evaluation_run(&e, !r->impure, evaluate_all, &k);
}
