/* SPDX-License-Identifier: MIT
 *
 * What must hold whatever the input is: CHECK(condition) ends the program, saying where, when it does not.  It is compiled only
 * where configure was given --enable-checks, as scripts/check does for the sanitizers, so it may cost something and must have no
 * effect: the condition is not evaluated otherwise.  Never for what a user, a file or the network can bring about: that is an error
 * with a message.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "config.h"

#if GX_CHECK
#include <stdio.h>
#include <stdlib.h>

static inline void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: this must hold, and does not: %s\n", file, line, what);
	abort();
}
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
#else
#define CHECK(condition) ((void)(0 && (condition)))
#endif

#endif
