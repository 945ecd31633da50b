/* SPDX-License-Identifier: MIT
 *
 * Asking a cluster who somebody is (TokenReview) and what it may (SubjectAccessReview), for a store that several tenants share.
 * Answers count for ten seconds.
 */
#ifndef KUBE_REVIEW_H
#define KUBE_REVIEW_H

#include "base/words.h"
#include "kube/client.h"

struct reviews;

/* The client is borrowed.  From any thread, one at a time. */
struct reviews *reviews_new(struct kube *k);
void reviews_free(struct reviews *r);

/* Whether who has this token, made for the audience gx-store, may "get" one of these stores.gx.dev: 1 or 0.  Appends who that is to
 * who
 * ("system:serviceaccount:team-a:me").  ERR_DENIED: the token is nobody's; else the cluster could not be asked. */
int reviews_may(struct reviews *r, struct slice token, const struct words *stores, struct buf *who, struct err *e);

#endif
