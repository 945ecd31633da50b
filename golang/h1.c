/* SPDX-License-Identifier: MIT
 *
 * Sums of Go modules.  The files of a module come in the order of its zip, or of whichever thread is done first; they are
 * kept as (name, hash) and sorted once at the end, 100 bytes a file.
 *
 * go.sum is read as strictly as Go reads it; versions are only checked for being possible, since a
 * go.sum may keep lines of anything that was ever required.
 */
#include "config.h"
#include "golang/h1.h"
#include "base/alloc.h"
#include "base/check.h"
#include "format/basen.h"
#include "format/goh1.h"

#include <stdlib.h>
#include <string.h>

struct h1_file {
	struct slice name;
	uint8_t sha256[HASH_SHA256_LEN];
};

void h1_release(struct h1 *h)
{
	free(h->v);
	arena_release(&h->names);
	memset(h, 0, sizeof *h);
}

void h1_add(struct h1 *h, struct slice name, const struct hash *sha256)
{
	ARRAY_GROW(h->v, h->n + 1, h->cap);
	struct h1_file *f = &h->v[h->n++];

	f->name = (struct slice){ arena_dup(&h->names, name.p, name.n), name.n };
	memcpy(f->sha256, sha256->b, HASH_SHA256_LEN);
}

static int by_name(const void *a, const void *b)
{
	const struct h1_file *x = a, *y = b;

	return slice_cmp(x->name, y->name);
}

int h1_finish(struct h1 *h, struct hash *out, struct err *e)
{
	char hex[BASE16_LEN(HASH_SHA256_LEN)];
	struct hash_ctx c;

	if (h->n)
		qsort(h->v, h->n, sizeof *h->v, by_name);
	hash_init(&c, HASH_SHA256);
	for (size_t i = 0; i < h->n; i++) {
		const struct h1_file *f = &h->v[i];

		if (memchr(f->name.p, '\n', f->name.n))
			return err_set(e, ERR_INVALID, "file names with newlines have no sum: '%.*s'", (int)f->name.n,
				       f->name.p);
		base16_encode(f->sha256, HASH_SHA256_LEN, hex);
		hash_update(&c, hex, sizeof hex);
		hash_update(&c, "  ", 2);
		hash_update(&c, f->name.p, f->name.n);
		hash_update(&c, "\n", 1);
	}
	hash_final(&c, out);
	return 0;
}

void h1_of_gomod(struct slice text, struct hash *out)
{
	struct h1 h = { 0 };
	struct hash sha256;

	hash_bytes(HASH_SHA256, text.p, text.n, &sha256);
	h1_add(&h, SLICE("go.mod"), &sha256);
	h1_finish(&h, out, NULL);
	h1_release(&h);
}

/* --- go.sum --- */

/* What some go 1.11 betas wrote for modules without a go.mod; Go passes it over. */
static const char no_gomod[] = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

static int line_cmp(const struct gosum_line *a, const struct gosum_line *b)
{
	int c = slice_cmp(a->path, b->path);

	if (!c)
		c = slice_cmp(a->version, b->version);
	return c ? c : a->go_mod - b->go_mod;
}

static int line_cmp_any(const void *a, const void *b)
{
	return line_cmp(a, b);
}

/* Splits at blanks; returns how many fields there are (of which at most max are stored). */
static size_t fields(struct slice line, struct slice *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n;) {
		size_t start = i;

		while (i < line.n && !strchr(" \t\r\v\f", line.p[i] ? line.p[i] : 'x'))
			i++;
		if (i > start) {
			if (n < max)
				out[n] = (struct slice){ line.p + start, i - start };
			n++;
		} else {
			i++;
		}
	}
	return n;
}

static int parse_line(struct gosum *g, struct slice line, struct err *e)
{
	struct gosum_line l = { .go_mod = 0 };
	struct slice f[3];
	size_t n = fields(line, f, 3);
	int rc;

	if (!n)
		return 0;
	if (n != 3)
		return err_set(e, ERR_INVALID, "%zu fields instead of module, version and sum", n);
	if (!slice_starts(f[2], SLICE("h1:")) || slice_eq(f[2], slice_of(no_gomod)))
		return 0;
	l.path = f[0];
	l.version = f[1];
	if (slice_ends(l.version, SLICE("/go.mod"))) {
		l.version.n -= 7;
		l.go_mod = 1;
	}
	if ((rc = modpath_check(l.path, e)) || (rc = go_h1_parse(f[2], &l.h1, e)))
		return rc;
	if (!modver_is_semver(l.version, 0))
		return err_set(e, ERR_INVALID, "'%.*s' is not a version", (int)l.version.n, l.version.p);
	ARRAY_GROW(g->v, g->n + 1, g->cap);
	g->v[g->n++] = l;
	return 0;
}

/* Sorts; the same line twice is kept once, two sums for one thing are refused. */
static int settle(struct gosum *g, struct err *e)
{
	size_t n = 0;

	if (g->n)
		qsort(g->v, g->n, sizeof *g->v, line_cmp_any);
	for (size_t i = 0; i < g->n; i++) {
		struct gosum_line *l = &g->v[i];

		if (n && !line_cmp(&g->v[n - 1], l)) {
			if (hash_eq(&g->v[n - 1].h1, &l->h1))
				continue;
			return err_set(e, ERR_INVALID, "two different sums for '%.*s %.*s%s'", (int)l->path.n, l->path.p,
				       (int)l->version.n, l->version.p, l->go_mod ? "/go.mod" : "");
		}
		g->v[n++] = *l;
	}
	g->n = n;
	return 0;
}

int gosum_parse(struct gosum *g, struct slice text, struct err *e)
{
	size_t number = 0, at = 0;
	int rc = 0;

	memset(g, 0, sizeof *g);
	while (at < text.n && !rc) {
		const char *nl = memchr(text.p + at, '\n', text.n - at);
		size_t n = nl ? (size_t)(nl - text.p) - at : text.n - at;

		number++;
		rc = parse_line(g, (struct slice){ text.p + at, n }, e);
		if (rc)
			err_prefix(e, "malformed go.sum: line %zu", number);
		at += n + 1;
	}
	if (!rc)
		rc = settle(g, e);
	if (rc)
		gosum_release(g);
	return rc;
}

void gosum_release(struct gosum *g)
{
	free(g->v);
	memset(g, 0, sizeof *g);
}

const struct gosum_line *gosum_find(const struct gosum *g, const struct module_version *m, int go_mod)
{
	struct gosum_line key = { .path = m->path, .version = m->version, .go_mod = go_mod };

	for (size_t i = 1; i < g->n; i++)
		CHECK(line_cmp_any(&g->v[i - 1], &g->v[i]) <= 0);

	return g->n ? bsearch(&key, g->v, g->n, sizeof *g->v, line_cmp_any) : NULL;
}
