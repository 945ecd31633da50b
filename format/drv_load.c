/* SPDX-License-Identifier: MIT
 *
 * Reading derivations, inputs first.
 *
 * A derivation's hash modulo needs those of its inputs, so a chain of derivations is read down to its end and then computed
 * upwards; the chain is a list on the heap, for there may be thousands in it.  What is kept was checked, with all below it.
 *
 * The hash of a fixed output does not depend on inputs, which may well be gone: they are not read.  Nor are those of a
 * derivation that is itself built (a dynamic input): it makes the whole deferred, whatever it says.
 */
#include "config.h"
#include "format/drv_load.h"
#include "base/alloc.h"
#include "base/limits.h"

#include <stdlib.h>

/* One derivation being read. */
struct pending {
	struct slice path;
	const struct drv *d;
	struct drv own; /* what d points at, when it was read here */
	size_t next;	/* input to look at */
	struct pending *below;
};

struct loading {
	const struct drv_reader *r;
	struct slice dir;
	struct pending *top;
	size_t depth;
};

static int push(struct loading *l, struct slice path, const struct drv *given, struct err *e)
{
	enum drv_output_kind kind;
	struct pending *p;
	int rc = 0;

	for (p = l->top; p; p = p->below)
		if (slice_eq(p->path, path))
			return err_set(e, ERR_INVALID, "the derivation '%s' depends on itself", path.p);
	if (l->depth == LIMIT_DRV_DEPTH)
		return err_set(e, ERR_LIMIT, "the inputs of a derivation are nested more than %d deep", LIMIT_DRV_DEPTH);
	p = xcalloc(1, sizeof *p);
	if (!given)
		rc = l->r->read(l->r->user, path, &p->own, e);
	if (rc) {
		free(p);
		return rc;
	}
	p->path = path;
	p->d = given ? given : &p->own;
	if (!drv_kind(p->d, &kind, NULL) && kind == DRV_FIXED)
		p->next = p->d->ninputs;
	p->below = l->top;
	l->top = p;
	l->depth++;
	return 0;
}

static void pop(struct loading *l)
{
	struct pending *p = l->top;

	l->top = p->below;
	l->depth--;
	if (p->d == &p->own)
		drv_release(&p->own);
	free(p);
}

/* An input of the topmost that is not known yet, to *path: 1; 0 when there is none. */
static int next_unknown(struct loading *l, struct slice *path, struct err *e)
{
	struct pending *p = l->top;

	while (p->next < p->d->ninputs) {
		const struct drv_input *in = &p->d->inputs[p->next++];
		struct drv_modulo m;
		int known = in->node.nchildren ? 1 : l->r->known(l->r->user, in->path, &m, e);

		*path = in->path;
		if (known <= 0)
			return known < 0 ? known : 1;
	}
	return 0;
}

/* By now all inputs are known. */
static int get_known(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	const struct drv_reader *r = user;
	int known = r->known(r->user, path, out, e);

	return known > 0 ? 0 : known < 0 ? known : err_set(e, ERR_NOTFOUND, "derivation '%s' is not known", path.p);
}

static int finish_top(struct loading *l, struct err *e)
{
	const struct drv_cache c = { get_known, (void *)l->r };
	struct pending *p = l->top;
	struct drv_modulo m;
	int rc = drv_check(p->d, l->dir, p->path, &c, &m, e);

	if (!rc)
		l->r->keep(l->r->user, p->path, p->d, &m);
	pop(l);
	return rc;
}

static int load(const struct drv_reader *r, struct slice dir, struct slice path, const struct drv *d, struct err *e)
{
	struct loading l = { r, dir, NULL, 0 };
	int rc = push(&l, path, d, e);

	while (l.top && !rc) {
		struct slice input;

		rc = next_unknown(&l, &input, e);
		if (rc >= 0)
			rc = rc ? push(&l, input, NULL, e) : finish_top(&l, e);
	}
	while (l.top)
		pop(&l);
	return rc;
}

int drv_load(const struct drv_reader *r, struct slice dir, struct slice path, struct err *e)
{
	return load(r, dir, path, NULL, e);
}

int drv_load_parsed(const struct drv_reader *r, struct slice dir, struct slice path, const struct drv *d, struct err *e)
{
	return load(r, dir, path, d, e);
}
