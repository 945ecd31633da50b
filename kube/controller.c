/* SPDX-License-Identifier: MIT
 *
 * Level-triggered: an event only says which DevPod to look at, and looking needs nothing but what the cluster has now.  So events
 * that are lost, doubled or late, and a process that ends anywhere, cost time and nothing else.
 *
 * One thread: a request at a time, watches in between.  Before anything is written the lease must be held for certain.
 */
#include "config.h"
#include "kube/controller.h"
#include "base/alloc.h"
#include "kube/cache.h"
#include "kube/lease.h"
#include "kube/reconcile.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RESYNC_S = 300, MOST_AT_ONCE = 50, TURN_MS = 1000 };

#define FIRST_PAUSE 0.5
#define LONGEST_PAUSE 60.0

struct todo {
	char *namespace, *name;
	double due;
	unsigned tries;
};

struct controller {
	const struct controller_options *o;
	struct kube_cache devpods, pods;
	struct lease lease;
	struct reconcile r;
	struct todo *v; /* one for each DevPod that was heard of */
	size_t n, cap;
	int led;
	char *said; /* the last complaint */
};

static void say(struct controller *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct controller *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (c->o->say)
		c->o->say(c->o->user, buf_str(&b));
	buf_release(&b);
}

/* --- what is to be looked at --- */

static struct todo *find(struct controller *c, struct slice namespace, struct slice name)
{
	for (size_t i = 0; i < c->n; i++)
		if (slice_eq(slice_of(c->v[i].name), name) && slice_eq(slice_of(c->v[i].namespace), namespace))
			return &c->v[i];
	return NULL;
}

static void look_at(struct controller *c, struct slice namespace, struct slice name)
{
	struct todo *t = find(c, namespace, name);

	if (!t) {
		ARRAY_GROW(c->v, c->n + 1, c->cap);
		t = &c->v[c->n++];
		*t = (struct todo){ slice_string(namespace), slice_string(name), 0, 0 };
	}
	t->due = 0;
}

/* A pod is called as its DevPod. */
static void changed(void *user, struct slice namespace, struct slice name)
{
	look_at(user, namespace, name);
}

static void look_at_all(struct controller *c)
{
	for (size_t i = 0; i < c->devpods.n; i++)
		look_at(c, c->devpods.v[i].namespace, c->devpods.v[i].name);
}

static void forget(struct controller *c, size_t i)
{
	reconcile_forget(&c->r, c->v[i].namespace, c->v[i].name);
	free(c->v[i].namespace);
	free(c->v[i].name);
	c->v[i] = c->v[--c->n];
}

/* --- looking --- */

static void look(struct controller *c, struct todo *t)
{
	struct err e = ERR_INIT;
	double again = RESYNC_S;
	const struct jnode *devpod = kube_cache_find(&c->devpods, slice_of(t->namespace), slice_of(t->name));
	int rc = reconcile_one(&c->r, devpod, kube_cache_find(&c->pods, slice_of(t->namespace), slice_of(t->name)), &again, &e);

	c->o->health->reconciles++;
	if (!rc) {
		t->tries = 0;
		t->due = kube_now() + again;
	} else {
		double pause = FIRST_PAUSE * pow(2, t->tries > 8 ? 8 : t->tries);

		c->o->health->failures++;
		t->tries++;
		t->due = kube_now() + (pause > LONGEST_PAUSE ? LONGEST_PAUSE : pause);
		say(c, "%s/%s: %s", t->namespace, t->name, e.msg);
	}
	err_release(&e);
}

/* The seconds until there is more to look at. */
static double look_at_due(struct controller *c)
{
	double next = RESYNC_S, now = kube_now();
	unsigned looked = 0;

	for (size_t i = c->n; i-- > 0;) {
		int gone = !kube_cache_find(&c->devpods, slice_of(c->v[i].namespace), slice_of(c->v[i].name));

		if (gone) {
			forget(c, i);
		} else if (c->v[i].due <= now && looked < MOST_AT_ONCE && lease_holds(&c->lease) && !*c->o->stop) {
			look(c, &c->v[i]);
			looked++;
		}
		if (!gone && c->v[i].due - now < next)
			next = c->v[i].due - now;
	}
	return next > 0 ? next : 0;
}

/* --- the loop --- */

/* Says what is wrong with the connection, once. */
static void complain(struct controller *c)
{
	const char *why = c->devpods.why.msg ? c->devpods.why.msg : c->pods.why.msg ? c->pods.why.msg : c->lease.why.msg;

	if (why && (!c->said || strcmp(why, c->said)))
		say(c, "%s", why);
	else if (!why && c->said)
		say(c, "it goes on");
	free(c->said);
	c->said = why ? xstrdup(why) : NULL;
}

static void count(struct controller *c)
{
	struct health *h = c->o->health;
	size_t ready = 0;

	for (size_t i = 0; i < c->devpods.n; i++)
		ready += slice_eq(tree_text(c->devpods.v[i].o, "status.phase"), SLICE("Ready"));
	h->devpods = c->devpods.n;
	h->devpods_ready = ready;
	h->lists = c->devpods.lists + c->pods.lists;
	h->events = c->devpods.events + c->pods.events;
	h->watch_failures = c->devpods.failures + c->pods.failures;
	h->ready = c->devpods.synced && c->pods.synced;
	h->leads = lease_holds(&c->lease);
	health_beat(h);
}

static void turn(struct controller *c)
{
	double next = lease_step(&c->lease), a = kube_cache_step(&c->devpods), b = kube_cache_step(&c->pods);
	int leads = lease_holds(&c->lease);

	if (leads != c->led) {
		say(c, leads ? "'%s' does the work now" : "'%s' no longer does the work", c->o->identity);
		if (leads)
			look_at_all(c);
	}
	c->led = leads;
	next = a < next ? a : next;
	next = b < next ? b : next;
	if (leads && c->devpods.synced && c->pods.synced) {
		double d = look_at_due(c);

		next = d < next ? d : next;
	}
	complain(c);
	count(c);
	kube_turn(c->o->k, -1, next * 1000 > TURN_MS ? TURN_MS : (unsigned)(next * 1000) + 1);
}

static void add_collection(struct buf *b, const char *group, const char *namespace, const char *plural)
{
	buf_addf(b, namespace ? "%s/namespaces/%s/%s" : "%s%.0s/%s", group, namespace ? namespace : "", plural);
}

void controller_run(const struct controller_options *o)
{
	struct buf devpods = BUF_INIT, pods = BUF_INIT;
	struct controller c = { .o = o, .r = { .o = o } };

	add_collection(&devpods, "/apis/gx.dev/v1alpha1", o->namespace, "devpods");
	add_collection(&pods, "/api/v1", o->namespace, "pods");
	c.devpods = (struct kube_cache){ .k = o->k, .path = devpods.p, .query = "", .changed = changed, .user = &c };
	c.pods = (struct kube_cache){ .k = o->k, .path = pods.p, .query = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dgx",
				      .changed = changed, .user = &c };
	c.lease = (struct lease){
		.k = o->k, .namespace = o->lease_namespace, .name = "gx-devpod-controller", .identity = o->identity
	};
	while (!*o->stop)
		turn(&c);
	kube_go_on(o->k);
	lease_release(&c.lease);
	while (c.n)
		forget(&c, c.n - 1);
	free(c.v);
	free(c.said);
	reconcile_release(&c.r);
	kube_cache_release(&c.devpods);
	kube_cache_release(&c.pods);
	buf_release(&devpods);
	buf_release(&pods);
}
