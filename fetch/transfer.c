/* SPDX-License-Identifier: MIT
 *
 * The transfer engine, on libcurl's multi interface.  Nothing else includes <curl/curl.h> but kube/http.c, whose requests are no
 * transfers.
 *
 * A transfer goes through attempts.  Between two of them it waits (retry_at); whether there is another, and whether it goes on
 * where the last one stopped, is decided in one place, attempt_ended.  Going on is asked for with Range and If-Range and a
 * strong etag; a server that answers with the whole thing all the same makes the sink start anew.
 *
 * Nothing is ever asked to be compressed: hashes are of the bytes that are served.
 */
#include "config.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/late.h"
#include "fetch/netrc.h"
#include "fetch/transfer_int.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#define CALLS(X)                                                                                                                   \
	X(easy_cleanup)                                                                                                            \
	X(easy_getinfo) X(easy_init) X(easy_pause) X(easy_setopt) X(easy_strerror) X(global_cleanup) X(global_init)                \
		X(multi_add_handle) X(multi_cleanup) X(multi_info_read) X(multi_init) X(multi_perform) X(multi_poll)               \
			X(multi_remove_handle) X(multi_setopt) X(multi_wakeup) X(slist_append) X(slist_free_all)
#define POINTER(f) __typeof__(curl_##f) *f;

LATE_LIBRARY(curl, GX_CURL_LIBRARY, "curl_", CALLS, POINTER);

int transfer_load(struct err *e)
{
	return late_load(&curl_library, e);
}

enum { MAX_REDIRECTS = 10, MAX_PAUSE_S = 30, MAX_CONNECTIONS = 32 };

/* Bytes a second; below it a server only holds the line, which a byte now and then is enough for. */
enum { MIN_SPEED = 64 };

struct transfer_engine {
	const struct transfer_settings *set;
	CURLM *multi;
	struct transfer *all;
};

struct transfer_engine *transfer_engine_new(const struct transfer_settings *s, struct err *e)
{
	struct transfer_engine *g;

	if (transfer_load(e))
		return NULL;
	g = xcalloc(1, sizeof *g);
	g->set = s;
	/* Counted and thread-safe since 7.84. */
	if (curl.global_init(CURL_GLOBAL_DEFAULT) || !(g->multi = curl.multi_init())) {
		err_set(e, ERR_NETWORK, "cannot start libcurl");
		free(g);
		return NULL;
	}
	curl.multi_setopt(g->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl.multi_setopt(g->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)s->per_host);
	curl.multi_setopt(g->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS);
	return g;
}

static void drop_handle(struct transfer *t)
{
	if (t->easy && t->state == TRANSFER_RUNNING)
		curl.multi_remove_handle(t->engine->multi, t->easy);
	curl.easy_cleanup(t->easy);
	curl.slist_free_all(t->headers);
	t->easy = t->headers = NULL;
}

void transfer_cancel(struct transfer *t)
{
	struct transfer **p = &t->engine->all;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	if (t->state != TRANSFER_DONE)
		activity_end(t->activity, ERR_INTERRUPT);
	drop_handle(t);
	free(t->response.etag);
	free(t->validator);
	free(t->url);
	buf_release(&t->heads);
	transfer_result_release(&t->result);
	err_release(&t->err);
	free(t);
}

void transfer_engine_free(struct transfer_engine *g)
{
	if (!g)
		return;
	while (g->all)
		transfer_cancel(g->all);
	curl.multi_cleanup(g->multi);
	curl.global_cleanup();
	free(g);
}

static int has_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	return !strncasecmp(url, scheme, n) && !strncmp(url + n, "://", 3);
}

struct transfer *transfer_start(struct transfer_engine *g, const struct transfer_request *r, struct err *e)
{
	if (!has_scheme(r->url, "http") && !has_scheme(r->url, "https") && !has_scheme(r->url, "file")) {
		struct buf b = BUF_INIT;

		transfer_show_url(&b, r->url);
		err_set(e, ERR_INVALID, "cannot fetch '%s': only http, https and file addresses", buf_str(&b));
		buf_release(&b);
		return NULL;
	}
	struct transfer *t = xcalloc(1, sizeof *t);

	t->engine = g;
	t->req = *r;
	if (r->algo)
		hash_init(&t->hash, r->algo);
	if (r->timeout_s)
		t->deadline = transfer_now() + r->timeout_s;
	t->next = g->all;
	g->all = t;
	struct buf shown = BUF_INIT;

	if (r->title)
		buf_adds(&shown, r->title);
	else
		transfer_show_url(&shown, r->url);
	if (shown.len)
		t->activity = activity_begin(r->upload ? ACTIVITY_COPY : ACTIVITY_FETCH, buf_str(&shown));
	buf_release(&shown);
	return t;
}

/* --- what comes in --- */

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	transfer_head(user, (struct slice){ p, size * n });
	return size * n;
}

/* Headers of the request's own are for one host, and libcurl would send them on: such a request is led by hand. */
static int leads_on(struct transfer *t)
{
	long status = 0;

	if (t->req.headers)
		curl.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 300 && status < 400 && status != 304;
}

/* At the first bytes of a body: does it go on where we are? */
static int body_begins(struct transfer *t)
{
	long status = 0;

	t->body = 1;
	curl.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 206 && t->resume && t->response.has_range && t->response.range_from == t->resume)
		return 0;
	if (status == 206)
		return t->rc = err_set(&t->err, ERR_NETWORK, "the server sent another part than was asked for");
	int rc = transfer_sink_restart(t);

	/* A weak etag stands for more than one sequence of bytes. */
	if (!rc && t->response.etag && strncmp(t->response.etag, "W/", 2))
		t->validator = xstrdup(t->response.etag);
	return rc;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	curl_off_t length = -1;

	n *= size;
	if (leads_on(t))
		return n;
	if (t->req.room && !t->req.room(t->req.user)) {
		t->resting = 1;
		return CURL_WRITEFUNC_PAUSE; /* it comes again */
	}
	if (!t->body && body_begins(t))
		return n + 1;
	curl.easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return transfer_sink(t, p, n, length < 0 ? 0 : (uint64_t)length + t->resume) ? n + 1 : n;
}

/* --- an attempt --- */

static void add_header(struct transfer *t, const char *name, const char *value)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s: %s", name, value);
	t->headers = curl.slist_append(t->headers, b.p);
	buf_release(&b);
}

/* Host and port are the same, as they are written. */
static int same_host(const char *a, const char *b)
{
	const char *x = strstr(a, "://") + 3, *y = strstr(b, "://") + 3;
	size_t n = strcspn(x, "/?#");

	return n == strcspn(y, "/?#") && !strncasecmp(x, y, n) && (size_t)(x - a) == (size_t)(y - b) &&
	       !strncasecmp(a, b, (size_t)(x - a));
}

/* The user and password the netrc has for the host, unless the address has its own. */
static void set_credentials(struct transfer *t, CURL *c)
{
	const char *host = strstr(t->req.url, "://") + 3, *end = host + strcspn(host, "/?#"), *colon;
	struct buf user = BUF_INIT, password = BUF_INIT;
	struct slice netrc = { buf_str(&t->engine->set->netrc), t->engine->set->netrc.len };

	if (t->req.aws_scope)
		curl.easy_setopt(c, CURLOPT_AWS_SIGV4, t->req.aws_scope);
	if (t->req.user_name && (!t->url || same_host(t->url, t->req.url))) {
		curl.easy_setopt(c, CURLOPT_USERNAME, t->req.user_name);
		curl.easy_setopt(c, CURLOPT_PASSWORD, t->req.password);
		return;
	}
	if (t->req.headers)
		return;
	if (t->req.bearer) {
		curl.easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl.easy_setopt(c, CURLOPT_XOAUTH2_BEARER, t->req.bearer);
		return;
	}
	curl.easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	if (t->req.no_netrc || memchr(host, '@', (size_t)(end - host)))
		return;
	colon = *host == '[' ? NULL : memchr(host, ':', (size_t)(end - host));
	if (netrc_find(netrc, (struct slice){ host, (size_t)((colon ? colon : end) - host) }, &user, &password)) {
		curl.easy_setopt(c, CURLOPT_USERNAME, buf_str(&user));
		curl.easy_setopt(c, CURLOPT_PASSWORD, buf_str(&password));
	}
	buf_release(&user);
	buf_wipe(&password);
}

static void set_security(struct transfer *t, CURL *c)
{
	const struct buf *ca = &t->engine->set->ca;

	curl.easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, has_scheme(t->req.url, "https") ? "https" : "http,https");
	curl.easy_setopt(c, CURLOPT_FOLLOWLOCATION, t->req.headers ? 0L : 1L);
	curl.easy_setopt(c, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	curl.easy_setopt(c, CURLOPT_UNRESTRICTED_AUTH, 0L);
	curl.easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl.easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl.easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca->len) {
		struct curl_blob blob = { ca->p, ca->len, CURL_BLOB_NOCOPY };

		curl.easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
		curl.easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	set_credentials(t, c);
}

/* The request's own, unless it was led elsewhere. */
static void add_own(struct transfer *t)
{
	const char *p = t->req.headers && (!t->url || same_host(t->url, t->req.url)) ? t->req.headers : "";

	while (*p) {
		size_t n = strcspn(p, "\n");
		char *line = xstrndup(p, n);

		t->headers = curl.slist_append(t->headers, line);
		explicit_bzero(line, n);
		free(line);
		p += n + (p[n] == '\n');
	}
}

static void set_headers(struct transfer *t, CURL *c)
{
	char range[32];

	add_own(t);
	if (t->req.accept)
		add_header(t, "Accept", t->req.accept);
	if (t->req.etag && !t->resume)
		add_header(t, "If-None-Match", t->req.etag);
	if (t->resume) {
		snprintf(range, sizeof range, "%llu-", (unsigned long long)t->resume);
		curl.easy_setopt(c, CURLOPT_RANGE, range);
		if (t->validator)
			add_header(t, "If-Range", t->validator);
	}
	if (t->req.body_type)
		add_header(t, "Content-Type", t->req.body_type);
	if (t->req.range)
		add_header(t, "Content-Range", t->req.range);
	if (t->req.body)
		t->headers = curl.slist_append(t->headers, "Expect:");
	curl.easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	curl.easy_setopt(c, CURLOPT_USERAGENT, "gx/" PACKAGE_VERSION);
}

/* Wherever it is led to: a server that wants to be asked elsewhere wants to be asked the same. */
static void set_body(struct transfer *t, CURL *c)
{
	if (!t->req.body)
		return;
	curl.easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->req.body_len);
	curl.easy_setopt(c, CURLOPT_POSTFIELDS, t->req.body);
	curl.easy_setopt(c, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
}

static size_t on_send(char *out, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	const struct transfer_upload *u = t->req.upload;
	uint64_t left = u->size - t->sent;
	ssize_t got;

	n = size * n < left ? size * n : (size_t)left;
	if (u->p)
		memcpy(out, u->p + t->sent, n);
	got = u->p || !n ? (ssize_t)n : pread(u->fd, out, n, (off_t)(u->from + t->sent));
	if (got < 0 || (size_t)got < n) {
		err_set(&t->err, ERR_IO, "cannot read what is to be sent");
		t->rc = ERR_IO;
		return CURL_READFUNC_ABORT;
	}
	t->sent += n;
	activity_progress(t->activity, t->sent, u->size);
	return n;
}

static int on_rewind(void *user, curl_off_t offset, int whence)
{
	struct transfer *t = user;

	if (whence != SEEK_SET || offset < 0 || (uint64_t)offset > t->req.upload->size)
		return CURL_SEEKFUNC_CANTSEEK;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_upload(struct transfer *t, CURL *c)
{
	t->sent = 0;
	if (t->req.head)
		curl.easy_setopt(c, CURLOPT_NOBODY, 1L);
	if (!t->req.upload)
		return;
	curl.easy_setopt(c, CURLOPT_UPLOAD, 1L);
	if (t->req.patch)
		curl.easy_setopt(c, CURLOPT_CUSTOMREQUEST, "PATCH");
	curl.easy_setopt(c, CURLOPT_READFUNCTION, on_send);
	curl.easy_setopt(c, CURLOPT_READDATA, t);
	curl.easy_setopt(c, CURLOPT_SEEKFUNCTION, on_rewind);
	curl.easy_setopt(c, CURLOPT_SEEKDATA, t);
	curl.easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->req.upload->size);
	/* Servers that do not know of asking first would cost a second each. */
	t->headers = curl.slist_append(t->headers, "Expect:");
}

static void begin_attempt(struct transfer *t)
{
	const struct transfer_settings *s = t->engine->set;
	CURL *c = curl.easy_init();

	if (!c)
		out_of_memory();
	t->easy = c;
	t->attempt++;
	t->body = 0;
	t->error[0] = 0;
	t->resting = 0;
	t->resume = t->validator || t->req.any_version ? t->result.size : 0;
	curl.easy_setopt(c, CURLOPT_URL, t->url ? t->url : t->req.url);
	curl.easy_setopt(c, CURLOPT_PRIVATE, t);
	curl.easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl.easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
	curl.easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl.easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
	curl.easy_setopt(c, CURLOPT_BUFFERSIZE, 262144L);
	curl.easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)s->connect_ms);
	curl.easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)MIN_SPEED);
	curl.easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)s->stall_s);
	curl.easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl.easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(c, CURLOPT_WRITEDATA, t);
	set_security(t, c);
	set_upload(t, c);
	set_headers(t, c);
	set_body(t, c);
	t->state = TRANSFER_RUNNING;
	curl.multi_add_handle(t->engine->multi, c);
}

/* --- its end --- */

/* Whether it turned us away because we asked too often. */
static int is_limited(const struct transfer *t, long status)
{
	return (status == 403 || status == 429) && (t->response.used_up || status == 429);
}

static int is_passing_status(const struct transfer *t, long status)
{
	/* Nobody waits for an hour. */
	if (t->response.retry_after > MAX_PAUSE_S || (status == 429 && t->response.used_up))
		return 0;
	return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* How many attempts a failure is worth. */
static unsigned worth(const struct transfer *t, CURLcode code, long status)
{
	unsigned most = t->req.attempts ? t->req.attempts : t->engine->set->attempts;
	curl_off_t connected = 0;

	switch (code) {
	case CURLE_HTTP_RETURNED_ERROR:
		return is_passing_status(t, status) ? most : 1;
	case CURLE_OPERATION_TIMEDOUT:
		/* A host that does not answer costs one timeout, not five. */
		curl.easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
		return connected ? most : 1;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return most < 2 ? most : 2;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_AGAIN:
		return most;
	default:
		return 1;
	}
}

static int too_often(struct transfer *t, long status, const char *attempts)
{
	char when[64] = "";
	time_t at = (time_t)t->response.reset;
	struct tm tm;

	if (t->response.retry_after)
		snprintf(when, sizeof when, " for %u seconds", t->response.retry_after);
	else if (at && gmtime_r(&at, &tm))
		strftime(when, sizeof when, " until %H:%M:%S UTC", &tm);
	return err_set(&t->err, ERR_DENIED, "the server was asked too often and takes no more requests%s (it says %ld)%s", when,
		       status, attempts);
}

static int failure(struct transfer *t, CURLcode code, long status)
{
	char attempts[40] = "";

	if (t->attempt > 1)
		snprintf(attempts, sizeof attempts, " (after %u attempts)", t->attempt);
	if (code == CURLE_HTTP_RETURNED_ERROR && is_limited(t, status))
		return too_often(t, status, attempts);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return err_set(&t->err,
			       status == 404 || status == 410		       ? ERR_NOTFOUND
			       : status == 401 || status == 403 || status == 407 ? ERR_DENIED
										 : ERR_NETWORK,
			       "the server says %ld%s", status, attempts);
	if (code == CURLE_OPERATION_TIMEDOUT && strstr(t->error, "too slow"))
		return err_set(&t->err, ERR_NETWORK, "hardly anything came for %u seconds%s", t->engine->set->stall_s, attempts);
	if (code == CURLE_UNSUPPORTED_PROTOCOL && status >= 300)
		return err_set(&t->err, ERR_NETWORK, has_scheme(t->req.url, "https") ?
						     "the server leads from https to an address that is not https" :
						     "the server leads to an address that is neither http nor https");
	return err_set(&t->err, ERR_NETWORK, "%s%s", t->error[0] ? t->error : curl.easy_strerror(code), attempts);
}

/* Puts it off to a next attempt. */
static void try_later(struct transfer *t)
{
	double pause = t->engine->set->retry_ms / 1000.0;

	for (unsigned i = 1; i < t->attempt && pause < MAX_PAUSE_S; i++)
		pause *= 2;
	/* Many clients that failed together should not come back together. */
	pause *= 0.75 + 0.5 * (double)(random() % 1000) / 1000;
	if (t->response.retry_after > pause)
		pause = t->response.retry_after;
	if (pause > MAX_PAUSE_S)
		pause = MAX_PAUSE_S;
	t->retry_at = transfer_now() + pause;
	t->state = TRANSFER_WAITING;
}

static void succeeded(struct transfer *t, long status)
{
	char *url = NULL;
	struct buf b = BUF_INIT;

	t->rc = 0;
	/* Nothing came now, though something had before: an empty body is the whole of it. */
	if (!t->body && status != 304 && transfer_sink_restart(t)) {
		transfer_finish(t, failure(t, CURLE_PARTIAL_FILE, status));
		return;
	}
	curl.easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
	transfer_show_url(&b, url ? url : t->req.url);
	t->result.final_url = buf_detach(&b, NULL);
	t->result.not_modified = status == 304;
	t->result.etag = t->response.etag;
	t->response.etag = NULL;
	transfer_finish(t, 0);
}

/* Asks again where the server says. */
static void led_on(struct transfer *t, long status)
{
	char *to = NULL;

	curl.easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to || t->led++ == MAX_REDIRECTS) {
		transfer_finish(t, failure(t, CURLE_HTTP_RETURNED_ERROR, status));
	} else if (!has_scheme(to, "https") && (has_scheme(t->req.url, "https") || !has_scheme(to, "http"))) {
		transfer_finish(t, failure(t, CURLE_UNSUPPORTED_PROTOCOL, status));
	} else {
		free(t->url);
		t->url = xstrdup(to);
		t->attempt--;
		t->retry_at = 0;
		t->state = TRANSFER_WAITING;
	}
}

static void attempt_ended(struct transfer *t, CURLcode code)
{
	long status = 0;

	curl.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->req.refusal)
		buf_trim(t->req.refusal, 0);
	if (t->req.refusal && status >= 400 && status < 500)
		buf_add(t->req.refusal, buf_str(&t->heads), t->heads.len);
	if (t->req.answer) {
		buf_trim(t->req.answer, 0);
		buf_add(t->req.answer, buf_str(&t->heads), t->heads.len);
	}
	if (code == CURLE_OK && !t->rc && leads_on(t))
		led_on(t, status);
	else if (code == CURLE_OK && !t->rc && (status < 300 || status == 304))
		succeeded(t, status);
	else if (t->rc) /* the sink's own failure, or a limit */
		transfer_finish(t, t->rc);
	else if (code == CURLE_OK)
		transfer_finish(t, failure(t, CURLE_HTTP_RETURNED_ERROR, status));
	else if (status == 416 && t->resume && t->attempt < t->engine->set->attempts && !transfer_sink_restart(t))
		try_later(t);
	else if (t->attempt >= worth(t, code, status) ||
		 (t->result.size && !t->validator && !t->req.any_version && t->req.write && !t->req.restart))
		transfer_finish(t, failure(t, code, status));
	else
		try_later(t);

	enum transfer_state state = t->state;

	t->state = TRANSFER_RUNNING; /* it is still in the multi handle */
	drop_handle(t);
	t->state = state;
}

/* --- running --- */

/* Starts what is due; the milliseconds until there is more to do. */
static int start_due(struct transfer_engine *g, const struct transfer *for_whom)
{
	double now = transfer_now(), next = now + 1;

	for (struct transfer *t = g->all; t; t = t->next) {
		if (t->state == TRANSFER_DONE)
			continue;
		if (t->deadline && now >= t->deadline) {
			err_set(&t->err, ERR_NETWORK, "it took longer than %u seconds", t->req.timeout_s);
			drop_handle(t);
			transfer_finish(t, ERR_NETWORK);
		} else if (t->resting && t->req.room(t->req.user)) {
			t->resting = 0;
			curl.easy_pause(t->easy, CURLPAUSE_CONT);
		} else if (t->state == TRANSFER_WAITING && has_scheme(t->req.url, "file")) {
			/* Takes its time at once: only when somebody waits for it. */
			if (t == for_whom)
				transfer_file(t);
		} else if (t->state == TRANSFER_WAITING && now >= t->retry_at) {
			begin_attempt(t);
		} else if (t->state == TRANSFER_WAITING && t->retry_at < next) {
			next = t->retry_at;
		}
		if (t->deadline && t->deadline < next)
			next = t->deadline;
	}
	return next <= now ? 0 : (int)((next - now) * 1000) + 1;
}

static int collect(struct transfer_engine *g)
{
	int left, any = 0;
	CURLMsg *m;

	while ((m = curl.multi_info_read(g->multi, &left))) {
		void *t = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		attempt_ended(t, code);
		any = 1;
	}
	return any;
}

static void interrupt(struct transfer_engine *g)
{
	for (struct transfer *t = g->all; t; t = t->next)
		if (t->state != TRANSFER_DONE) {
			drop_handle(t);
			err_set(&t->err, ERR_INTERRUPT, "interrupted");
			transfer_finish(t, ERR_INTERRUPT);
		}
}

/* One turn of the wheel, for one transfer, or at most `most` milliseconds long. */
static int turn(struct transfer_engine *g, const struct transfer *for_whom, int most)
{
	struct curl_waitfd cancel = { g->set->cancel_fd, CURL_WAIT_POLLIN, 0 };
	int running, pause;

	start_due(g, for_whom);
	curl.multi_perform(g->multi, &running);
	int ended = collect(g);

	pause = start_due(g, for_whom); /* what just failed may be due before anything else happens */
	if (for_whom ? for_whom->state == TRANSFER_DONE : ended)
		return 0;
	curl.multi_poll(g->multi, &cancel, cancel.fd >= 0, pause < most ? pause : most, NULL);
	if (!(cancel.revents & CURL_WAIT_POLLIN))
		return 0;
	interrupt(g);
	return ERR_INTERRUPT;
}

int transfer_wait(struct transfer *t, struct transfer_result *r, struct err *e)
{
	while (t->state != TRANSFER_DONE)
		turn(t->engine, t, INT_MAX);
	int rc = t->rc;

	if (rc) {
		err_set(e, rc, "%s", t->err.msg);
	} else if (r) {
		*r = t->result;
		t->result = (struct transfer_result){ 0 };
	}
	transfer_cancel(t);
	return rc;
}

int transfer_is_done(const struct transfer *t)
{
	return t->state == TRANSFER_DONE;
}

int transfer_turn(struct transfer_engine *g, unsigned ms)
{
	return turn(g, NULL, (int)ms);
}

void transfer_engine_wake(struct transfer_engine *g)
{
	curl.multi_wakeup(g->multi);
}

int transfer_get(struct transfer_engine *g, const struct transfer_request *q, struct transfer_result *out, struct err *e)
{
	struct transfer *t = transfer_start(g, q, e);

	return t ? transfer_wait(t, out, e) : ERR_INVALID;
}

struct buf_sink {
	struct buf *b;
	size_t start;
};

static int write_buf(void *user, const void *p, size_t n, struct err *e)
{
	struct buf_sink *s = user;

	(void)e;
	buf_add(s->b, p, n);
	return 0;
}

static int restart_buf(void *user, struct err *e)
{
	struct buf_sink *s = user;

	(void)e;
	buf_trim(s->b, s->start);
	return 0;
}

int transfer_get_buf(struct transfer_engine *g, const char *url, uint64_t max_size, struct buf *out, struct err *e)
{
	struct buf_sink s = { out, out->len };
	struct transfer_request q = { .url = url, .max_size = max_size, .write = write_buf, .restart = restart_buf, .user = &s };

	return transfer_get(g, &q, NULL, e);
}
