/* SPDX-License-Identifier: MIT
 *
 * Modules straight from their repositories ("direct" in GOPROXY, and what GOPRIVATE or GONOPROXY name), for builders that fetch,
 * which ask for them (build/builder_ask.h).
 *
 * The go command brings them: that of the toolchain the build is for, or of this machine.  It runs as the user outside, so that all
 * counts that counts for him: what git and ssh know of names, keys and addresses, GOVCS, GOINSECURE.  A builder receives the file
 * of the module it is to fetch and no other, and checks it against its sum as it does what a proxy sends.
 */
#ifndef BUILD_BUILDER_REPOSITORY_H
#define BUILD_BUILDER_REPOSITORY_H

#include "base/buf.h"
#include "fetch/transfer.h"
#include "golang/modpath.h"

/* A builder of this module is about to start, and may ask for it.  go: the program of its toolchain, NULL for none that is known.
 */
int builder_repository_expect(const struct module_version *m, const char *go, struct err *e);

/* A question to answer. */
void builder_repository_answer(struct slice question, int reply);

/* From inside a builder: a file of the module ("zip", "mod") into the request's sink.  ERR_NETWORK with what the go command
 * said. */
int builder_repository_get(const struct module_version *m, const char *ending, const struct transfer_request *request,
			   struct err *e);

#endif
