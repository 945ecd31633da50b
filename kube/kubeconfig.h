/* SPDX-License-Identifier: MIT
 *
 * Which cluster, and as whom: what kubeconfig files say, or the account of a pod.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/words.h"

/* What the command line says; NULL: nothing. */
struct kube_choice {
	const char *file;      /* instead of $KUBECONFIG and ~/.kube/config */
	const char *context;   /* instead of the current one */
	const char *namespace; /* instead of the context's */
	const char *account;   /* where a pod has its account; NULL: where Kubernetes puts it */
};

/* A program that says who one is (ExecCredential). */
struct kube_plugin {
	struct words argv;	 /* none: there is no such program */
	struct words variables;	 /* NAME=VALUE */
	char *version;		 /* "client.authentication.k8s.io/v1" */
	char *hint;		 /* how it is installed; NULL: not said */
	int wants_cluster;
};

/* All of it is malloc'd; secrets are wiped when it is released. Zeroed is empty. */
struct kube_config {
	char *context;	   /* what it is called; "in-cluster" of a pod */
	char *server;	   /* "https://10.96.0.1:443", without a slash at its end */
	char *namespace;
	struct buf ca;	   /* PEM; empty: whom the machine trusts */
	char *server_name; /* what its certificate calls it; NULL: as in the address */
	char *proxy;
	int insecure;	   /* its certificate is not looked at */

	struct buf cert, key; /* PEM; empty: none */
	char *token, *token_file, *user, *password;
	struct kube_plugin plugin;
	char *as;	      /* whom one acts as; NULL: oneself */
	struct words groups;
};

/* Reads it.  ERR_NOTFOUND when nothing says which cluster, ERR_INVALID, ERR_IO. */
int kube_config_load(struct kube_config *c, const struct kube_choice *choice, struct err *e);
void kube_config_release(struct kube_config *c);

/* The same out of the text of one file, whose folder is dir: for tests. */
int kube_config_parse(struct kube_config *c, const char *text, size_t n, const char *dir, const struct kube_choice *choice,
		      struct err *e);

#endif
