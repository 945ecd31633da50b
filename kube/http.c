/* SPDX-License-Identifier: MIT
 *
 * By libcurl, as transfers are (fetch/transfer.c), but they have nothing else in common: a transfer is the bytes of an address,
 * tried again until they are there; here it matters what a refusal says, what is asked changes the world, and an answer may last
 * for hours.  HTTP/1.1 throughout: one connection for requests, one for each stream.
 *
 * WebSocket is spoken over a bare connection of libcurl's (CURLOPT_CONNECT_ONLY) with framing of our own (kube/frames.c): what
 * libcurl 7.88 has of it was an experiment, and is not in Debian's build.
 */
#include "config.h"
#include "kube/http.h"
#include "base/alloc.h"
#include "base/late.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#define CALLS(X)                                                                                                              \
	X(easy_cleanup)                                                                                                       \
	X(easy_getinfo) X(easy_init) X(easy_perform) X(easy_recv) X(easy_reset) X(easy_send) X(easy_setopt) X(easy_strerror)  \
		X(global_cleanup) X(global_init) X(multi_add_handle) X(multi_cleanup) X(multi_info_read) X(multi_init)        \
			X(multi_perform) X(multi_poll) X(multi_remove_handle) X(slist_append) X(slist_free_all)
#define POINTER(f) __typeof__(curl_##f) *f;

LATE_LIBRARY(curl, GX_CURL_LIBRARY, "curl_", CALLS, POINTER);

enum { CONNECT_MS = 5000, ASK_SECONDS = 15, MAX_ANSWER = 64 << 20 };

struct http {
	const struct http_peer *peer;
	CURL *easy; /* of requests */
	CURLM *multi; /* of streams */
};

/* What a handle fills. */
struct incoming {
	const struct http_peer *peer;
	struct http_answer *answer; /* NULL: of a stream */
	struct http_stream *stream;
	char error[CURL_ERROR_SIZE];
	int too_much;
};

struct http_stream {
	struct http *h;
	struct incoming in;
	CURL *easy;
	struct curl_slist *headers, *name;
	int (*each)(void *user, struct slice bytes);
	void *user;
	int over, refused, rc;
	long status;
	CURLcode code;
};

void http_answer_release(struct http_answer *a)
{
	buf_release(&a->body);
	*a = (struct http_answer){ 0 };
}

int http_new(struct http **out, const struct http_peer *p, struct err *e)
{
	int rc = late_load(&curl_library, e);
	struct http *h;

	if (rc)
		return rc;
	h = xcalloc(1, sizeof *h);
	h->peer = p;
	if (curl.global_init(CURL_GLOBAL_DEFAULT) || !(h->easy = curl.easy_init()) || !(h->multi = curl.multi_init()))
		out_of_memory();
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl.easy_cleanup(h->easy);
	curl.multi_cleanup(h->multi);
	curl.global_cleanup();
	free(h);
}

/* --- handles --- */

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	struct incoming *in = user;
	struct slice line = { p, size * n }, name = slice_cut(&line, ':');

	if (in->answer && name.n == 11 && !strncasecmp(name.p, "retry-after", 11)) {
		line = slice_trim(line);
		in->answer->retry_after = 0;
		for (size_t i = 0; i < line.n && i < 6 && line.p[i] >= '0' && line.p[i] <= '9'; i++)
			in->answer->retry_after = in->answer->retry_after * 10 + (unsigned)(line.p[i] - '0');
	}
	return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct incoming *in = user;

	n *= size;
	if (in->stream) {
		in->stream->refused = in->stream->each(in->stream->user, (struct slice){ p, n });
		return in->stream->refused ? n + 1 : n;
	}
	in->too_much = in->answer->body.len + n > MAX_ANSWER;
	if (in->too_much)
		return n + 1;
	buf_add(&in->answer->body, p, n);
	return n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct incoming *in = user;

	(void)a, (void)b, (void)c, (void)d;
	return in->peer->stop && *in->peer->stop;
}

/* Copied: a stream connects later, and who one is may have been found anew by then. */
static void set_blob(CURL *c, CURLoption o, struct slice s)
{
	struct curl_blob blob = { (void *)(uintptr_t)s.p, s.n, CURL_BLOB_COPY };

	if (s.n)
		curl.easy_setopt(c, o, &blob);
}

/* The address as the certificate has it, and where that is. */
static struct curl_slist *set_name(CURL *c, const struct http_peer *p, const char *path)
{
	struct buf url = BUF_INIT, to = BUF_INIT;
	const char *host = strstr(p->server, "://") + 3, *rest = host + (*host == '[' ? strcspn(host, "]") : 0);
	struct curl_slist *list = NULL;

	rest += strcspn(rest, ":/"); /* the port, and what all paths begin with */
	if (p->server_name) {
		buf_addf(&url, "%.*s%s%s%s", (int)(host - p->server), p->server, p->server_name, rest, path);
		buf_addf(&to, "::%.*s%s", (int)strcspn(host, "/"), host, *rest == ':' ? "" : ":443");
		list = curl.slist_append(NULL, to.p);
		curl.easy_setopt(c, CURLOPT_CONNECT_TO, list);
	} else {
		buf_addf(&url, "%s%s", p->server, path);
	}
	curl.easy_setopt(c, CURLOPT_URL, url.p);
	buf_release(&url);
	buf_release(&to);
	return list;
}

static void set_peer(CURL *c, const struct http_peer *p, struct incoming *in)
{
	in->peer = p;
	curl.easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl.easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl.easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl.easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl.easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl.easy_setopt(c, CURLOPT_SSL_VERIFYPEER, p->insecure ? 0L : 1L);
	curl.easy_setopt(c, CURLOPT_SSL_VERIFYHOST, p->insecure ? 0L : 2L);
	curl.easy_setopt(c, CURLOPT_ERRORBUFFER, in->error);
	curl.easy_setopt(c, CURLOPT_USERAGENT, "gx/" PACKAGE_VERSION);
	if (p->proxy)
		curl.easy_setopt(c, CURLOPT_PROXY, p->proxy);
	if (p->ca.n)
		curl.easy_setopt(c, CURLOPT_CAPATH, NULL);
	set_blob(c, CURLOPT_CAINFO_BLOB, p->ca);
	set_blob(c, CURLOPT_SSLCERT_BLOB, p->cert);
	set_blob(c, CURLOPT_SSLKEY_BLOB, p->key);
	curl.easy_setopt(c, CURLOPT_NOPROGRESS, p->stop ? 0L : 1L);
	curl.easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl.easy_setopt(c, CURLOPT_XFERINFODATA, in);
}

static struct curl_slist *set_request(CURL *c, const struct http_request *q, struct incoming *in)
{
	struct curl_slist *list = NULL;
	struct buf line = BUF_INIT;

	for (size_t i = 0; q->headers && i < q->headers->n; i++)
		list = curl.slist_append(list, q->headers->v[i]);
	if (q->type) {
		buf_addf(&line, "Content-Type: %s", q->type);
		list = curl.slist_append(list, line.p);
		/* Asking first costs a round. */
		list = curl.slist_append(list, "Expect:");
		curl.easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		curl.easy_setopt(c, CURLOPT_POSTFIELDS, q->body.p ? q->body.p : "");
	}
	buf_release(&line);
	if (strcmp(q->method, q->type ? "POST" : "GET"))
		curl.easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
	curl.easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl.easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(c, CURLOPT_HEADERDATA, in);
	curl.easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(c, CURLOPT_WRITEDATA, in);
	return list;
}

static int failure(const struct http_peer *p, const struct incoming *in, CURLcode code, struct err *e)
{
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(e, ERR_INTERRUPT, "interrupted");
	if (in->too_much)
		return err_set(e, ERR_LIMIT, "the cluster at '%s' says more than %d MiB", p->server, MAX_ANSWER >> 20);
	return err_set(e, ERR_NETWORK, "cannot speak to the cluster at '%s': %s", p->server,
		       in->error[0] ? in->error : curl.easy_strerror(code));
}

int http_ask(struct http *h, const struct http_request *q, struct http_answer *a, struct err *e)
{
	struct incoming in = { .answer = a };
	struct curl_slist *name, *headers;
	CURLcode code;

	buf_trim(&a->body, 0);
	a->retry_after = 0;
	curl.easy_reset(h->easy); /* connections stay */
	name = set_name(h->easy, h->peer, q->path);
	set_peer(h->easy, h->peer, &in);
	headers = set_request(h->easy, q, &in);
	curl.easy_setopt(h->easy, CURLOPT_TIMEOUT, (long)(q->seconds ? q->seconds : ASK_SECONDS));
	code = curl.easy_perform(h->easy);
	a->status = 0;
	curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &a->status);
	curl.slist_free_all(headers);
	curl.slist_free_all(name);
	return code == CURLE_OK ? 0 : failure(h->peer, &in, code, e);
}

/* --- streams --- */

struct http_stream *http_stream_start(struct http *h, const struct http_request *q, int (*each)(void *user, struct slice bytes),
				      void *user)
{
	struct http_stream *s = xcalloc(1, sizeof *s);

	s->h = h;
	s->each = each;
	s->user = user;
	s->in.stream = s;
	s->easy = curl.easy_init();
	if (!s->easy)
		out_of_memory();
	s->name = set_name(s->easy, h->peer, q->path);
	set_peer(s->easy, h->peer, &s->in);
	s->headers = set_request(s->easy, q, &s->in);
	if (q->seconds)
		curl.easy_setopt(s->easy, CURLOPT_TIMEOUT, (long)q->seconds);
	curl.easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	curl.multi_add_handle(h->multi, s->easy);
	return s;
}

void http_turn(struct http *h, int fd, unsigned ms)
{
	struct curl_waitfd wait = { fd, CURL_WAIT_POLLIN, 0 };
	int running, left;
	CURLMsg *m;

	curl.multi_poll(h->multi, &wait, fd >= 0, (int)ms, NULL);
	curl.multi_perform(h->multi, &running);
	while ((m = curl.multi_info_read(h->multi, &left))) {
		struct http_stream *s = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
		s->over = 1;
		s->code = code;
		curl.easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &s->status);
	}
}

int http_stream_is_over(const struct http_stream *s, long *status, int *rc, struct err *e)
{
	if (!s->over)
		return 0;
	*status = s->status;
	*rc = s->refused ? s->refused : s->code == CURLE_OK ? 0 : failure(s->h->peer, &s->in, s->code, e);
	return 1;
}

void http_stream_end(struct http_stream *s)
{
	if (!s)
		return;
	curl.multi_remove_handle(s->h->multi, s->easy);
	curl.easy_cleanup(s->easy);
	curl.slist_free_all(s->headers);
	curl.slist_free_all(s->name);
	free(s);
}

/* --- connections --- */

struct http_raw {
	CURL *easy;
	struct curl_slist *name;
	struct incoming in;
	const struct http_peer *peer;
	curl_socket_t fd;
};

int http_raw_open(struct http_raw **out, const struct http_peer *p, struct err *e)
{
	int rc = late_load(&curl_library, e);
	struct http_raw *r;
	CURLcode code;

	if (rc)
		return rc;
	r = xcalloc(1, sizeof *r);
	r->peer = p;
	if (curl.global_init(CURL_GLOBAL_DEFAULT) || !(r->easy = curl.easy_init()))
		out_of_memory();
	r->name = set_name(r->easy, p, "/");
	set_peer(r->easy, p, &r->in);
	curl.easy_setopt(r->easy, CURLOPT_CONNECT_ONLY, 1L);
	code = curl.easy_perform(r->easy);
	if (code == CURLE_OK)
		code = curl.easy_getinfo(r->easy, CURLINFO_ACTIVESOCKET, &r->fd);
	if (code == CURLE_OK) {
		*out = r;
		return 0;
	}
	rc = failure(p, &r->in, code, e);
	http_raw_close(r);
	return rc;
}

void http_raw_close(struct http_raw *r)
{
	if (!r)
		return;
	curl.easy_cleanup(r->easy);
	curl.slist_free_all(r->name);
	curl.global_cleanup();
	free(r);
}

int http_raw_fd(const struct http_raw *r)
{
	return r->fd;
}

static int64_t moved(struct http_raw *r, CURLcode code, size_t n, struct err *e)
{
	if (code == CURLE_AGAIN)
		return 0;
	if (code != CURLE_OK || !n)
		return err_set(e, ERR_NETWORK, "the connection to '%s' broke off", r->peer->server);
	return (int64_t)n;
}

int64_t http_raw_read(struct http_raw *r, void *p, size_t n, struct err *e)
{
	size_t got = 0;
	CURLcode code = curl.easy_recv(r->easy, p, n, &got);

	return moved(r, code, got, e);
}

int64_t http_raw_write(struct http_raw *r, const void *p, size_t n, struct err *e)
{
	size_t put = 0;
	CURLcode code = curl.easy_send(r->easy, p, n, &put);

	return moved(r, code, put, e);
}
