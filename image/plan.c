/* SPDX-License-Identifier: MIT
 *
 * An object changes whenever one that it needs does, so how often it changes grows with the number of those: `below`, which is a
 * property of the object and not of the image.  Objects go into layers in the order of that number, shared ones first among equals.
 *
 * Small objects that have to share do so in classes: those whose `below` has the same number of digits in base 2 change about as
 * often. In a class the first bits of an object's own digest say which of its layers it is in.  So one more object changes one
 * layer, and not, as cutting a list into pieces would, all from there on.
 */
#include "config.h"
#include "image/plan.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES = 32 };

struct planned {
	struct layer_path p;
	struct path_set refs; /* others of the plan */
	size_t below;  /* objects it needs, itself among them */
	size_t above;  /* that name it */
	unsigned class;
	int alone;
};

struct plan {
	const struct plan_request *r;
	struct slice dir;
	struct planned *v; /* in byte order */
	size_t n;
	struct layer *out;
	size_t nout, cap;
};

static void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		path_set_release(&p->v[i].refs);
	free(p->v);
}

static int load(struct plan *p, struct store *s, const struct path_set *objects, struct err *e)
{
	int rc = 0;

	p->v = xcalloc(objects->n + 1, sizeof *p->v);
	for (size_t i = 0; !rc && i < objects->n; i++) {
		struct planned *v = &p->v[p->n];
		struct path_info info = { .nar_size = 0 };

		rc = db_info(store_db(s), &objects->v[i], &info, e);
		if (!rc) {
			v->p = (struct layer_path){ info.path, info.nar_hash, info.nar_size };
			v->refs = info.refs;
			info.refs = (struct path_set)PATH_SET_INIT;
			path_set_remove(&v->refs, &v->p.path);
			p->n++;
		}
		path_info_release(&info);
	}
	return rc;
}

static int compare_path(const void *a, const void *b)
{
	return store_path_cmp(a, &((const struct planned *)b)->p.path);
}

static struct planned *find(const struct plan *p, const struct store_path *path)
{
	return bsearch(path, p->v, p->n, sizeof *p->v, compare_path);
}

static size_t count_bits(const uint64_t *set, size_t words)
{
	size_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += (size_t)__builtin_popcountll(set[i]);
	return n;
}

/* Fills in below and above: sets of bits, from those that need nothing upwards. */
static int count(struct plan *p, struct store *s, const struct path_set *objects, struct err *e)
{
	size_t words = (p->n + 63) / 64, *order = NULL;
	uint64_t *sets = xcalloc(p->n * words + 1, sizeof *sets);
	int rc = store_order(s, objects->v, objects->n, &order, e);

	for (size_t k = 0; !rc && k < p->n; k++) {
		struct planned *v = &p->v[order[k]];
		uint64_t *mine = sets + order[k] * words;

		mine[order[k] / 64] |= (uint64_t)1 << order[k] % 64;
		for (size_t i = 0; i < v->refs.n; i++) {
			struct planned *r = find(p, &v->refs.v[i]);

			if (!r)
				continue;
			r->above++;
			for (size_t w = 0; w < words; w++)
				mine[w] |= sets[(size_t)(r - p->v) * words + w];
		}
		v->below = count_bits(mine, words);
		for (size_t b = v->below; b > 1; b >>= 1)
			v->class++;
	}
	free(order);
	free(sets);
	return rc;
}

/* --- who is alone --- */

static int by_size(const void *a, const void *b)
{
	const struct planned *x = *(struct planned *const *)a, *y = *(struct planned *const *)b;

	if (x->p.nar_size != y->p.nar_size)
		return x->p.nar_size > y->p.nar_size ? -1 : 1;
	return store_path_cmp(&x->p.path, &y->p.path);
}

/* All of them where they are few; else the largest, as many as leave a third of the layers to the others. */
static void choose_alone(struct plan *p)
{
	struct planned **v = xcalloc(p->n + 1, sizeof *v);
	size_t most = p->n <= p->r->layers ? p->n : p->r->layers - (p->r->layers + 2) / 3;

	for (size_t i = 0; i < p->n; i++)
		v[i] = &p->v[i];
	if (p->n)
		qsort(v, p->n, sizeof *v, by_size);
	for (size_t i = 0; i < most; i++)
		v[i]->alone = 1;
	free(v);
}

/* --- layers --- */

static struct layer *add_layer(struct plan *p)
{
	ARRAY_GROW(p->out, p->nout + 1, p->cap);
	p->out[p->nout] =
		(struct layer){ .kind = LAYER_OBJECTS, .form = p->r->form, .compression = p->r->compression, .store_dir = p->dir };
	return &p->out[p->nout++];
}

static void add_alone(struct plan *p, const struct planned *v)
{
	unsigned parts = v->p.nar_size >= PLAN_LARGE ? 2 : 0;

	for (unsigned k = parts ? 1 : 0; k <= parts; k++) {
		struct layer *l = add_layer(p);

		l->paths = xmalloc(sizeof *l->paths);
		l->paths[0] = v->p;
		l->n = 1;
		l->part = k;
		l->parts = parts;
	}
}

/* The group of an object in its class, of so many. */
static size_t group_of(const struct planned *v, size_t groups)
{
	/* The digits are of a digest already; five bits each. */
	size_t n = 0;

	for (unsigned i = 0; i < 4; i++)
		n = n * 32 + (unsigned char)v->p.path.base[i];
	return n % groups;
}

static void add_group(struct plan *p, unsigned class, size_t group, size_t groups)
{
	struct layer *l = NULL;
	size_t cap = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct planned *v = &p->v[i];

		if (v->alone || v->class != class || group_of(v, groups) != group)
			continue;
		l = l ? l : add_layer(p);
		ARRAY_GROW(l->paths, l->n + 1, cap);
		l->paths[l->n++] = v->p;
	}
}

/* Layers are shared out to classes by how many objects they have; each that has any gets one. */
static void add_groups(struct plan *p)
{
	size_t of[CLASSES] = { 0 }, all = 0, left, used = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].alone)
			used++;
		else
			of[p->v[i].class]++, all++;
	for (unsigned c = 0; c < CLASSES; c++)
		used += of[c] != 0;
	left = used < p->r->layers ? p->r->layers - used : 0;
	for (unsigned c = 0; c < CLASSES; c++) {
		size_t groups = of[c] ? 1 + of[c] * left / all : 0;

		for (size_t g = 0; g < groups; g++)
			add_group(p, c, g, groups);
	}
}

/* --- their order --- */

static int by_change(const void *a, const void *b, void *plan)
{
	const struct layer *x = a, *y = b;
	const struct planned *v = find(plan, &x->paths[0].path), *w = find(plan, &y->paths[0].path);

	if (v->class != w->class)
		return v->class < w->class ? -1 : 1;
	if (v->below != w->below)
		return v->below < w->below ? -1 : 1;
	if (v->above != w->above)
		return v->above > w->above ? -1 : 1;
	int c = store_path_cmp(&v->p.path, &w->p.path);

	return c ? c : x->part < y->part ? -1 : 1;
}

/* Two closures with the same hash are the same bytes. */
static void closure_hash(const struct plan *p, struct hash *out)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < p->n; i++) {
		store_path_add(&b, p->dir, &p->v[i].p.path);
		buf_addc(&b, ' ');
		hash_add(&b, &p->v[i].p.nar_hash, HASH_BASE16, 1);
		buf_addf(&b, " %llu\n", (unsigned long long)p->v[i].p.nar_size);
	}
	hash_bytes(HASH_SHA256, buf_str(&b), b.len, out);
	buf_release(&b);
}

int plan_layers(struct store *s, const struct path_set *objects, const struct plan_request *r, struct layer **out, size_t *n,
		struct hash *closure, struct err *e)
{
	struct plan p = { .r = r, .dir = store_dir(s) };
	int rc = load(&p, s, objects, e);

	rc = rc ? rc : count(&p, s, objects, e);
	if (!rc) {
		closure_hash(&p, closure);
		choose_alone(&p);
		for (size_t i = 0; i < p.n; i++)
			if (p.v[i].alone)
				add_alone(&p, &p.v[i]);
		add_groups(&p);
		if (p.nout)
			qsort_r(p.out, p.nout, sizeof *p.out, by_change, &p);
	}
	*out = p.out;
	*n = p.nout;
	plan_release(&p);
	return rc;
}
