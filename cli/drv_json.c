/* SPDX-License-Identifier: MIT
 *
 * The members of a derivation in JSON:
 *     name, system, builder, args, env
 *     outputs           NAME: { path } | { hash, method } | { hashAlgo, method } | the same with impure | {}
 *     inputs            srcs: [ NAME ], drvs: { NAME: { outputs, dynamicOutputs } }
 *     structuredAttrs   what env has as __json
 *     version           4
 */
#include "config.h"
#include "cli/drv_json.h"

#include <string.h>

enum { JSON_VERSION = 4 };

/* --- to JSON --- */

static struct jnode *string(struct arena *a, struct slice s)
{
	return json_string(a, s);
}

/* The base name of a full path. */
static struct slice base_of(struct slice dir, struct slice path)
{
	return (struct slice){ path.p + dir.n + 1, path.n - dir.n - 1 };
}

static struct jnode *strings(struct arena *a, const struct slice *v, size_t n)
{
	struct jnode *array = json_node(a, JSON_ARRAY), *last = NULL;

	for (size_t i = 0; i < n; i++)
		json_append(array, &last, string(a, v[i]));
	return array;
}

static struct jnode *output_node(struct arena *a, struct slice dir, const struct drv_output *o)
{
	struct jnode *n = json_node(a, JSON_OBJECT);
	char text[HASH_TEXT_MAX];

	if (o->kind == DRV_INPUT)
		json_set(n, SLICE("path"), string(a, base_of(dir, o->path)));
	if (o->kind == DRV_INPUT || o->kind == DRV_DEFERRED)
		return n;
	json_set(n, SLICE("method"), string(a, slice_of(ca_method_name(o->method))));
	if (o->kind == DRV_FIXED) {
		size_t len = hash_print(&o->hash, HASH_SRI, 1, text);

		json_set(n, SLICE("hash"), string(a, (struct slice){ arena_dup(a, text, len), len }));
	} else {
		json_set(n, SLICE("hashAlgo"), string(a, slice_of(hash_algo_name(o->hash.algo))));
	}
	if (o->kind == DRV_IMPURE)
		json_set(n, SLICE("impure"), json_node(a, JSON_TRUE));
	return n;
}

static struct jnode *wanted_node(struct arena *a, const struct drv_node *d)
{
	struct jnode *n = json_node(a, JSON_OBJECT), *dynamic = json_node(a, JSON_OBJECT);

	for (size_t i = 0; i < d->nchildren; i++)
		json_set(dynamic, d->children[i].output, wanted_node(a, &d->children[i].node));
	json_set(n, SLICE("outputs"), strings(a, d->outputs, d->noutputs));
	json_set(n, SLICE("dynamicOutputs"), dynamic);
	return n;
}

static struct jnode *inputs_node(struct arena *a, struct slice dir, const struct drv *d)
{
	struct jnode *n = json_node(a, JSON_OBJECT), *drvs = json_node(a, JSON_OBJECT), *srcs = json_node(a, JSON_ARRAY),
		     *last = NULL;

	for (size_t i = 0; i < d->ninputs; i++)
		json_set(drvs, base_of(dir, d->inputs[i].path), wanted_node(a, &d->inputs[i].node));
	for (size_t i = 0; i < d->nsrcs; i++)
		json_append(srcs, &last, string(a, base_of(dir, d->srcs[i])));
	json_set(n, SLICE("drvs"), drvs);
	json_set(n, SLICE("srcs"), srcs);
	return n;
}

struct jnode *drv_json_node(struct arena *a, struct slice dir, const struct drv *d)
{
	struct jnode *n = json_node(a, JSON_OBJECT), *outputs = json_node(a, JSON_OBJECT), *env = json_node(a, JSON_OBJECT), *attrs;

	for (size_t i = 0; i < d->noutputs; i++)
		json_set(outputs, d->outputs[i].name, output_node(a, dir, &d->outputs[i]));
	for (size_t i = 0; i < d->nenv; i++)
		if (slice_eq(d->env[i].key, SLICE("__json")) && !json_tree_parse(a, d->env[i].value, &attrs, NULL))
			json_set(n, SLICE("structuredAttrs"), attrs);
		else
			json_set(env, d->env[i].key, string(a, d->env[i].value));
	json_set(n, SLICE("name"), string(a, d->name));
	json_set(n, SLICE("version"), json_int(a, JSON_VERSION));
	json_set(n, SLICE("outputs"), outputs);
	json_set(n, SLICE("inputs"), inputs_node(a, dir, d));
	json_set(n, SLICE("system"), string(a, d->system));
	json_set(n, SLICE("builder"), string(a, d->builder));
	json_set(n, SLICE("args"), strings(a, d->args, d->nargs));
	json_set(n, SLICE("env"), env);
	return n;
}

/* --- from JSON --- */

struct reader {
	struct drv *d;
	struct slice dir;
	struct err *e;
};

static const struct jnode *member(struct reader *r, const struct jnode *o, const char *name, enum json_event kind)
{
	static const struct jnode empty_array = { .kind = JSON_ARRAY }, empty_object = { .kind = JSON_OBJECT };
	static const char *const kinds[] = { [JSON_STRING] = "string", [JSON_ARRAY] = "list", [JSON_OBJECT] = "set" };
	const struct jnode *n = json_member(o, slice_of(name));

	if (n && n->kind == kind)
		return n;
	if (n || kind == JSON_STRING)
		err_set(r->e, ERR_INVALID, n ? "'%s' of the derivation is no %s" : "the derivation has no '%s', which is a %s",
			name, kinds[kind]);
	return kind == JSON_ARRAY ? &empty_array : kind == JSON_OBJECT ? &empty_object : NULL;
}

static struct slice text_of(struct reader *r, const struct jnode *n, const char *what)
{
	if (n && n->kind == JSON_STRING)
		return n->str;
	if (!r->e->code)
		err_set(r->e, ERR_INVALID, "%s of the derivation is no string", what);
	return SLICE("");
}

/* The full path of a base name (or of a full path, as older forms have it), in the derivation's arena. */
static struct slice full_path(struct reader *r, struct slice name)
{
	struct store_path p;
	struct buf b = BUF_INIT;
	struct slice s;

	if (store_path_is_inside(r->dir, name) ? store_path_parse(r->dir, name, &p, r->e) : store_path_parse_base(name, &p, r->e))
		return SLICE("");
	store_path_add(&b, r->dir, &p);
	s = (struct slice){ arena_dup(&r->d->arena, b.p, b.len), b.len };
	buf_release(&b);
	return s;
}

static void read_content(struct reader *r, struct drv_output *o, const struct jnode *n)
{
	const struct jnode *hash = json_member(n, SLICE("hash")), *method = json_member(n, SLICE("method")),
			   *impure = json_member(n, SLICE("impure"));
	struct slice algo;

	if (ca_method_parse(text_of(r, method, "the method of an output"), &o->method, r->e))
		return;
	if (hash) {
		struct slice text = text_of(r, hash, "the hash of an output");

		o->kind = DRV_FIXED;
		hash_parse_sri(text.p, text.n, &o->hash, r->e);
		return;
	}
	o->kind = impure && impure->kind == JSON_TRUE ? DRV_IMPURE : DRV_FLOATING;
	algo = text_of(r, json_member(n, SLICE("hashAlgo")), "the hash algorithm of an output");
	hash_algo_parse(algo.p, algo.n, &o->hash.algo, r->e);
}

static void read_output(struct reader *r, const struct jnode *n)
{
	struct drv_output *o = drv_add_output(r->d, n->key);
	const struct jnode *path = json_member(n, SLICE("path"));

	if (n->kind != JSON_OBJECT) {
		err_set(r->e, ERR_INVALID, "output '%.*s' of the derivation is no set", (int)n->key.n, n->key.p);
		return;
	}
	if (path)
		o->path = full_path(r, text_of(r, path, "the path of an output"));
	if (json_member(n, SLICE("method")) || json_member(n, SLICE("hash")) || json_member(n, SLICE("hashAlgo")))
		read_content(r, o, n);
}

static void read_input(struct reader *r, const struct jnode *n)
{
	struct slice path = full_path(r, n->key);
	const struct jnode *dynamic = json_member(n, SLICE("dynamicOutputs"));

	if (dynamic && dynamic->first)
		err_set(r->e, ERR_INVALID, "outputs of derivations that are outputs themselves cannot be inputs here");
	for (const struct jnode *o = member(r, n, "outputs", JSON_ARRAY)->first; o && !r->e->code; o = o->next)
		drv_add_input(r->d, path, text_of(r, o, "an output of an input"));
}

static void read_inputs(struct reader *r, const struct jnode *inputs)
{
	for (const struct jnode *n = member(r, inputs, "drvs", JSON_OBJECT)->first; n && !r->e->code; n = n->next)
		read_input(r, n);
	for (const struct jnode *n = member(r, inputs, "srcs", JSON_ARRAY)->first; n && !r->e->code; n = n->next)
		drv_add_src(r->d, full_path(r, text_of(r, n, "a source")));
}

static void read_env(struct reader *r, const struct jnode *o)
{
	const struct jnode *attrs = json_member(o, SLICE("structuredAttrs"));
	struct buf b = BUF_INIT;

	if (attrs && attrs->kind == JSON_OBJECT) {
		json_tree_write(&b, attrs);
		drv_set_env(r->d, SLICE("__json"), (struct slice){ b.p, b.len });
		buf_release(&b);
	}
	for (const struct jnode *n = member(r, o, "env", JSON_OBJECT)->first; n && !r->e->code; n = n->next)
		drv_set_env(r->d, n->key, text_of(r, n, "a variable"));
}

static void read_all(struct reader *r, const struct jnode *o)
{
	const struct jnode *system = member(r, o, "system", JSON_STRING), *builder = member(r, o, "builder", JSON_STRING);

	drv_set_system(r->d, text_of(r, system, "the system"));
	drv_set_builder(r->d, text_of(r, builder, "the builder"));
	for (const struct jnode *n = member(r, o, "args", JSON_ARRAY)->first; n && !r->e->code; n = n->next)
		drv_add_arg(r->d, text_of(r, n, "an argument"));
	read_env(r, o);
	for (const struct jnode *n = member(r, o, "outputs", JSON_OBJECT)->first; n && !r->e->code; n = n->next)
		read_output(r, n);
	read_inputs(r, member(r, o, "inputs", JSON_OBJECT));
}

int drv_json_read(struct drv *d, struct slice dir, const struct jnode *o, struct err *e)
{
	struct reader r = { d, dir, e };
	const struct jnode *name, *version = json_member(o, SLICE("version"));

	if (o->kind != JSON_OBJECT || !version || version->kind != JSON_INT || version->i != JSON_VERSION)
		return err_set(e, ERR_INVALID, "this is no derivation in the form of version %d", JSON_VERSION);
	name = member(&r, o, "name", JSON_STRING);
	if (!name)
		return e->code;
	drv_init(d, name->str);
	read_all(&r, o);
	if (e->code)
		drv_release(d);
	return e->code;
}
