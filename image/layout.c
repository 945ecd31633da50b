/* SPDX-License-Identifier: MIT
 *
 * A blob has its name only when it is whole, and index.json is replaced as one: whoever reads the folder meanwhile sees the old or
 * the new.
 */
#include "config.h"
#include "image/layout.h"
#include "base/alloc.h"
#include "base/dir.h"
#include "base/fdio.h"
#include "image/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYOUT_FILE "oci-layout"
#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define REF_NAME "org.opencontainers.image.ref.name"

enum { LIMIT_INDEX = 4 << 20 };

/* --- the folder --- */

static void add_path(const struct layout *l, struct buf *b, const char *name)
{
	buf_addf(b, "%s/%s", l->path, name);
}

static int put_file(struct layout *l, const char *name, const void *p, size_t n, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc;

	add_path(l, &path, name);
	rc = file_replace(path.p, p, n, 0666) ? err_errno(e, "cannot write '%s'", path.p) : 0;
	buf_release(&path);
	return rc;
}

static int is_empty(int dir)
{
	struct dir d;
	int rc = dir_open(&d, dir, ".", NULL);

	rc = rc ? rc : dir_next(&d, NULL);
	dir_close(&d);
	return !rc;
}

static int begin(struct layout *l, struct err *e)
{
	if (!faccessat(l->dir, LAYOUT_FILE, F_OK, 0))
		return 0;
	if (!is_empty(l->dir))
		return err_set(e, ERR_INVALID, "'%s' is there, and is no folder of images", l->path);
	return put_file(l, LAYOUT_FILE, LAYOUT_TEXT, strlen(LAYOUT_TEXT), e);
}

int layout_open(struct layout *l, const char *path, struct err *e)
{
	struct buf blobs = BUF_INIT;
	int rc;

	*l = (struct layout){ path, -1, -1 };
	if (make_folders(path, 0777) || (l->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_errno(e, "cannot make the folder '%s'", path);
	rc = begin(l, e);
	add_path(l, &blobs, "blobs/sha256");
	if (!rc && (make_folders(blobs.p, 0777) || (l->blobs = open(blobs.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		rc = err_errno(e, "cannot make the folder '%s'", blobs.p);
	buf_release(&blobs);
	return rc;
}

void layout_close(struct layout *l)
{
	if (l->blobs >= 0)
		close(l->blobs);
	if (l->dir >= 0)
		close(l->dir);
	l->dir = l->blobs = -1;
}

int layout_temporary(struct layout *l, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	struct buf path = BUF_INIT;
	char *made;

	*l = (struct layout){ NULL, -1, -1 };
	buf_addf(&path, "%s/gx-image-XXXXXX", dir && *dir ? dir : "/tmp");
	made = buf_detach(&path, NULL);
	if (!mkdtemp(made)) {
		err_errno(e, "cannot make the folder '%s'", made);
		free(made);
		return ERR_IO;
	}
	return layout_open(l, made, e);
}

static void remove_files(int dir)
{
	struct dir d;
	int rc = dir < 0 ? -1 : dir_open(&d, dir, ".", NULL);

	if (dir < 0)
		return;
	while (!rc && dir_next(&d, NULL) > 0)
		unlinkat(dir, d.name, 0);
	dir_close(&d);
}

void layout_remove(struct layout *l)
{
	char *path = (char *)l->path;

	if (path) {
		remove_files(l->blobs);
		unlinkat(l->dir, "blobs/sha256", AT_REMOVEDIR);
		unlinkat(l->dir, "blobs", AT_REMOVEDIR);
		remove_files(l->dir);
	}
	layout_close(l);
	if (path)
		rmdir(path);
	free(path);
	l->path = NULL;
}

/* --- blobs --- */

static int has_blob(struct layout *l, const struct hash *digest, uint64_t size)
{
	char name[HASH_TEXT_MAX];
	struct stat st;

	hash_print(digest, HASH_BASE16, 0, name);
	return !fstatat(l->blobs, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

int layout_blob(struct layout *l, const struct buf *bytes, const struct hash *digest, struct err *e)
{
	char name[sizeof "blobs/sha256/" + HASH_TEXT_MAX] = "blobs/sha256/";

	if (has_blob(l, digest, bytes->len))
		return 0;
	hash_print(digest, HASH_BASE16, 0, name + strlen(name));
	return put_file(l, name, bytes->p, bytes->len, e);
}

int layout_open_blob(struct layout *l, const struct hash *digest, uint64_t *size, struct err *e)
{
	char name[HASH_TEXT_MAX];
	struct stat st;
	int fd;

	hash_print(digest, HASH_BASE16, 0, name);
	fd = openat(l->blobs, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err_errno(e, "cannot open the blob '%s/blobs/sha256/%s'", l->path, name);
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static int put_texts(struct layout *l, const struct image *i, struct err *e)
{
	int rc = i->nparts ? 0 : layout_blob(l, &i->config, &i->config_digest, e);

	for (size_t k = 0; !rc && k < i->nparts; k++)
		rc = put_texts(l, i->parts[k], e);
	return rc ? rc : layout_blob(l, &i->manifest, &i->digest, e);
}

int layout_image(struct layout *l, struct image *i, const struct image_request *r, size_t *made, struct err *e)
{
	int rc = image_make(i, r, l->blobs, MAKE_ALL, made, e);

	rc = rc ? rc : image_finish(i, r, e);
	return rc ? rc : put_texts(l, i, e);
}

/* --- index.json --- */

static int read_index(struct layout *l, struct arena *a, struct jnode **out, struct err *e)
{
	struct buf text = BUF_INIT;
	int fd = openat(l->dir, "index.json", O_RDONLY | O_CLOEXEC), rc = 0;

	*out = json_node(a, JSON_OBJECT);
	if (fd < 0)
		return 0;
	if (fd_read_all(fd, &text))
		rc = err_errno(e, "cannot read '%s/index.json'", l->path);
	else if (text.len > LIMIT_INDEX)
		rc = err_set(e, ERR_LIMIT, "'%s/index.json' is too large", l->path);
	else
		rc = image_json(a, (struct slice){ buf_str(&text), text.len }, "'index.json' of the folder", out, e);
	close(fd);
	buf_release(&text);
	return rc;
}

static int is_called(const struct jnode *descriptor, const char *name)
{
	return name && slice_eq(image_text(json_member(descriptor, SLICE("annotations")), REF_NAME), slice_of(name));
}

/* What the folder had, but what has this name, or is the same without one. */
static struct jnode *keep_others(struct arena *a, const struct jnode *old, const struct jnode *new, const char *name,
				 struct jnode **last)
{
	struct jnode *list = json_node(a, JSON_ARRAY), *next;
	const struct jnode *manifests = json_member(old, SLICE("manifests"));

	for (struct jnode *m = manifests && manifests->kind == JSON_ARRAY ? manifests->first : NULL; m; m = next) {
		const int same = slice_eq(image_text(m, "digest"), image_text(new, "digest"));

		next = m->next;
		if (is_called(m, name) || (same && !json_member(m, SLICE("annotations"))) || (same && !name))
			continue;
		m->next = NULL;
		json_append(list, last, m);
	}
	return list;
}

int layout_list(struct layout *l, const struct jnode *descriptor, const char *name, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *old, *new = json_node(&a, JSON_OBJECT), *last = NULL, *d = json_node(&a, JSON_OBJECT);
	struct buf text = BUF_INIT;
	int rc = read_index(l, &a, &old, e);

	for (const struct jnode *m = descriptor->first; m; m = m->next)
		if (m->kind == JSON_STRING)
			json_set(d, m->key, json_string(&a, m->str));
		else
			json_set(d, m->key, json_int(&a, m->i));
	if (name) {
		struct jnode *notes = json_node(&a, JSON_OBJECT);

		image_set(&a, notes, REF_NAME, slice_of(name));
		json_set(d, SLICE("annotations"), notes);
	}
	if (!rc) {
		struct jnode *list = keep_others(&a, old, d, name, &last);

		json_append(list, &last, d);
		json_set(new, SLICE("manifests"), list);
		image_set(&a, new, "mediaType", SLICE(MEDIA_INDEX));
		image_set_int(&a, new, "schemaVersion", 2);
		json_tree_write(&text, new);
		rc = put_file(l, "index.json", text.p, text.len, e);
	}
	buf_release(&text);
	arena_release(&a);
	return rc;
}

int layout_name(struct layout *l, const struct image *i, const char *name, struct err *e)
{
	struct arena a = ARENA_INIT;
	int rc = layout_list(l, image_descriptor(&a, image_media_type(i), &i->digest, i->manifest.len), name, e);

	arena_release(&a);
	return rc;
}

/* --- as one file --- */

struct out {
	int fd;
	struct tar_writer tar;
	struct nar_sink sink;
	const char *file;
};

static int write_out(void *user, const void *p, size_t n, struct err *e)
{
	struct out *o = user;

	return fd_write_all(o->fd, p, n) ? err_errno(e, "cannot write '%s'", o->file) : 0;
}

/* Beside the name it will have. */
static int out_open(struct out *o, struct buf *temp, const char *file, struct err *e)
{
	*o = (struct out){ .fd = -1, .sink = { write_out, o }, .file = file };
	buf_addf(temp, "%s.new", file);
	o->fd = open(temp->p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	tar_init(&o->tar, &o->sink);
	return o->fd < 0 ? err_errno(e, "cannot make '%s'", file) : 0;
}

static int out_end(struct out *o, struct buf *temp, int rc, struct err *e)
{
	rc = rc ? rc : tar_end(&o->tar, e);
	if (o->fd >= 0 && close(o->fd) && !rc)
		rc = err_errno(e, "cannot write '%s'", o->file);
	if (!rc && rename(temp->p, o->file))
		rc = err_errno(e, "cannot write '%s'", o->file);
	if (rc && o->fd >= 0)
		unlink(temp->p);
	tar_release(&o->tar);
	buf_release(temp);
	return rc;
}

/* A file of the folder under a name in the archive. */
static int out_file(struct out *o, int dir, const char *from, const char *name, struct err *e)
{
	int fd = openat(dir, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc;
	struct tar_entry t = { .kind = TAR_FILE, .path = slice_of(name), .mode = 0444 };
	char *room = xmalloc(1 << 16);
	struct stat st;
	ssize_t n = 0;

	rc = fd < 0 || fstat(fd, &st) ? err_errno(e, "cannot read '%s'", from) : 0;
	t.size = rc ? 0 : (uint64_t)st.st_size;
	rc = rc ? rc : tar_add(&o->tar, &t, e);
	while (!rc && (n = fd_read(fd, room, 1 << 16)) > 0)
		rc = tar_write(&o->tar, room, (size_t)n, e);
	if (!rc && (n < 0 || o->tar.left))
		rc = err_set(e, ERR_IO, "'%s' changed while it was read", from);
	if (fd >= 0)
		close(fd);
	free(room);
	return rc;
}

static int out_folder(struct out *o, const char *name, struct err *e)
{
	const struct tar_entry t = { .kind = TAR_DIRECTORY, .path = slice_of(name), .mode = 0755 };

	return tar_add(&o->tar, &t, e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int out_blobs(struct out *o, struct layout *l, struct err *e)
{
	char **v = NULL;
	size_t n = 0, cap = 0;
	struct dir d;
	int rc = dir_open(&d, l->blobs, ".", e), more;

	for (more = rc; !rc && (more = dir_next(&d, e)) > 0;) {
		ARRAY_GROW(v, n + 1, cap);
		v[n++] = xstrdup(d.name);
	}
	rc = rc ? rc : more;
	dir_close(&d);
	if (n)
		qsort(v, n, sizeof *v, by_name);
	for (size_t k = 0; k < n; k++) {
		struct buf name = BUF_INIT;

		buf_addf(&name, "blobs/sha256/%s", v[k]);
		rc = rc ? rc : out_file(o, l->blobs, v[k], name.p, e);
		buf_release(&name);
		free(v[k]);
	}
	free(v);
	return rc;
}

int layout_archive(struct layout *l, const char *file, struct err *e)
{
	struct buf temp = BUF_INIT;
	struct out o;
	int rc = out_open(&o, &temp, file, e);

	rc = rc ? rc : out_file(&o, l->dir, LAYOUT_FILE, LAYOUT_FILE, e);
	rc = rc ? rc : out_file(&o, l->dir, "index.json", "index.json", e);
	rc = rc ? rc : out_folder(&o, "blobs", e);
	rc = rc ? rc : out_folder(&o, "blobs/sha256", e);
	rc = rc ? rc : out_blobs(&o, l, e);
	return out_end(&o, &temp, rc, e);
}

/* --- as docker has it --- */

/* "DIGEST.tar" */
static void docker_name(char out[HASH_TEXT_MAX + 8], const struct hash *h, const char *ending)
{
	memcpy(out + hash_print(h, HASH_BASE16, 0, out), ending, strlen(ending) + 1);
}

static void docker_manifest(const struct image *i, const char *name, struct buf *b)
{
	char text[HASH_TEXT_MAX + 8];

	docker_name(text, &i->config_digest, ".json");
	buf_addf(b, "[{\"Config\":\"%s\",\"Layers\":[", text);
	for (size_t k = 0; k < i->n; k++) {
		docker_name(text, &i->layers[k].diff_id, ".tar");
		buf_addf(b, "%s\"%s\"", k ? "," : "", text);
	}
	buf_adds(b, "],\"RepoTags\":");
	buf_adds(b, name ? "[" : "null");
	if (name) {
		json_add_string(b, name, strlen(name));
		buf_adds(b, "]");
	}
	buf_adds(b, "}]");
}

static int docker_layers(struct out *o, struct layout *l, const struct image *i, struct err *e)
{
	char from[HASH_TEXT_MAX], name[HASH_TEXT_MAX + 8];
	int rc = 0;

	for (size_t k = 0; !rc && k < i->n; k++) {
		int seen = 0;

		for (size_t j = 0; j < k; j++)
			seen |= hash_eq(&i->layers[j].diff_id, &i->layers[k].diff_id);
		hash_print(&i->layers[k].digest, HASH_BASE16, 0, from);
		docker_name(name, &i->layers[k].diff_id, ".tar");
		rc = seen ? 0 : out_file(o, l->blobs, from, name, e);
	}
	return rc;
}

int layout_docker(struct layout *l, const struct image *i, const char *name, const char *file, struct err *e)
{
	struct buf temp = BUF_INIT, manifest = BUF_INIT;
	char config[HASH_TEXT_MAX + 8];
	struct out o;
	int rc;

	if (i->nparts)
		return err_set(e, ERR_INVALID, "a docker archive holds one image: this one is for several platforms");
	rc = out_open(&o, &temp, file, e);
	docker_manifest(i, name, &manifest);
	docker_name(config, &i->config_digest, ".json");
	rc = rc ? rc : tar_add_bytes(&o.tar, "manifest.json", (struct slice){ manifest.p, manifest.len }, e);
	rc = rc ? rc : tar_add_bytes(&o.tar, config, (struct slice){ i->config.p, i->config.len }, e);
	rc = rc ? rc : docker_layers(&o, l, i, e);
	buf_release(&manifest);
	return out_end(&o, &temp, rc, e);
}
