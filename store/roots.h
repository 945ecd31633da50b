/* SPDX-License-Identifier: MIT
 *
 * What must not be collected.
 *
 * Before a process uses or makes an object that nothing else holds, it names it a temporary root; that lasts as long as the process
 * (or its struct store).  Lasting roots are links in gcroots and profiles, direct or by way of gcroots/auto.
 */
#ifndef STORE_ROOTS_H
#define STORE_ROOTS_H

#include "store/store.h"

/* Keeps p from being collected while this store is open.  After it returns no collector will begin to
 * delete p, and none is in the middle of it: ask whether p is valid only then. */
int store_add_temp_root(struct store *s, const struct store_path *p, struct err *e);

/* Makes `link` (a path of the user's, such as ./result; made absolute) a symlink to the object and a lasting root.  Replaces a
 * link, refuses to replace anything else. */
int store_add_root_link(struct store *s, const char *link, const struct store_path *p, struct err *e);

/* Names an existing link outside the store a root (gcroots/auto). */
int store_add_indirect_root(struct store *s, const char *link, struct err *e);

/* A root: who says so ("/home/u/result", "{temp:123}", "/proc/7/exe") and which object. */
typedef void (*root_fn)(void *arg, const char *from, const struct store_path *p);

enum root_kinds {
	ROOTS_LINKS = 1 << 0,	/* gcroots and profiles */
	ROOTS_TEMP = 1 << 1,	/* temporary roots of live processes */
	ROOTS_RUNTIME = 1 << 2, /* what running processes have open */
	ROOTS_ALL = 7
};

/* Reports the roots of those kinds; removes stale ones of gcroots/auto and of dead processes on the way, unless the store was
 * opened for reading: then what this user may not see is left out. */
int store_each_root(struct store *s, enum root_kinds kinds, root_fn each, void *arg, struct err *e);

#endif
