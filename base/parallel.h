/* SPDX-License-Identifier: MIT
 *
 * The same work for many things, on all cores.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stddef.h>

enum { PARALLEL_MAX = 16 };

/* How many run at once: for what each of them needs for itself. */
unsigned parallel_workers(void);

/* Calls each(arg, worker, i) for all i below n, in any order; worker is below parallel_workers().  Returns when all are
 * done.  Nothing that each() does may touch the collected heap or throw. */
void parallel_each(size_t n, void (*each)(void *arg, unsigned worker, size_t i), void *arg);

#endif
