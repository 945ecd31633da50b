/* SPDX-License-Identifier: MIT
 *
 * Lock files in which git left the marks of a conflict.
 */
#ifndef FLAKE_LOCK_CONFLICT_H
#define FLAKE_LOCK_CONFLICT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* 0 when there are no such marks; else ERR_INVALID, with e saying where they are, in which inputs the sides differ, and what mends
 * it. */
int lock_conflict_explain(struct slice text, struct arena *mem, const char *name, struct err *e);

#endif
