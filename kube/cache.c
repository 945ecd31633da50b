/* SPDX-License-Identifier: MIT
 *
 * List, then watch from the version of the list; when the watch ends, for whatever reason, watch on from the last version that was
 * seen (bookmarks count); when that is too old (410), or what comes makes no sense, list again.  Between two tries 0.2 to 5 seconds
 * pass, with some chance, so that those who lost the same server do not come back together.
 *
 * An event that is older than what is known is dropped: versions are numbers that grow, unless a server says otherwise, and then
 * each event counts.
 */
#include "config.h"
#include "kube/cache.h"
#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE = 500, MAX_OBJECTS = 50000, WATCH_S = 290, SHORT_S = 1, WAITED_MS = 1000 };

#define FIRST_PAUSE 0.2
#define LONGEST_PAUSE 5.0

double kube_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- objects --- */

static int compare(const struct kube_cached *c, struct slice namespace, struct slice name)
{
	int d = slice_cmp(c->namespace, namespace);

	return d ? d : slice_cmp(c->name, name);
}

static size_t place_of(const struct kube_cache *c, struct slice namespace, struct slice name, int *found)
{
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(&c->v[mid], namespace, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*found = lo < c->n && !compare(&c->v[lo], namespace, name);
	return lo;
}

const struct jnode *kube_cache_find(const struct kube_cache *c, struct slice namespace, struct slice name)
{
	int found;
	size_t i = place_of(c, namespace, name, &found);

	return found ? c->v[i].o : NULL;
}

/* Takes the arena. */
static int keep(struct kube_cache *c, struct arena *a, struct jnode *o, struct err *e)
{
	struct kube_cached new = { *a, o, tree_text(o, "metadata.namespace"), tree_text(o, "metadata.name"),
				   tree_text(o, "metadata.resourceVersion") };
	int found;
	size_t i = place_of(c, new.namespace, new.name, &found);

	if (!found && c->n == MAX_OBJECTS)
		return err_set(e, ERR_LIMIT, "'%s' has more than %d objects", c->path, MAX_OBJECTS);
	*a = (struct arena)ARENA_INIT;
	if (found) {
		arena_release(&c->v[i].a);
	} else {
		ARRAY_GROW(c->v, c->n + 1, c->cap);
		memmove(c->v + i + 1, c->v + i, (c->n - i) * sizeof *c->v);
		c->n++;
	}
	c->v[i] = new;
	return 0;
}

static void drop(struct kube_cache *c, size_t i)
{
	arena_release(&c->v[i].a);
	memmove(c->v + i, c->v + i + 1, (c->n - i - 1) * sizeof *c->v);
	c->n--;
}

static void tell(const struct kube_cache *c, struct slice namespace, struct slice name)
{
	if (c->changed)
		c->changed(c->user, namespace, name);
}

static void drop_all(struct kube_cache *c)
{
	while (c->n)
		arena_release(&c->v[--c->n].a);
}

static void end_stream(struct kube_cache *c)
{
	http_stream_end(c->stream);
	c->stream = NULL;
	kube_events_release(&c->pieces);
}

static void forget_version(struct kube_cache *c)
{
	free(c->version);
	c->version = NULL;
}

void kube_cache_release(struct kube_cache *c)
{
	end_stream(c);
	drop_all(c);
	free(c->v);
	forget_version(c);
	err_release(&c->why);
	err_release(&c->broken);
}

/* Both are numbers, and a is smaller. */
static int is_older(struct slice a, struct slice b)
{
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] < '0' || a.p[i] > '9')
			return 0;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < '0' || b.p[i] > '9')
			return 0;
	return a.n != b.n ? a.n < b.n : slice_cmp(a, b) < 0;
}

/* --- lists --- */

/* What the list has goes into `all`, each object in memory of its own. */
static int take_page(struct kube_cache *all, const struct jnode *list, struct err *e)
{
	const struct jnode *items = tree_at(list, "items");
	struct buf text = BUF_INIT;
	int rc = 0;

	for (const struct jnode *o = items && items->kind == JSON_ARRAY ? items->first : NULL; o && !rc; o = o->next) {
		struct arena a = ARENA_INIT;
		struct jnode *copy = NULL;

		if (!kube_object_is_whole(o)) {
			rc = err_set(e, ERR_NETWORK, "a list of the cluster makes no sense: an object has no name or version");
			break;
		}
		buf_trim(&text, 0);
		json_tree_write(&text, o);
		rc = json_tree_parse(&a, (struct slice){ text.p, text.len }, &copy, e);
		rc = rc ? rc : keep(all, &a, copy, e);
		arena_release(&a);
	}
	buf_release(&text);
	return rc;
}

static int ask_page(struct kube_cache *all, struct buf *more, char **version, struct err *e)
{
	struct buf path = BUF_INIT;
	struct http_answer answer = { .status = 0 };
	struct arena a = ARENA_INIT;
	struct jnode *list = NULL;
	int rc;

	buf_addf(&path, "%s?limit=%d%s%s%s%s", all->path, PAGE, *all->query ? "&" : "", all->query, more->len ? "&continue=" : "",
		 buf_str(more));
	rc = kube_ask(all->k, "GET", path.p, NULL, SLICE(""), &answer, e);
	if (!rc && answer.status != 200)
		rc = kube_refused(&answer, e, "list '%s'", all->path);
	rc = rc ? rc : kube_read(&a, &answer, &list, e);
	rc = rc ? rc : take_page(all, list, e);
	buf_trim(more, 0);
	if (!rc) {
		struct slice v = tree_text(list, "metadata.resourceVersion"), next = tree_text(list, "metadata.continue");

		free(*version);
		*version = slice_string(v);
		for (size_t i = 0; i < next.n; i++)
			buf_addf(more, strchr("+/=%&", next.p[i]) ? "%%%02X" : "%c", (unsigned char)next.p[i]);
		if (!v.n)
			rc = err_set(e, ERR_NETWORK, "a list of the cluster makes no sense: it has no version");
	}
	arena_release(&a);
	http_answer_release(&answer);
	buf_release(&path);
	return rc;
}

/* Says what is another than before, and takes the place of it. */
static void replace(struct kube_cache *c, struct kube_cache *new)
{
	struct kube_cache old = { .v = c->v, .n = c->n };

	c->v = new->v;
	c->n = new->n;
	c->cap = new->cap;
	for (size_t i = 0; i < c->n; i++) {
		int found;
		size_t k = place_of(&old, c->v[i].namespace, c->v[i].name, &found);

		if (!found || !slice_eq(old.v[k].version, c->v[i].version))
			tell(c, c->v[i].namespace, c->v[i].name);
	}
	for (size_t i = 0; i < old.n; i++)
		if (!kube_cache_find(c, old.v[i].namespace, old.v[i].name))
			tell(c, old.v[i].namespace, old.v[i].name);
	drop_all(&old);
	free(old.v);
}

static int list_all(struct kube_cache *c, struct err *e)
{
	struct kube_cache new = { .k = c->k, .path = c->path, .query = c->query };
	struct buf more = BUF_INIT;
	char *version = NULL;
	int rc;

	do
		rc = ask_page(&new, &more, &version, e);
	while (!rc && more.len);
	buf_release(&more);
	c->lists++;
	if (rc) {
		drop_all(&new);
		free(new.v);
		free(version);
		return rc;
	}
	c->synced = 1;
	replace(c, &new);
	c->version = version;
	return 0;
}

/* --- watches --- */

static int on_event(void *user, struct kube_event *v)
{
	struct kube_cache *c = user;
	int found, rc = 0;
	size_t i;

	if (v->type == EVENT_ERROR) {
		c->gone = v->code == 410;
		return err_set(&c->broken, ERR_NETWORK, "the cluster ends a watch of '%s': %.*s", c->path,
			       (int)(v->message.n > 500 ? 500 : v->message.n), v->message.p);
	}
	c->events++;
	c->tries = 0;
	if (is_older(v->version, slice_of(c->version)))
		return 0;
	free(c->version);
	c->version = slice_string(v->version);
	if (v->type == EVENT_BOOKMARK)
		return 0;
	struct buf key = BUF_INIT;
	size_t split = v->namespace.n;

	buf_add(&key, v->namespace.p, v->namespace.n);
	buf_add(&key, v->name.p, v->name.n);
	i = place_of(c, v->namespace, v->name, &found);
	if (v->type != EVENT_DELETED)
		rc = keep(c, &v->a, v->object, &c->broken);
	else if (found)
		drop(c, i);
	if (!rc)
		tell(c, (struct slice){ buf_str(&key), split }, (struct slice){ buf_str(&key) + split, key.len - split });
	buf_release(&key);
	return rc;
}

static int on_bytes(void *user, struct slice bytes)
{
	struct kube_cache *c = user;
	int rc = kube_events_feed(&c->pieces, bytes, on_event, c, &c->broken);

	/* What makes no sense may have been an event that is lost now. */
	if (rc && !c->gone)
		c->gone = 1;
	return rc;
}

static void start_stream(struct kube_cache *c, double now)
{
	struct buf path = BUF_INIT;

	buf_addf(&path, "%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s%s%s", c->path, WATCH_S,
		 c->version, *c->query ? "&" : "", c->query);
	c->gone = 0;
	c->began = now;
	err_release(&c->broken);
	c->stream = kube_stream(c->k, path.p, WATCH_S + 30, on_bytes, c, &c->broken);
	buf_release(&path);
}

static void failed(struct kube_cache *c, struct err *e, double now)
{
	double pause = FIRST_PAUSE * pow(2, c->tries > 8 ? 8 : c->tries);

	c->failures++;
	c->tries++;
	pause = pause > LONGEST_PAUSE ? LONGEST_PAUSE : pause;
	c->due = now + pause * (0.75 + 0.5 * (double)(random() % 1000) / 1000);
	err_release(&c->why);
	c->why = *e;
	*e = (struct err)ERR_INIT;
}

static void stream_ended(struct kube_cache *c, long status, int rc, struct err *e, double now)
{
	end_stream(c);
	if (c->gone || status == 410)
		forget_version(c);
	if (!rc && status == 200 && now - c->began >= SHORT_S) {
		c->due = now;
		return;
	}
	if (status == 401)
		kube_forget(c->k);
	if (c->broken.msg)
		err_set(e, c->broken.code, "%s", c->broken.msg);
	else if (status == 200 || !status)
		err_set(e, ERR_NETWORK, "a watch of '%s' ended at once", c->path);
	else
		err_set(e, status == 401 || status == 403 ? ERR_DENIED : ERR_NETWORK, "cannot watch '%s': the cluster says %ld",
			c->path, status);
	failed(c, e, now);
}

double kube_cache_step(struct kube_cache *c)
{
	struct err e = ERR_INIT;
	double now = kube_now();
	long status;
	int rc;

	if (c->stream && http_stream_is_over(c->stream, &status, &rc, &e))
		stream_ended(c, status, rc, &e, now);
	err_release(&e);
	if (c->stream)
		return LONGEST_PAUSE;
	if (now < c->due)
		return c->due - now;
	if (!c->version && list_all(c, &e)) {
		failed(c, &e, kube_now());
		return c->due - kube_now();
	}
	start_stream(c, kube_now());
	if (!c->stream)
		failed(c, &c->broken, kube_now());
	else if (!c->tries)
		err_release(&c->why);
	return 0;
}

/* --- following --- */

int kube_follow(struct kube_cache *c, unsigned seconds, int (*look)(void *user, const struct kube_cache *c), void *user,
		struct err *e)
{
	double until = kube_now() + seconds;
	uint64_t seen = (uint64_t)-1;
	int rc = 0;

	while (!rc) {
		double left = until - kube_now(), next = kube_cache_step(c);

		if (c->synced && seen != c->events + c->lists) {
			seen = c->events + c->lists;
			rc = look(user, c);
		} else if (!c->synced && (c->why.code == ERR_DENIED || c->why.code == ERR_NOTFOUND || c->why.code == ERR_INVALID ||
					  c->why.code == ERR_IO)) {
			return err_set(e, c->why.code, "%s", c->why.msg);
		} else if (left <= 0) {
			return err_set(e, ERR_TIMEOUT, c->why.msg ? "it took longer than %u seconds: %s" :
								    "it took longer than %u seconds%s",
				       seconds, c->why.msg ? c->why.msg : "");
		} else {
			next = next < left ? next : left;
			kube_turn(c->k, -1, next * 1000 > WAITED_MS ? WAITED_MS : (unsigned)(next * 1000) + 1);
		}
	}
	return rc < 0 ? rc : 0;
}
