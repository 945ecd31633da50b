/* SPDX-License-Identifier: MIT
 *
 * No clock of another machine is believed: what another says of its time only has to change for it to be alive.  Whoever wins is
 * decided by the API server, which takes a change only from who has seen the last one.
 */
#include "config.h"
#include "kube/lease.h"
#include "base/alloc.h"
#include "kube/cache.h"
#include "kube/objects.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DURATION_S = 15, LOST_S = 10, AGAIN_S = 2 };

int lease_holds(const struct lease *l)
{
	return l->held && kube_now() - l->renewed < LOST_S;
}

/* With exactly six digits behind the point, as Kubernetes wants it. */
static void add_now(struct arena *a, struct jnode *o, const char *path)
{
	struct timespec t;
	struct tm tm;
	char seconds[32];
	struct buf b = BUF_INIT;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(&b, "%s.%06ldZ", seconds, t.tv_nsec / 1000);
	tree_set_text(a, o, path, (struct slice){ b.p, b.len });
	buf_release(&b);
}

/* Sends the lease with this holder; is: as it is, NULL when there is none. */
static int write_lease(struct lease *l, struct arena *a, const struct jnode *is, const char *holder, struct http_answer *answer,
		       struct err *e)
{
	struct jnode *o = json_node(a, JSON_OBJECT);
	struct slice had = tree_text(is, "spec.holderIdentity");
	int64_t changes = tree_int(is, "spec.leaseTransitions");
	struct buf path = BUF_INIT, body = BUF_INIT;
	int rc = kube_path(&path, "Lease", l->namespace, is ? l->name : NULL, e), same = slice_eq(had, slice_of(holder));

	tree_set_text(a, o, "apiVersion", SLICE("coordination.k8s.io/v1"));
	tree_set_text(a, o, "kind", SLICE("Lease"));
	tree_set_text(a, o, "metadata.name", slice_of(l->name));
	tree_set_text(a, o, "metadata.namespace", slice_of(l->namespace));
	if (is)
		tree_set_text(a, o, "metadata.resourceVersion", tree_text(is, "metadata.resourceVersion"));
	tree_set_text(a, o, "spec.holderIdentity", slice_of(holder));
	tree_set(a, o, "spec.leaseDurationSeconds", json_int(a, *holder ? DURATION_S : 1));
	tree_set(a, o, "spec.leaseTransitions", json_int(a, changes + (is && !same && *holder)));
	if (same && tree_text(is, "spec.acquireTime").n)
		tree_set_text(a, o, "spec.acquireTime", tree_text(is, "spec.acquireTime"));
	else
		add_now(a, o, "spec.acquireTime");
	add_now(a, o, "spec.renewTime");
	json_tree_write(&body, o);
	rc = rc ? rc : kube_ask(l->k, is ? "PUT" : "POST", path.p, KUBE_JSON, (struct slice){ body.p, body.len }, answer, e);
	buf_release(&path);
	buf_release(&body);
	return rc;
}

/* Whether another holds it, as far as one can see. */
static int is_taken(struct lease *l, const struct jnode *is, double now)
{
	struct slice holder = tree_text(is, "spec.holderIdentity"), time = tree_text(is, "spec.renewTime");
	int64_t lasts = tree_int(is, "spec.leaseDurationSeconds");
	struct buf seen = BUF_INIT;

	if (!is || !holder.n || slice_eq(holder, slice_of(l->identity)))
		return 0;
	buf_addf(&seen, "%.*s %.*s", (int)holder.n, holder.p, (int)time.n, time.p);
	if (!l->seen || strcmp(l->seen, seen.p)) {
		free(l->seen);
		l->seen = buf_detach(&seen, NULL);
		l->seen_at = now;
	}
	buf_release(&seen);
	return now - l->seen_at < (double)(lasts > 0 && lasts < 3600 ? lasts : DURATION_S);
}

static int try_lease(struct lease *l, double now, struct err *e)
{
	struct http_answer answer = { .status = 0 };
	struct arena a = ARENA_INIT;
	struct jnode *is = NULL;
	int rc = kube_find(l->k, &a, "Lease", l->namespace, l->name, &is, e);

	if (!rc && is_taken(l, is, now)) {
		l->held = 0;
	} else if (!rc) {
		rc = write_lease(l, &a, is, l->identity, &answer, e);
		if (!rc && (answer.status == 200 || answer.status == 201)) {
			l->held = 1;
			l->renewed = now;
		} else if (!rc && answer.status == 409) {
			l->held = 0; /* another was faster */
		} else if (!rc) {
			rc = kube_refused(&answer, e, "hold the lease '%s'", l->name);
		}
	}
	arena_release(&a);
	http_answer_release(&answer);
	return rc;
}

double lease_step(struct lease *l)
{
	struct err e = ERR_INIT;
	double now = kube_now();

	if (now < l->due)
		return l->due - now;
	try_lease(l, now, &e);
	l->held = l->held && kube_now() - l->renewed < LOST_S;
	err_release(&l->why);
	l->why = e;
	l->due = kube_now() + AGAIN_S;
	return AGAIN_S;
}

void lease_release(struct lease *l)
{
	struct http_answer answer = { .status = 0 };
	struct arena a = ARENA_INIT;
	struct jnode *is = NULL;

	if (lease_holds(l) && !kube_find(l->k, &a, "Lease", l->namespace, l->name, &is, NULL) && is &&
	    slice_eq(tree_text(is, "spec.holderIdentity"), slice_of(l->identity)))
		write_lease(l, &a, is, "", &answer, NULL);
	arena_release(&a);
	http_answer_release(&answer);
	free(l->seen);
	err_release(&l->why);
	l->seen = NULL;
	l->held = 0;
}
