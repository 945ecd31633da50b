/* SPDX-License-Identifier: MIT
 *
 * An object's archive (format/nar.h) is made and read in one go: its events are the entries of the layer, in an order that never
 * changes, and its hash tells whether the object is still what it was.
 *
 * Folders are 0555 and files 0444 or 0555, as in the store, times 1, owner 0.  There is no entry for the root itself: its mode
 * would be everybody's.  A layer cannot hold files called ".wh.…": to whoever unpacks it they mean that something is gone.
 *
 * A large object is two layers, so that they are made, sent and fetched side by side.  Both have its folders; a file is in the
 * first when its middle is in the first part of the archive's contents.  That is the smaller one, for who makes it also hashes the
 * whole archive.
 */
#include "config.h"
#include "image/layer.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "image/tar.h"

#include <stdlib.h>
#include <string.h>

/* Levels that never change: a digest is for good. */
enum { ZSTD_LEVEL = 2, GZIP_LEVEL = 6 };

/* What is in the first of two layers, in sixteenths. */
enum { FIRST_PART = 7 };

/* A change of what layers look like is a new number here. */
#define KEY_VERSION "gx layer 2"

void layer_release(struct layer *l)
{
	free(l->paths);
	free(l->folders);
	free(l->media_type);
	free(l->from);
	*l = (struct layer){ .paths = NULL };
}

const char *layer_media_type(const struct layer *l)
{
	if (l->media_type)
		return l->media_type;
	switch (l->compression) {
	case COMPRESS_ZSTD: return "application/vnd.oci.image.layer.v1.tar+zstd";
	case COMPRESS_GZIP: return "application/vnd.oci.image.layer.v1.tar+gzip";
	default: return "application/vnd.oci.image.layer.v1.tar";
	}
}

uint64_t layer_weight(const struct layer *l)
{
	uint64_t all = 0;

	for (size_t i = 0; i < l->n; i++)
		all += l->paths[i].nar_size;
	return l->parts ? all / l->parts : all;
}

static int level_of(enum compression c)
{
	return c == COMPRESS_ZSTD ? ZSTD_LEVEL : GZIP_LEVEL;
}

/* --- what is remembered --- */

static void add_key(struct buf *b, const struct layer *l)
{
	buf_addf(b, "%s %d %d %s %d %s %u/%u %.*s\n", KEY_VERSION, (int)l->kind, (int)l->form, compression_name(l->compression),
		 level_of(l->compression), compression_version(l->compression), l->part, l->parts, (int)l->store_dir.n,
		 l->store_dir.p);
	for (size_t i = 0; i < l->n; i++) {
		buf_addf(b, "%s ", l->paths[i].path.base);
		hash_add(b, &l->paths[i].nar_hash, HASH_BASE16, 1);
		buf_addc(b, '\n');
	}
	for (size_t i = 0; i < l->nfolders; i++)
		buf_addf(b, "%.*s %o %u %u\n", (int)l->folders[i].path.n, l->folders[i].path.p, l->folders[i].mode,
			 l->folders[i].uid, l->folders[i].gid);
}

/* "DIFF-ID DIGEST SIZE" */
static int take(struct layer *l, const struct buf *b)
{
	const char *a = b->p ? b->p : "", *d = strchr(a, ' '), *s = d ? strchr(d + 1, ' ') : NULL;
	char *end;

	if (!s || hash_parse_bare(a, (size_t)(d - a), HASH_SHA256, &l->diff_id, NULL) ||
	    hash_parse_bare(d + 1, (size_t)(s - d - 1), HASH_SHA256, &l->digest, NULL))
		return -1;
	l->size = strtoull(s + 1, &end, 10);
	return *end ? -1 : 0;
}

void layer_recall(struct layer *l, struct cache *c)
{
	struct buf key = BUF_INIT, value = BUF_INIT;

	if (!c || l->known)
		return;
	add_key(&key, l);
	l->known = cache_get(c, (struct slice){ key.p, key.len }, 0, &value, NULL) == 1 && !take(l, &value);
	buf_release(&key);
	buf_release(&value);
}

void layer_remember(const struct layer *l, struct cache *c)
{
	struct buf key = BUF_INIT, value = BUF_INIT;

	if (!c || !l->known || l->kind == LAYER_FOREIGN)
		return;
	add_key(&key, l);
	hash_add(&value, &l->diff_id, HASH_BASE16, 0);
	buf_addc(&value, ' ');
	hash_add(&value, &l->digest, HASH_BASE16, 0);
	buf_addf(&value, " %llu", (unsigned long long)l->size);
	/* Without, it is made once more. */
	cache_put(c, (struct slice){ key.p, key.len }, (struct slice){ value.p, value.len }, NULL);
	buf_release(&key);
	buf_release(&value);
}

/* --- bytes on their way out --- */

struct maker {
	struct layer *l;
	int to;
	struct hash_ctx diff, blob;
	uint64_t size;
	struct codec *codec;
	struct tar_writer tar;

	/* Of the object that is read. */
	struct nar_reader *reader;
	struct hash_ctx nar;
	uint64_t nar_size, contents, first;
	struct buf path; /* of the entry */
	size_t len[LIMIT_NAR_DEPTH + 2]; /* of path, at each depth */
	int depth, skips;
	char **made; /* folders that the root layer has by now */
	size_t nmade, made_cap;
};

static int take_blob(void *user, const void *p, size_t n, struct err *e)
{
	struct maker *m = user;

	hash_update(&m->blob, p, n);
	m->size += n;
	return m->to >= 0 && fd_write_all(m->to, p, n) ? err_errno(e, "cannot write a layer") : 0;
}

static int take_tar(void *user, const void *p, size_t n, struct err *e)
{
	struct maker *m = user;

	hash_update(&m->diff, p, n);
	return codec_feed(m->codec, p, n, e);
}

/* --- entries out of an object's archive --- */

/* The path that the name leads to. */
static int enter(struct maker *m, struct slice name, struct err *e)
{
	buf_trim(&m->path, m->len[m->depth]);
	if (slice_starts(name, SLICE(".wh.")))
		return err_set(
			e, ERR_INVALID,
			"'%s%s%.*s' cannot be in an image: a name that begins with '.wh.' means there that something is gone",
			buf_str(&m->path), m->path.len ? "/" : "", (int)name.n, name.p);
	if (m->path.len && name.n)
		buf_addc(&m->path, '/');
	buf_add(&m->path, name.p, name.n);
	return 0;
}

static int add_entry(struct maker *m, enum tar_kind kind, unsigned mode, struct slice target, uint64_t size, struct err *e)
{
	const struct tar_entry t = {
		.kind = kind, .path = { buf_str(&m->path), m->path.len }, .mode = mode, .target = target, .size = size
	};

	return tar_add(&m->tar, &t, e);
}

/* In a layer no path is there twice: a folder that several trees have is one. */
static int is_made(struct maker *m, struct slice path)
{
	for (size_t i = 0; i < m->nmade; i++)
		if (slice_eq(slice_of(m->made[i]), path))
			return 1;
	ARRAY_GROW(m->made, m->nmade + 1, m->made_cap);
	m->made[m->nmade++] = xstrndup(path.p, path.n);
	return 0;
}

static int on_directory(void *user, struct slice name, struct err *e)
{
	struct maker *m = user;
	const int root = m->l->kind == LAYER_ROOT;
	int rc = enter(m, name, e);

	if (!rc && m->path.len && !(root && is_made(m, (struct slice){ m->path.p, m->path.len })))
		rc = add_entry(m, TAR_DIRECTORY, root ? 0755 : 0555, (struct slice){ NULL, 0 }, 0, e);
	m->len[++m->depth] = m->path.len;
	return rc;
}

static int on_directory_end(void *user, struct err *e)
{
	struct maker *m = user;

	(void)e;
	m->depth--;
	return 0;
}

/* What is laid at the root has to be a tree. */
static int want_name(const struct maker *m, struct err *e)
{
	return m->path.len ? 0 : err_set(e, ERR_INVALID, "what is put at the root of an image is a folder, not a file");
}

/* Whether what comes next, of so many bytes, belongs to the other part. */
static int is_elsewhere(const struct maker *m, uint64_t size)
{
	return m->l->parts && (m->contents + size / 2 < m->first ? 1u : 2u) != m->l->part;
}

static int on_regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	struct maker *m = user;
	int rc = enter(m, name, e);

	rc = rc ? rc : want_name(m, e);
	m->skips = is_elsewhere(m, size);
	m->contents += size;
	return rc || m->skips ? rc : add_entry(m, TAR_FILE, executable ? 0555 : 0444, (struct slice){ NULL, 0 }, size, e);
}

static int on_contents(void *user, const void *p, size_t n, struct err *e)
{
	struct maker *m = user;

	return m->skips ? 0 : tar_write(&m->tar, p, n, e);
}

static int on_symlink(void *user, struct slice name, struct slice target, struct err *e)
{
	struct maker *m = user;
	int rc = enter(m, name, e);

	rc = rc ? rc : want_name(m, e);
	return rc || is_elsewhere(m, 0) ? rc : add_entry(m, TAR_LINK, 0777, target, 0, e);
}

static const struct nar_events events = { on_directory, on_directory_end, on_regular, on_contents, NULL, on_symlink };

static int take_nar(void *user, const void *p, size_t n, struct err *e)
{
	struct maker *m = user;
	size_t used;

	if (m->l->part < 2)
		hash_update(&m->nar, p, n);
	m->nar_size += n;
	return nar_reader_feed(m->reader, p, n, &used, e);
}

/* An object below the path that m->path holds. */
static int add_object(struct maker *m, int store, const struct layer_path *p, struct err *e)
{
	const struct nar_sink sink = { take_nar, m };
	struct hash seen;
	int rc;

	m->reader = nar_reader_new(&events, m);
	hash_init(&m->nar, HASH_SHA256);
	m->nar_size = m->contents = 0;
	m->first = p->nar_size / 16 * FIRST_PART;
	m->depth = 0;
	m->len[0] = m->path.len;
	rc = nar_write(store, p->path.base, p->path.base, NULL, &sink, e);
	nar_reader_free(m->reader);
	hash_final(&m->nar, &seen);
	if (!rc && (m->nar_size != p->nar_size || (m->l->part < 2 && !hash_eq(&seen, &p->nar_hash))))
		rc = err_set(e, ERR_HASH, "'%.*s/%s' was damaged: 'gx store verify' says more", (int)m->l->store_dir.n,
			     m->l->store_dir.p, p->path.base);
	return rc;
}

/* --- whole layers --- */

static int add_folder(struct maker *m, struct slice path, unsigned mode, uint32_t uid, uint32_t gid, struct err *e)
{
	const struct tar_entry t = { .kind = TAR_DIRECTORY, .path = path, .mode = mode, .uid = uid, .gid = gid };

	return is_made(m, path) ? 0 : tar_add(&m->tar, &t, e);
}

/* The folders that lead to a path, and are nobody's. */
static int add_parents(struct maker *m, struct slice path, struct err *e)
{
	int rc = 0;

	for (size_t i = 1; !rc && i < path.n; i++)
		if (path.p[i] == '/')
			rc = add_folder(m, (struct slice){ path.p, i }, 0755, 0, 0, e);
	return rc;
}

/* A root has its folders first: what the trees say of them no longer counts. */
static int add_root(struct maker *m, int store, struct err *e)
{
	const struct layer *l = m->l;
	int rc = 0;

	for (size_t i = 0; !rc && i < l->nfolders; i++) {
		const struct layer_folder *f = &l->folders[i];

		rc = add_parents(m, f->path, e);
		rc = rc ? rc : add_folder(m, f->path, f->mode, f->uid, f->gid, e);
	}
	for (size_t i = 0; !rc && i < l->n; i++) {
		buf_trim(&m->path, 0);
		rc = add_object(m, store, &l->paths[i], e);
	}
	return rc;
}

static int add_objects(struct maker *m, int store, struct err *e)
{
	const struct layer *l = m->l;
	struct slice dir =
		l->form == FORM_TOOLS ? (struct slice){ "", 0 } : (struct slice){ l->store_dir.p + 1, l->store_dir.n - 1 };
	int rc = add_parents(m, dir, e);

	if (!rc && dir.n)
		rc = add_folder(m, dir, 0755, 0, 0, e);
	for (size_t i = 0; !rc && i < l->n; i++) {
		buf_trim(&m->path, 0);
		buf_add(&m->path, dir.p, dir.n);
		buf_adds(&m->path, dir.n ? "/" : "");
		buf_adds(&m->path, l->paths[i].path.base);
		rc = add_object(m, store, &l->paths[i], e);
	}
	return rc;
}

static void maker_release(struct maker *m)
{
	for (size_t i = 0; i < m->nmade; i++)
		free(m->made[i]);
	free(m->made);
	codec_free(m->codec);
	tar_release(&m->tar);
	buf_release(&m->path);
}

int layer_make(struct layer *l, int store, int to, struct err *e)
{
	struct maker *m = xcalloc(1, sizeof *m);
	const struct nar_sink blob = { take_blob, m }, tar = { take_tar, m };
	int rc;

	*m = (struct maker){ .l = l, .to = to };
	hash_init(&m->diff, HASH_SHA256);
	hash_init(&m->blob, HASH_SHA256);
	tar_init(&m->tar, &tar);
	rc = compress_open(&m->codec, l->compression, level_of(l->compression), 0, &blob, e);
	rc = rc ? rc : l->kind == LAYER_ROOT ? add_root(m, store, e) : add_objects(m, store, e);
	rc = rc ? rc : tar_end(&m->tar, e);
	rc = rc ? rc : codec_end(m->codec, e);
	if (!rc) {
		hash_final(&m->diff, &l->diff_id);
		hash_final(&m->blob, &l->digest);
		l->size = m->size;
		l->known = 1;
	}
	maker_release(m);
	free(m);
	return rc;
}
