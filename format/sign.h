/* SPDX-License-Identifier: MIT
 *
 * Ed25519 keys and signatures in Nix's text forms.
 *
 *   secret key  = name ":" base64 of 64 bytes: the seed, then the public key
 *   public key  = name ":" base64 of 32 bytes
 *   signature   = name ":" base64 of 64 bytes
 *
 * The name says which key to try, and nothing else: whoever trusts a key trusts those 32 bytes.
 */
#ifndef FORMAT_SIGN_H
#define FORMAT_SIGN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum { SIGN_SEED_LEN = 32, SIGN_PUBLIC_LEN = 32, SIGN_SECRET_LEN = 64, SIGN_LEN = 64 };

/* Released by secret_key_release, which wipes it. */
struct secret_key {
	char *name;
	uint8_t key[SIGN_SECRET_LEN];
};

struct public_key {
	char *name;
	uint8_t key[SIGN_PUBLIC_LEN];
};

/* A set of keys that are trusted.  Zeroed is none. */
struct public_keys {
	struct public_key *v;
	size_t n, cap;
};

/* A new key, from the system's random numbers.  ERR_INVALID for a name that cannot stand before a colon. */
int secret_key_generate(struct slice name, struct secret_key *out, struct err *e);

/* Blanks around the text are left aside.  ERR_INVALID, also when its two halves do not belong together. */
int secret_key_parse(struct slice text, struct secret_key *out, struct err *e);
void secret_key_release(struct secret_key *k);

/* The text forms, appended. */
void secret_key_add(struct buf *b, const struct secret_key *k);
void secret_key_add_public(struct buf *b, const struct secret_key *k);

/* Appends the signature of the data. */
int secret_key_sign(const struct secret_key *k, struct slice data, struct buf *out, struct err *e);

/* Adds the keys of a list with blanks between.  ERR_INVALID, naming the key that is none. */
int public_keys_parse(struct slice list, struct public_keys *out, struct err *e);
void public_keys_release(struct public_keys *k);

/* 1 when one of the keys made this signature of the data, 0 when none did (a signature that is none is nobody's), negative where
 * signatures cannot be checked. */
int signature_check(const struct public_keys *keys, struct slice signature, struct slice data, struct err *e);

/* The key's name in a signature or key: what stands before the colon, empty where there is none. */
struct slice signature_name(struct slice text);

#endif
