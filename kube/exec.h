/* SPDX-License-Identifier: MIT
 *
 * Running a program in a container of a pod: what it reads and writes, the size of its terminal, how it ended.
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "kube/client.h"

struct exec_request {
	const char *namespace, *pod, *container;
	const char *const *argv; /* NULL at its end */
	int tty;
	int in, out, err;  /* descriptors; in may be -1; with a terminal nothing goes to err */
	int resized;	   /* readable when the terminal has another size; -1: never */
	void (*size)(unsigned *columns, unsigned *rows); /* with a terminal */
};

/* Runs it to its end.  *status: its exit status.  ERR_DENIED, ERR_NOTFOUND …: the cluster refuses; ERR_NETWORK. */
int kube_exec(struct kube *k, const struct exec_request *q, int *status, struct err *e);

/* Appends text as a part of an address: all but letters, digits and "-._~" as %XX. */
void kube_quote(struct buf *b, struct slice s);

#endif
