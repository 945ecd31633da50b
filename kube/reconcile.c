/* SPDX-License-Identifier: MIT
 *
 * The finalizer is there before anything is made, and goes after the pod has gone: so a pod never outlives its DevPod, whoever
 * collects what belonged to it.  The rest is owned by the DevPod, and the cluster collects it.
 *
 * A pod is made anew when it would be made from something else.  What a ConfigMap says counts as that where envFrom.restart says
 * so: its hash is an annotation of the pod.
 */
#include "config.h"
#include "kube/reconcile.h"
#include "base/alloc.h"
#include "base/json.h"
#include "kube/cache.h"
#include "kube/credential.h"
#include "kube/objects.h"
#include "kube/podstate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAPS_S = 5, SOON_S = 1, FAILED_S = 30 };

/* The length of what is told: of an Event the cluster takes no more. */
enum { MESSAGE_MOST = 4096, NEWS_MOST = 1024 };

#define MANAGER "gx-devpod-controller"
#define FINALIZER "gx.dev/pod"
#define API "gx.dev/v1alpha1"

/* One look at one DevPod. */
struct look {
	struct reconcile *r;
	const struct jnode *devpod, *pod;
	char *namespace, *name;
	struct arena a;
	struct pod_state state; /* to be told */
	double *again;
};

static void sooner(struct look *l, double seconds)
{
	if (seconds < *l->again)
		*l->again = seconds < 0.1 ? 0.1 : seconds;
}

/* --- rendering --- */

static void rendered_clear(struct rendered *d)
{
	free(d->uid);
	free(d->wrong);
	buf_release(&d->objects);
	d->uid = d->wrong = NULL;
	d->applied = 0;
}

static struct rendered *rendered_of(struct reconcile *r, const char *namespace, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->v[i].name, name) && !strcmp(r->v[i].namespace, namespace))
			return &r->v[i];
	ARRAY_GROW(r->v, r->n + 1, r->cap);
	r->v[r->n] = (struct rendered){ .namespace = xstrdup(namespace), .name = xstrdup(name) };
	return &r->v[r->n++];
}

void reconcile_forget(struct reconcile *r, const char *namespace, const char *name)
{
	struct rendered *d = rendered_of(r, namespace, name);

	rendered_clear(d);
	free(d->namespace);
	free(d->name);
	*d = r->v[--r->n];
}

void reconcile_release(struct reconcile *r)
{
	while (r->n)
		reconcile_forget(r, r->v[0].namespace, r->v[0].name);
	free(r->v);
	r->v = NULL;
}

/* A node's store has the objects of all who use it. */
static const char *not_given(const struct look *l)
{
	return !l->r->o->host_store && slice_eq(tree_text(l->devpod, "spec.store.mode"), SLICE("hostPath")) ?
		       "the store of a node is not given out here (store.mode hostPath)" :
		       NULL;
}

static struct rendered *render(struct look *l)
{
	struct rendered *d = rendered_of(l->r, l->namespace, l->name);
	struct slice uid = tree_text(l->devpod, "metadata.uid");
	int64_t generation = tree_int(l->devpod, "metadata.generation");
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	if (d->uid && slice_eq(slice_of(d->uid), uid) && d->generation == generation)
		return d;
	rendered_clear(d);
	d->uid = slice_string(uid);
	d->generation = generation;
	json_tree_write(&text, l->devpod);
	l->r->o->health->renders++;
	if (not_given(l))
		d->wrong = xstrdup(not_given(l));
	else if (l->r->o->render(l->r->o->user, (struct slice){ text.p, text.len }, &d->objects, &e))
		d->wrong = xstrdup(e.msg ? e.msg : "it cannot be evaluated");
	err_release(&e);
	buf_release(&text);
	return d;
}

/* --- the end --- */

static int finalizer_at(const struct jnode *devpod)
{
	const struct jnode *list = tree_at(devpod, "metadata.finalizers");
	int i = 0;

	for (const struct jnode *n = list && list->kind == JSON_ARRAY ? list->first : NULL; n; n = n->next, i++)
		if (slice_eq(n->str, SLICE(FINALIZER)))
			return i;
	return -1;
}

static int drop_finalizer(struct look *l, struct err *e)
{
	struct http_answer answer = { .status = 0 };
	struct buf path = BUF_INIT, body = BUF_INIT;
	int i = finalizer_at(l->devpod), rc = i < 0 ? 1 : kube_path(&path, "DevPod", l->namespace, l->name, e);

	buf_addf(&body,
		 "[{\"op\":\"test\",\"path\":\"/metadata/finalizers/%d\",\"value\":\"" FINALIZER "\"},"
		 "{\"op\":\"remove\",\"path\":\"/metadata/finalizers/%d\"}]",
		 i, i);
	rc = rc ? rc : kube_ask(l->r->o->k, "PATCH", path.p, KUBE_PATCH, (struct slice){ body.p, body.len }, &answer, e);
	if (!rc && answer.status != 200 && answer.status != 404)
		rc = kube_refused(&answer, e, "let go of the DevPod");
	http_answer_release(&answer);
	buf_release(&path);
	buf_release(&body);
	return rc > 0 ? 0 : rc;
}

/* The pod goes first; that it has gone is asked for, since what is known of pods may be late. */
static int end_devpod(struct look *l, struct err *e)
{
	struct jnode *is = NULL;
	int rc = kube_find(l->r->o->k, &l->a, "Pod", l->namespace, l->name, &is, e);

	if (rc)
		return rc;
	if (!is || !kube_is_own(is, slice_of(l->name)))
		return drop_finalizer(l, e);
	sooner(l, SOON_S);
	if (tree_at(is, "metadata.deletionTimestamp"))
		return 0;
	return kube_remove(l->r->o->k, "Pod", l->namespace, l->name, tree_text(is, "metadata.uid"), NULL, e);
}

/* An object that only says which it is. */
static struct jnode *stub(struct look *l)
{
	struct jnode *o = json_node(&l->a, JSON_OBJECT);

	tree_set_text(&l->a, o, "apiVersion", SLICE(API));
	tree_set_text(&l->a, o, "kind", SLICE("DevPod"));
	tree_set_text(&l->a, o, "metadata.name", slice_of(l->name));
	tree_set_text(&l->a, o, "metadata.namespace", slice_of(l->namespace));
	tree_set_text(&l->a, o, "metadata.uid", tree_text(l->devpod, "metadata.uid"));
	return o;
}

static int take_finalizer(struct look *l, struct err *e)
{
	struct jnode *o = stub(l), *list = json_node(&l->a, JSON_ARRAY), *last = NULL;

	if (finalizer_at(l->devpod) >= 0)
		return 0;
	json_append(list, &last, json_string(&l->a, SLICE(FINALIZER)));
	tree_set(&l->a, o, "metadata.finalizers", list);
	return kube_apply(l->r->o->k, &l->a, o, MANAGER, NULL, e);
}

/* --- idleness --- */

/* Whether nobody used it for as long as it may be; else when to ask again. */
static int is_idle(struct look *l)
{
	int64_t may = tree_int(l->devpod, "spec.idleSeconds");
	const struct jnode *used = json_member(tree_at(l->devpod, "metadata.annotations"), SLICE("gx.dev/last-used"));
	time_t made = kube_time(tree_text(l->devpod, "metadata.creationTimestamp")),
	       last = used && used->kind == JSON_STRING ? kube_time(used->str) : -1;
	int64_t left;

	if (may <= 0)
		return 0;
	last = last > made ? last : made;
	left = (int64_t)last + may - (int64_t)time(NULL);
	if (left > 0)
		sooner(l, (double)left);
	return left <= 0;
}

/* --- what is made --- */

/* The hash of what the maps say that its environment is from. */
static int add_maps(struct look *l, struct jnode *pod, struct err *e)
{
	const struct jnode *maps = tree_at(l->devpod, "spec.envFrom.configMaps");
	struct buf all = BUF_INIT;
	int rc = 0;

	if (!tree_true(l->devpod, "spec.envFrom.restart") || !maps || maps->kind != JSON_ARRAY)
		return 0;
	sooner(l, MAPS_S);
	for (const struct jnode *m = maps->first; m && !rc; m = m->next) {
		char *name = slice_string(m->str);
		struct jnode *is = NULL, *data;

		rc = kube_find(l->r->o->k, &l->a, "ConfigMap", l->namespace, name, &is, e);
		data = tree_at(is, "data");
		if (data)
			kube_made_from(&all, data);
		buf_addc(&all, data ? '.' : '-');
		free(name);
	}
	if (!rc) {
		struct jnode *annotations = tree_at(pod, "metadata.annotations");

		if (annotations && annotations->kind == JSON_OBJECT)
			json_set(annotations, SLICE("gx.dev/env"), json_string(&l->a, (struct slice){ buf_str(&all), all.len }));
	}
	buf_release(&all);
	return rc;
}

/* Only what is in the DevPod's place, whatever was rendered. */
static int is_in_place(const struct look *l, const struct jnode *o)
{
	return slice_eq(tree_text(o, "metadata.name"), slice_of(l->name)) &&
	       slice_eq(tree_text(o, "metadata.namespace"), slice_of(l->namespace));
}

static int apply_one(struct look *l, struct jnode *o, struct err *e)
{
	int waits = 0, rc = 0, pod = slice_eq(tree_text(o, "kind"), SLICE("Pod"));

	if (!is_in_place(l, o))
		return err_set(e, ERR_INVALID, "an object of another place was rendered");
	if (pod)
		rc = add_maps(l, o, e);
	rc = rc ? rc : kube_apply_own(l->r->o->k, &l->a, o, MANAGER, &waits, e);
	if (!rc && waits) {
		l->state =
			(struct pod_state){ POD_ENDS, SLICE("Replaced"), SLICE("the pod is made anew when the old one has gone") };
		sooner(l, SOON_S);
	}
	return rc;
}

/* Without a pod: it is told to go. */
static int stop_pod(struct look *l, struct slice reason, struct slice message, struct err *e)
{
	l->state.reason = reason;
	l->state.message = message;
	if (!l->pod || !kube_is_own(l->pod, slice_of(l->name)))
		return 0;
	l->state.phase = POD_ENDS;
	if (tree_at(l->pod, "metadata.deletionTimestamp"))
		return 0;
	return kube_remove(l->r->o->k, "Pod", l->namespace, l->name, tree_text(l->pod, "metadata.uid"), NULL, e);
}

/* One that has failed a moment ago would fail again. */
static int is_fresh_failure(struct look *l)
{
	time_t made = kube_time(tree_text(l->pod, "metadata.creationTimestamp"));
	int64_t left = (int64_t)made + FAILED_S - (int64_t)time(NULL);

	if (l->state.phase != POD_FAILED || made < 0 || left <= 0)
		return 0;
	sooner(l, (double)left);
	return 1;
}

static int apply_all(struct look *l, struct rendered *d, struct err *e)
{
	struct jnode *list = NULL, *next;
	int idle = is_idle(l), has_pod = 0, rc = json_tree_parse(&l->a, (struct slice){ d->objects.p, d->objects.len }, &list, e);

	for (struct jnode *o = rc ? NULL : list->first; o && !rc; o = next) {
		int pod = slice_eq(tree_text(o, "kind"), SLICE("Pod"));

		next = o->next;
		has_pod |= pod;
		if (pod ? !idle && !is_fresh_failure(l) : !d->applied)
			rc = apply_one(l, o, e);
	}
	d->applied |= !rc;
	if (!rc && !has_pod)
		rc = stop_pod(l, SLICE("Stopped"), SLICE("'running' is false"), e);
	else if (!rc && idle)
		rc = stop_pod(l, SLICE("Idle"), SLICE("nobody used it for as long as it may be idle; gx devpod shell wakes it"), e);
	return rc;
}

/* --- what is said --- */

static int says_so(const struct look *l, const struct jnode *ready, const char *status)
{
	return slice_eq(tree_text(ready, "status"), slice_of(status)) && slice_eq(tree_text(ready, "reason"), l->state.reason) &&
	       slice_eq(tree_text(ready, "message"), l->state.message) &&
	       slice_eq(tree_text(l->devpod, "status.phase"), slice_of(pod_phase_name(l->state.phase))) &&
	       tree_int(l->devpod, "status.observedGeneration") == tree_int(l->devpod, "metadata.generation");
}

/* No more bytes than are taken, and no half of a letter, which would not be taken at all. */
static struct slice at_most(struct slice s, size_t most)
{
	size_t bad;

	s.n = s.n < most ? s.n : most;
	bad = utf8_check(s.p, s.n);
	return bad ? (struct slice){ s.p, bad - 1 } : s;
}

static struct jnode *condition(struct look *l, const struct jnode *was, const char *status)
{
	struct jnode *c = json_node(&l->a, JSON_OBJECT);
	char text[KUBE_TIME_ROOM];

	kube_time_text(text);
	tree_set_text(&l->a, c, "type", SLICE("Ready"));
	tree_set_text(&l->a, c, "status", slice_of(status));
	tree_set_text(&l->a, c, "reason", l->state.reason);
	tree_set_text(&l->a, c, "message", at_most(l->state.message, MESSAGE_MOST));
	tree_set_text(&l->a, c, "lastTransitionTime",
		      slice_eq(tree_text(was, "status"), slice_of(status)) ? tree_text(was, "lastTransitionTime") : slice_of(text));
	tree_set(&l->a, c, "observedGeneration", json_int(&l->a, tree_int(l->devpod, "metadata.generation")));
	return c;
}

/* What is on its way by itself is no news. */
static int is_news(const struct look *l, const struct jnode *was)
{
	return !slice_in_words(l->state.reason, "NoPod Pending ContainerCreating PodInitializing Terminating") &&
	       !(slice_eq(tree_text(was, "reason"), l->state.reason) && slice_eq(tree_text(was, "message"), l->state.message));
}

/* An Event, which kubectl describe shows. The same news again is the same object: however often a pod fails, there are a few of
 * them. One that is not taken is not missed. */
static void tell_news(struct look *l)
{
	struct jnode *o = json_node(&l->a, JSON_OBJECT);
	const int bad = l->state.phase == POD_FAILED || l->state.phase == POD_WAITS;
	const struct slice message = l->state.phase == POD_READY ? SLICE("the pod is ready") : l->state.message;
	struct buf name = BUF_INIT;
	struct err e = ERR_INIT;
	char now[KUBE_TIME_ROOM];

	kube_time_text(now);
	tree_set_text(&l->a, o, "apiVersion", SLICE("v1"));
	tree_set_text(&l->a, o, "kind", SLICE("Event"));
	tree_set_text(&l->a, o, "metadata.namespace", slice_of(l->namespace));
	tree_set_text(&l->a, o, "involvedObject.apiVersion", SLICE(API));
	tree_set_text(&l->a, o, "involvedObject.kind", SLICE("DevPod"));
	tree_set_text(&l->a, o, "involvedObject.name", slice_of(l->name));
	tree_set_text(&l->a, o, "involvedObject.namespace", slice_of(l->namespace));
	tree_set_text(&l->a, o, "involvedObject.uid", tree_text(l->devpod, "metadata.uid"));
	tree_set_text(&l->a, o, "reason", l->state.reason);
	tree_set_text(&l->a, o, "message", at_most(message, NEWS_MOST));
	tree_set_text(&l->a, o, "type", bad ? SLICE("Warning") : SLICE("Normal"));
	tree_set_text(&l->a, o, "source.component", SLICE(MANAGER));
	buf_addf(&name, "%s.", l->name);
	kube_made_from(&name, o);
	tree_set_text(&l->a, o, "metadata.name", (struct slice){ name.p, name.len });
	tree_set_text(&l->a, o, "firstTimestamp", slice_of(now));
	tree_set_text(&l->a, o, "lastTimestamp", slice_of(now));
	kube_apply(l->r->o->k, &l->a, o, MANAGER, NULL, &e);
	err_release(&e);
	buf_release(&name);
}

static int tell_state(struct look *l, struct err *e)
{
	const struct jnode *was = tree_element(tree_at(l->devpod, "status.conditions"), "type", SLICE("Ready"));
	const char *status = l->state.phase == POD_READY ? "True" : "False";
	struct jnode *o = stub(l), *list = json_node(&l->a, JSON_ARRAY), *last = NULL;
	struct http_answer answer = { .status = 0 };
	struct buf path = BUF_INIT, body = BUF_INIT;
	int rc;

	if (says_so(l, was, status))
		return 0;
	json_append(list, &last, condition(l, was, status));
	tree_set(&l->a, o, "status.conditions", list);
	tree_set_text(&l->a, o, "status.phase", slice_of(pod_phase_name(l->state.phase)));
	tree_set_text(&l->a, o, "status.podName", slice_of(l->name));
	tree_set(&l->a, o, "status.observedGeneration", json_int(&l->a, tree_int(l->devpod, "metadata.generation")));
	json_tree_write(&body, o);
	rc = kube_path(&path, "DevPod", l->namespace, l->name, e);
	buf_adds(&path, "/status?fieldManager=" MANAGER "&force=true");
	rc = rc ? rc : kube_ask(l->r->o->k, "PATCH", path.p, KUBE_APPLY, (struct slice){ body.p, body.len }, &answer, e);
	/* 409: another of that name has come meanwhile. */
	if (!rc && answer.status != 200 && answer.status != 404 && answer.status != 409)
		rc = kube_refused(&answer, e, "say how the DevPod is");
	if (!rc && answer.status == 200 && is_news(l, was))
		tell_news(l);
	http_answer_release(&answer);
	buf_release(&path);
	buf_release(&body);
	return rc;
}

/* --- all of it --- */

static int make(struct look *l, struct err *e)
{
	struct rendered *d = render(l);
	struct err why = ERR_INIT, late = ERR_INIT;
	int rc;

	pod_state(&l->state, l->pod);
	if (d->wrong) {
		l->state = (struct pod_state){ POD_FAILED, SLICE("Invalid"), slice_of(d->wrong) };
		return tell_state(l, e);
	}
	rc = take_finalizer(l, &why);
	rc = rc ? rc : apply_all(l, d, &why);
	if (rc == ERR_REJECTED || rc == ERR_DENIED || rc == ERR_INVALID)
		l->state = (struct pod_state){ l->state.phase == POD_READY ? POD_READY : POD_WAITS, SLICE("ApplyFailed"),
					       slice_of(why.msg) };
	/* What cannot be said now is said the next time. */
	if (rc)
		tell_state(l, &late), err_set(e, rc, "%s", why.msg);
	else
		rc = tell_state(l, e);
	err_release(&why);
	err_release(&late);
	return rc;
}

int reconcile_one(struct reconcile *r, const struct jnode *devpod, const struct jnode *pod, double *again, struct err *e)
{
	struct look l = { .r = r, .devpod = devpod, .pod = pod, .again = again };
	int rc = 0;

	if (!devpod)
		return 0;
	l.namespace = slice_string(tree_text(devpod, "metadata.namespace"));
	l.name = slice_string(tree_text(devpod, "metadata.name"));
	if (!tree_at(devpod, "metadata.deletionTimestamp"))
		rc = make(&l, e);
	else if (finalizer_at(devpod) >= 0)
		rc = end_devpod(&l, e);
	free(l.namespace);
	free(l.name);
	arena_release(&l.a);
	return rc;
}
