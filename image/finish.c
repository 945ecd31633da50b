/* SPDX-License-Identifier: MIT
 *
 * Configuration and manifest, as text (OCI image specification 1.1).  Members of objects are in byte order, nothing is between
 * them, and no time is told unless the description has one: the same image is the same bytes.
 */
#include "config.h"
#include "image/image.h"
#include "base/alloc.h"

#include <string.h>

void image_set(struct arena *a, struct jnode *o, const char *name, struct slice text)
{
	json_set(o, slice_of(name), json_string(a, text));
}

void image_set_int(struct arena *a, struct jnode *o, const char *name, uint64_t n)
{
	json_set(o, slice_of(name), json_int(a, (int64_t)n));
}

static void set_hash(struct arena *a, struct jnode *o, const char *name, const struct hash *h)
{
	char text[HASH_TEXT_MAX];

	image_set(a, o, name, (struct slice){ text, hash_print(h, HASH_BASE16, 1, text) });
}

struct jnode *image_descriptor(struct arena *a, const char *media_type, const struct hash *digest, uint64_t size)
{
	struct jnode *d = json_node(a, JSON_OBJECT);

	image_set(a, d, "mediaType", slice_of(media_type));
	set_hash(a, d, "digest", digest);
	image_set_int(a, d, "size", size);
	return d;
}

void image_add_platform(struct buf *b, const struct image_spec *s)
{
	buf_addf(b, "%.*s/%.*s%s%.*s", (int)s->os.n, s->os.p, (int)s->architecture.n, s->architecture.p, s->variant.n ? "/" : "",
		 (int)s->variant.n, s->variant.n ? s->variant.p : "");
}

static void set_platform(struct arena *a, struct jnode *o, const struct image_spec *s)
{
	image_set(a, o, "architecture", s->architecture);
	image_set(a, o, "os", s->os);
	if (s->variant.n)
		image_set(a, o, "variant", s->variant);
}

static struct jnode *copy(struct arena *a, const struct jnode *n);

/* Nodes have one place each, so what is taken over is copied.  Depth is bounded by the reader. */
static void copy_members(struct arena *a, struct jnode *to, const struct jnode *from)
{
	struct jnode *last = NULL;

	for (const struct jnode *m = from->first; m; m = m->next)
		if (from->kind == JSON_OBJECT)
			json_set(to, m->key, copy(a, m));
		else
			json_append(to, &last, copy(a, m));
}

static struct jnode *copy(struct arena *a, const struct jnode *n)
{
	struct jnode *c = json_node(a, n->kind);

	*c = (struct jnode){ .kind = n->kind, .str = n->str, .i = n->i, .u = n->u, .d = n->d };
	copy_members(a, c, n);
	return c;
}

/* --- a base's configuration under ours --- */

static struct slice variable(const struct jnode *n)
{
	const char *eq = n->kind == JSON_STRING ? memchr(n->str.p, '=', n->str.n) : NULL;

	return eq ? (struct slice){ n->str.p, (size_t)(eq - n->str.p) } : n->str;
}

/* The base's variables, but those that we set, and then ours. */
static void merge_env(struct arena *a, struct jnode *config, const struct jnode *base)
{
	struct jnode *ours = json_member(config, SLICE("Env")), *all = json_node(a, JSON_ARRAY), *last = NULL;

	for (const struct jnode *b = base->first; b; b = b->next) {
		int set = 0;

		for (const struct jnode *o = ours ? ours->first : NULL; o; o = o->next)
			set |= slice_eq(variable(o), variable(b));
		if (!set)
			json_append(all, &last, copy(a, b));
	}
	for (const struct jnode *o = ours ? ours->first : NULL; o; o = o->next)
		json_append(all, &last, copy(a, o));
	json_set(config, SLICE("Env"), all);
}

static void inherit(struct arena *a, struct jnode *config, const struct jnode *base)
{
	int own_entry = json_member(config, SLICE("Entrypoint")) != NULL;

	for (const struct jnode *m = base->first; m; m = m->next) {
		if (slice_eq(m->key, SLICE("Env")) && m->kind == JSON_ARRAY)
			merge_env(a, config, m);
		/* Arguments are for the program they were written for. */
		else if (!json_member(config, m->key) && !(own_entry && slice_eq(m->key, SLICE("Cmd"))))
			json_set(config, m->key, copy(a, m));
	}
}

/* --- text --- */

static void write_down(struct buf *b, const struct jnode *o, struct hash *digest)
{
	buf_trim(b, 0);
	json_tree_write(b, o);
	hash_bytes(HASH_SHA256, b->p, b->len, digest);
}

static int make_config(struct image *i, struct err *e)
{
	struct arena *a = &i->spec.a;
	struct jnode *o = json_node(a, JSON_OBJECT), *rootfs = json_node(a, JSON_OBJECT), *ids = json_node(a, JSON_ARRAY),
		     *last = NULL;
	struct jnode *config = copy(a, i->spec.config), *base = NULL;
	char text[HASH_TEXT_MAX];

	if (i->base_config.len) {
		int rc =
			image_json(a, (struct slice){ i->base_config.p, i->base_config.len }, "the base's configuration", &base, e);

		if (rc)
			return rc;
		base = json_member(base, SLICE("config"));
		if (base && base->kind == JSON_OBJECT)
			inherit(a, config, base);
	}
	set_platform(a, o, &i->spec);
	if (i->spec.created.n)
		image_set(a, o, "created", i->spec.created);
	json_set(o, SLICE("config"), config);
	for (size_t k = 0; k < i->n; k++)
		json_append(ids, &last,
			    json_string(a, (struct slice){ text, hash_print(&i->layers[k].diff_id, HASH_BASE16, 1, text) }));
	image_set(a, rootfs, "type", SLICE("layers"));
	json_set(rootfs, SLICE("diff_ids"), ids);
	json_set(o, SLICE("rootfs"), rootfs);
	write_down(&i->config, o, &i->config_digest);
	return 0;
}

/* What was said of the image, and where it is from. */
static struct jnode *annotations(struct image *i, const struct image_request *r)
{
	struct arena *a = &i->spec.a;
	struct jnode *o = copy(a, i->spec.annotations);
	const struct {
		const char *name;
		struct slice value;
	} more[] = { { "org.opencontainers.image.title", i->spec.name },
		     { "org.opencontainers.image.revision", r->revision },
		     { "org.opencontainers.image.base.name", i->spec.base_ref },
		     { "dev.gx.flake", r->flake } };

	for (size_t k = 0; k < sizeof more / sizeof *more; k++)
		if (more[k].value.n && !json_member(o, slice_of(more[k].name)))
			image_set(a, o, more[k].name, more[k].value);
	if (!i->nparts)
		set_hash(a, o, "dev.gx.closure", &i->closure);
	return o;
}

static struct jnode *make_manifest(struct image *i)
{
	struct arena *a = &i->spec.a;
	struct jnode *o = json_node(a, JSON_OBJECT), *list = json_node(a, JSON_ARRAY), *last = NULL;

	json_set(o, SLICE("config"), image_descriptor(a, MEDIA_CONFIG, &i->config_digest, i->config.len));
	for (size_t k = 0; k < i->n; k++) {
		const struct layer *l = &i->layers[k];

		json_append(list, &last, image_descriptor(a, layer_media_type(l), &l->digest, l->size));
	}
	json_set(o, SLICE("layers"), list);
	return o;
}

static struct jnode *make_index(struct image *i)
{
	struct arena *a = &i->spec.a;
	struct jnode *o = json_node(a, JSON_OBJECT), *list = json_node(a, JSON_ARRAY), *last = NULL;

	for (size_t k = 0; k < i->nparts; k++) {
		const struct image *p = i->parts[k];
		struct jnode *d = image_descriptor(a, MEDIA_MANIFEST, &p->digest, p->manifest.len),
			     *platform = json_node(a, JSON_OBJECT);

		set_platform(a, platform, &p->spec);
		json_set(d, SLICE("platform"), platform);
		json_append(list, &last, d);
	}
	json_set(o, SLICE("manifests"), list);
	return o;
}

int image_finish(struct image *i, const struct image_request *r, struct err *e)
{
	struct arena *a = &i->spec.a;
	int rc = 0;

	for (size_t k = 0; !rc && k < i->nparts; k++)
		rc = image_finish(i->parts[k], r, e);
	rc = rc || i->nparts ? rc : make_config(i, e);
	if (rc)
		return rc;
	struct jnode *o = i->nparts ? make_index(i) : make_manifest(i), *notes = annotations(i, r);

	image_set_int(a, o, "schemaVersion", 2);
	image_set(a, o, "mediaType", slice_of(image_media_type(i)));
	if (notes->first)
		json_set(o, SLICE("annotations"), notes);
	write_down(&i->manifest, o, &i->digest);
	return 0;
}
