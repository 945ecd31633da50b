/* SPDX-License-Identifier: MIT
 *
 * The standard library writes descriptions, but anybody can write one: everything is looked at.
 */
#include "config.h"
#include "image/spec.h"
#include "base/alloc.h"
#include "image/plan.h"

#include <stdlib.h>
#include <string.h>

/* What a base says is put into ours member by member, each looked for its place: the square of their number. */
enum { LIMIT_MEMBERS = 8192 };

/* What this machine is called by those who run images. */
#if defined(__x86_64__)
#define MACHINE "amd64"
#elif defined(__aarch64__)
#define MACHINE "arm64"
#else
#define MACHINE "unknown"
#endif

void image_spec_init(struct image_spec *s)
{
	*s = (struct image_spec){ .a = ARENA_INIT,
				  .architecture = SLICE(MACHINE),
				  .os = SLICE("linux"),
				  .compression = COMPRESS_ZSTD,
				  .layers = PLAN_LAYERS };
	s->config = json_node(&s->a, JSON_OBJECT);
	s->annotations = json_node(&s->a, JSON_OBJECT);
}

void image_spec_release(struct image_spec *s)
{
	arena_release(&s->a);
}

/* --- JSON --- */

static int count_members(struct slice text, const char *what, struct err *e)
{
	struct buf scratch = BUF_INIT;
	struct json_reader *r = xmalloc(sizeof *r);
	enum json_event ev;
	size_t n = 0;
	int rc = 0;

	json_reader_init(r, text.p, text.n, &scratch, e);
	while (!rc && (ev = json_next(r)) != JSON_END)
		if (ev == JSON_ERROR)
			rc = ERR_INVALID;
		else if (ev == JSON_KEY && ++n > LIMIT_MEMBERS)
			rc = err_set(e, ERR_LIMIT, "more than %d members", LIMIT_MEMBERS);
	if (rc)
		err_prefix(e, "%s is not what it should be", what);
	buf_release(&scratch);
	free(r);
	return rc;
}

int image_json(struct arena *a, struct slice text, const char *what, struct jnode **out, struct err *e)
{
	int rc = count_members(text, what, e);

	rc = rc ? rc : json_tree_parse(a, text, out, e);
	if (!rc && (*out)->kind != JSON_OBJECT)
		rc = err_set(e, ERR_INVALID, "%s is not a JSON object", what);
	return rc;
}

struct slice image_text(const struct jnode *o, const char *name)
{
	const struct jnode *m = json_member(o, slice_of(name));

	return m && m->kind == JSON_STRING ? m->str : (struct slice){ "", 0 };
}

/* --- its parts --- */

static int has(const struct jnode *o, const char *name)
{
	const struct jnode *m = json_member(o, slice_of(name));

	return m && m->kind != JSON_NULL;
}

static int bad(struct err *e, const char *name, const char *wanted)
{
	return err_set(e, ERR_INVALID, "'%s' of the image is not %s", name, wanted);
}

/* Words of platforms go into JSON and into names. */
static int take_word(const struct jnode *o, const char *name, struct slice *out, struct err *e)
{
	if (!has(o, name))
		return 0;
	*out = image_text(o, name);
	for (size_t i = 0; i < out->n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", out->p[i]))
			return bad(e, name, "a word");
	return out->n ? 0 : bad(e, name, "a word");
}

static int take_object(const struct jnode *o, const char *name, struct jnode **out, struct err *e)
{
	struct jnode *m = json_member(o, slice_of(name));

	if (!m || m->kind == JSON_NULL)
		return 0;
	*out = m;
	return m->kind == JSON_OBJECT ? 0 : bad(e, name, "a set");
}

static int take_path(struct slice text, const char *name, struct slice dir, struct store_path *out, struct err *e)
{
	return store_path_parse(dir, text, out, NULL) ? bad(e, name, "an object of the store") : 0;
}

static int take_form(struct image_spec *s, const struct jnode *o, struct err *e)
{
	struct slice form = image_text(o, "form"), how = image_text(o, "compression");
	const struct jnode *layers = json_member(o, SLICE("layers"));

	if (slice_eq(form, SLICE("tools")))
		s->form = FORM_TOOLS;
	else if (has(o, "form") && !slice_eq(form, SLICE("runnable")))
		return bad(e, "form", "\"runnable\" or \"tools\"");
	if (slice_eq(how, SLICE("gzip")))
		s->compression = COMPRESS_GZIP;
	else if (has(o, "compression") && !slice_eq(how, SLICE("zstd")))
		return bad(e, "compression", "\"zstd\" or \"gzip\"");
	if (layers && layers->kind != JSON_NULL) {
		if (layers->kind != JSON_INT || layers->i < 1 || layers->i > PLAN_MOST)
			return bad(e, "layers", "a number from 1 to 120");
		s->layers = (size_t)layers->i;
	}
	return 0;
}

/* A path below the root: names with slashes between, none of them "." or "..". */
static int is_below(struct slice p)
{
	for (size_t i = 0, at = 0; i <= p.n; i++)
		if (i == p.n || p.p[i] == '/') {
			struct slice name = { p.p + at, i - at };

			if (!name.n || slice_eq(name, SLICE(".")) || slice_eq(name, SLICE("..")) ||
			    slice_starts(name, SLICE(".wh.")) || memchr(name.p, 0, name.n))
				return 0;
			at = i + 1;
		}
	return 1;
}

static int take_folder(const struct jnode *o, struct layer_folder *f, struct err *e)
{
	const struct jnode *uid = json_member(o, SLICE("uid")), *gid = json_member(o, SLICE("gid"));
	struct slice mode = image_text(o, "mode");
	char *end;

	f->path = image_text(o, "path");
	while (f->path.n && *f->path.p == '/')
		f->path.p++, f->path.n--;
	if (!is_below(f->path))
		return bad(e, "folders", "a list of paths below the root");
	f->mode = mode.n ? (unsigned)strtoul(mode.p, &end, 8) : 0755;
	if (mode.n && (*end || f->mode > 07777))
		return bad(e, "folders", "a list of folders whose modes are as \"0755\"");
	if ((uid && (uid->kind != JSON_INT || uid->i < 0 || uid->i > 2097151)) ||
	    (gid && (gid->kind != JSON_INT || gid->i < 0 || gid->i > 2097151)))
		return bad(e, "folders", "a list of folders whose owners are numbers");
	f->uid = uid ? (uint32_t)uid->i : 0;
	f->gid = gid ? (uint32_t)gid->i : 0;
	return 0;
}

static int take_folders(struct image_spec *s, const struct jnode *o, struct err *e)
{
	const struct jnode *list = json_member(o, SLICE("folders"));
	int rc = 0;

	if (!list || list->kind == JSON_NULL)
		return 0;
	if (list->kind != JSON_ARRAY)
		return bad(e, "folders", "a list");
	s->folders = arena_alloc(&s->a, LIMIT_FOLDERS * sizeof *s->folders);
	for (const struct jnode *f = list->first; !rc && f; f = f->next)
		rc = s->nfolders == LIMIT_FOLDERS ? bad(e, "folders", "a list of at most 1000")
						  : take_folder(f, &s->folders[s->nfolders++], e);
	return rc;
}

static int take_images(struct image_spec *s, struct slice dir, const struct jnode *o, struct err *e)
{
	const struct jnode *list = json_member(o, SLICE("images"));
	int rc = 0;

	if (!list || list->kind == JSON_NULL)
		return 0;
	if (list->kind != JSON_ARRAY || !list->first)
		return bad(e, "images", "a list of images");
	s->images = arena_alloc(&s->a, PLAN_MOST * sizeof *s->images);
	for (const struct jnode *m = list->first; !rc && m; m = m->next)
		rc = s->nimages == PLAN_MOST	? bad(e, "images", "a list of at most 120")
		     : m->kind != JSON_STRING ? bad(e, "images", "a list of images")
					      : take_path(m->str, "images", dir, &s->images[s->nimages++], e);
	return rc;
}

static int take_base(struct image_spec *s, struct slice dir, const struct jnode *o, struct err *e)
{
	struct slice base = image_text(o, "base");

	if (!has(o, "base"))
		return 0;
	if (base.n && *base.p == '/')
		return take_path(base, "base", dir, &s->base, e);
	if (!memmem(base.p, base.n, "@sha256:", 8))
		return bad(e, "base", "an image of gx or a reference with its digest, 'REGISTRY/REPOSITORY@sha256:…'");
	s->base_ref = base;
	return 0;
}

int image_spec_parse(struct image_spec *s, struct slice store_dir, struct slice text, struct err *e)
{
	struct jnode *o;
	int rc;

	image_spec_init(s);
	rc = image_json(&s->a, text, "the description of the image", &o, e);
	if (rc)
		return rc;
	const struct jnode *version = json_member(o, SLICE("gxImage"));

	if (!version || version->kind != JSON_INT || version->i != 1)
		return err_set(e, ERR_INVALID, "it is no description of an image that this gx knows");
	s->name = image_text(o, "name");
	s->tag = image_text(o, "tag");
	s->created = image_text(o, "created");
	rc = take_word(o, "architecture", &s->architecture, e);
	rc = rc ? rc : take_word(o, "os", &s->os, e);
	rc = rc ? rc : take_word(o, "variant", &s->variant, e);
	rc = rc ? rc : take_form(s, o, e);
	rc = rc ? rc : take_object(o, "config", &s->config, e);
	rc = rc ? rc : take_object(o, "annotations", &s->annotations, e);
	rc = rc ? rc : take_folders(s, o, e);
	rc = rc ? rc : take_images(s, store_dir, o, e);
	rc = rc ? rc : take_base(s, store_dir, o, e);
	if (!rc && has(o, "root"))
		rc = take_path(image_text(o, "root"), "root", store_dir, &s->root, e);
	if (!rc && has(o, "shell"))
		rc = take_path(image_text(o, "shell"), "shell", store_dir, &s->shell, e);
	return rc;
}
