/* SPDX-License-Identifier: MIT
 *
 * The table of known store objects.
 *
 * Every object has a small id; what an object refers to is a row of ids, so that a closure is a walk over
 * arrays, and a derivation costs a few hundred bytes however often it is used.  An object is created
 * when its path is first mentioned and filled in when it is made or read (`known`).
 *
 * The digest at the start of a store path is a good hash already: the table takes eight digits of
 * it as they are.
 *
 * Records stand in an arena, texts to be written do not.  The table is a session's.
 */
#include "config.h"
#include "builtins/drvs.h"
#include "base/alloc.h"

#include "base/arena.h"
#include "base/buf.h"
#include "builtins/store_ops.h"
#include "eval/eval.h"
#include "format/drv_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	struct arena mem;
	struct store_object **objects; /* by id */
	uint32_t count, cap;
	uint32_t *slots; /* id + 1, 0 empty; a power of two of them */
	uint32_t nslots;
	uint32_t walk; /* the mark of the closure walked last */
} tab;

static void end(void)
{
	for (uint32_t id = 0; id < tab.count; id++)
		free((char *)tab.objects[id]->text.p);
	free(tab.objects);
	free(tab.slots);
	arena_release(&tab.mem);
}

const struct session_part drvs_session[] = { { &tab, sizeof tab, end }, { 0 } };

static uint32_t digest_bits(struct slice path)
{
	size_t at = strlen(eval_settings.store_dir) + 1;
	uint64_t h = 0;

	if (path.n >= at + sizeof h)
		memcpy(&h, path.p + at, sizeof h);
	else
		memcpy(&h, path.p, path.n < sizeof h ? path.n : sizeof h);
	return (uint32_t)((h * 0x9e3779b97f4a7c15u) >> 32);
}

static uint32_t *slot_of(struct slice path)
{
	uint32_t i = digest_bits(path) & (tab.nslots - 1);

	while (tab.slots[i] && !slice_eq(tab.objects[tab.slots[i] - 1]->path, path))
		i = (i + 1) & (tab.nslots - 1);
	return &tab.slots[i];
}

static void grow(void)
{
	tab.nslots = tab.nslots ? tab.nslots * 2 : 1024;
	free(tab.slots);
	tab.slots = xcalloc(tab.nslots, sizeof *tab.slots);
	for (uint32_t id = 0; id < tab.count; id++)
		*slot_of(tab.objects[id]->path) = id + 1;
}

/* The id of the object at path, new when it was never met. */
static uint32_t intern(struct slice path)
{
	struct store_object *o;
	uint32_t *s;

	if (2 * tab.count >= tab.nslots)
		grow();
	s = slot_of(path);
	if (*s)
		return *s - 1;
	ARRAY_GROW(tab.objects, tab.count + 1, tab.cap);
	o = arena_alloc(&tab.mem, sizeof *o);
	o->path = (struct slice){ arena_dup(&tab.mem, path.p, path.n), path.n };
	tab.objects[tab.count] = o;
	*s = ++tab.count;
	return tab.count - 1;
}

const struct store_object *drvs_find(struct slice path)
{
	uint32_t s = tab.nslots ? *slot_of(path) : 0;

	return s ? tab.objects[s - 1] : NULL;
}

const struct store_object *drvs_object(uint32_t id)
{
	return tab.objects[id];
}

uint32_t drvs_count(void)
{
	return tab.count;
}

static struct slice keep(struct slice s)
{
	return s.n ? (struct slice){ arena_dup(&tab.mem, s.p, s.n), s.n } : (struct slice){ "", 0 };
}

/* Texts are malloc memory, given back when they are written: an evaluation that writes all of nixpkgs would else
 * hold a hundred megabytes of them. */
static void keep_text(struct store_object *o, struct slice text)
{
	char *p;

	if (!text.p || (!store_ops_writing() && !store_ops_may_come()))
		return;
	p = xmalloc(text.n + 1);
	memcpy(p, text.p, text.n);
	p[text.n] = 0;
	o->text = (struct slice){ p, text.n };
	o->unwritten = 1;
}

/* Inputs and sources are both in byte order: their merge is the order of references. */
static void fill_refs(struct store_object *o, const struct drv *d)
{
	uint32_t *refs = arena_alloc(&tab.mem, (d->ninputs + d->nsrcs + 1) * sizeof *refs);
	size_t i = 0, j = 0, n = 0;

	while (i < d->ninputs || j < d->nsrcs) {
		int c = i == d->ninputs ? 1 : j == d->nsrcs ? -1 : slice_cmp(d->inputs[i].path, d->srcs[j]);

		refs[n++] = intern(c <= 0 ? d->inputs[i].path : d->srcs[j]);
		i += c <= 0;
		j += c >= 0;
	}
	o->refs = refs;
	o->nrefs = (uint32_t)n;
}

const struct store_object *drvs_add(const struct drv *d, struct slice path, const struct drv_modulo *m,
				    struct slice text)
{
	uint32_t id = intern(path);
	struct store_object *o = tab.objects[id];
	struct drv_known *k;

	if (o->known)
		return o;
	k = arena_alloc(&tab.mem, sizeof *k + d->noutputs * sizeof k->outputs[0]);
	k->name = keep(d->name);
	k->modulo = *m;
	k->noutputs = d->noutputs;
	for (size_t i = 0; i < d->noutputs; i++) {
		k->outputs[i].name = keep(d->outputs[i].name);
		k->outputs[i].path = keep(d->outputs[i].path);
	}
	o->drv = k;
	fill_refs(o, d);
	keep_text(o, text);
	o->known = 1;
	return o;
}

void drvs_add_text(struct slice path, const struct slice *refs, size_t nrefs, struct slice text)
{
	uint32_t id = intern(path);
	struct store_object *o = tab.objects[id];
	uint32_t *r;

	if (o->known)
		return;
	r = arena_alloc(&tab.mem, (nrefs + 1) * sizeof *r);
	for (size_t i = 0; i < nrefs; i++)
		r[i] = intern(refs[i]);
	o->refs = r;
	o->nrefs = (uint32_t)nrefs;
	keep_text(o, text);
	o->known = 1;
}

/* --- reading what was not made here --- */

static int read_file(struct slice path, struct buf *b, struct err *e)
{
	char part[8192];
	ssize_t n;
	int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_errno(e, "cannot read the derivation '%s'", path.p);
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_add(b, part, (size_t)n);
	if (n < 0)
		err_errno(e, "cannot read the derivation '%s'", path.p);
	close(fd);
	return n < 0 ? ERR_IO : 0;
}

/* Reads and parses the .drv at path into d.  Without a store in use, a file that happens to be at its logical place
 * will do: what it says is checked as any other's is. */
static int read_drv(struct slice path, struct drv *d, struct buf *text, struct err *e)
{
	struct slice dir = slice_of(eval_settings.store_dir), name;
	struct store_path p;
	int rc = store_path_parse(dir, path, &p, e);

	if (rc)
		return rc;
	if (!store_path_is_drv(&p))
		return err_set(e, ERR_INVALID, "'%s' is not the path of a derivation", path.p);
	rc = store_ops ? store_ops->read_text(store_ops->user, path, text, e) : read_file(path, text, e);
	if (rc)
		return rc;
	name = store_path_name(&p);
	name.n -= 4;
	return drv_parse(d, dir, name, (struct slice){ buf_str(text), text->len }, e);
}

static int known_modulo(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	const struct store_object *o = drvs_find(path);

	(void)user;
	if (!o || !o->known)
		return 0;
	if (!o->drv)
		return err_set(e, ERR_INVALID, "'%s' is not a derivation", o->path.p);
	*out = o->drv->modulo;
	return 1;
}

static int read_one(void *user, struct slice path, struct drv *d, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = read_drv(path, d, &text, e);

	(void)user;
	buf_release(&text);
	return rc;
}

static void keep_one(void *user, struct slice path, const struct drv *d, const struct drv_modulo *m)
{
	(void)user;
	drvs_add(d, path, m, (struct slice){ NULL, 0 });
}

static int load(const struct store_object *o, struct err *e)
{
	static const struct drv_reader reader = { known_modulo, read_one, keep_one, NULL };

	return drv_load(&reader, slice_of(eval_settings.store_dir), o->path, e);
}

int drvs_known(void *user, struct slice path, struct drv_modulo *out)
{
	return known_modulo(user, path, out, NULL) > 0;
}

const struct store_object *drvs_need(struct slice path, struct err *e)
{
	uint32_t id = intern(path);
	struct store_object *o = tab.objects[id];

	if (!o->known && load(o, e))
		return NULL;
	if (!o->drv) {
		err_set(e, ERR_INVALID, "'%s' is not a derivation", o->path.p);
		return NULL;
	}
	return o;
}

static int cache_get(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	const struct store_object *o = drvs_need(path, e);

	(void)user;
	if (!o)
		return ERR_NOTFOUND;
	*out = o->drv->modulo;
	return 0;
}

const struct drv_cache drvs_cache = { cache_get, NULL };

/* --- closures --- */

/* What a store knows of an object that was not made here. */
static void add_ref(void *arg, struct slice ref)
{
	struct buf *ids = arg;
	uint32_t id = intern(ref);

	buf_add(ids, &id, sizeof id);
}

/* Fills in o's references if they can be known.  Returns 1 (go on into them) or a negative code. */
static int learn(struct store_object *o, struct err *e)
{
	struct buf ids = BUF_INIT;
	int rc;

	if (o->known)
		return 1;
	if (slice_ends(o->path, SLICE(".drv"))) {
		rc = load(o, e);
		return rc ? rc : 1;
	}
	if (!store_ops)
		return 1;
	rc = store_ops->references(store_ops->user, o->path, add_ref, &ids, e);
	if (!rc) {
		o->nrefs = (uint32_t)(ids.len / sizeof *o->refs);
		o->refs = memcpy(arena_alloc(&tab.mem, ids.len + 1), buf_str(&ids), ids.len);
		o->known = 1;
	}
	buf_release(&ids);
	return rc ? rc : 1;
}

/* A walk in depth-first order: open() says whether to go into an object's references (1, 0 or a negative
 * code), leave() is called after all of them. */
struct walker {
	int (*open)(struct store_object *o, struct err *e);
	int (*leave)(void *arg, struct store_object *o, struct err *e);
	void *arg;
	struct frame {
		struct store_object *o;
		uint32_t next, end;
	} *st;
	size_t n, cap;
};

static int enter(struct walker *w, uint32_t id, struct err *e)
{
	struct store_object *o = tab.objects[id];
	int rc;

	if (o->mark == tab.walk)
		return 0;
	o->mark = tab.walk;
	rc = w->open(o, e);
	if (rc < 0)
		return rc;
	ARRAY_GROW(w->st, w->n + 1, w->cap);
	w->st[w->n++] = (struct frame){ o, 0, rc ? o->nrefs : 0 };
	return 0;
}

static int walk_closure(struct walker *w, uint32_t id, struct err *e)
{
	int rc;

	tab.walk++;
	rc = enter(w, id, e);
	while (!rc && w->n) {
		struct frame *f = &w->st[w->n - 1];

		if (f->next < f->end) {
			rc = enter(w, f->o->refs[f->next++], e);
		} else {
			w->n--;
			rc = w->leave(w->arg, f->o, e);
		}
	}
	free(w->st);
	return rc;
}

struct visitor {
	void (*each)(void *arg, const struct store_object *o);
	void *arg;
};

static int visit(void *arg, struct store_object *o, struct err *e)
{
	struct visitor *v = arg;

	(void)e;
	v->each(v->arg, o);
	return 0;
}

int drvs_closure(struct slice path, void (*each)(void *arg, const struct store_object *o), void *arg, struct err *e)
{
	struct visitor v = { each, arg };
	struct walker w = { .open = learn, .leave = visit, .arg = &v };

	return walk_closure(&w, intern(path), e);
}

/* --- writing --- */

/* What was written, or was there before, has its closure in the store. */
static int is_unwritten(struct store_object *o, struct err *e)
{
	(void)e;
	return o->unwritten;
}

static int write_one(void *arg, struct store_object *o, struct err *e)
{
	const struct store_ops *ops = arg;
	struct slice *refs;
	int rc;

	if (!o->unwritten)
		return 0;
	refs = xmalloc((o->nrefs + 1) * sizeof *refs);
	for (uint32_t i = 0; i < o->nrefs; i++)
		refs[i] = tab.objects[o->refs[i]]->path;
	rc = ops->add_text(ops->user, o->path, o->text, refs, o->nrefs, e);
	free(refs);
	if (rc)
		return rc;
	free((char *)o->text.p);
	o->text = (struct slice){ NULL, 0 };
	o->unwritten = 0;
	return 0;
}

int drvs_write(struct slice path, struct err *e)
{
	const struct store_ops *ops = store_ops_writing();
	struct walker w = { .open = is_unwritten, .leave = write_one, .arg = (void *)ops };

	return ops ? walk_closure(&w, intern(path), e) : 0;
}
