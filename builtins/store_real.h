/* SPDX-License-Identifier: MIT
 *
 * A store on disk behind the table of functions that builtins write through (builtins/store_ops.h).
 *
 * The store is opened at the first call that needs it, so an evaluation that makes no store objects touches none.
 * What is added is staged at once and committed in batches: nothing counts, for anybody, before store_real_flush.
 *
 * Malloc memory; holds nothing of the collected heap.
 */
#ifndef BUILTINS_STORE_REAL_H
#define BUILTINS_STORE_REAL_H

#include "build/build.h"
#include "builtins/store_ops.h"
#include "store/store.h"

struct store_real;

/* For the store at a place (borrowed). With STORE_READONLY a store that is not there is an empty one. */
struct store_real *store_real_new(const struct place *place, enum store_flags flags);

/* On a store that is open already, and stays open (borrowed). */
struct store_real *store_real_on(struct store *s);

/* Closes it unless it is borrowed; what was not flushed is dropped. */
void store_real_free(struct store_real *r);

/* The table to set store_ops to; lives as long as r. */
const struct store_ops *store_real_ops(struct store_real *r);

/* Makes all that was added valid. */
int store_real_flush(struct store_real *r, struct err *e);

/* The store itself, opened; with nothing left to flush.  NULL with e filled when it cannot be had. */
struct store *store_real_store(struct store_real *r, struct err *e);

/* Where notices of the store go, as in store_set_notice; call before anything else. */
void store_real_set_notice(struct store_real *r, void (*notice)(void *user, const char *text), void *user);

/* What builds for the evaluation (import from derivation); without one nothing is. */
typedef int store_real_builder(void *user, struct store *s, const struct build_target *v, size_t n, struct err *e);
void store_real_set_builder(struct store_real *r, store_real_builder *builder, void *user);

#endif
