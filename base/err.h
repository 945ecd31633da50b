/* SPDX-License-Identifier: MIT
 *
 * How code below the evaluator (base, lang, store, fetch) reports failure: it
 * returns 0 or a negative code and fills a struct err; it never throws.
 * eval and builtins turn these into language errors (eval/error.h).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

enum err_code {
	ERR_OK = 0,
	ERR_INVALID = -1,  /* malformed input: text, format, argument */
	ERR_NOTFOUND = -2, /* the named thing does not exist */
	ERR_IO = -3,	   /* the system refused; errno is in the message */
	ERR_LIMIT = -4,	   /* a limit of base/limits.h was passed */
	ERR_HASH = -5,	   /* contents do not have the expected hash */
	ERR_DENIED = -6,   /* not allowed in this mode (pure, restricted, read-only) */
	ERR_NETWORK = -7,  /* a transfer failed */
	ERR_BUILD = -8,	   /* a builder failed */
	ERR_INTERRUPT = -9, /* the user asked to stop */
	ERR_TIMEOUT = -10, /* a builder took too long */
	ERR_DIFFERS = -11, /* built once more, it came out different */
	ERR_REJECTED = -12 /* a builder that ran made or printed what it may not */
};

/* code 0 means no error.  msg is one sentence, lower case, no full stop, malloc'd and
 * owned by the struct.  pos/len name the span of source it is about (base/source.h), 0 for none. */
struct err {
	int code;
	char *msg;
	uint32_t pos, len;
};

#define ERR_INIT { 0, 0, 0, 0 }

/* Fills e (when not NULL and not already set: the first error is the cause) and returns code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with strerror(errno) appended; returns ERR_IO (ERR_NOTFOUND for ENOENT). */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same about a span of source. */
int err_at(struct err *e, uint32_t pos, uint32_t len, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Puts "prefix: " before the message of a set error. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Frees the message and clears. */
void err_release(struct err *e);

#endif
