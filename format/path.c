/* SPDX-License-Identifier: MIT
 *
 * Store paths.  Defined in the Nix manual, protocols/store-path; in short:
 *
 *   store-path  = store-dir "/" digest "-" name
 *   digest      = nix32 of (SHA-256 of fingerprint, folded to 160 bits)
 *   fingerprint = type ":" algo ":" base16 ":" store-dir ":" name
 *   type        = "text" { ":" store-path }                      hash: of the text
 *               | "source" { ":" store-path } [ ":self" ]        hash: SHA-256 of the NAR
 *               | "output:" output                               hash: the derivation's, masked, modulo
 *               | "output:out"                                   hash: SHA-256 of the inner text
 *   inner       = "fixed:out:" [ "r:" | "git:" ] algo ":" base16 ":"
 *   name        = 1 to 211 of A-Z a-z 0-9 + - . _ ? =, not "." or "..", nor starting with ".-" or "..-"
 *
 * The references in a type are in byte order.  The last rule on names keeps "." and ".." from
 * being the first dash-separated part of a name; it is that of Nix 2.35 (2.8 takes any dots).
 *
 * Fingerprints are never put together in memory: their pieces go straight into the hash.
 */
#include "config.h"
#include "format/path.h"
#include "format/basen.h"

#include <string.h>

const struct slice store_dir_default = { "/nix/store", 10 };

/* n as the precision of %.*s: what a message quotes of a hostile text. */
static int shown(struct slice s)
{
	return s.n > 300 ? 300 : (int)s.n;
}

/* --- names --- */

static int name_char_ok(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
	       c == '.' || c == '_' || c == '?' || c == '=';
}

int store_name_check(struct slice name, struct err *e)
{
	size_t dots = 0;

	if (!name.n)
		return err_set(e, ERR_INVALID, "name must not be empty");
	if (name.n > STORE_NAME_MAX)
		return err_set(e, ERR_INVALID, "name '%.*s' must be no longer than %d characters", shown(name), name.p,
			       STORE_NAME_MAX);
	while (dots < name.n && dots < 3 && name.p[dots] == '.')
		dots++;
	if (dots == 1 || dots == 2) {
		if (dots == name.n)
			return err_set(e, ERR_INVALID, "name '%.*s' is not valid", shown(name), name.p);
		if (name.p[dots] == '-')
			return err_set(e, ERR_INVALID,
				       "name '%.*s' is not valid: first dash-separated component must not be '%.*s'",
				       shown(name), name.p, (int)dots, "..");
	}
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (name_char_ok(c))
			continue;
		if (c >= 0x20 && c < 0x7f)
			return err_set(e, ERR_INVALID, "name '%.*s' contains illegal character '%c'", shown(name), name.p,
				       c);
		return err_set(e, ERR_INVALID, "name '%.*s' contains illegal byte 0x%02x", shown(name), name.p, c);
	}
	return 0;
}

/* --- text --- */

int store_path_parse_base(struct slice base, struct store_path *out, struct err *e)
{
	if (base.n < STORE_HASH_LEN + 1)
		return err_set(e, ERR_INVALID, "'%.*s' is too short to be a valid store path", shown(base), base.p);
	if (base.p[STORE_HASH_LEN] != '-')
		return err_set(e, ERR_INVALID,
			       "'%.*s' can't name a store path because the hash part is not followed by a '-'",
			       shown(base), base.p);
	for (size_t i = 0; i < STORE_HASH_LEN; i++)
		if (!nix32_is_digit(base.p[i]))
			return err_set(e, ERR_INVALID, "store path '%.*s' contains illegal base-32 character '%c'",
				       shown(base), base.p, base.p[i]);
	struct slice name = { base.p + STORE_HASH_LEN + 1, base.n - STORE_HASH_LEN - 1 };
	int rc = store_name_check(name, e);

	if (rc) {
		err_prefix(e, "path '%.*s' is not a valid store path", shown(base), base.p);
		return rc;
	}
	out->len = (unsigned char)base.n;
	memcpy(out->base, base.p, base.n);
	out->base[base.n] = 0;
	return 0;
}

int store_path_is_inside(struct slice dir, struct slice text)
{
	return text.n > dir.n + 1 && slice_starts(text, dir) && text.p[dir.n] == '/';
}

static int not_in_store(struct slice text, struct err *e)
{
	return err_set(e, ERR_INVALID, "path '%.*s' is not in the Nix store", shown(text), text.p);
}

int store_path_parse(struct slice dir, struct slice text, struct store_path *out, struct err *e)
{
	if (!store_path_is_inside(dir, text))
		return not_in_store(text, e);
	return store_path_parse_base((struct slice){ text.p + dir.n + 1, text.n - dir.n - 1 }, out, e);
}

/* Resolves "//", "/./" and "/../" by text alone.  Leaves a path without trailing slash, "" for the root. */
static void canonicalise(struct slice text, struct buf *b)
{
	size_t i = 0;

	while (i < text.n) {
		size_t start = i, n;

		while (i < text.n && text.p[i] != '/')
			i++;
		n = i - start;
		i++;
		if (!n || (n == 1 && text.p[start] == '.'))
			continue;
		if (n == 2 && !memcmp(text.p + start, "..", 2)) {
			while (b->len && b->p[b->len - 1] != '/')
				buf_trim(b, b->len - 1);
			if (b->len)
				buf_trim(b, b->len - 1);
			continue;
		}
		buf_addc(b, '/');
		buf_add(b, text.p + start, n);
	}
}

int store_path_parse_lax(struct slice dir, struct slice text, struct store_path *out, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	if (!text.n)
		return err_set(e, ERR_INVALID, "empty path is not a valid store path");
	canonicalise(text, &b);
	struct slice canon = { buf_str(&b), b.len };

	if (text.p[0] == '/' && store_path_is_inside(dir, canon) &&
	    !memchr(canon.p + dir.n + 1, '/', canon.n - dir.n - 1))
		rc = store_path_parse(dir, canon, out, e);
	else
		rc = not_in_store(text, e);
	buf_release(&b);
	return rc;
}

int store_path_split(struct slice dir, struct slice text, struct store_path *out, struct slice *rest, struct err *e)
{
	if (!store_path_is_inside(dir, text))
		return not_in_store(text, e);
	struct slice base = { text.p + dir.n + 1, text.n - dir.n - 1 };
	const char *slash = memchr(base.p, '/', base.n);

	*rest = (struct slice){ text.p + text.n, 0 };
	if (slash) {
		*rest = (struct slice){ slash, (size_t)(text.p + text.n - slash) };
		base.n = (size_t)(slash - base.p);
	}
	return store_path_parse_base(base, out, e);
}

void store_path_add(struct buf *b, struct slice dir, const struct store_path *p)
{
	buf_reserve(b, dir.n + 1 + p->len);
	buf_add(b, dir.p, dir.n);
	buf_addc(b, '/');
	buf_add(b, p->base, p->len);
}

struct slice store_path_hash(const struct store_path *p)
{
	return (struct slice){ p->base, STORE_HASH_LEN };
}

static int is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

size_t drv_name_cut(struct slice name)
{
	size_t cut = 0;

	while (cut + 1 < name.n && (name.p[cut] != '-' || is_letter(name.p[cut + 1])))
		cut++;
	return cut + 1 < name.n ? cut : name.n;
}

struct slice store_path_name(const struct store_path *p)
{
	return (struct slice){ p->base + STORE_HASH_LEN + 1, p->len - STORE_HASH_LEN - 1u };
}

struct slice store_path_base(const struct store_path *p)
{
	return (struct slice){ p->base, p->len };
}

int store_path_is_drv(const struct store_path *p)
{
	return slice_ends(store_path_name(p), SLICE(".drv"));
}

int store_path_cmp(const struct store_path *a, const struct store_path *b)
{
	return slice_cmp(store_path_base(a), store_path_base(b));
}

/* --- computing --- */

static void update(struct hash_ctx *c, struct slice s)
{
	hash_update(c, s.p, s.n);
}

/* A fingerprint whose type has gone into c already: the rest of it, and the path. */
static int finish(struct hash_ctx *c, struct slice dir, const struct hash *h, struct slice name,
		  struct store_path *out, struct err *e)
{
	char text[HASH_TEXT_MAX + 1];
	uint8_t folded[STORE_HASH_BYTES];
	struct hash digest;
	int rc = store_name_check(name, e);

	if (rc)
		return rc;
	text[0] = ':';
	hash_update(c, text, 1 + hash_print(h, HASH_BASE16, 1, text + 1));
	update(c, SLICE(":"));
	update(c, dir);
	update(c, SLICE(":"));
	update(c, name);
	hash_final(c, &digest);
	hash_compress(digest.b, digest.len, folded, sizeof folded);
	nix32_encode(folded, sizeof folded, out->base);
	out->base[STORE_HASH_LEN] = '-';
	memcpy(out->base + STORE_HASH_LEN + 1, name.p, name.n);
	out->len = (unsigned char)(STORE_HASH_LEN + 1 + name.n);
	out->base[out->len] = 0;
	return 0;
}

static void update_refs(struct hash_ctx *c, const struct slice *refs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		update(c, SLICE(":"));
		update(c, refs[i]);
	}
}

int store_path_make(struct slice dir, struct slice type, const struct hash *h, struct slice name,
		    struct store_path *out, struct err *e)
{
	struct hash_ctx c;

	hash_init(&c, HASH_SHA256);
	update(&c, type);
	return finish(&c, dir, h, name, out, e);
}

int store_path_make_text(struct slice dir, struct slice name, const struct hash *h, const struct slice *refs,
			 size_t nrefs, struct store_path *out, struct err *e)
{
	struct hash_ctx c;

	if (h->algo != HASH_SHA256)
		return err_set(e, ERR_INVALID, "text object '%.*s' must have a SHA-256 hash, not '%s'", shown(name),
			       name.p, hash_algo_name(h->algo));
	hash_init(&c, HASH_SHA256);
	update(&c, SLICE("text"));
	update_refs(&c, refs, nrefs);
	return finish(&c, dir, h, name, out, e);
}

/* The object that only its hash describes: no references, any algorithm. */
static int make_flat(struct slice dir, struct slice name, enum ca_method m, const struct hash *h,
		     struct store_path *out, struct err *e)
{
	char text[HASH_TEXT_MAX];
	struct hash_ctx c;
	struct hash inner;

	hash_init(&c, HASH_SHA256);
	update(&c, SLICE("fixed:out:"));
	update(&c, ca_method_prefix(m));
	hash_update(&c, text, hash_print(h, HASH_BASE16, 1, text));
	update(&c, SLICE(":"));
	hash_final(&c, &inner);
	return store_path_make(dir, SLICE("output:out"), &inner, name, out, e);
}

int store_path_make_fixed(struct slice dir, struct slice name, enum ca_method m, const struct hash *h,
			  const struct slice *refs, size_t nrefs, int self, struct store_path *out, struct err *e)
{
	struct hash_ctx c;

	if (m == CA_TEXT && !self)
		return store_path_make_text(dir, name, h, refs, nrefs, out, e);
	if (m == CA_GIT && h->algo != HASH_SHA1 && h->algo != HASH_SHA256)
		return err_set(e, ERR_INVALID, "git objects need a SHA-1 or SHA-256 hash, not '%s'",
			       hash_algo_name(h->algo));
	if (m == CA_NAR && h->algo == HASH_SHA256) {
		hash_init(&c, HASH_SHA256);
		update(&c, SLICE("source"));
		update_refs(&c, refs, nrefs);
		if (self)
			update(&c, SLICE(":self"));
		return finish(&c, dir, h, name, out, e);
	}
	if (nrefs || self)
		return err_set(e, ERR_INVALID, "fixed-output object '%.*s' is not allowed to refer to other store paths",
			       shown(name), name.p);
	return make_flat(dir, name, m, h, out, e);
}

struct slice store_output_name(struct slice name, struct slice output, char buf[STORE_NAME_MAX + 1])
{
	const size_t cap = STORE_NAME_MAX + 1;
	size_t n = name.n < cap ? name.n : cap;

	memcpy(buf, name.p, n);
	if (!slice_eq(output, SLICE("out"))) {
		size_t k = output.n;

		if (n < cap)
			buf[n++] = '-';
		if (k > cap - n)
			k = cap - n;
		memcpy(buf + n, output.p, k);
		n += k;
	}
	return (struct slice){ buf, n };
}

int store_path_make_output(struct slice dir, struct slice name, struct slice output, const struct hash *h,
			   struct store_path *out, struct err *e)
{
	char buf[STORE_NAME_MAX + 1];
	struct hash_ctx c;

	hash_init(&c, HASH_SHA256);
	update(&c, SLICE("output:"));
	update(&c, output);
	return finish(&c, dir, h, store_output_name(name, output, buf), out, e);
}

/* --- content addresses --- */

struct slice ca_method_prefix(enum ca_method m)
{
	switch (m) {
	case CA_FLAT:
		break;
	case CA_NAR:
		return SLICE("r:");
	case CA_TEXT:
		return SLICE("text:");
	case CA_GIT:
		return SLICE("git:");
	}
	return SLICE("");
}

const char *ca_method_name(enum ca_method m)
{
	static const char *const names[] = { "flat", "nar", "text", "git" };

	return names[m];
}

int ca_method_parse(struct slice word, enum ca_method *out, struct err *e)
{
	if (slice_eq(word, SLICE("recursive"))) {
		*out = CA_NAR;
		return 0;
	}
	for (int m = CA_FLAT; m <= CA_GIT; m++)
		if (slice_eq(word, slice_of(ca_method_name((enum ca_method)m)))) {
			*out = (enum ca_method)m;
			return 0;
		}
	return err_set(e, ERR_INVALID, "unknown file ingestion method '%.*s', expect 'flat', 'nar', 'text' or 'git'",
		       shown(word), word.p);
}

/* Takes the method's prefix off the front of *text. */
static enum ca_method take_method(struct slice *text)
{
	for (int m = CA_GIT; m > CA_FLAT; m--) {
		struct slice prefix = ca_method_prefix((enum ca_method)m);

		if (slice_starts(*text, prefix)) {
			text->p += prefix.n;
			text->n -= prefix.n;
			return (enum ca_method)m;
		}
	}
	return CA_FLAT;
}

int ca_method_parse_algo(struct slice text, enum ca_method *m, enum hash_algo *a, struct err *e)
{
	*m = take_method(&text);
	return hash_algo_parse(text.p, text.n, a, e);
}

void ca_add(struct buf *b, enum ca_method m, const struct hash *h)
{
	struct slice prefix = ca_method_prefix(m);

	if (m != CA_TEXT)
		buf_adds(b, "fixed:");
	buf_add(b, prefix.p, prefix.n);
	hash_add(b, h, HASH_NIX32, 1);
}

int ca_parse(struct slice text, enum ca_method *m, struct hash *h, struct err *e)
{
	struct slice rest = text;
	enum hash_algo a;

	if (slice_starts(rest, SLICE("fixed:"))) {
		rest.p += 6;
		rest.n -= 6;
		*m = take_method(&rest);
		if (*m == CA_TEXT)
			return err_set(e, ERR_INVALID, "invalid content address '%.*s'", shown(text), text.p);
	} else {
		*m = take_method(&rest);
		if (*m != CA_TEXT)
			return err_set(e, ERR_INVALID, "content address '%.*s' starts with neither 'text:' nor 'fixed:'",
				       shown(text), text.p);
	}
	const char *colon = rest.n ? memchr(rest.p, ':', rest.n) : NULL;

	if (!colon)
		return err_set(e, ERR_INVALID, "content address '%.*s' has no '<algo>:<hash>'", shown(text), text.p);
	int rc = hash_algo_parse(rest.p, (size_t)(colon - rest.p), &a, e);

	return rc ? rc : hash_parse_bare(colon + 1, rest.n - (size_t)(colon + 1 - rest.p), a, h, e);
}
