/* SPDX-License-Identifier: MIT
 *
 * Conversations by HTTP: requests whose refusals are read as well, answers that do not end, connections that become something else.
 *
 * Nothing is tried again and nobody is led elsewhere: an API server never does, and whoever did would be told who we are.
 */
#ifndef KUBE_HTTP_H
#define KUBE_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/words.h"

#include <stdint.h>

/* Whom it is spoken to, and as whom.  All borrowed; it may be changed between two requests. */
struct http_peer {
	const char *server;	 /* "https://HOST:PORT" */
	const char *server_name; /* what its certificate calls it; NULL: HOST */
	const char *proxy;	 /* NULL: what the environment says */
	struct slice ca;	 /* PEM; empty: whom the machine trusts */
	struct slice cert, key;	 /* PEM; empty: none */
	int insecure;
	const volatile int *stop; /* given up when this is not 0; NULL: never */
};

struct http_request {
	const char *method, *path;  /* "/api/v1/pods?limit=1" */
	const struct words *headers; /* "Name: value"; NULL: none */
	const char *type;	     /* of the body; NULL: there is none */
	struct slice body;
	unsigned seconds;	     /* for all of it; 0: a default */
};

struct http_answer {
	long status;
	struct buf body;
	unsigned retry_after; /* seconds; 0: not said */
};

void http_answer_release(struct http_answer *a);

struct http;

/* ERR_IO when there is no libcurl. The peer is borrowed. */
int http_new(struct http **out, const struct http_peer *p, struct err *e);
void http_free(struct http *h);

/* Asks, over a connection that is kept.  0 with any status; ERR_NETWORK, ERR_LIMIT, ERR_INTERRUPT. The body replaces a's. */
int http_ask(struct http *h, const struct http_request *q, struct http_answer *a, struct err *e);

/* --- answers that do not end --- */

struct http_stream;

/* Has bytes of the body handed over as they come (a return other than 0 ends it) while http_turn runs. */
struct http_stream *http_stream_start(struct http *h, const struct http_request *q, int (*each)(void *user, struct slice bytes),
				      void *user);

/* Waits until something came on a stream or on fd (-1: none), at most so long. */
void http_turn(struct http *h, int fd, unsigned ms);

/* 1 when it is over: *status is 0 when there was no answer, and *rc and *e say how it ended. */
int http_stream_is_over(const struct http_stream *s, long *status, int *rc, struct err *e);
void http_stream_end(struct http_stream *s);

/* --- connections --- */

/* A connection on which nothing was said yet. */
struct http_raw;

/* The peer is borrowed, here as well. */
int http_raw_open(struct http_raw **out, const struct http_peer *p, struct err *e);
void http_raw_close(struct http_raw *r);
int http_raw_fd(const struct http_raw *r);

/* How many bytes were read or written; 0: none now; ERR_NETWORK: it is at its end. */
int64_t http_raw_read(struct http_raw *r, void *p, size_t n, struct err *e);
int64_t http_raw_write(struct http_raw *r, const void *p, size_t n, struct err *e);

#endif
