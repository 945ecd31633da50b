/* SPDX-License-Identifier: MIT
 *
 * Outputs out of binary caches.
 *
 * While the graph grows, a derivation whose outputs are not there is put aside before its inputs are looked at; all that were put
 * aside are asked for together, with what their outputs refer to.  What can be had whole is done, as far as the graph goes, and
 * fetched before anything is built.  What then could not be fetched all the same is built, with its inputs, unless the setting
 * 'fallback' forbids it.
 */
#include "config.h"
#include "base/alloc.h"
#include "build/build_int.h"
#include "cache/copy.h"

#include <stdlib.h>

struct claim {
	struct fixed_output fixed;
	struct content_check check;
};

static void note(void *user, const char *text)
{
	store_notice(((struct build *)user)->s, "%s", text);
}

static void notice(void *store, const char *text)
{
	store_notice(store, "%s", text);
}

int build_fetch(struct store *s, const struct store_path *p, struct err *e)
{
	struct path_set one = PATH_SET_INIT;
	int rc;

	path_set_push(&one, p);
	rc = ensure_objects(s, &one, notice, s, e);
	path_set_release(&one);
	return rc;
}

/* 1 when there is anybody to ask. */
static int have_substituter(struct build *b, struct err *e)
{
	int rc = 0;

	if (!b->sub && !b->no_sub) {
		rc = substituter_new(&b->sub, b->s, note, b, e);
		if (!rc && !substituter_any(b->sub))
			substitute_release(b);
		b->no_sub = !b->sub;
		if (b->sub && b->set->cancel_fd >= 0)
			substituter_cancel_by(b->sub, b->set->cancel_fd);
	}
	return rc ? rc : b->sub != NULL;
}

/* What is cheap to make, and of no use elsewhere, says so. */
static int allows_it(const struct node *n)
{
	struct drv_options o;
	int yes;

	if (cache_settings.always_allow || drv_options_read(&o, &n->drv, NULL))
		return 1;
	yes = o.allow_substitutes;
	drv_options_release(&o);
	return yes;
}

int substitute_may(struct build *b, const struct node *n, struct err *e)
{
	if (n->no_substitute || (n->asked && b->set->check) || !cache_settings.substitute)
		return 0;
	int rc = have_substituter(b, e);

	return rc <= 0 ? rc : allows_it(n);
}

static void want_output(struct build *b, struct node *n, size_t i)
{
	const struct drv_output *o = &n->drv.outputs[i];
	struct wanted_path w = { .path = n->paths[i], .deriver = n->path };

	if (o->kind == DRV_FIXED && build_foreign_mode(&n->drv)) {
		if (!n->claim)
			n->claim = xcalloc(1, sizeof *n->claim);
		n->claim->check = (struct content_check){ b, n };
		n->claim->fixed = (struct fixed_output){ &n->path, &o->hash, graph_contents, &n->claim->check };
		w.foreign = &n->claim->fixed;
	} else if (o->kind == DRV_FIXED) {
		w.is_fixed = 1;
		w.method = o->method;
		w.hash = o->hash;
	}
	substituter_want(b->sub, &w);
}

/* Adds the wanted outputs that are not there. */
static int missing_outputs(struct build *b, const struct node *n, struct path_set *out, struct err *e)
{
	for (size_t i = 0; i < n->drv.noutputs; i++) {
		int valid = n->wanted[i] ? graph_output_valid(b, n, i, e) : 1;

		if (valid < 0)
			return valid;
		if (!valid)
			path_set_push(out, &n->paths[i]);
	}
	return 0;
}

int substitute_ask(struct build *b, struct node *const *v, size_t n, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < v[k]->drv.noutputs; i++)
			if (v[k]->wanted[i] && (rc = graph_output_valid(b, v[k], i, e)) == 0)
				want_output(b, v[k], i);
			else if (rc < 0)
				return rc;
	rc = substituter_ask(b->sub, e);
	for (size_t k = 0; !rc && k < n; k++) {
		struct path_set missing = PATH_SET_INIT;

		rc = missing_outputs(b, v[k], &missing, e);
		v[k]->substitute = !rc;
		for (size_t i = 0; i < missing.n; i++)
			v[k]->substitute &= substituter_has(b->sub, &missing.v[i]);
		v[k]->no_substitute = !v[k]->substitute;
		path_set_release(&missing);
	}
	return rc;
}

/* Adds what is to be fetched for all nodes. */
static int collect(struct build *b, struct path_set *out, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; !rc && k < b->n; k++)
		if (b->nodes[k]->substitute)
			rc = missing_outputs(b, b->nodes[k], out, e);
	path_set_sort(out);
	return rc;
}

/* Why a node's outputs are still not there. */
static const char *reason(struct build *b, const struct node *n)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < n->drv.noutputs; i++)
		why = n->wanted[i] ? substituter_reason(b->sub, &n->paths[i]) : NULL;
	return why ? why : "its outputs could not be fetched";
}

static int after_fetch(struct build *b, struct node *n, struct err *e)
{
	int rc = graph_outputs_valid(b, n, 0, e);

	n->substitute = 0;
	if (rc)
		return rc < 0 ? rc : 0;
	if (!cache_settings.fallback)
		return err_set(e, ERR_NETWORK, "%s\nthe setting 'fallback' lets it be built instead", reason(b, n));
	build_note(b, n, "%s; it is built instead", reason(b, n));
	n->no_substitute = 1;
	n->state = NODE_WAITING;
	graph_again(b, n);
	return 0;
}

int substitute_run(struct build *b, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	int rc = b->sub ? collect(b, &paths, e) : 0;

	if (!rc && paths.n)
		rc = substituter_fetch(b->sub, &paths, e);
	for (size_t k = 0; !rc && k < b->n; k++)
		if (b->nodes[k]->substitute)
			rc = after_fetch(b, b->nodes[k], e);
	path_set_release(&paths);
	return rc;
}

int substitute_plan(struct build *b, struct err *e)
{
	struct path_set wanted = PATH_SET_INIT, all = PATH_SET_INIT;
	uint64_t packed = 0, unpacked = 0;
	int rc = b->sub ? collect(b, &wanted, e) : 0;

	if (!rc && wanted.n)
		substituter_plan(b->sub, &wanted, &all, &packed, &unpacked);
	if (!rc && all.n && b->set->plan_fetch)
		b->set->plan_fetch(b->set->hooks.user, b->s, &all, packed, unpacked);
	path_set_release(&wanted);
	path_set_release(&all);
	return rc;
}

void substitute_release(struct build *b)
{
	substituter_free(b->sub);
	b->sub = NULL;
}
