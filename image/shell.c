/* SPDX-License-Identifier: MIT
 *
 * The text is what `export -p` of a shell prints: each variable in single quotes, a quote in it as '"'"' or '\''.  Variables of the
 * build itself are left out.
 */
#include "config.h"
#include "image/shell.h"
#include "base/buf.h"

#include <string.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* Of the build, not of the shell. */
static const char own[] =
	"HOME NIX_BUILD_CORES NIX_BUILD_TOP NIX_LOG_FD NIX_STORE OLDPWD PATH PWD SHLVL TEMP TEMPDIR TERM TMP TMPDIR "
	"allowSubstitutes buildInputs builder name nativeBuildInputs out outputs preferLocalBuild shellHook system stdenv";

/* A word in quotes of any kind, as a shell reads it; returns where it ends. */
static const char *unquote(const char *p, const char *end, struct buf *out)
{
	while (p < end && *p != '\n') {
		const char *close = NULL;

		if (*p == '\'' || *p == '"')
			close = memchr(p + 1, *p, (size_t)(end - p) - 1);
		if (close) {
			buf_add(out, p + 1, (size_t)(close - p) - 1);
			p = close + 1;
		} else {
			p += *p == '\\' && p + 1 < end;
			buf_addc(out, *p++);
		}
	}
	return p;
}

/* "/nix/store/a /nix/store/b" as "/nix/store/a/bin:/nix/store/b/bin". */
static void add_path(struct buf *path, const char *inputs)
{
	static const char blanks[] = " \t\n";

	for (const char *p = inputs + strspn(inputs, blanks); *p; p += strspn(p, blanks)) {
		size_t n = strcspn(p, blanks);

		buf_addf(path, "%s%.*s/bin", path->len ? ":" : "PATH=", (int)n, p);
		p += n;
	}
}

/* What the description itself sets: "VALUE" of "NAME=VALUE", or NULL. */
static const char *given(const struct jnode *env, struct slice name, size_t *n)
{
	for (const struct jnode *v = env && env->kind == JSON_ARRAY ? env->first : NULL; v; v = v->next)
		if (v->kind == JSON_STRING && v->str.n > name.n && v->str.p[name.n] == '=' && !memcmp(v->str.p, name.p, name.n)) {
			*n = v->str.n - name.n - 1;
			return v->str.p + name.n + 1;
		}
	return NULL;
}

static void take(struct image_spec *s, struct jnode *env, struct jnode **last, struct slice name, const struct buf *value,
		 struct buf *path)
{
	struct buf text = BUF_INIT;
	size_t n;

	if (slice_eq(name, SLICE("nativeBuildInputs")))
		add_path(path, buf_str(value));
	if (!slice_in_words(name, own) && !given(json_member(s->config, SLICE("Env")), name, &n)) {
		buf_addf(&text, "%.*s=", (int)name.n, name.p);
		buf_add(&text, buf_str(value), value->len);
		if (!utf8_check(text.p, text.len))
			json_append(env, last, json_string(&s->a, (struct slice){ text.p, text.len }));
	}
	buf_release(&text);
}

static void add_variable(struct image_spec *s, struct jnode *env, struct jnode **last, const char *text, size_t n)
{
	if (n && !utf8_check(text, n))
		json_append(env, last, json_string(&s->a, (struct slice){ text, n }));
}

/* What the description sets is behind what the shell does; its PATH is behind the shell's. */
static void add_given(struct image_spec *s, struct jnode *env, struct jnode **last, struct buf *path)
{
	const struct jnode *list = json_member(s->config, SLICE("Env"));
	size_t n;
	const char *own_path = given(list, SLICE("PATH"), &n);

	if (own_path) {
		buf_adds(path, path->len ? ":" : "PATH=");
		buf_add(path, own_path, n);
	}
	for (const struct jnode *v = list && list->kind == JSON_ARRAY ? list->first : NULL; v; v = v->next)
		if (v->kind == JSON_STRING && !slice_starts(v->str, SLICE("PATH=")))
			add_variable(s, env, last, v->str.p, v->str.n);
	add_variable(s, env, last, path->p, path->len);
}

int image_shell(struct image_spec *s, struct slice text)
{
	struct jnode *env = json_node(&s->a, JSON_ARRAY), *last = NULL;
	struct buf value = BUF_INIT, path = BUF_INIT;
	const char *p = text.p, *end = text.p + text.n;
	int found = 0;

	while (p < end) {
		struct slice line = { p, (size_t)(end - p) }, name;

		if (!slice_starts(line, SLICE("export ")))
			break;
		name = (struct slice){ p + 7, 0 };
		while (name.p + name.n < end && strchr(NAME_CHARS, name.p[name.n]) && name.p[name.n])
			name.n++;
		p = name.p + name.n;
		buf_trim(&value, 0);
		if (p < end && *p == '=')
			p = unquote(p + 1, end, &value);
		take(s, env, &last, name, &value, &path);
		p += p < end;
		found = 1;
	}
	if (found) {
		add_given(s, env, &last, &path);
		json_set(s->config, SLICE("Env"), env);
	}
	buf_release(&value);
	buf_release(&path);
	return found;
}
