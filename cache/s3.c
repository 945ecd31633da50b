/* SPDX-License-Identifier: MIT
 *
 * ~/.aws/credentials is an INI file: "[profile]", "name = value", comments behind '#' and ';'.
 */
#include "config.h"
#include "cache/s3.h"
#include "base/alloc.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct s3_credentials {
	char *key, *secret; /* NULL: everybody */
	char *scope;	    /* "aws:amz:REGION:s3" */
	char *headers;
};

void s3_credentials_free(struct s3_credentials *s)
{
	if (!s)
		return;
	free_secret(s->key);
	free_secret(s->secret);
	free_secret(s->headers);
	free(s->scope);
	free(s);
}

static char *dup_env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? xstrdup(v) : NULL;
}

/* --- the file --- */

struct profile {
	char *key, *secret, *token;
};

static void take_line(struct profile *p, struct slice line)
{
	static const char *const names[] = { "aws_access_key_id", "aws_secret_access_key", "aws_session_token" };
	char **const fields[] = { &p->key, &p->secret, &p->token };
	const char *equal = memchr(line.p, '=', line.n);
	struct slice name, value;

	if (!equal)
		return;
	name = slice_trim((struct slice){ line.p, (size_t)(equal - line.p) });
	value = slice_trim((struct slice){ equal + 1, line.n - (size_t)(equal - line.p) - 1 });
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_eq(name, slice_of(names[i])) && !*fields[i])
			*fields[i] = xstrndup(value.p, value.n);
}

/* 1 when the text has the profile. */
static int find_profile(struct slice text, const char *wanted, struct profile *p)
{
	int in = 0, found = 0;

	while (text.n) {
		const char *eol = memchr(text.p, '\n', text.n);
		size_t n = eol ? (size_t)(eol - text.p) : text.n;
		struct slice line = slice_trim((struct slice){ text.p, n });

		text.p += n + (eol != NULL);
		text.n -= n + (eol != NULL);
		if (!line.n || *line.p == '#' || *line.p == ';')
			continue;
		if (*line.p == '[' && line.p[line.n - 1] == ']') {
			in = slice_eq(slice_trim((struct slice){ line.p + 1, line.n - 2 }), slice_of(wanted));
			found |= in;
		} else if (in) {
			take_line(p, line);
		}
	}
	return found;
}

static char *credentials_file(void)
{
	char *named = dup_env("AWS_SHARED_CREDENTIALS_FILE");
	const char *home = getenv("HOME");
	struct buf b = BUF_INIT;

	if (named || !home)
		return named;
	buf_addf(&b, "%s/.aws/credentials", home);
	return buf_detach(&b, NULL);
}

/* said: the profile was asked for, and has to be there. */
static int read_profile(const char *wanted, int said, struct profile *p, struct err *e)
{
	char *path = credentials_file();
	struct buf text = BUF_INIT;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, rc = 0, found = 0;

	if (fd >= 0 && fd_read_all(fd, &text))
		rc = err_errno(e, "cannot read '%s'", path);
	else if (fd >= 0)
		found = find_profile((struct slice){ buf_str(&text), text.len }, wanted, p);
	if (!rc && said && !found)
		rc = err_set(e, ERR_INVALID, "there is no profile '%s' in '%s'", wanted, path ? path : "~/.aws/credentials");
	if (fd >= 0)
		close(fd);
	buf_wipe(&text);
	free(path);
	return rc;
}

/* --- requests --- */

static int find(struct binary_cache *k, struct profile *p, struct err *e)
{
	const char *named = k->at.profile ? k->at.profile : getenv("AWS_PROFILE");

	if (!k->at.profile && (p->key = dup_env("AWS_ACCESS_KEY_ID")) && (p->secret = dup_env("AWS_SECRET_ACCESS_KEY"))) {
		p->token = dup_env("AWS_SESSION_TOKEN");
		return 0;
	}
	free_secret(p->key);
	p->key = NULL;
	return read_profile(named && *named ? named : "default", named && *named, p, e);
}

static int make(struct binary_cache *k, struct err *e)
{
	struct profile p = { NULL, NULL, NULL };
	struct buf scope = BUF_INIT, headers = BUF_INIT;
	int rc = find(k, &p, e);

	if (!rc) {
		k->s3 = xcalloc(1, sizeof *k->s3);
		if (p.key && p.secret) {
			k->s3->key = xstrdup(p.key);
			k->s3->secret = xstrdup(p.secret);
		}
		buf_addf(&scope, "aws:amz:%s:s3", k->at.region);
		k->s3->scope = buf_detach(&scope, NULL);
		buf_adds(&headers, "x-amz-content-sha256: UNSIGNED-PAYLOAD\n");
		if (p.token)
			buf_addf(&headers, "x-amz-security-token: %s\n", p.token);
		k->s3->headers = buf_detach(&headers, NULL);
	}
	free_secret(p.key);
	free_secret(p.secret);
	free_secret(p.token);
	return rc;
}

int s3_sign(struct binary_cache *k, struct transfer_request *r, struct err *e)
{
	if (!k->s3 && make(k, e))
		return ERR_INVALID;
	r->no_netrc = 1;
	if (!k->s3->key)
		return 0;
	r->aws_scope = k->s3->scope;
	r->user_name = k->s3->key;
	r->password = k->s3->secret;
	r->headers = k->s3->headers;
	return 0;
}
