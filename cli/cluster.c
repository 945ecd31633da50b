/* SPDX-License-Identifier: MIT
 *
 * A cluster that knows the kind DevPod has a controller, which makes the pods and says in the DevPod what they wait for; in others
 * the objects are applied from here, and the pod itself is looked at.
 */
#include "config.h"
#include "cli/cluster.h"
#include "cli/report.h"
#include "kube/exec.h"
#include "kube/objects.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE_S = 5 };

const struct option cluster_option_table[] = {
	{ CLUSTER_NAMESPACE, 'n', "namespace", "NAME", "The namespace (what the context says, else default)." },
	{ CLUSTER_CONTEXT, 0, "context", "NAME", "The context of the kubeconfig (the current one)." },
	{ CLUSTER_KUBECONFIG, 0, "kubeconfig", "FILE", "Instead of $KUBECONFIG, ~/.kube/config and the account of a pod." },
	{ 0 }
};

static int take_seconds(struct cluster *c, const struct program *p, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > 86400)
		return usage_error(p, "--timeout takes seconds, not '%s'", text);
	c->seconds = (unsigned)n;
	return 0;
}

int cluster_option(struct cluster *c, const struct program *p, int id, char **values)
{
	switch (id) {
	case CLUSTER_TIMEOUT: return take_seconds(c, p, values[0]);
	case CLUSTER_KUBECONFIG: c->choice.file = values[0]; break;
	case CLUSTER_CONTEXT: c->choice.context = values[0]; break;
	default: c->choice.namespace = values[0];
	}
	return 0;
}

int cluster_open(struct cluster *c, const volatile int *stop, struct err *e)
{
	struct http_answer a = { .status = 0 };
	int rc = kube_config_load(&c->config, &c->choice, e);

	rc = rc ? rc : kube_open(&c->k, &c->config, stop, e);
	if (!rc)
		kube_be_patient(c->k, PATIENCE_S);
	rc = rc ? rc : kube_ask(c->k, "GET", "/apis/gx.dev/v1alpha1", NULL, SLICE(""), &a, e);
	c->has_devpods = !rc && a.status == 200;
	/* Who may not even ask may still have pods. */
	if (!rc && a.status != 200 && a.status != 404 && a.status != 403)
		rc = kube_refused(&a, e, "speak to the cluster '%s'", c->config.context);
	http_answer_release(&a);
	return rc;
}

void cluster_release(struct cluster *c)
{
	kube_close(c->k);
	kube_config_release(&c->config);
	c->k = NULL;
}

/* --- waiting --- */

static enum pod_phase phase_of(struct slice text)
{
	for (int i = POD_ABSENT; i <= POD_ENDS; i++)
		if (slice_eq(text, slice_of(pod_phase_name((enum pod_phase)i))))
			return (enum pod_phase)i;
	return POD_WAITS;
}

/* What the controller said of it; of another generation it said nothing yet. */
static void devpod_state(struct pod_state *s, const struct jnode *o)
{
	const struct jnode *ready = tree_element(tree_at(o, "status.conditions"), "type", SLICE("Ready"));

	*s = (struct pod_state){ POD_WAITS, SLICE("NoController"), SLICE("no controller has looked at it yet") };
	if (tree_at(o, "metadata.deletionTimestamp")) {
		*s = (struct pod_state){ POD_ENDS, SLICE("Terminating"), SLICE("") };
	} else if (ready && tree_int(o, "status.observedGeneration") == tree_int(o, "metadata.generation")) {
		s->phase = phase_of(tree_text(o, "status.phase"));
		s->reason = tree_text(ready, "reason");
		s->message = tree_text(ready, "message");
	}
}

void cluster_state(const struct cluster *c, struct pod_state *s, const struct jnode *o)
{
	if (o && c->has_devpods)
		devpod_state(s, o);
	else
		pod_state(s, o);
}

struct waiter {
	const struct cluster *c;
	const char *name;
	struct buf said; /* the last reason */
	struct err *e;
};

static int look_ready(void *user, const struct kube_cache *all)
{
	struct waiter *w = user;
	struct pod_state s;
	struct buf why = BUF_INIT;
	int rc = 0;

	cluster_state(w->c, &s, all->n ? all->v[0].o : NULL);
	buf_addf(&why, s.message.n ? "%.*s: %.*s" : "%.*s%.*s", (int)s.reason.n, s.reason.p, (int)s.message.n, s.message.p);
	if (s.phase == POD_READY)
		rc = 1;
	else if (s.phase == POD_FAILED)
		rc = err_set(w->e, ERR_BUILD, "the DevPod '%s' cannot run: %s", w->name, why.p);
	else if (strcmp(why.p, buf_str(&w->said)))
		report_line("waiting for the DevPod '%s': %s", w->name, why.p);
	buf_trim(&w->said, 0);
	buf_add(&w->said, why.p, why.len);
	buf_release(&why);
	return rc;
}

static int look_gone(void *user, const struct kube_cache *all)
{
	(void)user;
	return !all->n;
}

static int follow(struct cluster *c, const char *kind, const char *name, unsigned seconds,
		  int (*look)(void *user, const struct kube_cache *c), void *user, struct err *e)
{
	struct buf path = BUF_INIT, query = BUF_INIT;
	struct kube_cache all = { .k = c->k };
	int rc = kube_path(&path, kind, kube_namespace(c->k), NULL, e);

	buf_adds(&query, "fieldSelector=metadata.name%3D");
	kube_quote(&query, slice_of(name));
	all.path = buf_str(&path);
	all.query = buf_str(&query);
	rc = rc ? rc : kube_follow(&all, seconds, look, user, e);
	kube_cache_release(&all);
	buf_release(&path);
	buf_release(&query);
	return rc;
}

int cluster_wait_ready(struct cluster *c, const char *name, unsigned seconds, struct err *e)
{
	struct waiter w = { c, name, BUF_INIT, e };
	int rc = follow(c, c->has_devpods ? "DevPod" : "Pod", name, seconds, look_ready, &w, e);

	if (rc == ERR_TIMEOUT && w.said.len) {
		err_release(e);
		err_set(e, rc, "the DevPod '%s' was not ready after %u seconds: %s", name, seconds, w.said.p);
	}
	buf_release(&w.said);
	return rc;
}

int cluster_wait_gone(struct cluster *c, const char *kind, const char *name, unsigned seconds, struct err *e)
{
	int rc = follow(c, kind, name, seconds, look_gone, NULL, e);

	if (rc == ERR_TIMEOUT) {
		err_release(e);
		err_set(e, rc, "the %s '%s' was still there after %u seconds", kind, name, seconds);
	}
	return rc;
}
