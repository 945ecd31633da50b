/* SPDX-License-Identifier: MIT
 *
 * What a client puts into the store.
 */
#include "config.h"
#include "remote/daemon_int.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "build/log.h"
#include "cache/fill.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_TEXT_MAX = 1024 };

/* --- by contents --- */

static int answer_info(struct client *c, const struct store_path *p, struct err *e)
{
	struct path_info i = { 0 };
	int rc = db_info(store_db(c->s), p, &i, e);

	rc = rc ? rc : client_done(c, e);
	if (!rc) {
		wire_put_path(&c->w, c->dir, p);
		protocol_put_info(&c->w, c->dir, &i);
	}
	path_info_release(&i);
	return rc;
}

static int answer_path(struct client *c, const struct store_path *p, struct err *e)
{
	int rc = client_done(c, e);

	if (!rc)
		wire_put_path(&c->w, c->dir, p);
	return rc;
}

/* Reads what is left of a stream whose contents came to rc.  When that cannot be done the connection is lost. */
static int end_frames(struct client *c, struct wire_frames *f, int rc, struct err *e)
{
	int left = wire_frames_end(f, rc ? NULL : e);

	if (left)
		c->working = 0;
	return rc ? rc : left;
}

static int get_method(struct client *c, struct source_object *o, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = wire_get_text(&c->w, NAME_TEXT_MAX, &b, e);

	rc = rc ? rc : protocol_parse_method((struct slice){ buf_str(&b), b.len }, &o->method, &o->algo, e);
	buf_release(&b);
	return rc;
}

/* name method references repair, then frames. */
static int add_framed(struct client *c, struct source_object *o, struct err *e)
{
	struct path_set refs = PATH_SET_INIT;
	struct wire_frames frames;
	struct store_path p;
	int rc = get_method(c, o, e), repair;

	rc = rc ? rc : wire_get_paths(&c->w, c->dir, &refs, e);
	rc = rc ? rc : wire_get_bool(&c->w, &repair, e);
	if (!rc) {
		client_begin(c);
		o->refs = &refs;
		wire_frames_begin(&frames, &c->w);
		rc = store_add_dump(c->s, &frames.source, o->method == CA_NAR || o->method == CA_GIT, o, &p, e);
		rc = end_frames(c, &frames, rc, e);
		rc = rc ? rc : answer_info(c, &p, e);
	}
	path_set_release(&refs);
	return rc;
}

/* name fixed recursive algorithm, then an archive, also of what is hashed flat. */
static int add_archive(struct client *c, struct source_object *o, struct err *e)
{
	struct wire_archive a;
	struct buf algo = BUF_INIT;
	struct store_path p;
	uint64_t recursive = 0;
	int fixed, left, rc = wire_get_bool(&c->w, &fixed, e);

	rc = rc ? rc : wire_get_bounded(&c->w, 1, &recursive, e);
	rc = rc ? rc : wire_get_text(&c->w, NAME_TEXT_MAX, &algo, e);
	o->method = recursive || !fixed ? CA_NAR : CA_FLAT;
	o->algo = HASH_SHA256;
	if (!rc && fixed)
		rc = hash_algo_parse(buf_str(&algo), algo.len, &o->algo, e);
	buf_release(&algo);
	if (rc)
		return rc;
	/* Nothing may be said before the archive is whole: the client does not listen yet. */
	wire_archive_begin(&a, &c->w);
	rc = store_add_dump(c->s, &a.source, 1, o, &p, e);
	left = wire_archive_end(&a, rc ? NULL : e);
	if (!left)
		client_begin(c);
	rc = rc ? rc : left;
	return rc ? rc : answer_path(c, &p, e);
}

int op_add_to_store(struct client *c, enum operation op, struct err *e)
{
	struct source_object o = { .method = CA_NAR };
	struct buf name = BUF_INIT;
	int rc = wire_get_text(&c->w, NAME_TEXT_MAX, &name, e);

	(void)op;
	o.name = (struct slice){ buf_str(&name), name.len };
	if (!rc)
		rc = c->minor >= 25 ? add_framed(c, &o, e) : add_archive(c, &o, e);
	buf_release(&name);
	return rc;
}

int op_add_text(struct client *c, enum operation op, struct err *e)
{
	struct buf name = BUF_INIT, text = BUF_INIT;
	struct path_set refs = PATH_SET_INIT;
	struct store_path p;
	int rc = wire_get_text(&c->w, NAME_TEXT_MAX, &name, e);

	(void)op;
	rc = rc ? rc : wire_get_text(&c->w, LIMIT_WIRE_TEXT, &text, e);
	rc = rc ? rc : wire_get_paths(&c->w, c->dir, &refs, e);
	if (!rc) {
		client_begin(c);
		rc = store_add_text(c->s, (struct slice){ buf_str(&name), name.len }, (struct slice){ buf_str(&text), text.len },
				    &refs, &p, e);
		rc = rc ? rc : answer_path(c, &p, e);
	}
	buf_release(&name);
	buf_release(&text);
	path_set_release(&refs);
	return rc;
}

/* --- archives with what is known of them --- */

/* Whether an object may come in: its path follows from its contents, or somebody who is trusted signed it, or brings it. */
static int check_origin(struct client *c, const struct path_info *i, int check, struct err *e)
{
	struct public_keys keys = { 0 };
	int rc;

	if (!store_wants_sigs(c->s) || (c->o->trusted && !check) || (i->ca && !store_check_address(c->s, i, NULL)))
		return 0;
	rc = trusted_keys(c->dir, &keys, e);
	rc = rc ? rc : path_is_signed(&keys, c->dir, i, e);
	if (rc == 0)
		rc = err_set(e, ERR_DENIED, "cannot add path '%.*s/%s' because it lacks a signature by a trusted key",
			     (int)c->dir.n, c->dir.p, i->path.base);
	public_keys_release(&keys);
	return rc < 0 ? rc : 0;
}

static int add_checked(struct client *c, struct path_info *i, const struct byte_source *nar, int check, struct err *e)
{
	int rc = check_origin(c, i, check, e);

	i->ultimate = i->ultimate && c->o->trusted;
	i->registered = 0;
	return rc ? rc : store_add_nar(c->s, i, nar, e);
}

/* What the daemon asks for piece by piece: versions before 1.23. */
static long read_asked(void *user, void *p, size_t n, struct err *e)
{
	struct client *c = user;
	char zeros[8];
	uint64_t k;
	int rc;

	wire_put_number(&c->w, MESSAGE_READ);
	wire_put_number(&c->w, n);
	rc = wire_flush(&c->w, e);
	rc = rc ? rc : wire_get_bounded(&c->w, n, &k, e);
	rc = rc ? rc : wire_get(&c->w, p, (size_t)k, e);
	if (!rc && k % 8)
		rc = wire_get(&c->w, zeros, 8 - k % 8, e);
	return rc ? rc : (long)k;
}

static int add_asked(struct client *c, struct path_info *i, int check, struct err *e)
{
	const struct byte_source asked = { read_asked, c };
	struct wire_part part;
	int rc;

	client_begin(c);
	wire_part_begin(&part, &asked, i->nar_size);
	rc = add_checked(c, i, &part.source, check, e);
	/* The client gives what it is asked for, and no more: nothing is left to be read after an error. */
	if (!rc)
		rc = wire_part_end(&part, e);
	return rc ? rc : client_done(c, e);
}

int op_add_nar(struct client *c, enum operation op, struct err *e)
{
	struct path_info i = { 0 };
	struct wire_frames frames;
	int rc = wire_get_path(&c->w, c->dir, 0, &i.path, e), repair, unchecked = 0;

	(void)op;
	rc = rc ? rc : protocol_get_info(&c->w, c->dir, &i, e);
	rc = rc ? rc : wire_get_bool(&c->w, &repair, e);
	rc = rc ? rc : wire_get_bool(&c->w, &unchecked, e);
	if (!rc && c->minor < 23) {
		rc = add_asked(c, &i, !unchecked, e);
	} else if (!rc) {
		client_begin(c);
		wire_frames_begin(&frames, &c->w);
		rc = add_checked(c, &i, &frames.source, !unchecked, e);
		rc = end_frames(c, &frames, rc, e);
		rc = rc ? rc : client_done(c, e);
	}
	path_info_release(&i);
	return rc;
}

/* One of many: path, info, archive. */
static int add_next(struct client *c, struct wire *in, int check, struct err *e)
{
	const struct byte_source bytes = wire_bytes(in);
	struct path_info i = { 0 };
	struct wire_part part;
	int rc = wire_get_path(in, c->dir, 0, &i.path, e);

	rc = rc ? rc : protocol_get_info(in, c->dir, &i, e);
	if (!rc) {
		i.ultimate = 0;
		wire_part_begin(&part, &bytes, i.nar_size);
		rc = add_checked(c, &i, &part.source, check, e);
		rc = rc ? rc : wire_part_end(&part, e);
	}
	path_info_release(&i);
	return rc;
}

int op_add_multiple(struct client *c, enum operation op, struct err *e)
{
	struct wire_frames frames;
	struct wire in;
	uint64_t n = 0;
	int repair, unchecked = 0, rc = wire_get_bool(&c->w, &repair, e);

	(void)op;
	rc = rc ? rc : wire_get_bool(&c->w, &unchecked, e);
	if (rc)
		return rc;
	client_begin(c);
	wire_frames_begin(&frames, &c->w);
	wire_init_source(&in, &frames.source, "the client");
	rc = wire_get_number(&in, &n, e);
	for (; !rc && n; n--)
		rc = add_next(c, &in, !unchecked, e);
	rc = end_frames(c, &frames, rc, e);
	wire_release(&in);
	return rc ? rc : client_done(c, e);
}

/* --- beside objects --- */

int op_add_signatures(struct client *c, enum operation op, struct err *e)
{
	struct path_info i = { 0 };
	struct buf sigs = BUF_INIT;
	struct store_path p;
	int rc = wire_get_path(&c->w, c->dir, 0, &p, e);

	(void)op;
	rc = rc ? rc : wire_get_words(&c->w, &sigs, e);
	if (!rc) {
		client_begin(c);
		rc = db_info(store_db(c->s), &p, &i, e);
		if (!rc && path_info_add_sigs(&i, buf_str(&sigs)))
			rc = db_update(store_db(c->s), &i, e);
		rc = client_done_well(c, rc, e);
	}
	path_info_release(&i);
	buf_release(&sigs);
	return rc;
}

static int copy_log(struct client *c, const struct store_path *drv, const struct byte_source *from, struct err *e)
{
	struct build_log *log = log_open(c->s, drv, e);
	char bytes[1 << 14];
	long n;

	if (!log)
		return e->code;
	while ((n = from->read(from->user, bytes, sizeof bytes, e)) > 0)
		log_write(log, bytes, (size_t)n);
	log_close(log);
	logs_wait(0);
	return (int)n;
}

int op_add_log(struct client *c, enum operation op, struct err *e)
{
	struct wire_frames frames;
	struct buf base = BUF_INIT;
	struct store_path p;
	int rc = wire_get_text(&c->w, NAME_TEXT_MAX, &base, e);

	(void)op;
	rc = rc ? rc : store_path_parse_base((struct slice){ buf_str(&base), base.len }, &p, e);
	buf_release(&base);
	if (rc)
		return rc;
	client_begin(c);
	wire_frames_begin(&frames, &c->w);
	rc = client_want_trust(c, "a log cannot be added", e);
	rc = rc ? rc : copy_log(c, &p, &frames.source, e);
	rc = end_frames(c, &frames, rc, e);
	return client_done_well(c, rc, e);
}

int op_register_output(struct client *c, enum operation op, struct err *e)
{
	int rc = wire_skip_text(&c->w, e);

	(void)op;
	if (!rc && c->minor < 31)
		rc = wire_skip_text(&c->w, e);
	if (rc)
		return rc;
	client_begin(c);
	return err_set(e, ERR_INVALID, "outputs whose paths are known only after the build cannot be registered here");
}
