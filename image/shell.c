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

static void take(struct image_spec *s, struct jnode *env, struct jnode **last, struct slice name, const struct buf *value,
		 struct buf *path)
{
	struct buf text = BUF_INIT;

	if (slice_eq(name, SLICE("nativeBuildInputs")))
		add_path(path, buf_str(value));
	if (!slice_in_words(name, own)) {
		buf_addf(&text, "%.*s=", (int)name.n, name.p);
		buf_add(&text, buf_str(value), value->len);
		if (!utf8_check(text.p, text.len))
			json_append(env, last, json_string(&s->a, (struct slice){ text.p, text.len }));
	}
	buf_release(&text);
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
	if (path.len && !utf8_check(path.p, path.len))
		json_append(env, &last, json_string(&s->a, (struct slice){ path.p, path.len }));
	if (found)
		json_set(s->config, SLICE("Env"), env);
	buf_release(&value);
	buf_release(&path);
	return found;
}
