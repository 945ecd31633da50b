/* SPDX-License-Identifier: MIT
 *
 * Locks on open files, between processes.
 */
#ifndef BASE_FLOCK_H
#define BASE_FLOCK_H

#include "base/err.h"

/* flock on a descriptor: how is LOCK_SH, LOCK_EX, LOCK_UN (of <sys/file.h>), or'ed with LOCK_NB.  0 held, 1 taken by another
 * (only with LOCK_NB), negative on failure. */
int lock_fd(int fd, int how, struct err *e);

#endif
