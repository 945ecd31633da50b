/* SPDX-License-Identifier: MIT
 *
 * A registry over HTTP (OCI distribution specification 1.1): one repository of it, who one is there, and requests.
 *
 * What a registry says is believed only as far as hashes go.  Who one is is told to the registry's own host, to those that tokens
 * are asked of as far as they are of the same domain, and to nobody else, wherever a request is led.
 */
#ifndef IMAGE_REGISTRY_H
#define IMAGE_REGISTRY_H

#include "base/words.h"
#include "fetch/transfer.h"
#include "image/login.h"

enum {
	LIMIT_MANIFEST = 4 << 20, /* as the specification has it */
	REGISTRY_CONNECTIONS = 8
};

struct registry {
	struct reference ref;
	char *base; /* "https://host" */
	struct login login;
	int basic;  /* it wants user and password with each request */
	char *token; /* NULL: none is needed, or none yet */
	int push;
	struct words scopes; /* of other repositories that are read from: "repository:X:pull" */
	struct transfer_settings set;
	struct transfer_engine *engine;
};

/* Opens one, and finds out who one is; nothing is asked of it yet.  plain_http: without TLS.  Released in any case. */
int registry_open(struct registry *r, const struct reference *ref, int push, int plain_http, struct err *e);
void registry_release(struct registry *r);

/* A request for an address below that of the registry, or any other: credentials are added where it may have them. `url` is
 * borrowed. */
void registry_request(const struct registry *r, const char *url, struct transfer_request *q);

/* Appends BASE/v2/REPOSITORY/rest. */
void registry_add_url(const struct registry *r, struct buf *b, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* After a request was refused (heads: what it answered): gets what it wants, so that it is worth asking again.  0, or ERR_DENIED
 * with why. */
int registry_authorise(struct registry *r, const struct buf *heads, struct err *e);

/* Sends a request until it is let in, and waits for it.  q->answer is set by this. heads: receives the answer's head. */
int registry_ask(struct registry *r, struct transfer_request *q, struct buf *heads, struct transfer_result *out, struct err *e);

/* A header of an answer: its value, n 0 when there is none. */
struct slice head_value(const struct buf *heads, const char *name);

/* The status of an answer; 0 for none. */
int head_status(const struct buf *heads);

/* Gets something small; ERR_LIMIT beyond max. */
int registry_get(struct registry *r, const char *url, const char *accept, uint64_t max, struct buf *out, struct buf *heads,
		 struct err *e);

/* Gets a blob into a file, and looks whether it is that: ERR_HASH. */
int registry_blob(struct registry *r, const struct hash *digest, uint64_t size, int to, struct err *e);

/* Appends the address that an answer names to send to: whole, or of the registry. ERR_NETWORK for none, or one that is less safe.
 */
int registry_location(const struct registry *r, const struct buf *heads, struct buf *url, struct err *e);

/* Puts a small blob there, unless it is there. */
int registry_put_blob(struct registry *r, struct slice bytes, const struct hash *digest, struct err *e);

/* Puts a manifest there, as `name` (NULL: its digest). knows_subject, when not NULL: whether the registry said that it noted what
 * it refers to. */
int registry_put_manifest(struct registry *r, const struct buf *text, const struct hash *digest, const char *type, const char *name,
			  int *knows_subject, struct err *e);

/* --- what 'WWW-Authenticate' says --- */

struct challenge {
	int bearer, basic;
	struct buf realm, service;
};

/* All of the answer's heads; released in any case. */
void challenge_read(struct challenge *c, const struct buf *heads);
void challenge_release(struct challenge *c);

/* May a registry's credentials go to this address, that tokens are asked of? */
int registry_trusts(const char *base, const char *realm);

#endif
