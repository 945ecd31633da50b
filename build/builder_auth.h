/* SPDX-License-Identifier: MIT
 *
 * The programs that GOAUTH names, for builders that fetch: those may run none, so a thread of the building process asks them
 * (golang/goauth.h) and answers over a socket that a builder has as its standard input.  A builder is told what is for the address
 * it asks about, and nothing is written anywhere.
 */
#ifndef BUILD_BUILDER_AUTH_H
#define BUILD_BUILDER_AUTH_H

#include "golang/goauth.h"

/* Starts to answer, with the methods of this list, which is valid; later calls do nothing. */
int builder_auth_start(const char *list, struct err *e);

/* What builders are to have as standard input; 0 where nobody answers. */
int builder_auth_input(void);

/* go_auth_ask, from inside a builder.  Without an answer nothing is appended. */
void builder_auth_ask(enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers, struct buf *failed);

#endif
