/* SPDX-License-Identifier: MIT
 *
 * Ed25519 by OpenSSL's EVP interface, which brings most of that library with it: it is loaded when the first key is used, and the
 * hashes of format/hash.c go without.
 */
#include "config.h"
#include "format/sign.h"
#include "base/alloc.h"
#include "base/late.h"
#include "format/basen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>

#define CALLS(X)                                                                                                       \
	X(DigestSign) X(DigestSignInit) X(DigestVerify) X(DigestVerifyInit) X(MD_CTX_free) X(MD_CTX_new) X(PKEY_free)  \
	X(PKEY_get_raw_public_key) X(PKEY_new_raw_private_key) X(PKEY_new_raw_public_key)
#define POINTER(f) __typeof__(EVP_##f) *f;

LATE_LIBRARY(evp, GX_SIGN_LIBRARY, "EVP_", CALLS, POINTER);

/* --- text --- */

struct slice signature_name(struct slice text)
{
	const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;

	return (struct slice){ text.p, colon ? (size_t)(colon - text.p) : 0 };
}

/* Splits "name:base64" whose bytes are n; ERR_INVALID. */
static int split(struct slice text, size_t n, struct slice *name, uint8_t *out, struct err *e)
{
	uint8_t bytes[BASE64_MAX(BASE64_LEN(SIGN_SECRET_LEN))];
	struct slice digits;
	size_t len = 0;

	*name = signature_name(text);
	if (!name->n)
		return err_set(e, ERR_INVALID, "it has no name with a colon");
	digits = (struct slice){ name->p + name->n + 1, text.n - name->n - 1 };
	if (digits.n > BASE64_LEN(SIGN_SECRET_LEN) || base64_decode(digits.p, digits.n, bytes, &len, NULL) || len != n)
		return err_set(e, ERR_INVALID, "what follows its name is not %zu bytes in base64", n);
	memcpy(out, bytes, n);
	explicit_bzero(bytes, sizeof bytes);
	return 0;
}

static void add(struct buf *b, const char *name, const uint8_t *bytes, size_t n)
{
	buf_adds(b, name);
	buf_addc(b, ':');
	buf_reserve(b, BASE64_LEN(n) + 1);
	base64_encode(bytes, n, b->p + b->len);
	buf_extend(b, BASE64_LEN(n));
}

/* --- secret keys --- */

static int failed(const char *what, struct err *e)
{
	return err_set(e, ERR_IO, "libcrypto cannot %s", what);
}

/* The public key of the seed at k->key. */
static int derive(const struct secret_key *k, uint8_t out[SIGN_PUBLIC_LEN], struct err *e)
{
	size_t n = SIGN_PUBLIC_LEN;
	EVP_PKEY *key;
	int good;

	if (late_load(&evp_library, e))
		return ERR_IO;
	key = evp.PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, k->key, SIGN_SEED_LEN);
	good = key && evp.PKEY_get_raw_public_key(key, out, &n) == 1 && n == SIGN_PUBLIC_LEN;
	evp.PKEY_free(key);
	return good ? 0 : failed("make a key", e);
}

int secret_key_generate(struct slice name, struct secret_key *out, struct err *e)
{
	*out = (struct secret_key){ 0 };
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] == ':' || name.p[i] == 0x7f)
			name.n = 0;
	if (!name.n)
		return err_set(e, ERR_INVALID, "a key needs a name without blanks and colons");
	if (getrandom(out->key, SIGN_SEED_LEN, 0) != SIGN_SEED_LEN)
		return err_errno(e, "cannot get random numbers");
	out->name = xstrndup(name.p, name.n);
	int rc = derive(out, out->key + SIGN_SEED_LEN, e);

	if (rc)
		secret_key_release(out);
	return rc;
}

int secret_key_parse(struct slice text, struct secret_key *out, struct err *e)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	struct slice name;
	int rc;

	*out = (struct secret_key){ 0 };
	rc = split(slice_trim(text), SIGN_SECRET_LEN, &name, out->key, e);
	if (!rc)
		rc = derive(out, public, e);
	if (!rc && memcmp(public, out->key + SIGN_SEED_LEN, SIGN_PUBLIC_LEN))
		rc = err_set(e, ERR_INVALID, "its two halves do not belong together");
	if (!rc)
		out->name = xstrndup(name.p, name.n);
	else
		secret_key_release(out);
	if (rc == ERR_INVALID)
		err_prefix(e, "this is no secret key");
	return rc;
}

void secret_key_release(struct secret_key *k)
{
	free(k->name);
	explicit_bzero(k, sizeof *k);
}

void secret_key_add(struct buf *b, const struct secret_key *k)
{
	add(b, k->name, k->key, SIGN_SECRET_LEN);
}

void secret_key_add_public(struct buf *b, const struct secret_key *k)
{
	add(b, k->name, k->key + SIGN_SEED_LEN, SIGN_PUBLIC_LEN);
}

int secret_key_sign(const struct secret_key *k, struct slice data, struct buf *out, struct err *e)
{
	uint8_t signature[SIGN_LEN];
	size_t n = sizeof signature;
	EVP_MD_CTX *c;
	EVP_PKEY *key;
	int good;

	if (late_load(&evp_library, e))
		return ERR_IO;
	c = evp.MD_CTX_new();
	key = evp.PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, k->key, SIGN_SEED_LEN);
	good = c && key && evp.DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
	       evp.DigestSign(c, signature, &n, (const uint8_t *)data.p, data.n) == 1 && n == SIGN_LEN;
	evp.PKEY_free(key);
	evp.MD_CTX_free(c);
	if (!good)
		return failed("sign", e);
	add(out, k->name, signature, SIGN_LEN);
	return 0;
}

/* --- public keys --- */

int public_keys_parse(struct slice list, struct public_keys *out, struct err *e)
{
	for (size_t i = 0; i < list.n;) {
		struct slice word = { list.p + i, 0 }, name;
		struct public_key k;

		while (i + word.n < list.n && !strchr(" \t\r\n", word.p[word.n]))
			word.n++;
		i += word.n + 1;
		if (!word.n)
			continue;
		if (split(word, SIGN_PUBLIC_LEN, &name, k.key, e)) {
			err_prefix(e, "'%.*s' is no public key", (int)(word.n < 200 ? word.n : 200), word.p);
			return ERR_INVALID;
		}
		k.name = xstrndup(name.p, name.n);
		ARRAY_GROW(out->v, out->n + 1, out->cap);
		out->v[out->n++] = k;
	}
	return 0;
}

void public_keys_release(struct public_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->v[i].name);
	free(k->v);
	*k = (struct public_keys){ 0 };
}

static int verify(const uint8_t *public, const uint8_t *signature, struct slice data, struct err *e)
{
	EVP_MD_CTX *c;
	EVP_PKEY *key;
	int good;

	if (late_load(&evp_library, e))
		return ERR_IO;
	c = evp.MD_CTX_new();
	key = evp.PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, SIGN_PUBLIC_LEN);
	/* A key that is no point of the curve made nothing. */
	good = c && key && evp.DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
	       evp.DigestVerify(c, signature, SIGN_LEN, (const uint8_t *)data.p, data.n) == 1;
	evp.PKEY_free(key);
	evp.MD_CTX_free(c);
	return good;
}

int signature_check(const struct public_keys *keys, struct slice text, struct slice data, struct err *e)
{
	uint8_t signature[SIGN_LEN];
	struct slice name;
	int good = 0;

	if (split(text, SIGN_LEN, &name, signature, NULL))
		return 0;
	for (size_t i = 0; !good && i < keys->n; i++)
		if (slice_eq(slice_of(keys->v[i].name), name))
			good = verify(keys->v[i].key, signature, data, e);
	return good;
}
