/* SPDX-License-Identifier: MIT
 *
 * A store behind 'nix-store --serve' (remote/serve.h): what remote.h asks for, as far as that protocol has it.
 *
 * An error of the other side ends the connection; what it says of it comes from ssh's standard error.
 */
#include "config.h"
#include "remote/remote_int.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "remote/serve.h"

#include <stdlib.h>
#include <string.h>

static int begin(struct remote *r, enum serve_command what, struct err *e)
{
	if (r->dead)
		return err_set(e, ERR_IO, "the connection to '%s' is lost", r->name);
	wire_put_number(&r->w, what);
	return 0;
}

static int ask(struct remote *r, struct err *e)
{
	return remote_end(r, wire_flush(&r->w, e));
}

int serve_greet(struct remote *r, uint64_t *magic, struct err *e)
{
	uint64_t version = 0;
	int rc;

	wire_put_number(&r->w, SERVE_MAGIC_1);
	wire_put_number(&r->w, SERVE_VERSION(SERVE_NEWEST));
	wire_flush(&r->w, NULL);
	rc = wire_get_number(&r->w, magic, e);
	if (rc || *magic != SERVE_MAGIC_2)
		return rc ? rc : 1;
	rc = wire_get_number(&r->w, &version, e);
	if (!rc && (version >> 8 != SERVE_MAJOR || version < SERVE_VERSION(SERVE_OLDEST)))
		return err_set(e, ERR_INVALID, "it speaks version %llu.%llu of the protocol; from %d.%d on it is understood",
			       (unsigned long long)(version >> 8), (unsigned long long)(version & 255), SERVE_MAJOR, SERVE_OLDEST);
	r->serves = version < SERVE_VERSION(SERVE_NEWEST) ? (int)(version & 255) : SERVE_NEWEST;
	r->minor = 29;
	r->version = xstrdup("");
	return rc;
}

/* --- asking --- */

int serve_valid(struct remote *r, const struct path_set *paths, int substitute, struct path_set *out, struct err *e)
{
	int rc = begin(r, SERVE_VALID_PATHS, e);

	if (rc)
		return rc;
	wire_put_number(&r->w, 1); /* they are to stay while this connection lasts */
	wire_put_number(&r->w, substitute != 0);
	wire_put_paths(&r->w, r->dir, paths);
	rc = ask(r, e);
	return rc ? rc : remote_end(r, wire_get_paths(&r->w, r->dir, out, e));
}

static int get_trust(struct wire *w, struct path_info *i, struct err *e)
{
	struct buf hash = BUF_INIT, ca = BUF_INIT, sigs = BUF_INIT;
	int rc = wire_get_text(w, HASH_TEXT_MAX, &hash, e);

	rc = rc ? rc : hash_parse(buf_str(&hash), hash.len, HASH_SHA256, &i->nar_hash, NULL, e);
	rc = rc ? rc : wire_get_text(w, 2 * HASH_TEXT_MAX, &ca, e);
	rc = rc ? rc : wire_get_words(w, &sigs, e);
	i->ca = ca.len ? buf_detach(&ca, NULL) : NULL;
	i->sigs = sigs.len ? buf_detach(&sigs, NULL) : NULL;
	buf_release(&hash);
	buf_release(&ca);
	buf_release(&sigs);
	return rc;
}

static int get_info(struct remote *r, struct path_info *i, struct err *e)
{
	uint64_t packed;
	int rc = wire_get_path(&r->w, r->dir, 1, &i->deriver, e);

	rc = rc ? rc : wire_get_paths(&r->w, r->dir, &i->refs, e);
	rc = rc ? rc : wire_get_number(&r->w, &packed, e);
	rc = rc ? rc : wire_get_number(&r->w, &i->nar_size, e);
	rc = rc ? rc : get_trust(&r->w, i, e);
	if (!rc && (!i->nar_size || i->nar_hash.algo != HASH_SHA256))
		rc = err_set(e, ERR_INVALID, "%s did not say what '%s' consists of", r->name, i->path.base);
	return rc;
}

/* The next that it has: 1, 0 when there are no more. */
static int next_info(struct remote *r, const struct path_set *asked, struct path_info *i, struct err *e)
{
	int rc;

	*i = (struct path_info){ 0 };
	rc = wire_get_path(&r->w, r->dir, 1, &i->path, e);
	if (rc || !i->path.len)
		return rc;
	rc = path_set_has(asked, &i->path) ?
		     get_info(r, i, e) : err_set(e, ERR_INVALID, "%s tells of '%s', which nobody asked for", r->name, i->path.base);
	if (rc)
		path_info_release(i);
	return rc ? rc : 1;
}

int serve_infos(struct remote *r, const struct path_set *paths, int (*take)(void *user, struct path_info *i, struct err *e),
		void *user, struct err *e)
{
	struct path_set left = PATH_SET_INIT;
	struct path_info info;
	int rc = begin(r, SERVE_PATH_INFOS, e);

	if (rc)
		return rc;
	path_set_add_all(&left, paths);
	wire_put_paths(&r->w, r->dir, paths);
	rc = ask(r, e);
	while (!rc && (rc = next_info(r, &left, &info, e)) == 1) {
		/* Once each. */
		path_set_remove(&left, &info.path);
		rc = take(user, &info, e);
	}
	path_set_release(&left);
	return remote_end(r, rc);
}

static int take_one(void *user, struct path_info *i, struct err *e)
{
	(void)e;
	*(struct path_info *)user = *i;
	return 0;
}

int serve_info(struct remote *r, const struct store_path *p, struct path_info *out, struct err *e)
{
	struct path_set one = PATH_SET_INIT;
	int rc;

	*out = (struct path_info){ 0 };
	path_set_push(&one, p);
	rc = serve_infos(r, &one, take_one, out, e);
	path_set_release(&one);
	return rc ? rc : out->path.len != 0;
}

int serve_archive(struct remote *r, const struct store_path *p, struct err *e)
{
	int rc = begin(r, SERVE_DUMP, e);

	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, p);
	return ask(r, e);
}

/* --- changing --- */

int serve_add(struct remote *r, int store, const struct path_info *info, struct err *e)
{
	struct nar_sink sink = wire_sink(&r->w);
	int rc = begin(r, SERVE_ADD, e);

	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, &info->path);
	protocol_put_info(&r->w, r->dir, info);
	rc = nar_write(store, info->path.base, info->path.base, NULL, &sink, e);
	rc = remote_end(r, rc);
	rc = rc ? rc : ask(r, e);
	return rc ? rc : remote_get_done(r, e);
}

static void put_options(struct remote *r)
{
	wire_put_number(&r->w, r->wishes.max_silent);
	wire_put_number(&r->w, r->wishes.timeout);
	wire_put_number(&r->w, 0); /* any length of the log; */
	wire_put_number(&r->w, 0); /* it is not repeated, */
	wire_put_number(&r->w, 0); /* nor compared */
	if (r->serves >= 7)
		wire_put_number(&r->w, r->wishes.keep_failed != 0);
}

int serve_build_given(struct remote *r, const struct store_path *path, const struct drv *d, const struct path_set *inputs,
		      struct remote_outcome *outcome, struct err *e)
{
	int rc = begin(r, SERVE_BUILD, e);

	if (rc)
		return rc;
	wire_put_path(&r->w, r->dir, path);
	wire_put_derivation(&r->w, r->dir, d, inputs);
	put_options(r);
	rc = ask(r, e);
	return rc ? rc : remote_end(r, remote_get_outcome(r, outcome, e));
}

int serve_build(struct remote *r, const struct wanted *v, size_t n, struct err *e)
{
	struct buf why = BUF_INIT;
	uint64_t status = 0;
	int rc = begin(r, SERVE_BUILD_PATHS, e);

	if (rc)
		return rc;
	remote_put_wanted(r, v, n);
	put_options(r);
	rc = ask(r, e);
	rc = rc ? rc : remote_end(r, wire_get_number(&r->w, &status, e));
	if (!rc && status && !(rc = remote_end(r, wire_get_text(&r->w, LIMIT_WIRE_TEXT, &why, e))))
		rc = remote_refused(r, ERR_BUILD, &why, e);
	buf_release(&why);
	return rc;
}
