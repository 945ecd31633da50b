/* SPDX-License-Identifier: MIT
 *
 * The operations of a client: each writes its arguments, waits for the end, and reads the results.
 */
#include "config.h"
#include "remote/remote_int.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "cache/substitute.h"

#include <stdlib.h>
#include <string.h>

/* Questions that are sent before the first is answered: few enough for the answers to wait in the socket. */
enum { AHEAD = 64 };

int remote_wish(struct remote *r, const struct remote_wishes *w, struct err *e)
{
	const uint64_t v[] = { (uint64_t)w->keep_failed, (uint64_t)w->keep_going, (uint64_t)w->fallback, LEVEL_INFO, w->max_jobs,
			       w->max_silent, 1, LEVEL_TALKATIVE, 0, 0, w->cores, (uint64_t)w->substitute };
	size_t n = 0;
	int rc;

	r->wishes = *w;
	if (r->serves)
		return 0;
	rc = remote_begin(r, OP_SET_OPTIONS, e);

	while (w->overrides && w->overrides[n])
		n++;
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		wire_put_number(&r->w, v[i]);
	wire_put_number(&r->w, n / 2);
	for (size_t i = 0; i < n; i++)
		wire_put_string(&r->w, w->overrides[i]);
	return rc ? rc : remote_wait(r, e);
}

/* --- asking --- */

int remote_valid(struct remote *r, const struct path_set *paths, int substitute, struct path_set *out, struct err *e)
{
	int rc;

	if (r->serves)
		return serve_valid(r, paths, substitute, out, e);
	rc = remote_begin(r, OP_QUERY_VALID_PATHS, e);
	if (rc)
		return rc;
	wire_put_paths(&r->w, r->dir, paths);
	if (r->minor >= 27)
		wire_put_number(&r->w, substitute != 0);
	rc = remote_wait(r, e);
	return rc ? rc : remote_end(r, wire_get_paths(&r->w, r->dir, out, e));
}

/* The answer to one question; 1 when it is valid. */
static int get_info(struct remote *r, const struct store_path *p, struct path_info *out, struct err *e)
{
	int valid = 0, rc = remote_wait(r, e);

	*out = (struct path_info){ .path = *p };
	if (rc)
		return rc;
	rc = wire_get_bool(&r->w, &valid, e);
	if (!rc && valid)
		rc = protocol_get_info(&r->w, r->dir, out, e);
	if (rc || !valid)
		path_info_release(out);
	return rc ? remote_end(r, rc) : valid;
}

int remote_info(struct remote *r, const struct store_path *p, struct path_info *out, struct err *e)
{
	int rc;

	if (r->serves)
		return serve_info(r, p, out, e);
	rc = remote_begin(r, OP_QUERY_PATH_INFO, e);
	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, p);
	return get_info(r, p, out, e);
}

int remote_infos(struct remote *r, const struct path_set *paths, int (*take)(void *user, struct path_info *i, struct err *e),
		 void *user, struct err *e)
{
	struct path_info info;
	size_t asked = 0;
	int rc = 0;

	if (r->serves)
		return serve_infos(r, paths, take, user, e);
	for (size_t i = 0; !rc && i < paths->n; i++) {
		for (; !rc && asked < paths->n && asked < i + AHEAD; asked++)
			if (!(rc = remote_begin(r, OP_QUERY_PATH_INFO, e)))
				wire_put_path(&r->w, r->dir, &paths->v[asked]);
		rc = rc ? rc : get_info(r, &paths->v[i], &info, e);
		if (rc == 1)
			rc = take(user, &info, e);
	}
	/* Answers that nobody waits for any more are on their way. */
	return rc ? remote_end(r, rc) : 0;
}

int remote_paths(struct remote *r, enum remote_question q, const struct store_path *p, struct path_set *out, struct err *e)
{
	static const enum operation ops[] = { [REMOTE_REFERRERS] = OP_QUERY_REFERRERS, [REMOTE_DERIVERS] = OP_QUERY_VALID_DERIVERS,
					      [REMOTE_ALL] = OP_QUERY_ALL_VALID_PATHS };
	int rc = remote_begin(r, ops[q], e);

	if (rc)
		return rc;
	if (p)
		wire_put_path(&r->w, r->dir, p);
	rc = remote_wait(r, e);
	return rc ? rc : remote_end(r, wire_get_paths(&r->w, r->dir, out, e));
}

int remote_outputs(struct remote *r, const struct store_path *drv,
		   int (*each)(void *user, struct slice name, const struct store_path *path, struct err *e), void *user,
		   struct err *e)
{
	struct buf name = BUF_INIT;
	struct store_path p;
	uint64_t n = 0;
	int rc = remote_begin(r, OP_QUERY_DERIVATION_OUTPUT_MAP, e);

	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, drv);
	rc = remote_wait(r, e);
	if (rc)
		return rc;
	rc = wire_get_bounded(&r->w, LIMIT_WIRE_LIST, &n, e);
	for (; !rc && n; n--) {
		buf_trim(&name, 0);
		rc = wire_get_text(&r->w, STORE_NAME_MAX, &name, e);
		rc = rc ? rc : wire_get_path(&r->w, r->dir, 1, &p, e);
		if (!rc && p.len)
			rc = each(user, (struct slice){ buf_str(&name), name.len }, &p, e);
	}
	buf_release(&name);
	return remote_end(r, rc);
}

int remote_find_digest(struct remote *r, struct slice digest, struct store_path *out, struct err *e)
{
	int rc = remote_begin(r, OP_QUERY_PATH_FROM_HASH_PART, e);

	if (rc)
		return rc;
	wire_put_text(&r->w, digest);
	rc = remote_wait(r, e);
	rc = rc ? rc : remote_end(r, wire_get_path(&r->w, r->dir, 1, out, e));
	return rc ? rc : out->len != 0;
}

int remote_archive(struct remote *r, const struct store_path *p,
		   int (*take)(void *user, const struct byte_source *nar, struct err *e), void *user, struct err *e)
{
	struct wire_archive a;
	int rc = r->serves ? serve_archive(r, p, e) : remote_begin(r, OP_NAR_FROM_PATH, e), left;

	if (!rc && !r->serves) {
		wire_put_path(&r->w, r->dir, p);
		rc = remote_wait(r, e);
	}
	if (rc)
		return rc;
	wire_archive_begin(&a, &r->w);
	rc = take(user, &a.source, e);
	left = wire_archive_end(&a, rc ? NULL : e);
	remote_end(r, left);
	return rc ? rc : left;
}

/* --- adding --- */

struct add {
	struct remote *r;
	const struct remote_objects *from;
	size_t *missing, n; /* which of them it does not have */
	int check;
};

/* Their number, and each with what is known of it, and its archive. */
static int put_objects(struct add *a, const struct nar_sink *to, struct err *e)
{
	struct wire head = { .in = -1, .out = -1 };
	int rc;

	wire_put_number(&head, a->n);
	rc = to->write(to->user, head.later.p, head.later.len, e);
	for (size_t i = 0; !rc && i < a->n; i++) {
		const struct path_info *info;

		rc = a->from->get(a->from->user, a->missing[i], &info, e);
		if (rc)
			break;
		buf_trim(&head.later, 0);
		wire_put_path(&head, a->r->dir, &info->path);
		protocol_put_info(&head, a->r->dir, info);
		rc = to->write(to->user, head.later.p, head.later.len, e);
		rc = rc ? rc : nar_write(a->from->store, info->path.base, info->path.base, NULL, to, e);
	}
	buf_release(&head.later);
	return rc;
}

static int add_many(struct add *a, struct err *e)
{
	struct frames_out f;
	int rc = remote_begin(a->r, OP_ADD_MULTIPLE_TO_STORE, e);

	if (rc)
		return rc;
	wire_put_number(&a->r->w, 0);
	wire_put_number(&a->r->w, !a->check);
	frames_begin(&f, a->r);
	rc = put_objects(a, &f.sink, e);
	return frames_end(&f, f.rc ? 0 : rc, e);
}

static int add_one(struct add *a, size_t i, struct err *e)
{
	const struct path_info *info;
	struct frames_out f;
	int rc = a->from->get(a->from->user, i, &info, e);

	if (!rc && a->r->serves)
		return serve_add(a->r, a->from->store, info, e);
	/* Before, a daemon asked for each piece. */
	if (!rc && a->r->minor < 23)
		rc = err_set(e, ERR_INVALID, "'%s' speaks version 1.%d of the protocol; objects can be sent from 1.23 on",
			     a->r->name, a->r->minor);
	rc = rc ? rc : remote_begin(a->r, OP_ADD_TO_STORE_NAR, e);
	if (!rc) {
		wire_put_path(&a->r->w, a->r->dir, &info->path);
		protocol_put_info(&a->r->w, a->r->dir, info);
		wire_put_number(&a->r->w, 0);
		wire_put_number(&a->r->w, !a->check);
		frames_begin(&f, a->r);
		rc = nar_write(a->from->store, info->path.base, info->path.base, NULL, &f.sink, e);
		rc = frames_end(&f, f.rc ? 0 : rc, e);
	}
	return rc;
}

int remote_send(struct remote *r, const struct remote_objects *from, int substitute, int check_sigs, size_t *added, struct err *e)
{
	struct add a = { .r = r, .from = from, .check = check_sigs };
	struct path_set all = PATH_SET_INIT, there = PATH_SET_INIT;
	int rc;

	for (size_t i = 0; i < from->n; i++)
		path_set_push(&all, from->path(from->user, i));
	path_set_sort(&all);
	rc = remote_valid(r, &all, substitute, &there, e);
	a.missing = xcalloc(from->n + 1, sizeof *a.missing);
	for (size_t i = 0; !rc && i < from->n; i++)
		if (!path_set_has(&there, from->path(from->user, i)))
			a.missing[a.n++] = i;
	if (!rc && a.n && r->minor >= 32)
		rc = add_many(&a, e);
	else
		for (size_t i = 0; !rc && i < a.n; i++)
			rc = add_one(&a, a.missing[i], e);
	*added = rc ? 0 : a.n;
	free(a.missing);
	path_set_release(&all);
	path_set_release(&there);
	return rc;
}

int remote_substitute(struct remote *r, const struct path_set *paths, struct err *e)
{
	struct path_set there = PATH_SET_INIT;
	int rc = remote_valid(r, paths, 1, &there, e);

	path_set_release(&there);
	return rc;
}

/* Objects of a store, one of which is looked at at a time. */
struct of_store {
	struct store *s;
	const struct path_set *paths;
	size_t *order;
	struct path_info info;
};

static const struct store_path *path_of_store(void *user, size_t i)
{
	const struct of_store *o = user;

	return &o->paths->v[o->order[i]];
}

static int get_of_store(void *user, size_t i, const struct path_info **out, struct err *e)
{
	struct of_store *o = user;
	const struct store_path *p = path_of_store(user, i);
	int rc = store_have_files(o->s, p, e);

	path_info_release(&o->info);
	*out = &o->info;
	return rc ? rc : db_info(store_db(o->s), p, &o->info, e);
}

int remote_add(struct remote *r, struct store *s, const struct path_set *paths, int check_sigs, size_t *added, struct err *e)
{
	struct of_store o = { .s = s, .paths = paths };
	const struct remote_objects from = { paths->n, store_fd(s), path_of_store, get_of_store, &o };
	int rc = store_order(s, paths->v, paths->n, &o.order, e);

	*added = 0;
	rc = rc ? rc : remote_send(r, &from, 0, check_sigs, added, e);
	path_info_release(&o.info);
	free(o.order);
	return rc;
}

/* --- building --- */

void remote_put_wanted(struct remote *r, const struct wanted *v, size_t n)
{
	wire_put_number(&r->w, n);
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_INIT;

		wanted_add(&b, r->dir, &v[i], r->minor);
		wire_put_text(&r->w, (struct slice){ b.p, b.len });
		buf_release(&b);
	}
}

static int skip_outputs(struct remote *r, struct err *e)
{
	uint64_t n;
	int rc = wire_get_bounded(&r->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		rc = wire_skip_text(&r->w, e);
		rc = rc ? rc : wire_skip_text(&r->w, e);
	}
	return rc;
}

static int skip_numbers(struct remote *r, int n, struct err *e)
{
	uint64_t number;
	int rc = 0;

	while (!rc && n--)
		rc = wire_get_number(&r->w, &number, e);
	return rc;
}

/* One that may be there. */
static int skip_optional(struct remote *r, struct err *e)
{
	uint64_t there = 0;
	int rc = wire_get_bounded(&r->w, 1, &there, e);

	return rc || !there ? rc : skip_numbers(r, 1, e);
}

int remote_get_outcome(struct remote *r, struct remote_outcome *o, struct err *e)
{
	struct buf text = BUF_INIT;
	uint64_t status = 0;
	int rc = wire_get_bounded(&r->w, STATUS_NO_SUBSTITUTERS, &status, e);

	rc = rc ? rc : wire_get_text(&r->w, LIMIT_WIRE_TEXT, &text, e);
	if (!rc && r->minor >= 29)
		rc = skip_numbers(r, 4, e);
	for (int i = 0; !rc && r->minor >= 37 && i < 2; i++)
		rc = skip_optional(r, e);
	if (!rc && r->minor >= 28)
		rc = skip_outputs(r, e);
	o->status = (enum build_status)status;
	o->text = text.len ? buf_detach(&text, NULL) : NULL;
	buf_release(&text);
	return rc;
}

static int get_outcomes(struct remote *r, size_t n, struct remote_outcome *o, struct err *e)
{
	uint64_t count = 0;
	int rc = wire_get_number(&r->w, &count, e);

	if (!rc && count != n)
		rc = err_set(e, ERR_INVALID, "%s sent %llu results of %zu builds", r->name, (unsigned long long)count, n);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = wire_skip_text(&r->w, e);
		rc = rc ? rc : remote_get_outcome(r, &o[i], e);
	}
	return rc;
}

int remote_build(struct remote *r, const struct wanted *v, size_t n, int mode, struct remote_outcome *outcomes, struct err *e)
{
	int each = r->minor >= 34, rc;

	memset(outcomes, 0, n * sizeof *outcomes);
	if (r->serves)
		return serve_build(r, v, n, e);
	rc = remote_begin(r, each ? OP_BUILD_PATHS_WITH_RESULTS : OP_BUILD_PATHS, e);
	if (rc)
		return rc;
	remote_put_wanted(r, v, n);
	wire_put_number(&r->w, (uint64_t)mode);
	rc = remote_wait(r, e);
	if (rc)
		return rc;
	return each ? remote_end(r, get_outcomes(r, n, outcomes, e)) : remote_get_done(r, e);
}

int remote_missing(struct remote *r, const struct wanted *v, size_t n, struct remote_plan *out, struct err *e)
{
	int rc = remote_begin(r, OP_QUERY_MISSING, e);

	*out = (struct remote_plan){ .packed = 0 };
	if (rc)
		return rc;
	remote_put_wanted(r, v, n);
	rc = remote_wait(r, e);
	if (rc)
		return rc;
	rc = wire_get_paths(&r->w, r->dir, &out->builds, e);
	rc = rc ? rc : wire_get_paths(&r->w, r->dir, &out->fetches, e);
	rc = rc ? rc : wire_get_paths(&r->w, r->dir, &out->unknown, e);
	rc = rc ? rc : wire_get_number(&r->w, &out->packed, e);
	rc = rc ? rc : wire_get_number(&r->w, &out->unpacked, e);
	return remote_end(r, rc);
}

void remote_plan_release(struct remote_plan *p)
{
	path_set_release(&p->builds);
	path_set_release(&p->fetches);
	path_set_release(&p->unknown);
}

/* --- care --- */

int remote_temp_root(struct remote *r, const struct store_path *p, struct err *e)
{
	int rc = remote_begin(r, OP_ADD_TEMP_ROOT, e);

	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, p);
	rc = remote_wait(r, e);
	return rc ? rc : remote_get_done(r, e);
}

int remote_indirect_root(struct remote *r, const char *link, struct err *e)
{
	int rc = remote_begin(r, OP_ADD_INDIRECT_ROOT, e);

	if (rc)
		return rc;
	wire_put_string(&r->w, link);
	rc = remote_wait(r, e);
	return rc ? rc : remote_get_done(r, e);
}

int remote_add_sigs(struct remote *r, const struct store_path *p, const char *sigs, struct err *e)
{
	int rc = remote_begin(r, OP_ADD_SIGNATURES, e);

	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, p);
	wire_put_words(&r->w, sigs);
	rc = remote_wait(r, e);
	return rc ? rc : remote_get_done(r, e);
}

static int get_collected(struct remote *r, void (*each)(void *user, struct slice path), void *user, uint64_t *freed, struct err *e)
{
	struct buf b = BUF_INIT;
	uint64_t n, once;
	int rc = wire_get_bounded(&r->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		buf_trim(&b, 0);
		rc = wire_get_text(&r->w, 4096, &b, e);
		if (!rc && each)
			each(user, (struct slice){ buf_str(&b), b.len });
	}
	buf_release(&b);
	rc = rc ? rc : wire_get_number(&r->w, freed, e);
	return rc ? rc : wire_get_number(&r->w, &once, e);
}

int remote_gc(struct remote *r, int action, const struct path_set *paths, uint64_t max_freed,
	      void (*each)(void *user, struct slice path), void *user, uint64_t *freed, struct err *e)
{
	static const struct path_set none = PATH_SET_INIT;
	int rc = remote_begin(r, OP_COLLECT_GARBAGE, e);

	if (rc)
		return rc;
	wire_put_number(&r->w, (uint64_t)action);
	wire_put_paths(&r->w, r->dir, paths ? paths : &none);
	wire_put_number(&r->w, 0); /* also what is alive */
	wire_put_number(&r->w, max_freed ? max_freed : UINT64_MAX);
	for (int i = 0; i < 3; i++)
		wire_put_number(&r->w, 0);
	rc = remote_wait(r, e);
	return rc ? rc : remote_end(r, get_collected(r, each, user, freed, e));
}

int remote_optimise(struct remote *r, struct err *e)
{
	int rc = remote_begin(r, OP_OPTIMISE_STORE, e);

	rc = rc ? rc : remote_wait(r, e);
	return rc ? rc : remote_get_done(r, e);
}

int remote_verify(struct remote *r, int contents, int repair, int *bad, struct err *e)
{
	int rc = remote_begin(r, OP_VERIFY_STORE, e);

	if (rc)
		return rc;
	wire_put_number(&r->w, contents != 0);
	wire_put_number(&r->w, repair != 0);
	rc = remote_wait(r, e);
	return rc ? rc : remote_end(r, wire_get_bool(&r->w, bad, e));
}
