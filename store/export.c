/* SPDX-License-Identifier: MIT
 *
 * An object's description comes behind its archive: what is read is staged first, and gets its name and its row when those are
 * known.
 */
#include "config.h"
#include "store/export.h"
#include "base/alloc.h"
#include "store/roots.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x4558494e, REFERENCES_MAX = 1 << 20 };

static const char staged[] = "object";

/* --- writing --- */

static int put_number(const struct nar_sink *to, uint64_t n, struct err *e)
{
	n = htole64(n);
	return to->write(to->user, &n, sizeof n, e);
}

static int put_text(const struct nar_sink *to, const char *p, size_t n, struct err *e)
{
	static const char zeros[8];
	int rc = put_number(to, n, e);

	rc = rc ? rc : to->write(to->user, p, n, e);
	return rc || n % 8 == 0 ? rc : to->write(to->user, zeros, 8 - n % 8, e);
}

static int put_path(struct store *s, const struct nar_sink *to, const struct store_path *p, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	if (p->len)
		store_add_path(s, &b, p);
	rc = put_text(to, buf_str(&b), b.len, e);
	buf_release(&b);
	return rc;
}

/* An archive's bytes on their way, hashed. */
struct hashed {
	const struct nar_sink *to;
	struct hash_ctx hash;
};

static int put_hashed(void *user, const void *p, size_t n, struct err *e)
{
	struct hashed *h = user;

	hash_update(&h->hash, p, n);
	return h->to->write(h->to->user, p, n, e);
}

static int put_archive(struct store *s, const struct path_info *info, const struct nar_sink *to, struct err *e)
{
	struct hashed h = { .to = to };
	const struct nar_sink sink = { put_hashed, &h };
	struct hash got;
	int rc;

	hash_init(&h.hash, HASH_SHA256);
	rc = nar_write(store_fd(s), info->path.base, NULL, NULL, &sink, e);
	hash_final(&h.hash, &got);
	if (!rc && !hash_eq(&got, &info->nar_hash))
		rc = err_set(e, ERR_HASH, "'%s' is damaged: it is not what was added to the store; 'gx store verify' tells more",
			     info->path.base);
	return rc;
}

static int export_one(struct store *s, const struct store_path *p, const struct nar_sink *to, struct err *e)
{
	struct path_info info = { 0 };
	int rc = db_info(store_db(s), p, &info, e);

	rc = rc ? rc : store_have_files(s, p, e);
	rc = rc ? rc : put_number(to, 1, e);
	rc = rc ? rc : put_archive(s, &info, to, e);
	rc = rc ? rc : put_number(to, MAGIC, e);
	rc = rc ? rc : put_path(s, to, p, e);
	rc = rc ? rc : put_number(to, info.refs.n, e);
	for (size_t i = 0; !rc && i < info.refs.n; i++)
		rc = put_path(s, to, &info.refs.v[i], e);
	rc = rc ? rc : put_path(s, to, &info.deriver, e);
	rc = rc ? rc : put_number(to, 0, e);
	path_info_release(&info);
	return rc;
}

int store_export(struct store *s, const struct path_set *paths, const struct nar_sink *sink, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < paths->n; i++)
		rc = export_one(s, &paths->v[i], sink, e);
	return rc ? rc : put_number(sink, 0, e);
}

int store_export_ordered(struct store *s, const struct path_set *paths, const struct nar_sink *sink, struct err *e)
{
	struct path_set ordered = PATH_SET_INIT;
	size_t *order;
	int rc = store_order(s, paths->v, paths->n, &order, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < paths->n; i++)
		path_set_push(&ordered, &paths->v[order[i]]);
	rc = store_export(s, &ordered, sink, e);
	free(order);
	path_set_release(&ordered);
	return rc;
}

/* --- reading --- */

/* The stream, and a second look at the archive that is being read, which tells where it ends. */
struct stream {
	const struct byte_source *from;
	struct nar_reader *archive;
	size_t at, end;
	char bytes[1 << 16];
};

/* Has something to give; ERR_INVALID at the end. */
static int fill(struct stream *in, struct err *e)
{
	long n;

	if (in->at < in->end)
		return 0;
	n = in->from->read(in->from->user, in->bytes, sizeof in->bytes, e);
	in->at = 0;
	in->end = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : n < 0 ? (int)n : err_set(e, ERR_INVALID, "the export is cut off");
}

static int get(struct stream *in, void *p, size_t n, struct err *e)
{
	int rc = 0;

	for (size_t k; n && !(rc = fill(in, e)); p = (char *)p + k, n -= k) {
		k = n < in->end - in->at ? n : in->end - in->at;
		memcpy(p, in->bytes + in->at, k);
		in->at += k;
	}
	return rc;
}

/* The archive's bytes; 0 behind its last. */
static long read_archive(void *user, void *p, size_t n, struct err *e)
{
	struct stream *in = user;
	size_t k, used;

	if (nar_reader_done(in->archive))
		return 0;
	if (fill(in, e))
		return e->code;
	k = n < in->end - in->at ? n : in->end - in->at;
	if (nar_reader_feed(in->archive, in->bytes + in->at, k, &used, e))
		return e->code;
	memcpy(p, in->bytes + in->at, used);
	in->at += used;
	return (long)used;
}

static int get_archive(struct stream *in, int dirfd, struct object_facts *f, struct err *e)
{
	static const struct nar_events nothing = { .directory = NULL };
	const struct byte_source source = { read_archive, in };
	int rc;

	in->archive = nar_reader_new(&nothing, NULL);
	rc = object_restore(&source, dirfd, staged, f, e);
	nar_reader_free(in->archive);
	return rc;
}

static int get_number(struct stream *in, uint64_t *n, struct err *e)
{
	int rc = get(in, n, sizeof *n, e);

	*n = le64toh(*n);
	return rc;
}

/* A path, or with none_too an empty text: len 0. */
static int get_path(struct store *s, struct stream *in, int none_too, struct store_path *out, struct err *e)
{
	char text[PATH_MAX + 8];
	uint64_t n = 0;
	int rc = get_number(in, &n, e);

	out->len = 0;
	if (rc)
		return rc;
	if (n >= PATH_MAX)
		return err_set(e, ERR_INVALID, "the export has a path of %llu bytes", (unsigned long long)n);
	rc = get(in, text, (n + 7) & ~(uint64_t)7, e);
	if (rc || (!n && none_too))
		return rc;
	return store_path_parse(store_dir(s), (struct slice){ text, n }, out, e);
}

static int get_references(struct store *s, struct stream *in, struct path_set *refs, struct err *e)
{
	struct store_path p;
	uint64_t n = 0;
	int rc = get_number(in, &n, e);

	if (!rc && n > REFERENCES_MAX)
		rc = err_set(e, ERR_LIMIT, "the export has an object with %llu references", (unsigned long long)n);
	for (; !rc && n; n--)
		if (!(rc = get_path(s, in, 0, &p, e)))
			path_set_add(refs, &p);
	return rc;
}

/* What stands behind an archive. */
static int get_description(struct store *s, struct stream *in, struct path_info *info, struct err *e)
{
	uint64_t magic = 0, more = 0;
	int rc = get_number(in, &magic, e);

	if (!rc && magic != MAGIC)
		rc = err_set(e, ERR_INVALID, "this is no export of 'nix-store --export' or 'gx store export'");
	rc = rc ? rc : get_path(s, in, 0, &info->path, e);
	rc = rc ? rc : get_references(s, in, &info->refs, e);
	rc = rc ? rc : get_path(s, in, 1, &info->deriver, e);
	rc = rc ? rc : get_number(in, &more, e);
	if (!rc && more)
		rc = err_set(e, ERR_INVALID, "the export of '%s' has a signature of a form that was given up", info->path.base);
	return rc;
}

static int import_one(struct store *s, struct stream *in, struct path_set *out, struct err *e)
{
	struct object_facts f = { 0 };
	struct path_info info = { 0 };
	struct stage *st = NULL;
	int rc = stage_open(s, &st, e);

	rc = rc ? rc : get_archive(in, stage_fd(st), &f, e);
	rc = rc ? rc : get_description(s, in, &info, e);
	info.nar_hash = f.nar_hash;
	info.nar_size = f.nar_size;
	rc = rc ? rc : store_add_temp_root(s, &info.path, e);
	rc = rc ? rc : store_commit_staged(s, st, staged, &info, e);
	if (!rc)
		path_set_push(out, &info.path);
	stage_free(st);
	path_info_release(&info);
	object_facts_release(&f);
	return rc;
}

int store_import(struct store *s, const struct byte_source *from, struct path_set *out, struct err *e)
{
	struct stream *in = xcalloc(1, sizeof *in);
	uint64_t more = 0;
	int rc;

	in->from = from;
	while (!(rc = get_number(in, &more, e)) && more == 1)
		if ((rc = import_one(s, in, out, e)))
			break;
	if (!rc && more)
		rc = err_set(e, ERR_INVALID, "this is no export of 'nix-store --export' or 'gx store export'");
	free(in);
	return rc;
}
