/* SPDX-License-Identifier: MIT
 *
 * What is computed from derivations.  Defined in the Nix manual (store/derivation, protocols/store-path)
 * and by what `nix-instantiate` prints.
 *
 *   output path (input-addressed) = output path of SHA-256(text of the derivation with
 *        its outputs' paths and the variables named after them empty, and in place of each
 *        input's path, its hash modulo)
 *   hash modulo = SHA-256(text of the derivation with the paths of its outputs, and in place of
 *        each input's path, its hash modulo)
 *   hash modulo of a fixed output = SHA-256("fixed:out:" [ "r:" | … ] algo ":" base16 ":" path)
 *
 * So how a fixed output is fetched does not matter to who uses it.  In the text, a fixed input counts as
 * one that has the single output "out".  Inputs are ordered by hash; two derivations
 * with the same hash (they differ in how some fixed input is fetched) become one input that has the outputs of
 * both ("both" in tests/unit/data/drv1.nix).
 *
 * A derivation with an input of unknown path (floating, impure, dynamic) has neither yet: it is deferred.
 */
#include "config.h"
#include "format/modulo.h"
#include "base/alloc.h"
#include "format/basen.h"
#include "format/drv_int.h"
#include "format/goh1.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- inputs by hash --- */

struct hashed {
	struct drv_hashed_input *a;
	size_t n;
	int deferred;
	struct arena arena; /* merged output lists */
};

static void hashed_release(struct hashed *h)
{
	free(h->a);
	arena_release(&h->arena);
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(((const struct drv_hashed_input *)a)->hash, ((const struct drv_hashed_input *)b)->hash,
		      HASH_SHA256_LEN);
}

/* The union of two sorted lists. */
static void merge(struct hashed *h, struct drv_hashed_input *into, const struct drv_hashed_input *from)
{
	size_t n = into->noutputs + from->noutputs;
	struct slice *s = arena_alloc(&h->arena, mem_size(n, sizeof *s, 0));

	memcpy(s, into->outputs, into->noutputs * sizeof *s);
	memcpy(s + into->noutputs, from->outputs, from->noutputs * sizeof *s);
	into->outputs = s;
	into->noutputs = drv_sort_slices(s, n);
}

static void order(struct hashed *h)
{
	size_t k = 0;

	if (h->n)
		qsort(h->a, h->n, sizeof *h->a, by_hash);
	for (size_t i = 0; i < h->n; i++)
		if (k && !by_hash(&h->a[k - 1], &h->a[i]))
			merge(h, &h->a[k - 1], &h->a[i]);
		else
			h->a[k++] = h->a[i];
	h->n = k;
}

/* One input; *deferred is set when its paths are not known. */
static int hash_input(struct drv_hashed_input *out, const struct drv_input *in, const struct drv_cache *c,
		      int *deferred, struct err *e)
{
	static const struct slice out_name[] = { { "out", 3 } };
	struct drv_modulo m;
	int rc;

	if (in->node.nchildren) {
		*deferred = 1;
		return 0;
	}
	if (!c)
		return err_set(e, ERR_NOTFOUND, "hash of derivation '%s' is not known", in->path.p);
	if ((rc = c->get(c->user, in->path, &m, e)))
		return rc;
	memcpy(out->hash, m.hash, sizeof out->hash);
	out->outputs = in->node.outputs;
	out->noutputs = in->node.noutputs;
	if (m.kind == DRV_MODULO_DEFERRED)
		*deferred = 1;
	if (m.kind != DRV_MODULO_FIXED)
		return 0;
	for (size_t i = 0; i < in->node.noutputs; i++)
		if (!slice_eq(in->node.outputs[i], out_name[0]))
			return err_set(e, ERR_INVALID, "fixed-output derivation '%s' has no output '%s'", in->path.p,
				       in->node.outputs[i].p);
	out->outputs = out_name;
	out->noutputs = 1;
	return 0;
}

/* Fills h, to be released by the caller in any case. */
static int hash_inputs(struct hashed *h, const struct drv *d, const struct drv_cache *c, struct err *e)
{
	memset(h, 0, sizeof *h);
	if (!d->ninputs)
		return 0;
	h->a = xmalloc(mem_size(d->ninputs, sizeof *h->a, 0));
	for (size_t i = 0; i < d->ninputs && !h->deferred; i++) {
		int rc = hash_input(&h->a[i], &d->inputs[i], c, &h->deferred, e);

		if (rc)
			return rc;
	}
	h->n = d->ninputs;
	if (!h->deferred)
		order(h);
	return 0;
}

/* --- the two hashes --- */

static void form_hash(const struct drv *d, const struct hashed *h, int masked, struct slice rest, struct hash *out)
{
	struct drv_form f = { .inputs = h->a, .ninputs = h->n, .hashed = 1, .masked = masked, .rest = rest };
	struct hash_ctx c;

	hash_init(&c, HASH_SHA256);
	drv_hash_form(&c, d, &f);
	hash_final(&c, out);
}

static void fixed_modulo(const struct drv_output *o, struct drv_modulo *m)
{
	char text[HASH_TEXT_MAX];
	struct slice prefix = ca_method_prefix(o->method);
	struct hash_ctx c;
	struct hash h;

	hash_init(&c, HASH_SHA256);
	hash_update(&c, "fixed:out:", 10);
	hash_update(&c, prefix.p, prefix.n);
	hash_update(&c, text, hash_print(&o->hash, HASH_BASE16, 1, text));
	hash_update(&c, ":", 1);
	hash_update(&c, o->path.p, o->path.n);
	hash_final(&c, &h);
	m->kind = DRV_MODULO_FIXED;
	memcpy(m->hash, h.b, sizeof m->hash);
}

/* With the inputs hashed already; rest as in struct drv_form. */
static void modulo_of(const struct drv *d, enum drv_output_kind kind, const struct hashed *h, struct slice rest,
		      struct drv_modulo *m)
{
	struct hash x;

	memset(m, 0, sizeof *m);
	m->kind = DRV_MODULO_DEFERRED;
	if (kind == DRV_FIXED) {
		fixed_modulo(&d->outputs[0], m);
	} else if (kind == DRV_INPUT && !h->deferred) {
		form_hash(d, h, 0, rest, &x);
		m->kind = DRV_MODULO_HASH;
		memcpy(m->hash, x.b, sizeof m->hash);
	}
}

int drv_modulo(const struct drv *d, const struct drv_cache *c, struct drv_modulo *out, struct err *e)
{
	struct hashed h = { 0 };
	enum drv_output_kind kind;
	int rc = drv_kind(d, &kind, e);

	if (!rc && kind == DRV_INPUT)
		rc = hash_inputs(&h, d, c, e);
	if (!rc)
		modulo_of(d, kind, &h, (struct slice){ 0 }, out);
	hashed_release(&h);
	return rc;
}

int drv_write_masked(struct buf *b, const struct drv *d, const struct drv_cache *c, int *deferred, struct err *e)
{
	struct hashed h;
	int rc = hash_inputs(&h, d, c, e);

	*deferred = h.deferred;
	if (!rc && !h.deferred)
		drv_write_form(b, d, &(struct drv_form){ .inputs = h.a, .ninputs = h.n, .hashed = 1, .masked = 1 });
	hashed_release(&h);
	return rc;
}

/* --- output paths --- */

static struct slice full_path(struct drv *d, struct slice dir, const struct store_path *p)
{
	char *s = arena_alloc(&d->arena, dir.n + 1 + p->len + 1);

	memcpy(s, dir.p, dir.n);
	s[dir.n] = '/';
	memcpy(s + dir.n + 1, p->base, p->len + 1u);
	return (struct slice){ s, dir.n + 1 + p->len };
}

/* What a variable named as an output holds before paths of input-addressed outputs are known.  Must come before the
 * sort, since it may add variables. */
static int prepare_output(struct drv *d, struct slice dir, struct drv_output *o, struct err *e)
{
	char text[PLACEHOLDER_LEN + 1], name[STORE_NAME_MAX + 1];
	struct store_path p;

	switch (o->kind) {
	case DRV_DEFERRED:
	case DRV_INPUT:
		o->kind = DRV_DEFERRED;
		o->path = SLICE("");
		drv_set_env(d, o->name, SLICE(""));
		break;
	case DRV_FIXED: {
		int rc = store_path_make_fixed(dir, store_output_name(d->name, o->name, name), o->method, &o->hash, NULL,
					       0, 0, &p, e);

		if (rc)
			return rc;
		o->path = full_path(d, dir, &p);
		drv_set_env(d, o->name, o->path);
		break;
	}
	case DRV_FLOATING:
	case DRV_IMPURE:
		o->path = SLICE("");
		placeholder_output(o->name, text);
		drv_set_env(d, o->name, (struct slice){ text, PLACEHOLDER_LEN });
		break;
	}
	return 0;
}

static struct drv_env *env_entry(struct drv *d, struct slice key)
{
	for (size_t i = 0; i < d->nenv; i++)
		if (slice_eq(d->env[i].key, key))
			return &d->env[i];
	return NULL;
}

/* Paths of the input-addressed outputs, from the masked hash. */
static int fill_outputs(struct drv *d, struct slice dir, const struct hash *masked, struct err *e)
{
	struct store_path p;

	for (size_t i = 0; i < d->noutputs; i++) {
		struct drv_output *o = &d->outputs[i];
		int rc = store_path_make_output(dir, d->name, o->name, masked, &p, e);

		if (rc)
			return rc;
		o->path = full_path(d, dir, &p);
		o->kind = DRV_INPUT;
		env_entry(d, o->name)->value = o->path;
	}
	return 0;
}

/* Paths from the masked text, and then the text itself from that: with a derivation's many variables, escaping them
 * once instead of twice counts.  Sets *rest to what follows the inputs in b. */
static int finish_input_addressed(struct drv *d, struct slice dir, const struct hashed *h, struct buf *b, size_t *rest,
				  struct err *e)
{
	size_t *cuts = arena_alloc(&d->arena, d->noutputs * sizeof *cuts), at;
	struct buf masked = BUF_INIT;
	struct hash x;

	at = drv_write_form(&masked, d, &(struct drv_form){ .inputs = h->a, .ninputs = h->n, .hashed = 1, .masked = 1,
							     .cuts = cuts });
	hash_bytes(HASH_SHA256, masked.p, masked.len, &x);
	int rc = fill_outputs(d, dir, &x, e);
	if (!rc)
		*rest = drv_write_unmasked(b, d, &masked, at, cuts);
	buf_release(&masked);
	return rc;
}

int drv_finish(struct drv *d, struct slice dir, const struct drv_cache *c, struct buf *text, struct store_path *path,
	       struct drv_modulo *m, struct err *e)
{
	struct buf own = BUF_INIT, *b = text ? text : &own;
	size_t start = b->len, rest = 0;
	struct hashed h = { 0 };
	enum drv_output_kind kind;
	int rc = 0;

	for (size_t i = 0; i < d->noutputs && !rc; i++)
		rc = prepare_output(d, dir, &d->outputs[i], e);
	drv_sort(d);
	if (rc || (rc = drv_kind(d, &kind, e)))
		goto out;
	if (kind == DRV_DEFERRED && (rc = hash_inputs(&h, d, c, e)))
		goto out;
	if (kind == DRV_DEFERRED && !h.deferred) {
		rc = finish_input_addressed(d, dir, &h, b, &rest, e);
		kind = DRV_INPUT;
	} else {
		rest = drv_write_form(b, d, &(struct drv_form){ 0 });
	}
	if (!rc && path)
		rc = drv_path(d, dir, (struct slice){ b->p + start, b->len - start }, path, e);
	if (!rc && m)
		modulo_of(d, kind, &h, (struct slice){ b->p + rest, b->len - rest }, m);
out:
	hashed_release(&h);
	buf_release(&own);
	return rc;
}

/* --- checking --- */

/* That an output is at the path it must be at, and so says the variable named after it. */
static int check_output(const struct drv *d, struct slice path, const struct drv_output *o, struct slice want, struct err *e)
{
	const struct slice *v = drv_env(d, o->name);

	if (!slice_eq(o->path, want))
		return err_set(e, ERR_INVALID, "derivation '%s' has incorrect output '%s', should be '%s'", path.p, o->path.p,
			       want.p);
	if (!v)
		return err_set(e, ERR_INVALID, "derivation '%s' has no environment variable '%s', should be '%s'", path.p,
			       o->name.p, want.p);
	if (!slice_eq(*v, want))
		return err_set(e, ERR_INVALID, "derivation '%s' has incorrect environment variable '%s', should be '%s'", path.p,
			       o->name.p, want.p);
	return 0;
}

/* What a derivation of a Go module says in words must be what it says in numbers: builders go by the words. */
static int check_go_h1(const struct drv *d, struct slice path, const struct drv_output *o, struct err *e)
{
	const struct slice *sum = drv_env(d, SLICE("outputHash")), *module = drv_env(d, SLICE("module"));
	struct hash h1, address;
	int rc = go_h1_parse(sum ? *sum : SLICE(""), &h1, e);

	if (rc) {
		err_prefix(e, "derivation '%s'", path.p);
		return rc;
	}
	go_h1_address(module ? *module : SLICE(""), &h1, &address);
	if (o->method != CA_NAR || !hash_eq(&address, &o->hash))
		return err_set(e, ERR_INVALID,
			       "derivation '%s' has an output whose hash is not that of the Go module with the sum '%s'", path.p,
			       sum->p);
	return 0;
}

static int check_fixed(const struct drv *d, struct slice dir, struct slice path, struct err *e)
{
	const struct slice *mode = drv_env(d, SLICE("outputHashMode"));
	const struct drv_output *o = &d->outputs[0];
	struct buf want = BUF_INIT;
	struct store_path p;
	int rc = store_path_make_fixed(dir, d->name, o->method, &o->hash, NULL, 0, 0, &p, e);

	if (!rc) {
		store_path_add(&want, dir, &p);
		rc = check_output(d, path, o, (struct slice){ want.p, want.len }, e);
	}
	if (!rc && mode && slice_eq(*mode, SLICE(GO_H1_MODE)))
		rc = check_go_h1(d, path, o, e);
	buf_release(&want);
	return rc;
}

static int check_input_addressed(const struct drv *d, struct slice dir, struct slice path, const struct hashed *h,
				 struct err *e)
{
	struct buf want = BUF_INIT;
	struct store_path p;
	struct hash masked;
	int rc = 0;

	if (h->deferred)
		return err_set(e, ERR_INVALID, "derivation '%s' has output '%s', should be deferred", path.p,
			       d->outputs[0].path.p);
	form_hash(d, h, 1, (struct slice){ 0 }, &masked);
	for (size_t i = 0; i < d->noutputs && !rc; i++) {
		rc = store_path_make_output(dir, d->name, d->outputs[i].name, &masked, &p, e);
		buf_trim(&want, 0);
		if (!rc)
			store_path_add(&want, dir, &p);
		rc = rc ? rc : check_output(d, path, &d->outputs[i], (struct slice){ want.p, want.len }, e);
	}
	buf_release(&want);
	return rc;
}

/* A derivation's text does not hold its name, which goes into its outputs' paths: the file's does. */
static int check_name(const struct drv *d, struct slice dir, struct slice path, struct err *e)
{
	struct store_path p;
	int rc = store_path_parse(dir, path, &p, e);
	struct slice name = { 0 };

	if (rc)
		return rc;
	name = store_path_name(&p);
	if (!store_path_is_drv(&p) || !slice_eq((struct slice){ name.p, name.n - 4 }, d->name))
		return err_set(e, ERR_INVALID, "derivation '%s' has the name '%s', which is not that of its path", path.p,
			       d->name.p);
	return 0;
}

int drv_check(const struct drv *d, struct slice dir, struct slice path, const struct drv_cache *c, struct drv_modulo *m,
	      struct err *e)
{
	struct hashed h = { 0 };
	enum drv_output_kind kind;
	int rc = check_name(d, dir, path, e);

	rc = rc ? rc : drv_kind(d, &kind, e);
	/* Outputs of the other kinds have no path, so nothing to be wrong. */
	if (!rc && kind == DRV_FIXED)
		rc = check_fixed(d, dir, path, e);
	if (!rc && kind == DRV_INPUT && !(rc = hash_inputs(&h, d, c, e)))
		rc = check_input_addressed(d, dir, path, &h, e);
	if (!rc && m)
		modulo_of(d, kind, &h, (struct slice){ 0 }, m);
	hashed_release(&h);
	return rc;
}

/* --- the path of the .drv --- */

int drv_path(const struct drv *d, struct slice dir, struct slice text, struct store_path *out, struct err *e)
{
	char name[STORE_NAME_MAX + 1];
	struct slice *refs = xmalloc(mem_size(d->ninputs + d->nsrcs, sizeof *refs, sizeof *refs));
	size_t n = 0;
	struct hash h;
	int rc;

	if (d->name.n + 4 > STORE_NAME_MAX) {
		rc = err_set(e, ERR_INVALID, "name '%s.drv' must be no longer than %d characters", d->name.p,
			     STORE_NAME_MAX);
		goto out;
	}
	memcpy(name, d->name.p, d->name.n);
	memcpy(name + d->name.n, ".drv", 4);
	for (size_t i = 0; i < d->ninputs; i++)
		refs[n++] = d->inputs[i].path;
	for (size_t i = 0; i < d->nsrcs; i++)
		refs[n++] = d->srcs[i];
	n = drv_sort_slices(refs, n);
	hash_bytes(HASH_SHA256, text.p, text.n, &h);
	rc = store_path_make_text(dir, (struct slice){ name, d->name.n + 4 }, &h, refs, n, out, e);
out:
	free(refs);
	return rc;
}

/* --- placeholders --- */

static void placeholder(struct hash_ctx *c, uint8_t hash[HASH_SHA256_LEN], char out[PLACEHOLDER_LEN + 1])
{
	struct hash h;

	hash_final(c, &h);
	out[0] = '/';
	nix32_encode(h.b, h.len, out + 1);
	out[PLACEHOLDER_LEN] = 0;
	if (hash)
		memcpy(hash, h.b, HASH_SHA256_LEN);
}

static void start(struct hash_ctx *c, const char *prefix)
{
	hash_init(c, HASH_SHA256);
	hash_update(c, prefix, strlen(prefix));
}

void placeholder_output(struct slice output, char out[PLACEHOLDER_LEN + 1])
{
	struct hash_ctx c;

	start(&c, "nix-output:");
	hash_update(&c, output.p, output.n);
	placeholder(&c, NULL, out);
}

int placeholder_upstream(const struct store_path *drv, struct slice output, char out[PLACEHOLDER_LEN + 1],
			 uint8_t hash[HASH_SHA256_LEN], struct err *e)
{
	struct slice name = store_path_name(drv);
	struct hash_ctx c;

	if (!store_path_is_drv(drv))
		return err_set(e, ERR_INVALID, "store path '%s' is not a valid derivation path", drv->base);
	start(&c, "nix-upstream-output:");
	hash_update(&c, drv->base, STORE_HASH_LEN);
	hash_update(&c, ":", 1);
	hash_update(&c, name.p, name.n - 4);
	/* As store_output_name, but without its bound: this text names no file. */
	if (!slice_eq(output, SLICE("out"))) {
		hash_update(&c, "-", 1);
		hash_update(&c, output.p, output.n);
	}
	placeholder(&c, hash, out);
	return 0;
}

void placeholder_dynamic(uint8_t hash[HASH_SHA256_LEN], struct slice output, char out[PLACEHOLDER_LEN + 1])
{
	uint8_t folded[STORE_HASH_BYTES];
	char digits[STORE_HASH_LEN];
	struct hash_ctx c;

	hash_compress(hash, HASH_SHA256_LEN, folded, sizeof folded);
	nix32_encode(folded, sizeof folded, digits);
	start(&c, "nix-computed-output:");
	hash_update(&c, digits, sizeof digits);
	hash_update(&c, ":", 1);
	hash_update(&c, output.p, output.n);
	placeholder(&c, hash, out);
}

/* --- the memory --- */

struct drv_memo_slot {
	struct slice path; /* p is NULL in a free slot */
	struct drv_modulo value;
};

/* Eight bytes at a time: a derivation looks up each of its inputs, and a byte loop over their paths cost as much as
 * hashing the text. */
static size_t memo_hash(struct slice path)
{
	uint64_t x = path.n, w;
	size_t i = 0;

	for (; i + 8 <= path.n; i += 8) {
		memcpy(&w, path.p + i, 8);
		x = (x ^ w) * 0x9e3779b97f4a7c15u;
		x ^= x >> 32;
	}
	for (; i < path.n; i++)
		x = (x ^ (unsigned char)path.p[i]) * 0x9e3779b97f4a7c15u;
	return (size_t)(x ^ x >> 29);
}

static struct drv_memo_slot *memo_find(const struct drv_memo *m, struct slice path)
{
	size_t i = memo_hash(path) & (m->cap - 1);

	while (m->slots[i].path.p && !slice_eq(m->slots[i].path, path))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void memo_grow(struct drv_memo *m)
{
	struct drv_memo old = *m;

	m->cap = old.cap ? old.cap * 2 : 256;
	m->slots = xcalloc(m->cap, sizeof *m->slots);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].path.p)
			*memo_find(m, old.slots[i].path) = old.slots[i];
	free(old.slots);
}

void drv_memo_put(struct drv_memo *m, struct slice path, const struct drv_modulo *v)
{
	if (m->n * 4 >= m->cap * 3)
		memo_grow(m);
	struct drv_memo_slot *s = memo_find(m, path);

	if (!s->path.p) {
		s->path = (struct slice){ arena_dup(&m->arena, path.p, path.n), path.n };
		m->n++;
	}
	s->value = *v;
}

const struct drv_modulo *drv_memo_get(const struct drv_memo *m, struct slice path)
{
	if (!m->cap)
		return NULL;
	const struct drv_memo_slot *s = memo_find(m, path);

	return s->path.p ? &s->value : NULL;
}

void drv_memo_release(struct drv_memo *m)
{
	free(m->slots);
	arena_release(&m->arena);
	memset(m, 0, sizeof *m);
}
