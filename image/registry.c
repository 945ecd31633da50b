/* SPDX-License-Identifier: MIT
 *
 * Tokens: a request without one is answered 401, "WWW-Authenticate: Bearer realm=URL,service=NAME,scope=WHAT".  The realm is asked
 * for a token, as whoever one is; it is good for minutes, so it is asked for again when it is refused later.
 *
 * The realm is an address that the registry names, and would get the password.  It gets it only when it is not less safe than the
 * registry, and of the same domain (auth.docker.io for registry-1.docker.io): otherwise it is asked as nobody.
 */
#include "config.h"
#include "image/registry.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json_tree.h"
#include "fetch/url.h"
#include "image/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LIMIT_TOKEN = 1 << 16, REALM_MOST = 4096, SMALL_SECONDS = 60 };

/* --- answers --- */

int head_status(const struct buf *heads)
{
	const char *p = heads->len > 12 ? strchr(heads->p, ' ') : NULL;

	return p ? atoi(p + 1) : 0;
}

/* The n-th header of this name. */
static struct slice nth_value(const struct buf *heads, const char *name, unsigned nth)
{
	size_t len = strlen(name);

	for (const char *p = buf_str(heads), *end; *p; p = end) {
		end = p + strcspn(p, "\n");
		end += *end == '\n';
		if ((size_t)(end - p) > len && !strncasecmp(p, name, len) && p[len] == ':' && !nth--)
			return slice_trim((struct slice){ p + len + 1, (size_t)(end - p) - len - 1 });
	}
	return (struct slice){ "", 0 };
}

struct slice head_value(const struct buf *heads, const char *name)
{
	return nth_value(heads, name, 0);
}

/* --- challenges --- */

void challenge_release(struct challenge *c)
{
	buf_release(&c->realm);
	buf_release(&c->service);
}

/* NAME="VALUE" or NAME=VALUE, with blanks and commas around; 0 at the end. */
static int next_parameter(struct slice *s, struct slice *name, struct buf *value)
{
	while (s->n && strchr(" \t,", *s->p))
		s->p++, s->n--;
	*name = (struct slice){ s->p, 0 };
	while (s->n && !strchr("=, \t", *s->p))
		s->p++, s->n--, name->n++;
	buf_trim(value, 0);
	if (!s->n || *s->p != '=')
		return name->n != 0;
	s->p++, s->n--;
	int quoted = s->n && *s->p == '"';

	if (quoted)
		s->p++, s->n--;
	while (s->n && (quoted ? *s->p != '"' : !strchr(", \t", *s->p))) {
		if (quoted && *s->p == '\\' && s->n > 1)
			s->p++, s->n--;
		buf_addc(value, *s->p);
		s->p++, s->n--;
	}
	if (quoted && s->n)
		s->p++, s->n--;
	return 1;
}

static int is_word(struct slice a, const char *b)
{
	return a.n == strlen(b) && !strncasecmp(a.p, b, a.n);
}

static void keep(struct buf *to, const struct buf *value)
{
	if (!to->len && value->len < REALM_MOST)
		buf_add(to, value->p, value->len);
}

static void read_one(struct challenge *c, struct slice v)
{
	struct buf value = BUF_INIT;
	struct slice name;

	c->basic |= v.n >= 5 && !strncasecmp(v.p, "Basic", 5);
	if (v.n < 7 || strncasecmp(v.p, "Bearer ", 7))
		return;
	c->bearer = 1;
	v.p += 7, v.n -= 7;
	while (next_parameter(&v, &name, &value)) {
		if (is_word(name, "realm"))
			keep(&c->realm, &value);
		else if (is_word(name, "service"))
			keep(&c->service, &value);
	}
	buf_release(&value);
}

void challenge_read(struct challenge *c, const struct buf *heads)
{
	struct slice v;

	*c = (struct challenge){ 0, 0, BUF_INIT, BUF_INIT };
	for (unsigned i = 0; (v = nth_value(heads, "WWW-Authenticate", i)).n; i++)
		read_one(c, v);
}

static int is_https(const char *url)
{
	return !strncasecmp(url, "https://", 8);
}

/* The host of an address, without port and user. */
static struct slice host_of(const char *url)
{
	const char *host = strstr(url, "://"), *at;
	size_t n;

	if (!host)
		return (struct slice){ "", 0 };
	host += 3;
	n = strcspn(host, "/?#");
	at = memrchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	struct slice name = host_name(host);

	return (struct slice){ host, name.n < n ? name.n : n };
}

/* "docker.io" of "auth.docker.io"; all of an address of digits. */
static struct slice domain_of(struct slice host)
{
	unsigned dots = 0;

	if (!host.n || *host.p == '[' || strchr("0123456789", host.p[host.n - 1]))
		return host;
	for (size_t i = host.n; i--;)
		if (host.p[i] == '.' && ++dots == 2)
			return (struct slice){ host.p + i + 1, host.n - i - 1 };
	return host;
}

int registry_trusts(const char *base, const char *realm)
{
	struct slice a = domain_of(host_of(base)), b = domain_of(host_of(realm));

	return a.n && a.n == b.n && !strncasecmp(a.p, b.p, a.n) && (is_https(realm) || !is_https(base));
}

/* --- tokens --- */

static int take_token(struct registry *r, const struct buf *text, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *o;
	int rc = image_json(&a, (struct slice){ buf_str(text), text->len }, "the answer with the token", &o, e);

	if (!rc) {
		struct slice t = image_text(o, "token");

		t = t.n ? t : image_text(o, "access_token");
		for (size_t i = 0; i < t.n; i++)
			if ((unsigned char)t.p[i] <= 32 || (unsigned char)t.p[i] >= 127)
				t.n = 0;
		if (!t.n)
			rc = err_set(e, ERR_DENIED, "there is no token in the answer");
		free_secret(r->token);
		r->token = rc ? NULL : xstrndup(t.p, t.n);
	}
	arena_release(&a);
	return rc;
}

static void add_parameter(struct buf *b, const char *name, struct slice value)
{
	buf_addf(b, "%s%s=", b->len ? "&" : "", name);
	url_encode(b, value, "");
}

static void add_scopes(const struct registry *r, struct buf *b)
{
	struct buf own = BUF_INIT;

	buf_addf(&own, "repository:%s:pull%s", r->ref.repository, r->push ? ",push" : "");
	add_parameter(b, "scope", (struct slice){ own.p, own.len });
	for (size_t i = 0; i < r->scopes.n; i++)
		add_parameter(b, "scope", slice_of(r->scopes.v[i]));
	buf_release(&own);
}

/* Asks for a token: as whoever one is, or with the refresh token that stands for that. */
static int get_token(struct registry *r, const struct challenge *c, struct err *e)
{
	const int trusted = registry_trusts(r->base, buf_str(&c->realm));
	struct buf words = BUF_INIT, url = BUF_INIT, answer = BUF_INIT;
	struct transfer_request q = { .title = "", .no_netrc = 1, .max_size = LIMIT_TOKEN, .timeout_s = SMALL_SECONDS,
				      .write = transfer_write_buf, .restart = transfer_restart_buf, .user = &answer };
	int rc;

	if (c->service.len)
		add_parameter(&words, "service", (struct slice){ c->service.p, c->service.len });
	add_scopes(r, &words);
	buf_adds(&url, buf_str(&c->realm));
	if (trusted && r->login.refresh) {
		add_parameter(&words, "grant_type", SLICE("refresh_token"));
		add_parameter(&words, "client_id", SLICE("gx"));
		add_parameter(&words, "refresh_token", slice_of(r->login.refresh));
		q.body = words.p;
		q.body_len = words.len;
		q.body_type = "application/x-www-form-urlencoded";
	} else {
		buf_addf(&url, "%c%s", strchr(url.p, '?') ? '&' : '?', words.p);
		q.user_name = trusted ? r->login.user : NULL;
		q.password = trusted ? r->login.password : NULL;
	}
	q.url = url.p;
	rc = transfer_get(r->engine, &q, NULL, e);
	rc = rc ? rc : take_token(r, &answer, e);
	if (rc) {
		struct buf shown = BUF_INIT;

		transfer_show_url(&shown, buf_str(&c->realm));
		err_prefix(e, "no token from '%s'%s", shown.p,
			   !trusted && r->login.user ? " (who you are was not told to it: it is elsewhere)" : "");
		buf_release(&shown);
	}
	buf_wipe(&words);
	buf_wipe(&answer);
	buf_release(&url);
	return rc;
}

static int refuse(const struct registry *r, struct err *e)
{
	const int known = r->login.user || r->login.refresh;

	return err_set(e, ERR_DENIED,
		       known ? "'%s' does not let you use '%s'"
			     : "'%s' does not let everybody use '%s'; 'docker login' or 'podman login' says who you are",
		       r->ref.host, r->ref.repository);
}

int registry_authorise(struct registry *r, const struct buf *heads, struct err *e)
{
	struct challenge c;
	int rc;

	challenge_read(&c, heads);
	if (head_status(heads) != 401)
		rc = refuse(r, e);
	else if (c.bearer && c.realm.len)
		rc = get_token(r, &c, e);
	else if (c.basic && r->login.user && !r->basic)
		rc = 0, r->basic = 1;
	else
		rc = refuse(r, e);
	challenge_release(&c);
	return rc;
}

/* --- requests --- */

int registry_open(struct registry *r, const struct reference *ref, int push, int plain_http, struct err *e)
{
	struct buf base = BUF_INIT;
	int rc;

	*r = (struct registry){ .push = push };
	transfer_settings_init(&r->set);
	rc = transfer_settings_load(&r->set, e);
	r->set.per_host = REGISTRY_CONNECTIONS;
	r->ref = (struct reference){ xstrdup(ref->host), xstrdup(ref->repository), ref->tag ? xstrdup(ref->tag) : NULL,
				     ref->has_digest, ref->digest };
	reference_add_address(&base, ref, plain_http);
	r->base = buf_detach(&base, NULL);
	rc = rc ? rc : login_find(&r->login, ref, e);
	if (!rc && !(r->engine = transfer_engine_new(&r->set, e)))
		rc = ERR_NETWORK;
	return rc;
}

void registry_release(struct registry *r)
{
	transfer_engine_free(r->engine);
	transfer_settings_release(&r->set);
	login_release(&r->login);
	reference_release(&r->ref);
	words_release(&r->scopes);
	free_secret(r->token);
	free(r->base);
	*r = (struct registry){ .push = 0 };
}

/* An address of the registry itself: its host and port, and not only a beginning that looks like it. */
static int is_own(const struct registry *r, const char *url)
{
	size_t n = strlen(r->base);

	return !strncasecmp(url, r->base, n) && (!url[n] || strchr("/?#", url[n]));
}

void registry_request(const struct registry *r, const char *url, struct transfer_request *q)
{
	q->url = url;
	q->no_netrc = 1;
	if (!q->title)
		q->title = "";
	q->bearer = q->user_name = q->password = NULL;
	if (!is_own(r, url))
		return;
	if (r->token) {
		q->bearer = r->token;
	} else if (r->basic) {
		q->user_name = r->login.user;
		q->password = r->login.password;
	}
}

void registry_add_url(const struct registry *r, struct buf *b, const char *fmt, ...)
{
	va_list ap;

	buf_addf(b, "%s/v2/%s/", r->base, r->ref.repository);
	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

int registry_ask(struct registry *r, struct transfer_request *q, struct buf *heads, struct transfer_result *out, struct err *e)
{
	for (int again = 0;; again++) {
		struct err why = ERR_INIT;
		int rc;

		buf_trim(heads, 0);
		q->answer = heads;
		registry_request(r, q->url, q);
		rc = transfer_get(r->engine, q, out, &why);
		if (rc != ERR_DENIED || again == 2 || head_status(heads) == 429) {
			if (rc)
				err_set(e, rc, "%s", why.msg);
			err_release(&why);
			return rc;
		}
		err_release(&why);
		rc = registry_authorise(r, heads, e);
		if (rc)
			return rc;
	}
}

int registry_get(struct registry *r, const char *url, const char *accept, uint64_t max, struct buf *out, struct buf *heads,
		 struct err *e)
{
	struct transfer_request q = { .url = url,
				      .accept = accept,
				      .max_size = max,
				      .timeout_s = SMALL_SECONDS,
				      .write = transfer_write_buf,
				      .restart = transfer_restart_buf,
				      .user = out };

	return registry_ask(r, &q, heads, NULL, e);
}

/* --- blobs --- */

static int write_file(void *user, const void *p, size_t n, struct err *e)
{
	return fd_write_all(*(int *)user, p, n) ? err_errno(e, "cannot write a layer") : 0;
}

int registry_blob(struct registry *r, const struct hash *digest, uint64_t size, int to, struct err *e)
{
	struct buf url = BUF_INIT, heads = BUF_INIT;
	struct transfer_result got = { .size = 0 };
	char name[HASH_TEXT_MAX];
	int rc;

	hash_print(digest, HASH_BASE16, 1, name);
	registry_add_url(r, &url, "blobs/%s", name);
	struct transfer_request q = { .url = url.p,
				      .title = name,
				      .max_size = size,
				      .algo = HASH_SHA256,
				      .write = write_file,
				      .user = &to,
				      .any_version = 1 };

	rc = registry_ask(r, &q, &heads, &got, e);
	if (!rc && (got.size != size || !hash_eq(&got.hash, digest)))
		rc = err_set(e, ERR_HASH, "what came is not that");
	if (rc)
		err_prefix(e, "the blob '%s' of '%s/%s'", name, r->ref.host, r->ref.repository);
	transfer_result_release(&got);
	buf_release(&url);
	buf_release(&heads);
	return rc;
}

/* --- putting --- */

int registry_location(const struct registry *r, const struct buf *heads, struct buf *url, struct err *e)
{
	struct slice v = head_value(heads, "Location");
	const int whole = (v.n > 7 && !strncasecmp(v.p, "http://", 7)) || (v.n > 8 && !strncasecmp(v.p, "https://", 8));

	if (!whole && (!v.n || *v.p != '/'))
		return err_set(e, ERR_NETWORK, "'%s' does not say where to send it", r->ref.host);
	for (size_t k = 0; k < v.n; k++)
		if ((unsigned char)v.p[k] <= 32 || (unsigned char)v.p[k] >= 127)
			return err_set(e, ERR_NETWORK, "'%s' says to send it to an address that is none", r->ref.host);
	if (whole && is_https(r->base) && strncasecmp(v.p, "https:", 6))
		return err_set(e, ERR_NETWORK, "'%s' says to send it to an address that is not https", r->ref.host);
	if (!whole)
		buf_adds(url, r->base);
	buf_add(url, v.p, v.n);
	return 0;
}

static int has_blob(struct registry *r, const char *name, struct buf *heads, struct err *e)
{
	struct buf url = BUF_INIT;
	struct err why = ERR_INIT;
	int rc;

	registry_add_url(r, &url, "blobs/%s", name);
	struct transfer_request q = { .url = url.p, .head = 1 };

	rc = registry_ask(r, &q, heads, NULL, &why);
	if (rc && rc != ERR_NOTFOUND)
		err_set(e, rc, "%s", why.msg);
	err_release(&why);
	buf_release(&url);
	return rc == ERR_NOTFOUND ? 0 : rc ? rc : 1;
}

int registry_put_blob(struct registry *r, struct slice bytes, const struct hash *digest, struct err *e)
{
	struct transfer_upload body = { .p = bytes.p, .fd = -1, .size = bytes.n };
	struct buf url = BUF_INIT, heads = BUF_INIT;
	char name[HASH_TEXT_MAX];
	int rc;

	hash_print(digest, HASH_BASE16, 1, name);
	rc = has_blob(r, name, &heads, e);
	if (!rc) {
		registry_add_url(r, &url, "blobs/uploads/");
		struct transfer_request begin = { .url = url.p, .body = "", .body_type = "application/octet-stream" };

		rc = registry_ask(r, &begin, &heads, NULL, e);
		buf_trim(&url, 0);
		rc = rc ? rc : registry_location(r, &heads, &url, e);
		buf_addf(&url, "%cdigest=%s", strchr(buf_str(&url), '?') ? '&' : '?', name);
		struct transfer_request q = { .url = url.p, .upload = &body, .body_type = "application/octet-stream" };

		rc = rc ? rc : registry_ask(r, &q, &heads, NULL, e);
	}
	buf_release(&url);
	buf_release(&heads);
	return rc < 0 ? rc : 0;
}

int registry_put_manifest(struct registry *r, const struct buf *text, const struct hash *digest, const char *type, const char *name,
			  int *knows_subject, struct err *e)
{
	struct transfer_upload body = { .p = text->p, .fd = -1, .size = text->len };
	struct buf url = BUF_INIT, heads = BUF_INIT;
	struct slice said;
	char own[HASH_TEXT_MAX];
	int rc;

	hash_print(digest, HASH_BASE16, 1, own);
	registry_add_url(r, &url, "manifests/%s", name ? name : own);
	struct transfer_request q = { .url = url.p, .upload = &body, .body_type = type };

	rc = registry_ask(r, &q, &heads, NULL, e);
	said = head_value(&heads, "Docker-Content-Digest");
	if (rc)
		err_prefix(e, "'%s' does not take the manifest of '%s'", r->ref.host, r->ref.repository);
	else if (said.n && !slice_eq(said, slice_of(own)))
		rc = err_set(e, ERR_HASH, "'%s' says that the image it took has the digest '%.*s', but it is '%s'", r->ref.host,
			     (int)(said.n < 100 ? said.n : 100), said.p, own);
	if (knows_subject)
		*knows_subject = head_value(&heads, "OCI-Subject").n != 0;
	buf_release(&url);
	buf_release(&heads);
	return rc;
}
