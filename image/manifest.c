/* SPDX-License-Identifier: MIT
 *
 * Docker's older media types are taken for those of OCI that they became: the bytes are the same.
 */
#include "config.h"
#include "image/manifest.h"
#include "base/alloc.h"
#include "image/spec.h"

#include <stdlib.h>
#include <string.h>

static int bad(struct err *e, const char *why)
{
	return err_set(e, ERR_INVALID, "the manifest makes no sense: %s", why);
}

int manifest_digest(struct slice text, struct hash *out)
{
	return !slice_starts(text, SLICE("sha256:")) || text.n != 71 || hash_parse_bare(text.p + 7, 64, HASH_SHA256, out, NULL);
}

static int take_descriptor(const struct jnode *o, struct descriptor *d, struct err *e)
{
	const struct jnode *size = json_member(o, SLICE("size")), *urls = json_member(o, SLICE("urls")),
			   *platform = json_member(o, SLICE("platform"));

	if (!o || o->kind != JSON_OBJECT)
		return bad(e, "a descriptor is missing");
	d->media_type = image_text(o, "mediaType");
	if (!d->media_type.n || d->media_type.n > 255)
		return bad(e, "a descriptor has no media type");
	if (manifest_digest(image_text(o, "digest"), &d->digest))
		return bad(e, "a digest is none of SHA-256");
	if (!size || size->kind != JSON_INT || size->i < 0)
		return bad(e, "a size is none");
	if (urls && urls->kind == JSON_ARRAY && urls->first)
		return bad(e, "a layer lies elsewhere");
	d->size = (uint64_t)size->i;
	d->os = image_text(platform, "os");
	d->architecture = image_text(platform, "architecture");
	d->variant = image_text(platform, "variant");
	return 0;
}

int manifest_parse(struct arena *a, struct slice text, struct manifest *out, struct err *e)
{
	const struct jnode *list, *version;
	struct jnode *o;
	size_t n = 0;
	int rc = image_json(a, text, "the manifest", &o, e);

	*out = (struct manifest){ .n = 0 };
	if (rc)
		return rc;
	version = json_member(o, SLICE("schemaVersion"));
	if (!version || version->kind != JSON_INT || version->i != 2)
		return bad(e, "it is of another version");
	list = json_member(o, SLICE("manifests"));
	out->is_index = list != NULL;
	if (list && json_member(o, SLICE("layers")))
		return bad(e, "it is an index and an image at once");
	list = list ? list : json_member(o, SLICE("layers"));
	if (!list || list->kind != JSON_ARRAY)
		return bad(e, "it lists nothing");
	rc = out->is_index ? 0 : take_descriptor(json_member(o, SLICE("config")), &out->config, e);
	for (const struct jnode *m = list->first; m; m = m->next)
		n++;
	if (!rc && n > LIMIT_DESCRIPTORS)
		rc = err_set(e, ERR_LIMIT, "the manifest lists more than %d", LIMIT_DESCRIPTORS);
	out->v = rc ? NULL : arena_alloc(a, n * sizeof *out->v);
	for (const struct jnode *m = list->first; !rc && m; m = m->next)
		rc = take_descriptor(m, &out->v[out->n++], e);
	return rc;
}

/* --- layers --- */

/* The media type that a layer has in our manifest; NULL for one that is none. */
static const char *layer_type(struct slice type)
{
	static const char *const same[] = { "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
					    "application/vnd.oci.image.layer.v1.tar+zstd" };

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (slice_eq(type, slice_of(same[i])))
			return same[i];
	return slice_eq(type, SLICE("application/vnd.docker.image.rootfs.diff.tar.gzip")) ? same[1]
	       : slice_eq(type, SLICE("application/vnd.docker.image.rootfs.diff.tar"))	  ? same[0]
											  : NULL;
}

static int take_layer(const struct descriptor *d, const struct jnode *id, const char *from, struct layer *l, struct err *e)
{
	const char *type = layer_type(d->media_type);

	if (!type)
		return err_set(e, ERR_INVALID, "a layer of the base is of a kind that cannot be copied: '%.*s'",
			       (int)d->media_type.n, d->media_type.p);
	*l = (struct layer){ .kind = LAYER_FOREIGN, .known = 1, .digest = d->digest, .size = d->size };
	if (!id || id->kind != JSON_STRING || manifest_digest(id->str, &l->diff_id))
		return bad(e, "its configuration lists other layers");
	l->media_type = xstrdup(type);
	l->from = xstrdup(from);
	return 0;
}

int manifest_layers(const struct manifest *m, struct slice config, const char *from, struct layer **out, struct err *e)
{
	struct arena a = ARENA_INIT;
	const struct jnode *ids, *id;
	struct jnode *o;
	int rc = image_json(&a, config, "the configuration of the base", &o, e);

	*out = xcalloc(m->n + 1, sizeof **out);
	ids = rc ? NULL : json_member(json_member(o, SLICE("rootfs")), SLICE("diff_ids"));
	id = ids && ids->kind == JSON_ARRAY ? ids->first : NULL;
	for (size_t k = 0; !rc && k < m->n; k++) {
		rc = take_layer(&m->v[k], id, from, &(*out)[k], e);
		id = id ? id->next : NULL;
	}
	if (!rc && id)
		rc = bad(e, "its configuration lists other layers");
	for (size_t k = 0; rc && k < m->n; k++)
		layer_release(&(*out)[k]);
	if (rc) {
		free(*out);
		*out = NULL;
	}
	arena_release(&a);
	return rc;
}

const struct descriptor *manifest_choose(const struct manifest *index, struct slice os, struct slice architecture,
					 struct slice variant)
{
	const struct descriptor *best = NULL;

	for (size_t k = 0; k < index->n; k++) {
		const struct descriptor *d = &index->v[k];

		if (!slice_eq(d->os, os) || !slice_eq(d->architecture, architecture))
			continue;
		if (slice_eq(d->variant, variant))
			return d;
		if (!best && !variant.n)
			best = d;
	}
	return best;
}
