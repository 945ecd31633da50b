/* SPDX-License-Identifier: MIT
 *
 * The first file that says anything of the registry counts.  Keys of podman's files may go on with a repository's beginning: the
 * longest that fits is taken.  What a helper prints, and what is in the files, is never in a message.
 */
#include "config.h"
#include "image/login.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json_tree.h"
#include "fetch/program.h"
#include "format/basen.h"
#include "image/spec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_FILE = 1 << 20, LIMIT_SECRET = 1 << 16 };

#define DOCKER_KEY "https://index.docker.io/v1/"

void login_release(struct login *l)
{
	free_secret(l->user);
	free_secret(l->password);
	free_secret(l->refresh);
	*l = (struct login){ NULL, NULL, NULL };
}

/* What goes into a header has no control characters. */
static int is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
			return 0;
	return s.n != 0 && s.n < LIMIT_SECRET;
}

/* --- entries --- */

/* base64 of "USER:PASSWORD" */
static int take_auth(struct login *l, struct slice auth)
{
	char *text = auth.n && auth.n < LIMIT_SECRET ? xmalloc(BASE64_MAX(auth.n) + 1) : NULL, *colon;
	size_t n = 0;
	int ok = 0;

	if (text && !base64_decode(auth.p, auth.n, (uint8_t *)text, &n, NULL)) {
		text[n] = 0;
		colon = memchr(text, ':', n);
		ok = colon && is_plain((struct slice){ text, n });
		if (ok) {
			l->user = xstrndup(text, (size_t)(colon - text));
			l->password = xstrdup(colon + 1);
		}
	}
	if (text)
		explicit_bzero(text, n);
	free(text);
	return ok;
}

int login_entry(struct login *l, const struct jnode *entry)
{
	struct slice refresh = image_text(entry, "identitytoken"), user = image_text(entry, "username"),
		     password = image_text(entry, "password");

	if (is_plain(refresh)) {
		l->refresh = xstrndup(refresh.p, refresh.n);
		return 1;
	}
	if (take_auth(l, image_text(entry, "auth")))
		return 1;
	if (!is_plain(user) || !is_plain(password))
		return 0;
	l->user = xstrndup(user.p, user.n);
	l->password = xstrndup(password.p, password.n);
	return 1;
}

/* "https://HOST/v1/" and "HOST" are one. */
static struct slice bare(struct slice key)
{
	if (slice_starts(key, SLICE("https://")))
		key.p += 8, key.n -= 8;
	else if (slice_starts(key, SLICE("http://")))
		key.p += 7, key.n -= 7;
	if (slice_ends(key, SLICE("/v1/")) || slice_ends(key, SLICE("/v2/")))
		key.n -= 4;
	while (key.n && key.p[key.n - 1] == '/')
		key.n--;
	return key;
}

/* Does a key mean this image?  How much of it. */
static size_t fits(struct slice key, const struct reference *r)
{
	struct buf b = BUF_INIT;
	size_t n;

	if (slice_eq(key, SLICE(DOCKER_KEY)))
		return strcmp(r->host, "docker.io") ? 0 : strlen("docker.io");
	key = bare(key);
	buf_addf(&b, "%s/%s", r->host, r->repository);
	n = slice_starts((struct slice){ b.p, b.len }, key) && (key.n == b.len || b.p[key.n] == '/') ? key.n : 0;
	buf_release(&b);
	return n >= strlen(r->host) ? n : 0;
}

static const struct jnode *find_member(const struct jnode *o, const struct reference *r)
{
	const struct jnode *best = NULL;
	size_t most = 0;

	for (const struct jnode *m = o && o->kind == JSON_OBJECT ? o->first : NULL; m; m = m->next) {
		size_t n = fits(m->key, r);

		if (n > most) {
			most = n;
			best = m;
		}
	}
	return best;
}

/* --- helpers --- */

static int is_program(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", s.p[i]))
			return 0;
	return s.n != 0;
}

static int take_answer(struct login *l, const struct buf *text, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *o;
	int rc = image_json(&a, (struct slice){ buf_str(text), text->len }, "what the credential helper printed", &o, NULL);
	struct slice user = rc ? SLICE("") : image_text(o, "Username"), secret = rc ? SLICE("") : image_text(o, "Secret");

	if (rc || !is_plain(secret) || (user.n && !is_plain(user))) {
		rc = err_set(e, ERR_INVALID, "it printed no user and secret");
	} else if (slice_eq(user, SLICE("<token>"))) {
		l->refresh = xstrndup(secret.p, secret.n);
	} else {
		l->user = xstrndup(user.p, user.n);
		l->password = xstrndup(secret.p, secret.n);
	}
	arena_release(&a);
	return rc;
}

/* docker-credential-NAME get: the registry on its input, JSON on its output, status 1 for one that it does not know. */
static int ask_helper(struct login *l, struct slice name, const struct reference *r, struct err *e)
{
	const char *server = strcmp(r->host, "docker.io") ? r->host : DOCKER_KEY;
	struct words argv = { NULL, 0, 0 };
	struct buf out = BUF_INIT;
	struct program p;
	int status = 0, rc;

	if (!is_program(name))
		return err_set(e, ERR_INVALID, "a credential helper has a name that is none");
	words_addf(&argv, "docker-credential-%.*s", (int)name.n, name.p);
	words_add(&argv, "get");
	rc = program_start(&p, &argv, NULL, 1, e);
	if (!rc && (rc = program_write(&p, server, strlen(server), e))) {
		program_kill(&p);
	} else if (!rc) {
		close(p.in);
		p.in = -1;
		rc = program_collect(&p, &out, &status, e);
	}
	if (!rc && !status)
		rc = take_answer(l, &out, e);
	if (rc)
		err_prefix(e, "docker-credential-%.*s", (int)name.n, name.p);
	buf_wipe(&out);
	words_release(&argv);
	return rc;
}

/* --- files --- */

static int take_file(struct login *l, struct slice text, const struct reference *r, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *o;
	int rc = image_json(&a, text, "it", &o, e);

	if (!rc) {
		const struct jnode *helper = find_member(json_member(o, SLICE("credHelpers")), r);
		const struct jnode *entry = find_member(json_member(o, SLICE("auths")), r);
		struct slice store = image_text(o, "credsStore");

		if (helper && helper->kind == JSON_STRING)
			rc = ask_helper(l, helper->str, r, e);
		else if (!(entry && login_entry(l, entry)) && store.n)
			rc = ask_helper(l, store, r, e);
	}
	arena_release(&a);
	return rc;
}

static int read_file(struct login *l, const char *path, const struct reference *r, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct buf text = BUF_INIT;

	if (fd < 0)
		return 0;
	if (fd_read_all(fd, &text))
		rc = err_errno(e, "cannot read it");
	else if (text.len > LIMIT_FILE)
		rc = err_set(e, ERR_LIMIT, "it is too large");
	else
		rc = take_file(l, (struct slice){ buf_str(&text), text.len }, r, e);
	if (rc)
		err_prefix(e, "who to be to '%s', in '%s'", r->host, path);
	close(fd);
	buf_wipe(&text);
	return rc;
}

static int read_below(struct login *l, const char *variable, const char *rest, const struct reference *r, struct err *e)
{
	const char *dir = getenv(variable);
	struct buf path = BUF_INIT;
	int rc;

	if (!dir || !*dir || l->user || l->refresh)
		return 0;
	buf_addf(&path, "%s%s", dir, rest);
	rc = read_file(l, path.p, r, e);
	buf_release(&path);
	return rc;
}

int login_find(struct login *l, const struct reference *r, struct err *e)
{
	const char *docker = getenv("DOCKER_CONFIG");
	int rc;

	*l = (struct login){ NULL, NULL, NULL };
	rc = read_below(l, "REGISTRY_AUTH_FILE", "", r, e);
	rc = rc			 ? rc
	     : docker && *docker ? read_below(l, "DOCKER_CONFIG", "/config.json", r, e)
				 : read_below(l, "HOME", "/.docker/config.json", r, e);
	rc = rc ? rc : read_below(l, "XDG_RUNTIME_DIR", "/containers/auth.json", r, e);
	rc = rc ? rc : read_below(l, "HOME", "/.config/containers/auth.json", r, e);
	return rc;
}
