/* SPDX-License-Identifier: MIT
 *
 * The system call filter of builders.  seccomp.c is the only file that includes <seccomp.h>.
 */
#ifndef BUILD_SECCOMP_H
#define BUILD_SECCOMP_H

#include "base/err.h"

enum filter_flags {
	FILTER_NO_UNIX = 1 << 0, /* no unix sockets but connected pairs: the barrier between builders that share a network */
	FILTER_NO_EXEC = 1 << 1	 /* no other program: for builders that are part of this one */
};

/* Makes the filter, once for all processes that are started later. */
int seccomp_prepare(enum filter_flags flags, struct err *e);

/* Loads the filter into this thread for good, with no-new-privileges.  For a child before it runs foreign code. */
int seccomp_load_filter(enum filter_flags flags, struct err *e);

#endif
