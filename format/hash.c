/* SPDX-License-Identifier: MIT
 *
 * Hashes over OpenSSL's libcrypto, and their text forms.
 *
 * An evaluation makes many thousands of small SHA-256 hashes, so what counts is the cost of a
 * call.  For 100 bytes: 0.075 µs with SHA256_Init/Update/Final, 0.10 µs with EVP when digest and
 * context are kept, 0.31 µs with EVP_Digest, which looks the digest up each time.  The first use
 * the same assembler (SHA-NI, AVX2) on a plain struct, so a context lives on the stack, is copied by
 * assignment and needs no release, and computing cannot fail.  OpenSSL 3 marks them deprecated in
 * favour of EVP; they are part of its stable interface all the same, and what Nix calls.
 *
 * The text forms, as in Nix (the manual's `nix hash` and what `nix-hash` takes):
 *
 *   hash  = algo ":" digits        base16, nix32 or base64 by the number of digits
 *         | algo "-" base64        SRI; any length that decodes to the right number of bytes
 *         | digits                 where the algorithm is known from elsewhere
 *   algo  = "md5" | "sha1" | "sha256" | "sha512"
 */
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include "config.h"
#include "format/hash.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "format/basen.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

union state {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
	SHA512_CTX sha512;
};

_Static_assert(sizeof(union state) <= sizeof((struct hash_ctx *)0)->state, "struct hash_ctx is too small");

static union state *state_of(struct hash_ctx *c)
{
	return (union state *)(void *)c->state;
}

/* --- names --- */

static const struct {
	char name[8];
	unsigned char name_len, len;
} algos[] = {
	[HASH_ANY] = { "unknown", 7, 0 },
	[HASH_MD5] = { "md5", 3, MD5_DIGEST_LENGTH },
	[HASH_SHA1] = { "sha1", 4, SHA_DIGEST_LENGTH },
	[HASH_SHA256] = { "sha256", 6, SHA256_DIGEST_LENGTH },
	[HASH_SHA512] = { "sha512", 6, SHA512_DIGEST_LENGTH },
};

const char *hash_algo_name(enum hash_algo a)
{
	return algos[a].name;
}

size_t hash_algo_len(enum hash_algo a)
{
	return algos[a].len;
}

enum hash_algo hash_algo_find(const char *p, size_t n)
{
	for (int a = HASH_MD5; a <= HASH_SHA512; a++)
		if (n == algos[a].name_len && !memcmp(p, algos[a].name, n))
			return (enum hash_algo)a;
	return HASH_ANY;
}

/* n as the precision of %.*s: what a message quotes of a hostile text. */
static int shown(size_t n)
{
	return n > 200 ? 200 : (int)n;
}

int hash_algo_parse(const char *p, size_t n, enum hash_algo *out, struct err *e)
{
	*out = hash_algo_find(p, n);
	if (*out != HASH_ANY)
		return 0;
	if (n == 6 && !memcmp(p, "blake3", 6))
		return err_set(e, ERR_INVALID, "hash algorithm 'blake3' is not supported");
	return err_set(e, ERR_INVALID, "unknown hash algorithm '%.*s', expect 'md5', 'sha1', 'sha256', or 'sha512'",
		       shown(n), p);
}

static const struct {
	char name[8];
	enum hash_format f;
} formats[] = { { "base16", HASH_BASE16 }, { "nix32", HASH_NIX32 }, { "base32", HASH_NIX32 }, { "base64", HASH_BASE64 },
		{ "sri", HASH_SRI } };

const char *hash_format_name(enum hash_format f)
{
	size_t i = 0;

	while (formats[i].f != f)
		i++;
	return formats[i].name;
}

int hash_format_parse(const char *p, size_t n, enum hash_format *out, struct err *e)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (n == strlen(formats[i].name) && !memcmp(p, formats[i].name, n)) {
			*out = formats[i].f;
			return 0;
		}
	return err_set(e, ERR_INVALID, "unknown hash format '%.*s', expect 'base16', 'base32', 'base64', or 'sri'",
		       shown(n), p);
}

/* --- computing --- */

void hash_init(struct hash_ctx *c, enum hash_algo a)
{
	union state *s = state_of(c);

	c->algo = a;
	switch (a) {
	case HASH_MD5:
		MD5_Init(&s->md5);
		break;
	case HASH_SHA1:
		SHA1_Init(&s->sha1);
		break;
	case HASH_SHA256:
		SHA256_Init(&s->sha256);
		break;
	case HASH_SHA512:
		SHA512_Init(&s->sha512);
		break;
	case HASH_ANY:
		abort();
	}
}

void hash_update(struct hash_ctx *c, const void *p, size_t n)
{
	union state *s = state_of(c);

	switch (c->algo) {
	case HASH_MD5:
		MD5_Update(&s->md5, p, n);
		break;
	case HASH_SHA1:
		SHA1_Update(&s->sha1, p, n);
		break;
	case HASH_SHA256:
		SHA256_Update(&s->sha256, p, n);
		break;
	case HASH_SHA512:
		SHA512_Update(&s->sha512, p, n);
		break;
	case HASH_ANY:
		abort();
	}
}

void hash_final(struct hash_ctx *c, struct hash *out)
{
	union state *s = state_of(c);

	out->algo = c->algo;
	out->len = algos[c->algo].len;
	switch (c->algo) {
	case HASH_MD5:
		MD5_Final(out->b, &s->md5);
		break;
	case HASH_SHA1:
		SHA1_Final(out->b, &s->sha1);
		break;
	case HASH_SHA256:
		SHA256_Final(out->b, &s->sha256);
		break;
	case HASH_SHA512:
		SHA512_Final(out->b, &s->sha512);
		break;
	case HASH_ANY:
		abort();
	}
}

void hash_bytes(enum hash_algo a, const void *p, size_t n, struct hash *out)
{
	struct hash_ctx c;

	hash_init(&c, a);
	hash_update(&c, p, n);
	hash_final(&c, out);
}

void hash_sha256(const void *p, size_t n, uint8_t out[HASH_SHA256_LEN])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	SHA256_Final(out, &c);
}

void hash_compress(const uint8_t *in, size_t n, uint8_t *out, size_t m)
{
	memset(out, 0, m);
	for (size_t i = 0, k = 0; i < n; i++) {
		out[k] ^= in[i];
		if (++k == m)
			k = 0;
	}
}

int hash_fd(enum hash_algo a, int fd, struct hash *out, uint64_t *size, struct err *e)
{
	struct hash_ctx c;
	uint64_t total = 0;
	size_t cap = 1 << 16;
	char *buf = xmalloc(cap);
	int rc = 0;

	hash_init(&c, a);
	for (;;) {
		ssize_t got = fd_read(fd, buf, cap);

		if (got < 0)
			rc = err_errno(e, "cannot read");
		if (got <= 0)
			break;
		hash_update(&c, buf, (size_t)got);
		total += (uint64_t)got;
	}
	free(buf);
	if (!rc) {
		hash_final(&c, out);
		if (size)
			*size = total;
	}
	return rc;
}

int hash_file(enum hash_algo a, int dirfd, const char *path, struct hash *out, uint64_t *size, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open '%s'", path);
	int rc = hash_fd(a, fd, out, size, e);

	if (rc)
		err_prefix(e, "'%s'", path);
	close(fd);
	return rc;
}

int hash_eq(const struct hash *a, const struct hash *b)
{
	return a->algo == b->algo && a->len == b->len && !memcmp(a->b, b->b, a->len);
}

/* --- text --- */

size_t hash_print(const struct hash *h, enum hash_format f, int with_algo, char out[HASH_TEXT_MAX])
{
	char *o = out;

	if (with_algo || f == HASH_SRI) {
		memcpy(o, algos[h->algo].name, algos[h->algo].name_len);
		o += algos[h->algo].name_len;
		*o++ = f == HASH_SRI ? '-' : ':';
	}
	switch (f) {
	case HASH_BASE16:
		base16_encode(h->b, h->len, o);
		o += BASE16_LEN(h->len);
		break;
	case HASH_NIX32:
		nix32_encode(h->b, h->len, o);
		o += NIX32_LEN(h->len);
		break;
	case HASH_BASE64:
	case HASH_SRI:
		base64_encode(h->b, h->len, o);
		o += BASE64_LEN(h->len);
		break;
	}
	*o = 0;
	return (size_t)(o - out);
}

void hash_add(struct buf *b, const struct hash *h, enum hash_format f, int with_algo)
{
	char text[HASH_TEXT_MAX];

	buf_add(b, text, hash_print(h, f, with_algo, text));
}

int hash_parse_format(const char *p, size_t n, enum hash_algo a, enum hash_format f, struct hash *out, struct err *e)
{
	/* No form of the longest hash comes near this; SRI may hold any number of newlines, in theory. */
	enum { LONGEST = 512 };
	static const char *const names[] = { "base16", "nix32", "base64", "SRI" };
	uint8_t raw[BASE64_MAX(LONGEST)]; /* the densest of the three */
	size_t len = 0, want = algos[a].len;
	int rc;

	if (n > LONGEST)
		return err_set(e, ERR_INVALID, "invalid %s hash of %zu characters", names[f], n);
	if (f == HASH_BASE16)
		rc = base16_decode(p, n, raw, &len, e);
	else if (f == HASH_NIX32)
		rc = nix32_decode(p, n, raw, &len, e);
	else
		rc = base64_decode(p, n, raw, &len, e);
	if (rc) {
		err_prefix(e, "invalid hash '%.*s'", shown(n), p);
		return rc;
	}
	if (len != want)
		return err_set(e, ERR_INVALID, "invalid %s hash '%.*s', length %zu != expected length %zu", names[f],
			       shown(n), p, len, want);
	out->algo = a;
	out->len = (unsigned)want;
	memcpy(out->b, raw, want);
	return 0;
}

/* Which base n bare digits are in. */
static int format_of(const char *p, size_t n, enum hash_algo a, enum hash_format *f, struct err *e)
{
	size_t len = algos[a].len;

	if (n == BASE16_LEN(len))
		*f = HASH_BASE16;
	else if (n == NIX32_LEN(len))
		*f = HASH_NIX32;
	else if (n == BASE64_LEN(len))
		*f = HASH_BASE64;
	else
		return err_set(e, ERR_INVALID, "hash '%.*s' has wrong length for hash algorithm '%s'", shown(n), p,
			       algos[a].name);
	return 0;
}

int hash_parse_bare(const char *p, size_t n, enum hash_algo a, struct hash *out, struct err *e)
{
	enum hash_format f;
	int rc = format_of(p, n, a, &f, e);

	return rc ? rc : hash_parse_format(p, n, a, f, out, e);
}

int hash_parse_sri(const char *p, size_t n, struct hash *out, struct err *e)
{
	const char *dash = n ? memchr(p, '-', n) : NULL;
	enum hash_algo a;

	if (!dash)
		return err_set(e, ERR_INVALID, "hash '%.*s' is not SRI", shown(n), p);
	int rc = hash_algo_parse(p, (size_t)(dash - p), &a, e);

	return rc ? rc : hash_parse_format(dash + 1, n - (size_t)(dash + 1 - p), a, HASH_SRI, out, e);
}

int hash_parse(const char *p, size_t n, enum hash_algo want, struct hash *out, enum hash_format *f, struct err *e)
{
	const char *sep = n ? memchr(p, ':', n) : NULL, *digits = p;
	enum hash_algo named = HASH_ANY;
	enum hash_format form = HASH_SRI;
	int rc, sri = 0;

	if (!sep && n) {
		sep = memchr(p, '-', n);
		sri = sep != NULL;
	}
	if (sep) {
		if ((rc = hash_algo_parse(p, (size_t)(sep - p), &named, e)))
			return rc;
		digits = sep + 1;
	}
	if (named == HASH_ANY && want == HASH_ANY)
		return err_set(e, ERR_INVALID,
			       "hash '%.*s' does not include a type, nor is the type otherwise known from context",
			       shown(n), p);
	if (named != HASH_ANY && want != HASH_ANY && named != want)
		return err_set(e, ERR_INVALID, "hash '%.*s' should have type '%s'", shown(n), p, algos[want].name);
	if (named == HASH_ANY)
		named = want;
	n -= (size_t)(digits - p);
	if (!sri && (rc = format_of(digits, n, named, &form, e)))
		return rc;
	if (f)
		*f = form;
	return hash_parse_format(digits, n, named, form, out, e);
}

int hash_parse_or_empty(const char *p, size_t n, enum hash_algo want, struct hash *out, int *was_empty, struct err *e)
{
	if (was_empty)
		*was_empty = !n;
	if (n)
		return hash_parse(p, n, want, out, NULL, e);
	if (want == HASH_ANY)
		return err_set(e, ERR_INVALID, "empty hash requires explicit hash algorithm");
	memset(out, 0, sizeof *out);
	out->algo = want;
	out->len = algos[want].len;
	return 0;
}
