/* SPDX-License-Identifier: MIT
 *
 * The audience is named, or a token of another's would do.  A bad token is not told by a false but by a missing "authenticated".
 *
 * What is remembered is bounded, and a token is remembered by its hash.
 */
#include "config.h"
#include "kube/review.h"
#include "base/alloc.h"
#include "format/hash.h"
#include "kube/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 512, LASTS_S = 10, MAX_TOKEN = 1 << 14 };

#define AUDIENCE "gx-store"

/* An answer: of a token who that is, as the user of a SubjectAccessReview; of that with a store whether it may. */
struct kept {
	struct hash key;
	double until;
	char *user, *name; /* of a token; NULL: nobody's */
	int may;
};

struct reviews {
	struct kube *k;
	pthread_mutex_t lock;
	struct kept v[KEPT];
	size_t n, next;
};

struct reviews *reviews_new(struct kube *k)
{
	struct reviews *r = xcalloc(1, sizeof *r);

	r->k = k;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void kept_clear(struct kept *k)
{
	free(k->user);
	free(k->name);
	*k = (struct kept){ .until = 0 };
}

void reviews_free(struct reviews *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		kept_clear(&r->v[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct kept *recall(struct reviews *r, const struct hash *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (hash_eq(&r->v[i].key, key) && kube_now() < r->v[i].until)
			return &r->v[i];
	return NULL;
}

static struct kept *keep(struct reviews *r, const struct hash *key)
{
	struct kept *k = &r->v[r->next];

	r->n = r->n > r->next + 1 ? r->n : r->next + 1;
	r->next = (r->next + 1) % KEPT;
	kept_clear(k);
	k->key = *key;
	k->until = kube_now() + LASTS_S;
	return k;
}

/* Asks; the answer's tree is in the arena. */
static int ask(struct reviews *r, const char *path, const struct jnode *question, struct arena *a, struct jnode **out,
	       struct err *e)
{
	struct http_answer answer = { .status = 0 };
	struct buf body = BUF_INIT;
	int rc;

	json_tree_write(&body, question);
	rc = kube_ask(r->k, "POST", path, KUBE_JSON, (struct slice){ body.p, body.len }, &answer, e);
	if (!rc && answer.status != 201 && answer.status != 200)
		rc = kube_refused(&answer, e, "ask the cluster who may read the store");
	rc = rc ? rc : kube_read(a, &answer, out, e);
	buf_wipe(&body);
	http_answer_release(&answer);
	/* Not the client's fault. */
	return rc == ERR_DENIED ? ERR_NETWORK : rc;
}

static int find_user(struct reviews *r, struct slice token, struct kept **out, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *o = json_node(&a, JSON_OBJECT), *list = json_node(&a, JSON_ARRAY), *last = NULL, *is = NULL, *user;
	struct buf text = BUF_INIT;
	struct hash key;
	int rc;

	hash_bytes(HASH_SHA256, token.p, token.n, &key);
	*out = recall(r, &key);
	if (*out)
		return 0;
	json_append(list, &last, json_string(&a, SLICE(AUDIENCE)));
	tree_set_text(&a, o, "apiVersion", SLICE("authentication.k8s.io/v1"));
	tree_set_text(&a, o, "kind", SLICE("TokenReview"));
	tree_set_text(&a, o, "spec.token", token);
	tree_set(&a, o, "spec.audiences", list);
	rc = ask(r, "/apis/authentication.k8s.io/v1/tokenreviews", o, &a, &is, e);
	user = tree_at(is, "status.user");
	if (!rc) {
		*out = keep(r, &key);
		if (tree_true(is, "status.authenticated") && tree_text(user, "username").n) {
			json_tree_write(&text, user);
			(*out)->user = buf_detach(&text, NULL);
			(*out)->name = slice_string(tree_text(user, "username"));
		}
	}
	buf_release(&text);
	arena_release(&a);
	return rc;
}

/* 1, 0, or an error. */
static int may_read(struct reviews *r, const char *user, const char *store, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct jnode *o = json_node(&a, JSON_OBJECT), *who = NULL, *is = NULL;
	struct hash_ctx c;
	struct hash key;
	struct kept *k;
	int rc;

	hash_init(&c, HASH_SHA256);
	hash_update(&c, user, strlen(user) + 1);
	hash_update(&c, store, strlen(store));
	hash_final(&c, &key);
	k = recall(r, &key);
	if (k)
		return k->may;
	rc = json_tree_parse(&a, slice_of(user), &who, e);
	if (!rc) {
		struct jnode *extra = tree_at(who, "extra"), *groups = tree_at(who, "groups");

		tree_set_text(&a, o, "apiVersion", SLICE("authorization.k8s.io/v1"));
		tree_set_text(&a, o, "kind", SLICE("SubjectAccessReview"));
		tree_set_text(&a, o, "spec.user", tree_text(who, "username"));
		tree_set_text(&a, o, "spec.uid", tree_text(who, "uid"));
		if (groups)
			tree_set(&a, o, "spec.groups", groups);
		if (extra)
			tree_set(&a, o, "spec.extra", extra);
		tree_set_text(&a, o, "spec.resourceAttributes.group", SLICE("gx.dev"));
		tree_set_text(&a, o, "spec.resourceAttributes.resource", SLICE("stores"));
		tree_set_text(&a, o, "spec.resourceAttributes.verb", SLICE("get"));
		tree_set_text(&a, o, "spec.resourceAttributes.name", slice_of(store));
		rc = ask(r, "/apis/authorization.k8s.io/v1/subjectaccessreviews", o, &a, &is, e);
	}
	if (!rc)
		rc = keep(r, &key)->may = tree_true(is, "status.allowed");
	arena_release(&a);
	return rc;
}

int reviews_may(struct reviews *r, struct slice token, const struct words *stores, struct buf *who, struct err *e)
{
	struct kept *k = NULL;
	char *user;
	int rc;

	if (!token.n || token.n > MAX_TOKEN)
		return err_set(e, ERR_DENIED, "no token");
	pthread_mutex_lock(&r->lock);
	rc = find_user(r, token, &k, e);
	user = !rc && k->user ? xstrdup(k->user) : NULL;
	if (user)
		buf_adds(who, k->name);
	else if (!rc)
		rc = err_set(e, ERR_DENIED, "the token is nobody's");
	for (size_t i = 0; user && i < stores->n && !rc; i++)
		rc = may_read(r, user, stores->v[i], e);
	pthread_mutex_unlock(&r->lock);
	free(user);
	return rc;
}
