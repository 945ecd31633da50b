/* SPDX-License-Identifier: MIT
 *
 * Parsing is fetch/input.c's; here is what depends on where one stands.
 *
 * What could be mistaken for an option by a program further down, or hide in a message, is refused at once: a
 * leading dash, control characters.
 */
#include "config.h"
#include "flake/ref.h"
#include "base/pathname.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/trail.h"
#include "fetch/url.h"
#include "flake/source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_text(const char *text)
{
	if (*text == '-')
		throw_error(EK_EVAL, "'%s' is not a flake reference: it begins with a dash", text);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			throw_error(EK_EVAL, "a flake reference must not hold control characters such as line ends");
}

/* The forge that a reference names in front of a project, as a word or by its host; *rest is what follows. */
static const char *forge_of(const char *text, const char **rest)
{
	static const char *const forges[] = { "github", "gitlab" };
	const char *host = strncmp(text, "https://", 8) ? text : text + 8;

	for (size_t i = 0; i < sizeof forges / sizeof *forges; i++) {
		size_t n = strlen(forges[i]);
		if (strncmp(host, forges[i], n))
			continue;
		const char *p = host + n;
		p += strncmp(p, ".com/", 5) ? 0 : 4;
		if (*p != '/' || (host != text && p == host + n))
			continue;
		*rest = p + 1;
		return forges[i];
	}
	return NULL;
}

const char *flake_ref_of_project(const char *text)
{
	const char *p, *forge = forge_of(text, &p);
	struct buf b = BUF_GC;

	size_t owner = forge ? strcspn(p, "/?#") : 0;
	if (!owner || p[owner] != '/')
		return NULL;
	const char *repo = p + owner + 1, *end = repo + strcspn(repo, "/?#");
	size_t n = (size_t)(end - repo);
	n -= n > 4 && !strncmp(end - 4, ".git", 4) ? 4 : 0;
	buf_addf(&b, "%s:%.*s/%.*s", forge, (int)owner, p, (int)n, repo);
	if (!strncmp(end, "/tree/", 6)) {
		const char *ref = end + 6;
		end = ref + strcspn(ref, "/?#");
		buf_addf(&b, "/%.*s", (int)(end - ref), ref);
	}
	return n && (!*end || !strcmp(end, "/")) ? b.p : NULL;
}

/* A word without a value says nothing: it may be meant for what stands behind '#'. */
static void warn_query(const char *text)
{
	size_t end = strcspn(text, "#");
	const char *q = memchr(text, '?', end);

	for (const char *p = q ? q + 1 : text + end; p < text + end; p++) {
		size_t n = strcspn(p, "&#");

		if (n && !memchr(p, '=', n)) {
			struct buf b = BUF_GC;
			buf_addf(&b, "warning: dubious URI query '%.*s' is missing equal sign '=', ignoring", (int)n, p);
			eval_world()->message(b.p, b.len);
		}
		p += n;
	}
}

static void parse(const char *text, struct input *out)
{
	struct err e = ERR_INIT;

	warn_query(text);
	if (!input_parse(slice_of(text), flake_arena(), out, &e))
		return;
	const char *project = flake_ref_of_project(text);
	if (!project)
		throw_err(&e);
	struct buf hint = BUF_GC, what = BUF_GC;
	buf_addf(&hint, "did you mean '%s'?", project);
	buf_adds(&what, e.msg);
	err_release(&e);
	throw_error_hint(EK_EVAL, hint.p, "%s", what.p);
}

static int is_alpha(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "scheme:…" */
static int has_scheme(const char *s)
{
	size_t n = 0;

	if (!is_alpha(*s))
		return 0;
	while (is_alpha(s[n]) || (s[n] >= '0' && s[n] <= '9') || (s[n] && strchr("+-.", s[n])))
		n++;
	return s[n] == ':';
}

/* "nixpkgs", "nixpkgs/REF": a name of a registry and not a path. */
static int is_id(const char *s)
{
	if (!is_alpha(*s))
		return 0;
	for (; *s; s++)
		if (!is_alpha(*s) && !(*s >= '0' && *s <= '9') && !strchr("_-/.@+", *s))
			return 0;
	return 1;
}

const char *flake_ref_has_flake(const char *dir)
{
	static const char *const names[] = { "flake.gx", "flake.nix" };
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		struct buf b = BUF_GC;
		buf_addf(&b, "%s/%s", dir, names[i]);
		trail_stat(b.p);
		if (!stat(b.p, &st) && S_ISREG(st.st_mode))
			return names[i];
	}
	return NULL;
}

static int has_entry(const char *dir, const char *name)
{
	struct buf b = BUF_GC;
	struct stat st;

	buf_addf(&b, "%s/%s", dir, name);
	trail_lstat(b.p);
	return lstat(b.p, &st) == 0;
}

/* --- paths of the command line --- */

static void step_up(char *dir)
{
	dir[path_dir_len(dir, strlen(dir))] = 0;
}

/* The folder of the flake at or above `dir`, which is changed. */
static void search_up(char *dir)
{
	struct buf start = BUF_GC;
	struct stat st, up;

	buf_adds(&start, dir);
	if (stat(dir, &st))
		throw_error(EK_IO, "the path '%s' cannot be read: %s", dir, strerror(errno));
	while (!flake_ref_has_flake(dir)) {
		if (has_entry(dir, ".git") || !strcmp(dir, "/"))
			throw_error_hint(EK_EVAL, "'gx init' writes one", "there is no flake.gx or flake.nix in '%s'%s", start.p,
					 strcmp(start.p, dir) ? " nor in the folders above" : "");
		step_up(dir);
		if (stat(dir, &up) || up.st_dev != st.st_dev)
			throw_error_hint(EK_EVAL, "'gx init' writes one",
					 "there is no flake.gx or flake.nix in '%s' nor above it in its file system", start.p);
	}
}

static void use_git(const char *root, const char *below, const char *query, struct input *out)
{
	struct buf b = BUF_GC;

	buf_adds(&b, "git+file://");
	url_encode(&b, slice_of(root), "/!$&'()*+,;=:@");
	if (*query)
		buf_addf(&b, "?%s", query);
	if (*below) {
		buf_addf(&b, "%cdir=", *query ? '&' : '?');
		url_encode(&b, slice_of(below), "/!$'()*,;:@");
	}
	struct buf shallow = BUF_GC;
	buf_addf(&shallow, "%s/.git/shallow", root);
	trail_stat(shallow.p);
	if (access(shallow.p, F_OK) == 0)
		buf_addf(&b, "%cshallow=1", *query || *below ? '&' : '?');
	parse(b.p, out);
}

/* The reference for a flake's folder: the git repository it lies in, or itself. */
static void use_folder(const char *dir, const char *query, struct input *out)
{
	char root[PATH_MAX];
	size_t n = strlen(dir);

	memcpy(root, dir, n + 1);
	while (strcmp(root, "/")) {
		if (has_entry(root, ".git")) {
			size_t r = strlen(root);
			use_git(root, r < n ? dir + r + 1 : "", query, out);
			return;
		}
		step_up(root);
	}
	struct buf b = BUF_GC;
	buf_adds(&b, "path:");
	url_encode(&b, slice_of(dir), "/!$&'()*+,;=:@");
	if (*query)
		buf_addf(&b, "?%s", query);
	parse(b.p, out);
}

static void parse_path(const char *text, struct input *out)
{
	const char *query = strchr(text, '?');
	struct buf path = BUF_GC;
	char dir[PATH_MAX];
	struct stat st;

	buf_add(&path, text, query ? (size_t)(query - text) : strlen(text));
	const char *real = realpath(path.len ? path.p : ".", dir);
	trail_real(path.len ? path.p : ".", real);
	if (!real)
		throw_error(EK_IO, "the path '%s' cannot be read: %s", buf_str(&path), strerror(errno));
	trail_stat(dir);
	if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		const char *name = strrchr(dir, '/') + 1;
		if (strcmp(name, "flake.gx") && strcmp(name, "flake.nix"))
			throw_error(EK_EVAL, "'%s' is not a flake: it is not a folder", dir);
		step_up(dir);
	}
	search_up(dir);
	use_folder(dir, query ? query + 1 : "", out);
}

/* "path:./x" and "git+file:./x" on a command line start where one stands. */
static const char *absolute_url(const char *text)
{
	size_t n = !strncmp(text, "path:", 5) ? 5 : !strncmp(text, "git+file:", 9) ? 9 : 0;
	char cwd[PATH_MAX];
	struct buf b = BUF_GC, path = BUF_GC;

	if (!n || text[n] == '/')
		return text;
	if (!getcwd(cwd, sizeof cwd))
		throw_error(EK_IO, "cannot determine the working directory: %s", strerror(errno));
	size_t len = strcspn(text + n, "?");
	buf_addf(&path, "%s/%.*s", cwd, (int)len, text + n);
	buf_trim(&path, path_normalise(path.p, path.len, path.p));
	buf_add(&b, text, n);
	if (n == 9)
		buf_adds(&b, "//");
	buf_add(&b, path.p, path.len);
	buf_adds(&b, text + n + len);
	return b.p;
}

void flake_ref_parse(const char *text, struct input *out, const char **fragment)
{
	const char *hash = strchr(text, '#');
	struct buf ref = BUF_GC;
	struct slice decoded = { "", 0 };
	struct err e = ERR_INIT;

	check_text(text);
	buf_add(&ref, text, hash ? (size_t)(hash - text) : strlen(text));
	if (hash && url_decode(slice_of(hash + 1), flake_arena(), &decoded, &e))
		throw_err(&e);
	*fragment = arena_dup(flake_arena(), decoded.p, decoded.n);
	if (has_scheme(buf_str(&ref)))
		parse(absolute_url(ref.p), out);
	else if (is_id(buf_str(&ref)))
		parse(ref.p, out);
	else
		parse_path(buf_str(&ref), out);
}

/* --- in a flake --- */

void flake_ref_parse_input(const char *text, struct input *out)
{
	check_text(text);
	if (has_scheme(text) || *text == '/' || is_id(text)) {
		parse(text, out);
		return;
	}
	size_t n = strcspn(text, "?");
	if (strchr(text, '#'))
		throw_error(EK_EVAL, "the flake reference '%s' must not have a fragment ('#…')", text);
	/* The rules for a query are those of absolute paths. */
	struct buf b = BUF_GC;
	buf_adds(&b, "/");
	buf_adds(&b, text + n);
	parse(b.p, out);
	const char *path = arena_dup(flake_arena(), text, n);
	source_set(out, "path", path);
}

/* --- comparing, showing --- */

int flake_ref_same(const struct input *a, const struct input *b)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++) {
		const struct input_attr *x = &a->a[i], *y = &b->a[i];
		if (!slice_eq(x->name, y->name) || x->type != y->type ||
		    (x->type == INPUT_STRING ? !slice_eq(x->s, y->s) : x->i != y->i))
			return 0;
	}
	return 1;
}

/* Nix before 2.20 left the folder in the address too. */
static struct input without_folder_in_url(const struct input *in)
{
	const char *url = source_get(in, "url"), *dir = source_get(in, "dir"), *at = url && dir ? strstr(url, "?dir=") : NULL;
	struct input out = { 0 };
	struct buf b = BUF_GC;

	if (!at || strcmp(at + 5, dir))
		return *in;
	input_set_all(&out, in, flake_arena());
	buf_add(&b, url, (size_t)(at - url));
	source_set(&out, "url", b.p);
	return out;
}

int flake_ref_means_same(const struct input *a, const struct input *b)
{
	const struct input x = without_folder_in_url(a), y = without_folder_in_url(b);

	return flake_ref_same(&x, &y);
}

const char *flake_ref_text(const struct input *in)
{
	return source_text(in);
}
