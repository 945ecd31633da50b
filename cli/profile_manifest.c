/* SPDX-License-Identifier: MIT
 *
 * manifest.json: { "version": 3, "elements": { NAME: { … } } }.  Versions 1 and 2 have a list instead, without names; the first
 * calls references uri.
 */
#include "config.h"
#include "cli/profile_manifest.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/json_tree.h"
#include "cli/output.h"
#include "cli/user_env.h"
#include "store/object.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANIFEST_MAX = 16 << 20 };

void profile_element_release(struct profile_element *x)
{
	free(x->name);
	free(x->original);
	free(x->locked);
	free(x->attr);
	free(x->outputs);
	path_set_release(&x->paths);
	*x = (struct profile_element){ .name = NULL };
}

void profile_manifest_release(struct profile_manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		profile_element_release(&m->v[i]);
	free(m->v);
	*m = (struct profile_manifest){ NULL, 0, 0 };
}

/* --- names --- */

void profile_element_add_source(struct buf *b, const struct profile_element *x)
{
	buf_addf(b, "%s#%s%s%s", x->original, x->attr, x->outputs ? "^" : "", x->outputs ? x->outputs : "");
}

/* Where the version of a store name begins: behind the first dash that no letter follows. */
static size_t version_at(struct slice name)
{
	for (size_t i = 0; i + 1 < name.n; i++)
		if (name.p[i] == '-' && !isalpha((unsigned char)name.p[i + 1]))
			return i;
	return name.n;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names, or the versions, of the objects: each once, in order. */
static char *names_of(const struct profile_element *x, int versions)
{
	char **v = xcalloc(x->paths.n + 1, sizeof *v);
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < x->paths.n; i++) {
		struct slice name = store_path_name(&x->paths.v[i]);
		size_t at = version_at(name);

		v[i] = versions ? xstrndup(name.p + at + (at < name.n), name.n - at - (at < name.n)) : xstrndup(name.p, at);
	}
	qsort(v, x->paths.n, sizeof *v, by_text);
	for (size_t i = 0; i < x->paths.n; i++)
		if (!i || strcmp(v[i], v[i - 1]))
			buf_addf(&b, "%s%s", b.len ? ", " : "", !versions || *v[i] ? v[i] : "ε");
	for (size_t i = 0; i < x->paths.n; i++)
		free(v[i]);
	free(v);
	buf_adds(&b, "");
	return b.p ? buf_detach(&b, NULL) : xstrdup("");
}

char *profile_element_what(const struct profile_element *x)
{
	struct buf b = BUF_INIT;

	if (!x->original)
		return names_of(x, 0);
	profile_element_add_source(&b, x);
	return buf_detach(&b, NULL);
}

static int is_segment(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '_' && p[i] != '-')
			return 0;
	return n > 0;
}

/* The value of `dir=` in a reference, malloc'd; NULL without. */
static char *dir_of(const char *ref)
{
	const char *at = strpbrk(ref, "?");

	for (; at && strncmp(at + 1, "dir=", 4); at = strchr(at + 1, '&'))
		;
	return at ? xstrndup(at + 5, strcspn(at + 5, "&")) : NULL;
}

/* The part of a reference's path that is a name: of a forge the repository, else the last one.  NULL where none is. */
static char *last_part(const char *ref)
{
	static const char *const forges[] = { "github:", "gitlab:", "sourcehut:" };
	size_t n = strcspn(ref, "?"), from;

	for (size_t i = 0; i < sizeof forges / sizeof *forges; i++) {
		const char *slash = strncmp(ref, forges[i], strlen(forges[i])) ? NULL : strchr(ref, '/');

		if (slash && is_segment(slash + 1, strcspn(slash + 1, "/?")))
			return xstrndup(slash + 1, strcspn(slash + 1, "/?"));
	}
	for (from = n; from && ref[from - 1] != '/' && ref[from - 1] != ':'; from--)
		;
	return is_segment(ref + from, n - from) ? xstrndup(ref + from, n - from) : NULL;
}

char *profile_element_name(const struct profile_element *x)
{
	const char *dot = x->attr ? strrchr(x->attr, '.') : NULL, *last = dot ? dot + 1 : x->attr;
	char *name;

	if (!x->original)
		return names_of(x, 0);
	if ((name = dir_of(x->original)))
		return name;
	if (is_segment(last, strlen(last)) && strncmp(x->attr, "defaultPackage.", 15) && strcmp(last, "default"))
		return xstrdup(last);
	name = last_part(x->original);
	return name ? name : profile_element_what(x);
}

static int is_taken(const struct profile_manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->v[i].name, name))
			return 1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct profile_element *)a)->name, ((const struct profile_element *)b)->name);
}

void profile_manifest_add(struct profile_manifest *m, struct profile_element *x)
{
	char *wanted = x->name ? x->name : profile_element_name(x);
	struct buf b = BUF_INIT;

	buf_adds(&b, wanted);
	for (unsigned i = 1; is_taken(m, b.len ? b.p : ""); i++) {
		buf_trim(&b, 0);
		buf_addf(&b, "%s-%u", wanted, i);
	}
	free(wanted);
	ARRAY_GROW(m->v, m->n + 1, m->cap);
	x->name = b.p ? buf_detach(&b, NULL) : xstrdup("");
	m->v[m->n++] = *x;
	*x = (struct profile_element){ .name = NULL };
	qsort(m->v, m->n, sizeof *m->v, by_name);
}

void profile_manifest_remove(struct profile_manifest *m, size_t i)
{
	profile_element_release(&m->v[i]);
	memmove(&m->v[i], &m->v[i + 1], (m->n - i - 1) * sizeof *m->v);
	m->n--;
}

/* --- reading --- */

static char *text_of(const struct jnode *o, const char *key)
{
	const struct jnode *n = json_member(o, slice_of(key));

	return n && n->kind == JSON_STRING && n->str.n ? xstrndup(n->str.p, n->str.n) : NULL;
}

static int read_paths(struct profile_element *x, struct store *s, const struct jnode *list, struct err *e)
{
	int rc = 0;

	if (!list || list->kind != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "a package of a profile's list does not say where it is");
	for (const struct jnode *n = list->first; n && !rc; n = n->next) {
		struct store_path p;

		rc = n->kind == JSON_STRING ? store_path_parse(store_dir(s), n->str, &p, e) :
					      err_set(e, ERR_INVALID, "a store path of a profile's list is no string");
		if (!rc)
			path_set_add(&x->paths, &p);
	}
	return rc;
}

static char *read_outputs(const struct jnode *list)
{
	struct buf b = BUF_INIT;

	for (const struct jnode *n = list && list->kind == JSON_ARRAY ? list->first : NULL; n; n = n->next)
		buf_addf(&b, "%s%.*s", b.len ? "," : "", (int)n->str.n, n->str.n ? n->str.p : "");
	return b.len ? buf_detach(&b, NULL) : NULL;
}

static int read_element(struct profile_manifest *m, struct store *s, const struct jnode *o, int64_t version, struct err *e)
{
	const struct jnode *active = json_member(o, SLICE("active")), *priority = json_member(o, SLICE("priority"));
	struct profile_element x = { .priority = priority && priority->kind == JSON_INT ? priority->i : PROFILE_PRIORITY };
	int rc = read_paths(&x, s, json_member(o, SLICE("storePaths")), e);

	x.inactive = active && active->kind == JSON_FALSE;
	x.locked = text_of(o, version == 1 ? "uri" : "url");
	x.original = text_of(o, version == 1 ? "originalUri" : "originalUrl");
	x.attr = text_of(o, "attrPath");
	x.outputs = read_outputs(json_member(o, SLICE("outputs")));
	x.name = o->key.n ? xstrndup(o->key.p, o->key.n) : NULL;
	if (!rc && x.locked && (!x.original || !x.attr))
		rc = err_set(e, ERR_INVALID, "a package of a profile's list does not say which attribute of '%s' it is", x.locked);
	if (rc || !x.locked) {
		free(x.original);
		x.original = NULL;
	}
	if (!rc)
		profile_manifest_add(m, &x);
	profile_element_release(&x);
	return rc;
}

static int read_json(struct profile_manifest *m, struct store *s, struct slice text, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *root = NULL;
	int rc = json_tree_parse(&a, text, &root, e);
	const struct jnode *version = rc ? NULL : json_member(root, SLICE("version")), *all;
	int64_t number = version && version->kind == JSON_INT ? version->i : 0;

	if (!rc && (number < 1 || number > 3))
		rc = err_set(e, ERR_INVALID, "a profile's list has version %lld, which is not known", (long long)number);
	all = rc ? NULL : json_member(root, SLICE("elements"));
	if (!rc && (!all || all->kind != (number == 3 ? JSON_OBJECT : JSON_ARRAY)))
		rc = err_set(e, ERR_INVALID, "a profile's list of version %lld has no packages in the form of that",
			     (long long)number);
	for (const struct jnode *n = all ? all->first : NULL; n && !rc; n = n->next)
		rc = read_element(m, s, n, number, e);
	arena_release(&a);
	return rc;
}

static int read_nix_paths(struct profile_element *x, struct store *s, const struct jnode *package, struct err *e)
{
	const struct jnode *outputs = json_member(package, SLICE("outputs"));
	int rc = outputs && outputs->kind == JSON_ARRAY ?
			 0 :
			 err_set(e, ERR_INVALID, "a package of 'manifest.nix' does not say which outputs it has");

	for (const struct jnode *o = rc ? NULL : outputs->first; o && !rc; o = o->next) {
		const struct jnode *out = json_member(json_member(package, o->str), SLICE("outPath"));
		struct store_path p;

		rc = !out ? err_set(e, ERR_INVALID, "a package of 'manifest.nix' does not say where its outputs are") :
			    store_path_parse(store_dir(s), out->str, &p, e);
		if (!rc)
			path_set_add(&x->paths, &p);
	}
	return rc;
}

/* Of nix-env's list only which packages there are is of use: the paths of their outputs to install. */
static int read_nix(struct profile_manifest *m, struct store *s, struct slice text, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *root = NULL;
	int rc = nix_text_parse(&a, text, &root, e);

	if (!rc && root->kind != JSON_ARRAY)
		rc = err_set(e, ERR_INVALID, "'manifest.nix' is no list");
	for (const struct jnode *n = rc ? NULL : root->first; n && !rc; n = n->next) {
		struct profile_element x = { .priority = PROFILE_PRIORITY };

		rc = read_nix_paths(&x, s, n, e);
		if (!rc)
			profile_manifest_add(m, &x);
		profile_element_release(&x);
	}
	arena_release(&a);
	return rc;
}

/* Appends a file of a profile: a regular one, or a link into the store as environments have it.  1: it is not there. */
static int read_list(struct store *s, const struct store_path *profile, const char *name, struct buf *out, struct err *e)
{
	char to[PATH_MAX];
	struct buf path = BUF_INIT;
	struct store_path p;
	ssize_t n;
	int rc = 0, fd;

	store_add_real_path(s, &path, profile);
	buf_addf(&path, "/%s", name);
	n = readlink(buf_str(&path), to, sizeof to - 1);
	if (n >= 0) {
		to[n] = 0;
		rc = store_resolve(s, to, &p, NULL, e);
		rc = rc ? rc : store_read(s, &p, MANIFEST_MAX, out, e);
	} else if ((fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC)) >= 0) {
		if (fd_read_all(fd, out))
			rc = err_errno(e, "reading '%s'", buf_str(&path));
		close(fd);
	} else {
		rc = errno == ENOENT || errno == ENOTDIR ? 1 : err_errno(e, "opening '%s'", buf_str(&path));
	}
	buf_release(&path);
	return rc;
}

int profile_manifest_read(struct profile_manifest *m, struct store *s, const char *profile, struct err *e)
{
	struct store_path p;
	struct buf text = BUF_INIT;
	struct stat st;
	int rc;

	if (lstat(profile, &st) && errno == ENOENT)
		return 0;
	rc = store_resolve(s, profile, &p, NULL, e);
	rc = rc ? rc : read_list(s, &p, "manifest.json", &text, e);
	if (!rc) {
		rc = read_json(m, s, (struct slice){ buf_str(&text), text.len }, e);
	} else if (rc > 0) {
		rc = read_list(s, &p, "manifest.nix", &text, e);
		rc = rc ? rc : read_nix(m, s, (struct slice){ buf_str(&text), text.len }, e);
	}
	if (rc > 0)
		rc = err_set(e, ERR_INVALID, "'%s' is no profile of packages: it has no list of them", profile);
	buf_release(&text);
	return rc;
}

/* --- writing --- */

static void add_member(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "\"%s\":", key);
	output_json_string(b, value, strlen(value));
	buf_addc(b, ',');
}

static void add_outputs(struct buf *b, const char *outputs)
{
	size_t n;

	buf_adds(b, "\"outputs\":");
	if (!outputs) {
		buf_adds(b, "null,");
		return;
	}
	for (const char *p = outputs; *p; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		buf_addc(b, p == outputs ? '[' : ',');
		output_json_string(b, p, n);
	}
	buf_adds(b, "],");
}

static void write_element(struct buf *b, const struct profile_element *x, const struct store *s)
{
	output_json_string(b, x->name, strlen(x->name));
	buf_addf(b, ":{\"active\":%s,", x->inactive ? "false" : "true");
	if (x->original) {
		add_member(b, "attrPath", x->attr);
		add_member(b, "originalUrl", x->original);
		add_outputs(b, x->outputs);
	}
	buf_addf(b, "\"priority\":%lld,\"storePaths\":[", (long long)x->priority);
	for (size_t i = 0; i < x->paths.n; i++) {
		buf_adds(b, i ? ",\"" : "\"");
		store_add_path(s, b, &x->paths.v[i]);
		buf_addc(b, '"');
	}
	buf_addc(b, ']');
	if (x->original) {
		buf_adds(b, ",\"url\":");
		output_json_string(b, x->locked, strlen(x->locked));
	}
	buf_addc(b, '}');
}

void profile_manifest_write(struct buf *b, const struct profile_manifest *m, const struct store *s)
{
	buf_adds(b, "{\"elements\":{");
	for (size_t i = 0; i < m->n; i++) {
		buf_adds(b, i ? "," : "");
		write_element(b, &m->v[i], s);
	}
	buf_adds(b, "},\"version\":3}");
}

int profile_manifest_make(const struct profile_manifest *m, struct store *s, struct build_options *o, struct store_path *out,
			  struct err *e)
{
	struct user_env env = { .name = "profile", .manifest = "manifest.json" };
	int rc;

	for (size_t i = 0; i < m->n; i++)
		user_env_add(&env, s, !m->v[i].inactive, m->v[i].priority, m->v[i].paths.v, m->v[i].paths.n);
	profile_manifest_write(&env.list, m, s);
	rc = user_env_make(&env, s, o, out, e);
	user_env_release(&env);
	return rc;
}

/* --- comparing --- */

static int add_change(struct buf *b, const struct profile_element *before, const struct profile_element *after)
{
	char *what = profile_element_what(after ? after : before), *one = before ? names_of(before, 1) : xstrdup("∅"),
	     *two = after ? names_of(after, 1) : xstrdup("∅");
	int differ = strcmp(one, two) != 0;

	if (differ)
		buf_addf(b, "  %s: %s -> %s\n", what, one, two);
	free(what);
	free(one);
	free(two);
	return differ;
}

void profile_manifest_compare(struct buf *b, const struct profile_manifest *before, const struct profile_manifest *after)
{
	size_t i = 0, k = 0;
	int changes = 0;

	while (i < before->n || k < after->n) {
		int by = i == before->n ? 1 : k == after->n ? -1 : strcmp(before->v[i].name, after->v[k].name);

		changes += add_change(b, by <= 0 ? &before->v[i] : NULL, by >= 0 ? &after->v[k] : NULL);
		i += by <= 0;
		k += by >= 0;
	}
	if (!changes)
		buf_adds(b, "  No changes.\n");
}
