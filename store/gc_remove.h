/* SPDX-License-Identifier: MIT
 *
 * Removing the files of many objects at once, while the one who asked for it listens to others.
 */
#ifndef STORE_GC_REMOVE_H
#define STORE_GC_REMOVE_H

#include "store/store.h"

struct gc_removal;

/* What is done meanwhile, in the thread that calls: */
struct gc_meanwhile {
	/* Listens.  Non-zero stops the removal, which returns it. */
	int (*listen)(void *arg);
	/* Nobody who was told to wait (gc_removal_spare) has to wait any longer. */
	void (*answer)(void *arg);
	void *arg;
};

/* Removes what lies in the store under the names of v, in no order.  *running is set while it does, and NULL afterwards.
 * *freed grows by the bytes on disk that became free, also on failure. */
int gc_remove_all(struct store *s, const struct path_set *v, const struct gc_meanwhile *m, struct gc_removal **running,
		  uint64_t *freed, struct err *e);

/* Somebody needs p from now on: what was not begun stays.  1 when it is just being removed, and he has to wait. */
int gc_removal_spare(struct gc_removal *r, const struct store_path *p);

#endif
