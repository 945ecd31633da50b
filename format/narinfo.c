/* SPDX-License-Identifier: MIT
 *
 * Reading and writing .narinfo files (the grammar stands in the header).
 *
 * The text comes from whoever runs a cache, or sits between.  So a key that may stand once stands once: two readers that
 * disagree about which counts would let one thing be signed and another be used.
 */
#include "config.h"
#include "format/narinfo.h"
#include "base/alloc.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct slice dir;
	struct narinfo *out;
	unsigned seen; /* a bit for each key of the table */
	struct buf sigs;
};

/* --- values --- */

static int shown(struct slice s)
{
	return s.n < 120 ? (int)s.n : 120;
}

static int take_path(struct reader *r, struct slice v, struct err *e)
{
	return store_path_parse(r->dir, v, &r->out->path, e);
}

static int take_url(struct reader *r, struct slice v, struct err *e)
{
	if (!v.n)
		return err_set(e, ERR_INVALID, "it is empty");
	r->out->url = xstrndup(v.p, v.n);
	return 0;
}

static int take_compression(struct reader *r, struct slice v, struct err *e)
{
	return compression_parse(v, &r->out->compression, e);
}

static int take_number(struct slice v, uint64_t *out, struct err *e)
{
	uint64_t n = 0;

	if (!v.n || v.n > 18)
		return err_set(e, ERR_INVALID, "'%.*s' is no size", shown(v), v.p);
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return err_set(e, ERR_INVALID, "'%.*s' is no size", shown(v), v.p);
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	}
	*out = n;
	return 0;
}

static int take_file_hash(struct reader *r, struct slice v, struct err *e)
{
	return hash_parse(v.p, v.n, HASH_ANY, &r->out->file_hash, NULL, e);
}

static int take_file_size(struct reader *r, struct slice v, struct err *e)
{
	return take_number(v, &r->out->file_size, e);
}

static int take_nar_hash(struct reader *r, struct slice v, struct err *e)
{
	int rc = hash_parse(v.p, v.n, HASH_ANY, &r->out->nar_hash, NULL, e);

	if (!rc && r->out->nar_hash.algo != HASH_SHA256)
		rc = err_set(e, ERR_INVALID, "'%.*s' is no SHA-256", shown(v), v.p);
	return rc;
}

static int take_nar_size(struct reader *r, struct slice v, struct err *e)
{
	int rc = take_number(v, &r->out->nar_size, e);

	return rc ? rc : r->out->nar_size ? 0 : err_set(e, ERR_INVALID, "no archive has 0 bytes");
}

static int take_references(struct reader *r, struct slice v, struct err *e)
{
	int rc = 0;

	while (!rc && v.n) {
		const char *blank = memchr(v.p, ' ', v.n);
		struct slice word = { v.p, blank ? (size_t)(blank - v.p) : v.n };
		struct store_path p;

		v.p += word.n + (blank != NULL);
		v.n -= word.n + (blank != NULL);
		if (!word.n)
			continue;
		rc = store_path_parse_base(word, &p, e);
		if (!rc)
			path_set_push(&r->out->refs, &p);
	}
	path_set_sort(&r->out->refs);
	return rc;
}

static int take_deriver(struct reader *r, struct slice v, struct err *e)
{
	if (!v.n || slice_eq(v, SLICE("unknown-deriver")))
		return 0;
	return store_path_parse_base(v, &r->out->deriver, e);
}

static int take_sig(struct reader *r, struct slice v, struct err *e)
{
	if (!v.n || memchr(v.p, ' ', v.n))
		return err_set(e, ERR_INVALID, "'%.*s' is no signature", shown(v), v.p);
	buf_addf(&r->sigs, "%s%.*s", r->sigs.len ? " " : "", (int)v.n, v.p);
	return 0;
}

static int take_ca(struct reader *r, struct slice v, struct err *e)
{
	enum ca_method m;
	struct hash h;
	int rc = v.n ? ca_parse(v, &m, &h, e) : 0;

	if (!rc && v.n)
		r->out->ca = xstrndup(v.p, v.n);
	return rc;
}

/* --- lines --- */

static const struct key {
	const char *name;
	int (*take)(struct reader *r, struct slice v, struct err *e);
	int many, required;
} keys[] = {
	{ "StorePath", take_path, 0, 1 },
	{ "URL", take_url, 0, 1 },
	{ "Compression", take_compression, 0, 0 },
	{ "FileHash", take_file_hash, 0, 0 },
	{ "FileSize", take_file_size, 0, 0 },
	{ "NarHash", take_nar_hash, 0, 1 },
	{ "NarSize", take_nar_size, 0, 1 },
	{ "References", take_references, 0, 0 },
	{ "Deriver", take_deriver, 0, 0 },
	{ "Sig", take_sig, 1, 0 },
	{ "CA", take_ca, 0, 0 },
};

enum { KEYS = sizeof keys / sizeof *keys };

static int take_line(struct reader *r, struct slice line, struct err *e)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct slice name, value;

	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			return err_set(e, ERR_INVALID, "it holds control characters");
	if (!colon)
		return err_set(e, ERR_INVALID, "a line has no colon");
	name = (struct slice){ line.p, (size_t)(colon - line.p) };
	value = (struct slice){ colon + 1, line.n - name.n - 1 };
	if (value.n && *value.p != ' ')
		return err_set(e, ERR_INVALID, "no blank follows '%.*s:'", shown(name), name.p);
	if (value.n)
		value.p++, value.n--;
	for (unsigned i = 0; i < KEYS; i++) {
		if (!slice_eq(name, slice_of(keys[i].name)))
			continue;
		if (!keys[i].many && r->seen & 1u << i)
			return err_set(e, ERR_INVALID, "it has '%s' twice", keys[i].name);
		r->seen |= 1u << i;
		int rc = keys[i].take(r, value, e);

		if (rc)
			err_prefix(e, "'%s'", keys[i].name);
		return rc;
	}
	return 0;
}

static int take_lines(struct reader *r, struct slice text, struct err *e)
{
	int rc = 0;

	while (!rc && text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct slice line = { text.p, end ? (size_t)(end - text.p) : 0 };

		if (!end)
			return err_set(e, ERR_INVALID, "it is cut off");
		text.p += line.n + 1;
		text.n -= line.n + 1;
		rc = take_line(r, line, e);
	}
	for (unsigned i = 0; !rc && i < KEYS; i++)
		if (keys[i].required && !(r->seen & 1u << i))
			rc = err_set(e, ERR_INVALID, "it does not have '%s'", keys[i].name);
	return rc;
}

int narinfo_parse(struct slice dir, struct slice text, struct narinfo *out, struct err *e)
{
	struct reader r = { .dir = dir, .out = out };
	int rc;

	*out = (struct narinfo){ .compression = COMPRESS_BZIP2 };
	rc = text.n > LIMIT_NARINFO ? err_set(e, ERR_LIMIT, "it is larger than %d bytes", LIMIT_NARINFO) : take_lines(&r, text, e);
	if (r.sigs.len)
		out->sigs = buf_detach(&r.sigs, NULL);
	buf_release(&r.sigs);
	if (rc)
		narinfo_release(out);
	return rc;
}

void narinfo_release(struct narinfo *n)
{
	free(n->url);
	free(n->sigs);
	free(n->ca);
	path_set_release(&n->refs);
	*n = (struct narinfo){ 0 };
}

/* --- writing --- */

static void add_hash(struct buf *b, const char *key, const struct hash *h)
{
	buf_addf(b, "%s: ", key);
	hash_add(b, h, HASH_NIX32, 1);
	buf_addc(b, '\n');
}

static void add_sigs(struct buf *b, const char *sigs)
{
	for (const char *s = sigs; s && *(s += strspn(s, " "));) {
		size_t n = strcspn(s, " ");

		buf_addf(b, "Sig: %.*s\n", (int)n, s);
		s += n;
	}
}

void narinfo_add(struct buf *b, struct slice dir, const struct narinfo *n)
{
	buf_adds(b, "StorePath: ");
	store_path_add(b, dir, &n->path);
	buf_addf(b, "\nURL: %s\nCompression: %s\n", n->url, compression_name(n->compression));
	if (n->file_hash.algo)
		add_hash(b, "FileHash", &n->file_hash);
	if (n->file_size)
		buf_addf(b, "FileSize: %llu\n", (unsigned long long)n->file_size);
	add_hash(b, "NarHash", &n->nar_hash);
	buf_addf(b, "NarSize: %llu\nReferences: ", (unsigned long long)n->nar_size);
	for (size_t i = 0; i < n->refs.n; i++)
		buf_addf(b, "%s%s", i ? " " : "", n->refs.v[i].base);
	buf_addc(b, '\n');
	if (n->deriver.len)
		buf_addf(b, "Deriver: %s\n", n->deriver.base);
	add_sigs(b, n->sigs);
	if (n->ca)
		buf_addf(b, "CA: %s\n", n->ca);
}

void fingerprint_add(struct buf *b, struct slice dir, const struct store_path *p, const struct hash *nar_hash, uint64_t nar_size,
		     const struct path_set *refs)
{
	buf_adds(b, "1;");
	store_path_add(b, dir, p);
	buf_addc(b, ';');
	hash_add(b, nar_hash, HASH_NIX32, 1);
	buf_addf(b, ";%llu;", (unsigned long long)nar_size);
	for (size_t i = 0; i < refs->n; i++) {
		if (i)
			buf_addc(b, ',');
		store_path_add(b, dir, &refs->v[i]);
	}
}
