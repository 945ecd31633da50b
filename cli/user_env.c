/* SPDX-License-Identifier: MIT
 *
 * The derivation of an environment is that of Nix's buildenv.nix: builtin:buildenv with what it links and the list it puts beside
 * it.
 */
#include "config.h"
#include "cli/user_env.h"
#include "cli/realise.h"
#include "format/modulo.h"
#include "store/object.h"

#include <string.h>

void user_env_add(struct user_env *env, const struct store *s, int active, int64_t priority, const struct store_path *paths,
		  size_t n)
{
	struct buf *b = &env->packages;

	buf_addf(b, "%s%s %lld %zu", b->len ? " " : "", active ? "true" : "false", (long long)priority, n);
	for (size_t i = 0; i < n; i++) {
		buf_addc(b, ' ');
		store_add_path(s, b, &paths[i]);
		path_set_add(&env->refs, &paths[i]);
	}
}

void user_env_release(struct user_env *env)
{
	buf_release(&env->list);
	buf_release(&env->packages);
	path_set_release(&env->refs);
}

static void set_src(struct drv *d, struct store *s, const struct store_path *p)
{
	struct buf b = BUF_INIT;

	store_add_path(s, &b, p);
	drv_add_src(d, (struct slice){ b.p, b.len });
	buf_release(&b);
}

static void fill(struct drv *d, const struct user_env *env, struct store *s, const struct store_path *list)
{
	struct buf b = BUF_INIT;

	store_add_path(s, &b, list);
	drv_add_output(d, SLICE("out"));
	drv_set_system(d, SLICE("builtin"));
	drv_set_builder(d, SLICE("builtin:buildenv"));
	drv_set_env(d, SLICE("allowSubstitutes"), SLICE(""));
	drv_set_env(d, SLICE("builder"), SLICE("builtin:buildenv"));
	drv_set_env(d, SLICE("derivations"), (struct slice){ buf_str(&env->packages), env->packages.len });
	drv_set_env(d, SLICE("manifest"), (struct slice){ b.p, b.len });
	if (strcmp(env->manifest, "manifest.nix"))
		drv_set_env(d, SLICE("manifestName"), slice_of(env->manifest));
	drv_set_env(d, SLICE("name"), slice_of(env->name));
	drv_set_env(d, SLICE("preferLocalBuild"), SLICE("1"));
	drv_set_env(d, SLICE("system"), SLICE("builtin"));
	for (size_t i = 0; i < env->refs.n; i++)
		set_src(d, s, &env->refs.v[i]);
	set_src(d, s, list);
	buf_release(&b);
}

static int add_drv(const struct user_env *env, struct store *s, const struct store_path *list, struct store_path *out,
		   struct err *e)
{
	struct path_set refs = PATH_SET_INIT;
	struct buf text = BUF_INIT, name = BUF_INIT;
	struct drv d;
	int rc;

	drv_init(&d, slice_of(env->name));
	fill(&d, env, s, list);
	path_set_add_all(&refs, &env->refs);
	path_set_add(&refs, list);
	buf_addf(&name, "%s.drv", env->name);
	rc = drv_finish(&d, store_dir(s), NULL, &text, out, NULL, e);
	rc = rc ? rc : store_add_text(s, (struct slice){ name.p, name.len }, (struct slice){ text.p, text.len }, &refs, out, e);
	drv_release(&d);
	path_set_release(&refs);
	buf_release(&text);
	buf_release(&name);
	return rc;
}

int user_env_make(struct user_env *env, struct store *s, struct build_options *o, struct store_path *out, struct err *e)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct build_result res = { NULL, 0, 0 };
	struct buf name = BUF_INIT;
	struct store_path list, drv;
	int rc;

	buf_addf(&name, "env-%s", env->manifest);
	rc = store_add_text(s, (struct slice){ name.p, name.len }, (struct slice){ buf_str(&env->list), env->list.len }, &env->refs,
			    &list, e);
	rc = rc ? rc : add_drv(env, s, &list, &drv, e);
	if (!rc) {
		build_targets_add(&targets, &drv, NULL, 0);
		rc = realise(s, o, &targets, &res, e);
	}
	if (!rc)
		*out = res.v[0].path;
	build_result_release(&res);
	build_targets_release(&targets);
	buf_release(&name);
	return rc;
}

/* --- data as text of the language --- */

static void add_string(struct buf *b, struct slice s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		const char *escaped = c == '\n'	  ? "\\n"
				      : c == '\r' ? "\\r"
				      : c == '\t' ? "\\t"
				      : c == '"'  ? "\\\""
				      : c == '\\' ? "\\\\"
						  : NULL;

		if (c == '$' && i + 1 < s.n && s.p[i + 1] == '{')
			escaped = "\\$";
		if (escaped)
			buf_adds(b, escaped);
		else
			buf_addc(b, c);
	}
	buf_addc(b, '"');
}

static int is_plain_name(struct slice s)
{
	static const char *const words[] = { "assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_eq(s, slice_of(words[i])))
			return 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (!i || !((c >= '0' && c <= '9') || c == '-' || c == '\'')))
			return 0;
	}
	return s.n > 0;
}

void nix_text_add(struct buf *b, const struct jnode *n)
{
	switch (n->kind) {
	case JSON_OBJECT:
		buf_adds(b, "{ ");
		for (const struct jnode *m = n->first; m; m = m->next) {
			if (is_plain_name(m->key))
				buf_add(b, m->key.p, m->key.n);
			else
				add_string(b, m->key);
			buf_adds(b, " = ");
			nix_text_add(b, m);
			buf_adds(b, "; ");
		}
		buf_addc(b, '}');
		return;
	case JSON_ARRAY:
		buf_adds(b, "[ ");
		for (const struct jnode *m = n->first; m; m = m->next) {
			nix_text_add(b, m);
			buf_addc(b, ' ');
		}
		buf_addc(b, ']');
		return;
	case JSON_STRING: add_string(b, n->str); return;
	case JSON_INT: buf_addf(b, n->i < 0 ? "(%lld)" : "%lld", (long long)n->i); return;
	case JSON_FLOAT: json_add_double(b, n->d); return;
	case JSON_TRUE: buf_adds(b, "true"); return;
	case JSON_FALSE: buf_adds(b, "false"); return;
	default: buf_adds(b, "null"); return;
	}
}

/* --- and read again --- */

enum { TEXT_DEPTH = 100 };

struct text_reader {
	struct arena *a;
	const char *p, *end;
	int depth;
};

static struct jnode *read_value(struct text_reader *r);

static void skip_space(struct text_reader *r)
{
	while (r->p < r->end && strchr(" \t\r\n", *r->p))
		r->p++;
}

static int take_word(struct text_reader *r, const char *word)
{
	size_t n = strlen(word);

	skip_space(r);
	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return 0;
	r->p += n;
	return 1;
}

/* Behind the first quote. */
static int read_string(struct text_reader *r, struct slice *out)
{
	const char *stop = r->p;
	size_t n = 0;
	char *to;

	for (; stop < r->end && *stop != '"'; stop++)
		stop += *stop == '\\';
	to = arena_alloc(r->a, (size_t)(stop - r->p) + 1);
	for (; r->p < r->end && *r->p != '"'; r->p++) {
		if (*r->p == '\\' && ++r->p < r->end)
			to[n++] = *r->p == 'n' ? '\n' : *r->p == 'r' ? '\r' : *r->p == 't' ? '\t' : *r->p;
		else if (r->p < r->end)
			to[n++] = *r->p;
	}
	*out = (struct slice){ to, n };
	return r->p < r->end && *r->p++ == '"' ? 0 : -1;
}

static int read_key(struct text_reader *r, struct slice *key)
{
	const char *start;

	if (take_word(r, "\""))
		return read_string(r, key);
	for (start = r->p; r->p < r->end && !strchr(" \t\r\n=", *r->p); r->p++)
		;
	*key = (struct slice){ start, (size_t)(r->p - start) };
	return is_plain_name(*key) ? 0 : -1;
}

static struct jnode *read_set(struct text_reader *r)
{
	struct jnode *set = json_node(r->a, JSON_OBJECT);

	while (!take_word(r, "}")) {
		struct slice key;
		struct jnode *v = read_key(r, &key) || !take_word(r, "=") ? NULL : read_value(r);

		if (!v || !take_word(r, ";"))
			return NULL;
		json_set(set, key, v);
	}
	return set;
}

static struct jnode *read_list(struct text_reader *r)
{
	struct jnode *list = json_node(r->a, JSON_ARRAY), *last = NULL;

	while (!take_word(r, "]")) {
		struct jnode *v = read_value(r);

		if (!v)
			return NULL;
		json_append(list, &last, v);
	}
	return list;
}

/* Numbers only have to be passed over: who reads such a list asks for none. */
static struct jnode *read_number(struct text_reader *r)
{
	const char *start;

	skip_space(r);
	for (start = r->p; r->p < r->end && strchr("0123456789+-.eE()", *r->p); r->p++)
		;
	return r->p > start ? json_node(r->a, JSON_NULL) : NULL;
}

static struct jnode *read_value(struct text_reader *r)
{
	struct jnode *n = NULL;
	struct slice s;

	if (++r->depth > TEXT_DEPTH)
		return NULL;
	if (take_word(r, "{"))
		n = read_set(r);
	else if (take_word(r, "["))
		n = read_list(r);
	else if (take_word(r, "\""))
		n = read_string(r, &s) ? NULL : json_string(r->a, s);
	else if (take_word(r, "true"))
		n = json_node(r->a, JSON_TRUE);
	else if (take_word(r, "false"))
		n = json_node(r->a, JSON_FALSE);
	else if (take_word(r, "null"))
		n = json_node(r->a, JSON_NULL);
	else
		n = read_number(r);
	r->depth--;
	return n;
}

int nix_text_parse(struct arena *a, struct slice text, struct jnode **out, struct err *e)
{
	struct text_reader r = { a, text.p, text.p + text.n, 0 };

	*out = read_value(&r);
	skip_space(&r);
	return *out && r.p == r.end ? 0 : err_set(e, ERR_INVALID, "'manifest.nix' is no list of packages as nix-env writes it");
}
