/* SPDX-License-Identifier: MIT
 *
 * The collector's ear: other processes tell new temporary roots over a socket while a collection runs.
 */
#ifndef STORE_GC_SERVER_H
#define STORE_GC_SERVER_H

#include "store/store.h"

struct gc_server;

/* Listens in the store's gc-socket folder.  told() is called for each root; it returns 1 when the answer must wait until
 * gc_server_release_waiting (the object is just being deleted), 0 when it may go out at once. */
int gc_server_open(struct gc_server **out, struct store *s, int (*told)(void *arg, const struct store_path *p), void *arg,
		   struct err *e);
void gc_server_free(struct gc_server *g);

/* Takes what has come in; never waits.  Call often: the others stand still meanwhile. */
void gc_server_poll(struct gc_server *g);

/* Answers those that were told to wait. */
void gc_server_release_waiting(struct gc_server *g);

#endif
