/* SPDX-License-Identifier: MIT
 *
 * Between stores in batches: a stage, an object in it for each worker to copy and hash, and one transaction for all of them.
 */
#include "config.h"
#include "cache/copy.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/parallel.h"
#include "cache/substitute.h"
#include "store/lock.h"
#include "store/object.h"
#include "store/roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

struct one {
	struct path_info info;
	struct object_facts facts;
	struct hash address;
	char name[16];
	struct err err;
};

struct batch {
	struct store *from, *to;
	struct stage *stage;
	struct one v[BATCH];
	size_t n;
};

static void copy_one(void *arg, unsigned worker, size_t i)
{
	struct batch *b = arg;
	struct one *o = &b->v[i];

	(void)worker;
	snprintf(o->name, sizeof o->name, "%zu", i);
	if (address_want(&o->info, &o->facts, &o->address, &o->err) ||
	    object_copy(store_fd(b->from), o->info.path.base, o->info.path.base, NULL, stage_fd(b->stage), o->name, &o->facts,
			&o->err))
		return;
	if (!hash_eq(&o->facts.nar_hash, &o->info.nar_hash) || o->facts.nar_size != o->info.nar_size)
		err_set(&o->err, ERR_HASH, "'%s' was damaged: 'gx store verify' says more", o->info.path.base);
	else
		address_check(&o->info, &o->facts, &o->address, &o->err);
}

static int commit(struct batch *b, struct err *e)
{
	struct new_object *v = xcalloc(b->n + 1, sizeof *v);
	struct path_set paths = PATH_SET_INIT;
	struct path_locks locks;
	int rc;

	for (size_t k = 0; k < b->n; k++) {
		v[k] = (struct new_object){ stage_fd(b->stage), b->v[k].name, b->v[k].info };
		v[k].info.ultimate = 0;
		v[k].info.registered = 0;
		path_set_push(&paths, &v[k].info.path);
	}
	path_set_sort(&paths);
	rc = path_locks_take(&locks, b->to, &paths, LOCK_WAIT, e);
	if (!rc) {
		rc = store_commit(b->to, v, b->n, e);
		path_locks_release(&locks, 1);
	}
	path_set_release(&paths);
	free(v);
	return rc;
}

static void forget(struct batch *b)
{
	for (size_t k = 0; k < b->n; k++) {
		path_info_release(&b->v[k].info);
		object_facts_release(&b->v[k].facts);
		err_release(&b->v[k].err);
	}
	memset(b->v, 0, sizeof b->v);
	b->n = 0;
	stage_free(b->stage);
	b->stage = NULL;
}

static int finish(struct batch *b, struct copy_result *out, struct err *e)
{
	int rc = b->n ? stage_open(b->to, &b->stage, e) : 0;

	if (!rc && b->n)
		parallel_each(b->n, copy_one, b);
	for (size_t k = 0; !rc && k < b->n; k++)
		if (b->v[k].err.code)
			rc = err_set(e, b->v[k].err.code, "%s", b->v[k].err.msg);
	if (!rc && b->n)
		rc = commit(b, e);
	out->copied += rc ? 0 : b->n;
	forget(b);
	return rc;
}

int copy_check_trust(struct store *to, const struct public_keys *keys, const struct path_info *i, struct err *e)
{
	struct slice dir = store_dir(to);
	int rc = i->ca && !store_check_address(to, i, NULL) ? 1 : path_is_signed(keys, dir, i, e);

	if (rc)
		return rc < 0 ? rc : 0;
	return err_set(e, ERR_DENIED,
		       "cannot add path '%.*s/%s' because it lacks a signature by a trusted key\n"
		       "--no-check-sigs takes it all the same; 'gx store sign' signs it",
		       (int)dir.n, dir.p, i->path.base);
}

/* Takes one into the batch, unless it is there. */
static int add(struct batch *b, const struct store_path *p, const struct public_keys *keys, struct copy_result *out, struct err *e)
{
	struct one *o = &b->v[b->n];
	int rc = store_add_temp_root(b->to, p, e);

	rc = rc ? rc : store_add_temp_root(b->from, p, e);
	rc = rc ? rc : store_is_there(b->to, p, NULL, e);
	out->present += rc == 1;
	if (rc)
		return rc < 0 ? rc : 0;
	rc = store_have_files(b->from, p, e);
	rc = rc ? rc : db_info(store_db(b->from), p, &o->info, e);
	if (rc)
		return rc;
	b->n++;
	return keys ? copy_check_trust(b->to, keys, &o->info, e) : 0;
}

int copy_objects(struct store *from, struct store *to, const struct path_set *paths, int check_sigs, struct copy_result *out,
		 struct err *e)
{
	struct batch *b = xcalloc(1, sizeof *b);
	struct public_keys keys = { 0 };
	unsigned activity = activity_begin(ACTIVITY_COPY, store_place(to)->real_store);
	int check = check_sigs && store_wants_sigs(to), rc;
	size_t *order = NULL;

	*out = (struct copy_result){ 0 };
	b->from = from;
	b->to = to;
	rc = slice_eq(store_dir(from), store_dir(to)) ? 0 :
	     err_set(e, ERR_INVALID, "the stores have different directories, '%s' and '%s': paths of one mean nothing in the other",
		     store_place(from)->store_dir, store_place(to)->store_dir);
	rc = rc ? rc : trusted_keys(store_dir(to), &keys, e);
	rc = rc ? rc : store_order(from, paths->v, paths->n, &order, e);
	for (size_t k = 0; !rc && k < paths->n; k++) {
		rc = add(b, &paths->v[order[k]], check ? &keys : NULL, out, e);
		if (!rc && b->n == BATCH)
			rc = finish(b, out, e);
	}
	rc = rc ? rc : finish(b, out, e);
	forget(b);
	activity_end(activity, rc);
	public_keys_release(&keys);
	free(order);
	free(b);
	return rc;
}

/* --- out of a cache --- */

/* Why one could not be had. */
static int cannot(struct store *to, struct substituter *u, const char *address, const struct store_path *p, struct err *e)
{
	const char *why = substituter_reason(u, p);
	struct buf b = BUF_INIT;

	store_add_path(to, &b, p);
	if (why)
		err_set(e, ERR_NOTFOUND, "cannot copy '%s': %s", b.p, why);
	else
		err_set(e, ERR_NOTFOUND, "'%s' does not have '%s' with all it refers to, or not in a way that is trusted here",
			address, b.p);
	buf_release(&b);
	return ERR_NOTFOUND;
}

/* Those that are not there. */
static int want(struct substituter *u, struct store *to, const struct path_set *paths, struct path_set *missing, struct err *e)
{
	int there = 0;

	for (size_t k = 0; there >= 0 && k < paths->n; k++) {
		there = store_add_temp_root(to, &paths->v[k], e);
		there = there ? there : store_is_there(to, &paths->v[k], NULL, e);
		if (!there)
			path_set_add(missing, &paths->v[k]);
		if (!there && u)
			substituter_want(u, &(struct wanted_path){ .path = paths->v[k] });
	}
	return there < 0 ? there : 0;
}

/* Those that were wanted. */
static int get(struct substituter *u, struct store *to, const char *where, const struct path_set *missing, struct err *e)
{
	int rc = substituter_ask(u, e);

	for (size_t k = 0; !rc && k < missing->n; k++)
		if (!substituter_has(u, &missing->v[k]))
			rc = cannot(to, u, where, &missing->v[k], e);
	rc = rc ? rc : substituter_fetch(u, missing, e);
	for (size_t k = 0; !rc && k < missing->n; k++)
		if (substituter_reason(u, &missing->v[k]))
			rc = cannot(to, u, where, &missing->v[k], e);
	return rc;
}

int copy_from_cache(const struct cache_source *from, struct store *to, const struct path_set *paths, struct copy_result *out,
		    struct err *e)
{
	struct substituter *u;
	struct path_set missing = PATH_SET_INIT;
	int rc = substituter_new_from(&u, to, from->address, from->check_sigs, from->note, from->user, e);

	*out = (struct copy_result){ 0 };
	if (rc)
		return rc;
	rc = want(u, to, paths, &missing, e);
	rc = rc ? rc : get(u, to, from->address, &missing, e);
	*out = (struct copy_result){ substituter_count(u), paths->n - missing.n };
	substituter_free(u);
	path_set_release(&missing);
	return rc;
}

/* --- out of any cache --- */

int ensure_objects(struct store *to, const struct path_set *paths, void (*note)(void *user, const char *text), void *user,
		   struct err *e)
{
	struct substituter *u = NULL;
	struct path_set missing = PATH_SET_INIT;
	int rc = cache_settings.substitute && !store_source(to) ? substituter_new(&u, to, note, user, e) : 0;

	if (u && !substituter_any(u)) {
		substituter_free(u);
		u = NULL;
	}
	rc = rc ? rc : want(u, to, paths, &missing, e);
	if (!rc && missing.n && u)
		rc = get(u, to, cache_settings.substituters ? cache_settings.substituters : USUAL_SUBSTITUTERS, &missing, e);
	else if (!rc && missing.n)
		rc = err_set(e, ERR_NOTFOUND, "path '%.*s/%s' is not valid", (int)store_dir(to).n, store_dir(to).p,
			     missing.v[0].base);
	substituter_free(u);
	path_set_release(&missing);
	return rc;
}
