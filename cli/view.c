/* SPDX-License-Identifier: MIT
 *
 * What a daemon said to be valid is remembered as a row; what it said not to be, until something was built.
 */
#include "config.h"
#include "cli/view.h"
#include "base/alloc.h"
#include "cache/cache_settings.h"
#include "cache/caches.h"
#include "cache/copy.h"
#include "cache/fill.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "fetch/interrupt.h"
#include "remote/remote.h"
#include "store/claims.h"
#include "store/gc.h"
#include "store/object.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct view {
	struct store *s;
	struct store_source source;
	char *root, *address;
	char *mounted; /* the folder of its store, where its file system is mounted */
	struct remote *remote; /* of a daemon, else NULL: */
	struct caches caches;  /* a binary cache */
	int have_caches;
	struct path_set brought; /* out of the cache: it need not be put there */
	struct path_set absent; /* it was said that they are not valid */
	int knows_all;
};

static void note(void *user, const char *text)
{
	(void)user;
	if (!progress_settings.quiet)
		report_line("note: %s", text);
}

static void on_event(void *user, const struct build_event *ev)
{
	(void)user;
	progress_build_event(ev);
}

/* dummy:// has what was put there, and nobody to ask. */
static int is_of_nothing(const struct view *v)
{
	return !v->remote && !v->have_caches;
}

/* --- rows --- */

static int is_known(void *user, const struct store_path *p, struct err *e)
{
	struct view *v = user;

	return path_set_has(&v->absent, p) ? 1 : db_is_valid(store_db(v->s), p, e);
}

/* Registers what came, and remembers what did not. */
static int take_closure(struct view *v, const struct path_set *asked, struct remote_closure *c, struct err *e)
{
	int rc = c->n ? db_register(store_db(v->s), c->v, c->n, e) : 0;

	for (size_t i = 0; !rc && v->have_caches && i < c->n; i++)
		path_set_add(&v->brought, &c->v[i].path);
	for (size_t i = 0; !rc && i < asked->n; i++) {
		int valid = db_is_valid(store_db(v->s), &asked->v[i], e);

		if (valid < 0)
			return valid;
		if (!valid)
			path_set_add(&v->absent, &asked->v[i]);
	}
	return rc;
}

/* The row a narinfo stands for. */
static struct path_info row_of(const struct narinfo *n)
{
	struct path_info i = { .path = n->path, .nar_hash = n->nar_hash, .nar_size = n->nar_size, .deriver = n->deriver };

	i.sigs = n->sigs ? xstrdup(n->sigs) : NULL;
	i.ca = n->ca ? xstrdup(n->ca) : NULL;
	path_set_add_all(&i.refs, &n->refs);
	return i;
}

static int ask_cache(struct view *v, struct question *q, struct err *e)
{
	int rc = 0;

	while (!rc && (rc = question_move(&v->caches, q, e)) == 0)
		rc = caches_turn(&v->caches, 1000, e);
	return rc < 0 ? rc : 0;
}

/* From a binary cache, one after the other. */
static int cache_closure(struct view *v, const struct path_set *paths, struct remote_closure *out, struct err *e)
{
	struct path_set todo = PATH_SET_INIT, seen = PATH_SET_INIT;
	int rc = 0;

	path_set_add_all(&todo, paths);
	path_set_add_all(&seen, paths);
	while (rc >= 0 && todo.n) {
		struct question q = { .path = todo.v[--todo.n] };

		rc = is_known(v, &q.path, e);
		rc = rc ? rc : ask_cache(v, &q, e);
		if (!rc && q.from) {
			ARRAY_GROW(out->v, out->n + 1, out->cap);
			out->v[out->n++] = row_of(&q.info);
			for (size_t i = 0; i < q.info.refs.n; i++)
				if (path_set_add(&seen, &q.info.refs.v[i]))
					path_set_push(&todo, &q.info.refs.v[i]);
		}
		question_release(&q);
	}
	path_set_release(&todo);
	path_set_release(&seen);
	return rc < 0 ? rc : 0;
}

static int bring_rows(struct view *v, const struct path_set *paths, struct err *e)
{
	struct remote_closure c = { NULL, 0, 0 };
	int rc = v->remote ? remote_get_closure(v->remote, paths, 0, is_known, v, &c, e) : cache_closure(v, paths, &c, e);

	rc = rc ? rc : take_closure(v, paths, &c, e);
	remote_closure_release(&c);
	return rc;
}

static int bring_row(struct view *v, const struct store_path *p, struct err *e)
{
	struct path_set one = PATH_SET_INIT;
	int rc = is_known(v, p, e);

	if (rc)
		return rc < 0 ? rc : 0;
	path_set_push(&one, p);
	rc = bring_rows(v, &one, e);
	path_set_release(&one);
	return rc;
}

static int bring_list(struct view *v, enum remote_question q, const struct store_path *p, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	int rc = remote_paths(v->remote, q, p, &paths, e);

	rc = rc ? rc : bring_rows(v, &paths, e);
	path_set_release(&paths);
	return rc;
}

static int cannot_list(const struct view *v, struct err *e)
{
	return err_set(e, ERR_INVALID, "'%s' is a binary cache: it does not tell which objects it has", v->address);
}

struct outputs {
	struct view *v;
	const struct store_path *drv;
};

static int add_output(void *user, struct slice name, const struct store_path *path, struct err *e)
{
	struct outputs *o = user;

	return db_add_output(store_db(o->v->s), o->drv, name, path, e);
}

static int bring_outputs(struct view *v, const struct store_path *drv, struct err *e)
{
	struct outputs o = { v, drv };
	int rc = bring_row(v, drv, e);

	rc = rc ? rc : db_is_valid(store_db(v->s), drv, e);
	if (rc <= 0 || !v->remote || !store_path_is_drv(drv))
		return rc < 0 ? rc : 0;
	return remote_outputs(v->remote, drv, add_output, &o, e);
}

/* The object a digest belongs to. */
static int bring_digest(struct view *v, struct slice digest, struct err *e)
{
	struct store_path p;
	int rc;

	if (!v->remote || digest.n != STORE_HASH_LEN)
		return 0;
	rc = remote_find_digest(v->remote, digest, &p, e);
	return rc == 1 ? bring_row(v, &p, e) : rc;
}

static int need(void *user, enum db_need what, const struct store_path *p, struct slice digest, struct err *e)
{
	struct view *v = user;
	int rc = 0;

	if (is_of_nothing(v))
		return 0;
	switch (what) {
	case DB_NEED_ROW: return bring_row(v, p, e);
	case DB_NEED_REFERRERS: return v->remote ? bring_list(v, REMOTE_REFERRERS, p, e) : cannot_list(v, e);
	case DB_NEED_DERIVERS: return v->remote ? bring_list(v, REMOTE_DERIVERS, p, e) : 0;
	case DB_NEED_OUTPUTS: return bring_outputs(v, p, e);
	case DB_NEED_DIGEST: return bring_digest(v, digest, e);
	case DB_NEED_ALL:
		rc = !v->remote ? cannot_list(v, e) : v->knows_all ? 0 : bring_list(v, REMOTE_ALL, NULL, e);
		v->knows_all |= !rc;
	}
	return rc;
}

/* --- files --- */

struct arrival {
	struct store *s;
	const struct path_info *info;
};

/* Hashed on the way; the row is there already. */
static int restore(void *user, const struct byte_source *nar, struct err *e)
{
	const struct arrival *a = user;
	struct object_facts f = { .max_size = a->info->nar_size };
	int rc = object_restore(nar, store_fd(a->s), a->info->path.base, &f, e);

	if (!rc && !hash_eq(&f.nar_hash, &a->info->nar_hash)) {
		rc = err_set(e, ERR_HASH, "'%s' did not come as it was announced", a->info->path.base);
		tree_remove(store_fd(a->s), a->info->path.base, NULL, NULL, NULL);
	}
	object_facts_release(&f);
	return rc;
}

/* From a binary cache they come the way everything does, into another store; from there they are taken. */
static int files_of_cache(struct view *v, const struct store_path *p, struct err *e)
{
	const struct cache_source from = { .address = v->address, .note = note };
	struct path_set one = PATH_SET_INIT;
	struct copy_result result;
	struct place place = { 0 };
	struct store *other = NULL;
	struct buf root = BUF_INIT;
	int rc;

	buf_addf(&root, "%s/fetched", v->root);
	rc = place_choose(&place, &(struct place_request){ .store = root.p, .store_dir = store_place(v->s)->store_dir }, e);
	rc = rc ? rc : store_open(&other, &place, STORE_NOSYNC, e);
	path_set_push(&one, p);
	rc = rc ? rc : copy_from_cache(&from, other, &one, &result, e);
	if (!rc && renameat(store_fd(other), p->base, store_fd(v->s), p->base))
		rc = err_errno(e, "cannot take '%s' from where it was fetched", p->base);
	store_free(other);
	place_release(&place);
	path_set_release(&one);
	buf_release(&root);
	return rc;
}

/* Where its file system is mounted they are read. */
static int files_mounted(struct view *v, const struct path_info *info, struct err *e)
{
	const char *base = info->path.base;
	struct object_facts f = { .max_size = 0 };
	int fd = open(v->mounted, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_errno(e, "the store of '%s' is not mounted at '%s'", v->address, v->mounted);
	rc = object_copy(fd, base, base, NULL, store_fd(v->s), base, &f, e);
	if (!rc && !hash_eq(&f.nar_hash, &info->nar_hash)) {
		rc = err_set(e, ERR_HASH, "'%s/%s' is not what '%s' has by that name", v->mounted, base, v->address);
		tree_remove(store_fd(v->s), base, NULL, NULL, NULL);
	}
	object_facts_release(&f);
	close(fd);
	return rc;
}

static int files(void *user, const struct store_path *p, struct err *e)
{
	struct view *v = user;
	struct path_info info = { 0 };
	struct arrival a = { v->s, &info };
	int rc;

	if (is_of_nothing(v))
		return 0;
	rc = db_info(store_db(v->s), p, &info, e);
	if (!rc)
		rc = v->mounted	 ? files_mounted(v, &info, e)
		     : v->remote ? remote_archive(v->remote, p, restore, &a, e)
				 : files_of_cache(v, p, e);
	path_info_release(&info);
	return rc;
}

/* --- care --- */

static int want_daemon(const struct view *v, struct err *e)
{
	if (is_of_nothing(v))
		return err_set(e, ERR_INVALID, "'%s' is nowhere: this cannot be done to it", v->address);
	return v->remote ? 0 : err_set(e, ERR_INVALID, "'%s' is a binary cache: this is done to it where it lies", v->address);
}

struct collected {
	const struct gc_options *o;
	struct gc_result *result;
};

static void on_collected(void *user, struct slice path)
{
	const struct collected *c = user;
	const char *slash = memrchr(path.p, '/', path.n);

	c->result->n++;
	if (c->o->each)
		c->o->each(c->o->arg, slash ? slash + 1 : path.p);
}

static int gc(void *user, const struct gc_options *o, struct gc_result *out, struct err *e)
{
	static const int actions[] = { [GC_LIST_LIVE] = 0, [GC_LIST_DEAD] = 1, [GC_DELETE_DEAD] = 2, [GC_DELETE_PATHS] = 3 };
	struct view *v = user;
	struct collected c = { o, out };
	int rc = want_daemon(v, e);

	return rc ? rc : remote_gc(v->remote, actions[o->action], o->action == GC_DELETE_PATHS ? o->paths : NULL, o->max_freed,
				   on_collected, &c, &out->freed, e);
}

static int optimise(void *user, struct err *e)
{
	struct view *v = user;
	int rc = want_daemon(v, e);

	return rc ? rc : remote_optimise(v->remote, e);
}

static int verify(void *user, int check_contents, size_t *bad, struct err *e)
{
	struct view *v = user;
	int damaged = 0, rc = want_daemon(v, e);

	rc = rc ? rc : remote_verify(v->remote, check_contents, 0, &damaged, e);
	*bad = (size_t)damaged;
	return rc;
}

/* --- roots, and the end --- */

static int root(void *user, const char *link, struct err *e)
{
	struct view *v = user;

	return v->remote ? remote_indirect_root(v->remote, link, e) : 0;
}

static void closed(void *user)
{
	struct view *v = user;

	remote_free(v->remote);
	if (v->have_caches)
		caches_release(&v->caches);
	tree_remove(AT_FDCWD, v->root, NULL, NULL, NULL);
	path_set_release(&v->absent);
	path_set_release(&v->brought);
	free(v->root);
	free(v->address);
	free(v->mounted);
	free(v);
}

/* --- opening --- */

/* What the command line said is told to the daemon, which decides whether this user may. */
static const char **overrides(void)
{
	const char **v = NULL;
	size_t n = 0, cap = 0;
	struct setting_info s;

	for (size_t i = 0; settings_info(i, &s); i++)
		if (s.value && settings_is_said(s.name)) {
			ARRAY_GROW(v, n + 3, cap);
			v[n++] = s.name;
			v[n++] = s.value;
			v[n] = NULL;
		}
	return v;
}

static int send_wishes(struct remote *r, struct err *e)
{
	struct build_options o;
	const char **said = overrides();
	struct remote_wishes w = { .fallback = cache_settings.fallback,
				   .substitute = cache_settings.substitute,
				   .overrides = said };
	int rc;

	build_options_init(&o);
	w.keep_failed = o.settings.keep_failed;
	w.keep_going = o.settings.keep_going;
	w.max_jobs = o.settings.max_jobs;
	w.max_silent = o.settings.max_silent;
	w.cores = o.settings.cores;
	rc = remote_wish(r, &w, e);
	free(said);
	return rc;
}

static int connect_view(struct view *v, const struct place *p, struct err *e)
{
	const struct remote_hooks hooks = { .note = note, .event = on_event, .user = v };
	struct remote_address a;
	int rc;

	if (place_is_dummy(p->address))
		return 0;
	if (!remote_address_is(p->address)) {
		rc = caches_open(&v->caches, p->address, slice_of(p->store_dir), e);
		v->caches.note = note;
		v->caches.may_be_new = 1;
		v->have_caches = !rc;
		return rc;
	}
	rc = remote_address_parse(p->address, &a, e);
	if (rc)
		return rc;
	rc = remote_open(&v->remote, &a, slice_of(p->store_dir), &hooks, e);
	if (a.mounted)
		v->mounted = xstrdup(a.real ? a.real : p->store_dir);
	remote_address_release(&a);
	return rc ? rc : send_wishes(v->remote, e);
}

int view_open(struct store **out, const struct place *place, enum store_flags flags, struct err *e)
{
	struct view *v;
	int rc;

	if (place->mode != PLACE_VIEW)
		return store_open(out, place, flags, e);
	v = xcalloc(1, sizeof *v);
	v->root = xstrdup(place->root);
	v->address = xstrdup(place->address);
	rc = connect_view(v, place, e);
	if (!rc && mkdir(v->root, 0700))
		rc = err_errno(e, "cannot make the folder '%s'", v->root);
	rc = rc ? rc : store_open(&v->s, place, STORE_NOSYNC | STORE_OF_VIEW, e);
	if (rc) {
		closed(v);
		return rc;
	}
	v->source = (struct store_source){ need, files, root, gc, optimise, verify, closed, v };
	store_set_source(v->s, &v->source);
	*out = v->s;
	return 0;
}

struct remote *view_remote(const struct store *s)
{
	const struct store_source *source = store_source(s);

	return source && source->need == need ? ((struct view *)source->user)->remote : NULL;
}

int view_is_cache(const struct store *s)
{
	const struct store_source *source = store_source(s);

	return source && source->need == need && ((struct view *)source->user)->have_caches;
}

/* What is there already is left out. */
static int put(struct store *s, struct view *v, const struct path_set *paths, struct err *e)
{
	const struct fill_options o = { .cancel_fd = fetch_interrupt_fd, .note = note };
	struct fill_result filled;
	size_t added;

	if (is_of_nothing(v))
		return want_daemon(v, e);
	return v->remote ? remote_add(v->remote, s, paths, 0, &added, e) : cache_fill(s, v->address, paths, &o, &filled, e);
}

int view_send(struct store *s, const struct store_path *p, struct err *e)
{
	const struct store_source *source = store_source(s);
	struct path_set paths = PATH_SET_INIT;
	int rc;

	if (!source)
		return 0;
	rc = store_closure(s, p, 0, &paths, e);
	rc = rc ? rc : put(s, source->user, &paths, e);
	path_set_release(&paths);
	return rc;
}

int view_send_all(struct store *s, struct err *e)
{
	const struct store_source *source = store_source(s);
	struct path_set all = PATH_SET_INIT, paths = PATH_SET_INIT;
	struct view *v;
	int rc;

	if (!source || is_of_nothing(source->user))
		return 0;
	v = source->user;
	/* What lies here, not what lies there: nobody is asked for the list. */
	db_set_source(store_db(s), NULL, NULL);
	rc = db_all(store_db(s), &all, e);
	db_set_source(store_db(s), need, v);
	for (size_t i = 0; !rc && i < all.n; i++)
		if (!path_set_has(&v->brought, &all.v[i]))
			path_set_push(&paths, &all.v[i]);
	rc = rc || !paths.n ? rc : put(s, v, &paths, e);
	path_set_release(&all);
	path_set_release(&paths);
	return rc;
}

/* --- building --- */

/* Texts of what is wanted, as the protocol has it. */
static char *names_of(const struct build_target *t)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < t->noutputs; i++)
		buf_addf(&b, "%s%.*s", i ? "," : "", (int)t->outputs[i].n, t->outputs[i].p);
	return b.len ? buf_detach(&b, NULL) : NULL;
}

static struct wanted *make_wanted(const struct build_targets *t)
{
	struct wanted *v = xcalloc(t->n + 1, sizeof *v);

	for (size_t i = 0; i < t->n; i++)
		v[i] = (struct wanted){ .path = t->v[i].drv, .outputs = 1, .names = names_of(&t->v[i]) };
	return v;
}

static int wants(const struct build_target *t, struct slice output)
{
	for (size_t i = 0; i < t->noutputs; i++)
		if (slice_eq(t->outputs[i], output))
			return 1;
	return !t->noutputs;
}

/* The outputs that are wanted of one, as build_realise tells them. */
static int add_outputs(struct store *s, const struct build_targets *t, size_t at, struct build_result *out, size_t *cap,
		       struct err *e)
{
	struct drv d;
	int rc = store_read_drv(s, &t->v[at].drv, &d, e);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < d.noutputs; i++) {
		struct store_path p;

		if (!wants(&t->v[at], d.outputs[i].name))
			continue;
		rc = store_path_parse(store_dir(s), d.outputs[i].path, &p, e);
		if (rc)
			break;
		ARRAY_GROW(out->v, out->n + 1, *cap);
		out->v[out->n++] = (struct build_output){ at, xstrndup(d.outputs[i].name.p, d.outputs[i].name.n), p };
	}
	drv_release(&d);
	return rc;
}

/* The daemon needs the derivations with all they refer to. */
static int send_drvs(struct store *s, struct remote *r, const struct build_targets *t, struct err *e)
{
	struct store *from = store_eval_store(s);
	struct path_set paths = PATH_SET_INIT;
	size_t added;
	int rc = 0;

	for (size_t i = 0; !rc && i < t->n; i++)
		rc = store_closure(from, &t->v[i].drv, 0, &paths, e);
	rc = rc ? rc : remote_add(r, from, &paths, 0, &added, e);
	path_set_release(&paths);
	return rc;
}

static int plan(struct store *s, const struct build_options *o, struct remote *r, const struct wanted *v, size_t n, struct err *e)
{
	const struct build_settings *set = &o->settings;
	struct remote_plan p;
	int rc = remote_missing(r, v, n, &p, e);

	for (size_t i = 0; !rc && i < p.builds.n; i++)
		set->plan(set->hooks.user, s, &p.builds.v[i]);
	if (!rc && p.fetches.n && set->plan_fetch)
		set->plan_fetch(set->hooks.user, s, &p.fetches, p.packed, p.unpacked);
	remote_plan_release(&p);
	return rc;
}

static int code_of(enum build_status s)
{
	return s == STATUS_TIMED_OUT ? ERR_TIMEOUT : s == STATUS_OUTPUT_REJECTED ? ERR_HASH :
	       s == STATUS_NOT_DETERMINISTIC ? ERR_DIFFERS : ERR_BUILD;
}

static int build(struct build_options *o, struct remote *r, const struct wanted *v, size_t n, struct err *e)
{
	struct remote_outcome *out = xcalloc(n + 1, sizeof *out);
	int mode = o->settings.repair ? 1 : o->settings.check ? 2 : 0, rc = remote_build(r, v, n, mode, out, e);

	for (size_t i = 0; i < n; i++) {
		if (!rc && !status_is_success(out[i].status))
			rc = err_set(e, code_of(out[i].status), "%s", out[i].text ? out[i].text : "the build failed");
		free(out[i].text);
	}
	free(out);
	return rc;
}

int view_realise(struct store *s, struct build_options *o, const struct build_targets *t, struct build_result *result,
		 struct err *e)
{
	struct view *v = store_source(s)->user;
	struct wanted *wanted = make_wanted(t);
	size_t cap = 0;
	int rc = send_drvs(s, v->remote, t, e);

	*result = (struct build_result){ NULL, 0, 0 };
	if (!rc && o->settings.plan)
		rc = plan(s, o, v->remote, wanted, t->n, e);
	else
		rc = rc ? rc : build(o, v->remote, wanted, t->n, e);
	path_set_release(&v->absent);
	for (size_t i = 0; !rc && i < t->n; i++)
		rc = add_outputs(s, t, i, result, &cap, e);
	for (size_t i = 0; i < t->n; i++)
		wanted_release(&wanted[i]);
	free(wanted);
	return rc;
}
