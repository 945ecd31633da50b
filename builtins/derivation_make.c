/* SPDX-License-Identifier: MIT
 *
 * Makes the store derivation: inputs out of contexts, kinds of outputs, hashing (format/modulo.h does the
 * arithmetic), and the set that derivationStrict returns.
 *
 * A struct drv is malloc memory and everything that throws would leak it, so the order is: check what can
 * be checked before (throws), fill in and finish the drv (only error codes), release it, then throw or
 * make values.
 *
 * Contexts become inputs in three ways.  A path is a source.  An output of a derivation is an input with that
 * output wanted.  A derivation with its whole closure ("=", what drvPath carries) is, for everything
 * the .drv file refers to directly and indirectly: a source, and if it is a derivation, an input with
 * all outputs.
 */
#include "config.h"
#include "builtins/derivation_make.h"

#include "base/mem.h"
#include "builtins/drvs.h"
#include "builtins/store_ops.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "format/goh1.h"

#include <string.h>

static struct slice slice_str(const struct str *s)
{
	return (struct slice){ s->b, s->len };
}

/* --- what the arguments say of the outputs --- */

struct output_plan {
	enum drv_output_kind kind;
	enum ca_method method;
	struct hash hash;
};

static void require(const struct drv_args *a, const struct str *s, const char *name)
{
	if (!s || !s->len)
		drv_args_throw(a, "required attribute '%s' missing", name);
}

/* The value of a variable; empty when there is none. */
static struct slice variable(const struct drv_args *a, struct slice name)
{
	for (size_t i = 0; i < a->nenv; i++)
		if (slice_eq(slice_str(a->env[i].key), name))
			return slice_str(a->env[i].value);
	return SLICE("");
}

/* The sum of a Go module; what stands in the derivation is the address made from it. */
static void plan_go_h1(const struct drv_args *a, struct output_plan *p)
{
	struct err e = ERR_INIT;
	struct hash h1;

	if (a->algo != HASH_ANY && a->algo != HASH_SHA256)
		drv_args_throw(a, "outputHashMode \"" GO_H1_MODE "\" goes with SHA-256 only");
	if (a->structured) /* the check of the output reads plain variables */
		drv_args_throw(a, "outputHashMode \"" GO_H1_MODE "\" does not go with __structuredAttrs");
	if (go_h1_parse(slice_str(a->hash), &h1, &e))
		drv_args_throw_err(a, &e);
	go_h1_address(variable(a, SLICE("module")), &h1, &p->hash);
}

static void plan_fixed(const struct drv_args *a, struct output_plan *p)
{
	struct err e = ERR_INIT;
	int was_empty = 0;

	if (a->noutputs != 1 || a->outputs[0] != SYM_OUT)
		drv_args_throw(a, "a fixed-output derivation must have a single output, called 'out'");
	p->kind = DRV_FIXED;
	p->method = a->has_method ? a->method : CA_FLAT;
	if (a->go_h1) {
		plan_go_h1(a, p);
		return;
	}
	if (hash_parse_or_empty(a->hash->b, a->hash->len, a->algo, &p->hash, &was_empty, &e))
		drv_args_throw_err(a, &e);
	if (was_empty) {
		struct buf b = BUF_GC;

		buf_addf(&b, "warning: found empty hash in the derivation '%s', assuming '", a->name->b);
		hash_add(&b, &p->hash, HASH_SRI, 1);
		buf_adds(&b, "'");
		eval_world()->message(b.p, b.len);
	}
}

static void plan_outputs(const struct drv_args *a, struct output_plan *p)
{
	int single_out = a->noutputs == 1 && a->outputs[0] == SYM_OUT;

	memset(p, 0, sizeof *p);
	require(a, a->builder, "builder");
	require(a, a->system, "system");
	if (slice_ends(slice_str(a->name), SLICE(".drv")) && !(a->has_method && a->method == CA_TEXT && single_out))
		drv_args_throw(a, "derivation names may end in '.drv' only if they produce a single derivation file "
				  "(outputHashMode = \"text\")");
	if (a->hash) {
		plan_fixed(a, p);
	} else if (a->go_h1) {
		drv_args_throw(a, "outputHashMode \"" GO_H1_MODE "\" needs an outputHash, the sum of a Go module (\"h1:…\")");
	} else if (a->content_addressed || a->impure) {
		if (a->content_addressed && a->impure)
			drv_args_throw(a, "derivation cannot be both content-addressed and impure");
		p->kind = a->impure ? DRV_IMPURE : DRV_FLOATING;
		p->method = a->has_method ? a->method : CA_NAR;
		p->hash.algo = a->algo ? a->algo : HASH_SHA256;
	} else {
		p->kind = DRV_DEFERRED;
	}
}

/* --- filling in; nothing here throws --- */

static void add_deep(void *arg, const struct store_object *o)
{
	struct drv *d = arg;

	drv_add_src(d, o->path);
	for (size_t i = 0; o->drv && i < o->drv->noutputs; i++)
		drv_add_input(d, o->path, o->drv->outputs[i].name);
}

static int add_context(struct drv *d, uint32_t ctx, struct err *e)
{
	size_t n = ctx_count(ctx);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		struct ctx_elem c;
		struct slice path;

		ctx_parse(ctx_element(ctx, i), &c);
		path = (struct slice){ c.path, c.path_len };
		switch (c.kind) {
		case CTX_OPAQUE:
			drv_add_src(d, path);
			break;
		case CTX_BUILT:
			drv_add_input(d, path, (struct slice){ c.output, c.output_len });
			break;
		case CTX_DRV_DEEP:
			rc = drvs_closure(path, add_deep, d, e);
			break;
		}
	}
	return rc;
}

static int fill(struct drv *d, const struct drv_args *a, const struct output_plan *p, uint32_t ctx, struct err *e)
{
	for (size_t i = 0; i < a->noutputs; i++) {
		struct drv_output *o = drv_add_output(d, slice_str(sym_name(a->outputs[i])));

		o->kind = p->kind;
		o->method = p->method;
		o->hash = p->hash;
	}
	drv_set_system(d, slice_str(a->system));
	drv_set_builder(d, slice_str(a->builder));
	for (size_t i = 0; i < a->nargs; i++)
		drv_add_arg(d, slice_str(a->args[i]));
	for (size_t i = 0; i < a->nenv; i++)
		drv_add_env(d, slice_str(a->env[i].key), slice_str(a->env[i].value));
	return add_context(d, ctx, e);
}

/* --- the result --- */

W derivation_output_string(struct slice drv_path, struct slice output, struct slice path)
{
	char digits[PLACEHOLDER_LEN + 1];
	struct buf elem = BUF_GC;
	struct store_path p;
	struct err e = ERR_INIT;

	buf_addc(&elem, '!');
	buf_add(&elem, output.p, output.n);
	buf_addc(&elem, '!');
	buf_add(&elem, drv_path.p, drv_path.n);
	if (!path.n) {
		if (store_path_parse(slice_of(eval_settings.store_dir), drv_path, &p, &e) ||
		    placeholder_upstream(&p, output, digits, NULL, &e))
			throw_err(&e);
		path = (struct slice){ digits, PLACEHOLDER_LEN };
	}
	return w_str(path.p, path.n, ctx_single(elem.p, elem.len));
}

W derivation_path_string(struct slice path)
{
	char small[512], *elem = path.n + 2 <= sizeof small ? small : mem_bytes(path.n + 2);

	elem[0] = '=';
	memcpy(elem + 1, path.p, path.n + 1);
	return w_str(path.p, path.n, ctx_single(elem, path.n + 1));
}

static W result_set(const struct store_object *o)
{
	struct attrs_builder b;

	attrs_builder_init(&b, 1 + o->drv->noutputs);
	attrs_add(&b, SYM_DRV_PATH, 0, derivation_path_string(o->path));
	for (size_t i = 0; i < o->drv->noutputs; i++) {
		const struct drv_known_output *out = &o->drv->outputs[i];

		attrs_add(&b, sym_intern(out->name.p, out->name.n), 0,
			  derivation_output_string(o->path, out->name, out->path));
	}
	return attrs_finish(&b);
}

W derivation_make(const struct drv_args *a)
{
	struct slice dir = slice_of(eval_settings.store_dir);
	uint32_t ctx = ctx_acc_finish((struct ctx_acc *)&a->ctx);
	const struct store_object *o = NULL;
	struct buf text = BUF_INIT, full = BUF_INIT;
	struct err e = ERR_INIT;
	struct output_plan plan;
	struct store_path path;
	struct drv_modulo m;
	struct drv d;

	plan_outputs(a, &plan);
	drv_init(&d, slice_str(a->name));
	if (!fill(&d, a, &plan, ctx, &e) && !drv_finish(&d, dir, &drvs_cache, &text, &path, &m, &e)) {
		store_path_add(&full, dir, &path);
		o = drvs_add(&d, (struct slice){ full.p, full.len }, &m, (struct slice){ text.p, text.len });
	}
	drv_release(&d);
	buf_release(&text);
	buf_release(&full);
	if (!o)
		drv_args_throw_err(a, &e);
	return result_set(o);
}
