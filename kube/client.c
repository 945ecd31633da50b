/* SPDX-License-Identifier: MIT
 *
 * Requests as somebody.  One who is not believed (401) is asked for anew, once: tokens end, and programs that say them keep them.
 */
#include "config.h"
#include "kube/client.h"
#include "base/alloc.h"
#include "fetch/interrupt.h"
#include "format/basen.h"
#include "kube/credential.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MESSAGE = 1000 };

/* Not of what becomes a WebSocket: a real API server refuses that (406). */
#define ACCEPT "Accept: application/json"

struct kube {
	const struct kube_config *config;
	struct credential credential;
	struct http_peer peer;
	struct http *http;
	unsigned patience; /* seconds */
};

int kube_open(struct kube **out, const struct kube_config *c, const volatile int *stop, struct err *e)
{
	struct kube *k = xcalloc(1, sizeof *k);
	int rc;

	k->config = c;
	k->peer = (struct http_peer){ .server = c->server, .server_name = c->server_name, .proxy = c->proxy,
				      .ca = { buf_str(&c->ca), c->ca.len }, .insecure = c->insecure, .stop = stop };
	rc = http_new(&k->http, &k->peer, e);
	if (rc)
		free(k);
	else
		*out = k;
	return rc;
}

void kube_close(struct kube *k)
{
	if (!k)
		return;
	http_free(k->http);
	credential_release(&k->credential);
	free(k);
}

const char *kube_namespace(const struct kube *k)
{
	return k->config->namespace;
}

const char *kube_server(const struct kube *k)
{
	return k->config->server;
}

void kube_forget(struct kube *k)
{
	credential_release(&k->credential);
}

/* --- as whom --- */

static void add_basic(struct words *w, const struct kube_config *c)
{
	struct buf pair = BUF_INIT, text = BUF_INIT;

	buf_addf(&pair, "%s:%s", c->user ? c->user : "", c->password);
	buf_reserve(&text, BASE64_LEN(pair.len) + 1);
	base64_encode((const uint8_t *)pair.p, pair.len, text.p);
	buf_extend(&text, BASE64_LEN(pair.len));
	words_addf(w, "Authorization: Basic %s", text.p);
	buf_wipe(&pair);
	buf_wipe(&text);
}

/* Finds out who one is, and adds the headers that say so. */
static int identify(struct kube *k, struct words *w, struct err *e)
{
	const struct kube_config *c = k->config;
	struct credential *who = &k->credential;
	int rc = credential_holds(who, time(NULL)) ? 0 : credential_find(who, c, e);

	if (rc)
		return rc;
	const struct buf *cert = who->cert.len ? &who->cert : &c->cert, *key = who->cert.len ? &who->key : &c->key;

	k->peer.cert = (struct slice){ buf_str(cert), cert->len };
	k->peer.key = (struct slice){ buf_str(key), key->len };
	if (who->token)
		words_addf(w, "Authorization: Bearer %s", who->token);
	else if (c->password)
		add_basic(w, c);
	if (c->as)
		words_addf(w, "Impersonate-User: %s", c->as);
	for (size_t i = 0; i < c->groups.n; i++)
		words_addf(w, "Impersonate-Group: %s", c->groups.v[i]);
	return 0;
}

static void headers_release(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		explicit_bzero(w->v[i], strlen(w->v[i]));
	words_release(w);
}

static int ask_once(struct kube *k, struct http_request *q, struct http_answer *a, struct err *e)
{
	int rc = 0;

	for (int again = 0; again < 2 && !rc; again++) {
		struct words headers = { 0 };

		q->headers = &headers;
		words_add(&headers, ACCEPT);
		rc = identify(k, &headers, e);
		rc = rc ? rc : http_ask(k->http, q, a, e);
		headers_release(&headers);
		if (rc || a->status != 401)
			break;
		kube_forget(k);
	}
	return rc;
}

/* Whether it may be otherwise in a moment: too many requests, a server that starts or ends. */
static int passes(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

void kube_go_on(struct kube *k)
{
	k->peer.stop = NULL;
}

void kube_be_patient(struct kube *k, unsigned seconds)
{
	k->patience = seconds;
}

int kube_ask(struct kube *k, const char *method, const char *path, const char *type, struct slice body, struct http_answer *a,
	     struct err *e)
{
	struct http_request q = { .method = method, .path = path, .type = type, .body = body };
	unsigned waited = 0, pause;
	int rc;

	while (!(rc = ask_once(k, &q, a, e)) && passes(a->status)) {
		pause = a->retry_after ? a->retry_after : 1;
		if (waited + pause > k->patience || fetch_wait(-1, (int)pause * 1000, e))
			break;
		waited += pause;
	}
	return rc;
}

struct http_stream *kube_stream(struct kube *k, const char *path, unsigned seconds, int (*each)(void *user, struct slice bytes),
				void *user, struct err *e)
{
	struct words headers = { 0 };
	struct http_request q = { .method = "GET", .path = path, .headers = &headers, .seconds = seconds };
	struct http_stream *s;

	words_add(&headers, ACCEPT);
	s = identify(k, &headers, e) ? NULL : http_stream_start(k->http, &q, each, user);
	headers_release(&headers);
	return s;
}

int kube_connect(struct kube *k, struct http_raw **out, struct words *headers, struct err *e)
{
	int rc = identify(k, headers, e);

	return rc ? rc : http_raw_open(out, &k->peer, e);
}

void kube_turn(struct kube *k, int fd, unsigned ms)
{
	http_turn(k->http, fd, ms);
}

/* --- answers --- */

int kube_read(struct arena *a, const struct http_answer *from, struct jnode **out, struct err *e)
{
	struct err why = ERR_INIT;
	int rc = json_tree_parse(a, (struct slice){ buf_str(&from->body), from->body.len }, out, &why);

	if (rc)
		rc = err_set(e, ERR_NETWORK, "the cluster's answer makes no sense: %s", why.msg);
	else if ((*out)->kind != JSON_OBJECT)
		rc = err_set(e, ERR_NETWORK, "the cluster's answer is no object");
	err_release(&why);
	return rc;
}

/* What the schema does not have is a failure of the server's when it is applied. */
static int is_of_user(long status, struct slice message)
{
	return status == 400 || status == 422 ||
	       (status == 500 && message.n && memmem(message.p, message.n, "not declared in schema", 22));
}

int kube_refused(const struct http_answer *a, struct err *e, const char *what, ...)
{
	struct buf text = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct jnode *top = NULL;
	struct slice message = SLICE("");
	va_list ap;
	int rc;

	va_start(ap, what);
	buf_vaddf(&text, what, ap);
	va_end(ap);
	if (!json_tree_parse(&arena, (struct slice){ buf_str(&a->body), a->body.len }, &top, NULL))
		message = tree_text(top, "message");
	message.n = message.n > MAX_MESSAGE ? MAX_MESSAGE : message.n;
	rc = a->status == 401 || a->status == 403   ? ERR_DENIED
	     : a->status == 404			    ? ERR_NOTFOUND
	     : a->status == 409			    ? ERR_REJECTED
	     : is_of_user(a->status, message)	    ? ERR_INVALID
						    : ERR_NETWORK;
	if (message.n)
		err_set(e, rc, "cannot %s: %.*s", buf_str(&text), (int)message.n, message.p);
	else if (a->status == 401)
		err_set(e, rc, "cannot %s: the cluster does not believe who you are (it says 401)", buf_str(&text));
	else
		err_set(e, rc, "cannot %s: the cluster says %ld", buf_str(&text), a->status);
	buf_release(&text);
	arena_release(&arena);
	return rc;
}
