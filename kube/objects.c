/* SPDX-License-Identifier: MIT
 *
 * Only kinds that stdlib/devpod makes: whatever else a rendered list has in it, nobody applies it here.
 *
 * What a pod was made from is said in an annotation of it: comparing the pod itself would mean to know all that the cluster fills
 * in.
 */
#include "config.h"
#include "kube/objects.h"
#include "base/alloc.h"
#include "format/hash.h"
#include "kube/exec.h"

#include <stdlib.h>
#include <string.h>

#define MADE_FROM "gx.dev/made-from"

int kube_path(struct buf *b, const char *kind, const char *namespace, const char *name, struct err *e)
{
	static const char *const kinds[][3] = {
		{ "Pod", "/api/v1", "pods" },
		{ "ServiceAccount", "/api/v1", "serviceaccounts" },
		{ "ConfigMap", "/api/v1", "configmaps" },
		{ "PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims" },
		{ "Event", "/api/v1", "events" },
		{ "NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies" },
		{ "Lease", "/apis/coordination.k8s.io/v1", "leases" },
		{ "DevPod", "/apis/gx.dev/v1alpha1", "devpods" },
	};
	size_t i = 0;

	while (i < sizeof kinds / sizeof *kinds && strcmp(kinds[i][0], kind))
		i++;
	if (i == sizeof kinds / sizeof *kinds)
		return err_set(e, ERR_INVALID, "a DevPod becomes no '%s'", kind);
	buf_adds(b, kinds[i][1]);
	if (namespace) {
		buf_adds(b, "/namespaces/");
		kube_quote(b, slice_of(namespace));
	}
	buf_addf(b, "/%s", kinds[i][2]);
	if (name) {
		buf_addc(b, '/');
		kube_quote(b, slice_of(name));
	}
	return 0;
}

int kube_find(struct kube *k, struct arena *a, const char *kind, const char *namespace, const char *name, struct jnode **out,
	      struct err *e)
{
	struct http_answer answer = { .status = 0 };
	struct buf path = BUF_INIT;
	int rc = kube_path(&path, kind, namespace, name, e);

	*out = NULL;
	rc = rc ? rc : kube_ask(k, "GET", path.p, NULL, SLICE(""), &answer, e);
	if (!rc && answer.status == 200)
		rc = kube_read(a, &answer, out, e);
	else if (!rc && answer.status != 404)
		rc = kube_refused(&answer, e, "look for the %s '%s'", kind, name);
	http_answer_release(&answer);
	buf_release(&path);
	return rc;
}

int kube_apply(struct kube *k, struct arena *a, const struct jnode *o, const char *manager, struct jnode **now, struct err *e)
{
	char *kind = slice_string(tree_text(o, "kind")), *name = slice_string(tree_text(o, "metadata.name")),
	     *namespace = slice_string(tree_text(o, "metadata.namespace"));
	struct http_answer answer = { .status = 0 };
	struct buf path = BUF_INIT, body = BUF_INIT;
	int rc = kube_path(&path, kind, namespace, name, e);

	if (!rc) {
		buf_addf(&path, "?fieldManager=%s&force=true", manager);
		json_tree_write(&body, o);
		rc = kube_ask(k, "PATCH", path.p, KUBE_APPLY, (struct slice){ body.p, body.len }, &answer, e);
	}
	if (!rc && answer.status != 200 && answer.status != 201)
		rc = kube_refused(&answer, e, "apply the %s '%s'", kind, name);
	if (!rc && now)
		rc = kube_read(a, &answer, now, e);
	http_answer_release(&answer);
	buf_release(&path);
	buf_release(&body);
	free(kind);
	free(name);
	free(namespace);
	return rc;
}

int kube_remove(struct kube *k, const char *kind, const char *namespace, const char *name, struct slice uid, int *was,
		struct err *e)
{
	struct http_answer answer = { .status = 0 };
	struct buf path = BUF_INIT, body = BUF_INIT;
	int rc = kube_path(&path, kind, namespace, name, e);

	buf_adds(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\"");
	if (uid.n)
		buf_addf(&body, ",\"preconditions\":{\"uid\":\"%.*s\"}", (int)uid.n, uid.p);
	buf_addc(&body, '}');
	rc = rc ? rc : kube_ask(k, "DELETE", path.p, KUBE_JSON, (struct slice){ body.p, body.len }, &answer, e);
	if (was)
		*was = !rc && answer.status != 404;
	/* 409: what has that name now is another one. */
	if (!rc && answer.status != 200 && answer.status != 202 && answer.status != 404 && !(uid.n && answer.status == 409))
		rc = kube_refused(&answer, e, "delete the %s '%s'", kind, name);
	http_answer_release(&answer);
	buf_release(&path);
	buf_release(&body);
	return rc;
}

/* --- pods --- */

void kube_made_from(struct buf *b, const struct jnode *o)
{
	struct buf text = BUF_INIT;
	struct hash h;

	json_tree_write(&text, o);
	hash_bytes(HASH_SHA256, text.p, text.len, &h);
	h.len = 16;
	hash_add(b, &h, HASH_BASE16, 0);
	buf_release(&text);
}

static struct slice annotation(const struct jnode *o, const char *name)
{
	const struct jnode *n = json_member(tree_at(o, "metadata.annotations"), slice_of(name));

	return n && n->kind == JSON_STRING ? n->str : SLICE("");
}

int kube_is_own(const struct jnode *is, struct slice devpod)
{
	const struct jnode *labels = tree_at(is, "metadata.labels");
	const struct jnode *by = json_member(labels, SLICE("app.kubernetes.io/managed-by")),
			   *of = json_member(labels, SLICE("gx.dev/devpod"));

	return by && of && slice_eq(by->str, SLICE("gx")) && slice_eq(of->str, devpod);
}

/* Adds the annotation to a pod. */
static void say_from(struct arena *a, struct jnode *o, const struct buf *from)
{
	struct jnode *annotations = tree_at(o, "metadata.annotations");

	if (!annotations || annotations->kind != JSON_OBJECT) {
		tree_set(a, o, "metadata.annotations", NULL);
		annotations = tree_at(o, "metadata.annotations");
	}
	json_set(annotations, SLICE(MADE_FROM), json_string(a, (struct slice){ from->p, from->len }));
}

/* 1: it has to go first, and was told to; 0: it stays as it is. */
static int settle_pod(struct kube *k, const struct jnode *is, const char *namespace, const char *name, const struct buf *from,
		      struct err *e)
{
	int rc;

	if (tree_at(is, "metadata.deletionTimestamp"))
		return 1;
	if (slice_eq(annotation(is, MADE_FROM), (struct slice){ from->p, from->len }) &&
	    !slice_in_words(tree_text(is, "status.phase"), "Failed Succeeded"))
		return 0;
	rc = kube_remove(k, "Pod", namespace, name, tree_text(is, "metadata.uid"), NULL, e);
	return rc ? rc : 1;
}

int kube_apply_own(struct kube *k, struct arena *a, struct jnode *o, const char *manager, int *waits, struct err *e)
{
	char *kind = slice_string(tree_text(o, "kind")), *name = slice_string(tree_text(o, "metadata.name")),
	     *namespace = slice_string(tree_text(o, "metadata.namespace"));
	struct buf from = BUF_INIT;
	struct jnode *is = NULL;
	int rc = kube_find(k, a, kind, namespace, name, &is, e), pod = !strcmp(kind, "Pod");

	*waits = 0;
	if (!rc && is && !kube_is_own(is, slice_of(name)))
		rc = err_set(e, ERR_REJECTED, "there is a %s '%s' already that is not of this DevPod", kind, name);
	if (!rc && pod)
		kube_made_from(&from, o);
	if (!rc && pod)
		say_from(a, o, &from);
	if (!rc && pod && is)
		*waits = rc = settle_pod(k, is, namespace, name, &from, e);
	else if (!rc)
		rc = kube_apply(k, a, o, manager, NULL, e);
	*waits = *waits > 0;
	buf_release(&from);
	free(kind);
	free(name);
	free(namespace);
	return rc < 0 ? rc : 0;
}
