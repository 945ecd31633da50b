/* SPDX-License-Identifier: MIT
 *
 * Fetching what was planned.
 *
 * One loop: start archives while there is room, turn the transfers, take what is unpacked, and make valid what can be.  References
 * come first, so that hardly anything waits for others.  Every archive goes into one stage, which is gone with all that did not
 * become valid when the process ends, however it ends.
 *
 * An archive that fails is asked for once more where the answer was an old one, and then at the next cache that has it; what refers
 * to one that cannot be had is given up with it.
 */
#include "config.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "cache/memory.h"
#include "cache/store_cache.h"
#include "cache/substitute_int.h"
#include "cache/unpack.h"
#include "store/lock.h"
#include "store/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,	   /* objects in one transaction, with one sync */
	BATCH_SECONDS = 5, /* what is there should not wait longer to be valid */
	TRIES = 4
};

struct run {
	struct substituter *u;
	struct item **order; /* references first */
	size_t n, next;
	struct item **staged;
	size_t nstaged;
	struct fetch **running;
	size_t nrunning;
	struct stage *stage;
	struct path_set candidates; /* what an archive that nobody vouches for may not mention unsaid */
	double committed;
	size_t count;
};

struct fetch {
	struct item *i;
	struct unpacker *unpacker;
	struct transfer *transfer;
	struct transfer_request request;
	struct buf url, title;
	struct err err; /* of the transfer */
	unsigned activity;
};

/* --- order --- */

/* Puts what p needs before it, each once; `seen` in the items' fetch order is their state ITEM_FETCHING. */
static void order_from(struct run *r, struct item *first)
{
	struct frame {
		struct item *i;
		size_t next;
	} *stack = xcalloc(r->u->n + 1, sizeof *stack);
	size_t n = 0;

	stack[n++] = (struct frame){ first, 0 };
	first->state = ITEM_FETCHING;
	while (n) {
		struct frame *f = &stack[n - 1];
		const struct path_set *refs = &f->i->q.info.refs;
		struct item *ref = NULL;

		while (!ref && f->next < refs->n) {
			ref = substitute_find(r->u, &refs->v[f->next++]);
			if (ref && ref->state != ITEM_FOUND)
				ref = NULL;
		}
		if (ref) {
			ref->state = ITEM_FETCHING;
			stack[n++] = (struct frame){ ref, 0 };
		} else {
			r->order[r->n++] = f->i;
			n--;
		}
	}
	free(stack);
}

static int is_needed(struct run *r, const struct store_path *p, struct err *e)
{
	int rc = store_add_temp_root(r->u->s, p, e);

	return rc ? rc : store_is_there(r->u->s, p, NULL, e);
}

static int plan(struct run *r, const struct path_set *paths, struct err *e)
{
	size_t kept = 0;
	int rc = 0;

	r->order = xcalloc(r->u->n + 1, sizeof *r->order);
	r->staged = xcalloc(r->u->n + 1, sizeof *r->staged);
	for (size_t k = 0; k < paths->n; k++) {
		struct item *i = substitute_find(r->u, &paths->v[k]);

		if (i && i->state == ITEM_FOUND)
			order_from(r, i);
	}
	/* Somebody else may have made them meanwhile. */
	for (size_t k = 0; rc >= 0 && k < r->n; k++) {
		rc = is_needed(r, &r->order[k]->q.path, e);
		if (rc == 1)
			r->order[k]->state = ITEM_VALID;
		else if (!rc)
			r->order[kept++] = r->order[k];
	}
	r->n = kept;
	for (size_t k = 0; k < r->n; k++)
		path_set_push(&r->candidates, &r->order[k]->q.path);
	path_set_sort(&r->candidates);
	return rc < 0 ? rc : 0;
}

/* --- the files of a cache --- */

/* Where an archive may lie: below its cache, and nowhere else. */
static int check_url(const struct binary_cache *k, const char *url, const char **name, struct err *e)
{
	size_t n = strlen(k->at.base);

	*name = url;
	if (k->at.kind == CACHE_HTTP && !strncmp(url, k->at.base, n) && url[n] == '/')
		*name = url += n + 1;
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(e, ERR_INVALID, "'%s' is no address of an archive", url);
	if (*url == '/' || strstr(url, "://"))
		return err_set(e, ERR_INVALID, "its archive is said to be at '%s', which is not in the cache", url);
	for (const char *p = url; *p; p += *p == '/') {
		size_t len = strcspn(p, "/");

		if (len == 2 && !memcmp(p, "..", 2))
			return err_set(e, ERR_INVALID, "its archive is said to be at '%s', which leads out of the cache", url);
		p += len;
	}
	return 0;
}

static int open_archive(struct binary_cache *k, const char *name, struct err *e)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int fd;

	if (k->at.kind == CACHE_STORE)
		return store_cache_archive(k->store, name, e);
	cache_add_url(&path, k, name);
	fd = open(path.p, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		fd = err_errno(e, "cannot open '%s'", path.p);
	} else if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		fd = err_set(e, ERR_INVALID, "'%s' is no file", path.p);
	}
	buf_release(&path);
	return fd;
}

/* --- one archive --- */

static int on_bytes(void *user, const void *p, size_t n, struct err *e)
{
	return unpacker_push(((struct fetch *)user)->unpacker, p, n, e);
}

static int on_restart(void *user, struct err *e)
{
	(void)e;
	unpacker_restart(((struct fetch *)user)->unpacker);
	return 0;
}

static int has_room(void *user)
{
	return unpacker_room(((struct fetch *)user)->unpacker);
}

static void wake(void *user)
{
	transfer_engine_wake(user);
}

static void fetch_free(struct fetch *f)
{
	buf_release(&f->url);
	buf_release(&f->title);
	err_release(&f->err);
	free(f);
}

/* More than this is nothing that compresses to an archive of the size that was signed. */
static uint64_t packed_max(const struct narinfo *n)
{
	return n->nar_size + n->nar_size / 8 + (1 << 16);
}

static void what_to_find_out(struct run *r, const struct item *i, struct unpack_job *job, struct err *e)
{
	struct hash h;

	job->facts.max_size = i->q.info.nar_size;
	if (!i->vouched)
		job->facts.candidates = &r->candidates;
	if (i->known.is_fixed && !i->known.foreign) {
		job->facts.method = i->known.method;
		job->facts.algo = i->known.hash.algo;
	} else if (i->q.info.ca && !ca_parse(slice_of(i->q.info.ca), &job->facts.method, &h, e)) {
		job->facts.algo = h.algo;
		if (path_set_has(&i->q.info.refs, &i->q.path))
			job->facts.self = i->q.path.base;
	}
}

static int begin_unpacking(struct run *r, struct fetch *f, const char *name, struct err *e)
{
	struct item *i = f->i;
	const struct narinfo *n = &i->q.info;
	struct unpack_job job = { .compression = n->compression,
				  .packed_size = n->file_size,
				  .packed_max = packed_max(n),
				  .from = -1,
				  .to = stage_fd(r->stage),
				  .wake = wake,
				  .user = caches_engine(&r->u->caches, NULL) };

	if (n->file_size > job.packed_max)
		return err_set(e, ERR_INVALID, "it is announced with %llu bytes, for an archive of %llu",
			       (unsigned long long)n->file_size, (unsigned long long)n->nar_size);
	what_to_find_out(r, i, &job, e);
	snprintf(i->name, sizeof i->name, "%zu", r->count++);
	memcpy(job.name, i->name, sizeof job.name);
	if (cache_is_here(i->q.from) && (job.from = open_archive(i->q.from, name, e)) < 0)
		return job.from;
	return unpacker_start(&f->unpacker, &job, e);
}

static int begin_transfer(struct run *r, struct fetch *f, const char *name, struct err *e)
{
	struct binary_cache *k = f->i->q.from;
	int rc;

	f->request = (struct transfer_request){ .title = buf_str(&f->title),
						.max_size = packed_max(&f->i->q.info),
						.any_version = 1,
						.write = on_bytes,
						.restart = on_restart,
						.room = has_room,
						.user = f };
	rc = cache_request(&r->u->caches, k, name, &f->url, &f->request, e);
	if (!rc && !(f->transfer = transfer_start(r->u->caches.engine, &f->request, e)))
		rc = ERR_INVALID;
	return rc;
}

/* What an unpacker that gets nothing more came to is of no interest. */
static void drop_unpacker(struct fetch *f)
{
	struct object_facts facts;

	if (!f->unpacker)
		return;
	unpacker_finish(f->unpacker, 1);
	unpacker_join(f->unpacker, &facts, NULL);
	object_facts_release(&facts);
	f->unpacker = NULL;
}

static int begin(struct run *r, struct item *i, struct err *e)
{
	struct fetch *f = xcalloc(1, sizeof *f);
	const char *name;
	int rc = check_url(i->q.from, i->q.info.url, &name, e);

	f->i = i;
	store_add_path(r->u->s, &f->title, &i->q.path);
	rc = rc ? rc : caches_engine(&r->u->caches, e) ? 0 : ERR_IO;
	rc = rc ? rc : begin_unpacking(r, f, name, e);
	if (!rc && cache_is_here(i->q.from))
		f->activity = activity_begin(ACTIVITY_COPY, buf_str(&f->title));
	else if (!rc)
		rc = begin_transfer(r, f, name, e);
	if (rc) {
		drop_unpacker(f);
		fetch_free(f);
		return rc;
	}
	i->fetch = f;
	r->running[r->nrunning++] = f;
	return 0;
}

/* --- what came of it --- */

static int check_contents(struct run *r, const struct item *i, const struct object_facts *f, struct err *e)
{
	const struct narinfo *n = &i->q.info;
	const struct wanted_path *w = &i->known;
	struct hash want, got = f->hash;
	enum ca_method m;

	if (!hash_eq(&f->nar_hash, &n->nar_hash) || f->nar_size != n->nar_size)
		return err_set(e, ERR_HASH, "hash mismatch: its archive is not the one that was announced");
	if (w->foreign) {
		if (w->foreign->contents(w->foreign->user, stage_fd(r->stage), i->name, &got, e))
			return ERR_INVALID;
		return hash_eq(&got, w->foreign->hash) ? 0 : err_set(e, ERR_HASH, "it does not have the sum that was asked for");
	}
	if (w->is_fixed && w->method != CA_GIT) {
		m = w->method, want = w->hash;
	} else if (!n->ca || ca_parse(slice_of(n->ca), &m, &want, NULL)) {
		return 0;
	}
	/* A hash of the bytes says nothing of the bit that lets them run. */
	if ((m != CA_NAR && (f->type != NAR_REGULAR || f->executable)) || !hash_eq(&got, &want))
		return err_set(e, ERR_HASH, "it does not have the contents that its path stands for");
	return 0;
}

/* Of what nobody vouches for: a reference that is not said would be collected under it. */
static int check_references(const struct item *i, const struct object_facts *f, struct err *e)
{
	for (size_t k = 0; !i->vouched && k < f->refs.n; k++)
		if (store_path_cmp(&f->refs.v[k], &i->q.path) && !path_set_has(&i->q.info.refs, &f->refs.v[k]))
			return err_set(e, ERR_INVALID, "it refers to '%s', which the cache does not say", f->refs.v[k].base);
	return 0;
}

/* The same again, or elsewhere: 1 when there is another answer to go by. */
static int ask_again(struct run *r, struct item *i, int code, struct err *e)
{
	struct path_set before = PATH_SET_INIT;
	int old = i->q.remembered && i->q.from->memory && (code == ERR_NOTFOUND || code == ERR_HASH || code == ERR_INVALID), rc = 0;

	if (++i->tries > TRIES)
		return 0;
	path_set_add_all(&before, &i->q.info.refs);
	if (old)
		memory_forget(i->q.from->memory, store_path_hash(&i->q.path));
	question_again(&i->q, old);
	while (!(rc = question_move(&r->u->caches, &i->q, e)) && !(rc = caches_turn(&r->u->caches, 1000, e)))
		;
	rc = rc < 0 ? rc : i->q.from && before.n == i->q.info.refs.n;
	for (size_t k = 0; rc == 1 && k < before.n; k++)
		rc = !store_path_cmp(&before.v[k], &i->q.info.refs.v[k]);
	path_set_release(&before);
	return rc;
}

static int failed(struct run *r, struct item *i, struct err *why, struct err *e)
{
	struct err again = ERR_INIT;
	int rc = why->code == ERR_INTERRUPT || why->code == ERR_IO ? why->code : 0;

	if (!rc)
		rc = ask_again(r, i, why->code, e);
	if (rc == 1)
		rc = begin(r, i, &again);
	else if (!rc)
		rc = ERR_NOTFOUND;
	if (!rc) {
		err_release(why);
		err_release(&again);
		return 0;
	}
	err_release(&again);
	i->state = ITEM_FAILED;
	i->err = *why;
	*why = (struct err)ERR_INIT;
	if (i->err.code != ERR_INTERRUPT && i->err.code != ERR_IO)
		return 0;
	return err_set(e, i->err.code, "%s", i->err.msg);
}

static void forget(struct run *r, const struct fetch *f)
{
	for (size_t k = 0; k < r->nrunning; k++)
		if (r->running[k] == f) {
			r->running[k] = r->running[--r->nrunning];
			break;
		}
	f->i->fetch = NULL;
}

/* The thread is done. */
static int ended(struct run *r, struct fetch *f, struct err *e)
{
	struct item *i = f->i;
	struct object_facts facts;
	struct err why = ERR_INIT;
	int rc = unpacker_join(f->unpacker, &facts, &why);

	if (f->transfer)
		transfer_cancel(f->transfer);
	activity_end(f->activity, rc);
	/* A transfer that failed is why nothing more came. */
	if (f->err.code && rc == ERR_NETWORK) {
		err_release(&why);
		why = f->err;
		f->err = (struct err)ERR_INIT;
		rc = why.code;
	}
	rc = rc ? rc : check_contents(r, i, &facts, &why);
	rc = rc ? rc : check_references(i, &facts, &why);
	object_facts_release(&facts);
	forget(r, f);
	fetch_free(f);
	if (!rc) {
		i->state = ITEM_STAGED;
		r->staged[r->nstaged++] = i;
		return 0;
	}
	err_prefix(&why, "'%s' of the binary cache '%s' is not used", i->q.path.base, i->q.from->at.shown);
	return failed(r, i, &why, e);
}

/* Takes what is over; 1 when something was. */
static int take_ended(struct run *r, struct err *e)
{
	int rc = 0, any = 0;

	for (size_t k = r->nrunning; rc >= 0 && k-- > 0;) {
		struct fetch *f = r->running[k];

		if (f->transfer && transfer_is_done(f->transfer)) {
			unpacker_finish(f->unpacker, transfer_wait(f->transfer, NULL, &f->err) != 0);
			f->transfer = NULL;
		}
		if (!unpacker_is_done(f->unpacker))
			continue;
		rc = ended(r, f, e);
		any = 1;
	}
	return rc < 0 ? rc : any;
}

/* --- making them valid --- */

/* 1 when all it refers to is valid; *never: one of them never will be. */
static int is_ready(struct run *r, const struct item *i, const struct item **never)
{
	for (size_t k = 0; k < i->q.info.refs.n; k++) {
		const struct item *ref = substitute_find(r->u, &i->q.info.refs.v[k]);

		if (!ref || ref == i || ref->state == ITEM_VALID)
			continue;
		if (ref->state == ITEM_FAILED || ref->state == ITEM_MISSING)
			*never = ref;
		return 0;
	}
	return 1;
}

/* What refers to one that cannot be had is not had either, and for the same reason. */
static void fails_with(struct item *i, const struct item *ref)
{
	i->state = ITEM_FAILED;
	if (ref->err.msg)
		err_set(&i->err, ERR_NOTFOUND, "%s", ref->err.msg);
	else
		err_set(&i->err, ERR_NOTFOUND, "no binary cache has '%s', which '%s' refers to", ref->q.path.base, i->q.path.base);
}

static void fill_row(struct run *r, const struct item *i, struct new_object *o)
{
	const struct narinfo *n = &i->q.info;
	struct buf ca = BUF_INIT;

	*o = (struct new_object){ stage_fd(r->stage),
				  i->name,
				  { .path = i->q.path, .nar_hash = n->nar_hash, .nar_size = n->nar_size } };
	o->info.deriver = i->known.deriver.len ? i->known.deriver : n->deriver;
	o->info.sigs = n->sigs ? xstrdup(n->sigs) : NULL;
	if (i->known.is_fixed && !i->known.foreign && i->known.method != CA_GIT) {
		ca_add(&ca, i->known.method, &i->known.hash);
		o->info.ca = buf_detach(&ca, NULL);
	} else if (n->ca) {
		o->info.ca = xstrdup(n->ca);
	}
	path_set_add_all(&o->info.refs, &n->refs);
}

/* Those that are ready, and with them those that only wait for these.  They count as valid from here on: if the transaction fails,
 * all fails. */
static size_t gather(struct run *r, struct new_object *v, struct path_set *paths)
{
	size_t n = 0, kept;
	int again;

	do {
		again = 0;
		kept = 0;
		for (size_t k = 0; k < r->nstaged; k++) {
			struct item *i = r->staged[k];
			const struct item *never = NULL;

			if (is_ready(r, i, &never)) {
				fill_row(r, i, &v[n++]);
				path_set_push(paths, &i->q.path);
				i->state = ITEM_VALID;
				again = 1;
			} else if (never) {
				fails_with(i, never);
				again = 1;
			} else {
				r->staged[kept++] = i;
			}
		}
		r->nstaged = kept;
	} while (again && kept);
	path_set_sort(paths);
	return n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int commit(struct run *r, struct err *e)
{
	struct new_object *v = xcalloc(r->nstaged + 1, sizeof *v);
	struct path_set paths = PATH_SET_INIT;
	struct path_locks locks;
	size_t n = gather(r, v, &paths);
	int rc = n ? path_locks_take(&locks, r->u->s, &paths, LOCK_WAIT, e) : 0;

	if (n && !rc) {
		rc = store_commit(r->u->s, v, n, e);
		path_locks_release(&locks, 1);
	}
	for (size_t k = 0; k < n; k++)
		path_info_release(&v[k].info);
	r->u->made += rc ? 0 : n;
	free(v);
	path_set_release(&paths);
	r->committed = now();
	return rc;
}

/* Nothing comes any more, and these still wait: for one another. */
static void give_up(struct run *r)
{
	for (size_t k = 0; k < r->nstaged; k++) {
		r->staged[k]->state = ITEM_FAILED;
		err_set(&r->staged[k]->err, ERR_INVALID, "'%s' and others refer to one another", r->staged[k]->q.path.base);
	}
	r->nstaged = 0;
}

/* --- all of it --- */

/* What cannot become valid any more is not fetched. */
static int start_next(struct run *r, struct err *e)
{
	struct item *i = r->order[r->next++];
	struct err why = ERR_INIT;
	const struct item *never = NULL;

	is_ready(r, i, &never);
	if (never) {
		fails_with(i, never);
		return 0;
	}
	if (!begin(r, i, &why))
		return 0;
	err_prefix(&why, "'%s' of the binary cache '%s' is not used", i->q.path.base, i->q.from->at.shown);
	return failed(r, i, &why, e);
}

static int loop(struct run *r, struct err *e)
{
	size_t most = cache_settings.max_jobs ? cache_settings.max_jobs : 1;
	int rc = 0;

	r->running = xcalloc(most + 1, sizeof *r->running);
	while (rc >= 0 && (r->next < r->n || r->nrunning || r->nstaged)) {
		while (rc >= 0 && r->next < r->n && r->nrunning < most)
			rc = start_next(r, e);
		rc = rc < 0 ? rc : take_ended(r, e);
		if (rc)
			continue;
		if (r->nstaged >= BATCH || (r->nstaged && (!r->nrunning || now() > r->committed + BATCH_SECONDS)))
			rc = commit(r, e);
		if (!rc && !r->nrunning && r->next == r->n)
			give_up(r);
		if (!rc && r->nrunning)
			rc = caches_turn(&r->u->caches, 1000, e);
	}
	return rc < 0 ? rc : 0;
}

static void stop(struct run *r)
{
	while (r->nrunning) {
		struct fetch *f = r->running[r->nrunning - 1];

		if (f->transfer)
			transfer_cancel(f->transfer);
		drop_unpacker(f);
		activity_end(f->activity, ERR_INTERRUPT);
		forget(r, f);
		fetch_free(f);
	}
}

int substituter_fetch(struct substituter *u, const struct path_set *paths, struct err *e)
{
	struct run r = { .u = u, .committed = now() };
	int rc = plan(&r, paths, e);

	if (!rc && r.n)
		rc = stage_open(u->s, &r.stage, e);
	if (!rc && r.n)
		rc = loop(&r, e);
	stop(&r);
	for (size_t k = 0; k < r.n; k++)
		if (r.order[k]->state == ITEM_FETCHING)
			r.order[k]->state = ITEM_FOUND;
	stage_free(r.stage);
	path_set_release(&r.candidates);
	free(r.order);
	free(r.staged);
	free(r.running);
	return rc;
}
