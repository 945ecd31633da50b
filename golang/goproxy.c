/* SPDX-License-Identifier: MIT
 *
 * GOPROXY, after cmd/go/internal/modfetch (proxyList, TryProxies).  No proxy is built in but the publisher's own address of
 * toolchains: where a user has set nothing, other modules come from where the toolchain that asks for them says.
 */
#include "config.h"
#include "golang/goproxy.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "fetch/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char toolchain_source[] = "https://go.dev/dl/mod";

/* --- settings --- */

int go_env_find(struct slice text, const char *name, struct slice *value)
{
	size_t len = strlen(name);
	int found = 0;

	while (text.n) {
		struct slice line = slice_trim(slice_cut(&text, '\n'));

		/* As Go: the last one counts, and one that is empty is as good as none. */
		if (line.n > len && line.p[len] == '=' && !memcmp(line.p, name, len)) {
			*value = (struct slice){ line.p + len + 1, line.n - len - 1 };
			found = value->n > 0;
		}
	}
	return found;
}

/* Appends the name of the user's file; nothing when there is none. */
static void env_file(struct buf *b)
{
	const char *named = getenv("GOENV"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (named && !strcmp(named, "off"))
		return;
	if (named && *named)
		buf_adds(b, named);
	else if (config && *config == '/')
		buf_addf(b, "%s/go/env", config);
	else if (home && *home)
		buf_addf(b, "%s/.config/go/env", home);
}

static int read_env_file(struct buf *out, struct err *e)
{
	struct buf path = BUF_INIT;
	char piece[4096];
	ssize_t n = 0;
	int rc = 0, fd = -1;

	env_file(&path);
	if (path.len)
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (path.len && fd < 0 && errno != ENOENT && errno != ENOTDIR)
		rc = err_errno(e, "cannot read '%s'", path.p);
	while (fd >= 0 && (n = read(fd, piece, sizeof piece)) != 0)
		if (n > 0)
			buf_add(out, piece, (size_t)n);
		else if (errno != EINTR)
			break;
	if (n < 0)
		rc = err_errno(e, "cannot read '%s'", path.p);
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

static char *setting(struct slice file, const char *name)
{
	const char *env = getenv(name);
	struct slice v;
	char *s = NULL;

	if (env && *env)
		s = xstrdup(env);
	else if (go_env_find(file, name, &v))
		s = xstrndup(v.p, v.n);
	return s;
}

int go_settings_load(struct go_settings *s, struct err *e)
{
	struct buf file = BUF_INIT;
	int rc = read_env_file(&file, e);
	struct slice text = { buf_str(&file), file.len };

	*s = (struct go_settings){ 0 };
	if (!rc) {
		s->proxy = setting(text, "GOPROXY");
		s->no_proxy = setting(text, "GONOPROXY");
		if (!s->no_proxy)
			s->no_proxy = setting(text, "GOPRIVATE");
		s->auth = setting(text, "GOAUTH");
	}
	buf_release(&file);
	return rc;
}

static char *next_line(const char **p)
{
	size_t n = strcspn(*p, "\n");
	char *line = n ? xstrndup(*p, n) : NULL;

	*p += n + ((*p)[n] == '\n');
	return line;
}

static void take(char **setting, char *answer)
{
	if (*setting)
		free(answer);
	else
		*setting = answer;
}

void go_settings_ask(struct go_settings *s)
{
	struct words argv = { NULL, 0, 0 }, env = { NULL, 0, 0 };
	static const char *const question[] = { "go", "env", "GOPROXY", "GONOPROXY", "GOPRIVATE", "GOAUTH" };
	struct buf answer = BUF_INIT;
	struct err e = ERR_INIT;

	if (s->asked || (s->proxy && s->no_proxy && s->auth))
		return;
	s->asked = 1;
	for (size_t i = 0; i < sizeof question / sizeof *question; i++)
		words_add(&argv, question[i]);
	for (char **v = environ; *v; v++)
		if (strncmp(*v, "GOTOOLCHAIN=", 12))
			words_add(&env, *v);
	/* A go.mod here is not to make it fetch another Go before it answers. */
	words_add(&env, "GOTOOLCHAIN=local");
	if (!program_run(&argv, &env, &answer, NULL, &e)) {
		const char *p = buf_str(&answer);

		char *answers[4];

		for (size_t i = 0; i < 4; i++)
			answers[i] = next_line(&p);
		take(&s->proxy, answers[0]);
		take(&s->no_proxy, answers[1]);
		take(&s->no_proxy, answers[2]);
		take(&s->auth, answers[3]);
	}
	err_release(&e);
	buf_release(&answer);
	words_release(&argv);
	words_release(&env);
}

void go_settings_release(struct go_settings *s)
{
	free(s->proxy);
	free(s->no_proxy);
	free(s->auth);
	*s = (struct go_settings){ 0 };
}

struct slice go_proxy_list(const struct go_settings *s, const struct module_version *m, struct slice go_env)
{
	struct slice v;

	if (s->proxy)
		return slice_of(s->proxy);
	if (slice_eq(m->path, SLICE("golang.org/toolchain")))
		return slice_of(toolchain_source);
	return go_env_find(go_env, "GOPROXY", &v) ? v : SLICE("");
}

/* --- fetching --- */

struct proxies {
	struct transfer_engine *engine;
	const struct go_settings *settings;
	int netrc; /* GOAUTH has it */
	const struct module_version *m;
	const char *ending;
	const struct transfer_request *request;
	struct transfer_result *out;
};

/* Appends the address of the file at a proxy. */
static int add_url(struct buf *b, const struct proxies *p, struct slice proxy, struct err *e)
{
	int rc;

	/* Go lets users leave out the scheme. */
	if (!memmem(proxy.p, proxy.n, ":/", 2))
		buf_adds(b, "https://");
	while (proxy.n && proxy.p[proxy.n - 1] == '/')
		proxy.n--;
	buf_add(b, proxy.p, proxy.n);
	buf_addc(b, '/');
	if ((rc = modpath_escape(b, p->m->path, e)))
		return rc;
	buf_adds(b, "/@v/");
	rc = modver_escape(b, p->m->version, e);
	buf_addf(b, ".%s", p->ending);
	return rc;
}

/* Adds that programs failed, by their names alone. */
static void say_failed(struct err *e, struct buf *failed)
{
	char *text = e && e->msg && failed->len ? xstrdup(e->msg) : NULL;
	int code = e ? e->code : 0;

	if (text) {
		err_release(e);
		err_set(e, code, "%s (of GOAUTH, %s failed)", text, failed->p);
	}
	free(text);
}

/* A request with what the programs of GOAUTH say, and another one when that is refused. */
static int get_with_credentials(const struct proxies *p, struct transfer_request *q, struct err *e)
{
	struct buf headers = BUF_INIT, refusal = BUF_INIT, failed = BUF_INIT;
	struct slice url = slice_of(q->url);
	int rc;

	p->settings->credentials(GO_AUTH_FIRST, url, SLICE(""), &headers, &failed);
	q->headers = headers.len ? headers.p : NULL;
	q->refusal = &refusal;
	rc = transfer_get(p->engine, q, p->out, e);
	if (rc && refusal.len) {
		buf_trim(&headers, 0);
		buf_trim(&failed, 0);
		p->settings->credentials(GO_AUTH_REFUSED, url, (struct slice){ refusal.p, refusal.len }, &headers, &failed);
		q->headers = headers.len ? headers.p : NULL;
		if (q->headers) {
			err_release(e);
			rc = q->restart ? q->restart(q->user, e) : 0;
			rc = rc ? rc : transfer_get(p->engine, q, p->out, e);
		}
	}
	if (q->headers && (!rc || rc == ERR_DENIED))
		p->settings->credentials(rc ? GO_AUTH_BAD : GO_AUTH_GOOD, url, SLICE(""), &headers, &failed);
	if (rc)
		say_failed(e, &failed);
	buf_wipe(&headers);
	buf_release(&refusal);
	buf_release(&failed);
	return rc;
}

/* As Go: no credentials but to https, unless the address has them. */
static int get(const struct proxies *p, struct transfer_request *q, struct err *e)
{
	int https = !strncasecmp(q->url, "https://", 8);

	q->no_netrc = !https || !p->netrc;
	return https && p->settings->credentials ? get_with_credentials(p, q, e) : transfer_get(p->engine, q, p->out, e);
}

/* So that nobody looks for the mistake in go.sum or the network. */
static void say_refused(struct err *e)
{
	char *text = e && e->msg && strstr(e->msg, "the server says 403") ? xstrdup(e->msg) : NULL;
	int code = e ? e->code : 0;

	if (!text)
		return;
	err_release(e);
	err_set(e, code, "%s: this is the module proxy's refusal; who runs it can say why, and GOPROXY can name another", text);
	free(text);
}

static int try_proxy(const struct proxies *p, struct slice proxy, struct err *e)
{
	struct transfer_request q = *p->request;
	struct buf url = BUF_INIT;
	int rc;

	if (slice_eq(proxy, SLICE("off")))
		return err_set(e, ERR_DENIED, "module lookup disabled by GOPROXY=off");
	if (slice_eq(proxy, SLICE("direct")) && p->settings->direct)
		return p->settings->direct(p->m, p->ending, p->request, e);
	if (slice_eq(proxy, SLICE("direct")))
		return err_set(e, ERR_DENIED, "fetching directly from its repository is not supported, only through a module "
					      "proxy (GOPROXY)");
	rc = add_url(&url, p, proxy, e);
	q.url = url.p;
	if (!rc && (rc = get(p, &q, e)) == ERR_DENIED)
		say_refused(e);
	buf_release(&url);
	return rc;
}

static int is_word(struct slice proxy)
{
	return slice_eq(proxy, SLICE("off")) || slice_eq(proxy, SLICE("direct"));
}

/* Of several failures the first that is not "there is none" tells most; that nothing else may be tried, least. */
static void keep_better(struct err *best, struct err *now, int word)
{
	if (!best->code || (best->code == ERR_NOTFOUND && now->code != ERR_NOTFOUND && !word)) {
		err_release(best);
		*best = *now;
		*now = (struct err)ERR_INIT;
	}
	err_release(now);
}

static int try_all(const struct proxies *p, struct slice list, struct err *e)
{
	struct err best = ERR_INIT;
	int rc = ERR_NOTFOUND, any = 0;

	while (list.n) {
		size_t n = 0;
		struct err now = ERR_INIT;

		while (n < list.n && list.p[n] != ',' && list.p[n] != '|')
			n++;
		int bar = n < list.n && list.p[n] == '|';
		struct slice proxy = slice_trim((struct slice){ list.p, n });

		list.p += n + (n < list.n);
		list.n -= n + (n < list.n);
		if (!proxy.n)
			continue;
		/* What a failed proxy sent is void. */
		if (any && p->request->restart && (rc = p->request->restart(p->request->user, e)))
			break;
		any = 1;
		rc = try_proxy(p, proxy, &now);
		if (!rc)
			break;
		int go_on = !is_word(proxy) && rc != ERR_INTERRUPT && (bar || rc == ERR_NOTFOUND);

		keep_better(&best, &now, is_word(proxy));
		if (!go_on)
			break;
	}
	if (rc && !any)
		rc = err_set(e, ERR_NOTFOUND, "no module proxy is known");
	else if (rc && best.code)
		rc = err_set(e, best.code, "%s", best.msg);
	err_release(&best);
	return rc;
}

/* What the user could set. */
static void say_where(struct err *e)
{
	char *text = e && e->msg ? xstrdup(e->msg) : NULL;
	int code = e ? e->code : 0;

	if (text)
		err_release(e);
	if (text)
		err_set(e, code,
			"%s; neither the environment, nor 'go env -w', nor a go command in PATH says which module proxy to use: "
			"set GOPROXY",
			text);
	free(text);
}

int go_proxy_get(struct transfer_engine *g, const struct go_settings *s, struct slice list, const struct module_version *m,
		 const char *ending, const struct transfer_request *request, struct transfer_result *out, struct err *e)
{
	struct proxies p = { g, s, (go_auth_kinds(s->auth) & GO_AUTH_NETRC) != 0, m, ending, request, out };
	int rc = modpath_check_module(m, e);

	if (!rc && s->no_proxy && modpath_matches(slice_of(s->no_proxy), m->path))
		list = SLICE("direct");
	if (!rc)
		rc = try_all(&p, list, e);
	if (rc && rc != ERR_INTERRUPT && !s->proxy)
		say_where(e);
	if (rc)
		err_prefix(e, "Go module '%.*s@%.*s'", (int)m->path.n, m->path.p, (int)m->version.n, m->version.p);
	return rc;
}
