/* SPDX-License-Identifier: MIT
 *
 * Only what is small is read: manifests and configurations, each compared with the digest it is named by; no layer.
 */
#include "config.h"
#include "image/look.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "image/manifest.h"
#include "image/pull.h"
#include "image/spec.h"
#include "image/tar_read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REF_NAME "org.opencontainers.image.ref.name"

static const char *const schemes[] = { "docker://", "oci:", "oci-archive:", "docker-archive:" };
enum { REGISTRY, FOLDER, ARCHIVE, DOCKER_ARCHIVE, NPLACES };

/* Where blobs come from. */
struct look {
	int kind;
	struct registry registry;
	int fd; /* a folder or file; -1 */
	char *path, *name; /* of a folder or file, and of what is in it; name may be NULL */
	int json;
	struct buf *out;
};

static int kind_of(const char *text)
{
	int k = 0;

	while (k < NPLACES && strncmp(text, schemes[k], strlen(schemes[k])))
		k++;
	return k;
}

int look_is_place(const char *text)
{
	return kind_of(text) < NPLACES;
}

/* --- blobs --- */

/* What a tag means nobody knows beforehand; but the registry says what it gives. */
static int agrees(const struct buf *bytes, struct slice said, struct err *e)
{
	struct buf seen = BUF_INIT;
	struct hash digest;
	int rc = 0;

	hash_bytes(HASH_SHA256, bytes->len ? bytes->p : "", bytes->len, &digest);
	hash_add(&seen, &digest, HASH_BASE16, 1);
	if (slice_starts(said, SLICE("sha256:")) && !slice_eq(said, (struct slice){ seen.p, seen.len }))
		rc = err_set(e, ERR_HASH, "the registry gave another manifest than it says");
	buf_release(&seen);
	return rc;
}

static int from_registry(struct look *l, const char *what, const char *name, struct buf *out, struct err *e)
{
	struct buf heads = BUF_INIT;
	int rc = pull_named(&l->registry, what, name, out, &heads, e);

	if (!rc && !strcmp(what, "manifests"))
		rc = agrees(out, head_value(&heads, "Docker-Content-Digest"), e);
	buf_release(&heads);
	return rc;
}

static int from_file(struct look *l, const char *name, struct buf *out, struct err *e)
{
	struct stat st;
	int fd, rc = 0;

	if (l->kind != FOLDER)
		return tar_get(l->fd, name, LIMIT_MANIFEST, out, e);
	fd = openat(l->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "cannot open '%s' in it", name);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > LIMIT_MANIFEST)
		rc = err_set(e, ERR_LIMIT, "'%s' in it is no file, or too large", name);
	else if (fd_read_all(fd, out))
		rc = err_errno(e, "cannot read '%s' in it", name);
	close(fd);
	return rc;
}

static int get(struct look *l, const char *what, const struct hash *digest, struct buf *out, struct err *e)
{
	struct hash seen;
	struct buf name = BUF_INIT;
	int rc;

	if (l->kind == REGISTRY) {
		hash_add(&name, digest, HASH_BASE16, 1);
		rc = from_registry(l, what, name.p, out, e);
	} else {
		buf_adds(&name, "blobs/sha256/");
		hash_add(&name, digest, HASH_BASE16, 0);
		rc = from_file(l, name.p, out, e);
	}
	hash_bytes(HASH_SHA256, buf_str(out), out->len, &seen);
	if (!rc && !hash_eq(&seen, digest))
		rc = err_set(e, ERR_HASH, "'%s' has another digest than it is named by", name.p);
	buf_release(&name);
	return rc;
}

/* --- what is printed --- */

static void add_text(struct buf *b, const char *name, struct slice text)
{
	if (text.n) {
		buf_addf(b, ",\"%s\":", name);
		json_add_string(b, text.p, text.n);
	}
}

static void add_digest(struct buf *b, const struct hash *digest)
{
	buf_adds(b, "\"digest\":\"");
	hash_add(b, digest, HASH_BASE16, 1);
	buf_addc(b, '"');
}

static void add_layers(struct buf *b, const struct manifest *m, const struct jnode *config)
{
	const struct jnode *ids = json_member(json_member(config, SLICE("rootfs")), SLICE("diff_ids")),
			   *id = ids && ids->kind == JSON_ARRAY ? ids->first : NULL;

	buf_adds(b, ",\"layers\":[");
	for (size_t k = 0; k < m->n; k++) {
		buf_adds(b, k ? ",{" : "{");
		add_digest(b, &m->v[k].digest);
		if (id && id->kind == JSON_STRING)
			add_text(b, "diffId", id->str);
		buf_addf(b, ",\"size\":%llu", (unsigned long long)m->v[k].size);
		add_text(b, "mediaType", m->v[k].media_type);
		buf_addc(b, '}');
		id = id ? id->next : NULL;
	}
	buf_addc(b, ']');
}

static int add_manifest(struct look *l, const struct descriptor *d, const struct buf *text, int in_index, struct err *e);

/* The images of an index, one a platform. */
static int add_parts(struct look *l, const struct manifest *m, struct err *e)
{
	int rc = 0;

	buf_adds(l->out, ",\"images\":[");
	for (size_t k = 0; !rc && k < m->n; k++) {
		struct buf text = BUF_INIT;

		buf_adds(l->out, k ? "," : "");
		rc = get(l, "manifests", &m->v[k].digest, &text, e);
		rc = rc ? rc : add_manifest(l, &m->v[k], &text, 1, e);
		buf_release(&text);
	}
	buf_addc(l->out, ']');
	return rc;
}

static int add_image(struct look *l, struct arena *a, const struct manifest *m, struct err *e)
{
	struct buf text = BUF_INIT;
	struct jnode *config;
	int rc = get(l, "blobs", &m->config.digest, &text, e);

	rc = rc ? rc : image_json(a, (struct slice){ buf_str(&text), text.len }, "the configuration", &config, e);
	if (!rc) {
		buf_adds(l->out, ",\"config\":");
		json_tree_write(l->out, config);
		add_layers(l->out, m, config);
	}
	buf_release(&text);
	return rc;
}

/* d: what names it; of an index the platform as well. */
static int add_manifest(struct look *l, const struct descriptor *d, const struct buf *text, int in_index, struct err *e)
{
	struct slice bytes = { text->len ? text->p : "", text->len };
	struct arena a = ARENA_INIT;
	struct manifest m = { .n = 0 };
	struct jnode *tree;
	int rc = manifest_parse(&a, bytes, &m, e);

	rc = rc ? rc : image_json(&a, bytes, "the manifest", &tree, e);
	if (!rc && m.is_index && in_index)
		rc = err_set(e, ERR_INVALID, "its index lists an index");
	if (!rc) {
		buf_addc(l->out, '{');
		add_digest(l->out, &d->digest);
		add_text(l->out, "mediaType", image_text(tree, "mediaType"));
		add_text(l->out, "os", d->os);
		add_text(l->out, "architecture", d->architecture);
		add_text(l->out, "variant", d->variant);
		buf_adds(l->out, ",\"manifest\":");
		json_tree_write(l->out, tree);
		rc = m.is_index ? add_parts(l, &m, e) : add_image(l, &a, &m, e);
		buf_addc(l->out, '}');
	}
	arena_release(&a);
	return rc;
}

static int add_found(struct look *l, const struct hash *digest, const struct buf *text, struct err *e)
{
	const struct descriptor d = { .digest = *digest };

	if (l->json)
		return add_manifest(l, &d, text, 0, e);
	hash_add(l->out, digest, HASH_BASE16, 1);
	return 0;
}

/* --- where it begins --- */

static int look_registry(struct look *l, const char *ref, int plain_http, struct err *e)
{
	struct buf text = BUF_INIT;
	struct reference r;
	struct hash seen;
	int rc = reference_parse(&r, slice_of(ref), e);

	rc = rc ? rc : registry_open(&l->registry, &r, 0, plain_http, e);
	if (!rc && r.has_digest)
		rc = get(l, "manifests", &r.digest, &text, e);
	else if (!rc)
		rc = from_registry(l, "manifests", r.tag ? r.tag : "latest", &text, e);
	hash_bytes(HASH_SHA256, buf_str(&text), text.len, &seen);
	rc = rc ? rc : add_found(l, &seen, &text, e);
	registry_release(&l->registry);
	reference_release(&r);
	buf_release(&text);
	return rc;
}

/* What index.json has by the name, or the one it has. */
static const struct jnode *choose(const struct look *l, const struct jnode *index, size_t *n)
{
	const struct jnode *list = json_member(index, SLICE("manifests")), *found = NULL;

	*n = 0;
	for (const struct jnode *m = list && list->kind == JSON_ARRAY ? list->first : NULL; m; m = m->next) {
		struct slice name = image_text(json_member(m, SLICE("annotations")), REF_NAME);

		/* What is said about an image has a type of its own, and is no image. */
		if (l->name ? !slice_eq(name, slice_of(l->name)) : image_text(m, "artifactType").n > 0)
			continue;
		found = m;
		++*n;
	}
	return found;
}

static int look_layout(struct look *l, struct err *e)
{
	struct buf index = BUF_INIT, text = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct hash digest;
	const struct jnode *d;
	struct jnode *o;
	size_t n = 0;
	int rc = from_file(l, "index.json", &index, e);

	rc = rc ? rc : image_json(&a, (struct slice){ buf_str(&index), index.len }, "'index.json'", &o, e);
	d = rc ? NULL : choose(l, o, &n);
	if (!rc && l->name && !d)
		rc = err_set(e, ERR_NOTFOUND, "there is no '%s' in it", l->name);
	else if (!rc && n != 1)
		rc = err_set(e, ERR_INVALID, n ? "%zu images are in it: ':NAME' behind it says which" : "no image is in it", n);
	if (!rc && manifest_digest(image_text(d, "digest"), &digest))
		rc = err_set(e, ERR_INVALID, "a digest in 'index.json' is none of SHA-256");
	rc = rc ? rc : get(l, "manifests", &digest, &text, e);
	rc = rc ? rc : add_found(l, &digest, &text, e);
	buf_release(&index);
	buf_release(&text);
	arena_release(&a);
	return rc;
}

/* What docker wrote has no manifest of an image: files of it are named in a list. */
static int look_docker(struct look *l, struct err *e)
{
	struct buf list = BUF_INIT, config = BUF_INIT, wrapped = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct jnode *o, *c = NULL;
	const struct jnode *first = NULL;
	int rc = from_file(l, "manifest.json", &list, e);

	/* A list by itself is no object. */
	buf_addf(&wrapped, "{\"images\":%s}", buf_str(&list));
	rc = rc ? rc : image_json(&a, (struct slice){ wrapped.p, wrapped.len }, "'manifest.json'", &o, e);
	if (!rc) {
		const struct jnode *images = json_member(o, SLICE("images"));

		first = images && images->kind == JSON_ARRAY ? images->first : NULL;
		if (!first || !image_text(first, "Config").n)
			rc = err_set(e, ERR_INVALID, "no image is in it");
	}
	if (!rc) {
		char *name = xstrndup(image_text(first, "Config").p, image_text(first, "Config").n);

		rc = from_file(l, name, &config, e);
		free(name);
	}
	rc = rc ? rc : image_json(&a, (struct slice){ buf_str(&config), config.len }, "the configuration", &c, e);
	if (!rc && !l->json)
		rc = err_set(e, ERR_INVALID, "what docker saves has no digest until it is pushed");
	if (!rc) {
		buf_adds(l->out, "{\"manifest\":");
		json_tree_write(l->out, first);
		buf_adds(l->out, ",\"config\":");
		json_tree_write(l->out, c);
		buf_addc(l->out, '}');
	}
	buf_release(&list);
	buf_release(&config);
	buf_release(&wrapped);
	arena_release(&a);
	return rc;
}

static int open_path(struct look *l, const char *rest, struct err *e)
{
	size_t n = strcspn(rest, ":");

	l->path = xstrndup(rest, n);
	l->name = rest[n] && rest[n + 1] ? xstrdup(rest + n + 1) : NULL;
	l->fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (l->kind == FOLDER ? O_DIRECTORY : 0));
	return l->fd < 0 ? err_errno(e, "cannot open '%s'", l->path) : 0;
}

int look_at(const char *place, int plain_http, int json, struct buf *out, struct err *e)
{
	struct look l = { .kind = kind_of(place), .fd = -1, .json = json, .out = out };
	const char *rest = l.kind < NPLACES ? place + strlen(schemes[l.kind]) : "";
	size_t before = out->len;
	int rc;

	if (!*rest)
		return err_set(e, ERR_INVALID, "'%s' names no image", place);
	if (l.kind == REGISTRY) {
		rc = look_registry(&l, rest, plain_http, e);
	} else {
		rc = open_path(&l, rest, e);
		rc = rc ? rc : l.kind == DOCKER_ARCHIVE ? look_docker(&l, e) : look_layout(&l, e);
	}
	if (rc && (l.kind == REGISTRY || l.fd >= 0))
		err_prefix(e, "'%s'", place);
	if (rc)
		buf_trim(out, before);
	if (l.fd >= 0)
		close(l.fd);
	free(l.path);
	free(l.name);
	return rc;
}
