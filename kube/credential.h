/* SPDX-License-Identifier: MIT
 *
 * Who one is to a cluster, at this moment: tokens are files that others write anew, or what a program says and for how long.
 */
#ifndef KUBE_CREDENTIAL_H
#define KUBE_CREDENTIAL_H

#include "base/slice.h"
#include "kube/kubeconfig.h"

#include <time.h>

/* Malloc'd, wiped when released.  Zeroed is none. */
struct credential {
	char *token;
	struct buf cert, key; /* PEM; empty: none */
	time_t until;	      /* of the wall clock; 0: it lasts */
};

void credential_release(struct credential *c);

/* Whether it may still be used. */
int credential_holds(const struct credential *c, time_t now);

/* Finds out anew.  ERR_IO, ERR_INVALID; what a file or a program says is in no message. */
int credential_find(struct credential *c, const struct kube_config *config, struct err *e);

/* The same out of what such a program printed: for tests. */
int credential_parse(struct credential *c, struct slice text, struct slice version, struct err *e);

/* Seconds since 1970 of "2026-11-28T12:00:00Z" (with a fraction or an offset too); -1 when it is no time. */
time_t kube_time(struct slice text);

/* This moment, as such a text. */
enum { KUBE_TIME_ROOM = 32 };
void kube_time_text(char out[KUBE_TIME_ROOM]);

#endif
