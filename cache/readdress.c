/* SPDX-License-Identifier: MIT
 *
 * Each object after those it refers to, in two passes over its archive: the first learns its hash, with the new paths of its
 * references in place and its own digest left out; from that follows its path, with which the second writes it.
 *
 * What is in a cache is first fetched into a store of its own, which lies in a stage of the one it is meant for: so it is unpacked,
 * checked and kept from nobody as any other, on the right file system, and gone with the stage however the process ends.
 */
#include "config.h"
#include "cache/readdress.h"
#include "base/alloc.h"
#include "format/rewrite.h"
#include "store/claims.h"
#include "store/object.h"
#include "store/roots.h"

#include <stdio.h>
#include <stdlib.h>

void readdressed_release(struct readdressed *r)
{
	path_set_release(&r->from);
	free(r->to);
	*r = (struct readdressed){ 0 };
}

const struct store_path *readdressed_path(const struct readdressed *r, const struct store_path *from)
{
	size_t lo = 0, hi = r->from.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = store_path_cmp(&r->from.v[mid], from);

		if (!c)
			return &r->to[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* --- one object --- */

struct object {
	struct store *from, *to;
	struct path_info old, new;
	struct rewrite *rewrites;
	size_t n;
	struct buf text; /* what they hold */
};

static void object_release(struct object *o)
{
	path_info_release(&o->old);
	path_info_release(&o->new);
	free(o->rewrites);
	buf_release(&o->text);
}

static struct slice add_text(struct object *o, const struct store_path *p)
{
	size_t at = o->text.len;

	store_add_path(o->to, &o->text, p);
	return (struct slice){ o->text.p + at, o->text.len - at };
}

/* What it is going to refer to, and the texts to replace for that. */
static void take_references(struct object *o, const struct readdressed *done)
{
	o->rewrites = xcalloc(o->old.refs.n + 1, sizeof *o->rewrites);
	/* Texts are borrowed from it: it must not move. */
	buf_reserve(&o->text, 2 * (o->old.refs.n + 1) * (store_dir(o->to).n + STORE_BASE_MAX + 2));
	for (size_t k = 0; k < o->old.refs.n; k++) {
		const struct store_path *ref = &o->old.refs.v[k], *now;

		if (!store_path_cmp(ref, &o->old.path))
			continue;
		now = readdressed_path(done, ref);
		path_set_add(&o->new.refs, now);
		if (store_path_cmp(ref, now)) {
			struct slice a = add_text(o, ref), b = add_text(o, now);
			o->rewrites[o->n++] = (struct rewrite){ a, b };
		}
	}
}

static int into_hash(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	self_hash_feed(user, p, n);
	return 0;
}

static int into_rewriter(void *user, const void *p, size_t n, struct err *e)
{
	return rewriter_feed(user, p, n, e);
}

static int into_object(void *user, const void *p, size_t n, struct err *e)
{
	return object_feed(user, p, n, e);
}

/* The archive of the old one, with its references replaced. */
static int write_archive(struct object *o, const struct nar_sink *to, struct err *e)
{
	struct rewriter *r = rewriter_new(o->rewrites, o->n, to);
	const char *base = o->old.path.base;
	int rc = nar_write(store_fd(o->from), base, base, NULL, &(struct nar_sink){ into_rewriter, r }, e);

	rc = rc ? rc : rewriter_end(r, e);
	rewriter_free(r);
	return rc;
}

static int compute_path(struct object *o, const struct hash *h, struct err *e)
{
	struct slice *refs = xcalloc(o->new.refs.n + 1, sizeof *refs);
	int self = path_set_has(&o->old.refs, &o->old.path), rc;
	struct buf ca = BUF_INIT, text = BUF_INIT;

	buf_reserve(&text, (o->new.refs.n + 1) * (store_dir(o->to).n + STORE_BASE_MAX + 2));
	for (size_t k = 0; k < o->new.refs.n; k++) {
		size_t at = text.len;

		store_add_path(o->to, &text, &o->new.refs.v[k]);
		refs[k] = (struct slice){ text.p + at, text.len - at };
	}
	rc = store_path_make_fixed(store_dir(o->to), store_path_name(&o->old.path), CA_NAR, h, refs, o->new.refs.n, self,
				   &o->new.path, e);
	if (!rc && self)
		path_set_add(&o->new.refs, &o->new.path);
	ca_add(&ca, CA_NAR, h);
	o->new.ca = buf_detach(&ca, NULL);
	free(refs);
	buf_release(&text);
	return rc;
}

static int learn_path(struct object *o, struct hash *h, struct err *e)
{
	struct self_hash *hash = self_hash_new(o->old.path.base);
	int rc = write_archive(o, &(struct nar_sink){ into_hash, hash }, e);

	self_hash_end(hash, h);
	return rc ? rc : compute_path(o, h, e);
}

/* The second pass. */
static int write_object(struct object *o, struct stage *st, const struct hash *h, struct err *e)
{
	const struct rewrite self = { store_path_hash(&o->old.path), store_path_hash(&o->new.path) };
	struct object_facts f = { .method = CA_NAR, .algo = HASH_SHA256, .self = o->new.path.base, .rewrites = &self,
				  .nrewrites = 1 };
	struct object_writer *w;
	int rc = object_begin(&w, stage_fd(st), "object", &f, e);

	if (rc)
		return rc;
	rc = object_end(w, write_archive(o, &(struct nar_sink){ into_object, w }, e), e);
	if (!rc && !hash_eq(&f.hash, h))
		rc = err_set(e, ERR_HASH, "'%s' changed while it was read", o->old.path.base);
	o->new.nar_hash = f.nar_hash;
	o->new.nar_size = f.nar_size;
	object_facts_release(&f);
	return rc;
}

static int put(struct object *o, const struct hash *h, struct err *e)
{
	struct stage *st = NULL;
	int rc = store_add_temp_root(o->to, &o->new.path, e);

	rc = rc ? rc : store_is_valid_as(o->to, &o->new.path, CA_NAR, h, e);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = stage_open(o->to, &st, e);
	rc = rc ? rc : write_object(o, st, h, e);
	rc = rc ? rc : store_commit_staged(o->to, st, "object", &o->new, e);
	stage_free(st);
	return rc;
}

static int readdress_one(struct store *from, struct store *to, size_t k, struct readdressed *r, struct err *e)
{
	struct object o = { .from = from, .to = to };
	struct hash h;
	int rc = db_info(store_db(from), &r->from.v[k], &o.old, e);

	if (!rc) {
		take_references(&o, r);
		rc = learn_path(&o, &h, e);
	}
	rc = rc ? rc : put(&o, &h, e);
	r->to[k] = o.new.path;
	object_release(&o);
	return rc;
}

/* --- closures --- */

int readdress(struct store *from, struct store *to, const struct path_set *paths, struct readdressed *out, struct err *e)
{
	size_t *order = NULL;
	int rc = slice_eq(store_dir(from), store_dir(to)) ? 0 :
		 err_set(e, ERR_INVALID, "the stores have different directories: paths of one mean nothing in the other");

	*out = (struct readdressed){ 0 };
	for (size_t k = 0; !rc && k < paths->n; k++)
		rc = store_closure(from, &paths->v[k], 0, &out->from, e);
	out->to = xcalloc(out->from.n + 1, sizeof *out->to);
	rc = rc ? rc : store_order(from, out->from.v, out->from.n, &order, e);
	for (size_t k = 0; !rc && k < out->from.n; k++)
		rc = readdress_one(from, to, order[k], out, e);
	free(order);
	return rc;
}

/* A store in a stage: root is where. */
static int open_between(const char *root, struct store *to, struct place *p, struct store **out, struct err *e)
{
	struct buf real = BUF_INIT;

	buf_addf(&real, "%s%.*s", root, (int)store_dir(to).n, store_dir(to).p);
	*p = (struct place){ .mode = PLACE_ROOT, .root = xstrdup(root), .store_dir = xstrdup(store_place(to)->store_dir) };
	p->real_store = buf_detach(&real, NULL);
	buf_addf(&real, "%s/var/nix", root);
	p->state_dir = buf_detach(&real, NULL);
	buf_addf(&real, "%s/var/log/nix", root);
	p->log_dir = buf_detach(&real, NULL);
	return store_open(out, p, STORE_NOSYNC, e);
}

int readdress_from_cache(const struct cache_source *from, struct store *to, const struct path_set *paths, struct readdressed *out,
			 struct err *e)
{
	struct stage *st = NULL;
	struct place place = { 0 };
	struct store *between = NULL;
	struct cache_source anyone = *from;
	struct copy_result r;
	char root[40];
	int rc = stage_open(to, &st, e);

	*out = (struct readdressed){ 0 };
	if (rc)
		return rc;
	snprintf(root, sizeof root, "/proc/self/fd/%d", stage_fd(st));
	rc = open_between(root, to, &place, &between, e);
	/* What comes out is vouched for by its paths alone. */
	anyone.check_sigs = 0;
	rc = rc ? rc : copy_from_cache(&anyone, between, paths, &r, e);
	rc = rc ? rc : readdress(between, to, paths, out, e);
	store_free(between);
	place_release(&place);
	stage_free(st);
	return rc;
}
