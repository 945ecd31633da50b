/* SPDX-License-Identifier: MIT
 *
 * Hashes: computing them (one-shot, streaming, of a file) and their text forms.
 *
 * Everything is by value, nothing allocates, computing never fails.  hash.c is the only
 * file that includes OpenSSL.  A struct hash_ctx may be copied to fork a computation.
 * BLAKE3 is known by name and refused: it is experimental in Nix and Debian has no C library for it.
 */
#ifndef FORMAT_HASH_H
#define FORMAT_HASH_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum hash_algo {
	HASH_ANY = 0, /* not known yet, or not given */
	HASH_MD5,
	HASH_SHA1,
	HASH_SHA256,
	HASH_SHA512
};

enum hash_format { HASH_BASE16, HASH_NIX32, HASH_BASE64, HASH_SRI };

enum {
	HASH_MAX = 64,	    /* longest digest in bytes */
	HASH_SHA256_LEN = 32,
	HASH_TEXT_MAX = 136 /* longest text form with its NUL: "sha512:" and 128 digits */
};

/* len is hash_algo_len(algo), less only after hash_compress. */
struct hash {
	enum hash_algo algo;
	unsigned len;
	uint8_t b[HASH_MAX];
};

/* Private to hash.c, by value so that it can live on the stack. */
struct hash_ctx {
	enum hash_algo algo;
	uint64_t state[28];
};

/* --- names --- */

/* "md5", "sha1", "sha256", "sha512"; HASH_ANY gives "unknown". */
const char *hash_algo_name(enum hash_algo a);

/* Digest length in bytes. */
size_t hash_algo_len(enum hash_algo a);

/* The algorithm called so, HASH_ANY when there is none. */
enum hash_algo hash_algo_find(const char *p, size_t n);

/* The same, ERR_INVALID with Nix's message when there is none. */
int hash_algo_parse(const char *p, size_t n, enum hash_algo *out, struct err *e);

/* "base16", "nix32" (and its deprecated alias "base32"), "base64", "sri". */
int hash_format_parse(const char *p, size_t n, enum hash_format *out, struct err *e);

/* And back. */
const char *hash_format_name(enum hash_format f);

/* --- computing --- */

void hash_init(struct hash_ctx *c, enum hash_algo a);
void hash_update(struct hash_ctx *c, const void *p, size_t n);

/* c is used up; hash_init starts it again. */
void hash_final(struct hash_ctx *c, struct hash *out);

/* Of n bytes at once. */
void hash_bytes(enum hash_algo a, const void *p, size_t n, struct hash *out);
void hash_sha256(const void *p, size_t n, uint8_t out[HASH_SHA256_LEN]);

/* Folds in[0..n) into m bytes by xor (m at least 1): how store paths get 160 bits out of SHA-256. */
void hash_compress(const uint8_t *in, size_t n, uint8_t *out, size_t m);

/* Of everything that can be read from fd, from where it stands.  *size, when not NULL, receives the number of
 * bytes.  ERR_IO. */
int hash_fd(enum hash_algo a, int fd, struct hash *out, uint64_t *size, struct err *e);

/* Of a file's contents (follows links, as hashFile does); dirfd and path as in openat. */
int hash_file(enum hash_algo a, int dirfd, const char *path, struct hash *out, uint64_t *size, struct err *e);

/* 1 when algorithm and digest agree. */
int hash_eq(const struct hash *a, const struct hash *b);

/* --- text --- */

/* Writes h as text with a NUL, returns its length.  HASH_SRI always names the algorithm ("sha256-…");
 * the others do when with_algo is set ("sha256:…"). */
size_t hash_print(const struct hash *h, enum hash_format f, int with_algo, char out[HASH_TEXT_MAX]);

/* The same, appended to b. */
void hash_add(struct buf *b, const struct hash *h, enum hash_format f, int with_algo);

/* Parses "algo:digits", "algo-base64" (SRI) or bare digits, whose base their number tells.
 * want: the algorithm known from elsewhere, or HASH_ANY; if the text names one too they must agree.  *f, when
 * not NULL, receives the form the text was in.  ERR_INVALID. */
int hash_parse(const char *p, size_t n, enum hash_algo want, struct hash *out, enum hash_format *f, struct err *e);

/* As hash_parse, but an empty text with a known algorithm is the hash of all zeros (the dummy people put in
 * outputHash to learn the real one): *was_empty, when not NULL, is set to 1 so that the caller can warn. */
int hash_parse_or_empty(const char *p, size_t n, enum hash_algo want, struct hash *out, int *was_empty,
			struct err *e);

/* Only SRI. */
int hash_parse_sri(const char *p, size_t n, struct hash *out, struct err *e);

/* Only bare digits of a known algorithm, base16, nix32 or base64 by length. */
int hash_parse_bare(const char *p, size_t n, enum hash_algo a, struct hash *out, struct err *e);

/* Only bare digits in the given base (not HASH_SRI). */
int hash_parse_format(const char *p, size_t n, enum hash_algo a, enum hash_format f, struct hash *out, struct err *e);

#endif
