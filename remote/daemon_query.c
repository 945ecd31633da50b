/* SPDX-License-Identifier: MIT
 *
 * What a client asks about the store and the caches it knows.
 */
#include "config.h"
#include "remote/daemon_int.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "store/claims.h"

#include <stdlib.h>
#include <string.h>

/* The one path that is an operation's argument. */
static int get_path(struct client *c, struct store_path *p, struct err *e)
{
	int rc = wire_get_path(&c->w, c->dir, 0, p, e);

	if (!rc)
		client_begin(c);
	return rc;
}

static int put_paths(struct client *c, struct path_set *paths, int rc, struct err *e)
{
	rc = rc < 0 ? rc : client_done(c, e);
	if (!rc)
		wire_put_paths(&c->w, c->dir, paths);
	path_set_release(paths);
	return rc;
}

int op_is_valid_path(struct client *c, enum operation op, struct err *e)
{
	struct store_path p;
	int rc = get_path(c, &p, e), valid;

	(void)op;
	if (rc)
		return rc;
	valid = store_is_valid(c->s, &p, e);
	rc = valid < 0 ? valid : client_done(c, e);
	if (!rc)
		wire_put_number(&c->w, (uint64_t)valid);
	return rc;
}

/* --- derivations and their outputs --- */

static int add_output(void *arg, struct slice name, const struct store_path *path, struct err *e)
{
	(void)name;
	(void)e;
	path_set_add(arg, path);
	return 0;
}

int op_query_paths(struct client *c, enum operation op, struct err *e)
{
	struct path_set out = PATH_SET_INIT;
	struct store_path p;
	int rc = get_path(c, &p, e);

	if (!rc && op == OP_QUERY_REFERRERS)
		rc = db_referrers(store_db(c->s), &p, &out, e);
	else if (!rc && op == OP_QUERY_VALID_DERIVERS)
		rc = db_derivers(store_db(c->s), &p, &out, e);
	else if (!rc)
		rc = db_outputs(store_db(c->s), &p, add_output, &out, e);
	return put_paths(c, &out, rc, e);
}

/* Their names, or also their paths. */
int op_query_outputs(struct client *c, enum operation op, struct err *e)
{
	struct store_path p;
	struct drv d;
	int rc = get_path(c, &p, e);

	rc = rc ? rc : store_read_drv(c->s, &p, &d, e);
	if (rc)
		return rc;
	rc = client_done(c, e);
	if (!rc)
		wire_put_number(&c->w, d.noutputs);
	for (size_t i = 0; !rc && i < d.noutputs; i++) {
		wire_put_text(&c->w, d.outputs[i].name);
		if (op == OP_QUERY_DERIVATION_OUTPUT_MAP)
			wire_put_text(&c->w, d.outputs[i].path);
	}
	drv_release(&d);
	return rc;
}

/* --- objects --- */

/* 1 and what is known of a valid object, 0 for another, or negative. */
static int find_info(struct client *c, const struct store_path *p, struct path_info *i, struct err *e)
{
	int valid = store_is_valid(c->s, p, e), rc = valid == 1 ? db_info(store_db(c->s), p, i, e) : 0;

	return rc ? rc : valid;
}

int op_query_deriver(struct client *c, enum operation op, struct err *e)
{
	struct path_info i = { 0 };
	struct store_path p;
	int rc = get_path(c, &p, e);

	(void)op;
	rc = rc ? rc : db_info(store_db(c->s), &p, &i, e);
	rc = rc ? rc : client_done(c, e);
	if (!rc)
		wire_put_path(&c->w, c->dir, &i.deriver);
	path_info_release(&i);
	return rc;
}

int op_query_path_info(struct client *c, enum operation op, struct err *e)
{
	struct path_info i = { 0 };
	struct store_path p;
	int rc = get_path(c, &p, e), valid;

	(void)op;
	if (rc)
		return rc;
	valid = find_info(c, &p, &i, e);
	rc = valid < 0 ? valid : client_done(c, e);
	if (!rc) {
		wire_put_number(&c->w, (uint64_t)valid);
		if (valid)
			protocol_put_info(&c->w, c->dir, &i);
	}
	path_info_release(&i);
	return rc;
}

int op_query_all(struct client *c, enum operation op, struct err *e)
{
	struct path_set all = PATH_SET_INIT;

	(void)op;
	client_begin(c);
	return put_paths(c, &all, db_all(store_db(c->s), &all, e), e);
}

int op_query_hash_part(struct client *c, enum operation op, struct err *e)
{
	struct store_path p = { .len = 0 };
	struct buf b = BUF_INIT;
	int rc = wire_get_text(&c->w, STORE_HASH_LEN, &b, e);

	(void)op;
	if (!rc) {
		client_begin(c);
		if (b.len != STORE_HASH_LEN)
			rc = err_set(e, ERR_INVALID, "'%s' is no digest of a store path: it has %d digits", buf_str(&b),
				     STORE_HASH_LEN);
		else if ((rc = db_find_digest(store_db(c->s), (struct slice){ b.p, b.len }, &p, e)) == ERR_NOTFOUND) {
			err_release(e);
			p.len = 0;
			rc = 0;
		}
	}
	rc = rc ? rc : client_done(c, e);
	if (!rc)
		wire_put_path(&c->w, c->dir, &p);
	buf_release(&b);
	return rc;
}

int op_query_valid_paths(struct client *c, enum operation op, struct err *e)
{
	struct path_set asked = PATH_SET_INIT, out = PATH_SET_INIT;
	int rc = wire_get_paths(&c->w, c->dir, &asked, e), substitute = 0;

	(void)op;
	if (!rc && c->minor >= 27)
		rc = wire_get_bool(&c->w, &substitute, e);
	if (!rc) {
		client_begin(c);
		rc = substitute ? client_substitute(c, &asked, e) : 0;
	}
	for (size_t i = 0; rc >= 0 && i < asked.n; i++)
		if ((rc = store_is_valid(c->s, &asked.v[i], e)) == 1)
			path_set_push(&out, &asked.v[i]);
	path_set_release(&asked);
	return put_paths(c, &out, rc, e);
}

/* --- what caches have --- */

int client_ask(struct client *c, const struct path_set *paths, int cancel_fd, struct substituter **u, struct err *e)
{
	int rc;

	*u = NULL;
	if (!c->use_substitutes || !cache_settings.substitute || !paths->n)
		return 0;
	rc = substituter_new(u, c->s, client_note, c, e);
	if (!rc)
		substituter_cancel_by(*u, cancel_fd);
	for (size_t i = 0; !rc && i < paths->n; i++)
		substituter_want(*u, &(struct wanted_path){ .path = paths->v[i] });
	return rc ? rc : substituter_ask(*u, e);
}

int op_query_substitutable(struct client *c, enum operation op, struct err *e)
{
	struct path_set asked = PATH_SET_INIT, out = PATH_SET_INIT;
	struct substituter *u = NULL;
	int rc = wire_get_paths(&c->w, c->dir, &asked, e);

	(void)op;
	if (!rc) {
		client_begin(c);
		rc = client_ask(c, &asked, -1, &u, e);
	}
	for (size_t i = 0; !rc && u && i < asked.n; i++)
		if (substituter_info(u, &asked.v[i]))
			path_set_push(&out, &asked.v[i]);
	substituter_free(u);
	path_set_release(&asked);
	return put_paths(c, &out, rc, e);
}

static void put_substitutable(struct client *c, const struct narinfo *i)
{
	wire_put_path(&c->w, c->dir, &i->deriver);
	wire_put_paths(&c->w, c->dir, &i->refs);
	wire_put_number(&c->w, i->file_size);
	wire_put_number(&c->w, i->nar_size);
}

/* one: of a single path, which is not repeated. */
static int answer_substitutable(struct client *c, const struct path_set *paths, int one, struct err *e)
{
	struct substituter *u = NULL;
	uint64_t found = 0;
	int rc;

	client_begin(c);
	rc = client_ask(c, paths, -1, &u, e);
	rc = rc ? rc : client_done(c, e);
	for (size_t i = 0; !rc && u && i < paths->n; i++)
		found += substituter_info(u, &paths->v[i]) != NULL;
	if (!rc)
		wire_put_number(&c->w, found);
	for (size_t i = 0; !rc && u && i < paths->n; i++) {
		const struct narinfo *info = substituter_info(u, &paths->v[i]);

		if (info && !one)
			wire_put_path(&c->w, c->dir, &paths->v[i]);
		if (info)
			put_substitutable(c, info);
	}
	substituter_free(u);
	return rc;
}

int op_query_substitutable_info(struct client *c, enum operation op, struct err *e)
{
	struct path_set one = PATH_SET_INIT;
	struct store_path p;
	int rc = wire_get_path(&c->w, c->dir, 0, &p, e);

	(void)op;
	if (!rc) {
		path_set_push(&one, &p);
		rc = answer_substitutable(c, &one, 1, e);
	}
	path_set_release(&one);
	return rc;
}

int op_query_substitutable_infos(struct client *c, enum operation op, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct store_path p;
	uint64_t n;
	int rc = 0;

	(void)op;
	if (c->minor < 22) {
		rc = wire_get_paths(&c->w, c->dir, &paths, e);
	} else {
		/* With each its content address, by which stores of other folders could be asked. */
		rc = wire_get_bounded(&c->w, LIMIT_WIRE_LIST, &n, e);
		for (; !rc && n; n--) {
			rc = wire_get_path(&c->w, c->dir, 0, &p, e);
			rc = rc ? rc : wire_skip_text(&c->w, e);
			if (!rc)
				path_set_push(&paths, &p);
		}
		path_set_sort(&paths);
	}
	rc = rc ? rc : answer_substitutable(c, &paths, 0, e);
	path_set_release(&paths);
	return rc;
}

/* Outputs that have no path before they are built do not exist here, so nothing is known of any. */
int op_query_realisation(struct client *c, enum operation op, struct err *e)
{
	int rc = wire_skip_text(&c->w, e);

	(void)op;
	if (rc)
		return rc;
	client_begin(c);
	rc = client_done(c, e);
	if (!rc)
		wire_put_number(&c->w, 0);
	return rc;
}

/* --- contents --- */

int op_nar_from_path(struct client *c, enum operation op, struct err *e)
{
	const struct nar_sink sink = wire_sink(&c->w);
	struct store_path p;
	int rc = get_path(c, &p, e), there;

	(void)op;
	if (rc)
		return rc;
	there = store_is_there(c->s, &p, NULL, e);
	if (there == 0)
		there = err_set(e, ERR_NOTFOUND, "path '%.*s/%s' is not valid", (int)c->dir.n, c->dir.p, p.base);
	rc = there < 0 ? there : client_done(c, e);
	if (rc)
		return rc;
	c->raw = 1;
	rc = nar_write(store_fd(c->s), p.base, p.base, NULL, &sink, e);
	c->raw = rc != 0;
	return rc;
}
