/* SPDX-License-Identifier: MIT
 *
 * GOAUTH, after cmd/go/internal/auth.  Credentials are kept by prefix of an address without "https://"; the longest that fits
 * counts. The methods are asked from the last to the first, and what is said later replaces what was said before, so that of
 * several that know a prefix the first of the list is heard.
 */
#include "config.h"
#include "golang/goauth.h"
#include "base/alloc.h"
#include "fetch/netrc.h"
#include "fetch/program.h"
#include "format/basen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prefixes that one answer may name. */
enum { PREFIXES_MAX = 1000 };

struct credential {
	char *prefix;
	struct buf headers; /* lines */
	char *filled;	    /* what git said, to tell it how that went; NULL: another method */
	char *dir;	    /* where */
	size_t method;	    /* its place in the list */
};

struct go_auth {
	struct words methods;
	struct buf netrc; /* where the list names it */
	size_t netrc_at;
	struct credential *v;
	size_t n, cap;
	int begun;
};

/* --- the list --- */

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next of the words of a method; one that begins with a quote goes to the next of its kind.  0: no more; -1: no end. */
static int next_word(struct slice *s, struct slice *word)
{
	const char *end;

	while (s->n && is_blank(*s->p))
		s->p++, s->n--;
	if (!s->n)
		return 0;
	if (*s->p == '\'' || *s->p == '"') {
		end = memchr(s->p + 1, *s->p, s->n - 1);
		if (!end)
			return -1;
		*word = (struct slice){ s->p + 1, (size_t)(end - s->p - 1) };
		end++;
	} else {
		for (end = s->p; end < s->p + s->n && !is_blank(*end); end++)
			;
		*word = (struct slice){ s->p, (size_t)(end - s->p) };
	}
	s->n -= (size_t)(end - s->p);
	s->p = end;
	return 1;
}

/* The words of a method; 0 when there are none or a quote is open. */
static size_t split(const char *method, struct words *out)
{
	struct slice rest = slice_of(method), word;
	int more;

	while ((more = next_word(&rest, &word)) > 0)
		words_addf(out, "%.*s", (int)word.n, word.p);
	return more < 0 ? 0 : out->n;
}

static void split_list(const char *list, struct words *out)
{
	for (const char *p = list;; p++) {
		size_t n = strcspn(p, ";");

		words_addf(out, "%.*s", (int)n, p);
		p += n;
		if (!*p)
			return;
	}
}

static int check_git(const struct words *w, struct err *e)
{
	struct stat st;

	if (w->n == 2 && w->v[1][0] == '/' && !stat(w->v[1], &st) && S_ISDIR(st.st_mode))
		return 0;
	return err_set(e, ERR_INVALID, "'git' in GOAUTH wants the absolute path of a folder: GOAUTH='git /path/to/folder'");
}

static int check_method(const char *method, size_t of, struct err *e)
{
	struct words w = { NULL, 0, 0 };
	int rc = 0;

	if (!split(method, &w))
		rc = err_set(e, ERR_INVALID, "GOAUTH names an empty command, or has a quote without its end");
	else if (!strcmp(w.v[0], "off") && of > 1)
		rc = err_set(e, ERR_INVALID, "'off' in GOAUTH cannot be combined with others");
	else if (!strcmp(w.v[0], "git"))
		rc = check_git(&w, e);
	words_release(&w);
	return rc;
}

int go_auth_check(const char *list, struct err *e)
{
	struct words methods = { NULL, 0, 0 };
	int rc = 0;

	split_list(list ? list : "netrc", &methods);
	for (size_t i = 0; i < methods.n && !rc; i++)
		rc = check_method(methods.v[i], methods.n, e);
	words_release(&methods);
	return rc;
}

enum go_auth_kinds go_auth_kinds(const char *list)
{
	enum go_auth_kinds kinds = 0;
	struct words methods = { NULL, 0, 0 };

	split_list(list ? list : "netrc", &methods);
	for (size_t i = 0; i < methods.n; i++) {
		struct words w = { NULL, 0, 0 };

		if (split(methods.v[i], &w) && strcmp(w.v[0], "off"))
			kinds |= strcmp(w.v[0], "netrc") ? GO_AUTH_PROGRAMS : GO_AUTH_NETRC;
		words_release(&w);
	}
	words_release(&methods);
	return kinds;
}

/* --- what is known --- */

static void credential_release(struct credential *c)
{
	free(c->prefix);
	free(c->dir);
	free_secret(c->filled);
	buf_wipe(&c->headers);
}

struct go_auth *go_auth_new(const char *list)
{
	struct go_auth *a = xcalloc(1, sizeof *a);
	struct err e = ERR_INIT;

	split_list(list, &a->methods);
	a->netrc_at = a->methods.n;
	for (size_t i = 0; i < a->methods.n; i++) {
		struct words w = { NULL, 0, 0 };

		if (split(a->methods.v[i], &w) && !strcmp(w.v[0], "netrc") && a->netrc_at == a->methods.n)
			a->netrc_at = i;
		words_release(&w);
	}
	if (a->netrc_at < a->methods.n && netrc_load(&a->netrc, &e))
		err_release(&e); /* transfers said so */
	return a;
}

void go_auth_free(struct go_auth *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		credential_release(&a->v[i]);
	free(a->v);
	buf_wipe(&a->netrc);
	words_release(&a->methods);
	free(a);
}

/* The key of an address: without scheme, without a slash at its end. */
static struct slice prefix_of(struct slice url)
{
	struct slice scheme = SLICE("https://");

	if (slice_starts(url, scheme))
		url.p += scheme.n, url.n -= scheme.n;
	if (url.n && url.p[url.n - 1] == '/')
		url.n--;
	return url;
}

static struct credential *exactly(struct go_auth *a, struct slice prefix)
{
	for (size_t i = 0; i < a->n; i++)
		if (slice_eq(slice_of(a->v[i].prefix), prefix))
			return &a->v[i];
	return NULL;
}

/* Remembers headers; none means that what was known is no longer so. */
static void store(struct go_auth *a, size_t method, struct slice url, struct slice headers, const char *dir, struct slice filled)
{
	struct slice prefix = prefix_of(url);
	struct credential *c = exactly(a, prefix);

	if (!c) {
		ARRAY_GROW(a->v, a->n + 1, a->cap);
		c = &a->v[a->n++];
	} else {
		credential_release(c);
	}
	*c = (struct credential){ .prefix = xstrndup(prefix.p, prefix.n), .method = method };
	buf_add(&c->headers, headers.p, headers.n);
	if (dir) {
		c->dir = xstrdup(dir);
		c->filled = xstrndup(filled.p, filled.n);
	}
}

/* The longest prefix of an address that something is known of. */
static struct credential *find(struct go_auth *a, struct slice url)
{
	struct slice prefix = prefix_of(url);
	struct credential *c = NULL;

	while (prefix.n && (!(c = exactly(a, prefix)) || !c->headers.len)) {
		while (prefix.n && prefix.p[prefix.n - 1] != '/')
			prefix.n--;
		prefix.n -= prefix.n > 0;
		c = NULL;
	}
	return c;
}

/* A method that stands before it may be netrc, which knows hosts. */
static int netrc_is_first(struct go_auth *a, const struct credential *c)
{
	struct slice host = slice_of(c->prefix);
	struct buf user = BUF_INIT, password = BUF_INIT;
	const char *colon = memchr(host.p, ':', host.n);
	int there;

	if (a->netrc_at > c->method || memchr(host.p, '/', host.n))
		return 0;
	if (colon)
		host.n = (size_t)(colon - host.p);
	there = netrc_find((struct slice){ buf_str(&a->netrc), a->netrc.len }, host, &user, &password);
	buf_wipe(&user);
	buf_wipe(&password);
	return there;
}

/* --- asking --- */

/* Runs a program with this on its standard input; what it prints is appended. */
static int run(const struct words *argv, struct slice input, struct buf *out)
{
	struct words env = { NULL, 0, 0 };
	struct program p;
	struct err e = ERR_INIT;
	int rc;

	for (char **v = environ; *v; v++)
		words_add(&env, *v);
	/* Nobody is there to answer a question. */
	words_add(&env, "GIT_TERMINAL_PROMPT=0");
	words_add(&env, "GCM_INTERACTIVE=never");
	rc = program_start(&p, argv, &env, 1, &e);
	if (!rc) {
		/* One that does not read what it is told may still know. */
		program_write(&p, input.p, input.n, NULL);
		shutdown(p.in, SHUT_WR);
		rc = program_collect(&p, out, NULL, &e);
	}
	/* What it says itself may hold what it should not. */
	err_release(&e);
	words_release(&env);
	return rc;
}

static struct slice next_line(struct slice *text)
{
	struct slice line = slice_cut(text, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* "Name: value", of what may stand there. */
static int is_header(struct slice line)
{
	static const char letters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *colon = memmem(line.p, line.n, ": ", 2);

	if (!colon || colon == line.p)
		return 0;
	for (const char *p = line.p; p < colon; p++)
		if (!*p || !strchr(letters, *p))
			return 0;
	for (const char *p = colon; p < line.p + line.n; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127)
			return 0;
	return 1;
}

/* A block: addresses, an empty line, headers, an empty line.  Both ends must be there.  a may be NULL: only looks. */
static int read_set(struct go_auth *a, size_t method, struct slice *text)
{
	struct slice urls[PREFIXES_MAX], line = { NULL, 0 }, headers;
	size_t n = 0;

	while (text->n && (line = next_line(text)).n && n < PREFIXES_MAX && slice_starts(line, SLICE("https://")))
		urls[n++] = line;
	if (line.n || !n)
		return -1;
	headers = (struct slice){ text->p, 0 };
	line.n = 1;
	while (text->n && (headers.n = (size_t)(text->p - headers.p), line = next_line(text)).n)
		if (!is_header(line))
			return -1;
	if (line.n)
		return -1;
	for (size_t i = 0; i < n && a; i++)
		store(a, method, urls[i], headers, NULL, SLICE(""));
	return 0;
}

static int ask_program(struct go_auth *a, size_t method, struct words *argv, struct slice url, struct slice refusal)
{
	struct buf out = BUF_INIT;
	int rc;

	if (url.n)
		words_addf(argv, "%.*s", (int)url.n, url.p);
	rc = run(argv, refusal, &out);
	struct slice text = { buf_str(&out), out.len };

	while (!rc && text.n)
		rc = read_set(NULL, method, &text);
	/* As Go: all of it, or nothing. */
	for (text = (struct slice){ buf_str(&out), rc ? 0 : out.len }; text.n;)
		read_set(a, method, &text);
	buf_wipe(&out);
	return rc;
}

static int git(const char *dir, const char *what, struct slice input, struct buf *out)
{
	struct words argv = { NULL, 0, 0 };
	int rc;

	words_add(&argv, "git");
	words_add(&argv, "-C");
	words_add(&argv, dir);
	words_add(&argv, "credential");
	words_add(&argv, what);
	rc = run(&argv, input, out);
	words_release(&argv);
	return rc;
}

static struct slice value_of(struct slice text, const char *name)
{
	size_t n = strlen(name);

	while (text.n) {
		struct slice line = next_line(&text);

		if (line.n > n && !memcmp(line.p, name, n) && line.p[n] == '=')
			return (struct slice){ line.p + n + 1, line.n - n - 1 };
	}
	return SLICE("");
}

static void add_basic(struct buf *headers, struct slice user, struct slice password)
{
	struct buf both = BUF_INIT;
	size_t n = user.n + 1 + password.n;
	char *text;

	buf_add(&both, user.p, user.n);
	buf_addc(&both, ':');
	buf_add(&both, password.p, password.n);
	text = xmalloc(BASE64_LEN(n) + 1);
	base64_encode((const uint8_t *)both.p, n, text);
	buf_addf(headers, "Authorization: Basic %.*s\n", (int)BASE64_LEN(n), text);
	explicit_bzero(text, BASE64_LEN(n));
	free(text);
	buf_wipe(&both);
}

/* What git fills in has to be for a prefix of what was asked for. */
static int ask_git(struct go_auth *a, size_t method, const char *dir, struct slice url)
{
	struct buf in = BUF_INIT, out = BUF_INIT, prefix = BUF_INIT, headers = BUF_INIT;
	int rc;

	buf_addf(&in, "url=%.*s\n", (int)url.n, url.p);
	rc = git(dir, "fill", (struct slice){ in.p, in.len }, &out);
	struct slice text = { buf_str(&out), out.len }, path = value_of(text, "path");

	buf_addf(&prefix, "%.*s://%.*s", (int)value_of(text, "protocol").n, value_of(text, "protocol").p,
		 (int)value_of(text, "host").n, value_of(text, "host").p);
	if (path.n)
		buf_addf(&prefix, "/%.*s", (int)path.n, path.p);
	if (!rc && !slice_starts(url, (struct slice){ prefix.p, prefix.len }))
		rc = -1;
	if (!rc) {
		add_basic(&headers, value_of(text, "username"), value_of(text, "password"));
		store(a, method, (struct slice){ prefix.p, prefix.len }, (struct slice){ headers.p, headers.len }, dir, text);
	}
	buf_release(&in);
	buf_release(&prefix);
	buf_wipe(&out);
	buf_wipe(&headers);
	return rc;
}

/* Once each: a program may fail before and after. */
static void add_failed(struct buf *failed, const char *name)
{
	struct buf quoted = BUF_INIT;

	buf_addf(&quoted, "'%s'", name);
	if (!strstr(buf_str(failed), quoted.p))
		buf_addf(failed, "%s%s", failed->len ? ", " : "", quoted.p);
	buf_release(&quoted);
}

/* One method; at first there is no address, and git has nothing to say without. */
static void ask_method(struct go_auth *a, size_t i, struct slice url, struct slice refusal, struct buf *failed)
{
	struct words argv = { NULL, 0, 0 };
	int rc = 0, is_git;

	split(a->methods.v[i], &argv);
	is_git = !strcmp(argv.v[0], "git");
	if (is_git && url.n)
		rc = ask_git(a, i, argv.v[1], url);
	else if (!is_git && strcmp(argv.v[0], "netrc"))
		rc = ask_program(a, i, &argv, url, refusal);
	if (rc)
		add_failed(failed, argv.v[0]);
	words_release(&argv);
}

static void ask_all(struct go_auth *a, struct slice url, struct slice refusal, struct buf *failed)
{
	for (size_t i = a->methods.n; i-- > 0;)
		ask_method(a, i, url, refusal, failed);
}

/* git's helpers keep what worked, and drop what did not. */
static void tell_git(struct go_auth *a, struct slice url, int good)
{
	struct credential *c = find(a, url);

	if (c && c->filled)
		git(c->dir, good ? "approve" : "reject", slice_of(c->filled), NULL);
}

void go_auth_ask(struct go_auth *a, enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers,
		 struct buf *failed)
{
	struct credential *c;

	if (step == GO_AUTH_GOOD || step == GO_AUTH_BAD) {
		tell_git(a, url, step == GO_AUTH_GOOD);
		return;
	}
	if (!a->begun)
		ask_all(a, SLICE(""), SLICE(""), failed);
	a->begun = 1;
	if (step == GO_AUTH_REFUSED)
		ask_all(a, url, refusal, failed);
	c = find(a, url);
	if (c && !netrc_is_first(a, c))
		buf_add(headers, c->headers.p, c->headers.len);
}
