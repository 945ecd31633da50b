/* SPDX-License-Identifier: MIT
 *
 * An image that was planned before costs a few questions to the database and to the user's cache: no file of the store is opened,
 * the description included, whose text is remembered by its path and hash.
 */
#include "config.h"
#include "image/image.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "base/parallel.h"
#include "image/plan.h"
#include "image/shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BASES_MOST = 16 };

int image_is_description(const struct store_path *p)
{
	return slice_ends(store_path_name(p), SLICE(".image.json"));
}

void image_release(struct image *i)
{
	for (size_t k = 0; k < i->n; k++)
		layer_release(&i->layers[k]);
	for (size_t k = 0; k < i->nparts; k++) {
		image_release(i->parts[k]);
		free(i->parts[k]);
	}
	free(i->layers);
	free(i->parts);
	path_set_release(&i->objects);
	buf_release(&i->base_config);
	buf_release(&i->config);
	buf_release(&i->manifest);
	image_spec_release(&i->spec);
	*i = (struct image){ .n = 0 };
}

const char *image_media_type(const struct image *i)
{
	return i->nparts ? MEDIA_INDEX : MEDIA_MANIFEST;
}

/* --- reading descriptions --- */

int image_recall(const struct image_request *r, const struct path_info *info, const char *what,
		 int (*find)(struct store *s, const struct store_path *p, struct buf *out, struct err *e), struct buf *out,
		 struct err *e)
{
	struct buf key = BUF_INIT;
	int rc = 0;

	buf_addf(&key, "gx %s %s ", what, info->path.base);
	hash_add(&key, &info->nar_hash, HASH_BASE16, 1);
	struct slice k = { key.p, key.len };

	if (!r->cache || cache_get(r->cache, k, 0, out, NULL) != 1) {
		buf_trim(out, 0);
		rc = find(r->store, &info->path, out, e);
		if (!rc && r->cache)
			cache_put(r->cache, k, (struct slice){ buf_str(out), out->len }, NULL);
	}
	buf_release(&key);
	return rc;
}

static int read_description(struct store *s, const struct store_path *p, struct buf *text, struct err *e)
{
	return store_read(s, p, LIMIT_SPEC, text, e);
}

/* --- what is in it --- */

static int is_part(const struct image_spec *s, const struct store_path *p)
{
	for (size_t k = 0; k < s->nimages; k++)
		if (!store_path_cmp(&s->images[k], p))
			return 1;
	return s->base.len && !store_path_cmp(&s->base, p);
}

/* All that is referred to, with all that needs. */
static int add_references(struct store *s, const struct image_spec *spec, const struct path_set *refs, struct path_set *out,
			  struct err *e)
{
	struct path_set of_root = PATH_SET_INIT;
	int rc = 0;

	for (size_t k = 0; !rc && k < refs->n; k++) {
		if (is_part(spec, &refs->v[k]))
			continue;
		/* What is laid at the root is there; its own path nobody needs. */
		if (spec->root.len && !store_path_cmp(&spec->root, &refs->v[k]))
			rc = db_references(store_db(s), &spec->root, &of_root, e);
		else
			rc = store_closure(s, &refs->v[k], 0, out, e);
	}
	for (size_t k = 0; !rc && k < of_root.n; k++)
		if (store_path_cmp(&spec->root, &of_root.v[k]))
			rc = store_closure(s, &of_root.v[k], 0, out, e);
	path_set_release(&of_root);
	return rc;
}

/* --- layers --- */

static struct layer *add_layer(struct image *i)
{
	i->layers = xrealloc_array(i->layers, i->n + 1, sizeof *i->layers);
	i->layers[i->n] = (struct layer){ .compression = i->spec.compression, .form = i->spec.form };
	return &i->layers[i->n++];
}

/* The last: what is at the root. */
static int add_root_layer(struct image *i, const struct image_request *r, struct err *e)
{
	const struct image_spec *s = &i->spec;
	struct path_info info = { .nar_size = 0 };

	if ((!s->root.len && !s->nfolders) || s->form == FORM_TOOLS)
		return 0;
	int rc = s->root.len ? db_info(store_db(r->store), &s->root, &info, e) : 0;

	if (!rc) {
		struct layer *l = add_layer(i);

		l->kind = LAYER_ROOT;
		l->store_dir = store_dir(r->store);
		l->folders = xcalloc(s->nfolders + 1, sizeof *l->folders);
		memcpy(l->folders, s->nfolders ? s->folders : l->folders, s->nfolders * sizeof *l->folders);
		l->nfolders = s->nfolders;
		l->paths = xcalloc(1, sizeof *l->paths);
		l->n = s->root.len != 0;
		l->paths[0] = (struct layer_path){ info.path, info.nar_hash, info.nar_size };
	}
	path_info_release(&info);
	return rc;
}

static int plan_own(struct image *i, const struct image_request *r, struct err *e)
{
	size_t left = i->base_n + 2 < PLAN_MOST ? PLAN_MOST - i->base_n - 2 : 1, n;
	const struct plan_request q = { i->spec.form, i->spec.compression, i->spec.layers < left ? i->spec.layers : left };
	struct layer *v;
	int rc = plan_layers(r->store, &i->objects, &q, &v, &n, &i->closure, e);

	i->layers = xrealloc_array(i->layers, i->n + n + 1, sizeof *i->layers);
	memcpy(i->layers + i->n, n ? v : i->layers, n * sizeof *v);
	i->n += n;
	free(v);
	rc = rc ? rc : add_root_layer(i, r, e);
	for (size_t k = 0; !rc && k < i->n; k++)
		if (i->layers[k].kind != LAYER_FOREIGN)
			layer_recall(&i->layers[k], r->cache);
	return rc;
}

/* --- bases --- */

static int plan_at(struct image *i, const struct image_request *r, const struct store_path *description, unsigned depth,
		   struct err *e);

/* Its layers become the first of ours, and what is in them need not be twice. */
static int take_base(struct image *i, const struct image_request *r, unsigned depth, struct err *e)
{
	struct image base = { .n = 0 };
	int rc = plan_at(&base, r, &i->spec.base, depth + 1, e);

	if (!rc && base.nparts)
		rc = err_set(e, ERR_INVALID, "the base of an image is one image, not one for several platforms");
	rc = rc ? rc : image_make(&base, r, -1, MAKE_UNKNOWN, NULL, e);
	rc = rc ? rc : image_finish(&base, r, e);
	if (!rc) {
		i->layers = base.layers;
		i->n = i->base_n = base.n;
		i->base_config = base.config;
		for (size_t k = 0; k < base.objects.n; k++)
			path_set_remove(&i->objects, &base.objects.v[k]);
		base.layers = NULL;
		base.n = 0;
		base.config = (struct buf)BUF_INIT;
	}
	image_release(&base);
	return rc;
}

static int take_base_ref(struct image *i, const struct image_request *r, struct err *e)
{
	struct image_base b = { .n = 0 };
	int rc = r->base ? r->base(r->user, i->spec.base_ref, &i->spec, &b, e)
			 : err_set(e, ERR_INVALID, "the base '%.*s' is not here", (int)i->spec.base_ref.n, i->spec.base_ref.p);

	i->layers = b.layers;
	i->n = i->base_n = b.n;
	i->base_config = b.config;
	return rc;
}

/* --- planning --- */

static int plan_parts(struct image *i, const struct image_request *r, unsigned depth, struct err *e)
{
	int rc = 0;

	i->parts = xcalloc(i->spec.nimages, sizeof *i->parts);
	for (size_t k = 0; !rc && k < i->spec.nimages; k++) {
		i->parts[k] = xcalloc(1, sizeof **i->parts);
		i->nparts++;
		rc = plan_at(i->parts[k], r, &i->spec.images[k], depth + 1, e);
		if (!rc && i->parts[k]->nparts)
			rc = err_set(e, ERR_INVALID, "an image for several platforms is made of images for one each");
	}
	return rc;
}

static void take_request(struct image *i, const struct image_request *r)
{
	if (r->form >= 0)
		i->spec.form = (enum image_form)r->form;
	if (r->compression >= 0)
		i->spec.compression = (enum compression)r->compression;
}

/* The variables of a shell are the image's. */
static int take_shell(struct image_spec *s, const struct image_request *r, struct err *e)
{
	struct path_info info = { .nar_size = 0 };
	struct buf text = BUF_INIT;
	int rc = db_info(store_db(r->store), &s->shell, &info, e);

	rc = rc ? rc : image_recall(r, &info, "variables of a shell", read_description, &text, e);
	if (!rc && !image_shell(s, (struct slice){ buf_str(&text), text.len }))
		rc = err_set(e, ERR_INVALID, "that has no variables");
	if (rc)
		err_prefix(e, "'%s' is no shell", s->shell.base);
	path_info_release(&info);
	buf_release(&text);
	return rc;
}

static int plan_at(struct image *i, const struct image_request *r, const struct store_path *description, unsigned depth,
		   struct err *e)
{
	struct path_info info = { .nar_size = 0 };
	struct buf text = BUF_INIT;
	int rc = depth > BASES_MOST ? err_set(e, ERR_LIMIT, "the image has a base that has a base, more than %d times", BASES_MOST)
				    : db_info(store_db(r->store), description, &info, e);

	rc = rc ? rc : image_recall(r, &info, "image description", read_description, &text, e);
	rc = rc ? rc : image_spec_parse(&i->spec, store_dir(r->store), (struct slice){ buf_str(&text), text.len }, e);
	if (!rc) {
		take_request(i, r);
		path_set_remove(&info.refs, description);
		rc = i->spec.nimages ? plan_parts(i, r, depth, e) : add_references(r->store, &i->spec, &info.refs, &i->objects, e);
	}
	if (!rc && i->spec.shell.len)
		rc = take_shell(&i->spec, r, e);
	if (!rc && i->spec.base.len)
		rc = take_base(i, r, depth, e);
	else if (!rc && i->spec.base_ref.n)
		rc = take_base_ref(i, r, e);
	if (!rc && !i->nparts)
		rc = plan_own(i, r, e);
	if (rc)
		err_prefix(e, "the image '%s'", description->base);
	path_info_release(&info);
	buf_release(&text);
	return rc;
}

int image_plan(struct image *i, const struct image_request *r, const struct store_path *description, struct err *e)
{
	*i = (struct image){ .n = 0 };
	return plan_at(i, r, description, 0, e);
}

int image_plan_objects(struct image *i, const struct image_request *r, struct image_spec *spec, const struct path_set *objects,
		       struct err *e)
{
	int rc = 0;

	*i = (struct image){ .spec = *spec };
	*spec = (struct image_spec){ .layers = 0 };
	take_request(i, r);
	for (size_t k = 0; !rc && k < objects->n; k++)
		rc = store_closure(r->store, &objects->v[k], 0, &i->objects, e);
	return rc ? rc : plan_own(i, r, e);
}

/* --- making layers --- */

struct job {
	struct layer *l;
	struct err err;
	int rc;
};

struct work {
	const struct image_request *r;
	struct job *v;
	size_t n, cap;
	int store, to;
};

static int by_weight(const void *a, const void *b)
{
	uint64_t x = layer_weight(((const struct job *)a)->l), y = layer_weight(((const struct job *)b)->l);

	return x == y ? 0 : x > y ? -1 : 1;
}

static int is_file(int dir, const struct layer *l)
{
	char name[HASH_TEXT_MAX];
	struct stat st;

	hash_print(&l->digest, HASH_BASE16, 0, name);
	return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) && (uint64_t)st.st_size == l->size;
}

static int is_to_make(const struct work *w, const struct layer *l, enum image_make which)
{
	if (!l->known || which == MAKE_UNKNOWN || w->to < 0)
		return !l->known;
	return (which == MAKE_ALL || l->wanted) && !is_file(w->to, l);
}

static void add_jobs(struct image *i, struct work *w, enum image_make which)
{
	for (size_t k = 0; k < i->n; k++)
		if (is_to_make(w, &i->layers[k], which)) {
			ARRAY_GROW(w->v, w->n + 1, w->cap);
			w->v[w->n++] = (struct job){ .l = &i->layers[k] };
		}
	for (size_t k = 0; k < i->nparts; k++)
		add_jobs(i->parts[k], w, which);
}

/* Under a name of its own until it is whole. */
static int make_file(struct work *w, struct job *j, size_t at)
{
	char temp[64], name[HASH_TEXT_MAX];
	int rc, fd;

	snprintf(temp, sizeof temp, ".new-%ld-%zu", (long)getpid(), at);
	fd = openat(w->to, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_errno(&j->err, "cannot make a file for a layer");
	rc = layer_make(j->l, w->store, fd, &j->err);
	close(fd);
	hash_print(&j->l->digest, HASH_BASE16, 0, name);
	if (!rc && renameat(w->to, temp, w->to, name))
		rc = err_errno(&j->err, "cannot name a layer");
	if (rc)
		unlinkat(w->to, temp, 0);
	return rc;
}

/* Those of others come over the network, by the thread that may. */
static int fetch_foreign(struct work *w, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; !rc && k < w->n; k++) {
		const struct layer *l = w->v[k].l;
		char name[HASH_TEXT_MAX];
		int fd;

		if (l->kind != LAYER_FOREIGN)
			continue;
		if (!w->r->fetch)
			return err_set(e, ERR_INVALID, "a layer of the base is not here");
		fd = openat(w->to, ".new-foreign", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd < 0)
			return err_errno(e, "cannot make a file for a layer");
		rc = w->r->fetch(w->r->user, l, fd, e);
		close(fd);
		hash_print(&l->digest, HASH_BASE16, 0, name);
		if (!rc && renameat(w->to, ".new-foreign", w->to, name))
			rc = err_errno(e, "cannot name a layer");
		if (rc)
			unlinkat(w->to, ".new-foreign", 0);
	}
	return rc;
}

static void run_job(void *arg, unsigned worker, size_t k)
{
	struct work *w = arg;
	struct job *j = &w->v[k];
	struct buf title = BUF_INIT;

	(void)worker;
	if (j->l->kind == LAYER_FOREIGN)
		return;
	buf_addf(&title, "layer %s%s", j->l->n ? j->l->paths[0].path.base : "of folders", j->l->n > 1 ? " and others" : "");
	unsigned activity = activity_begin(ACTIVITY_COPY, title.p);

	j->rc = w->to >= 0 ? make_file(w, j, k) : layer_make(j->l, w->store, -1, &j->err);
	activity_end(activity, j->rc);
	buf_release(&title);
}

int image_make(struct image *i, const struct image_request *r, int to, enum image_make which, size_t *made, struct err *e)
{
	struct work w = { .r = r, .store = store_fd(r->store), .to = to };
	int rc;

	add_jobs(i, &w, which);
	if (w.n)
		qsort(w.v, w.n, sizeof *w.v, by_weight);
	rc = fetch_foreign(&w, e);
	if (!rc)
		parallel_each(w.n, run_job, &w);
	for (size_t k = 0; k < w.n; k++) {
		if (w.v[k].rc && !rc)
			rc = err_set(e, w.v[k].rc, "%s", w.v[k].err.msg ? w.v[k].err.msg : "a layer cannot be made");
		if (!w.v[k].rc)
			layer_remember(w.v[k].l, r->cache);
		err_release(&w.v[k].err);
	}
	if (made)
		*made += w.n;
	free(w.v);
	return rc;
}
