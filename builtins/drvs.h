/* SPDX-License-Identifier: MIT
 *
 * The store objects this evaluation knows: every derivation it made, every text it put in a file, and
 * what they refer to.  So no .drv that was made here is ever read back: its hash modulo, outputs and inputs
 * are remembered, and with a store to write to its text, which is written only when somebody
 * needs the file (drvs_write): before a build, before reading a path that a context names, and for the contexts of
 * what an evaluation prints.
 *
 * Records live as long as the session, hold no pointer into the collected heap, and never move.
 * Fields are read-only outside drvs.c.
 */
#ifndef BUILTINS_DRVS_H
#define BUILTINS_DRVS_H

#include "base/err.h"
#include "base/session.h"
#include "format/modulo.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

/* An output: path is empty when it is not known before a build. */
struct drv_known_output {
	struct slice name, path;
};

struct drv_known {
	struct slice name;
	struct drv_modulo modulo;
	size_t noutputs;
	struct drv_known_output outputs[]; /* in byte order */
};

/* path is NUL-terminated.  drv is NULL for what is no derivation or not known yet. */
struct store_object {
	struct slice path;
	const struct drv_known *drv;
	const uint32_t *refs; /* ids, see drvs_object */
	uint32_t nrefs;
	uint32_t mark;	      /* private */
	struct slice text;    /* bytes of a text object that is to be written */
	int unwritten;
	int known; /* refs (and drv) are filled in */
};

/* The object at a full path, NULL when this evaluation never met it. */
const struct store_object *drvs_find(struct slice path);

/* The object with an id of a refs array. */
const struct store_object *drvs_object(uint32_t id);

/* How many objects there are; ids are below this. */
uint32_t drvs_count(void);

/* Remembers a finished derivation; text is kept when there is a store to write to or one may come, NULL for what a store has. */
const struct store_object *drvs_add(const struct drv *d, struct slice path, const struct drv_modulo *m,
				    struct slice text);

/* Remembers a text object and what it refers to. */
void drvs_add_text(struct slice path, const struct slice *refs, size_t nrefs, struct slice text);

/* The derivation at path, read from the store (and with it all it needs) when it was not made here.
 * NULL with e filled when it cannot be had. */
const struct store_object *drvs_need(struct slice path, struct err *e);

/* 1 and its hash modulo when the derivation at path was made or read, and so checked, in this evaluation; else 0. */
int drvs_known(void *user, struct slice path, struct drv_modulo *out);

/* Calls each() once for every object in the closure of path, itself included, as far as references are known. */
int drvs_closure(struct slice path, void (*each)(void *arg, const struct store_object *o), void *arg, struct err *e);

/* Writes the object at path and all unwritten ones it refers to, those first, through store_ops. */
int drvs_write(struct slice path, struct err *e);

/* The table. */
extern const struct session_part drvs_session[];

/* What drv_finish asks: hashes modulo out of this table. */
extern const struct drv_cache drvs_cache;

#endif
