/* SPDX-License-Identifier: MIT
 *
 * Objects of a daemon's store into one of ours.
 *
 * What they refer to is asked for level by level, many questions at once; archives then come one after the other, what others refer
 * to first, each hashed on its way.
 */
#include "config.h"
#include "remote/remote_int.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "cache/copy.h"
#include "cache/substitute.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

/* --- what there is --- */

struct walk {
	struct remote_closure *out;
	struct path_set seen, next;
	int alone;
};

static int take(void *user, struct path_info *i, struct err *e)
{
	struct walk *w = user;

	(void)e;
	ARRAY_GROW(w->out->v, w->out->n + 1, w->out->cap);
	w->out->v[w->out->n++] = *i;
	for (size_t k = 0; !w->alone && k < i->refs.n; k++)
		if (path_set_add(&w->seen, &i->refs.v[k]))
			path_set_push(&w->next, &i->refs.v[k]);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return store_path_cmp(&((const struct path_info *)a)->path, &((const struct path_info *)b)->path);
}

/* Drops those that are known. */
static int leave_out(struct path_set *paths, int (*known)(void *user, const struct store_path *p, struct err *e), void *user,
		     struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < paths->n; i++) {
		int rc = known ? known(user, &paths->v[i], e) : 0;

		if (rc < 0)
			return rc;
		if (!rc)
			paths->v[n++] = paths->v[i];
	}
	paths->n = n;
	path_set_sort(paths);
	return 0;
}

int remote_get_closure(struct remote *r, const struct path_set *paths, int alone,
		       int (*known)(void *user, const struct store_path *p, struct err *e), void *user, struct remote_closure *out,
		       struct err *e)
{
	struct walk w = { .out = out, .alone = alone };
	struct path_set level = PATH_SET_INIT;
	int rc;

	path_set_add_all(&w.seen, paths);
	path_set_add_all(&level, paths);
	rc = leave_out(&level, known, user, e);
	while (!rc && level.n) {
		rc = remote_infos(r, &level, take, &w, e);
		path_set_release(&level);
		level = w.next;
		w.next = (struct path_set)PATH_SET_INIT;
		rc = rc ? rc : leave_out(&level, known, user, e);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_path);
	path_set_release(&level);
	path_set_release(&w.seen);
	path_set_release(&w.next);
	return rc;
}

void remote_closure_release(struct remote_closure *c)
{
	for (size_t i = 0; i < c->n; i++)
		path_info_release(&c->v[i]);
	free(c->v);
	*c = (struct remote_closure){ NULL, 0, 0 };
}

/* --- fetching them --- */

struct fetch_order {
	const struct remote_closure *c;
	unsigned char *state; /* 0 not seen, 1 its references are under way, 2 ordered */
	size_t *order, n;
	size_t *stack, depth, cap;
};

static struct path_info *find(const struct remote_closure *c, const struct store_path *p)
{
	struct path_info key = { .path = *p };

	return c->n ? bsearch(&key, c->v, c->n, sizeof *c->v, by_path) : NULL;
}

static void push(struct fetch_order *o, size_t i)
{
	ARRAY_GROW(o->stack, o->depth + 1, o->cap);
	o->stack[o->depth++] = i;
}

/* One and all below it: each is met twice, on the way down and on the way up. */
static void visit(struct fetch_order *o, size_t first)
{
	push(o, first);
	while (o->depth) {
		size_t i = o->stack[--o->depth];
		const struct path_set *refs = &o->c->v[i].refs;

		if (o->state[i] == 1) {
			o->state[i] = 2;
			o->order[o->n++] = i;
		}
		if (o->state[i])
			continue;
		o->state[i] = 1;
		push(o, i);
		for (size_t k = 0; k < refs->n; k++) {
			const struct path_info *to = find(o->c, &refs->v[k]);

			if (to && !o->state[to - o->c->v])
				push(o, (size_t)(to - o->c->v));
		}
	}
}

static size_t *order_of(const struct remote_closure *c)
{
	struct fetch_order o = { .c = c, .state = xcalloc(c->n + 1, 1), .order = xcalloc(c->n + 1, sizeof *o.order) };

	for (size_t i = 0; i < c->n; i++)
		if (!o.state[i])
			visit(&o, i);
	free(o.state);
	free(o.stack);
	return o.order;
}

struct arrival {
	struct store *to;
	const struct path_info *info;
};

static int store_it(void *user, const struct byte_source *nar, struct err *e)
{
	struct arrival *a = user;

	return store_add_nar(a->to, a->info, nar, e);
}

static int is_here(void *user, const struct store_path *p, struct err *e)
{
	int rc = store_add_temp_root(user, p, e);

	return rc ? rc : store_is_there(user, p, NULL, e);
}

static int fetch_one(struct remote *r, struct store *to, struct path_info *i, const struct public_keys *keys, struct err *e)
{
	struct arrival a = { to, i };
	int rc = keys ? copy_check_trust(to, keys, i, e) : 0;

	i->ultimate = 0;
	i->registered = 0;
	return rc ? rc : remote_archive(r, &i->path, store_it, &a, e);
}

/* Each of the paths that were asked for has to be there, or here. */
static int want_all(struct remote *r, struct store *to, const struct path_set *paths, const struct remote_closure *c, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		int here = find(c, &paths->v[i]) ? 1 : store_is_there(to, &paths->v[i], NULL, e);

		if (here < 0)
			return here;
		if (!here)
			return err_set(e, ERR_NOTFOUND, "'%s' does not have '%.*s/%s'", r->name, (int)r->dir.n, r->dir.p,
				       paths->v[i].base);
	}
	return 0;
}

int remote_copy_from(struct remote *r, struct store *to, const struct path_set *paths, int alone, int check_sigs,
		     struct copy_result *out, struct err *e)
{
	unsigned activity = activity_begin(ACTIVITY_COPY, r->name);
	struct remote_closure c = { NULL, 0, 0 };
	struct public_keys keys = { 0 };
	int check = check_sigs && store_wants_sigs(to), rc;
	size_t *order = NULL;

	*out = (struct copy_result){ 0 };
	rc = remote_get_closure(r, paths, alone, is_here, to, &c, e);
	rc = rc ? rc : want_all(r, to, paths, &c, e);
	rc = rc || !check ? rc : trusted_keys(store_dir(to), &keys, e);
	if (!rc)
		order = order_of(&c);
	for (size_t i = 0; !rc && i < c.n; i++) {
		rc = fetch_one(r, to, &c.v[order[i]], check ? &keys : NULL, e);
		out->copied += !rc;
	}
	out->present = c.n < paths->n ? paths->n - c.n : 0;
	activity_end(activity, rc);
	public_keys_release(&keys);
	remote_closure_release(&c);
	free(order);
	return rc;
}
