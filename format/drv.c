/* SPDX-License-Identifier: MIT
 *
 * Derivations as data: building one up, and bringing it into canonical order.
 *
 * A derivation has five growing arrays (outputs, inputs, sources, arguments, variables) and an arena for
 * all strings, so that making one of 10 KB takes some ten calls of malloc.  Elements are
 * appended in whatever order the caller meets them; drv_sort puts them right once.  Callers usually have
 * them nearly in order already, so sortedness is tested before anything is sorted.
 *
 * The text form is in aterm.c, everything computed from a derivation in modulo.c.
 */
#include "config.h"
#include "base/check.h"
#include "format/drv_int.h"
#include "base/alloc.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void drv_init(struct drv *d, struct slice name)
{
	memset(d, 0, sizeof *d);
	d->name = drv_dup(d, name);
	d->system = d->builder = SLICE("");
}

void drv_release(struct drv *d)
{
	free(d->outputs);
	free(d->inputs);
	free(d->srcs);
	free(d->args);
	free(d->env);
	arena_release(&d->arena);
	memset(d, 0, sizeof *d);
}

struct slice drv_dup(struct drv *d, struct slice s)
{
	return (struct slice){ arena_dup(&d->arena, s.p, s.n), s.n };
}

void *drv_push(void *array, size_t *n, size_t *cap, size_t size)
{
	void **a = array;

	if (*n == *cap) {
		size_t want = *cap ? *cap * 2 : 8;
		void *p = xrealloc_array(*a, want, size);

		*a = p;
		*cap = want;
	}
	return memset((char *)*a + (*n)++ * size, 0, size);
}

/* --- building --- */

/* Output lists are short (one name, nearly always), so they live and grow in the arena. */
static void node_add(struct drv *d, struct drv_node *node, struct slice output)
{
	if (node->noutputs == node->capoutputs) {
		size_t cap = node->capoutputs ? node->capoutputs * 2 : 1;
		struct slice *s = arena_alloc(&d->arena, mem_size(cap, sizeof *s, 0));

		if (node->noutputs)
			memcpy(s, node->outputs, node->noutputs * sizeof *s);
		node->outputs = s;
		node->capoutputs = cap;
	}
	node->outputs[node->noutputs++] = output;
}

struct drv_output *drv_add_output(struct drv *d, struct slice name)
{
	struct drv_output *o = drv_push(&d->outputs, &d->noutputs, &d->capoutputs, sizeof *o);

	o->name = drv_dup(d, name);
	o->path = SLICE("");
	return o;
}

void drv_add_input(struct drv *d, struct slice path, struct slice output)
{
	struct drv_input *last = d->ninputs ? &d->inputs[d->ninputs - 1] : NULL;

	if (!last || !slice_eq(last->path, path)) {
		last = drv_push(&d->inputs, &d->ninputs, &d->capinputs, sizeof *last);
		last->path = drv_dup(d, path);
	}
	/* Nearly every name is "out"; a literal needs no copy. */
	node_add(d, &last->node, slice_eq(output, SLICE("out")) ? SLICE("out") : drv_dup(d, output));
}

void drv_add_src(struct drv *d, struct slice path)
{
	struct slice *s = drv_push(&d->srcs, &d->nsrcs, &d->capsrcs, sizeof *s);

	*s = drv_dup(d, path);
}

void drv_set_system(struct drv *d, struct slice s)
{
	d->system = drv_dup(d, s);
}

void drv_set_builder(struct drv *d, struct slice s)
{
	d->builder = drv_dup(d, s);
}

void drv_add_arg(struct drv *d, struct slice s)
{
	struct slice *a = drv_push(&d->args, &d->nargs, &d->capargs, sizeof *a);

	*a = drv_dup(d, s);
}

void drv_add_env(struct drv *d, struct slice key, struct slice value)
{
	struct drv_env *v = drv_push(&d->env, &d->nenv, &d->capenv, sizeof *v);

	v->key = drv_dup(d, key);
	v->value = drv_dup(d, value);
}

static struct drv_env *find_env(const struct drv *d, struct slice key)
{
	for (size_t i = 0; i < d->nenv; i++)
		if (slice_eq(d->env[i].key, key))
			return &d->env[i];
	return NULL;
}

void drv_set_env(struct drv *d, struct slice key, struct slice value)
{
	struct drv_env *v = find_env(d, key);

	if (v)
		v->value = drv_dup(d, value);
	else
		drv_add_env(d, key, value);
}

const struct slice *drv_env(const struct drv *d, struct slice key)
{
	const struct drv_env *v = find_env(d, key);

	return v ? &v->value : NULL;
}

const struct drv_output *drv_output(const struct drv *d, struct slice name)
{
	for (size_t i = 0; i < d->noutputs; i++)
		if (slice_eq(d->outputs[i].name, name))
			return &d->outputs[i];
	return NULL;
}

/* --- order --- */

/* Every element that is sorted starts with the slice it is sorted by. */
_Static_assert(offsetof(struct drv_output, name) == 0 && offsetof(struct drv_input, path) == 0 &&
		       offsetof(struct drv_env, key) == 0,
	       "the key must come first");

static int by_key(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Puts element i at its place among those before it, which are in order. */
static void insert(char *p, size_t i, size_t size)
{
	union { struct drv_input i; struct drv_env e; struct drv_output o; } x;
	size_t lo = 0, hi = i;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (by_key(p + mid * size, p + i * size) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	memcpy(&x, p + i * size, size);
	memmove(p + (lo + 1) * size, p + lo * size, (i - lo) * size);
	memcpy(p + lo * size, &x, size);
}

/* What comes from a set is in order, and a few elements (the outputs' variables) follow it. */
static void sort(void *array, size_t n, size_t size)
{
	enum { FEW = 8 };
	char *p = array;
	size_t i = 1;

	while (i < n && by_key(p + (i - 1) * size, p + i * size) <= 0)
		i++;
	if (n - i > FEW && i < n)
		qsort(array, n, size, by_key);
	else
		for (; i < n; i++)
			insert(p, i, size);
	for (i = 1; i < n; i++)
		CHECK(by_key(p + (i - 1) * size, p + i * size) <= 0);
}

size_t drv_sort_slices(struct slice *s, size_t n)
{
	size_t k = 0;

	sort(s, n, sizeof *s);
	for (size_t i = 0; i < n; i++)
		if (!k || !slice_eq(s[k - 1], s[i]))
			s[k++] = s[i];
	return k;
}

/* Inputs of one path become one; drv_add_input makes no children, and the parser allows no repeats, so
 * at most one of them has children. */
static void merge_inputs(struct drv *d)
{
	size_t k = 0;

	for (size_t i = 0; i < d->ninputs; i++) {
		struct drv_input *in = &d->inputs[i];

		if (!k || !slice_eq(d->inputs[k - 1].path, in->path)) {
			d->inputs[k++] = *in;
			continue;
		}
		struct drv_node *into = &d->inputs[k - 1].node;

		for (size_t j = 0; j < in->node.noutputs; j++)
			node_add(d, into, in->node.outputs[j]);
		if (!into->nchildren) {
			into->children = in->node.children;
			into->nchildren = in->node.nchildren;
		}
	}
	d->ninputs = k;
	for (size_t i = 0; i < k; i++) {
		struct drv_node *node = &d->inputs[i].node;

		node->noutputs = drv_sort_slices(node->outputs, node->noutputs);
	}
}

void drv_sort(struct drv *d)
{
	size_t k = 0;

	sort(d->inputs, d->ninputs, sizeof *d->inputs);
	merge_inputs(d);
	d->nsrcs = drv_sort_slices(d->srcs, d->nsrcs);
	sort(d->env, d->nenv, sizeof *d->env);
	sort(d->outputs, d->noutputs, sizeof *d->outputs);
	for (size_t i = 0; i < d->noutputs; i++)
		if (!k || !slice_eq(d->outputs[k - 1].name, d->outputs[i].name))
			d->outputs[k++] = d->outputs[i];
	d->noutputs = k;
}

/* --- kind --- */

int drv_is_dynamic(const struct drv *d)
{
	for (size_t i = 0; i < d->ninputs; i++)
		if (d->inputs[i].node.nchildren)
			return 1;
	return 0;
}

int drv_kind(const struct drv *d, enum drv_output_kind *kind, struct err *e)
{
	if (!d->noutputs)
		return err_set(e, ERR_INVALID, "derivation must have at least one output");
	*kind = d->outputs[0].kind;
	for (size_t i = 0; i < d->noutputs; i++) {
		const struct drv_output *o = &d->outputs[i];

		if (o->kind != *kind)
			return err_set(e, ERR_INVALID, "can't mix derivation output types");
		if (o->kind == DRV_FIXED && i)
			return err_set(e, ERR_INVALID, "only one fixed output is allowed for now");
		if (o->kind == DRV_FIXED && !slice_eq(o->name, SLICE("out")))
			return err_set(e, ERR_INVALID, "single fixed output must be named \"out\"");
		if (o->kind == DRV_FLOATING && o->hash.algo != d->outputs[0].hash.algo)
			return err_set(e, ERR_INVALID, "all floating outputs must use the same hash algorithm");
	}
	return 0;
}
