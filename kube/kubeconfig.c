/* SPDX-License-Identifier: MIT
 *
 * $KUBECONFIG may name several files: of each name the first counts, as kubectl has it, and paths are relative to the file they
 * stand in.  A word without quotes is text here: a user may be called 12, a token may look like a number.
 *
 * Nothing is guessed to be safe: a certificate is looked at unless the file says insecure-skip-tls-verify, and who one is is not
 * told to an address without TLS unless that is this machine.
 */
#include "config.h"
#include "kube/kubeconfig.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "format/basen.h"
#include "kube/tree.h"
#include "kube/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 32, MAX_FILE = 4 << 20 };

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

struct file {
	char *path, *dir;
	struct jnode *top;
};

struct files {
	struct arena a;
	struct file v[MAX_FILES];
	size_t n;
};

static void plugin_release(struct kube_plugin *p)
{
	words_release(&p->argv);
	for (size_t i = 0; i < p->variables.n; i++)
		explicit_bzero(p->variables.v[i], strlen(p->variables.v[i]));
	words_release(&p->variables);
	free(p->version);
	free(p->hint);
}

void kube_config_release(struct kube_config *c)
{
	free(c->context);
	free(c->server);
	free(c->namespace);
	buf_release(&c->ca);
	free(c->server_name);
	free(c->proxy);
	buf_release(&c->cert);
	buf_wipe(&c->key);
	free_secret(c->token);
	free(c->token_file);
	free(c->user);
	free_secret(c->password);
	plugin_release(&c->plugin);
	free(c->as);
	words_release(&c->groups);
	*c = (struct kube_config){ 0 };
}

/* --- files --- */

static int read_small(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;

	if (fd < 0 || fd_read_all(fd, out))
		rc = err_errno(e, "cannot read '%s'", path);
	else if (out->len > MAX_FILE)
		rc = err_set(e, ERR_LIMIT, "'%s' has more than %d MiB", path, MAX_FILE >> 20);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int parse_file(struct files *f, const char *path, const char *dir, struct slice text, struct err *e)
{
	struct buf json = BUF_INIT;
	struct jnode *top = NULL;
	int rc = yaml_to_json(text, YAML_TEXT, &json, e);

	rc = rc ? rc : json_tree_parse(&f->a, (struct slice){ buf_str(&json), json.len }, &top, e);
	buf_wipe(&json);
	if (!rc && top->kind != JSON_OBJECT)
		rc = err_set(e, ERR_INVALID, "it is no kubeconfig");
	if (rc)
		err_prefix(e, "the kubeconfig '%s'", path);
	else
		f->v[f->n++] = (struct file){ xstrdup(path), xstrdup(dir), top };
	return rc;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path) + (slash == path)) : xstrdup(".");
}

/* must: that it is missing is an error. */
static int add_file(struct files *f, const char *path, int must, struct err *e)
{
	struct buf text = BUF_INIT;
	struct err why = ERR_INIT;
	char *dir = folder_of(path);
	int rc;

	if (f->n == MAX_FILES)
		rc = err_set(e, ERR_LIMIT, "$KUBECONFIG names more than %d files", MAX_FILES);
	else if ((rc = read_small(path, &text, &why)))
		rc = rc == ERR_NOTFOUND && !must ? 0 : err_set(e, rc, "%s", why.msg);
	else
		rc = parse_file(f, path, dir, (struct slice){ buf_str(&text), text.len }, e);
	err_release(&why);
	buf_wipe(&text);
	free(dir);
	return rc;
}

static int add_files(struct files *f, const struct kube_choice *choice, struct err *e)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	struct buf path = BUF_INIT;
	int rc = 0;

	if (choice->file)
		return add_file(f, choice->file, 1, e);
	if (!list || !*list) {
		buf_addf(&path, "%s/.kube/config", home ? home : "");
		rc = home && *home ? add_file(f, path.p, 0, e) : 0;
	}
	for (struct slice left = slice_of(list ? list : ""); !rc && left.n;) {
		struct slice one = slice_cut(&left, ':');

		buf_trim(&path, 0);
		buf_add(&path, one.p, one.n);
		rc = one.n ? add_file(f, path.p, 0, e) : 0;
	}
	buf_release(&path);
	return rc;
}

static void files_release(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].dir);
	}
	arena_release(&f->a);
}

/* The entry of that name in `list` ("clusters"), its part `part` ("cluster"), and the file it is in. */
static struct jnode *find_entry(const struct files *f, const char *list, const char *part, struct slice name,
				const struct file **in)
{
	for (size_t i = 0; i < f->n; i++) {
		struct jnode *entry = tree_element(tree_at(f->v[i].top, list), "name", name);

		*in = &f->v[i];
		if (entry)
			return tree_at(entry, part);
	}
	return NULL;
}

/* --- parts --- */

static void take(char **to, const struct jnode *o, const char *name)
{
	struct slice s = tree_text(o, name);

	if (s.n)
		*to = slice_string(s);
}

/* The path, seen from the file's folder. */
static char *path_from(const struct file *in, struct slice path)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, *path.p == '/' ? "%.0s%.*s" : "%s/%.*s", in->dir, (int)path.n, path.p);
	return buf_detach(&b, NULL);
}

/* What stands in NAME-data, or lies in the file that NAME says. */
static int take_pem(struct buf *to, const struct file *in, const struct jnode *o, const char *name, struct err *e)
{
	struct buf data = BUF_INIT;
	struct slice text, path = tree_text(o, name);
	size_t n = 0;
	int rc = 0;

	buf_addf(&data, "%s-data", name);
	text = tree_text(o, data.p);
	if (text.n) {
		buf_reserve(to, BASE64_MAX(text.n) + 1);
		rc = base64_decode(text.p, text.n, (uint8_t *)to->p, &n, NULL);
		if (rc || !n)
			rc = err_set(e, ERR_INVALID, "the kubeconfig '%s': '%s' is no base64", in->path, data.p);
		else
			buf_extend(to, n);
	} else if (path.n) {
		char *file = path_from(in, path);

		rc = read_small(file, to, e);
		free(file);
	}
	buf_release(&data);
	return rc;
}

static int take_cluster(struct kube_config *c, const struct file *in, const struct jnode *o, struct err *e)
{
	size_t n;

	take(&c->server, o, "server");
	if (!c->server)
		return err_set(e, ERR_INVALID, "the kubeconfig '%s': the cluster has no 'server'", in->path);
	if (strncmp(c->server, "https://", 8) && strncmp(c->server, "http://", 7))
		return err_set(e, ERR_INVALID, "the kubeconfig '%s': the server '%s' is at no https address", in->path, c->server);
	for (n = strlen(c->server); c->server[n - 1] == '/'; n--)
		c->server[n - 1] = 0;
	take(&c->server_name, o, "tls-server-name");
	take(&c->proxy, o, "proxy-url");
	c->insecure = slice_eq(tree_text(o, "insecure-skip-tls-verify"), SLICE("true"));
	return take_pem(&c->ca, in, o, "certificate-authority", e);
}

static int take_plugin(struct kube_plugin *p, const struct file *in, const struct jnode *o, struct err *e)
{
	struct slice command = tree_text(o, "command"), mode = tree_text(o, "interactiveMode"),
		     version = tree_text(o, "apiVersion");
	const struct jnode *list;

	if (!command.n)
		return err_set(e, ERR_INVALID, "the kubeconfig '%s': 'exec' has no 'command'", in->path);
	if (!slice_in_words(version, "client.authentication.k8s.io/v1 client.authentication.k8s.io/v1beta1"))
		return err_set(e, ERR_INVALID, "the kubeconfig '%s': 'exec' is of '%.*s', which is not known", in->path,
			       (int)version.n, version.p);
	if (slice_eq(mode, SLICE("Always")))
		return err_set(e, ERR_INVALID, "the kubeconfig '%s': '%.*s' wants to ask people, which is not done here", in->path,
			       (int)command.n, command.p);
	p->version = slice_string(version);
	take(&p->hint, o, "installHint");
	p->wants_cluster = slice_eq(tree_text(o, "provideClusterInfo"), SLICE("true"));
	/* A command with a slash is seen from the file, one without is looked for in PATH. */
	char *path = memchr(command.p, '/', command.n) ? path_from(in, command) : slice_string(command);

	words_add(&p->argv, path);
	free(path);
	list = tree_at(o, "args");
	for (const struct jnode *n = list ? list->first : NULL; n; n = n->next)
		words_addf(&p->argv, "%.*s", (int)n->str.n, n->str.p);
	list = tree_at(o, "env");
	for (const struct jnode *n = list ? list->first : NULL; n; n = n->next) {
		struct slice name = tree_text(n, "name"), value = tree_text(n, "value");

		words_addf(&p->variables, "%.*s=%.*s", (int)name.n, name.p, (int)value.n, value.p);
	}
	return 0;
}

static int take_user(struct kube_config *c, const struct file *in, const struct jnode *o, struct err *e)
{
	const struct jnode *exec = tree_at(o, "exec"), *groups = tree_at(o, "as-groups");
	struct slice file = tree_text(o, "tokenFile");
	int rc = take_pem(&c->cert, in, o, "client-certificate", e);

	rc = rc ? rc : take_pem(&c->key, in, o, "client-key", e);
	if (rc)
		return rc;
	if (!c->cert.len != !c->key.len)
		return err_set(e, ERR_INVALID, "the kubeconfig '%s': a certificate and its key come together", in->path);
	take(&c->token, o, "token");
	if (file.n)
		c->token_file = path_from(in, file);
	take(&c->user, o, "username");
	take(&c->password, o, "password");
	take(&c->as, o, "as");
	for (const struct jnode *n = groups ? groups->first : NULL; n; n = n->next)
		words_addf(&c->groups, "%.*s", (int)n->str.n, n->str.p);
	if (tree_at(o, "auth-provider"))
		return err_set(e, ERR_INVALID,
			       "the kubeconfig '%s': 'auth-provider' is gone from Kubernetes; 'exec' is in its place", in->path);
	return exec && exec->kind == JSON_OBJECT ? take_plugin(&c->plugin, in, exec, e) : 0;
}

/* --- which of them --- */

static int no_such(const struct files *f, const char *what, struct slice name, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "the kubeconfig '%s' has no %s '%.*s'", f->v[0].path, what, (int)name.n, name.p);
}

static int take_context(struct kube_config *c, const struct files *f, struct slice name, struct err *e)
{
	const struct file *in;
	const struct jnode *context = find_entry(f, "contexts", "context", name, &in), *o;
	struct slice cluster = tree_text(context, "cluster"), user = tree_text(context, "user");
	int rc;

	if (!context)
		return no_such(f, "context", name, e);
	c->context = slice_string(name);
	take(&c->namespace, context, "namespace");
	o = find_entry(f, "clusters", "cluster", cluster, &in);
	rc = o ? take_cluster(c, in, o, e) : no_such(f, "cluster", cluster, e);
	if (rc || !user.n)
		return rc;
	o = find_entry(f, "users", "user", user, &in);
	return o ? take_user(c, in, o, e) : no_such(f, "user", user, e);
}

static int from_files(struct kube_config *c, const struct files *f, const struct kube_choice *choice, struct err *e)
{
	struct slice name = slice_of(choice->context ? choice->context : "");

	for (size_t i = 0; i < f->n && !name.n; i++)
		name = tree_text(f->v[i].top, "current-context");
	if (!name.n)
		return err_set(e, ERR_NOTFOUND, "the kubeconfig '%s' has no current context: --context says which", f->v[0].path);
	return take_context(c, f, name, e);
}

/* --- in a pod --- */

static int from_account(struct kube_config *c, const char *dir, struct err *e)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	struct buf path = BUF_INIT, text = BUF_INIT;
	int rc;

	if (!host || !*host)
		return err_set(
			e, ERR_NOTFOUND,
			"nothing says which cluster: there is neither a kubeconfig ($KUBECONFIG, ~/.kube/config) nor a pod around");
	buf_addf(&path, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port && *port ? port : "443");
	c->server = buf_detach(&path, NULL);
	c->context = xstrdup("in-cluster");
	buf_addf(&path, "%s/token", dir);
	c->token_file = buf_detach(&path, NULL);
	buf_addf(&path, "%s/ca.crt", dir);
	rc = read_small(path.p, &c->ca, e);
	buf_trim(&path, 0);
	buf_addf(&path, "%s/namespace", dir);
	if (!rc && !read_small(path.p, &text, NULL)) {
		struct slice s = slice_trim((struct slice){ buf_str(&text), text.len });

		c->namespace = s.n ? slice_string(s) : NULL;
	}
	buf_release(&text);
	buf_release(&path);
	return rc;
}

/* --- all of it --- */

static int is_here(const char *server)
{
	const char *p = strstr(server, "://") + 3;
	struct slice host = { p, *p == '[' ? strcspn(p, "]") + 1 : strcspn(p, ":/") };

	/* Before an @ stands who, and not where. */
	if (memchr(p, '@', strcspn(p, "/?#")))
		return 0;
	return slice_in_words(host, "localhost [::1]") || (!strncmp(p, "127.", 4) && strspn(p, "0123456789.") == host.n);
}

static int finish(struct kube_config *c, const struct kube_choice *choice, struct err *e)
{
	int says_who = c->token || c->token_file || c->password || c->plugin.argv.n;

	if (choice->namespace) {
		free(c->namespace);
		c->namespace = xstrdup(choice->namespace);
	}
	if (!c->namespace)
		c->namespace = xstrdup("default");
	if (says_who && !strncmp(c->server, "http://", 7) && !is_here(c->server))
		return err_set(e, ERR_DENIED, "'%s' is spoken to without TLS: who you are is not told there", c->server);
	return 0;
}

int kube_config_parse(struct kube_config *c, const char *text, size_t n, const char *dir, const struct kube_choice *choice,
		      struct err *e)
{
	struct files f = { .n = 0 };
	int rc = parse_file(&f, "kubeconfig", dir, (struct slice){ text, n }, e);

	rc = rc ? rc : from_files(c, &f, choice, e);
	rc = rc ? rc : finish(c, choice, e);
	files_release(&f);
	return rc;
}

int kube_config_load(struct kube_config *c, const struct kube_choice *choice, struct err *e)
{
	struct files f = { .n = 0 };
	int rc = add_files(&f, choice, e);

	if (!rc)
		rc = f.n ? from_files(c, &f, choice, e) : from_account(c, choice->account ? choice->account : ACCOUNT, e);
	rc = rc ? rc : finish(c, choice, e);
	files_release(&f);
	return rc;
}
