/* SPDX-License-Identifier: MIT
 *
 * A transfer, between the engine (transfer.c, which alone knows libcurl) and the rest: transfer_head.c (what headers say),
 * transfer_sink.c (what happens to bytes), transfer_file.c (file addresses).
 */
#ifndef FETCH_TRANSFER_INT_H
#define FETCH_TRANSFER_INT_H

#include "fetch/transfer.h"

enum transfer_state { TRANSFER_WAITING, TRANSFER_RUNNING, TRANSFER_DONE };

/* What the headers of the last response said. */
struct response {
	char *etag;
	uint64_t range_from; /* of Content-Range */
	int has_range;
	unsigned retry_after; /* seconds */
	int used_up;	      /* it allows no more requests ... */
	uint64_t reset;	      /* ... until then, seconds since 1970; 0: not said */
};

struct transfer {
	struct transfer_engine *engine;
	struct transfer_request req;
	struct transfer *next; /* of the engine */
	enum transfer_state state;
	void *easy, *headers; /* libcurl's */
	char error[256];

	char *url;	    /* where it was led to; NULL: req.url */
	unsigned led;	    /* how often */
	struct buf heads;   /* of the last response, where somebody wants them */

	unsigned attempt;
	double retry_at, deadline; /* 0: none */
	uint64_t resume;	   /* where this attempt asked to go on */
	int resting;		   /* until there is room */
	uint64_t sent;		   /* of what is put there */
	int body;		   /* bytes of this attempt's body arrived */
	struct response response;
	char *validator; /* strong etag of what was handed out so far */

	unsigned activity;
	struct hash_ctx hash;
	struct transfer_result result;
	int rc;
	struct err err;
};

/* Seconds, from a clock that only goes forward. */
double transfer_now(void);

/* Takes a line of a response's head; a status line begins a new response. */
void transfer_head(struct transfer *t, struct slice line);

/* Hands bytes to the request's sink, counted and hashed; on failure fills the transfer's error. */
int transfer_sink(struct transfer *t, const void *p, size_t n, uint64_t total);

/* Forgets what was handed out; ERR_NETWORK when the sink cannot. */
int transfer_sink_restart(struct transfer *t);

/* Ends it. */
void transfer_finish(struct transfer *t, int rc);

/* Does all of a file transfer. */
void transfer_file(struct transfer *t);

#endif
