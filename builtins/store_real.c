/* SPDX-License-Identifier: MIT
 *
 * Batches.  An evaluation of a package set makes thousands of small files; syncing, renaming and registering each by
 * itself would take longer than evaluating.  So objects gather in one stage, in the order they were added, which is one where
 * each comes after what it refers to, and go into the store a batch at a time: one sync, one transaction.
 *
 * What is gathered counts as valid for this evaluation; it is flushed before anything is read from it.
 */
#include "config.h"
#include "builtins/store_real.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"

#include "builtins/drvs.h"
#include "eval/eval.h"
#include "store/claims.h"
#include "store/lock.h"
#include "store/object.h"
#include "store/roots.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 200 }; /* each object's lock takes a descriptor, of which there may be only 256 */

struct store_real {
	struct store_ops ops;
	const struct place *place;
	enum store_flags flags;
	struct store *store;
	int borrowed;
	void (*notice)(void *user, const char *text);
	void *notice_user;
	store_real_builder *builder;
	void *builder_user;

	struct stage *stage;
	struct new_object queue[BATCH];
	size_t n;
};

/* --- opening --- */

static int open_store(struct store_real *r, struct err *e)
{
	int rc;

	if (r->store)
		return 0;
	rc = store_open(&r->store, r->place, r->flags, e);
	if (!rc) {
		store_set_notice(r->store, r->notice, r->notice_user);
		store_set_known_drvs(r->store, drvs_known, NULL);
	}
	return rc;
}

/* Parses a path the evaluator computed, and opens the store. */
static int begin(struct store_real *r, struct slice path, struct store_path *p, struct err *e)
{
	int rc = store_path_parse(slice_of(r->place->store_dir), path, p, e);

	return rc ? rc : open_store(r, e);
}

/* --- the batch --- */

static const struct new_object *queued(const struct store_real *r, const struct store_path *p)
{
	for (size_t i = r->n; i-- > 0;)
		if (!store_path_cmp(&r->queue[i].info.path, p))
			return &r->queue[i];
	return NULL;
}

static void drop(struct store_real *r)
{
	while (r->n) {
		struct new_object *o = &r->queue[--r->n];
		free((char *)o->name);
		path_info_release(&o->info);
	}
	stage_free(r->stage);
	r->stage = NULL;
}

int store_real_flush(struct store_real *r, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct path_locks locks;
	int rc;

	if (!r->n)
		return 0;
	for (size_t i = 0; i < r->n; i++)
		path_set_push(&paths, &r->queue[i].info.path);
	path_set_sort(&paths);
	rc = path_locks_take(&locks, r->store, &paths, LOCK_WAIT, e);
	if (!rc) {
		rc = store_commit(r->store, r->queue, r->n, e);
		path_locks_release(&locks, 1);
	}
	path_set_release(&paths);
	drop(r);
	return rc;
}

/* What is to be added: a text, or a tree with a content address. */
struct addition {
	const struct slice *text;
	enum ca_method method;
	const struct hash *hash;
};

/* Room for one more, and a place to put it. 1: it is there already. */
static int prepare(struct store_real *r, const struct store_path *p, const struct addition *a, struct err *e)
{
	int rc = store_add_temp_root(r->store, p, e);

	if (rc)
		return rc;
	if (queued(r, p))
		return 1;
	rc = a->text ? store_is_text(r->store, p, *a->text, e) : store_is_valid_as(r->store, p, a->method, a->hash, e);
	if (rc)
		return rc;
	CHECK(r->n <= BATCH && (!r->n || r->stage));
	if (r->n == BATCH)
		rc = store_real_flush(r, e);
	return rc || r->stage ? rc : stage_open(r->store, &r->stage, e);
}

static int take_refs(struct store_real *r, struct path_info *info, const struct slice *refs, size_t nrefs, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < nrefs; i++) {
		struct store_path ref;
		rc = store_path_parse(slice_of(r->place->store_dir), refs[i], &ref, e);
		if (!rc) {
			path_set_add(&info->refs, &ref);
			rc = store_add_temp_root(r->store, &ref, e);
		}
	}
	return rc;
}

/* Enters what was staged under its own base name. */
static int enqueue(struct store_real *r, const struct store_path *p, enum ca_method m, const struct hash *h,
		   const struct object_facts *f, const struct slice *refs, size_t nrefs, struct err *e)
{
	CHECK(r->n < BATCH && r->stage);
	struct new_object *o = &r->queue[r->n];
	struct buf ca = BUF_INIT;
	int rc;

	*o = (struct new_object){ .dirfd = stage_fd(r->stage),
				  .info = { .path = *p, .nar_hash = f->nar_hash, .nar_size = f->nar_size } };
	rc = take_refs(r, &o->info, refs, nrefs, e);
	if (rc) {
		path_info_release(&o->info);
		return rc;
	}
	ca_add(&ca, m, h);
	o->info.ca = buf_detach(&ca, NULL);
	o->name = xstrdup(p->base);
	r->n++;
	return 0;
}

/* --- the table --- */

static int add_text(void *user, struct slice path, struct slice text, const struct slice *refs, size_t nrefs,
		    struct err *e)
{
	struct store_real *r = user;
	struct object_facts f = { 0 };
	struct store_path p;
	struct hash h;
	int rc = begin(r, path, &p, e);

	if (!rc)
		rc = prepare(r, &p, &(struct addition){ .text = &text }, e);
	if (rc)
		return rc < 0 ? rc : 0;
	hash_bytes(HASH_SHA256, text.p, text.n, &h);
	rc = object_write(text, 0, stage_fd(r->stage), p.base, &f, e);
	return rc ? rc : enqueue(r, &p, CA_TEXT, &h, &f, refs, nrefs, e);
}

/* The evaluation stands still meanwhile. */
static int copy_tree(const char *from, const struct nar_filter *filter, int fd, const char *to, struct object_facts *f,
		     struct err *e)
{
	if (eval_settings.trace_verbose) {
		struct buf b = BUF_INIT;

		buf_addf(&b, "copying '%s' to the store", from);
		eval_world()->message(b.p, b.len);
		buf_release(&b);
	}
	unsigned activity = activity_begin(ACTIVITY_COPY, from);
	int rc = object_copy(AT_FDCWD, from, NULL, filter, fd, to, f, e);

	activity_end(activity, rc);
	return rc;
}

static int add_tree(void *user, struct slice path, const char *from, enum ca_method method, const struct hash *h,
		    const struct nar_filter *filter, const struct slice *refs, size_t nrefs, struct err *e)
{
	struct store_real *r = user;
	struct object_facts f = { .method = method, .algo = h->algo };
	struct store_path p;
	int rc = begin(r, path, &p, e);

	if (!rc)
		rc = prepare(r, &p, &(struct addition){ NULL, method, h }, e);
	if (rc)
		return rc < 0 ? rc : 0;
	if (method == CA_NAR)
		rc = copy_tree(from, filter, stage_fd(r->stage), p.base, &f, e);
	else
		rc = object_copy_flat(AT_FDCWD, from, stage_fd(r->stage), p.base, &f, e);
	if (!rc && !hash_eq(h, &f.hash))
		rc = err_set(e, ERR_HASH, "'%s' changed while it was being copied to the store", from);
	if (!rc)
		rc = enqueue(r, &p, method, h, &f, refs, nrefs, e);
	object_facts_release(&f);
	return rc;
}

/* 1 when a store that may only be read is not even there. */
static int is_absent(struct store_real *r)
{
	return (r->flags & STORE_READONLY) && open_store(r, NULL);
}

/* The path of an object somebody asks about, which is made a temporary root: 0 to go on, else the answer. */
static int ask(struct store_real *r, struct slice path, struct store_path *p, struct err *e)
{
	int rc;

	if (is_absent(r))
		return 2;
	rc = begin(r, path, p, e);
	/* Who asks about something made a moment ago is about to read it. */
	if (!rc && queued(r, p)) {
		rc = store_real_flush(r, e);
		return rc ? rc : 1;
	}
	return rc ? rc : store_add_temp_root(r->store, p, e);
}

static int is_valid(void *user, struct slice path, struct err *e)
{
	struct store_real *r = user;
	struct store_path p;
	int rc = ask(r, path, &p, e);

	return rc ? (rc == 2 ? 0 : rc) : store_is_made(r->store, &p, NULL, e);
}

static int is_valid_as(void *user, struct slice path, enum ca_method m, const struct hash *h, struct err *e)
{
	struct store_real *r = user;
	struct store_path p;
	int rc = ask(r, path, &p, e);

	return rc ? (rc == 2 ? 0 : rc) : store_is_valid_as(r->store, &p, m, h, e);
}

static int ensure(void *user, struct slice path, struct err *e)
{
	struct store_real *r = user;
	struct store_path p;
	int rc = is_valid(user, path, e);

	if (rc)
		return rc < 0 ? rc : 0;
	if (r->flags & STORE_READONLY)
		return err_set(e, ERR_NOTFOUND, "path '%.*s' is not in the store, and there is no other place to get it from",
			       (int)path.n, path.p);
	rc = store_path_parse(store_dir(r->store), path, &p, e);
	return rc ? rc : build_fetch(r->store, &p, e);
}

static int references(void *user, struct slice path, void (*each)(void *arg, struct slice ref), void *arg, struct err *e)
{
	struct store_real *r = user;
	const struct new_object *o;
	struct path_info info = { 0 };
	struct store_path p;
	int rc;

	if (is_absent(r))
		return err_set(e, ERR_NOTFOUND, "path '%.*s' is not valid: there is no store", (int)path.n, path.p);
	rc = begin(r, path, &p, e);
	if (rc)
		return rc;
	o = queued(r, &p);
	rc = o ? 0 : db_info(store_db(r->store), &p, &info, e);
	const struct path_set *refs = o ? &o->info.refs : &info.refs;
	for (size_t i = 0; !rc && i < refs->n; i++) {
		struct buf b = BUF_INIT;
		store_add_path(r->store, &b, &refs->v[i]);
		each(arg, (struct slice){ b.p, b.len });
		buf_release(&b);
	}
	path_info_release(&info);
	return rc;
}

static int read_text(void *user, struct slice path, struct buf *out, struct err *e)
{
	struct store_real *r = user;
	struct store_path p;
	int rc = ensure(user, path, e);

	if (!rc)
		rc = begin(r, path, &p, e);
	if (!rc && store_path_is_drv(&p))
		return store_read_drv_text(r->store, &p, out, e);
	return rc ? rc : store_read(r->store, &p, LIMIT_DRV_TEXT, out, e);
}

static int build(void *user, const struct store_output *v, size_t n, struct err *e)
{
	struct store_real *r = user;
	struct build_target *t;
	int rc = store_real_store(r, e) ? 0 : ERR_IO;

	if (!r->builder || rc)
		return rc ? rc : err_set(e, ERR_DENIED, "nothing can be built here");
	t = xcalloc(n + 1, sizeof *t);
	for (size_t i = 0; !rc && i < n; i++) {
		t[i].outputs = &v[i].name;
		t[i].noutputs = 1;
		rc = store_path_parse(slice_of(r->place->store_dir), v[i].drv, &t[i].drv, e);
	}
	if (!rc)
		rc = r->builder(r->builder_user, r->store, t, n, e);
	free(t);
	return rc;
}

static struct store *disk(void *user, struct err *e)
{
	return store_real_store(user, e);
}

/* --- the whole --- */

struct store_real *store_real_new(const struct place *place, enum store_flags flags)
{
	struct store_real *r = xcalloc(1, sizeof *r);

	r->place = place;
	r->flags = flags;
	r->ops = (struct store_ops){ add_text, add_tree, is_valid, is_valid_as, ensure, references, read_text, build, disk, r };
	return r;
}

struct store_real *store_real_on(struct store *s)
{
	struct store_real *r = store_real_new(store_place(s), 0);

	r->store = s;
	r->borrowed = 1;
	store_set_known_drvs(s, drvs_known, NULL);
	return r;
}

void store_real_free(struct store_real *r)
{
	if (!r)
		return;
	drop(r);
	if (!r->borrowed)
		store_free(r->store);
	free(r);
}

const struct store_ops *store_real_ops(struct store_real *r)
{
	return &r->ops;
}

struct store *store_real_store(struct store_real *r, struct err *e)
{
	return open_store(r, e) || store_real_flush(r, e) ? NULL : r->store;
}

void store_real_set_notice(struct store_real *r, void (*notice)(void *user, const char *text), void *user)
{
	r->notice = notice;
	r->notice_user = user;
}

void store_real_set_builder(struct store_real *r, store_real_builder *builder, void *user)
{
	r->builder = builder;
	r->builder_user = user;
}
