/* SPDX-License-Identifier: MIT
 *
 * Both kinds of bills are made of the same parts: objects of the store, each with the modules that its programs say they were built
 * from.  What was found in an object is remembered by its path and hash, so that it is looked through once.
 */
#include "config.h"
#include "image/about.h"
#include "base/alloc.h"
#include "image/gobuild.h"

#include <stdlib.h>
#include <string.h>

/* SPDX wants a time; a document that follows from its contents has none. */
#define NO_TIME "1970-01-01T00:00:01Z"

const char *about_media_type(enum about_kind k)
{
	static const char *const types[] = { MEDIA_SPDX, MEDIA_CYCLONEDX, MEDIA_IN_TOTO };

	return types[k];
}

/* --- what there is --- */

/* "hello-2.12": where a dash is followed by a digit. */
static void split_name(struct slice text, struct slice *name, struct slice *version)
{
	*name = text;
	*version = (struct slice){ "", 0 };
	for (size_t i = 0; i + 1 < text.n; i++)
		if (text.p[i] == '-' && text.p[i + 1] >= '0' && text.p[i + 1] <= '9') {
			name->n = i;
			*version = (struct slice){ text.p + i + 1, text.n - i - 1 };
			return;
		}
}

/* A document that is being made. */
struct bill {
	struct arena *a;
	enum about_kind kind;
	struct jnode *list, *last;	     /* packages or components */
	struct jnode *relations, *last_relation;
	struct buf seen; /* modules, by line */
	struct image *image;
	const struct image_request *r;
};

static struct jnode *object(struct bill *b)
{
	return json_node(b->a, JSON_OBJECT);
}

static void set_text(struct bill *b, struct jnode *o, const char *name, const char *text)
{
	image_set(b->a, o, name, slice_of(text));
}

/* An identifier out of any text: letters, digits, '.', '-'. */
static void add_id(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';

		buf_addc(out, plain ? c : '-');
	}
}

static void relate(struct bill *b, const char *from, const char *how, const char *to)
{
	struct jnode *o = object(b);

	if (b->kind != ABOUT_SPDX)
		return;
	set_text(b, o, "spdxElementId", from);
	set_text(b, o, "relationshipType", how);
	set_text(b, o, "relatedSpdxElement", to);
	json_append(b->relations, &b->last_relation, o);
}

/* An entry of either kind.  hash: hexadecimal; n 0 for none. */
static void add_part(struct bill *b, const char *id, struct slice name, struct slice version, const char *purl, struct slice hash)
{
	struct jnode *o = object(b), *sums = json_node(b->a, JSON_ARRAY), *sum = object(b), *ref = object(b),
		     *refs = json_node(b->a, JSON_ARRAY), *last = NULL;
	const int spdx = b->kind == ABOUT_SPDX;

	set_text(b, o, spdx ? "SPDXID" : "bom-ref", id);
	image_set(b->a, o, "name", name);
	if (version.n)
		image_set(b->a, o, spdx ? "versionInfo" : "version", version);
	if (hash.n) {
		set_text(b, sum, spdx ? "algorithm" : "alg", spdx ? "SHA256" : "SHA-256");
		image_set(b->a, sum, spdx ? "checksumValue" : "content", hash);
		json_append(sums, &last, sum);
		json_set(o, spdx ? SLICE("checksums") : SLICE("hashes"), sums);
	}
	last = NULL;
	if (spdx) {
		set_text(b, o, "downloadLocation", "NOASSERTION");
		json_set(o, SLICE("filesAnalyzed"), json_node(b->a, JSON_FALSE));
		set_text(b, ref, "referenceCategory", "PACKAGE-MANAGER");
		set_text(b, ref, "referenceType", "purl");
		set_text(b, ref, "referenceLocator", purl);
		json_append(refs, &last, ref);
		json_set(o, SLICE("externalRefs"), refs);
	} else {
		set_text(b, o, "type", "library");
		set_text(b, o, "purl", purl);
	}
	json_append(b->list, &b->last, o);
}

static void module_id(struct buf *id, struct slice path, struct slice version)
{
	buf_adds(id, "SPDXRef-go-");
	add_id(id, path);
	buf_addc(id, '-');
	add_id(id, version);
}

/* "PATH VERSION H1": once in the document, and once as a part of the object. */
static void add_module(struct bill *b, struct slice line, const char *object_id)
{
	const char *blank = memchr(line.p, ' ', line.n),
		   *second = blank ? memchr(blank + 1, ' ', (size_t)(line.p + line.n - blank) - 1) : NULL;
	struct buf id = BUF_INIT, purl = BUF_INIT;

	if (second) {
		struct slice path = { line.p, (size_t)(blank - line.p) }, version = { blank + 1, (size_t)(second - blank) - 1 };

		module_id(&id, path, version);
		buf_addf(&purl, "pkg:golang/%.*s@%.*s", (int)path.n, path.p, (int)version.n, version.p);
		if (slice_eq(path, SLICE("go"))) {
			buf_trim(&purl, 0);
			buf_addf(&purl, "pkg:golang/stdlib@%.*s", (int)version.n, version.p);
		}
		if (gobuild_add_line(&b->seen, (struct slice){ line.p, line.n + 1 }))
			add_part(b, id.p, path, version, purl.p, (struct slice){ "", 0 });
		relate(b, object_id, "CONTAINS", id.p);
	}
	buf_release(&id);
	buf_release(&purl);
}

static int add_object(struct bill *b, const struct store_path *p, struct err *e)
{
	struct path_info info = { .nar_size = 0 };
	struct buf id = BUF_INIT, purl = BUF_INIT, modules = BUF_INIT;
	struct slice name, version;
	char hash[HASH_TEXT_MAX];
	int rc = db_info(store_db(b->r->store), p, &info, e);

	rc = rc ? rc : image_recall(b->r, &info, "go modules 2", gobuild_modules, &modules, e);
	if (!rc) {
		split_name(store_path_name(p), &name, &version);
		buf_adds(&id, "SPDXRef-");
		add_id(&id, store_path_base(p));
		buf_addf(&purl, "pkg:nix/%.*s%s%.*s?output=%.*s", (int)name.n, name.p, version.n ? "@" : "", (int)version.n,
			 version.p, STORE_HASH_LEN, p->base);
		hash_print(&info.nar_hash, HASH_BASE16, 0, hash);
		add_part(b, id.p, name, version, purl.p, slice_of(hash));
		relate(b, "SPDXRef-image", "CONTAINS", id.p);
		for (const char *l = buf_str(&modules), *eol; (eol = strchr(l, '\n')); l = eol + 1)
			add_module(b, (struct slice){ l, (size_t)(eol - l) }, id.p);
	}
	path_info_release(&info);
	buf_release(&id);
	buf_release(&purl);
	buf_release(&modules);
	return rc;
}

static int add_objects(struct bill *b, const struct image *i, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; !rc && k < i->objects.n; k++)
		rc = add_object(b, &i->objects.v[k], e);
	for (size_t k = 0; !rc && k < i->nparts; k++)
		rc = add_objects(b, i->parts[k], e);
	return rc;
}

/* --- documents --- */

static struct slice name_of(const struct image *i)
{
	return i->spec.name.n ? i->spec.name : SLICE("image");
}

static void finish_spdx(struct bill *b, struct jnode *o, const char *digest)
{
	struct jnode *creation = object(b), *creators = json_node(b->a, JSON_ARRAY), *last = NULL;
	struct buf space = BUF_INIT;

	buf_addf(&space, "https://gx.dev/spdx/%s", digest);
	json_append(creators, &last, json_string(b->a, SLICE("Tool: gx-" PACKAGE_VERSION)));
	set_text(b, creation, "created", NO_TIME);
	json_set(creation, SLICE("creators"), creators);
	set_text(b, o, "SPDXID", "SPDXRef-DOCUMENT");
	set_text(b, o, "spdxVersion", "SPDX-2.3");
	set_text(b, o, "dataLicense", "CC0-1.0");
	image_set(b->a, o, "name", name_of(b->image));
	set_text(b, o, "documentNamespace", space.p);
	json_set(o, SLICE("creationInfo"), creation);
	json_set(o, SLICE("packages"), b->list);
	json_set(o, SLICE("relationships"), b->relations);
	relate(b, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image");
	buf_release(&space);
}

static void finish_cyclonedx(struct bill *b, struct jnode *o, const char *purl)
{
	struct jnode *meta = object(b), *component = object(b);

	set_text(b, component, "type", "container");
	set_text(b, component, "bom-ref", "image");
	image_set(b->a, component, "name", name_of(b->image));
	set_text(b, component, "purl", purl);
	json_set(meta, SLICE("component"), component);
	set_text(b, o, "bomFormat", "CycloneDX");
	set_text(b, o, "specVersion", "1.5");
	image_set_int(b->a, o, "version", 1);
	json_set(o, SLICE("metadata"), meta);
	json_set(o, SLICE("components"), b->list);
}

/* pkg:oci/app@sha256:…?repository_url=registry.example/team/app */
static void image_purl(const struct image *i, const char *digest, struct buf *out)
{
	struct slice name = name_of(i), last = name;
	const char *slash = memrchr(name.p, '/', name.n);

	if (slash)
		last = (struct slice){ slash + 1, (size_t)(name.p + name.n - slash) - 1 };
	buf_addf(out, "pkg:oci/%.*s@%s", (int)last.n, last.p, digest);
	if (slash)
		buf_addf(out, "?repository_url=%.*s", (int)name.n, name.p);
}

static int make_bill(struct bill *b, struct buf *out, struct err *e)
{
	struct jnode *o = object(b);
	struct buf purl = BUF_INIT;
	char digest[HASH_TEXT_MAX];
	int rc;

	b->list = json_node(b->a, JSON_ARRAY);
	b->relations = json_node(b->a, JSON_ARRAY);
	hash_print(&b->image->digest, HASH_BASE16, 1, digest);
	image_purl(b->image, digest, &purl);
	if (b->kind == ABOUT_SPDX)
		add_part(b, "SPDXRef-image", name_of(b->image), b->image->spec.tag, purl.p, slice_of(digest + 7));
	rc = add_objects(b, b->image, e);
	if (!rc && b->kind == ABOUT_SPDX)
		finish_spdx(b, o, digest);
	else if (!rc)
		finish_cyclonedx(b, o, purl.p);
	if (!rc)
		json_tree_write(out, o);
	buf_release(&purl);
	buf_release(&b->seen);
	return rc;
}

/* in-toto's statement: this digest is what came of that source. */
static void make_provenance(struct bill *b, struct buf *out)
{
	struct jnode *o = object(b), *subject = object(b), *subjects = json_node(b->a, JSON_ARRAY), *digest = object(b),
		     *predicate = object(b), *build = object(b), *outside = object(b), *sources = json_node(b->a, JSON_ARRAY),
		     *source = object(b), *commit = object(b), *run = object(b), *builder = object(b), *last = NULL;
	char text[HASH_TEXT_MAX];

	image_set(b->a, digest, "sha256", (struct slice){ text, hash_print(&b->image->digest, HASH_BASE16, 0, text) });
	image_set(b->a, subject, "name", name_of(b->image));
	json_set(subject, SLICE("digest"), digest);
	json_append(subjects, &last, subject);
	image_set(b->a, outside, "closure", (struct slice){ text, hash_print(&b->image->closure, HASH_BASE16, 1, text) });
	if (b->r->flake.n || b->r->revision.n) {
		last = NULL;
		image_set(b->a, source, "uri", b->r->flake.n ? b->r->flake : SLICE("git"));
		if (b->r->revision.n) {
			image_set(b->a, commit, "gitCommit", b->r->revision);
			json_set(source, SLICE("digest"), commit);
		}
		json_append(sources, &last, source);
	}
	set_text(b, build, "buildType", "https://gx.dev/image/v1");
	json_set(build, SLICE("externalParameters"), outside);
	json_set(build, SLICE("resolvedDependencies"), sources);
	set_text(b, builder, "id", "https://gx.dev/gx/" PACKAGE_VERSION);
	json_set(run, SLICE("builder"), builder);
	json_set(predicate, SLICE("buildDefinition"), build);
	json_set(predicate, SLICE("runDetails"), run);
	set_text(b, o, "_type", "https://in-toto.io/Statement/v1");
	set_text(b, o, "predicateType", "https://slsa.dev/provenance/v1");
	json_set(o, SLICE("subject"), subjects);
	json_set(o, SLICE("predicate"), predicate);
	json_tree_write(out, o);
}

int about_image(struct image *i, const struct image_request *r, enum about_kind k, struct buf *out, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct bill b = { .a = &a, .kind = k, .image = i, .r = r };
	int rc = 0;

	if (k == ABOUT_PROVENANCE)
		make_provenance(&b, out);
	else
		rc = make_bill(&b, out, e);
	arena_release(&a);
	return rc;
}

/* --- as manifests that refer to the image --- */

void attachment_release(struct attachment *a)
{
	buf_release(&a->text);
	buf_release(&a->manifest);
}

int attachment_make(struct attachment *t, struct image *i, const struct image_request *r, enum about_kind k, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *o = json_node(&a, JSON_OBJECT), *layers = json_node(&a, JSON_ARRAY), *last = NULL;
	struct hash empty;
	int rc;

	*t = (struct attachment){ .kind = k };
	rc = about_image(i, r, k, &t->text, e);
	if (!rc) {
		hash_bytes(HASH_SHA256, t->text.p, t->text.len, &t->text_digest);
		hash_bytes(HASH_SHA256, EMPTY_TEXT, strlen(EMPTY_TEXT), &empty);
		image_set_int(&a, o, "schemaVersion", 2);
		image_set(&a, o, "mediaType", SLICE(MEDIA_MANIFEST));
		image_set(&a, o, "artifactType", slice_of(about_media_type(k)));
		json_set(o, SLICE("config"), image_descriptor(&a, MEDIA_EMPTY, &empty, strlen(EMPTY_TEXT)));
		json_append(layers, &last, image_descriptor(&a, about_media_type(k), &t->text_digest, t->text.len));
		json_set(o, SLICE("layers"), layers);
		json_set(o, SLICE("subject"), image_descriptor(&a, image_media_type(i), &i->digest, i->manifest.len));
		json_tree_write(&t->manifest, o);
		hash_bytes(HASH_SHA256, t->manifest.p, t->manifest.len, &t->digest);
	}
	arena_release(&a);
	return rc;
}

struct jnode *attachment_descriptor(struct arena *a, const struct attachment *t)
{
	struct jnode *d = image_descriptor(a, MEDIA_MANIFEST, &t->digest, t->manifest.len);

	image_set(a, d, "artifactType", slice_of(about_media_type(t->kind)));
	return d;
}
