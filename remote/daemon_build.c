/* SPDX-License-Identifier: MIT
 *
 * What a client has built or fetched.
 *
 * A build is cancelled when the client goes away: what epoll makes of its descriptor, watched for nothing but that, can be waited
 * for like a pipe that says "stop".
 *
 * A client that is not trusted may send a derivation instead of naming one (as those do who use this machine to build for them)
 * only when its outputs are proved by their hash; anything else would let it fill any path with anything.
 */
#include "config.h"
#include "remote/daemon_int.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "store/claims.h"
#include "store/object.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum build_mode { MODE_NORMAL, MODE_REPAIR, MODE_CHECK, MODE_LAST = MODE_CHECK };

/* One derivation that failed. */
struct failure {
	struct store_path drv;
	int code;
	char *text;
};

/* A request, and how it went. */
struct request {
	struct client *c;
	struct wanted *v;
	size_t n, cap;
	enum build_mode mode;
	struct failure *failures;
	size_t nfailures, capfailures;
	struct path_set builds, fetches, unknown; /* what would be done */
	uint64_t packed, unpacked;
	time_t started;
};

static void request_release(struct request *r)
{
	for (size_t i = 0; i < r->n; i++)
		wanted_release(&r->v[i]);
	for (size_t i = 0; i < r->nfailures; i++)
		free(r->failures[i].text);
	free(r->v);
	free(r->failures);
	path_set_release(&r->builds);
	path_set_release(&r->fetches);
	path_set_release(&r->unknown);
}

static int get_wanted(struct request *r, struct err *e)
{
	struct client *c = r->c;
	uint64_t n;
	int rc = wire_get_bounded(&c->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		struct buf text = BUF_INIT;

		ARRAY_GROW(r->v, r->n + 1, r->cap);
		rc = wire_get_text(&c->w, LIMIT_WIRE_TEXT, &text, e);
		rc = rc ? rc : wanted_parse(c->dir, (struct slice){ buf_str(&text), text.len }, c->minor, &r->v[r->n], e);
		r->n += !rc;
		buf_release(&text);
	}
	return rc;
}

static int get_mode(struct request *r, struct err *e)
{
	uint64_t mode = 0;
	int rc = wire_get_bounded(&r->c->w, MODE_LAST, &mode, e);

	r->mode = (enum build_mode)mode;
	return rc;
}

/* --- settings of a build --- */

static void on_event(void *user, const struct build_event *ev)
{
	struct request *r = user;

	if (ev->kind == BUILD_FAILED) {
		ARRAY_GROW(r->failures, r->nfailures + 1, r->capfailures);
		r->failures[r->nfailures++] = (struct failure){ *ev->drv, ev->code, xstrndup(ev->text.p, ev->text.n) };
	}
	client_build_event(r->c, ev);
}

/* Readable once the client is gone; -1 when that cannot be told. */
static int watch_client(const struct client *c)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLRDHUP };

	if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, c->w.in, &ev)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct build_settings settings_of(struct request *r)
{
	const struct client *c = r->c;
	struct build_settings set = *c->o->build;

	set.check = r->mode != MODE_NORMAL;
	set.repair = r->mode == MODE_REPAIR;
	set.cancel_fd = watch_client(c);
	set.hooks.event = on_event;
	set.hooks.user = r;
	return set;
}

/* --- fetching --- */

/* Those that are not valid. */
static int missing_of(struct client *c, const struct path_set *paths, struct path_set *out, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		int rc = store_add_temp_root(c->s, &paths->v[i], e);

		rc = rc ? rc : store_is_there(c->s, &paths->v[i], NULL, e);
		if (rc < 0)
			return rc;
		if (!rc)
			path_set_push(out, &paths->v[i]);
	}
	return 0;
}

int client_substitute(struct client *c, const struct path_set *paths, struct err *e)
{
	struct path_set missing = PATH_SET_INIT;
	struct substituter *u = NULL;
	int rc = missing_of(c, paths, &missing, e), gone;

	if (!rc && missing.n) {
		gone = watch_client(c);
		rc = client_ask(c, &missing, gone, &u, e);
		rc = rc || !u ? rc : substituter_fetch(u, &missing, e);
		substituter_free(u);
		if (gone >= 0)
			close(gone);
	}
	path_set_release(&missing);
	return rc;
}

/* Makes objects valid, or fails. */
static int ensure(struct client *c, const struct path_set *paths, struct err *e)
{
	int rc = client_substitute(c, paths, e), valid = 1;

	for (size_t i = 0; !rc && valid == 1 && i < paths->n; i++) {
		valid = store_is_there(c->s, &paths->v[i], NULL, e);
		if (!valid)
			rc = err_set(e, ERR_NOTFOUND, "path '%.*s/%s' is not valid, and no binary cache has it", (int)c->dir.n,
				     c->dir.p, paths->v[i].base);
	}
	return valid < 0 ? valid : rc;
}

int op_ensure_path(struct client *c, enum operation op, struct err *e)
{
	struct path_set one = PATH_SET_INIT;
	struct store_path p;
	int rc = wire_get_path(&c->w, c->dir, 0, &p, e);

	(void)op;
	if (!rc) {
		client_begin(c);
		path_set_push(&one, &p);
		rc = client_done_well(c, ensure(c, &one, e), e);
	}
	path_set_release(&one);
	return rc;
}

/* --- building --- */

/* The names between commas; v has room for all of them. */
static size_t split_names(const char *text, struct slice *v)
{
	size_t n = 0;

	for (const char *p = text; *p; p += *p == ',') {
		v[n++] = (struct slice){ p, strcspn(p, ",") };
		p += v[n - 1].n;
	}
	return n;
}

struct targets {
	struct build_target *v;
	size_t n;
};

/* Those of the request that are outputs. */
static void make_targets(const struct request *r, struct targets *t)
{
	*t = (struct targets){ xcalloc(r->n + 1, sizeof *t->v), 0 };
	for (size_t i = 0; i < r->n; i++) {
		const struct wanted *w = &r->v[i];
		struct slice *names = w->names ? xcalloc(strlen(w->names) + 1, sizeof *names) : NULL;

		if (w->outputs)
			t->v[t->n++] = (struct build_target){ .drv = w->path, .outputs = names,
							      .noutputs = names ? split_names(w->names, names) : 0 };
	}
}

static void targets_release(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		free((void *)t->v[i].outputs);
	free(t->v);
}

static int realise(struct request *r, const struct targets *t, struct build_result *result, struct err *e)
{
	struct build_settings set = settings_of(r);
	int rc = build_realise(r->c->s, &set, t->v, t->n, result, e);

	if (set.cancel_fd >= 0)
		close(set.cancel_fd);
	return rc;
}

/* All of a request: objects first, then what is to be built. */
static int fulfil(struct request *r, struct build_result *result, struct err *e)
{
	struct path_set objects = PATH_SET_INIT;
	struct targets t;
	int rc;

	r->started = time(NULL);
	for (size_t i = 0; i < r->n; i++)
		path_set_add(&objects, &r->v[i].path);
	rc = ensure(r->c, &objects, e);
	make_targets(r, &t);
	if (!rc && t.n)
		rc = realise(r, &t, result, e);
	targets_release(&t);
	path_set_release(&objects);
	return rc;
}

static int get_request(struct request *r, struct err *e)
{
	int rc = get_wanted(r, e);

	rc = rc ? rc : get_mode(r, e);
	if (rc)
		return rc;
	client_begin(r->c);
	return r->mode == MODE_REPAIR ? client_want_trust(r->c, "nothing can be repaired", e) : 0;
}

int op_build_paths(struct client *c, enum operation op, struct err *e)
{
	struct request r = { .c = c };
	struct build_result result = { 0 };
	int rc = get_request(&r, e);

	(void)op;
	rc = rc ? rc : fulfil(&r, &result, e);
	rc = client_done_well(c, rc, e);
	build_result_release(&result);
	request_release(&r);
	return rc;
}

/* --- results --- */

static enum build_status status_of(int code)
{
	switch (code) {
	case ERR_BUILD: return STATUS_PERMANENT_FAILURE;
	case ERR_HASH: return STATUS_OUTPUT_REJECTED;
	case ERR_TIMEOUT: return STATUS_TIMED_OUT;
	case ERR_DIFFERS: return STATUS_NOT_DETERMINISTIC;
	}
	return STATUS_MISC_FAILURE;
}

int serve_build_paths(struct client *c, struct err *e)
{
	struct request r = { .c = c };
	struct build_result result = { 0 };
	struct err failed = ERR_INIT;
	int rc = get_wanted(&r, e);

	rc = rc ? rc : serve_get_options(c, e);
	if (!rc && fulfil(&r, &result, &failed)) {
		wire_put_number(&c->w, status_of(failed.code));
		wire_put_string(&c->w, failed.msg);
	} else if (!rc) {
		wire_put_number(&c->w, 0);
	}
	build_result_release(&result);
	err_release(&failed);
	request_release(&r);
	return rc;
}

/* How one went: its outputs follow when it went well. */
struct outcome {
	enum build_status status;
	const char *text;
	struct drv *drv; /* whose outputs are told; NULL: none are */
};

/* Clients look for names and paths only; the hash in the identity is of use where outputs have no path before they are built. */
static void put_outputs(struct client *c, const struct outcome *o)
{
	size_t n = o->drv && status_is_success(o->status) ? o->drv->noutputs : 0;

	wire_put_number(&c->w, n);
	for (size_t i = 0; i < n; i++) {
		const struct drv_output *out = &o->drv->outputs[i];
		struct buf id = BUF_INIT, text = BUF_INIT;

		buf_addf(&id, "sha256:%064d!%.*s", 0, (int)out->name.n, out->name.p);
		buf_adds(&text, "{\"dependentRealisations\":{},\"id\":");
		json_add_string(&text, id.p, id.len);
		buf_adds(&text, ",\"outPath\":");
		json_add_string(&text, out->path.p + c->dir.n + 1, out->path.n - c->dir.n - 1);
		buf_adds(&text, ",\"signatures\":[]}");
		wire_put_text(&c->w, (struct slice){ id.p, id.len });
		wire_put_text(&c->w, (struct slice){ text.p, text.len });
		buf_release(&id);
		buf_release(&text);
	}
}

static void put_result(struct client *c, const struct request *r, const struct outcome *o)
{
	wire_put_number(&c->w, o->status);
	wire_put_string(&c->w, o->text);
	if (c->minor >= 29) {
		wire_put_number(&c->w, o->status == STATUS_BUILT);
		wire_put_number(&c->w, o->status == STATUS_NOT_DETERMINISTIC);
		wire_put_number(&c->w, (uint64_t)r->started);
		wire_put_number(&c->w, (uint64_t)time(NULL));
	}
	if (c->minor >= 37) {
		wire_put_number(&c->w, 0); /* the time it took of a processor is not known: for the user, */
		wire_put_number(&c->w, 0); /* and in the system */
	}
	if (c->minor >= 28)
		put_outputs(c, o);
}

/* 1 when all that is wanted of a derivation is valid. */
static int outputs_valid(struct client *c, const struct wanted *w, const struct drv *d, struct err *e)
{
	struct slice *names = w->names ? xcalloc(strlen(w->names) + 1, sizeof *names) : NULL;
	size_t n = names ? split_names(w->names, names) : 0, found = 0;
	int valid = 1;

	for (size_t i = 0; valid == 1 && i < d->noutputs; i++) {
		const struct slice path = d->outputs[i].path;
		struct store_path p;
		int wants = !names;

		for (size_t k = 0; k < n; k++)
			wants += slice_eq(names[k], d->outputs[i].name);
		if (!wants)
			continue;
		found += (size_t)wants;
		if (!path.n)
			valid = 0;
		else if (!(valid = store_path_parse(c->dir, path, &p, e)))
			valid = store_is_valid(c->s, &p, e);
	}
	/* One that it does not have cannot be valid. */
	valid = valid == 1 && names && (!n || found < n) ? 0 : valid;
	free(names);
	return valid;
}

/* How it went with something that was not there before: it may be there now. */
static void judge(struct request *r, const struct wanted *w, const struct err *failed, struct outcome *o)
{
	if (!failed->code || (o->drv && outputs_valid(r->c, w, o->drv, NULL) == 1)) {
		o->status = w->outputs ? STATUS_BUILT : STATUS_SUBSTITUTED;
		return;
	}
	o->status = r->nfailures ? STATUS_DEPENDENCY_FAILED : status_of(failed->code);
	o->text = failed->msg;
	for (size_t i = 0; i < r->nfailures; i++)
		if (!store_path_cmp(&r->failures[i].drv, &w->path)) {
			o->status = status_of(r->failures[i].code);
			o->text = r->failures[i].text;
		}
}

static int read_drvs(struct request *r, struct drv *drvs, struct outcome *out, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < r->n; i++) {
		if (!r->v[i].outputs)
			continue;
		rc = store_is_valid(r->c->s, &r->v[i].path, e);
		rc = rc == 1 ? store_read_drv(r->c->s, &r->v[i].path, &drvs[i], e) : rc;
		if (!rc && drvs[i].noutputs) {
			out[i].drv = &drvs[i];
			rc = outputs_valid(r->c, &r->v[i], &drvs[i], e);
			out[i].status = rc == 1 ? STATUS_ALREADY_VALID : STATUS_BUILT;
		}
		rc = rc < 0 ? rc : 0;
	}
	return rc;
}

/* Only what is no build's fault fails the operation as a whole. */
static int build_all(struct request *r, struct outcome *out, struct drv *drvs, struct err *failed, struct err *e)
{
	struct build_result result = { 0 };
	int rc = read_drvs(r, drvs, out, e);

	if (rc)
		return rc;
	fulfil(r, &result, failed);
	build_result_release(&result);
	for (size_t i = 0; i < r->n; i++)
		if (out[i].status != STATUS_ALREADY_VALID || r->mode != MODE_NORMAL)
			judge(r, &r->v[i], failed, &out[i]);
	return failed->code == ERR_INTERRUPT ? err_set(e, failed->code, "%s", failed->msg) : 0;
}

int op_build_with_results(struct client *c, enum operation op, struct err *e)
{
	struct request r = { .c = c };
	struct err failed = ERR_INIT;
	int rc = get_request(&r, e);
	struct outcome *out = xcalloc(r.n + 1, sizeof *out);
	struct drv *drvs = xcalloc(r.n + 1, sizeof *drvs);

	(void)op;
	rc = rc ? rc : build_all(&r, out, drvs, &failed, e);
	rc = rc ? rc : client_done(c, e);
	if (!rc)
		wire_put_number(&c->w, r.n);
	for (size_t i = 0; !rc && i < r.n; i++) {
		struct buf text = BUF_INIT;

		wanted_add(&text, c->dir, &r.v[i], c->minor);
		wire_put_text(&c->w, (struct slice){ text.p, text.len });
		put_result(c, &r, &out[i]);
		buf_release(&text);
	}
	for (size_t i = 0; i < r.n; i++)
		if (out[i].drv)
			drv_release(&drvs[i]);
	free(drvs);
	free(out);
	err_release(&failed);
	request_release(&r);
	return rc;
}

/* --- a derivation that is sent --- */

static int get_texts(struct client *c, struct drv *d, void (*add)(struct drv *d, struct slice s), struct err *e)
{
	struct buf b = BUF_INIT;
	uint64_t n;
	int rc = wire_get_bounded(&c->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		buf_trim(&b, 0);
		rc = wire_get_text(&c->w, LIMIT_WIRE_TEXT, &b, e);
		if (!rc)
			add(d, (struct slice){ buf_str(&b), b.len });
	}
	buf_release(&b);
	return rc;
}

static int get_one(struct client *c, struct drv *d, void (*set)(struct drv *d, struct slice s), struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = wire_get_text(&c->w, LIMIT_WIRE_TEXT, &b, e);

	if (!rc)
		set(d, (struct slice){ buf_str(&b), b.len });
	buf_release(&b);
	return rc;
}

static int set_output(struct drv_output *o, struct buf *t, struct drv *d, struct err *e)
{
	int rc = 0;

	o->kind = t[1].len ? DRV_INPUT : DRV_DEFERRED;
	o->path = (struct slice){ arena_dup(&d->arena, buf_str(&t[1]), t[1].len), t[1].len };
	if (!t[2].len)
		return 0;
	o->kind = t[3].len ? DRV_FIXED : DRV_FLOATING;
	rc = ca_method_parse_algo((struct slice){ buf_str(&t[2]), t[2].len }, &o->method, &o->hash.algo, e);
	if (!rc && t[3].len)
		rc = hash_parse(buf_str(&t[3]), t[3].len, o->hash.algo, &o->hash, NULL, e);
	return rc;
}

/* name path method-and-algorithm hash */
static int get_outputs(struct client *c, struct drv *d, struct err *e)
{
	struct buf t[4] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
	uint64_t n;
	int rc = wire_get_bounded(&c->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		for (int k = 0; !rc && k < 4; k++) {
			buf_trim(&t[k], 0);
			rc = wire_get_text(&c->w, LIMIT_WIRE_TEXT, &t[k], e);
		}
		if (!rc)
			rc = set_output(drv_add_output(d, (struct slice){ buf_str(&t[0]), t[0].len }), t, d, e);
	}
	for (int k = 0; k < 4; k++)
		buf_release(&t[k]);
	return rc;
}

static int get_env(struct client *c, struct drv *d, struct err *e)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	uint64_t n;
	int rc = wire_get_bounded(&c->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		buf_trim(&key, 0);
		buf_trim(&value, 0);
		rc = wire_get_text(&c->w, LIMIT_WIRE_TEXT, &key, e);
		rc = rc ? rc : wire_get_text(&c->w, LIMIT_WIRE_TEXT, &value, e);
		if (!rc)
			drv_set_env(d, (struct slice){ buf_str(&key), key.len }, (struct slice){ buf_str(&value), value.len });
	}
	buf_release(&key);
	buf_release(&value);
	return rc;
}

/* outputs sources system builder arguments environment; as a text, which is then read and checked like any other. */
static int get_derivation(struct client *c, struct slice name, struct buf *text, struct err *e)
{
	struct drv d;
	int rc;

	drv_init(&d, name);
	rc = get_outputs(c, &d, e);
	rc = rc ? rc : get_texts(c, &d, drv_add_src, e);
	rc = rc ? rc : get_one(c, &d, drv_set_system, e);
	rc = rc ? rc : get_one(c, &d, drv_set_builder, e);
	rc = rc ? rc : get_texts(c, &d, drv_add_arg, e);
	rc = rc ? rc : get_env(c, &d, e);
	if (!rc) {
		drv_sort(&d);
		drv_write(text, &d);
	}
	drv_release(&d);
	return rc;
}

static int is_fixed(const struct drv *d)
{
	for (size_t i = 0; i < d->noutputs; i++)
		if (d->outputs[i].kind != DRV_FIXED)
			return 0;
	return d->noutputs > 0;
}

/* One whose outputs prove themselves is put into the store, under the name that follows from it. */
static int adopt(struct client *c, struct drv *d, struct slice text, struct store_path *drv, struct err *e)
{
	struct path_set refs = PATH_SET_INIT;
	struct store_path p;
	struct buf name = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && i < d->nsrcs; i++) {
		rc = store_path_parse(c->dir, d->srcs[i], &p, e);
		path_set_add(&refs, &p);
	}
	buf_addf(&name, "%.*s.drv", (int)d->name.n, d->name.p);
	rc = rc ? rc : store_add_text(c->s, (struct slice){ name.p, name.len }, text, &refs, drv, e);
	path_set_release(&refs);
	buf_release(&name);
	return rc;
}

static int build_sent(struct request *r, struct wanted *w, struct drv *d, struct slice text, struct outcome *o, struct err *failed,
		      struct err *e)
{
	struct build_target t = { .drv = w->path };
	const struct targets one = { &t, 1 };
	struct build_result result = { 0 };
	int rc;

	if (is_fixed(d))
		rc = adopt(r->c, d, text, &w->path, e);
	else
		rc = client_want_trust(r->c, "a derivation whose outputs are not fixed by a hash cannot be built", e);
	if (rc)
		return rc;
	t.drv = w->path;
	t.given = is_fixed(d) ? NULL : d;
	o->drv = d;
	o->status = outputs_valid(r->c, w, d, NULL) == 1 ? STATUS_ALREADY_VALID : STATUS_BUILT;
	r->started = time(NULL);
	realise(r, &one, &result, failed);
	build_result_release(&result);
	if (o->status != STATUS_ALREADY_VALID || r->mode != MODE_NORMAL)
		judge(r, w, failed, o);
	return failed->code == ERR_INTERRUPT ? err_set(e, failed->code, "%s", failed->msg) : 0;
}

/* Derivations are known by name and ".drv". */
static int drv_name(const struct store_path *p, struct slice *name, struct err *e)
{
	*name = store_path_name(p);
	if (!store_path_is_drv(p))
		return err_set(e, ERR_INVALID, "'%s' is no name of a derivation", p->base);
	name->n -= 4;
	return 0;
}

int op_build_derivation(struct client *c, enum operation op, struct err *e)
{
	struct request r = { .c = c };
	struct wanted w = { .outputs = 1 };
	struct outcome o = { .status = STATUS_BUILT };
	struct err failed = ERR_INIT;
	struct buf text = BUF_INIT;
	struct slice name;
	struct drv d;
	int rc = wire_get_path(&c->w, c->dir, 0, &w.path, e);

	(void)op;
	rc = rc ? rc : drv_name(&w.path, &name, e);
	rc = rc ? rc : get_derivation(c, name, &text, e);
	rc = rc ? rc : c->serves ? serve_get_options(c, e) : get_mode(&r, e);
	if (!rc) {
		client_begin(c);
		rc = drv_parse(&d, c->dir, name, (struct slice){ text.p, text.len }, e);
	}
	if (!rc) {
		rc = build_sent(&r, &w, &d, (struct slice){ text.p, text.len }, &o, &failed, e);
		rc = rc ? rc : client_done(c, e);
		if (!rc)
			put_result(c, &r, &o);
		drv_release(&d);
	}
	err_release(&failed);
	buf_release(&text);
	request_release(&r);
	return rc;
}

/* --- what would be done --- */

static void would_build(void *user, const struct store *s, const struct store_path *drv)
{
	(void)s;
	path_set_add(&((struct request *)user)->builds, drv);
}

static void would_fetch(void *user, const struct store *s, const struct path_set *paths, uint64_t packed, uint64_t unpacked)
{
	struct request *r = user;

	(void)s;
	path_set_add_all(&r->fetches, paths);
	r->packed += packed;
	r->unpacked += unpacked;
}

/* Objects that are not there are fetched, or nobody knows of them. */
static int plan_objects(struct request *r, struct err *e)
{
	struct client *c = r->c;
	struct path_set objects = PATH_SET_INIT, missing = PATH_SET_INIT, had = PATH_SET_INIT;
	struct substituter *u = NULL;
	int rc;

	for (size_t i = 0; i < r->n; i++)
		path_set_add(&objects, &r->v[i].path);
	rc = missing_of(c, &objects, &missing, e);
	rc = rc ? rc : client_ask(c, &missing, -1, &u, e);
	for (size_t i = 0; !rc && i < missing.n; i++)
		path_set_add(u && substituter_has(u, &missing.v[i]) ? &had : &r->unknown, &missing.v[i]);
	if (!rc && had.n)
		substituter_plan(u, &had, &r->fetches, &r->packed, &r->unpacked);
	substituter_free(u);
	path_set_release(&objects);
	path_set_release(&missing);
	path_set_release(&had);
	return rc;
}

static int plan_builds(struct request *r, struct err *e)
{
	struct build_settings set = settings_of(r);
	struct build_result result = { 0 };
	struct targets t;
	int rc = 0;

	set.plan = would_build;
	set.plan_fetch = would_fetch;
	make_targets(r, &t);
	for (size_t i = 0; !rc && i < t.n; i++) {
		if (path_set_has(&r->unknown, &t.v[i].drv))
			continue;
		rc = build_realise(r->c->s, &set, &t.v[i], 1, &result, e);
		build_result_release(&result);
	}
	if (set.cancel_fd >= 0)
		close(set.cancel_fd);
	targets_release(&t);
	return rc;
}

int op_query_missing(struct client *c, enum operation op, struct err *e)
{
	struct request r = { .c = c };
	int rc = get_wanted(&r, e);

	(void)op;
	if (!rc) {
		client_begin(c);
		rc = plan_objects(&r, e);
		rc = rc ? rc : plan_builds(&r, e);
		rc = rc ? rc : client_done(c, e);
	}
	if (!rc) {
		wire_put_paths(&c->w, c->dir, &r.builds);
		wire_put_paths(&c->w, c->dir, &r.fetches);
		wire_put_paths(&c->w, c->dir, &r.unknown);
		wire_put_number(&c->w, r.packed);
		wire_put_number(&c->w, r.unpacked);
	}
	request_release(&r);
	return rc;
}
