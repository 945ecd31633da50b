/* SPDX-License-Identifier: MIT
 *
 * Servers of large files: the batch interface, which is told what objects are wanted and answers with an address for each.
 *
 *     POST <server>/objects/batch   {"operation":"download","transfers":["basic"],"objects":[{"oid":..,"size":..}]}
 *     {"objects":[{"oid":..,"size":..,"actions":{"download":{"href":..,"header":{..}}}}]}    or "error":{"code":..,"message":..}
 *
 * The server of "https://host/name" is "https://host/name.git/info/lfs".  Over ssh the host is asked for it, by the command
 * git-lfs-authenticate; its answer, {"href":..,"header":{..}}, has a password for a while.  .lfsconfig is a file of the tree, which
 * whoever wrote that wrote: as for Nix, it names no server.
 *
 * What a server says to send with a request goes to the host of that request's address alone (fetch/transfer.h).
 */
#include "config.h"
#include "fetch/git_lfs_int.h"
#include "base/alloc.h"
#include "base/json_tree.h"
#include "fetch/git.h"
#include "fetch/program.h"
#include "fetch/transfer.h"
#include "fetch/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ANSWER_MAX = 8 << 20 };

static const char kind[] = "application/vnd.git-lfs+json";

void lfs_server_release(struct lfs_server *s)
{
	buf_release(&s->url);
	buf_wipe(&s->headers);
}

void lfs_links_release(struct lfs_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(links[i].url);
		free_secret(links[i].headers);
	}
	memset(links, 0, n * sizeof *links);
}

/* --- answers --- */

static struct slice text_of(const struct jnode *o, const char *name)
{
	const struct jnode *v = json_member(o, slice_of(name));

	return v && v->kind == JSON_STRING && !memchr(v->str.p, 0, v->str.n) ? v->str : (struct slice){ "", 0 };
}

static int is_header(struct slice name, struct slice value)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == ':' || name.p[i] == 0x7f)
			return 0;
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return 0;
	return name.n > 0;
}

/* The object "header" of an answer. */
static int take_headers(const struct jnode *o, struct buf *out, struct err *e)
{
	const struct jnode *all = json_member(o, SLICE("header"));

	for (const struct jnode *h = all && all->kind == JSON_OBJECT ? all->first : NULL; h; h = h->next) {
		if (h->kind != JSON_STRING || !is_header(h->key, h->str))
			return err_set(e, ERR_INVALID, "it says to send something that is no header");
		buf_addf(out, "%.*s: %.*s\n", (int)h->key.n, h->key.p, (int)h->str.n, h->str.p);
	}
	return 0;
}

static int has_scheme(const char *url, const char *scheme)
{
	return !strncasecmp(url, scheme, strlen(scheme));
}

/* What is asked over TLS leads on over TLS, and to nothing here. */
static int check_href(const char *asked, struct slice href, struct err *e)
{
	struct slice secure = SLICE("https://"), open = SLICE("http://");

	if (!href.n)
		return err_set(e, ERR_INVALID, "its answer has no address");
	if (href.n > secure.n && !strncasecmp(href.p, secure.p, secure.n))
		return 0;
	if (href.n > open.n && !strncasecmp(href.p, open.p, open.n) && !has_scheme(asked, "https:"))
		return 0;
	return err_set(e, ERR_DENIED, "it leads to an address that is not https");
}

/* --- which server --- */

/* The address of a repository, and what is asked below it. */
static void add_interface(struct buf *out, const char *url)
{
	const char *host = strstr(url, "://") + 3, *end = host + strcspn(host, "?#");

	while (end > host && end[-1] == '/')
		end--;
	struct slice s = { url, (size_t)(end - url) };

	buf_add(out, s.p, s.n);
	if (slice_ends(s, SLICE("/info/lfs")))
		return;
	if (!memchr(host, '/', (size_t)(end - host)))
		buf_addc(out, '/');
	if (!slice_ends(s, SLICE(".git")))
		buf_adds(out, ".git");
	buf_adds(out, "/info/lfs");
}

/* The other side has a shell, and passes on what it is given. */
static int check_path(struct slice path, struct err *e)
{
	for (size_t i = 0; i < path.n; i++)
		if (!strchr("/.-_~+@:", path.p[i]) && !(((unsigned char)path.p[i] | 0x20) >= 'a' &&
		    ((unsigned char)path.p[i] | 0x20) <= 'z') && !(path.p[i] >= '0' && path.p[i] <= '9'))
			return err_set(e, ERR_INVALID, "the path '%.*s' cannot be asked for over ssh", (int)path.n, path.p);
	return 0;
}

static int ask_over_ssh(const struct url *u, struct slice path, struct buf *out, struct err *e)
{
	static const char *const kept[] = { "PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR" };
	struct words argv = { 0 }, env = { 0 };
	int rc;

	words_add(&argv, "ssh");
	words_add(&argv, "-oBatchMode=yes");
	if (u->port)
		words_addf(&argv, "-p%u", u->port);
	words_addf(&argv, "%.*s%s%.*s", (int)u->user.n, u->user.p, u->user.n ? "@" : "", (int)u->host.n, u->host.p);
	words_add(&argv, "--");
	words_add(&argv, "git-lfs-authenticate");
	words_addf(&argv, "%.*s", (int)path.n, path.p);
	words_add(&argv, "download");
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (getenv(kept[i]))
			words_addf(&env, "%s=%s", kept[i], getenv(kept[i]));
	words_add(&env, "LC_ALL=C");
	rc = program_run(&argv, &env, out, NULL, e);
	words_release(&argv);
	words_release(&env);
	return rc;
}

static int find_over_ssh(struct lfs_server *s, const char *url, struct err *e)
{
	struct arena mem = { 0 };
	struct buf answer = BUF_INIT;
	struct jnode *doc = NULL;
	struct slice path;
	struct url u;
	int rc = url_parse(slice_of(url), URL_LENIENT, &mem, &u, e);

	if (!rc)
		rc = url_path_to_file(&u, &mem, &path, e);
	if (!rc)
		rc = check_path(path, e);
	if (!rc)
		rc = ask_over_ssh(&u, path, &answer, e);
	if (!rc && (rc = json_tree_parse(&mem, (struct slice){ buf_str(&answer), answer.len }, &doc, e)))
		err_prefix(e, "what git-lfs-authenticate answers is no JSON");
	if (!rc)
		rc = check_href("ssh:", text_of(doc, "href"), e);
	if (!rc)
		rc = take_headers(doc, &s->headers, e);
	if (!rc) {
		struct slice href = text_of(doc, "href");

		while (href.n && href.p[href.n - 1] == '/')
			href.n--;
		buf_add(&s->url, href.p, href.n);
	}
	buf_wipe(&answer);
	arena_release(&mem);
	return rc;
}

int lfs_server_find(struct lfs_server *s, const char *url, struct err *e)
{
	*s = (struct lfs_server){ BUF_INIT, BUF_INIT };
	if (has_scheme(url, "ssh://"))
		return find_over_ssh(s, url, e);
	if (!has_scheme(url, "http://") && !has_scheme(url, "https://"))
		return err_set(e, ERR_INVALID, "large files come over http, https and ssh only");
	add_interface(&s->url, url);
	return 0;
}

/* --- asking --- */

static void write_question(struct buf *b, const struct lfs_pointer *const *asked, size_t n)
{
	buf_adds(b, "{\"operation\":\"download\",\"transfers\":[\"basic\"],\"objects\":[");
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s{\"oid\":\"%s\",\"size\":%llu}", i ? "," : "", asked[i]->oid, (unsigned long long)asked[i]->size);
	buf_adds(b, "]}");
}

static int post(const struct lfs_server *s, struct transfer_engine *g, const struct buf *question, struct buf *answer,
		struct err *e)
{
	struct buf url = BUF_INIT;
	struct transfer_request q = { .accept = kind, .body = question->p, .body_len = question->len, .body_type = kind,
				      .headers = s->headers.len ? s->headers.p : NULL, .max_size = ANSWER_MAX,
				      .write = transfer_write_buf, .restart = transfer_restart_buf, .user = answer };

	buf_addf(&url, "%s/objects/batch", buf_str(&s->url));
	q.url = url.p;
	int rc = transfer_get(g, &q, NULL, e);
	buf_release(&url);
	return rc;
}

/* What it says of one object. */
static int take_object(const struct lfs_server *s, const struct jnode *o, const struct lfs_pointer *p, struct lfs_link *out,
		       struct err *e)
{
	const struct jnode *error = json_member(o, SLICE("error")), *code = json_member(error, SLICE("code")),
			   *size = json_member(o, SLICE("size")), *how = json_member(json_member(o, SLICE("actions")),
										     SLICE("download"));
	struct slice why = text_of(error, "message"), href = text_of(how, "href");
	struct buf headers = BUF_INIT;

	if (error)
		return err_set(e, code && code->i == 404 ? ERR_NOTFOUND : ERR_NETWORK,
			       "it does not give the object of '%s': %lld %.*s", p->name, code ? (long long)code->i : 0LL,
			       (int)why.n, why.p);
	if (!slice_eq(text_of(o, "oid"), slice_of(p->oid)) || !size || size->kind != JSON_INT || (uint64_t)size->i != p->size)
		return err_set(e, ERR_NETWORK, "it answers with another object than that of '%s'", p->name);
	int rc = check_href(buf_str(&s->url), href, e);
	if (!rc)
		rc = take_headers(how, &headers, e);
	if (!rc) {
		out->url = xstrndup(href.p, href.n);
		out->headers = headers.len ? buf_detach(&headers, NULL) : NULL;
	}
	buf_release(&headers);
	return rc;
}

static const struct jnode *find_object(const struct jnode *doc, const char *oid)
{
	const struct jnode *all = json_member(doc, SLICE("objects"));

	for (const struct jnode *o = all && all->kind == JSON_ARRAY ? all->first : NULL; o; o = o->next)
		if (slice_eq(text_of(o, "oid"), slice_of(oid)))
			return o;
	return NULL;
}

int lfs_server_ask(const struct lfs_server *s, struct transfer_engine *g, const struct lfs_pointer *const *asked, size_t n,
		   struct lfs_link *links, struct err *e)
{
	struct buf question = BUF_INIT, answer = BUF_INIT;
	struct arena mem = { 0 };
	struct jnode *doc = NULL;
	int rc;

	write_question(&question, asked, n);
	rc = post(s, g, &question, &answer, e);
	if (!rc && (rc = json_tree_parse(&mem, (struct slice){ buf_str(&answer), answer.len }, &doc, e)))
		err_prefix(e, "what the server answers is no JSON");
	struct slice way = text_of(doc, "transfer");
	if (!rc && way.n && !slice_eq(way, SLICE("basic")))
		rc = err_set(e, ERR_NETWORK, "the server wants to send its objects by '%.*s'", (int)way.n, way.p);
	for (size_t i = 0; i < n && !rc; i++) {
		const struct jnode *o = find_object(doc, asked[i]->oid);

		rc = o ? take_object(s, o, asked[i], &links[i], e)
		       : err_set(e, ERR_NETWORK, "the server says nothing of the object of '%s'", asked[i]->name);
	}
	buf_release(&question);
	buf_release(&answer);
	arena_release(&mem);
	return rc;
}
