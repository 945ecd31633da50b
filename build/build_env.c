/* SPDX-License-Identifier: MIT
 *
 * What a builder is started with: arguments, environment, files in its working directory.
 *
 * Exactly Nix's.  Later entries replace earlier ones:
 *     PATH=/path-not-set HOME=/homeless-shelter NIX_STORE NIX_BUILD_CORES   before the derivation's own variables
 *     the derivation's variables; with passAsFile "<name>Path" instead, naming a file
 *     NIX_BUILD_TOP TMPDIR TEMPDIR TMP TEMP PWD                              the working directory, whatever it says
 *     NIX_OUTPUT_CHECKED=1 and variables named by impureEnvVars              fixed outputs
 *     NIX_LOG_FD=2 TERM=xterm-256color
 * PATH and HOME are set so that shells and libraries do not make up defaults of their own.
 */
#include "config.h"
#include "base/fdio.h"
#include "build/build_int.h"
#include "format/basen.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "NAME=value", sorted by name. */
struct env {
	struct arena *a;
	struct env_entry {
		struct slice name;
		char *text;
	} *v;
	size_t n, cap;
};

static void env_set(struct env *env, struct slice name, struct slice value)
{
	char *text = arena_alloc(env->a, name.n + value.n + 2);
	size_t lo = 0, hi = env->n;

	memcpy(text, name.p, name.n);
	text[name.n] = '=';
	if (value.n)
		memcpy(text + name.n + 1, value.p, value.n);
	name.p = text;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (slice_cmp(env->v[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < env->n && slice_eq(env->v[lo].name, name)) {
		env->v[lo].text = text;
		env->v[lo].name = name;
		return;
	}
	if (env->n == env->cap) {
		struct env_entry *v = arena_alloc(env->a, (env->cap ? env->cap * 2 : 64) * sizeof *v);

		if (env->n)
			memcpy(v, env->v, env->n * sizeof *v);
		env->v = v;
		env->cap = env->cap ? env->cap * 2 : 64;
	}
	memmove(env->v + lo + 1, env->v + lo, (env->n - lo) * sizeof *env->v);
	env->v[lo] = (struct env_entry){ name, text };
	env->n++;
}

static void env_str(struct env *env, const char *name, const char *value)
{
	env_set(env, slice_of(name), slice_of(value));
}

/* Writes a file of the working directory that did not exist, for the builder to own. */
static int write_file(struct job *j, const char *name, struct slice text, struct err *e)
{
	int fd = openat(j->dir.build, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int rc = 0;

	if (fd < 0)
		return err_errno(e, "creating the file '%s' of a build", name);
	if (fd_write_all(fd, text.p, text.n))
		rc = err_errno(e, "writing the file '%s' of a build", name);
	if (!rc && j->user.lock >= 0 && !j->bare && fchown(fd, j->user.uid, j->user.gid))
		rc = err_errno(e, "giving the file '%s' to a builder", name);
	close(fd);
	return rc;
}

static int list_has(const struct slice_list *l, struct slice s)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(l->v[i], s))
			return 1;
	return 0;
}

/* A variable that holds the name of a file with the value. */
static int pass_as_file(struct job *j, struct env *env, struct slice name, struct slice value, struct err *e)
{
	struct buf var = BUF_INIT, path = BUF_INIT;
	uint8_t digest[HASH_SHA256_LEN];
	char file[80] = ".attr-";
	int rc;

	hash_sha256(name.p, name.n, digest);
	nix32_encode(digest, sizeof digest, file + 6);
	file[6 + NIX32_LEN(sizeof digest)] = 0;
	buf_add(&var, name.p, name.n);
	buf_adds(&var, "Path");
	buf_addf(&path, "%s/%s", j->top, file);
	env_set(env, (struct slice){ var.p, var.len }, (struct slice){ path.p, path.len });
	rc = write_file(j, file, build_rewrite(j, value), e);
	buf_release(&var);
	buf_release(&path);
	return rc;
}

static int set_plain(struct job *j, struct env *env, struct err *e)
{
	const struct drv *d = &j->node->drv;
	struct buf text = BUF_INIT;
	char name[256];
	int rc = 0;

	for (size_t i = 0; i < d->nenv && !rc; i++) {
		struct slice k = d->env[i].key, v = d->env[i].value;

		if (list_has(&j->opt.pass_as_file, k))
			rc = pass_as_file(j, env, k, v, e);
		else
			env_set(env, k, build_rewrite(j, v));
	}
	for (size_t i = 0; i < j->opt.nexports && !rc; i++) {
		const struct export_graph *g = &j->opt.exports[i];

		if (g->name.n >= sizeof name) {
			rc = err_set(e, ERR_BUILD, "file name in 'exportReferencesGraph' is too long");
			break;
		}
		memcpy(name, g->name.p, g->name.n);
		name[g->name.n] = 0;
		buf_trim(&text, 0);
		rc = build_export_graph(j, g, &text, e);
		rc = rc ? rc : write_file(j, name, (struct slice){ text.p, text.len }, e);
	}
	buf_release(&text);
	return rc;
}

static int set_structured(struct job *j, struct env *env, struct err *e)
{
	struct buf json = BUF_INIT, sh = BUF_INIT, path = BUF_INIT;
	int rc = build_structured(j, &json, &sh, e);

	rc = rc ? rc : write_file(j, ".attrs.sh", build_rewrite(j, (struct slice){ sh.p, sh.len }), e);
	rc = rc ? rc : write_file(j, ".attrs.json", build_rewrite(j, (struct slice){ json.p, json.len }), e);
	buf_addf(&path, "%s/.attrs.sh", j->top);
	env_str(env, "NIX_ATTRS_SH_FILE", buf_str(&path));
	buf_trim(&path, 0);
	buf_addf(&path, "%s/.attrs.json", j->top);
	env_str(env, "NIX_ATTRS_JSON_FILE", buf_str(&path));
	buf_release(&json);
	buf_release(&sh);
	buf_release(&path);
	return rc;
}

/* What a builder of a fixed output, which has the network, gets of the caller's environment when it asks: how the network is
 * reached and where mirrors are.  Not what may hold a secret by its nature, such as NIX_CURL_FLAGS or GOAUTH: an output's hash
 * says what comes out of a build and nothing of what was sent away. */
static const char *const impure_env[] = {
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
	"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY",
	"GIT_PROXY_COMMAND", "SOCKS_SERVER",
	"NIX_CONNECT_TIMEOUT", "NIX_GIT_SSL_CAINFO", "NIX_HASHED_MIRRORS", "NIX_SSL_CERT_FILE",
	"GOINSECURE", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOVCS",
};

static int may_have(const struct build_settings *set, struct slice name)
{
	static const struct slice mirrors = { "NIX_MIRRORS_", 12 };

	for (size_t i = 0; i < sizeof impure_env / sizeof *impure_env; i++)
		if (slice_eq(name, slice_of(impure_env[i])))
			return 1;
	return slice_starts(name, mirrors) || slice_in_words(name, set->impure_env ? set->impure_env : "");
}

/* Once a run for each variable, and only where the builder would have got something. */
static void tell_refused(struct job *j, const char *name)
{
	struct build *b = j->b;
	struct buf drv = BUF_INIT;

	if (slice_in_words(slice_of(name), buf_str(&b->told)))
		return;
	buf_addf(&b->told, " %s", name);
	build_add_drv(b, &drv, j->node);
	build_note(b, j->node,
		   "the builder of '%s' asks for the variable '%s' of your environment and does not get it: it could send it away "
		   "(--allowed-impure-env-vars '%s' lets it)",
		   buf_str(&drv), name, name);
	buf_release(&drv);
}

static void set_fixed(struct job *j, struct env *env)
{
	env_str(env, "NIX_OUTPUT_CHECKED", "1");
	for (size_t i = 0; i < j->opt.impure_env.n; i++) {
		struct slice s = j->opt.impure_env.v[i];
		const char *name = arena_dup(&j->arena, s.p, s.n), *value = getenv(name);

		if (value && *value && !may_have(j->b->set, s)) {
			tell_refused(j, name);
			value = NULL;
		}
		env_set(env, s, slice_of(value ? value : ""));
	}
}

unsigned build_cores(void)
{
	cpu_set_t all;

	return sched_getaffinity(0, sizeof all, &all) ? 1 : (unsigned)CPU_COUNT(&all);
}

static void set_last(struct job *j, struct env *env)
{
	static const char *const tops[] = { "NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD" };

	for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
		env_str(env, tops[i], j->top);
	if (j->fixed)
		set_fixed(j, env);
	env_str(env, "NIX_LOG_FD", "2");
	env_str(env, "TERM", "xterm-256color");
}

static void set_args(struct job *j)
{
	const struct drv *d = &j->node->drv;
	const char *base = d->builder.p + d->builder.n;

	while (base > d->builder.p && base[-1] != '/')
		base--;
	j->argv = arena_alloc(&j->arena, (d->nargs + 2) * sizeof *j->argv);
	j->argv[0] = arena_dup(&j->arena, base, (size_t)(d->builder.p + d->builder.n - base));
	for (size_t i = 0; i < d->nargs; i++) {
		struct slice s = build_rewrite(j, d->args[i]);

		j->argv[i + 1] = arena_dup(&j->arena, s.p, s.n);
	}
}

int build_env_make(struct job *j, struct err *e)
{
	struct env env = { .a = &j->arena };
	char text[32];
	int rc;

	env_str(&env, "PATH", "/path-not-set");
	env_str(&env, "HOME", "/homeless-shelter");
	env_set(&env, SLICE("NIX_STORE"), store_dir(j->b->s));
	snprintf(text, sizeof text, "%u", j->b->set->cores ? j->b->set->cores : build_cores());
	env_str(&env, "NIX_BUILD_CORES", text);
	rc = j->opt.json ? set_structured(j, &env, e) : set_plain(j, &env, e);
	if (rc)
		return rc;
	set_last(j, &env);
	set_args(j);
	j->envp = arena_alloc(&j->arena, (env.n + 1) * sizeof *j->envp);
	for (size_t i = 0; i < env.n; i++)
		j->envp[i] = env.v[i].text;
	return 0;
}
