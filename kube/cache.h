/* SPDX-License-Identifier: MIT
 *
 * A collection of objects as the cluster has it, kept up to date: listed once, watched from there on, through whatever the API
 * server does meanwhile.
 */
#ifndef KUBE_CACHE_H
#define KUBE_CACHE_H

#include "kube/client.h"
#include "kube/events.h"

struct kube_cached {
	struct arena a;
	struct jnode *o;
	struct slice namespace, name, version; /* of o */
};

/* Zeroed but for the first four, which the caller sets; texts are borrowed. */
struct kube_cache {
	struct kube *k;
	const char *path;  /* "/api/v1/pods" */
	const char *query; /* "labelSelector=…", or "" */
	/* An object came, changed or went; NULL: nobody wants to know. */
	void (*changed)(void *user, struct slice namespace, struct slice name);
	void *user;

	struct kube_cached *v; /* ascending by namespace and name */
	size_t n, cap;
	int synced;	  /* it was listed whole at least once */
	struct err why;	  /* what is wrong at the moment, when something is */
	uint64_t lists, events, failures; /* so far */

	/* private */
	char *version; /* NULL: it is to be listed */
	struct http_stream *stream;
	struct kube_events pieces;
	struct err broken;
	int gone;
	unsigned tries;
	double began, due;
};

/* Does what is due, without waiting but for a list.  Returns the seconds until there is more to do, whatever comes on the
 * stream (kube_turn) apart. */
double kube_cache_step(struct kube_cache *c);

/* The object; NULL when there is none.  Valid until the next step or turn. */
const struct jnode *kube_cache_find(const struct kube_cache *c, struct slice namespace, struct slice name);
void kube_cache_release(struct kube_cache *c);

/* Keeps a collection until look says 1 (0 is returned then) or fails, which it is asked when something changed; at most so many
 * seconds: ERR_TIMEOUT.  A refusal of the cluster (ERR_DENIED, ERR_NOTFOUND) ends it too. */
int kube_follow(struct kube_cache *c, unsigned seconds, int (*look)(void *user, const struct kube_cache *c), void *user,
		struct err *e);

/* Seconds, from a clock that only goes forward. */
double kube_now(void);

#endif
