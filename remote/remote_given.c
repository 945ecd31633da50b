/* SPDX-License-Identifier: MIT
 *
 * A derivation that goes over a connection itself: outputs, what its builder may see, system, builder, arguments, environment.
 */
#include "config.h"
#include "remote/remote_int.h"

static void put_slices(struct wire *w, const struct slice *v, size_t n)
{
	wire_put_number(w, n);
	for (size_t i = 0; i < n; i++)
		wire_put_text(w, v[i]);
}

/* name path method-and-algorithm hash */
static void put_output(struct wire *w, const struct drv_output *o)
{
	struct slice prefix = ca_method_prefix(o->method);
	struct buf b = BUF_INIT;

	wire_put_text(w, o->name);
	wire_put_text(w, o->path);
	if (o->kind == DRV_FIXED)
		buf_addf(&b, "%.*s%s", (int)prefix.n, prefix.p, hash_algo_name(o->hash.algo));
	wire_put_text(w, (struct slice){ b.p, b.len });
	buf_trim(&b, 0);
	if (o->kind == DRV_FIXED)
		hash_add(&b, &o->hash, HASH_BASE16, 0);
	wire_put_text(w, (struct slice){ b.p, b.len });
	buf_release(&b);
}

void wire_put_derivation(struct wire *w, struct slice dir, const struct drv *d, const struct path_set *inputs)
{
	wire_put_number(w, d->noutputs);
	for (size_t i = 0; i < d->noutputs; i++)
		put_output(w, &d->outputs[i]);
	wire_put_paths(w, dir, inputs);
	wire_put_text(w, d->system);
	wire_put_text(w, d->builder);
	put_slices(w, d->args, d->nargs);
	wire_put_number(w, d->nenv);
	for (size_t i = 0; i < d->nenv; i++) {
		wire_put_text(w, d->env[i].key);
		wire_put_text(w, d->env[i].value);
	}
}

int remote_build_given(struct remote *r, const struct store_path *path, const struct drv *d, const struct path_set *inputs,
		       struct remote_outcome *outcome, struct err *e)
{
	int rc;

	*outcome = (struct remote_outcome){ .text = NULL };
	if (r->serves)
		return serve_build_given(r, path, d, inputs, outcome, e);
	rc = remote_begin(r, OP_BUILD_DERIVATION, e);
	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, path);
	wire_put_derivation(&r->w, r->dir, d, inputs);
	wire_put_number(&r->w, 0);
	rc = remote_wait(r, e);
	return rc ? rc : remote_end(r, remote_get_outcome(r, outcome, e));
}
