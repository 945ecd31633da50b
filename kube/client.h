/* SPDX-License-Identifier: MIT
 *
 * An API server: requests as somebody, and what its refusals mean.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "kube/kubeconfig.h"
#include "kube/http.h"
#include "kube/tree.h"

/* What is sent. */
#define KUBE_JSON "application/json"
#define KUBE_APPLY "application/apply-patch+yaml" /* JSON is YAML */
#define KUBE_MERGE "application/merge-patch+json"
#define KUBE_PATCH "application/json-patch+json"

struct kube;

/* The configuration is borrowed.  stop: given up when it is not 0; NULL: never.  ERR_IO when there is no libcurl. */
int kube_open(struct kube **out, const struct kube_config *c, const volatile int *stop, struct err *e);
void kube_close(struct kube *k);
const char *kube_namespace(const struct kube *k);
const char *kube_server(const struct kube *k);

/* From now on nothing is given up: for what is to be said before the end. */
void kube_go_on(struct kube *k);

/* From now on what passes by itself (429, 502, 503, 504) is asked for again for so many seconds: for those who have nothing else to
 * do. */
void kube_be_patient(struct kube *k, unsigned seconds);

/* Asks as whoever one is, anew when that is not believed.  0 with any status; else as http_ask.  body.n may be 0, with type NULL.
 */
int kube_ask(struct kube *k, const char *method, const char *path, const char *type, struct slice body, struct http_answer *a,
	     struct err *e);

/* The same for a stream (kube/http.h), and for a connection whose request is written by hand: its headers are appended. */
struct http_stream *kube_stream(struct kube *k, const char *path, unsigned seconds, int (*each)(void *user, struct slice bytes),
				void *user, struct err *e);
int kube_connect(struct kube *k, struct http_raw **out, struct words *headers, struct err *e);
void kube_turn(struct kube *k, int fd, unsigned ms);

/* Forgets who one is: the cluster does not believe it. */
void kube_forget(struct kube *k);

/* The answer as a tree.  ERR_NETWORK when it is no object. */
int kube_read(struct arena *a, const struct http_answer *from, struct jnode **out, struct err *e);

/* What a refusal says, "cannot WHAT: …".  Returns ERR_DENIED (401, 403), ERR_NOTFOUND (404), ERR_INVALID (400, 422, what
 * the schema does not have), ERR_REJECTED (409), else ERR_NETWORK. */
int kube_refused(const struct http_answer *a, struct err *e, const char *what, ...) __attribute__((format(printf, 3, 4)));

#endif
