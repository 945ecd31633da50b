/* SPDX-License-Identifier: MIT
 *
 * Transfers: the one way anything comes from http, https and file addresses.
 *
 * An engine runs any number of transfers at once, over shared connections (HTTP/2 where the server speaks it; a few
 * connections a host).  What cannot be changed by a request: TLS certificates are verified; an https address
 * never redirects to anything less; credentials (from the address, a netrc or headers) go to their host only and appear in no
 * message; a server that does not answer costs one connect timeout (5 seconds); something that stalls is
 * given up.  Failures that may pass are tried again, with growing pauses, going on where the transfer stopped when
 * the server can.
 *
 * One engine is used by one thread.  Nothing is written anywhere: bytes go to the request's sink.
 */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include "base/buf.h"
#include "base/err.h"
#include "format/hash.h"
#include "base/slice.h"

#include <stdint.h>

/* The token that access-tokens has for a place ("github.com/owner/repo"): that of the longest beginning named ("github.com/owner");
 * malloc'd, NULL for none. */
char *fetch_access_token(const char *place);

/* What transfers need from outside: read once, before a builder is confined. */
struct transfer_settings {
	struct buf netrc;	/* text of a netrc file */
	struct buf ca;		/* certificates, PEM; empty: libcurl's own place */
	const char *ca_file;	/* where they were read; borrowed from the environment or static */
	unsigned connect_ms;	/* time to connect */
	unsigned stall_s;	/* without a byte for so long: given up */
	unsigned attempts;	/* at most so many for one transfer */
	unsigned retry_ms;	/* first pause; doubles each time */
	unsigned per_host;	/* connections to one host */
	int cancel_fd;		/* readable when all should stop; -1 for none; fetch_interrupt_fd unless set */
};

/* Defaults, the user's netrc, and the certificates of $NIX_SSL_CERT_FILE, $SSL_CERT_FILE or the system. */
int transfer_settings_load(struct transfer_settings *s, struct err *e);

/* Only the defaults. */
void transfer_settings_init(struct transfer_settings *s);
void transfer_settings_release(struct transfer_settings *s);

/* What is sent: the bytes at p, or of a file. */
struct transfer_upload {
	const char *p;
	int fd; /* when p is NULL; read with pread */
	uint64_t from; /* where in the file they begin */
	uint64_t size;
};

struct transfer_request {
	const char *url;	 /* http, https, file */
	const struct transfer_upload *upload; /* put there; NULL: it is got */
	int patch;		 /* it is added to what is there (PATCH) */
	int head;		 /* only whether it is there */
	const char *accept;	 /* Accept header, may be NULL */
	const char *bearer;	 /* token for the host of url alone, may be NULL */
	const char *etag;	 /* send If-None-Match, may be NULL */
	const char *body;	 /* what is sent (POST); NULL: it is a GET.  May be sent more than once */
	size_t body_len;
	const char *body_type;	 /* what kind of thing that is, or what is put there */
	const char *range;	 /* which part of the whole is put there (Content-Range); NULL: all of it */
	const char *title;	 /* what people are told is fetched; NULL: the address; "": nothing is told */
	const char *user_name;	 /* with password, for the host of url alone; NULL: none */
	const char *password;
	const char *aws_scope;	 /* sign the request with them as Amazon wants it, "aws:amz:REGION:s3"; NULL: no */
	const char *headers;	 /* more of them for the host of url alone, each with its line end; NULL: none */
	struct buf *refusal;	 /* receives status line and headers of an answer of 400 to 499; NULL: nobody wants them */
	struct buf *answer;	 /* the same of the last answer, whatever it was */
	int no_netrc;		 /* 1: what the netrc has for the host is not used */
	uint64_t max_size;	 /* ERR_LIMIT beyond, 0 for any */
	unsigned attempts;	 /* at most so many; 0: as the settings say */
	int any_version;	 /* go on where it stopped whatever the server calls it: who asks knows the hash of the whole */
	unsigned timeout_s;	 /* for all of it with its retries, 0 for any */
	enum hash_algo algo;	 /* hash of the bytes to compute, HASH_ANY for none */

	/* Takes the next bytes.  NULL: they are dropped. */
	int (*write)(void *user, const void *p, size_t n, struct err *e);
	/* Whether there is room for more; else the transfer rests until transfer_engine_wake.  NULL: always. */
	int (*room)(void *user);
	/* All bytes so far are void: a second attempt starts anew.  NULL: there is none once bytes were handed out. */
	int (*restart)(void *user, struct err *e);
	/* Now and then: bytes so far, and in all when that is known (else 0). */
	void (*progress)(void *user, uint64_t now, uint64_t total);
	void *user;
};

/* write and restart of a request whose user is a struct buf, empty at first: all bytes are appended. */
int transfer_write_buf(void *user, const void *p, size_t n, struct err *e);
int transfer_restart_buf(void *user, struct err *e);

/* Strings are malloc'd; zeroed is empty. */
struct transfer_result {
	int not_modified; /* what has this etag is what the server has */
	uint64_t size;
	struct hash hash;
	char *etag;	   /* NULL: none */
	char *final_url;   /* after redirects, without credentials */
	char *immutable;   /* the address that will always have this: of a Link header with rel="immutable"; NULL: none */
};

void transfer_result_release(struct transfer_result *r);

struct transfer_engine;
struct transfer;

/* Loads what transfers need of the machine: for a process that will start an engine where nothing of it is to be seen. */
int transfer_load(struct err *e);

/* An engine; the settings are borrowed for as long.  NULL with *e set. */
struct transfer_engine *transfer_engine_new(const struct transfer_settings *s, struct err *e);

/* Cancels what still runs. */
void transfer_engine_free(struct transfer_engine *g);

/* Starts a transfer; what the request points to must stay until its end.  NULL with *e set when it cannot even be
 * tried (an address of another kind). */
struct transfer *transfer_start(struct transfer_engine *g, const struct transfer_request *r, struct err *e);

/* Runs all transfers of the engine until this one is done, then frees it.  ERR_NOTFOUND: the server (or file system) has no such
 * thing (404, 410); ERR_DENIED: it wants other credentials (401, 403), or no more requests for now; ERR_LIMIT; ERR_INTERRUPT;
 * ERR_NETWORK: the rest; or what the sink returned.  r may be NULL. */
int transfer_wait(struct transfer *t, struct transfer_result *r, struct err *e);

/* 1 once it is done: transfer_wait does not wait. */
int transfer_is_done(const struct transfer *t);

/* Waits until something happens to any of them, or for so many milliseconds.  What is at a file address is not read by this.
 * ERR_INTERRUPT when all was to stop. */
int transfer_turn(struct transfer_engine *g, unsigned ms);

/* Makes transfer_turn return, and looks whether there is room again; from any thread. */
void transfer_engine_wake(struct transfer_engine *g);

/* Gives one up and frees it. */
void transfer_cancel(struct transfer *t);

/* Starts and waits. */
int transfer_get(struct transfer_engine *g, const struct transfer_request *r, struct transfer_result *out, struct err *e);

/* The same into memory, appended. */
int transfer_get_buf(struct transfer_engine *g, const char *url, uint64_t max_size, struct buf *out, struct err *e);

/* Appends the address without user and password, as messages show it. */
void transfer_show_url(struct buf *b, const char *url);

#endif
