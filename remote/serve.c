/* SPDX-License-Identifier: MIT
 *
 * The commands of a client of 'nix-store --serve'.  What a daemon does for its clients as well is done there.
 */
#include "config.h"
#include "remote/serve.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "remote/daemon_int.h"
#include "store/export.h"
#include "store/object.h"
#include "store/roots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- questions --- */

static int keep(struct client *c, const struct path_set *paths, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < paths->n; i++)
		rc = store_add_temp_root(c->s, &paths->v[i], e);
	return rc;
}

static int answer_valid(struct client *c, const struct path_set *paths, struct err *e)
{
	struct path_set there = PATH_SET_INIT;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < paths->n; i++)
		if ((rc = store_is_there(c->s, &paths->v[i], NULL, e)) == 1)
			path_set_push(&there, &paths->v[i]);
	if (rc >= 0)
		wire_put_paths(&c->w, c->dir, &there);
	path_set_release(&there);
	return rc < 0 ? rc : 0;
}

static int valid_paths(struct client *c, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	int lock = 0, substitute = 0, rc = wire_get_bool(&c->w, &lock, e);

	rc = rc ? rc : wire_get_bool(&c->w, &substitute, e);
	rc = rc ? rc : wire_get_paths(&c->w, c->dir, &paths, e);
	if (!rc && lock && c->may_write)
		rc = keep(c, &paths, e);
	if (!rc && substitute && c->may_write)
		rc = client_substitute(c, &paths, e);
	rc = rc ? rc : answer_valid(c, &paths, e);
	path_set_release(&paths);
	return rc;
}

static void put_info(struct client *c, const struct path_info *i)
{
	struct buf hash = BUF_INIT;

	wire_put_path(&c->w, c->dir, &i->path);
	wire_put_path(&c->w, c->dir, &i->deriver);
	wire_put_paths(&c->w, c->dir, &i->refs);
	wire_put_number(&c->w, 0); /* bytes to download: nobody has it packed */
	wire_put_number(&c->w, i->nar_size);
	hash_add(&hash, &i->nar_hash, HASH_NIX32, 1);
	wire_put_text(&c->w, (struct slice){ hash.p, hash.len });
	wire_put_string(&c->w, i->ca);
	wire_put_words(&c->w, i->sigs);
	buf_release(&hash);
}

static int path_infos(struct client *c, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	int rc = wire_get_paths(&c->w, c->dir, &paths, e);

	for (size_t i = 0; rc >= 0 && i < paths.n; i++) {
		struct path_info info = { 0 };

		rc = store_is_there(c->s, &paths.v[i], NULL, e);
		rc = rc == 1 ? db_info(store_db(c->s), &paths.v[i], &info, e) : rc;
		if (!rc && info.nar_size)
			put_info(c, &info);
		path_info_release(&info);
	}
	wire_put_string(&c->w, "");
	path_set_release(&paths);
	return rc < 0 ? rc : 0;
}

static int closure(struct client *c, struct err *e)
{
	struct path_set paths = PATH_SET_INIT, all = PATH_SET_INIT;
	int outputs = 0, rc = wire_get_bool(&c->w, &outputs, e);

	rc = rc ? rc : wire_get_paths(&c->w, c->dir, &paths, e);
	rc = rc ? rc : db_closure(store_db(c->s), &paths, outputs ? DB_CLOSURE_OUTPUTS : 0, &all, e);
	wire_put_paths(&c->w, c->dir, &all);
	path_set_release(&paths);
	path_set_release(&all);
	return rc;
}

static int dump(struct client *c, struct err *e)
{
	struct nar_sink sink = wire_sink(&c->w);
	struct store_path p;
	int rc = wire_get_path(&c->w, c->dir, 0, &p, e), valid = rc ? rc : store_is_there(c->s, &p, NULL, e);

	if (valid == 0)
		return err_set(e, ERR_NOTFOUND, "path '%.*s/%s' is not valid", (int)c->dir.n, c->dir.p, p.base);
	rc = valid < 0 ? valid : store_have_files(c->s, &p, e);
	return rc ? rc : nar_write(store_fd(c->s), p.base, p.base, NULL, &sink, e);
}

/* --- changes --- */

static int import(struct client *c, struct err *e)
{
	struct byte_source bytes = wire_bytes(&c->w);
	struct path_set added = PATH_SET_INIT;
	int rc = store_import(c->s, &bytes, &added, e);

	wire_put_number(&c->w, 1);
	path_set_release(&added);
	return rc;
}

static int add(struct client *c, struct err *e)
{
	struct path_info info = { 0 };
	struct byte_source bytes = wire_bytes(&c->w);
	struct wire_part nar;
	int rc = wire_get_path(&c->w, c->dir, 0, &info.path, e), left;

	rc = rc ? rc : protocol_get_info(&c->w, c->dir, &info, e);
	if (!rc) {
		info.ultimate = 0;
		wire_part_begin(&nar, &bytes, info.nar_size);
		rc = store_add_nar(c->s, &info, &nar.source, e);
		left = wire_part_end(&nar, rc ? NULL : e);
		rc = rc ? rc : left;
	}
	wire_put_number(&c->w, 1);
	path_info_release(&info);
	return rc;
}

/* --- builds --- */

static void set_number(struct client *c, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, n);
	if (c->o->setting && n)
		c->o->setting(c->o->user, name, text);
}

int serve_get_options(struct client *c, struct err *e)
{
	uint64_t v[5] = { 0 };
	int kept = 0, rc = 0;

	for (size_t i = 0; !rc && i < sizeof v / sizeof *v; i++)
		rc = wire_get_number(&c->w, &v[i], e);
	if (!rc && c->serves >= 7)
		rc = wire_get_bool(&c->w, &kept, e);
	if (rc)
		return rc;
	if (v[3])
		return err_set(e, ERR_INVALID, "the client wants a build repeated, which is not done");
	set_number(c, "max-silent-time", v[0]);
	set_number(c, "timeout", v[1]);
	set_number(c, "max-build-log-size", v[2]);
	if (kept && c->o->setting)
		c->o->setting(c->o->user, "keep-failed", "true");
	return 0;
}

static int build(struct client *c, struct err *e)
{
	return op_build_derivation(c, OP_BUILD_DERIVATION, e);
}

static int run(struct client *c, enum serve_command what, struct err *e)
{
	if (!c->may_write && (what == SERVE_IMPORT || what == SERVE_BUILD_PATHS || what == SERVE_BUILD || what == SERVE_ADD))
		return err_set(e, ERR_DENIED, "the client may change nothing here: '--serve' was started without '--write'");
	switch (what) {
	case SERVE_VALID_PATHS: return valid_paths(c, e);
	case SERVE_PATH_INFOS: return path_infos(c, e);
	case SERVE_DUMP: return dump(c, e);
	case SERVE_IMPORT: return import(c, e);
	case SERVE_BUILD_PATHS: return serve_build_paths(c, e);
	case SERVE_CLOSURE: return closure(c, e);
	case SERVE_BUILD: return build(c, e);
	case SERVE_ADD: return add(c, e);
	}
	return err_set(e, ERR_INVALID, "the client wants something that there is not: command %d", (int)what);
}

static int greet(struct client *c, struct err *e)
{
	uint64_t magic = 0, version = 0;
	int rc = wire_get_number(&c->w, &magic, e);

	if (!rc && magic != SERVE_MAGIC_1)
		return err_set(e, ERR_INVALID, "what asks is no client of 'nix-store --serve'");
	wire_put_number(&c->w, SERVE_MAGIC_2);
	wire_put_number(&c->w, SERVE_VERSION(SERVE_NEWEST));
	rc = rc ? rc : wire_flush(&c->w, e);
	rc = rc ? rc : wire_get_number(&c->w, &version, e);
	if (!rc && (version >> 8 != SERVE_MAJOR || version < SERVE_VERSION(SERVE_OLDEST)))
		return err_set(
			e, ERR_INVALID, "the client speaks version %llu.%llu of the protocol; from %d.%d on it is understood",
			(unsigned long long)(version >> 8), (unsigned long long)(version & 255), SERVE_MAJOR, SERVE_OLDEST);
	c->serves = version < SERVE_VERSION(SERVE_NEWEST) ? (int)(version & 255) : SERVE_NEWEST;
	return rc;
}

int serve_run(struct store *s, int in, int out, int may_write, const struct daemon_options *o, struct err *e)
{
	/* What the two protocols have in common is as it was in this version of the daemon's. */
	struct client c = { .s = s, .dir = store_dir(s), .o = o, .minor = 29, .may_write = may_write,
			    .use_substitutes = 1 };
	uint64_t what;
	int rc;

	wire_init(&c.w, in, out, "the client");
	store_set_notice(s, client_note, &c);
	rc = greet(&c, e);
	while (!rc && !(rc = wire_at_end(&c.w, e))) {
		rc = wire_get_bounded(&c.w, INT32_MAX, &what, e);
		rc = rc ? rc : run(&c, (enum serve_command)what, e);
		rc = rc ? rc : store_sync_all(e);
		rc = rc ? rc : wire_flush(&c.w, e);
	}
	store_set_notice(s, NULL, NULL);
	wire_release(&c.w);
	buf_release(&c.pending);
	free(c.told);
	return rc < 0 ? rc : 0;
}
