/* SPDX-License-Identifier: MIT
 *
 * The objects that a DevPod becomes, in a cluster: made, changed, found, deleted.
 */
#ifndef KUBE_OBJECTS_H
#define KUBE_OBJECTS_H

#include "kube/client.h"

/* Appends where objects of a kind are: "/api/v1/namespaces/NS/pods", with name "/NAME"; namespace NULL: in all of them. ERR_INVALID
 * for a kind that a DevPod does not become. */
int kube_path(struct buf *b, const char *kind, const char *namespace, const char *name, struct err *e);

/* The object as it is, in the arena; NULL when there is none. */
int kube_find(struct kube *k, struct arena *a, const char *kind, const char *namespace, const char *name, struct jnode **out,
	      struct err *e);

/* Has the object be as o says, for what o says (server-side apply; what others said of that is overruled).  *now, which may be
 * NULL, receives what it is. */
int kube_apply(struct kube *k, struct arena *a, const struct jnode *o, const char *manager, struct jnode **now, struct err *e);

/* The same of one that a DevPod becomes: what is there under its name and is not of that DevPod stays as it is (ERR_REJECTED).  Of
 * a pod hardly anything can be changed: one that was made from something else, or has ended, goes first; *waits says that it was
 * told to, and that nothing was made. */
int kube_apply_own(struct kube *k, struct arena *a, struct jnode *o, const char *manager, int *waits, struct err *e);

/* Whether it is of the DevPod that o is of. */
int kube_is_own(const struct jnode *is, struct slice devpod);

/* Tells an object to go.  uid: only that one; empty: any.  One that has gone is no error; *was, which may be NULL: it was there. */
int kube_remove(struct kube *k, const char *kind, const char *namespace, const char *name, struct slice uid, int *was,
		struct err *e);

/* Appends what a pod is said to be made from: a hash of the object before that is said. */
void kube_made_from(struct buf *b, const struct jnode *o);

#endif
