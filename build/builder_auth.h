/* SPDX-License-Identifier: MIT
 *
 * The programs that GOAUTH names (golang/goauth.h), for builders that fetch, which ask for them (build/builder_ask.h).  A builder
 * is told what is for the address it asks about, and nothing is written anywhere.
 */
#ifndef BUILD_BUILDER_AUTH_H
#define BUILD_BUILDER_AUTH_H

#include "golang/goauth.h"

/* Answers with the methods of this list, which is valid; later calls do nothing. */
int builder_auth_start(const char *list, struct err *e);

/* A question to answer. */
void builder_auth_answer(struct slice question, int reply);

/* go_auth_ask, from inside a builder.  Without an answer nothing is appended. */
void builder_auth_ask(enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers, struct buf *failed);

#endif
