/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the text of a derivation that somebody registers, in a store that holds a few others: "@p" in it stands for
 * the path of one with two outputs, "@f" of a fixed one, "@q" of one that needs both, "@l" of one whose output is known only
 * when it is built.
 *
 * What is accepted has exactly the outputs that are computed anew from the rest of it.  And the honest form of what was
 * given, with these outputs put in, is accepted, but not with one digit changed in one of them.
 */
#include "config.h"
#include "format/drv_load.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct slice own = SLICE("/nix/store/00000000000000000000000000000000-x.drv");

/* --- the store --- */

enum { OTHERS = 4 };

static struct {
	char letter;
	struct buf path, text;
	struct drv_modulo modulo;
	int known; /* was kept */
} others[OTHERS];

static int find(struct slice path)
{
	for (int i = 0; i < OTHERS; i++)
		if (slice_eq((struct slice){ buf_str(&others[i].path), others[i].path.len }, path))
			return i;
	return -1;
}

static int known(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	int i = find(path);

	(void)user;
	(void)e;
	if (i < 0 || !others[i].known)
		return 0;
	*out = others[i].modulo;
	return 1;
}

static int read_one(void *user, struct slice path, struct drv *d, struct err *e)
{
	int i = find(path);

	(void)user;
	if (i < 0)
		return err_set(e, ERR_NOTFOUND, "'%s' is not there", path.p);
	char name[2] = { others[i].letter, 0 };
	return drv_parse(d, store_dir_default, slice_of(name), (struct slice){ others[i].text.p, others[i].text.len }, e);
}

static void keep(void *user, struct slice path, const struct drv *d, const struct drv_modulo *m)
{
	int i = find(path);

	(void)user;
	(void)d;
	if (i >= 0) {
		others[i].modulo = *m;
		others[i].known = 1;
	}
}

static const struct drv_reader reader = { known, read_one, keep, NULL };

/* The cache that the honest are computed with: all of it known. */
static int get(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	int i = find(path);

	(void)user;
	if (i < 0)
		return err_set(e, ERR_NOTFOUND, "'%s' is not there", path.p);
	*out = others[i].modulo;
	return 0;
}

static const struct drv_cache cache = { get, NULL };

static void add_other(int i, struct drv *d)
{
	struct store_path path;

	others[i].letter = d->name.p[0];
	drv_set_system(d, SLICE("s"));
	drv_set_builder(d, SLICE("/b"));
	if (drv_finish(d, store_dir_default, &cache, &others[i].text, &path, &others[i].modulo, NULL))
		abort();
	store_path_add(&others[i].path, store_dir_default, &path);
	drv_release(d);
}

static void make_others(void)
{
	struct drv_output *o;
	struct drv d;

	drv_init(&d, SLICE("p"));
	drv_add_output(&d, SLICE("out"));
	drv_add_output(&d, SLICE("dev"));
	add_other(0, &d);
	drv_init(&d, SLICE("f"));
	o = drv_add_output(&d, SLICE("out"));
	o->kind = DRV_FIXED;
	o->method = CA_NAR;
	hash_bytes(HASH_SHA256, "", 0, &o->hash);
	add_other(1, &d);
	drv_init(&d, SLICE("q"));
	drv_add_output(&d, SLICE("out"));
	for (int i = 0; i < 2; i++)
		drv_add_input(&d, (struct slice){ others[i].path.p, others[i].path.len }, SLICE("out"));
	add_other(2, &d);
	drv_init(&d, SLICE("l"));
	o = drv_add_output(&d, SLICE("out"));
	o->kind = DRV_FLOATING;
	o->method = CA_NAR;
	o->hash.algo = HASH_SHA256;
	add_other(3, &d);
}

static void expand(struct buf *b, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int k = 0;

		while (data[i] == '@' && i + 1 < size && k < OTHERS && others[k].letter != (char)data[i + 1])
			k++;
		if (data[i] == '@' && i + 1 < size && k < OTHERS) {
			buf_add(b, others[k].path.p, others[k].path.len);
			i++;
		} else {
			buf_addc(b, (char)data[i]);
		}
	}
}

/* --- what must hold --- */

static int accepted(const struct drv *d)
{
	struct err e = ERR_INIT;
	int rc;

	for (int i = 0; i < OTHERS; i++)
		others[i].known = 0;
	rc = drv_load_parsed(&reader, store_dir_default, own, d, &e);
	if (rc && !e.msg)
		abort();
	err_release(&e);
	return !rc;
}

/* As an evaluator would have made it.  Returns 0 and the text. */
static int make_honest(const struct drv *d, struct drv *n, struct buf *text)
{
	drv_init(n, d->name);
	drv_set_system(n, d->system);
	drv_set_builder(n, d->builder);
	for (size_t i = 0; i < d->noutputs; i++) {
		struct drv_output *o = drv_add_output(n, d->outputs[i].name);

		o->kind = d->outputs[i].kind == DRV_INPUT ? DRV_DEFERRED : d->outputs[i].kind;
		o->method = d->outputs[i].method;
		o->hash = d->outputs[i].hash;
	}
	for (size_t i = 0; i < d->ninputs; i++)
		for (size_t k = 0; k < d->inputs[i].node.noutputs; k++)
			drv_add_input(n, d->inputs[i].path, d->inputs[i].node.outputs[k]);
	for (size_t i = 0; i < d->nsrcs; i++)
		drv_add_src(n, d->srcs[i]);
	for (size_t i = 0; i < d->nargs; i++)
		drv_add_arg(n, d->args[i]);
	for (size_t i = 0; i < d->nenv; i++)
		if (!drv_output(d, d->env[i].key))
			drv_add_env(n, d->env[i].key, d->env[i].value);
	return drv_finish(n, store_dir_default, &cache, text, NULL, NULL, NULL);
}

static void same_outputs(const struct drv *a, const struct drv *b)
{
	if (a->noutputs != b->noutputs)
		abort();
	for (size_t i = 0; i < a->noutputs; i++)
		if (!slice_eq(a->outputs[i].name, b->outputs[i].name) ||
		    (a->outputs[i].path.n && !slice_eq(a->outputs[i].path, b->outputs[i].path)))
			abort();
}

static int inputs_are_there(const struct drv *d)
{
	for (size_t i = 0; i < d->ninputs; i++)
		if (find(d->inputs[i].path) < 0)
			return 0;
	return 1;
}

static int is_go(const struct drv *d)
{
	const struct slice *mode = drv_env(d, SLICE("outputHashMode"));

	return mode && slice_eq(*mode, SLICE("go-h1"));
}

/* The honest one is accepted; with a digit changed in the path of an output, and in the variable for it, it is not. */
static void check_honest(struct drv *d)
{
	if (!accepted(d) && !is_go(d) && inputs_are_there(d))
		abort();
	for (size_t i = 0; i < d->noutputs; i++) {
		struct slice right = d->outputs[i].path, wrong;
		char changed[400];

		if (!right.n)
			continue;
		memcpy(changed, right.p, right.n + 1);
		changed[11] = changed[11] == '0' ? '1' : '0';
		wrong = (struct slice){ changed, right.n };
		d->outputs[i].path = wrong;
		drv_set_env(d, d->outputs[i].name, wrong);
		if (accepted(d))
			abort();
		drv_set_env(d, d->outputs[i].name, right);
		if (accepted(d))
			abort();
		d->outputs[i].path = right;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct drv d, n;

	if (!others[0].letter)
		make_others();
	expand(&text, data, size);
	if (!drv_parse(&d, store_dir_default, SLICE("x"), (struct slice){ buf_str(&text), text.len }, NULL)) {
		/* Dynamic inputs have no other way to be made up here. */
		int failed = drv_is_dynamic(&d) || make_honest(&d, &n, &again), ok = accepted(&d);

		if (!drv_is_dynamic(&d)) {
			if (ok && failed)
				abort();
			if (ok)
				same_outputs(&d, &n);
			if (!failed)
				check_honest(&n);
			drv_release(&n);
		}
		for (size_t i = 0; ok && drv_is_dynamic(&d) && i < d.noutputs; i++)
			if (d.outputs[i].path.n && d.outputs[i].kind != DRV_FIXED)
				abort();
		drv_release(&d);
	}
	buf_release(&text);
	buf_release(&again);
	return 0;
}
