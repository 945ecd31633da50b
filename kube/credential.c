/* SPDX-License-Identifier: MIT
 *
 * A token in a file is read again each minute: Kubernetes writes it anew long before it ends.  What a program says is kept until a
 * minute before its end, or until the cluster does not take it.
 */
#include "config.h"
#include "kube/credential.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "fetch/program.h"
#include "kube/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGAIN = 60, MAX_TOKEN = 1 << 16 };

extern char **environ;

void credential_release(struct credential *c)
{
	free_secret(c->token);
	buf_wipe(&c->cert);
	buf_wipe(&c->key);
	*c = (struct credential){ 0 };
}

int credential_holds(const struct credential *c, time_t now)
{
	return (c->token || c->key.len) && (!c->until || now < c->until);
}

/* What goes into a header has no control characters and no blanks. */
static int is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 32 || s.p[i] == 127)
			return 0;
	return s.n && s.n < MAX_TOKEN;
}

/* --- times --- */

static int digits(const char *p, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		*out = *out * 10 + (p[i] - '0');
	}
	return 1;
}

void kube_time_text(char out[KUBE_TIME_ROOM])
{
	time_t now = time(NULL);
	struct tm t;

	strftime(out, KUBE_TIME_ROOM, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &t));
}

time_t kube_time(struct slice s)
{
	struct tm t = { 0 };
	int hours = 0, minutes = 0, sign = 0;
	const char *p = s.p;

	if (s.n < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't') || p[13] != ':' || p[16] != ':' ||
	    !digits(p, 4, &t.tm_year) || !digits(p + 5, 2, &t.tm_mon) || !digits(p + 8, 2, &t.tm_mday) ||
	    !digits(p + 11, 2, &t.tm_hour) || !digits(p + 14, 2, &t.tm_min) || !digits(p + 17, 2, &t.tm_sec))
		return -1;
	size_t i = 19;

	if (p[i] == '.')
		for (i++; i < s.n && p[i] >= '0' && p[i] <= '9'; i++)
			;
	if (i + 6 == s.n && (p[i] == '+' || p[i] == '-') && digits(p + i + 1, 2, &hours) && digits(p + i + 4, 2, &minutes))
		sign = p[i] == '+' ? 1 : -1;
	else if (i + 1 != s.n || (p[i] != 'Z' && p[i] != 'z'))
		return -1;
	t.tm_year -= 1900;
	t.tm_mon--;
	return timegm(&t) - sign * (hours * 3600 + minutes * 60);
}

/* --- programs --- */

int credential_parse(struct credential *c, struct slice text, struct slice version, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *top = NULL;
	struct err why = ERR_INIT; /* may show what is a secret */
	struct slice token, cert, key, until;
	int rc = 0;

	if (json_tree_parse(&a, text, &top, &why))
		rc = err_set(e, ERR_INVALID, "it prints no JSON");
	err_release(&why);
	token = tree_text(top, "status.token");
	cert = tree_text(top, "status.clientCertificateData");
	key = tree_text(top, "status.clientKeyData");
	until = tree_text(top, "status.expirationTimestamp");
	if (!rc && (!slice_eq(tree_text(top, "kind"), SLICE("ExecCredential")) || !slice_eq(tree_text(top, "apiVersion"), version)))
		rc = err_set(e, ERR_INVALID, "it prints no ExecCredential of %.*s", (int)version.n, version.p);
	if (!rc && !cert.n != !key.n)
		rc = err_set(e, ERR_INVALID, "a certificate and its key come together");
	if (!rc && !is_token(token) && (token.n || !cert.n))
		rc = err_set(e, ERR_INVALID, "it says no token and no certificate");
	if (!rc && until.n && kube_time(until) < 0)
		rc = err_set(e, ERR_INVALID, "'expirationTimestamp' is no time");
	if (!rc) {
		c->token = token.n ? slice_string(token) : NULL;
		buf_add(&c->cert, cert.p, cert.n);
		buf_add(&c->key, key.p, key.n);
		c->until = until.n ? kube_time(until) - AGAIN : 0;
	}
	arena_release(&a);
	return rc;
}

/* What the program is told: which cluster, when it wants to know. */
static void add_info(struct buf *b, const struct kube_config *c)
{
	struct arena a = ARENA_INIT;
	struct jnode *top = json_node(&a, JSON_OBJECT);

	tree_set_text(&a, top, "apiVersion", slice_of(c->plugin.version));
	tree_set_text(&a, top, "kind", SLICE("ExecCredential"));
	tree_set(&a, top, "spec.interactive", json_node(&a, JSON_FALSE));
	if (c->plugin.wants_cluster)
		tree_set_text(&a, top, "spec.cluster.server", slice_of(c->server));
	if (c->plugin.wants_cluster && c->server_name)
		tree_set_text(&a, top, "spec.cluster.tls-server-name", slice_of(c->server_name));
	json_tree_write(b, top);
	arena_release(&a);
}

/* Whether a variable of the environment is one of those that are set. */
static int is_replaced(const struct words *set, const char *variable)
{
	size_t n = strcspn(variable, "=") + 1;

	for (size_t i = 0; i < set->n; i++)
		if (!strncmp(set->v[i], variable, n))
			return 1;
	return !strncmp(variable, "KUBERNETES_EXEC_INFO=", n);
}

static int from_plugin(struct credential *c, const struct kube_config *config, struct err *e)
{
	const struct kube_plugin *p = &config->plugin;
	struct buf info = BUF_INIT, out = BUF_INIT;
	struct words env = { 0 };
	struct err why = ERR_INIT;
	int rc;

	for (char **v = environ; *v; v++)
		if (!is_replaced(&p->variables, *v))
			words_add(&env, *v);
	for (size_t i = 0; i < p->variables.n; i++)
		words_add(&env, p->variables.v[i]);
	add_info(&info, config);
	words_addf(&env, "KUBERNETES_EXEC_INFO=%s", info.p);
	rc = program_run(&p->argv, &env, &out, NULL, &why);
	if (!rc)
		rc = credential_parse(c, (struct slice){ buf_str(&out), out.len }, slice_of(p->version), &why);
	if (rc)
		err_set(e, rc, "'%s', which says who you are to the cluster: %s%s%s", p->argv.v[0], why.msg,
			rc == ERR_NOTFOUND && p->hint ? ": " : "", rc == ERR_NOTFOUND && p->hint ? p->hint : "");
	err_release(&why);
	words_release(&env);
	buf_release(&info);
	buf_wipe(&out);
	return rc;
}

/* --- files --- */

static int from_file(struct credential *c, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct buf text = BUF_INIT;
	struct slice s;

	if (fd < 0 || fd_read_all(fd, &text))
		rc = err_errno(e, "cannot read the token in '%s'", path);
	if (fd >= 0)
		close(fd);
	s = slice_trim((struct slice){ buf_str(&text), text.len });
	if (!rc && !is_token(s))
		rc = err_set(e, ERR_INVALID, "'%s' holds no token", path);
	if (!rc) {
		c->token = slice_string(s);
		c->until = time(NULL) + AGAIN;
	}
	buf_wipe(&text);
	return rc;
}

int credential_find(struct credential *c, const struct kube_config *config, struct err *e)
{
	credential_release(c);
	if (config->token_file)
		return from_file(c, config->token_file, e);
	if (config->token && !is_token(slice_of(config->token)))
		return err_set(e, ERR_INVALID, "the token of the context '%s' is none", config->context);
	if (config->token)
		c->token = xstrdup(config->token);
	else if (config->plugin.argv.n)
		return from_plugin(c, config, e);
	return 0;
}
