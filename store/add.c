/* SPDX-License-Identifier: MIT
 *
 * Adding one object: stage it, see what it is called, and commit it unless it is there already.
 *
 * The order of the first steps matters against a collector: the path is named a temporary root, and only
 * then asked whether it is valid (store/roots.h).
 */
#include "config.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "store/claims.h"
#include "store/object.h"
#include "store/roots.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char staged[] = "object"; /* its name in the stage */

/* The objects an object is about to refer to are kept meanwhile. */
static int hold(struct store *s, const struct store_path *p, const struct path_set *refs, struct err *e)
{
	int rc = store_add_temp_root(s, p, e);

	for (size_t i = 0; !rc && refs && i < refs->n; i++)
		rc = store_add_temp_root(s, &refs->v[i], e);
	return rc;
}

/* Full texts of references, in the order the path is computed from. */
struct ref_texts {
	struct slice *v;
	struct buf text;
};

static void ref_texts_init(struct ref_texts *r, struct store *s, const struct path_set *refs)
{
	size_t n = refs ? refs->n : 0;

	*r = (struct ref_texts){ xcalloc(n + 1, sizeof *r->v), BUF_INIT };
	buf_reserve(&r->text, (n + 1) * (store_dir(s).n + STORE_BASE_MAX + 2));
	for (size_t i = 0; i < n; i++) {
		size_t at = r->text.len;
		store_add_path(s, &r->text, &refs->v[i]);
		r->v[i] = (struct slice){ r->text.p + at, r->text.len - at };
	}
}

static void ref_texts_release(struct ref_texts *r)
{
	free(r->v);
	buf_release(&r->text);
}

static int compute_path(struct store *s, const struct source_object *o, const struct hash *h, struct store_path *out,
			struct err *e)
{
	size_t n = o->refs ? o->refs->n : 0;
	struct ref_texts refs;
	int rc;

	ref_texts_init(&refs, s, o->refs);
	rc = o->method == CA_TEXT ? store_path_make_text(store_dir(s), o->name, h, refs.v, n, out, e) :
				    store_path_make_fixed(store_dir(s), o->name, o->method, h, refs.v, n, 0, out, e);
	ref_texts_release(&refs);
	return rc;
}

static char *ca_text(enum ca_method m, const struct hash *h)
{
	struct buf b = BUF_INIT;

	ca_add(&b, m, h);
	return buf_detach(&b, NULL);
}

/* The row of a source object that was staged. */
static int commit_source(struct store *s, struct stage *st, const struct source_object *o, const struct object_facts *f,
			 const struct hash *h, const struct store_path *path, struct err *e)
{
	struct path_info info = { .path = *path, .nar_hash = f->nar_hash, .nar_size = f->nar_size };
	int rc;

	info.ca = ca_text(o->method, h);
	if (o->refs)
		path_set_add_all(&info.refs, o->refs);
	rc = store_commit_staged(s, st, staged, &info, e);
	path_info_release(&info);
	return rc;
}

int store_add_text(struct store *s, struct slice name, struct slice text, const struct path_set *refs,
		   struct store_path *out, struct err *e)
{
	const struct source_object o = { .name = name, .method = CA_TEXT, .refs = refs };
	struct object_facts f = { 0 };
	struct store_path path;
	struct stage *st = NULL;
	struct hash h;
	int rc, valid;

	hash_bytes(HASH_SHA256, text.p, text.n, &h);
	rc = compute_path(s, &o, &h, &path, e);
	if (!rc)
		rc = hold(s, &path, refs, e);
	if (rc)
		return rc;
	if (out)
		*out = path;
	valid = store_is_text(s, &path, text, e);
	if (valid)
		return valid < 0 ? valid : 0;
	rc = stage_open(s, &st, e);
	if (!rc)
		rc = object_write(text, 0, stage_fd(st), staged, &f, e);
	if (!rc)
		rc = commit_source(s, st, &o, &f, &h, &path, e);
	stage_free(st);
	return rc;
}

static int mismatch(const struct source_object *o, const struct hash *got, struct err *e)
{
	char want_text[HASH_TEXT_MAX], got_text[HASH_TEXT_MAX];

	hash_print(o->expected, HASH_SRI, 1, want_text);
	hash_print(got, HASH_SRI, 1, got_text);
	return err_set(e, ERR_HASH, "'%.*s' does not have the hash it should have: wanted %s, got %s", (int)o->name.n,
		       o->name.p, want_text, got_text);
}

/* What is staged, and hashed, gets its name. */
static int finish_source(struct store *s, struct stage *st, const struct source_object *o, const struct object_facts *f,
			 struct store_path *out, struct err *e)
{
	struct store_path path;
	int rc, valid = 0;

	if (o->expected && !hash_eq(o->expected, &f->hash))
		return mismatch(o, &f->hash, e);
	rc = compute_path(s, o, &f->hash, &path, e);
	rc = rc ? rc : hold(s, &path, o->refs, e);
	if (!rc && (valid = store_is_valid_as(s, &path, o->method, &f->hash, e)) < 0)
		rc = valid;
	if (!rc && !valid)
		rc = commit_source(s, st, o, f, &f->hash, &path, e);
	if (!rc && out)
		*out = path;
	return rc;
}

int store_add_tree(struct store *s, int dirfd, const char *name, const struct source_object *o,
		   struct store_path *out, struct err *e)
{
	struct object_facts f = { .method = o->method, .algo = o->algo == HASH_ANY ? HASH_SHA256 : o->algo };
	struct stage *st = NULL;
	int rc = store_name_check(o->name, e);

	if (!rc)
		rc = stage_open(s, &st, e);
	unsigned activity = activity_begin(ACTIVITY_COPY, name);
	if (!rc && o->method == CA_NAR)
		rc = object_copy(dirfd, name, o->path, o->filter, stage_fd(st), staged, &f, e);
	else if (!rc)
		rc = object_copy_flat(dirfd, name, stage_fd(st), staged, &f, e);
	activity_end(activity, rc);
	rc = rc ? rc : finish_source(s, st, o, &f, out, e);
	stage_free(st);
	object_facts_release(&f);
	return rc;
}

/* --- from a stream --- */

/* All bytes to a file. */
static int spool(const struct byte_source *from, int dirfd, const char *name, struct err *e)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;
	char bytes[1 << 14];
	long n;

	if (fd < 0)
		return err_errno(e, "cannot write to the store");
	while (!rc && (n = from->read(from->user, bytes, sizeof bytes, e)))
		rc = n < 0 ? (int)n : fd_write_all(fd, bytes, (size_t)n) ? err_errno(e, "cannot write to the store") : 0;
	close(fd);
	return rc;
}

int store_add_dump(struct store *s, const struct byte_source *from, int archive, const struct source_object *o,
		   struct store_path *out, struct err *e)
{
	static const char raw[] = "as-it-came";
	struct object_facts f = { .method = o->method, .algo = o->algo == HASH_ANY ? HASH_SHA256 : o->algo }, whole = { 0 };
	struct stage *st = NULL;
	int rc = store_name_check(o->name, e);

	if (!rc && o->method == CA_GIT)
		rc = err_set(e, ERR_INVALID, "'%.*s' is to be hashed as git does, which is not possible here", (int)o->name.n,
			     o->name.p);
	rc = rc ? rc : stage_open(s, &st, e);
	if (!rc && archive)
		rc = object_restore(from, stage_fd(st), o->method == CA_NAR ? staged : raw, o->method == CA_NAR ? &f : &whole, e);
	else if (!rc)
		rc = spool(from, stage_fd(st), raw, e);
	if (!rc && o->method != CA_NAR)
		rc = object_copy_flat(stage_fd(st), raw, stage_fd(st), staged, &f, e);
	rc = rc ? rc : finish_source(s, st, o, &f, out, e);
	stage_free(st);
	object_facts_release(&f);
	object_facts_release(&whole);
	return rc;
}

/* What is said of the content address of an archive from elsewhere has to be true of it: nothing else vouches for that. */
int address_want(const struct path_info *info, struct object_facts *f, struct hash *want, struct err *e)
{
	if (!info->ca)
		return 0;
	if (path_set_has(&info->refs, &info->path))
		f->self = info->path.base;
	if (ca_parse(slice_of(info->ca), &f->method, want, e))
		return ERR_INVALID;
	f->algo = want->algo;
	return 0;
}

int address_check(const struct path_info *info, const struct object_facts *f, const struct hash *want, struct err *e)
{
	int fits = f->method == CA_NAR || (f->type == NAR_REGULAR && !f->executable);

	if (!info->ca || (fits && hash_eq(&f->hash, want)))
		return 0;
	return err_set(e, ERR_HASH, "the archive of '%s' does not have the content address '%s'", info->path.base, info->ca);
}

int store_add_nar(struct store *s, const struct path_info *info, const struct byte_source *nar, struct err *e)
{
	struct object_facts f = { .max_size = info->nar_size };
	struct stage *st = NULL;
	struct hash want;
	int rc = hold(s, &info->path, &info->refs, e), valid;

	rc = rc ? rc : address_want(info, &f, &want, e);
	if (rc)
		return rc;
	valid = store_is_valid(s, &info->path, e);
	if (valid)
		return valid < 0 ? valid : 0;
	rc = stage_open(s, &st, e);
	if (!rc)
		rc = object_restore(nar, stage_fd(st), staged, &f, e);
	if (!rc && (!hash_eq(&f.nar_hash, &info->nar_hash) || f.nar_size != info->nar_size))
		rc = err_set(e, ERR_HASH, "the archive of '%s' is not the one that was announced", info->path.base);
	rc = rc ? rc : address_check(info, &f, &want, e);
	if (!rc)
		rc = store_commit_staged(s, st, staged, info, e);
	stage_free(st);
	object_facts_release(&f);
	return rc;
}
