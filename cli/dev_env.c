/* SPDX-License-Identifier: MIT
 *
 * Everything follows from the text of the derivation and what its inputs came to; nothing of it is built or run.
 */
#include "config.h"
#include "cli/dev_env.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "cli/output.h"
#include "format/attrs_sh.h"
#include "format/modulo.h"
#include "store/object.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_identifier(struct slice s)
{
	if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9'))
		return 0;
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789", s.p[i]))
			return 0;
	return 1;
}

/* Variables of a build that mean nothing in a shell, or would break it; those Nix leaves alone, and what PATH is made of. */
static int is_of_the_build(struct slice name)
{
	return slice_in_words(name,
			      "HOME NIX_BUILD_TOP NIX_ENFORCE_PURITY NIX_LOG_FD NIX_REMOTE PATH PPID SHELL SHELLOPTS BASHOPTS "
			      "TEMP TEMPDIR TERM TMP TMPDIR TZ UID EUID USER LOGNAME args builder system nativeBuildInputs "
			      "buildInputs propagatedBuildInputs propagatedNativeBuildInputs packages passAsFile");
}

static struct slice keep(struct dev_env *env, struct slice s)
{
	return (struct slice){ arena_dup(&env->arena, s.n ? s.p : "", s.n), s.n };
}

/* --- the derivation --- */

int dev_env_read(struct store *s, const struct store_path *path, struct buf *text, struct drv *d, struct err *e)
{
	int rc = store_read(s, path, LIMIT_DRV_TEXT, text, e);
	struct slice name;

	if (rc)
		return rc;
	name = store_path_name(path);
	name.n -= 4; /* ".drv" */
	return drv_parse(d, store_dir(s), name, (struct slice){ text->p, text->len }, e);
}

int dev_env_inputs(struct store *s, const struct drv *d, struct build_targets *t, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < d->ninputs && !rc; i++) {
		const struct drv_input *in = &d->inputs[i];
		struct store_path p;

		rc = store_path_parse(store_dir(s), in->path, &p, e);
		if (!rc && in->node.noutputs)
			build_targets_add(t, &p, in->node.outputs, in->node.noutputs);
	}
	return rc;
}

/* --- values --- */

static void replace_all(struct buf *b, struct slice s, struct slice from, struct slice to)
{
	const char *hit;

	while (s.n && (hit = memmem(s.p, s.n, from.p, from.n))) {
		buf_add(b, s.p, (size_t)(hit - s.p));
		buf_add(b, to.p, to.n);
		s.n -= (size_t)(hit - s.p) + from.n;
		s.p = hit + from.n;
	}
	buf_add(b, s.p, s.n);
}

static void localise_one(struct dev_env *env, struct slice *s, struct slice output, struct slice path)
{
	struct buf to = BUF_INIT, b = BUF_INIT;

	if (!path.n || !s->n || !memmem(s->p, s->n, path.p, path.n))
		return;
	buf_addf(&to, "%s/%.*s", env->outputs, (int)output.n, output.p);
	replace_all(&b, *s, path, (struct slice){ to.p, to.len });
	*s = keep(env, (struct slice){ b.p, b.len });
	buf_release(&to);
	buf_release(&b);
}

struct slice dev_env_localise(struct dev_env *env, struct slice text)
{
	struct slice s = keep(env, text);

	for (size_t i = 0; i < env->drv->noutputs; i++) {
		const struct drv_output *o = &env->drv->outputs[i];
		char placeholder[PLACEHOLDER_LEN + 1];

		placeholder_output(o->name, placeholder);
		localise_one(env, &s, o->name, o->path);
		localise_one(env, &s, o->name, slice_of(placeholder));
	}
	for (size_t i = 0; env->built && i < env->built->n; i++) {
		const struct build_output *o = &env->built->v[i];
		struct buf path = BUF_INIT;

		store_add_path(env->store, &path, &o->path);
		localise_one(env, &s, slice_of(o->name), (struct slice){ path.p, path.len });
		buf_release(&path);
	}
	return s;
}

void dev_env_put(struct dev_env *env, struct slice name, struct slice value)
{
	size_t i = 0;

	while (i < env->n && !slice_eq(env->v[i].name, name))
		i++;
	ARRAY_GROW(env->v, env->n + 1, env->cap);
	env->v[i] = (struct dev_var){ keep(env, name), dev_env_localise(env, value) };
	env->n += i == env->n;
}

static void put_if_fit(struct dev_env *env, struct slice name, struct slice value)
{
	if (!is_identifier(name) || is_of_the_build(name))
		return;
	/* What nixpkgs says to builders that have no network. */
	if (slice_eq(name, SLICE("SSL_CERT_FILE")) && slice_eq(value, SLICE("/no-cert-file.crt")))
		return;
	dev_env_put(env, name, value);
}

const char *dev_env_get(const struct dev_env *env, const char *name)
{
	for (size_t i = env->n; i-- > 0;)
		if (slice_eq(env->v[i].name, slice_of(name)))
			return env->v[i].value.p;
	return NULL;
}

/* --- files --- */

int dev_env_add_file(struct dev_env *env, const char *name, struct slice text, struct slice *path, struct err *e)
{
	struct slice real = dev_env_localise(env, text);
	struct store_path p;
	struct buf b = BUF_INIT;
	int rc = store_add_text(env->store, slice_of(name), real, &env->refs, &p, e);

	if (!rc) {
		store_add_path(env->store, &b, &p);
		*path = keep(env, (struct slice){ b.p, b.len });
		path_set_add(&env->refs, &p);
	}
	buf_release(&b);
	return rc;
}

static int pass_as_file(struct dev_env *env, struct slice name, struct slice value, struct err *e)
{
	struct buf var = BUF_INIT;
	struct slice path;
	char file[160];
	int rc;

	if (!is_identifier(name))
		return 0;
	snprintf(file, sizeof file, "attr-%.*s", (int)name.n, name.p);
	rc = dev_env_add_file(env, file, value, &path, e);
	buf_addf(&var, "%.*sPath", (int)name.n, name.p);
	if (!rc)
		dev_env_put(env, (struct slice){ var.p, var.len }, path);
	buf_release(&var);
	return rc;
}

static int put_plain(struct dev_env *env, struct err *e)
{
	const struct drv *d = env->drv;
	int rc = 0;

	for (size_t i = 0; i < d->nenv && !rc; i++) {
		const struct slice_list *files = &env->options.pass_as_file;
		int file = 0;

		for (size_t k = 0; k < files->n; k++)
			file |= slice_eq(files->v[k], d->env[i].key);
		if (file)
			rc = pass_as_file(env, d->env[i].key, d->env[i].value, e);
		else
			put_if_fit(env, d->env[i].key, d->env[i].value);
	}
	return rc;
}

/* --- structured attributes --- */

/* Members that fit in a variable; numbers and the like as a shell sees them. */
static void put_members(struct dev_env *env, const struct jnode *set)
{
	for (const struct jnode *m = set->first; m; m = m->next) {
		struct buf b = BUF_INIT;

		if (m->kind == JSON_STRING)
			put_if_fit(env, m->key, m->str);
		else if (attrs_sh_add_value(&b, m))
			put_if_fit(env, m->key, m->kind == JSON_NULL ? SLICE("") : (struct slice){ b.p, b.len });
		buf_release(&b);
	}
}

static int put_structured(struct dev_env *env, struct err *e)
{
	struct jnode *json = env->options.json, *outputs = json_node(&env->options.arena, JSON_OBJECT);
	struct jnode *exported = json_member(json, SLICE("env"));
	struct buf text = BUF_INIT, sh = BUF_INIT;
	struct slice json_path, sh_path;

	put_members(env, json);
	if (exported && exported->kind == JSON_OBJECT)
		put_members(env, exported);
	for (size_t i = 0; i < env->drv->noutputs; i++) {
		struct buf path = BUF_INIT;

		buf_addf(&path, "%s/%s", env->outputs, env->drv->outputs[i].name.p);
		json_set(outputs, env->drv->outputs[i].name, json_string(&env->options.arena, (struct slice){ path.p, path.len }));
		/* Where nothing is built they are variables too, as nixpkgs' setup makes them. */
		put_if_fit(env, env->drv->outputs[i].name, (struct slice){ path.p, path.len });
		buf_release(&path);
	}
	json_set(json, SLICE("outputs"), outputs);
	json_tree_write(&text, json);
	attrs_sh_write(&sh, json);
	env->attrs_json = dev_env_localise(env, (struct slice){ text.p, text.len });
	env->attrs_sh = dev_env_localise(env, (struct slice){ sh.p, sh.len });
	int rc = dev_env_add_file(env, "attrs.json", env->attrs_json, &json_path, e);
	rc = rc ? rc : dev_env_add_file(env, "attrs.sh", env->attrs_sh, &sh_path, e);
	if (!rc) {
		dev_env_put(env, SLICE("NIX_ATTRS_JSON_FILE"), json_path);
		dev_env_put(env, SLICE("NIX_ATTRS_SH_FILE"), sh_path);
	}
	buf_release(&text);
	buf_release(&sh);
	return rc;
}

/* --- PATH --- */

/* Appends DIR/bin for each of the folders in a text. */
static void add_bins(struct buf *b, struct slice folders)
{
	for (size_t i = 0; i < folders.n;) {
		size_t n = 0;

		while (i + n < folders.n && !strchr(" \t\n", folders.p[i + n]))
			n++;
		if (n)
			buf_addf(b, "%s%.*s/bin", b->len ? ":" : "", (int)n, folders.p + i);
		i += n + 1;
	}
}

/* The folders of the store in a PATH that the derivation sets itself. */
static void add_own_path(const struct dev_env *env, struct buf *b)
{
	const struct slice *path = drv_env(env->drv, SLICE("PATH"));

	for (const char *p = path ? path->p : ""; *p; p += *p == ':') {
		struct slice folder = { p, strcspn(p, ":") };

		if (slice_starts(folder, store_dir(env->store)))
			buf_addf(b, "%s%.*s", b->len ? ":" : "", (int)folder.n, folder.p);
		p += folder.n;
	}
}

/* The toolchain of a Go module's package (stdlib/go/build-go-module.gx). */
static void add_go(const struct dev_env *env, struct buf *b)
{
	const struct slice *go = drv_env(env->drv, SLICE("go"));

	if (go && slice_starts(*go, store_dir(env->store)))
		add_bins(b, *go);
}

static void find_bins(struct dev_env *env)
{
	static const char *const lists[] = { "packages", "nativeBuildInputs", "propagatedNativeBuildInputs", "buildInputs",
					     "propagatedBuildInputs" };
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct slice *text = drv_env(env->drv, slice_of(lists[i]));
		const struct jnode *list = json_member(env->options.json, slice_of(lists[i]));

		if (text && !env->options.json)
			add_bins(&b, *text);
		if (list && list->kind == JSON_STRING)
			add_bins(&b, list->str);
		for (const struct jnode *m = list && list->kind == JSON_ARRAY ? list->first : NULL; m; m = m->next)
			if (m->kind == JSON_STRING)
				add_bins(&b, m->str);
	}
	add_own_path(env, &b);
	add_go(env, &b);
	env->bins = keep(env, (struct slice){ buf_str(&b), b.len });
	buf_release(&b);
}

static int has_program(const struct dev_env *env, const char *program)
{
	size_t dir = store_dir(env->store).n;
	int found = 0;

	for (const char *p = env->bins.p; *p && !found; p += strcspn(p, ":"), p += *p == ':') {
		size_t n = strcspn(p, ":");
		struct buf path = BUF_INIT;

		if (n > dir && !strncmp(p, store_dir(env->store).p, dir))
			buf_adds(&path, store_place(env->store)->real_store), p += dir, n -= dir;
		buf_addf(&path, "%.*s/%s", (int)n, p, program);
		found = !access(path.p, F_OK);
		buf_release(&path);
	}
	return found;
}

/* --- defaults --- */

static void put_default(struct dev_env *env, const char *name, const char *value)
{
	const char *outer = getenv(name);

	if (!dev_env_get(env, name) && (env->ignore || !outer || !*outer))
		dev_env_put(env, slice_of(name), slice_of(value));
}

static void put_certificates(struct dev_env *env)
{
	static const char *const places[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/ca-bundle.pem",
					      "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };
	const char *outer = getenv("SSL_CERT_FILE");

	/* The user's own stays, also where the rest of the environment does not. */
	if (dev_env_get(env, "SSL_CERT_FILE") || (outer && *outer))
		return;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (!access(places[i], R_OK)) {
			dev_env_put(env, SLICE("SSL_CERT_FILE"), slice_of(places[i]));
			return;
		}
}

static void put_defaults(struct dev_env *env)
{
	dev_env_put(env, SLICE("IN_NIX_SHELL"), env->ignore ? SLICE("pure") : SLICE("impure"));
	dev_env_put(env, SLICE("GX_SHELL"), env->name);
	put_certificates(env);
	/* The Go of the shell is the one that was asked for: it is not to fetch another that go.mod names. */
	if (has_program(env, "go"))
		put_default(env, "GOTOOLCHAIN", "local");
}

/* --- all of it --- */

static int add_refs(struct dev_env *env, const struct build_result *inputs, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < inputs->n; i++)
		path_set_add(&env->refs, &inputs->v[i].path);
	for (size_t i = 0; i < env->drv->nsrcs && !rc; i++) {
		struct store_path p;

		rc = store_path_parse(store_dir(env->store), env->drv->srcs[i], &p, e);
		if (!rc)
			path_set_add(&env->refs, &p);
	}
	return rc;
}

int dev_env_make(struct dev_env *env, struct store *s, const struct drv *d, const struct build_result *inputs, int ignore,
		 struct err *e)
{
	char cwd[PATH_MAX];
	struct buf outputs = BUF_INIT;
	int rc;

	*env = (struct dev_env){ .store = s, .drv = d, .ignore = ignore };
	if (!getcwd(cwd, sizeof cwd))
		return err_errno(e, "cannot tell the current directory");
	buf_addf(&outputs, "%s/outputs", cwd);
	env->outputs = buf_detach(&outputs, NULL);
	env->name = keep(env, d->name);
	rc = drv_options_read(&env->options, d, e);
	rc = rc ? rc : add_refs(env, inputs, e);
	if (rc)
		return rc;
	find_bins(env);
	rc = env->options.json ? put_structured(env, e) : put_plain(env, e);
	if (!rc)
		put_defaults(env);
	return rc;
}

void dev_env_physical(struct dev_env *env)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	struct slice *const texts[] = { &env->bins, &env->attrs_sh, &env->attrs_json, &env->rest, &env->json_vars,
					&env->json_functions };
	const size_t ntexts = sizeof texts / sizeof *texts;

	buf_addf(&from, "%.*s/", (int)store_dir(env->store).n, store_dir(env->store).p);
	buf_addf(&to, "%s/", store_place(env->store)->real_store);
	for (size_t i = 0; i < env->n + ntexts; i++) {
		struct slice *s = i < env->n ? &env->v[i].value : texts[i - env->n];
		struct buf b = BUF_INIT;

		replace_all(&b, *s, (struct slice){ from.p, from.len }, (struct slice){ to.p, to.len });
		*s = keep(env, (struct slice){ buf_str(&b), b.len });
		buf_release(&b);
	}
	buf_release(&from);
	buf_release(&to);
}

void dev_env_release(struct dev_env *env)
{
	free(env->v);
	free(env->outputs);
	path_set_release(&env->refs);
	drv_options_release(&env->options);
	arena_release(&env->arena);
}

/* --- forms --- */

static void add_json_var(struct buf *b, struct slice name, struct slice value, const char *end)
{
	output_json_string(b, name.p, name.n);
	buf_adds(b, ":{\"type\":\"exported\",\"value\":");
	output_json_string(b, value.p, value.n);
	buf_addf(b, "}%s", end);
}

void dev_env_json(const struct dev_env *env, struct buf *b)
{
	buf_adds(b, "{\"bashFunctions\":{");
	buf_add(b, env->json_functions.p, env->json_functions.n);
	buf_adds(b, "},");
	if (env->attrs_sh.n) {
		buf_adds(b, "\"structuredAttrs\":{\".attrs.json\":");
		output_json_string(b, env->attrs_json.p, env->attrs_json.n);
		buf_adds(b, ",\".attrs.sh\":");
		output_json_string(b, env->attrs_sh.p, env->attrs_sh.n);
		buf_adds(b, "},");
	}
	buf_adds(b, "\"variables\":{");
	buf_add(b, env->json_vars.p, env->json_vars.n);
	for (size_t i = 0; i < env->n; i++)
		add_json_var(b, env->v[i].name, env->v[i].value, ",");
	add_json_var(b, SLICE("PATH"), env->bins, "}}\n");
}

void dev_env_script(const struct dev_env *env, struct buf *b)
{
	for (size_t i = 0; i < env->n; i++) {
		buf_addf(b, "export %s=", env->v[i].name.p);
		attrs_sh_add_quoted(b, env->v[i].value);
		buf_addc(b, '\n');
	}
	if (env->bins.n) {
		buf_adds(b, "PATH=");
		attrs_sh_add_quoted(b, env->bins);
		buf_adds(b, "\"${PATH:+:$PATH}\"\nexport PATH\n");
	}
	if (env->rest.n)
		buf_add(b, env->rest.p, env->rest.n);
	else if (env->attrs_sh.n)
		buf_adds(b, ". \"$NIX_ATTRS_SH_FILE\"\n");
	buf_adds(b, "eval \"${shellHook:-}\"\n");
}

int dev_env_add(const struct dev_env *env, struct store_path *out, struct err *e)
{
	struct buf text = BUF_INIT;
	char name[160];
	int rc;

	dev_env_json(env, &text);
	snprintf(name, sizeof name, "%.*s-dev-env", env->name.n > 120 ? 120 : (int)env->name.n, env->name.p);
	rc = store_add_text(env->store, slice_of(name), (struct slice){ text.p, text.len }, &env->refs, out, e);
	buf_release(&text);
	return rc;
}
