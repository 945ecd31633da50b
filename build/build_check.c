/* SPDX-License-Identifier: MIT
 *
 * What a derivation demands of its outputs: whom they may refer to, how large they may be.
 *
 * The closure of a new output goes through its new siblings, which are not valid yet, and from there on through the database.
 */
#include "config.h"
#include "build/build_int.h"
#include "store/object.h"

static const struct new_object *new_at(const struct job *j, const struct new_object *v, const struct store_path *p)
{
	for (size_t i = 0; i < j->node->drv.noutputs; i++)
		if (v[i].name && !store_path_cmp(&v[i].info.path, p))
			return &v[i];
	return NULL;
}

/* The closure of o, itself included. */
static int closure(struct job *j, const struct new_object *v, const struct new_object *o, struct path_set *out,
		   struct err *e)
{
	const struct new_object *todo[64], *next;
	size_t n = 0;
	int rc = 0;

	path_set_add(out, &o->info.path);
	todo[n++] = o;
	while (n && !rc) {
		o = todo[--n];
		for (size_t i = 0; i < o->info.refs.n && !rc; i++) {
			const struct store_path *p = &o->info.refs.v[i];

			if (path_set_has(out, p))
				continue;
			next = new_at(j, v, p);
			if (!next) {
				rc = store_closure(j->b->s, p, 0, out, e);
			} else {
				path_set_add(out, p);
				if (n == sizeof todo / sizeof *todo)
					return err_set(e, ERR_LIMIT, "too many outputs refer to one another");
				todo[n++] = next;
			}
		}
	}
	return rc;
}

static int closure_size(struct job *j, const struct new_object *v, const struct path_set *set, uint64_t *out,
			struct err *e)
{
	int rc = 0;

	*out = 0;
	for (size_t i = 0; i < set->n && !rc; i++) {
		const struct new_object *o = new_at(j, v, &set->v[i]);
		struct path_info info = { 0 };

		if (!o)
			rc = db_info(store_db(j->b->s), &set->v[i], &info, e);
		*out += o ? o->info.nar_size : info.nar_size;
		path_info_release(&info);
	}
	return rc;
}

static int no_output(struct job *j, const struct new_object *o, struct slice name, struct err *e)
{
	const struct drv *d = &j->node->drv;
	struct buf all = BUF_INIT;
	size_t at = 0;

	for (size_t i = 0; i < d->noutputs; i++) {
		buf_addf(&all, "%s%.*s", i ? ", " : "", (int)d->outputs[i].name.n, d->outputs[i].name.p);
		if (!store_path_cmp(&j->node->paths[i], &o->info.path))
			at = i;
	}
	err_set(e, ERR_REJECTED,
		"output check for '%.*s' contains output name '%.*s', but this is not a valid output of this derivation. "
		"(Valid outputs are [%s].)",
		(int)d->outputs[at].name.n, d->outputs[at].name.p, (int)name.n, name.p, buf_str(&all));
	buf_release(&all);
	return ERR_REJECTED;
}

/* Store paths and names of outputs as store paths. */
static int read_spec(struct job *j, const struct new_object *o, const struct slice_list *l, struct path_set *out,
		     struct err *e)
{
	const struct drv *d = &j->node->drv;
	struct store_path p;
	struct slice rest;

	for (size_t i = 0; i < l->n; i++) {
		struct slice s = build_placeholders(j, l->v[i]);
		size_t k = 0;

		if (store_path_is_inside(store_dir(j->b->s), s)) {
			if (store_path_split(store_dir(j->b->s), s, &p, &rest, e))
				return ERR_INVALID;
			path_set_add(out, &p);
			continue;
		}
		while (k < d->noutputs && !slice_eq(d->outputs[k].name, s))
			k++;
		if (k == d->noutputs)
			return no_output(j, o, s, e);
		path_set_add(out, &j->node->paths[k]);
	}
	return 0;
}

struct reference_check {
	const struct slice_list *spec;
	int allowed;	/* used must be within spec; otherwise outside it */
	int requisites; /* the closure, not only references */
};

static int check_list(struct job *j, const struct new_object *v, const struct new_object *o,
		      const struct output_check *c, const struct reference_check *what, struct err *e)
{
	struct path_set spec = PATH_SET_INIT, used = PATH_SET_INIT;
	struct buf bad = BUF_INIT, path = BUF_INIT;
	int rc;

	if (!what->spec->given || (!what->allowed && !what->spec->n))
		return 0;
	rc = read_spec(j, o, what->spec, &spec, e);
	if (!rc && what->requisites)
		rc = closure(j, v, o, &used, e);
	else
		path_set_add_all(&used, &o->info.refs);
	if (what->requisites && c->ignore_self)
		path_set_remove(&used, &o->info.path);
	for (size_t i = 0; i < used.n && !rc; i++)
		if (path_set_has(&spec, &used.v[i]) != what->allowed) {
			buf_adds(&bad, "\n  ");
			store_add_path(j->b->s, &bad, &used.v[i]);
		}
	if (bad.len) {
		store_add_path(j->b->s, &path, &o->info.path);
		rc = err_set(e, ERR_REJECTED, "output '%s' is not allowed to refer to the following paths:%s", buf_str(&path),
			     buf_str(&bad));
	}
	path_set_release(&spec);
	path_set_release(&used);
	buf_release(&bad);
	buf_release(&path);
	return rc;
}

static int too_large(struct job *j, const char *what, const struct new_object *o, uint64_t size, uint64_t limit, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc;

	store_add_path(j->b->s, &path, &o->info.path);
	rc = err_set(e, ERR_REJECTED, "%s '%s' is too large at %llu bytes; limit is %llu bytes", what, buf_str(&path),
		     (unsigned long long)size, (unsigned long long)limit);
	buf_release(&path);
	return rc;
}

static int check_size(struct job *j, const struct new_object *v, const struct new_object *o,
		      const struct output_check *c, struct err *e)
{
	struct path_set set = PATH_SET_INIT;
	uint64_t size = 0;
	int rc = 0;

	if (o->info.nar_size > c->max_size)
		return too_large(j, "path", o, o->info.nar_size, c->max_size, e);
	if (c->max_closure_size == UINT64_MAX)
		return 0;
	rc = closure(j, v, o, &set, e);
	rc = rc ? rc : closure_size(j, v, &set, &size, e);
	path_set_release(&set);
	if (!rc && size > c->max_closure_size)
		rc = too_large(j, "closure of path", o, size, c->max_closure_size, e);
	return rc;
}

static int check_one(struct job *j, const struct new_object *v, const struct new_object *o,
		     const struct output_check *c, struct err *e)
{
	const struct reference_check lists[] = {
		{ &c->allowed_references, 1, 0 },
		{ &c->allowed_requisites, 1, 1 },
		{ &c->disallowed_references, 0, 0 },
		{ &c->disallowed_requisites, 0, 1 },
	};
	int rc = check_size(j, v, o, c, e);

	for (size_t i = 0; i < 4 && !rc; i++)
		rc = check_list(j, v, o, c, &lists[i], e);
	return rc;
}

int build_check_outputs(struct job *j, const struct new_object *v, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < j->node->drv.noutputs && !rc; i++)
		for (size_t k = 0; v[i].name && k < j->opt.nchecks && !rc; k++) {
			const struct output_check *c = &j->opt.checks[k];

			if (!c->output.n || slice_eq(c->output, j->node->drv.outputs[i].name))
				rc = check_one(j, v, &v[i], c, e);
		}
	return rc;
}
